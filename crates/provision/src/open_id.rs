//! Signing in at the company's own OpenID provider.

mod asked;
mod settings;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Administrator, Browser, ReadTx, Rights, Scope, Stage, WriteTx, token_hash};

pub use asked::{Asked, CodeExchange, OpenIdClient, OpenIdProvider, OpenIdTokens};
pub use settings::{GroupRole, OpenIdPerson, OpenIdSettings};

use crate::secret::{SESSION_PREFIX, Secret};
use crate::{NewSession, Provision, ProvisionError, console_sessions};

/// The name of these settings in the store.
const SETTINGS: &str = "open_id";
/// What the secret of the client is sealed for.
const SECRET: &str = "open id client";
/// What an attempt to sign in is sealed for.
const ATTEMPT: &str = "open id attempt";
/// How long somebody may take at the provider.
const ATTEMPT_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// What to do about the secret of the client.
#[derive(Clone)]
pub enum ClientSecret {
    /// It stays, if provider and client do.
    Keep,
    /// There is none: the client is a public one.
    Without,
    /// This is it from now on.
    Is(String),
}

/// An attempt to sign in, which the browser keeps sealed until it comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenIdAttempt {
    /// What the provider gives back with the code.
    pub state: String,
    /// What has to be in the token.
    pub nonce: String,
    /// What proves that the one who exchanges the code asked for it.
    pub verifier: String,
    /// Where to go afterwards.
    pub next: String,
    /// The provider that was asked.
    pub issuer: String,
    /// When it is too late.
    pub expires: Timestamp,
}

/// Why somebody whom the provider knows is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdError {
    /// None of the person's groups may do anything here.
    #[error("no group of {0} has a role here")]
    NoRole(String),
    /// The store failed.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
}

impl Provision {
    /// How administrators sign in at an OpenID provider; nothing if that was never set.
    pub async fn open_id(&self) -> Result<Option<OpenIdSettings>, ProvisionError> {
        self.store().look_up(|tx| settings(tx)).await
    }

    /// Changes how administrators sign in at an OpenID provider.
    pub async fn set_open_id(
        &self,
        wish: OpenIdSettings,
        secret: ClientSecret,
    ) -> Result<OpenIdSettings, ProvisionError> {
        wish.check()?;
        let (key, this) = (self.key()?.clone(), self.clone());
        self.store()
            .write(Scope::Settings, move |tx| {
                let before = settings(tx)?.unwrap_or_default();
                if wish.issuer != before.issuer {
                    this.require_issuer_reach("issuer", &wish.issuer)?;
                }
                let sealed = match &secret {
                    ClientSecret::Without => None,
                    ClientSecret::Is(secret) => {
                        Some(key.seal(SECRET, &owner(&wish), secret.as_bytes())?)
                    }
                    // Another provider must not get what this one was told.
                    ClientSecret::Keep if owner(&wish) == owner(&before) => before.sealed_secret,
                    ClientSecret::Keep => None,
                };
                let kept = OpenIdSettings {
                    sealed_secret: sealed,
                    ..wish.clone()
                };
                tx.set_setting(SETTINGS, &Some(&kept))?;
                Ok(kept)
            })
            .await
    }

    /// Closes the way and forgets the provider. Those who came by it are signed out; their accounts stay, and open nothing.
    pub async fn delete_open_id(&self) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Settings, |tx| {
                tx.set_setting(SETTINGS, &None::<OpenIdSettings>)?;
                Ok::<_, ProvisionError>(tx.end_external_sessions()?)
            })
            .await
    }

    /// The secret of the client, opened.
    pub fn open_id_secret(
        &self,
        settings: &OpenIdSettings,
    ) -> Result<Option<String>, ProvisionError> {
        let Some(sealed) = &settings.sealed_secret else {
            return Ok(None);
        };
        let opened = self.key()?.open(SECRET, &owner(settings), sealed)?;
        Ok(Some(String::from_utf8_lossy(&opened).into_owned()))
    }

    /// Begins an attempt to sign in: what to remember, and the same sealed for the browser.
    pub fn begin_open_id(
        &self,
        issuer: &str,
        next: &str,
    ) -> Result<(OpenIdAttempt, String), ProvisionError> {
        let random = || Ok::<_, ProvisionError>(Secret::generate("")?.reveal().to_owned());
        let attempt = OpenIdAttempt {
            state: random()?,
            nonce: random()?,
            verifier: random()?,
            next: next.to_owned(),
            issuer: issuer.to_owned(),
            expires: self.store().now() + ATTEMPT_LIFE,
        };
        let text = serde_json::to_vec(&attempt).unwrap_or_default();
        let sealed = self.key()?.seal(ATTEMPT, "", &text)?;
        Ok((attempt, sealed))
    }

    /// The attempt that a browser brings back, if it is one of ours and not too late.
    pub fn open_id_attempt(&self, sealed: &str) -> Option<OpenIdAttempt> {
        let text = self.key().ok()?.open(ATTEMPT, "", sealed).ok()?;
        let attempt: OpenIdAttempt = serde_json::from_slice(&text).ok()?;
        (self.store().now() < attempt.expires).then_some(attempt)
    }

    /// Signs somebody in by the provider's word. The account is made at the first time, and has the rights that the
    /// person's groups give at this time.
    pub async fn sign_in_open_id(
        &self,
        issuer: &str,
        person: OpenIdPerson,
        browser: Browser,
    ) -> Result<NewSession, OpenIdError> {
        let secret = Secret::generate(SESSION_PREFIX)?;
        let (hash, issuer, name) = (
            token_hash(secret.reveal()),
            issuer.to_owned(),
            person.name.clone(),
        );
        let administrator = self
            .store()
            .write(Scope::Settings, move |tx| {
                let settings = settings(tx)?.unwrap_or_default();
                let known = tx.external_administrator(&issuer, &person.subject)?;
                let is_open = settings.enabled && settings.issuer == issuer;
                let rights = settings.rights(&person.groups).filter(|_| is_open);
                let Some(rights) = rights else {
                    if let Some(known) = known {
                        tx.end_administrator_sessions(known.pk)?;
                    }
                    return Ok(None);
                };
                let administrator = account(tx, known, &issuer, &person, rights)?;
                tx.prune_administrator_sessions()?;
                tx.note_administrator_sign_in(administrator.pk)?;
                console_sessions::begin(tx, &hash, administrator.pk, Stage::Full, &browser)?;
                Ok::<_, ProvisionError>(Some(administrator))
            })
            .await?;
        match administrator {
            None => Err(OpenIdError::NoRole(name)),
            Some(administrator) => Ok(NewSession {
                administrator,
                stage: Stage::Full,
                secret,
            }),
        }
    }
}

fn settings(tx: &ReadTx<'_>) -> Result<Option<OpenIdSettings>, ProvisionError> {
    Ok(tx.setting(SETTINGS)?)
}

/// What a secret of a client is bound to.
fn owner(settings: &OpenIdSettings) -> String {
    format!("{} {}", settings.client_id, settings.issuer)
}

/// The account of somebody, with these rights from now on.
fn account(
    tx: &WriteTx<'_>,
    known: Option<Administrator>,
    issuer: &str,
    person: &OpenIdPerson,
    rights: Rights,
) -> Result<Administrator, ProvisionError> {
    let Some(known) = known else {
        let name = free_name(tx, person)?;
        return Ok(tx.insert_external_administrator(&name, &rights, issuer, &person.subject)?);
    };
    if known.rights == rights {
        return Ok(known);
    }
    tx.set_administrator_rights(known.pk, &rights)?;
    // What a page offered under the old rights must not be sent under the new ones.
    tx.end_administrator_sessions(known.pk)?;
    Ok(Administrator { rights, ..known })
}

/// The person's name, or one like it that nobody has: whoever has a password here keeps the name.
fn free_name(tx: &ReadTx<'_>, person: &OpenIdPerson) -> Result<String, ProvisionError> {
    let name = person.name.clone();
    if tx.find_administrator(&name)?.is_none() {
        return Ok(name);
    }
    for number in 2.. {
        let other = format!("{name} ({number})");
        if tx.find_administrator(&other)?.is_none() {
            return Ok(other);
        }
    }
    Ok(name)
}
