//! Previews: what rules would do to everybody, before they do it.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use directory::rules::{WrittenRules, differences};
use directory::{Change, ConnectorId, Operation, Rules};
use futures_util::stream;
use jiff::Timestamp;
use provision::{
    Confined, Preview, PreviewSearch, PreviewSummary, PreviewWish, PreviewedAccount, PreviewedUser,
    ProvisionError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::StoredPreview;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::connectors::{find_id, not_found};
use super::super::page::{List, Page, cut, limit};
use super::super::request::{OptionalBody, Parameters, Segments};
use super::super::{Answer, Problem, csv, schema};
use super::{DifferenceView, read_all};
use crate::App;
use crate::authority::Admin;

/// How long a request waits for its preview; a longer one is asked for again.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Users read at once for a list without end.
const CSV_PAGE: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(users))
        .routes(routes!(export))
}

/// What to preview; without anything, what a reconcile by the rules in force would do.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct PreviewCreation {
    /// The rules to try; those in force if left out.
    #[schema(schema_with = schema::rules)]
    rules: Option<WrittenRules>,
    /// Whether rows and rules with the state `shadow` count, to see what effect they would have.
    with_shadows: bool,
    /// Only this user, by `userName` or SCIM `id`.
    user: Option<String>,
    /// Only the users in this source group at any depth, by `displayName` or SCIM `id`.
    group: Option<String>,
}

/// A preview.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewView {
    /// The id in its URLs. A preview is kept for a day, and five of one connector at most.
    id: String,
    /// `running`, `done` or `failed`.
    state: &'static str,
    /// Who wanted it.
    author: String,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When something of it was last written; of one that runs, not long ago.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
    /// The user or the group that it is confined to.
    #[schema(value_type = Object)]
    confined: Confined,
    /// Users to look at.
    total: i64,
    /// Users looked at so far.
    looked_at: i64,
    /// Whether exactly this can be applied as long as the data stay as they are: it is complete, looked at everybody,
    /// and nobody was due.
    can_be_applied: bool,
    /// How many users have which operation, users with new problems, users that were due, groups that would appear
    /// (`new_groups`), groups of the identity provider that would wait for a decision (`waiting_groups`), and what the safety limits would let through and hold: `limits` by kind (`passes`, `held`, `used`, `allowed`),
    /// `limits_of_others` by the names of connectors whose accounts the rules have a say in, and `held_by_group`.
    /// `after_grace` tells of those who keep their accounts only until a grace time ends: when the `first` one does,
    /// and their `operations`, `limits` and `limits_of_others` then.
    #[schema(value_type = Object)]
    summary: PreviewSummary,
    /// Why it failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
}

/// A preview, with what it is of.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewDetail {
    #[serde(flatten)]
    preview: PreviewView,
    /// The rules that it tries.
    #[schema(schema_with = schema::rules)]
    rules: Rules,
    /// Where they say something else than the rules in force.
    differences: Vec<DifferenceView>,
}

/// Which users of a preview to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UserQuery {
    /// Text that a name of the user contains, before or after, in any case.
    q: Option<String>,
    /// Only users with this operation: `create`, `update`, `rename`, `enable`, `disable`, `delete`, `group_add`,
    /// `group_remove`, `unchanged` (for products), `pending`, `conflict`, `error`, `held`, `grace` or
    /// `suppressed` (by a switch of `accounts`).
    operation: Option<String>,
    /// Only users behind this place: `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Previews rules on all stored data, changing nothing.
///
/// The answer comes when the preview is complete, or after some seconds with the state `running`; ask for it by its id
/// then. Names that users of the preview take from and leave to each other are taken into account as a real run would.
#[utoipa::path(post, path = "/connectors/{connector}/rules/preview", operation_id = "preview_rules", tag = "rules",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = PreviewCreation,
    responses((status = OK, body = PreviewView), (status = ACCEPTED, body = PreviewView)))]
async fn start(
    admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    OptionalBody(creation): OptionalBody<PreviewCreation>,
) -> Answer<impl IntoResponse> {
    let id = find_id(&app, &connector).await?;
    let wish = PreviewWish {
        rules: read_all(creation.rules)?,
        with_shadows: creation.with_shadows,
        confined: Confined {
            user: creation.user,
            group: creation.group,
        },
    };
    let job = app.provision().start_preview(id, wish, &admin.name).await?;
    let status = match tokio::time::timeout(WAIT_MAX, job.work).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::ACCEPTED,
    };
    let preview = find(&app, id, job.id).await?;
    Ok((status, Json(PreviewView::from(preview))))
}

/// Previews of a connector, newest first.
#[utoipa::path(get, path = "/connectors/{connector}/rules/previews", operation_id = "list_previews", tag = "rules",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = List<PreviewView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
) -> Answer<Json<List<PreviewView>>> {
    let id = find_id(&app, &connector).await?;
    let provision = app.provision().clone();
    let found = app
        .provision()
        .store()
        .read(move |tx| provision.previews(tx, id))
        .await?;
    let items = found.into_iter().map(PreviewView::from).collect();
    Ok(Json(List { items }))
}

/// One preview: its rules, how far it is, and what it found in numbers.
#[utoipa::path(get, path = "/connectors/{connector}/rules/previews/{preview}", operation_id = "show_preview",
    tag = "rules",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("preview" = String, Path, description = "The id of the preview"),
    ),
    responses((status = OK, body = PreviewDetail)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<PreviewDetail>> {
    let (connector, preview) = path.0;
    let id = find_id(&app, &connector).await?;
    let provision = app.provision().clone();
    let detail = app.provision().store().read(move |tx| {
        let preview = provision.preview(tx, id, &preview)?;
        let found = tx.connector(id)?;
        let present = found.ok_or_else(|| not_found(&connector))?.connector.rules;
        let rules = preview.stored.rules.clone();
        let differences = differences(&present, &rules).into_iter();
        Ok::<_, ProvisionError>(PreviewDetail {
            differences: differences.map(DifferenceView::from).collect(),
            preview: preview.into(),
            rules,
        })
    });
    Ok(Json(detail.await?))
}

/// Users for whom something would change, or cannot: each as it is and as it would be.
#[utoipa::path(get, path = "/connectors/{connector}/rules/previews/{preview}/users", operation_id = "list_previewed_users",
    tag = "rules",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("preview" = String, Path, description = "The id of the preview"),
        UserQuery,
    ),
    responses((status = OK, body = Page<Value>)))]
async fn users(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Parameters(query): Parameters<UserQuery>,
) -> Answer<Json<Page<PreviewedUser>>> {
    let (connector, preview) = path.0;
    let id = find_id(&app, &connector).await?;
    let limit = limit(query.limit)?;
    let search = query.search()?;
    let preview = find(&app, id, preview).await?;
    let mut found = read_users(&app, preview.stored, search, limit + 1).await?;
    let next = cut(&mut found, limit, |(place, _)| place.to_string());
    let items = found.into_iter().map(|(_, user)| user).collect();
    Ok(Json(Page { items, next }))
}

/// The same as CSV, all of them: one line for each user.
#[utoipa::path(get, path = "/connectors/{connector}/rules/previews/{preview}/users.csv",
    operation_id = "export_previewed_users", tag = "rules",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("preview" = String, Path, description = "The id of the preview"),
        UserQuery,
    ),
    responses((status = OK, body = String, content_type = "text/csv")))]
async fn export(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Parameters(query): Parameters<UserQuery>,
) -> Answer<impl IntoResponse> {
    let (connector, preview) = path.0;
    let id = find_id(&app, &connector).await?;
    let search = query.search()?;
    let stored = find(&app, id, preview).await?.stored;
    let head = stream::iter([Ok(Bytes::from_static(CSV_HEAD))]);
    let rest = stream::try_unfold(Some(search), move |search| {
        let (app, stored) = (app.clone(), stored.clone());
        async move {
            let Some(mut search) = search else {
                return Ok::<_, ProvisionError>(None);
            };
            let found = read_users(&app, stored, search.clone(), CSV_PAGE).await?;
            let text: String = found.iter().map(|(_, user)| csv_line(user)).collect();
            let next = found.last().filter(|_| found.len() == CSV_PAGE);
            let next = next.map(|(place, _)| {
                search.after = *place;
                search
            });
            Ok(Some((Bytes::from(text), next)))
        }
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (CONTENT_DISPOSITION, "attachment; filename=\"preview.csv\""),
    ];
    let all = futures_util::StreamExt::chain(head, rest);
    Ok((headers, HttpBody::from_stream(all)))
}

const CSV_HEAD: &[u8] =
    b"user_name,operations,name_before,name_after,email_before,email_after,display_name_before,\
display_name_after,status_before,status_after,groups_added,groups_removed,taken_name,errors,held,grace_until,after_grace,\
first_name_before,first_name_after,last_name_before,last_name_after,attributes\r\n";

fn csv_line(user: &PreviewedUser) -> String {
    let words: Vec<&str> = user.operations.iter().map(|it| it.as_str()).collect();
    let (before, after) = (user.before.as_ref(), user.after.as_ref());
    let pair = |text: fn(&provision::PreviewedAccount) -> &str| {
        [before, after].map(|account| account.map_or("", text).to_owned())
    };
    let [name_before, name_after] = pair(|it| &it.attributes.username);
    let [email_before, email_after] = pair(|it| &it.attributes.email);
    let [display_before, display_after] = pair(|it| &it.attributes.display_name);
    let [status_before, status_after] = pair(|it| it.status.as_str());
    let [first_before, first_after] = pair(|it| &it.attributes.first_name);
    let [last_before, last_after] = pair(|it| &it.attributes.last_name);
    let groups = |wanted: Operation| {
        let changes = user.changes.iter();
        let groups = changes.filter(|change| Operation::of(change) == Some(wanted));
        let names: Vec<&str> = groups.filter_map(|change| change.group_name()).collect();
        names.join("|")
    };
    let errors = user.errors.iter();
    let errors: Vec<String> = errors
        .map(|error| format!("{} {}", error.target, error.message))
        .collect();
    let held = user.held.iter();
    let held: Vec<String> = held
        .map(|one| format!("{} ({})", told(&one.change), one.by))
        .collect();
    let later = user.after_grace.as_ref();
    let later_changes = later.iter().flat_map(|it| &it.changes).map(told);
    let later_changes: Vec<String> = later_changes.collect();
    let cells = [
        user.user_name.clone(),
        words.join("|"),
        name_before,
        name_after,
        email_before,
        email_after,
        display_before,
        display_after,
        status_before,
        status_after,
        groups(Operation::GroupAdd),
        groups(Operation::GroupRemove),
        user.taken_name.clone().unwrap_or_default(),
        errors.join("; "),
        held.join("; "),
        later.map_or_else(String::new, |it| it.at.to_string()),
        later_changes.join("; "),
        first_before,
        first_after,
        last_before,
        last_after,
        attributes(before, after),
    ];
    csv::line(cells.iter().map(String::as_str))
}

/// The attributes of which rules made something else: `name: before -> after`, several values with a bar between them.
fn attributes(before: Option<&PreviewedAccount>, after: Option<&PreviewedAccount>) -> String {
    let of = |account: Option<&PreviewedAccount>, name: &str| {
        let values = account.and_then(|it| it.attributes.extra.get(name));
        values.map_or_else(String::new, |values| values.join("|"))
    };
    let sides = [before, after].into_iter().flatten();
    let names: BTreeSet<&String> = sides.flat_map(|it| it.attributes.extra.keys()).collect();
    let pairs = names
        .into_iter()
        .map(|name| (name, of(before, name), of(after, name)))
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| format!("{name}: {before} -> {after}"));
    pairs.collect::<Vec<_>>().join("; ")
}

/// A change by its word in the journal, with its group.
fn told(change: &Change) -> String {
    match change.group_name() {
        Some(group) => format!("{} {group}", change.kind()),
        None => change.kind().to_owned(),
    }
}

async fn find(app: &App, id: ConnectorId, preview: String) -> Result<Preview, ProvisionError> {
    let provision = app.provision().clone();
    app.provision()
        .store()
        .read(move |tx| provision.preview(tx, id, &preview))
        .await
}

async fn read_users(
    app: &App,
    preview: StoredPreview,
    search: PreviewSearch,
    limit: usize,
) -> Result<Vec<(i64, PreviewedUser)>, ProvisionError> {
    let provision = app.provision().clone();
    app.provision()
        .store()
        .read(move |tx| provision.previewed_users(tx, &preview, &search, limit))
        .await
}

impl UserQuery {
    fn search(&self) -> Result<PreviewSearch, Problem> {
        let operation = match self.operation.as_deref() {
            None => None,
            Some(word) => Some(Operation::parse(word).ok_or_else(|| {
                let words = Operation::ALL.map(Operation::as_str).join(", ");
                Problem::invalid(
                    "operation",
                    format!("'operation' has to be one of {words}."),
                )
            })?),
        };
        Ok(PreviewSearch {
            after: self.after.unwrap_or(0),
            name: self.q.clone(),
            operation,
        })
    }
}

impl From<Preview> for PreviewView {
    fn from(preview: Preview) -> Self {
        let can_be_applied = preview.can_be_applied();
        let stored = preview.stored;
        Self {
            id: stored.public_id,
            state: stored.state.as_str(),
            author: stored.author,
            created: stored.created,
            updated: stored.updated,
            confined: preview.confined,
            total: stored.total,
            looked_at: stored.looked_at,
            can_be_applied,
            summary: preview.summary,
            error: stored.error,
        }
    }
}
