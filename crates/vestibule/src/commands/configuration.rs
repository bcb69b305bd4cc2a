//! `vestibule export`, `vestibule plan` and `vestibule apply`: everything that is set up, as one file.

mod file;
mod passphrase;
mod told;

use serde_json::{Value, json};
use server::yaml;

use super::jobs::{self, JobView};
use super::rules::{self, Held};
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
    out.show(&plan, |plan| told::plan(plan, &args.file))?;
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
    let plan = planned(&door, &file, &body)?;
    let mut ground = args.ground.clone().map(Value::from);
    if !args.yes {
        eprintln!("{}", told::plan(&plan, &args.file));
    }
    let held = held(&door, &file, &plan)?;
    if !args.yes {
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
    let mut applied = applied.map_err(|mistakes| file.mistaken(&mistakes))?;
    let mut ended = Ok(());
    if args.wait {
        let jobs = applied["jobs"].take();
        let ids = jobs.as_array().into_iter().flatten();
        let jobs = ids.filter_map(Value::as_str);
        let jobs: Vec<JobView> = jobs
            .map(|id| jobs::followed(&door, id))
            .collect::<Result<_, _>>()?;
        ended = jobs.iter().try_for_each(jobs::outcome);
        applied["jobs"] = serde_json::to_value(&jobs).map_err(anyhow::Error::from)?;
    }
    out.show(&applied, told::applied)?;
    ended?;
    held.iter()
        .try_for_each(|(connector, held)| held.told(connector))
}

/// What safety limits would hold of the new rules of each connector, told to who is about to apply them.
fn held(door: &Door, file: &File, plan: &Value) -> Result<Vec<(String, Held)>, Failure> {
    let mut all = Vec::new();
    for connector in told::connectors_with_new_rules(plan) {
        if let Some(rules) = rules::rules_in_configuration(file.value(), connector) {
            // Whoever says yes to the plan says yes to this.
            all.push((
                connector.to_owned(),
                rules::consent(door, connector, &rules, true)?,
            ));
        }
    }
    Ok(all)
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
