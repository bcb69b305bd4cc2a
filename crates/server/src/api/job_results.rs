//! What a job changed: from the journal, by operation, user or text, as JSON in pages or as one stream of CSV.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use directory::name::folded;
use directory::{Operation, UserPk};
use futures_util::stream;
use provision::{Provision, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{Job, ReadTx};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::csv::quoted;
use super::journal::{EntryView, Names};
use super::page::{Page, limit};
use super::request::{Parameters, Segments};
use super::{Answer, jobs, whoever};
use crate::App;
use crate::authority::Admin;

/// Entries that are read at once while looking for those that were asked for.
const READ_AT_ONCE: usize = 500;
/// Rows of one piece of a CSV.
const CSV_PIECE: usize = 1_000;
const CSV_HEAD: &str = "position,at,operation,user,group,child_group,change\r\n";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(csv))
}

/// One change that a job made.
#[derive(Debug, Serialize, ToSchema)]
struct ResultView {
    /// What became of the user or group.
    #[schema(value_type = String)]
    operation: Operation,
    #[serde(flatten)]
    entry: EntryView,
}

/// Which changes to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ResultQuery {
    /// Only changes of this kind, such as `create` or `group_add`.
    #[param(value_type = Option<String>)]
    operation: Option<Operation>,
    /// Only changes of this user, by name or key.
    user: Option<String>,
    /// Only changes whose user or group has this text in the name, in any case.
    search: Option<String>,
    /// Only changes behind this position: `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// What a job changed, in order.
#[utoipa::path(get, path = "/jobs/{job}/results", operation_id = "list_job_results", tag = "jobs",
    params(("job" = String, Path, description = "Its id"), ResultQuery),
    responses((status = OK, body = Page<ResultView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    id: Segments<String>,
    Parameters(query): Parameters<ResultQuery>,
) -> Answer<Json<Page<ResultView>>> {
    let limit = limit(query.limit)?;
    let provision = app.provision().clone();
    let page = app
        .provision()
        .store()
        .read(move |tx| {
            let wanted = Wanted::new(tx, jobs::find(tx, &id)?, &query)?;
            wanted.page(&provision, tx, (query.after.unwrap_or(0), limit))
        })
        .await?;
    Ok(Json(page))
}

/// All that a job changed, as CSV: one line for each change, with a heading.
#[utoipa::path(get, path = "/jobs/{job}/results.csv", operation_id = "export_job_results", tag = "jobs",
    params(("job" = String, Path, description = "Its id"), ResultQuery),
    responses((status = OK, body = String, content_type = "text/csv")))]
async fn csv(
    _admin: Admin,
    State(app): State<App>,
    id: Segments<String>,
    Parameters(query): Parameters<ResultQuery>,
) -> Answer<impl IntoResponse> {
    let after = query.after.unwrap_or(0);
    let most = query.limit.map_or(usize::MAX, |most| most as usize);
    let wanted = app
        .provision()
        .store()
        .read(move |tx| Wanted::new(tx, jobs::find(tx, &id)?, &query))
        .await?;
    let start = Some((after, most));
    let pieces = stream::try_unfold((app, wanted, start), |(app, wanted, place)| async move {
        let Some((after, most)) = place else {
            return Ok::<_, ProvisionError>(None);
        };
        let (reading, provision) = (wanted.clone(), app.provision().clone());
        let page = app
            .provision()
            .store()
            .read(move |tx| reading.page(&provision, tx, (after, CSV_PIECE.min(most))))
            .await?;
        let left = most - page.items.len();
        let place = page.items.last().map(|last| last.entry.position());
        let next = place
            .filter(|_| left > 0 && page.next.is_some())
            .map(|place| (place, left));
        let lines: String = page.items.iter().map(line).collect();
        Ok(Some((Bytes::from(lines), (app, wanted, next))))
    });
    let head = stream::iter([Ok(Bytes::from_static(CSV_HEAD.as_bytes()))]);
    let body = Body::from_stream(futures_util::StreamExt::chain(head, pieces));
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], body))
}

/// What of a job is asked for.
#[derive(Clone)]
struct Wanted {
    job: Job,
    user: Option<UserPk>,
    operation: Option<Operation>,
    search: Option<String>,
}

impl Wanted {
    fn new(tx: &ReadTx<'_>, job: Job, query: &ResultQuery) -> Result<Self, ProvisionError> {
        let user = query
            .user
            .as_deref()
            .map(|name| whoever::user(tx, job.directory, name))
            .transpose()?;
        Ok(Self {
            user: user.map(|(user, _who)| user.pk),
            operation: query.operation,
            search: query
                .search
                .as_deref()
                .map(|text| folded(text).into_owned()),
            job,
        })
    }

    fn page(
        &self,
        provision: &Provision,
        tx: &ReadTx<'_>,
        (mut after, limit): (i64, usize),
    ) -> Result<Page<ResultView>, ProvisionError> {
        let mut items = Vec::new();
        loop {
            let entries = tx.job_entries(&self.job, self.user, after, READ_AT_ONCE)?;
            let Some(last) = entries.last().map(|entry| entry.position) else {
                return Ok(Page { items, next: None });
            };
            let names = Names::of(provision, tx, self.job.directory, &entries)?;
            for entry in entries {
                after = entry.position;
                let operation = Operation::of_entry(entry.change.kind());
                if self.operation.is_some_and(|wanted| wanted != operation) {
                    continue;
                }
                let entry = names.view(entry);
                if self
                    .search
                    .as_deref()
                    .is_none_or(|text| entry.speaks_of(text))
                {
                    items.push(ResultView { operation, entry });
                }
                if items.len() == limit {
                    let more =
                        after < last || !tx.job_entries(&self.job, self.user, after, 1)?.is_empty();
                    let next = more.then(|| after.to_string());
                    return Ok(Page { items, next });
                }
            }
        }
    }
}

/// One line of CSV.
fn line(result: &ResultView) -> String {
    let [user, group, child] = result.entry.names();
    let change = serde_json::to_string(result.entry.change()).unwrap_or_default();
    format!(
        "{},{},{},{},{},{},{}\r\n",
        result.entry.position(),
        result.entry.at(),
        result.operation.as_str(),
        quoted(user),
        quoted(group),
        quoted(child),
        quoted(&change)
    )
}
