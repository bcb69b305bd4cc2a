//! The ends of a membership: what put somebody into a group, what took the person out.

use std::collections::BTreeSet;

use directory::{Change, DirectoryId, Origin, User};
use store::{ReadTx, RequestQuery, RequestRecord};

use crate::{Provision, ProvisionError, Written};

/// How somebody came out of a group.
#[derive(Debug, Clone)]
pub struct Left {
    /// What did it: what set the evaluation off.
    pub by: Written,
    /// Why the user was in it.
    pub origins: BTreeSet<Origin>,
    /// The request of the identity provider behind it, if the record still has it.
    pub record: Option<RequestRecord>,
}

impl Provision {
    /// What put a user into a group last; none if the user is in none of this name, or the journal does not tell.
    pub fn joined(
        &self,
        tx: &ReadTx<'_>,
        user: &User,
        directory: DirectoryId,
        group: &str,
    ) -> Result<Option<Written>, ProvisionError> {
        let Some(group) = tx.directory_group(directory, group)? else {
            return Ok(None);
        };
        if tx.membership_origins(group.pk, user.pk)?.is_none() {
            return Ok(None);
        }
        let entry = tx.journal_of_joining(user.pk, group.pk)?;
        Ok(entry.map(Written::from))
    }

    /// What took a user who is in a group no more out of it; none if the user never was in it, or the journal does not tell.
    pub fn left(
        &self,
        tx: &ReadTx<'_>,
        user: &User,
        directory: DirectoryId,
        group: &str,
    ) -> Result<Option<Left>, ProvisionError> {
        let Some(group) = tx.directory_group_ever(directory, group)? else {
            return Ok(None);
        };
        let Some(entry) = tx.journal_of_leaving(user.pk, group.pk)? else {
            return Ok(None);
        };
        let origins = match &entry.change {
            Change::RemoveMembership { origins, .. } => origins.clone(),
            _ => BTreeSet::new(),
        };
        let query = RequestQuery {
            connector: entry.cause.connector,
            request: Some(entry.cause.request.clone()),
            limit: 1,
            ..RequestQuery::default()
        };
        let record = match entry.cause.request.is_empty() {
            true => None,
            false => tx.requests(&query)?.pop(),
        };
        Ok(Some(Left {
            by: entry.into(),
            origins,
            record,
        }))
    }
}
