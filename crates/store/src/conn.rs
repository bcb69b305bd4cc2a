//! The seam: what a transaction asks of an engine.

use std::ops::ControlFlow;

use memchr::memchr;

use crate::migrate::Words;
use crate::{Arg, Row, StoreError, postgres, sqlite};

/// How an insertion asks for the number of its row.
pub(crate) const RETURNING_PK: &str = " RETURNING pk";

/// An open transaction on either engine.
pub(crate) enum Conn<'c> {
    Sqlite(sqlite::Session<'c>),
    Postgres(postgres::Session<'c>),
}

/// What is done with each row; it can ask for no more rows.
pub(crate) type EachRow<'f> = &'f mut dyn FnMut(&Row<'_>) -> ControlFlow<()>;

impl Conn<'_> {
    /// Hands over the rows of an answer, one by one.
    pub(crate) fn rows(
        &self,
        sql: &str,
        args: &[Arg<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        refuse_nul(args)?;
        match self {
            Self::Sqlite(session) => session.rows(sql, args, each),
            Self::Postgres(session) => session.rows(sql, args, each),
        }
    }

    /// The first row of an answer. On PostgreSQL this is one exchange where [`Conn::rows`] is two.
    pub(crate) fn first_row(
        &self,
        sql: &str,
        args: &[Arg<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        refuse_nul(args)?;
        match self {
            Self::Sqlite(session) => session.rows(sql, args, each),
            Self::Postgres(session) => session.all_rows(sql, args, each),
        }
    }

    /// Carries out an insertion of one row that ends in [`RETURNING_PK`]; gives its number.
    pub(crate) fn insert(&self, sql: &str, args: &[Arg<'_>]) -> Result<Option<i64>, StoreError> {
        refuse_nul(args)?;
        match self {
            Self::Sqlite(session) => session.insert(sql, args),
            Self::Postgres(session) => {
                let mut number = None;
                session.all_rows(sql, args, &mut |row| {
                    number = Some(row.int(0));
                    ControlFlow::Break(())
                })?;
                number.transpose()
            }
        }
    }

    /// Carries out several statements without arguments.
    pub(crate) fn script(&self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(session) => session.script(sql),
            Self::Postgres(session) => session.script(sql),
        }
    }

    /// The engine's words for what the engines have no common word for.
    pub(crate) fn words(&self) -> &'static Words {
        match self {
            Self::Sqlite(_) => &sqlite::WORDS,
            Self::Postgres(_) => &postgres::WORDS,
        }
    }

    /// Carries out a statement without an answer; gives the number of rows it touched.
    pub(crate) fn execute(&self, sql: &str, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        refuse_nul(args)?;
        match self {
            Self::Sqlite(session) => session.execute(sql, args),
            Self::Postgres(session) => session.execute(sql, args),
        }
    }
}

/// PostgreSQL cannot keep a NUL in a text; so that both engines keep the same, none does.
fn refuse_nul(args: &[Arg<'_>]) -> Result<(), StoreError> {
    let has_nul =
        |arg: &Arg<'_>| matches!(arg, Arg::Text(text) if memchr(0, text.as_bytes()).is_some());
    if args.iter().any(has_nul) {
        return Err(StoreError::sql(
            "a text with the character NUL cannot be stored",
        ));
    }
    Ok(())
}
