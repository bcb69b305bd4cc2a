//! The caller's own account: password, second factor, recovery codes.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::request::Body;
use super::{Answer, Problem};
use crate::App;
use crate::authority::Admin;
use crate::qr;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(change_password))
        .routes(routes!(begin))
        .routes(routes!(confirm))
        .routes(routes!(remove))
        .routes(routes!(renew))
}

/// The caller's own account.
#[derive(Debug, Serialize, ToSchema)]
struct AccountView {
    /// The id.
    id: String,
    /// The name to sign in with.
    name: String,
    /// `owner`, `operator` or `auditor`.
    role: &'static str,
    /// Since when a second factor is asked for, if one is.
    #[schema(value_type = Option<String>, format = DateTime)]
    second_factor: Option<Timestamp>,
    /// Recovery codes that are left.
    recovery_codes_left: i64,
    /// Whether everybody needs a second factor.
    second_factor_required: bool,
    /// The OpenID provider at which the caller signs in, where password and second factor are then.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The present one.
    present: String,
    /// The new one, of 15 characters at least.
    new: String,
}

/// A second factor that is being set up.
#[derive(Serialize, ToSchema)]
struct NewFactor {
    /// The secret in base 32, shown this once.
    secret: String,
    /// The same as a URI that authenticator apps understand.
    uri: String,
    /// The URI as a QR code: an SVG.
    qr: String,
}

/// A code of the second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    /// Six digits; where a second factor is set up already, a recovery code does as well.
    code: String,
}

/// Codes that stand in for a lost second factor.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    /// The codes, shown this once; each is good once.
    recovery_codes: Vec<String>,
}

/// Whose account it is; the proof was looked at before.
pub(super) fn own(admin: &Admin) -> Answer<&str> {
    admin.account().ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "Only an administrator who is signed in to the console has an account.",
        )
    })
}

/// The caller's own account.
#[utoipa::path(get, path = "/account", operation_id = "show_account", tag = "administrators",
    responses((status = OK, body = AccountView)))]
async fn show(admin: Admin, State(app): State<App>) -> Answer<Json<AccountView>> {
    let provision = app.provision();
    let found = provision.administrator(own(&admin)?).await?;
    let rules = provision.sign_in_rules().await?;
    Ok(Json(AccountView {
        recovery_codes_left: provision.recovery_codes_left(found.pk).await?,
        second_factor_required: rules.require_second_factor,
        id: found.id,
        name: found.name,
        role: found.rights.role.as_str(),
        second_factor: found.second_factor,
        issuer: found.issuer,
    }))
}

/// Gives the caller another password. All sessions end.
#[utoipa::path(post, path = "/account/password", operation_id = "change_own_password", tag = "administrators",
    request_body = PasswordChange, responses((status = NO_CONTENT)))]
async fn change_password(
    admin: Admin,
    State(app): State<App>,
    Body(change): Body<PasswordChange>,
) -> Answer<StatusCode> {
    let PasswordChange { present, new } = change;
    app.provision()
        .change_administrator_password(own(&admin)?, present, new, app.passwords())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins to set up a second factor (RFC 6238). It is asked for once a code of it was shown.
#[utoipa::path(post, path = "/account/second-factor", operation_id = "begin_second_factor", tag = "administrators",
    responses((status = CREATED, body = NewFactor)))]
async fn begin(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
) -> Answer<impl IntoResponse> {
    let made = app.provision().begin_second_factor(own(&admin)?).await?;
    let base = app.base_url(&headers);
    let host = base
        .split_once("://")
        .map_or(base.as_str(), |(_, host)| host);
    let uri = uri(&admin.name, host, &made.secret);
    let qr = qr::svg(&uri, "QR code of the second factor").unwrap_or_default();
    let made = NewFactor {
        secret: made.secret,
        uri,
        qr,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Ends the setting up with a first code, and gives recovery codes. All sessions end.
#[utoipa::path(post, path = "/account/second-factor/confirm", operation_id = "confirm_second_factor", tag = "administrators",
    request_body = Code, responses((status = OK, body = RecoveryCodes)))]
async fn confirm(
    admin: Admin,
    State(app): State<App>,
    Body(shown): Body<Code>,
) -> Answer<Json<RecoveryCodes>> {
    let codes = app
        .provision()
        .confirm_second_factor(own(&admin)?, &shown.code)
        .await?;
    Ok(Json(RecoveryCodes {
        recovery_codes: codes,
    }))
}

/// Removes the caller's second factor, unless one is required.
#[utoipa::path(post, path = "/account/second-factor/remove", operation_id = "remove_second_factor", tag = "administrators",
    request_body = Code, responses((status = NO_CONTENT)))]
async fn remove(
    admin: Admin,
    State(app): State<App>,
    Body(shown): Body<Code>,
) -> Answer<StatusCode> {
    app.provision()
        .remove_second_factor(own(&admin)?, &shown.code)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// New recovery codes in the place of all others.
#[utoipa::path(post, path = "/account/recovery-codes", operation_id = "renew_recovery_codes", tag = "administrators",
    request_body = Code, responses((status = OK, body = RecoveryCodes)))]
async fn renew(
    admin: Admin,
    State(app): State<App>,
    Body(shown): Body<Code>,
) -> Answer<Json<RecoveryCodes>> {
    let codes = app
        .provision()
        .renew_recovery_codes(own(&admin)?, &shown.code)
        .await?;
    Ok(Json(RecoveryCodes {
        recovery_codes: codes,
    }))
}

/// What authenticator apps read.
fn uri(name: &str, host: &str, secret: &str) -> String {
    let label = format!("Vestibule:{name}@{host}");
    let label = utf8_percent_encode(&label, NON_ALPHANUMERIC);
    format!(
        "otpauth://totp/{label}?secret={secret}&issuer=Vestibule&algorithm=SHA1&digits=6&period=30"
    )
}
