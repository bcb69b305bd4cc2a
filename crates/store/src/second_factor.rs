//! The second factor of administrators, and the codes that stand in for a lost one.

use crate::{ReadTx, StoreError, WriteTx, args};

/// What codes of an administrator are checked with.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    /// The secret, sealed.
    pub sealed: String,
    /// Whether it is asked for; otherwise it is being set up.
    pub confirmed: bool,
    /// The step of time of the code that was taken last.
    pub last_step: Option<i64>,
}

impl ReadTx<'_> {
    /// The second factor of an administrator, if there is one or one is being set up.
    pub fn second_factor(&self, administrator: i64) -> Result<Option<SecondFactor>, StoreError> {
        self.query_one(
            "SELECT totp_secret, totp_since, totp_step FROM administrator \
             WHERE pk = $1 AND totp_secret IS NOT NULL",
            args![administrator],
            |row| {
                Ok(SecondFactor {
                    sealed: row.text(0)?,
                    confirmed: row.opt_time(1)?.is_some(),
                    last_step: row.opt_int(2)?,
                })
            },
        )
    }

    /// How many recovery codes an administrator has left.
    pub fn recovery_codes(&self, administrator: i64) -> Result<i64, StoreError> {
        let counted = self.query_one(
            "SELECT count(*) FROM recovery_code WHERE administrator_pk = $1",
            args![administrator],
            |row| row.int(0),
        )?;
        Ok(counted.unwrap_or_default())
    }
}

impl WriteTx<'_> {
    /// Keeps the secret of a second factor that is being set up.
    pub fn prepare_second_factor(
        &self,
        administrator: i64,
        sealed: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE administrator SET totp_secret = $1, totp_since = NULL, totp_step = NULL WHERE pk = $2",
            args![sealed, administrator],
        )?;
        Ok(())
    }

    /// From now on the second factor is asked for.
    pub fn confirm_second_factor(&self, administrator: i64) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE administrator SET totp_since = $1 WHERE pk = $2",
            args![now, administrator],
        )?;
        Ok(())
    }

    /// Notes the step of the code that was taken.
    pub fn note_second_factor_step(&self, administrator: i64, step: i64) -> Result<(), StoreError> {
        self.execute(
            "UPDATE administrator SET totp_step = $1 WHERE pk = $2",
            args![step, administrator],
        )?;
        Ok(())
    }

    /// Forgets the second factor of an administrator, and its recovery codes.
    pub fn remove_second_factor(&self, administrator: i64) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM recovery_code WHERE administrator_pk = $1",
            args![administrator],
        )?;
        self.execute(
            "UPDATE administrator SET totp_secret = NULL, totp_since = NULL, totp_step = NULL WHERE pk = $1",
            args![administrator],
        )?;
        Ok(())
    }

    /// Gives an administrator these recovery codes, by their hashes, and no others.
    pub fn set_recovery_codes(
        &self,
        administrator: i64,
        hashes: &[String],
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "DELETE FROM recovery_code WHERE administrator_pk = $1",
            args![administrator],
        )?;
        for hash in hashes {
            self.execute(
                "INSERT INTO recovery_code (hash, administrator_pk, created) VALUES ($1, $2, $3)",
                args![hash.as_str(), administrator, now],
            )?;
        }
        Ok(())
    }

    /// Uses up a recovery code. Returns whether the administrator had it.
    pub fn use_recovery_code(&self, administrator: i64, hash: &str) -> Result<bool, StoreError> {
        let used = self.execute(
            "DELETE FROM recovery_code WHERE administrator_pk = $1 AND hash = $2",
            args![administrator, hash],
        )?;
        Ok(used > 0)
    }

    /// Ends the sessions of all administrators who have a password and no second factor.
    pub fn end_sessions_without_second_factor(&self) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM administrator_session WHERE administrator_pk IN \
             (SELECT pk FROM administrator WHERE totp_since IS NULL AND issuer IS NULL)",
            args![],
        )?;
        Ok(())
    }
}
