//! Look-ups: whom the rules looked for when they decided about a user, so that both can be told apart later.

use directory::rules::LookupBy;
use directory::{Cause, ConnectorId, SourceUserPk};
use scim::fold;

use crate::{ReadTx, StoreError, WriteTx, args};

/// The value as it is compared.
fn compared(by: LookupBy, value: &str) -> String {
    match by {
        LookupBy::UserName => fold(value),
        LookupBy::Id | LookupBy::ExternalId => value.to_owned(),
    }
}

impl ReadTx<'_> {
    /// Whom the last decision about a user looked for, in the compared form, sorted.
    pub fn look_ups_of(&self, user: SourceUserPk) -> Result<Vec<(String, String)>, StoreError> {
        self.query(
            "SELECT sought_by, value FROM look_up WHERE user_pk = $1 ORDER BY sought_by, value",
            args![user.0],
            |row| Ok((row.text(0)?, row.text(1)?)),
        )
    }
}

impl WriteTx<'_> {
    /// Keeps whom a decision about a user looked for, in the place of what was kept before.
    pub fn set_look_ups<'a>(
        &self,
        connector: ConnectorId,
        user: SourceUserPk,
        look_ups: impl Iterator<Item = (LookupBy, &'a str)>,
    ) -> Result<(), StoreError> {
        let mut wanted: Vec<(String, String)> = look_ups
            .map(|(by, value)| (by.as_str().to_owned(), compared(by, value)))
            .collect();
        wanted.sort();
        wanted.dedup();
        let known = self.look_ups_of(user)?;
        if known == wanted {
            return Ok(());
        }
        for (by, value) in known.iter().filter(|it| !wanted.contains(it)) {
            self.execute(
                "DELETE FROM look_up WHERE connector_pk = $1 AND sought_by = $2 AND value = $3 AND user_pk = $4",
                args![connector.0, by.as_str(), value.as_str(), user.0],
            )?;
        }
        for (by, value) in wanted.iter().filter(|it| !known.contains(it)) {
            self.execute(
                "INSERT INTO look_up (connector_pk, sought_by, value, user_pk) VALUES ($1, $2, $3, $4)",
                args![connector.0, by.as_str(), value.as_str(), user.0],
            )?;
        }
        Ok(())
    }

    /// Owes everybody an evaluation now who was decided about with a look at this person. Returns how many.
    pub fn mark_lookers_due(
        &self,
        connector: ConnectorId,
        by: LookupBy,
        value: &str,
        cause: &Cause,
    ) -> Result<u64, StoreError> {
        let now = self.now();
        self.execute(
            "INSERT INTO due (user_pk, connector_pk, due_at, trigger_name, actor, request) \
             SELECT user_pk, connector_pk, CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT) \
             FROM look_up WHERE connector_pk = $5 AND sought_by = $6 AND value = $7 \
             ON CONFLICT (user_pk) DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due.due_at",
            args![
                now,
                cause.trigger.as_str(),
                cause.actor.as_str(),
                cause.request.as_str(),
                connector.0,
                by.as_str(),
                compared(by, value)
            ],
        )
    }
}
