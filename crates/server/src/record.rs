//! The record of SCIM requests: gathered in memory while requests are answered, written down in batches
//! beside them, and pruned. Plain reads that succeed are recorded only while
//! somebody wants to see them, so that they cost nothing here.

mod redact;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use directory::ConnectorId;
use provision::ProvisionError;
use scim::ResourceTypes;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use store::{RequestRecord, StoreError};
use tokio::sync::Notify;

use crate::App;

pub(crate) use redact::{json as redacted_json, path as redacted_path, value as redacted_value};

/// Records that wait at once; more are dropped and counted.
const WAITING_MAX: usize = 20_000;
/// Bytes of bodies that wait at once.
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Of a longer body only the beginning is looked at.
pub(crate) const BODY_READ_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a body that are kept.
const BODY_KEPT_BYTES_MAX: usize = 16 * 1024;
/// How often what waits is written down.
const WRITE_EVERY: Duration = Duration::from_millis(400);
/// So many waiting records are written down at once.
const WRITE_AT_LEAST: usize = 1_000;
/// Records of one transaction: short, since other writes wait for it.
const BATCH: usize = 128;
/// Days for which a job that ended is still told of.
const JOBS_KEPT_DAYS: u32 = 90;
/// How often old records are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// Between two pieces of pruning others may write.
const PRUNE_PAUSE: Duration = Duration::from_millis(50);
/// Refusals before the credential is known that are recorded in one minute of each connector that a path names.
const REFUSALS_PER_MINUTE: usize = 30;
/// Of all that paths name: anybody can make up names.
const ALL_REFUSALS_PER_MINUTE: usize = 900;

/// How long records of requests are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days.
    pub days: u32,
    /// Records of all connectors together; 0 records nothing.
    pub most: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days: 30,
            most: 200_000,
        }
    }
}

/// Whose request it was.
pub(crate) enum Owner {
    /// A connector that the credential opened, what is secret in its resources, and which attributes its rules hide.
    Known(ConnectorId, Arc<ResourceTypes>, Vec<String>),
    /// A connector that the path names, whether or not it exists.
    Named(String),
}

/// A request that was answered.
pub(crate) struct Answered {
    pub(crate) owner: Owner,
    pub(crate) record: RequestRecord,
    /// The beginning of the body, or all of it.
    pub(crate) body: Option<Bytes>,
}

#[derive(Default)]
struct Waiting {
    answered: Vec<Answered>,
    bytes: usize,
    refusals: Refusals,
}

/// Refusals of the present minute, by the connector that the path names.
#[derive(Default)]
struct Refusals {
    of: HashMap<String, usize>,
    all: usize,
}

impl Refusals {
    /// Whether one more is recorded.
    fn admit(&mut self, named: &str) -> bool {
        if self.all >= ALL_REFUSALS_PER_MINUTE {
            return false;
        }
        let count = self.of.entry(named.to_owned()).or_default();
        let admitted = *count < REFUSALS_PER_MINUTE;
        if admitted {
            *count += 1;
            self.all += 1;
        }
        admitted
    }
}

/// What waits to be written down.
#[derive(Default)]
pub(crate) struct Records {
    waiting: Mutex<Waiting>,
    many: Notify,
    writing: tokio::sync::Mutex<()>,
    warned: AtomicBool,
}

impl Records {
    /// Takes a record; false if too many wait already, or if it is one of too many refusals.
    pub(crate) fn push(&self, answered: Answered) -> bool {
        let bytes = answered.body.as_ref().map_or(0, Bytes::len);
        let mut waiting = self.lock();
        if let Owner::Named(named) = &answered.owner
            && !waiting.refusals.admit(named)
        {
            return false;
        }
        if waiting.answered.len() >= WAITING_MAX || waiting.bytes + bytes > WAITING_BYTES_MAX {
            return false;
        }
        waiting.bytes += bytes;
        waiting.answered.push(answered);
        if waiting.answered.len() == WRITE_AT_LEAST {
            self.many.notify_one();
        }
        true
    }

    fn take(&self) -> Vec<Answered> {
        let mut waiting = self.lock();
        waiting.bytes = 0;
        std::mem::take(&mut waiting.answered)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Keeps a record of a request that was answered.
    pub(crate) fn keep_record(&self, answered: Answered) {
        if self.inner().settings.retention.most > 0 && !self.inner().records.push(answered) {
            self.inner().metrics.dropped_records(1);
        }
    }

    /// Writes down all records that wait. Called at the end of a server, and by those who want to read
    /// what has just happened.
    pub async fn flush_records(&self) {
        // Whoever waits here finds what the one before took written down.
        let _writing = self.inner().records.writing.lock().await;
        let mut waiting = self.inner().records.take().into_iter();
        loop {
            let batch: Vec<Answered> = waiting.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            self.write_down(batch).await;
        }
    }

    async fn write_down(&self, batch: Vec<Answered>) {
        let mut records = Vec::with_capacity(batch.len());
        for answered in batch {
            if let Some(connector) = self.connector_of(&answered.owner).await {
                records.push(complete(answered, connector));
            }
        }
        let records: Arc<[RequestRecord]> = records.into();
        let Err(error) = self.store_records(Arc::clone(&records)).await else {
            return;
        };
        match error {
            // Something about one of them: the others are not lost with it.
            ProvisionError::Store(StoreError::Sql { .. }) if records.len() > 1 => {
                for record in records.iter() {
                    if let Err(error) = self.store_records([record.clone()].into()).await {
                        self.drop_records(1, &error);
                    }
                }
            }
            error => self.drop_records(records.len(), &error),
        }
    }

    async fn store_records(&self, records: Arc<[RequestRecord]>) -> Result<(), ProvisionError> {
        if records.is_empty() {
            return Ok(());
        }
        self.provision().record_requests(records).await?;
        let warned = &self.inner().records.warned;
        warned.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn drop_records(&self, count: usize, error: &ProvisionError) {
        self.inner().metrics.dropped_records(count as u64);
        if !self.inner().records.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, count, "records of requests could not be written down");
        }
    }

    async fn connector_of(&self, owner: &Owner) -> Option<ConnectorId> {
        let name = match owner {
            Owner::Known(id, ..) => return Some(*id),
            Owner::Named(name) => name.clone(),
        };
        let found = self
            .provision()
            .store()
            .look_up(move |tx| tx.find_connector(&name));
        found.await.ok()?.map(|stored| stored.connector.id)
    }
}

/// Fills in what is known from the body, and the body itself without its secrets.
fn complete(answered: Answered, connector: ConnectorId) -> RequestRecord {
    let Answered {
        owner,
        mut record,
        body,
    } = answered;
    record.connector = connector;
    let secrets = match &owner {
        Owner::Known(_, types, hidden) => redact::Secrets::of(types, hidden),
        Owner::Named(_) => redact::Secrets::default(),
    };
    if let Some(body) = body {
        if record.resource_name.is_none() {
            record.resource_name = name_in(&body, &record, &secrets);
        }
        let mut text = redact::body(&body, &secrets);
        if text.len() > BODY_KEPT_BYTES_MAX {
            let end = text.floor_char_boundary(BODY_KEPT_BYTES_MAX);
            text.truncate(end);
            record.body_cut = true;
        }
        record.body = Some(text);
    }
    clean(&mut record);
    record
}

/// What a client sent may be anything; a database takes no character NUL.
fn clean(record: &mut RequestRecord) {
    let texts = [&mut record.request, &mut record.path, &mut record.client];
    let others = [
        &mut record.resource_id,
        &mut record.resource_name,
        &mut record.detail,
        &mut record.body,
    ];
    for text in texts.into_iter().chain(others.into_iter().flatten()) {
        if text.contains('\0') {
            *text = text.replace('\0', "\u{fffd}");
        }
    }
}

/// The name that a resource was to get.
fn name_in(body: &[u8], record: &RequestRecord, secrets: &redact::Secrets) -> Option<String> {
    let wanted = match record.resource_type.as_deref() {
        Some("User") => "userName",
        Some("Group") => "displayName",
        _ => return None,
    };
    if secrets.has(wanted) {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let name = reader.deserialize_map(Member(wanted)).ok()??;
    (name.chars().count() <= scim::limits::NAME_CHARS_MAX).then_some(name)
}

/// Reads one text out of an object and passes over the rest.
struct Member(&'static str);

impl<'de> Visitor<'de> for Member {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<String>, A::Error> {
        let mut found = None;
        while let Some(name) = entries.next_key::<Cow<'de, str>>()? {
            if name.eq_ignore_ascii_case(self.0) {
                found = entries.next_value::<Option<String>>()?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Writes records down for ever.
pub(crate) async fn write_down(app: App) {
    loop {
        let _many = tokio::time::timeout(WRITE_EVERY, app.inner().records.many.notified()).await;
        app.flush_records().await;
    }
}

/// Prunes records for ever.
pub(crate) async fn prune(app: App) {
    loop {
        let Retention { days, most } = app.inner().settings.retention;
        loop {
            match app.provision().prune_requests(days, most).await {
                Ok(0) => break,
                Ok(count) => tracing::debug!(count, "old records of requests were removed"),
                Err(error) => {
                    tracing::warn!(%error, "old records of requests could not be removed");
                    break;
                }
            }
            tokio::time::sleep(PRUNE_PAUSE).await;
        }
        if let Err(error) = app.provision().prune_jobs(JOBS_KEPT_DAYS).await {
            tracing::warn!(%error, "old jobs could not be removed");
        }
        if let Err(error) = app.provision().prune_imports().await {
            tracing::warn!(%error, "what was kept of imports could not be removed");
        }
        tokio::time::sleep(PRUNE_EVERY).await;
        app.inner().records.lock().refusals = Refusals::default();
    }
}
