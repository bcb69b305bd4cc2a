//! Notifications: the channels by which administrators are told.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use directory::notification::{EVERY_MINUTES_DEFAULT, Event, Wants, Way};
use jiff::Timestamp;
use provision::{ChannelWish, ProvisionError, Secret};
use serde::{Deserialize, Serialize};
use store::{Channel, ChannelDraft, ReadTx};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::List;
use super::request::{Body, Segments};
use super::{Answer, Problem, connectors, schema};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, set, delete))
        .routes(routes!(test))
        .routes(routes!(events))
}

/// A channel by which administrators are told.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Whether it tells anything.
    enabled: bool,
    /// How it tells.
    #[schema(schema_with = schema::way)]
    way: Way,
    /// Whether there is a secret. It is not shown.
    has_secret: bool,
    /// The events that it tells; null for all.
    events: Option<Vec<&'static str>>,
    /// The names of the connectors that it tells of; null for all, and for what is about none.
    connectors: Option<Vec<String>>,
    /// Minutes between two messages at least.
    every_minutes: u32,
    /// `off`, `new`, `working` or `failing`.
    state: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it last took a message.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success: Option<Timestamp>,
    /// What the other end said then.
    last_answer: Option<String>,
    /// Attempts that failed since.
    failures: i64,
    /// When the first of them was.
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// Why the last of them failed.
    last_error: Option<String>,
    /// When it is tried next, if it is failing.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try: Option<Timestamp>,
}

/// A channel as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChannelBody {
    /// Its name.
    name: String,
    /// Whether it tells anything; yes, if left out.
    enabled: Option<bool>,
    /// How it tells.
    #[schema(schema_with = schema::way)]
    way: Way,
    /// The password of the mail server, the key of the webhook's signatures, or the URL of the chat. Left out, it stays if it
    /// would go to the same place; for a webhook one is made and shown once if there is none. Empty, there is none, and a
    /// webhook gets a new one.
    secret: Option<String>,
    /// The events that it tells; all, if left out.
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<BTreeSet<Event>>,
    /// The connectors that it tells of, by name or id; left out, all, and what is about none.
    connectors: Option<Vec<String>>,
    /// Minutes between two messages at least; 15, if left out.
    every_minutes: Option<u32>,
}

/// A channel that was just made or changed.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelMade {
    #[serde(flatten)]
    channel: ChannelView,
    /// The key of the signatures, if it was made just now. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// What the other end said to a message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SentView {
    /// Its words.
    answer: String,
}

/// An event that channels tell, or subscriptions are told of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventView {
    /// Its name.
    pub(super) event: &'static str,
    /// What it is, for people.
    pub(super) called: &'static str,
}

/// What the other end said, or that it did not take the message.
pub(super) fn sent(outcome: Result<String, String>) -> Answer<Json<SentView>> {
    outcome
        .map(|answer| Json(SentView { answer }))
        .map_err(|why| {
            let detail = format!("The message was not taken: {why}.");
            Problem::new(StatusCode::BAD_GATEWAY, detail)
        })
}

fn view(tx: &ReadTx<'_>, channel: Channel) -> Result<ChannelView, ProvisionError> {
    let draft = channel.draft;
    let state = match (draft.enabled, channel.failures, channel.last_success) {
        (false, ..) => "off",
        (_, 1.., _) => "failing",
        (_, _, Some(_)) => "working",
        _ => "new",
    };
    let names = connectors::names(tx, draft.wants.connectors.as_deref())?;
    let events = draft.wants.events;
    Ok(ChannelView {
        id: channel.id,
        name: draft.name,
        enabled: draft.enabled,
        way: draft.way,
        has_secret: channel.sealed.is_some(),
        events: events.map(|events| events.into_iter().map(Event::as_str).collect()),
        connectors: names,
        every_minutes: draft.every_minutes,
        state,
        created: channel.created,
        last_success: channel.last_success,
        last_answer: channel.last_answer,
        failures: channel.failures,
        failing_since: channel.failing_since,
        last_error: channel.last_error,
        next_try: (state == "failing").then_some(channel.next_try),
    })
}

async fn wish(app: &App, body: ChannelBody) -> Answer<ChannelWish> {
    if body.events.as_ref().is_some_and(BTreeSet::is_empty) {
        let detail = "'events' is empty, so nothing would be told. Leave it out for all events, or set 'enabled' to false.";
        return Err(Problem::invalid("events", detail));
    }
    Ok(ChannelWish {
        draft: ChannelDraft {
            name: body.name,
            way: body.way,
            wants: Wants {
                events: body.events,
                connectors: connectors::ids(app, body.connectors).await?,
            },
            every_minutes: body.every_minutes.unwrap_or(EVERY_MINUTES_DEFAULT),
            enabled: body.enabled.unwrap_or(true),
        },
        secret: body.secret,
    })
}

async fn made(
    app: &App,
    (channel, secret): (Channel, Option<Secret>),
) -> Answer<Json<ChannelMade>> {
    let store = app.provision().store();
    let channel = store.look_up(move |tx| view(tx, channel.clone())).await?;
    Ok(Json(ChannelMade {
        channel,
        secret: secret.map(|secret| secret.reveal().to_owned()),
    }))
}

/// The channels by which administrators are told, by name.
#[utoipa::path(get, path = "/notifications", operation_id = "list_notification_channels", tag = "notifications",
    responses((status = OK, body = List<ChannelView>)))]
async fn list(_admin: Admin, State(app): State<App>) -> Answer<Json<List<ChannelView>>> {
    let items = app
        .provision()
        .store()
        .read(|tx| {
            let channels = tx.channels()?.into_iter();
            let views = channels.map(|channel| view(tx, channel));
            views.collect::<Result<Vec<_>, ProvisionError>>()
        })
        .await?;
    Ok(Json(List { items }))
}

/// The events that channels tell.
#[utoipa::path(get, path = "/notification-events", operation_id = "list_notification_events", tag = "notifications",
    responses((status = OK, body = List<EventView>)))]
async fn events(_admin: Admin) -> Json<List<EventView>> {
    let view = |event: Event| EventView {
        event: event.as_str(),
        called: event.called(),
    };
    let items = Event::ALL.into_iter().map(view).collect();
    Json(List { items })
}

/// Makes a channel. What stands then is told by it first.
#[utoipa::path(post, path = "/notifications", operation_id = "create_notification_channel", tag = "notifications",
    request_body = ChannelBody,
    responses((status = CREATED, body = ChannelMade)))]
async fn create(
    _admin: Admin,
    State(app): State<App>,
    Body(body): Body<ChannelBody>,
) -> Answer<(StatusCode, Json<ChannelMade>)> {
    let wish = wish(&app, body).await?;
    let created = app.provision().create_channel(wish).await?;
    Ok((StatusCode::CREATED, made(&app, created).await?))
}

/// One channel.
#[utoipa::path(get, path = "/notifications/{channel}", operation_id = "show_notification_channel", tag = "notifications",
    params(("channel" = String, Path, description = "Its id or name")),
    responses((status = OK, body = ChannelView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<ChannelView>> {
    let store = app.provision().store();
    let shown = store.look_up(move |tx| match tx.find_channel(&name)? {
        Some(channel) => view(tx, channel),
        None => Err(ProvisionError::not_found("notification channel", &name)),
    });
    Ok(Json(shown.await?))
}

/// Sets what a channel is, as a whole. What was told by it is not told again.
#[utoipa::path(put, path = "/notifications/{channel}", operation_id = "set_notification_channel", tag = "notifications",
    params(("channel" = String, Path, description = "Its id or name")),
    request_body = ChannelBody,
    responses((status = OK, body = ChannelMade)))]
async fn set(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(body): Body<ChannelBody>,
) -> Answer<Json<ChannelMade>> {
    let wish = wish(&app, body).await?;
    let changed = app.provision().change_channel(&name, wish).await?;
    made(&app, changed).await
}

/// Deletes a channel.
#[utoipa::path(delete, path = "/notifications/{channel}", operation_id = "delete_notification_channel", tag = "notifications",
    params(("channel" = String, Path, description = "Its id or name")),
    responses((status = NO_CONTENT)))]
async fn delete(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<StatusCode> {
    app.provision().delete_channel(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test message by a channel, whether it is on or off, and answers with what the other end said.
#[utoipa::path(post, path = "/notifications/{channel}/test", operation_id = "test_notification_channel", tag = "notifications",
    params(("channel" = String, Path, description = "Its id or name")),
    responses((status = OK, body = SentView)))]
async fn test(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<SentView>> {
    sent(app.provision().test_channel(&name).await?)
}
