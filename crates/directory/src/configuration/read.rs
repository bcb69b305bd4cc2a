//! Reading a configuration: everything that is wrong with its form is told, not only the first.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::entries::{Configuration, FORMAT};
use super::place::{item, member};
use crate::connector::ConnectorSettings;
use crate::rules::{RuleError, WrittenRules};

/// Most mistakes that are told at once.
const MISTAKES_MAX: usize = 100;
const REMEDY: &str = "correct it; `vestibule export --schema` prints what can be there";

/// A step on the way into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Turn {
    Member(String),
    /// Into the one member of an object that says which of several things it is.
    Variant(String),
    Item(usize),
}

/// Reads a configuration. Rules are completed with what a new connector has where they say nothing.
pub fn read(mut document: Value) -> Result<Configuration, Vec<RuleError>> {
    complete_rules(&mut document);
    let mut mistakes = Vec::new();
    read_settings(&document, &mut mistakes);
    match understood::<Configuration>(document, "", &mut mistakes) {
        Some(configuration) if mistakes.is_empty() => checked_format(configuration),
        _ => Err(mistakes),
    }
}

/// Settings are kept as they are written, since what they leave out stays; their form is looked at here.
fn read_settings(document: &Value, mistakes: &mut Vec<RuleError>) {
    let connectors = document.get("connectors").and_then(Value::as_array);
    for (index, connector) in connectors.into_iter().flatten().enumerate() {
        if let Some(settings @ Value::Object(_)) = connector.get("settings") {
            let path = member(&item("connectors", index), "settings");
            understood::<ConnectorSettings>(settings.clone(), &path, mistakes);
        }
    }
}

/// Reads what is at `path`. What stands in the way is put aside, and reading begins again: so all mistakes are found.
fn understood<T: DeserializeOwned + Serialize>(
    mut document: Value,
    path: &str,
    mistakes: &mut Vec<RuleError>,
) -> Option<T> {
    let mut removed: Vec<Vec<Turn>> = Vec::new();
    loop {
        let wrong = match serde_path_to_error::deserialize::<_, T>(&document) {
            Ok(read) => {
                let as_read = serde_json::to_value(&read).unwrap_or_default();
                unnamed(&document, &as_read, path, mistakes);
                return Some(read);
            }
            Err(wrong) => wrong,
        };
        let steps = steps_to(&document, wrong.path());
        let place = as_written(&steps, &removed);
        let message = wrong.inner().to_string();
        if !is_our_doing(&message, &place, &removed) {
            mistakes.push(mistake(path, &place, message));
        }
        let whole = as_a_whole(&steps);
        if mistakes.len() >= MISTAKES_MAX || !put_aside(&mut document, whole) {
            return None;
        }
        removed.push(as_a_whole(&place).to_vec());
    }
}

/// Finds lists where members with names belong: they can be read in order, and nobody means that.
fn unnamed(written: &Value, read: &Value, path: &str, mistakes: &mut Vec<RuleError>) {
    match (written, read) {
        (Value::Array(_), Value::Object(_)) => mistakes.push(RuleError::new(
            path,
            "here is a list, and members with names belong here",
            REMEDY,
        )),
        (Value::Array(written), Value::Array(read)) => {
            for (index, (written, read)) in written.iter().zip(read).enumerate() {
                unnamed(written, read, &item(path, index), mistakes);
            }
        }
        (Value::Object(written), Value::Object(read)) => {
            for (name, written) in written {
                if let Some(read) = read.get(name) {
                    unnamed(written, read, &member(path, name), mistakes);
                }
            }
        }
        _ => {}
    }
}

fn checked_format(configuration: Configuration) -> Result<Configuration, Vec<RuleError>> {
    match configuration.version {
        FORMAT => Ok(configuration),
        other => Err(vec![RuleError::new(
            "version",
            format!("{other} is no format that this program knows"),
            format!("write version: {FORMAT}"),
        )]),
    }
}

fn complete_rules(document: &mut Value) {
    let connectors = document.get_mut("connectors").and_then(Value::as_array_mut);
    for connector in connectors.into_iter().flatten() {
        if let Some(Value::Object(rules)) = connector.get_mut("rules") {
            WrittenRules::complete(rules);
        }
    }
}

/// The way to what is wrong, as far as it is there. A way that does not go on ends at what is there.
fn steps_to(document: &Value, path: &serde_path_to_error::Path) -> Vec<Turn> {
    let (mut steps, mut here) = (Vec::new(), document);
    for segment in path {
        let (step, next) = match segment {
            Segment::Seq { index } => (Turn::Item(*index), here.get(*index)),
            Segment::Map { key } => (Turn::Member(key.clone()), here.get(key)),
            Segment::Enum { variant } => (Turn::Variant(variant.clone()), here.get(variant)),
            Segment::Unknown => break,
        };
        let Some(next) = next else { break };
        steps.push(step);
        here = next;
    }
    steps
}

/// The same way in the document as it was written, before anything was put aside.
fn as_written(steps: &[Turn], removed: &[Vec<Turn>]) -> Vec<Turn> {
    let mut written: Vec<Turn> = Vec::with_capacity(steps.len());
    for step in steps {
        let step = match step {
            Turn::Member(_) | Turn::Variant(_) => step.clone(),
            Turn::Item(index) => {
                let mut gone: Vec<usize> = removed
                    .iter()
                    .filter_map(|place| match place.split_last() {
                        Some((Turn::Item(gone), list)) if list == written => Some(*gone),
                        _ => None,
                    })
                    .collect();
                gone.sort_unstable();
                let index = gone
                    .iter()
                    .fold(*index, |index, gone| index + usize::from(*gone <= index));
                Turn::Item(index)
            }
        };
        written.push(step);
    }
    written
}

/// Whether a member is missed only because it was put aside.
fn is_our_doing(message: &str, place: &[Turn], removed: &[Vec<Turn>]) -> bool {
    let missing = message.strip_prefix("missing field `");
    let Some(name) = missing.and_then(|rest| rest.split('`').next()) else {
        return false;
    };
    let mut member = place.to_vec();
    member.push(Turn::Member(name.to_owned()));
    removed.contains(&member)
}

/// The way to what is put aside: a thing of one kind among several goes as a whole.
fn as_a_whole(steps: &[Turn]) -> &[Turn] {
    match steps.split_last() {
        Some((Turn::Variant(_), way)) => as_a_whole(way),
        _ => steps,
    }
}

/// Takes what is at the end of the way out of the document.
fn put_aside(document: &mut Value, steps: &[Turn]) -> bool {
    let Some((last, way)) = steps.split_last() else {
        return false;
    };
    let mut here = document;
    for step in way {
        let next = match step {
            Turn::Member(name) | Turn::Variant(name) => here.get_mut(name),
            Turn::Item(index) => here.get_mut(*index),
        };
        match next {
            Some(next) => here = next,
            None => return false,
        }
    }
    match (here, last) {
        (Value::Object(members), Turn::Member(name)) => members.shift_remove(name).is_some(),
        (Value::Array(items), Turn::Item(index)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

fn mistake(path: &str, place: &[Turn], message: String) -> RuleError {
    let path = place.iter().fold(path.to_owned(), |path, step| match step {
        Turn::Member(name) | Turn::Variant(name) => member(&path, name),
        Turn::Item(index) => item(&path, *index),
    });
    let remedy = match message.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["missing", "field"] => "add it",
        ["unknown", "field"] => "remove it or correct its name",
        ["unknown", "variant"] => "write one of these",
        _ => REMEDY,
    };
    RuleError::new(path, message, remedy)
}
