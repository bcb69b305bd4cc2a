//! Plans: what changed rules would do to everybody, looked at and applied exactly so.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::compare::{Compared, Previewed, operation};
use super::connector::Frame;
use super::connector::versions::Difference;
use super::desk::{Desk, Listed, segment};
use super::editor;
use super::jobs;
use super::page::{Shell, Shown, Trouble, go_to, show, show_wrong};
use super::when::When;

/// Users on one page.
const PAGE: &str = "25";

/// Versions that are looked through for the one that a plan became.
const VERSIONS: &str = "20";

/// How many have an operation: what people call it, the colour of its badge, the word to look for, and the number.
type Figure = (&'static str, &'static str, String, u64);

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    shell: Shell,
    frame: Frame,
    wanted: Wanted,
    plan: Plan,
    created: When,
    /// What is different, for how many.
    operations: Vec<Figure>,
    /// When the first grace time ends, and what comes then for how many.
    later: Option<(When, Vec<Figure>)>,
    people: Vec<Compared>,
    more: Option<String>,
    /// Of how many the limits hold something back that was not held before.
    held: u64,
    /// That it was applied.
    applied: Option<Applied>,
    wrong: Option<Trouble>,
}

/// When, by whom and as what a plan was applied.
struct Applied {
    at: When,
    author: String,
    version: i64,
    is_newest: bool,
}

impl PlanPage {
    fn is_running(&self) -> bool {
        self.plan.state == "running"
    }

    fn has_failed(&self) -> bool {
        self.plan.state == "failed"
    }
}

/// Which users to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    operation: String,
    q: String,
    after: String,
    comment: String,
}

#[derive(Deserialize)]
struct Plan {
    id: String,
    state: String,
    author: String,
    created: Timestamp,
    total: i64,
    looked_at: i64,
    can_be_applied: bool,
    summary: Summary,
    #[serde(default)]
    error: String,
    rules: Value,
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Summary {
    users: u64,
    changed: u64,
    operations: BTreeMap<String, u64>,
    problems: u64,
    due: i64,
    new_groups: Vec<String>,
    waiting_groups: Vec<String>,
    after_grace: GraceForecast,
}

/// What comes when grace times end.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct GraceForecast {
    first: Option<Timestamp>,
    operations: BTreeMap<String, u64>,
}

/// `GET /console/connectors/{connector}/plans/{plan}`
pub(super) async fn page(
    desk: Desk,
    Path((connector, plan)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    show(&plan_page(&desk, &connector, &plan, wanted).await?)
}

async fn plan_page(
    desk: &Desk,
    connector: &str,
    id: &str,
    wanted: Wanted,
) -> Result<PlanPage, Trouble> {
    let path = ["connectors", connector, "rules", "previews", id];
    let plan: Plan = desk.get(&path, &[]).await?;
    let query = [
        ("operation", wanted.operation.as_str()),
        ("q", wanted.q.as_str()),
        ("after", wanted.after.as_str()),
        ("limit", PAGE),
    ];
    let users = [path[0], path[1], path[2], path[3], path[4], "users"];
    let found: Listed<Previewed> = desk.get(&users, &query).await?;
    let more = found.more("", &query);
    let after = &plan.summary.after_grace;
    let later = after.first.map(|first| desk.when(first));
    Ok(PlanPage {
        shell: desk.shell("connectors"),
        held: plan.summary.operations.get("held").copied().unwrap_or(0),
        applied: applied_as(desk, connector, &plan).await?,
        frame: Frame::of(desk, connector, "rules").await?,
        created: desk.when(plan.created),
        operations: figures(&plan.summary.operations),
        later: later.map(|first| (first, figures(&after.operations))),
        people: found
            .items
            .into_iter()
            .map(|one| one.compared(false))
            .collect(),
        more,
        plan,
        wanted,
        wrong: None,
    })
}

/// The first version behind a plan that has its rules.
async fn applied_as(desk: &Desk, connector: &str, plan: &Plan) -> Result<Option<Applied>, Trouble> {
    #[derive(Deserialize)]
    struct Version {
        version: i64,
        author: String,
        created: Timestamp,
    }
    #[derive(Deserialize)]
    struct Whole {
        rules: Value,
    }
    let path = ["connectors", connector, "rules", "versions"];
    let newest: Listed<Version> = desk.get(&path, &[("limit", VERSIONS)]).await?;
    let last = newest.items.first().map(|version| version.version);
    let later = newest.items.into_iter().rev();
    for version in later.filter(|version| version.created >= plan.created) {
        let number = version.version.to_string();
        let path = [path[0], path[1], path[2], path[3], number.as_str()];
        let whole: Whole = desk.get(&path, &[]).await?;
        if whole.rules == plan.rules {
            return Ok(Some(Applied {
                at: desk.when(version.created),
                author: version.author,
                is_newest: Some(version.version) == last,
                version: version.version,
            }));
        }
    }
    Ok(None)
}

fn figures(operations: &BTreeMap<String, u64>) -> Vec<Figure> {
    let operations = operations.iter();
    let operations = operations.filter(|(word, _)| *word != "unchanged");
    let figures = operations.map(|(word, count)| {
        let (words, colour) = operation(word);
        (words, colour, word.clone(), *count)
    });
    figures.collect()
}

/// `POST /console/connectors/{connector}/plans/{plan}/apply`
pub(super) async fn apply(
    desk: Desk,
    Path((connector, plan)): Path<(String, String)>,
    body: Body,
) -> Shown {
    let form = desk.form(body).await?;
    let path = ["connectors", connector.as_str(), "rules", "apply"];
    let wish = json!({
        "preview": plan,
        "comment": form.text("comment"),
        "anyway": !form.text("anyway").is_empty(),
    });
    match desk.send::<Value>(Method::POST, &path, Some(wish)).await {
        Ok(_) => applied(&desk, &connector).await,
        Err(wrong) if wrong.status != StatusCode::NOT_FOUND => {
            let wanted = Wanted {
                comment: form.text("comment").to_owned(),
                ..Wanted::default()
            };
            let mut page = plan_page(&desk, &connector, &plan, wanted).await?;
            let status = wrong.status;
            page.wrong = Some(wrong);
            show_wrong(status, &page)
        }
        Err(gone) => Err(gone),
    }
}

/// The job that carries out new rules, else their versions.
async fn applied(desk: &Desk, connector: &str) -> Shown {
    #[derive(Deserialize)]
    struct Begun {
        id: String,
    }
    let query = [("connector", connector), ("kind", "rules"), ("limit", "1")];
    let begun: Listed<Begun> = desk.get(&["jobs"], &query).await?;
    match begun.items.first() {
        Some(job) => {
            let told = "The rules are in force. Everybody is evaluated by them now.";
            desk.go_told(&jobs::place(&job.id), told)
        }
        None => desk.go_told(
            &format!("/console/connectors/{}/versions", segment(connector)),
            "The rules are in force.",
        ),
    }
}

/// `POST /console/connectors/{connector}/plans/{plan}/again`: the same rules on the data of now.
pub(super) async fn again(
    desk: Desk,
    Path((connector, plan)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let path = ["connectors", &connector, "rules", "previews", &plan];
    let found: Plan = desk.get(&path, &[]).await?;
    go_to(&editor::begin_plan(&desk, &connector, &found.rules).await?)
}
