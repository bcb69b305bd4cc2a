//! What commands show: the views of the admin API. Their names are a promise to scripts.

use directory::{ConnectorSettings, Rules};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A connector in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectorView {
    /// The id in its URLs.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Which identity provider it is for.
    pub preset: String,
    /// `active`, `paused` or `disabled`.
    pub state: String,
    /// What to paste into the identity provider.
    pub base_url: String,
    /// The name of the directory that it feeds.
    pub directory: String,
    /// Users in its source.
    pub users: i64,
    /// Groups in its source.
    pub groups: i64,
    /// Changes that safety limits keep back until somebody decides.
    #[serde(default)]
    pub open_holds: i64,
    /// Users whose name is taken, about whom nobody has decided.
    #[serde(default)]
    pub open_conflicts: i64,
    /// Groups with members from elsewhere, about which nobody has decided.
    #[serde(default)]
    pub waiting_groups: i64,
    /// Users for whom the rules give a value that cannot be used.
    #[serde(default)]
    pub value_errors: i64,
    /// Users for whom switches of the rules keep something back.
    #[serde(default)]
    pub suppressed: i64,
    /// Unless it is active: since when, by whom, and what waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StoppedView>,
}

/// What everybody should know of a connector that is not active.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoppedView {
    /// Since when.
    pub since: Option<Timestamp>,
    /// Who did it.
    pub by: Option<String>,
    /// How many users changed or were deleted meanwhile.
    pub waiting: i64,
}

/// All there is to show about one connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectorDetail {
    /// As in a list.
    #[serde(flatten)]
    pub connector: ConnectorView,
    /// Users whose evaluation is still to come.
    pub due: i64,
    /// When it is reconciled next by its schedule.
    pub next_run: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// When its configuration last changed.
    pub updated: Timestamp,
    /// How its endpoint behaves.
    pub settings: ConnectorSettings,
    /// What the rules say in vain.
    #[serde(default)]
    pub warnings: Vec<RuleWarning>,
    /// What its writes mean for the directory.
    pub rules: Rules,
    /// Its tokens, newest first, without their text.
    pub tokens: Vec<TokenView>,
}

/// What rules say in vain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuleWarning {
    /// The place in the rules.
    pub path: String,
    /// What is wrong there.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A connector that was just made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewConnector {
    /// As in a list.
    #[serde(flatten)]
    pub connector: ConnectorView,
    /// The token, shown this once.
    pub token: String,
}

/// A token, without its text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenView {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// `read-only` or `read-write`.
    pub access: String,
    /// What a token of the admin API may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The connectors that a token of the admin API is confined to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectors: Option<Vec<String>>,
    /// Addresses and ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working, if ever.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// From which address it was last used.
    pub last_address: Option<String>,
}

/// A client of a connector, without its secrets' texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientView {
    /// Its id, which it shows with a secret.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// `read-only` or `read-write`.
    pub access: String,
    /// What a token of the admin API may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The connectors that a token of the admin API is confined to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectors: Option<Vec<String>>,
    /// Addresses and ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// From which address it was last used.
    pub last_address: Option<String>,
    /// Its secrets, newest first.
    pub secrets: Vec<SecretView>,
}

/// A secret of a client, without its text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretView {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working, if ever.
    pub expires: Option<Timestamp>,
}

/// A secret that was just made for a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewClientSecret {
    /// The client's id.
    pub client_id: String,
    /// The secret, shown this once.
    pub client_secret: String,
    /// Where it is changed into access tokens.
    pub token_url: String,
    /// What to paste into the identity provider beside it.
    pub base_url: String,
    /// When the secret stops working, if ever.
    pub expires: Option<Timestamp>,
}

/// A token of the admin API that was just made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewToken {
    /// As in a list.
    #[serde(flatten)]
    pub view: TokenView,
    /// The text, shown this once.
    pub token: String,
}

/// A token that was just made for a connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotatedToken {
    /// The connector's id.
    pub id: String,
    /// What to paste into the identity provider.
    pub base_url: String,
    /// The new token, shown this once.
    pub token: String,
    /// When the old tokens stop working.
    pub old_tokens_end: Timestamp,
}

/// An application in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplicationView {
    /// Its id.
    pub id: String,
    /// The name that the product signs in with.
    pub name: String,
    /// `read-only` or `read-write`.
    pub access: String,
    /// What a token of the admin API may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The connectors that a token of the admin API is confined to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectors: Option<Vec<String>>,
    /// Addresses and ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// The name of the first directory that it sees.
    pub directory: String,
    /// The directories that it sees, the one that wins first.
    pub directories: Vec<AttachedView>,
    /// Whether memberships count of every directory that has a user's name.
    pub aggregate_memberships: bool,
    /// Whether only users who may log in are seen at all.
    pub only_with_access: bool,
    /// Whether, beside that, only groups whose members may log in are seen.
    #[serde(default)]
    pub only_groups_with_access: bool,
    /// The server URL for the product.
    pub url: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it last asked for anything, to the minute.
    pub last_seen: Option<Timestamp>,
    /// The position of the first directory's journal that it has fetched up to.
    pub position: Option<i64>,
}

/// A directory that an application sees.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AttachedView {
    /// Its name.
    pub directory: String,
    /// Groups whose members may log in; everybody may, if null.
    pub login_groups: Option<Vec<String>>,
    /// The position of its journal that the application has fetched up to.
    pub position: Option<i64>,
    /// Those of the groups that there are not, or not any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_login_groups: Vec<String>,
    /// Whether nobody is in any of them, so that nobody may log in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lets_nobody_in: bool,
}

/// An application that was just made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewApplication {
    /// As in a list.
    #[serde(flatten)]
    pub application: ApplicationView,
    /// The password, shown this once.
    pub password: String,
}
