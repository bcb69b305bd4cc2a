//! What products see, and why, through either door.

use std::fmt::Write as _;

use jiff::Timestamp;
use provision::ProvisionError;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use server::views;
use store::ReadTx;

use super::data::Data;
use super::remote::Remote;
use crate::exit::{Exit, Failure};

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
    /// How it comes about, in order.
    pub lines: Vec<LineView>,
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
        for line in &self.lines {
            let _infallible = writeln!(told, "  {}", line.text);
        }
        if let Some(name) = &self.taken_name {
            let _infallible = writeln!(
                told,
                "  the name should be `{name}`, which somebody else has"
            );
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
            None => format!("decision: {} ({})", self.decision, self.reason),
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

/// What commands can ask for. Directories and connectors are named by name or id.
pub trait Look {
    /// All directories, in the order they were made.
    fn directories(&self) -> Result<Vec<DirectoryView>, Failure>;
    /// Why a user of a directory is as they are.
    fn why(&self, directory: &str, user: &str, group: Option<&str>) -> Result<WhyView, Failure>;
    /// The same of somebody whom a connector knows, with or without an account.
    fn why_at(&self, connector: &str, user: &str, group: Option<&str>) -> Result<WhyView, Failure>;
    /// The sessions of a user of a directory, oldest first.
    fn sessions(&self, directory: &str, user: &str) -> Result<Vec<SessionView>, Failure>;
    /// Ends them all.
    fn end_sessions(&self, directory: &str, user: &str) -> Result<Ended, Failure>;
}

impl Look for Remote {
    fn directories(&self) -> Result<Vec<DirectoryView>, Failure> {
        self.list(&["directories"])
    }

    fn why(&self, directory: &str, user: &str, group: Option<&str>) -> Result<WhyView, Failure> {
        let path = ["directories", directory, "users", user, "why"];
        self.get_with(&path, &about(group))
    }

    fn why_at(&self, connector: &str, user: &str, group: Option<&str>) -> Result<WhyView, Failure> {
        let path = ["connectors", connector, "users", user, "why"];
        self.get_with(&path, &about(group))
    }

    fn sessions(&self, directory: &str, user: &str) -> Result<Vec<SessionView>, Failure> {
        self.list(&["directories", directory, "users", user, "sessions"])
    }

    fn end_sessions(&self, directory: &str, user: &str) -> Result<Ended, Failure> {
        let path = ["directories", directory, "users", user, "sessions"];
        self.ask(Method::DELETE, &path, None)
    }
}

fn about(group: Option<&str>) -> Vec<(&'static str, String)> {
    let group = group.map(|group| ("group", group.to_owned()));
    group.into_iter().collect()
}

impl Look for Data {
    fn directories(&self) -> Result<Vec<DirectoryView>, Failure> {
        same(&self.read(|tx| views::all_directories(tx))?)
    }

    fn why(&self, directory: &str, user: &str, group: Option<&str>) -> Result<WhyView, Failure> {
        let told = look(self, |tx| {
            views::explain_user(&self.provision, tx, directory, user, group)
        });
        same(&told?)
    }

    fn why_at(&self, connector: &str, user: &str, group: Option<&str>) -> Result<WhyView, Failure> {
        let told = look(self, |tx| {
            views::explain_source_user(&self.provision, tx, connector, user, group)
        });
        same(&told?)
    }

    fn sessions(&self, directory: &str, user: &str) -> Result<Vec<SessionView>, Failure> {
        let found = self.find_directory(directory)?.id;
        same(&look(self, |tx| views::live_sessions(tx, found, user))?)
    }

    fn end_sessions(&self, directory: &str, user: &str) -> Result<Ended, Failure> {
        let found = self.find_directory(directory)?.id;
        let user = self.read(|tx| match tx.directory_user(found, user)? {
            Some(found) => Ok(Some(found)),
            None => tx.directory_user_by_key(found, user),
        })?;
        let user = user.ok_or_else(|| Failure::new(Exit::NotFound, "there is no such user"))?;
        let ended = self.wait(self.provision.end_sessions_of(user.pk, None))?;
        Ok(Ended { ended })
    }
}

fn look<T>(
    data: &Data,
    closure: impl Fn(&mut ReadTx<'_>) -> Result<T, ProvisionError>,
) -> Result<T, Failure> {
    Ok(data.provision.store().read_blocking(closure)?)
}

/// What the admin API would tell, taken as if it had come over the wire: both doors cannot differ.
fn same<T: DeserializeOwned>(told: &impl Serialize) -> Result<T, Failure> {
    let value = serde_json::to_value(told).map_err(anyhow::Error::from)?;
    Ok(serde_json::from_value(value).map_err(anyhow::Error::from)?)
}
