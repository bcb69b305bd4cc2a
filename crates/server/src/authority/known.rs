//! What was looked up a moment ago, so that a client that asks much costs no statement for each
//! request. Only what was found is remembered, for a second at most, and for no time at all once
//! this process changes any setting.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use store::Store;

/// How long another node's change may go unnoticed.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(1);
/// Entries at once; more than a server has credentials in use.
const ENTRIES_MAX: usize = 4096;

/// The state of the settings before a look-up: what is found then is good for this state alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    version: u64,
    pub(super) now: Timestamp,
}

impl Moment {
    pub(super) fn of(store: &Store) -> Self {
        Self {
            version: store.settings_version(),
            now: store.now(),
        }
    }
}

struct Entry<V> {
    value: Arc<V>,
    found: Moment,
}

/// Values by the digest of what was shown for them.
pub(crate) struct Known<K, V> {
    entries: Mutex<HashMap<K, Entry<V>>>,
}

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
        }
    }
}

impl<K: Hash + Eq, V> Known<K, V> {
    pub(super) fn get<Q>(&self, key: &Q, at: Moment) -> Option<Arc<V>>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(key)?;
        entry.is_good(at).then(|| Arc::clone(&entry.value))
    }

    /// Remembers what was looked up after `found`.
    pub(super) fn keep(&self, key: K, found: Moment, value: Arc<V>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX {
            entries.retain(|_, entry| entry.is_good(found));
            if entries.len() >= ENTRIES_MAX {
                entries.clear();
            }
        }
        entries.insert(key, Entry { value, found });
    }
}

impl<V> Entry<V> {
    /// A clock that was set back makes an entry no younger.
    fn is_good(&self, at: Moment) -> bool {
        let age = at.now.duration_since(self.found.now);
        at.version == self.found.version && !age.is_negative() && age < REMEMBERED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(version: u64, millis: i64) -> Moment {
        let now = Timestamp::from_millisecond(1_780_000_000_000 + millis).unwrap();
        Moment { version, now }
    }

    #[test]
    fn it_is_good_for_a_second_and_for_one_state_of_the_settings() {
        let known = Known::<u8, &str>::default();
        known.keep(1, moment(7, 0), Arc::new("one"));
        for (at, found) in [
            (moment(7, 0), true),
            (moment(7, 999), true),
            (moment(7, 1000), false),
            (moment(7, -1), false),
            (moment(8, 0), false),
            (moment(6, 0), false),
        ] {
            assert_eq!(known.get(&1, at).is_some(), found, "{at:?}");
        }
        assert!(known.get(&2, moment(7, 0)).is_none());
    }

    #[test]
    fn its_memory_is_bounded() {
        let known = Known::<usize, ()>::default();
        for key in 0..3 * ENTRIES_MAX {
            known.keep(key, moment(1, 0), Arc::new(()));
            assert!(known.entries.lock().unwrap().len() <= ENTRIES_MAX);
        }
    }
}
