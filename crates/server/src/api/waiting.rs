//! What waits for somebody: members whom nobody knows yet, and users whose name is taken.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use directory::{ConnectorId, GivenUp, MatchedBy};
use jiff::Timestamp;
use provision::{Decided, Provision, ProvisionError};
use scim::Resource;
use serde::{Deserialize, Serialize};
use store::{NameConflict, ReadTx};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, Part, limit};
use super::problem::Problem;
use super::request::{Body, Parameters, Segments};
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pending))
        .routes(routes!(conflicts))
        .routes(routes!(decide))
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
    /// By what the user and the account were taken for one person: `username`, `email` or `attribute`.
    #[schema(value_type = String)]
    matched_by: MatchedBy,
    /// Somebody decided that they are two people.
    kept: bool,
    /// Who has the name; absent if it has become free and the user is about to be evaluated, or if it is kept.
    holder: Option<HolderView>,
    /// Nobody has the name, and it is kept for whoever had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved: Option<KeptNameView>,
}

/// For whom a name is kept.
#[derive(Debug, Serialize, ToSchema)]
struct KeptNameView {
    /// The key of the account that had it.
    key: String,
    /// How it was given up: `renamed`, `removed` or `anonymised`.
    #[schema(value_type = String)]
    given_up: GivenUp,
    /// When it was given up.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Until when nobody else gets it.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// What was decided about a user and the account in its way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// `link`: both are one person, and the account becomes the user's own. `keep`: they are two people, and both
    /// stay as they are.
    action: Action,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Link,
    Keep,
}

/// The account that has a name.
#[derive(Debug, Serialize, ToSchema)]
struct HolderView {
    /// The stable key.
    key: String,
    /// The name.
    name: String,
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
    let provision = app.provision().clone();
    let mut found = app
        .provision()
        .store()
        .read(move |tx| {
            let limit = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let found = tx.name_conflicts(id, behind, limit)?.into_iter();
            found
                .map(|conflict| Ok((reserved(&provision, tx, id, &conflict)?, conflict)))
                .collect::<Result<Vec<_>, ProvisionError>>()
        })
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    Ok(Json(Page {
        next: last.map(|(_, last)| last.source_pk.to_string()),
        items: found
            .into_iter()
            .map(|(reserved, conflict)| {
                let user = Resource::parse_stored(&conflict.document).unwrap_or_default();
                NameConflictView {
                    user_id: conflict.id,
                    user_name: user.user_name().unwrap_or_default().to_owned(),
                    wanted: conflict.name,
                    since: conflict.since,
                    matched_by: conflict.matched,
                    kept: conflict.kept,
                    holder: conflict.holder.map(|(key, name)| HolderView { key, name }),
                    reserved,
                }
            })
            .collect(),
    }))
}

/// For whom the name of a conflict is kept, if nobody has it.
fn reserved(
    provision: &Provision,
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    conflict: &NameConflict,
) -> Result<Option<KeptNameView>, ProvisionError> {
    let (None, Some((former, key))) = (&conflict.holder, &conflict.former) else {
        return Ok(None);
    };
    let until = provision.reserved_by(tx, connector, former.at)?;
    Ok(until.map(|until| KeptNameView {
        key: key.clone(),
        given_up: former.manner,
        since: former.at,
        until,
    }))
}

/// Decides about a user and the account in its way.
#[utoipa::path(post, path = "/connectors/{connector}/name-conflicts/{user}", operation_id = "decide_name_conflict", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The SCIM `id` of the user")),
    request_body = Decision,
    responses((status = NO_CONTENT, description = "It is decided.")))]
async fn decide(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Body(decision): Body<Decision>,
) -> Answer<StatusCode> {
    let (connector, user) = &*path;
    let id = connectors::find_id(&app, connector).await?;
    let decided = match decision.action {
        Action::Link => Decided::Link,
        Action::Keep => Decided::Keep,
    };
    app.provision()
        .decide_standoff(id, user, decided, &admin.name)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn not_a_place() -> Problem {
    Problem::invalid("after", "'after' has to be `next` of the page before.")
}
