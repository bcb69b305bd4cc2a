//! Applications: the products that attach directories.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::LOCATION};
use axum::response::IntoResponse;
use directory::DirectoryId;
use jiff::Timestamp;
use provision::{
    AccessPreview, ApplicationChange as Change, ApplicationDraft, DirectoryChoice, ProvisionError,
};
use serde::{Deserialize, Serialize};
use store::{Access, Application, ReadTx, StoreError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::directories::names_of_directories;
use super::page::List;
use super::request::{Body, Segments};
use crate::App;
use crate::authority::Admin;
use crate::crowd::{GateStanding, View};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
        .routes(routes!(new_password))
        .routes(routes!(preview))
}

/// What an application may do.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum AccessWord {
    /// Read and authenticate.
    #[default]
    ReadOnly,
    /// Also local groups, local memberships and user attributes.
    ReadWrite,
}

impl From<Access> for AccessWord {
    fn from(access: Access) -> Self {
        match access {
            Access::ReadOnly => Self::ReadOnly,
            Access::ReadWrite => Self::ReadWrite,
        }
    }
}

impl From<AccessWord> for Access {
    fn from(word: AccessWord) -> Self {
        match word {
            AccessWord::ReadOnly => Self::ReadOnly,
            AccessWord::ReadWrite => Self::ReadWrite,
        }
    }
}

/// An application.
#[derive(Debug, Serialize, ToSchema)]
struct ApplicationView {
    /// Its id.
    id: String,
    /// The name that the product signs in with.
    name: String,
    /// What it may do.
    access: AccessWord,
    /// Addresses and ranges it may come from; empty means any.
    addresses: Vec<String>,
    /// The name of the first directory that it sees.
    directory: String,
    /// The directories that it sees, in their order. A user name that several of them have is the user of the
    /// first; groups of one name are one group, with the details of the first.
    directories: Vec<AttachedView>,
    /// Whether a user is in the groups of every directory that has the name, or only in those of the first.
    aggregate_memberships: bool,
    /// Whether only users who may log in are seen at all.
    only_with_access: bool,
    /// Whether, beside that, only groups whose members may log in are seen.
    only_groups_with_access: bool,
    /// The server URL for the product.
    url: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
    /// When it last asked for anything, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen: Option<Timestamp>,
    /// The position of the first directory's journal that it has fetched up to.
    position: Option<i64>,
}

/// A directory that an application sees.
#[derive(Debug, Serialize, ToSchema)]
struct AttachedView {
    /// Its name.
    directory: String,
    /// Groups whose members may log in, of the users of this directory; everybody may, if null.
    login_groups: Option<Vec<String>>,
    /// The position of its journal that the application has fetched up to.
    position: Option<i64>,
    /// What is wrong with the login groups.
    #[serde(flatten)]
    gate: GateView,
}

/// What is wrong with groups whose members may log in; nothing is shown if nothing is.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct GateView {
    /// Those that there are not, or not any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing_login_groups: Vec<String>,
    /// Whether nobody is in any of them, so that nobody may log in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lets_nobody_in: bool,
}

impl GateView {
    /// Of each directory of an application, in their order.
    pub(super) fn of(
        tx: &ReadTx<'_>,
        application: &Application,
    ) -> Result<Vec<GateView>, StoreError> {
        let view = View::new(application.mapping.clone());
        let standings = view.gate_standings(tx)?.into_iter();
        let views = standings.map(|standing| {
            let standing: GateStanding = standing.unwrap_or_default();
            GateView {
                missing_login_groups: standing.missing,
                lets_nobody_in: standing.lets_nobody_in,
            }
        });
        Ok(views.collect())
    }
}

/// A directory that an application is to see: its name or id, or an object with more about it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
enum DirectoryWish {
    /// Its name or id; everybody may log in.
    Named(String),
    /// With the groups that may log in.
    Gated(GatedDirectory),
}

/// A directory, and who of it may log in.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GatedDirectory {
    /// Its name or id.
    directory: String,
    /// Groups whose members may log in; everybody may, if left out or null.
    login_groups: Option<Vec<String>>,
    /// As shown; of no effect here.
    #[serde(rename = "position", default)]
    #[schema(read_only)]
    _position: Option<i64>,
    /// As shown; of no effect here.
    #[serde(rename = "missing_login_groups", default)]
    #[schema(read_only)]
    _missing_login_groups: Vec<String>,
    /// As shown; of no effect here.
    #[serde(rename = "lets_nobody_in", default)]
    #[schema(read_only)]
    _lets_nobody_in: bool,
}

impl From<DirectoryWish> for DirectoryChoice {
    fn from(wish: DirectoryWish) -> Self {
        match wish {
            DirectoryWish::Named(directory) => directory.as_str().into(),
            DirectoryWish::Gated(gated) => DirectoryChoice {
                directory: gated.directory,
                login_groups: gated.login_groups,
            },
        }
    }
}

/// The directories of a body, which may name one alone.
fn wished(
    directory: Option<String>,
    directories: Option<Vec<DirectoryWish>>,
) -> Result<Option<Vec<DirectoryChoice>>, ProvisionError> {
    match (directory, directories) {
        (Some(_), Some(_)) => Err(ProvisionError::Invalid {
            field: "directories",
            message: "give either directory or directories, not both".to_owned(),
        }),
        (Some(one), None) => Ok(Some(vec![one.as_str().into()])),
        (None, several) => Ok(several.map(|all| all.into_iter().map(Into::into).collect())),
    }
}

/// An application with a password that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct ApplicationWithPassword {
    #[serde(flatten)]
    application: ApplicationView,
    /// The password, shown this once.
    password: String,
}

/// An application to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplicationCreation {
    /// The name that the product signs in with, 1 to 100 characters.
    name: String,
    /// What it may do.
    #[serde(default)]
    access: AccessWord,
    /// Addresses and ranges it may come from, e.g. `192.0.2.10` or `10.0.0.0/8`; any, if empty.
    #[serde(default)]
    addresses: Vec<String>,
    /// Name or id of the directory that it sees, if it is one alone; may be left out if there is only one.
    directory: Option<String>,
    /// The directories that it sees, the one that wins first.
    directories: Option<Vec<DirectoryWish>>,
    /// Whether a user is in the groups of every directory that has the name, or only in those of the first.
    #[serde(default)]
    aggregate_memberships: bool,
    /// Whether only users who may log in are seen at all.
    #[serde(default)]
    only_with_access: bool,
    /// Whether, beside that, only groups whose members may log in are seen, and groups in these.
    #[serde(default)]
    only_groups_with_access: bool,
}

/// What to change about an application; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplicationChange {
    /// The new name. The product has to sign in with it from then on.
    name: Option<String>,
    /// What it may do.
    access: Option<AccessWord>,
    /// Addresses and ranges it may come from, all of them.
    addresses: Option<Vec<String>>,
    /// Name or id of the directory that it sees, if it is one alone.
    directory: Option<String>,
    /// The directories that it sees, all of them, the one that wins first. Products synchronise in full after a
    /// change.
    directories: Option<Vec<DirectoryWish>>,
    /// Whether a user is in the groups of every directory that has the name, or only in those of the first.
    aggregate_memberships: Option<bool>,
    /// Whether only users who may log in are seen at all.
    only_with_access: Option<bool>,
    /// Whether, beside that, only groups whose members may log in are seen, and groups in these.
    only_groups_with_access: Option<bool>,
}

/// What an application is to see, to be looked at first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SightWish {
    /// The directories that it is to see, all of them, the one that wins first.
    directories: Vec<DirectoryWish>,
}

/// What becomes of the users of one directory.
#[derive(Debug, Serialize, ToSchema)]
struct AccessPreviewView {
    /// The name of the directory.
    directory: String,
    /// How many of its users may log in now; null if the application does not see it.
    before: Option<u64>,
    /// How many may then, likewise.
    after: Option<u64>,
    /// How many who may log in now may not then.
    loses: u64,
    /// Groups named in `login_groups` that the directory does not have: nobody logs in by them before they are there.
    unknown_groups: Vec<String>,
}

impl From<AccessPreview> for AccessPreviewView {
    fn from(preview: AccessPreview) -> Self {
        Self {
            directory: preview.directory,
            before: preview.before,
            after: preview.after,
            loses: preview.loses,
            unknown_groups: preview.unknown_groups,
        }
    }
}

/// All applications, by name.
#[utoipa::path(get, path = "/applications", operation_id = "list_applications", tag = "applications",
    responses((status = OK, body = List<ApplicationView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
) -> Answer<Json<List<ApplicationView>>> {
    let base = app.base_url(&headers);
    let items = app
        .provision()
        .store()
        .read(move |tx| {
            let names = names_of_directories(tx)?;
            let all = tx.applications()?.into_iter();
            let views = all.map(|application| view(tx, &names, application, &base));
            views.collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    Ok(Json(List { items }))
}

/// Makes an application.
///
/// Its password is in the answer and nowhere else.
#[utoipa::path(post, path = "/applications", operation_id = "create_application", tag = "applications",
    request_body = ApplicationCreation,
    responses((status = CREATED, body = ApplicationWithPassword)))]
async fn create(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    Body(creation): Body<ApplicationCreation>,
) -> Answer<impl IntoResponse> {
    let directories = wished(creation.directory, creation.directories)?;
    let draft = ApplicationDraft {
        name: creation.name,
        access: creation.access.into(),
        addresses: creation.addresses,
        directories: directories.unwrap_or_default(),
        aggregate_memberships: creation.aggregate_memberships,
        only_with_access: creation.only_with_access,
        only_groups_with_access: creation.only_groups_with_access,
    };
    let (made, password) = app
        .provision()
        .create_application(draft, app.passwords())
        .await?;
    let base = app.base_url(&headers);
    let location = format!("{base}/api/v1/applications/{}", made.public_id);
    let made = ApplicationWithPassword {
        application: shown(&app, base, made).await?,
        password: password.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(made)))
}

/// One application.
#[utoipa::path(get, path = "/applications/{application}", operation_id = "show_application", tag = "applications",
    params(("application" = String, Path, description = "Its id or name")),
    responses((status = OK, body = ApplicationView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
) -> Answer<Json<ApplicationView>> {
    let found = find(&app, &name).await?;
    Ok(Json(shown(&app, app.base_url(&headers), found).await?))
}

/// Changes name, access, addresses or what it sees.
#[utoipa::path(patch, path = "/applications/{application}", operation_id = "change_application", tag = "applications",
    params(("application" = String, Path, description = "Its id or name")),
    request_body = ApplicationChange,
    responses((status = OK, body = ApplicationView)))]
async fn change(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
    Body(change): Body<ApplicationChange>,
) -> Answer<Json<ApplicationView>> {
    let found = find(&app, &name).await?;
    let change = Change {
        name: change.name,
        access: change.access.map(Into::into),
        addresses: change.addresses,
        directories: wished(change.directory, change.directories)?,
        aggregate_memberships: change.aggregate_memberships,
        only_with_access: change.only_with_access,
        only_groups_with_access: change.only_groups_with_access,
    };
    let changed = app
        .provision()
        .change_application(&found.public_id, change)
        .await?;
    Ok(Json(shown(&app, app.base_url(&headers), changed).await?))
}

/// Tells who could log in no more if an application saw other directories, or other groups might log in; changes nothing.
///
/// Each directory is counted alone, by its own groups.
#[utoipa::path(post, path = "/applications/{application}/preview", operation_id = "preview_application", tag = "applications",
    extensions(("x-changes" = json!("nothing"))),
    params(("application" = String, Path, description = "Its id or name")),
    request_body = SightWish,
    responses((status = OK, body = List<AccessPreviewView>)))]
async fn preview(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(wish): Body<SightWish>,
) -> Answer<Json<List<AccessPreviewView>>> {
    let found = find(&app, &name).await?;
    let choices = wish.directories.into_iter().map(Into::into).collect();
    let preview = app
        .provision()
        .preview_application(&found.public_id, choices)
        .await?;
    let items = preview.into_iter().map(AccessPreviewView::from).collect();
    Ok(Json(List { items }))
}

/// Gives an application a new password; the old one stops working at once.
#[utoipa::path(post, path = "/applications/{application}/password", operation_id = "reset_application_password", tag = "applications",
    params(("application" = String, Path, description = "Its id or name")),
    responses((status = OK, body = ApplicationWithPassword)))]
async fn new_password(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
) -> Answer<Json<ApplicationWithPassword>> {
    let found = find(&app, &name).await?;
    let (changed, password) = app
        .provision()
        .reset_application_password(&found.public_id, app.passwords())
        .await?;
    Ok(Json(ApplicationWithPassword {
        application: shown(&app, app.base_url(&headers), changed).await?,
        password: password.reveal().to_owned(),
    }))
}

/// Deletes an application. The directories that it saw stay.
#[utoipa::path(delete, path = "/applications/{application}", operation_id = "delete_application", tag = "applications",
    params(("application" = String, Path, description = "Its id or name")),
    responses((status = NO_CONTENT)))]
async fn delete(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<StatusCode> {
    let found = find(&app, &name).await?;
    app.provision().delete_application(&found.public_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn find(app: &App, name: &str) -> Result<Application, ProvisionError> {
    let name = name.to_owned();
    app.provision()
        .store()
        .look_up(move |tx| {
            let found = match tx.application_by_public_id(&name)? {
                Some(found) => Some(found),
                None => tx.application(&name)?,
            };
            found.ok_or_else(|| ProvisionError::NotFound {
                what: "application",
                name: name.clone(),
            })
        })
        .await
}

async fn shown(
    app: &App,
    base: String,
    application: Application,
) -> Result<ApplicationView, StoreError> {
    app.provision()
        .store()
        .look_up(move |tx| {
            let names = names_of_directories(tx)?;
            view(tx, &names, application.clone(), &base)
        })
        .await
}

fn view(
    tx: &ReadTx<'_>,
    names: &HashMap<DirectoryId, String>,
    application: Application,
    base: &str,
) -> Result<ApplicationView, StoreError> {
    let gates = GateView::of(tx, &application)?;
    let attached = application.mapping.directories.into_iter().zip(gates);
    let directories: Vec<AttachedView> = attached
        .map(|(attached, gate)| AttachedView {
            directory: names.get(&attached.directory).cloned().unwrap_or_default(),
            login_groups: attached.login_groups,
            position: attached.last_position,
            gate,
        })
        .collect();
    let first = directories.first();
    Ok(ApplicationView {
        id: application.public_id,
        name: application.name,
        access: application.access.into(),
        addresses: application.addresses,
        directory: first
            .map(|first| first.directory.clone())
            .unwrap_or_default(),
        position: first.and_then(|first| first.position),
        directories,
        aggregate_memberships: application.mapping.aggregate_memberships,
        only_with_access: application.mapping.only_with_access,
        only_groups_with_access: application.mapping.only_groups_with_access,
        url: format!("{base}/crowd"),
        created: application.created,
        updated: application.updated,
        last_seen: application.last_seen,
    })
}
