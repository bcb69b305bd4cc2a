//! Rules in files: by themselves, or those of a connector in a configuration file.

use std::path::Path;

use serde_json::Value;
use server::yaml;

use crate::exit::{Exit, Failure};

/// The rules that a file has for a connector, alone or in a configuration.
pub fn rules_in(path: &Path, connector: &str) -> Result<Value, Failure> {
    let document = read(path)?;
    if !document["connectors"].is_array() {
        return Ok(document);
    }
    rules_of(&document, connector).ok_or_else(|| {
        let message = format!(
            "{} has no rules of a connector '{connector}'",
            path.display()
        );
        Failure::new(Exit::Usage, message)
            .with("name the connector as the file does; what the file does not say stays as it is")
    })
}

/// The rules that a configuration has for a connector.
pub fn rules_of(configuration: &Value, connector: &str) -> Option<Value> {
    let text = |entry: &Value, member: &str| entry[member].as_str().unwrap_or_default().to_owned();
    let mut entries = configuration["connectors"].as_array()?.iter();
    let found = entries.find(|entry| {
        directory::name::same(&text(entry, "name"), connector) || text(entry, "id") == connector
    });
    found?.get("rules").cloned()
}

/// What a file of JSON or YAML says.
pub fn read(path: &Path) -> Result<Value, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("{name} cannot be read: {error}")))?;
    understood(&text, &name)
}

/// What stands in an argument, or in the file that it names.
pub fn given(argument: &str, flag: &str) -> Result<Value, Failure> {
    let path = Path::new(argument);
    match path.is_file() {
        true => read(path),
        false => understood(argument, flag),
    }
}

fn understood(text: &str, name: &str) -> Result<Value, Failure> {
    let is_json = text.trim_start().starts_with(['{', '[']);
    let wrong = match yaml::parse_json(text) {
        Ok(value) => return Ok(value),
        Err(wrong) => wrong,
    };
    let told = match yaml::parse(text) {
        Ok(document) if document.value.is_object() || document.value.is_array() => {
            return Ok(document.value);
        }
        Ok(_) => format!("{name} is neither JSON nor YAML, nor a file that is there"),
        Err(_) if is_json => format!("{name}: {wrong}"),
        Err(wrong) => format!("{name}:{}: {}", wrong.line, wrong.message),
    };
    Err(Failure::new(Exit::Usage, told)
        .with("the page \"Changing rules\" of the documentation shows what is read here"))
}
