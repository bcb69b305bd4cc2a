//! What a configuration file says, as data.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::secret::SecretSource;
use crate::access::Access;
use crate::connector::{ConnectorSettings, ConnectorState};
use crate::notification::{EVERY_MINUTES_DEFAULT, Event, Way};
use crate::preset::Preset;
use crate::rules::{RuleTest, Rules, Target};
use crate::sign_in::SignInSettings;
use crate::subscription::DirectoryEvent;

/// The version of the format.
pub const FORMAT: u32 = 1;

/// What administrators set up. What is left out, a list as well as a member, is left as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// The version of this format.
    #[schemars(extend("const" = FORMAT))]
    pub version: u32,
    /// The directories that products see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directories: Option<Vec<DirectoryEntry>>,
    /// The connectors that identity providers write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectors: Option<Vec<ConnectorEntry>>,
    /// The products that attach directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applications: Option<Vec<ApplicationEntry>>,
    /// The channels by which administrators are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Vec<ChannelEntry>>,
    /// The endpoints that are told what happens in directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<Vec<SubscriptionEntry>>,
    /// The audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditEntry>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            version: FORMAT,
            directories: None,
            connectors: None,
            applications: None,
            notifications: None,
            subscriptions: None,
            audit: None,
        }
    }
}

/// Reads a member of which null says something, and leaving it out nothing.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A directory. A member that is left out stays as it is, and has its default if the directory is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectoryEntry {
    /// Its name, by which everything else refers to it.
    pub name: String,
    /// Whether applications with read-write access may make users of their own in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_users: Option<bool>,
    /// Whose word counts where several of its connectors know the same person, as a whole; null where each account is spoken of
    /// by one connector alone.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "said"
    )]
    #[schemars(with = "Option<PrecedenceEntry>")]
    pub precedence: Option<Option<PrecedenceEntry>>,
}

/// Whose word counts in a directory that several connectors share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PrecedenceEntry {
    /// The names of connectors, the one whose word counts most first. After those that are named comes the connector to which the
    /// account belongs, then the others in the order in which they were made.
    pub order: Vec<String>,
    /// Other orders for single targets of mapping rows. For `groups`, the first that knows the person decides alone; without an
    /// order of their own the groups that all give are joined.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub targets: BTreeMap<Target, Vec<String>>,
}

/// A connector. A member that is left out stays as it is, and has its default if the connector is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectorEntry {
    /// Its name.
    pub name: String,
    /// The id by which its address is known, `/scim/v2/ID`. Only a connector that is made takes it; others keep theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Which identity provider it is for; cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// Whether its writes are taken, and whether they have effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ConnectorState>,
    /// The name of the directory that it feeds; that of the connector if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How its endpoint behaves. Each member that is left out stays as it is; each that is there counts as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ConnectorSettings>")]
    pub settings: Option<Map<String, Value>>,
    /// What its writes mean for the directory, as a whole: what is left out in them has the default of a new connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// The tests that its rules have to pass, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Vec<RuleTest>>,
    /// Schemas that its users and groups have besides those of SCIM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemas: Option<Vec<SchemaEntry>>,
    /// Its bearer tokens, by their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<TokenEntry>>,
    /// Its clients, which get access tokens for an id and a secret, by their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<ClientEntry>>,
}

/// A kind of resource that can have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names of SCIM say all")]
pub enum ResourceKind {
    User,
    Group,
}

fn users() -> Vec<ResourceKind> {
    vec![ResourceKind::User]
}

/// A schema of a connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaEntry {
    /// Which resources have it.
    #[serde(default = "users")]
    pub resource_types: Vec<ResourceKind>,
    /// Whether each of them must have it.
    #[serde(default)]
    pub required: bool,
    /// The document of RFC 7643, section 7: `id`, `name`, `description` and `attributes`.
    pub document: Map<String, Value>,
}

fn everything() -> Access {
    Access::ReadWrite
}

fn only_reading() -> Access {
    Access::ReadOnly
}

/// A bearer token of a connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// What it is for.
    pub label: String,
    /// What it may do.
    #[serde(default = "everything")]
    pub access: Access,
    /// Addresses and CIDR ranges it may come from; any if empty.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// When it stops working; never if left out. A token whose time is over is not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Where its text is; a new one is generated and shown once if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
}

/// A client of a connector. Its id and its secret are generated and shown once, unless they come sealed from another server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientEntry {
    /// What it is for.
    pub label: String,
    /// What it may do.
    #[serde(default = "everything")]
    pub access: Access,
    /// Addresses and CIDR ranges it may come from; any if empty.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Its id and its secrets as another server sealed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
}

/// An application. A member that is left out stays as it is, and has its default if the application is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationEntry {
    /// The name that the product signs in with.
    pub name: String,
    /// What it may do; `read-only` for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Addresses and CIDR ranges it may come from, all of them; any if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
    /// The directories that it sees, the one that wins first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directories: Option<Vec<AttachedEntry>>,
    /// Whether a user is in the groups of every directory that has the name, or only in those of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate_memberships: Option<bool>,
    /// Whether only users who may log in are seen at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_with_access: Option<bool>,
    /// Whether, beside that, only groups whose members may log in are seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_groups_with_access: Option<bool>,
    /// How people sign in with it, as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInSettings>,
    /// Where it is told that there is something new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<Vec<WebhookEntry>>,
    /// Where its password is; a new application gets a generated one, shown once, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
}

/// A directory as an application sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachedEntry {
    /// Its name.
    pub directory: String,
    /// Groups whose members may log in; everybody may if null or left out.
    #[serde(default)]
    pub login_groups: Option<Vec<String>>,
}

/// A webhook of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookEntry {
    /// Where to send, `https://HOST/PATH`.
    pub url: String,
    /// Where the token is that is sent along; the one there is stays if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
}

/// A channel by which administrators are told. A member that is left out stays as it is, and has its default if the channel is
/// new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelEntry {
    /// Its name.
    pub name: String,
    /// Whether it tells anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How it tells, as a whole; a new one needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// The events that it tells; null for all.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "said"
    )]
    #[schemars(with = "Option<BTreeSet<Event>>")]
    pub events: Option<Option<BTreeSet<Event>>>,
    /// The names of the connectors that it tells of; null for all, and for what is about none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "said"
    )]
    #[schemars(with = "Option<Vec<String>>")]
    pub connectors: Option<Option<Vec<String>>>,
    /// Minutes between two messages at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<u32>,
    /// Where the password, the key of the signatures, or the URL of the chat is. Left out, the one there stays if it would go to
    /// the same place; a new webhook gets a key, shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
}

/// An endpoint that is told what happens in directories. A member that is left out stays as it is, and has its default if the
/// subscription is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionEntry {
    /// Its name.
    pub name: String,
    /// Whether it is told anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Where to send, `https://HOST/PATH`; a new one needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The events that it is told of; null for all.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "said"
    )]
    #[schemars(with = "Option<BTreeSet<DirectoryEvent>>")]
    pub events: Option<Option<BTreeSet<DirectoryEvent>>>,
    /// The names of the directories that it is told of; null for all.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "said"
    )]
    #[schemars(with = "Option<Vec<String>>")]
    pub directories: Option<Option<Vec<String>>>,
    /// Where the key of the signatures is. Left out, the one there stays if it would go to the same URL; otherwise one is made
    /// and shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
}

/// The audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// How many days entries are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
}

/// What a new directory has where nothing is said.
pub(super) fn new_directory() -> DirectoryEntry {
    DirectoryEntry {
        name: String::new(),
        local_users: Some(false),
        precedence: Some(None),
    }
}

/// What a new application has where nothing is said.
pub(super) fn new_application() -> ApplicationEntry {
    ApplicationEntry {
        name: String::new(),
        access: Some(only_reading()),
        addresses: Some(Vec::new()),
        directories: Some(Vec::new()),
        aggregate_memberships: Some(false),
        only_with_access: Some(false),
        only_groups_with_access: Some(false),
        sign_in: Some(SignInSettings::default()),
        webhooks: None,
        password: None,
    }
}

/// What a new connector has where nothing is said.
pub(super) fn new_connector(settings: Map<String, Value>) -> ConnectorEntry {
    ConnectorEntry {
        name: String::new(),
        id: None,
        preset: Some(Preset::default()),
        state: Some(ConnectorState::default()),
        directory: None,
        settings: Some(settings),
        rules: Some(Rules::for_new_connector()),
        tests: Some(Vec::new()),
        schemas: None,
        tokens: None,
        clients: None,
    }
}

/// What a new channel has where nothing is said.
pub(super) fn new_channel() -> ChannelEntry {
    ChannelEntry {
        name: String::new(),
        enabled: Some(true),
        way: None,
        events: Some(None),
        connectors: Some(None),
        every_minutes: Some(EVERY_MINUTES_DEFAULT),
        secret: None,
    }
}

/// What a new subscription has where nothing is said.
pub(super) fn new_subscription() -> SubscriptionEntry {
    SubscriptionEntry {
        name: String::new(),
        enabled: Some(true),
        url: None,
        events: Some(None),
        directories: Some(None),
        secret: None,
    }
}
