//! Notifications: the channels by which administrators are told, and whether they work.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Ui;
use super::administrators::{Choices, choices};
use super::confirm::Confirm;
use super::desk::{Desk, Listed, segment};
use super::form::Fields;
use super::once::found_at;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::secret::Secret;
use super::when::When;

/// Where this page is.
const PLACE: &str = "/console/notifications";

/// The pages of notifications.
pub(super) fn routes() -> Router<Ui> {
    let of = |rest: &str| format!("{PLACE}/{{channel}}{rest}");
    Router::new()
        .route(PLACE, get(list))
        .route("/console/notifications/new/{kind}", get(blank).post(create))
        .route(&of(""), get(page).post(save))
        .route(&of("/test"), post(test))
        .route(&of("/delete"), get(ask_delete).post(delete))
}

/// A channel as the admin API shows it.
#[derive(Deserialize)]
struct Channel {
    id: String,
    #[serde(flatten)]
    draft: Draft,
    state: String,
    last_success: Option<Timestamp>,
    last_answer: Option<String>,
    failing_since: Option<Timestamp>,
    last_error: Option<String>,
    next_try: Option<Timestamp>,
}

/// What is said about a channel.
#[derive(Deserialize)]
struct Draft {
    name: String,
    enabled: bool,
    way: Value,
    #[serde(default)]
    has_secret: bool,
    events: Option<Vec<String>>,
    connectors: Option<Vec<String>>,
    every_minutes: Value,
}

impl Draft {
    /// What it tells, in words.
    fn what(&self, called: &HashMap<String, String>) -> String {
        let events = match &self.events {
            None => "Everything".to_owned(),
            Some(events) => {
                let words = events
                    .iter()
                    .map(|event| called.get(event).unwrap_or(event));
                let words: Vec<&str> = words.map(String::as_str).collect();
                words.join("; ")
            }
        };
        match &self.connectors {
            None => events,
            Some(names) => format!("{events}, of {}", names.join(", ")),
        }
    }
}

/// How a channel tells, as the form has it.
struct Way {
    kind: String,
    host: String,
    port: String,
    security: String,
    username: String,
    from: String,
    to: String,
    url: String,
    format: String,
}

impl Way {
    fn of(way: &Value) -> Self {
        let members = way.as_object();
        let first = members.and_then(|members| members.iter().next());
        let (kind, inside) = match first {
            Some((kind, inside)) => (kind.clone(), inside.clone()),
            None => (String::new(), Value::Null),
        };
        let text = |name: &str| match &inside[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let to = inside["to"].as_array().into_iter().flatten();
        let to: Vec<&str> = to.filter_map(Value::as_str).collect();
        Self {
            host: text("host"),
            port: text("port"),
            security: text("security"),
            username: text("username"),
            from: text("from"),
            to: to.join(", "),
            url: text("url"),
            format: text("format"),
            kind,
        }
    }

    /// What it is, in a few words.
    fn words(&self) -> String {
        match self.kind.as_str() {
            "mail" => format!("mail to {}", self.to),
            "webhook" => format!("webhook to {}", self.url),
            _ => "chat".to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "notifications.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Row>,
}

struct Row {
    address: String,
    way: String,
    /// What it tells, in words.
    what: String,
    told: Outcome,
    channel: Channel,
}

/// What came of the last message.
struct Outcome {
    state: String,
    at: Option<When>,
    answer: Option<String>,
    error: Option<String>,
    since: Option<When>,
    next: Option<When>,
}

impl Outcome {
    fn of(desk: &Desk, channel: &Channel) -> Self {
        Self {
            state: channel.state.clone(),
            at: channel.last_success.map(|at| desk.when(at)),
            answer: channel.last_answer.clone(),
            error: channel.last_error.clone(),
            since: channel.failing_since.map(|at| desk.when(at)),
            next: channel.next_try.map(|at| desk.when(at)),
        }
    }
}

#[derive(Template)]
#[template(path = "notification.html")]
struct ChannelPage {
    shell: Shell,
    wrong: Option<Trouble>,
    /// Where it is, unless it is still to be made.
    address: Option<String>,
    draft: Draft,
    every_minutes: String,
    way: Way,
    events: Vec<EventChoice>,
    choices: Choices,
    told: Option<Outcome>,
}

struct EventChoice {
    ticked: bool,
    event: Event,
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

/// `GET /console/notifications`
async fn list(desk: Desk) -> Shown {
    let all: Listed<Channel> = desk.get(&["notifications"], &[]).await?;
    let events: Listed<Event> = desk.get(&["notification-events"], &[]).await?;
    let events = events.items.into_iter();
    let called: HashMap<String, String> = events.map(|one| (one.event, one.called)).collect();
    let row = |channel: Channel| Row {
        address: segment(&channel.id),
        what: channel.draft.what(&called),
        way: Way::of(&channel.draft.way).words(),
        told: Outcome::of(&desk, &channel),
        channel,
    };
    show(&ListPage {
        shell: desk.shell("settings"),
        rows: all.items.into_iter().map(row).collect(),
    })
}

/// The page of a channel with its form, filled with what is said about it.
async fn form_page(desk: &Desk, draft: Draft) -> Result<ChannelPage, Trouble> {
    let events: Listed<Event> = desk.get(&["notification-events"], &[]).await?;
    let choice = |event: Event| EventChoice {
        ticked: draft
            .events
            .as_ref()
            .is_none_or(|events| events.contains(&event.event)),
        event,
    };
    let chosen = draft.connectors.clone().unwrap_or_default();
    Ok(ChannelPage {
        shell: desk.shell("settings"),
        wrong: None,
        address: None,
        way: Way::of(&draft.way),
        every_minutes: match &draft.every_minutes {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        events: events.items.into_iter().map(choice).collect(),
        choices: choices(desk, &chosen).await?,
        told: None,
        draft,
    })
}

async fn channel_page(desk: &Desk, id: &str) -> Result<ChannelPage, Trouble> {
    let channel: Channel = desk.get(&["notifications", id], &[]).await?;
    let told = Outcome::of(desk, &channel);
    let mut page = form_page(desk, channel.draft).await?;
    page.address = Some(segment(&channel.id));
    page.told = Some(told);
    Ok(page)
}

/// `GET /console/notifications/new/{kind}`
async fn blank(desk: Desk, Path(kind): Path<String>) -> Shown {
    let way = match kind.as_str() {
        "mail" => json!({"mail": {"security": "starttls"}}),
        "webhook" => json!({"webhook": {}}),
        "chat" => json!({"chat": {"format": "text"}}),
        _ => {
            return Err(Trouble::new(
                StatusCode::NOT_FOUND,
                "There is no such kind of channel: it is mail, webhook or chat.",
            ));
        }
    };
    let draft = Draft {
        name: String::new(),
        enabled: true,
        way,
        has_secret: false,
        events: None,
        connectors: None,
        every_minutes: json!(15),
    };
    show(&form_page(&desk, draft).await?)
}

/// What a form says, as the admin API wants it.
fn wish(form: &Fields) -> Value {
    let way = match form.text("kind") {
        "mail" => {
            let to = form.text("to").split([',', ';', ' ', '\n', '\r', '\t']);
            let to: Vec<&str> = to.filter(|text| !text.is_empty()).collect();
            let mut mail = json!({
                "host": form.text("host"),
                "security": form.text("security"),
                "username": form.text("username"),
                "from": form.text("from"),
                "to": to,
            });
            let port = form.text("port");
            if !port.is_empty() {
                mail["port"] = number(port);
            }
            json!({ "mail": mail })
        }
        "webhook" => json!({ "webhook": { "url": form.text("url") } }),
        _ => json!({ "chat": { "format": form.text("format") } }),
    };
    let mut wish = json!({
        "name": form.text("name"),
        "enabled": form.text("enabled") == "true",
        "way": way,
        "every_minutes": number(form.text("every_minutes")),
    });
    let events = form.ticked("event.");
    // All of them means those that will come as well.
    if events.len().to_string() != form.text("events") {
        wish["events"] = json!(events);
    }
    let connectors = form.ticked("connector.");
    if !connectors.is_empty() {
        wish["connectors"] = json!(connectors);
    }
    let secret = form.exact("secret");
    if !secret.is_empty() {
        wish["secret"] = json!(secret);
    } else if form.text("new_secret") == "true" {
        wish["secret"] = json!("");
    }
    wish
}

/// A number, or the text that was typed in its place.
fn number(text: &str) -> Value {
    match text.parse::<u32>() {
        Ok(number) => json!(number),
        Err(_) => json!(text),
    }
}

/// The page with what was typed, and what is wrong with it.
async fn refused(desk: &Desk, mut wish: Value, id: Option<&str>, wrong: Trouble) -> Shown {
    let mut has_secret = false;
    let mut told = None;
    if let Some(id) = id {
        let channel: Channel = desk.get(&["notifications", id], &[]).await?;
        has_secret = channel.draft.has_secret;
        told = Some(Outcome::of(desk, &channel));
    }
    if let Value::Object(members) = &mut wish {
        members.insert("has_secret".to_owned(), json!(has_secret));
        members.shift_remove("secret");
    }
    let draft: Draft = serde_json::from_value(wish).map_err(|error| {
        tracing::error!(%error, "a form of a channel cannot be shown again");
        Trouble::ours()
    })?;
    let mut page = form_page(desk, draft).await?;
    let status = wrong.status;
    page.wrong = Some(wrong);
    page.address = id.map(segment);
    page.told = told;
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

/// `POST /console/notifications/new/{kind}`
async fn create(desk: Desk, Path(_kind): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = wish(&form);
    desk.once(&form, PLACE, async {
        let made = desk
            .send(Method::POST, &["notifications"], Some(wish.clone()))
            .await;
        match made {
            Ok(made) => saved(&desk, &made),
            Err(wrong) => refused(&desk, wish, None, wrong).await,
        }
    })
    .await
}

/// `GET /console/notifications/{channel}`
async fn page(desk: Desk, Path(channel): Path<String>) -> Shown {
    show(&channel_page(&desk, &channel).await?)
}

/// `POST /console/notifications/{channel}`
async fn save(desk: Desk, Path(channel): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = wish(&form);
    let makes_key = wish["secret"] == "";
    let saving = async {
        let path = ["notifications", &channel];
        match desk.send(Method::PUT, &path, Some(wish.clone())).await {
            Ok(made) => saved(&desk, &made),
            Err(wrong) => refused(&desk, wish, Some(&channel), wrong).await,
        }
    };
    match makes_key {
        true => desk.once(&form, PLACE, saving).await,
        false => saving.await,
    }
}

/// `POST /console/notifications/{channel}/test`
async fn test(desk: Desk, Path(channel): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["notifications", &channel, "test"];
    let tested: Result<Value, Trouble> = desk.send(Method::POST, &path, None).await;
    match tested {
        Ok(tested) => {
            let answer = tested["answer"].as_str().unwrap_or_default();
            let told = format!("The test message was taken. The other end said: {answer}");
            desk.go_told(&format!("{PLACE}/{}", segment(&channel)), told)
        }
        Err(wrong) => {
            let mut page = channel_page(&desk, &channel).await?;
            let status = wrong.status;
            page.wrong = Some(wrong);
            show_wrong(status, &page)
        }
    }
}

/// `GET /console/notifications/{channel}/delete`
async fn ask_delete(desk: Desk, Path(channel): Path<String>) -> Shown {
    let found: Channel = desk.get(&["notifications", &channel], &[]).await?;
    let name = &found.draft.name;
    Confirm::new(
        "administrators",
        format!("Delete the notification channel {name}?"),
    )
    .effect("Nothing is told by it any more, and its secret is forgotten.")
    .verb("Delete")
    .action(format!("{PLACE}/{}/delete", segment(&found.id)))
    .back(PLACE)
    .show(&desk)
}

/// `POST /console/notifications/{channel}/delete`
async fn delete(desk: Desk, Path(channel): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["notifications", &channel];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(PLACE, "The channel is deleted.")
}
