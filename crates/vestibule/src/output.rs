//! What commands print: tables and sentences for people, JSON for machines.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use directory::rules::told_value;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::exit::{Exit, Failure};

/// Whom the output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Text and tables.
    Person,
    /// One JSON document.
    Machine,
}

/// Where a command's answer goes. Logs and failures go to the standard error instead.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Whom it is for.
    pub reader: Reader,
}

impl Output {
    /// Prints the value as JSON for a machine, or what `person` makes of it for a person.
    pub fn show<T: Serialize>(
        self,
        value: &T,
        person: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.reader {
            Reader::Person => self.text(&person(value)),
            Reader::Machine => self.json(value),
        }
    }

    /// Prints the value as JSON for everybody.
    pub fn json<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
        self.text(&json)
    }

    /// Prints text with one line end after it.
    pub fn text(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = out
            .write_all(text.trim_end().as_bytes())
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush());
        match written {
            // The reader has seen enough, as with `| head`.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }
}

/// Asks a person, who has to be at a terminal.
pub fn agreed(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        let message = "there is nobody to ask";
        return Err(Failure::new(Exit::Usage, message).with("say --yes to go on without asking"));
    }
    eprint!("{question}");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// A table with a header, as wide as its content; on a terminal no wider than that.
pub fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(if io::stdout().is_terminal() {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    table.set_header(header.map(str::to_uppercase));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// Lines of `name  value`, the values below each other; none for what has no value.
pub fn fields(pairs: &[(&str, &str)]) -> String {
    let width = pairs
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let lines: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name:<width$}  {value}"))
        .collect();
    lines.join("\n")
}

/// A value that differs, as one line: what is there only after, only before, or otherwise.
pub fn difference(path: &str, before: &Value, after: &Value) -> String {
    difference_within(path, before, after, usize::MAX)
}

/// The same with values of at most so many characters.
pub fn difference_within(path: &str, before: &Value, after: &Value, chars: usize) -> String {
    let (was, is) = (short(before, chars), short(after, chars));
    match (before, after) {
        (Value::Null, _) => format!("+ {path}: {is}"),
        (_, Value::Null) => format!("- {path}: {was}"),
        _ => format!("~ {path}: {was} -> {is}"),
    }
}

fn short(value: &Value, chars: usize) -> String {
    let text = told_value(value).join("; ");
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// So many of something, in words: `1 user`, `2 users`.
pub fn counted<N: PartialEq + From<u8> + Display>(count: N, one: &str, several: &str) -> String {
    let word = if count == N::from(1) { one } else { several };
    format!("{count} {word}")
}

/// The same of a number in an answer.
pub fn counted_in(count: &Value, one: &str, several: &str) -> String {
    counted(count.as_i64().unwrap_or_default(), one, several)
}

/// A word of a command as a shell takes it for one.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.@+:/".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A moment to the second, in UTC.
pub fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_a_header_and_no_trailing_blanks() {
        let rows = [
            ["a".to_owned(), "first".to_owned()],
            ["bcd".to_owned(), String::new()],
        ];
        assert_eq!(table(["id", "name"], rows), "ID   NAME\na    first\nbcd");
    }

    #[test]
    fn one_is_not_several_and_words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(counted(1_u64, "user", "users"), "1 user");
        assert_eq!(counted(0_usize, "user", "users"), "0 users");
        assert_eq!(quoted("okta-1"), "okta-1");
        assert_eq!(quoted("Okta of Ann's"), r"'Okta of Ann'\''s'");
    }

    #[test]
    fn fields_line_up() {
        assert_eq!(fields(&[("id", "1"), ("token", "2")]), "id     1\ntoken  2");
    }
}
