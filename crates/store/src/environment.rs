//! The clock and the source of ids: handed in, so that a test can hold them still.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

/// What a transaction may know of the world outside the database.
#[derive(Clone)]
pub struct Environment {
    /// The present moment.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// A new random id.
    pub new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

impl Environment {
    /// An environment of two functions.
    pub fn new(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        new_id: impl Fn() -> Uuid + Send + Sync + 'static,
    ) -> Self {
        Self {
            now: Arc::new(now),
            new_id: Arc::new(new_id),
        }
    }

    /// The real clock and the operating system's randomness.
    pub fn system() -> Self {
        Self::new(Timestamp::now, Uuid::new_v4)
    }

    /// The present moment in whole microseconds, which is what the database keeps.
    pub(crate) fn moment(&self) -> Timestamp {
        let now = (self.now)();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Environment")
    }
}
