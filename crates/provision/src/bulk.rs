//! Bulk: many operations of an identity provider in a few transactions.
//!
//! The operations are carried out in pieces. A piece is one transaction and so one durable commit, and
//! each operation is a part of it that can fail by itself: it happens whole or not at all, and sees
//! what came before it. Between pieces others may write.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use directory::Cause;
use scim::{
    BulkAction, BulkEndpoint, BulkRequest, BulkTask, BulkUnit, Meta, PatchRequest, Precondition,
    Resource, ScimError, Warning, catalogue, members_of,
};
use store::{StoreError, WriteTx};

use crate::loaded::LoadedConnector;
use crate::users::NewPassword;
use crate::write::{Place, Target};
use crate::{Provision, ProvisionError, WrittenGroup, WrittenUser};

/// Operations in one transaction: others wait for no more than these.
const PIECE: usize = 64;

/// A bulk request, ready to be carried out.
pub struct BulkJob {
    /// What was asked.
    pub request: BulkRequest,
    /// Passwords that came with operations, by the place of the operation.
    pub passwords: HashMap<usize, NewPassword>,
    /// Asked before each piece: when there is no time left, what remains is refused with 503.
    pub has_time: Box<dyn Fn() -> bool + Send + Sync>,
}

/// What became of an operation that was carried out.
#[derive(Debug, Clone)]
pub struct BulkDone {
    /// The HTTP status of the single request.
    pub status: u16,
    /// The SCIM id of the resource.
    pub id: String,
    /// Version and times after it; none if the resource is gone.
    pub meta: Option<Meta>,
    /// What was ignored, and why.
    pub warnings: Vec<Warning>,
}

/// The outcome of one operation.
pub type BulkOutcome = Result<BulkDone, ProvisionError>;

/// What a piece has done.
#[derive(Default)]
struct Piece {
    outcomes: Vec<(usize, BulkOutcome)>,
    /// The ids by the names that the client gave.
    ids: HashMap<String, String>,
    errors: usize,
}

impl Provision {
    /// Carries out a bulk request (RFC 7644 section 3.7). Gives the outcome of each operation, none
    /// for those that were not begun because too many before them had failed.
    pub async fn bulk(
        &self,
        connector: &LoadedConnector,
        job: BulkJob,
        cause: Cause,
    ) -> Vec<Option<BulkOutcome>> {
        let job = Arc::new(job);
        let mut outcomes: Vec<Option<BulkOutcome>> = Vec::new();
        outcomes.resize_with(job.request.operations.len(), || None);
        let fail_on_errors = job.request.fail_on_errors.unwrap_or(usize::MAX);
        let units = job.request.order();
        let mut rest = units.as_slice();
        let (mut ids, mut errors, mut one_by_one) = (HashMap::new(), 0, 0_usize);
        while !rest.is_empty() && errors < fail_on_errors {
            if !(job.has_time)() {
                refuse(&mut outcomes, rest, || out_of_time().into());
                break;
            }
            let size = if one_by_one > 0 { 1 } else { PIECE };
            let (piece, later) = rest.split_at(size.min(rest.len()));
            let allowed = fail_on_errors - errors;
            let carried_out = self.piece(connector, &job, piece, &ids, allowed, &cause);
            match carried_out.await {
                Ok(done) => {
                    ids = done.ids;
                    errors += done.errors;
                    for (nth, outcome) in done.outcomes {
                        if let Some(place) = outcomes.get_mut(nth) {
                            *place = Some(outcome);
                        }
                    }
                }
                // A defect that one operation hits must not be felt by its neighbours.
                Err(ProvisionError::Store(error)) if piece.len() > 1 && !is_trouble(&error) => {
                    one_by_one = piece.len();
                    continue;
                }
                Err(ProvisionError::Store(error)) if is_trouble(&error) => {
                    refuse(&mut outcomes, rest, || error.clone().into());
                    break;
                }
                Err(error) => {
                    let detail = error.to_string();
                    let mut first = Some(error);
                    refuse(&mut outcomes, piece, || {
                        let again = || ProvisionError::invalid("operation", detail.clone());
                        first.take().unwrap_or_else(again)
                    });
                    errors += piece
                        .iter()
                        .map(|unit| unit.operations.len())
                        .sum::<usize>();
                }
            }
            one_by_one = one_by_one.saturating_sub(1);
            rest = later;
        }
        outcomes
    }

    /// Carries out some units in one transaction.
    async fn piece(
        &self,
        connector: &LoadedConnector,
        job: &Arc<BulkJob>,
        units: &[BulkUnit],
        ids: &HashMap<String, String>,
        allowed: usize,
        cause: &Cause,
    ) -> Result<Piece, ProvisionError> {
        let (job, units) = (Arc::clone(job), units.to_vec());
        let (ids, cause) = (ids.clone(), cause.clone());
        self.write_at(Place::of(connector), move |this, tx, connector| {
            let mut piece = Piece {
                ids: ids.clone(),
                ..Piece::default()
            };
            let work = Work {
                provision: this,
                tx,
                connector,
                job: &job,
                cause: &cause,
            };
            for unit in &units {
                if piece.errors >= allowed {
                    break;
                }
                work.unit(unit, &mut piece)?;
            }
            Ok::<_, ProvisionError>(piece)
        })
        .await
    }
}

/// Carries out a whole request within a transaction; gives the outcome of each operation, none for those that were not
/// begun.
pub(crate) fn carry_out_all(
    provision: &Provision,
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    job: &BulkJob,
    cause: &Cause,
) -> Result<Vec<Option<BulkOutcome>>, StoreError> {
    let work = Work {
        provision,
        tx,
        connector,
        job,
        cause,
    };
    let allowed = job.request.fail_on_errors.unwrap_or(usize::MAX);
    let mut piece = Piece::default();
    for unit in &job.request.order() {
        if piece.errors >= allowed {
            break;
        }
        work.unit(unit, &mut piece)?;
    }
    let mut outcomes: Vec<Option<BulkOutcome>> = Vec::new();
    outcomes.resize_with(job.request.operations.len(), || None);
    for (nth, outcome) in piece.outcomes {
        if let Some(place) = outcomes.get_mut(nth) {
            *place = Some(outcome);
        }
    }
    Ok(outcomes)
}

/// Whether the store itself is in trouble, so that no other operation would fare better.
fn is_trouble(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Busy | StoreError::Unavailable { .. } | StoreError::DiskFull
    )
}

fn refuse(
    outcomes: &mut [Option<BulkOutcome>],
    units: &[BulkUnit],
    mut why: impl FnMut() -> ProvisionError,
) {
    for nth in units.iter().flat_map(|unit| &unit.operations) {
        if let Some(place) = outcomes.get_mut(*nth) {
            *place = Some(Err(why()));
        }
    }
}

fn out_of_time() -> ScimError {
    catalogue::BULK_OUT_OF_TIME.error(
        "The operations before this one took too long, so it was not begun. Send it again, with fewer others.",
    )
}

/// The open transaction of a piece.
struct Work<'w, 't> {
    provision: &'w Provision,
    tx: &'w WriteTx<'t>,
    connector: &'w LoadedConnector,
    job: &'w BulkJob,
    cause: &'w Cause,
}

impl Work<'_, '_> {
    fn unit(&self, unit: &BulkUnit, piece: &mut Piece) -> Result<(), StoreError> {
        if unit.circular {
            return self.circular(&unit.operations, piece);
        }
        for &nth in &unit.operations {
            let outcome = self.tx.attempt(|_tx| {
                let task = self
                    .task(nth)?
                    .resolved(|name| piece.ids.get(name).cloned())?;
                self.carry_out(nth, task)
            })?;
            piece.errors += usize::from(outcome.is_err());
            if let (Ok(done), Some(name)) = (&outcome, self.created_as(nth)) {
                piece.ids.insert(name.to_owned(), done.id.clone());
            }
            piece.outcomes.push((nth, outcome));
        }
        Ok(())
    }

    /// Resources that name each other: created without these references, then completed. None of them
    /// can be without the others, so they come to be together or not at all.
    fn circular(&self, operations: &[usize], piece: &mut Piece) -> Result<(), StoreError> {
        let together: HashSet<&str> = operations
            .iter()
            .filter_map(|nth| self.created_as(*nth))
            .collect();
        let outcome = self.tx.attempt(|_tx| {
            let mut ids = piece.ids.clone();
            let mut done = Vec::with_capacity(operations.len());
            for &nth in operations {
                let created = self.task(nth).and_then(|task| {
                    let task = task
                        .without(|name| together.contains(name))
                        .resolved(|name| ids.get(name).cloned())?;
                    self.carry_out(nth, task)
                });
                let created = created.map_err(|error| (nth, error))?;
                if let Some(name) = self.created_as(nth) {
                    ids.insert(name.to_owned(), created.id.clone());
                }
                done.push((nth, created));
            }
            for (nth, created) in &mut done {
                let completed = self.complete(*nth, &ids, &created.id);
                let completed = completed.map_err(|error| (*nth, error))?;
                created.meta = completed.meta;
                created.warnings.extend(completed.warnings);
            }
            Ok((done, ids))
        })?;
        match outcome {
            Ok((done, ids)) => {
                piece.ids = ids;
                let done = done.into_iter().map(|(nth, done)| (nth, Ok(done)));
                piece.outcomes.extend(done);
            }
            Err((failed, error)) => {
                let name = self.created_as(failed).unwrap_or_default();
                for &nth in operations.iter().filter(|nth| **nth != failed) {
                    let depends = scim::bulk::unresolved(name).into();
                    piece.outcomes.push((nth, Err(depends)));
                }
                piece.outcomes.push((failed, Err(error)));
                piece.errors += operations.len();
            }
        }
        Ok(())
    }

    /// Writes again, and whole, what was created in part.
    fn complete(
        &self,
        nth: usize,
        ids: &HashMap<String, String>,
        id: &str,
    ) -> Result<BulkDone, ProvisionError> {
        let mut task = self.task(nth)?.resolved(|name| ids.get(name).cloned())?;
        if let BulkAction::Create(data) = task.action {
            task.action = BulkAction::Replace(id.to_owned(), data);
        }
        self.carry_out(nth, task)
    }

    fn task(&self, nth: usize) -> Result<&BulkTask, ProvisionError> {
        let operation = self.job.request.operations.get(nth);
        let task = operation.map(|operation| operation.task.as_ref());
        match task {
            Some(Ok(task)) => Ok(task),
            Some(Err(error)) => Err(error.clone().into()),
            None => Err(catalogue::INTERNAL_ERROR
                .error("There is no such operation.")
                .into()),
        }
    }

    /// The name under which others refer to what an operation creates.
    fn created_as(&self, nth: usize) -> Option<&str> {
        let operation = self.job.request.operations.get(nth)?;
        let creates = matches!(&operation.task, Ok(task) if task.id().is_none());
        operation.bulk_id.as_deref().filter(|_| creates)
    }

    fn carry_out(&self, nth: usize, task: BulkTask) -> BulkOutcome {
        let precondition = &task.precondition;
        match task.endpoint {
            BulkEndpoint::Users => self.user(nth, task.action, precondition),
            BulkEndpoint::Groups => self.group(task.action, precondition),
        }
    }

    fn user(&self, nth: usize, action: BulkAction, precondition: &Precondition) -> BulkOutcome {
        let Self {
            provision,
            tx,
            connector,
            cause,
            ..
        } = *self;
        let password = self.job.passwords.get(&nth);
        match action {
            BulkAction::Create(data) => {
                let (user, warnings) =
                    Resource::from_request(&connector.types.user, data, &connector.dialect)?;
                let written = provision.create_user_in(tx, connector, &user, password, cause)?;
                Ok(BulkDone::of_user(201, written, warnings))
            }
            BulkAction::Replace(id, data) => {
                let target = Target::new(&id, precondition);
                let written =
                    provision.replace_user_in(tx, connector, target, &data, password, cause)?;
                Ok(BulkDone::of_user(200, written, Vec::new()))
            }
            BulkAction::Patch(id, data) => {
                let (target, patch) = (Target::new(&id, precondition), PatchRequest::parse(data)?);
                let written =
                    provision.patch_user_in(tx, connector, target, &patch, password, cause)?;
                Ok(BulkDone::of_user(200, written, Vec::new()))
            }
            BulkAction::Delete(id) => {
                provision.delete_user_in(tx, connector, Target::new(&id, precondition), cause)?;
                Ok(BulkDone::gone(id))
            }
        }
    }

    fn group(&self, action: BulkAction, precondition: &Precondition) -> BulkOutcome {
        let Self {
            provision,
            tx,
            connector,
            cause,
            ..
        } = *self;
        match action {
            BulkAction::Create(mut data) => {
                let members = members_of(&mut data)?.unwrap_or_default();
                let (group, warnings) =
                    Resource::from_request(&connector.types.group, data, &connector.dialect)?;
                let written = provision.create_group_in(tx, connector, &group, &members, cause)?;
                Ok(BulkDone::of_group(201, written, warnings))
            }
            BulkAction::Replace(id, mut data) => {
                let members = members_of(&mut data)?.unwrap_or_default();
                let target = Target::new(&id, precondition);
                let written =
                    provision.replace_group_in(tx, connector, target, &data, &members, cause)?;
                Ok(BulkDone::of_group(200, written, Vec::new()))
            }
            BulkAction::Patch(id, data) => {
                let (attributes, members) = PatchRequest::parse(data)?.split_members()?;
                let target = Target::new(&id, precondition);
                let written = provision.patch_group_in(
                    tx,
                    connector,
                    target,
                    &attributes,
                    &members,
                    cause,
                )?;
                Ok(BulkDone::of_group(200, written, Vec::new()))
            }
            BulkAction::Delete(id) => {
                provision.delete_group_in(tx, connector, Target::new(&id, precondition), cause)?;
                Ok(BulkDone::gone(id))
            }
        }
    }
}

impl BulkDone {
    fn of_user(status: u16, written: WrittenUser, mut warnings: Vec<Warning>) -> Self {
        warnings.extend(written.warnings);
        Self {
            status,
            id: written.user.id,
            meta: Some(written.user.meta),
            warnings,
        }
    }

    fn of_group(status: u16, written: WrittenGroup, mut warnings: Vec<Warning>) -> Self {
        warnings.extend(written.warnings);
        Self {
            status,
            id: written.group.id,
            meta: Some(written.group.meta),
            warnings,
        }
    }

    fn gone(id: String) -> Self {
        Self {
            status: 204,
            id,
            meta: None,
            warnings: Vec::new(),
        }
    }
}
