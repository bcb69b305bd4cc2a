//! Bearer tokens: made, rotated, revoked, checked.

use directory::ConnectorId;
use jiff::{SignedDuration, Timestamp};
use store::{Access, Grant, Role, Scope, Token, TokenKind, token_hash};

use crate::address::checked_addresses;
use crate::administrators::check_rights;
use crate::naming::checked_text;
use crate::secret::{API_PREFIX, SCIM_PREFIX, Secret};
use crate::{Provision, ProvisionError};

/// A token that was just made; its text is not to be had again.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What the store keeps.
    pub token: Token,
    /// The text to show once.
    pub secret: Secret,
}

impl Provision {
    /// Makes a token for a connector's SCIM endpoint that may do everything, from everywhere.
    pub async fn create_scim_token(
        &self,
        connector: ConnectorId,
        label: &str,
        expires: Option<Timestamp>,
    ) -> Result<NewToken, ProvisionError> {
        let grant = Grant::of(label);
        self.create_token(TokenKind::Scim(connector), Grant { expires, ..grant })
            .await
    }

    /// Makes a token for the admin API that may do everything, from everywhere.
    pub async fn create_api_token(
        &self,
        label: &str,
        expires: Option<Timestamp>,
    ) -> Result<NewToken, ProvisionError> {
        let grant = Grant::of(label);
        self.create_token(TokenKind::Api, Grant { expires, ..grant })
            .await
    }

    /// Makes a token.
    pub async fn create_token(
        &self,
        kind: TokenKind,
        grant: Grant,
    ) -> Result<NewToken, ProvisionError> {
        self.make_token(kind, grant, None).await
    }

    /// Makes a new token for a connector and lets the others end after `overlap`, so that the IdP
    /// can be changed over without a gap.
    pub async fn rotate_scim_token(
        &self,
        connector: ConnectorId,
        overlap: SignedDuration,
    ) -> Result<NewToken, ProvisionError> {
        let grant = Grant::of("rotated");
        self.make_token(TokenKind::Scim(connector), grant, Some(overlap))
            .await
    }

    async fn make_token(
        &self,
        kind: TokenKind,
        grant: Grant,
        ends_others_after: Option<SignedDuration>,
    ) -> Result<NewToken, ProvisionError> {
        let prefix = match kind {
            TokenKind::Scim(_) => SCIM_PREFIX,
            TokenKind::Api => API_PREFIX,
        };
        let secret = Secret::generate(prefix)?;
        let hash = token_hash(secret.reveal());
        let mut grant = checked(grant)?;
        if kind == TokenKind::Api {
            let rights = grant.api_rights();
            check_rights(&rights)?;
            grant.access = match rights.role {
                Role::Auditor => Access::ReadOnly,
                Role::Owner | Role::Operator => Access::ReadWrite,
            };
        }
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
                require_future(grant.expires, tx.now())?;
                if let Some(overlap) = ends_others_after {
                    let end = tx.now() + overlap;
                    tx.expire_tokens(kind, end)?;
                }
                Ok(tx.insert_token(kind, &grant, &hash)?)
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

    /// Notes the last use of tokens and clients, gathered by the server over a while.
    pub async fn note_credential_uses(
        &self,
        uses: Vec<(String, Timestamp, Option<String>)>,
    ) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                for (token, at, address) in &uses {
                    tx.touch_credential(token, *at, address.as_deref())?;
                }
                Ok(())
            })
            .await
    }
}

/// What a credential is made with, in order.
pub(crate) fn checked(grant: Grant) -> Result<Grant, ProvisionError> {
    Ok(Grant {
        label: checked_text("label", &grant.label, 0)?,
        addresses: checked_addresses(&grant.addresses)?,
        ..grant
    })
}

pub(crate) fn require_future(
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), ProvisionError> {
    if expires.is_some_and(|expires| expires <= now) {
        return Err(ProvisionError::invalid(
            "expires",
            "lies in the past; give a time to come, or none",
        ));
    }
    Ok(())
}
