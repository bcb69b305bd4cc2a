//! What products see, and why, asked through the door.

use std::fmt::Write as _;

use jiff::Timestamp;
use provision::NameHolder;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::Door;
use crate::exit::Failure;

/// A directory and how much is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DirectoryView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Names of the connectors that feed it.
    pub connectors: Vec<String>,
    /// Users who may log in.
    pub active_users: i64,
    /// Users who may not.
    pub disabled_users: i64,
    /// Of all these, users who belong to no connector.
    pub users_without_connector: i64,
    /// Groups.
    pub groups: i64,
    /// The newest position of its journal.
    pub position: i64,
    /// Whether applications may make users of their own in it.
    pub local_users: bool,
}

/// Why somebody is as they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WhyView {
    /// The account as the rules want it.
    pub decision: String,
    /// Why.
    pub reason: String,
    /// Whether the account stays active although the reason speaks against it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept_active: bool,
    /// Whether the user is in the group that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<bool>,
    /// By way of which groups, the innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member_by_way_of: Vec<String>,
    /// Whether the rules want the user in the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_by_rules: Option<bool>,
    /// The name that the user should have and that somebody else has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_name: Option<String>,
    /// Who has it; none if it is only kept for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<NameHolder>,
    /// Of a question about an attribute: its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// How it comes about, in order.
    pub lines: Vec<LineView>,
    /// What would have to be different, where the answer is no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// The request that wrote the user last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<WrittenView>,
    /// What put the user into the group that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<WrittenView>,
    /// What took the user out of the group that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<WrittenView>,
    /// If the account was there before: by what it was found, and what made it this user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<LinkedView>,
    /// The key of the account that the user has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What became of the name that was asked for, and of whoever had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub became: Option<String>,
}

/// How an account that was there before became a user's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkedView {
    /// By what it was found.
    pub by: String,
    /// What made it so.
    #[serde(flatten)]
    pub written: WrittenView,
}

/// What to ask about; about everything, if nothing is named.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// A group.
    pub group: Option<&'a str>,
    /// An attribute, by its target.
    pub attribute: Option<&'a str>,
}

impl About<'_> {
    fn query(self) -> Vec<(&'static str, String)> {
        let both = [("group", self.group), ("attribute", self.attribute)];
        both.into_iter()
            .filter_map(|(name, value)| Some((name, value?.to_owned())))
            .collect()
    }
}

/// What wrote something, and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrittenView {
    /// The id of the request; empty if there was none.
    pub request: String,
    /// When.
    pub at: Timestamp,
    /// What it was.
    pub what: String,
    /// Who acted.
    pub actor: String,
}

impl WrittenView {
    fn told(&self) -> String {
        let by = match self.request.as_str() {
            "" => String::new(),
            request => format!(" (request {request})"),
        };
        // The label of a token, or the name of an administrator.
        let actor = match self.actor.as_str() {
            "" => String::new(),
            actor => format!(" as {actor:?}"),
        };
        format!("{}{actor} at {}{by}", self.what, self.at)
    }
}

/// One line of an explanation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineView {
    /// The stage of the evaluation.
    pub stage: String,
    /// What was found or done.
    pub text: String,
}

impl WhyView {
    /// The same for people.
    pub fn told(&self) -> String {
        let mut told = String::new();
        if let Some(became) = &self.became {
            let _infallible = writeln!(told, "  {became}");
        }
        for line in &self.lines {
            let _infallible = writeln!(told, "  {}", line.text);
        }
        if let Some(name) = &self.taken_name {
            let whose = self.taken_by.as_ref().map_or_else(
                || "is not free".to_owned(),
                |holder| format!("{holder} has"),
            );
            let _infallible = writeln!(told, "  the name should be `{name}`, which {whose}");
        }
        if let Some(linked) = &self.linked {
            let (by, written) = (&linked.by, linked.written.told());
            let _infallible = writeln!(
                told,
                "  the account was there before, was found by {by}, and became this user's by {written}"
            );
        }
        for (what, written) in [
            ("written by", &self.written),
            ("put there by", &self.joined),
            ("taken out by", &self.left),
        ] {
            if let Some(written) = written {
                let _infallible = writeln!(told, "  {what} {}", written.told());
            }
        }
        for condition in &self.conditions {
            let _infallible = writeln!(told, "  would need: {condition}");
        }
        if let Some(values) = &self.values {
            return format!("{told}value: {}", values.join(", "));
        }
        let answer = match (self.member, self.member_by_rules) {
            (Some(true), _) => Some("yes".to_owned()),
            (Some(false), _) if !self.member_by_way_of.is_empty() => Some(format!(
                "yes, by way of {}",
                self.member_by_way_of.join(", ")
            )),
            (Some(false), Some(true)) => {
                Some("not yet: the evaluation is still to come".to_owned())
            }
            (Some(false), _) | (None, Some(false)) => Some("no".to_owned()),
            (None, Some(true)) => Some("it would be, with an account".to_owned()),
            (None, None) => None,
        };
        let ends = match answer {
            Some(answer) => format!("member: {answer}"),
            None => {
                let stays = if self.kept_active { "stays " } else { "" };
                format!("decision: {stays}{} ({})", self.decision, self.reason)
            }
        };
        told + &ends
    }
}

/// A session of somebody with the products.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionView {
    /// The application that began it.
    pub application: String,
    /// What it is bound to.
    pub factors: Vec<FactorView>,
    /// When it began.
    pub created: Timestamp,
    /// When it ends unless it is used before.
    pub expires: Timestamp,
    /// When it ends in any case.
    pub ends: Timestamp,
}

/// What a session is bound to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FactorView {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How many sessions ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Ended {
    /// The number.
    pub ended: u64,
}

impl Door {
    /// All directories, in the order they were made.
    pub fn directories(&self) -> Result<Vec<DirectoryView>, Failure> {
        self.list(&["directories"])
    }

    /// Why a user of a directory is as they are.
    pub fn why(&self, directory: &str, user: &str, about: About<'_>) -> Result<WhyView, Failure> {
        let path = ["directories", directory, "users", user, "why"];
        self.get_with(&path, &about.query())
    }

    /// The same of somebody whom a connector knows, with or without an account.
    pub fn why_at(
        &self,
        connector: &str,
        user: &str,
        about: About<'_>,
    ) -> Result<WhyView, Failure> {
        let path = ["connectors", connector, "users", user, "why"];
        self.get_with(&path, &about.query())
    }

    /// The sessions of a user of a directory, oldest first.
    pub fn sessions(&self, directory: &str, user: &str) -> Result<Vec<SessionView>, Failure> {
        self.list(&["directories", directory, "users", user, "sessions"])
    }

    /// Ends them all.
    pub fn end_sessions(&self, directory: &str, user: &str) -> Result<Ended, Failure> {
        let path = ["directories", directory, "users", user, "sessions"];
        self.ask(Method::DELETE, &path, None)
    }
}
