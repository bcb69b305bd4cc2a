//! Replays: what a recorded request would do now, found by carrying it out in a transaction and taking all of it back.

use std::collections::HashMap;

use directory::{Cause, Change, ConnectorState, Trigger};
use scim::limits::BULK_OPERATIONS_MAX;
use scim::{BulkAction, BulkEndpoint, BulkRequest, BulkTask};
use serde_json::{Map, Value, json};
use store::{
    EntryNames, HoldQuery, JournalEntry, JournalQuery, ReadTx, RequestRecord, StoreError,
    StoredHold, WriteTx,
};

use crate::bulk::{BulkJob, BulkOutcome, carry_out_all};
use crate::loaded::LoadedConnector;
use crate::{Provision, ProvisionError};

/// Changes of a directory, and holds, that are told of.
const TOLD_MAX: usize = 200;
/// What stands in a record in the place of a secret.
const MASK: &str = "\"***\"";

/// What a recorded request would do now.
#[derive(Debug)]
pub struct Replayed {
    /// What it would do to the source: one operation, or those of a bulk request, in its order.
    pub operations: Vec<ReplayedOperation>,
    /// What it would change in the directory at once, the first 200.
    pub changes: Vec<ReplayedChange>,
    /// Whether there are more.
    pub more_changes: bool,
    /// What limits would keep back, the first 200.
    pub held: Vec<StoredHold>,
    /// How many people would be evaluated soon after.
    pub later: i64,
    /// Whether the connector lets anything take effect.
    pub state: ConnectorState,
    /// Whether a user that the request made was replaced instead, since it is there.
    pub as_replacement: bool,
    /// Whether something in it was secret, so that the mask was written in its place.
    pub masked: bool,
}

/// What became of one operation.
#[derive(Debug)]
pub struct ReplayedOperation {
    /// Whether it would succeed; none if it would not be begun, after too many failures before it.
    pub outcome: Option<BulkOutcome>,
    /// The user or group as the source has it.
    pub before: Option<KeptResource>,
    /// As it would be.
    pub after: Option<KeptResource>,
}

/// A user or a group of the source.
#[derive(Debug, Clone)]
pub struct KeptResource {
    /// Its document.
    pub document: String,
    /// How many members it has; none for a user.
    pub members: Option<i64>,
}

/// A change of the directory, with the names of those that it is about.
#[derive(Debug)]
pub struct ReplayedChange {
    /// The name of the user.
    pub user: Option<String>,
    /// The name of the group.
    pub group: Option<String>,
    /// The name of the group in it.
    pub child_group: Option<String>,
    /// What changes.
    pub change: Change,
}

impl Provision {
    /// What a recorded request would do now, by the present rules and what is stored now. Nothing is written.
    pub async fn replay_request(&self, id: i64) -> Result<Replayed, ProvisionError> {
        let missing = move || ProvisionError::not_found("request", &id.to_string());
        let found = self.store().look_up(move |tx| tx.request(id)).await?;
        let record = found.ok_or_else(missing)?;
        if let Some(told) = why_no_replay(&record) {
            return Err(ProvisionError::Conflict(told.to_owned()));
        }
        let place = self.place_of(record.connector).await?;
        self.write_at(place, move |this, tx, connector| {
            this.replay(tx, connector, &record)
        })
        .await
    }

    fn replay(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        record: &RequestRecord,
    ) -> Result<Replayed, ProvisionError> {
        let mut request = understood(record)?;
        let as_replacement = replace_what_is_there(tx, record, &mut request)?;
        let job = BulkJob {
            request,
            passwords: HashMap::new(),
            has_time: Box::new(|| true),
        };
        let cause = Cause {
            trigger: Trigger::Scim,
            connector: Some(connector.connector.id),
            actor: record.actor.clone(),
            request: tx.new_id().to_string(),
        };
        // Only what fails is taken back, so what was found out is the failure.
        let found = tx.attempt(|tx| {
            let found = self.try_out(tx, connector, &job, &cause);
            Err::<(), _>(found)
        })?;
        let mut replayed = match found {
            Err(found) => found?,
            Ok(()) => return Err(StoreError::corrupt("a replay was not taken back").into()),
        };
        replayed.as_replacement = as_replacement;
        replayed.masked = record
            .body
            .as_deref()
            .is_some_and(|body| body.contains(MASK));
        for (operation, asked) in replayed.operations.iter_mut().zip(&job.request.operations) {
            if let (Some(Ok(done)), Ok(task)) = (&operation.outcome, &asked.task) {
                operation.before = kept(tx, connector, task.endpoint, &done.id)?;
            }
        }
        Ok(replayed)
    }

    /// Carries it out, and tells what came of it.
    fn try_out(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        job: &BulkJob,
        cause: &Cause,
    ) -> Result<Replayed, ProvisionError> {
        let (id, directory) = (connector.connector.id, connector.connector.directory);
        let (position, due) = (tx.journal_position(directory)?, tx.due_count(id)?);
        let outcomes = carry_out_all(self, tx, connector, job, cause)?;
        let mut operations = Vec::with_capacity(outcomes.len());
        for (outcome, asked) in outcomes.into_iter().zip(&job.request.operations) {
            let after = match (&outcome, &asked.task) {
                (Some(Ok(done)), Ok(task)) => kept(tx, connector, task.endpoint, &done.id)?,
                _ => None,
            };
            operations.push(ReplayedOperation {
                outcome,
                before: None,
                after,
            });
        }
        let most = i64::try_from(TOLD_MAX).unwrap_or(i64::MAX);
        let mut entries = tx.journal(
            directory,
            &JournalQuery {
                after: position,
                limit: most + 1,
                ..JournalQuery::default()
            },
        )?;
        let more_changes = entries.len() > TOLD_MAX;
        entries.truncate(TOLD_MAX);
        Ok(Replayed {
            operations,
            changes: named(tx, connector, entries)?,
            more_changes,
            held: tx.holds(&HoldQuery {
                connector: Some(id),
                request: Some(cause.request.clone()),
                limit: most,
                ..HoldQuery::default()
            })?,
            later: (tx.due_count(id)? - due).max(0),
            state: connector.connector.state,
            as_replacement: false,
            masked: false,
        })
    }
}

/// Why a request cannot be tried again; nothing if it can.
pub fn why_no_replay(record: &RequestRecord) -> Option<&'static str> {
    match record.operation.as_str() {
        "refused" => {
            Some("The request was refused at the door, and nothing of what it sent was kept.")
        }
        "bulk" | "create_user" | "replace_user" | "patch_user" | "delete_user" | "create_group"
        | "replace_group" | "patch_group" | "delete_group" => record.body_cut.then_some(
            "The body of the request was longer than what is kept of one, so it cannot be tried again.",
        ),
        _ => Some("The request only reads, so it would change nothing."),
    }
}

/// The request as one for many operations, of which it may be the only one.
fn understood(record: &RequestRecord) -> Result<BulkRequest, ProvisionError> {
    let body = || match &record.body {
        Some(body) => scim::json::read_object(body.as_bytes()),
        None => Ok(Map::new()),
    };
    if record.operation == "bulk" {
        return Ok(BulkRequest::parse(body()?, BULK_OPERATIONS_MAX)?);
    }
    let collection = match record.operation.ends_with("_user") {
        true => "/Users",
        false => "/Groups",
    };
    let path = match record.method.as_str() {
        "POST" => collection.to_owned(),
        _ => {
            let path = record.path.split('?').next().unwrap_or_default();
            let id = path.trim_end_matches('/').rsplit('/').next();
            format!("{collection}/{}", id.unwrap_or_default())
        }
    };
    let mut operation = json!({
        "method": record.method,
        "path": path,
        // Nothing else can be of this name, as there is nothing else.
        "bulkId": "request",
    });
    if record.method != "DELETE" {
        operation["data"] = Value::Object(body()?);
    }
    let mut whole = Map::new();
    whole.insert("Operations".to_owned(), json!([operation]));
    Ok(BulkRequest::parse(whole, BULK_OPERATIONS_MAX)?)
}

/// Lets a request that made a user replace that user while it is there: it would be refused otherwise, and nobody would
/// see what the rules make of what it says.
fn replace_what_is_there(
    tx: &ReadTx<'_>,
    record: &RequestRecord,
    request: &mut BulkRequest,
) -> Result<bool, StoreError> {
    let made = record.resource_id.as_deref();
    let made = made.filter(|_| record.operation == "create_user" && record.status < 400);
    let Some(id) = made else { return Ok(false) };
    if tx.source_user(record.connector, id)?.is_none() {
        return Ok(false);
    }
    let Some(Ok(BulkTask { action, .. })) = request.operations.first_mut().map(|it| &mut it.task)
    else {
        return Ok(false);
    };
    if let BulkAction::Create(data) = action {
        *action = BulkAction::Replace(id.to_owned(), std::mem::take(data));
    }
    Ok(true)
}

fn kept(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    endpoint: BulkEndpoint,
    id: &str,
) -> Result<Option<KeptResource>, StoreError> {
    let connector = connector.connector.id;
    Ok(match endpoint {
        BulkEndpoint::Users => tx.source_user(connector, id)?.map(|user| KeptResource {
            document: user.document,
            members: None,
        }),
        BulkEndpoint::Groups => tx.source_group(connector, id)?.map(|group| KeptResource {
            document: group.document,
            members: Some(group.member_count),
        }),
    })
}

/// Entries with the names of those that they are about, as they are called afterwards.
fn named(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    entries: Vec<JournalEntry>,
) -> Result<Vec<ReplayedChange>, StoreError> {
    let names = EntryNames::of(tx, connector.connector.directory, &entries)?;
    let changes = entries.into_iter().map(|entry| ReplayedChange {
        user: names.user(&entry).map(|user| user.name.clone()),
        group: names.group(&entry).map(str::to_owned),
        child_group: names.child_group(&entry).map(str::to_owned),
        change: entry.change,
    });
    Ok(changes.collect())
}
