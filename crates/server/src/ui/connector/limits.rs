//! Safety limits of a connector: how much of them is used up, how they are set, and what they hold.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::desk::{Desk, Listed, segment};
use super::super::form::Fields;
use super::super::holds::{HoldRow, StoredHold};
use super::super::page::{Place, Shell, Shown, Trouble, show, show_wrong};
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

/// What stands above all that is wrong.
const NOT_SAVED: &str = "The limits are not saved.";

/// The two numbers of a limit.
const PARTS: [&str; 2] = ["at_least", "percent"];

/// The other fields of the form.
const NAMES: [&str; 7] = [
    "enabled",
    "window_minutes",
    "leavers",
    "reconcile",
    "auto_approve_after_minutes",
    "break_glass_users",
    "break_glass_groups",
];

/// What those of them are called in which something can be wrong.
const FIELDS: [(&str, &str); 5] = [
    ("window_minutes", "Within minutes"),
    ("leavers", "Leavers who always go at once"),
    (
        "auto_approve_after_minutes",
        "Approve unasked after minutes",
    ),
    ("break_glass_users", "Users who never lose anything"),
    ("break_glass_groups", "Groups that nobody ever leaves"),
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
    form: Form,
    holds: Vec<HoldRow>,
    /// The list that has them all, as a query.
    filters: String,
    wrong: Option<Trouble>,
}

#[derive(Deserialize)]
struct Limits {
    enabled: bool,
    window_start: Timestamp,
    open_holds: i64,
    held_since: Option<Timestamp>,
    limits: Vec<Used>,
    settings: Value,
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
    /// What the admin API calls the two fields.
    paths: [String; 2],
}

/// The fields of the form by their names, as the settings have them, or as they were typed.
struct Form(BTreeMap<String, String>);

impl Form {
    fn of(settings: &Value) -> Self {
        let mut fields = BTreeMap::new();
        for (name, value) in settings.as_object().into_iter().flatten() {
            match value {
                Value::Object(parts) => fields.extend(
                    parts
                        .iter()
                        .map(|(part, value)| (format!("{name}.{part}"), written(value))),
                ),
                value => {
                    fields.insert(name.clone(), written(value));
                }
            }
        }
        Self(fields)
    }

    fn typed(fields: &Fields) -> Self {
        let names = NAMES.iter().map(|name| (*name).to_owned());
        let parts = LIMITS
            .iter()
            .flat_map(|(name, _)| PARTS.map(|part| format!("{name}.{part}")));
        let typed = |name: String| {
            let text = fields.exact(&name);
            (name, text)
        };
        Self(names.chain(parts).map(typed).collect())
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).map(|text| text.trim()).unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        !matches!(self.text(name), "" | "false")
    }

    /// The number in a field, none if it is empty, or what is wrong with it.
    fn number(&self, name: &str, wrong: &mut Vec<Place>) -> Value {
        match self.text(name) {
            "" => Value::Null,
            text => text.parse::<u32>().map_or_else(
                |_no_number| {
                    wrong.push(Place {
                        path: format!("limits.{name}"),
                        message: format!("“{text}” is no whole number"),
                        remedy: "write it in digits, or leave it empty".to_owned(),
                        label: None,
                    });
                    Value::Null
                },
                Value::from,
            ),
        }
    }

    /// The limits as the admin API takes them.
    fn wish(&self) -> Result<Value, Trouble> {
        let mut wrong = Vec::new();
        let mut limits = Map::new();
        for (name, _) in LIMITS {
            let [at_least, percent] =
                PARTS.map(|part| self.number(&format!("{name}.{part}"), &mut wrong));
            let or_none = |number: Value| if number.is_null() { json!(0) } else { number };
            let limit = match at_least.is_null() && percent.is_null() {
                true => Value::Null,
                false => json!({ "at_least": or_none(at_least), "percent": or_none(percent) }),
            };
            limits.insert(name.to_owned(), limit);
        }
        limits.insert("enabled".to_owned(), self.is("enabled").into());
        limits.insert("reconcile".to_owned(), self.text("reconcile").into());
        for name in ["window_minutes", "leavers", "auto_approve_after_minutes"] {
            limits.insert(name.to_owned(), self.number(name, &mut wrong));
        }
        for name in ["window_minutes", "leavers"] {
            if limits[name].is_null() && wrong.is_empty() {
                wrong.push(Place {
                    path: format!("limits.{name}"),
                    message: "there is no number".to_owned(),
                    remedy: "write one, in digits".to_owned(),
                    label: None,
                });
            }
        }
        for name in ["break_glass_users", "break_glass_groups"] {
            let lines = self.text(name).lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty()).map(Value::from);
            limits.insert(name.to_owned(), lines.collect());
        }
        match wrong.is_empty() {
            true => Ok(Value::Object(limits)),
            false => Err(Trouble {
                places: wrong,
                ..Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, NOT_SAVED)
            }),
        }
    }
}

/// A value as it stands in a field; of a list, one entry on a line.
fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(written).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// What the form calls the field of which the admin API speaks.
fn label(path: &str) -> Option<String> {
    let path = path.strip_prefix("limits.")?;
    let path = path.split('[').next()?;
    let field = FIELDS.iter().find(|(name, _)| *name == path);
    if let Some((_, words)) = field {
        return Some((*words).to_owned());
    }
    let (name, part) = path.split_once('.').unwrap_or((path, ""));
    let (_, words) = LIMITS.iter().find(|(limit, _)| *limit == name)?;
    Some(match part {
        "at_least" => format!("{words}, number"),
        "percent" => format!("{words}, per cent"),
        _ => (*words).to_owned(),
    })
}

/// `GET /console/connectors/{connector}/limits`
pub(in crate::ui) async fn page(desk: Desk, Path(connector): Path<String>) -> Shown {
    show(&limits(&desk, &connector, None).await?)
}

async fn limits(desk: &Desk, connector: &str, typed: Option<Form>) -> Result<LimitsPage, Trouble> {
    let limits: Limits = desk.get(&["connectors", connector, "limits"], &[]).await?;
    let query = [
        ("connector", connector),
        ("state", "open"),
        ("limit", HOLDS),
    ];
    let holds: Listed<StoredHold> = desk.get(&["holds"], &query).await?;
    let form = typed.unwrap_or_else(|| Form::of(&limits.settings));
    let rows = LIMITS.map(|(name, words)| {
        let [at_least, percent] = PARTS.map(|part| form.text(&format!("{name}.{part}")).to_owned());
        Row {
            name,
            words,
            at_least,
            percent,
            paths: PARTS.map(|part| format!("limits.{name}.{part}")),
        }
    });
    Ok(LimitsPage {
        shell: desk.shell("connectors"),
        frame: Frame::of(desk, connector, "limits").await?,
        window_start: desk.when(limits.window_start),
        held_since: limits.held_since.map(|at| desk.when(at)),
        rows: rows.into(),
        form,
        filters: format!("connector={}", segment(connector)),
        holds: holds.items.into_iter().map(|hold| hold.row(desk)).collect(),
        limits,
        wrong: None,
    })
}

/// `POST /console/connectors/{connector}/limits`
pub(in crate::ui) async fn save(desk: Desk, Path(connector): Path<String>, body: Body) -> Shown {
    let form = Form::typed(&desk.form(body).await?);
    let saved = match form.wish() {
        Ok(limits) => {
            let change = json!({ "settings": { "limits": limits } });
            let path = ["connectors", connector.as_str()];
            desk.send::<Value>(Method::PATCH, &path, Some(change)).await
        }
        Err(wrong) => Err(wrong),
    };
    match saved {
        Ok(_) => {
            let place = format!("/console/connectors/{}/limits", segment(&connector));
            desk.go_told(&place, "The limits are saved.")
        }
        Err(wrong) => {
            let mut page = limits(&desk, &connector, Some(form)).await?;
            let status = wrong.status;
            let mut wrong = wrong.labelled(label);
            if !wrong.places.is_empty() {
                wrong.detail = NOT_SAVED.to_owned();
            }
            page.wrong = Some(wrong);
            show_wrong(status, &page)
        }
    }
}
