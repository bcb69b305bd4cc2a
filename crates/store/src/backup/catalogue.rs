//! What there is to back up: the tables of a schema, as its migrations make them.
//!
//! They are read from an empty database in memory, so that no second list has to be kept, and both engines have one order.

use rusqlite::Connection;

use crate::StoreError;
use crate::migrate::{self, MIGRATIONS};
use crate::sqlite;

/// The table that the migrations keep for themselves.
const OWN: &str = "migration";

/// What lets somebody in for a while, and so is in no backup: what was ended or used since would be good again.
pub(super) const FLEETING: [&str; 6] = [
    "access_token",
    "administrator_session",
    "invitation",
    "setup_link",
    "sso_session",
    "unknown_name",
];

/// A table, with what a backup has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The places of the columns of its primary key, in that order.
    pub(super) key: Vec<usize>,
    /// Whether the engine gives its rows their numbers, and never one twice.
    pub(super) is_numbered: bool,
    /// The tables whose rows it names.
    needs: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
}

impl Table {
    /// Its columns, as a statement lists them.
    pub(super) fn list(&self) -> String {
        let names = self.columns.iter().map(|column| quoted(&column.name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The columns of its key, as a statement lists them.
    pub(super) fn key_list(&self) -> String {
        let names = self.key.iter().filter_map(|place| self.columns.get(*place));
        let names = names.map(|column| quoted(&column.name));
        names.collect::<Vec<_>>().join(", ")
    }
}

/// A name as both engines take it, whatever words they have for themselves.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The newest schema that this program knows.
pub(super) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |last| last.number)
}

/// The tables of a schema but for what the migrations keep for themselves, each behind those whose rows it names.
pub(super) fn tables(schema: i64) -> Result<Vec<Table>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::sql(error.to_string());
    let empty = Connection::open_in_memory().map_err(failed)?;
    for migration in MIGRATIONS.iter().filter(|one| one.number <= schema) {
        let text = migrate::in_words(migration.text, &sqlite::WORDS);
        empty.execute_batch(&text).map_err(failed)?;
    }
    let names: Vec<(String, String)> = rows(
        &empty,
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite#_%' ESCAPE '#' ORDER BY name",
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut found = Vec::new();
    for (name, text) in names.into_iter().filter(|(name, _)| name != OWN) {
        found.push(read(&empty, name, &text)?);
    }
    in_order(found)
}

fn read(empty: &Connection, name: String, text: &str) -> Result<Table, StoreError> {
    let described = format!("SELECT name, type, pk FROM pragma_table_info('{name}') ORDER BY cid");
    let described: Vec<(String, String, i64)> = rows(empty, &described, |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let mut key: Vec<(i64, usize)> = Vec::new();
    let mut columns = Vec::new();
    for (place, (column, kind, in_key)) in described.into_iter().enumerate() {
        if in_key > 0 {
            key.push((in_key, place));
        }
        let kind = match kind.as_str() {
            "INTEGER" | "BIGINT" => Kind::Number,
            "TEXT" => Kind::Text,
            _ => {
                return Err(StoreError::sql(format!(
                    "no backup knows the type {kind} of {name}.{column}"
                )));
            }
        };
        columns.push(Column { name: column, kind });
    }
    if key.is_empty() {
        return Err(StoreError::sql(format!("{name} has no key to go by")));
    }
    key.sort_unstable();
    let needs =
        format!("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list('{name}') ORDER BY 1");
    let needs: Vec<String> = rows(empty, &needs, |row| row.get(0))?;
    Ok(Table {
        key: key.into_iter().map(|(_, place)| place).collect(),
        is_numbered: text.contains("AUTOINCREMENT"),
        needs: needs.into_iter().filter(|needed| *needed != name).collect(),
        name,
        columns,
    })
}

/// Puts each table behind those that it needs; otherwise they stay in the order of their names.
fn in_order(mut left: Vec<Table>) -> Result<Vec<Table>, StoreError> {
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let is_there = |needed: &String| ordered.iter().any(|table| table.name == *needed);
        let next = left
            .iter()
            .position(|table| table.needs.iter().all(is_there));
        let Some(next) = next else {
            return Err(StoreError::sql("tables need each other in a circle"));
        };
        ordered.push(left.remove(next));
    }
    Ok(ordered)
}

fn rows<T>(
    empty: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let all = || -> rusqlite::Result<Vec<T>> { empty.prepare(sql)?.query_map([], read)?.collect() };
    all().map_err(|error| StoreError::sql(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_there_ever_was_can_be_read() {
        let mut before = Vec::new();
        for schema in 1..=newest() {
            let found = tables(schema).unwrap();
            for (place, table) in found.iter().enumerate() {
                let is_before =
                    |needed: &String| found[..place].iter().any(|one| one.name == *needed);
                assert!(table.needs.iter().all(is_before), "{}", table.name);
            }
            before = found;
        }
        let named = |name: &str| before.iter().find(|table| table.name == name);
        for name in FLEETING {
            assert!(named(name).is_some(), "{name}");
        }
        let membership = named("membership").unwrap();
        assert_eq!(membership.key_list(), "\"user_pk\", \"group_pk\"");
        assert!(!membership.is_numbered);
        assert!(named("source_user").unwrap().is_numbered);
    }

    #[test]
    fn what_is_left_out_is_needed_by_nothing_that_is_kept() {
        let found = tables(newest()).unwrap();
        let is_fleeting = |name: &str| FLEETING.contains(&name);
        for table in found.iter().filter(|table| !is_fleeting(&table.name)) {
            assert!(
                !table.needs.iter().any(|needed| is_fleeting(needed)),
                "{}",
                table.name
            );
        }
    }
}
