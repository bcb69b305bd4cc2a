//! Why an account is as it is, or is none, as pages tell it.

use jiff::Timestamp;
use serde::Deserialize;

use super::journal;
use super::words;

/// An explanation of the admin API.
#[derive(Deserialize)]
pub(super) struct Why {
    pub(super) decision: String,
    pub(super) reason: String,
    #[serde(default)]
    pub(super) kept_active: bool,
    pub(super) member: Option<bool>,
    #[serde(default)]
    pub(super) member_by_way_of: Vec<String>,
    pub(super) taken_name: Option<String>,
    pub(super) taken_by: Option<NameHolder>,
    pub(super) lines: Vec<Line>,
    #[serde(default)]
    pub(super) conditions: Vec<String>,
    pub(super) written: Option<Written>,
    pub(super) joined: Option<Written>,
    pub(super) left: Option<Written>,
    pub(super) linked: Option<Linked>,
}

/// Who has a name that somebody else is to have.
#[derive(Deserialize)]
pub(super) struct NameHolder {
    pub(super) key: Option<String>,
    pub(super) name: String,
    pub(super) connector: Option<String>,
}

impl NameHolder {
    /// Whose account it is.
    pub(super) fn of(&self) -> String {
        let key = self.key.iter().map(|key| format!("key {key}"));
        let connector = match &self.connector {
            Some(connector) => format!("connector {connector}"),
            None => "brought by no connector".to_owned(),
        };
        let parts: Vec<String> = key.chain([connector]).collect();
        parts.join(", ")
    }
}

/// How an account that was there before became this person's.
#[derive(Deserialize)]
pub(super) struct Linked {
    by: String,
}

impl Linked {
    /// By what it was found.
    pub(super) fn by(&self) -> &str {
        match self.by.as_str() {
            "username" => "user name",
            "email" => "e-mail address",
            other => other,
        }
    }
}

impl Why {
    /// Whether the rules give no account, or take it away.
    pub(super) fn is_none(&self) -> bool {
        matches!(self.decision.as_str(), "none" | "removed")
    }

    /// What put the user into the group that was asked about, or took the user out.
    pub(super) fn turn(&self) -> Option<&Written> {
        self.joined.as_ref().or(self.left.as_ref())
    }

    /// The reason in words.
    pub(super) fn because(&self) -> &str {
        words::reason(&self.reason)
    }
}

/// One line of it.
#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) stage: String,
    pub(super) text: String,
}

/// What wrote something.
#[derive(Deserialize)]
pub(super) struct Written {
    request: String,
    pub(super) at: Timestamp,
    pub(super) what: String,
    pub(super) actor: String,
}

impl Written {
    /// Where it is looked at.
    pub(super) fn address(&self) -> String {
        journal::activity_of(&self.request)
    }

    /// Where that is looked at which put somebody into a group, if a request of an identity provider did it.
    pub(super) fn request_page(&self) -> Option<String> {
        journal::request_page(&self.what, &self.request)
    }

    /// What put somebody into a group, in words.
    pub(super) fn because(&self) -> &str {
        words::trigger(&self.what)
    }
}
