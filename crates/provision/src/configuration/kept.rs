//! Secrets as this server keeps them: compared with those that a file gives, and sealed for another server.

use directory::ConnectorId;
use directory::configuration::{
    Configuration, KeptClientSecret, KeptSecret, Kind, ObjectName, objects,
};
use directory::name::folded;
use serde_json::{Map, Value, json};
use store::{ReadTx, Token};

use super::channels::way;
use super::check::unreadable;
use super::seal::SealKey;
use super::survey::{clients_in_order, live_tokens};
use crate::{Provision, ProvisionError};

/// The token that an object of a configuration means.
pub(super) fn nth_token<'t>(tokens: &'t [Token], name: &ObjectName) -> Option<&'t Token> {
    let same = |token: &&Token| scim::name::same(&token.label, &name.name);
    tokens.iter().filter(same).nth(name.nth)
}

/// The client that an object of a configuration means.
pub(super) fn nth_client<'c>(
    clients: &'c [store::Client],
    name: &ObjectName,
) -> Option<&'c store::Client> {
    let same = |client: &&store::Client| scim::name::same(&client.label, &name.name);
    clients.iter().filter(same).nth(name.nth)
}

/// The secret of an object, as it is kept; nothing if there is none.
pub(super) fn kept(
    provision: &Provision,
    tx: &ReadTx<'_>,
    name: &ObjectName,
) -> Result<Option<KeptSecret>, ProvisionError> {
    let parent = name.of.as_deref().unwrap_or_default();
    Ok(match name.kind {
        Kind::Token => match tx.find_connector(parent)? {
            Some(stored) => token(tx, stored.connector.id, name)?,
            None => None,
        },
        Kind::Client => match tx.find_connector(parent)? {
            Some(stored) => client(tx, stored.connector.id, name)?,
            None => None,
        },
        Kind::Application => {
            let stored = tx.application(&name.name)?;
            stored.map(|stored| KeptSecret::Hash(stored.password_hash))
        }
        Kind::Webhook => match tx.application(parent)? {
            Some(stored) => {
                let mut webhooks = tx.webhooks_of(stored.id)?.into_iter();
                let found = webhooks.find(|webhook| webhook.url == name.name);
                found
                    .and_then(|webhook| webhook.token)
                    .map(KeptSecret::Text)
            }
            None => None,
        },
        Kind::Channel => match tx.find_channel(&name.name)? {
            Some(channel) => provision.channel_secret(&channel)?.map(KeptSecret::Text),
            None => None,
        },
        Kind::Subscription => match tx.find_subscription(&name.name)? {
            Some(found) => Some(KeptSecret::Text(provision.subscription_key(&found)?)),
            None => None,
        },
        Kind::Directory | Kind::Connector | Kind::Schema | Kind::Audit => None,
    })
}

fn token(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    name: &ObjectName,
) -> Result<Option<KeptSecret>, ProvisionError> {
    let tokens = live_tokens(tx, connector)?;
    let hash = match nth_token(&tokens, name) {
        Some(token) => tx.hash_of_token(token)?,
        None => None,
    };
    Ok(hash.map(KeptSecret::Hash))
}

fn client(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    name: &ObjectName,
) -> Result<Option<KeptSecret>, ProvisionError> {
    let clients = clients_in_order(tx, connector)?;
    let Some(client) = nth_client(&clients, name) else {
        return Ok(None);
    };
    let now = tx.now();
    let hashes = tx.hashes_of_client(client)?.into_iter();
    let live = hashes.filter(|(_, expires)| expires.is_none_or(|expires| now < expires));
    let mut secrets: Vec<KeptClientSecret> = live
        .map(|(hash, expires)| KeptClientSecret { hash, expires })
        .collect();
    secrets.sort_unstable();
    Ok(Some(KeptSecret::Client {
        id: client.id.clone(),
        secrets,
    }))
}

/// The place that a secret is sealed for. That of a channel or a subscription is bound to where it goes as well: nobody
/// leads it elsewhere by changing the file.
pub(super) fn place(name: &ObjectName, said: &Map<String, Value>) -> String {
    let goes_to = way(name.kind, said).map(|way| way.place());
    let of = name.of.as_deref().map(folded);
    json!([
        name.kind.as_str(),
        of,
        folded(&name.name),
        name.nth,
        goes_to
    ])
    .to_string()
}

/// The same configuration with its secrets, sealed, and the ids by which identity providers know its connectors.
pub(super) fn sealed(
    provision: &Provision,
    tx: &ReadTx<'_>,
    mut configuration: Configuration,
    key: &SealKey,
) -> Result<Configuration, ProvisionError> {
    for entry in configuration.connectors.iter_mut().flatten() {
        let stored = tx.find_connector(&entry.name)?;
        entry.id = stored.map(|stored| stored.connector.public_id);
    }
    let said = objects(&configuration);
    let mut document = serde_json::to_value(configuration).map_err(unreadable)?;
    for object in said.objects {
        let Some(secret) = kept(provision, tx, &object.name)? else {
            continue;
        };
        let sealed = key.seal(&place(&object.name, &object.body), &secret)?;
        let there = document.pointer_mut(&pointer(&object.path));
        let member = object.name.kind.secret();
        if let (Some(Value::Object(entry)), Some(member)) = (there, member) {
            entry.insert(member.to_owned(), json!({ "sealed": sealed }));
        }
    }
    serde_json::from_value(document).map_err(unreadable)
}

/// The place of an entry of a list, such as `connectors[0].tokens[1]`, as RFC 6901 writes it.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace(['[', '.'], "/").replace(']', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_whatever_their_case() {
        let name = |of: Option<&str>, name: &str, nth| ObjectName {
            kind: Kind::Token,
            of: of.map(str::to_owned),
            name: name.to_owned(),
            nth,
        };
        let said = Map::new();
        let one = place(&name(Some("Okta"), "a", 0), &said);
        assert_eq!(one, place(&name(Some("okta"), "A", 0), &said));
        for other in [
            name(Some("okta"), "a", 1),
            name(Some("okta"), "b", 0),
            name(Some("okta2"), "a", 0),
            name(None, "a", 0),
        ] {
            assert_ne!(one, place(&other, &said));
        }
        assert_eq!(
            pointer("connectors[0].tokens[12]"),
            "/connectors/0/tokens/12"
        );
    }
}
