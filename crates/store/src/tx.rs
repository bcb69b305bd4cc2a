//! The doors to memory: a transaction that reads, and one that writes as well.

use std::cell::RefCell;
use std::ops::{ControlFlow, Deref, DerefMut};

use jiff::Timestamp;
use uuid::Uuid;

use crate::conn::{Conn, EachRow};
use crate::counts::Counts;
use crate::{Arg, Environment, MemoryUse, Row, StoreError, postgres};

/// Which writers have to wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything that changes a directory or the sources that feed it. Writers of one directory
    /// are serial: each sees what the one before it left, and journal numbers grow in commit order.
    Directory(directory::DirectoryId),
    /// Connectors, tokens, applications and other settings.
    Settings,
    /// The record of requests, which nobody has to wait for.
    Record,
}

/// A transaction that reads one consistent state.
///
/// A statement that fails dooms its transaction, alike on both engines: every statement
/// after it fails with the same error, and what the transaction wrote is rolled back even if its closure
/// ignores the error.
pub struct ReadTx<'c> {
    conn: Conn<'c>,
    environment: &'c Environment,
    counts: &'c Counts,
    now: Timestamp,
    failed: RefCell<Option<StoreError>>,
}

/// A transaction that reads and writes; what it reads includes what it wrote.
pub struct WriteTx<'c> {
    read: ReadTx<'c>,
}

impl<'c> ReadTx<'c> {
    pub(crate) fn new(conn: Conn<'c>, environment: &'c Environment, counts: &'c Counts) -> Self {
        Self {
            conn,
            environment,
            counts,
            now: environment.moment(),
            failed: RefCell::new(None),
        }
    }

    /// The engine's side of it.
    pub(crate) fn conn(&self) -> &Conn<'c> {
        &self.conn
    }

    /// The moment at which this transaction began: one and the same for all that it does.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A new random id.
    pub fn new_id(&self) -> Uuid {
        (self.environment.new_id)()
    }

    /// A new id of something of which there are many: ids of one time lie side by side in an index.
    pub(crate) fn new_id_in_order(&self) -> Uuid {
        self.environment.id_in_order(self.now)
    }

    /// The memory of this process, where that can be known.
    pub fn memory(&self) -> Option<MemoryUse> {
        (self.environment.memory)()
    }

    /// All rows of an answer.
    pub(crate) fn query<'a, T>(
        &self,
        sql: &str,
        args: impl AsRef<[Arg<'a>]>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.for_each(sql, args, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The first row of an answer, if there is one.
    pub(crate) fn query_one<'a, T>(
        &self,
        sql: &str,
        args: impl AsRef<[Arg<'a>]>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.guarded(|conn| {
            conn.first_row(sql, args.as_ref(), &mut |row| {
                found = Some(read(row));
                ControlFlow::Break(())
            })
        })?;
        found.transpose()
    }

    /// Hands over the rows of an answer one by one. Other statements of the same transaction may run inside.
    pub(crate) fn for_each<'a>(
        &self,
        sql: &str,
        args: impl AsRef<[Arg<'a>]>,
        each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.stream(sql, args, each)
    }

    /// [`ReadTx::for_each`] for an `each` that fails with an error of its own, and so ends the answer.
    pub(crate) fn stream<'a, E: From<StoreError>>(
        &self,
        sql: &str,
        args: impl AsRef<[Arg<'a>]>,
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut outcome = Ok(());
        let mut step = |row: &Row<'_>| match each(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                outcome = Err(error);
                ControlFlow::Break(())
            }
        };
        let step: EachRow<'_> = &mut step;
        self.guarded(|conn| conn.rows(sql, args.as_ref(), step))?;
        outcome
    }

    /// The error of the statement that doomed this transaction.
    pub(crate) fn failure(&self) -> Option<StoreError> {
        self.failed.borrow().clone()
    }

    /// Runs a statement unless an earlier one failed.
    fn guarded<T>(
        &self,
        run: impl FnOnce(&Conn<'c>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        self.counts.statement();
        run(&self.conn).inspect_err(|error| {
            *self.failed.borrow_mut() = Some(error.clone());
        })
    }
}

impl<'c> WriteTx<'c> {
    pub(crate) fn new(conn: Conn<'c>, environment: &'c Environment, counts: &'c Counts) -> Self {
        Self {
            read: ReadTx::new(conn, environment, counts),
        }
    }

    /// Carries out a statement; gives the number of rows it touched.
    pub(crate) fn execute<'a>(
        &self,
        sql: &str,
        args: impl AsRef<[Arg<'a>]>,
    ) -> Result<u64, StoreError> {
        self.guarded(|conn| conn.execute(sql, args.as_ref()))
    }

    /// Carries out several statements without arguments, however long they take.
    pub(crate) fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.guarded(|conn| conn.script(sql))
    }

    /// Waits for the writers of a further scope, and keeps them waiting to the end of this transaction. So that no two wait
    /// for each other, whoever joins begins with [`Scope::Settings`] and takes directories in the order of their numbers.
    pub fn join(&self, scope: Scope) -> Result<(), StoreError> {
        match self.conn {
            // There one thread writes, and nobody else.
            Conn::Sqlite(_) => Ok(()),
            Conn::Postgres(_) => postgres::lock(self, scope),
        }
    }

    /// Runs a part of the transaction that can fail by itself: with its error, what it wrote is taken back, and
    /// the transaction goes on. The outer error is that of a failed statement, which dooms the whole transaction.
    pub fn attempt<T, E>(
        &self,
        part: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<Result<T, E>, StoreError> {
        self.execute("SAVEPOINT part", crate::args![])?;
        let outcome = part(self);
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        if outcome.is_err() {
            self.execute("ROLLBACK TO SAVEPOINT part", crate::args![])?;
        }
        self.execute("RELEASE SAVEPOINT part", crate::args![])?;
        Ok(outcome)
    }

    /// Carries out an insertion that ends in `RETURNING pk`; gives that number. Not for one that may change a row
    /// which is there already: its number would be another's.
    pub(crate) fn insert<'a>(
        &self,
        sql: &str,
        args: impl AsRef<[Arg<'a>]>,
    ) -> Result<i64, StoreError> {
        debug_assert!(!sql.contains("ON CONFLICT"), "{sql}");
        self.guarded(|conn| conn.insert(sql, args.as_ref()))?
            .ok_or_else(|| StoreError::sql("an insertion gave no number back"))
    }
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &ReadTx<'c> {
        &self.read
    }
}

impl<'c> DerefMut for WriteTx<'c> {
    fn deref_mut(&mut self) -> &mut ReadTx<'c> {
        &mut self.read
    }
}
