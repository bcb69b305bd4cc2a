//! Subscriptions: endpoints that are told of every change of directories, and what each was told.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Method;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Ui;
use super::confirm::Confirm;
use super::desk::{Desk, Listed, Named, segment};
use super::form::Fields;
use super::once::found_at;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::secret::Secret;
use super::when::When;

/// Where this page is.
const PLACE: &str = "/console/subscriptions";
/// Deliveries on one page.
const PAGE: &str = "25";
/// How a subscription fares, with the words for it and the colour of its badge.
const STATES: [(&str, &str, &str); 5] = [
    ("off", "off", ""),
    ("given_up", "given up", "bad"),
    ("failing", "fails", "bad"),
    ("behind", "is being told", "warn"),
    ("current", "up to date", "good"),
];

/// The pages of subscriptions.
pub(super) fn routes() -> Router<Ui> {
    let of = |rest: &str| format!("{PLACE}/{{subscription}}{rest}");
    Router::new()
        .route(PLACE, get(list))
        .route("/console/subscriptions/new", get(blank).post(create))
        .route(&of(""), get(page).post(save))
        .route(&of("/test"), post(test))
        .route(&of("/retry"), post(retry))
        .route(&of("/deliveries/{delivery}/send"), post(send_again))
        .route(&of("/deliveries/{delivery}/skip"), get(ask_skip).post(skip))
        .route(&of("/delete"), get(ask_delete).post(delete))
}

/// A subscription as the admin API shows it.
#[derive(Deserialize)]
struct Subscription {
    id: String,
    #[serde(flatten)]
    draft: Draft,
    state: String,
    last_success: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    last_error: Option<String>,
    next_try: Option<Timestamp>,
}

/// What is said about a subscription.
#[derive(Deserialize)]
struct Draft {
    name: String,
    url: String,
    enabled: bool,
    events: Option<Vec<String>>,
    directories: Option<Vec<String>>,
}

/// How a subscription fares.
struct Outcome {
    words: &'static str,
    colour: &'static str,
    at: Option<When>,
    error: Option<String>,
    since: Option<When>,
    next: Option<When>,
}

impl Outcome {
    fn of(desk: &Desk, found: &Subscription) -> Self {
        let known = STATES.iter().find(|(word, ..)| *word == found.state);
        let (words, colour) = known.map_or(("unknown", ""), |(_, words, colour)| (*words, *colour));
        Self {
            words,
            colour,
            at: found.last_success.map(|at| desk.when(at)),
            error: found.last_error.clone(),
            since: found.failing_since.map(|at| desk.when(at)),
            next: found.next_try.map(|at| desk.when(at)),
        }
    }

    /// Whether somebody may want to have it tried at once.
    fn may_retry(&self) -> bool {
        self.colour == "bad"
    }
}

#[derive(Template)]
#[template(path = "subscriptions.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Row>,
}

struct Row {
    address: String,
    what: String,
    fares: Outcome,
    draft: Draft,
}

/// Something that can be ticked.
struct Choice {
    name: String,
    called: String,
    ticked: bool,
}

#[derive(Template)]
#[template(path = "subscription.html")]
struct SubscriptionPage {
    shell: Shell,
    wrong: Option<Trouble>,
    /// Where it is, unless it is still to be made.
    address: Option<String>,
    draft: Draft,
    events: Vec<Choice>,
    directories: Vec<Choice>,
    fares: Option<Outcome>,
    deliveries: Vec<DeliveryRow>,
    more: Option<String>,
}

/// A message that was sent, or is to be.
#[derive(Deserialize)]
struct Delivery {
    id: String,
    directory: Option<String>,
    positions: Option<[i64; 2]>,
    events: i64,
    state: String,
    attempts: i64,
    created: Timestamp,
    last_try: Option<Timestamp>,
    answer: Option<String>,
}

struct DeliveryRow {
    at: When,
    delivery: Delivery,
}

impl DeliveryRow {
    /// What it tells of.
    fn about(&self) -> String {
        match (&self.delivery.directory, self.delivery.positions) {
            (Some(directory), Some([_, upto])) => format!("{directory}, up to {upto}"),
            (None, Some(_)) => "a directory that is gone".to_owned(),
            _ => "jobs".to_owned(),
        }
    }
}

#[derive(Deserialize)]
struct Event {
    event: String,
    called: String,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    secret: Option<String>,
}

/// Where a list goes on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    after: String,
}

async fn events(desk: &Desk) -> Result<Vec<Event>, Trouble> {
    let all: Listed<Event> = desk.get(&["subscription-events"], &[]).await?;
    Ok(all.items)
}

/// `GET /console/subscriptions`
async fn list(desk: Desk) -> Shown {
    let all: Listed<Subscription> = desk.get(&["subscriptions"], &[]).await?;
    let called = events(&desk).await?.into_iter();
    let called: HashMap<String, String> = called.map(|one| (one.event, one.called)).collect();
    let row = |found: Subscription| Row {
        address: segment(&found.id),
        what: what(&found.draft, &called),
        fares: Outcome::of(&desk, &found),
        draft: found.draft,
    };
    show(&ListPage {
        shell: desk.shell("settings"),
        rows: all.items.into_iter().map(row).collect(),
    })
}

/// What a subscription is told of, in words.
fn what(draft: &Draft, called: &HashMap<String, String>) -> String {
    let events = match &draft.events {
        None => "Everything".to_owned(),
        Some(events) => {
            let words = events
                .iter()
                .map(|event| called.get(event).unwrap_or(event));
            let words: Vec<&str> = words.map(String::as_str).collect();
            words.join("; ")
        }
    };
    match &draft.directories {
        None => events,
        Some(names) if names.is_empty() => format!("{events}, in directories that are gone"),
        Some(names) => format!("{events}, in {}", names.join(", ")),
    }
}

/// The page of a subscription with its form, filled with what is said about it.
async fn form_page(desk: &Desk, draft: Draft) -> Result<SubscriptionPage, Trouble> {
    let is_in = |chosen: &Option<Vec<String>>, name: &String| {
        chosen.as_ref().is_none_or(|chosen| chosen.contains(name))
    };
    let events = events(desk).await?.into_iter().map(|one| Choice {
        ticked: is_in(&draft.events, &one.event),
        name: one.event,
        called: one.called,
    });
    let directories: Listed<Named> = desk.get(&["directories"], &[]).await?;
    let directories = directories.items.into_iter().map(|Named { name }| Choice {
        ticked: is_in(&draft.directories, &name),
        called: name.clone(),
        name,
    });
    Ok(SubscriptionPage {
        shell: desk.shell("settings"),
        wrong: None,
        address: None,
        events: events.collect(),
        directories: directories.collect(),
        fares: None,
        deliveries: Vec::new(),
        more: None,
        draft,
    })
}

async fn detail(desk: &Desk, id: &str, after: &str) -> Result<SubscriptionPage, Trouble> {
    let found: Subscription = desk.get(&["subscriptions", id], &[]).await?;
    let query = [("after", after), ("limit", PAGE)];
    let path = ["subscriptions", found.id.as_str(), "deliveries"];
    let log: Listed<Delivery> = desk.get(&path, &query).await?;
    let fares = Outcome::of(desk, &found);
    let mut page = form_page(desk, found.draft).await?;
    page.address = Some(segment(&found.id));
    page.fares = Some(fares);
    page.more = log.more("", &query);
    let row = |delivery: Delivery| DeliveryRow {
        at: desk.when(delivery.last_try.unwrap_or(delivery.created)),
        delivery,
    };
    page.deliveries = log.items.into_iter().map(row).collect();
    Ok(page)
}

/// `GET /console/subscriptions/new`
async fn blank(desk: Desk) -> Shown {
    let draft = Draft {
        name: String::new(),
        url: String::new(),
        enabled: true,
        events: None,
        directories: None,
    };
    show(&form_page(&desk, draft).await?)
}

/// What a form says, as the admin API wants it. All of something means also what will come.
fn wish(form: &Fields) -> Value {
    let mut wish = json!({
        "name": form.text("name"),
        "url": form.text("url"),
        "enabled": form.text("enabled") == "true",
    });
    for (member, prefix) in [("events", "event."), ("directories", "directory.")] {
        let ticked = form.ticked(prefix);
        if ticked.len().to_string() != form.text(member) {
            wish[member] = json!(ticked);
        }
    }
    let secret = form.exact("secret");
    if !secret.is_empty() {
        wish["secret"] = json!(secret);
    } else if form.text("new_secret") == "true" {
        wish["secret"] = json!("");
    }
    wish
}

/// The page with what was typed, and what is wrong with it.
async fn refused(desk: &Desk, mut wish: Value, id: Option<&str>, wrong: Trouble) -> Shown {
    if let Value::Object(members) = &mut wish {
        members.shift_remove("secret");
    }
    let draft: Draft = serde_json::from_value(wish).map_err(|error| {
        tracing::error!(%error, "a form of a subscription cannot be shown again");
        Trouble::ours()
    })?;
    let mut page = form_page(desk, draft).await?;
    let status = wrong.status;
    page.wrong = Some(wrong);
    page.address = id.map(segment);
    show_wrong(status, &page)
}

fn saved(desk: &Desk, made: &Made) -> Shown {
    let place = format!("{PLACE}/{}", segment(&made.id));
    let Some(secret) = &made.secret else {
        return desk.go_told(&place, "Saved.");
    };
    let shown = Secret::new("settings", "The key of the signatures", &*place)
        .field("Key", secret)
        .hint("Enter it where the messages arrive. It cannot be shown again.")
        .show(desk);
    found_at(shown, &place)
}

/// `POST /console/subscriptions/new`
async fn create(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = wish(&form);
    desk.once(&form, PLACE, async {
        let path = ["subscriptions"];
        match desk.send(Method::POST, &path, Some(wish.clone())).await {
            Ok(made) => saved(&desk, &made),
            Err(wrong) => refused(&desk, wish, None, wrong).await,
        }
    })
    .await
}

/// `GET /console/subscriptions/{subscription}`
async fn page(desk: Desk, Path(id): Path<String>, Query(place): Query<Place>) -> Shown {
    show(&detail(&desk, &id, &place.after).await?)
}

/// `POST /console/subscriptions/{subscription}`
async fn save(desk: Desk, Path(id): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = wish(&form);
    desk.once(&form, PLACE, async {
        let path = ["subscriptions", &id];
        match desk.send(Method::PUT, &path, Some(wish.clone())).await {
            Ok(made) => saved(&desk, &made),
            Err(wrong) => refused(&desk, wish, Some(&id), wrong).await,
        }
    })
    .await
}

/// Sends something to an endpoint and tells what it said, on the page of the subscription.
async fn told_of(desk: &Desk, id: &str, path: &[&str], what: &str) -> Shown {
    let sent: Result<Value, Trouble> = desk.send(Method::POST, path, None).await;
    match sent {
        Ok(sent) => {
            let answer = sent["answer"].as_str().unwrap_or_default();
            let told = format!("{what} was taken. The other end said: {answer}");
            desk.go_told(&format!("{PLACE}/{}", segment(id)), told)
        }
        Err(wrong) => {
            let mut page = detail(desk, id, "").await?;
            let status = wrong.status;
            page.wrong = Some(wrong);
            show_wrong(status, &page)
        }
    }
}

/// `POST /console/subscriptions/{subscription}/test`
async fn test(desk: Desk, Path(id): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["subscriptions", &id, "test"];
    told_of(&desk, &id, &path, "The test message").await
}

/// `POST /console/subscriptions/{subscription}/deliveries/{delivery}/send`
async fn send_again(desk: Desk, Path((id, delivery)): Path<(String, String)>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["subscriptions", &id, "deliveries", &delivery, "send"];
    told_of(&desk, &id, &path, "The message").await
}

/// `POST /console/subscriptions/{subscription}/retry`
async fn retry(desk: Desk, Path(id): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["subscriptions", &id, "retry"];
    let _after: Value = desk.send(Method::POST, &path, None).await?;
    let place = format!("{PLACE}/{}", segment(&id));
    desk.go_told(&place, "It is tried again at once.")
}

/// `GET /console/subscriptions/{subscription}/deliveries/{delivery}/skip`
async fn ask_skip(desk: Desk, Path((id, delivery)): Path<(String, String)>) -> Shown {
    let found: Subscription = desk.get(&["subscriptions", &id], &[]).await?;
    let back = format!("{PLACE}/{}", segment(&found.id));
    Confirm::new("settings", format!("Go on without this message to {}?", found.draft.name))
        .effect("What comes after it is sent, and this one is not. It stays in the list for a week, and can be sent again.")
        .verb("Skip it")
        .action(format!("{back}/deliveries/{}/skip", segment(&delivery)))
        .back(back)
        .show(&desk)
}

/// `POST /console/subscriptions/{subscription}/deliveries/{delivery}/skip`
async fn skip(desk: Desk, Path((id, delivery)): Path<(String, String)>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["subscriptions", &id, "deliveries", &delivery, "skip"];
    let _skipped: Value = desk.send(Method::POST, &path, None).await?;
    let place = format!("{PLACE}/{}", segment(&id));
    desk.go_told(
        &place,
        "The message is skipped, and what comes after it is sent.",
    )
}

/// `GET /console/subscriptions/{subscription}/delete`
async fn ask_delete(desk: Desk, Path(id): Path<String>) -> Shown {
    let found: Subscription = desk.get(&["subscriptions", &id], &[]).await?;
    let place = format!("{PLACE}/{}", segment(&found.id));
    Confirm::new("settings", format!("Delete the subscription {}?", found.draft.name))
        .effect("Its endpoint is told nothing any more. The list of what it was told and its key are forgotten.")
        .verb("Delete")
        .action(format!("{place}/delete"))
        .back(place)
        .show(&desk)
}

/// `POST /console/subscriptions/{subscription}/delete`
async fn delete(desk: Desk, Path(id): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["subscriptions", &id];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(PLACE, "The subscription is deleted.")
}
