//! A configuration file: read, its references to secrets followed, its mistakes told with their lines.

use std::io::Read;
use std::path::{Path, PathBuf};

use directory::configuration::{item, member};
use serde_json::{Value, json};
use server::yaml::{self, Document};

use crate::door::ConfigurationMistake;
use crate::exit::{Exit, Failure};

/// A file that was read.
pub(super) struct File {
    name: String,
    document: Document,
}

impl File {
    /// Reads a file, or the standard input, with the secrets that it refers to.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let (name, text) = match path.to_str() {
            Some("-") => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text)?;
                ("standard input".to_owned(), text)
            }
            _ => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Failure::new(Exit::Usage, format!("{name} cannot be read: {error}"))
                })?;
                (name, text)
            }
        };
        let document = yaml::parse(&text).map_err(|wrong| {
            let message = format!("{name}:{}: {}", wrong.line, wrong.message);
            Failure::new(Exit::Usage, message)
        })?;
        let mut file = Self { name, document };
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut mistakes = Vec::new();
        follow_all(&mut file.document.value, &folder, &mut mistakes);
        match mistakes.is_empty() {
            true => Ok(file),
            false => Err(file.mistaken(&mistakes)),
        }
    }

    /// What it says.
    pub(super) fn value(&self) -> &Value {
        &self.document.value
    }

    /// Whether a secret in it is sealed.
    pub(super) fn has_sealed(&self) -> bool {
        has_sealed(&self.document.value)
    }

    /// The failure that tells mistakes with their lines, in the order of the file.
    pub(super) fn mistaken(&self, mistakes: &[ConfigurationMistake]) -> Failure {
        let mut lines: Vec<(usize, String)> = mistakes
            .iter()
            .map(|mistake| {
                let ConfigurationMistake {
                    path,
                    message,
                    remedy,
                } = mistake;
                let line = self.document.line(path).unwrap_or(1);
                let place = match path.is_empty() {
                    true => String::new(),
                    false => format!("{path}: "),
                };
                (
                    line,
                    format!("{}:{line}: {place}{message}; {remedy}", self.name),
                )
            })
            .collect();
        lines.sort_by_key(|(line, _)| *line);
        let lines: Vec<String> = lines.into_iter().map(|(_, text)| text).collect();
        Failure::new(Exit::Usage, lines.join("\n")).advised()
    }
}

fn has_sealed(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.get("sealed").is_some_and(Value::is_string) || members.values().any(has_sealed)
        }
        Value::Array(items) => items.iter().any(has_sealed),
        _ => false,
    }
}

/// Puts the secrets in the place of the references to them.
fn follow_all(document: &mut Value, folder: &Path, mistakes: &mut Vec<ConfigurationMistake>) {
    let mut follow = |holder: &mut Value, path: String, name: &str| {
        if let Some(source) = holder.get_mut(name) {
            let path = member(&path, name);
            match followed(source, folder) {
                Ok(Some(text)) => *source = json!({ "value": text }),
                Ok(None) => {}
                Err((message, remedy)) => mistakes.push(ConfigurationMistake {
                    path,
                    message,
                    remedy: remedy.to_owned(),
                }),
            }
        }
    };
    for (list, own, parts, secret) in [
        ("connectors", "", "tokens", "secret"),
        ("connectors", "", "clients", "secret"),
        ("applications", "password", "webhooks", "token"),
        ("notifications", "secret", "", ""),
        ("subscriptions", "secret", "", ""),
    ] {
        let holders = document.get_mut(list).and_then(Value::as_array_mut);
        for (index, holder) in holders.into_iter().flatten().enumerate() {
            let path = item(list, index);
            follow(holder, path.clone(), own);
            let parts_path = member(&path, parts);
            let parts = holder.get_mut(parts).and_then(Value::as_array_mut);
            for (index, part) in parts.into_iter().flatten().enumerate() {
                follow(part, item(&parts_path, index), secret);
            }
        }
    }
}

/// The secret that a reference means; none if it is no reference, which the server tells of.
fn followed(source: &Value, folder: &Path) -> Result<Option<String>, (String, &'static str)> {
    let text = |name: &str| source.get(name).and_then(Value::as_str);
    if source.get("value").is_some() {
        let message = "a secret must not stand in the file".to_owned();
        return Err((
            message,
            "write {env: NAME} or {file: PATH}, and keep the secret there",
        ));
    }
    if let Some(name) = text("env") {
        return match std::env::var(name) {
            Ok(text) if !text.is_empty() => Ok(Some(text)),
            _ => Err((format!("the environment has no variable {name}"), "set it")),
        };
    }
    if let Some(path) = text("file") {
        let path: PathBuf = folder.join(path);
        return match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim_end().to_owned())),
            Err(error) => Err((
                format!("{} cannot be read: {error}", path.display()),
                "put the secret there; the path counts from the folder of the file",
            )),
        };
    }
    Ok(None)
}
