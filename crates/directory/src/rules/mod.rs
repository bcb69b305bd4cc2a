//! Rules: what an administrator configures about a connector, as written and as compiled.

mod config;

pub use config::{
    Authority, Cleanup, CleanupAction, GroupNameRule, GroupNames, GroupRules, MappingRow, NameMode,
    OnNoMatch, OnNull, RegexMode, Rules, Scope, Source, Step, Target,
};

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
