//! Clients: they show an id and a secret, and get access tokens for them (RFC 6749 section 4.4).

use directory::ConnectorId;
use jiff::{SignedDuration, Timestamp};
use store::{Access, Client, ClientSecret, Grant, Scope, WriteTx, token_hash};

use crate::credential::Credential;
use crate::secret::{ACCESS_PREFIX, CLIENT_PREFIX, Secret};
use crate::tokens::{checked, require_future};
use crate::{Provision, ProvisionError};

/// Access tokens that are kept for one secret; a client that asks for more loses the oldest.
const ACCESS_TOKENS_KEPT: i64 = 100;

/// Secrets of one client that can work at a time: the one in use and the one it changes over to.
const SECRETS_MAX: usize = 2;

/// A client with a secret that was just made; its text is not to be had again.
#[derive(Debug, Clone)]
pub struct NewClientSecret {
    /// Whose it is.
    pub client: Client,
    /// What the store keeps of it.
    pub stored: ClientSecret,
    /// The text to show once.
    pub secret: Secret,
}

/// An access token that was just made.
#[derive(Debug, Clone)]
pub struct NewAccessToken {
    /// The text.
    pub secret: Secret,
    /// What it may do.
    pub access: Access,
    /// How long it works.
    pub lives: SignedDuration,
}

impl Provision {
    /// Makes a client of a connector with a secret. `grant.expires` is the end of the secret.
    pub async fn create_client(
        &self,
        connector: ConnectorId,
        grant: Grant,
    ) -> Result<NewClientSecret, ProvisionError> {
        let grant = checked(grant)?;
        let secret = Secret::generate(CLIENT_PREFIX)?;
        let hash = token_hash(secret.reveal());
        let (client, stored) = self
            .store()
            .write(Scope::Settings, move |tx| {
                if tx.connector_version(connector)?.is_none() {
                    let connector = connector.to_string();
                    return Err(ProvisionError::not_found("connector", &connector));
                }
                require_future(grant.expires, tx.now())?;
                let client = tx.insert_client(connector, None, &grant)?;
                let stored = tx.insert_client_secret(&client, &hash, grant.expires)?;
                Ok((client, stored))
            })
            .await?;
        Ok(NewClientSecret {
            client,
            stored,
            secret,
        })
    }

    /// Gives a client a new secret and lets the one before end after `overlap`. One that is older
    /// still ends at once: two work at a time.
    pub async fn rotate_client_secret(
        &self,
        connector: ConnectorId,
        client: &str,
        expires: Option<Timestamp>,
        overlap: SignedDuration,
    ) -> Result<NewClientSecret, ProvisionError> {
        let client = client.to_owned();
        let secret = Secret::generate(CLIENT_PREFIX)?;
        let hash = token_hash(secret.reveal());
        let (client, stored) = self
            .store()
            .write(Scope::Settings, move |tx| {
                let client = require_client(tx, connector, &client)?;
                let now = tx.now();
                require_future(expires, now)?;
                tx.expire_client_secrets(&client, now + overlap)?;
                let mut live = 0;
                for old in tx.client_secrets(&client)? {
                    live += usize::from(old.is_live(now));
                    if !old.is_live(now) || live >= SECRETS_MAX {
                        tx.delete_client_secret(&old)?;
                    }
                }
                let stored = tx.insert_client_secret(&client, &hash, expires)?;
                Ok::<_, ProvisionError>((client, stored))
            })
            .await?;
        Ok(NewClientSecret {
            client,
            stored,
            secret,
        })
    }

    /// Ends a secret of a client at once, with every access token that was given for it.
    pub async fn revoke_client_secret(
        &self,
        connector: ConnectorId,
        client: &str,
        secret: &str,
    ) -> Result<(), ProvisionError> {
        let (client, secret) = (client.to_owned(), secret.to_owned());
        self.store()
            .write(Scope::Settings, move |tx| {
                let client = require_client(tx, connector, &client)?;
                let mut secrets = tx.client_secrets(&client)?.into_iter();
                let found = secrets
                    .find(|one| one.id == secret)
                    .ok_or_else(|| ProvisionError::not_found("secret", &secret))?;
                Ok(tx.delete_client_secret(&found)?)
            })
            .await
    }

    /// Deletes a client; its secrets and access tokens stop working at once.
    pub async fn delete_client(
        &self,
        connector: ConnectorId,
        client: &str,
    ) -> Result<(), ProvisionError> {
        let client = client.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let client = require_client(tx, connector, &client)?;
                Ok::<_, ProvisionError>(tx.delete_client(&client)?)
            })
            .await
    }

    /// Gives an access token for a secret that was verified: `access` or less, as the client has it.
    pub async fn issue_access_token(
        &self,
        credential: &Credential,
        access: Access,
        minutes: u32,
    ) -> Result<NewAccessToken, ProvisionError> {
        let secret = Secret::generate(ACCESS_PREFIX)?;
        let hash = token_hash(secret.reveal());
        let lives = SignedDuration::from_mins(i64::from(minutes));
        let access = match credential.access {
            Access::ReadOnly => Access::ReadOnly,
            Access::ReadWrite => access,
        };
        let gone = || ProvisionError::not_found("client", &credential.id);
        let proven = credential.secret_hash.clone().ok_or_else(gone)?;
        self.store()
            .write(Scope::Settings, move |tx| {
                // Looked up again: it may have been revoked a moment ago.
                let Some((_client, stored)) = tx.client_secret(&proven)? else {
                    return Ok(false);
                };
                let expires = tx.now() + lives;
                tx.insert_access_token(&stored, &hash, access, expires, ACCESS_TOKENS_KEPT)?;
                Ok::<_, ProvisionError>(true)
            })
            .await?
            .then_some(NewAccessToken {
                secret,
                access,
                lives,
            })
            .ok_or_else(gone)
    }
}

fn require_client(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    id: &str,
) -> Result<Client, ProvisionError> {
    tx.client(connector, id)?
        .ok_or_else(|| ProvisionError::not_found("client", id))
}
