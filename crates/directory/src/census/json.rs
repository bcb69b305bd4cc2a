//! A census as a JSON document.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{Census, CensusFault};
use crate::form::told;

pub(super) fn read(text: &str) -> Result<Census, Vec<CensusFault>> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        vec![CensusFault::new(
            format!("line {}, column {}", error.line(), error.column()),
            told(&cause(&error), "").0,
            "write {\"users\": [{\"name\": ..., \"email\": ..., \"groups\": [...]}], \"groups\": [{\"name\": ...}]}",
        )]
    })
}

/// The message without its place, which is told apart.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Values by name, where one value needs no list.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let found = BTreeMap::<String, OneOrMany>::deserialize(from)?;
    Ok(found
        .into_iter()
        .map(|(name, values)| match values {
            OneOrMany::One(value) => (name, vec![value]),
            OneOrMany::Many(values) => (name, values),
        })
        .collect())
}
