//! The audit log: who did what, when and from where, and what it changed.

use axum::Json;
use axum::body::Body as ResponseBody;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use directory::rules::Difference;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use provision::{AuditCheck, AuditSettings, ProvisionError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{AuditEntry, AuditQuery, AuditTarget, ReadTx};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::csv::quoted;
use super::page::{Page, cut, limit, one_more};
use super::request::{Body, Parameters};
use crate::App;
use crate::audit::{Changes, by_ids, wanted};
use crate::authority::Admin;

/// Entries read at once for an export.
const PIECE: i64 = 500;
const CSV_HEAD: &[u8] =
    b"id,at,actor_kind,actor_id,actor,address,action,target,succeeded,detail,changes,request,digest\r\n";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(csv))
        .routes(routes!(json))
        .routes(routes!(check))
        .routes(routes!(settings, change_settings))
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
struct AuditView {
    /// Its number; grows with time.
    id: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `administrator`, `token`, `command_line`, or `nobody` for who did not prove to be somebody.
    actor_kind: &'static str,
    /// The id of the administrator or token.
    actor_id: Option<String>,
    /// The name at that time.
    actor: String,
    /// From which address.
    address: Option<String>,
    /// The name of an operation of this API, or `sign_in`, `sign_in_openid`, `second_factor`, `sign_out`, `prove_again`,
    /// `accept_invitation`, `token`, `restore_backup`.
    action: String,
    /// What it was done to: a path, with its segments decoded. Of what was made, the path that it has since.
    target: String,
    /// The same with ids in the place of names, as far as it has any.
    object: Option<String>,
    /// Whether it was done; otherwise it was refused or failed.
    succeeded: bool,
    /// What was asked for, without secrets, or why it was refused.
    detail: String,
    /// What of the object is otherwise since, value by value; null where nobody looked, as with a sign-in or what was refused.
    changes: Option<Vec<ChangedView>>,
    /// How many values more are otherwise and are not told.
    changes_left_out: usize,
    /// The id of the request, as in the journal.
    request: String,
    /// SHA-256 over the digest of the entry before and this entry.
    digest: String,
}

/// A value of an object that is otherwise since.
#[derive(Debug, Serialize, ToSchema)]
struct ChangedView {
    /// The place, from the top of the object.
    #[schema(example = "settings.limits.leavers")]
    path: String,
    /// What was there; null if nothing was. A secret is `***`, and a long text ends with `…`.
    before: Value,
    /// What is there; null if nothing is.
    after: Value,
}

impl From<Difference> for ChangedView {
    fn from(one: Difference) -> Self {
        Self {
            path: one.path,
            before: one.before,
            after: one.after,
        }
    }
}

impl From<AuditEntry> for AuditView {
    fn from(found: AuditEntry) -> Self {
        let entry = found.entry;
        let changes = entry.changes.as_deref();
        let changes: Option<Changes> = changes.and_then(|it| serde_json::from_str(it).ok());
        Self {
            id: found.id,
            at: found.at,
            actor_kind: entry.actor_kind.as_str(),
            actor_id: entry.actor_id,
            actor: entry.actor,
            address: entry.address,
            action: entry.action,
            target: entry.target,
            object: entry.object,
            succeeded: entry.succeeded,
            detail: entry.detail,
            changes_left_out: changes.as_ref().map_or(0, |all| all.left_out),
            changes: changes.map(|all| all.values.into_iter().map(ChangedView::from).collect()),
            request: entry.request,
            digest: found.digest,
        }
    }
}

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditParameters {
    /// Only of this actor, by name.
    actor: Option<String>,
    /// Only of this action, in the words of `action` or with blanks between them.
    action: Option<String>,
    /// Only what was done to this, or to something below it: a path such as `/connectors/{connector}`, with the name or the id.
    target: Option<String>,
    /// Only from this address.
    address: Option<String>,
    /// Only what was done (`true`), or what was refused or failed (`false`).
    succeeded: Option<bool>,
    /// Only from this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Only before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Only entries behind this number on the way to the oldest: `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 1000; 100 if left out. An export has all, if left out.
    limit: Option<u32>,
}

impl AuditParameters {
    fn query(&self, tx: &ReadTx<'_>, limit: i64) -> Result<AuditQuery, ProvisionError> {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let path = text(&self.target).map(|target| wanted(&target));
        let target = match path.filter(|path| !path.is_empty()) {
            Some(path) => Some(AuditTarget {
                object: by_ids(tx, &path)?,
                path,
            }),
            None => None,
        };
        Ok(AuditQuery {
            target,
            actor: text(&self.actor),
            action: text(&self.action).map(|action| action.trim().to_lowercase().replace(' ', "_")),
            address: text(&self.address),
            succeeded: self.succeeded,
            since: self.since,
            until: self.until,
            before: self.after,
            limit,
        })
    }
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/audit", operation_id = "list_audit", tag = "audit", params(AuditParameters),
    responses((status = OK, body = Page<AuditView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    Parameters(asked): Parameters<AuditParameters>,
) -> Answer<Json<Page<AuditView>>> {
    let limit = limit(asked.limit)?;
    let most = one_more(limit);
    let mut found = app
        .provision()
        .store()
        .read(move |tx| {
            let query = asked.query(tx, most)?;
            Ok::<_, ProvisionError>(tx.audit(&query)?)
        })
        .await?;
    let next = cut(&mut found, limit, |last| last.id.to_string());
    let items = found.into_iter().map(AuditView::from).collect();
    Ok(Json(Page { items, next }))
}

/// The audit log as CSV, newest first: one line for each entry, with a heading.
#[utoipa::path(get, path = "/audit.csv", operation_id = "export_audit_csv", tag = "audit", params(AuditParameters),
    responses((status = OK, body = String, content_type = "text/csv")))]
async fn csv(
    _admin: Admin,
    State(app): State<App>,
    Parameters(asked): Parameters<AuditParameters>,
) -> Answer<Response> {
    let form = Form {
        kind: "text/csv; charset=utf-8",
        name: "attachment; filename=\"audit.csv\"",
        head: CSV_HEAD,
        line: |entry, _is_first| line(&entry),
        foot: b"",
    };
    export(app, asked, form).await
}

/// The audit log as a JSON array, newest first.
#[utoipa::path(get, path = "/audit.json", operation_id = "export_audit_json", tag = "audit", params(AuditParameters),
    responses((status = OK, body = Vec<AuditView>)))]
async fn json(
    _admin: Admin,
    State(app): State<App>,
    Parameters(asked): Parameters<AuditParameters>,
) -> Answer<Response> {
    let form = Form {
        kind: "application/json",
        name: "attachment; filename=\"audit.json\"",
        head: b"[",
        line: |entry, is_first| {
            let text = serde_json::to_string(&entry).unwrap_or_default();
            let between = if is_first { "\n" } else { ",\n" };
            format!("{between}{text}")
        },
        foot: b"\n]\n",
    };
    export(app, asked, form).await
}

/// How an export is written.
struct Form {
    kind: &'static str,
    name: &'static str,
    head: &'static [u8],
    line: fn(AuditView, bool) -> String,
    foot: &'static [u8],
}

/// Writes entries piece by piece, so that a long log takes no memory.
async fn export(app: App, asked: AuditParameters, form: Form) -> Answer<Response> {
    let most = asked.limit.map_or(i64::MAX, i64::from);
    let store = app.provision().store();
    let query = store.read(move |tx| asked.query(tx, 0)).await?;
    let start = (query, most, true);
    let pieces = stream::try_unfold((app, Some(start)), move |(app, place)| async move {
        let Some((mut query, left, mut is_first)) = place else {
            return Ok::<_, ProvisionError>(None);
        };
        query.limit = PIECE.min(left);
        let reading = query.clone();
        let store = app.provision().store();
        let found = store
            .read(move |tx| Ok::<_, ProvisionError>(tx.audit(&reading)?))
            .await?;
        let count = i64::try_from(found.len()).unwrap_or(PIECE);
        query.before = found.last().map(|last| last.id);
        let mut text = String::new();
        for entry in found {
            text.push_str(&(form.line)(entry.into(), is_first));
            is_first = false;
        }
        let goes_on = count == query.limit && left > count;
        let next = goes_on.then_some((query, left - count, is_first));
        Ok(Some((Bytes::from(text), (app, next))))
    });
    let head = stream::iter([Ok(Bytes::from_static(form.head))]);
    let foot = stream::iter([Ok(Bytes::from_static(form.foot))]);
    let body = ResponseBody::from_stream(head.chain(pieces).chain(foot));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(form.kind)),
        (CONTENT_DISPOSITION, HeaderValue::from_static(form.name)),
    ];
    Ok((headers, body).into_response())
}

/// One line of CSV.
fn line(entry: &AuditView) -> String {
    let id = entry.id.to_string();
    let at = entry.at.to_string();
    let succeeded = entry.succeeded.to_string();
    let changes = entry.changes.as_ref();
    let changes = changes.and_then(|all| serde_json::to_string(all).ok());
    let fields = [
        id.as_str(),
        &at,
        entry.actor_kind,
        entry.actor_id.as_deref().unwrap_or_default(),
        &entry.actor,
        entry.address.as_deref().unwrap_or_default(),
        &entry.action,
        &entry.target,
        &succeeded,
        &entry.detail,
        changes.as_deref().unwrap_or_default(),
        &entry.request,
        &entry.digest,
    ];
    let quoted = fields.map(quoted);
    format!("{}\r\n", quoted.join(","))
}

/// Whether the audit log is as it was written.
#[derive(Debug, Serialize, ToSchema)]
struct AuditCheckView {
    /// Whether every entry follows from the one before.
    whole: bool,
    /// Entries that were looked at.
    entries: i64,
    /// The number of the first entry that does not follow: it, or the one before, was changed or removed.
    broken_at: Option<i64>,
    /// The digest of the newest entry. Kept elsewhere, it shows later that nothing was cut off at the end: the entry with this
    /// digest has to be there still, until it is too old.
    head: Option<String>,
}

impl From<AuditCheck> for AuditCheckView {
    fn from(check: AuditCheck) -> Self {
        Self {
            whole: check.broken_at.is_none(),
            entries: check.entries,
            broken_at: check.broken_at,
            head: check.head,
        }
    }
}

/// Looks whether the audit log is as it was written.
#[utoipa::path(get, path = "/audit/check", operation_id = "check_audit", tag = "audit",
    responses((status = OK, body = AuditCheckView)))]
async fn check(_admin: Admin, State(app): State<App>) -> Answer<Json<AuditCheckView>> {
    Ok(Json(app.provision().check_audit().await?.into()))
}

/// How long the audit log is kept.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AuditSettingsView {
    /// Days, from 30 to 3660; 400 unless said otherwise.
    keep_days: u32,
}

/// How long the audit log is kept.
#[utoipa::path(get, path = "/audit/settings", operation_id = "show_audit_settings", tag = "audit",
    responses((status = OK, body = AuditSettingsView)))]
async fn settings(_admin: Admin, State(app): State<App>) -> Answer<Json<AuditSettingsView>> {
    let AuditSettings { keep_days } = app.provision().audit_settings().await?;
    Ok(Json(AuditSettingsView { keep_days }))
}

/// Changes how long the audit log is kept.
#[utoipa::path(patch, path = "/audit/settings", operation_id = "change_audit_settings", tag = "audit",
    request_body = AuditSettingsView, responses((status = OK, body = AuditSettingsView)))]
async fn change_settings(
    _admin: Admin,
    State(app): State<App>,
    Body(wish): Body<AuditSettingsView>,
) -> Answer<Json<AuditSettingsView>> {
    let AuditSettingsView { keep_days } = wish;
    let wish = AuditSettings { keep_days };
    let AuditSettings { keep_days } = app.provision().set_audit_settings(wish).await?;
    Ok(Json(AuditSettingsView { keep_days }))
}
