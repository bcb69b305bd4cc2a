//! The import and match report: which accounts that exist already the users of a connector find.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::super::desk::{Desk, Listed, Named};
use super::super::page::{Shell, Shown, show};
use super::super::when::When;
use super::Frame;

#[derive(Template)]
#[template(path = "connector/match.html")]
struct MatchPage {
    shell: Shell,
    frame: Frame,
    wanted: Wanted,
    directories: Vec<Named>,
    directory: String,
    /// Each kind, with what it means and how many there are.
    kinds: Vec<Kind>,
    summary: Option<Summary>,
    rows: Vec<Row>,
    imports: Vec<ImportRow>,
    more: Option<String>,
}

/// Which part of the report to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Wanted {
    directory: String,
    kind: String,
    after: String,
    /// Whether everybody is to be counted.
    count: String,
}

struct Kind {
    word: &'static str,
    words: &'static str,
    colour: &'static str,
    count: u64,
}

#[derive(Deserialize)]
struct Summary {
    counts: BTreeMap<String, u64>,
    by_name: u64,
    rows: Vec<Suggestion>,
}

#[derive(Deserialize)]
struct Suggestion {
    row: Value,
    found: u64,
    nameless: u64,
}

impl Suggestion {
    /// The steps of the row, in few words.
    fn words(&self) -> String {
        let source = match &self.row["source"] {
            Value::Null => "userName".to_owned(),
            Value::String(word) => word.replace('_', " "),
            Value::Object(map) => map.values().map(inner).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        };
        let steps = self.row["steps"].as_array();
        let steps = steps.into_iter().flatten().map(|step| match step {
            Value::String(word) => word.replace('_', " "),
            other => other.to_string(),
        });
        std::iter::once(source)
            .chain(steps)
            .collect::<Vec<_>>()
            .join(" → ")
    }
}

fn inner(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[derive(Deserialize)]
struct Row {
    user_id: String,
    user_name: String,
    username: String,
    email: String,
    kind: String,
    accounts: Vec<Matched>,
}

impl Row {
    fn words(&self) -> &'static str {
        found(&self.kind).1
    }

    fn colour(&self) -> &'static str {
        found(&self.kind).2
    }
}

#[derive(Deserialize)]
struct Matched {
    name: String,
    holder: String,
}

impl Matched {
    fn holder(&self) -> String {
        self.holder.replace('_', " ")
    }
}

const KINDS: [(&str, &str, &str); 7] = [
    ("linked", "linked already", "good"),
    ("exact", "same name", "good"),
    ("case_only", "same name but for case", "good"),
    ("domain_stripped", "same without the domain", "warn"),
    ("email", "same e-mail", "warn"),
    ("ambiguous", "several have the e-mail", "bad"),
    ("none", "nobody like this", ""),
];

fn found(word: &str) -> (&'static str, &'static str, &'static str) {
    let found = KINDS.iter().find(|(kind, ..)| *kind == word);
    found.copied().unwrap_or(("", "other", ""))
}

#[derive(Deserialize)]
struct Import {
    source: String,
    actor: String,
    state: String,
    total: i64,
    done: i64,
    counts: Counts,
    started: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Counts {
    users_created: i64,
    users_updated: i64,
    users_left_alone: i64,
    groups_created: i64,
    memberships_added: i64,
}

struct ImportRow {
    import: Import,
    started: Option<When>,
}

/// `GET /console/connectors/{connector}/match`
pub(in crate::ui) async fn page(
    desk: Desk,
    Path(connector): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    #[derive(Deserialize)]
    struct Fed {
        directory: String,
    }
    let name = connector.as_str();
    let fed: Fed = desk.get(&["connectors", name], &[]).await?;
    let directories: Listed<Named> = desk.get(&["directories"], &[]).await?;
    let directory = match wanted.directory.as_str() {
        "" => fed.directory,
        directory => directory.to_owned(),
    };
    let query = [
        ("directory", directory.as_str()),
        ("kind", wanted.kind.as_str()),
        ("after", wanted.after.as_str()),
        ("limit", "50"),
    ];
    let rows: Listed<Row> = desk.get(&["connectors", name, "match"], &query).await?;
    let query = [("directory", directory.as_str())];
    // Counting looks at everybody, so it is done when somebody asks for it.
    let summary: Option<Summary> = match wanted.count.is_empty() {
        true => None,
        false => Some(
            desk.get(&["connectors", name, "match", "summary"], &query)
                .await?,
        ),
    };
    let counts = |word: &str| {
        let counts = summary.as_ref().map(|summary| &summary.counts);
        counts.and_then(|counts| counts.get(word)).copied()
    };
    let kinds = KINDS.map(|(word, words, colour)| Kind {
        word,
        words,
        colour,
        count: counts(word).unwrap_or(0),
    });
    let imports: Listed<Import> = desk
        .get(&["directories", &directory, "imports"], &[])
        .await?;
    let same = [
        ("directory", directory.as_str()),
        ("kind", wanted.kind.as_str()),
        ("count", wanted.count.as_str()),
    ];
    let more = rows.more("", &same);
    let imports = imports.items.into_iter().map(|import| ImportRow {
        started: import.started.map(|at| desk.when(at)),
        import,
    });
    show(&MatchPage {
        shell: desk.shell("connectors"),
        frame: Frame::of(&desk, name, "conflicts").await?,
        imports: imports.collect(),
        rows: rows.items,
        directories: directories.items,
        kinds: kinds.into(),
        summary,
        directory,
        more,
        wanted,
    })
}
