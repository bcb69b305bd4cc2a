//! The forms for a connector's rules, with what they would do to real users and groups beside them.

mod draft;
mod faults;
mod sections;
mod shape;
mod steps;

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use sections::SUGGESTIONS;
pub(super) use sections::{SECTIONS, Section, section};
use shape::{Control, Item, Look};

use super::compare::{Compared, Previewed};
use super::connector::Frame;
use super::desk::{Desk, segment};
use super::form::Fields;
use super::page::{Place, Shell, Shown, Trouble, go_to, show, show_wrong};

/// Users and groups beside a form.
const SHOWN: usize = 6;

#[derive(Template)]
#[template(path = "editor.html")]
struct EditorPage {
    shell: Shell,
    frame: Frame,
    /// Where this page is, without the row that a button led to.
    place: String,
    title: &'static str,
    lead: &'static str,
    /// The lines of the form; empty where the rules are edited as JSON.
    items: Vec<Item>,
    /// The rules as JSON, where they are edited so.
    text: Option<String>,
    /// The version that the form began with.
    version: i64,
    /// Who is to be shown in any case.
    who: String,
    wrong: Option<Trouble>,
    /// What is wrong with fields, by their paths.
    faults: BTreeMap<String, String>,
    sample: Option<Sampled>,
    /// Whether the form says something else than the rules in force.
    is_changed: bool,
}

impl EditorPage {
    /// What is wrong with a field of the form.
    fn fault(&self, path: &str) -> Option<&str> {
        self.faults.get(path).map(String::as_str)
    }

    /// What tells of a field besides its label: attributes, as HTML.
    fn described(&self, control: &Control) -> String {
        let path = &control.path;
        let is_wrong = self.fault(path).is_some();
        let by = [("h", !control.hint.is_empty()), ("e", is_wrong)];
        let by = by.iter().filter(|(_, is_there)| *is_there);
        let by: Vec<String> = by.map(|(kind, _)| format!("{kind}-{path}")).collect();
        let mut attributes = String::new();
        if !by.is_empty() {
            attributes += &format!(" aria-describedby=\"{}\"", by.join(" "));
        }
        if is_wrong {
            attributes += " aria-invalid=\"true\"";
        }
        attributes
    }
}

#[derive(Deserialize)]
struct Present {
    version: i64,
    rules: Value,
}

#[derive(Deserialize)]
struct Sample {
    users: Vec<Previewed>,
    groups: Vec<SampledGroup>,
    looked_at: u64,
    changed: u64,
    problems: u64,
}

/// A group of the identity provider, and what becomes of it.
#[derive(Deserialize)]
struct SampledGroup {
    name: String,
    before: Vec<String>,
    after: Vec<String>,
}

struct Sampled {
    users: Vec<Compared>,
    groups: Vec<SampledGroup>,
    looked_at: u64,
    changed: u64,
    problems: u64,
    /// Whether nobody is called as the person who is to be shown.
    is_nobody: bool,
}

/// What a form of rules is about.
#[derive(Clone, Copy)]
enum Part {
    Section(&'static Section),
    /// All rules, as JSON.
    All,
}

impl Part {
    fn key(self) -> &'static str {
        match self {
            Part::Section(section) => section.key,
            Part::All => "rules",
        }
    }

    /// Where its page is.
    fn place(self, connector: &str) -> String {
        let connector = segment(connector);
        match self {
            Part::Section(section) => {
                format!("/console/connectors/{connector}/edit/{}", section.key)
            }
            Part::All => format!("/console/connectors/{connector}/rules"),
        }
    }

    /// The rules with what a form says.
    fn read(self, form: &Fields, present: &Value) -> Result<Value, Trouble> {
        match self {
            Part::Section(section) => Ok(draft::read(section, form, present)),
            Part::All => serde_json::from_str(&form.exact("rules")).map_err(|error| {
                let told = format!(
                    "The rules are no JSON (line {}, column {}): {error}. Put it right there.",
                    error.line(),
                    error.column()
                );
                Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, told)
            }),
        }
    }
}

/// `GET /console/connectors/{connector}/edit/{section}`
pub(super) async fn page(desk: Desk, Path((connector, key)): Path<(String, String)>) -> Shown {
    show_part(&desk, &connector, part(&key)?).await
}

/// `GET /console/connectors/{connector}/rules`
pub(super) async fn page_of_all(desk: Desk, Path(connector): Path<String>) -> Shown {
    show_part(&desk, &connector, Part::All).await
}

/// `POST /console/connectors/{connector}/edit/{section}`
pub(super) async fn submit(
    desk: Desk,
    Path((connector, key)): Path<(String, String)>,
    body: Body,
) -> Shown {
    take(&desk, &connector, part(&key)?, body).await
}

/// `POST /console/connectors/{connector}/rules`
pub(super) async fn submit_all(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    take(&desk, &connector, Part::All, body).await
}

fn part(key: &str) -> Result<Part, Trouble> {
    section(key).map(Part::Section).ok_or_else(|| {
        let told = "There is no such page of a connector. The tabs lead to those that there are.";
        Trouble::new(StatusCode::NOT_FOUND, told)
    })
}

async fn show_part(desk: &Desk, connector: &str, part: Part) -> Shown {
    let present = present(desk, connector).await?;
    let rules = present.rules.clone();
    let said = Said {
        rules,
        ..Said::default()
    };
    show(&editor(desk, connector, part, &present, said).await?)
}

/// What a form said, and what came of it.
#[derive(Default)]
struct Said {
    rules: Value,
    /// The rules as they were typed, if they cannot be read.
    text: Option<String>,
    who: String,
    /// The version that the form began with, however often it was shown since; the one in force if it only begins.
    version: Option<i64>,
    wrong: Option<Trouble>,
    /// Whether something was just added, which nobody has filled in yet.
    begins: bool,
}

/// Shows what a form would do, in place: nothing is kept of it, so that its answer can be loaded again. What is to come true is
/// planned, at an address of its own.
async fn take(desk: &Desk, connector: &str, part: Part, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let present = present(desk, connector).await?;
    let mut said = Said {
        who: form.text("who").to_owned(),
        version: form.text("version").parse().ok(),
        ..Said::default()
    };
    match part.read(&form, &present.rules) {
        Ok(rules) => said.rules = rules,
        Err(wrong) => {
            said.text = Some(form.exact("rules"));
            said.wrong = Some(wrong);
        }
    }
    let wish = form.text("do");
    said.begins = wish.starts_with("add:");
    if let Part::Section(section) = part {
        draft::carry_out(section, &form, wish, &mut said.rules);
    }
    if wish == "plan" && said.wrong.is_none() {
        match plan(desk, connector, &form, &present, &said.rules).await {
            Ok(address) => return go_to(&address),
            Err(wrong) => said.wrong = Some(wrong),
        }
    }
    let page = editor(desk, connector, part, &present, said).await?;
    match &page.wrong {
        Some(wrong) => show_wrong(wrong.status, &page),
        None => show(&page),
    }
}

async fn present(desk: &Desk, connector: &str) -> Result<Present, Trouble> {
    desk.get(&["connectors", connector, "rules"], &[]).await
}

/// Begins a preview of everybody, and gives its address.
async fn plan(
    desk: &Desk,
    connector: &str,
    form: &Fields,
    present: &Present,
    rules: &Value,
) -> Result<String, Trouble> {
    if form.text("version") != present.version.to_string() {
        let told = format!(
            "The rules were changed by somebody else meanwhile: version {} is in force. Load the page again, and make your \
             change once more.",
            present.version
        );
        return Err(Trouble::new(StatusCode::CONFLICT, told));
    }
    begin_plan(desk, connector, rules).await
}

/// Begins a preview of everybody by some rules, and gives its address.
pub(super) async fn begin_plan(
    desk: &Desk,
    connector: &str,
    rules: &Value,
) -> Result<String, Trouble> {
    #[derive(Deserialize)]
    struct Begun {
        id: String,
    }
    let path = ["connectors", connector, "rules", "preview"];
    let wish = json!({ "rules": rules });
    let begun: Begun = desk.send(Method::POST, &path, Some(wish)).await?;
    let (connector, id) = (segment(connector), segment(&begun.id));
    Ok(format!("/console/connectors/{connector}/plans/{id}"))
}

async fn editor(
    desk: &Desk,
    connector: &str,
    part: Part,
    present: &Present,
    said: Said,
) -> Result<EditorPage, Trouble> {
    let mut wrong = said.wrong;
    let mut sample = None;
    if said.text.is_none() {
        match sampled(desk, connector, &said.rules, &said.who).await {
            Ok(found) => sample = Some(found),
            Err(trouble) if said.begins && trouble.status == StatusCode::UNPROCESSABLE_ENTITY => {}
            Err(trouble) => wrong = wrong.or(Some(trouble)),
        }
    }
    let pretty = || serde_json::to_string_pretty(&said.rules).unwrap_or_default();
    let (title, lead, items, text) = match part {
        Part::Section(section) => {
            let items = draft::lines(section, &said.rules);
            (section.title, section.lead, items, None)
        }
        Part::All => {
            let lead = "All rules as one JSON document, for those who know it. The tabs show the same as forms.";
            let text = said.text.clone().unwrap_or_else(pretty);
            ("All rules", lead, Vec::new(), Some(text))
        }
    };
    let faults = wrong.as_mut().map(|wrong| faults::beside(&items, wrong));
    Ok(EditorPage {
        faults: faults.unwrap_or_default(),
        shell: desk.shell("connectors"),
        frame: Frame::of(desk, connector, part.key()).await?,
        place: part.place(connector),
        title,
        lead,
        items,
        text,
        version: said.version.unwrap_or(present.version),
        who: said.who,
        wrong,
        sample,
        is_changed: said.rules != present.rules,
    })
}

/// The section whose form has a place of the rules, and what its field is called there.
pub(super) fn place_of(rules: &Value, place: &Place) -> Option<(&'static str, String)> {
    let path = place.dotted();
    SECTIONS.iter().find_map(|section| {
        let items = draft::lines(section, rules);
        Some((section.key, faults::label_of(&items, &path)?))
    })
}

async fn sampled(
    desk: &Desk,
    connector: &str,
    rules: &Value,
    who: &str,
) -> Result<Sampled, Trouble> {
    let path = ["connectors", connector, "rules", "sample"];
    let ask = async |who: &str| {
        let wish = json!({ "rules": rules, "user": who, "users": SHOWN, "groups": SHOWN });
        desk.ask::<Sample>(&path, &[], wish).await
    };
    let (found, is_nobody) = match ask(who).await {
        Err(wrong) if wrong.status == StatusCode::NOT_FOUND && !who.is_empty() => {
            (ask("").await?, true)
        }
        found => (found?, false),
    };
    let users = found.users.into_iter();
    Ok(Sampled {
        users: users.map(|user| user.compared(true)).collect(),
        groups: found.groups,
        looked_at: found.looked_at,
        changed: found.changed,
        problems: found.problems,
        is_nobody,
    })
}
