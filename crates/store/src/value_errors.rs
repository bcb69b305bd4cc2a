//! Users for whom the rules give a value that cannot be used (T20).

use directory::trace::Suppressed;
use directory::{ConnectorId, SourceUserPk, ValueError};
use jiff::Timestamp;

use crate::{ReadTx, Row, StoreError, WriteTx, args, connectors::json};

/// A user of the source for whom the rules give values that cannot be used.
#[derive(Debug, Clone)]
pub struct FlaggedUser {
    /// The store's number of the user, for the next page.
    pub source_pk: i64,
    /// The SCIM `id` of the user.
    pub id: String,
    /// Its document.
    pub document: String,
    /// What is wrong with which value.
    pub errors: Vec<ValueError>,
    /// Since when it is so.
    pub since: Timestamp,
}

/// Users of a connector for whom the rules give values that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlaggedUsers {
    /// Whose users.
    pub connector: ConnectorId,
    /// How many.
    pub count: i64,
    /// When the first one was found.
    pub since: Timestamp,
    /// When the newest was found.
    pub newest: Timestamp,
}

impl ReadTx<'_> {
    /// Users of a connector with values that cannot be used, from a place on.
    pub fn flagged_users(
        &self,
        connector: ConnectorId,
        behind: i64,
        limit: i64,
    ) -> Result<Vec<FlaggedUser>, StoreError> {
        self.query(
            "SELECT e.source_user_pk, u.id, u.document, e.errors, e.since \
             FROM value_error e JOIN source_user u ON u.pk = e.source_user_pk \
             WHERE e.connector_pk = $1 AND e.errors <> '[]' AND e.source_user_pk > $2 ORDER BY e.source_user_pk LIMIT $3",
            args![connector.0, behind, limit],
            |row| {
                Ok(FlaggedUser {
                    source_pk: row.int(0)?,
                    id: row.text(1)?,
                    document: row.text(2)?,
                    errors: read_errors(row, 3)?,
                    since: row.time(4)?,
                })
            },
        )
    }

    /// How many users have values that cannot be used, by connector.
    pub fn flagged_by_connector(&self) -> Result<Vec<FlaggedUsers>, StoreError> {
        self.query(
            "SELECT c.pk, count(*), min(e.since), max(e.since) FROM connector c CROSS JOIN value_error e \
             WHERE e.connector_pk = c.pk AND e.errors <> '[]' GROUP BY c.pk ORDER BY c.pk",
            args![],
            |row| {
                Ok(FlaggedUsers {
                    connector: ConnectorId(row.int(0)?),
                    count: row.int(1)?,
                    since: row.time(2)?,
                    newest: row.time(3)?,
                })
            },
        )
    }

    /// How many of some users of the source have values that cannot be used.
    pub fn count_flagged(&self, users: &[SourceUserPk]) -> Result<i64, StoreError> {
        self.count_among("value_error", "errors <> '[]'", users)
    }
}

impl WriteTx<'_> {
    /// Notes what is wrong with the values that the rules give a user, and what switches keep back. What was so before
    /// stays as it is.
    pub fn note_flags(
        &self,
        connector: ConnectorId,
        source: SourceUserPk,
        errors: &[ValueError],
        suppressed: &[Suppressed],
    ) -> Result<(), StoreError> {
        let (errors, suppressed) = (json(&errors)?, json(&suppressed)?);
        self.execute(
            "INSERT INTO value_error (source_user_pk, connector_pk, errors, since, suppressed, suppressed_since) \
             VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT (source_user_pk) DO UPDATE SET \
             since = CASE WHEN value_error.errors = excluded.errors THEN value_error.since ELSE excluded.since END, \
             suppressed_since = CASE WHEN value_error.suppressed = excluded.suppressed \
             THEN value_error.suppressed_since ELSE excluded.suppressed_since END, \
             errors = excluded.errors, suppressed = excluded.suppressed \
             WHERE value_error.errors <> excluded.errors OR value_error.suppressed <> excluded.suppressed",
            args![source.0, connector.0, errors.as_str(), self.now(), suppressed.as_str()],
        )?;
        Ok(())
    }

    /// Notes that all values of a user can be used, and that nothing is kept back.
    pub fn clear_flags(&self, source: SourceUserPk) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM value_error WHERE source_user_pk = $1",
            args![source.0],
        )?;
        Ok(())
    }
}

fn read_errors(row: &Row<'_>, column: usize) -> Result<Vec<ValueError>, StoreError> {
    serde_json::from_str(row.str(column)?)
        .map_err(|error| StoreError::corrupt(format!("value_error.errors: {error}")))
}
