//! Credentials that somebody shows, looked up: what they are, whose, and whether they still work.

use directory::ConnectorId;
use jiff::Timestamp;
use store::{Access, Client, ReadTx, Rights, Token, TokenKind, token_hash};

use crate::address::AddressRange;
use crate::secret::{ACCESS_PREFIX, API_PREFIX, CLIENT_PREFIX, SCIM_PREFIX, is_well_formed};
use crate::{Provision, ProvisionError};

/// A credential that is known here and works at the moment.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The id of the token or client, for noting its use; empty if it is kept elsewhere.
    pub id: String,
    /// Who acts, for the journal.
    pub label: String,
    /// What it may do.
    pub access: Access,
    /// What it may do at the admin API, if it opens that.
    pub rights: Option<Rights>,
    /// Where it may come from; empty means anywhere.
    pub addresses: Vec<AddressRange>,
    /// When it stops working, if ever.
    pub expires: Option<Timestamp>,
    /// The hash of the client's secret that was shown, if one was.
    pub(crate) secret_hash: Option<String>,
}

impl Credential {
    /// One that is not kept here but was proven otherwise, such as by a signature.
    pub fn proven(label: String, access: Access, expires: Option<Timestamp>) -> Self {
        Self {
            id: String::new(),
            label,
            access,
            rights: None,
            addresses: Vec::new(),
            expires,
            secret_hash: None,
        }
    }

    /// Whether it still works.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    fn of_token(token: Token) -> Self {
        Self {
            id: token.id,
            label: token.label,
            access: token.access,
            rights: token.rights,
            addresses: AddressRange::all(&token.addresses),
            expires: token.expires,
            secret_hash: None,
        }
    }

    fn of_client(client: Client, access: Access, expires: Option<Timestamp>) -> Self {
        Self {
            id: client.id,
            label: client.label,
            access,
            rights: None,
            addresses: AddressRange::all(&client.addresses),
            expires,
            secret_hash: None,
        }
    }
}

/// Whether a text can be a token of a connector at all: everything else is refused without asking
/// the database.
pub fn can_be_scim_token(text: &str) -> bool {
    is_well_formed(text, SCIM_PREFIX) || is_well_formed(text, ACCESS_PREFIX)
}

impl Provision {
    /// The token of a connector, or access token of one of its clients, that somebody shows. It names
    /// the connector; nothing else does.
    pub fn scim_credential(
        &self,
        tx: &ReadTx<'_>,
        presented: &str,
    ) -> Result<Option<(Credential, ConnectorId)>, ProvisionError> {
        let now = tx.now();
        if is_well_formed(presented, SCIM_PREFIX) {
            let found = tx.token(&token_hash(presented))?;
            return Ok(found.filter(|token| token.is_live(now)).and_then(|token| {
                match token.kind {
                    TokenKind::Scim(connector) => Some((Credential::of_token(token), connector)),
                    TokenKind::Api => None,
                }
            }));
        }
        if is_well_formed(presented, ACCESS_PREFIX) {
            let found = tx.access_token(&token_hash(presented))?;
            return Ok(found.filter(|token| now < token.expires).map(|token| {
                let connector = token.client.connector;
                let expires = Some(token.expires);
                let credential = Credential::of_client(token.client, token.access, expires);
                (credential, connector)
            }));
        }
        Ok(None)
    }

    /// The client whose id and live secret somebody shows.
    pub fn client_credential(
        &self,
        tx: &ReadTx<'_>,
        id: &str,
        secret: &str,
    ) -> Result<Option<(Credential, ConnectorId)>, ProvisionError> {
        if !is_well_formed(secret, CLIENT_PREFIX) {
            return Ok(None);
        }
        let (now, hash) = (tx.now(), token_hash(secret));
        let found = tx.client_secret(&hash)?;
        Ok(found
            .filter(|(client, stored)| client.id == id && stored.is_live(now))
            .map(|(client, stored)| {
                let (connector, access) = (client.connector, client.access);
                let mut credential = Credential::of_client(client, access, stored.expires);
                credential.secret_hash = Some(hash);
                (credential, connector)
            }))
    }

    /// The live token that an administrator shows.
    pub fn api_credential(
        &self,
        tx: &ReadTx<'_>,
        presented: &str,
    ) -> Result<Option<Credential>, ProvisionError> {
        if !is_well_formed(presented, API_PREFIX) {
            return Ok(None);
        }
        let now = tx.now();
        let found = tx.token(&token_hash(presented))?;
        Ok(found
            .filter(|token| token.kind == TokenKind::Api && token.is_live(now))
            .map(Credential::of_token))
    }
}
