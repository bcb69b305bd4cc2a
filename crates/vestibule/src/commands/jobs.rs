//! `vestibule reconcile` and `vestibule job`: evaluate everybody anew, and see how long work goes and what it did.

use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::past::undone;
use crate::cli::{JobArgs, JobCommand, ReconcileArgs};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, fields, moment, quoted, table};

/// How often a job is looked at while somebody waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How long a job may wait for its first piece of work until somebody is told that no server works.
const BEGINS_WITHIN: Duration = Duration::from_secs(30);

/// A job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobView {
    id: String,
    kind: String,
    connector: Option<String>,
    directory: String,
    subject: String,
    state: String,
    waits: bool,
    total: u64,
    done: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remaining_seconds: Option<i64>,
    counts: Map<String, Value>,
    trigger: String,
    actor: String,
    request: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    created: Timestamp,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    took_millis: Option<i64>,
    memory_start_bytes: Option<i64>,
    memory_peak_bytes: Option<i64>,
    memory_end_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo: Option<Value>,
}

/// A job that was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Begun {
    job: JobView,
    coalesced: bool,
}

#[derive(Serialize, Deserialize)]
struct Evaluation {
    changes: u64,
    waits: bool,
}

#[derive(Deserialize)]
struct Jobs {
    items: Vec<JobView>,
}

/// `vestibule reconcile`
pub fn reconcile(args: &ReconcileArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let connector = args.connector.as_str();
    if let Some(user) = &args.user {
        let path = ["connectors", connector, "users", user, "evaluate"];
        let done: Evaluation = door.ask(Method::POST, &path, None)?;
        return out.show(&done, |done| match (done.waits, done.changes) {
            (true, _) => format!("{user} is evaluated when {connector} is active again"),
            (false, 0) => format!("{user} was evaluated; nothing changed"),
            (false, changes) => format!(
                "{user} was evaluated: {}",
                counted(changes, "change", "changes")
            ),
        });
    }
    let path = ["connectors", connector, "reconcile"];
    let begun: Begun = door.ask(Method::POST, &path, None)?;
    told(&door, begun, args.wait, out)
}

/// Tells of a job that was asked for, at once or when it is over.
pub fn told(door: &Door, begun: Begun, wait: bool, out: Output) -> Result<(), Failure> {
    if wait {
        let job = over(door, begun.job)?;
        out.show(&job, |job| match &job.undo {
            Some(done) => format!("{}\n\n{}", shown(job), undone(done)),
            None => shown(job),
        })?;
        return outcome(&job);
    }
    out.show(&begun, |begun| {
        let job = &begun.job;
        let first = match begun.coalesced {
            true => format!("A job is going on that does this: {}", job.kind),
            false => format!("Begun: {} of {} in {}", job.kind, job.total, job.directory),
        };
        format!("{first}\n  vestibule job show {} --wait", job.id)
    })
}

/// `vestibule job`
pub fn job(args: &JobArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        JobCommand::List {
            connector,
            directory,
            state,
            limit,
        } => {
            let mut query = vec![("limit", limit.to_string())];
            let narrow = [
                ("connector", connector),
                ("directory", directory),
                ("state", state),
            ];
            query.extend(given(&narrow));
            let jobs: Jobs = door.get_with(&["jobs"], &query)?;
            out.show(&jobs.items, |jobs| list(jobs))
        }
        JobCommand::Show { job, wait } => {
            let mut found: JobView = door.get(&["jobs", job])?;
            if *wait {
                found = over(&door, found)?;
            }
            out.show(&found, shown)
        }
        JobCommand::Results {
            job,
            operation,
            user,
            search,
            csv,
        } => {
            let narrow = [("operation", operation), ("user", user), ("search", search)];
            let query: Vec<(&str, String)> = given(&narrow).collect();
            if *csv {
                let path = ["jobs", job, "results.csv"];
                return out.text(&door.text(Method::GET, &path, &query, None)?);
            }
            let all: Vec<Value> = door.all_pages(&["jobs", job, "results"], &query)?;
            out.show(&all, |all| results(all))
        }
        JobCommand::Cancel { job } => {
            let job: JobView = door.ask(Method::POST, &["jobs", job, "cancel"], None)?;
            out.show(&job, |job| {
                format!("Cancelled after {} of {}", job.done, job.total)
            })
        }
    }
}

fn given<'a>(
    all: &'a [(&'static str, &'a Option<String>)],
) -> impl Iterator<Item = (&'static str, String)> + 'a {
    all.iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| (*name, value.clone())))
}

/// The job of this id when it is over.
pub fn followed(door: &Door, id: &str) -> Result<JobView, Failure> {
    over(door, door.get(&["jobs", id])?)
}

/// The job when it is over. What waits for somebody is not waited for.
fn over(door: &Door, mut job: JobView) -> Result<JobView, Failure> {
    let bar = ProgressBar::new(job.total);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    let asked = Instant::now();
    while job.finished.is_none() {
        bar.set_length(job.total);
        bar.set_position(job.done);
        bar.set_message(match job.remaining_seconds {
            Some(seconds) => format!("about {seconds} s to go"),
            None => job.state.clone(),
        });
        if job.waits {
            bar.finish_and_clear();
            return Err(waits(&job));
        }
        if job.state == "queued" && asked.elapsed() > BEGINS_WITHIN {
            let message = format!("nothing works off the job {}", job.id);
            return Err(Failure::new(Exit::Failed, message)
                .with("a running server does; start one with vestibule serve"));
        }
        thread::sleep(LOOK_EVERY);
        let looked: Result<JobView, Failure> = door.get(&["jobs", &job.id]);
        job = looked.map_err(|failure| match failure.exit {
            Exit::Store => goes_on(&job.id, failure),
            _ => failure,
        })?;
    }
    bar.finish_and_clear();
    Ok(job)
}

/// Whoever waits is not needed for a job.
fn goes_on(job: &str, failure: Failure) -> Failure {
    failure.with(format!(
        "the job goes on where it was as soon as a server runs; vestibule job show {job} --wait stays until it is over"
    ))
}

/// Nobody knows when its connector will be active.
fn waits(job: &JobView) -> Failure {
    let connector = job.connector.as_deref().unwrap_or_default();
    let message = format!(
        "the job {} waits until the connector {connector} is active",
        job.id
    );
    Failure::new(Exit::Pending, message).with(format!(
        "vestibule connector resume {} lets it go on, and vestibule job show {} --wait stays until it is over",
        quoted(connector),
        job.id
    ))
}

/// How a job ended.
pub fn outcome(job: &JobView) -> Result<(), Failure> {
    match job.state.as_str() {
        "failed" => {
            let message = job.failure.clone().unwrap_or_default();
            Err(Failure::new(Exit::Failed, message))
        }
        _ => Ok(()),
    }
}

fn list(jobs: &[JobView]) -> String {
    if jobs.is_empty() {
        return "There is no job.".to_owned();
    }
    let rows = jobs.iter().map(|job| {
        [
            job.id.clone(),
            job.kind.clone(),
            about(job),
            job.state.clone(),
            format!("{}/{}", job.done, job.total),
            moment(job.created),
        ]
    });
    table(["id", "kind", "about", "state", "done", "asked"], rows)
}

fn about(job: &JobView) -> String {
    let place = job.connector.as_ref().unwrap_or(&job.directory);
    match job.subject.as_str() {
        "" => place.clone(),
        subject => format!("{subject} ({place})"),
    }
}

/// Who began a job, and by what.
fn set_off_by(job: &JobView) -> String {
    let by = match job.kind.as_str() {
        "reconcile" => "reconcile",
        "rules" => "a change of rules",
        "group_deleted" | "group_renamed" | "group_nested" => "a write of a group",
        "approve_holds" => "an approval of holds",
        "reject_holds" => "a rejection of holds",
        "undo" => "undo",
        // What it does is what somebody asked for.
        _ => return job.actor.clone(),
    };
    format!("{} ({by})", job.actor)
}

/// Everything about one job.
pub fn shown(job: &JobView) -> String {
    let count = |(operation, count): (&String, &Value)| match operation.starts_with("group_") {
        true => format!("{operation} {count} (memberships)"),
        false => format!("{operation} {count}"),
    };
    let counts: Vec<String> = job.counts.iter().map(count).collect();
    let took = job
        .took_millis
        .map(|millis| format!("{}.{:03} s", millis / 1000, millis % 1000));
    let mebibytes = |bytes: Option<i64>| bytes.map(|it| (it / (1024 * 1024)).to_string());
    let memory = match mebibytes(job.memory_peak_bytes) {
        Some(peak) => {
            let ends = [job.memory_start_bytes, job.memory_end_bytes].map(mebibytes);
            let [start, end] = ends.map(|it| it.unwrap_or_else(|| "?".to_owned()));
            format!("{peak} MiB at most; {start} MiB before, {end} MiB after")
        }
        None => String::new(),
    };
    let remaining = job
        .remaining_seconds
        .map(|seconds| format!("about {seconds} s"));
    let time = |time: Option<Timestamp>| time.map(moment).unwrap_or_default();
    let state = match job.waits {
        true => format!("{}, waits until the connector is active", job.state),
        false => job.state.clone(),
    };
    fields(&[
        ("job", &job.id),
        ("kind", &job.kind),
        ("about", &about(job)),
        ("state", &state),
        ("failure", job.failure.as_deref().unwrap_or_default()),
        ("done", &format!("{} of {}", job.done, job.total)),
        ("remaining", &remaining.unwrap_or_default()),
        ("counts", &counts.join(", ")),
        ("set off by", &set_off_by(job)),
        ("asked", &moment(job.created)),
        ("began", &time(job.started)),
        ("ended", &time(job.finished)),
        ("took", &took.unwrap_or_default()),
        ("memory", &memory),
    ])
}

fn results(all: &[Value]) -> String {
    if all.is_empty() {
        return "Nothing changed.".to_owned();
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = all.iter().map(|one| {
        [
            text(&one["operation"]),
            text(&one["user"]["name"]),
            text(&one["group"]),
            text(&one["at"]),
        ]
    });
    table(["operation", "user", "group", "at"], rows)
}
