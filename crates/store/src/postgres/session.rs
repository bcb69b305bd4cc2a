//! Statements inside a transaction.

use std::cell::Cell;
use std::ops::ControlFlow;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Statement, Transaction};

use super::connection::Line;
use super::fault::{Again, Fault};
use crate::conn::EachRow;
use crate::{Arg, Row, StoreError};

/// Rows that are fetched at a time when an answer is streamed.
const CHUNK: i32 = 1_000;

/// An open transaction.
pub(crate) struct Session<'c> {
    transaction: &'c Transaction<'c>,
    line: &'c Line<'c>,
    /// Whether the error of a statement asks for another try.
    again: &'c Cell<Option<Again>>,
}

impl<'c> Session<'c> {
    pub(super) fn new(
        transaction: &'c Transaction<'c>,
        line: &'c Line<'c>,
        again: &'c Cell<Option<Again>>,
    ) -> Self {
        Self {
            transaction,
            line,
            again,
        }
    }

    /// The whole answer in one exchange.
    pub(crate) fn all_rows(
        &self,
        sql: &str,
        args: &[Arg<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        let statement = self.prepared(sql)?;
        let rows = self.run(self.transaction.query(&statement, &parameters(args)))?;
        for row in &rows {
            if each(&Row::Postgres(row)) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    /// The answer in pieces, between which other statements may run.
    pub(crate) fn rows(
        &self,
        sql: &str,
        args: &[Arg<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        let statement = self.prepared(sql)?;
        let portal = self.run(self.transaction.bind(&statement, &parameters(args)))?;
        loop {
            let rows = self.run(self.transaction.query_portal(&portal, CHUNK))?;
            for row in &rows {
                if each(&Row::Postgres(row)) == ControlFlow::Break(()) {
                    return Ok(());
                }
            }
            if rows.len() < CHUNK as usize {
                return Ok(());
            }
        }
    }

    pub(crate) fn execute(&self, sql: &str, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        let statement = self.prepared(sql)?;
        self.run(self.transaction.execute(&statement, &parameters(args)))
    }

    /// Carries out several statements without arguments, however long they take.
    pub(crate) fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.line
            .run_patiently(self.transaction.batch_execute(sql))
            .map_err(|fault| self.error(fault))
    }

    fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        let kept = self.line.statements.borrow().get(sql).cloned();
        if let Some(statement) = kept {
            return Ok(statement);
        }
        let statement = self.run(self.transaction.prepare(sql))?;
        self.line.keep(sql, &statement);
        Ok(statement)
    }

    fn run<T>(&self, exchange: impl Future<Output = Result<T, Error>>) -> Result<T, StoreError> {
        self.line.run(exchange).map_err(|fault| self.error(fault))
    }

    fn error(&self, fault: Fault) -> StoreError {
        self.again.set(fault.again());
        fault.into_error()
    }
}

fn parameters<'p>(args: &'p [Arg<'_>]) -> Vec<&'p (dyn ToSql + Sync)> {
    args.iter().map(|arg| arg as &(dyn ToSql + Sync)).collect()
}
