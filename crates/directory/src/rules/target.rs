//! Targets: what a mapping row sets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The same as [`Target`] reads, for the JSON Schema.
const TARGET_PATTERN: &str = r"^(username|email|display_name|first_name|last_name|active|groups|attr:.*\S.*|prop:jira:.*\S.*|profile:confluence:(phone|im|website|position|department|location)|org:jsm|avatar)$";

/// What a mapping row sets; written as text, e.g. `email` or `attr:department`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(into = "String", try_from = "String")]
#[schemars(extend("pattern" = TARGET_PATTERN))]
pub enum Target {
    /// The user name.
    Username,
    /// The e-mail address.
    Email,
    /// The full name.
    DisplayName,
    /// The given name.
    FirstName,
    /// The family name.
    LastName,
    /// Whether the identity provider means the user to be active.
    Active,
    /// Groups named by a user's attribute, besides the source groups.
    Groups,
    /// An attribute of the user that products can read.
    Attribute(String),
    /// What one product keeps about the user: `prop:jira:KEY`, `profile:confluence:FIELD`, `org:jsm` or `avatar`.
    /// It is an attribute of the user under this very name.
    Product(String),
}

/// Fields of a Confluence profile that a row may set.
const PROFILE_FIELDS: [&str; 6] = [
    "phone",
    "im",
    "website",
    "position",
    "department",
    "location",
];

impl Target {
    /// The name of the attribute that keeps it, if it is not one of the user's own.
    pub(crate) fn attribute(&self) -> Option<&str> {
        match self {
            Target::Attribute(name) | Target::Product(name) => Some(name),
            _ => None,
        }
    }

    fn is_product(text: &str) -> bool {
        let field = |prefix: &str| text.strip_prefix(prefix);
        matches!(text, "org:jsm" | "avatar")
            || field("prop:jira:").is_some_and(|key| !key.trim().is_empty())
            || field("profile:confluence:").is_some_and(|it| PROFILE_FIELDS.contains(&it))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Username => f.write_str("username"),
            Target::Email => f.write_str("email"),
            Target::DisplayName => f.write_str("display_name"),
            Target::FirstName => f.write_str("first_name"),
            Target::LastName => f.write_str("last_name"),
            Target::Active => f.write_str("active"),
            Target::Groups => f.write_str("groups"),
            Target::Attribute(name) => write!(f, "attr:{name}"),
            Target::Product(name) => f.write_str(name),
        }
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(match text.as_str() {
            "username" => Target::Username,
            "email" => Target::Email,
            "display_name" => Target::DisplayName,
            "first_name" => Target::FirstName,
            "last_name" => Target::LastName,
            "active" => Target::Active,
            "groups" => Target::Groups,
            other if Target::is_product(other) => Target::Product(text),
            other => match other.strip_prefix("attr:") {
                Some(name) if !name.trim().is_empty() => Target::Attribute(name.to_owned()),
                _ => {
                    return Err(format!(
                        "unknown target `{other}`; targets are username, email, display_name, \
                         first_name, last_name, active, groups, attr:NAME, prop:jira:KEY, \
                         profile:confluence:FIELD (phone, im, website, position, department, location), \
                         org:jsm and avatar"
                    ));
                }
            },
        })
    }
}
