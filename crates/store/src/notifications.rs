//! Channels by which administrators are told, and what each was told.

use std::collections::{BTreeMap, BTreeSet};

use directory::ConnectorId;
use directory::notification::{Event, Told, Wants, Way};
use jiff::Timestamp;
use scim::fold;

use crate::{Arg, ReadTx, Row, StoreError, WriteTx, args, connectors::json};

/// What administrators say about a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelDraft {
    /// What it is called.
    pub name: String,
    /// How it tells.
    pub way: Way,
    /// What it tells of.
    pub wants: Wants,
    /// Minutes between two messages.
    pub every_minutes: u32,
    /// Whether it tells anything.
    pub enabled: bool,
}

/// A channel as it is stored.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The store's number.
    pub pk: i64,
    /// UUID for URLs.
    pub id: String,
    /// What administrators say about it.
    pub draft: ChannelDraft,
    /// Its secret, sealed.
    pub sealed: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Attempts that failed since the last success.
    pub failures: i64,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// Why the last of them failed, in a sentence for the administrator.
    pub last_error: Option<String>,
    /// When it last took a message.
    pub last_success: Option<Timestamp>,
    /// What was said then.
    pub last_answer: Option<String>,
    /// Nothing is sent before.
    pub next_try: Timestamp,
}

const COLUMNS: &str = "pk, public_id, name, way, sealed, events, connectors, every_minutes, enabled, created, failures, \
     failing_since, last_error, last_success, last_answer, next_try";

fn read(row: &Row<'_>) -> Result<Channel, StoreError> {
    let broken = |what: &'static str| {
        move |error: serde_json::Error| {
            StoreError::corrupt(format!("notification_channel.{what}: {error}"))
        }
    };
    let events: Option<BTreeSet<Event>> = match row.opt_text(5)? {
        Some(text) => Some(serde_json::from_str(&text).map_err(broken("events"))?),
        None => None,
    };
    let connectors: Option<Vec<ConnectorId>> = match row.opt_text(6)? {
        Some(text) => Some(serde_json::from_str(&text).map_err(broken("connectors"))?),
        None => None,
    };
    Ok(Channel {
        pk: row.int(0)?,
        id: row.text(1)?,
        draft: ChannelDraft {
            name: row.text(2)?,
            way: serde_json::from_str(row.str(3)?).map_err(broken("way"))?,
            wants: Wants { events, connectors },
            every_minutes: u32::try_from(row.int(7)?)
                .map_err(|_range| StoreError::corrupt("notification_channel.every_minutes"))?,
            enabled: row.flag(8)?,
        },
        sealed: row.opt_text(4)?,
        created: row.time(9)?,
        failures: row.int(10)?,
        failing_since: row.opt_time(11)?,
        last_error: row.opt_text(12)?,
        last_success: row.opt_time(13)?,
        last_answer: row.opt_text(14)?,
        next_try: row.time(15)?,
    })
}

/// The columns of what is said about a channel: `name`, `name_fold`, `way`, `sealed`, `events`, `connectors`,
/// `every_minutes` and `enabled`.
fn said<'a>(draft: &'a ChannelDraft, sealed: Option<&'a str>) -> Result<Vec<Arg<'a>>, StoreError> {
    Ok(args![
        draft.name.as_str(),
        fold(&draft.name),
        json(&draft.way)?,
        sealed,
        draft.wants.events.as_ref().map(json).transpose()?,
        draft.wants.connectors.as_ref().map(json).transpose()?,
        i64::from(draft.every_minutes),
        draft.enabled,
    ])
}

impl ReadTx<'_> {
    /// All channels, by name.
    pub fn channels(&self) -> Result<Vec<Channel>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM notification_channel ORDER BY name_fold");
        self.query(&sql, args![], read)
    }

    /// The channel with this id or name.
    pub fn find_channel(&self, name: &str) -> Result<Option<Channel>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM notification_channel WHERE public_id = $1 OR name_fold = $2 \
             ORDER BY CASE WHEN public_id = $1 THEN 0 ELSE 1 END LIMIT 1"
        );
        self.query_one(&sql, args![name, fold(name)], read)
    }

    /// Channels by which something may be told now, those waiting longest first.
    pub fn channels_to_try(&self) -> Result<Vec<Channel>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM notification_channel WHERE enabled = 1 AND next_try <= $1 ORDER BY next_try, pk"
        );
        self.query(&sql, args![self.now()], read)
    }

    /// What a channel was told, by what it is about.
    pub fn told(&self, channel: i64) -> Result<BTreeMap<String, Told>, StoreError> {
        let found = self.query(
            "SELECT key, mark, count FROM notification_told WHERE channel_pk = $1",
            args![channel],
            |row| {
                let told = Told {
                    mark: row.int(1)?,
                    count: row.int(2)?,
                };
                Ok((row.text(0)?, told))
            },
        )?;
        Ok(found.into_iter().collect())
    }
}

impl WriteTx<'_> {
    /// Stores a channel that was told nothing so far, with the id that its secret is sealed for.
    pub fn insert_channel(
        &self,
        id: &str,
        draft: &ChannelDraft,
        sealed: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut values = said(draft, sealed)?;
        values.extend(args![id, now, now]);
        self.execute(
            "INSERT INTO notification_channel (name, name_fold, way, sealed, events, connectors, every_minutes, \
             enabled, public_id, created, failures, next_try) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11)",
            values,
        )?;
        Ok(())
    }

    /// Changes what is said about a channel. What failed before is forgotten, and it is tried at `next_try`.
    pub fn update_channel(
        &self,
        pk: i64,
        draft: &ChannelDraft,
        sealed: Option<&str>,
        next_try: Timestamp,
    ) -> Result<(), StoreError> {
        let mut values = said(draft, sealed)?;
        values.extend(args![next_try, pk]);
        self.execute(
            "UPDATE notification_channel SET name = $1, name_fold = $2, way = $3, sealed = $4, events = $5, \
             connectors = $6, every_minutes = $7, enabled = $8, failures = 0, failing_since = NULL, \
             last_error = NULL, next_try = $9 WHERE pk = $10",
            values,
        )?;
        Ok(())
    }

    /// Deletes a channel and what it was told.
    pub fn delete_channel(&self, pk: i64) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM notification_told WHERE channel_pk = $1",
            "DELETE FROM notification_channel WHERE pk = $1",
        ] {
            self.execute(sql, args![pk])?;
        }
        Ok(())
    }

    /// Takes a channel to send by it, unless somebody else has: nobody else does so before `until`. `seen` is the time
    /// of its next try as the caller saw it.
    pub fn claim_channel(
        &self,
        pk: i64,
        seen: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let claimed = self.execute(
            "UPDATE notification_channel SET next_try = $1 WHERE pk = $2 AND next_try = $3 AND enabled = 1",
            args![until, pk, seen],
        )?;
        Ok(claimed > 0)
    }

    /// Notes what came of an attempt; only the one who claimed the channel until `claimed` may.
    pub fn note_attempt(&self, channel: &Channel, claimed: Timestamp) -> Result<bool, StoreError> {
        let updated = self.execute(
            "UPDATE notification_channel SET failures = $1, failing_since = $2, last_error = $3, last_success = $4, \
             last_answer = $5, next_try = $6 WHERE pk = $7 AND next_try = $8",
            args![
                channel.failures,
                channel.failing_since,
                channel.last_error.as_deref(),
                channel.last_success,
                channel.last_answer.as_deref(),
                channel.next_try,
                channel.pk,
                claimed
            ],
        )?;
        Ok(updated > 0)
    }

    /// Remembers what a channel was told of something.
    pub fn set_told(&self, channel: i64, key: &str, told: Told) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO notification_told (channel_pk, key, mark, count) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (channel_pk, key) DO UPDATE SET mark = excluded.mark, count = excluded.count",
            args![channel, key, told.mark, told.count],
        )?;
        Ok(())
    }

    /// Forgets that a channel was told of something.
    pub fn forget_told(&self, channel: i64, key: &str) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM notification_told WHERE channel_pk = $1 AND key = $2",
            args![channel, key],
        )?;
        Ok(())
    }
}
