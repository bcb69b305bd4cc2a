//! What is set up at present, as a configuration: everything is said, secrets are not.

use directory::ConnectorId;
use directory::configuration::{
    ApplicationEntry, AttachedEntry, AuditEntry, ClientEntry, Configuration, ConnectorEntry,
    DirectoryEntry, FORMAT, ResourceKind, SchemaEntry, SubscriptionEntry, TokenEntry, WebhookEntry,
    settings_with,
};
use jiff::Timestamp;
use scim::fold;
use serde_json::{Map, Value};
use store::{Application, Grant, ReadTx, StoredConnector, StoredSchema, Token, TokenKind};

use super::{channels, precedence, subscriptions};
use crate::{AuditSettings, ProvisionError, audit};

/// Everything that is set up, each list in the order of names: two servers with the same say the same.
pub(super) fn configuration(tx: &ReadTx<'_>) -> Result<Configuration, ProvisionError> {
    let directories = tx.directories()?;
    let name_of = |id| {
        let found = directories.iter().find(|directory| directory.id == id);
        found
            .map(|directory| directory.name.clone())
            .unwrap_or_default()
    };
    let mut connectors = Vec::new();
    for stored in tx.connectors()? {
        let directory = name_of(stored.connector.directory);
        connectors.push(connector(tx, stored, directory)?);
    }
    let mut applications = Vec::new();
    for stored in tx.applications()? {
        applications.push(application(tx, stored, name_of)?);
    }
    let mut entries = Vec::new();
    for directory in &directories {
        entries.push(DirectoryEntry {
            name: directory.name.clone(),
            local_users: Some(tx.allows_local_users(directory.id)?),
            precedence: Some(precedence::entry(tx, directory.id)?),
        });
    }
    let mut subscriptions: Vec<SubscriptionEntry> = tx
        .subscriptions()?
        .into_iter()
        .map(|stored| subscriptions::entry(stored, name_of))
        .collect();
    let mut directories = entries;
    let mut notifications = Vec::new();
    for stored in tx.channels()? {
        notifications.push(channels::entry(tx, stored)?);
    }
    let audit: AuditSettings = tx.setting(audit::SETTINGS)?;
    directories.sort_by_cached_key(|entry| fold(&entry.name));
    connectors.sort_by_cached_key(|entry| fold(&entry.name));
    applications.sort_by_cached_key(|entry| fold(&entry.name));
    notifications.sort_by_cached_key(|entry| fold(&entry.name));
    subscriptions.sort_by_cached_key(|entry| fold(&entry.name));
    Ok(Configuration {
        version: FORMAT,
        directories: Some(directories),
        connectors: Some(connectors),
        applications: Some(applications),
        notifications: Some(notifications),
        subscriptions: Some(subscriptions),
        audit: Some(AuditEntry {
            keep_days: Some(audit.keep_days),
        }),
    })
}

fn connector(
    tx: &ReadTx<'_>,
    stored: StoredConnector,
    directory: String,
) -> Result<ConnectorEntry, ProvisionError> {
    let connector = stored.connector;
    let id = connector.id;
    let schemas = tx.connector_schemas(id)?;
    let tokens = live_tokens(tx, id)?;
    let clients = clients_in_order(tx, id)?;
    Ok(ConnectorEntry {
        name: connector.name,
        id: None,
        preset: Some(connector.preset),
        state: Some(connector.state),
        directory: Some(directory),
        settings: Some(settings_with(members(&connector.settings)?)),
        rules: Some(connector.rules),
        tests: Some(tx.rule_tests(id)?),
        schemas: Some(schemas.into_iter().map(schema).collect()),
        tokens: Some(tokens.iter().map(token).collect()),
        clients: Some(
            clients
                .into_iter()
                .map(|client| ClientEntry {
                    label: client.label,
                    access: client.access,
                    addresses: client.addresses,
                    secret: None,
                })
                .collect(),
        ),
    })
}

/// The tokens of a connector that work, in the order in which a configuration has them.
pub(super) fn live_tokens(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
) -> Result<Vec<Token>, ProvisionError> {
    let now = tx.now();
    let mut tokens = tx.tokens(TokenKind::Scim(connector))?;
    tokens.retain(|token| token.is_live(now));
    tokens.sort_by_cached_key(|token| {
        let more = (
            token.access.as_str(),
            token.addresses.clone(),
            token.expires,
        );
        (fold(&token.label), more, token.id.clone())
    });
    Ok(tokens)
}

/// The clients of a connector in the order in which a configuration has them.
pub(super) fn clients_in_order(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
) -> Result<Vec<store::Client>, ProvisionError> {
    let mut clients = tx.clients(connector)?;
    clients.sort_by_cached_key(|client| {
        let more = (client.access.as_str(), client.addresses.clone());
        (fold(&client.label), more, client.id.clone())
    });
    Ok(clients)
}

fn token(token: &Token) -> TokenEntry {
    TokenEntry {
        label: token.label.clone(),
        access: token.access,
        addresses: token.addresses.clone(),
        expires: token.expires,
        secret: None,
    }
}

fn schema(stored: StoredSchema) -> SchemaEntry {
    let kinds = [
        (stored.of_users, ResourceKind::User),
        (stored.of_groups, ResourceKind::Group),
    ];
    SchemaEntry {
        resource_types: kinds
            .into_iter()
            .filter_map(|(is_one, kind)| is_one.then_some(kind))
            .collect(),
        required: stored.required,
        document: match stored.document {
            Value::Object(document) => document,
            _ => Map::new(),
        },
    }
}

fn application(
    tx: &ReadTx<'_>,
    stored: Application,
    name_of: impl Fn(directory::DirectoryId) -> String,
) -> Result<ApplicationEntry, ProvisionError> {
    let mapping = stored.mapping;
    let mut webhooks: Vec<WebhookEntry> = tx
        .webhooks_of(stored.id)?
        .into_iter()
        .map(|webhook| WebhookEntry {
            url: webhook.url,
            token: None,
        })
        .collect();
    webhooks.sort_by(|one, other| one.url.cmp(&other.url));
    Ok(ApplicationEntry {
        name: stored.name,
        access: Some(stored.access),
        addresses: Some(stored.addresses),
        directories: Some(
            mapping
                .directories
                .into_iter()
                .map(|attached| AttachedEntry {
                    directory: name_of(attached.directory),
                    login_groups: attached.login_groups,
                })
                .collect(),
        ),
        aggregate_memberships: Some(mapping.aggregate_memberships),
        only_with_access: Some(mapping.only_with_access),
        only_groups_with_access: Some(mapping.only_groups_with_access),
        sign_in: Some(tx.sign_in_settings(stored.id)?),
        webhooks: Some(webhooks),
        password: None,
    })
}

/// A value as the members of a document.
pub(super) fn members<T: serde::Serialize>(
    value: &T,
) -> Result<Map<String, Value>, ProvisionError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(ProvisionError::invalid("configuration", error.to_string())),
    }
}

/// What a token or a client of a configuration is made with.
pub(super) fn grant(
    label: &str,
    access: store::Access,
    addresses: Vec<String>,
    expires: Option<Timestamp>,
) -> Grant {
    Grant {
        access,
        addresses,
        expires,
        ..Grant::of(label)
    }
}
