//! What is remembered: the only SQL. Two engines behind one transaction type.
//!
//! A use case is a closure over a transaction: `store.write(scope, |tx| ...)`, `store.read(|tx| ...)`. It may be run more
//! than once before it succeeds, so it changes nothing but the transaction, and it cannot wait for anything
//! remote, because it is not asynchronous. When `write` returns `Ok`, everything is durable.

mod arg;
mod conn;
mod database;
mod environment;
mod error;
mod guard;
mod migrate;
mod pool;
mod postgres;
mod row;
mod sql;
mod sqlite;
mod store;
mod tx;

#[doc(hidden)]
pub mod probe;

pub use arg::Arg;
pub use database::Database;
pub use environment::Environment;
pub use error::StoreError;
pub use row::Row;
pub use sql::Sql;
pub use store::{OpenMode, Store};
pub use tx::{ReadTx, Scope, WriteTx};
