//! What should happen: the directory's words, the rules, and the pure functions that decide.
//!
//! Nothing here knows a clock, a database, a network or chance. What a decision needs comes in as
//! arguments, so the live write, the nightly reconcile, the preview of unsaved rules and the answer
//! to "why" are one and the same code: [`evaluate`] says what should be, [`plan`] says which changes
//! get there, [`apply`] says what is there afterwards.

pub mod cause;
pub mod change;
pub mod connector;
pub mod credentials;
pub mod id;
pub mod model;
pub mod name;
pub mod nesting;
pub mod outcome;
pub mod preset;
pub mod rules;
pub mod search;
pub mod surroundings;
pub mod trace;

mod apply;
mod evaluate;
mod mapping;
mod membership;
mod notes;
mod plan;

pub use apply::apply;
pub use cause::{Cause, Trigger};
pub use change::Change;
pub use connector::{Connector, ConnectorSettings, ConnectorState, PatchReply};
pub use credentials::{CredentialSettings, JwtAlgorithm, JwtSettings};
pub use evaluate::{evaluate, evaluate_among};
pub use id::{
    ApplicationId, ConnectorId, DirectoryId, GroupPk, SourceGroupPk, SourceUserPk, UserPk,
};
pub use model::{Account, Attributes, Group, Membership, Origin, Reason, Status, User};
pub use outcome::{Outcome, SourceGroup, Subject, Verdict};
pub use plan::{Plan, plan};
pub use preset::Preset;
pub use rules::{CompiledRules, RuleError, Rules};
pub use search::{Field, Match, Search};
pub use surroundings::{Alone, Surroundings};
pub use trace::{Line, Trace, Why};
