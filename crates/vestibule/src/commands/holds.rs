//! `vestibule holds`: what safety limits keep back, and what is to become of it.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::jobs::told;
use super::past::{begun, in_words};
use crate::cli::{HoldsArgs, HoldsCommand, Which};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, fields, moment, table};

/// A hold as the admin API tells it.
#[derive(Debug, Serialize, Deserialize)]
struct HoldView {
    id: i64,
    connector: String,
    kind: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<HeldUser>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    since: Timestamp,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct HeldUser {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    name: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Decided {
    decided: u64,
    open: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct LimitsView {
    enabled: bool,
    window_minutes: u32,
    window_start: Timestamp,
    open_holds: i64,
    limits: Vec<LimitView>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LimitView {
    limit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    passed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allowed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<u64>,
    of: u64,
}

/// Runs `vestibule holds`.
pub fn run(args: &HoldsArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        HoldsCommand::List {
            connector,
            kind,
            state,
            search,
        } => {
            let given = [
                ("connector", connector.clone()),
                ("kind", kind.map(|kind| kind.as_str().to_owned())),
                ("state", state.as_str().map(str::to_owned)),
                ("q", search.clone()),
            ];
            let query: Vec<(&str, String)> = given
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect();
            let holds: Vec<HoldView> = door.all_pages(&["holds"], &query)?;
            out.show(&holds, |holds| list(holds))?;
            let open = holds.iter().filter(|hold| hold.state == "open").count();
            held(open as i64)
        }
        HoldsCommand::Show { id } => {
            let hold: Value = door.get(&["holds", &id.to_string()])?;
            out.show(&hold, detail)
        }
        HoldsCommand::Approve(which) => decide(&door, which, "approve", out),
        HoldsCommand::Reject(which) => decide(&door, which, "reject", out),
        HoldsCommand::Limits { connector } => {
            let limits: LimitsView = door.get(&["connectors", connector, "limits"])?;
            out.show(&limits, limits_told)?;
            held(limits.open_holds)
        }
    }
}

/// What scripts are told when something waits for a decision.
fn held(open: i64) -> Result<(), Failure> {
    if open == 0 {
        return Ok(());
    }
    let message = match open {
        1 => "1 change is held and waits for a decision".to_owned(),
        many => format!("{many} changes are held and wait for a decision"),
    };
    Err(Failure::new(Exit::Held, message).with(
        "look at one: vestibule holds show ID; decide: vestibule holds approve ID, or reject ID",
    ))
}

fn decide(door: &Door, which: &Which, verb: &str, out: Output) -> Result<(), Failure> {
    let mut done = Decided::default();
    if let Some(connector) = &which.connector {
        let given = [
            ("kind", which.kind.map(|kind| kind.as_str().to_owned())),
            ("group", which.group.clone()),
            ("user", which.user.clone()),
        ];
        let selection: Map<String, Value> = given
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
            .collect();
        let path = ["connectors", connector.as_str(), "holds", verb];
        let answer: Value = door.ask(Method::POST, &path, Some(&Value::Object(selection)))?;
        if answer["job"].is_object() {
            return told(door, begun(answer)?, which.wait, out);
        }
        done.decided = answer["decided"].as_u64().unwrap_or_default();
        done.open = answer["open"].as_i64().unwrap_or_default();
    }
    for id in &which.ids {
        let one: Decided = door.ask(Method::POST, &["holds", &id.to_string(), verb], None)?;
        done.decided += one.decided;
        done.open = one.open;
    }
    out.show(&done, |done| {
        let word = if verb == "approve" {
            "approved"
        } else {
            "rejected"
        };
        format!(
            "{} {word}; {} of the connector still open",
            done.decided, done.open
        )
    })
}

fn list(holds: &[HoldView]) -> String {
    if holds.is_empty() {
        return "Nothing is held.".to_owned();
    }
    let rows = holds.iter().map(|hold| {
        [
            hold.id.to_string(),
            hold.connector.clone(),
            hold.kind.clone(),
            hold.user
                .as_ref()
                .map(|user| user.name.clone())
                .unwrap_or_default(),
            hold.group.clone().unwrap_or_default(),
            hold.state.clone(),
            moment(hold.since),
        ]
    });
    let header = ["id", "connector", "kind", "user", "group", "state", "since"];
    table(header, rows)
}

fn detail(hold: &Value) -> String {
    let text = |place: &str| {
        let found = hold.pointer(place).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let id = hold.get("id").map(ToString::to_string).unwrap_or_default();
    let cause = [
        text("/cause/trigger"),
        text("/cause/actor"),
        text("/cause/request"),
    ]
    .join(" ");
    let head = fields(&[
        ("id", &id),
        ("connector", &text("/connector")),
        ("kind", &text("/kind")),
        ("state", &text("/state")),
        ("user", &text("/user/name")),
        ("group", &text("/group")),
        ("since", &text("/since")),
        ("cause", cause.trim()),
        ("decided by", &text("/decided_by")),
    ]);
    let lines = |name: &str| -> Vec<String> {
        let found = hold
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        found
            .map(|item| item.as_str().map_or_else(|| in_words(item), str::to_owned))
            .collect()
    };
    let mut parts = vec![head];
    if text("/kind") == "group_deletion" && text("/state") == "open" {
        let told = "An approval lets the group go: each of its members is evaluated, and leaves it unless something else grants it.";
        parts.push(told.to_owned());
    }
    parts.extend(members_told(&hold["members"]));
    for (title, name) in [
        ("An approval would change now:", "would_change"),
        ("Why:", "why"),
    ] {
        let lines = lines(name);
        if !lines.is_empty() {
            parts.push(format!("{title}\n  {}", lines.join("\n  ")));
        }
    }
    parts.join("\n\n")
}

/// Who is in a group that is to go, and for whom an approval would change something.
fn members_told(members: &Value) -> Option<String> {
    let count = members["count"].as_i64()?;
    let looked_at = members["looked_at"].as_i64().unwrap_or_default();
    let changed = members["changed"].as_array();
    let lines = changed.into_iter().flatten().map(|member| {
        let changes = member["changes"].as_array().into_iter().flatten();
        let changes: Vec<String> = changes.map(in_words).collect();
        let name = member["user"]["name"].as_str().unwrap_or_default();
        format!("  {name}: {}", changes.join(", "))
    });
    let lines: Vec<String> = lines.collect();
    let first = match looked_at < count {
        true => format!(", of whom the first {looked_at} were looked at"),
        false => String::new(),
    };
    let count = counted(count, "member", "members");
    Some(match lines.is_empty() {
        true => format!("The group has {count}{first}. An approval would change nothing for them."),
        false => format!(
            "The group has {count}{first}. An approval would change now:\n{}",
            lines.join("\n")
        ),
    })
}

fn limits_told(view: &LimitsView) -> String {
    if !view.enabled {
        return "The limits are switched off: nothing is counted or held.".to_owned();
    }
    let number =
        |value: Option<u64>| value.map_or_else(|| "no limit".to_owned(), |it| it.to_string());
    let rows = view.limits.iter().map(|limit| {
        [
            limit.limit.clone(),
            limit.group.clone().unwrap_or_default(),
            limit.passed.to_string(),
            number(limit.allowed),
            number(limit.left),
        ]
    });
    let lines = table(["limit", "group", "let through", "allowed", "left"], rows);
    format!(
        "In the {} minutes since {}:\n\n{lines}",
        view.window_minutes,
        moment(view.window_start)
    )
}
