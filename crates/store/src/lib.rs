//! What is remembered: the only SQL. Two engines behind one transaction type.
//!
//! A use case is a closure over a transaction: `store.write(scope, |tx| ...)`, `store.read(|tx| ...)`. It may be run more
//! than once before it succeeds, so it changes nothing but the transaction, and it cannot wait for anything
//! remote, because it is not asynchronous. When `write` returns `Ok`, everything is durable.

mod accounts;
mod applications;
mod arg;
mod clients;
mod conn;
mod connectors;
mod counts;
mod database;
mod directory_groups;
mod directory_users;
mod due;
mod environment;
mod error;
mod filter_plan;
mod guard;
mod journal;
mod list;
mod list_order;
mod list_read;
mod list_sorted;
mod local_users;
mod migrate;
mod nesting;
mod overlay;
mod pool;
mod postgres;
mod requests;
mod row;
mod schemas;
mod sessions;
mod sign_in;
mod source;
mod source_groups;
mod source_members;
mod source_nesting;
mod sql;
mod sqlite;
mod store;
mod tokens;
mod tx;
mod waiting;
mod webhooks;

#[doc(hidden)]
pub mod probe;

pub use accounts::{AccountOwner, StoredAccount};
pub use applications::{Access, Application, AttachedDirectory, Mapping};
pub use arg::Arg;
pub use clients::{AccessToken, Client, ClientSecret};
pub use connectors::{Directory, SourceCounts, StoredConnector};
pub use counts::StoreCounts;
pub use database::Database;
pub use directory_groups::MembershipItem;
pub use directory_users::Attribute;
pub use due::DueUser;
pub use environment::Environment;
pub use error::StoreError;
pub use filter_plan::{FilterPlan, Listed};
pub use journal::{JournalEntry, JournalQuery, Subject, Touched};
pub use list::{
    Hint, ListError, ListPart, ListRequest, Page, Position, SORTED_MAX, SourceItem, Window,
};
pub use local_users::LocalPassword;
pub use nesting::{Neighbours, NestedGroup};
pub use requests::{RequestQuery, RequestRecord};
pub use row::Row;
pub use schemas::{Of, StoredSchema};
pub use sessions::{Factors, Session};
pub use sign_in::SignInSettings;
pub use source::{GroupReference, SourceUser};
pub use source_groups::SourceGroup;
pub use source_members::{MemberChange, MemberKind, SourceMember};
pub use source_nesting::DueNesting;
pub use sql::Sql;
pub use store::{OpenMode, Store};
pub use tokens::{Grant, Token, TokenKind, token_hash};
pub use tx::{ReadTx, Scope, WriteTx};
pub use waiting::{NameConflict, PendingMember};
pub use webhooks::{Positions, Webhook};
