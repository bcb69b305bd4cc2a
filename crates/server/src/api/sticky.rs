//! Users who stay disabled although the identity provider says otherwise: list, export, import and clear (KA-07).

use axum::Json;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use directory::{DirectoryId, Reason, Status, UserPk};
use futures_util::stream;
use jiff::Timestamp;
use provision::{ProvisionError, StickyWish};
use serde::{Deserialize, Serialize};
use store::ReadTx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, cut, limit};
use super::request::{Body, Parameters, Segments};
use super::users::connector_names;
use super::{Answer, Problem, csv, directories};
use crate::App;
use crate::authority::Admin;

/// Most users of one import.
const IMPORT_MAX: usize = 10_000;
/// Lines of one piece of a CSV.
const CSV_PIECE: usize = 1_000;
const COLUMNS: [&str; 11] = [
    "key",
    "user_name",
    "display_name",
    "email",
    "connector",
    "external_id",
    "status",
    "reason",
    "since",
    "until",
    "last_login",
];

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, import, clear))
        .routes(routes!(export))
}

/// A user who stays disabled, whatever the identity provider says.
#[derive(Debug, Serialize, ToSchema)]
struct StickyUserView {
    /// The stable key.
    key: String,
    /// The user name that products see.
    user_name: String,
    /// The full name.
    display_name: String,
    /// The e-mail address; empty if unknown.
    email: String,
    /// The name of the connector that owns the user.
    connector: String,
    /// The identity provider's own id: what to remove there.
    external_id: Option<String>,
    /// `disabled` or `anonymised`.
    #[schema(value_type = String)]
    status: Status,
    /// `MANUAL`: an administrator said so. `INACTIVITY_RULE`: the user had not logged in for long.
    #[schema(value_type = String)]
    reason: Reason,
    /// Since when; absent if it is so since before that was kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// When it ends by itself; absent if it does not.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// When the user last logged in with a product, as far as known.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login: Option<Timestamp>,
}

/// Why users stay disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Why {
    /// An administrator said so.
    Manual,
    /// They had not logged in for long.
    InactivityRule,
}

impl Why {
    const fn reason(self) -> Reason {
        match self {
            Why::Manual => Reason::Manual,
            Why::InactivityRule => Reason::InactivityRule,
        }
    }
}

/// Which users to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StickyQuery {
    /// Only for this reason: `manual` or `inactivity_rule`.
    #[param(value_type = Option<String>)]
    reason: Option<Why>,
    /// `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// For which reason.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ByReason {
    /// Only for this reason: `manual` or `inactivity_rule`.
    #[param(value_type = Option<String>)]
    reason: Option<Why>,
}

/// Users who are to stay disabled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StickyImport {
    /// The users, 10,000 at most.
    users: Vec<StickyEntry>,
}

/// A user who is to stay disabled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StickyEntry {
    /// The user name that products see, or the key.
    user: String,
    /// When it ends by itself; left out, an administrator has to end it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// What came of an import.
#[derive(Debug, Serialize, ToSchema)]
struct StickyImported {
    /// How many stay disabled now, or until another time than before.
    changed: u64,
    /// Of how many that was so already.
    unchanged: u64,
    /// Those for whom it cannot be.
    refused: Vec<RefusedEntry>,
}

/// A user for whom it cannot be.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedEntry {
    /// As given.
    user: String,
    /// Why.
    why: String,
}

/// What came of clearing the list.
#[derive(Debug, Serialize, ToSchema)]
struct Cleared {
    /// How many users the rules decide about again.
    enabled: u64,
}

/// Users who stay disabled although the identity provider says otherwise, by the word of an administrator or as they
/// had not logged in for long.
#[utoipa::path(get, path = "/directories/{directory}/sticky-users", operation_id = "list_sticky_users", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), StickyQuery),
    responses((status = OK, body = Page<StickyUserView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(query): Parameters<StickyQuery>,
) -> Answer<Json<Page<StickyUserView>>> {
    let limit = limit(query.limit)?;
    let reason = query.reason.map(Why::reason);
    let behind = UserPk(query.after.unwrap_or(0));
    directories::answer(&app, directory.0, move |tx, directory| {
        let (mut items, mut places) = read(tx, directory, reason, behind, limit + 1)?;
        items.truncate(limit);
        Ok(Page {
            next: cut(&mut places, limit, |last| last.0.to_string()),
            items,
        })
    })
    .await
}

/// The same list as CSV with a heading, e.g. for whoever removes these people in the identity provider.
#[utoipa::path(get, path = "/directories/{directory}/sticky-users.csv", operation_id = "export_sticky_users", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), ByReason),
    responses((status = OK, body = String, content_type = "text/csv")))]
async fn export(
    _admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(query): Parameters<ByReason>,
) -> Answer<impl IntoResponse> {
    let reason = query.reason.map(Why::reason);
    let directory = directories::find_id(&app, directory.0).await?;
    let pieces = stream::try_unfold(Some(UserPk(0)), move |behind| {
        let app = app.clone();
        async move {
            let Some(behind) = behind else {
                return Ok::<_, ProvisionError>(None);
            };
            let read = app
                .provision()
                .store()
                .read(move |tx| read(tx, directory, reason, behind, CSV_PIECE));
            let (items, places) = read.await?;
            let lines: String = items.iter().map(line).collect();
            let next = places.last().filter(|_| places.len() == CSV_PIECE);
            Ok(Some((Bytes::from(lines), next.copied())))
        }
    });
    let head = stream::iter([Ok(Bytes::from(csv::line(COLUMNS)))]);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"sticky-users.csv\"",
        ),
    ];
    let all = futures_util::StreamExt::chain(head, pieces);
    Ok((headers, HttpBody::from_stream(all)))
}

/// Takes the log-in from several users, until an administrator gives it back or a time comes.
///
/// Those for whom it cannot be are told, and stop no other.
#[utoipa::path(post, path = "/directories/{directory}/sticky-users", operation_id = "import_sticky_users", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    request_body = StickyImport,
    responses((status = OK, body = StickyImported)))]
async fn import(
    admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Body(wish): Body<StickyImport>,
) -> Answer<Json<StickyImported>> {
    if wish.users.len() > IMPORT_MAX {
        let message = format!("'users' may have {IMPORT_MAX} entries at most; send several lists.");
        return Err(Problem::invalid("users", &message));
    }
    let directory = directories::find_id(&app, directory.0).await?;
    let wishes = wish.users.into_iter().map(|entry| StickyWish {
        user: entry.user,
        until: entry.until,
    });
    let done = app
        .provision()
        .disable_users(directory, wishes.collect(), &admin.name)
        .await?;
    let refused = done.refused.into_iter();
    Ok(Json(StickyImported {
        changed: done.changed,
        unchanged: done.unchanged,
        refused: refused
            .map(|(user, why)| RefusedEntry { user, why })
            .collect(),
    }))
}

/// Takes back what administrators and the rule for inactive people decided about all users on the list, or about
/// those on it for one reason. The rules decide about each then.
#[utoipa::path(delete, path = "/directories/{directory}/sticky-users", operation_id = "clear_sticky_users", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), ByReason),
    responses((status = OK, body = Cleared)))]
async fn clear(
    admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(query): Parameters<ByReason>,
) -> Answer<Json<Cleared>> {
    let directory = directories::find_id(&app, directory.0).await?;
    let reason = query.reason.map(Why::reason);
    let enabled = app
        .provision()
        .enable_users(directory, reason, &admin.name)
        .await?;
    Ok(Json(Cleared { enabled }))
}

/// Users of the list behind one, and their places in it.
fn read(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    reason: Option<Reason>,
    behind: UserPk,
    limit: usize,
) -> Result<(Vec<StickyUserView>, Vec<UserPk>), ProvisionError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let names = connector_names(tx)?;
    let found = tx.sticky_users(directory, reason, behind, limit)?;
    let places = found.iter().map(|one| one.pk).collect();
    let views = found.into_iter().map(|one| StickyUserView {
        key: one.key,
        user_name: one.name,
        display_name: one.display_name,
        email: one.email,
        connector: names.get(&one.connector).cloned().unwrap_or_default(),
        external_id: one.external_id,
        status: one.status,
        reason: one.reason,
        since: one.since,
        until: one.until,
        last_login: one.last_login,
    });
    Ok((views.collect(), places))
}

fn line(user: &StickyUserView) -> String {
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    let (since, until, last_login) = (time(user.since), time(user.until), time(user.last_login));
    csv::line([
        user.key.as_str(),
        &user.user_name,
        &user.display_name,
        &user.email,
        &user.connector,
        user.external_id.as_deref().unwrap_or_default(),
        user.status.as_str(),
        user.reason.as_str(),
        &since,
        &until,
        &last_login,
    ])
}
