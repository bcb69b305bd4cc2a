//! Jobs: work on many people, how far it is, what it changed, and when it comes by itself.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::compare::operation;
use super::confirm::Confirm;
use super::desk::{Desk, Listed, Named, segment};
use super::journal::{Entry, EntryRow};
use super::page::{Shell, Shown, Trouble, show};
use super::when::When;

#[derive(Template)]
#[template(path = "jobs.html")]
struct ListPage {
    shell: Shell,
    wanted: Wanted,
    connectors: Vec<Named>,
    schedules: Vec<Scheduled>,
    jobs: Vec<JobRow>,
    more: Option<String>,
}

/// Which jobs to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    connector: String,
    kind: String,
    state: String,
    after: String,
}

/// A connector, and when it comes next.
struct Scheduled {
    name: String,
    address: String,
    next_run: Option<When>,
}

#[derive(Deserialize)]
struct Timed {
    name: String,
    next_run: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Job {
    id: String,
    kind: String,
    connector: Option<String>,
    directory: String,
    subject: String,
    state: String,
    waits: bool,
    total: i64,
    done: i64,
    remaining_seconds: Option<i64>,
    counts: BTreeMap<String, i64>,
    actor: String,
    request: String,
    failure: Option<String>,
    created: Timestamp,
    finished: Option<Timestamp>,
    took_millis: Option<i64>,
}

/// A job as a page shows it.
struct JobRow {
    address: String,
    title: String,
    created: When,
    finished: Option<When>,
    took: String,
    counts: Vec<(&'static str, &'static str, i64)>,
    job: Job,
}

impl JobRow {
    fn is_going_on(&self) -> bool {
        matches!(self.job.state.as_str(), "queued" | "running")
    }

    /// The colour of its badge.
    fn colour(&self) -> &'static str {
        match self.job.state.as_str() {
            "done" => "good",
            "failed" => "bad",
            "running" => "info",
            _ if self.job.waits => "warn",
            _ => "",
        }
    }

    /// Its state in words.
    fn state(&self) -> &str {
        match self.job.state.as_str() {
            "queued" | "running" if self.job.waits => "waits for its connector",
            state => state,
        }
    }

    /// Whether somebody may end it.
    fn can_be_cancelled(&self) -> bool {
        self.is_going_on()
            && matches!(
                self.job.kind.as_str(),
                "reconcile" | "undo" | "approve_holds" | "reject_holds"
            )
    }
}

/// What a job does, in words.
fn title(job: &Job) -> String {
    let words = match job.kind.as_str() {
        "reconcile" => "Evaluation of everybody",
        "rules" => "Evaluation by new rules",
        "group_deleted" => "A group was deleted",
        "group_renamed" => "A group was renamed",
        "group_nested" => "A group was put into another, or taken out",
        "detach" => "Making a directory local",
        "delete_directory" => "Deletion of a directory",
        "delete_connector" => "Deletion of a connector",
        "move_connector" => "Move to another directory",
        "transfer" => "Accounts change hands",
        "undo" => "Undo",
        "approve_holds" => "Approval of held changes",
        "reject_holds" => "Rejection of held changes",
        other => other,
    };
    match job.subject.as_str() {
        "" => words.to_owned(),
        subject => format!("{words}: {subject}"),
    }
}

fn row(desk: &Desk, job: Job) -> JobRow {
    let counts = job.counts.iter().filter(|(_, count)| **count > 0);
    let counts = counts.map(|(word, count)| {
        let (words, colour) = operation(word);
        (words, colour, *count)
    });
    JobRow {
        address: segment(&job.id),
        title: title(&job),
        created: desk.when(job.created),
        finished: job.finished.map(|at| desk.when(at)),
        took: match job.took_millis {
            None => String::new(),
            Some(millis @ ..=9_999) => format!("{millis} ms"),
            Some(millis) => format!("{} s", millis / 1_000),
        },
        counts: counts.collect(),
        job,
    }
}

/// `GET /console/jobs`
pub(super) async fn list(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    let connectors: Listed<Named> = desk.get(&["connectors"], &[]).await?;
    let query = [
        ("connector", wanted.connector.as_str()),
        ("kind", wanted.kind.as_str()),
        ("state", wanted.state.as_str()),
        ("after", wanted.after.as_str()),
        ("limit", "30"),
    ];
    let found: Listed<Job> = desk.get(&["jobs"], &query).await?;
    let more = found.more("/console/jobs", &query);
    let mut schedules = Vec::with_capacity(connectors.items.len());
    for connector in &connectors.items {
        let timed: Timed = desk.get(&["connectors", &connector.name], &[]).await?;
        schedules.push(Scheduled {
            address: segment(&timed.name),
            next_run: timed.next_run.map(|at| desk.when(at)),
            name: timed.name,
        });
    }
    show(&ListPage {
        shell: desk.shell("jobs"),
        connectors: connectors.items,
        schedules,
        jobs: found.items.into_iter().map(|job| row(&desk, job)).collect(),
        more,
        wanted,
    })
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    shell: Shell,
    row: JobRow,
    results: Results,
    entries: Vec<ResultRow>,
    more: Option<String>,
    /// What can be taken back.
    undo: Option<String>,
}

/// Which results to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Results {
    operation: String,
    search: String,
    after: String,
}

#[derive(Deserialize)]
struct Changed {
    operation: String,
    #[serde(flatten)]
    entry: Entry,
}

struct ResultRow {
    words: &'static str,
    colour: &'static str,
    entry: EntryRow,
}

/// `GET /console/jobs/{job}`
pub(super) async fn page(
    desk: Desk,
    Path(job): Path<String>,
    Query(results): Query<Results>,
) -> Shown {
    show(&job_page(&desk, &job, results).await?)
}

/// Where a job is looked at.
pub(super) fn place(job: &str) -> String {
    format!("/console/jobs/{}", segment(job))
}

async fn job_page(desk: &Desk, id: &str, results: Results) -> Result<JobPage, Trouble> {
    let job: Job = desk.get(&["jobs", id], &[]).await?;
    let query = [
        ("operation", results.operation.as_str()),
        ("search", results.search.as_str()),
        ("after", results.after.as_str()),
        ("limit", "50"),
    ];
    let found: Listed<Changed> = desk.get(&["jobs", id, "results"], &query).await?;
    let more = found.more("", &query);
    let undo = (!found.items.is_empty()).then(|| {
        let (directory, request) = (segment(&job.directory), segment(&job.request));
        format!("/console/undo?directory={directory}&request={request}")
    });
    let directory = job.directory.clone();
    let entries = found.items.into_iter().map(|one| {
        let (words, colour) = operation(&one.operation);
        ResultRow {
            words,
            colour,
            entry: one.entry.row(desk, &directory),
        }
    });
    Ok(JobPage {
        shell: desk.shell("jobs"),
        entries: entries.collect(),
        row: row(desk, job),
        results,
        more,
        undo,
    })
}

/// `GET /console/jobs/{job}/cancel`
pub(super) async fn ask_cancel(desk: Desk, Path(job): Path<String>) -> Shown {
    let job: Job = desk.get(&["jobs", &job], &[]).await?;
    let place = place(&job.id);
    Confirm::new("jobs", format!("End “{}” before its end?", title(&job)))
        .effect(format!(
            "It is through with {} of {} users. What it did so far stays; the others stay as they are, and it can be begun again.",
            job.done, job.total
        ))
        .verb("End it")
        .action(format!("{place}/cancel"))
        .back(place)
        .show(&desk)
}

/// `POST /console/jobs/{job}/cancel`
pub(super) async fn cancel(desk: Desk, Path(job): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let _cancelled: Value = desk
        .send(Method::POST, &["jobs", &job, "cancel"], None)
        .await?;
    desk.go_told(
        &place(&job),
        "The job is ended before its end. What it did so far stays.",
    )
}
