//! The second factor of administrators: set up, checked, removed, and required of all.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Administrator, ReadTx, Scope, WriteTx, token_hash};

use crate::administrators::{checked_password, hashed, require_administrator};
use crate::attempts;
use crate::totp::{self, SECRET_BYTES};
use crate::{Passwords, Provision, ProvisionError, SecretKey};

/// What the secret of a second factor is sealed for.
const PURPOSE: &str = "second factor";
/// Recovery codes that an administrator gets.
const RECOVERY_CODES: usize = 10;
/// Random bytes of a recovery code: enough that its SHA-256 may be kept (OWASP ASVS 5, 6.5.2).
const RECOVERY_BYTES: usize = 15;
/// The name of these settings in the store.
const RULES: &str = "sign_in";

/// How administrators sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInRules {
    /// Whether everybody needs a second factor.
    pub require_second_factor: bool,
}

/// A second factor that is being set up; its secret is not to be had again.
#[derive(Clone)]
pub struct NewSecondFactor {
    /// The secret in base 32, to be typed or scanned.
    pub secret: String,
}

/// What a code is worth.
pub(crate) enum Checked {
    /// It is right, and used up.
    Right,
    /// It is wrong; that was counted.
    Wrong,
    /// Nothing is looked at until then.
    Locked(Timestamp),
}

pub(crate) fn sign_in_rules(tx: &ReadTx<'_>) -> Result<SignInRules, ProvisionError> {
    Ok(tx.setting(RULES)?)
}

/// Looks at what an administrator shows as second factor, a code or a recovery code. Failures count like wrong
/// passwords.
pub(crate) fn check(
    tx: &WriteTx<'_>,
    key: &SecretKey,
    administrator: &Administrator,
    shown: &str,
) -> Result<Checked, ProvisionError> {
    require_password(administrator)?;
    let pk = administrator.pk;
    let attempt = match attempts::begin(tx, pk)? {
        Ok(attempt) => attempt,
        Err(until) => return Ok(Checked::Locked(until)),
    };
    let is_right = match totp::is_code(shown) {
        true => take_code(tx, key, administrator, shown)?,
        false => tx.use_recovery_code(pk, &token_hash(&totp::plain(shown)))?,
    };
    if !is_right {
        return Ok(Checked::Wrong);
    }
    attempts::take_back(tx, &attempt)?;
    Ok(Checked::Right)
}

/// Whether a code is right at this moment and was not taken before; from now on it was.
fn take_code(
    tx: &WriteTx<'_>,
    key: &SecretKey,
    administrator: &Administrator,
    shown: &str,
) -> Result<bool, ProvisionError> {
    let Some(factor) = tx.second_factor(administrator.pk)? else {
        return Ok(false);
    };
    let secret = key.open(PURPOSE, &administrator.id, &factor.sealed)?;
    let seconds = tx.now().as_second();
    let Some(step) = totp::taken_step(&secret, shown, seconds, factor.last_step) else {
        return Ok(false);
    };
    tx.note_second_factor_step(administrator.pk, step)?;
    Ok(true)
}

/// A change to one's own account that needs a code.
fn told(checked: Checked) -> Result<(), ProvisionError> {
    match checked {
        Checked::Right => Ok(()),
        Checked::Wrong => Err(ProvisionError::invalid(
            "code",
            "is wrong, or was used already; wait for the next one and check the clock of the device",
        )),
        Checked::Locked(until) => Err(ProvisionError::invalid(
            "code",
            format!("is not looked at after so many wrong ones; try again after {until:.0}"),
        )),
    }
}

impl Provision {
    /// How administrators sign in.
    pub async fn sign_in_rules(&self) -> Result<SignInRules, ProvisionError> {
        self.store().look_up(|tx| sign_in_rules(tx)).await
    }

    /// Changes how administrators sign in. Who lacks what is asked for is signed out, and sets it up at the next sign-in.
    pub async fn set_sign_in_rules(
        &self,
        rules: SignInRules,
    ) -> Result<SignInRules, ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                if rules.require_second_factor && !sign_in_rules(tx)?.require_second_factor {
                    tx.end_sessions_without_second_factor()?;
                }
                tx.set_setting(RULES, &rules)?;
                Ok(rules)
            })
            .await
    }

    /// Recovery codes that an administrator has left.
    pub async fn recovery_codes_left(&self, administrator: i64) -> Result<i64, ProvisionError> {
        self.store()
            .look_up(move |tx| Ok(tx.recovery_codes(administrator)?))
            .await
    }

    /// Begins to set up a second factor. It is asked for once a code of it was shown.
    pub async fn begin_second_factor(
        &self,
        administrator: &str,
    ) -> Result<NewSecondFactor, ProvisionError> {
        let bytes = random::<SECRET_BYTES>()?;
        let (key, text) = (self.key()?.clone(), administrator.to_owned());
        self.store()
            .write(Scope::Settings, move |tx| {
                let found = require_administrator(tx, &text)?;
                require_password(&found)?;
                if found.second_factor.is_some() {
                    return Err(ProvisionError::Conflict(
                        "There is a second factor already; remove it first, which takes one of its codes".to_owned(),
                    ));
                }
                let sealed = key.seal(PURPOSE, &found.id, &bytes)?;
                Ok(tx.prepare_second_factor(found.pk, &sealed)?)
            })
            .await?;
        Ok(NewSecondFactor {
            secret: totp::base32(&bytes),
        })
    }

    /// Ends the setting up with a first code: gives recovery codes, to be shown once. All sessions end.
    pub async fn confirm_second_factor(
        &self,
        administrator: &str,
        code: &str,
    ) -> Result<Vec<String>, ProvisionError> {
        let codes = recovery_codes()?;
        let hashes = hashes(&codes);
        self.with_code(administrator, code, move |tx, found| {
            if found.second_factor.is_some() {
                return Err(ProvisionError::Conflict(
                    "The second factor is set up already".to_owned(),
                ));
            }
            tx.confirm_second_factor(found.pk)?;
            tx.set_recovery_codes(found.pk, &hashes)?;
            Ok(tx.end_administrator_sessions(found.pk)?)
        })
        .await?;
        Ok(codes)
    }

    /// Gives new recovery codes in the place of all others.
    pub async fn renew_recovery_codes(
        &self,
        administrator: &str,
        code: &str,
    ) -> Result<Vec<String>, ProvisionError> {
        let codes = recovery_codes()?;
        let hashes = hashes(&codes);
        self.with_code(administrator, code, move |tx, found| {
            require_factor(found)?;
            Ok(tx.set_recovery_codes(found.pk, &hashes)?)
        })
        .await?;
        Ok(codes)
    }

    /// Removes one's own second factor, unless one is required.
    pub async fn remove_second_factor(
        &self,
        administrator: &str,
        code: &str,
    ) -> Result<(), ProvisionError> {
        self.with_code(administrator, code, |tx, found| {
            require_factor(found)?;
            if sign_in_rules(tx)?.require_second_factor {
                return Err(ProvisionError::Conflict(
                    "A second factor is required of everybody; an owner can reset yours, after which you set up another"
                        .to_owned(),
                ));
            }
            Ok(tx.remove_second_factor(found.pk)?)
        })
        .await
    }

    /// Takes the second factor from somebody who lost it, and signs that person out.
    pub async fn reset_second_factor(&self, administrator: &str) -> Result<(), ProvisionError> {
        let text = administrator.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let found = require_administrator(tx, &text)?;
                require_factor(&found)?;
                tx.remove_second_factor(found.pk)?;
                Ok(tx.end_administrator_sessions(found.pk)?)
            })
            .await
    }

    /// Does something for which a code has to be shown. A wrong one is counted, which must last, so it fails afterwards.
    async fn with_code(
        &self,
        administrator: &str,
        code: &str,
        change: impl Fn(&WriteTx<'_>, &Administrator) -> Result<(), ProvisionError>
        + Send
        + Sync
        + 'static,
    ) -> Result<(), ProvisionError> {
        let key = self.key()?.clone();
        let (text, code) = (administrator.to_owned(), code.to_owned());
        let checked = self
            .store()
            .write(Scope::Settings, move |tx| {
                let found = require_administrator(tx, &text)?;
                let checked = check(tx, &key, &found, &code)?;
                if let Checked::Right = checked {
                    change(tx, &found)?;
                }
                Ok::<_, ProvisionError>(checked)
            })
            .await?;
        told(checked)
    }

    /// Gives an administrator another password, for the present one. All sessions end.
    pub async fn change_administrator_password(
        &self,
        administrator: &str,
        present: String,
        new: String,
        passwords: &Passwords,
    ) -> Result<(), ProvisionError> {
        let found = self.administrator(administrator).await?;
        require_password(&found)?;
        checked_password(&new, &found.name)?;
        if present == new {
            return Err(ProvisionError::invalid(
                "password",
                "is the one that you have; take another one",
            ));
        }
        let attempt = self.attempt_at(found.pk).await?;
        let compared = attempt.password_hash.clone();
        let is_right = passwords.verify(present, Some(compared.clone())).await;
        if !is_right.map_err(|_busy| ProvisionError::Store(store::StoreError::Busy))? {
            return Err(ProvisionError::invalid("present", "is not your password"));
        }
        let new = hashed(passwords, new).await?;
        let changed = self
            .store()
            .write(Scope::Settings, move |tx| {
                let now = tx.administrator_lock(found.pk)?;
                if now.is_none_or(|now| now.password_hash != compared) {
                    return Ok(false);
                }
                tx.set_administrator_password(found.pk, &new)?;
                tx.end_administrator_sessions(found.pk)?;
                Ok::<_, ProvisionError>(true)
            })
            .await?;
        match changed {
            true => Ok(()),
            false => Err(ProvisionError::invalid("present", "is not your password")),
        }
    }

    /// Counts an attempt at one's own password.
    async fn attempt_at(&self, administrator: i64) -> Result<attempts::Attempt, ProvisionError> {
        let counted = self
            .store()
            .write(Scope::Settings, move |tx| {
                attempts::begin(tx, administrator)
            })
            .await?;
        counted.map_err(|until| {
            ProvisionError::invalid(
                "present",
                format!("is not looked at after so many wrong ones; try again after {until:.0}"),
            )
        })
    }
}

/// Password and second factor of who signs in at a provider are there.
fn require_password(administrator: &Administrator) -> Result<(), ProvisionError> {
    match &administrator.issuer {
        None => Ok(()),
        Some(issuer) => Err(ProvisionError::Conflict(format!(
            "{} signs in at {issuer}; password and second factor are there",
            administrator.name
        ))),
    }
}

fn require_factor(administrator: &Administrator) -> Result<(), ProvisionError> {
    match administrator.second_factor {
        Some(_) => Ok(()),
        None => Err(ProvisionError::not_found(
            "second factor",
            &administrator.name,
        )),
    }
}

fn recovery_codes() -> Result<Vec<String>, ProvisionError> {
    let code = |_| Ok(totp::grouped(&totp::base32(&random::<RECOVERY_BYTES>()?)));
    (0..RECOVERY_CODES).map(code).collect()
}

fn hashes(codes: &[String]) -> Vec<String> {
    let hash = |code: &String| token_hash(&totp::plain(code));
    codes.iter().map(hash).collect()
}

fn random<const COUNT: usize>() -> Result<[u8; COUNT], ProvisionError> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| {
        ProvisionError::invalid("random numbers", format!("the system gives none: {error}"))
    })?;
    Ok(bytes)
}
