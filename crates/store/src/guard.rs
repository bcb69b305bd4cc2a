//! What holds for a closure on every engine: a panic is an error, and a failed statement cannot be ignored.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::StoreError;

/// Runs a closure; a panic of it becomes an error.
///
/// What the closure had of the transaction is rolled back afterwards, so nothing half-done is seen.
pub(crate) fn caught<T, E: From<StoreError>>(
    closure: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(closure)).unwrap_or_else(|payload| {
        let error = StoreError::panicked(&*payload);
        tracing::error!(%error, "rolled back");
        Err(error.into())
    })
}

/// The outcome of a closure, given the statement error that it may have ignored.
pub(crate) fn settle<T, E: From<StoreError>>(
    outcome: Result<T, E>,
    failure: Option<StoreError>,
) -> Result<T, E> {
    match (outcome, failure) {
        (Ok(_), Some(failure)) => Err(failure.into()),
        (outcome, _) => outcome,
    }
}
