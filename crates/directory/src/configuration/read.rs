//! Reading a configuration: everything that is wrong with its form is told, not only the first.

use serde_json::Value;

use super::entries::{Configuration, FORMAT};
use super::place::{item, member};
use crate::connector::ConnectorSettings;
use crate::form::understood;
use crate::rules::{RuleError, WrittenRules};

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
