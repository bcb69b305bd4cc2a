//! Rules: what an administrator configures about a connector, as written and as compiled.

mod compile;
mod condition;
mod config;
mod date;
mod lint;
mod list;
mod names;
mod pattern;
mod source;
mod step;
mod step_compile;
mod step_config;
mod text;

pub use compile::{
    CompiledRules, GRACE_MINUTES_MAX, LIST_ENTRIES_MAX, NAME_CHARS_MAX, RULES_MAX, STEPS_MAX,
};
pub use config::{
    Accounts, Apply, Authority, Cleanup, CleanupAction, GroupNameRule, GroupNames, GroupRules,
    MappingRow, NameMode, NestedGroups, OnNoMatch, OnNull, Rules, Scope, Source, Target,
};
pub use lint::warnings;
pub use pattern::{PATTERN_BYTES_MAX, PATTERN_NESTING_MAX, PROGRAM_BYTES_MAX, SUBJECT_BYTES_MAX};
pub use step::{Fault, VALUE_BYTES_MAX, VALUES_MAX};
pub use step_compile::{IF_NESTING_MAX, STEP_TEXT_BYTES_MAX, TABLE_ENTRIES_MAX};
pub use step_config::{
    DateSpan, DateUnit, GroupRef, LookupBy, MapDefault, OneOrMany, RegexMode, Step,
};

pub(crate) use compile::{Row, is_possible_name};
pub(crate) use condition::{Asked, Context};
pub(crate) use step::{Flow, Item, Settled};

/// What is wrong with a rule, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{path}: {message}; {remedy}")]
pub struct RuleError {
    /// Where in the rules, e.g. `mapping[2].steps[0].regex_replace.pattern`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl RuleError {
    pub(crate) fn new(
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}
