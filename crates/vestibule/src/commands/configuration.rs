//! `vestibule export`, `vestibule plan` and `vestibule apply`: everything that is set up, as one file.

mod file;
mod passphrase;
mod told;

use serde_json::{Value, json};
use server::yaml;

use crate::cli::{ApplyArgs, ExportArgs, FileArgs, PlanArgs};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, agreed};
use file::File;

/// `vestibule export`
pub fn export(args: &ExportArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    if args.schema {
        return out.json(&directory::configuration::schema());
    }
    let door = door::open(&args.door, settings)?;
    let mut whole: Value = match args.seal {
        true => {
            let passphrase = passphrase::to_seal(args.passphrase.as_ref())?;
            let wish = json!({ "passphrase": passphrase });
            door.post(&["configuration", "seal"], &wish)?
        }
        false => door.get(&["configuration"])?,
    };
    if !args.connector.is_empty() {
        whole = part(&whole, &args.connector)?;
    }
    out.show(&whole, yaml::print)
}

/// Some connectors with the directories that they feed. Whose word counts there is left out: it is said about connectors that may
/// not be among them.
fn part(whole: &Value, names: &[String]) -> Result<Value, Failure> {
    let list = |name: &str| {
        whole[name]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let is = |entry: &Value, name: &str| {
        entry["name"]
            .as_str()
            .is_some_and(|known| directory::name::same(known, name))
    };
    let mut connectors = Vec::new();
    for name in names {
        let found = list("connectors").iter().find(|entry| is(entry, name));
        let missing = || Failure::new(Exit::NotFound, format!("there is no connector '{name}'"));
        connectors.push(found.ok_or_else(missing)?.clone());
    }
    let fed: Vec<Value> = list("directories")
        .iter()
        .filter(|entry| {
            connectors
                .iter()
                .any(|one| one["directory"] == entry["name"])
        })
        .cloned()
        .map(|mut entry| {
            if let Value::Object(members) = &mut entry {
                members.shift_remove("precedence");
            }
            entry
        })
        .collect();
    Ok(json!({"version": whole["version"], "directories": fed, "connectors": connectors}))
}

/// `vestibule plan`
pub fn plan(args: &PlanArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let file = File::read(&args.file.file)?;
    let door = door::open(&args.door, settings)?;
    let plan = planned(&door, &file, &wish(&file, &args.file)?)?;
    out.show(&plan, |plan| told::plan(plan, args.file.prune))?;
    match told::steps(&plan) {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Pending, "there is 1 thing to do")),
        count => Err(Failure::new(
            Exit::Pending,
            format!("there are {count} things to do"),
        )),
    }
}

/// `vestibule apply`
pub fn apply(args: &ApplyArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let file = File::read(&args.file.file)?;
    let door = door::open(&args.door, settings)?;
    let mut body = wish(&file, &args.file)?;
    let mut ground = args.ground.clone().map(Value::from);
    if !args.yes {
        let plan = planned(&door, &file, &body)?;
        eprintln!("{}", told::plan(&plan, args.file.prune));
        if told::steps(&plan) > 0 && !agreed("Apply this? [y/N] ")? {
            return Err(Failure::new(Exit::Pending, "nothing was applied"));
        }
        // What was agreed to is what is done.
        ground.get_or_insert_with(|| plan["ground"].clone());
    }
    body["comment"] = args.comment.clone().into();
    if let Some(ground) = ground {
        body["ground"] = ground;
    }
    let applied = door.configuration("apply", &body)?;
    let applied = applied.map_err(|mistakes| file.mistaken(&mistakes))?;
    out.show(&applied, told::applied)
}

fn planned(door: &Door, file: &File, wish: &Value) -> Result<Value, Failure> {
    let planned = door.configuration("plan", wish)?;
    planned.map_err(|mistakes| file.mistaken(&mistakes))
}

fn wish(file: &File, flags: &FileArgs) -> Result<Value, Failure> {
    let mut wish = json!({
        "configuration": file.value(),
        "prune": flags.prune,
        "anyway": flags.anyway,
    });
    if file.has_sealed() {
        wish["passphrase"] = passphrase::to_open(flags.passphrase.as_ref())?.into();
    }
    Ok(wish)
}
