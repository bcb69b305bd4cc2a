//! Applications: the products that fetch a directory, and how to attach one.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::confirm::Confirm;
use super::desk::{Desk, Listed, Named, segment};
use super::once::found_at;
use super::overview::{self, Gate, Lag, lag};
use super::page::{Shell, Shown, Trouble, number, show, show_wrong};
use super::secret::Secret;
use super::when::{When, length};
use super::words::access;

/// Products fetch every hour unless they are told otherwise; one that was away for longer has more to it.
const USUAL_PAUSE: SignedDuration = SignedDuration::from_hours(2);

#[derive(Template)]
#[template(path = "applications.html")]
struct ListPage {
    shell: Shell,
    applications: Vec<Row>,
    directories: Vec<Named>,
    wrong: Option<Trouble>,
    name: String,
    directory: String,
    /// Whether the new one may write.
    writes: bool,
}

struct Row {
    address: String,
    seen: Option<When>,
    application: Application,
}

#[derive(Deserialize)]
struct Application {
    id: String,
    name: String,
    access: String,
    addresses: Vec<String>,
    directories: Vec<Attached>,
    url: String,
    aggregate_memberships: bool,
    only_with_access: bool,
    only_groups_with_access: bool,
    created: Timestamp,
    last_seen: Option<Timestamp>,
}

impl Application {
    fn may(&self) -> &str {
        access(&self.access)
    }

    fn directory_names(&self) -> String {
        let names: Vec<&str> = self
            .directories
            .iter()
            .map(|one| one.directory.as_str())
            .collect();
        names.join(", ")
    }
}

#[derive(Deserialize)]
struct Attached {
    directory: String,
    login_groups: Option<Vec<String>>,
    #[serde(flatten)]
    gate: Gate,
}

impl Attached {
    /// The name as a segment of an address.
    fn address(&self) -> String {
        segment(&self.directory)
    }

    /// Who of it may log in.
    fn who(&self) -> String {
        match &self.login_groups {
            None => "everybody may log in".to_owned(),
            Some(groups) => format!("members of {} may log in", groups.join(", ")),
        }
    }
}

/// How far the product has read, and what to do if that is not far enough.
struct Reading {
    /// When it was not let in, and why.
    refused: Option<(When, String)>,
    /// For how long it has been silent.
    silence: Option<String>,
    /// How often it usually fetches.
    usual: Option<String>,
    lags: Vec<Lag>,
    is_current: bool,
    remedy: Option<String>,
}

/// A webhook of the application.
#[derive(Deserialize)]
struct Webhook {
    id: i64,
    url: String,
    state: String,
    last_success: Option<Timestamp>,
    last_error: Option<String>,
}

struct WebhookRow {
    told: Option<When>,
    webhook: Webhook,
}

impl WebhookRow {
    fn may_try(&self) -> bool {
        matches!(self.webhook.state.as_str(), "failing" | "disabled")
    }
}

#[derive(Template)]
#[template(path = "application.html")]
struct ApplicationPage {
    shell: Shell,
    address: String,
    created: When,
    seen: Option<When>,
    reading: Reading,
    webhooks: Vec<WebhookRow>,
    application: Application,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    name: String,
    url: String,
    password: String,
}

impl Made {
    /// The page with what the product is given, the password this once.
    fn show(self, desk: &Desk) -> Shown {
        let next = place(&self.id);
        let title = format!("The application {}", self.name);
        let shown = Secret::new("applications", title, &*next)
            .field("Server URL", &self.url)
            .field("Application name", &self.name)
            .field("Application password", &self.password)
            .hint("The password is not kept, and cannot be shown again. What to enter where, the next page tells.")
            .show(desk);
        found_at(shown, &next)
    }
}

/// Where an application is looked at.
pub(super) fn place(application: &str) -> String {
    format!("/console/applications/{}", segment(application))
}

/// `GET /console/applications`
pub(super) async fn list(desk: Desk) -> Shown {
    show(&listed(&desk).await?)
}

async fn listed(desk: &Desk) -> Result<ListPage, Trouble> {
    let all: Listed<Application> = desk.get(&["applications"], &[]).await?;
    let directories: Listed<Named> = desk.get(&["directories"], &[]).await?;
    let rows = all.items.into_iter().map(|application| Row {
        address: segment(&application.id),
        seen: application.last_seen.map(|at| desk.when(at)),
        application,
    });
    Ok(ListPage {
        shell: desk.shell("applications"),
        applications: rows.collect(),
        directories: directories.items,
        wrong: None,
        name: String::new(),
        directory: String::new(),
        writes: false,
    })
}

/// `POST /console/applications`
pub(super) async fn create(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let name = form.text("name");
    let wish = json!({
        "name": name,
        "access": form.text("access"),
        "directories": [{ "directory": form.text("directory") }],
    });
    desk.once(&form, "/console/applications", async {
        match desk
            .send::<Made>(Method::POST, &["applications"], Some(wish))
            .await
        {
            Ok(made) => made.show(&desk),
            Err(wrong) => {
                let mut page = listed(&desk).await?;
                let status = wrong.status;
                page.wrong = Some(wrong);
                page.name = name.to_owned();
                page.directory = form.text("directory").to_owned();
                page.writes = form.text("access") == "read-write";
                show_wrong(status, &page)
            }
        }
    })
    .await
}

/// `GET /console/applications/{application}`
pub(super) async fn page(desk: Desk, Path(application): Path<String>) -> Shown {
    show(&detail(&desk, &application).await?)
}

async fn detail(desk: &Desk, id: &str) -> Result<ApplicationPage, Trouble> {
    let found: Application = desk.get(&["applications", id], &[]).await?;
    let read: overview::Application = desk.get(&["applications", id, "position"], &[]).await?;
    let webhooks: Listed<Webhook> = desk.get(&["applications", id, "webhooks"], &[]).await?;
    let webhooks = webhooks.items.into_iter().map(|webhook| WebhookRow {
        told: webhook.last_success.map(|at| desk.when(at)),
        webhook,
    });
    Ok(ApplicationPage {
        reading: reading(desk, &read),
        webhooks: webhooks.collect(),
        shell: desk.shell("applications"),
        address: segment(&found.id),
        created: desk.when(found.created),
        seen: found.last_seen.map(|at| desk.when(at)),
        application: found,
    })
}

fn reading(desk: &Desk, read: &overview::Application) -> Reading {
    let lags: Vec<Lag> = read.directories.iter().map(|one| lag(desk, one)).collect();
    let is_current = lags.iter().all(|lag| lag.is_current);
    let away = read.last_seen.map(|at| desk.now().duration_since(at));
    let refused = read.refused.as_ref();
    let silence = read.silence(desk);
    let silent = silence.is_some();
    let remedy = match away {
        _ if refused.is_some() => refused.map(overview::Refused::remedy),
        None => Some(
            "It has not asked yet. Add the directory in the product as the steps say, and press Synchronise there. If the \
             product says that it cannot sign in, name or password are wrong, or its address is not allowed here."
                .to_owned(),
        ),
        _ if is_current && !silent => None,
        Some(away) if silent || away > USUAL_PAUSE => Some(format!(
            "It has not asked for {}. Look whether the product runs and reaches the server URL, whether its directory is \
             switched on there, and whether it comes from an address that is allowed here.",
            length(away)
        )),
        Some(_) if read.directories.iter().any(|one| one.position.is_none()) => Some(
            "It has signed in, and not fetched everything yet. Press Synchronise at the directory in the product, and see \
             that incremental synchronisation is on."
                .to_owned(),
        ),
        Some(_) => Some(
            "Products ask by themselves, every hour unless their directory has another interval. Press Synchronise there to \
             have it at once, or set a shorter interval."
                .to_owned(),
        ),
    };
    Reading {
        refused: refused.map(|refused| (desk.when(refused.at), refused.words())),
        silence,
        usual: read.usual(),
        lags,
        is_current,
        remedy,
    }
}

/// `POST /console/applications/{application}/webhooks/{webhook}/enable`
pub(super) async fn enable_webhook(
    desk: Desk,
    Path((application, webhook)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    number(&webhook)?;
    let path = ["applications", &application, "webhooks", &webhook, "enable"];
    let _enabled: Value = desk.send(Method::POST, &path, None).await?;
    desk.go_told(&place(&application), "The webhook is tried again at once.")
}

/// `GET /console/applications/{application}/webhooks/{webhook}/delete`
pub(super) async fn ask_delete_webhook(
    desk: Desk,
    Path((application, webhook)): Path<(String, String)>,
) -> Shown {
    number(&webhook)?;
    let path = ["applications", &application, "webhooks", &webhook];
    let found: Webhook = desk.get(&path, &[]).await?;
    let back = place(&application);
    Confirm::new("applications", "Delete the webhook?")
        .effect(format!("{} is told of nothing from then on.", found.url))
        .effect("The product may register it again by itself.")
        .verb("Delete")
        .action(format!("{back}/webhooks/{webhook}/delete"))
        .back(back)
        .show(&desk)
}

/// `POST /console/applications/{application}/webhooks/{webhook}/delete`
pub(super) async fn delete_webhook(
    desk: Desk,
    Path((application, webhook)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    number(&webhook)?;
    let path = ["applications", &application, "webhooks", &webhook];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(&place(&application), "The webhook is deleted.")
}

/// `GET /console/applications/{application}/password`
pub(super) async fn ask_password(desk: Desk, Path(application): Path<String>) -> Shown {
    let found: Application = desk.get(&["applications", &application], &[]).await?;
    let place = place(&found.id);
    Confirm::new("applications", format!("Give {} a new password?", found.name))
        .effect("The old one stops working at once: the product cannot fetch anything until it has the new one. \
                 Nobody is logged out.")
        .verb("Make a new password")
        .action(format!("{place}/password"))
        .back(place)
        .show(&desk)
}

/// `POST /console/applications/{application}/password`
pub(super) async fn password(desk: Desk, Path(application): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    desk.once(&form, &place(&application), async {
        let path = ["applications", &application, "password"];
        let made: Made = desk.send(Method::POST, &path, None).await?;
        made.show(&desk)
    })
    .await
}

/// `GET /console/applications/{application}/delete`
pub(super) async fn ask_delete(desk: Desk, Path(application): Path<String>) -> Shown {
    let found: Application = desk.get(&["applications", &application], &[]).await?;
    let place = place(&found.id);
    let seen = match found.last_seen {
        Some(at) => format!("It last fetched {}. ", desk.when(at).words()),
        None => "It has never fetched anything. ".to_owned(),
    };
    Confirm::new(
        "applications",
        format!("Delete the application {}?", found.name),
    )
    .effect(format!(
        "{seen}The product is refused from then on. The directories and everybody in them stay."
    ))
    .verb("Delete")
    .action(format!("{place}/delete"))
    .back(place)
    .show(&desk)
}

/// `POST /console/applications/{application}/delete`
pub(super) async fn delete(desk: Desk, Path(application): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["applications", &application];
    let found: Application = desk.get(&path, &[]).await?;
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    let told = format!("The application {} is deleted.", found.name);
    desk.go_told("/console/applications", told)
}
