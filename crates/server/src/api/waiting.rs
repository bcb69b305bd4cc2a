//! What waits for somebody: members whom nobody knows yet, and users whose name is taken.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use provision::ProvisionError;
use scim::Resource;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, limit};
use super::problem::Problem;
use super::request::{Parameters, Segments};
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pending))
        .routes(routes!(conflicts))
}

/// A member that a group names and that is not there yet.
#[derive(Debug, Serialize, ToSchema)]
struct PendingMemberView {
    /// The id by which the identity provider names it.
    value: String,
    /// The SCIM `id` of the group.
    group_id: String,
    /// The group's `displayName`.
    group: String,
}

/// A user who could not have the name that the rules give.
#[derive(Debug, Serialize, ToSchema)]
struct NameConflictView {
    /// The SCIM `id` of the user.
    user_id: String,
    /// The user's `userName`.
    user_name: String,
    /// The name that is taken, in small letters.
    wanted: String,
    /// Since when it is so.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Who has the name; absent if it has become free and the user is about to be evaluated.
    holder: Option<HolderView>,
}

/// The account that has a name.
#[derive(Debug, Serialize, ToSchema)]
struct HolderView {
    /// The stable key.
    key: String,
    /// The name.
    name: String,
}

/// Which part of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Part {
    /// `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Members whom groups of the connector name and whom nobody knows yet. They join when they appear.
#[utoipa::path(get, path = "/connectors/{connector}/pending-members", operation_id = "list_pending_members", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), Part),
    responses((status = OK, body = Page<PendingMemberView>)))]
async fn pending(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<Page<PendingMemberView>>> {
    let limit = limit(part.limit)?;
    let (group, value) = match part.after.as_deref() {
        None => (0, String::new()),
        Some(text) => text
            .split_once('.')
            .and_then(|(group, value)| Some((group.parse().ok()?, value.to_owned())))
            .ok_or_else(not_a_place)?,
    };
    let id = connectors::find_id(&app, &connector).await?;
    let mut found = app
        .provision()
        .store()
        .read(move |tx| {
            let limit = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            Ok::<_, ProvisionError>(tx.pending_members(id, (&value, group), limit)?)
        })
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    Ok(Json(Page {
        next: last.map(|last| format!("{}.{}", last.group_pk, last.value)),
        items: found
            .into_iter()
            .map(|member| PendingMemberView {
                value: member.value,
                group_id: member.group,
                group: member.display_name,
            })
            .collect(),
    }))
}

/// Users of the connector who got no account, or not the name they should have, because it is taken.
#[utoipa::path(get, path = "/connectors/{connector}/name-conflicts", operation_id = "list_name_conflicts", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), Part),
    responses((status = OK, body = Page<NameConflictView>)))]
async fn conflicts(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<Page<NameConflictView>>> {
    let limit = limit(part.limit)?;
    let behind = match part.after.as_deref() {
        None => 0,
        Some(text) => text.parse().map_err(|_not_a_number| not_a_place())?,
    };
    let id = connectors::find_id(&app, &connector).await?;
    let mut found = app
        .provision()
        .store()
        .read(move |tx| {
            let limit = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            Ok::<_, ProvisionError>(tx.name_conflicts(id, behind, limit)?)
        })
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    Ok(Json(Page {
        next: last.map(|last| last.source_pk.to_string()),
        items: found
            .into_iter()
            .map(|conflict| {
                let user = Resource::parse_stored(&conflict.document).unwrap_or_default();
                NameConflictView {
                    user_id: conflict.id,
                    user_name: user.user_name().unwrap_or_default().to_owned(),
                    wanted: conflict.name,
                    since: conflict.since,
                    holder: conflict.holder.map(|(key, name)| HolderView { key, name }),
                }
            })
            .collect(),
    }))
}

fn not_a_place() -> Problem {
    Problem::invalid("after", "'after' has to be `next` of the page before.")
}
