//! What is remembered: the only SQL. Two engines behind one transaction type.
//!
//! A use case is a closure over a transaction: `store.write(scope, |tx| ...)`, `store.read(|tx| ...)`. It may be run more
//! than once before it succeeds, so it changes nothing but the transaction, and it cannot wait for anything
//! remote, because it is not asynchronous. When `write` returns `Ok`, everything is durable.

mod accounts;
mod administrator_sessions;
mod administrators;
mod applications;
mod arg;
mod attempts;
mod audit;
mod backup;
mod clients;
mod conn;
mod connectors;
mod contributions;
mod counts;
mod database;
mod departed;
mod directory_groups;
mod directory_users;
mod due;
mod due_groups;
mod environment;
mod error;
mod ever;
mod filter_plan;
mod former_names;
mod group_standing;
mod guard;
mod hold_decisions;
mod holds;
mod imports;
mod jobs;
mod journal;
mod journal_names;
mod journal_past;
mod limits;
mod list;
mod list_order;
mod list_read;
mod list_sorted;
mod local_users;
mod look_ups;
mod migrate;
mod nesting;
mod notifications;
mod notified;
mod overlay;
mod overrides;
mod overview;
mod people_search;
mod pool;
mod postgres;
mod previews;
mod pulse;
mod release;
mod requests;
mod rights;
mod row;
mod rules_versions;
mod schemas;
mod second_factor;
mod sessions;
mod settings;
mod setup_links;
mod sign_in;
mod source;
mod source_groups;
mod source_members;
mod source_nesting;
mod source_people;
mod sql;
mod sqlite;
mod sticky;
mod store;
mod subjects;
mod subscriptions;
mod suppressed;
mod tokens;
mod tx;
mod undo_users;
mod value_errors;
mod waiting;
mod webhooks;

#[doc(hidden)]
pub mod probe;

pub use accounts::{AccountOwner, StoredAccount};
pub use administrator_sessions::{AdministratorSession, Browser, SentForm, Stage};
pub use administrators::{Administrator, AdministratorLock, Invitation, Role};
pub use applications::{Application, AttachedDirectory, Mapping};
pub use arg::Arg;
pub use attempts::Attempts;
pub use audit::{ActorKind, AuditBegun, AuditDraft, AuditEntry, AuditQuery, AuditTarget};
pub use backup::{
    BackupContent, BackupError, BackupHead, Restored, restore as restore_backup,
    verify as verify_backup, verify_as_it_comes as verify_backup_as_it_comes,
};
pub use clients::{AccessToken, Client, ClientSecret};
pub use connectors::{ConnectorTimes, Directory, SourceCounts, StoredConnector};
pub use contributions::StoredContribution;
pub use counts::StoreCounts;
pub use database::Database;
pub use departed::Departed;
pub use directory::{Access, SignInSettings};
pub use directory_groups::MembershipItem;
pub use directory_users::Attribute;
pub use due::{Claim, DueAccount, DueUser};
pub use due_groups::{DueGroup, GroupTask};
pub use environment::{Environment, MemoryUse};
pub use error::StoreError;
pub use ever::GroupEver;
pub use filter_plan::{FilterPlan, Listed};
pub use former_names::{FormerHolder, FormerName, NameStanding};
pub use group_standing::{ConnectorGroup, GroupStanding, MemberComparison, StandingFilter};
pub use hold_decisions::{HoldChoice, HoldFigures};
pub use holds::{HoldDraft, HoldQuery, StoredHold};
pub use imports::{Import, ImportState};
pub use jobs::{Job, JobMemory, JobQuery, JobWork, NewJob};
pub use journal::{JournalEntry, JournalQuery, Subject, Touched};
pub use journal_names::EntryNames;
pub use journal_past::JournalSelection;
pub use limits::{Passed, PassedByAll, PassedQuery};
pub use list::{
    Hint, ListError, ListPart, ListRequest, Page, Position, SORTED_MAX, SourceItem, Window,
};
pub use local_users::KeptPassword;
pub use nesting::{Neighbours, NestedGroup};
pub use notifications::{Channel, ChannelDraft};
pub use notified::{
    FailedEvaluations, FailedWork, FailingWebhook, NewerToken, OpenConflicts, OpenGroups,
    OpenHolds, TokenEnding,
};
pub use overrides::StoredOverride;
pub use overview::DirectoryCounts;
pub use previews::{ItemQuery, NewPreview, PreviewItem, PreviewState, StoredPreview};
pub use pulse::Pulse;
pub use release::{AccountCounts, Onlooker};
pub use requests::{RequestQuery, RequestRecord};
pub use rights::Rights;
pub use row::Row;
pub use rules_versions::{DataState, RulesVersion};
pub use schemas::{Of, StoredSchema};
pub use second_factor::SecondFactor;
pub use sessions::{Factors, Session};
pub use setup_links::SetupLink;
pub use source::{GroupReference, SourceUser};
pub use source_groups::SourceGroup;
pub use source_members::{MemberChange, MemberKind, SourceMember};
pub use source_nesting::DueNesting;
pub use source_people::{SourcePeople, SourcePerson};
pub use sql::Sql;
pub use sticky::StickyUser;
pub use store::{OpenMode, Store};
pub use subjects::{StoredSubject, SubjectReader};
pub use subscriptions::{Batch, Delivery, DeliveryState, Subscription, SubscriptionDraft};
pub use suppressed::{SuppressedPlace, SuppressedUser};
pub use tokens::{Grant, Token, TokenKind, token_hash};
pub use tx::{ReadTx, Scope, WriteTx};
pub use value_errors::{FlaggedUser, FlaggedUsers};
pub use waiting::{NameConflict, OpenDecisions, PendingMember, Standoff};
pub use webhooks::{Positions, Webhook};
