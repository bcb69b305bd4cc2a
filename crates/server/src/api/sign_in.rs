//! How people sign in with an application: its cookie and how long sessions live.

use axum::Json;
use axum::extract::State;
use provision::ProvisionError;
use serde::{Deserialize, Serialize};
use store::SignInSettings;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::applications::find;
use super::request::{Body, Segments};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// How people sign in with an application.
#[derive(Debug, Serialize, ToSchema)]
struct SignInView {
    /// The domain of the cookie, e.g. `.example.org`; empty leaves it to the product.
    cookie_domain: String,
    /// Whether the cookie goes over TLS only; if null, whether this server is reached over TLS.
    cookie_secure: Option<bool>,
    /// The name of the cookie. Products that share a sign-in need the same.
    cookie_name: String,
    /// A session that begins here ends after so many minutes without use.
    session_idle_minutes: u32,
    /// A session that begins here ends after so many minutes in any case.
    session_life_minutes: u32,
}

impl From<SignInSettings> for SignInView {
    fn from(settings: SignInSettings) -> Self {
        Self {
            cookie_domain: settings.cookie_domain,
            cookie_secure: settings.cookie_secure,
            cookie_name: settings.cookie_name,
            session_idle_minutes: settings.session_idle_minutes,
            session_life_minutes: settings.session_life_minutes,
        }
    }
}

/// What to change about signing in; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInChange {
    /// The domain of the cookie; empty leaves it to the product.
    cookie_domain: Option<String>,
    /// Whether the cookie goes over TLS only.
    cookie_secure: Option<bool>,
    /// The name of the cookie.
    cookie_name: Option<String>,
    /// Minutes without use after which a session ends.
    session_idle_minutes: Option<u32>,
    /// Minutes after which a session ends in any case, at most 44640.
    session_life_minutes: Option<u32>,
}

impl SignInChange {
    fn apply(&self, settings: &mut SignInSettings) {
        if let Some(domain) = &self.cookie_domain {
            settings.cookie_domain.clone_from(domain);
        }
        if self.cookie_secure.is_some() {
            settings.cookie_secure = self.cookie_secure;
        }
        if let Some(name) = &self.cookie_name {
            settings.cookie_name.clone_from(name);
        }
        if let Some(minutes) = self.session_idle_minutes {
            settings.session_idle_minutes = minutes;
        }
        if let Some(minutes) = self.session_life_minutes {
            settings.session_life_minutes = minutes;
        }
    }
}

/// How people sign in with an application.
#[utoipa::path(get, path = "/applications/{application}/sign-in", operation_id = "show_sign_in", tag = "applications",
    params(("application" = String, Path, description = "Its id or name")),
    responses((status = OK, body = SignInView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<SignInView>> {
    let found = find(&app, &name).await?;
    let settings = app.provision().sign_in_settings(found.id).await?;
    Ok(Json(settings.into()))
}

/// Changes how people sign in with an application.
///
/// Sessions that have begun keep their times.
#[utoipa::path(patch, path = "/applications/{application}/sign-in", operation_id = "change_sign_in", tag = "applications",
    params(("application" = String, Path, description = "Its id or name")),
    request_body = SignInChange,
    responses((status = OK, body = SignInView)))]
async fn change(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(change): Body<SignInChange>,
) -> Answer<Json<SignInView>> {
    let found = find(&app, &name).await?;
    let changed: Result<_, ProvisionError> = app
        .provision()
        .change_sign_in(found.id, move |settings| change.apply(settings))
        .await;
    Ok(Json(changed?.into()))
}
