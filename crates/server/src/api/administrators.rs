//! Administrators of the console, and the links that make them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use jiff::Timestamp;
use provision::{Inviter, NewInvitation, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{Administrator, Invitation, ReadTx};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::connectors;
use super::page::List;
use super::request::{Body, Segments};
use super::rights::{self, RoleWord};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, change, delete))
        .routes(routes!(reset))
        .routes(routes!(reset_second_factor))
        .routes(routes!(list_invitations, invite))
        .routes(routes!(show_invitation, revoke))
}

/// A person who administers this server.
#[derive(Debug, Serialize, ToSchema)]
struct AdministratorView {
    /// The id.
    id: String,
    /// The name to sign in with.
    name: String,
    /// `owner`, `operator` or `auditor`.
    role: &'static str,
    /// The names of the connectors that the person is confined to; absent for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<Vec<String>>,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When the person last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in: Option<Timestamp>,
    /// Since when a second factor is asked for, if one is.
    #[schema(value_type = Option<String>, format = DateTime)]
    second_factor: Option<Timestamp>,
    /// The OpenID provider at which the person signs in; absent for one with a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
}

impl AdministratorView {
    fn new(tx: &ReadTx<'_>, found: Administrator) -> Result<Self, ProvisionError> {
        Ok(Self {
            connectors: connectors::names(tx, found.rights.connectors.as_deref())?,
            id: found.id,
            name: found.name,
            role: found.rights.role.as_str(),
            created: found.created,
            last_sign_in: found.last_sign_in,
            second_factor: found.second_factor,
            issuer: found.issuer,
        })
    }
}

/// A link that nobody has used yet.
#[derive(Debug, Serialize, ToSchema)]
struct InvitationView {
    /// The id.
    id: String,
    /// What the person will be.
    role: &'static str,
    /// The names of the connectors that the person will be confined to; absent for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<Vec<String>>,
    /// The administrator whose password it renews; absent if it is for somebody new.
    #[serde(skip_serializing_if = "Option::is_none")]
    administrator: Option<String>,
    /// Who made it.
    created_by: String,
    /// The id of the administrator or token that made it; absent for the command line and the first start.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_id: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it stops working.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

impl InvitationView {
    fn new(
        tx: &ReadTx<'_>,
        invitation: Invitation,
        all: &[Administrator],
    ) -> Result<Self, ProvisionError> {
        let of = all
            .iter()
            .find(|one| Some(one.pk) == invitation.administrator);
        Ok(Self {
            connectors: connectors::names(tx, invitation.rights.connectors.as_deref())?,
            id: invitation.id,
            role: invitation.rights.role.as_str(),
            administrator: of.map(|one| one.name.clone()),
            created_by: invitation.created_by,
            created_by_id: invitation.created_by_id,
            created: invitation.created,
            expires: invitation.expires,
        })
    }
}

/// A link that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct NewLink {
    /// The id of the invitation.
    id: String,
    /// The link, shown this once. It is good once.
    link: String,
    /// When it stops working.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

/// What somebody may do from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RightsWish {
    /// The role.
    role: RoleWord,
    /// The connectors that an operator or auditor is confined to, by name or id; left out, there is no such bound.
    connectors: Option<Vec<String>>,
}

/// All administrators, in the order they were made.
#[utoipa::path(get, path = "/administrators", operation_id = "list_administrators", tag = "administrators",
    responses((status = OK, body = List<AdministratorView>)))]
async fn list(_admin: Admin, State(app): State<App>) -> Answer<Json<List<AdministratorView>>> {
    let all = app
        .provision()
        .store()
        .read(|tx| {
            let all = tx.administrators()?.into_iter();
            let views = all.map(|one| AdministratorView::new(tx, one));
            views.collect::<Result<_, ProvisionError>>()
        })
        .await?;
    Ok(Json(List { items: all }))
}

/// An administrator.
#[utoipa::path(get, path = "/administrators/{administrator}", operation_id = "show_administrator", tag = "administrators",
    params(("administrator" = String, Path, description = "The id or name")),
    responses((status = OK, body = AdministratorView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<AdministratorView>> {
    let found = app.provision().administrator(&name).await?;
    let store = app.provision().store();
    let view = store
        .look_up(move |tx| AdministratorView::new(tx, found.clone()))
        .await?;
    Ok(Json(view))
}

/// Gives an administrator other rights.
///
/// They take the place of all that the person had before. The person is signed out. The last owner stays one. Links that
/// somebody made who is no owner any more stop working.
#[utoipa::path(patch, path = "/administrators/{administrator}", operation_id = "change_administrator", tag = "administrators",
    params(("administrator" = String, Path, description = "The id or name")),
    request_body = RightsWish,
    responses((status = OK, body = AdministratorView)))]
async fn change(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(wish): Body<RightsWish>,
) -> Answer<Json<AdministratorView>> {
    let rights = rights::wanted(&app, wish.role, wish.connectors).await?;
    let provision = app.provision();
    let changed = provision.set_administrator_rights(&name, rights).await?;
    let store = provision.store();
    let view = store
        .look_up(move |tx| AdministratorView::new(tx, changed.clone()))
        .await?;
    Ok(Json(view))
}

/// Deletes an administrator, who is signed out at once. Links that the person made stop working.
#[utoipa::path(delete, path = "/administrators/{administrator}", operation_id = "delete_administrator", tag = "administrators",
    params(("administrator" = String, Path, description = "The id or name")),
    responses((status = NO_CONTENT)))]
async fn delete(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<StatusCode> {
    app.provision().delete_administrator(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link with which an administrator sets a new password.
#[utoipa::path(post, path = "/administrators/{administrator}/reset", operation_id = "reset_administrator", tag = "administrators",
    params(("administrator" = String, Path, description = "The id or name")),
    responses((status = CREATED, body = NewLink)))]
async fn reset(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
) -> Answer<impl IntoResponse> {
    let made = app.provision().invite_again(&name, inviter(&admin)).await?;
    Ok((StatusCode::CREATED, Json(link(&app, &headers, made))))
}

/// Takes the second factor from an administrator who lost it. The person is signed out.
#[utoipa::path(delete, path = "/administrators/{administrator}/second-factor", operation_id = "reset_second_factor", tag = "administrators",
    params(("administrator" = String, Path, description = "The id or name")),
    responses((status = NO_CONTENT)))]
async fn reset_second_factor(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<StatusCode> {
    app.provision().reset_second_factor(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Links that nobody has used yet, newest first.
#[utoipa::path(get, path = "/invitations", operation_id = "list_invitations", tag = "administrators",
    responses((status = OK, body = List<InvitationView>)))]
async fn list_invitations(
    _admin: Admin,
    State(app): State<App>,
) -> Answer<Json<List<InvitationView>>> {
    let items = app
        .provision()
        .store()
        .read(|tx| {
            let all = tx.administrators()?;
            let found = tx.invitations()?.into_iter();
            let views = found.map(|one| InvitationView::new(tx, one, &all));
            views.collect::<Result<_, ProvisionError>>()
        })
        .await?;
    Ok(Json(List { items }))
}

/// Makes a link for a new administrator. It is good once, for a day.
#[utoipa::path(post, path = "/invitations", operation_id = "invite_administrator", tag = "administrators",
    request_body = RightsWish,
    responses((status = CREATED, body = NewLink)))]
async fn invite(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    Body(wish): Body<RightsWish>,
) -> Answer<impl IntoResponse> {
    let rights = rights::wanted(&app, wish.role, wish.connectors).await?;
    let made = app.provision().invite(rights, inviter(&admin)).await?;
    Ok((StatusCode::CREATED, Json(link(&app, &headers, made))))
}

/// A link that nobody has used yet.
#[utoipa::path(get, path = "/invitations/{invitation}", operation_id = "show_invitation", tag = "administrators",
    params(("invitation" = String, Path, description = "Its id")),
    responses((status = OK, body = InvitationView)))]
async fn show_invitation(
    _admin: Admin,
    State(app): State<App>,
    id: Segments<String>,
) -> Answer<Json<InvitationView>> {
    let view = app
        .provision()
        .store()
        .read(move |tx| {
            let mut all = tx.invitations()?.into_iter();
            let found = all.find(|one| one.id == *id);
            let found = found.ok_or_else(|| ProvisionError::not_found("invitation", &id))?;
            InvitationView::new(tx, found, &tx.administrators()?)
        })
        .await?;
    Ok(Json(view))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/invitations/{invitation}", operation_id = "revoke_invitation", tag = "administrators",
    params(("invitation" = String, Path, description = "Its id")),
    responses((status = NO_CONTENT)))]
async fn revoke(_admin: Admin, State(app): State<App>, id: Segments<String>) -> Answer<StatusCode> {
    app.provision().revoke_invitation(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn inviter(admin: &Admin) -> Inviter<'_> {
    Inviter {
        name: &admin.name,
        id: admin.id.as_deref(),
    }
}

fn link(app: &App, headers: &HeaderMap, made: NewInvitation) -> NewLink {
    let base = app.base_url(headers);
    NewLink {
        id: made.invitation.id,
        link: crate::welcome_link(&base, made.secret.reveal()),
        expires: made.invitation.expires,
    }
}
