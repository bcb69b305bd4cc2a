//! Subscriptions: endpoints that are told of every change of directories, and what each was told.

use std::collections::{BTreeSet, HashMap};

use directory::subscription::DirectoryEvent;
use directory::{DirectoryId, JobKind};
use jiff::Timestamp;
use scim::fold;
use serde::{Deserialize, Serialize};

use crate::jobs::{COLUMNS as JOB_COLUMNS, read_job};
use crate::webhooks::{positions_text, read_positions};
use crate::{Arg, Job, Positions, ReadTx, Row, StoreError, WriteTx, args, connectors::json, sql};

/// What is said about a subscription, but its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionDraft {
    /// Its name.
    pub name: String,
    /// Where to send.
    pub url: String,
    /// The events that it is told of; none for all.
    pub events: Option<BTreeSet<DirectoryEvent>>,
    /// The directories that it is told of; none for all.
    pub directories: Option<Vec<DirectoryId>>,
    /// Whether it is told anything.
    pub enabled: bool,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The store's number.
    pub pk: i64,
    /// Its id.
    pub id: String,
    /// What is said about it.
    pub draft: SubscriptionDraft,
    /// The key of its signatures, sealed.
    pub sealed: String,
    /// When it was made.
    pub created: Timestamp,
    /// Up to where it was told of each journal.
    pub told: Positions,
    /// It was told of the jobs that ended before then.
    pub jobs_since: Timestamp,
    /// Ids of those that ended later, of which it was told.
    pub jobs_told: Vec<String>,
    /// Attempts that failed since the last success.
    pub failures: i64,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// Why the last of them failed.
    pub last_error: Option<String>,
    /// When it last took something.
    pub last_success: Option<Timestamp>,
    /// Not to be tried before.
    pub next_try: Timestamp,
    /// When it was given up, if it was.
    pub given_up: Option<Timestamp>,
}

impl Subscription {
    /// Whether it is told of a directory.
    pub fn wants(&self, directory: DirectoryId) -> bool {
        let chosen = self.draft.directories.as_ref();
        chosen.is_none_or(|chosen| chosen.contains(&directory))
    }

    /// Whether it is told of an event.
    pub fn hears(&self, event: DirectoryEvent) -> bool {
        let chosen = self.draft.events.as_ref();
        chosen.is_none_or(|chosen| chosen.contains(&event))
    }
}

/// What one delivery tells of; the events themselves are read anew from what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batch {
    /// A part of a journal: what is behind the first position, up to and with the second.
    Journal(DirectoryId, i64, i64),
    /// Jobs that ended, the first of them then, by their ids.
    Jobs(Timestamp, Vec<String>),
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be taken still; what comes after it waits.
    Waiting,
    /// It was taken.
    Taken,
    /// Somebody let what comes after it go on.
    Skipped,
}

impl DeliveryState {
    const ALL: [DeliveryState; 3] = [
        DeliveryState::Waiting,
        DeliveryState::Taken,
        DeliveryState::Skipped,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Taken => "taken",
            DeliveryState::Skipped => "skipped",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Something that a subscription was told, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The store's number.
    pub pk: i64,
    /// Its id, which the endpoint knows it by.
    pub id: String,
    /// What it tells of.
    pub batch: Batch,
    /// How many events that is.
    pub events: i64,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was sent.
    pub attempts: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last sent.
    pub last_try: Option<Timestamp>,
    /// What the other end said then, or why it was not reached.
    pub answer: Option<String>,
}

const COLUMNS: &str = "pk, public_id, name, url, events, directories, enabled, sealed, created, told, jobs_since, \
     jobs_told, failures, failing_since, last_error, last_success, next_try, given_up";

fn parsed<T: serde::de::DeserializeOwned>(text: &str, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(format!("subscription.{column}: {error}")))
}

fn read(row: &Row<'_>) -> Result<Subscription, StoreError> {
    let (events, directories) = (row.opt_text(4)?, row.opt_text(5)?);
    let events = events.map(|text| parsed(&text, "events")).transpose()?;
    let directories = directories.map(|text| parsed(&text, "directories"));
    Ok(Subscription {
        pk: row.int(0)?,
        id: row.text(1)?,
        draft: SubscriptionDraft {
            name: row.text(2)?,
            url: row.text(3)?,
            events,
            directories: directories.transpose()?,
            enabled: row.flag(6)?,
        },
        sealed: row.text(7)?,
        created: row.time(8)?,
        told: read_positions(row.str(9)?, "subscription.told")?,
        jobs_since: row.time(10)?,
        jobs_told: parsed(row.str(11)?, "jobs_told")?,
        failures: row.int(12)?,
        failing_since: row.opt_time(13)?,
        last_error: row.opt_text(14)?,
        last_success: row.opt_time(15)?,
        next_try: row.time(16)?,
        given_up: row.opt_time(17)?,
    })
}

const DELIVERY_COLUMNS: &str =
    "pk, public_id, batch, events, state, attempts, created, last_try, answer";

fn read_delivery(row: &Row<'_>) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        pk: row.int(0)?,
        id: row.text(1)?,
        batch: parsed(row.str(2)?, "batch")?,
        events: row.int(3)?,
        state: DeliveryState::parse(row.str(4)?)
            .ok_or_else(|| StoreError::corrupt("subscription_delivery.state"))?,
        attempts: row.int(5)?,
        created: row.time(6)?,
        last_try: row.opt_time(7)?,
        answer: row.opt_text(8)?,
    })
}

/// The columns of what is said about a subscription: `name`, `name_fold`, `url`, `events`, `directories`, `enabled`,
/// `sealed` and `told`.
fn said<'a>(
    draft: &'a SubscriptionDraft,
    sealed: &'a str,
    told: &Positions,
) -> Result<Vec<Arg<'a>>, StoreError> {
    Ok(args![
        draft.name.as_str(),
        fold(&draft.name),
        draft.url.as_str(),
        draft.events.as_ref().map(json).transpose()?,
        draft.directories.as_ref().map(json).transpose()?,
        draft.enabled,
        sealed,
        positions_text(told)?,
    ])
}

impl ReadTx<'_> {
    /// All subscriptions, by name.
    pub fn subscriptions(&self) -> Result<Vec<Subscription>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM subscription ORDER BY name_fold");
        self.query(&sql, args![], read)
    }

    /// The subscription with this id or name.
    pub fn find_subscription(&self, name: &str) -> Result<Option<Subscription>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM subscription WHERE public_id = $1 OR name_fold = $2 \
             ORDER BY CASE WHEN public_id = $1 THEN 0 ELSE 1 END LIMIT 1"
        );
        self.query_one(&sql, args![name, fold(name)], read)
    }

    /// Subscriptions that may be told something now, those waiting longest first.
    pub fn subscriptions_to_try(&self) -> Result<Vec<Subscription>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM subscription WHERE enabled = 1 AND given_up IS NULL AND next_try <= $1 \
             ORDER BY next_try, pk"
        );
        self.query(&sql, args![self.now()], read)
    }

    /// What a subscription is to be told before anything else.
    pub fn waiting_delivery(&self, subscription: i64) -> Result<Option<Delivery>, StoreError> {
        let sql = format!(
            "SELECT {DELIVERY_COLUMNS} FROM subscription_delivery WHERE subscription_pk = $1 AND state = 'waiting' \
             ORDER BY pk LIMIT 1"
        );
        self.query_one(&sql, args![subscription], read_delivery)
    }

    /// The subscriptions that have something to be told.
    pub fn subscriptions_behind(&self) -> Result<BTreeSet<i64>, StoreError> {
        let found = self.query(
            "SELECT s.pk FROM subscription s WHERE EXISTS (SELECT 1 FROM subscription_delivery d \
             WHERE d.subscription_pk = s.pk AND d.state = 'waiting')",
            args![],
            |row| row.int(0),
        )?;
        Ok(found.into_iter().collect())
    }

    /// What a subscription was told, the newest first, before this one.
    pub fn deliveries(
        &self,
        subscription: i64,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!(
            "SELECT {DELIVERY_COLUMNS} FROM subscription_delivery WHERE subscription_pk = $1 AND pk < $2 \
             ORDER BY pk DESC LIMIT $3"
        );
        let before = before.unwrap_or(i64::MAX);
        self.query(&sql, args![subscription, before, limit], read_delivery)
    }

    /// One delivery of a subscription.
    pub fn delivery(&self, subscription: i64, id: &str) -> Result<Option<Delivery>, StoreError> {
        let sql = format!(
            "SELECT {DELIVERY_COLUMNS} FROM subscription_delivery WHERE public_id = $1 AND subscription_pk = $2"
        );
        self.query_one(&sql, args![id, subscription], read_delivery)
    }

    /// Jobs that ended from a moment on, of these directories if some are named, in the order in which they did.
    pub fn jobs_ended_since(
        &self,
        since: Timestamp,
        directories: Option<&[DirectoryId]>,
        kind: Option<JobKind>,
        limit: i64,
    ) -> Result<Vec<Job>, StoreError> {
        let mut arguments = args![since, limit];
        let mut narrowed = String::new();
        if let Some(directories) = directories {
            narrowed = format!(
                " AND directory_pk IN ({})",
                sql::placeholders(3, directories.len())
            );
            arguments.extend(directories.iter().map(|directory| Arg::from(directory.0)));
        }
        if let Some(kind) = kind {
            arguments.push(Arg::from(kind.as_str()));
            narrowed.push_str(&format!(" AND kind = ${}", arguments.len()));
        }
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM job WHERE finished IS NOT NULL AND finished >= $1{narrowed} \
             ORDER BY finished, pk LIMIT $2"
        );
        self.query(&sql, arguments, read_job)
    }

    /// The jobs with these ids that are still known, in their order.
    pub fn jobs_with(&self, ids: &[String]) -> Result<Vec<Job>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for chunk in sql::chunks(ids.iter().cloned()) {
            let statement = format!(
                "SELECT {JOB_COLUMNS} FROM job WHERE public_id IN ({})",
                sql::placeholders(1, chunk.len())
            );
            let arguments: Vec<Arg> = chunk.into_iter().map(Arg::from).collect();
            let jobs = self.query(&statement, arguments, read_job)?.into_iter();
            found.extend(jobs.map(|job| (job.public_id.clone(), job)));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

impl WriteTx<'_> {
    /// Stores a subscription that was told of everything up to these positions, with the id that its key is sealed for.
    pub fn insert_subscription(
        &self,
        id: &str,
        draft: &SubscriptionDraft,
        sealed: &str,
        told: &Positions,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut values = said(draft, sealed, told)?;
        values.extend(args![id, now]);
        self.execute(
            "INSERT INTO subscription (name, name_fold, url, events, directories, enabled, sealed, told, public_id, \
             created, jobs_since, jobs_told, failures, next_try) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, '[]', 0, $10)",
            values,
        )?;
        Ok(())
    }

    /// Changes what is said about a subscription, and tries it again at once. If it was not told of jobs before, it is told
    /// of those that end from now on.
    pub fn update_subscription(
        &self,
        before: &Subscription,
        draft: &SubscriptionDraft,
        sealed: &str,
        told: &Positions,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let jobs_since = match before.hears(DirectoryEvent::RunFinished) {
            true => before.jobs_since,
            false => now,
        };
        let mut values = said(draft, sealed, told)?;
        values.extend(args![now, jobs_since, before.pk]);
        self.execute(
            "UPDATE subscription SET name = $1, name_fold = $2, url = $3, events = $4, directories = $5, enabled = $6, \
             sealed = $7, told = $8, next_try = $9, given_up = NULL, jobs_since = $10 WHERE pk = $11",
            values,
        )?;
        Ok(())
    }

    /// Deletes a subscription and the log of what it was told.
    pub fn delete_subscription(&self, pk: i64) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM subscription_delivery WHERE subscription_pk = $1",
            "DELETE FROM subscription WHERE pk = $1",
        ] {
            self.execute(sql, args![pk])?;
        }
        Ok(())
    }

    /// Takes a subscription to tell it something, unless somebody else has: nobody else does so before `until`. `seen` is
    /// the time of its next try as the caller saw it.
    pub fn claim_subscription(
        &self,
        pk: i64,
        seen: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let claimed = self.execute(
            "UPDATE subscription SET next_try = $1 WHERE pk = $2 AND next_try = $3 AND enabled = 1 AND given_up IS NULL",
            args![until, pk, seen],
        )?;
        Ok(claimed > 0)
    }

    /// Notes how far a subscription is and how it fares; only the one who claimed it until `claimed` may.
    pub fn note_subscription(
        &self,
        after: &Subscription,
        claimed: Timestamp,
    ) -> Result<bool, StoreError> {
        let updated = self.execute(
            "UPDATE subscription SET told = $1, jobs_since = $2, jobs_told = $3, failures = $4, failing_since = $5, \
             last_error = $6, last_success = $7, next_try = $8, given_up = $9 WHERE pk = $10 AND next_try = $11",
            args![
                positions_text(&after.told)?,
                after.jobs_since,
                json(&after.jobs_told)?,
                after.failures,
                after.failing_since,
                after.last_error.as_deref(),
                after.last_success,
                after.next_try,
                after.given_up,
                after.pk,
                claimed
            ],
        )?;
        Ok(updated > 0)
    }

    /// Stores what a subscription is to be told next, and forgets what it was told before a moment.
    pub fn insert_delivery(
        &self,
        subscription: i64,
        batch: &Batch,
        events: i64,
        forget: Timestamp,
    ) -> Result<String, StoreError> {
        self.execute(
            "DELETE FROM subscription_delivery WHERE subscription_pk = $1 AND created < $2 AND state <> 'waiting'",
            args![subscription, forget],
        )?;
        let id = self.new_id().to_string();
        self.execute(
            "INSERT INTO subscription_delivery (public_id, subscription_pk, batch, events, state, attempts, created) \
             VALUES ($1, $2, $3, $4, 'waiting', 0, $5)",
            args![id.as_str(), subscription, json(batch)?, events, self.now()],
        )?;
        Ok(id)
    }

    /// Notes what came of a delivery.
    pub fn note_delivery(&self, delivery: &Delivery) -> Result<(), StoreError> {
        self.execute(
            "UPDATE subscription_delivery SET state = $1, attempts = $2, last_try = $3, answer = $4 WHERE pk = $5",
            args![
                delivery.state.as_str(),
                delivery.attempts,
                delivery.last_try,
                delivery.answer.as_deref(),
                delivery.pk
            ],
        )?;
        Ok(())
    }
}
