//! Attempts to sign in to the console: how often it was tried in vain, at an administrator or by a name that nobody has.

use jiff::Timestamp;

use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// Names that nobody has of which is remembered that they were tried.
const UNKNOWN_NAMES_MAX: i64 = 10_000;

/// Attempts since the last one that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// How many.
    pub failures: i64,
    /// Until when none is looked at; in the past, when the last one was.
    pub locked_until: Option<Timestamp>,
}

pub(crate) fn read_attempts(row: &Row<'_>, first: usize) -> Result<Attempts, StoreError> {
    Ok(Attempts {
        failures: row.int(first)?,
        locked_until: row.opt_time(first + 1)?,
    })
}

impl ReadTx<'_> {
    /// Attempts by the name of this hash, which nobody has.
    pub fn unknown_name_attempts(&self, hash: &str) -> Result<Option<Attempts>, StoreError> {
        self.query_one(
            "SELECT failures, locked_until FROM unknown_name WHERE hash = $1",
            args![hash],
            |row| read_attempts(row, 0),
        )
    }
}

impl WriteTx<'_> {
    /// Notes the attempts at an administrator.
    pub fn set_administrator_attempts(
        &self,
        administrator: i64,
        attempts: Attempts,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE administrator SET failures = $1, locked_until = $2 WHERE pk = $3",
            args![attempts.failures, attempts.locked_until, administrator],
        )?;
        Ok(())
    }

    /// Puts the attempts at an administrator back to what they were, if there were so many and no more meanwhile.
    pub fn take_back_administrator_attempt(
        &self,
        administrator: i64,
        counted: Attempts,
        before: Attempts,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE administrator SET failures = $1, locked_until = $2 WHERE pk = $3 AND failures = $4",
            args![
                before.failures,
                before.locked_until,
                administrator,
                counted.failures
            ],
        )?;
        Ok(())
    }

    /// Notes the attempts by a name that nobody has. Those that were made before `forgotten`, and the oldest of too many,
    /// are remembered no more.
    pub fn set_unknown_name_attempts(
        &self,
        hash: &str,
        attempts: Attempts,
        forgotten: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM unknown_name WHERE locked_until < $1",
            args![forgotten],
        )?;
        self.execute(
            "DELETE FROM unknown_name WHERE locked_until <= \
             (SELECT locked_until FROM unknown_name ORDER BY locked_until DESC LIMIT 1 OFFSET $1)",
            args![UNKNOWN_NAMES_MAX - 1],
        )?;
        self.execute(
            "INSERT INTO unknown_name (hash, failures, locked_until) VALUES ($1, $2, $3) \
             ON CONFLICT (hash) DO UPDATE SET failures = excluded.failures, locked_until = excluded.locked_until",
            args![hash, attempts.failures, attempts.locked_until.unwrap_or(forgotten)],
        )?;
        Ok(())
    }
}
