//! Whose a session is, shown again: before somebody gives rights away, when it was last shown long ago.

use jiff::{SignedDuration, Timestamp};
use store::{AdministratorSession, Scope, token_hash};

use crate::attempts;
use crate::{Passwords, Provision, SignInError};

/// A proof counts for this time.
const PROOF_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Whether somebody has to show the password again. Who signs in at a provider has none here.
pub fn needs_proof(session: &AdministratorSession, now: Timestamp) -> bool {
    session.administrator.issuer.is_none() && now.duration_since(session.proved) >= PROOF_LIFE
}

impl Provision {
    /// Shows the password of a session's administrator again. It is counted like one at the door.
    pub async fn prove_again(
        &self,
        session: &str,
        password: String,
        passwords: &Passwords,
    ) -> Result<(), SignInError> {
        let hash = token_hash(session);
        let wanted = hash.clone();
        let begun = self
            .store()
            .write(Scope::Settings, move |tx| {
                match tx.administrator_session(&wanted)? {
                    Some(session) => attempts::begin(tx, session.administrator.pk).map(Some),
                    None => Ok(None),
                }
            })
            .await?;
        let attempt = match begun {
            None => return Err(SignInError::Late),
            Some(Err(until)) => return Err(SignInError::Locked(until)),
            Some(Ok(attempt)) => attempt,
        };
        let compared = Some(attempt.password_hash.clone()).filter(|hash| !hash.is_empty());
        if !passwords.verify(password, compared).await? {
            return Err(SignInError::Wrong);
        }
        self.store()
            .write(Scope::Settings, move |tx| {
                attempts::take_back(tx, &attempt)?;
                Ok::<_, crate::ProvisionError>(tx.prove_administrator_session(&hash)?)
            })
            .await?;
        Ok(())
    }
}
