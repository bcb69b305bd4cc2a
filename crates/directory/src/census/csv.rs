//! A census as CSV (RFC 4180): one person a line, the columns named by the first.

use super::{Census, CensusFault, CopiedUser, FAULTS_MAX};

/// Between several groups, or several values, in one cell.
const SEPARATOR: char = '|';
const COLUMNS: &str =
    "username, first_name, last_name, display_name, email, active, groups and attr:NAME";

enum Column {
    Username,
    FirstName,
    LastName,
    DisplayName,
    Email,
    Active,
    Groups,
    Attribute(String),
}

pub(super) fn read(text: &str) -> Result<Census, Vec<CensusFault>> {
    let text = text.trim_start_matches('\u{feff}');
    let records = records(text)?;
    let mut records = records.into_iter();
    let Some((_, header)) = records.next() else {
        let remedy = format!("begin with a line that names the columns: {COLUMNS}");
        return Err(vec![CensusFault::new("line 1", "is missing", remedy)]);
    };
    let columns = columns(&header)?;
    let mut faults = Vec::new();
    let mut users = Vec::new();
    for (line, record) in records {
        match user(&columns, &record, line) {
            Ok(user) => users.push(user),
            Err(fault) => faults.push(fault),
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    match faults.is_empty() {
        true => Ok(Census {
            users,
            groups: Vec::new(),
        }),
        false => Err(faults),
    }
}

fn columns(header: &[String]) -> Result<Vec<Column>, Vec<CensusFault>> {
    let mut faults = Vec::new();
    let mut columns = Vec::new();
    for title in header {
        match column(title.trim()) {
            Some(column) => columns.push(column),
            None => faults.push(CensusFault::new(
                "line 1",
                format!("there is no column '{}'", scim::name::echo(title.trim())),
                format!("columns are {COLUMNS}"),
            )),
        }
    }
    if faults.is_empty() && !columns.iter().any(|it| matches!(it, Column::Username)) {
        faults.push(CensusFault::new(
            "line 1",
            "there is no column username",
            "add it; it is the one column that is needed",
        ));
    }
    match faults.is_empty() {
        true => Ok(columns),
        false => Err(faults),
    }
}

fn column(title: &str) -> Option<Column> {
    Some(match title.to_ascii_lowercase().as_str() {
        "username" | "name" => Column::Username,
        "first_name" => Column::FirstName,
        "last_name" => Column::LastName,
        "display_name" => Column::DisplayName,
        "email" => Column::Email,
        "active" => Column::Active,
        "groups" => Column::Groups,
        lower => {
            lower.strip_prefix("attr:").filter(|it| !it.is_empty())?;
            Column::Attribute(title.get("attr:".len()..)?.to_owned())
        }
    })
}

fn user(columns: &[Column], record: &[String], line: usize) -> Result<CopiedUser, CensusFault> {
    let place = || format!("line {line}");
    if record.len() != columns.len() {
        return Err(CensusFault::new(
            place(),
            format!("has {} cells, not {}", record.len(), columns.len()),
            "give every column a cell, and put cells with a separator or a line break in quotes",
        ));
    }
    let mut user = CopiedUser::new("");
    for (column, cell) in columns.iter().zip(record) {
        let text = cell.trim();
        match column {
            Column::Username => text.clone_into(&mut user.name),
            Column::FirstName => text.clone_into(&mut user.first_name),
            Column::LastName => text.clone_into(&mut user.last_name),
            Column::DisplayName => text.clone_into(&mut user.display_name),
            Column::Email => text.clone_into(&mut user.email),
            Column::Active => {
                user.active = truth(text).ok_or_else(|| {
                    let message = format!("active is '{}'", scim::name::echo(text));
                    CensusFault::new(place(), message, "write true or false")
                })?;
            }
            Column::Groups => user.groups.extend(parts(text)),
            Column::Attribute(name) => {
                let values: Vec<String> = parts(text).collect();
                if !values.is_empty() {
                    user.attributes.insert(name.clone(), values);
                }
            }
        }
    }
    Ok(user)
}

fn parts(cell: &str) -> impl Iterator<Item = String> {
    let parts = cell.split(SEPARATOR).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned)
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "" | "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// The records with the line each begins in. The separator is a comma, or a semicolon if the first line has no
/// comma, as some programs write it.
pub fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, Vec<CensusFault>> {
    let first = text.lines().next().unwrap_or_default();
    let separator = match first.contains(',') {
        true => ',',
        false => ';',
    };
    let mut records = Vec::new();
    let (mut record, mut cell) = (Vec::new(), String::new());
    let (mut line, mut begun, mut quoted) = (1, 1, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            '\n' if quoted => {
                line += 1;
                cell.push(c);
            }
            _ if quoted => cell.push(c),
            c if c == separator => record.push(std::mem::take(&mut cell)),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                record.push(std::mem::take(&mut cell));
                push(&mut records, begun, std::mem::take(&mut record));
                line += 1;
                begun = line;
            }
            c => cell.push(c),
        }
    }
    if quoted {
        return Err(vec![CensusFault::new(
            format!("line {begun}"),
            "a quotation mark is never closed",
            "close it; inside of quotes, write a quotation mark twice",
        )]);
    }
    record.push(cell);
    push(&mut records, begun, record);
    Ok(records)
}

fn push(records: &mut Vec<(usize, Vec<String>)>, line: usize, record: Vec<String>) {
    let is_blank = record.iter().all(|cell| cell.trim().is_empty());
    if !is_blank {
        records.push((line, record));
    }
}
