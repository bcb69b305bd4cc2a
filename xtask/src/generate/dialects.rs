//! The page of dialects, from what the program knows of presets and departures.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::steps::Program;

const HEAD: &str = "\
<!-- Written by `cargo xtask gen` from the program. Do not edit. -->

# Dialects

No identity provider keeps to the letter of RFC 7643 and RFC 7644. Vestibule reads what any of them sends, whatever the preset
of the connector. The preset only decides what is ambiguous: where the same request means one thing from one client and
another from the next.

## Presets

`vestibule connector create --preset WORD`. The word `ping` of former versions is read as `pingone`.

| word | for | what it sends |
|---|---|---|
";

const DEPARTURES: &str = "
## Departures that can be switched

A connector has those of its preset. `vestibule connector departures NAME` shows them; `--on`, `--off` and `--reset` switch one for this
connector. In the admin API it is `settings.departures`, for example `{\"known_external_id_is_adopted\": true}`.

| departure | what the server does | seen from | presets |
|---|---|---|---|
";

const RISKS: &str = "
`known_external_id_is_adopted` never reaches beyond the connector's own people and groups, and never matches by name or mail address.
If several have the `externalId`, the answer is 409. Members of a group that is taken over stay. Names and mail addresses
change with it, and products go by these: leave it off where people can set at the identity provider what it sends as
`externalId`.

## What is always accepted

| what | seen from |
|---|---|
";

/// The page.
pub fn reference(program: &Program) -> Result<String> {
    let text = program.say(&["connector", "presets", "--json"])?;
    let known: Value = serde_json::from_str(&text).context("the presets are not JSON")?;
    let rows = |name: &str| known[name].as_array().cloned().unwrap_or_default();
    let presets = rows("presets");
    let mut page = String::from(HEAD);
    for one in &presets {
        let (word, name) = (field(one, "preset"), field(one, "name"));
        let name = match one["guide"].as_str() {
            Some(guide) => format!("[{name}](../guides/{guide}.md)"),
            None => name.to_owned(),
        };
        writeln!(page, "| `{word}` | {name} | {} |", field(one, "about"))?;
    }
    page.push_str(DEPARTURES);
    for one in &rows("departures") {
        let (word, about) = (field(one, "departure"), field(one, "about"));
        let having: Vec<&Value> = presets.iter().filter(|preset| has(preset, word)).collect();
        writeln!(
            page,
            "| `{word}` | {about} | {} | {} |",
            field(one, "seen_from"),
            summary(&presets, &having)
        )?;
    }
    page.push_str(RISKS);
    for one in &rows("always") {
        writeln!(
            page,
            "| {} | {} |",
            field(one, "accepted"),
            field(one, "seen_from")
        )?;
    }
    Ok(page)
}

fn field<'v>(row: &'v Value, name: &str) -> &'v str {
    row[name].as_str().unwrap_or_default()
}

fn has(preset: &Value, departure: &str) -> bool {
    let all = preset["departures"].as_array().into_iter().flatten();
    all.filter_map(Value::as_str).any(|word| word == departure)
}

/// The presets that have a departure, or those few that have not.
fn summary(all: &[Value], having: &[&Value]) -> String {
    let words = |presets: &[&Value]| {
        let words: Vec<String> = presets
            .iter()
            .map(|preset| format!("`{}`", field(preset, "preset")))
            .collect();
        words.join(", ")
    };
    let lacking: Vec<&Value> = all
        .iter()
        .filter(|preset| !having.contains(preset))
        .collect();
    match (having.len(), lacking.len()) {
        (0, _) => "none".to_owned(),
        (_, 0) => "all".to_owned(),
        (many, few) if few < many && few <= 3 => format!("all but {}", words(&lacking)),
        _ => words(having),
    }
}
