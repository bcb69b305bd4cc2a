//! Reads `vestibule.toml` and knows the line of everything in it.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{Given, KEYS, Mistake, Origin, nearest};

/// The settings of the file; what is wrong with it is added to the mistakes.
pub fn read(path: &Path, text: &str, mistakes: &mut Vec<Mistake>) -> BTreeMap<&'static str, Given> {
    let mut given = BTreeMap::new();
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            mistakes.push(Mistake {
                origin: place(path, text, at, "not valid TOML"),
                message: error.message().to_owned(),
                remedy: "write one setting on each line: key = \"value\"".to_owned(),
            });
            return given;
        }
    };
    for (key, value) in table.get_ref() {
        let name = key.get_ref().as_ref();
        let origin = place(path, text, key.span().start, name);
        let Some(known) = KEYS.iter().find(|known| known.name == name) else {
            mistakes.push(unknown(name, origin));
            continue;
        };
        match scalar(value.get_ref()) {
            Some(text) => {
                given.insert(known.name, Given { text, origin });
            }
            None => mistakes.push(Mistake {
                origin,
                message: format!("expected a text, found {}", article(value.get_ref())),
                remedy: format!("write {name} = \"{}\"", example(known.default)),
            }),
        }
    }
    given
}

fn place(path: &Path, text: &str, at: usize, key: &str) -> Origin {
    let before = text.get(..at).unwrap_or(text);
    Origin::File {
        path: path.to_path_buf(),
        line: before.matches('\n').count() + 1,
        key: key.to_owned(),
    }
}

fn unknown(name: &str, origin: Origin) -> Mistake {
    let names = || KEYS.iter().map(|key| key.name);
    let remedy = match nearest(name, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the keys are: {}", names().collect::<Vec<_>>().join(", ")),
    };
    Mistake {
        origin,
        message: "there is no such setting".to_owned(),
        remedy,
    }
}

/// A value that can be one setting, as text; a list of texts with commas between them.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Array(items) => {
            let texts: Option<Vec<&str>> =
                items.iter().map(|item| item.get_ref().as_str()).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Array(_) => "a list of other things than texts",
        DeValue::Table(_) => "a table",
        DeValue::Float(_) => "a fraction",
        _ => "something else",
    }
}

fn example(default: &str) -> &str {
    if default.is_empty() { "..." } else { default }
}
