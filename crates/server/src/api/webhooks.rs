//! Webhooks of an application: what it registered, and how telling it goes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use provision::ProvisionError;
use serde::{Deserialize, Serialize};
use store::{StoreError, Webhook};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::applications::find;
use super::page::List;
use super::request::{Body, Segments};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, delete))
        .routes(routes!(enable))
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookView {
    /// Its number.
    id: i64,
    /// Where it is told that there is something new.
    url: String,
    /// Whether a token is sent along. The token itself is not shown.
    has_token: bool,
    /// `idle`, `behind`, `failing` or `disabled`.
    state: &'static str,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was last told.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success: Option<Timestamp>,
    /// Attempts that failed since.
    failures: i64,
    /// When the first of them was.
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// Why the last of them failed, and what to do about it.
    last_error: Option<String>,
    /// When it is tried next, if it is failing.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try: Option<Timestamp>,
    /// When it was given up, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled: Option<Timestamp>,
}

impl WebhookView {
    fn new(webhook: Webhook, is_behind: bool) -> Self {
        let state = match webhook {
            Webhook {
                disabled: Some(_), ..
            } => "disabled",
            Webhook { failures: 1.., .. } => "failing",
            _ if is_behind => "behind",
            _ => "idle",
        };
        Self {
            id: webhook.id,
            url: webhook.url,
            has_token: webhook.token.is_some(),
            state,
            created: webhook.created,
            last_success: webhook.last_success,
            failures: webhook.failures,
            failing_since: webhook.failing_since,
            last_error: webhook.last_error,
            next_try: (state == "failing").then_some(webhook.next_try),
            disabled: webhook.disabled,
        }
    }
}

/// A webhook to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookCreation {
    /// Where to send, `https://HOST/PATH`.
    url: String,
    /// What the endpoint recognises the sender by: sent as `Authorization: Basic TOKEN`.
    token: Option<String>,
}

/// The webhooks of an application, oldest first.
#[utoipa::path(get, path = "/applications/{application}/webhooks", operation_id = "list_webhooks", tag = "applications",
    params(("application" = String, Path, description = "Its id or name")),
    responses((status = OK, body = List<WebhookView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<List<WebhookView>>> {
    let application = find(&app, &name).await?.id;
    let items = app
        .provision()
        .store()
        .read(move |tx| {
            let news = tx.positions_seen_by(application)?;
            let all = tx.webhooks_of(application)?.into_iter();
            let views = all.map(|webhook| {
                let is_behind = webhook.told != news;
                WebhookView::new(webhook, is_behind)
            });
            Ok::<_, StoreError>(views.collect())
        })
        .await?;
    Ok(Json(List { items }))
}

/// Registers a webhook for an application, as the application itself can.
///
/// The same address again renews the one that is there.
#[utoipa::path(post, path = "/applications/{application}/webhooks", operation_id = "create_webhook", tag = "applications",
    params(("application" = String, Path, description = "Its id or name")),
    request_body = WebhookCreation,
    responses((status = CREATED, body = WebhookView)))]
async fn create(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(creation): Body<WebhookCreation>,
) -> Answer<(StatusCode, Json<WebhookView>)> {
    let application = find(&app, &name).await?.id;
    let provision = app.provision();
    let made = provision
        .create_webhook(application, creation.url, creation.token)
        .await?;
    Ok((StatusCode::CREATED, Json(WebhookView::new(made, false))))
}

/// A webhook of an application.
#[utoipa::path(get, path = "/applications/{application}/webhooks/{webhook}", operation_id = "show_webhook", tag = "applications",
    params(
        ("application" = String, Path, description = "Its id or name"),
        ("webhook" = i64, Path, description = "Its number"),
    ),
    responses((status = OK, body = WebhookView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, i64)>,
) -> Answer<Json<WebhookView>> {
    let (name, id) = segments.0;
    let application = find(&app, &name).await?.id;
    let view = app
        .provision()
        .store()
        .read(move |tx| {
            let found = tx.webhook(id)?;
            let own = found.filter(|webhook| webhook.application == application);
            let webhook = own.ok_or_else(|| missing(id))?;
            let is_behind = webhook.told != tx.positions_seen_by(application)?;
            Ok::<_, ProvisionError>(WebhookView::new(webhook, is_behind))
        })
        .await?;
    Ok(Json(view))
}

/// Deletes a webhook.
#[utoipa::path(delete, path = "/applications/{application}/webhooks/{webhook}", operation_id = "delete_webhook", tag = "applications",
    params(
        ("application" = String, Path, description = "Its id or name"),
        ("webhook" = i64, Path, description = "Its number"),
    ),
    responses((status = NO_CONTENT)))]
async fn delete(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, i64)>,
) -> Answer<StatusCode> {
    let id = own(&app, &segments.0).await?;
    app.provision().delete_webhook(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook that was given up, or has to wait, another chance at once.
#[utoipa::path(post, path = "/applications/{application}/webhooks/{webhook}/enable", operation_id = "enable_webhook", tag = "applications",
    params(
        ("application" = String, Path, description = "Its id or name"),
        ("webhook" = i64, Path, description = "Its number"),
    ),
    responses((status = OK, body = WebhookView)))]
async fn enable(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, i64)>,
) -> Answer<Json<WebhookView>> {
    let id = own(&app, &segments.0).await?;
    let enabled = app.provision().enable_webhook(id).await?;
    Ok(Json(WebhookView::new(enabled, true)))
}

/// The number of a webhook that is this application's.
async fn own(app: &App, (name, id): &(String, i64)) -> Result<i64, ProvisionError> {
    let application = find(app, name).await?.id;
    let id = *id;
    let found = app
        .provision()
        .store()
        .look_up(move |tx| tx.webhook(id))
        .await?;
    found
        .filter(|webhook| webhook.application == application)
        .map(|webhook| webhook.id)
        .ok_or_else(|| missing(id))
}

fn missing(id: i64) -> ProvisionError {
    ProvisionError::not_found("webhook", &id.to_string())
}
