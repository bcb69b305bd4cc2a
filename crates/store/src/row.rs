//! A row of an answer, the same on both engines.

use jiff::Timestamp;
use rusqlite::types::ValueRef;

use crate::{StoreError, postgres};

/// One row; columns are counted from zero in the order of the statement.
pub enum Row<'r> {
    /// A row of the embedded engine.
    #[doc(hidden)]
    Sqlite(&'r rusqlite::Row<'r>),
    /// A row of PostgreSQL.
    #[doc(hidden)]
    Postgres(&'r tokio_postgres::Row),
}

/// A value of a row, borrowed from it.
pub(crate) enum Value<'r> {
    Null,
    Int(i64),
    Text(&'r str),
    Bytes(&'r [u8]),
}

impl<'r> Row<'r> {
    /// A number.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| missing(column))
    }

    /// A number, if there is one.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(value)),
            _ => Err(mistyped(column, "a number")),
        }
    }

    /// A flag: a number other than zero.
    pub fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    /// A time kept as microseconds since 1970.
    pub fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        self.opt_time(column)?.ok_or_else(|| missing(column))
    }

    /// A time, if there is one.
    pub fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        self.opt_int(column)?
            .map(|micros| {
                Timestamp::from_microsecond(micros)
                    .map_err(|_out_of_range| mistyped(column, "a time"))
            })
            .transpose()
    }

    /// A text.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        self.str(column).map(str::to_owned)
    }

    /// A text, if there is one.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(self.opt_str(column)?.map(str::to_owned))
    }

    /// A text, borrowed from the row.
    pub fn str(&self, column: usize) -> Result<&'r str, StoreError> {
        self.opt_str(column)?.ok_or_else(|| missing(column))
    }

    /// A text, if there is one, borrowed from the row.
    pub fn opt_str(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(mistyped(column, "a text")),
        }
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self.value(column)? {
            Value::Null => Err(missing(column)),
            Value::Bytes(bytes) => Ok(bytes.to_vec()),
            _ => Err(mistyped(column, "bytes")),
        }
    }

    pub(crate) fn value(&self, column: usize) -> Result<Value<'r>, StoreError> {
        match self {
            Self::Sqlite(row) => {
                let value = row
                    .get_ref(column)
                    .map_err(|error| StoreError::sql(error.to_string()))?;
                Ok(match value {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(value) => Value::Int(value),
                    ValueRef::Text(text) => Value::Text(
                        std::str::from_utf8(text)
                            .map_err(|_not_utf8| mistyped(column, "a text in UTF-8"))?,
                    ),
                    ValueRef::Blob(bytes) => Value::Bytes(bytes),
                    ValueRef::Real(_) => {
                        return Err(mistyped(column, "of a type that the schema uses"));
                    }
                })
            }
            Self::Postgres(row) => postgres::value(row, column),
        }
    }
}

fn missing(column: usize) -> StoreError {
    StoreError::corrupt(format!("column {column} of an answer is empty"))
}

fn mistyped(column: usize, wanted: &str) -> StoreError {
    StoreError::corrupt(format!("column {column} of an answer is not {wanted}"))
}
