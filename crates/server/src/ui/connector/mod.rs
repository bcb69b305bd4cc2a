//! A connector's page: the frame with its tabs, and the first of them, which tells how to set it up.

pub(super) mod activity;
pub(super) mod conflicts;
pub(super) mod limits;
pub(super) mod matches;
pub(super) mod release;
pub(super) mod settings;
pub(super) mod source_groups;
pub(super) mod source_users;
pub(super) mod tokens;
pub(super) mod versions;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::confirm::Confirm;
use super::desk::{Desk, Listed, segment};
use super::editor::{SECTIONS, place_of};
use super::jobs;
use super::page::{Place, Shell, Shown, Trouble, go_to, show};
use super::stopped::{Note, Stopped};
use super::when::When;
use settings::SettingsForm;

/// What stands above every tab.
pub(super) struct Frame {
    pub(super) name: String,
    /// The name as a segment of an address.
    pub(super) address: String,
    pub(super) state: String,
    /// The tab that is open.
    open: String,
    holds: i64,
    /// Conflicts and groups that nobody has decided about, and values that cannot be used.
    decisions: i64,
    /// Users for whom switches of the rules keep something back.
    pub(super) suppressed: i64,
    /// What everybody should know unless it is active.
    pub(super) stopped: Option<Note>,
}

/// A tab.
pub(super) struct Tab {
    pub(super) label: &'static str,
    pub(super) place: String,
    pub(super) is_open: bool,
    /// How many things wait there.
    pub(super) count: i64,
}

impl Frame {
    /// The frame of a connector with this tab open.
    pub(super) async fn of(desk: &Desk, connector: &str, open: &str) -> Result<Self, Trouble> {
        let mut found: Detail = desk.get(&["connectors", connector], &[]).await?;
        Ok(found.frame(desk, open))
    }

    pub(super) fn tabs(&self) -> Vec<Tab> {
        let sections = SECTIONS.iter();
        let sections = sections.map(|it| (it.key, it.title, format!("/edit/{}", it.key)));
        let others = [
            ("limits", "Limits and holds", "/limits".to_owned()),
            ("conflicts", "Conflicts", "/conflicts".to_owned()),
            ("tokens", "Tokens", "/tokens".to_owned()),
            ("activity", "Activity", "/activity".to_owned()),
        ];
        let all = [("setup", "Set-up", String::new())].into_iter();
        let all = all.chain(sections).chain(others);
        let tab = |(key, label, place): (&str, &'static str, String)| Tab {
            label,
            place: format!("/console/connectors/{}{place}", self.address),
            is_open: key == self.open,
            count: match key {
                "limits" => self.holds,
                "conflicts" => self.decisions,
                _ => 0,
            },
        };
        all.map(tab).collect()
    }

    pub(super) fn is_open(&self, key: &str) -> bool {
        self.open == key
    }

    /// Whether the open tab is about rules, which have versions.
    pub(super) fn is_about_rules(&self) -> bool {
        matches!(self.open.as_str(), "rules" | "versions")
            || SECTIONS.iter().any(|section| section.key == self.open)
    }
}

/// A connector as the admin API tells it.
#[derive(Deserialize)]
pub(super) struct Detail {
    pub(super) name: String,
    preset: String,
    /// What people call the identity provider; asked for where it is shown.
    #[serde(default)]
    called: String,
    state: String,
    base_url: String,
    directory: String,
    users: i64,
    groups: i64,
    due: i64,
    open_holds: i64,
    open_conflicts: i64,
    waiting_groups: i64,
    pinned_groups: i64,
    value_errors: i64,
    suppressed: i64,
    next_run: Option<Timestamp>,
    created: Timestamp,
    settings: Value,
    #[serde(default)]
    rules: Value,
    tokens: Vec<tokens::Token>,
    #[serde(default)]
    reads_recorded_until: Option<Timestamp>,
    #[serde(default)]
    stopped: Option<Stopped>,
}

impl Detail {
    fn frame(&mut self, desk: &Desk, open: &str) -> Frame {
        let stopped = self.stopped.take();
        Frame {
            stopped: stopped.map(|it| it.note(desk, &self.name, &self.state)),
            address: segment(&self.name),
            name: self.name.clone(),
            state: self.state.clone(),
            open: open.to_owned(),
            holds: self.open_holds,
            decisions: self.open_conflicts + self.waiting_groups + self.value_errors,
            suppressed: self.suppressed,
        }
    }
}

/// What people call the identity provider of a preset.
async fn called(desk: &Desk, preset: &str) -> Result<String, Trouble> {
    #[derive(Deserialize)]
    struct Preset {
        preset: String,
        name: String,
    }
    let all: Listed<Preset> = desk.get(&["presets"], &[]).await?;
    let mut all = all.items.into_iter();
    let known = all.find(|one| one.preset == preset);
    Ok(known.map_or_else(|| preset.to_owned(), |one| one.name))
}

/// What the rules say in vain; to tell it, groups are looked through, so that only the page that shows it asks.
#[derive(Deserialize)]
struct Warned {
    warnings: Vec<Place>,
}

/// Something that the rules say in vain, with the section whose form has it.
struct Warning {
    section: Option<&'static str>,
    place: Place,
}

impl Warning {
    fn of(rules: &Value, mut place: Place) -> Self {
        let (section, label) = place_of(rules, &place).unzip();
        place.label = label;
        Self { section, place }
    }
}

#[derive(Template)]
#[template(path = "connector/setup.html")]
struct SetupPage {
    shell: Shell,
    frame: Frame,
    connector: Detail,
    created: When,
    next_run: Option<When>,
    settings: SettingsForm,
    warnings: Vec<Warning>,
    wrong: Option<Trouble>,
}

/// `GET /console/connectors/{connector}`
pub(super) async fn page(desk: Desk, Path(connector): Path<String>) -> Shown {
    show(&setup(&desk, &connector).await?)
}

async fn setup(desk: &Desk, name: &str) -> Result<SetupPage, Trouble> {
    let mut found: Detail = desk.get(&["connectors", name], &[]).await?;
    found.called = called(desk, &found.preset).await?;
    let warned: Warned = desk.get(&["connectors", name, "rules"], &[]).await?;
    let warnings = warned.warnings.into_iter();
    let warnings: Vec<Warning> = warnings
        .map(|place| Warning::of(&found.rules, place))
        .collect();
    Ok(SetupPage {
        shell: desk.shell("connectors"),
        frame: found.frame(desk, "setup"),
        created: desk.when(found.created),
        next_run: found.next_run.map(|at| desk.when(at)),
        settings: SettingsForm::of(&found.settings),
        warnings,
        connector: found,
        wrong: None,
    })
}

/// Which state is wanted.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WantedState {
    state: String,
}

/// `GET /console/connectors/{connector}/state`: asks before anything is kept from taking effect.
pub(super) async fn ask_state(
    desk: Desk,
    Path(connector): Path<String>,
    Query(wanted): Query<WantedState>,
) -> Shown {
    let found: Detail = desk.get(&["connectors", &connector], &[]).await?;
    let (name, people) = (&found.name, counted(found.users, "user"));
    let back = place(&connector);
    let asked = match wanted.state.as_str() {
        "paused" => Confirm::new("connectors", format!("Pause {name}?"))
            .effect(format!(
                "What the identity provider writes about its {people} is still taken and kept, and nothing of it takes effect. \
                 Whoever leaves meanwhile keeps the account, and whoever comes gets none."
            ))
            .effect("When you resume, all of it takes effect at once.")
            .verb("Pause it"),
        "disabled" => Confirm::new("connectors", format!("Switch {name} off?"))
            .effect(format!(
                "The identity provider is refused from then on, and shows errors. Whatever happens to its {people} meanwhile \
                 does not arrive here, unless it is sent again later."
            ))
            .effect("Accounts and groups stay as they are: whoever leaves keeps the account.")
            .verb("Switch it off"),
        _ => return go_to(&back),
    };
    asked
        .hidden("state", wanted.state)
        .action(format!("{back}/state"))
        .back(back)
        .show(&desk)
}

fn counted(count: i64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// `POST /console/connectors/{connector}/state`
pub(super) async fn state(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let state = form.text("state");
    let path = ["connectors", &connector];
    let change = json!({ "state": state });
    let _changed: Value = desk.send(Method::PATCH, &path, Some(change)).await?;
    let told = match state {
        "paused" => {
            "The connector is paused: what the identity provider writes is kept, and takes effect when you resume."
        }
        "disabled" => "The connector is switched off: the identity provider is refused.",
        _ => "The connector is active.",
    };
    desk.go_told(&place(&connector), told)
}

/// Where a connector is looked at.
fn place(connector: &str) -> String {
    format!("/console/connectors/{}", segment(connector))
}

#[derive(Deserialize)]
struct Begun {
    job: BegunJob,
    coalesced: bool,
}

#[derive(Deserialize)]
struct BegunJob {
    id: String,
}

/// `POST /console/connectors/{connector}/reconcile`
pub(super) async fn reconcile(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["connectors", &connector, "reconcile"];
    let begun: Begun = desk.send(Method::POST, &path, None).await?;
    let told = match begun.coalesced {
        true => "Everybody is being evaluated anew already. This is how far it is.",
        false => "Everybody is being evaluated anew. This is how far it is.",
    };
    desk.go_told(&jobs::place(&begun.job.id), told)
}
