//! Rules: what an administrator configures about a connector, as written and as compiled.

mod compile;
mod condition;
mod conditional;
mod config;
mod date;
mod difference;
mod effective;
mod example;
mod group_config;
mod group_lint;
mod group_map;
mod identity;
mod lengths;
mod lifecycle;
mod lint;
mod list;
mod list_lint;
mod names;
mod paths;
mod pattern;
mod required;
mod row;
mod sizes;
mod source;
mod step;
mod step_compile;
mod step_config;
mod step_lint;
mod step_run;
mod target;
mod text;
mod typed;

pub use compile::{
    ALIAS_DAYS_MAX, CompiledRules, DAYS_MAX, GRACE_MINUTES_MAX, GROUP_ROWS_MAX, LIST_ENTRIES_MAX,
    NAME_CHARS_MAX, RULES_MAX, STEPS_MAX,
};
pub use conditional::{ConditionalRule, RuleState};
pub use config::{
    Accounts, Apply, MappingRow, OnNoMatch, OnNull, Rules, Scope, Source, Written, WrittenRules,
};
pub use difference::{Difference, differences, differences_of, told_value};
pub use example::{
    ExistingAccount, Expectation, ExpectedStatus, Mismatch, RuleTest, TESTS_MAX, TestResult,
    check_tests, run_tests,
};
pub use group_config::{
    Authority, GroupMapping, GroupMappingRow, GroupNameRule, GroupNames, GroupRules, MappedSource,
    NameMode, NestedGroups, OnExisting, OnSourceDeleted, RenamePolicy, Unmapped,
};
pub use identity::{Identity, OnMet};
pub use lifecycle::{Cleanup, CleanupAction, Inactivity, Later, LaterAction, Rename};
pub use lint::warnings;
pub use paths::path_warnings;
pub use pattern::{PATTERN_BYTES_MAX, PATTERN_NESTING_MAX, PROGRAM_BYTES_MAX, SUBJECT_BYTES_MAX};
pub use step::{Fault, VALUE_BYTES_MAX, VALUES_MAX};
pub use step_compile::{IF_NESTING_MAX, STEP_TEXT_BYTES_MAX, TABLE_ENTRIES_MAX};
pub use step_config::{
    DateSpan, DateUnit, GroupRef, LookupBy, MapDefault, OneOrMany, RegexMode, Step,
};
pub use target::Target;
pub use typed::reads_user_name;

/// What is shown in place of a value that is not to be seen.
pub const REDACTED: &str = "[redacted]";

/// Whether a text may be the name of a group.
pub fn is_possible_group_name(name: &str) -> bool {
    is_possible_name(name)
}

pub(crate) use compile::{PlainGroup, days, is_possible_name, name_fault};
pub(crate) use condition::{Asked, Context};
pub(crate) use conditional::{Conditional, Due};
pub(crate) use group_map::Naming;
pub(crate) use lifecycle::Loss;
pub(crate) use list::NameList;
pub(crate) use row::Row;
pub(crate) use step::{Flow, Item, Settled};
pub(crate) use text::strip_domain;

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
    /// Something wrong, with its place and what to do.
    pub fn new(
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
