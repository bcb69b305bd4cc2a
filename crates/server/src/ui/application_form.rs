//! What is set about an application, changed by a form: what it sees, who may log in, and where it comes from.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::applications::told;
use super::desk::{Desk, Listed, Named, segment};
use super::form::Fields;
use super::page::{Shell, Shown, Trouble, show, show_wrong};

#[derive(Template)]
#[template(path = "application_form.html")]
struct FormPage {
    shell: Shell,
    address: String,
    /// The name that it has now.
    called: String,
    settings: Settings,
    wrong: Option<Trouble>,
}

/// What can be set, as the form has it.
struct Settings {
    name: String,
    access: String,
    addresses: String,
    aggregate_memberships: bool,
    only_with_access: bool,
    only_groups_with_access: bool,
    directories: Vec<Row>,
}

/// A directory, the place that it has among those that are seen, and who of it may log in.
struct Row {
    name: String,
    /// Empty if it is not seen.
    place: String,
    groups: String,
}

impl Settings {
    /// The places that a directory can have.
    fn places(&self) -> Vec<String> {
        let count = self.directories.len();
        (1..=count).map(|place| place.to_string()).collect()
    }
}

/// An application as the admin API shows it.
#[derive(Deserialize)]
struct Stored {
    id: String,
    name: String,
    access: String,
    addresses: Vec<String>,
    directories: Vec<Attached>,
    aggregate_memberships: bool,
    only_with_access: bool,
    only_groups_with_access: bool,
}

#[derive(Deserialize)]
struct Attached {
    directory: String,
    login_groups: Option<Vec<String>>,
}

impl Stored {
    async fn of(desk: &Desk, application: &str) -> Result<Self, Trouble> {
        desk.get(&["applications", application], &[]).await
    }

    /// What it sees, as the admin API takes it.
    fn sight(&self) -> Value {
        let attached = self.directories.iter();
        attached
            .map(|one| json!({ "directory": one.directory, "login_groups": one.login_groups }))
            .collect()
    }

    /// The form as nobody has touched it; directories that it does not see come last.
    async fn settings(&self, desk: &Desk) -> Result<Settings, Trouble> {
        let all: Listed<Named> = desk.get(&["directories"], &[]).await?;
        let seen = (1..).zip(&self.directories).map(|(place, one)| Row {
            name: one.directory.clone(),
            place: place.to_string(),
            groups: one.login_groups.clone().unwrap_or_default().join("\n"),
        });
        let is_seen = |name: &str| self.directories.iter().any(|one| one.directory == name);
        let others = all.items.into_iter().filter(|one| !is_seen(&one.name));
        let others = others.map(|one| Row {
            name: one.name,
            place: String::new(),
            groups: String::new(),
        });
        Ok(Settings {
            name: self.name.clone(),
            access: self.access.clone(),
            addresses: self.addresses.join("\n"),
            aggregate_memberships: self.aggregate_memberships,
            only_with_access: self.only_with_access,
            only_groups_with_access: self.only_groups_with_access,
            directories: seen.chain(others).collect(),
        })
    }
}

/// `GET /console/applications/{application}/settings`
pub(super) async fn page(desk: Desk, Path(application): Path<String>) -> Shown {
    let stored = Stored::of(&desk, &application).await?;
    show(&FormPage {
        shell: desk.shell("applications"),
        address: segment(&stored.id),
        settings: stored.settings(&desk).await?,
        called: stored.name,
        wrong: None,
    })
}

/// `POST /console/applications/{application}/settings`
pub(super) async fn save(desk: Desk, Path(application): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let stored = Stored::of(&desk, &application).await?;
    let wanted = read(&form);
    let mut change = json!({
        "name": wanted.name,
        "access": wanted.access,
        "addresses": lines(&wanted.addresses),
        "aggregate_memberships": wanted.aggregate_memberships,
        "only_with_access": wanted.only_with_access,
        "only_groups_with_access": wanted.only_groups_with_access,
    });
    // A product fetches everything anew when what it sees is set, so it is only set if it is another.
    let sight = sight(&wanted);
    let sees_other = sight != stored.sight();
    if sees_other {
        change["directories"] = sight;
    }
    let path = ["applications", application.as_str()];
    match desk.send::<Value>(Method::PATCH, &path, Some(change)).await {
        Ok(_) => {
            let words = match sees_other {
                true => {
                    "The application is changed. The product fetches everything anew when it asks next."
                }
                false => "The application is changed.",
            };
            told(&desk, &stored.id, words).await
        }
        Err(wrong) => show_wrong(
            wrong.status,
            &FormPage {
                shell: desk.shell("applications"),
                address: segment(&stored.id),
                called: stored.name,
                settings: wanted,
                wrong: Some(wrong),
            },
        ),
    }
}

/// What the form says. There are as many directories in it as it names.
fn read(form: &Fields) -> Settings {
    let row = |number: usize| Row {
        name: form.text(&format!("directory.{number}")).to_owned(),
        place: form.text(&format!("place.{number}")).to_owned(),
        groups: form.exact(&format!("groups.{number}")),
    };
    let rows = (0..).map(row).take_while(|row| !row.name.is_empty());
    Settings {
        name: form.text("name").to_owned(),
        access: form.text("access").to_owned(),
        addresses: form.exact("addresses"),
        aggregate_memberships: !form.text("aggregate_memberships").is_empty(),
        only_with_access: !form.text("only_with_access").is_empty(),
        only_groups_with_access: !form.text("only_groups_with_access").is_empty(),
        directories: rows.collect(),
    }
}

/// What the form wants it to see, in the order of its places.
fn sight(wanted: &Settings) -> Value {
    let seen = wanted.directories.iter();
    let mut seen: Vec<(usize, &Row)> = seen
        .filter_map(|row| Some((row.place.parse().ok()?, row)))
        .collect();
    seen.sort_by_key(|(place, _)| *place);
    let seen = seen.into_iter().map(|(_, row)| {
        let groups = Some(lines(&row.groups)).filter(|groups| !groups.is_empty());
        json!({ "directory": row.name, "login_groups": groups })
    });
    seen.collect()
}

/// What stands on lines of its own.
fn lines(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect()
}
