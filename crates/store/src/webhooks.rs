//! Webhooks: where applications want to hear that there is something new, and what they were told.

use std::collections::BTreeMap;

use directory::{ApplicationId, DirectoryId};
use jiff::Timestamp;

use crate::{ReadTx, Row, StoreError, WriteTx, args, connectors::json};

/// The newest journal position of each directory that an application sees.
pub type Positions = BTreeMap<DirectoryId, i64>;

/// A webhook as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its number, which its application knows it by.
    pub id: i64,
    /// Whose it is.
    pub application: ApplicationId,
    /// Where to send.
    pub url: String,
    /// What the endpoint recognises us by.
    pub token: Option<String>,
    /// What it has been told of.
    pub told: Positions,
    /// When it was made.
    pub created: Timestamp,
    /// Attempts that failed since the last success.
    pub failures: i64,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// Why the last of them failed, in a sentence for the administrator.
    pub last_error: Option<String>,
    /// When it last heard from us.
    pub last_success: Option<Timestamp>,
    /// Not to be tried before.
    pub next_try: Timestamp,
    /// When it was given up, if it was.
    pub disabled: Option<Timestamp>,
}

const COLUMNS: &str = "w.pk, w.application_pk, w.url, w.token, w.told, w.created, w.failures, w.failing_since, \
     w.last_error, w.last_success, w.next_try, w.disabled";

fn read_webhook(row: &Row<'_>) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        id: row.int(0)?,
        application: ApplicationId(row.int(1)?),
        url: row.text(2)?,
        token: row.opt_text(3)?,
        told: read_positions(row.str(4)?, "webhook.told")?,
        created: row.time(5)?,
        failures: row.int(6)?,
        failing_since: row.opt_time(7)?,
        last_error: row.opt_text(8)?,
        last_success: row.opt_time(9)?,
        next_try: row.time(10)?,
        disabled: row.opt_time(11)?,
    })
}

pub(crate) fn read_positions(text: &str, column: &str) -> Result<Positions, StoreError> {
    let pairs: Vec<(i64, i64)> = serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(format!("{column}: {error}")))?;
    let pairs = pairs.into_iter();
    Ok(pairs
        .map(|(directory, position)| (DirectoryId(directory), position))
        .collect())
}

pub(crate) fn positions_text(positions: &Positions) -> Result<String, StoreError> {
    let pairs: Vec<(i64, i64)> = positions
        .iter()
        .map(|(directory, position)| (directory.0, *position))
        .collect();
    json(&pairs)
}

impl ReadTx<'_> {
    /// The webhook with this number.
    pub fn webhook(&self, id: i64) -> Result<Option<Webhook>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM webhook w WHERE w.pk = $1");
        self.query_one(&sql, args![id], read_webhook)
    }

    /// The webhooks of an application, oldest first.
    pub fn webhooks_of(&self, application: ApplicationId) -> Result<Vec<Webhook>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM webhook w WHERE w.application_pk = $1 ORDER BY w.pk");
        self.query(&sql, args![application.0], read_webhook)
    }

    /// Webhooks that may be called now, those waiting longest first.
    pub fn webhooks_to_try(&self, limit: i64) -> Result<Vec<Webhook>, StoreError> {
        let now = self.now();
        let sql = format!(
            "SELECT {COLUMNS} FROM webhook w WHERE w.disabled IS NULL AND w.next_try <= $1 \
             ORDER BY w.next_try, w.pk LIMIT $2"
        );
        self.query(&sql, args![now, limit], read_webhook)
    }

    /// The newest journal position of each directory that an application sees.
    pub fn positions_seen_by(&self, application: ApplicationId) -> Result<Positions, StoreError> {
        let directories = self.query(
            "SELECT directory_pk FROM application_directory WHERE application_pk = $1 ORDER BY position",
            args![application.0],
            |row| row.int(0).map(DirectoryId),
        )?;
        directories
            .into_iter()
            .map(|directory| Ok((directory, self.journal_position(directory)?)))
            .collect()
    }
}

impl WriteTx<'_> {
    /// Stores a webhook that has been told of everything so far. One of the same application with the same
    /// address is given the token, and another chance.
    pub fn put_webhook(
        &self,
        application: ApplicationId,
        url: &str,
        token: Option<&str>,
        told: &Positions,
    ) -> Result<i64, StoreError> {
        let now = self.now();
        // The engine's number of the last insertion is not that of a row which was there before.
        let found = self.query_one(
            "INSERT INTO webhook (application_pk, url, token, told, created, failures, next_try) \
             VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (application_pk, url) DO UPDATE SET \
             token = excluded.token, failures = 0, failing_since = NULL, disabled = NULL, \
             next_try = excluded.next_try RETURNING pk",
            args![application.0, url, token, positions_text(told)?, now, now],
            |row| row.int(0),
        )?;
        found.ok_or_else(|| StoreError::sql("an insertion gave no number back"))
    }

    /// Takes a webhook to call it, unless somebody else has: nobody else does so before `until`. `seen` is the
    /// time of its next try as the caller saw it.
    pub fn claim_webhook(
        &self,
        id: i64,
        seen: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let claimed = self.execute(
            "UPDATE webhook SET next_try = $1 WHERE pk = $2 AND next_try = $3 AND disabled IS NULL",
            args![until, id, seen],
        )?;
        Ok(claimed > 0)
    }

    /// Notes what came of a call; only the one who claimed the webhook until `claimed` may.
    pub fn update_webhook(
        &self,
        webhook: &Webhook,
        claimed: Timestamp,
    ) -> Result<bool, StoreError> {
        let updated = self.execute(
            "UPDATE webhook SET told = $1, failures = $2, failing_since = $3, last_error = $4, last_success = $5, \
             next_try = $6, disabled = $7 WHERE pk = $8 AND next_try = $9",
            args![
                positions_text(&webhook.told)?,
                webhook.failures,
                webhook.failing_since,
                webhook.last_error.as_deref(),
                webhook.last_success,
                webhook.next_try,
                webhook.disabled,
                webhook.id,
                claimed
            ],
        )?;
        Ok(updated > 0)
    }

    /// Deletes a webhook.
    pub fn delete_webhook(&self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM webhook WHERE pk = $1", args![id])?;
        Ok(())
    }
}
