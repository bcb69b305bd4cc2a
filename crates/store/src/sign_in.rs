//! How people sign in with an application: where it keeps the token of a session, and for how long it is good.

use directory::{ApplicationId, SignInSettings};

use crate::{ReadTx, StoreError, WriteTx, args, connectors::json};

impl ReadTx<'_> {
    /// How people sign in with an application.
    pub fn sign_in_settings(
        &self,
        application: ApplicationId,
    ) -> Result<SignInSettings, StoreError> {
        let stored = self.query_one(
            "SELECT settings FROM application_sign_in WHERE application_pk = $1",
            args![application.0],
            |row| {
                serde_json::from_str(row.str(0)?).map_err(|error| {
                    StoreError::corrupt(format!("application_sign_in.settings: {error}"))
                })
            },
        )?;
        Ok(stored.unwrap_or_default())
    }
}

impl WriteTx<'_> {
    /// Stores how people sign in with an application.
    pub fn set_sign_in_settings(
        &self,
        application: ApplicationId,
        settings: &SignInSettings,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO application_sign_in (application_pk, settings) VALUES ($1, $2) \
             ON CONFLICT (application_pk) DO UPDATE SET settings = excluded.settings",
            args![application.0, json(settings)?],
        )?;
        Ok(())
    }

    /// Forgets what belongs to an application that is being deleted.
    pub(crate) fn delete_sign_in(&self, application: ApplicationId) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM application_sign_in WHERE application_pk = $1",
            "DELETE FROM webhook WHERE application_pk = $1",
        ] {
            self.execute(sql, args![application.0])?;
        }
        Ok(())
    }
}
