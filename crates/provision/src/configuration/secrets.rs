//! Secrets of a configuration: those that are given are compared with those that are there, the others are generated.

use std::collections::HashMap;

use directory::RuleError;
use directory::configuration::{Action, KeptSecret, Kind, Merged, Plan, SecretSource};

use super::check::within;
use crate::applications::new_password;
use crate::passwords::HashError;
use crate::secret::{SCIM_PREFIX, is_well_formed};
use crate::{Passwords, Provision, ProvisionError, Secret};

/// Shortest password that an application is given, in characters.
const PASSWORD_CHARS_MIN: usize = 16;
/// Longest password that an application is given, in characters.
const PASSWORD_CHARS_MAX: usize = 256;

/// A password of an application as it is stored, and its text if it was generated.
#[derive(Clone)]
pub(super) struct ReadyPassword {
    pub(super) hash: String,
    pub(super) generated: Option<Secret>,
}

/// Passwords that were made ready before the transaction, by the application's name.
pub(super) type ReadyPasswords = HashMap<String, ReadyPassword>;

/// Refuses a secret that cannot be one of its kind.
pub(super) fn check_secret(kind: Kind, text: &str) -> Result<(), ProvisionError> {
    match kind {
        Kind::Token if !is_well_formed(text, SCIM_PREFIX) => Err(ProvisionError::invalid(
            "secret",
            format!(
                "is no token of a connector; one begins with {SCIM_PREFIX} and was shown when it was made"
            ),
        )),
        Kind::Application => {
            let count = text.chars().count();
            let is_good = (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&count);
            match is_good && !text.chars().any(char::is_control) {
                true => Ok(()),
                false => Err(ProvisionError::invalid(
                    "password",
                    format!(
                        "needs {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters, without control characters"
                    ),
                )),
            }
        }
        Kind::Webhook => crate::webhooks::check("https://localhost", Some(text)),
        Kind::Client => Err(ProvisionError::invalid(
            "secret",
            "a client takes none that is given: leave it out and one is made, or take one that was sealed",
        )),
        _ => Ok(()),
    }
}

impl Provision {
    /// Takes out the passwords that applications have already.
    pub(super) async fn without_known_passwords(
        &self,
        mut merged: Vec<Merged>,
        passwords: &Passwords,
    ) -> Result<Vec<Merged>, ProvisionError> {
        for one in &mut merged {
            let Some(SecretSource::Value(text)) = &one.secret else {
                continue;
            };
            if one.name.kind != Kind::Application {
                continue;
            }
            let name = one.name.name.clone();
            let stored = self
                .store()
                .look_up(move |tx| Ok::<_, ProvisionError>(tx.application(&name)?))
                .await?;
            if let Some(stored) = stored {
                let known = passwords
                    .verify(text.clone(), Some(stored.password_hash))
                    .await;
                if known.map_err(unhashed)? {
                    one.secret = None;
                }
            }
        }
        Ok(merged)
    }

    /// The passwords that a plan needs. Hashing takes its time, which no transaction should.
    pub(super) async fn made_passwords(
        &self,
        plan: &Plan,
        passwords: &Passwords,
    ) -> Result<ReadyPasswords, ProvisionError> {
        let mut ready = ReadyPasswords::new();
        for step in &plan.steps {
            if step.object.kind != Kind::Application {
                continue;
            }
            let made = match (&step.secret, step.action) {
                (Some(SecretSource::Value(text)), _) => ReadyPassword {
                    hash: passwords.hash(text.clone()).await.map_err(unhashed)?,
                    generated: None,
                },
                (Some(SecretSource::Kept(KeptSecret::Hash(hash))), _) => ReadyPassword {
                    hash: hash.clone(),
                    generated: None,
                },
                (_, Action::Create) => {
                    let (secret, hash) = new_password(passwords).await?;
                    ReadyPassword {
                        hash,
                        generated: Some(secret),
                    }
                }
                _ => continue,
            };
            ready.insert(step.object.name.clone(), made);
        }
        Ok(ready)
    }

    /// Users of whom new rules would make nothing that can be used.
    pub(super) async fn problems_on_data(
        &self,
        plan: &Plan,
    ) -> Result<Vec<RuleError>, ProvisionError> {
        let mut problems = Vec::new();
        for step in &plan.steps {
            let is_change = step.object.kind == Kind::Connector && step.action == Action::Change;
            if !is_change || !step.touches("rules") {
                continue;
            }
            let rules = step.after.get("rules").cloned().unwrap_or_default();
            // Rules that cannot be read or used have been told of.
            let Ok(rules) = serde_json::from_value(rules) else {
                continue;
            };
            let name = step.object.name.clone();
            let found = self
                .store()
                .look_up(move |tx| Ok::<_, ProvisionError>(tx.find_connector(&name)?))
                .await?;
            let Some(stored) = found else { continue };
            match self.check_rules_on_data(stored.connector.id, &rules).await {
                Ok(()) => {}
                Err(ProvisionError::Rules(errors)) => {
                    let path = format!("{}.rules", step.path);
                    let errors = errors.into_iter();
                    problems.extend(errors.map(|error| within(&path, error)));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(problems)
    }
}

fn unhashed(error: HashError) -> ProvisionError {
    ProvisionError::invalid("password", error.to_string())
}
