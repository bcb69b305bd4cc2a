//! Applications: the products that fetch a directory, and how to attach one.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::confirm::Confirm;
use super::create::{Creation, create as make};
use super::desk::{Desk, Listed, Named, segment};
use super::page::{Shell, Shown, Trouble, go_to, show, show_wrong};
use super::when::When;
use super::words::access;

#[derive(Template)]
#[template(path = "applications.html")]
struct ListPage {
    shell: Shell,
    applications: Vec<Row>,
    directories: Vec<Named>,
    wrong: Option<Trouble>,
    name: String,
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
}

#[derive(Template)]
#[template(path = "application.html")]
struct ApplicationPage {
    shell: Shell,
    address: String,
    created: When,
    seen: Option<When>,
    application: Application,
    /// A password that was just made, to be shown this once.
    password: Option<String>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    password: String,
}

/// `GET /console/applications`
pub(super) async fn list(desk: Desk) -> Shown {
    show(&listed(&desk, None, String::new()).await?)
}

async fn listed(desk: &Desk, wrong: Option<Trouble>, name: String) -> Result<ListPage, Trouble> {
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
        wrong,
        name,
    })
}

impl Creation for Made {
    const COLLECTION: &'static str = "applications";

    async fn show(self, desk: &Desk) -> Shown {
        let mut page = detail(desk, &self.id).await?;
        page.password = Some(self.password);
        page.shell = page
            .shell
            .told("The application is made. Its password is shown this once.");
        show(&page)
    }

    async fn refuse(desk: &Desk, wrong: Trouble, name: String) -> Shown {
        let status = wrong.status;
        show_wrong(status, &listed(desk, Some(wrong), name).await?)
    }
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
    make::<Made>(&desk, name, wish).await
}

/// `GET /console/applications/{application}`
pub(super) async fn page(desk: Desk, Path(application): Path<String>) -> Shown {
    show(&detail(&desk, &application).await?)
}

async fn detail(desk: &Desk, id: &str) -> Result<ApplicationPage, Trouble> {
    let found: Application = desk.get(&["applications", id], &[]).await?;
    Ok(ApplicationPage {
        shell: desk.shell("applications"),
        address: segment(&found.id),
        created: desk.when(found.created),
        seen: found.last_seen.map(|at| desk.when(at)),
        application: found,
        password: None,
    })
}

/// `GET /console/applications/{application}/password`
pub(super) async fn ask_password(desk: Desk, Path(application): Path<String>) -> Shown {
    let found: Application = desk.get(&["applications", &application], &[]).await?;
    let address = segment(&found.id);
    Confirm::new("applications", format!("Give {} a new password?", found.name))
        .effect("The old one stops working at once: the product cannot fetch anything until it has the new one. \
                 Nobody is logged out.")
        .verb("Make a new password")
        .action(format!("/console/applications/{address}/password"))
        .back(format!("/console/applications/{address}"))
        .show(&desk)
}

/// `POST /console/applications/{application}/password`
pub(super) async fn password(desk: Desk, Path(application): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["applications", &application, "password"];
    let made: Made = desk.send(Method::POST, &path, None).await?;
    let mut page = detail(&desk, &made.id).await?;
    page.password = Some(made.password);
    page.shell = page
        .shell
        .told("The password is made. It is shown this once.");
    show(&page)
}

/// `GET /console/applications/{application}/delete`
pub(super) async fn ask_delete(desk: Desk, Path(application): Path<String>) -> Shown {
    let found: Application = desk.get(&["applications", &application], &[]).await?;
    let address = segment(&found.id);
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
    .action(format!("/console/applications/{address}/delete"))
    .back(format!("/console/applications/{address}"))
    .show(&desk)
}

/// `POST /console/applications/{application}/delete`
pub(super) async fn delete(desk: Desk, Path(application): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["applications", &application];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    go_to("/console/applications")
}
