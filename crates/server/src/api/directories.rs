//! Directories: what products attach, and how much is in them.

use axum::Json;
use axum::extract::State;
use directory::{DirectoryId, Status};
use jiff::Timestamp;
use provision::ProvisionError;
use serde::{Deserialize, Serialize};
use store::{Directory, ReadTx, StoreError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::page::List;
use super::request::{Body, Segments};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, change))
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
    /// Whether applications with read-write access may make users of their own in it. Users who were made before
    /// stay, and can be changed and removed.
    local_users: Option<bool>,
}

/// All directories, in the order they were made.
#[utoipa::path(get, path = "/directories", operation_id = "list_directories", tag = "directories",
    responses((status = OK, body = List<DirectoryView>)))]
async fn list(_admin: Admin, State(app): State<App>) -> Answer<Json<List<DirectoryView>>> {
    let items = app
        .provision()
        .store()
        .read(|tx| all_directories(tx))
        .await?;
    Ok(Json(List { items }))
}

/// All directories, in the order they were made.
pub fn all_directories(tx: &ReadTx<'_>) -> Result<Vec<DirectoryView>, StoreError> {
    let all = tx.directories()?.into_iter();
    all.map(|found| view(tx, found)).collect()
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
    answer(&app, name.0, |tx, directory| {
        let found = tx.directory(directory)?;
        let found = found.ok_or(ProvisionError::NotFound {
            what: "directory",
            name: directory.to_string(),
        })?;
        Ok(view(tx, found)?)
    })
    .await
}

/// The directory of this id or name.
pub(super) fn find(tx: &ReadTx<'_>, name: &str) -> Result<Directory, ProvisionError> {
    tx.find_directory(name)?
        .ok_or_else(|| ProvisionError::NotFound {
            what: "directory",
            name: name.to_owned(),
        })
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
    let connectors = tx.connectors()?.into_iter();
    let feeding = connectors.filter(|stored| stored.connector.directory == directory.id);
    let counts = tx.count_directory_users(directory.id)?;
    let count = |status| {
        let found = counts.iter().find(|(counted, _)| *counted == status);
        found.map_or(0, |(_, count)| *count)
    };
    Ok(DirectoryView {
        connectors: feeding.map(|stored| stored.connector.name).collect(),
        active_users: count(Status::Active),
        disabled_users: count(Status::Disabled),
        groups: tx.count_directory_groups(directory.id)?,
        position: tx.journal_position(directory.id)?,
        local_users: tx.allows_local_users(directory.id)?,
        id: directory.public_id,
        name: directory.name,
        created: directory.created,
    })
}
