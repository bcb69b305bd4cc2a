//! Reading documents that people write: everything that is wrong with the form is told, each with its place.

mod words;

pub use words::told;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::configuration::{item, member};
use crate::rules::RuleError;

/// Most mistakes that are told at once.
const MISTAKES_MAX: usize = 100;
/// What to do about what is not what belongs there.
pub(crate) const REMEDY: &str = "correct it; `vestibule export --schema` prints what can be there";

/// A step on the way into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Turn {
    Member(String),
    /// Into the one member of an object that says which of several things it is.
    Variant(String),
    Item(usize),
}

/// Reads what is at `path`, or tells everything that is wrong with it.
pub fn read<T: DeserializeOwned + Serialize>(
    document: Value,
    path: &str,
) -> Result<T, Vec<RuleError>> {
    let mut mistakes = Vec::new();
    match understood(document, path, &mut mistakes) {
        Some(read) if mistakes.is_empty() => Ok(read),
        _ => Err(mistakes),
    }
}

/// Reads what is at `path`. What stands in the way is put aside, and reading begins again: so all mistakes are found.
pub(crate) fn understood<T: DeserializeOwned + Serialize>(
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
            mistakes.push(mistake(path, &place, &message));
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

/// Whether something is wrong only because of what was put aside: a member is missed, or a step is empty.
fn is_our_doing(message: &str, place: &[Turn], removed: &[Vec<Turn>]) -> bool {
    let was_in_it = |name: Option<&str>| {
        removed.iter().any(|gone| match gone.split_last() {
            Some((Turn::Member(gone), way)) => way == place && name.is_none_or(|name| name == gone),
            _ => false,
        })
    };
    if message.starts_with("unknown field") {
        return false;
    }
    match message.strip_prefix("missing field `") {
        Some(rest) => was_in_it(rest.split('`').next()),
        None => was_in_it(None),
    }
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

fn mistake(path: &str, place: &[Turn], message: &str) -> RuleError {
    let path = place.iter().fold(path.to_owned(), |path, step| match step {
        Turn::Member(name) | Turn::Variant(name) => member(&path, name),
        Turn::Item(index) => item(&path, *index),
    });
    let (message, remedy) = words::told(message, REMEDY);
    RuleError::new(path, message, remedy)
}
