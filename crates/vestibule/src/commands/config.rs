//! `vestibule config`: the settings as they are, and as they could be written.

use serde::Serialize;

use crate::cli::ConfigCommand;
use crate::config::{KEYS, Settings};
use crate::exit::Failure;
use crate::output::{Output, table};

/// Shows what was asked for.
pub fn run(command: ConfigCommand, settings: &Settings, out: Output) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show => out.show(&rows(settings), |rows| {
            let rows = rows
                .iter()
                .map(|row| [row.key.to_owned(), row.value.clone(), row.from.clone()]);
            table(["key", "value", "from"], rows)
        }),
        ConfigCommand::Template => out.text(&template()),
    }
}

/// One setting. A script may rely on these names.
#[derive(Serialize)]
struct Row {
    key: &'static str,
    flag: String,
    variable: String,
    default: &'static str,
    about: &'static str,
    value: String,
    from: String,
}

fn rows(settings: &Settings) -> Vec<Row> {
    KEYS.iter()
        .map(|key| {
            let given = settings.given.get(key.name);
            let value = match key.name {
                // The text may hold a password.
                "database" => settings.database.to_string(),
                _ => given.map(|given| given.text.clone()).unwrap_or_default(),
            };
            Row {
                key: key.name,
                flag: key.flag(),
                variable: key.variable(),
                default: key.default,
                about: key.about,
                value,
                from: given
                    .map(|given| given.origin.to_string())
                    .unwrap_or_default(),
            }
        })
        .collect()
}

/// A configuration file in which every setting stands, switched off, with its explanation.
fn template() -> String {
    let mut text = String::from(
        "# Settings of Vestibule. A flag outweighs an environment variable, and that this file.\n",
    );
    for key in KEYS {
        text.push('\n');
        for line in wrapped(key.about, 96) {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("#{} = \"{}\"\n", key.name, key.default));
    }
    text
}

/// The text in lines of at most `width` characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Sources;

    #[test]
    fn the_template_with_everything_switched_on_is_the_defaults() {
        let text = template();
        let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
        let on: Vec<&str> = text
            .lines()
            .filter(is_setting)
            .map(|line| &line[1..])
            .collect();
        assert_eq!(on.len(), KEYS.len());
        let file = on.join("\n");
        let read = |file| {
            let sources = Sources {
                flags: Vec::new(),
                variables: Vec::new(),
                file,
            };
            Settings::read(&sources).unwrap()
        };
        let (written, default) = (read(Some((Path::new("t.toml"), &file))), read(None));
        assert_eq!(written.listen, default.listen);
        assert_eq!(written.log_format, default.log_format);
    }

    #[test]
    fn a_password_is_not_shown() {
        let flags = vec![("database", "postgres://me:s3cret@db/v".to_owned())];
        let sources = Sources {
            flags,
            variables: Vec::new(),
            file: None,
        };
        let settings = Settings::read(&sources).unwrap();
        assert!(
            rows(&settings)
                .iter()
                .all(|row| !row.value.contains("s3cret"))
        );
    }
}
