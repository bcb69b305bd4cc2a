//! Questions about imports and about accounts that exist already.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Door;
use crate::exit::Failure;

/// An import, and how far it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportView {
    /// Its id; absent if it was only tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it comes from.
    pub source: String,
    /// reading, staging, running, done, tried or failed.
    pub state: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Pieces that there are.
    pub total: i64,
    /// Pieces that are done.
    pub done: i64,
    /// What came of them.
    pub counts: ImportCountsView,
}

/// What came of an import, or would come of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportCountsView {
    /// Accounts that were made.
    pub users_created: i64,
    /// Accounts of an earlier import that were changed.
    pub users_updated: i64,
    /// Accounts of an earlier import that are as they should be.
    pub users_unchanged: i64,
    /// Accounts that belong to somebody.
    pub users_left_alone: i64,
    /// Groups that were made.
    pub groups_created: i64,
    /// Groups that were there.
    pub groups_unchanged: i64,
    /// Memberships that were made.
    pub memberships_added: i64,
    /// Groups that were put into groups.
    pub child_groups_added: i64,
    /// Names of some accounts that were left alone.
    pub left_alone: Vec<String>,
}

impl Door {
    /// What copying would do.
    pub fn try_import(
        &self,
        directory: &str,
        wish: &[(&str, String)],
        census: &Value,
    ) -> Result<ImportView, Failure> {
        let mut query = wish.to_vec();
        query.push(("dry_run", "true".to_owned()));
        let path = ["directories", directory, "imports"];
        self.ask_with(Method::POST, &path, &query, Some(census))
    }

    /// Begins to copy.
    pub fn begin_import(
        &self,
        directory: &str,
        wish: &[(&str, String)],
        census: &Value,
    ) -> Result<ImportView, Failure> {
        let path = ["directories", directory, "imports"];
        self.ask_with(Method::POST, &path, wish, Some(census))
    }

    /// Lets the server read a Crowd server, and then copy what is found there.
    pub fn begin_crowd_import(
        &self,
        directory: &str,
        wish: &[(&str, String)],
        crowd: &Value,
    ) -> Result<ImportView, Failure> {
        let path = ["directories", directory, "imports", "crowd"];
        self.ask_with(Method::POST, &path, wish, Some(crowd))
    }

    /// How far an import is. On the data folder, where maybe nobody else works, it is finished first.
    pub fn import(&self, directory: &str, id: &str) -> Result<ImportView, Failure> {
        self.runtime.block_on(self.transport.work_off())?;
        self.get(&["directories", directory, "imports", id])
    }

    /// Decides about a user and the account in its way: `link` or `keep`.
    pub fn decide_conflict(
        &self,
        connector: &str,
        user: &str,
        action: &str,
    ) -> Result<(), Failure> {
        let path = ["connectors", connector, "name-conflicts", user];
        self.send(Method::POST, &path, Some(&json!({ "action": action })))
    }
}
