//! Safety limits of a connector: how much of them is used up, how they are set, and what they hold.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::desk::{Desk, Listed};
use super::super::holds::{HoldRow, StoredHold};
use super::super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::super::when::When;
use super::Frame;

/// Holds that the page shows.
const HOLDS: &str = "10";

/// The limits of the settings, with what people call them.
const LIMITS: [(&str, &str); 5] = [
    ("deactivations", "Accounts disabled or removed"),
    ("group_memberships", "Members leaving one group"),
    ("memberships", "Memberships ending in all"),
    ("group_deletions", "Groups deleted"),
    ("renames", "User names changed"),
];

#[derive(Template)]
#[template(path = "connector/limits.html")]
struct LimitsPage {
    shell: Shell,
    frame: Frame,
    limits: Limits,
    window_start: When,
    held_since: Option<When>,
    rows: Vec<Row>,
    holds: Vec<HoldRow>,
    wrong: Option<Trouble>,
}

#[derive(Deserialize)]
struct Limits {
    enabled: bool,
    window_minutes: u32,
    window_start: Timestamp,
    open_holds: i64,
    held_since: Option<Timestamp>,
    limits: Vec<Used>,
    settings: Value,
}

impl Limits {
    /// A list of the settings, one entry on a line.
    fn lines(&self, name: &str) -> String {
        let entries = self.settings[name].as_array();
        let entries = entries.into_iter().flatten().filter_map(Value::as_str);
        entries.collect::<Vec<_>>().join("\n")
    }

    fn number(&self, name: &str) -> String {
        let number = self.settings[name].as_i64();
        number.map(|it| it.to_string()).unwrap_or_default()
    }

    fn is(&self, name: &str, word: &str) -> bool {
        self.settings[name] == word
    }
}

#[derive(Deserialize)]
struct Used {
    limit: String,
    group: Option<String>,
    passed: u64,
    allowed: Option<u64>,
    left: Option<u64>,
    of: u64,
}

impl Used {
    fn words(&self) -> &str {
        let found = LIMITS.iter().find(|(name, _)| *name == self.limit);
        match self.limit.as_str() {
            "leavers" => "Leavers let through first",
            other => found.map_or(other, |(_, words)| *words),
        }
    }
}

/// A limit in the form.
struct Row {
    name: &'static str,
    words: &'static str,
    at_least: String,
    percent: String,
}

/// `GET /console/connectors/{connector}/limits`
pub(in crate::ui) async fn page(desk: Desk, Path(connector): Path<String>) -> Shown {
    show(&limits(&desk, &connector).await?)
}

async fn limits(desk: &Desk, connector: &str) -> Result<LimitsPage, Trouble> {
    let limits: Limits = desk.get(&["connectors", connector, "limits"], &[]).await?;
    let query = [
        ("connector", connector),
        ("state", "open"),
        ("limit", HOLDS),
    ];
    let holds: Listed<StoredHold> = desk.get(&["holds"], &query).await?;
    let rows = LIMITS.map(|(name, words)| {
        let number = |part: &str| {
            let value = limits.settings[name][part].as_i64();
            value.map(|it| it.to_string()).unwrap_or_default()
        };
        Row {
            name,
            words,
            at_least: number("at_least"),
            percent: number("percent"),
        }
    });
    Ok(LimitsPage {
        shell: desk.shell("connectors"),
        frame: Frame::of(desk, connector, "limits").await?,
        window_start: desk.when(limits.window_start),
        held_since: limits.held_since.map(|at| desk.when(at)),
        rows: rows.into(),
        holds: holds.items.into_iter().map(|hold| hold.row(desk)).collect(),
        limits,
        wrong: None,
    })
}

/// `POST /console/connectors/{connector}/limits`
pub(in crate::ui) async fn save(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    // What is no number is told by the API.
    let number = |name: &str| match form.text(name) {
        "" => Value::Null,
        text => text.parse::<u32>().map_or(Value::from(text), Value::from),
    };
    let lines = |name: &str| -> Value {
        let text = form.exact(name);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(Value::from).collect()
    };
    let mut limits = Map::new();
    for (name, _) in LIMITS {
        let at_least = number(&format!("{name}.at_least"));
        let percent = number(&format!("{name}.percent"));
        let limit = match at_least.is_null() && percent.is_null() {
            true => Value::Null,
            false => json!({
                "at_least": if at_least.is_null() { json!(0) } else { at_least },
                "percent": if percent.is_null() { json!(0) } else { percent },
            }),
        };
        limits.insert(name.to_owned(), limit);
    }
    let on = !form.text("enabled").is_empty();
    limits.insert("enabled".to_owned(), on.into());
    limits.insert("window_minutes".to_owned(), number("window_minutes"));
    limits.insert("leavers".to_owned(), number("leavers"));
    limits.insert("reconcile".to_owned(), form.text("reconcile").into());
    for name in ["break_glass_users", "break_glass_groups"] {
        limits.insert(name.to_owned(), lines(name));
    }
    let unasked = number("auto_approve_after_minutes");
    limits.insert("auto_approve_after_minutes".to_owned(), unasked);
    let change = json!({ "settings": { "limits": limits } });
    let path = ["connectors", connector.as_str()];
    let saved = desk.send::<Value>(Method::PATCH, &path, Some(change)).await;
    let mut page = self::limits(&desk, &connector).await?;
    match saved {
        Ok(_) => {
            page.shell = page.shell.told("The limits are saved.");
            show(&page)
        }
        Err(wrong) => {
            let status = wrong.status;
            page.wrong = Some(wrong);
            show_wrong(status, &page)
        }
    }
}
