//! `/Bulk`: many operations in one request (RFC 7644 section 3.7).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::StreamExt;
use futures_util::stream;
use provision::{BulkJob, BulkOutcome, NewPassword};
use scim::limits::{BULK_BODY_BYTES_MAX, BULK_OPERATIONS_MAX};
use scim::{
    BulkAction, BulkEndpoint, BulkOperation, BulkRequest, BulkResult, BulkTask, PatchRequest,
    ResourceType, catalogue, render,
};

use super::reply::{self, Reply};
use super::request::Call;
use super::{scim_error, users};

/// No operation is begun after this, so that the answer comes before the handler's time is over.
const TIME: Duration = Duration::from_secs(15);
/// Passwords hashed at once; the hasher has to serve others too.
const PASSWORDS_AT_ONCE: usize = 2;

pub(super) async fn carry_out(call: &Call, body: Body) -> Reply {
    let begun = Instant::now();
    let has_time = move || begun.elapsed() < TIME;
    let map = call.object(body, BULK_BODY_BYTES_MAX).await?;
    let mut request = BulkRequest::parse(map, BULK_OPERATIONS_MAX)?;
    let passwords = passwords(call, &mut request, has_time).await;
    let operations = request.operations.clone();
    let job = BulkJob {
        request,
        passwords,
        has_time: Box::new(has_time),
    };
    let provision = call.face.app.provision();
    let outcomes = provision
        .bulk(&call.caller.connector, job, call.cause())
        .await;
    let results: Vec<Option<BulkResult>> = outcomes
        .into_iter()
        .zip(&operations)
        .map(|(outcome, operation)| Some(result(call, operation, outcome?)))
        .collect();
    let processed = operations.iter().zip(&results);
    let processed = processed.filter_map(|(operation, result)| Some((operation, result.as_ref()?)));
    Ok(reply::shown(scim::bulk::response(processed)))
}

/// Hashes the passwords that come with operations, before any transaction. An operation whose
/// password can't be hashed fails.
async fn passwords(
    call: &Call,
    request: &mut BulkRequest,
    has_time: impl Fn() -> bool + Copy,
) -> HashMap<usize, NewPassword> {
    let pushed = request.operations.iter().enumerate();
    let pushed: Vec<(usize, String)> = pushed
        .filter_map(|(nth, operation)| Some((nth, password(operation.task.as_ref().ok()?)?)))
        .collect();
    let hashing = stream::iter(pushed).map(|(nth, password)| async move {
        let hashed = match has_time() {
            false => Err(catalogue::BULK_OUT_OF_TIME.error(
                "There was no time left to keep the password. Send the operation again, with fewer others.",
            )),
            true => users::hashed(call, Some(password)).await,
        };
        (nth, hashed)
    });
    let hashed: Vec<_> = hashing.buffered(PASSWORDS_AT_ONCE).collect().await;
    let mut passwords = HashMap::new();
    for (nth, hashed) in hashed {
        match (hashed, request.operations.get_mut(nth)) {
            (Ok(Some(password)), _) => drop(passwords.insert(nth, password)),
            (Err(error), Some(operation)) => operation.task = Err(error),
            _ => {}
        }
    }
    passwords
}

fn password(task: &BulkTask) -> Option<String> {
    if task.endpoint != BulkEndpoint::Users {
        return None;
    }
    let ty = ResourceType::user();
    let password = match &task.action {
        BulkAction::Create(data) | BulkAction::Replace(_, data) => {
            scim::password_of(data, ty).map(str::to_owned)
        }
        BulkAction::Patch(_, data) => {
            let patch = PatchRequest::parse(data.clone()).ok()?;
            patch.password(ty).map(str::to_owned)
        }
        BulkAction::Delete(_) => None,
    };
    password.filter(|password| !password.is_empty())
}

fn result(call: &Call, operation: &BulkOperation, outcome: BulkOutcome) -> BulkResult {
    let task = operation.task.as_ref().ok();
    let location = |id: &str| {
        let ty = match task?.endpoint {
            BulkEndpoint::Users => ResourceType::user(),
            BulkEndpoint::Groups => ResourceType::group(),
        };
        Some(render::location(&call.caller.base_url, ty, id))
    };
    match outcome {
        Ok(done) => {
            call.note(&done.warnings);
            BulkResult {
                location: location(&done.id),
                version: done.meta.map(|meta| meta.etag()),
                outcome: Ok(done.status),
            }
        }
        Err(error) => BulkResult {
            location: task.and_then(BulkTask::known_id).and_then(location),
            version: None,
            outcome: Err(scim_error(error)),
        },
    }
}
