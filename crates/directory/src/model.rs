//! Users, groups and memberships as the products see them, and why they are so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ConnectorId, GroupPk, SourceGroupPk, UserPk};

/// What a user of the directory is at present (PL-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// May log in to the products.
    Active,
    /// Known to the products, may not log in. Memberships stay, or follow what the provider says.
    Disabled,
    /// Gone for the products; a tombstone stays, so that a return revives the same user.
    Removed,
}

impl Status {
    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Disabled => "disabled",
            Status::Removed => "removed",
        }
    }

    /// Reads the word used in storage and answers.
    pub fn parse(text: &str) -> Option<Status> {
        [Status::Active, Status::Disabled, Status::Removed]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// Why a user has the status it has (PL-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// A row's transformation matched nothing, and the row filters such users.
    FilteredNoMatch,
    /// An administrator decided; only an administrator undoes it.
    Manual,
    /// Another account stands in the way.
    Conflict,
    /// A safety limit keeps the change back.
    Held,
    /// The user is kept here, by no identity provider.
    Local,
}

impl Reason {
    const ALL: [Reason; 10] = [
        Reason::IdpActive,
        Reason::IdpInactive,
        Reason::IdpDeleted,
        Reason::NotInRequiredGroup,
        Reason::DroppedByRule,
        Reason::FilteredNoMatch,
        Reason::Manual,
        Reason::Conflict,
        Reason::Held,
        Reason::Local,
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
            Reason::Manual => "MANUAL",
            Reason::Conflict => "CONFLICT",
            Reason::Held => "HELD",
            Reason::Local => "LOCAL",
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
}

impl Origin {
    /// The kind, as stored and shown.
    pub const fn kind(&self) -> &'static str {
        match self {
            Origin::Idp(_) => "idp",
            Origin::Always => "always",
            Origin::Rule(_) => "rule",
            Origin::Local => "local",
            Origin::Copied => "copied",
            Origin::Product => "product",
        }
    }

    /// What the kind refers to: a source group's row, a rule's name; else empty.
    pub fn reference(&self) -> String {
        match self {
            Origin::Idp(group) => group.to_string(),
            Origin::Rule(name) => name.clone(),
            Origin::Always | Origin::Local | Origin::Copied | Origin::Product => String::new(),
        }
    }

    /// Puts an origin together from what [`kind`](Self::kind) and [`reference`](Self::reference) gave.
    pub fn from_parts(kind: &str, reference: &str) -> Option<Origin> {
        match kind {
            "idp" => reference.parse().ok().map(Origin::Idp),
            "always" => Some(Origin::Always),
            "rule" => Some(Origin::Rule(reference.to_owned())),
            "local" => Some(Origin::Local),
            "copied" => Some(Origin::Copied),
            "product" => Some(Origin::Product),
            _ => None,
        }
    }

    /// Whether the rules made this origin, so that the rules may end it.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Origin::Idp(_) | Origin::Always | Origin::Rule(_))
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
    /// The attributes.
    pub attributes: Attributes,
    /// The status.
    pub status: Status,
    /// Why it has that status.
    pub reason: Reason,
    /// The memberships, by any origin.
    pub memberships: Vec<Membership>,
    /// Since when no required group holds the person; none while one does.
    pub out_of_scope_since: Option<Timestamp>,
    /// Names of the groups held when the account was removed, to be given back on return.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restore: Vec<String>,
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
        for status in [Status::Active, Status::Disabled, Status::Removed] {
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
