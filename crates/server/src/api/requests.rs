//! The record of requests: what identity providers asked for, and what came of it.

use axum::Json;
use axum::extract::State;
use directory::{Change, ConnectorId};
use jiff::{SignedDuration, Timestamp};
use provision::{Provision, ProvisionError, why_no_replay};
use scim::{Warning, catalogue};
use serde::{Deserialize, Serialize};
use store::{ReadTx, RequestQuery, RequestRecord, Rights};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::journal::Names;
use super::page::{Page, cut, limit, not_a_place, one_more};
use super::problem::Problem;
use super::request::{Parameters, Segments};
use super::users::connector_names;
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

/// Journal entries of one request that are shown.
const EFFECTS_MAX: usize = 200;
/// How long after a request its effects are looked for: evaluations that were put off come later.
const EFFECTS_WITHIN: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
}

/// One request in a list.
#[derive(Debug, Serialize, ToSchema)]
struct RequestView {
    /// Its number; grows with time.
    id: i64,
    /// When it arrived.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Microseconds until the answer.
    took_micros: i64,
    /// The name of the connector.
    connector: String,
    /// The id that the answer and the journal have too.
    request: String,
    /// The method.
    method: String,
    /// The path below the base URL, with its query.
    path: String,
    /// What it means, for example `create_user`, `patch_group`, `list_users`, `refused`.
    operation: String,
    /// The status of the answer.
    status: u16,
    /// `User` or `Group`, if it was about one.
    resource_type: Option<String>,
    /// The SCIM `id` of the resource.
    resource_id: Option<String>,
    /// Its `userName` or `displayName`.
    resource_name: Option<String>,
    /// The code of the error, for example `user-name-taken`.
    code: Option<&'static str>,
    /// The keyword of the error.
    scim_type: Option<String>,
    /// What the error said.
    detail: Option<String>,
    /// What was ignored, and why.
    #[schema(value_type = Vec<WarningView>)]
    warnings: Vec<Warning>,
    /// The label of the token.
    actor: String,
    /// The id of the token.
    token: Option<String>,
    /// How the client calls itself.
    client: String,
}

/// Something in a request that had no effect.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "describes scim::Warning")]
struct WarningView {
    /// The attribute, URN or member.
    what: String,
    /// Why it had none.
    why: String,
}

/// One request with its body and its effect.
#[derive(Debug, Serialize, ToSchema)]
struct RequestDetail {
    #[serde(flatten)]
    request: RequestView,
    /// What errors of this code mean, where they come from, and what to do.
    error: Option<ErrorView>,
    /// The body without passwords and other secrets; absent if there was none.
    body: Option<String>,
    /// Whether the body was longer than what is kept.
    body_cut: bool,
    /// Why it cannot be asked what it would do now; absent if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_replayable: Option<&'static str>,
    /// What it changed in the directory, the first 200 entries of the journal.
    effect: Vec<EffectView>,
}

/// What errors of one code have in common.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorView {
    /// What it means.
    meaning: &'static str,
    /// Where it most likely comes from.
    cause: &'static str,
    /// What to do about it.
    remedy: &'static str,
}

/// An entry of the journal that a request caused.
#[derive(Debug, Serialize, ToSchema)]
struct EffectView {
    /// Its position in the journal.
    position: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What changed.
    #[schema(value_type = Object)]
    change: Change,
    /// The name of the user that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// The name of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The name of the group in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    child_group: Option<String>,
}

/// A class of statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
enum StatusClass {
    /// 200 to 299.
    #[serde(rename = "2xx")]
    Success,
    /// 300 to 399.
    #[serde(rename = "3xx")]
    Elsewhere,
    /// 400 to 499.
    #[serde(rename = "4xx")]
    Refused,
    /// 500 to 599.
    #[serde(rename = "5xx")]
    Failed,
    /// 400 to 599.
    #[serde(rename = "error")]
    Error,
}

impl StatusClass {
    fn range(self) -> (u16, u16) {
        match self {
            StatusClass::Success => (200, 299),
            StatusClass::Elsewhere => (300, 399),
            StatusClass::Refused => (400, 499),
            StatusClass::Failed => (500, 599),
            StatusClass::Error => (400, 599),
        }
    }
}

/// Which requests to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filters {
    /// Only those of this connector, by id or name.
    connector: Option<String>,
    /// Only those from this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Only those before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Only answers of this class: `2xx`, `3xx`, `4xx`, `5xx` or `error`.
    #[param(inline)]
    status: Option<StatusClass>,
    /// Only those about the resource with this SCIM `id`.
    resource_id: Option<String>,
    /// Only those about a resource of this `userName` or `displayName`.
    name: Option<String>,
    /// Only those of this meaning, for example `create_user`.
    operation: Option<String>,
    /// Only those with an error of this code, for example `user-name-taken`.
    code: Option<String>,
    /// Only the one with this request id.
    request: Option<String>,
    /// Only those in which something was ignored.
    #[serde(default)]
    warnings: bool,
    /// Only those older than this one: `next` of the page before.
    after: Option<String>,
    /// Only those newer than this one, by number.
    newer_than: Option<i64>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Requests of identity providers that wrote or failed, the newest first.
///
/// Plain reads that succeed are not recorded. A request is in the list less than a second after its
/// answer.
#[utoipa::path(get, path = "/requests", operation_id = "list_requests", tag = "requests",
    params(Filters), responses((status = OK, body = Page<RequestView>)))]
async fn list(
    admin: Admin,
    State(app): State<App>,
    Parameters(filters): Parameters<Filters>,
) -> Answer<Json<Page<RequestView>>> {
    let limit = limit(filters.limit)?;
    let before = match &filters.after {
        None => None,
        Some(text) => Some(text.parse().map_err(not_a_place)?),
    };
    if filters
        .code
        .as_deref()
        .is_some_and(|code| catalogue::find(code).is_none())
    {
        return Err(Problem::invalid(
            "code",
            "There is no error of this code. The reference 'Errors of the SCIM API' lists them all, and so does 'vestibule errors'.",
        ));
    }
    app.flush_records().await;
    let page = app
        .provision()
        .store()
        .read(move |tx| page(tx, &admin.rights, &filters, before, limit))
        .await?;
    Ok(Json(page))
}

fn page(
    tx: &ReadTx<'_>,
    rights: &Rights,
    filters: &Filters,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<RequestView>, ProvisionError> {
    let connector = filters
        .connector
        .as_deref()
        .map(|name| connectors::find(tx, name))
        .transpose()?;
    let query = RequestQuery {
        connector: connector.map(|stored| stored.connector.id),
        within: rights.connectors.clone(),
        before,
        behind: filters.newer_than,
        since: filters.since,
        until: filters.until,
        status: filters.status.map(StatusClass::range),
        resource_id: filters.resource_id.clone(),
        resource_name: filters.name.clone(),
        operation: filters.operation.clone(),
        code: filters.code.clone(),
        request: filters.request.clone(),
        warned: filters.warnings,
        limit: one_more(limit),
    };
    let mut records = tx.requests(&query)?;
    let next = cut(&mut records, limit, |last| last.id.to_string());
    let names = connector_names(tx)?;
    let name = |id: ConnectorId| names.get(&id).cloned().unwrap_or_default();
    Ok(Page {
        next,
        items: records
            .into_iter()
            .map(|record| view(name(record.connector), record))
            .collect(),
    })
}

/// One request with its body and its effect.
#[utoipa::path(get, path = "/requests/{id}", operation_id = "show_request", tag = "requests",
    params(("id" = i64, Path, description = "Its number")),
    responses((status = OK, body = RequestDetail)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    id: Segments<i64>,
) -> Answer<Json<RequestDetail>> {
    app.flush_records().await;
    let id = id.0;
    let provision = app.provision().clone();
    let detail = app
        .provision()
        .store()
        .read(move |tx| detail(&provision, tx, id))
        .await?;
    Ok(Json(detail))
}

fn detail(
    provision: &Provision,
    tx: &ReadTx<'_>,
    id: i64,
) -> Result<RequestDetail, ProvisionError> {
    let mut record = tx
        .request(id)?
        .ok_or_else(|| ProvisionError::not_found("request", &id.to_string()))?;
    let connector = tx.connector(record.connector)?;
    let mut effect = Vec::new();
    if let Some(stored) = connector.as_ref().filter(|_| !record.request.is_empty()) {
        let until = record.at + SignedDuration::from_micros(record.took) + EFFECTS_WITHIN;
        let directory = stored.connector.directory;
        let entries =
            tx.journal_of_request(directory, &record.request, record.at, until, EFFECTS_MAX)?;
        let names = Names::of(provision, tx, directory, &entries)?;
        effect.extend(entries.into_iter().map(|entry| {
            let entry = names.view(entry);
            let [user, group, child_group] = entry.names().map(named);
            EffectView {
                position: entry.position(),
                at: entry.at(),
                change: entry.change().clone(),
                user,
                group,
                child_group,
            }
        }));
    }
    let name = connector.map(|stored| stored.connector.name);
    Ok(RequestDetail {
        not_replayable: why_no_replay(&record),
        error: record.entry().map(|entry| ErrorView {
            meaning: entry.meaning,
            cause: entry.cause,
            remedy: entry.remedy,
        }),
        body: record.body.take(),
        body_cut: record.body_cut,
        request: view(name.unwrap_or_default(), record),
        effect,
    })
}

fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

fn view(connector: String, record: RequestRecord) -> RequestView {
    let code = record.entry().map(|entry| entry.code);
    let scim_type = record.scim_type();
    RequestView {
        id: record.id,
        at: record.at,
        took_micros: record.took,
        connector,
        request: record.request,
        method: record.method,
        path: record.path,
        operation: record.operation,
        status: record.status,
        resource_type: record.resource_type,
        resource_id: record.resource_id,
        resource_name: record.resource_name,
        code,
        scim_type,
        detail: record.detail,
        warnings: record.warnings,
        actor: record.actor,
        token: record.token,
        client: record.client,
    }
}
