//! The journal: every change of a directory, in words.

use askama::Template;
use axum::extract::Query;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::compare::Line;
use super::desk::{Desk, Listed, segment};
use super::page::{Shell, Shown, Trouble, show};
use super::past::{Past, Whoever};
use super::people::{Choice, Origin, Wanted, because};
use super::undo::moment;
use super::when::When;
use super::words::reason;

#[derive(Template)]
#[template(path = "journal.html")]
struct JournalPage {
    shell: Shell,
    choice: Choice,
    asked: Asked,
    wrong: Option<Trouble>,
    /// Whether somebody or something is asked for that there is not.
    is_unknown: bool,
    history: Vec<EntryRow>,
    /// What was of who is asked for.
    past: Option<Past>,
    /// Where the entries before these are.
    older: Option<String>,
}

/// A page of the journal.
#[derive(Deserialize)]
struct Found {
    #[serde(flatten)]
    list: Listed<Entry>,
    user: Option<Whoever>,
    group: Option<Whoever>,
}

/// An entry as the admin API tells it.
#[derive(Deserialize)]
pub(super) struct Entry {
    position: i64,
    at: Timestamp,
    user: Option<Named>,
    group: Option<String>,
    child_group: Option<String>,
    change: Value,
    cause: Cause,
}

#[derive(Deserialize)]
struct Named {
    key: String,
    name: String,
}

#[derive(Deserialize)]
struct Cause {
    trigger: String,
    #[serde(default)]
    connector: Option<String>,
    actor: String,
    request: String,
}

/// An entry as a page shows it.
pub(super) struct EntryRow {
    pub(super) position: i64,
    pub(super) at: When,
    /// Who or what changes, and where that is looked at.
    pub(super) subject: Option<(String, String)>,
    /// The group that it is about besides, and what leads to it.
    pub(super) group: Option<(String, String)>,
    pub(super) leading: &'static str,
    pub(super) words: String,
    pub(super) by: String,
    /// Where the request is looked at that caused it.
    pub(super) request: Option<String>,
    /// What was and what is: attribute by attribute.
    pub(super) diff: Vec<Line>,
    /// Where all that the request did can be taken back.
    pub(super) undo: Option<String>,
    /// Where only what it did to the person of this page can be.
    pub(super) undo_of_user: Option<String>,
}

impl EntryRow {
    /// The same on the page of the person with this key.
    pub(super) fn on_page_of(self, key: &str) -> Self {
        let only = |undo: &String| format!("{undo}&user={}", segment(key));
        Self {
            subject: None,
            undo_of_user: self.undo.as_ref().map(only),
            ..self
        }
    }

    /// The same on the page of that group.
    pub(super) fn without_group(mut self, name: &str) -> Self {
        let place = format!("/groups/{}", segment(name));
        let is_other = |(_, other): &(String, String)| !other.ends_with(&place);
        self.group = self.group.filter(is_other);
        // A user may have the name of the group, but is at another place.
        self.subject = self.subject.filter(is_other);
        self
    }
}

impl Entry {
    /// Its place in the journal.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// The entry for a page about a directory.
    pub(super) fn row(self, desk: &Desk, directory: &str) -> EntryRow {
        let place = format!("/console/directories/{}", segment(directory));
        let words = told(&self.change, self.child_group.as_deref());
        let by = match (&self.cause.connector, self.cause.actor.as_str()) {
            (Some(connector), "") => connector.clone(),
            (Some(connector), actor) => format!("{actor} ({connector})"),
            (None, actor) => actor.to_owned(),
        };
        let undo = (!self.cause.request.is_empty()).then(|| {
            let (directory, request) = (segment(directory), segment(&self.cause.request));
            format!("/console/undo?directory={directory}&request={request}")
        });
        let request = request_page(&self.cause.trigger, &self.cause.request);
        let user = self.user.map(|user| {
            let address = format!("{place}/users/{}", segment(&user.key));
            (user.name, address)
        });
        let group = self.group.map(|group| {
            let address = format!("{place}/groups/{}", segment(&group));
            (group, address)
        });
        let (subject, group) = match user {
            Some(user) => (Some(user), group),
            None => (group, None),
        };
        EntryRow {
            position: self.position,
            at: desk.when(self.at),
            subject,
            group,
            leading: match self.change["change"].as_str() {
                Some("add_membership" | "remove_membership") => "of",
                _ => "·",
            },
            diff: diff(&self.change),
            words,
            by,
            request,
            undo,
            undo_of_user: None,
        }
    }
}

/// Where the request is looked at that caused something, if it is one of an identity provider.
pub(super) fn request_page(trigger: &str, request: &str) -> Option<String> {
    let is_recorded = trigger == "scim" && !request.is_empty();
    is_recorded.then(|| activity_of(request))
}

/// Where a recorded request is looked at.
pub(super) fn activity_of(request: &str) -> String {
    format!("/console/activity?request={}", segment(request))
}

/// What a change says of attributes, before and after.
fn diff(change: &Value) -> Vec<Line> {
    let line = |label: &str, before: &Value, after: &Value| Line {
        label: label.replace('_', " "),
        before: value_text(before),
        after: value_text(after),
    };
    let nothing = Value::Null;
    match change["change"].as_str().unwrap_or_default() {
        "create_user" => {
            let all = change["attributes"].as_object().into_iter().flatten();
            let lines = all.map(|(name, after)| line(name, &nothing, after));
            lines.filter(|line| !line.after.is_empty()).collect()
        }
        "update_user" => {
            let names = change["after"].as_object().into_iter().flatten();
            let lines = names.map(|(name, after)| line(name, &change["before"][name], after));
            lines.filter(Line::changes).collect()
        }
        "rename_user" | "rename_group" => vec![line("name", &change["from"], &change["to"])],
        "disable" | "reactivate" | "remove_user" => {
            let before = change["before"].as_str().map(reason).unwrap_or_default();
            let after = change["reason"].as_str().map(reason).unwrap_or_default();
            vec![line("reason", &before.into(), &after.into())]
        }
        "set_reason" => {
            let [before, after] = ["before", "after"].map(|it| change[it].as_str());
            let text = |code: Option<&str>| Value::from(code.map(reason).unwrap_or_default());
            vec![line("reason", &text(before), &text(after))]
        }
        "set_origins" => vec![because_of(&change["before"], &change["after"])],
        "add_membership" => vec![because_of(&nothing, &change["origins"])],
        "remove_membership" => vec![because_of(&change["origins"], &nothing)],
        _ => Vec::new(),
    }
}

/// Why somebody was in a group, and is.
fn because_of(before: &Value, after: &Value) -> Line {
    let words = |origins: &Value| {
        let origins = origins.as_array().into_iter().flatten();
        because(&origins.map(Origin::of_change).collect::<Vec<_>>())
    };
    Line {
        label: "because of".to_owned(),
        before: words(before),
        after: words(after),
    }
}

/// A value of a change as people read it.
fn value_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(value_text).collect::<Vec<_>>().join(", "),
        Value::Object(all) => {
            let parts = all.iter().map(|(name, value)| match value_text(value) {
                text if text.is_empty() => name.replace('_', " "),
                text => format!("{} {text}", name.replace('_', " ")),
            });
            parts.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

/// A change in words. The user and the group that it is about stand beside it.
pub(super) fn told(change: &Value, child: Option<&str>) -> String {
    let text = |name: &str| change[name].as_str().unwrap_or_default();
    let because = || reason(text("reason"));
    let child = child.unwrap_or_else(|| text("child"));
    match text("change") {
        "create_user" => format!("appears, {} ({})", text("status"), because()),
        "update_user" => updated(&change["before"], &change["after"]),
        "rename_user" | "rename_group" => {
            let renamed = format!("is renamed from {} to {}", text("from"), text("to"));
            match value_text(&change["admitted_to"]) {
                none if none.is_empty() => renamed,
                applications => {
                    format!("{renamed}; its members still may log in to {applications}")
                }
            }
        }
        "disable" => format!("may no longer log in ({})", because()),
        "reactivate" => format!("may log in again ({})", because()),
        "remove_user" => format!("is gone ({})", because()),
        "set_reason" => format!(
            "stays, for another reason: {} instead of {}",
            reason(text("after")),
            reason(text("before"))
        ),
        "link_user" => "becomes the account of a user of the identity provider".to_owned(),
        "anonymise" => format!(
            "may no longer log in, and is nobody any more ({})",
            because()
        ),
        "add_membership" => "becomes a member".to_owned(),
        "remove_membership" => "is no longer a member".to_owned(),
        "set_origins" => "stays a member, for other reasons".to_owned(),
        "add_child_group" => format!("gets the group {child}"),
        "remove_child_group" => format!("loses the group {child}"),
        "set_child_group_origins" => format!("keeps the group {child}, for other reasons"),
        "create_group" => "appears".to_owned(),
        "update_group" => "has another description".to_owned(),
        "delete_group" => "is gone".to_owned(),
        "set_attribute" => format!("has another value of {}", text("name")),
        other => other.replace('_', " "),
    }
}

/// Which attributes changed, and to what.
fn updated(before: &Value, after: &Value) -> String {
    let mut parts = Vec::new();
    if let (Some(before), Some(after)) = (before.as_object(), after.as_object()) {
        for (name, value) in after.iter().filter(|(name, _)| *name != "extra") {
            if before.get(name) != Some(value) {
                let value = value.as_str().unwrap_or_default();
                parts.push(format!("{} becomes “{value}”", name.replace('_', " ")));
            }
        }
        if before.get("extra") != after.get("extra") {
            parts.push("further attributes change".to_owned());
        }
    }
    match parts.is_empty() {
        true => "changes".to_owned(),
        false => parts.join(", "),
    }
}

/// Entries on one page.
const PAGE: &str = "100";

/// What of the journal is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    directory: String,
    user: String,
    group: String,
    connector: String,
    /// From when on, and until before when, as a browser writes it.
    since: String,
    until: String,
    /// Where the page before this one ended.
    after: String,
}

impl Asked {
    /// Whether only a part is asked for.
    fn is_narrowed(&self) -> bool {
        self.asks_for_somebody()
            || [&self.since, &self.until]
                .iter()
                .any(|text| !text.is_empty())
    }

    /// Whether somebody or something is asked for by name.
    fn asks_for_somebody(&self) -> bool {
        [&self.user, &self.group, &self.connector]
            .iter()
            .any(|text| !text.is_empty())
    }
}

/// `GET /console/journal`
pub(super) async fn page(desk: Desk, Query(asked): Query<Asked>) -> Shown {
    let wanted = Wanted {
        directory: asked.directory.clone(),
        ..Wanted::default()
    };
    let choice = Choice::of(&desk, &wanted).await?;
    let [user, group, connector] =
        [&asked.user, &asked.group, &asked.connector].map(|text| text.trim());
    let (since, until) = (moment(&asked.since), moment(&asked.until));
    let narrowed = [
        ("user", user),
        ("group", group),
        ("connector", connector),
        ("since", since.as_str()),
        ("until", until.as_str()),
    ];
    let page = [
        ("order", "newest"),
        ("limit", PAGE),
        ("before", asked.after.as_str()),
    ];
    let query = [&narrowed[..], &page].concat();
    let found = match choice.directory.as_str() {
        "" => Ok(None),
        directory => {
            let path = ["directories", directory, "journal"];
            desk.find::<Found>(&path, &query).await
        }
    };
    // A time that cannot be read, say: told above the form that has it.
    let (entries, wrong) = match found {
        Ok(entries) => (entries, None),
        Err(wrong) if wrong.status.is_client_error() => (None, Some(wrong)),
        Err(wrong) => return Err(wrong),
    };
    let (entries, past) = match entries {
        None => (None, None),
        Some(found) => {
            let about = [("users", found.user), ("groups", found.group)];
            let about = about.into_iter().find_map(|(kind, it)| Some((kind, it?)));
            let past = match about {
                None => None,
                Some((kind, whoever)) => {
                    let of = Past::of(&desk, &choice.directory, kind, whoever, &until);
                    Some(of.await?)
                }
            };
            (Some(found.list), past)
        }
    };
    let typed = [
        ("since", asked.since.as_str()),
        ("until", asked.until.as_str()),
    ];
    let same = [
        &[("directory", choice.directory.as_str())],
        &narrowed[..3],
        &typed,
    ]
    .concat();
    let older = entries
        .as_ref()
        .and_then(|found| found.more("/console/journal", &same));
    let is_unknown = entries.is_none() && wrong.is_none() && asked.asks_for_somebody();
    let entries = entries.map(|found| found.items).unwrap_or_default();
    let rows = entries
        .into_iter()
        .map(|entry| entry.row(&desk, &choice.directory));
    let history = rows.collect();
    show(&JournalPage {
        shell: desk.shell("journal"),
        history,
        past,
        choice,
        older,
        is_unknown,
        asked,
        wrong,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn origins_are_told_in_words() {
        let origins = json!([
            {"kind": "idp", "reference": "5"},
            {"kind": "idp", "reference": "6"},
            {"kind": "rule", "reference": "staff"},
        ]);
        let diff = diff(&json!({"change": "add_membership", "origins": origins}));
        assert_eq!(diff[0].before, "");
        assert_eq!(diff[0].after, "the identity provider, the rule “staff”");
    }

    #[test]
    fn changes_are_told_in_words() {
        for (change, words) in [
            (
                json!({"change": "disable", "reason": "IDP_INACTIVE"}),
                "may no longer log in (the identity provider says inactive)",
            ),
            (
                json!({"change": "rename_user", "from": "a", "to": "b"}),
                "is renamed from a to b",
            ),
            (
                json!({"change": "update_user", "before": {"email": "a", "extra": {}}, "after": {"email": "b", "extra": {}}}),
                "email becomes “b”",
            ),
            (json!({"change": "something_new"}), "something new"),
        ] {
            assert_eq!(told(&change, None), words);
        }
    }
}
