//! Tokens and clients of connectors, as the steps of a plan make, change and remove them.

use directory::configuration::{Action, ClientEntry, KeptSecret, SecretSource, Step, TokenEntry};
use store::{TokenKind, WriteTx, token_hash};

use super::MadeSecret;
use super::carry_out::{Done, connector_id, parent, unreadable};
use super::kept::{nth_client, nth_token};
use super::survey::grant;
use crate::ProvisionError;
use crate::secret::{CLIENT_PREFIX, SCIM_PREFIX, Secret};

pub(super) fn token(tx: &WriteTx<'_>, step: &Step, done: &mut Done) -> Result<(), ProvisionError> {
    let connector = connector_id(tx, parent(step))?;
    let kind = TokenKind::Scim(connector);
    let present = match step.action {
        Action::Create => None,
        Action::Change | Action::Delete => {
            let tokens = done.tokens.get(&connector).map(Vec::as_slice);
            let found = nth_token(tokens.unwrap_or_default(), &step.object);
            let missing = || ProvisionError::not_found("token", &step.object.name);
            Some(found.ok_or_else(missing)?.id.clone())
        }
    };
    if let (Action::Delete, Some(id)) = (step.action, &present) {
        tx.delete_token(kind, id)?;
        return Ok(());
    }
    let entry: TokenEntry = step.entry().map_err(unreadable)?;
    let grant = grant(&entry.label, entry.access, entry.addresses, entry.expires);
    let hash = match &step.secret {
        Some(SecretSource::Value(text)) => Some(token_hash(text)),
        Some(SecretSource::Kept(KeptSecret::Hash(hash))) => Some(hash.clone()),
        _ => None,
    };
    match (present, hash) {
        (Some(id), None) => tx.update_token(&id, &grant)?,
        (present, Some(hash)) => {
            if let Some(id) = present {
                tx.delete_token(kind, &id)?;
            }
            tx.insert_token(kind, &grant, &hash)?;
        }
        (None, None) => {
            let secret = Secret::generate(SCIM_PREFIX)?;
            tx.insert_token(kind, &grant, &token_hash(secret.reveal()))?;
            done.secrets.push(MadeSecret {
                object: step.object.clone(),
                id: None,
                secret,
            });
        }
    }
    Ok(())
}

pub(super) fn client(tx: &WriteTx<'_>, step: &Step, done: &mut Done) -> Result<(), ProvisionError> {
    let connector = connector_id(tx, parent(step))?;
    let present = match step.action {
        Action::Create => None,
        Action::Change | Action::Delete => {
            let clients = done.clients.get(&connector).map(Vec::as_slice);
            let found = nth_client(clients.unwrap_or_default(), &step.object);
            let missing = || ProvisionError::not_found("client", &step.object.name);
            Some(found.ok_or_else(missing)?.clone())
        }
    };
    if let (Action::Delete, Some(client)) = (step.action, &present) {
        return Ok(tx.delete_client(client)?);
    }
    let entry: ClientEntry = step.entry().map_err(unreadable)?;
    let grant = grant(&entry.label, entry.access, entry.addresses, None);
    match (present, &step.secret) {
        (present, Some(SecretSource::Kept(KeptSecret::Client { id, secrets }))) => {
            if let Some(client) = present {
                tx.delete_client(&client)?;
            }
            let made = tx.insert_client(connector, Some(id), &grant)?;
            for one in secrets {
                tx.insert_client_secret(&made, &one.hash, one.expires)?;
            }
        }
        (Some(client), _) => tx.update_client(&client, &grant)?,
        (None, _) => {
            let secret = Secret::generate(CLIENT_PREFIX)?;
            let made = tx.insert_client(connector, None, &grant)?;
            tx.insert_client_secret(&made, &token_hash(secret.reveal()), None)?;
            done.secrets.push(MadeSecret {
                object: step.object.clone(),
                id: Some(made.id),
                secret,
            });
        }
    }
    Ok(())
}
