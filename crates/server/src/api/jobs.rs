//! Jobs: how far they are, and how to end one. And what sets one off, or evaluates a single user.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use directory::{Counts, JobId, JobKind, JobState, Trigger};
use jiff::Timestamp;
use provision::{BegunJob, Progress, ProvisionError, Refreshed};
use serde::{Deserialize, Serialize};
use store::{Job, JobQuery, ReadTx, Rights};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, cut, limit, one_more};
use super::request::{Parameters, Segments};
use super::undo::UndoResult;
use super::{Answer, Problem, connectors, directories};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .routes(routes!(reconcile))
        .routes(routes!(evaluate_account))
        .routes(routes!(evaluate_source_user))
}

/// A job: work on many people that goes on by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobView {
    /// Its id.
    id: String,
    /// What it does.
    #[schema(value_type = String)]
    kind: JobKind,
    /// The connector it is about, by the name it had when the job began.
    connector: Option<String>,
    /// The directory it changes, by the name it had when the job began.
    directory: String,
    /// What it is about, such as the name of a group; empty if that is the connector or the directory.
    subject: String,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    #[schema(value_type = String)]
    state: JobState,
    /// Whether it goes on only when its connector is active.
    waits: bool,
    /// How many users, or what else it goes by, there are to work off.
    total: i64,
    /// How many of them are done, be it by the job or by writes in between.
    done: i64,
    /// Seconds that it will go on, as fast as so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_seconds: Option<i64>,
    /// How often each operation happened: `create`, `update`, `rename`, `enable`, `disable`, `delete`, `group_add`,
    /// `group_remove`, `unchanged` and so on.
    #[schema(value_type = Object)]
    counts: Counts,
    /// What set it off.
    #[schema(value_type = String)]
    trigger: Trigger,
    /// Who did.
    actor: String,
    /// The id of the request behind it, which the journal names too; the job's own id if there was none.
    request: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When its work began.
    #[schema(value_type = Option<String>, format = DateTime)]
    started: Option<Timestamp>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished: Option<Timestamp>,
    /// Milliseconds from the beginning of its work to its end, or until now.
    took_millis: Option<i64>,
    /// Resident memory of the process in bytes when the job was asked for.
    memory_start_bytes: Option<i64>,
    /// The most of it since then, as far as the job is.
    memory_peak_bytes: Option<i64>,
    /// The same when the job was over.
    memory_end_bytes: Option<i64>,
    /// Of an undo: what it did so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<UndoResult>,
}

/// A job that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BegunView {
    /// The job.
    job: JobView,
    /// Whether it was going on already, so that nothing was begun.
    coalesced: bool,
}

/// What the evaluation of one user did.
#[derive(Debug, Serialize, ToSchema)]
struct Evaluation {
    /// How many changes it made in the directory.
    changes: usize,
    /// Whether it waits until the connector is active.
    waits: bool,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JobParameters {
    /// Only jobs about this connector, by id or name.
    connector: Option<String>,
    /// Only jobs about this directory, by id or name.
    directory: Option<String>,
    /// Only jobs of this kind.
    #[param(value_type = Option<String>)]
    kind: Option<JobKind>,
    /// Only jobs in this state.
    #[param(value_type = Option<String>)]
    state: Option<JobState>,
    /// Only jobs before this one: `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/jobs", operation_id = "list_jobs", tag = "jobs", params(JobParameters),
    responses((status = OK, body = Page<JobView>)))]
async fn list(
    admin: Admin,
    State(app): State<App>,
    Parameters(parameters): Parameters<JobParameters>,
) -> Answer<Json<Page<JobView>>> {
    let limit = limit(parameters.limit)?;
    let page = app
        .provision()
        .store()
        .read(move |tx| page(tx, &admin.rights, &parameters, limit))
        .await?;
    Ok(Json(page))
}

fn page(
    tx: &ReadTx<'_>,
    rights: &Rights,
    parameters: &JobParameters,
    limit: usize,
) -> Result<Page<JobView>, ProvisionError> {
    let connector = parameters
        .connector
        .as_deref()
        .map(|name| connectors::find(tx, name))
        .transpose()?;
    let directory = parameters
        .directory
        .as_deref()
        .map(|name| directories::find(tx, name))
        .transpose()?;
    let mut jobs = tx.jobs(&JobQuery {
        connector: connector.map(|stored| stored.connector.id),
        within: rights.connectors.clone(),
        directory: directory.map(|found| found.id),
        kind: parameters.kind,
        state: parameters.state,
        before: parameters.after.map(JobId),
        limit: one_more(limit),
    })?;
    let next = cut(&mut jobs, limit, |last| last.id.to_string());
    let items = jobs.into_iter().map(|job| view(tx, job));
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next,
    })
}

/// One job: how far it is, and what it did.
#[utoipa::path(get, path = "/jobs/{job}", operation_id = "show_job", tag = "jobs",
    params(("job" = String, Path, description = "Its id")),
    responses((status = OK, body = JobView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    id: Segments<String>,
) -> Answer<Json<JobView>> {
    let shown = app
        .provision()
        .store()
        .read(move |tx| view(tx, find(tx, &id)?))
        .await?;
    Ok(Json(shown))
}

/// Ends a job before its end.
///
/// Only an evaluation by hand or by schedule, and an undo, can be cancelled: what it did so far stays, and nothing is
/// missing. Every other kind carries out a change that has been made already.
#[utoipa::path(post, path = "/jobs/{job}/cancel", operation_id = "cancel_job", tag = "jobs",
    params(("job" = String, Path, description = "Its id")),
    responses((status = OK, body = JobView)))]
async fn cancel(
    _admin: Admin,
    State(app): State<App>,
    id: Segments<String>,
) -> Answer<Json<JobView>> {
    let job = app.provision().cancel_job(&id).await?;
    Ok(Json(seen(&app, job).await?))
}

/// Evaluates every user of a connector anew, by the present rules.
///
/// The work goes on after the answer, as a job. While one is going on, a second is not begun: the answer has that one, and
/// `coalesced` is true.
#[utoipa::path(post, path = "/connectors/{connector}/reconcile", operation_id = "reconcile_connector", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = ACCEPTED, body = BegunView)))]
async fn reconcile(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<impl IntoResponse> {
    let id = connectors::find_id(&app, &name).await?;
    let begun = app.provision().reconcile(id, &admin.name).await?;
    accepted(&app, begun).await
}

/// Evaluates the user of one account anew, at once.
#[utoipa::path(post, path = "/directories/{directory}/users/{user}/evaluate", operation_id = "evaluate_user", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key")),
    responses((status = OK, body = Evaluation)))]
async fn evaluate_account(
    admin: Admin,
    State(app): State<App>,
    Segments((directory, user)): Segments<(String, String)>,
) -> Answer<Json<Evaluation>> {
    let directory = directories::find_id(&app, directory).await?;
    let done = app
        .provision()
        .refresh_account(directory, &user, &admin.name)
        .await?;
    Ok(Json(done.into()))
}

/// Evaluates one user of a connector's source anew, at once, with an account or without.
#[utoipa::path(post, path = "/connectors/{connector}/users/{user}/evaluate", operation_id = "evaluate_source_user", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's SCIM `id` or `userName`")),
    responses((status = OK, body = Evaluation)))]
async fn evaluate_source_user(
    admin: Admin,
    State(app): State<App>,
    Segments((connector, user)): Segments<(String, String)>,
) -> Answer<Json<Evaluation>> {
    let connector = connectors::find_id(&app, &connector).await?;
    let done = app
        .provision()
        .refresh_source_user(connector, &user, &admin.name)
        .await?;
    Ok(Json(done.into()))
}

impl From<Refreshed> for Evaluation {
    fn from(done: Refreshed) -> Self {
        Self {
            changes: done.changes,
            waits: done.waits,
        }
    }
}

/// The answer to a request that began a job.
pub(super) async fn accepted(app: &App, begun: BegunJob) -> Answer<(StatusCode, Json<BegunView>)> {
    let answer = BegunView {
        coalesced: begun.coalesced,
        job: seen(app, begun.job).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

pub(super) async fn seen(app: &App, job: Job) -> Result<JobView, Problem> {
    let store = app.provision().store();
    Ok(store.read(move |tx| view(tx, job.clone())).await?)
}

/// The job of this id.
pub(super) fn find(tx: &ReadTx<'_>, id: &str) -> Result<Job, ProvisionError> {
    tx.find_job(id)?
        .ok_or_else(|| ProvisionError::not_found("job", id))
}

fn view(tx: &ReadTx<'_>, job: Job) -> Result<JobView, ProvisionError> {
    let Progress {
        done,
        total,
        remaining,
        waits,
    } = provision::progress(tx, &job)?;
    let end = job.finished.unwrap_or_else(|| tx.now());
    let took = job.started.map(|began| end.duration_since(began));
    let undo = provision::undo_report(&job)?.map(UndoResult::from);
    Ok(JobView {
        id: job.public_id,
        kind: job.kind,
        connector: job.connector_name,
        directory: job.directory_name,
        subject: job.subject,
        state: job.state,
        waits,
        total,
        done,
        remaining_seconds: remaining.map(|time| time.as_secs()),
        counts: job.counts,
        trigger: job.cause.trigger,
        actor: job.cause.actor,
        request: job.cause.request,
        failure: job.failure,
        created: job.created,
        started: job.started,
        finished: job.finished,
        took_millis: took.and_then(|time| i64::try_from(time.as_millis()).ok()),
        memory_start_bytes: job.memory.start,
        memory_peak_bytes: job.memory.peak,
        memory_end_bytes: job.memory.end,
        undo,
    })
}
