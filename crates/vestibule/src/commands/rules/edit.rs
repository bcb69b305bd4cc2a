//! `vestibule rules edit`: the rules in an editor, then a preview, then a question.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use super::apply::{Held, put, terms_of};
use super::file::read;
use super::{preview, rules_of, show_preview, text};
use crate::cli::TermsArgs;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::output::{Output, agreed};

/// Lets a person change the rules.
pub(super) fn run(
    door: &Door,
    connector: &str,
    terms: &TermsArgs,
    out: Output,
) -> Result<(), Failure> {
    let before = rules_of(door, connector, None)?["rules"].take();
    let file = written(&before)?;
    let outcome = edited(door, connector, &before, &file, terms, out);
    match &outcome {
        Ok(()) => {
            // Nothing is lost with it any more.
            let _gone = std::fs::remove_file(&file);
        }
        Err(_) => eprintln!("What you wrote is in {}", file.display()),
    }
    outcome
}

fn edited(
    door: &Door,
    connector: &str,
    before: &Value,
    file: &Path,
    terms: &TermsArgs,
    out: Output,
) -> Result<(), Failure> {
    let rules = loop {
        open_editor(file)?;
        match checked(door, connector, file) {
            Ok(rules) => break rules,
            Err(failure) if io::stdin().is_terminal() => {
                eprintln!("{failure}");
                if !agreed("Edit again? [y/N] ")? {
                    return Err(failure);
                }
            }
            Err(failure) => return Err(failure),
        }
    };
    if rules == *before {
        return out.text("Nothing was changed.");
    }
    let preview = preview(door, connector, &json!({ "rules": rules }))?;
    show_preview(door, connector, &preview, &[], out)?;
    if !terms.yes && !agreed("Apply this? [y/N] ")? {
        return Err(Failure::new(Exit::Pending, "nothing was applied"));
    }
    let mut body = terms_of(terms);
    match preview["can_be_applied"] == json!(true) {
        true => body["preview"] = json!(text(&preview, "id")),
        false => body["rules"] = rules,
    }
    put(door, connector, (&body, Held::of(&preview)), terms, out)
}

fn checked(door: &Door, connector: &str, file: &Path) -> Result<Value, Failure> {
    let rules = read(file)?;
    let answer: Value = door.ask(
        Method::POST,
        &["connectors", connector, "rules", "check"],
        Some(&rules),
    )?;
    match answer["valid"] == json!(true) {
        true => Ok(rules),
        false => Err(Failure::new(
            Exit::Usage,
            super::told::errors(&answer["errors"]),
        )),
    }
}

/// A file of its own that only this user can read.
fn written(rules: &Value) -> Result<PathBuf, Failure> {
    let text = serde_json::to_string_pretty(rules).map_err(anyhow::Error::from)?;
    let name = format!("vestibule-rules-{}.json", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    Ok(path)
}

fn open_editor(file: &Path) -> Result<(), Failure> {
    let named = ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|editor| !editor.trim().is_empty());
    let editor = named.unwrap_or_else(|| "vi".to_owned());
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program).args(words).arg(file).status();
    let remedy = "set EDITOR to your editor, or write a file and use `rules apply --file`";
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(Failure::new(Exit::Failed, format!("{program} ended with {status}")).with(remedy))
        }
        Err(error) => Err(
            Failure::new(Exit::Failed, format!("{program} cannot be run: {error}")).with(remedy),
        ),
    }
}
