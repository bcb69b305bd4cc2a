//! What should happen: the directory's words, the rules, and the pure functions that decide.
//!
//! Nothing here knows a clock, a database, a network or chance. What a decision needs comes in as
//! arguments, so the live write, the nightly reconcile, the preview of unsaved rules and the answer
//! to "why" are one and the same code: [`evaluate`] says what should be, [`plan`] says which changes
//! get there, [`apply`] says what is there afterwards.

pub mod access;
pub mod cause;
pub mod census;
pub mod change;
pub mod configuration;
pub mod connector;
pub mod credentials;
pub mod hold;
pub mod id;
pub mod identity;
pub mod job;
pub mod limits;
pub mod matching;
pub mod model;
pub mod name;
pub mod nesting;
pub mod notification;
pub mod outcome;
pub mod overrides;
pub mod pilot;
pub mod precedence;
pub mod preset;
pub mod rhythm;
pub mod rules;
pub mod schedule;
pub mod search;
pub mod sign_in;
pub mod subscription;
pub mod surroundings;
mod tally;
pub mod trace;

mod apply;
mod call_url;
mod candidates;
mod cleanup;
mod conditional;
mod evaluate;
pub mod form;
mod guard;
mod mapping;
mod membership;
mod notes;
mod operation;
mod past;
mod plan;
mod pseudonym;
mod redact;
mod release;
mod shadow;
mod why_not;

pub use access::Access;
pub use apply::apply;
pub use call_url::{CALL_URL_BYTES_MAX, check_call_url};
pub use cause::{Cause, Trigger};
pub use change::{Change, Former};
pub use connector::{Connector, ConnectorSettings, ConnectorState, PatchReply};
pub use credentials::{CredentialSettings, JwtAlgorithm, JwtSettings};
pub use evaluate::{evaluate, evaluate_among, evaluate_shared};
pub use guard::{Guarded, Guarding, Held, guard, worsens};
pub use hold::{HeldDeletion, HoldKind, HoldState, StandingHold};
pub use id::{
    ApplicationId, ConnectorId, DirectoryId, GroupPk, JobId, OverrideId, SourceGroupPk,
    SourceUserPk, UserPk,
};
pub use identity::{GivenUp, Holder, MatchedBy, Meeting, Moment, meet};
pub use job::{Counts, JobKind, JobState};
pub use limits::{CompiledLimits, Limit, LimitSettings, ReconcileMode};
pub use model::{Account, Attributes, Group, Membership, Memory, Origin, Reason, Status, User};
pub use operation::{Operation, ValueError, value_errors};
pub use outcome::{Outcome, Review, SourceGroup, Standing, Subject, Verdict};
pub use overrides::{Override, OverrideKind, source_mark};
pub use past::{Aspect, Pass, Past};
pub use pilot::Pilot;
pub use plan::{Plan, plan};
pub use precedence::{Contribution, Given, Precedence, Shared};
pub use preset::Preset;
pub use release::{Fate, handed_on, kept_here, release};
pub use rules::{CompiledRules, RuleError, Rules};
pub use schedule::{Schedule, Timing};
pub use search::{Field, Match, Search};
pub use shadow::in_the_shadow;
pub use sign_in::SignInSettings;
pub use surroundings::{Alone, Surroundings};
pub use tally::{
    Tally, WindowCounts, all_fit, collects_child_groups, lets_child_group_leave, lets_group_go,
};
pub use trace::{Line, Trace, Why};
pub use why_not::{Becoming, Case, Remedy};
