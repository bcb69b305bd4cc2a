//! Sessions of the console: begun with a password and a second factor, used, ended.

use jiff::{SignedDuration, Timestamp};
use store::{Administrator, AdministratorSession, Browser, Scope, Stage, WriteTx, token_hash};

use crate::administrators::require_administrator;
use crate::attempts::{self, Admitted, Attempt};
use crate::second_factor::{Checked, sign_in_rules};
use crate::secret::{SESSION_PREFIX, Secret, is_well_formed};
use crate::{HashError, Passwords, Provision, ProvisionError};

/// A session that nobody uses ends after this time.
const SESSION_IDLE: SignedDuration = SignedDuration::from_mins(30);
/// A session ends after this time in any case.
const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(12);
/// The second factor is shown, or set up, within this time.
const STAGE_LIFE: SignedDuration = SignedDuration::from_mins(15);
/// Uses of a session are noted no more often.
const TOUCHED_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// A session that just began; its text goes into a cookie.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Who signed in.
    pub administrator: Administrator,
    /// What it is good for.
    pub stage: Stage,
    /// The text of the cookie.
    pub secret: Secret,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name or password, or the code, is wrong. Which of them is not told.
    #[error("name or password is wrong")]
    Wrong,
    /// Too many failures; nothing is looked at until then.
    #[error("too many wrong passwords or codes; try again after {0}")]
    Locked(Timestamp),
    /// The password was shown too long ago; it has to be shown again.
    #[error("the time for the second factor is over")]
    Late,
    /// Too many passwords are being checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
}

impl Provision {
    /// Signs an administrator in. Wrong passwords cost more and more waiting; a right one in time is always taken.
    /// With a second factor, the session is good for showing that one only.
    pub async fn sign_in_administrator(
        &self,
        name: &str,
        password: String,
        passwords: &Passwords,
        browser: Browser,
    ) -> Result<NewSession, SignInError> {
        let wanted = name.to_owned();
        let admitted = self
            .store()
            .write(Scope::Settings, move |tx| attempts::admit(tx, &wanted))
            .await?;
        let (administrator, attempt) = match admitted {
            Admitted::Locked(until) => return Err(SignInError::Locked(until)),
            Admitted::Unknown => {
                passwords.verify(password, None).await?;
                return Err(SignInError::Wrong);
            }
            Admitted::Known(administrator, attempt) => (administrator, attempt),
        };
        let hash = attempt.password_hash.clone();
        match passwords.verify(password, Some(hash)).await? {
            true => Ok(self
                .begin_console_session(*administrator, attempt, browser)
                .await?),
            false => Err(SignInError::Wrong),
        }
    }

    /// Begins a session for somebody whose password was right at this attempt, if it is still the password.
    async fn begin_console_session(
        &self,
        administrator: Administrator,
        attempt: Attempt,
        browser: Browser,
    ) -> Result<NewSession, ProvisionError> {
        let secret = Secret::generate(SESSION_PREFIX)?;
        let (hash, pk) = (token_hash(secret.reveal()), administrator.pk);
        let stage = self
            .store()
            .write(Scope::Settings, move |tx| {
                let lock = tx.administrator_lock(pk)?;
                if lock.is_none_or(|lock| lock.password_hash != attempt.password_hash) {
                    return Err(ProvisionError::not_found("administrator", "any more"));
                }
                tx.prune_administrator_sessions()?;
                let has_factor = tx.second_factor(pk)?.is_some_and(|factor| factor.confirmed);
                let stage = match has_factor {
                    true => Stage::Code,
                    false if sign_in_rules(tx)?.require_second_factor => Stage::Enrol,
                    false => Stage::Full,
                };
                // Behind a second factor, failures are forgiven by that one alone.
                match stage {
                    Stage::Code => attempts::take_back(tx, &attempt)?,
                    Stage::Enrol | Stage::Full => tx.note_administrator_sign_in(pk)?,
                }
                begin(tx, &hash, pk, stage, &browser)?;
                Ok(stage)
            })
            .await?;
        Ok(NewSession {
            administrator,
            stage,
            secret,
        })
    }

    /// Goes on with a session that waits for the second factor: a code, or one of the recovery codes.
    pub async fn show_second_factor(
        &self,
        session: &str,
        code: &str,
        browser: Browser,
    ) -> Result<NewSession, SignInError> {
        let secret = Secret::generate(SESSION_PREFIX)?;
        let key = self.key()?.clone();
        let (old, new) = (token_hash(session), token_hash(secret.reveal()));
        let code = code.to_owned();
        let (administrator, checked) = self
            .store()
            .write(Scope::Settings, move |tx| {
                let waiting = tx.administrator_session(&old)?;
                let Some(waiting) = waiting.filter(|session| session.stage == Stage::Code) else {
                    return Ok((None, Checked::Wrong));
                };
                let administrator = waiting.administrator;
                let checked = crate::second_factor::check(tx, &key, &administrator, &code)?;
                if let Checked::Right = checked {
                    tx.note_administrator_sign_in(administrator.pk)?;
                    tx.end_administrator_session(&old)?;
                    begin(tx, &new, administrator.pk, Stage::Full, &browser)?;
                }
                Ok::<_, ProvisionError>((Some(administrator), checked))
            })
            .await?;
        match (administrator, checked) {
            (None, _) => Err(SignInError::Late),
            (Some(administrator), Checked::Right) => Ok(NewSession {
                administrator,
                stage: Stage::Full,
                secret,
            }),
            (Some(_), Checked::Wrong) => Err(SignInError::Wrong),
            (Some(_), Checked::Locked(until)) => Err(SignInError::Locked(until)),
        }
    }

    /// A new session for somebody whose others ended because of what that person changed in this moment.
    pub async fn renew_console_session(
        &self,
        administrator: &Administrator,
        browser: Browser,
    ) -> Result<NewSession, ProvisionError> {
        let secret = Secret::generate(SESSION_PREFIX)?;
        let (hash, id) = (token_hash(secret.reveal()), administrator.id.clone());
        let administrator = self
            .store()
            .write(Scope::Settings, move |tx| {
                let found = require_administrator(tx, &id)?;
                begin(tx, &hash, found.pk, Stage::Full, &browser)?;
                Ok::<_, ProvisionError>(found)
            })
            .await?;
        Ok(NewSession {
            administrator,
            stage: Stage::Full,
            secret,
        })
    }

    /// The session of this text, for a page that looks for news by itself: that is no use of it.
    pub async fn watched_session(
        &self,
        text: &str,
    ) -> Result<Option<AdministratorSession>, ProvisionError> {
        if !is_well_formed(text, SESSION_PREFIX) {
            return Ok(None);
        }
        let hash = token_hash(text);
        self.store()
            .look_up(move |tx| Ok(tx.administrator_session(&hash)?))
            .await
    }

    /// The session of this text: whose it is, and what it is good for; its use is noted.
    pub async fn administrator_session(
        &self,
        text: &str,
    ) -> Result<Option<AdministratorSession>, ProvisionError> {
        let Some(session) = self.watched_session(text).await? else {
            return Ok(None);
        };
        let now = self.store().now();
        if now.duration_since(session.last_used) >= TOUCHED_AFTER {
            let (hash, expires) = (token_hash(text), prolonged(&session, now));
            self.store()
                .write(Scope::Settings, move |tx| {
                    Ok::<_, ProvisionError>(tx.touch_administrator_session(&hash, expires)?)
                })
                .await?;
        }
        Ok(Some(session))
    }

    /// The sessions of an administrator, by id or name, that have not ended; the newest first.
    pub async fn console_sessions(
        &self,
        administrator: &str,
    ) -> Result<Vec<AdministratorSession>, ProvisionError> {
        let name = administrator.to_owned();
        self.store()
            .read(move |tx| {
                let found = require_administrator(tx, &name)?;
                Ok(tx.administrator_sessions(found.pk)?)
            })
            .await
    }

    /// Ends a session of an administrator, or all of them. Returns how many ended.
    pub async fn end_console_sessions(
        &self,
        administrator: &str,
        session: Option<&str>,
    ) -> Result<u64, ProvisionError> {
        let name = administrator.to_owned();
        let session = session.map(str::to_owned);
        self.store()
            .write(Scope::Settings, move |tx| {
                let found = require_administrator(tx, &name)?;
                let Some(id) = &session else {
                    let live = tx.administrator_sessions(found.pk)?.len();
                    tx.end_administrator_sessions(found.pk)?;
                    return Ok(live as u64);
                };
                match tx.end_administrator_session_of(found.pk, id)? {
                    true => Ok(1),
                    false => Err(ProvisionError::not_found("session", id)),
                }
            })
            .await
    }

    /// Ends a session.
    pub async fn sign_out_administrator(&self, text: &str) -> Result<(), ProvisionError> {
        let hash = token_hash(text);
        self.store()
            .write(Scope::Settings, move |tx| {
                Ok::<_, ProvisionError>(tx.end_administrator_session(&hash)?)
            })
            .await
    }
}

pub(crate) fn begin(
    tx: &WriteTx<'_>,
    hash: &str,
    pk: i64,
    stage: Stage,
    browser: &Browser,
) -> Result<(), ProvisionError> {
    let now = tx.now();
    let (idle, life) = match stage {
        Stage::Full => (SESSION_IDLE, SESSION_LIFE),
        Stage::Code | Stage::Enrol => (STAGE_LIFE, STAGE_LIFE),
    };
    Ok(tx.insert_administrator_session(hash, pk, stage, browser, (now + idle, now + life))?)
}

fn prolonged(session: &AdministratorSession, now: Timestamp) -> Timestamp {
    now.checked_add(SESSION_IDLE)
        .map_or(session.ends, |later| later.min(session.ends))
}
