//! Tokens: those of a connector's endpoint, and those of this API.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use provision::{NewToken, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{Access, Grant, ReadTx, Token, TokenKind};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::{self, find_id};
use super::page::List;
use super::request::{OptionalBody, Segments};
use super::rights::{self, RoleWord};
use super::{Answer, Problem};
use crate::App;
use crate::authority::Admin;

/// How long old tokens go on working after a rotation, unless said otherwise: a day.
const OVERLAP_MINUTES_DEFAULT: u32 = 24 * 60;
/// The longest overlap: thirty days.
const OVERLAP_MINUTES_MAX: u32 = 30 * 24 * 60;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_of_connector, create_for_connector))
        .routes(routes!(rotate))
        .routes(routes!(show_of_connector, revoke_of_connector))
        .routes(routes!(list_of_api, create_for_api))
        .routes(routes!(show_of_api, revoke_of_api))
}

/// A token, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenView {
    /// Its id.
    id: String,
    /// What it is for.
    label: String,
    /// `read-only` or `read-write`.
    access: &'static str,
    /// What a token of this API may do: `owner`, `operator` or `auditor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// The names of the connectors that a token of this API is confined to; absent for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<Vec<String>>,
    /// Addresses and ranges it may come from; empty means any.
    addresses: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it stops working, if ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used: Option<Timestamp>,
    /// From which address it was last used.
    last_address: Option<String>,
}

impl TokenView {
    pub(super) fn new(tx: &ReadTx<'_>, token: Token) -> Result<Self, ProvisionError> {
        let connectors = match &token.rights {
            Some(rights) => connectors::names(tx, rights.connectors.as_deref())?,
            None => None,
        };
        Ok(Self {
            role: token.rights.map(|rights| rights.role.as_str()),
            connectors,
            id: token.id,
            label: token.label,
            access: token.access.as_str(),
            addresses: token.addresses,
            created: token.created,
            expires: token.expires,
            last_used: token.last_used,
            last_address: token.last_address,
        })
    }
}

/// A token to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenCreation {
    /// What it is for, at most 100 characters.
    #[serde(default)]
    label: String,
    /// What it may do; everything, if left out.
    #[serde(default)]
    access: GrantAccess,
    /// Addresses and CIDR ranges it may come from; any, if left out.
    #[serde(default)]
    addresses: Vec<String>,
    /// When it stops working; never, if left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

impl From<TokenCreation> for Grant {
    fn from(creation: TokenCreation) -> Self {
        Self {
            label: creation.label,
            access: creation.access.into(),
            rights: None,
            addresses: creation.addresses,
            expires: creation.expires,
        }
    }
}

/// A token of this API to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApiTokenCreation {
    /// What it is for, at most 100 characters.
    #[serde(default)]
    label: String,
    /// What it may do: read (`auditor`), operate (`operator`) or own (`owner`). It may be left out where `access` is
    /// `read-only`: such a token is an auditor's.
    role: Option<RoleWord>,
    /// The connectors that an operator's or auditor's token is confined to, by name or id; without any, there is no such
    /// bound.
    connectors: Option<Vec<String>>,
    /// `read-only` or `read-write`; what the role says, if it is left out.
    access: Option<GrantAccess>,
    /// Addresses and CIDR ranges it may come from; any, if left out.
    #[serde(default)]
    addresses: Vec<String>,
    /// When it stops working; never, if left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

impl ApiTokenCreation {
    /// The role, by its own name or, of a token that may only read, by that.
    fn role(&self) -> Answer<RoleWord> {
        match (self.role, self.access) {
            (Some(RoleWord::Auditor), Some(GrantAccess::ReadWrite)) => Err(Problem::invalid(
                "access",
                "'access' is read-write, but an auditor changes nothing. Leave it out, or choose another 'role'.",
            )),
            (Some(RoleWord::Owner | RoleWord::Operator), Some(GrantAccess::ReadOnly)) => {
                Err(Problem::invalid(
                    "access",
                    "'access' is read-only, which 'role' contradicts. Leave one of them out.",
                ))
            }
            (Some(role), _) => Ok(role),
            (None, Some(GrantAccess::ReadOnly)) => Ok(RoleWord::Auditor),
            (None, _) => Err(Problem::invalid(
                "role",
                "'role' is missing: say what the token may do, 'auditor' (read), 'operator' or 'owner' (everything).",
            )),
        }
    }
}

/// What a credential may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GrantAccess {
    /// Only read; whatever changes something is refused.
    ReadOnly,
    /// Everything.
    #[default]
    ReadWrite,
}

impl From<GrantAccess> for Access {
    fn from(word: GrantAccess) -> Self {
        match word {
            GrantAccess::ReadOnly => Self::ReadOnly,
            GrantAccess::ReadWrite => Self::ReadWrite,
        }
    }
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedToken {
    #[serde(flatten)]
    view: TokenView,
    /// The text, shown this once.
    token: String,
}

async fn created(app: &App, made: NewToken) -> Answer<Response> {
    let NewToken { token, secret } = made;
    let store = app.provision().store();
    let view = store
        .look_up(move |tx| TokenView::new(tx, token.clone()))
        .await?;
    let created = CreatedToken {
        view,
        token: secret.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

/// How to rotate.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// How many minutes the old tokens go on working, at most thirty days; 0 ends them at once, and
    /// left out they have a day.
    overlap_minutes: Option<u32>,
}

/// A new token of a connector in place of all others.
#[derive(Debug, Serialize, ToSchema)]
struct RotatedToken {
    /// The connector's id.
    id: String,
    /// What to paste into the identity provider.
    base_url: String,
    /// The new token, shown this once.
    token: String,
    /// When the old tokens stop working.
    #[schema(value_type = String, format = DateTime)]
    old_tokens_end: Timestamp,
}

/// The tokens of a connector, newest first.
#[utoipa::path(get, path = "/connectors/{connector}/tokens", operation_id = "list_connector_tokens", tag = "tokens",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = List<TokenView>)))]
async fn list_of_connector(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<List<TokenView>>> {
    let id = find_id(&app, &name).await?;
    list(&app, TokenKind::Scim(id)).await
}

/// Makes a token for a connector; the others go on working.
#[utoipa::path(post, path = "/connectors/{connector}/tokens", operation_id = "create_connector_token", tag = "tokens",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = TokenCreation,
    responses((status = CREATED, body = CreatedToken)))]
async fn create_for_connector(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    OptionalBody(creation): OptionalBody<TokenCreation>,
) -> Answer<impl IntoResponse> {
    let id = find_id(&app, &name).await?;
    let kind = TokenKind::Scim(id);
    let made = app.provision().create_token(kind, creation.into()).await?;
    created(&app, made).await
}

/// Makes a new token for a connector and lets the others end after a while.
///
/// In the meantime the identity provider can be changed over without a gap.
#[utoipa::path(post, path = "/connectors/{connector}/tokens/rotate", operation_id = "rotate_connector_tokens", tag = "tokens",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = Rotation,
    responses((status = CREATED, body = RotatedToken)))]
async fn rotate(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
    OptionalBody(rotation): OptionalBody<Rotation>,
) -> Answer<impl IntoResponse> {
    let overlap = overlap(rotation.overlap_minutes)?;
    let id = find_id(&app, &name).await?;
    let made = app.provision().rotate_scim_token(id, overlap).await?;
    let base = app.base_url(&headers);
    let found = app
        .provision()
        .store()
        .look_up(move |tx| connectors::find(tx, &name))
        .await?;
    let public_id = found.connector.public_id;
    let rotated = RotatedToken {
        base_url: format!("{base}/scim/v2/{public_id}"),
        id: public_id,
        old_tokens_end: made.token.created + overlap,
        token: made.secret.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(rotated)))
}

/// How long what is replaced goes on working.
pub(super) fn overlap(minutes: Option<u32>) -> Answer<SignedDuration> {
    let minutes = minutes.unwrap_or(OVERLAP_MINUTES_DEFAULT);
    if minutes > OVERLAP_MINUTES_MAX {
        let detail = format!("'overlap_minutes' may be {OVERLAP_MINUTES_MAX} at most.");
        return Err(Problem::invalid("overlap_minutes", detail));
    }
    Ok(SignedDuration::from_mins(i64::from(minutes)))
}

/// A token of a connector.
#[utoipa::path(get, path = "/connectors/{connector}/tokens/{token}", operation_id = "show_connector_token", tag = "tokens",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("token" = String, Path, description = "The token's id"),
    ),
    responses((status = OK, body = TokenView)))]
async fn show_of_connector(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<TokenView>> {
    let (name, token) = path.0;
    let id = find_id(&app, &name).await?;
    show(&app, TokenKind::Scim(id), token).await
}

/// Revokes a token of a connector; it stops working at once.
#[utoipa::path(delete, path = "/connectors/{connector}/tokens/{token}", operation_id = "revoke_connector_token", tag = "tokens",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("token" = String, Path, description = "The token's id"),
    ),
    responses((status = NO_CONTENT)))]
async fn revoke_of_connector(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<StatusCode> {
    let (name, token) = &*path;
    let id = find_id(&app, name).await?;
    app.provision()
        .revoke_token(TokenKind::Scim(id), token)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The tokens of this API, newest first.
#[utoipa::path(get, path = "/tokens", operation_id = "list_api_tokens", tag = "tokens",
    responses((status = OK, body = List<TokenView>)))]
async fn list_of_api(_admin: Admin, State(app): State<App>) -> Answer<Json<List<TokenView>>> {
    list(&app, TokenKind::Api).await
}

/// Makes a token for this API.
#[utoipa::path(post, path = "/tokens", operation_id = "create_api_token", tag = "tokens", request_body = ApiTokenCreation,
    responses((status = CREATED, body = CreatedToken)))]
async fn create_for_api(
    _admin: Admin,
    State(app): State<App>,
    OptionalBody(creation): OptionalBody<ApiTokenCreation>,
) -> Answer<impl IntoResponse> {
    let role = creation.role()?;
    let rights = rights::wanted(&app, role, creation.connectors).await?;
    let grant = Grant {
        rights: Some(rights),
        addresses: creation.addresses,
        expires: creation.expires,
        ..Grant::of(creation.label)
    };
    let made = app.provision().create_token(TokenKind::Api, grant).await?;
    created(&app, made).await
}

/// A token of this API.
#[utoipa::path(get, path = "/tokens/{token}", operation_id = "show_api_token", tag = "tokens",
    params(("token" = String, Path, description = "The token's id")),
    responses((status = OK, body = TokenView)))]
async fn show_of_api(
    _admin: Admin,
    State(app): State<App>,
    token: Segments<String>,
) -> Answer<Json<TokenView>> {
    show(&app, TokenKind::Api, token.0).await
}

/// Revokes a token of this API; it stops working at once.
///
/// When none is left, the command line makes a new one.
#[utoipa::path(delete, path = "/tokens/{token}", operation_id = "revoke_api_token", tag = "tokens",
    params(("token" = String, Path, description = "The token's id")),
    responses((status = NO_CONTENT)))]
async fn revoke_of_api(
    _admin: Admin,
    State(app): State<App>,
    token: Segments<String>,
) -> Answer<StatusCode> {
    app.provision().revoke_token(TokenKind::Api, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(app: &App, kind: TokenKind, id: String) -> Answer<Json<TokenView>> {
    let store = app.provision().store();
    let found = store.look_up(move |tx| {
        let mut all = tx.tokens(kind)?.into_iter();
        let found = all.find(|token| token.id == id);
        TokenView::new(
            tx,
            found.ok_or_else(|| ProvisionError::not_found("token", &id))?,
        )
    });
    Ok(Json(found.await?))
}

async fn list(app: &App, kind: TokenKind) -> Answer<Json<List<TokenView>>> {
    let items = app
        .provision()
        .store()
        .read(move |tx| {
            let all = tx.tokens(kind)?.into_iter();
            let views = all.map(|token| TokenView::new(tx, token));
            views.collect::<Result<_, ProvisionError>>()
        })
        .await?;
    Ok(Json(List { items }))
}
