//! Raw statements, for the tests of this crate alone: they try the engines where no use case goes.

use crate::{Arg, ReadTx, RequestQuery, Row, Sql, StoreError, WriteTx};

/// The statement that lists records of requests.
pub fn statement_of(query: &RequestQuery) -> Sql {
    query.sql()
}

/// [`ReadTx::query`] and its kin from outside.
pub trait RawRead {
    /// The rows of an answer.
    fn raw_query<T>(
        &self,
        sql: &str,
        args: Vec<Arg<'_>>,
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError>;

    /// The rows of an answer, one by one.
    fn raw_for_each(
        &self,
        sql: &str,
        args: Vec<Arg<'_>>,
        each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// The number in the first row of an answer.
    fn raw_number(&self, sql: &str, args: Vec<Arg<'_>>) -> Result<i64, StoreError> {
        let found = self.raw_query(sql, args, |row| row.int(0))?;
        found
            .first()
            .copied()
            .ok_or_else(|| StoreError::sql("no row"))
    }
}

impl RawRead for ReadTx<'_> {
    fn raw_query<T>(
        &self,
        sql: &str,
        args: Vec<Arg<'_>>,
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.query(sql, args, read)
    }

    fn raw_for_each(
        &self,
        sql: &str,
        args: Vec<Arg<'_>>,
        each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.for_each(sql, args, each)
    }
}

/// [`WriteTx::execute`] from outside.
pub trait RawWrite {
    /// Carries out a statement; gives the number of rows it touched.
    fn raw_execute(&self, sql: &str, args: Vec<Arg<'_>>) -> Result<u64, StoreError>;
}

impl RawWrite for WriteTx<'_> {
    fn raw_execute(&self, sql: &str, args: Vec<Arg<'_>>) -> Result<u64, StoreError> {
        self.execute(sql, args)
    }
}
