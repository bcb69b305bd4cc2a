//! Statements on a connection of the embedded engine, and its errors in our words.

use std::collections::HashMap;
use std::ops::ControlFlow;

use memchr::memchr_iter;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ToSql, ffi};

use crate::conn::{EachRow, RETURNING_PK};
use crate::{Arg, Row, StoreError};

/// A connection inside a transaction.
pub(crate) struct Session<'c> {
    connection: &'c Connection,
    rules: &'c Rules,
}

impl<'c> Session<'c> {
    pub(crate) fn new(connection: &'c Connection, rules: &'c Rules) -> Self {
        Self { connection, rules }
    }

    /// Carries out a statement that is not part of a closure, such as BEGIN.
    pub(super) fn run(&self, sql: &str) -> Result<(), StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| self.error(&error))?;
        statement
            .raw_execute()
            .map_err(|error| self.error(&error))?;
        Ok(())
    }

    pub(crate) fn rows(
        &self,
        sql: &str,
        args: &[Arg<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        let mut statement = self.prepared(sql, args)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(|error| self.error(&error))? {
            if each(&Row::Sqlite(row)) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    /// Carries out several statements without arguments.
    pub(crate) fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.connection
            .execute_batch(sql)
            .map_err(|error| self.error(&error))
    }

    pub(crate) fn execute(&self, sql: &str, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.prepared(sql, args)?;
        let touched = statement
            .raw_execute()
            .map_err(|error| self.error(&error))?;
        Ok(touched as u64)
    }

    /// The engine knows the number of the row it inserted last; RETURNING would cost it a table of its own.
    pub(crate) fn insert(&self, sql: &str, args: &[Arg<'_>]) -> Result<Option<i64>, StoreError> {
        let touched = self.execute(sql.strip_suffix(RETURNING_PK).unwrap_or(sql), args)?;
        Ok((touched == 1).then(|| self.connection.last_insert_rowid()))
    }

    fn prepared(&self, sql: &str, args: &[Arg<'_>]) -> Result<CachedStatement<'c>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| self.error(&error))?;
        if statement.parameter_count() != args.len() {
            return Err(StoreError::sql(format!(
                "{} arguments for {} places: {sql}",
                args.len(),
                statement.parameter_count()
            )));
        }
        let in_order = places_in_order(sql) == Some(args.len());
        for (index, arg) in args.iter().enumerate() {
            let place = match in_order {
                true => index + 1,
                false => place_of(&statement, index + 1)?,
            };
            statement
                .raw_bind_parameter(place, arg)
                .map_err(|error| self.error(&error))?;
        }
        Ok(statement)
    }

    fn error(&self, error: &rusqlite::Error) -> StoreError {
        error_of(error, Some(self.rules))
    }
}

/// How many places a text has, if each has the number that the engine gives it. To ask the engine for the name of one
/// costs the more, the more places there are.
fn places_in_order(sql: &str) -> Option<usize> {
    let mut count = 0;
    for sign in memchr_iter(b'$', sql.as_bytes()) {
        let text = sql.get(sign + 1..)?;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        match text.get(..digits)?.parse() {
            Ok(number) if number == count + 1 => count = number,
            Ok(number) if (1..=count).contains(&number) => {}
            _ => return None,
        }
    }
    Some(count)
}

/// The engine's own number of the place `$number`: it counts places as they first appear in the text.
fn place_of(statement: &CachedStatement<'_>, number: usize) -> Result<usize, StoreError> {
    let is_number = |name: Option<&str>| {
        name.and_then(|name| name.strip_prefix('$'))
            .and_then(|digits| digits.parse().ok())
            == Some(number)
    };
    if is_number(statement.parameter_name(number)) {
        return Ok(number);
    }
    (1..=statement.parameter_count())
        .find(|place| is_number(statement.parameter_name(*place)))
        .ok_or_else(|| StoreError::sql(format!("a statement has no place ${number}")))
}

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Arg::Null => ValueRef::Null,
            Arg::Int(value) => ValueRef::Integer(*value),
            Arg::Text(text) => ValueRef::Text(text.as_bytes()),
            Arg::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The unique rules of the schema by the columns that the engine names when one is broken.
#[derive(Default)]
pub(crate) struct Rules {
    by_columns: HashMap<String, String>,
}

impl Rules {
    /// Reads the rules from the schema.
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let read = || -> rusqlite::Result<Vec<(String, String, String, String)>> {
            connection
                .prepare(
                    "SELECT t.name, i.name, i.origin, \
                     (SELECT group_concat(c.name, ', ') FROM \
                       (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) AS c) \
                     FROM sqlite_schema AS t, pragma_index_list(t.name) AS i \
                     WHERE t.type = 'table' AND i.\"unique\" = 1 ORDER BY t.name, i.seq",
                )?
                .query_map([], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect()
        };
        let mut by_columns = HashMap::new();
        for (table, index, origin, columns) in read().map_err(|error| error_of(&error, None))? {
            let columns: Vec<&str> = columns.split(", ").collect();
            let named: Vec<String> = columns
                .iter()
                .map(|column| format!("{table}.{column}"))
                .collect();
            let name = match origin.as_str() {
                "pk" => format!("{table}_pkey"),
                "u" => format!("{table}_{}_key", columns.join("_")),
                _ => index,
            };
            by_columns.insert(named.join(", "), name);
        }
        Ok(Self { by_columns })
    }

    /// The name of the broken rule, from the engine's words.
    fn name_of(&self, words: &str) -> String {
        let what = words.rsplit_once(": ").map_or(words, |(_, what)| what);
        if let Some(index) = what.strip_prefix("index '") {
            return index.trim_end_matches('\'').to_owned();
        }
        self.by_columns.get(what).cloned().unwrap_or_else(|| {
            // The number of a row has no index of its own.
            let table = what.split('.').next().unwrap_or(what);
            format!("{table}_pkey")
        })
    }
}

/// An error of the engine in our words.
pub(super) fn error_of(error: &rusqlite::Error, rules: Option<&Rules>) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, words) = error else {
        return StoreError::sql(error.to_string());
    };
    let words = words.clone().unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::ConstraintViolation => conflict(failure.extended_code, words, rules),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::DiskFull => StoreError::DiskFull,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::corrupt(words),
        ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            StoreError::DiskFull
        }
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::FileLockingProtocolFailed => StoreError::unavailable(words),
        _ => StoreError::Sql {
            what: words,
            source: None,
        },
    }
}

fn conflict(extended: i32, words: String, rules: Option<&Rules>) -> StoreError {
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => {
            let constraint = rules.map_or(words.clone(), |rules| rules.name_of(&words));
            StoreError::Conflict { constraint }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::Conflict {
            constraint: "foreign_key".to_owned(),
        },
        _ => StoreError::sql(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_engine_counts_alike_is_in_order() {
        for (sql, count) in [
            ("SELECT 1", Some(0)),
            ("SELECT $1, $2, $1, $12", None),
            ("SELECT $1 WHERE a = $2 OR b = $1 OR c IN ($3,$4)", Some(4)),
            ("SELECT $2, $1", None),
            ("SELECT '$', $1", None),
            ("SELECT $0", None),
            ("SELECT $1, $99999999999999999999999", None),
        ] {
            assert_eq!(places_in_order(sql), count, "{sql}");
        }
    }
}
