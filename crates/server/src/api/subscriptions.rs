//! Subscriptions: endpoints that are told of every change of directories, in order, and what each was told.

use std::collections::{BTreeSet, HashMap};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use directory::DirectoryId;
use directory::subscription::DirectoryEvent;
use jiff::Timestamp;
use provision::{ProvisionError, Secret, SubscriptionWish};
use serde::{Deserialize, Serialize};
use store::{Batch, Delivery, ReadTx, Subscription, SubscriptionDraft};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::directories::names_of_directories;
use super::notifications::{EventView, SentView, sent};
use super::page::{List, Page, Part, cut, limit, not_a_place, one_more};
use super::request::{Body, Parameters, Segments};
use super::{Answer, Problem, directories};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, set, delete))
        .routes(routes!(test))
        .routes(routes!(retry))
        .routes(routes!(deliveries))
        .routes(routes!(send_again))
        .routes(routes!(skip))
        .routes(routes!(events))
}

/// An endpoint that is told of every change of directories.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Where the messages go.
    url: String,
    /// Whether it is told anything. What happens meanwhile is told when it is switched on.
    enabled: bool,
    /// The events that it is told of; null for all.
    events: Option<Vec<&'static str>>,
    /// The names of the directories that it is told of; null for all.
    directories: Option<Vec<String>>,
    /// `off`, `given_up`, `failing`, `behind` or `current`.
    state: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it last took a message.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success: Option<Timestamp>,
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

/// A subscription as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubscriptionBody {
    /// Its name.
    name: String,
    /// Where the messages go, `https://HOST/PATH`.
    url: String,
    /// Whether it is told anything; yes, if left out.
    enabled: Option<bool>,
    /// The events that it is told of; all, if left out.
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<BTreeSet<DirectoryEvent>>,
    /// The directories that it is told of, by name or id; all, if left out.
    directories: Option<Vec<String>>,
    /// The key of the signatures. Left out, it stays if the URL does, or one is made and shown once. Empty, there is a new one.
    secret: Option<String>,
}

/// A subscription that was just made or changed.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionMade {
    #[serde(flatten)]
    subscription: SubscriptionView,
    /// The key of the signatures, if it was made just now. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// A message that was sent, or is to be.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryView {
    /// Its id; `webhook-id` is `msg_` and this.
    id: String,
    /// The name of the directory whose journal it tells of; null for jobs, and of a directory that is gone.
    directory: Option<String>,
    /// The positions that it tells of: behind the first, up to and with the second.
    positions: Option<[i64; 2]>,
    /// How many events it tells.
    events: i64,
    /// `waiting` if it is to be taken still, `taken`, or `skipped`.
    state: &'static str,
    /// How often it was sent.
    attempts: i64,
    /// When it was first to be sent.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was last sent.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_try: Option<Timestamp>,
    /// What the other end said then, or why it was not reached.
    answer: Option<String>,
}

fn view(tx: &ReadTx<'_>, subscription: Subscription) -> Result<SubscriptionView, ProvisionError> {
    let is_behind = tx.waiting_delivery(subscription.pk)?.is_some();
    Ok(view_of(subscription, is_behind, &names_of_directories(tx)?))
}

fn view_of(
    subscription: Subscription,
    is_behind: bool,
    names: &HashMap<DirectoryId, String>,
) -> SubscriptionView {
    let draft = subscription.draft;
    let state = match (draft.enabled, subscription.given_up, subscription.failures) {
        (false, ..) => "off",
        (_, Some(_), _) => "given_up",
        (_, _, 1..) => "failing",
        _ if is_behind => "behind",
        _ => "current",
    };
    let named = |chosen: Vec<DirectoryId>| {
        let names = chosen.iter().filter_map(|id| names.get(id).cloned());
        names.collect()
    };
    SubscriptionView {
        id: subscription.id,
        name: draft.name,
        url: draft.url,
        enabled: draft.enabled,
        events: draft
            .events
            .map(|events| events.into_iter().map(DirectoryEvent::as_str).collect()),
        directories: draft.directories.map(named),
        state,
        created: subscription.created,
        last_success: subscription.last_success,
        failures: subscription.failures,
        failing_since: subscription.failing_since,
        last_error: subscription.last_error,
        next_try: (state == "failing").then_some(subscription.next_try),
    }
}

fn delivery_view(delivery: Delivery, names: &HashMap<DirectoryId, String>) -> DeliveryView {
    let (directory, positions) = match delivery.batch {
        Batch::Journal(directory, after, upto) => {
            (names.get(&directory).cloned(), Some([after, upto]))
        }
        Batch::Jobs(..) => (None, None),
    };
    DeliveryView {
        id: delivery.id,
        directory,
        positions,
        events: delivery.events,
        state: delivery.state.as_str(),
        attempts: delivery.attempts,
        created: delivery.created,
        last_try: delivery.last_try,
        answer: delivery.answer,
    }
}

async fn wish(app: &App, body: SubscriptionBody) -> Answer<SubscriptionWish> {
    let is_none = |all: Option<bool>| all.unwrap_or(false);
    if is_none(body.events.as_ref().map(BTreeSet::is_empty)) {
        let detail = "'events' is empty, so nothing would be told. Leave it out for all events, or set 'enabled' to false.";
        return Err(Problem::invalid("events", detail));
    }
    if is_none(body.directories.as_ref().map(Vec::is_empty)) {
        let detail = "'directories' is empty, so nothing would be told. Leave it out for all, or set 'enabled' to false.";
        return Err(Problem::invalid("directories", detail));
    }
    let named = body.directories.unwrap_or_default();
    let is_all = named.is_empty();
    let found = app.provision().store().look_up(move |tx| {
        let id = |name: &String| Ok(directories::find(tx, name)?.id);
        named
            .iter()
            .map(id)
            .collect::<Result<Vec<_>, ProvisionError>>()
    });
    let found = found.await?;
    Ok(SubscriptionWish {
        draft: SubscriptionDraft {
            name: body.name,
            url: body.url,
            events: body.events,
            directories: (!is_all).then_some(found),
            enabled: body.enabled.unwrap_or(true),
        },
        secret: body.secret,
    })
}

async fn made(
    app: &App,
    (subscription, secret): (Subscription, Option<Secret>),
) -> Answer<Json<SubscriptionMade>> {
    Ok(Json(SubscriptionMade {
        subscription: shown(app, subscription).await?.0,
        secret: secret.map(|secret| secret.reveal().to_owned()),
    }))
}

async fn shown(app: &App, subscription: Subscription) -> Answer<Json<SubscriptionView>> {
    let store = app.provision().store();
    let view = store.look_up(move |tx| view(tx, subscription.clone()));
    Ok(Json(view.await?))
}

fn find(tx: &ReadTx<'_>, name: &str) -> Result<Subscription, ProvisionError> {
    tx.find_subscription(name)?
        .ok_or_else(|| ProvisionError::not_found("subscription", name))
}

/// The subscriptions, by name.
#[utoipa::path(get, path = "/subscriptions", operation_id = "list_subscriptions", tag = "subscriptions",
    responses((status = OK, body = List<SubscriptionView>)))]
async fn list(_admin: Admin, State(app): State<App>) -> Answer<Json<List<SubscriptionView>>> {
    let items = app
        .provision()
        .store()
        .read(|tx| {
            let (names, behind) = (names_of_directories(tx)?, tx.subscriptions_behind()?);
            let all = tx.subscriptions()?.into_iter();
            let views = all.map(|one| {
                let is_behind = behind.contains(&one.pk);
                view_of(one, is_behind, &names)
            });
            Ok::<_, ProvisionError>(views.collect())
        })
        .await?;
    Ok(Json(List { items }))
}

/// The events that subscriptions are told of.
#[utoipa::path(get, path = "/subscription-events", operation_id = "list_subscription_events", tag = "subscriptions",
    responses((status = OK, body = List<EventView>)))]
async fn events(_admin: Admin) -> Json<List<EventView>> {
    let view = |event: DirectoryEvent| EventView {
        event: event.as_str(),
        called: event.called(),
    };
    let items = DirectoryEvent::ALL.into_iter().map(view).collect();
    Json(List { items })
}

/// Makes a subscription. It is told of what happens from then on.
#[utoipa::path(post, path = "/subscriptions", operation_id = "create_subscription", tag = "subscriptions",
    request_body = SubscriptionBody,
    responses((status = CREATED, body = SubscriptionMade)))]
async fn create(
    _admin: Admin,
    State(app): State<App>,
    Body(body): Body<SubscriptionBody>,
) -> Answer<(StatusCode, Json<SubscriptionMade>)> {
    let wish = wish(&app, body).await?;
    let created = app.provision().create_subscription(wish).await?;
    Ok((StatusCode::CREATED, made(&app, created).await?))
}

/// One subscription.
#[utoipa::path(get, path = "/subscriptions/{subscription}", operation_id = "show_subscription", tag = "subscriptions",
    params(("subscription" = String, Path, description = "Its id or name")),
    responses((status = OK, body = SubscriptionView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<SubscriptionView>> {
    let store = app.provision().store();
    let view = store.look_up(move |tx| {
        let found = find(tx, &name)?;
        view(tx, found)
    });
    Ok(Json(view.await?))
}

/// Sets what a subscription is, as a whole, and tries it at once.
#[utoipa::path(put, path = "/subscriptions/{subscription}", operation_id = "set_subscription", tag = "subscriptions",
    params(("subscription" = String, Path, description = "Its id or name")),
    request_body = SubscriptionBody,
    responses((status = OK, body = SubscriptionMade)))]
async fn set(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(body): Body<SubscriptionBody>,
) -> Answer<Json<SubscriptionMade>> {
    let wish = wish(&app, body).await?;
    let changed = app.provision().change_subscription(&name, wish).await?;
    made(&app, changed).await
}

/// Deletes a subscription.
#[utoipa::path(delete, path = "/subscriptions/{subscription}", operation_id = "delete_subscription", tag = "subscriptions",
    params(("subscription" = String, Path, description = "Its id or name")),
    responses((status = NO_CONTENT)))]
async fn delete(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<StatusCode> {
    app.provision().delete_subscription(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a message without events, whether the subscription is on or off, and answers with what the other end said.
#[utoipa::path(post, path = "/subscriptions/{subscription}/test", operation_id = "test_subscription", tag = "subscriptions",
    params(("subscription" = String, Path, description = "Its id or name")),
    responses((status = OK, body = SentView)))]
async fn test(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<SentView>> {
    sent(app.provision().test_subscription(&name).await?)
}

/// Tries a subscription again at once that is failing, or was given up.
#[utoipa::path(post, path = "/subscriptions/{subscription}/retry", operation_id = "retry_subscription", tag = "subscriptions",
    params(("subscription" = String, Path, description = "Its id or name")),
    responses((status = OK, body = SubscriptionView)))]
async fn retry(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<SubscriptionView>> {
    let after = app.provision().retry_subscription(&name).await?;
    shown(&app, after).await
}

/// What a subscription was told in the last seven days, the newest first, and what it is to be told next.
#[utoipa::path(get, path = "/subscriptions/{subscription}/deliveries", operation_id = "list_deliveries", tag = "subscriptions",
    params(("subscription" = String, Path, description = "Its id or name"), Part),
    responses((status = OK, body = Page<DeliveryView>)))]
async fn deliveries(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<Page<DeliveryView>>> {
    let limit = limit(part.limit)?;
    let before = part.after.map(|after| after.parse()).transpose();
    let before: Option<i64> = before.map_err(not_a_place)?;
    let found = app.provision().store().look_up(move |tx| {
        let subscription = find(tx, &name)?;
        let mut found = tx.deliveries(subscription.pk, before, one_more(limit))?;
        let next = cut(&mut found, limit, |last| last.pk.to_string());
        let names = names_of_directories(tx)?;
        let items = found.into_iter().map(|one| delivery_view(one, &names));
        Ok::<_, ProvisionError>(Page {
            items: items.collect(),
            next,
        })
    });
    Ok(Json(found.await?))
}

/// Sends once more what a subscription was told, as its directory's journal says now, and answers with what the other end
/// said.
#[utoipa::path(post, path = "/subscriptions/{subscription}/deliveries/{delivery}/send", operation_id = "send_delivery_again",
    tag = "subscriptions",
    params(
        ("subscription" = String, Path, description = "Its id or name"),
        ("delivery" = String, Path, description = "Its id")
    ),
    responses((status = OK, body = SentView)))]
async fn send_again(
    _admin: Admin,
    State(app): State<App>,
    Segments((name, delivery)): Segments<(String, String)>,
) -> Answer<Json<SentView>> {
    sent(app.provision().send_again(&name, &delivery).await?)
}

/// Lets what comes after a delivery that is not taken go on without it. It can be sent again later.
#[utoipa::path(post, path = "/subscriptions/{subscription}/deliveries/{delivery}/skip", operation_id = "skip_delivery",
    tag = "subscriptions",
    params(
        ("subscription" = String, Path, description = "Its id or name"),
        ("delivery" = String, Path, description = "Its id")
    ),
    responses((status = OK, body = DeliveryView)))]
async fn skip(
    _admin: Admin,
    State(app): State<App>,
    Segments((name, delivery)): Segments<(String, String)>,
) -> Answer<Json<DeliveryView>> {
    let skipped = app.provision().skip_delivery(&name, &delivery).await?;
    let names = app.provision().store().read(|tx| names_of_directories(tx));
    Ok(Json(delivery_view(skipped, &names.await?)))
}
