//! How administrators sign in.

use axum::Json;
use axum::extract::State;
use provision::SignInRules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::request::Body;
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// How administrators sign in.
#[derive(Debug, Serialize, ToSchema)]
struct SignInRulesView {
    /// Whether everybody needs a second factor.
    require_second_factor: bool,
}

impl From<SignInRules> for SignInRulesView {
    fn from(rules: SignInRules) -> Self {
        Self {
            require_second_factor: rules.require_second_factor,
        }
    }
}

/// What is to be changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInRulesChange {
    /// Whether everybody needs a second factor. Who has none is signed out, and sets one up at the next sign-in.
    require_second_factor: Option<bool>,
}

/// How administrators sign in.
#[utoipa::path(get, path = "/sign-in", operation_id = "show_sign_in_rules", tag = "administrators",
    responses((status = OK, body = SignInRulesView)))]
async fn show(_admin: Admin, State(app): State<App>) -> Answer<Json<SignInRulesView>> {
    Ok(Json(app.provision().sign_in_rules().await?.into()))
}

/// Changes how administrators sign in.
#[utoipa::path(patch, path = "/sign-in", operation_id = "change_sign_in_rules", tag = "administrators",
    request_body = SignInRulesChange, responses((status = OK, body = SignInRulesView)))]
async fn change(
    _admin: Admin,
    State(app): State<App>,
    Body(change): Body<SignInRulesChange>,
) -> Answer<Json<SignInRulesView>> {
    let mut rules = app.provision().sign_in_rules().await?;
    if let Some(require) = change.require_second_factor {
        rules.require_second_factor = require;
    }
    let rules = app.provision().set_sign_in_rules(rules).await?;
    Ok(Json(rules.into()))
}
