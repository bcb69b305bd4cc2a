//! `vestibule override`, `undo` and `history`: what counts beside the rules, what was, and taking it back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::jobs::{Begun, told};
use crate::cli::{
    HistoryArgs, OverrideAdd, OverrideArgs, OverrideCommand, OverrideKindArg, UndoArgs,
};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, counted_in, moment, table};

/// Users that a preview lists for a person.
const LISTED_MAX: usize = 50;

/// An override, as the admin API shows it.
#[derive(Debug, Serialize, Deserialize)]
pub struct OverrideView {
    id: i64,
    user: String,
    key: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    created: Timestamp,
    actor: String,
    comment: String,
}

impl OverrideView {
    fn what(&self) -> String {
        match &self.group {
            Some(group) => format!("{} {group}", self.kind),
            None => self.kind.clone(),
        }
    }

    fn end(&self) -> String {
        self.until
            .map_or_else(|| "the provider changes it".to_owned(), moment)
    }

    /// What it says, until when, and by whom.
    pub fn told(&self) -> String {
        format!(
            "{} until {} (number {}, by {})",
            self.what(),
            self.end(),
            self.id,
            self.actor
        )
    }
}

/// `vestibule override`
pub fn overrides(args: &OverrideArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        OverrideCommand::List { directory } => {
            let directory = sole(&door, directory.as_deref())?;
            let path = ["directories", &directory, "overrides"];
            let all: Vec<OverrideView> = door.all_pages(&path, &[])?;
            out.show(&all, |all| listed(all))
        }
        OverrideCommand::Add(add) => {
            let directory = sole(&door, add.directory.as_deref())?;
            let path = ["directories", &directory, "users", &add.user, "overrides"];
            let said: OverrideView = door.post(&path, &wish(add)?)?;
            out.show(&said, |one| {
                format!(
                    "Override {}:\n{}",
                    one.id,
                    listed(std::slice::from_ref(one))
                )
            })
        }
        OverrideCommand::Remove { id, directory } => {
            let directory = sole(&door, directory.as_deref())?;
            let number = id.to_string();
            let path = ["directories", &directory, "overrides", &number];
            door.send(Method::DELETE, &path, None)?;
            out.show(&json!({"removed": id}), |_| {
                format!("Override {id} is removed.")
            })
        }
    }
}

fn wish(add: &OverrideAdd) -> Result<Value, Failure> {
    let until = match (add.until, add.for_time) {
        (None, Some(span)) => Some(Timestamp::now().checked_add(span).map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("--for leads beyond all calendars: {error}"),
            )
        })?),
        (until, _) => until,
    };
    if until.is_none() && add.kind != OverrideKindArg::KeepAsIs {
        let failure = Failure::new(Exit::Usage, "an override of this kind needs an end");
        return Err(failure.with("say --until TIME or --for SPAN"));
    }
    let mut wish = json!({"kind": add.kind, "comment": add.comment});
    if let Some(group) = &add.group {
        wish["group"] = json!(group);
    }
    if let Some(until) = until {
        wish["until"] = json!(until);
    }
    Ok(wish)
}

fn listed(all: &[OverrideView]) -> String {
    if all.is_empty() {
        return "There is no override.".to_owned();
    }
    let rows = all.iter().map(|one| {
        [
            one.id.to_string(),
            one.user.clone(),
            one.what(),
            one.end(),
            one.actor.clone(),
            one.comment.clone(),
        ]
    });
    table(["id", "user", "what", "until", "by", "comment"], rows)
}

/// What an undo would do, as the admin API shows it.
#[derive(Deserialize)]
struct Preview {
    group_changes: i64,
    items: Vec<Value>,
    next: Option<i64>,
}

/// `vestibule undo`
pub fn undo(args: &UndoArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let directory = match (&args.directory, &args.connector) {
        // What a connector did, it did in the directory that it feeds.
        (None, Some(connector)) => door.connector(connector)?.connector.directory,
        (named, _) => sole(&door, named.as_deref())?,
    };
    let selection = selection(args);
    if args.yes {
        let path = ["directories", &directory, "undo"];
        let done: Value = door.post(&path, &selection)?;
        return match done["job"].is_object() {
            true => told(&door, begun(done)?, args.wait, out),
            false => out.show(&done, undone),
        };
    }
    let path = ["directories", &directory, "undo", "preview"];
    let (mut items, mut group_changes) = (Vec::new(), 0);
    let mut after = None;
    loop {
        let query: Vec<(&str, String)> = after
            .iter()
            .map(|it: &i64| ("after", it.to_string()))
            .collect();
        let page: Preview = door.ask_with(Method::POST, &path, &query, Some(&selection))?;
        items.extend(page.items);
        group_changes = page.group_changes.max(group_changes);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let pending = items.iter().any(|item| !empty(&item["changes"]));
    let shown = json!({"items": items, "group_changes": group_changes});
    out.show(&shown, |_| previewed(&items, group_changes))?;
    match pending {
        true => Err(
            Failure::new(Exit::Pending, "changes are pending; nothing was done")
                .with("say --yes to do it"),
        ),
        false => Ok(()),
    }
}

/// A job that was asked for, from an answer.
pub fn begun(answer: Value) -> Result<Begun, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        Failure::new(Exit::Failed, format!("the answer tells of no job: {error}"))
            .with("use the vestibule that the server is")
    })
}

fn selection(args: &UndoArgs) -> Value {
    let mut selection = json!({});
    let texts = [
        ("connector", &args.connector),
        ("request", &args.request),
        ("actor", &args.actor),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            selection[name] = json!(value);
        }
    }
    for (name, value) in [("from", args.from), ("to", args.to)] {
        if let Some(value) = value {
            selection[name] = json!(value);
        }
    }
    if !args.users.is_empty() {
        selection["users"] = json!(args.users);
    }
    selection
}

fn empty(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn previewed(items: &[Value], group_changes: i64) -> String {
    let mut lines = Vec::new();
    for item in items.iter().take(LISTED_MAX) {
        lines.push(text(&item["user"]).to_owned());
        lines.extend(texts(&item["changes"]).map(|change| format!("  {}", in_words(change))));
        let conflicts = texts(&item["conflicts"]);
        lines.extend(conflicts.map(|it| format!("  stays: {}", text(it))));
    }
    match items.len().saturating_sub(LISTED_MAX) {
        0 => {}
        more => lines.push(format!(
            "and {}; --json lists them all.",
            counted(more, "more user", "more users")
        )),
    }
    let (changes, stay) = (sum(items, "changes"), sum(items, "conflicts"));
    lines.push(match items.is_empty() {
        true => "There is nothing to undo.".to_owned(),
        false => format!(
            "{}: {} would be taken back, {stay} would stay.",
            counted(items.len(), "user", "users"),
            counted(changes, "change", "changes"),
        ),
    });
    if group_changes > 0 {
        lines.push(match group_changes {
            1 => "1 change of a group itself is not undone.".to_owned(),
            count => format!("{count} changes of groups themselves are not undone."),
        });
    }
    lines.join("\n")
}

fn sum(items: &[Value], list: &str) -> usize {
    let lists = items.iter().filter_map(|item| item[list].as_array());
    lists.map(Vec::len).sum()
}

/// A change in a few words.
pub fn in_words(change: &Value) -> String {
    let kind = text(&change["change"]).replace('_', " ");
    let about = ["group", "name", "to"]
        .iter()
        .find_map(|key| change[*key].as_str());
    let reason = change["reason"].as_str();
    let (before, after) = (&change["before"], &change["after"]);
    match (about, reason) {
        (Some(about), Some(reason)) => format!("{kind}: {about} ({reason})"),
        (Some(about), None) => format!("{kind}: {about}"),
        (None, Some(reason)) => format!("{kind} ({reason})"),
        (None, None) if before.is_object() => format!("{kind}: {}", differences(before, after)),
        (None, None) => match (before.as_str(), after.as_str()) {
            (Some(before), Some(after)) => format!("{kind}: {before} -> {after}"),
            _ => kind,
        },
    }
}

/// What attributes became, those that rules made up by their own names.
fn differences(before: &Value, after: &Value) -> String {
    let (before, after) = (flat(before), flat(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let parts = names
        .into_iter()
        .filter_map(|name| match (before.get(name), after.get(name)) {
            (was, is) if was == is => None,
            (Some(was), None) => Some(format!("{name} removed (was {was})")),
            (_, Some(is)) => Some(format!("{name} = {is}")),
            (None, None) => None,
        });
    parts.collect::<Vec<_>>().join(", ")
}

fn flat(attributes: &Value) -> BTreeMap<String, String> {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let own = members(attributes)
        .into_iter()
        .filter(|(name, _)| name != "extra");
    let extra = members(&attributes["extra"]).into_iter();
    let extra = extra.map(|(name, value)| (format!("attr:{name}"), value));
    own.chain(extra)
        .map(|(name, value)| (name, value_in_words(&value)))
        .collect()
}

fn value_in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value_in_words).collect();
            items.join(", ")
        }
        other => other.to_string(),
    }
}

/// What an undo did.
pub fn undone(done: &Value) -> String {
    let mut lines = vec![format!(
        "{} as before, by {}; {} kept so until the identity provider says something else.",
        counted_in(&done["users"], "user is", "users are"),
        counted_in(&done["changes"], "change", "changes"),
        counted_in(&done["kept_as_is"], "of them is", "of them are"),
    )];
    let conflicts = texts(&done["conflicts"]);
    lines.extend(conflicts.map(|it| format!("{}: {}", text(&it["user"]), text(&it["text"]))));
    lines.push(format!(
        "To take this back: vestibule undo --request {}",
        text(&done["request"])
    ));
    lines.join("\n")
}

/// `vestibule history`
pub fn history(args: &HistoryArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let directory = sole(&door, args.directory.as_deref())?;
    let kind = if args.group { "groups" } else { "users" };
    let moments = [("at", args.at), ("since", args.since)];
    let query: Vec<(&str, String)> = moments
        .into_iter()
        .filter_map(|(name, time)| Some((name, time?.to_string())))
        .collect();
    let path = ["directories", &directory, kind, &args.name, "history"];
    let mut past: Value = door.get_with(&path, &query)?;
    if args.at.is_none()
        && let Some(last) = just_before(&past["who"]["gone"])
    {
        // Of who is gone, what it was last is worth more than that there is nothing now.
        let last: Value = door.get_with(&path, &[("at", last)])?;
        past["last"] = last;
    }
    out.show(&past, |past| told_of(past, args.group))
}

/// A moment as short before this one as there is.
fn just_before(gone: &Value) -> Option<String> {
    let gone: Timestamp = gone.as_str()?.parse().ok()?;
    let last = gone
        .checked_sub(jiff::SignedDuration::from_micros(1))
        .ok()?;
    Some(last.to_string())
}

fn told_of(past: &Value, is_group: bool) -> String {
    let became = past["who"]["became"].as_str().map(str::to_owned);
    let then = match past["last"].is_object() {
        true => &past["last"],
        false => past,
    };
    let then = match is_group {
        true => group_then(then),
        false => user_then(then),
    };
    became
        .into_iter()
        .chain([then])
        .collect::<Vec<_>>()
        .join("\n")
}

fn user_then(past: &Value) -> String {
    let at = text(&past["at"]);
    let user = &past["user"];
    let mut lines = match user.is_object() {
        false => vec![format!("At {at} there was no such user.")],
        true => vec![
            format!(
                "At {at}: {} ({}, {})",
                text(&user["name"]),
                text(&user["status"]),
                text(&user["reason"])
            ),
            format!(
                "  {} <{}>",
                text(&user["display_name"]),
                text(&user["email"])
            ),
        ],
    };
    for place in texts(&user["memberships"]) {
        let origins: Vec<&str> = texts(&place["origins"]).map(text).collect();
        lines.push(format!(
            "  in {} ({})",
            text(&place["group"]),
            origins.join(", ")
        ));
    }
    if past["changes"].is_array() {
        lines.push("Changes since the earlier moment:".to_owned());
        lines.extend(texts(&past["changes"]).map(|change| format!("  {}", in_words(change))));
    }
    lines.join("\n")
}

fn group_then(past: &Value) -> String {
    let at = text(&past["at"]);
    let Some(name) = past["name"].as_str() else {
        return format!("At {at} there was no such group.");
    };
    let mut lines = vec![format!(
        "At {at}: {name}, with {}",
        counted_in(&past["members"], "member", "members")
    )];
    lines.extend(texts(&past["member_names"]).map(|it| format!("  {}", text(it))));
    for (key, word) in [("joined", "came"), ("left", "left")] {
        lines.extend(texts(&past[key]).map(|it| format!("  {word} since: {}", text(it))));
    }
    lines.join("\n")
}

/// The directory that was named, or the only one there is.
pub fn sole(door: &Door, named: Option<&str>) -> Result<String, Failure> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let mut all = door.directories()?;
    match (all.pop(), all.len()) {
        (Some(one), 0) => Ok(one.name),
        (None, _) => Err(Failure::new(Exit::NotFound, "there is no directory")),
        (Some(_), _) => Err(Failure::new(Exit::Usage, "there are several directories")
            .with("name one with --directory; vestibule directory list shows them")),
    }
}
