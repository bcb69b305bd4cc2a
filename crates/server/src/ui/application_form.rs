//! What is set about an application, changed by a form: what it sees, who may log in, and where it comes from.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::applications::place;
use super::confirm::Confirm;
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
    /// Whether groups may log in that are still to come.
    anyway: bool,
}

/// A directory, the place that it has among those that are seen, and who of it may log in.
struct Row {
    name: String,
    /// Empty if it is not seen.
    place: String,
    groups: String,
}

impl Settings {
    /// Whether it has to be said that groups are still to come.
    fn asks_about_groups(&self, wrong: &Option<Trouble>) -> bool {
        let field = wrong.as_ref().and_then(|wrong| wrong.field.as_deref());
        self.anyway || field == Some("login_groups")
    }

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
            anyway: false,
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
        match looked_at(&desk, &stored, &wanted, &sight).await? {
            Verdict::Unknown(wrong) => return wrong_form(&desk, stored, wanted, wrong),
            Verdict::Loses(effects) if form.text("sure").is_empty() => {
                return ask(&desk, &stored, &form, effects);
            }
            Verdict::Fine | Verdict::Loses(_) => {}
        }
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
            desk.go_told(&place(&stored.id), words)
        }
        Err(wrong) => wrong_form(&desk, stored, wanted, wrong),
    }
}

fn wrong_form(desk: &Desk, stored: Stored, wanted: Settings, wrong: Trouble) -> Shown {
    show_wrong(
        wrong.status,
        &FormPage {
            shell: desk.shell("applications"),
            address: segment(&stored.id),
            called: stored.name,
            settings: wanted,
            wrong: Some(wrong),
        },
    )
}

/// What is found out about a change before it is made.
enum Verdict {
    Fine,
    /// Groups that may log in are not there, and nobody said that they are to come.
    Unknown(Trouble),
    /// Somebody could log in no more.
    Loses(Vec<String>),
}

/// What becomes of the users of one directory, as the admin API tells it.
#[derive(Deserialize)]
struct Preview {
    directory: String,
    after: Option<u64>,
    loses: u64,
    unknown_groups: Vec<String>,
}

impl Preview {
    /// What is lost, in words.
    fn effect(&self) -> Option<String> {
        let (name, lost) = (&self.directory, accounts(self.loses));
        match (self.loses, self.after) {
            (0, _) => None,
            (_, None) => Some(format!(
                "{name} is no longer seen: {lost} that may log in now can’t any more."
            )),
            (_, Some(0)) => Some(format!(
                "Nobody of {name} may log in any more: {lost} that may now can’t."
            )),
            (_, Some(stay)) => Some(format!(
                "Of {name}, {lost} that may log in now can’t any more; {} can.",
                accounts(stay)
            )),
        }
    }
}

fn accounts(count: u64) -> String {
    match count {
        1 => "one account".to_owned(),
        count => format!("{count} accounts"),
    }
}

/// Looks at what the application is to see before it does.
async fn looked_at(
    desk: &Desk,
    stored: &Stored,
    wanted: &Settings,
    sight: &Value,
) -> Result<Verdict, Trouble> {
    // That it sees nothing at all is refused as a change.
    if sight.as_array().is_none_or(Vec::is_empty) {
        return Ok(Verdict::Fine);
    }
    let path = ["applications", stored.id.as_str(), "preview"];
    let wish = json!({ "directories": sight });
    let previews: Listed<Preview> = desk.ask(&path, &[], wish).await?;
    let previews = previews.items;
    let unknown = previews.iter().flat_map(|one| {
        let names = one.unknown_groups.iter();
        names.map(|name| format!("{} has no group “{name}”.", one.directory))
    });
    let unknown: Vec<String> = unknown.collect();
    if !unknown.is_empty() && !wanted.anyway {
        let told = format!(
            "{} Nobody logs in by a group that is not there. Correct the name, or say below that the group is still to come.",
            unknown.join(" ")
        );
        return Ok(Verdict::Unknown(Trouble::in_field("login_groups", told)));
    }
    let effects: Vec<String> = previews.iter().filter_map(Preview::effect).collect();
    Ok(match effects.is_empty() {
        true => Verdict::Fine,
        false => Verdict::Loses(effects),
    })
}

/// Asks before anybody loses the log-in.
fn ask(desk: &Desk, stored: &Stored, form: &Fields, effects: Vec<String>) -> Shown {
    let address = place(&stored.id);
    let question = format!("Take the log-in with {} from people?", stored.name);
    let asked = Confirm::new("applications", question);
    let asked = effects.into_iter().fold(asked, Confirm::effect);
    let asked = asked.effect("The product fetches everything anew when it asks next.");
    let kept = form.all().filter(|(name, _)| *name != "form_token");
    kept.fold(asked, |asked, (name, value)| asked.hidden(name, value))
        .hidden("sure", "yes")
        .verb("Change it")
        .action(format!("{address}/settings"))
        .back(format!("{address}/settings"))
        .show(desk)
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
        anyway: !form.text("anyway").is_empty(),
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
