//! How administrators sign in at the company's own OpenID provider.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use provision::{ClientSecret, GroupRole, OpenIdSettings, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{ReadTx, Rights};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors;
use super::request::Body;
use super::rights::{self, RoleWord};
use super::{Answer, Problem};
use crate::App;
use crate::authority::Admin;
use crate::open_id::CALLBACK;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show, set, delete))
        .routes(routes!(check))
}

/// How administrators sign in at an OpenID provider.
#[derive(Debug, Serialize, ToSchema)]
struct OpenIdView {
    /// Whether the way is open.
    enabled: bool,
    /// The provider, to the letter as it names itself.
    issuer: String,
    /// What this server is called there.
    client_id: String,
    /// Whether there is a secret of this server there. It is not shown.
    has_secret: bool,
    /// What the button says.
    label: String,
    /// What is asked for, besides `openid`.
    scopes: Vec<String>,
    /// The claim that names a person.
    name_claim: String,
    /// The claim that has the person's groups.
    groups_claim: String,
    /// What groups give.
    roles: Vec<GroupRoleView>,
    /// What has to be entered at the provider as redirect URI.
    redirect_uri: String,
}

/// What the members of a group may do.
#[derive(Debug, Serialize, ToSchema)]
struct GroupRoleView {
    /// The group.
    group: String,
    /// `owner`, `operator` or `auditor`.
    role: &'static str,
    /// The names of the connectors that they are confined to; absent for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<Vec<String>>,
}

/// How administrators are to sign in at an OpenID provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenIdWish {
    /// Whether the way is open; yes, if left out.
    enabled: Option<bool>,
    /// The provider, to the letter as its discovery document names it: an https:// address.
    issuer: String,
    /// What this server is called there.
    client_id: String,
    /// The secret of this server there. Left out, it stays if provider and client do; empty, there is none.
    client_secret: Option<String>,
    /// What the button says; the host of the provider, if left out.
    #[serde(default)]
    label: String,
    /// What is asked for, besides `openid`; `profile` and `email`, if left out.
    scopes: Option<Vec<String>>,
    /// The claim that names a person; `preferred_username`, if left out.
    name_claim: Option<String>,
    /// The claim that has the person's groups; `groups`, if left out.
    groups_claim: Option<String>,
    /// What groups give. Who is in none of them is not let in.
    #[serde(default)]
    roles: Vec<GroupRoleWish>,
}

/// What the members of a group are to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupRoleWish {
    /// The group, as the provider writes it.
    group: String,
    /// The role.
    role: RoleWord,
    /// The connectors that operators or auditors are confined to, by name or id; left out, there is no such bound.
    connectors: Option<Vec<String>>,
}

/// What a provider says of itself.
#[derive(Debug, Serialize, ToSchema)]
struct OpenIdProviderView {
    /// Where people are sent.
    authorization_endpoint: String,
    /// Where codes are exchanged.
    token_endpoint: String,
    /// Where its keys are.
    jwks_uri: String,
    /// Where people sign out, if there is such a place.
    end_session_endpoint: Option<String>,
}

fn view(tx: &ReadTx<'_>, found: OpenIdSettings, base: &str) -> Result<OpenIdView, ProvisionError> {
    let role = |one: GroupRole| {
        let rights = Rights {
            role: one.role,
            connectors: one.connectors,
        };
        Ok(GroupRoleView {
            group: one.group,
            role: one.role.as_str(),
            connectors: connectors::names(tx, rights.connectors.as_deref())?,
        })
    };
    let roles: Result<_, ProvisionError> = found.roles.into_iter().map(role).collect();
    Ok(OpenIdView {
        enabled: found.enabled,
        issuer: found.issuer,
        client_id: found.client_id,
        has_secret: found.sealed_secret.is_some(),
        label: found.label,
        scopes: found.scopes,
        name_claim: found.name_claim,
        groups_claim: found.groups_claim,
        roles: roles?,
        redirect_uri: format!("{base}{CALLBACK}"),
    })
}

async fn current(app: &App) -> Answer<OpenIdSettings> {
    let found = app.provision().open_id().await?;
    found.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "No OpenID provider is set. A PUT to this path sets one.",
        )
    })
}

async fn shown(app: &App, headers: &HeaderMap, found: OpenIdSettings) -> Answer<Json<OpenIdView>> {
    let base = app.base_url(headers);
    let store = app.provision().store();
    let view = store
        .look_up(move |tx| view(tx, found.clone(), &base))
        .await?;
    Ok(Json(view))
}

/// How administrators sign in at an OpenID provider.
#[utoipa::path(get, path = "/sign-in/openid", operation_id = "show_open_id", tag = "administrators",
    responses((status = OK, body = OpenIdView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
) -> Answer<Json<OpenIdView>> {
    let found = current(&app).await?;
    shown(&app, &headers, found).await
}

/// Sets the OpenID provider at which administrators sign in. It takes the place of what was set before.
#[utoipa::path(put, path = "/sign-in/openid", operation_id = "set_open_id", tag = "administrators",
    request_body = OpenIdWish, responses((status = OK, body = OpenIdView)))]
async fn set(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    Body(wish): Body<OpenIdWish>,
) -> Answer<Json<OpenIdView>> {
    let mut roles = Vec::with_capacity(wish.roles.len());
    for one in wish.roles {
        let rights = rights::wanted(&app, one.role, one.connectors).await?;
        roles.push(GroupRole {
            group: one.group,
            role: rights.role,
            connectors: rights.connectors,
        });
    }
    let secret = match wish.client_secret {
        None => ClientSecret::Keep,
        Some(secret) if secret.is_empty() => ClientSecret::Without,
        Some(secret) => ClientSecret::Is(secret),
    };
    let usual = OpenIdSettings::default();
    let settings = OpenIdSettings {
        enabled: wish.enabled.unwrap_or(true),
        issuer: wish.issuer,
        client_id: wish.client_id,
        sealed_secret: None,
        label: wish.label,
        scopes: wish.scopes.unwrap_or(usual.scopes),
        name_claim: wish.name_claim.unwrap_or(usual.name_claim),
        groups_claim: wish.groups_claim.unwrap_or(usual.groups_claim),
        roles,
    };
    let kept = app.provision().set_open_id(settings, secret).await?;
    shown(&app, &headers, kept).await
}

/// Closes the way and forgets the provider.
///
/// Who came by it is signed out. Local accounts are as they were.
#[utoipa::path(delete, path = "/sign-in/openid", operation_id = "delete_open_id", tag = "administrators",
    responses((status = NO_CONTENT)))]
async fn delete(_admin: Admin, State(app): State<App>) -> Answer<StatusCode> {
    current(&app).await?;
    app.provision().delete_open_id().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks the OpenID provider what it says of itself.
#[utoipa::path(get, path = "/sign-in/openid/check", operation_id = "check_open_id", tag = "administrators",
    responses((status = OK, body = OpenIdProviderView)))]
async fn check(_admin: Admin, State(app): State<App>) -> Answer<Json<OpenIdProviderView>> {
    let found = current(&app).await?;
    let now = app.provision().store().now();
    let asked = app.inner().open_id.discover(&found.issuer, now).await;
    let provider = asked.map_err(|why| {
        let detail = format!("The provider cannot be used: {why}.");
        Problem::new(StatusCode::BAD_GATEWAY, detail)
    })?;
    Ok(Json(OpenIdProviderView {
        authorization_endpoint: provider.authorization_endpoint,
        token_endpoint: provider.token_endpoint,
        jwks_uri: provider.jwks_uri,
        end_session_endpoint: provider.end_session_endpoint,
    }))
}
