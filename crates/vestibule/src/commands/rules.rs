//! `vestibule rules`: show, edit, check, preview, apply, go back, compare and test the rules of a connector.

mod apply;
mod edit;
mod file;
mod junit;
mod told;
mod trial;

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::{RulesArgs, RulesCommand};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted};

pub use apply::{Held, consent, written};
pub use file::{rules_in, rules_of as rules_in_configuration};

/// How often a preview is asked for that takes long.
const POLL: Duration = Duration::from_millis(500);
/// Users of a preview that are listed for a person.
const LISTED_MAX: usize = 50;

/// Does what was asked.
pub fn run(args: &RulesArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        RulesCommand::Show { connector, number } => {
            out.json(&rules_of(&door, connector, *number)?["rules"])
        }
        RulesCommand::Edit { connector, terms } => edit::run(&door, connector, terms, out),
        RulesCommand::Try(args) => trial::run(&door, args, out),
        RulesCommand::Check { connector, file } => check(&door, connector, file.as_deref(), out),
        RulesCommand::Preview {
            connector,
            file,
            number,
            user,
            group,
            shadows,
            search,
            operation,
            csv,
        } => {
            let rules = match (file, number) {
                (Some(file), _) => Some(rules_in(file, connector)?),
                (None, Some(_)) => Some(rules_of(&door, connector, *number)?["rules"].take()),
                (None, None) => None,
            };
            let mut wish = json!({ "with_shadows": shadows });
            let given = [
                ("rules", rules),
                ("user", user.clone().map(Value::from)),
                ("group", group.clone().map(Value::from)),
            ];
            for (name, value) in given {
                if let Some(value) = value {
                    wish[name] = value;
                }
            }
            let mut query = Vec::new();
            query.extend(search.clone().map(|text| ("q", text)));
            query.extend(operation.clone().map(|word| ("operation", word)));
            let preview = preview(&door, connector, &wish)?;
            match csv {
                true => {
                    let id = text(&preview, "id");
                    let path = [
                        "connectors",
                        connector,
                        "rules",
                        "previews",
                        &id,
                        "users.csv",
                    ];
                    out.text(&door.text(Method::GET, &path, &query, None)?)?;
                }
                false => show_preview(&door, connector, &preview, &query, out)?,
            }
            let summary = &preview["summary"];
            let count = |value: &Value| value.as_i64().unwrap_or(0);
            let users = |count| counted(count, "user", "users");
            let (changed, later) = (
                count(&summary["changed"]),
                count(&summary["operations"]["grace"]),
            );
            match (changed, later) {
                (0, 0) => Ok(()),
                (_, 0) => Err(pending(format!("{} would change", users(changed)))),
                (_, _) => Err(pending(format!(
                    "{} would change at once, and {later} when their grace time ends",
                    users(changed)
                ))),
            }
        }
        RulesCommand::Apply {
            connector,
            preview,
            file,
            terms,
        } => {
            match (preview, file) {
                (Some(id), _) => apply::previewed(&door, connector, id, terms, out),
                (None, Some(file)) => {
                    written(&door, connector, rules_in(file, connector)?, terms, out)
                }
                // The command line has one of them.
                (None, None) => Ok(()),
            }
        }
        RulesCommand::Versions { connector } => {
            let path = ["connectors", connector.as_str(), "rules", "versions"];
            let all: Vec<Value> = door.all_pages(&path, &[])?;
            out.show(&all, |all| told::versions(all))
        }
        RulesCommand::Diff {
            connector,
            from,
            to,
            file,
        } => {
            let rules = given(file.as_deref(), connector)?;
            let body = json!({"from": from, "to": to, "rules": rules});
            let path = ["connectors", connector.as_str(), "rules", "diff"];
            let found: Value = door.ask(Method::POST, &path, Some(&body))?;
            out.show(&found["items"], told::differences)
        }
        RulesCommand::Rollback {
            connector,
            number,
            terms,
        } => apply::rollback(&door, connector, *number, terms, out),
        RulesCommand::Test {
            connector,
            file,
            tests,
            save,
            show,
            junit,
        } => {
            let path = ["connectors", connector.as_str(), "rules", "tests"];
            if *show {
                return out.json(&door.get::<Value>(&path)?["tests"]);
            }
            let tests = tests.as_deref().map(read_tests).transpose()?;
            if let (true, Some(tests)) = (*save, &tests) {
                door.send(Method::PUT, &path, Some(&json!({ "tests": tests })))?;
            }
            let rules = given(file.as_deref(), connector)?;
            let results = run_tests(&door, connector, &json!({"tests": tests, "rules": rules}))?;
            match junit {
                true => out.text(&junit::report(connector, &results))?,
                false => out.show(&results, told::results)?,
            }
            verdict(&results)
        }
    }
}

fn pending(told: String) -> Failure {
    Failure::new(Exit::Pending, told)
}

fn check(door: &Door, connector: &str, file: Option<&Path>, out: Output) -> Result<(), Failure> {
    let rules = match given(file, connector)? {
        Some(rules) => rules,
        None => rules_of(door, connector, None)?["rules"].take(),
    };
    let path = ["connectors", connector, "rules", "check"];
    let mut checked: Value = door.ask(Method::POST, &path, Some(&rules))?;
    if checked["valid"] != json!(true) {
        out.show(&checked, |checked| told::errors(&checked["errors"]))?;
        return Err(Failure::new(Exit::Usage, "the rules are not valid"));
    }
    let results = run_tests(door, connector, &json!({ "rules": rules }))?;
    checked["tests"] = results.clone();
    out.show(&checked, told::check)?;
    match checked["refusals"].as_array().is_none_or(Vec::is_empty) {
        true => verdict(&results),
        false => {
            let message = "the rules would be refused, as stored users would get no usable values";
            Err(Failure::new(Exit::Usage, message)
                .with("vestibule rules apply --anyway takes them all the same"))
        }
    }
}

fn verdict(results: &Value) -> Result<(), Failure> {
    match results["failed"].as_u64().unwrap_or(0) {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Failed, "1 test failed")),
        count => Err(Failure::new(Exit::Failed, format!("{count} tests failed"))),
    }
}

fn run_tests(door: &Door, connector: &str, wish: &Value) -> Result<Value, Failure> {
    let path = ["connectors", connector, "rules", "tests", "run"];
    door.ask(Method::POST, &path, Some(wish))
}

/// A preview from its beginning to its end.
fn preview(door: &Door, connector: &str, wish: &Value) -> Result<Value, Failure> {
    let path = ["connectors", connector, "rules", "preview"];
    let mut preview: Value = door.ask(Method::POST, &path, Some(wish))?;
    let id = text(&preview, "id");
    while preview["state"] == json!("running") {
        door.pause(POLL);
        preview = door.get(&["connectors", connector, "rules", "previews", &id])?;
    }
    match preview["state"] == json!("done") {
        true => Ok(preview),
        false => {
            let message = format!("the preview failed: {}", text(&preview, "error"));
            Err(Failure::new(Exit::Failed, message))
        }
    }
}

fn show_preview(
    door: &Door,
    connector: &str,
    preview: &Value,
    query: &[(&str, String)],
    out: Output,
) -> Result<(), Failure> {
    let id = text(preview, "id");
    let path = ["connectors", connector, "rules", "previews", &id, "users"];
    let mut query = query.to_vec();
    query.push(("limit", LISTED_MAX.to_string()));
    let page: Value = door.get_with(&path, &query)?;
    let shown = json!({"preview": preview, "users": page["items"]});
    let more = page["next"].is_string();
    out.show(&shown, |_| {
        told::preview(connector, preview, &page["items"], more)
    })
}

fn rules_of(door: &Door, connector: &str, number: Option<i64>) -> Result<Value, Failure> {
    match number {
        Some(number) => {
            let number = number.to_string();
            door.get(&["connectors", connector, "rules", "versions", &number])
        }
        None => door.get(&["connectors", connector, "rules"]),
    }
}

/// The rules of a file, if one is named.
fn given(file: Option<&Path>, connector: &str) -> Result<Option<Value>, Failure> {
    file.map(|file| rules_in(file, connector)).transpose()
}

/// A file holds a list of tests, or an object with it.
fn read_tests(path: &Path) -> Result<Value, Failure> {
    let mut tests = file::read(path)?;
    match tests.get_mut("tests") {
        Some(list) => Ok(list.take()),
        None => Ok(tests),
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}
