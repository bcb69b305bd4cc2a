//! `vestibule pilot`: a connector that has effect for a part of its users.

use directory::Pilot;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::{PilotArgs, PilotCommand};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::Failure;
use crate::output::{Output, counted, table};

/// A page, as the admin API shows it.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    pilot: Option<Pilot>,
    inside: u64,
    outside: u64,
    items: Vec<Waiting>,
    #[serde(default)]
    next: Option<i64>,
}

/// Somebody for whom a connector would change something.
#[derive(Serialize, Deserialize)]
struct Waiting {
    id: String,
    user_name: String,
    changes: Vec<Value>,
}

/// All pages together.
#[derive(Default, Serialize)]
struct Look {
    pilot: Option<Pilot>,
    inside: u64,
    outside: u64,
    items: Vec<Waiting>,
}

/// `vestibule pilot`
pub fn run(args: &PilotArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        PilotCommand::Show { connector } => out.show(&look(&door, connector)?, shown),
        PilotCommand::Set(set) => {
            let pilot = match set.percent {
                Some(percent) => json!({"percent": percent}),
                None => json!({"groups": set.groups}),
            };
            door.send(Method::PUT, &path(&set.connector), Some(&pilot))?;
            out.show(&pilot, |_| {
                format!("{} has effect for these users only.", set.connector)
            })
        }
        PilotCommand::End { connector } => {
            door.send(Method::DELETE, &path(connector), None)?;
            out.show(&Value::Null, |_| {
                format!("{connector} has effect for everybody.")
            })
        }
    }
}

fn path(connector: &str) -> [&str; 3] {
    ["connectors", connector, "pilot"]
}

fn look(door: &Door, connector: &str) -> Result<Look, Failure> {
    let (mut look, mut after) = (Look::default(), None);
    loop {
        let after_which = after.map(|after: i64| ("after", after.to_string()));
        let limit = ("limit", "1000".to_owned());
        let query: Vec<(&str, String)> = after_which.into_iter().chain([limit]).collect();
        let page: Page = door.get_with(&path(connector), &query)?;
        look.pilot = page.pilot;
        look.inside += page.inside;
        look.outside += page.outside;
        look.items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(look);
        }
    }
}

/// For whom a pilot is.
pub fn in_words(pilot: &Pilot) -> String {
    match pilot {
        Pilot::Groups(groups) if groups.len() == 1 => format!("the group {}", groups[0]),
        Pilot::Groups(groups) => format!("the groups {}", groups.join(", ")),
        Pilot::Percent(percent) => format!("{percent} % of the users"),
    }
}

fn shown(look: &Look) -> String {
    let Some(pilot) = &look.pilot else {
        return format!(
            "There is no pilot: it has effect for everybody, {}.",
            counted(look.inside, "user", "users")
        );
    };
    let waiting = look.items.len();
    let mut text = format!(
        "Pilot for {}: {} inside, {} outside; for {waiting} of these it would change something.",
        in_words(pilot),
        counted(look.inside, "user", "users"),
        look.outside
    );
    if waiting > 0 {
        let kinds = |one: &Waiting| {
            let kinds = one.changes.iter().filter_map(|it| it["change"].as_str());
            kinds.collect::<Vec<_>>().join(", ").replace('_', " ")
        };
        let rows = look
            .items
            .iter()
            .map(|one| [one.user_name.clone(), kinds(one)]);
        text.push_str("\n\n");
        text.push_str(&table(["user", "would"], rows));
    }
    text
}
