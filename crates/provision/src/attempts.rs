//! Attempts at the password or code of an administrator: each is counted before anything is compared, so that many at
//! once gain nothing, and each failure costs more waiting.

use jiff::{SignedDuration, Timestamp};
use scim::fold;
use store::{Administrator, AdministratorLock, Attempts, WriteTx, token_hash};

use crate::ProvisionError;

/// Failures that cost no waiting.
const FREE_FAILURES: i64 = 5;
/// The longest wait after a failure.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// Without an attempt for so long, failures are forgotten.
const MEMORY: SignedDuration = SignedDuration::from_hours(24);

/// An attempt at the account of an administrator that was counted.
pub(crate) struct Attempt {
    /// The password that is to be shown, as a hash.
    pub(crate) password_hash: String,
    administrator: i64,
    before: Attempts,
    counted: Attempts,
}

/// What becomes of an attempt by a name.
pub(crate) enum Admitted {
    /// It may be compared with the password of this administrator.
    Known(Box<Administrator>, Attempt),
    /// Nobody has the name. It is to take as long as if somebody had.
    Unknown,
    /// Nothing is looked at until then.
    Locked(Timestamp),
}

/// Counts an attempt by a name, whether or not somebody has it: the answer must not tell.
pub(crate) fn admit(tx: &WriteTx<'_>, name: &str) -> Result<Admitted, ProvisionError> {
    // Who signs in at a provider has no password, and is refused like somebody whom nobody knows.
    let found = tx.find_administrator(name)?;
    let Some(found) = found.filter(|found| found.issuer.is_none()) else {
        return admit_unknown(tx, name);
    };
    Ok(match begin(tx, found.pk)? {
        Ok(attempt) => Admitted::Known(Box::new(found), attempt),
        Err(until) => Admitted::Locked(until),
    })
}

fn admit_unknown(tx: &WriteTx<'_>, name: &str) -> Result<Admitted, ProvisionError> {
    let (hash, now) = (token_hash(&fold(name)), tx.now());
    let before = tx.unknown_name_attempts(&hash)?.unwrap_or_default();
    match counted(before, now) {
        Ok(attempts) => {
            tx.set_unknown_name_attempts(&hash, attempts, now - MEMORY)?;
            Ok(Admitted::Unknown)
        }
        Err(until) => Ok(Admitted::Locked(until)),
    }
}

/// Counts an attempt at an administrator's account; gives until when none is looked at if this is not.
pub(crate) fn begin(
    tx: &WriteTx<'_>,
    administrator: i64,
) -> Result<Result<Attempt, Timestamp>, ProvisionError> {
    let lock = tx.administrator_lock(administrator)?;
    let lock = lock.ok_or_else(|| ProvisionError::not_found("administrator", "any more"))?;
    let AdministratorLock {
        password_hash,
        attempts: before,
    } = lock;
    match counted(before, tx.now()) {
        Ok(counted) => {
            tx.set_administrator_attempts(administrator, counted)?;
            Ok(Ok(Attempt {
                password_hash,
                administrator,
                before,
                counted,
            }))
        }
        Err(until) => Ok(Err(until)),
    }
}

/// Takes an attempt back that was right, without forgiving those before it.
pub(crate) fn take_back(tx: &WriteTx<'_>, attempt: &Attempt) -> Result<(), ProvisionError> {
    Ok(tx.take_back_administrator_attempt(
        attempt.administrator,
        attempt.counted,
        attempt.before,
    )?)
}

/// Attempts with one more, after which none is looked at for a while; or until when this one is not.
fn counted(before: Attempts, now: Timestamp) -> Result<Attempts, Timestamp> {
    let failures = match before.locked_until {
        Some(until) if now < until => return Err(until),
        Some(until) if now.duration_since(until) >= MEMORY => 1,
        Some(_) | None => before.failures + 1,
    };
    Ok(Attempts {
        failures,
        locked_until: Some(now + wait_after(failures)),
    })
}

/// How long nothing is looked at after so many failures.
fn wait_after(failures: i64) -> SignedDuration {
    let Ok(beyond) = u32::try_from(failures - FREE_FAILURES) else {
        return SignedDuration::ZERO;
    };
    SignedDuration::from_secs(1 << beyond.min(16)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failures_are_free_and_each_more_costs_twice_the_time() {
        let waits: Vec<i64> = (1..=16)
            .map(|failures| wait_after(failures).as_secs())
            .collect();
        assert_eq!(waits[..8], [0, 0, 0, 0, 1, 2, 4, 8]);
        assert_eq!(waits[15], 300);
    }

    #[test]
    fn a_day_without_an_attempt_forgives_those_before() {
        let now = Timestamp::UNIX_EPOCH;
        let before = Attempts {
            failures: 9,
            locked_until: Some(now),
        };
        let after = |time| counted(before, now + time).unwrap().failures;
        assert_eq!(after(MEMORY - SignedDuration::from_secs(1)), 10);
        assert_eq!(after(MEMORY), 1);
        let soon = now - SignedDuration::from_secs(1);
        assert_eq!(counted(before, soon), Err(now));
    }
}
