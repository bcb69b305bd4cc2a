//! The overview: whether each identity provider and each product is current, in a look.

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::chart::{self, Bar};
use super::desk::{Desk, segment};
use super::page::{Shell, Shown, show};
use super::when::{When, length};

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    connectors: Vec<ConnectorCard>,
    applications: Vec<ApplicationCard>,
    directories: Vec<Directory>,
    api_tokens: Vec<Ending>,
    charts: Vec<Chart>,
}

struct ConnectorCard {
    address: String,
    /// How it is, in a sentence.
    words: String,
    /// `good`, `warn` or `bad`.
    mood: &'static str,
    errors: String,
    tokens: Vec<Ending>,
    connector: Connector,
}

struct ApplicationCard {
    address: String,
    name: String,
    words: String,
    mood: &'static str,
    lags: Vec<Lag>,
}

/// How far an application is behind a directory.
pub(super) struct Lag {
    pub(super) directory: String,
    pub(super) words: String,
    pub(super) is_current: bool,
    /// What is wrong with its login groups.
    pub(super) gate: Option<String>,
}

struct Ending {
    label: String,
    when: When,
    /// Whether it has ended already.
    is_over: bool,
}

/// Something that is counted by the hour.
struct Chart {
    title: &'static str,
    total: i64,
    svg: String,
}

#[derive(Deserialize)]
struct Overview {
    connectors: Vec<Connector>,
    applications: Vec<Application>,
    directories: Vec<Directory>,
    api_tokens_ending: Vec<EndingToken>,
    activity: Vec<Hour>,
}

#[derive(Deserialize)]
struct Connector {
    connector: String,
    called: String,
    state: String,
    users: i64,
    groups: i64,
    due: i64,
    open_holds: i64,
    open_conflicts: i64,
    waiting_groups: i64,
    pinned_groups: i64,
    value_errors: i64,
    errors: i64,
    last_heard: Option<Timestamp>,
    usual_pause: Option<i64>,
    silent: bool,
    #[serde(default)]
    tokens_ending: Vec<EndingToken>,
}

impl Connector {
    /// Conflicts and groups that nobody has decided about, and values that cannot be used.
    fn decisions(&self) -> i64 {
        self.open_conflicts + self.waiting_groups + self.value_errors
    }
}

/// An application, and how far it has read.
#[derive(Deserialize)]
pub(super) struct Application {
    id: String,
    name: String,
    pub(super) last_seen: Option<Timestamp>,
    last_poll: Option<Timestamp>,
    usual_pause: Option<i64>,
    silent: bool,
    pub(super) directories: Vec<Read>,
    #[serde(default)]
    pub(super) refused: Option<Refused>,
}

impl Application {
    /// For how long it has been silent, and how often it usually fetches.
    pub(super) fn silence(&self, desk: &Desk) -> Option<String> {
        let (last, usual) = self.last_poll.zip(self.usual_pause)?;
        self.silent.then(|| silence(desk, last, usual))
    }

    /// How often it usually fetches.
    pub(super) fn usual(&self) -> Option<String> {
        self.usual_pause
            .map(|usual| length(SignedDuration::from_secs(usual)))
    }
}

/// For how long somebody has been silent who usually comes after so many seconds.
fn silence(desk: &Desk, last: Timestamp, usual: i64) -> String {
    format!(
        "silent for {}, usually every {}",
        length(desk.now().duration_since(last)),
        length(SignedDuration::from_secs(usual))
    )
}

/// That a product was not let in.
#[derive(Deserialize)]
pub(super) struct Refused {
    pub(super) at: Timestamp,
    address: Option<String>,
    why: String,
}

impl Refused {
    /// Whence it came, and why that was not enough.
    pub(super) fn words(&self) -> String {
        let from = self.address.as_deref().unwrap_or("an unknown address");
        match self.why.as_str() {
            "address" => format!("from {from}, whence it may not come"),
            _ => format!("from {from}: its password was wrong"),
        }
    }

    /// What to do about it.
    pub(super) fn remedy(&self) -> String {
        match self.why.as_str() {
            "address" => "Add the address to those that the application may come from.",
            _ => "Enter the application’s password again in the product, or make a new one here.",
        }
        .to_owned()
    }
}

/// How far a directory is read.
#[derive(Deserialize)]
pub(super) struct Read {
    directory: String,
    pub(super) position: Option<i64>,
    changes_behind: i64,
    behind_since: Option<Timestamp>,
    #[serde(flatten)]
    gate: Gate,
}

/// What is wrong with the groups whose members may log in.
#[derive(Deserialize)]
pub(super) struct Gate {
    #[serde(default)]
    missing_login_groups: Vec<String>,
    #[serde(default)]
    lets_nobody_in: bool,
}

impl Gate {
    /// The same in a sentence.
    pub(super) fn words(&self) -> Option<String> {
        let groups = self.missing_login_groups.join(", ");
        let missing = match self.missing_login_groups.len() {
            0 => String::new(),
            1 => format!("The login group {groups} does not exist. "),
            _ => format!("The login groups {groups} do not exist. "),
        };
        let nobody = match self.lets_nobody_in {
            true => "Nobody may log in.",
            false => "",
        };
        let words = format!("{missing}{nobody}");
        Some(words.trim_end().to_owned()).filter(|words| !words.is_empty())
    }
}

#[derive(Deserialize)]
struct Directory {
    name: String,
    active_users: i64,
    disabled_users: i64,
    groups: i64,
}

#[derive(Deserialize)]
struct EndingToken {
    label: String,
    expires: Timestamp,
}

#[derive(Deserialize)]
struct Hour {
    from: Timestamp,
    requests: i64,
    errors: i64,
    changes: i64,
}

/// `GET /console`
pub(super) async fn page(desk: Desk) -> Shown {
    let found: Overview = desk.get(&["overview"], &[]).await?;
    let charts = charts(&found.activity);
    let connectors = found.connectors.into_iter();
    let applications = found.applications.into_iter();
    show(&OverviewPage {
        shell: desk.shell("overview"),
        connectors: connectors.map(|one| connector_card(&desk, one)).collect(),
        applications: applications
            .map(|one| application_card(&desk, one))
            .collect(),
        directories: found.directories,
        api_tokens: endings(&desk, found.api_tokens_ending),
        charts,
    })
}

fn endings(desk: &Desk, tokens: Vec<EndingToken>) -> Vec<Ending> {
    let tokens = tokens.into_iter().map(|token| Ending {
        is_over: token.expires <= desk.now(),
        when: desk.when(token.expires),
        label: token.label,
    });
    tokens.collect()
}

fn connector_card(desk: &Desk, mut one: Connector) -> ConnectorCard {
    let tokens = endings(desk, std::mem::take(&mut one.tokens_ending));
    let words = match (one.last_heard, one.usual_pause) {
        (None, _) => "not heard of yet".to_owned(),
        (Some(at), Some(usual)) if one.silent => silence(desk, at, usual),
        (Some(at), _) => format!("last heard {}", desk.when(at).words()),
    };
    let is_late = one.silent
        || one.due > 0
        || one.open_holds + one.decisions() > 0
        || tokens.iter().any(|token| token.is_over);
    ConnectorCard {
        address: segment(&one.connector),
        mood: match (one.errors, is_late || one.state != "active", one.last_heard) {
            (1.., _, _) => "bad",
            (_, true, _) | (_, _, None) => "warn",
            _ => "good",
        },
        errors: match one.errors {
            0 => "none today".to_owned(),
            1_000.. => "1000 or more in 24 h".to_owned(),
            count => format!("{count} in 24 h"),
        },
        words,
        tokens,
        connector: one,
    }
}

fn application_card(desk: &Desk, one: Application) -> ApplicationCard {
    let lags: Vec<Lag> = one.directories.iter().map(|read| lag(desk, read)).collect();
    let slowest = one
        .directories
        .iter()
        .filter_map(|read| read.behind_since)
        .min();
    let silent = one.silence(desk);
    let words = match (one.last_seen, slowest) {
        _ if let Some(silent) = &silent => format!("is {silent}"),
        (None, _) => "has not asked yet".to_owned(),
        (Some(at), None) if lags.iter().all(|lag| lag.is_current) => {
            format!("is up to date, last seen {}", desk.when(at).words())
        }
        (Some(at), None) => format!("last seen {}", desk.when(at).words()),
        (Some(at), Some(since)) => format!(
            "is {} behind, last seen {}",
            length(desk.now().duration_since(since)),
            desk.when(at).words()
        ),
    };
    ApplicationCard {
        address: segment(&one.id),
        mood: match one.last_seen.is_some() && lags.iter().all(|lag| lag.is_current) {
            _ if silent.is_some() || lags.iter().any(|lag| lag.gate.is_some()) => "bad",
            true => "good",
            false => "warn",
        },
        name: one.name,
        words,
        lags,
    }
}

/// How far an application is behind, in words.
pub(super) fn lag(desk: &Desk, read: &Read) -> Lag {
    let (words, is_current) = match (read.position, read.behind_since) {
        (None, _) => ("not fetched yet".to_owned(), false),
        (Some(_), Some(since)) => {
            let changes = match read.changes_behind {
                1 => "1 change".to_owned(),
                1_000.. => "1000 changes or more".to_owned(),
                changes => format!("{changes} changes"),
            };
            let since = length(desk.now().duration_since(since));
            (format!("{changes} behind, for {since}"), false)
        }
        (Some(_), None) => ("up to date".to_owned(), true),
    };
    Lag {
        directory: read.directory.clone(),
        words,
        is_current,
        gate: read.gate.words(),
    }
}

fn charts(hours: &[Hour]) -> Vec<Chart> {
    let chart = |title, noun, of: fn(&Hour) -> i64| Chart {
        title,
        total: hours.iter().map(of).sum(),
        svg: chart::bars(hours.iter().map(|hour| Bar {
            value: of(hour),
            told: format!(
                "{} {noun} from {}",
                of(hour),
                hour.from.strftime("%H:%M UTC")
            ),
        })),
    };
    vec![
        chart("Requests", "requests", |hour| hour.requests),
        chart("Changes", "changes", |hour| hour.changes),
        chart("Errors", "errors", |hour| hour.errors),
    ]
}
