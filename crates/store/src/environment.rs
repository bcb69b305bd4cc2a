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
    /// The memory of this process, where that can be known.
    pub memory: fn() -> Option<MemoryUse>,
}

/// How much memory of the machine a process has, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Now.
    pub resident: i64,
    /// The most that it ever had.
    pub peak: i64,
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
            memory: || None,
        }
    }

    /// The real clock and the operating system's randomness.
    pub fn system() -> Self {
        Self {
            memory: process_memory,
            ..Self::new(Timestamp::now, Uuid::new_v4)
        }
    }

    /// A new id that is random but for its beginning, which tells a moment (RFC 9562, version 7).
    pub(crate) fn id_in_order(&self, at: Timestamp) -> Uuid {
        // What all random ids have in common, their version, is left out.
        let [a, b, c, _, _, _, _, _, _, d, e, f, g, h, i, j] = (self.new_id)().into_bytes();
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j])
            .into_uuid()
    }

    /// The present moment in whole microseconds, which is what the database keeps.
    pub(crate) fn moment(&self) -> Timestamp {
        let now = (self.now)();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

/// What Linux says of this process; elsewhere nothing is known.
fn process_memory() -> Option<MemoryUse> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kilobytes.checked_mul(1024)
    };
    Some(MemoryUse {
        resident: bytes("VmRSS:")?,
        peak: bytes("VmHWM:")?,
    })
}

impl fmt::Debug for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Environment")
    }
}
