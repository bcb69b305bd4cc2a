//! Users, groups and memberships as the products see them, and why they are so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{ConnectorId, GroupPk, OverrideId, SourceGroupPk, UserPk};

/// What a user of the directory is at present (PL-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// May log in to the products.
    Active,
    /// Known to the products, may not log in. Memberships stay, or follow what the provider says.
    Disabled,
    /// Known to the products under a name that tells nobody who it was; may not log in.
    Anonymised,
    /// Gone for the products; a tombstone stays, so that a return revives the same user.
    Removed,
}

impl Status {
    const ALL: [Status; 4] = [
        Status::Active,
        Status::Disabled,
        Status::Anonymised,
        Status::Removed,
    ];

    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Disabled => "disabled",
            Status::Anonymised => "anonymised",
            Status::Removed => "removed",
        }
    }

    /// Reads the word used in storage and answers.
    pub fn parse(text: &str) -> Option<Status> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// Why a user has the status it has (PL-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The identity provider says active, and every gate lets the user through.
    IdpActive,
    /// The identity provider says inactive.
    IdpInactive,
    /// The identity provider deleted the user.
    IdpDeleted,
    /// The user is in none of the required groups.
    NotInRequiredGroup,
    /// A step of the rules dropped the user, or no user name could be formed.
    DroppedByRule,
    /// A row's transformation matched nothing, and the row filters such users; or the scope's filter does not
    /// hold.
    FilteredNoMatch,
    /// A conditional rule disables the account.
    DisabledByRule,
    /// The user has not logged in for long.
    InactivityRule,
    /// An administrator decided; only an administrator undoes it.
    Manual,
    /// Another account stands in the way.
    Conflict,
    /// A safety limit keeps the change back.
    Held,
    /// The user is kept here, by no identity provider.
    Local,
    /// An administrator's override says so, or an undo does.
    Override,
    /// The user was copied from another server or a file, and no identity provider has spoken for it yet.
    Copied,
}

impl Reason {
    /// Whether an account of this status keeps it for this reason whatever the identity provider says.
    pub(crate) const fn sticks_to(self, status: Status) -> bool {
        !matches!(status, Status::Active) && matches!(self, Reason::Manual | Reason::InactivityRule)
    }

    const ALL: [Reason; 14] = [
        Reason::IdpActive,
        Reason::IdpInactive,
        Reason::IdpDeleted,
        Reason::NotInRequiredGroup,
        Reason::DroppedByRule,
        Reason::FilteredNoMatch,
        Reason::DisabledByRule,
        Reason::InactivityRule,
        Reason::Manual,
        Reason::Conflict,
        Reason::Held,
        Reason::Local,
        Reason::Override,
        Reason::Copied,
    ];

    /// The code used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::IdpActive => "IDP_ACTIVE",
            Reason::IdpInactive => "IDP_INACTIVE",
            Reason::IdpDeleted => "IDP_DELETED",
            Reason::NotInRequiredGroup => "NOT_IN_REQUIRED_GROUP",
            Reason::DroppedByRule => "DROPPED_BY_RULE",
            Reason::FilteredNoMatch => "FILTERED_NO_MATCH",
            Reason::DisabledByRule => "DISABLED_BY_RULE",
            Reason::InactivityRule => "INACTIVITY_RULE",
            Reason::Manual => "MANUAL",
            Reason::Conflict => "CONFLICT",
            Reason::Held => "HELD",
            Reason::Local => "LOCAL",
            Reason::Override => "OVERRIDE",
            Reason::Copied => "COPIED",
        }
    }

    /// Reads the code used in storage and answers.
    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }
}

/// Why a membership exists (PL-03). A membership may have several origins and ends with the last.
///
/// The order matters: of several spellings of one group name, the first origin's is kept, and
/// source groups are numbered in the order they were first seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "OriginParts", try_from = "OriginParts")]
pub enum Origin {
    /// A source group contains the user.
    Idp(SourceGroupPk),
    /// Every active user of the connector is in the group.
    Always,
    /// A rule, named here, put the user there.
    Rule(String),
    /// An administrator put the user there.
    Local,
    /// Taken over from another directory, or from before the user was deleted and came back.
    Copied,
    /// A product wrote it.
    Product,
    /// An administrator put the user there for a time, by this override.
    Override(OverrideId),
}

impl Origin {
    /// The rule's name in the origin of groups that came with a new account (MO-11).
    pub const NEW_USER_GROUPS: &str = "new_user_groups";

    /// The kind, as stored and shown.
    pub const fn kind(&self) -> &'static str {
        match self {
            Origin::Idp(_) => "idp",
            Origin::Always => "always",
            Origin::Rule(_) => "rule",
            Origin::Local | Origin::Override(_) => "local",
            Origin::Copied => "copied",
            Origin::Product => "product",
        }
    }

    /// What the kind refers to: a source group's row, a rule's name, an override's number; else empty.
    pub fn reference(&self) -> String {
        match self {
            Origin::Idp(group) => group.to_string(),
            Origin::Rule(name) => name.clone(),
            Origin::Override(id) => id.to_string(),
            Origin::Always | Origin::Local | Origin::Copied | Origin::Product => String::new(),
        }
    }

    /// Puts an origin together from what [`kind`](Self::kind) and [`reference`](Self::reference) gave.
    pub fn from_parts(kind: &str, reference: &str) -> Option<Origin> {
        match kind {
            "idp" => reference.parse().ok().map(Origin::Idp),
            "always" => Some(Origin::Always),
            "rule" => Some(Origin::Rule(reference.to_owned())),
            "local" if reference.is_empty() => Some(Origin::Local),
            "local" => reference.parse().ok().map(Origin::Override),
            "copied" => Some(Origin::Copied),
            "product" => Some(Origin::Product),
            _ => None,
        }
    }

    /// Whether a connector's groups and rules made this origin.
    pub const fn is_of_connector(&self) -> bool {
        matches!(self, Origin::Idp(_) | Origin::Always | Origin::Rule(_))
    }

    /// Whether an evaluation made this origin, so that evaluations may end it.
    pub const fn is_ours(&self) -> bool {
        matches!(
            self,
            Origin::Idp(_) | Origin::Always | Origin::Rule(_) | Origin::Override(_)
        )
    }
}

#[derive(Serialize, Deserialize)]
struct OriginParts {
    kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reference: String,
}

impl From<Origin> for OriginParts {
    fn from(origin: Origin) -> Self {
        Self {
            kind: origin.kind().to_owned(),
            reference: origin.reference(),
        }
    }
}

impl TryFrom<OriginParts> for Origin {
    type Error = String;

    fn try_from(parts: OriginParts) -> Result<Self, Self::Error> {
        Origin::from_parts(&parts.kind, &parts.reference).ok_or_else(|| {
            format!(
                "unknown origin `{}` with reference `{}`",
                parts.kind, parts.reference
            )
        })
    }
}

/// What the rules say about a person, apart from status and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// The name by which the products know the user.
    pub username: String,
    /// The primary e-mail address; empty if unknown.
    pub email: String,
    /// The full name.
    pub display_name: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// Values of `attr:` rows by attribute name. Attributes that products write are not in here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Vec<String>>,
}

/// A user's place in one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The group's name as the products see it; compared by [`crate::name::same`].
    pub group: String,
    /// Why.
    pub origins: BTreeSet<Origin>,
}

impl Membership {
    /// A membership with one origin.
    pub fn new(group: impl Into<String>, origin: Origin) -> Self {
        Self {
            group: group.into(),
            origins: BTreeSet::from([origin]),
        }
    }
}

/// A user of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The row.
    pub pk: UserPk,
    /// The stable key that products hold on to across renames.
    pub key: String,
    /// The user name.
    pub name: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The full name.
    pub display_name: String,
    /// The primary e-mail address; empty if unknown.
    pub email: String,
    /// What the user is.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// The connector that owns the user; none for local users.
    pub connector: Option<ConnectorId>,
    /// The identity provider's own id, if it sent one.
    pub external_id: Option<String>,
    /// When the user was created.
    pub created: Timestamp,
    /// When the user last changed.
    pub updated: Timestamp,
}

impl User {
    /// Whether the user may log in.
    pub fn active(&self) -> bool {
        self.status == Status::Active
    }
}

/// A group of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The row.
    pub pk: GroupPk,
    /// The name as the products see it.
    pub name: String,
    /// A sentence about it; empty if none.
    pub description: String,
    /// Whether it was made here rather than by a connector.
    pub local: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// What the directory has at present about one person: the `existing` side of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The stable key that products hold on to; empty before the store has given one.
    #[serde(default)]
    pub key: String,
    /// The attributes.
    pub attributes: Attributes,
    /// The status.
    pub status: Status,
    /// Why it has that status.
    pub reason: Reason,
    /// The memberships, by any origin.
    pub memberships: Vec<Membership>,
    /// When the user last logged in with a product, as far as known.
    #[serde(default)]
    pub last_login: Option<Timestamp>,
    /// What decisions remember.
    #[serde(flatten)]
    pub memory: Memory,
}

impl Account {
    /// Whether it is lost by the word of an administrator or by the rule for the inactive, so that the identity
    /// provider alone may not bring it back (KA-07).
    pub fn is_sticky(&self) -> bool {
        self.reason.sticks_to(self.status)
    }
}

/// What decisions remember about an account, for later ones. Products see nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Since when the person is out of scope; none while in scope.
    #[serde(default)]
    pub out_of_scope_since: Option<Timestamp>,
    /// Since when the account is to be cleaned up, whatever the cause.
    #[serde(default)]
    pub cleaned_up_since: Option<Timestamp>,
    /// From when on days without a log-in count, at the earliest.
    #[serde(default)]
    pub active_since: Option<Timestamp>,
    /// Until when what an administrator or the rule for the inactive decided stands; without it, until it is taken
    /// back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays_until: Option<Timestamp>,
    /// Memberships that the account had when it was removed or its groups were taken, to be given back on return.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restore: Vec<Membership>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_words_read_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(json, format!("\"{}\"", reason.as_str()));
        }
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("ACTIVE"), None);
    }

    #[test]
    fn origins_read_back_from_their_parts_and_from_json() {
        for origin in [
            Origin::Idp(SourceGroupPk(7)),
            Origin::Always,
            Origin::Rule("contractors".into()),
            Origin::Local,
            Origin::Copied,
            Origin::Product,
            Origin::Override(OverrideId(3)),
        ] {
            let parts = Origin::from_parts(origin.kind(), &origin.reference());
            assert_eq!(parts.as_ref(), Some(&origin));
            let json = serde_json::to_string(&origin).unwrap();
            assert_eq!(serde_json::from_str::<Origin>(&json).unwrap(), origin);
        }
        assert_eq!(Origin::from_parts("idp", "seven"), None);
        assert!(serde_json::from_str::<Origin>(r#"{"kind":"magic"}"#).is_err());
    }
}
