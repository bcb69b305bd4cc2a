//! `vestibule import` and `vestibule conflict`: accounts that exist already.

use std::path::Path;
use std::time::Duration;

use deliver::{Client, CrowdServer};
use directory::census::Census;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use provision::{Guard, Reach};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::{ConflictArgs, ConflictCommand, ImportArgs};
use crate::config::Settings;
use crate::door::{self, Door, ImportCountsView, ImportView, NameConflictView};
use crate::exit::{Exit, Failure};
use crate::output::{Output, moment, quoted, table};

/// How often is asked how far an import is.
const POLL: Duration = Duration::from_millis(300);

/// `vestibule import`
pub fn run(args: &ImportArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let directory = directory(&door, args.directory.as_deref())?;
    let bar = ProgressBar::new_spinner();
    if let Some(url) = args.crowd.as_deref().filter(|_| args.by_server) {
        let begun = door.begin_crowd_import(&directory, &wish_of(args), &crowd(args, url))?;
        let done = finished(&door, &directory, begun, &bar)?;
        return out.show(&done, |import| match import.state.as_str() {
            "tried" => format!(
                "Nothing was done. It would come to this:\n{}",
                told(&import.counts)
            ),
            _ => format!("{} is copied:\n{}", import.source, told(&import.counts)),
        });
    }
    let (source, census) = match (&args.file, &args.crowd) {
        (Some(path), _) => (path.display().to_string(), read_file(path)?),
        (None, Some(url)) => (url.clone(), read_crowd(args, settings, url, &bar)?),
        (None, None) => return Err(Failure::new(Exit::Usage, "name a --file or a --crowd")),
    };
    let census = serde_json::to_value(census).map_err(anyhow::Error::from)?;
    let mut wish = wish_of(args);
    wish.push(("source", source));
    if args.dry_run {
        bar.finish_and_clear();
        return out.show(&door.try_import(&directory, &wish, &census)?, |tried| {
            let counts = told(&tried.counts);
            format!("Nothing was done. It would come to this:\n{counts}")
        });
    }
    let begun = door.begin_import(&directory, &wish, &census)?;
    let done = finished(&door, &directory, begun, &bar)?;
    out.show(&done, |import| {
        format!("{} is copied:\n{}", import.source, told(&import.counts))
    })
}

/// What is copied.
fn wish_of(args: &ImportArgs) -> Vec<(&'static str, String)> {
    let mut wish = vec![("groups", args.groups.clone())];
    if !args.attribute.is_empty() {
        wish.push(("attributes", args.attribute.join(",")));
    }
    if args.by_server && args.dry_run {
        wish.push(("dry_run", "true".to_owned()));
    }
    wish
}

fn crowd(args: &ImportArgs, url: &str) -> Value {
    json!({"url": url, "application": args.application, "password": args.password})
}

/// Waits until all of it is copied.
fn finished(
    door: &Door,
    directory: &str,
    begun: ImportView,
    bar: &ProgressBar,
) -> Result<ImportView, Failure> {
    if let Ok(style) = ProgressStyle::with_template("copying {bar:30} {pos}/{len}") {
        bar.set_style(style);
    }
    loop {
        let import = door.import(directory, begun.id.as_deref().unwrap_or_default())?;
        bar.set_length(u64::try_from(import.total).unwrap_or_default());
        bar.set_position(u64::try_from(import.done).unwrap_or_default());
        match import.state.as_str() {
            "done" | "tried" => {
                bar.finish_and_clear();
                return Ok(import);
            }
            "failed" => {
                bar.finish_and_clear();
                return Err(failed(import.failure.unwrap_or_default()));
            }
            _ => {}
        }
        std::thread::sleep(POLL);
    }
}

/// The directory that was named, or the only one.
pub(super) fn directory(door: &Door, named: Option<&str>) -> Result<String, Failure> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    let mut all = door.directories()?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only.name),
        (None, _) => Err(Failure::new(Exit::NotFound, "there is no directory yet")
            .with("make a connector first, which gets one: vestibule connector create")),
        (Some(_), false) => Err(Failure::new(Exit::Usage, "there are several directories")
            .with("name one with --directory; vestibule directory list shows all")),
    }
}

fn read_file(path: &Path) -> Result<Census, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Failure::new(Exit::Usage, message).with("it has to be a text file in UTF-8")
    })?;
    let is_csv = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let read = match is_csv {
        true => Census::from_csv(&text),
        false => Census::from_json(&text),
    };
    read.map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let message = format!("{} cannot be copied:\n{}", path.display(), lines.join("\n"));
        Failure::new(Exit::Usage, message)
    })
}

fn read_crowd(
    args: &ImportArgs,
    settings: &Settings,
    url: &str,
    bar: &ProgressBar,
) -> Result<Census, Failure> {
    let (application, password) = (
        args.application.as_deref().unwrap_or_default(),
        args.password.as_deref().unwrap_or_default(),
    );
    let guard = Guard::new(Reach::Network, settings.outbound_allow.clone());
    let client = Client::new(guard);
    let server = CrowdServer::new(client, url, application, password)
        .map_err(|error| failed(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut progress = |what: &'static str, count: usize| {
        bar.set_message(format!("reading {what}: {count}"));
        bar.tick();
    };
    let with_groups = args.groups != "none";
    runtime
        .block_on(server.census(with_groups, &mut progress))
        .map_err(|error| failed(error.to_string()))
}

fn failed(message: String) -> Failure {
    Failure::new(Exit::Failed, message)
}

fn told(counts: &ImportCountsView) -> String {
    let mut text = format!(
        "users: {} made, {} changed, {} as they were, {} left alone\n\
         groups: {} made, {} as they were\n\
         memberships: {} made; groups in groups: {} made",
        counts.users_created,
        counts.users_updated,
        counts.users_unchanged,
        counts.users_left_alone,
        counts.groups_created,
        counts.groups_unchanged,
        counts.memberships_added,
        counts.child_groups_added
    );
    if !counts.left_alone.is_empty() {
        let names = counts.left_alone.join(", ");
        text.push_str(&format!(
            "\nleft alone, as they belong to an identity provider or are kept here: {names}"
        ));
    }
    text
}

/// `vestibule conflict`
pub fn conflict(args: &ConflictArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let (connector, user, action, done) = match &args.command {
        ConflictCommand::List { connector } => {
            return out.show(&door.name_conflicts(connector)?, |all| conflicts(all));
        }
        ConflictCommand::Link { connector, user } => {
            (connector, user, "link", "have one account from now on")
        }
        ConflictCommand::Keep { connector, user } => (connector, user, "keep", "stay two people"),
        ConflictCommand::Reserved { directory: named } => {
            let directory = directory(&door, named.as_deref())?;
            let path = ["directories", directory.as_str(), "reserved-names"];
            let all: Vec<ReservedNameView> = door.all_pages(&path, &[])?;
            return out.show(&all, |all| reserved(all));
        }
        ConflictCommand::Release {
            name,
            directory: named,
        } => {
            let directory = directory(&door, named.as_deref())?;
            let path = ["directories", directory.as_str(), "reserved-names", name];
            door.send(Method::DELETE, &path, None)?;
            return out.show(name, |name| format!("Anybody may get the name {name} now."));
        }
    };
    let all = door.name_conflicts(connector)?;
    let is_meant = |one: &&NameConflictView| {
        one.user_id == *user || directory::name::same(&one.user_name, user)
    };
    let one = all.iter().find(is_meant).ok_or_else(|| {
        let message = format!("no account is in the way of a user '{user}' of {connector}");
        let remedy = format!(
            "vestibule conflict list {} shows who is in whose way",
            quoted(connector)
        );
        Failure::new(Exit::NotFound, message).with(remedy)
    })?;
    door.decide_conflict(connector, &one.user_id, action)?;
    let name = one
        .holder
        .as_ref()
        .map_or(one.wanted.as_str(), |it| &it.name);
    out.show(one, |one| {
        format!("{} and the account {name} {done}", one.user_name)
    })
}

/// A user name that is kept for whoever had it.
#[derive(Debug, Serialize, Deserialize)]
struct ReservedNameView {
    name: String,
    key: String,
    now: String,
    given_up: String,
    since: Timestamp,
    until: Timestamp,
}

fn reserved(all: &[ReservedNameView]) -> String {
    if all.is_empty() {
        return "No name is kept for anybody.".to_owned();
    }
    let rows = all.iter().map(|one| {
        [
            one.name.clone(),
            one.given_up.clone(),
            one.now.clone(),
            moment(one.since),
            moment(one.until),
        ]
    });
    table(["name", "given up", "account", "since", "until"], rows)
}

impl NameConflictView {
    /// What has the name, in words.
    pub fn held_by(&self) -> String {
        match (&self.holder, &self.reserved) {
            (Some(holder), _) => {
                let name = called(&holder.name, &holder.display_name);
                match &holder.connector {
                    Some(connector) => format!("{name} of {connector}"),
                    None => format!("{name}, kept here"),
                }
            }
            (None, Some(kept)) => format!("{} until {}", kept.given_up, moment(kept.until)),
            (None, None) => format!("{} in a directory below", self.wanted),
        }
    }
}

/// A name, and the full name if there is one.
fn called(name: &str, full: &str) -> String {
    match full.is_empty() {
        true => name.to_owned(),
        false => format!("{name} ({full})"),
    }
}

fn conflicts(all: &[NameConflictView]) -> String {
    if all.is_empty() {
        return "No account is in the way of anybody.".to_owned();
    }
    let row = |one: &NameConflictView| {
        [
            called(&one.user_name, &one.display_name),
            one.held_by(),
            match &one.matched_value {
                Some(value) => format!("{} {value}", one.matched_by),
                None => one.matched_by.clone(),
            },
            moment(one.since),
            match one.kept {
                true => "two people".to_owned(),
                false => "open".to_owned(),
            },
        ]
    };
    table(
        ["user", "account", "found by", "since", "decided"],
        all.iter().map(row),
    )
}
