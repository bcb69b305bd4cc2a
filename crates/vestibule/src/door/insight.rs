//! What identity providers may send and what they did send, asked through the door.

use jiff::Timestamp;
use reqwest::Method;
use scim::Warning;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Door;
use super::ask::Page;
use crate::cli::RequestFilters;
use crate::exit::Failure;

/// A registered schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SchemaView {
    /// The URN.
    pub urn: String,
    /// `User`, `Group` or both.
    pub resource_types: Vec<String>,
    /// Whether each of them must have it.
    pub required: bool,
    /// The document of RFC 7643, section 7.
    pub document: Value,
    /// When it was registered.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// How many resources have data under the URN of a schema that was changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredView {
    /// Users.
    pub users: u64,
    /// Groups.
    pub groups: u64,
}

/// What came of a change of a schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangedSchema {
    /// What is stored under its URN.
    pub stored: StoredView,
}

/// A schema to be registered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SchemaWish {
    /// `User`, `Group` or both.
    #[serde(default)]
    pub resource_types: Vec<String>,
    /// Whether each of them must have it.
    #[serde(default)]
    pub required: bool,
    /// The document of RFC 7643, section 7.
    pub document: Value,
}

/// A request in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestView {
    /// Its number; grows with time.
    pub id: i64,
    /// When it arrived.
    pub at: Timestamp,
    /// Microseconds until the answer.
    pub took_micros: i64,
    /// The name of the connector.
    pub connector: String,
    /// The id that the answer and the journal have too.
    pub request: String,
    /// The method.
    pub method: String,
    /// The path below the base URL, with its query.
    pub path: String,
    /// What it means.
    pub operation: String,
    /// The status of the answer.
    pub status: u16,
    /// `User` or `Group`.
    pub resource_type: Option<String>,
    /// The SCIM `id` of the resource.
    pub resource_id: Option<String>,
    /// Its `userName` or `displayName`.
    pub resource_name: Option<String>,
    /// The code of the error.
    #[serde(default)]
    pub code: Option<String>,
    /// The keyword of the error.
    pub scim_type: Option<String>,
    /// What the error said.
    pub detail: Option<String>,
    /// What was ignored, and why.
    pub warnings: Vec<Warning>,
    /// The label of the token.
    pub actor: String,
    /// The id of the token.
    pub token: Option<String>,
    /// How the client calls itself.
    pub client: String,
}

/// One request with its body and its effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestDetail {
    /// As in a list.
    #[serde(flatten)]
    pub request: RequestView,
    /// What errors of its code mean, and what to do.
    #[serde(default)]
    pub error: Option<ErrorView>,
    /// The body without secrets.
    pub body: Option<String>,
    /// Whether it was longer than what is kept.
    pub body_cut: bool,
    /// What it changed in the directory.
    pub effect: Vec<EffectView>,
}

/// What a recorded request would do now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replay {
    /// Its operation, or those of a bulk request.
    pub operations: Vec<ReplayedOperation>,
    /// What it would change in the directory at once.
    pub changes: Vec<ReplayedChange>,
    /// Whether there are more changes.
    pub more_changes: bool,
    /// What limits would keep back.
    pub held: Vec<Value>,
    /// How many people would be evaluated soon after.
    pub later: i64,
    /// Whether the connector lets anything take effect.
    pub state: String,
    /// Whether it was tried as a replacement of the user that it made.
    pub as_replacement: bool,
    /// Whether something in it was secret.
    pub masked: bool,
}

/// What one operation would do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplayedOperation {
    /// The status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The code of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the error would say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The rest, as the server tells it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A change that a request would make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplayedChange {
    /// The name of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The name of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The name of the group in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_group: Option<String>,
    /// What changes.
    pub change: Value,
}

/// What errors of one code have in common.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorView {
    /// What it means.
    pub meaning: String,
    /// Where it most likely comes from.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

/// An entry of the journal that a request caused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EffectView {
    /// Its position in the journal.
    pub position: i64,
    /// When it was made.
    pub at: Timestamp,
    /// What changed.
    pub change: Value,
}

/// A member that a group names and that is not there yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingMemberView {
    /// The id by which it is named.
    pub value: String,
    /// The SCIM `id` of the group.
    pub group_id: String,
    /// The group's `displayName`.
    pub group: String,
}

/// A user who could not have the name that the rules give.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NameConflictView {
    /// The SCIM `id` of the user.
    pub user_id: String,
    /// The user's `userName`.
    pub user_name: String,
    /// The user's full name.
    #[serde(default)]
    pub display_name: String,
    /// The name that is taken.
    pub wanted: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// By what both were taken for one person: username, email or attribute.
    pub matched_by: String,
    /// What both have in common there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_value: Option<String>,
    /// Somebody decided that they are two people.
    pub kept: bool,
    /// Who has the name.
    pub holder: Option<HolderView>,
    /// Nobody has it, and it is kept for whoever had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<KeptNameView>,
}

/// A user for whom the rules give values that cannot be used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlaggedUserView {
    /// The SCIM `id` of the user.
    pub user_id: String,
    /// The user's `userName`.
    pub user_name: String,
    /// What is wrong.
    pub errors: Vec<ValueErrorView>,
    /// Since when it is so.
    pub since: Timestamp,
}

/// A user for whom switches of the rules keep something back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SuppressedUserView {
    /// The SCIM `id` of the user; none if the identity provider deleted the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The user's `userName`.
    pub user_name: String,
    /// The key of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What is kept back.
    pub kept_back: Vec<KeptBackView>,
    /// Since when it is so.
    pub since: Timestamp,
}

/// What one switch keeps back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptBackView {
    /// The switch.
    pub switch: String,
    /// What it does.
    pub text: String,
}

/// What is wrong with one value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ValueErrorView {
    /// The target of the row.
    pub target: String,
    /// What is wrong, in words that go on from "the value".
    pub message: String,
}

/// For whom a name is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptNameView {
    /// The key of the account that had it.
    pub key: String,
    /// How it was given up.
    pub given_up: String,
    /// When.
    pub since: Timestamp,
    /// Until when nobody else gets it.
    pub until: Timestamp,
}

/// The account that has a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HolderView {
    /// The stable key.
    pub key: String,
    /// The name.
    pub name: String,
    /// The full name.
    #[serde(default)]
    pub display_name: String,
    /// The connector that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
}

impl Door {
    /// The schemas of a connector.
    pub fn schemas(&self, connector: &str) -> Result<Vec<SchemaView>, Failure> {
        self.list(&["connectors", connector, "schemas"])
    }

    /// One schema.
    pub fn schema(&self, connector: &str, urn: &str) -> Result<SchemaView, Failure> {
        self.get(&["connectors", connector, "schemas", urn])
    }

    /// Registers or changes a schema.
    pub fn put_schema(
        &self,
        connector: &str,
        urn: &str,
        wish: &SchemaWish,
        reveal: bool,
    ) -> Result<ChangedSchema, Failure> {
        let body = json!(wish);
        let path = ["connectors", connector, "schemas", urn];
        self.ask_with(Method::PUT, &path, &reveal_query(reveal), Some(&body))
    }

    /// Forgets a schema.
    pub fn delete_schema(
        &self,
        connector: &str,
        urn: &str,
        reveal: bool,
    ) -> Result<ChangedSchema, Failure> {
        let path = ["connectors", connector, "schemas", urn];
        self.ask_with(Method::DELETE, &path, &reveal_query(reveal), None)
    }

    /// Requests, the newest first; only those newer than a number, if one is given.
    pub fn requests(
        &self,
        filters: &RequestFilters,
        newer_than: Option<i64>,
    ) -> Result<Vec<RequestView>, Failure> {
        let mut query = vec![("limit", filters.limit.to_string())];
        let texts = [
            ("connector", &filters.connector),
            ("name", &filters.name),
            ("resource_id", &filters.id),
            ("operation", &filters.operation),
            ("code", &filters.code),
        ];
        for (name, text) in texts {
            query.extend(text.clone().map(|text| (name, text)));
        }
        query.extend(filters.since.map(|time| ("since", time.to_string())));
        query.extend(filters.until.map(|time| ("until", time.to_string())));
        query.extend(newer_than.map(|id| ("newer_than", id.to_string())));
        query.extend(filters.failed.then(|| ("status", "error".to_owned())));
        query.extend(filters.warnings.then(|| ("warnings", "true".to_owned())));
        let page: Page<RequestView> = self.get_with(&["requests"], &query)?;
        Ok(page.items)
    }

    /// One request.
    pub fn request(&self, id: i64) -> Result<RequestDetail, Failure> {
        self.get(&["requests", &id.to_string()])
    }

    /// What one request would do now.
    pub fn replay_request(&self, id: i64) -> Result<Replay, Failure> {
        self.post(&["requests", &id.to_string(), "replay"], &json!({}))
    }

    /// Members whom groups of a connector name and whom nobody knows.
    pub fn pending_members(&self, connector: &str) -> Result<Vec<PendingMemberView>, Failure> {
        self.all_pages(&["connectors", connector, "pending-members"], &[])
    }

    /// Users of a connector whose name is taken.
    pub fn name_conflicts(&self, connector: &str) -> Result<Vec<NameConflictView>, Failure> {
        self.all_pages(&["connectors", connector, "name-conflicts"], &[])
    }

    /// Users of a connector for whom the rules give values that cannot be used.
    pub fn value_errors(&self, connector: &str) -> Result<Vec<FlaggedUserView>, Failure> {
        self.all_pages(&["connectors", connector, "value-errors"], &[])
    }

    /// Users of a connector for whom switches of the rules keep something back.
    pub fn suppressed(&self, connector: &str) -> Result<Vec<SuppressedUserView>, Failure> {
        self.all_pages(&["connectors", connector, "suppressed"], &[])
    }
}

fn reveal_query(reveal: bool) -> Vec<(&'static str, String)> {
    reveal
        .then(|| ("reveal", "true".to_owned()))
        .into_iter()
        .collect()
}
