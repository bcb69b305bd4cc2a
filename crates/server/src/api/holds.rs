//! Holds: what safety limits keep back, and what an administrator says about it.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use directory::{Change, ConnectorId, HoldKind, HoldState, Trigger, UserPk};
use jiff::Timestamp;
use provision::{HeldGroup, HoldsAnswer, HoldsDecided, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{HoldChoice, HoldQuery, ReadTx, StoreError, StoredHold};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::jobs::{BegunView, accepted};
use super::page::{Page, cut, limit, one_more};
use super::problem::Problem;
use super::request::{Body, Parameters, Segments};
use super::users::connector_names;
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(approve_one))
        .routes(routes!(reject_one))
        .routes(routes!(approve))
        .routes(routes!(reject))
}

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
struct HoldView {
    /// Its number.
    id: i64,
    /// The name of the connector whose limits keep it back.
    connector: String,
    /// What it takes away: `deactivation`, `membership_removal`, `group_deletion` or `rename`.
    #[schema(value_type = String)]
    kind: HoldKind,
    /// What became of it: `collected` until an evaluation of everybody is done, `open`, `approved`, `rejected`, `cancelled` or `released`.
    #[schema(value_type = String)]
    state: HoldState,
    /// The user it is about; absent if it is about a whole group.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<HeldUser>,
    /// The group it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The change that is kept back, as the journal would have it.
    #[schema(value_type = Object)]
    change: Change,
    /// What made it.
    cause: HoldCause,
    /// Since when it is held.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When somebody decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    decided: Option<Timestamp>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// When it was reported as waiting for long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    escalated: Option<Timestamp>,
}

/// The user that a hold is about.
#[derive(Debug, Serialize, ToSchema)]
struct HeldUser {
    /// The stable key; absent if the user is gone for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The present name.
    name: String,
}

/// What made a hold.
#[derive(Debug, Serialize, ToSchema)]
struct HoldCause {
    /// What set it off: `scim`, `reconcile` and others, as in the journal.
    #[schema(value_type = String)]
    trigger: Trigger,
    /// Who acted.
    actor: String,
    /// The id of the request; empty if there was none.
    request: String,
}

/// A hold with what it would change.
#[derive(Debug, Serialize, ToSchema)]
struct HoldDetail {
    #[serde(flatten)]
    hold: HoldView,
    /// What an approval would change at this moment, by what the identity provider says now. Empty if nothing, and
    /// for a whole group, of which `members` tells.
    #[schema(value_type = Vec<Object>)]
    would_change: Vec<Change>,
    /// Of a whole group that is to go: who is in it, and what an approval would change for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<HeldMembersView>,
    /// How the decision about the user comes about, line by line.
    why: Vec<String>,
}

/// The members of a group whose deletion is held.
#[derive(Debug, Serialize, ToSchema)]
struct HeldMembersView {
    /// How many there are.
    count: i64,
    /// Of how many of them is looked what would change: the first.
    looked_at: usize,
    /// Those of these for whom an approval would change something now. Who has other reasons to be in the group stays.
    changed: Vec<HeldMemberView>,
}

/// A member for whom an approval would change something.
#[derive(Debug, Serialize, ToSchema)]
struct HeldMemberView {
    /// Who.
    user: HeldUser,
    /// What, as the journal would have it.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
}

impl From<HeldGroup> for HeldMembersView {
    fn from(held: HeldGroup) -> Self {
        let changed = held
            .changed
            .into_iter()
            .map(|(user, changes)| HeldMemberView {
                user: HeldUser {
                    key: Some(user.key),
                    name: user.name,
                },
                changes,
            });
        Self {
            count: held.members,
            looked_at: held.looked_at,
            changed: changed.collect(),
        }
    }
}

/// Which holds to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HoldFilter {
    /// Only those of this connector, by id or name.
    connector: Option<String>,
    /// Only this kind: `deactivation`, `membership_removal`, `group_deletion` or `rename`.
    #[param(value_type = Option<String>)]
    kind: Option<HoldKind>,
    /// Only in this state: `collected`, `open`, `approved`, `rejected`, `cancelled` or `released`.
    #[param(value_type = Option<String>)]
    state: Option<HoldState>,
    /// Only about the user of this key.
    user: Option<String>,
    /// Only those that the request of this id brought about.
    request: Option<String>,
    /// Text that the name of the user or of the group contains, in any case.
    q: Option<String>,
    /// `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Which open holds of a connector a decision is about; without anything, all of them.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct HoldSelection {
    /// Only this kind: `deactivation`, `membership_removal`, `group_deletion` or `rename`.
    #[schema(value_type = Option<String>)]
    kind: Option<HoldKind>,
    /// Only about this group.
    group: Option<String>,
    /// Only about the user of this key.
    user: Option<String>,
    /// Only where the name of the user or of the group contains this text, in any case.
    q: Option<String>,
}

/// What a decision was about.
#[derive(Debug, Serialize, ToSchema)]
struct Decided {
    /// How many holds.
    decided: u64,
    /// How many of the connector are still open.
    open: i64,
}

impl From<HoldsDecided> for Decided {
    fn from(done: HoldsDecided) -> Self {
        Self {
            decided: done.decided,
            open: done.open,
        }
    }
}

/// What limits keep back or kept back, in the order in which it began.
#[utoipa::path(get, path = "/holds", operation_id = "list_holds", tag = "holds",
    params(HoldFilter), responses((status = OK, body = Page<HoldView>)))]
async fn list(
    admin: Admin,
    State(app): State<App>,
    Parameters(filter): Parameters<HoldFilter>,
) -> Answer<Json<Page<HoldView>>> {
    let limit = limit(filter.limit)?;
    let page = app
        .provision()
        .store()
        .read(move |tx| {
            let connector = match &filter.connector {
                Some(name) => Some(connectors::find(tx, name)?.connector.id),
                None => None,
            };
            let user = match &filter.user {
                Some(key) => Some(find_user(tx, key)?),
                None => None,
            };
            let query = HoldQuery {
                connector,
                within: admin.rights.connectors.clone(),
                kind: filter.kind,
                state: filter.state,
                user,
                request: filter.request.clone(),
                text: filter.q.clone(),
                after: filter.after.unwrap_or_default(),
                limit: one_more(limit),
            };
            let mut found = tx.holds(&query)?;
            let next = cut(&mut found, limit, |last| last.id.to_string());
            let items = views(tx, found)?;
            Ok::<_, ProvisionError>(Page { items, next })
        })
        .await?;
    Ok(Json(page))
}

/// One hold, with what an approval would change now and why.
#[utoipa::path(get, path = "/holds/{id}", operation_id = "show_hold", tag = "holds",
    params(("id" = i64, Path, description = "Its number")),
    responses((status = OK, body = HoldDetail)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    id: Segments<i64>,
) -> Answer<Json<HoldDetail>> {
    let provision = app.provision().clone();
    let id = *id;
    let detail = app
        .provision()
        .store()
        .read(move |tx| {
            let hold = require(tx, id)?;
            let user = hold.user.filter(|_| hold.state.stands());
            let about = match user {
                Some(user) => provision.held(tx, user)?,
                None => None,
            };
            let (would_change, lines) = match about {
                Some(about) => (about.without_holds.changes, about.outcome.lines()),
                None => (Vec::new(), Vec::new()),
            };
            let is_of_group = hold.kind == HoldKind::GroupDeletion && hold.state.stands();
            let members = match is_of_group {
                true => provision.held_group(tx, id)?.map(HeldMembersView::from),
                false => None,
            };
            let hold = views(tx, vec![hold])?.pop();
            Ok::<_, ProvisionError>(hold.map(|hold| HoldDetail {
                hold,
                would_change,
                members,
                why: lines.into_iter().map(|line| line.text).collect(),
            }))
        })
        .await?;
    let detail = detail.ok_or_else(|| Problem::not_found("hold", &id.to_string()))?;
    Ok(Json(detail))
}

/// Approves one hold: the user is evaluated anew with the hold lifted.
#[utoipa::path(post, path = "/holds/{id}/approve", operation_id = "approve_hold", tag = "holds",
    params(("id" = i64, Path, description = "Its number")),
    responses((status = OK, body = Decided)))]
async fn approve_one(
    admin: Admin,
    State(app): State<App>,
    id: Segments<i64>,
) -> Answer<Json<Decided>> {
    decide_one(&app, *id, &admin.name, HoldState::Approved).await
}

/// Rejects one hold: it takes no effect as long as the identity provider says the same.
#[utoipa::path(post, path = "/holds/{id}/reject", operation_id = "reject_hold", tag = "holds",
    params(("id" = i64, Path, description = "Its number")),
    responses((status = OK, body = Decided)))]
async fn reject_one(
    admin: Admin,
    State(app): State<App>,
    id: Segments<i64>,
) -> Answer<Json<Decided>> {
    decide_one(&app, *id, &admin.name, HoldState::Rejected).await
}

/// Approves the open holds of a connector, all or some.
///
/// Where these are no more than 200, it is done before the answer (200). Otherwise it is a job of kind `approve_holds`
/// (202), which begins with the oldest; holds that begin later are not its business.
#[utoipa::path(post, path = "/connectors/{connector}/holds/approve", operation_id = "approve_holds", tag = "holds",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = HoldSelection,
    responses((status = OK, body = Decided), (status = ACCEPTED, body = BegunView)))]
async fn approve(
    admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(selection): Body<HoldSelection>,
) -> Answer<Response> {
    let id = connectors::find_id(&app, &connector).await?;
    let choice = choice(&app, selection).await?;
    let done = app
        .provision()
        .approve_holds(id, choice, &admin.name)
        .await?;
    answered(&app, done).await
}

/// Rejects the open holds of a connector, all or some.
///
/// Where these are no more than 200, it is done before the answer (200). Otherwise it is a job of kind `reject_holds`
/// (202).
#[utoipa::path(post, path = "/connectors/{connector}/holds/reject", operation_id = "reject_holds", tag = "holds",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = HoldSelection,
    responses((status = OK, body = Decided), (status = ACCEPTED, body = BegunView)))]
async fn reject(
    admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(selection): Body<HoldSelection>,
) -> Answer<Response> {
    let id = connectors::find_id(&app, &connector).await?;
    let choice = choice(&app, selection).await?;
    let done = app
        .provision()
        .reject_holds(id, choice, &admin.name)
        .await?;
    answered(&app, done).await
}

async fn answered(app: &App, answer: HoldsAnswer) -> Answer<Response> {
    Ok(match answer {
        HoldsAnswer::Now(done) => Json(Decided::from(done)).into_response(),
        HoldsAnswer::Later(begun) => accepted(app, *begun).await?.into_response(),
    })
}

async fn choice(app: &App, selection: HoldSelection) -> Answer<HoldChoice> {
    let user = match selection.user {
        Some(key) => {
            let store = app.provision().store();
            Some(store.read(move |tx| find_user(tx, &key)).await?)
        }
        None => None,
    };
    Ok(HoldChoice {
        kind: selection.kind,
        group: selection.group,
        user,
        text: selection.q,
        ..HoldChoice::default()
    })
}

async fn decide_one(app: &App, id: i64, actor: &str, state: HoldState) -> Answer<Json<Decided>> {
    let store = app.provision().store();
    let connector: ConnectorId = store
        .read(move |tx| require(tx, id).map(|hold| hold.connector))
        .await?;
    let choice = HoldChoice {
        id: Some(id),
        ..HoldChoice::default()
    };
    let provision = app.provision();
    let done = match state {
        HoldState::Approved => provision.approve_holds(connector, choice, actor).await?,
        _ => provision.reject_holds(connector, choice, actor).await?,
    };
    let HoldsAnswer::Now(done) = done else {
        return Err(Problem::not_found("hold", &id.to_string()));
    };
    if done.decided == 0 {
        let detail = "The hold is decided already, or the identity provider took it back. Look at its 'state'.";
        return Err(Problem::new(axum::http::StatusCode::CONFLICT, detail));
    }
    Ok(Json(done.into()))
}

fn require(tx: &ReadTx<'_>, id: i64) -> Result<StoredHold, ProvisionError> {
    tx.hold(id)?
        .ok_or_else(|| ProvisionError::not_found("hold", &id.to_string()))
}

fn find_user(tx: &ReadTx<'_>, key: &str) -> Result<UserPk, ProvisionError> {
    tx.user_of_key(key)?
        .ok_or_else(|| ProvisionError::not_found("user", key))
}

fn views(tx: &ReadTx<'_>, holds: Vec<StoredHold>) -> Result<Vec<HoldView>, StoreError> {
    let connectors = connector_names(tx)?;
    let mut by_directory: HashMap<directory::DirectoryId, Vec<UserPk>> = HashMap::new();
    for hold in &holds {
        by_directory
            .entry(hold.directory)
            .or_default()
            .extend(hold.user);
    }
    let mut users = HashMap::new();
    for (directory, of_directory) in by_directory {
        let found = tx.directory_users_by_pk(directory, &of_directory)?;
        users.extend(
            found
                .into_iter()
                .map(|user| (user.pk, (user.key, user.name))),
        );
    }
    let view = |hold: StoredHold| {
        let user = hold.user.map(|pk| match users.get(&pk) {
            Some((key, name)) => HeldUser {
                key: Some(key.clone()),
                name: name.clone(),
            },
            None => HeldUser {
                key: None,
                name: hold.user_name.clone(),
            },
        });
        HoldView {
            id: hold.id,
            connector: connectors.get(&hold.connector).cloned().unwrap_or_default(),
            kind: hold.kind,
            state: hold.state,
            user,
            group: Some(hold.group).filter(|group| !group.is_empty()),
            change: hold.change,
            cause: HoldCause {
                trigger: hold.cause.trigger,
                actor: hold.cause.actor,
                request: hold.cause.request,
            },
            since: hold.since,
            decided: hold.decided,
            decided_by: hold.decided_by,
            ended: hold.ended,
            escalated: hold.escalated,
        }
    };
    Ok(holds.into_iter().map(view).collect())
}
