//! Rules: what an administrator configures about a connector, as written and as compiled.

mod compile;
mod config;
mod list;
mod names;
mod pattern;
mod source;
mod step;
mod text;

pub use compile::{
    CompiledRules, GRACE_MINUTES_MAX, LIST_ENTRIES_MAX, NAME_CHARS_MAX, RULES_MAX, STEPS_MAX,
};
pub use config::{
    Authority, Cleanup, CleanupAction, GroupNameRule, GroupNames, GroupRules, MappingRow, NameMode,
    NestedGroups, OnNoMatch, OnNull, RegexMode, Rules, Scope, Source, Step, Target,
};
pub use pattern::{PATTERN_BYTES_MAX, PATTERN_NESTING_MAX, PROGRAM_BYTES_MAX, SUBJECT_BYTES_MAX};
pub use step::{Fault, VALUE_BYTES_MAX};

pub(crate) use compile::{Row, is_possible_name};
pub(crate) use step::{Item, Settled};

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
