//! Directories: what products attach, and how much is in them.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use directory::DirectoryId;
use jiff::Timestamp;
use provision::ProvisionError;
use serde::{Deserialize, Serialize};
use store::{Directory, ReadTx, Rights, StoreError, StoredConnector};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::jobs::{BegunView, accepted};
use super::page::List;
use super::request::{Body, Parameters, Segments};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
        .routes(routes!(deletion))
        .routes(routes!(preview_detach))
        .routes(routes!(detach))
}

/// A directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct DirectoryView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// Names of the connectors that feed it.
    connectors: Vec<String>,
    /// Users who may log in.
    active_users: i64,
    /// Users who may not.
    disabled_users: i64,
    /// Of all these, users who belong to no connector: made here or by products, or copied.
    users_without_connector: i64,
    /// Groups.
    groups: i64,
    /// The newest position of its journal.
    position: i64,
    /// Whether applications with read-write access may make users of their own in it.
    local_users: bool,
}

/// What to change about a directory; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DirectoryChange {
    /// The new name, 1 to 100 characters; no other directory's.
    name: Option<String>,
    /// Whether applications with read-write access may make users of their own in it. Users who were made before
    /// stay, and can be changed and removed.
    local_users: Option<bool>,
}

/// A directory to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DirectoryCreation {
    /// Its name, 1 to 100 characters; no other directory's.
    name: String,
}

/// What the deletion of a directory would touch.
#[derive(Debug, Serialize, ToSchema)]
struct DirectoryDeletion {
    /// Users that products see.
    users: i64,
    /// Groups.
    groups: i64,
    /// Memberships of users in groups.
    memberships: i64,
    /// Connectors that feed it, by name. It can be deleted when there are none.
    connectors: Vec<String>,
    /// Applications that see it, by name. It is taken away from them only with `force`.
    applications: Vec<String>,
    /// Those of them that would see nothing. It can be deleted when there are none.
    applications_left_with_nothing: Vec<String>,
}

/// What it would touch to make everything in a directory local. Nobody is disabled and nobody leaves a group.
#[derive(Debug, Serialize, ToSchema)]
struct DirectoryDetachment {
    /// Accounts that may log in and become local.
    active_accounts: i64,
    /// Accounts that may not, and become local.
    disabled_accounts: i64,
    /// Groups that become local.
    groups: i64,
    /// Held changes of these accounts that would never take effect.
    held_changes: i64,
    /// Connectors that feed it, by name.
    connectors: Vec<String>,
    /// Those of them that would be paused.
    paused_connectors: Vec<String>,
}

/// How to delete a directory.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeletionQuery {
    /// Whether it is taken away from applications that see it.
    #[serde(default)]
    force: bool,
}

/// All directories, in the order they were made.
#[utoipa::path(get, path = "/directories", operation_id = "list_directories", tag = "directories",
    responses((status = OK, body = List<DirectoryView>)))]
async fn list(admin: Admin, State(app): State<App>) -> Answer<Json<List<DirectoryView>>> {
    let items = app
        .provision()
        .store()
        .read(move |tx| all_directories(tx, &admin.rights))
        .await?;
    Ok(Json(List { items }))
}

/// All directories within reach, in the order they were made.
pub(super) fn all_directories(
    tx: &ReadTx<'_>,
    rights: &Rights,
) -> Result<Vec<DirectoryView>, StoreError> {
    let mut all = tx.directories()?;
    if rights.connectors.is_some() {
        let connectors = tx.connectors()?;
        all.retain(|directory| rights.reach_directory(directory.id, &connectors));
    }
    views(tx, all)
}

/// The name of every directory.
pub(super) fn names_of_directories(
    tx: &ReadTx<'_>,
) -> Result<HashMap<DirectoryId, String>, StoreError> {
    let all = tx.directories()?.into_iter();
    Ok(all
        .map(|directory| (directory.id, directory.name))
        .collect())
}

/// One directory.
#[utoipa::path(get, path = "/directories/{directory}", operation_id = "show_directory", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    responses((status = OK, body = DirectoryView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<DirectoryView>> {
    let found = app
        .provision()
        .store()
        .read(move |tx| Ok::<_, ProvisionError>(view(tx, find(tx, &name)?)?))
        .await?;
    Ok(Json(found))
}

/// Makes a directory that no connector feeds yet.
#[utoipa::path(post, path = "/directories", operation_id = "create_directory", tag = "directories",
    request_body = DirectoryCreation,
    responses((status = CREATED, body = DirectoryView)))]
async fn create(
    _admin: Admin,
    State(app): State<App>,
    Body(creation): Body<DirectoryCreation>,
) -> Answer<impl IntoResponse> {
    let made = app.provision().create_directory(&creation.name).await?;
    let store = app.provision().store();
    let made = store.read(move |tx| view(tx, made.clone())).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// What the deletion of a directory would touch, and what stands in its way.
#[utoipa::path(get, path = "/directories/{directory}/deletion", operation_id = "preview_directory_deletion", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    responses((status = OK, body = DirectoryDeletion)))]
async fn deletion(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<DirectoryDeletion>> {
    let directory = find_id(&app, name.0).await?;
    let effects = app
        .provision()
        .preview_directory_deletion(directory)
        .await?;
    let alone = effects
        .applications
        .iter()
        .filter(|one| one.directories == 1);
    Ok(Json(DirectoryDeletion {
        applications_left_with_nothing: alone.map(|one| one.name.clone()).collect(),
        users: effects.users,
        groups: effects.groups,
        memberships: effects.memberships,
        connectors: effects.connectors,
        applications: effects
            .applications
            .into_iter()
            .map(|one| one.name)
            .collect(),
    }))
}

/// Deletes a directory with all users, groups and its journal, as a job.
///
/// It is refused while a connector feeds it, while an application sees it and `force` is not true, and while it is all that
/// an application sees.
#[utoipa::path(delete, path = "/directories/{directory}", operation_id = "delete_directory", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), DeletionQuery),
    responses((status = ACCEPTED, body = BegunView)))]
async fn delete(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Parameters(query): Parameters<DeletionQuery>,
) -> Answer<impl IntoResponse> {
    let directory = find_id(&app, name.0).await?;
    let begun = app
        .provision()
        .delete_directory(directory, query.force, &admin.name)
        .await?;
    accepted(&app, begun).await
}

/// What it would touch to make everything in a directory local.
#[utoipa::path(get, path = "/directories/{directory}/detachment", operation_id = "preview_directory_detachment", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    responses((status = OK, body = DirectoryDetachment)))]
async fn preview_detach(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<DirectoryDetachment>> {
    let directory = find_id(&app, name.0).await?;
    let effects = app.provision().preview_detach(directory).await?;
    Ok(Json(DirectoryDetachment {
        active_accounts: effects.accounts.active,
        disabled_accounts: effects.accounts.disabled,
        groups: effects.groups,
        held_changes: effects.waiting,
        connectors: effects.connectors,
        paused_connectors: effects.paused,
    }))
}

/// Makes everything in a directory local, as a job.
///
/// Nobody is disabled, nobody leaves a group, and products see no difference. Its connectors are paused: what identity
/// providers write goes on being stored, and has no effect.
#[utoipa::path(post, path = "/directories/{directory}/detach", operation_id = "detach_directory", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    responses((status = ACCEPTED, body = BegunView)))]
async fn detach(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<impl IntoResponse> {
    let directory = find_id(&app, name.0).await?;
    let begun = app
        .provision()
        .detach_directory(directory, &admin.name)
        .await?;
    accepted(&app, begun).await
}

/// Changes a directory.
#[utoipa::path(patch, path = "/directories/{directory}", operation_id = "change_directory", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name")),
    request_body = DirectoryChange,
    responses((status = OK, body = DirectoryView)))]
async fn change(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(change): Body<DirectoryChange>,
) -> Answer<Json<DirectoryView>> {
    let directory = find_id(&app, name.0.clone()).await?;
    if let Some(allowed) = change.local_users {
        app.provision()
            .allow_local_users(directory, allowed)
            .await?;
    }
    if let Some(name) = change.name {
        app.provision().rename_directory(directory, &name).await?;
    }
    let store = app.provision().store();
    let shown = store.read(move |tx| {
        let found = tx.directory(directory)?;
        let found =
            found.ok_or_else(|| ProvisionError::not_found("directory", &directory.to_string()))?;
        Ok::<_, ProvisionError>(view(tx, found)?)
    });
    Ok(Json(shown.await?))
}

/// The directory of this id or name.
pub(super) fn find(tx: &ReadTx<'_>, name: &str) -> Result<Directory, ProvisionError> {
    tx.find_directory(name)?
        .ok_or_else(|| ProvisionError::not_found("directory", name))
}

/// Answers with what `read` finds in the directory of this id or name, all of it in one snapshot.
pub(super) async fn answer<T: Send + 'static>(
    app: &App,
    name: String,
    read: impl Fn(&ReadTx<'_>, DirectoryId) -> Result<T, ProvisionError> + Send + Sync + 'static,
) -> Answer<Json<T>> {
    let found = app.provision().store().read(move |tx| {
        let directory = find(tx, &name)?.id;
        read(tx, directory)
    });
    Ok(Json(found.await?))
}

/// The store's number of the directory of this id or name.
pub(super) async fn find_id(app: &App, name: String) -> Result<DirectoryId, ProvisionError> {
    let found = app
        .provision()
        .store()
        .look_up(move |tx| find(tx, &name))
        .await;
    found.map(|directory| directory.id)
}

fn view(tx: &ReadTx<'_>, directory: Directory) -> Result<DirectoryView, StoreError> {
    let id = directory.id;
    let view = views(tx, vec![directory])?.pop();
    view.ok_or_else(|| StoreError::Corrupt {
        what: format!("directory {id}"),
    })
}

/// Directories with what is counted of all of them together.
pub(super) fn views(
    tx: &ReadTx<'_>,
    all: Vec<Directory>,
) -> Result<Vec<DirectoryView>, StoreError> {
    let ids: Vec<DirectoryId> = all.iter().map(|directory| directory.id).collect();
    let counts = tx.directory_counts(&ids)?;
    let without_connector = tx.users_without_connector(&ids)?;
    let mut connectors: HashMap<DirectoryId, Vec<String>> = HashMap::new();
    for StoredConnector { connector, .. } in tx.connectors()? {
        let feeding = connectors.entry(connector.directory).or_default();
        feeding.push(connector.name);
    }
    let views = all.into_iter().map(|directory| {
        let counts = counts.get(&directory.id).copied().unwrap_or_default();
        DirectoryView {
            connectors: connectors.remove(&directory.id).unwrap_or_default(),
            active_users: counts.active_users,
            disabled_users: counts.disabled_users,
            users_without_connector: without_connector
                .get(&directory.id)
                .copied()
                .unwrap_or_default(),
            groups: counts.groups,
            position: counts.position,
            local_users: counts.local_users,
            id: directory.public_id,
            name: directory.name,
            created: directory.created,
        }
    });
    Ok(views.collect())
}
