//! Undo: what somebody did in a directory, looked at and taken back.

use std::collections::BTreeSet;
use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use directory::rules::Target;
use directory::{Change, DirectoryId, UserPk};
use jiff::Timestamp;
use provision::{Provision, ProvisionError, UndoReport, UndoSelection, Undone, UndoneUser};
use serde::{Deserialize, Serialize};
use store::ReadTx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::history::PastAccountView;
use super::jobs::{BegunView, accepted};
use super::page::limit;
use super::request::{Body, Parameters, Segments};
use super::{Answer, Problem, connectors, directories};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(preview))
        .routes(routes!(undo))
}

/// What is to be undone: everything that all of it is true of. At least one of `connector`, `request`, `actor` and `from`
/// has to be there.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Selection {
    /// What came through this connector, by name or id.
    connector: Option<String>,
    /// What the request of this id did; of an undo, the id that it answered with.
    request: Option<String>,
    /// What this actor did: a token's label, an application, an administrator.
    actor: Option<String>,
    /// What was done then or later.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// What was done before then.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only what was done to these users, by name or key.
    users: Option<Vec<String>>,
}

impl Selection {
    fn find(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
    ) -> Result<UndoSelection, ProvisionError> {
        let connector = match &self.connector {
            Some(name) => Some(connectors::find(tx, name)?.connector.id),
            None => None,
        };
        let pk = |name: &String| {
            let found = tx.directory_user_ever(directory, name)?;
            found
                .map(|user| user.pk)
                .ok_or_else(|| ProvisionError::NotFound {
                    what: "user",
                    name: name.clone(),
                })
        };
        let users = self.users.as_ref().map(|all| all.iter().map(pk).collect());
        Ok(UndoSelection {
            connector,
            request: self.request.clone(),
            actor: self.actor.clone(),
            from: self.from,
            to: self.to,
            users: users.transpose()?,
        })
    }
}

/// Which part of a preview to show.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreviewQuery {
    /// `next` of the page before.
    after: Option<i64>,
    /// How many users to look at, 1 to 1000; 100 if left out. Those for whom nothing would change are left out.
    limit: Option<u32>,
}

/// What an undo would do.
#[derive(Debug, Serialize, ToSchema)]
struct UndoPreview {
    /// How many users the selected work touched.
    users: usize,
    /// How many of the selected changes are about groups themselves. They are not undone.
    group_changes: i64,
    /// What it would do for each.
    items: Vec<UndoItem>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// What an undo would do for one user.
#[derive(Debug, Serialize, ToSchema)]
struct UndoItem {
    /// The user's present name; of a user who is gone, the last one.
    user: String,
    /// The user's stable key.
    key: String,
    /// The user as it is.
    before: PastAccountView,
    /// The user as it would be.
    after: PastAccountView,
    /// The changes that lead there.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
    /// What would not be undone, as it was changed again since, or cannot be had back.
    conflicts: Vec<String>,
}

impl UndoItem {
    /// What it would do, but for values that are not to be shown.
    fn of(mut one: UndoneUser, hidden: &BTreeSet<Target>) -> Self {
        for change in &mut one.plan.changes {
            change.redact(hidden);
        }
        for account in [&mut one.before, &mut one.after] {
            account.attributes.redact(hidden, None);
        }
        Self {
            user: one.user.name,
            key: one.user.key,
            before: one.before.into(),
            after: one.after.into(),
            changes: one.plan.changes,
            conflicts: one.conflicts,
        }
    }
}

/// What an undo did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UndoResult {
    /// The id by which this undo can be undone: the `request` of another.
    request: String,
    /// Users who were changed.
    users: u64,
    /// Changes that were made.
    changes: u64,
    /// Users who are kept as they are from now on, as the identity provider still says otherwise. `overrides` lists them.
    kept_as_is: u64,
    /// How many things were not undone.
    conflict_count: u64,
    /// What was not undone; the first of it, if it is much.
    conflicts: Vec<Conflict>,
}

/// Something that was not undone.
#[derive(Debug, Serialize, ToSchema)]
struct Conflict {
    /// The user's name.
    user: String,
    /// What, and why.
    text: String,
}

impl From<UndoReport> for UndoResult {
    fn from(report: UndoReport) -> Self {
        let conflicts = report.conflicts.into_iter();
        Self {
            request: report.request,
            users: report.users,
            changes: report.changes,
            kept_as_is: report.kept_as_is,
            conflict_count: report.conflict_count,
            conflicts: conflicts
                .map(|(user, text)| Conflict { user, text })
                .collect(),
        }
    }
}

/// Shows what an undo would do, and changes nothing.
#[utoipa::path(post, path = "/directories/{directory}/undo/preview", operation_id = "preview_undo", tag = "journal",
    extensions(("x-changes" = json!("nothing"))),
    params(("directory" = String, Path, description = "Its id or name"), PreviewQuery),
    responses((status = OK, body = UndoPreview)))]
async fn preview(
    _admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(query): Parameters<PreviewQuery>,
    Body(selection): Body<Selection>,
) -> Answer<Json<UndoPreview>> {
    let limit = limit(query.limit)?;
    let provision = app.provision().clone();
    directories::answer(&app, directory.0, move |tx, directory| {
        let after = UserPk(query.after.unwrap_or(0));
        page(&provision, tx, directory, &selection, after, limit)
    })
    .await
}

fn page(
    provision: &Provision,
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    selection: &Selection,
    after: UserPk,
    limit: usize,
) -> Result<UndoPreview, ProvisionError> {
    let wanted = selection.find(tx, directory)?;
    let undoing = provision.select_undo(tx, directory, &wanted)?;
    let begin = undoing.users.partition_point(|user| *user <= after);
    let rest = undoing
        .users
        .get((Bound::Included(begin), Bound::Unbounded));
    let rest = rest.unwrap_or_default();
    let some = &rest[..rest.len().min(limit)];
    let items = provision.preview_undo(tx, directory, &undoing, some)?;
    let hidden = provision.hidden_in(tx, directory)?;
    Ok(UndoPreview {
        users: undoing.users.len(),
        group_changes: undoing.group_changes,
        items: items
            .into_iter()
            .map(|one| UndoItem::of(one, &hidden))
            .collect(),
        next: some
            .last()
            .filter(|_| rest.len() > limit)
            .map(|user| user.0),
    })
}

/// Takes back what somebody did to users and memberships of a directory, as changes like any other, which products hear of.
///
/// What was changed again since by others stays, and is told. Users of whom the identity provider still says otherwise are
/// kept as they are (override `keep_as_is`) until it says something else.
///
/// Where no more than 200 users are touched, it is done before the answer (200). Otherwise it is a job of kind `undo`
/// (202): the job's `undo` tells what it did. One that was cancelled or cut off can be sent again.
#[utoipa::path(post, path = "/directories/{directory}/undo", operation_id = "undo", tag = "journal",
    params(("directory" = String, Path, description = "Its id or name")),
    responses((status = OK, body = UndoResult), (status = ACCEPTED, body = BegunView)))]
async fn undo(
    admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Body(selection): Body<Selection>,
) -> Answer<Response> {
    let id = directories::find_id(&app, directory.0).await?;
    let found = app
        .provision()
        .store()
        .read(move |tx| selection.find(tx, id));
    let wanted = found.await?;
    let undone = app
        .provision()
        .undo(id, wanted, &admin.name, &admin.request)
        .await
        .map_err(Problem::from)?;
    Ok(match undone {
        Undone::Now(report) => Json(UndoResult::from(report)).into_response(),
        Undone::Later(begun) => accepted(&app, *begun).await?.into_response(),
    })
}
