//! Applications: the products that attach a directory.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::LOCATION};
use axum::response::IntoResponse;
use directory::DirectoryId;
use jiff::Timestamp;
use provision::{ApplicationDraft, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{Access, Application, ReadTx, StoreError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::directories;
use super::page::List;
use super::request::{Body, Segments};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
        .routes(routes!(new_password))
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
    /// The name of the directory that it sees.
    directory: String,
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
    /// The position of the journal that it has fetched up to.
    position: Option<i64>,
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
    /// Name or id of the directory that it sees; may be left out if there is only one.
    directory: Option<String>,
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
    /// Name or id of the directory that it sees.
    directory: Option<String>,
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
            let all = tx.applications()?;
            let views = all
                .into_iter()
                .map(|application| view(tx, application, &base));
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
    let draft = ApplicationDraft {
        name: creation.name,
        access: creation.access.into(),
        addresses: creation.addresses,
        directory: creation.directory,
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

/// Changes name, access, addresses or directory.
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
    let directory = match change.directory.clone() {
        Some(directory) => Some(directories::find_id(&app, directory).await?),
        None => None,
    };
    let changed = app
        .provision()
        .change_application(&found.public_id, move |application| {
            change.apply(directory, application);
        })
        .await?;
    Ok(Json(shown(&app, app.base_url(&headers), changed).await?))
}

impl ApplicationChange {
    fn apply(&self, directory: Option<DirectoryId>, application: &mut Application) {
        if let Some(name) = &self.name {
            application.name.clone_from(name);
        }
        if let Some(access) = self.access {
            application.access = access.into();
        }
        if let Some(addresses) = &self.addresses {
            application.addresses.clone_from(addresses);
        }
        if let Some(directory) = directory {
            application.directory = directory;
        }
    }
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

/// Deletes an application. The directory that it saw stays.
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

async fn find(app: &App, name: &str) -> Result<Application, ProvisionError> {
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
        .look_up(move |tx| view(tx, application.clone(), &base))
        .await
}

fn view(
    tx: &ReadTx<'_>,
    application: Application,
    base: &str,
) -> Result<ApplicationView, StoreError> {
    let directory = tx.directory(application.directory)?;
    Ok(ApplicationView {
        id: application.public_id,
        name: application.name,
        access: application.access.into(),
        addresses: application.addresses,
        directory: directory.map(|found| found.name).unwrap_or_default(),
        url: format!("{base}/crowd"),
        created: application.created,
        updated: application.updated,
        last_seen: application.last_seen,
        position: application.last_position,
    })
}
