//! The people and groups of another server or a file, as they are copied into a directory (US-26).

mod csv;
mod json;
mod narrow;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use csv::records as csv_records;
pub use narrow::{CopyGroups, CopyOptions, Piece};

/// Most users or groups of one census.
pub const PEOPLE_MAX: usize = 1_000_000;
/// Most things that are wrong with a census and said at once.
const FAULTS_MAX: usize = 50;

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Census {
    /// The people.
    pub users: Vec<CopiedUser>,
    /// The groups.
    pub groups: Vec<CopiedGroup>,
}

/// A person, as another server knew them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedUser {
    /// The user name.
    #[serde(alias = "username")]
    pub name: String,
    /// Given name.
    #[serde(default)]
    pub first_name: String,
    /// Family name.
    #[serde(default)]
    pub last_name: String,
    /// Full name.
    #[serde(default)]
    pub display_name: String,
    /// E-mail address.
    #[serde(default)]
    pub email: String,
    /// Whether the person could log in.
    #[serde(default = "yes")]
    pub active: bool,
    /// Names of the groups that have the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What else was known, by name.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "json::texts"
    )]
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl CopiedUser {
    /// An active person of whom nothing but the name is known.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            first_name: String::new(),
            last_name: String::new(),
            display_name: String::new(),
            email: String::new(),
            active: true,
            groups: Vec::new(),
            attributes: BTreeMap::new(),
        }
    }
}

/// Attributes in which servers keep when somebody last logged in: Crowd, and Jira for users of its own.
const LOG_INS: [&str; 2] = ["lastAuthenticated", "login.lastLoginMillis"];

impl CopiedUser {
    /// When the person last logged in, as far as the other server told: in milliseconds, as servers keep it, or in ISO 8601.
    pub fn last_login(&self) -> Option<Timestamp> {
        let kept = self.attributes.iter();
        let kept = kept.filter(|(name, _)| LOG_INS.iter().any(|it| name.eq_ignore_ascii_case(it)));
        let read = |text: &String| match text.trim().parse() {
            Ok(milliseconds) => Timestamp::from_millisecond(milliseconds).ok(),
            Err(_) => text.trim().parse().ok(),
        };
        kept.flat_map(|(_, values)| values).filter_map(read).max()
    }
}

/// A group, as another server knew it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedGroup {
    /// Its name.
    pub name: String,
    /// A sentence about it.
    #[serde(default)]
    pub description: String,
    /// Names of the people in it, besides those who name it themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Names of the groups in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// What is wrong with a census, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{place}: {message}; {remedy}")]
pub struct CensusFault {
    /// A line of a CSV file, or a place in a JSON document.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl CensusFault {
    pub(crate) fn new(
        place: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

impl Census {
    /// Reads a JSON document: `{"users": [...], "groups": [...]}`.
    pub fn from_json(text: &str) -> Result<Self, Vec<CensusFault>> {
        json::read(text)
    }

    /// Reads a CSV text whose first line names the columns.
    pub fn from_csv(text: &str) -> Result<Self, Vec<CensusFault>> {
        csv::read(text)
    }
}

const fn yes() -> bool {
    true
}
