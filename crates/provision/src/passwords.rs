//! Passwords: argon2id, a few at once, never kept in the clear.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

/// Hashes computed at once; each takes a core and 19 MiB for some tens of milliseconds.
const AT_ONCE_MAX: usize = 2;
/// Hashes that may wait for their turn.
const WAITING_MAX: usize = 64;

/// Why a password could not be hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many are waiting; try again in a moment.
    #[error("too many passwords are being checked")]
    Busy,
    /// What is stored is no hash, or hashing failed.
    #[error("the password cannot be checked: {0}")]
    Failed(String),
}

/// Hashes and compares passwords, a bounded number at once. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            admitted: Arc::new(Semaphore::new(AT_ONCE_MAX + WAITING_MAX)),
        }
    }
}

impl Passwords {
    /// An argon2id hash (19 MiB, 2 passes, 1 lane) as a PHC string.
    pub async fn hash(&self, password: String) -> Result<String, HashError> {
        self.run(move || {
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash: PasswordHash| hash.to_string())
                .map_err(|error| HashError::Failed(error.to_string()))
        })
        .await
    }

    /// Whether a password is the one that was hashed. Without a hash the answer is no, and takes
    /// as long: the time does not tell whether there is an account.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, HashError> {
        self.run(move || match hash {
            Some(hash) => {
                let hash = PasswordHash::new(&hash)
                    .map_err(|error| HashError::Failed(error.to_string()))?;
                Ok(Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok())
            }
            None => {
                let _equal_time: Result<PasswordHash, _> =
                    Argon2::default().hash_password(password.as_bytes());
                Ok(false)
            }
        })
        .await
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let _admitted = self
            .admitted
            .try_acquire()
            .map_err(|_full| HashError::Busy)?;
        let _running = self
            .running
            .acquire()
            .await
            .map_err(|_closed| HashError::Busy)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| HashError::Failed(error.to_string()))?
    }
}
