//! The record of requests: written in batches, beside the work of the requests themselves.

use std::collections::HashMap;
use std::sync::Arc;

use directory::ConnectorId;
use jiff::{SignedDuration, Timestamp};
use scim::Resource;
use store::{ReadTx, RequestRecord, Scope, StoreError};

use crate::{Provision, ProvisionError};

impl Provision {
    /// Stores records of requests. Whom a request was about is looked up here, off the request's way.
    pub async fn record_requests(
        &self,
        records: Arc<[RequestRecord]>,
    ) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Record, move |tx| {
                let mut known = HashMap::new();
                let mut names = Vec::with_capacity(records.len());
                for record in records.iter() {
                    let found = match &record.resource_name {
                        None => name_of(tx, record, &known)?,
                        Some(_) => None,
                    };
                    names.push(found);
                    let name = record.resource_name.as_deref();
                    let name = name.or(names.last().and_then(Option::as_deref));
                    if let (Some(id), Some(name)) = (&record.resource_id, name) {
                        known.insert((record.connector, id.as_str()), name.to_owned());
                    }
                }
                Ok::<_, ProvisionError>(tx.insert_requests(&records, &names)?)
            })
            .await
    }

    /// Forgets the oldest records: those older than `days`, and those beyond the newest `most`. One
    /// small piece of work; gives how many went, and is to be called again if there were any.
    pub async fn prune_requests(&self, days: u32, most: u32) -> Result<u64, ProvisionError> {
        self.store()
            .write(Scope::Record, move |tx| {
                let from = tx
                    .now()
                    .checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
                    .unwrap_or(Timestamp::UNIX_EPOCH);
                Ok::<_, ProvisionError>(tx.prune_requests(from, i64::from(most))?)
            })
            .await
    }
}

/// The `userName` or `displayName` of the resource concerned: as it is now, or as it was last told
/// by the records of the same batch or by those before.
fn name_of(
    tx: &ReadTx<'_>,
    record: &RequestRecord,
    known: &HashMap<(ConnectorId, &str), String>,
) -> Result<Option<String>, StoreError> {
    let Some(id) = &record.resource_id else {
        return Ok(None);
    };
    let present = match record.resource_type.as_deref() {
        Some("User") => tx.source_user(record.connector, id)?.and_then(|user| {
            let user = Resource::parse_stored(&user.document).ok()?;
            user.user_name().map(str::to_owned)
        }),
        Some("Group") => tx
            .source_group(record.connector, id)?
            .map(|group| group.display_name),
        _ => None,
    };
    let told = || known.get(&(record.connector, id.as_str())).cloned();
    match present.or_else(told) {
        Some(name) => Ok(Some(name)),
        None => tx.recorded_name(record.connector, id),
    }
}
