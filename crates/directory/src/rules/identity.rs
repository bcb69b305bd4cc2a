//! Which account that exists already becomes a new user's own, as an administrator writes it (US-08, US-09).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MappingRow, RuleError, Target};

/// How a user who has no account of its own yet finds one that exists. The user's SCIM `id` and `externalId`
/// always come first; what is named here is tried after them, in this order, and only where an account would
/// otherwise be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// The account with the user name that the rules give, compared without regard to case. Off, such an account is
    /// somebody else's, and the name is taken.
    pub by_username: bool,
    /// The one account with the e-mail address that the rules give. Whoever may set addresses in the identity provider
    /// can take over accounts by this, so it is off unless it is switched on.
    pub by_email: bool,
    /// The one account with the value that the row for `attr:NAME` gives; this is the NAME.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_attribute: Option<String>,
    /// What happens if the account found was copied from another server or a file, and no identity provider has
    /// spoken for it yet.
    pub on_copied: OnMet,
    /// What happens if the account found is kept here, or belongs to another connector.
    pub on_existing: OnMet,
    /// What happens if the account found is that of a user of this connector whom the identity provider deleted, and
    /// who had other ids (CP-27). A user who comes back with the former `externalId` always gets the account back; where
    /// one of both has none, the account comes back without its groups. `link` takes whoever comes by the former user
    /// name for the same person, and gives back the groups too.
    pub on_deleted: OnMet,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            by_username: true,
            by_email: false,
            by_attribute: None,
            on_copied: OnMet::Link,
            on_existing: OnMet::Conflict,
            on_deleted: OnMet::Conflict,
        }
    }
}

/// What happens to an account that a new user has met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMet {
    /// It becomes the user's own.
    Link,
    /// Both stay as they are, and somebody decides.
    #[default]
    Conflict,
    /// The identity provider is told that the user exists already.
    Reject,
}

impl OnMet {
    /// The word used in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            OnMet::Link => "link",
            OnMet::Conflict => "conflict",
            OnMet::Reject => "reject",
        }
    }
}

/// An attribute that no row sets could never be compared.
pub(super) fn check(identity: &Identity, rows: &[MappingRow], errors: &mut Vec<RuleError>) {
    let Some(name) = &identity.by_attribute else {
        return;
    };
    let sets = |row: &MappingRow| match &row.target {
        Target::Attribute(set) => crate::name::same(set, name),
        _ => false,
    };
    if !rows.iter().any(sets) {
        errors.push(RuleError::new(
            "identity.by_attribute",
            format!("no row sets an attribute '{name}'"),
            format!("add a row with the target attr:{name}, or leave by_attribute out"),
        ));
    }
}
