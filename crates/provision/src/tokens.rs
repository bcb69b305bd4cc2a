//! Bearer tokens: made, rotated, revoked, checked.

use directory::ConnectorId;
use jiff::{SignedDuration, Timestamp};
use store::{ReadTx, Scope, Token, TokenKind, token_hash};

use crate::secret::{self, API_PREFIX, SCIM_PREFIX, Secret};
use crate::{Provision, ProvisionError};

/// A token that was just made; its text is not to be had again.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What the store keeps.
    pub token: Token,
    /// The text to show once.
    pub secret: Secret,
}

/// Whether a text can be a token of this kind at all.
fn well_formed(text: &str, kind: &str) -> bool {
    secret::is_well_formed(text, kind)
}

impl Provision {
    /// Makes a token for a connector's SCIM endpoint.
    pub async fn create_scim_token(
        &self,
        connector: ConnectorId,
        label: &str,
        expires: Option<Timestamp>,
    ) -> Result<NewToken, ProvisionError> {
        self.create_token(TokenKind::Scim(connector), label, expires, None)
            .await
    }

    /// Makes a token for the admin API.
    pub async fn create_api_token(
        &self,
        label: &str,
        expires: Option<Timestamp>,
    ) -> Result<NewToken, ProvisionError> {
        self.create_token(TokenKind::Api, label, expires, None)
            .await
    }

    /// Makes a new token for a connector and lets the others end after `overlap`, so that the IdP
    /// can be changed over without a gap.
    pub async fn rotate_scim_token(
        &self,
        connector: ConnectorId,
        overlap: SignedDuration,
    ) -> Result<NewToken, ProvisionError> {
        self.create_token(TokenKind::Scim(connector), "rotated", None, Some(overlap))
            .await
    }

    async fn create_token(
        &self,
        kind: TokenKind,
        label: &str,
        expires: Option<Timestamp>,
        ends_others_after: Option<SignedDuration>,
    ) -> Result<NewToken, ProvisionError> {
        let prefix = match kind {
            TokenKind::Scim(_) => SCIM_PREFIX,
            TokenKind::Api => API_PREFIX,
        };
        let secret = Secret::generate(prefix)?;
        let hash = token_hash(secret.reveal());
        let label = checked_label(label)?;
        let token = self
            .store()
            .write(Scope::Settings, move |tx| {
                if let TokenKind::Scim(connector) = kind
                    && tx.connector_version(connector)?.is_none()
                {
                    return Err(ProvisionError::not_found(
                        "connector",
                        &connector.to_string(),
                    ));
                }
                if expires.is_some_and(|expires| expires <= tx.now()) {
                    return Err(ProvisionError::invalid(
                        "expires",
                        "lies in the past; give a time to come, or none",
                    ));
                }
                if let Some(overlap) = ends_others_after {
                    let end = tx.now() + overlap;
                    tx.expire_tokens(kind, end)?;
                }
                Ok(tx.insert_token(kind, &label, &hash, expires)?)
            })
            .await?;
        Ok(NewToken { token, secret })
    }

    /// Deletes a token of a connector, or of the admin API.
    pub async fn revoke_token(&self, kind: TokenKind, id: &str) -> Result<(), ProvisionError> {
        let id = id.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                if tx.delete_token(kind, &id)? {
                    Ok(())
                } else {
                    Err(ProvisionError::not_found("token", &id))
                }
            })
            .await
    }

    /// The live token that a SCIM client presents. The token names the connector, nothing else does.
    pub fn check_scim_token(
        &self,
        tx: &ReadTx<'_>,
        presented: &str,
    ) -> Result<Option<(Token, ConnectorId)>, ProvisionError> {
        if !well_formed(presented, SCIM_PREFIX) {
            return Ok(None);
        }
        let now = tx.now();
        let found = tx.token(&token_hash(presented))?;
        Ok(found
            .filter(|token| token.is_live(now))
            .and_then(|token| match token.kind {
                TokenKind::Scim(connector) => Some((token, connector)),
                TokenKind::Api => None,
            }))
    }

    /// The live token that an administrator presents.
    pub fn check_api_token(
        &self,
        tx: &ReadTx<'_>,
        presented: &str,
    ) -> Result<Option<Token>, ProvisionError> {
        if !well_formed(presented, API_PREFIX) {
            return Ok(None);
        }
        let now = tx.now();
        let found = tx.token(&token_hash(presented))?;
        Ok(found.filter(|token| token.kind == TokenKind::Api && token.is_live(now)))
    }

    /// Notes the last use of tokens, gathered by the server over a while.
    pub async fn note_token_uses(
        &self,
        uses: Vec<(String, Timestamp, Option<String>)>,
    ) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                for (token, at, address) in &uses {
                    tx.touch_token(token, *at, address.as_deref())?;
                }
                Ok(())
            })
            .await
    }
}

fn checked_label(label: &str) -> Result<String, ProvisionError> {
    let label = label.trim();
    if label.chars().count() > 100 || label.chars().any(char::is_control) {
        return Err(ProvisionError::invalid(
            "label",
            "has at most 100 characters and no control characters",
        ));
    }
    Ok(label.to_owned())
}
