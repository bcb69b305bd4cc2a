//! Identity: what happens when a user without an account meets one that exists (US-08, US-09).

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::id::ConnectorId;
use crate::model::{Attributes, Reason, User};
use crate::name::same;
use crate::plan::Plan;
use crate::pseudonym;
use crate::rules::{Identity, OnMet};

/// By what a user and an account were taken for one person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// The user name.
    #[default]
    Username,
    /// The e-mail address.
    Email,
    /// The attribute that the rules name.
    Attribute,
}

impl MatchedBy {
    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            MatchedBy::Username => "username",
            MatchedBy::Email => "email",
            MatchedBy::Attribute => "attribute",
        }
    }

    /// Reads the word used in storage and answers.
    pub fn parse(text: &str) -> Option<MatchedBy> {
        [MatchedBy::Username, MatchedBy::Email, MatchedBy::Attribute]
            .into_iter()
            .find(|by| by.as_str() == text)
    }
}

/// Whose account it is that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// It was copied, and no identity provider has spoken for it yet.
    Copied,
    /// It is kept here.
    Local,
    /// It belongs to another connector.
    OtherConnector,
    /// Another user of the same connector has it.
    SameConnector,
    /// A user of the same connector had it, whom the identity provider deleted and who had other ids.
    Deleted,
    /// The same, but no ids tell who it was: the name is all there is to go by (CP-27).
    Returning,
}

impl Holder {
    /// Whose account this is, seen from a connector.
    pub fn of(account: &User, connector: ConnectorId) -> Holder {
        match account.connector {
            Some(owner) if owner == connector => Holder::SameConnector,
            Some(_) => Holder::OtherConnector,
            None if account.reason == Reason::Copied => Holder::Copied,
            None => Holder::Local,
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Holder::Copied => "was copied and has no identity provider yet",
            Holder::Local => "is kept here",
            Holder::OtherConnector => "belongs to another connector",
            Holder::SameConnector => "belongs to another user of this connector",
            Holder::Deleted => {
                "was that of a user with other ids, whom the identity provider deleted"
            }
            Holder::Returning => {
                "was that of a user of this name, whom the identity provider deleted, and no `externalId` tells them apart"
            }
        }
    }
}

/// An account that a user without one has met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// The name of the account.
    pub name: String,
    /// By what it was found.
    pub by: MatchedBy,
    /// Whose it is.
    pub holder: Holder,
    /// What happens.
    pub effect: Meeting,
}

impl Met {
    /// What was met and what happens, as a sentence.
    pub fn text(&self) -> String {
        let effect = match self.effect {
            Meeting::Link => "it becomes the account of this user",
            Meeting::Return => "it is the account of this user again, without the groups it was in",
            Meeting::Join => "it stays that connector's, and both speak of it",
            Meeting::Conflict => "both stay as they are until somebody decides",
            Meeting::Reject => "the identity provider is told that the user exists",
        };
        format!(
            "account `{}`, found by {}, {}: {effect}",
            self.name,
            self.by.as_str(),
            self.holder.text()
        )
    }
}

/// What happens when a user meets an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// It becomes the user's own.
    Link,
    /// It becomes the user's own, but not what it was in: a name alone opens nobody's doors.
    Return,
    /// It stays the other's, and this user speaks of it too (BY-15).
    Join,
    /// Both stay as they are, and somebody decides.
    Conflict,
    /// The identity provider is told that the user exists already.
    Reject,
}

impl From<OnMet> for Meeting {
    fn from(wish: OnMet) -> Self {
        match wish {
            OnMet::Link => Meeting::Link,
            OnMet::Conflict => Meeting::Conflict,
            OnMet::Reject => Meeting::Reject,
        }
    }
}

/// How far a decision may go in giving accounts to users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moment {
    /// The identity provider makes the user now, and could be told of a conflict.
    Creation,
    /// Any later look at a user who has no account.
    #[default]
    Later,
    /// An administrator said that both are one person.
    Told,
}

/// What happens when a user without an account meets one that exists.
///
/// An account that another user of the same connector has is never taken from that one. One of another
/// connector changes hands only when the user is made or when an administrator says so: otherwise two connectors
/// could take it from each other for ever. In a directory that its connectors share, nothing changes hands.
pub fn meet(
    identity: &Identity,
    holder: Holder,
    by: MatchedBy,
    moment: Moment,
    shares: bool,
) -> Meeting {
    let allowed = match by {
        MatchedBy::Username => identity.by_username,
        MatchedBy::Email | MatchedBy::Attribute => true,
    };
    if shares && holder == Holder::OtherConnector && (allowed || moment == Moment::Told) {
        return Meeting::Join;
    }
    let wish = match holder {
        Holder::SameConnector => OnMet::Conflict,
        _ if moment == Moment::Told => OnMet::Link,
        _ if !allowed => OnMet::Conflict,
        Holder::Copied => identity.on_copied,
        Holder::Returning if identity.on_deleted != OnMet::Link => return Meeting::Return,
        Holder::Returning => OnMet::Link,
        Holder::Deleted => identity.on_deleted,
        Holder::Local | Holder::OtherConnector => identity.on_existing,
    };
    match (wish, moment) {
        (OnMet::Reject, Moment::Later) => Meeting::Conflict,
        (OnMet::Link, Moment::Later) if holder == Holder::OtherConnector => Meeting::Conflict,
        _ => wish.into(),
    }
}

/// How somebody gave a user name up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenUp {
    /// By another name.
    Renamed,
    /// With the account.
    Removed,
    /// With all that told who it was.
    Anonymised,
}

impl GivenUp {
    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            GivenUp::Renamed => "renamed",
            GivenUp::Removed => "removed",
            GivenUp::Anonymised => "anonymised",
        }
    }

    /// Reads the word used in storage and answers.
    pub fn parse(text: &str) -> Option<GivenUp> {
        [GivenUp::Renamed, GivenUp::Removed, GivenUp::Anonymised]
            .into_iter()
            .find(|it| it.as_str() == text)
    }

    /// The user name that a plan takes from its account, and how. A name that tells nothing is nobody's.
    pub fn by(plan: &Plan) -> Option<(&str, GivenUp)> {
        let hidden = |from: &String| {
            let shown = |change: &Change| match change {
                Change::UpdateUser { before, .. } => pseudonym::is_of(from, &before.email),
                _ => false,
            };
            plan.changes.iter().any(shown)
        };
        let anonymises = |it: &Change| matches!(it, Change::Anonymise { .. });
        plan.changes.iter().find_map(|change| match change {
            Change::RemoveUser { name, .. } => Some((name.as_str(), GivenUp::Removed)),
            Change::RenameUser { from, to } if !same(from, to) && !hidden(from) => {
                match plan.changes.iter().any(anonymises) {
                    true => Some((from.as_str(), GivenUp::Anonymised)),
                    false => Some((from.as_str(), GivenUp::Renamed)),
                }
            }
            _ => None,
        })
    }
}

impl Identity {
    /// The e-mail address by which an account is looked for, if one is.
    pub fn email<'a>(&self, attributes: &'a Attributes) -> Option<&'a str> {
        let email = attributes.email.as_str();
        (self.by_email && !email.is_empty()).then_some(email)
    }

    /// The attribute and the value by which an account is looked for, if one is.
    pub fn attribute<'a>(&'a self, attributes: &'a Attributes) -> Option<(&'a str, &'a str)> {
        let name = self.by_attribute.as_deref()?;
        let (_, values) = attributes
            .extra
            .iter()
            .find(|(key, _)| crate::name::same(key, name))?;
        match values.as_slice() {
            [value] if !value.is_empty() => Some((name, value)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLDERS: [Holder; 4] = [
        Holder::Copied,
        Holder::Local,
        Holder::OtherConnector,
        Holder::SameConnector,
    ];

    #[test]
    fn who_comes_back_by_name_alone_gets_the_groups_only_where_the_rules_trust_names() {
        let met = |on_deleted, holder, by_username| {
            let identity = Identity {
                on_deleted,
                by_username,
                ..Identity::default()
            };
            let by = MatchedBy::Username;
            meet(&identity, holder, by, Moment::Creation, false)
        };
        for wish in [OnMet::Conflict, OnMet::Reject] {
            assert_eq!(met(wish, Holder::Returning, true), Meeting::Return);
            assert_eq!(met(wish, Holder::Deleted, true), wish.into());
            assert_eq!(met(wish, Holder::Returning, false), Meeting::Conflict);
        }
        assert_eq!(met(OnMet::Link, Holder::Returning, true), Meeting::Link);
        assert_eq!(met(OnMet::Link, Holder::Deleted, true), Meeting::Link);
    }

    #[test]
    fn by_default_only_copied_accounts_are_given_away() {
        let identity = Identity::default();
        for holder in HOLDERS {
            let met = meet(
                &identity,
                holder,
                MatchedBy::Username,
                Moment::Creation,
                false,
            );
            let wanted = match holder {
                Holder::Copied => Meeting::Link,
                _ => Meeting::Conflict,
            };
            assert_eq!(met, wanted, "{holder:?}");
        }
    }

    #[test]
    fn what_is_switched_off_is_somebody_else() {
        let identity = Identity {
            by_username: false,
            on_existing: OnMet::Link,
            ..Identity::default()
        };
        for holder in HOLDERS {
            let met = meet(
                &identity,
                holder,
                MatchedBy::Username,
                Moment::Creation,
                false,
            );
            assert_eq!(met, Meeting::Conflict, "{holder:?}");
            let told = meet(&identity, holder, MatchedBy::Username, Moment::Told, false);
            assert_eq!(told == Meeting::Link, holder != Holder::SameConnector);
        }
    }

    #[test]
    fn nobody_is_refused_later_and_no_two_connectors_fight() {
        for on_existing in [OnMet::Link, OnMet::Reject] {
            let identity = Identity {
                on_existing,
                ..Identity::default()
            };
            let other = |moment| {
                meet(
                    &identity,
                    Holder::OtherConnector,
                    MatchedBy::Email,
                    moment,
                    false,
                )
            };
            assert_eq!(other(Moment::Creation), on_existing.into());
            assert_eq!(other(Moment::Later), Meeting::Conflict);
            let local = meet(
                &identity,
                Holder::Local,
                MatchedBy::Email,
                Moment::Later,
                false,
            );
            assert_eq!(local == Meeting::Link, on_existing == OnMet::Link);
        }
    }

    #[test]
    fn where_connectors_share_a_directory_they_join_and_nothing_changes_hands() {
        let off = Identity {
            by_username: false,
            ..Identity::default()
        };
        for moment in [Moment::Creation, Moment::Later, Moment::Told] {
            let identity = Identity::default();
            let other = meet(
                &identity,
                Holder::OtherConnector,
                MatchedBy::Username,
                moment,
                true,
            );
            assert_eq!(other, Meeting::Join, "{moment:?}");
            let told = meet(
                &off,
                Holder::OtherConnector,
                MatchedBy::Username,
                moment,
                true,
            );
            assert_eq!(told == Meeting::Join, moment == Moment::Told);
            let same = meet(
                &identity,
                Holder::SameConnector,
                MatchedBy::Username,
                moment,
                true,
            );
            assert_eq!(same, Meeting::Conflict);
        }
    }
}
