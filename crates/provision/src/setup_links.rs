//! Links that show the set-up of one connector to somebody who has no account here, and let that person make its token.

use directory::ConnectorId;
use jiff::SignedDuration;
use store::{Grant, Scope, SetupLink, StoredConnector, TokenKind, token_hash};

use crate::secret::{SCIM_PREFIX, SETUP_PREFIX, Secret, is_well_formed};
use crate::{NewToken, Provision, ProvisionError};

/// How long a link is good unless it is said: three days.
pub const SETUP_LINK_DAYS_DEFAULT: u32 = 3;
/// The longest time that a link may be good.
pub const SETUP_LINK_DAYS_MAX: u32 = 30;
/// Openings of a link are noted no more often.
const TOUCHED_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// A link that was just made; its text is not to be had again.
#[derive(Debug, Clone)]
pub struct NewSetupLink {
    /// What the store keeps.
    pub link: SetupLink,
    /// The text to show once, as part of an address.
    pub secret: Secret,
}

impl Provision {
    /// Makes a link to the set-up of a connector.
    pub async fn create_setup_link(
        &self,
        connector: ConnectorId,
        days: u32,
        actor: &str,
    ) -> Result<NewSetupLink, ProvisionError> {
        if !(1..=SETUP_LINK_DAYS_MAX).contains(&days) {
            let message = format!("is 1 to {SETUP_LINK_DAYS_MAX}");
            return Err(ProvisionError::invalid("days", message));
        }
        let secret = Secret::generate(SETUP_PREFIX)?;
        let (hash, actor) = (token_hash(secret.reveal()), actor.to_owned());
        let life = SignedDuration::from_hours(24 * i64::from(days));
        let link = self
            .store()
            .write(Scope::Settings, move |tx| {
                if tx.connector_version(connector)?.is_none() {
                    return Err(ProvisionError::not_found(
                        "connector",
                        &connector.to_string(),
                    ));
                }
                Ok(tx.insert_setup_link(&hash, connector, &actor, tx.now() + life)?)
            })
            .await?;
        Ok(NewSetupLink { link, secret })
    }

    /// Takes a link back. The token that was made by it stays.
    pub async fn revoke_setup_link(
        &self,
        connector: ConnectorId,
        id: &str,
    ) -> Result<(), ProvisionError> {
        let id = id.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                match tx.delete_setup_link(connector, &id)? {
                    true => Ok(()),
                    false => Err(ProvisionError::not_found("set-up link", &id)),
                }
            })
            .await
    }

    /// The live link of this text and its connector; that it was opened is noted.
    pub async fn open_setup_link(
        &self,
        text: &str,
    ) -> Result<Option<(SetupLink, StoredConnector)>, ProvisionError> {
        if !is_well_formed(text, SETUP_PREFIX) {
            return Ok(None);
        }
        let hash = token_hash(text);
        let (found, now) = self
            .store()
            .read(move |tx| {
                let Some(link) = tx.setup_link(&hash)? else {
                    return Ok((None, tx.now()));
                };
                let connector = tx.connector(link.connector)?;
                let found = connector.map(|connector| (link, connector));
                Ok::<_, ProvisionError>((found, tx.now()))
            })
            .await?;
        let Some((link, connector)) = found else {
            return Ok(None);
        };
        let opened = link.last_opened;
        if opened.is_none_or(|at| now.duration_since(at) >= TOUCHED_AFTER) {
            let id = link.id.clone();
            self.store()
                .write(Scope::Settings, move |tx| {
                    Ok::<_, ProvisionError>(tx.touch_setup_link(&id)?)
                })
                .await?;
        }
        Ok(Some((link, connector)))
    }

    /// Makes a token for the connector of a link in the place of the one that the link made before, which stops working:
    /// there is one at a time. If another was made meanwhile, none is made.
    pub async fn token_by_setup_link(
        &self,
        text: &str,
        before: Option<&str>,
    ) -> Result<NewToken, ProvisionError> {
        let gone = || ProvisionError::not_found("set-up link", "of this address");
        if !is_well_formed(text, SETUP_PREFIX) {
            return Err(gone());
        }
        let secret = Secret::generate(SCIM_PREFIX)?;
        let (link_hash, hash) = (token_hash(text), token_hash(secret.reveal()));
        let seen = before.map(str::to_owned);
        let token = self
            .store()
            .write(Scope::Settings, move |tx| {
                let link = tx.setup_link(&link_hash)?.ok_or_else(gone)?;
                if link.token != seen {
                    let told = "the link has made another token meanwhile".to_owned();
                    return Err(ProvisionError::Conflict(told));
                }
                let kind = TokenKind::Scim(link.connector);
                if let Some(before) = &link.token {
                    tx.delete_token(kind, before)?;
                }
                let grant = Grant::of(label(&link.created_by));
                let token = tx.insert_token(kind, &grant, &hash)?;
                tx.set_setup_link_token(&link.id, &token.id)?;
                Ok::<_, ProvisionError>(token)
            })
            .await?;
        Ok(NewToken { token, secret })
    }
}

/// What a token is called that was made by a link.
fn label(made_by: &str) -> String {
    let label = format!("set-up link of {made_by}");
    label.chars().take(100).collect()
}
