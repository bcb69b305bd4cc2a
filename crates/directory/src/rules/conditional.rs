//! Conditional rules: when a user is so, add groups, drop it, or disable the account (MO-14, BY-06).

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use scim::{Resource, Selector};
use serde::{Deserialize, Serialize};

use super::compile::{PlainGroup, plain_groups};
use super::condition::{Asked, Condition};
use super::source::{items, select};
use super::{DateSpan, Fault, NAME_CHARS_MAX, RuleError, Rules, Target, date};
use crate::model::Origin;

/// A rule of the form: when a user is so, do this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionalRule {
    /// Its name, which explanations and origins of memberships give.
    pub name: String,
    /// A SCIM filter over the user; `groups` may be asked too.
    pub when: String,
    /// Whether it counts.
    #[serde(default, skip_serializing_if = "RuleState::is_active")]
    pub state: RuleState,
    /// Plain names of groups that these users get.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_groups: Vec<String>,
    /// Whether these users are dropped: they get no account, or `cleanup.dropped` says what becomes of it.
    #[serde(default, skip_serializing_if = "is_off")]
    pub drop: bool,
    /// Whether their accounts are disabled.
    #[serde(default, skip_serializing_if = "is_off")]
    pub disable: bool,
    /// An attribute with a date at which their accounts are disabled; a date without a time begins at midnight UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_at: Option<String>,
    /// What is added to that date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_at_plus: Option<DateSpan>,
}

fn is_off(flag: &bool) -> bool {
    !flag
}

/// Whether a row or a rule counts (BY-04).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    /// It counts.
    #[default]
    Active,
    /// It has no effect; a preview can tell which effect it would have.
    Shadow,
    /// It is kept, and has no effect.
    Off,
}

impl RuleState {
    pub(crate) fn is_active(&self) -> bool {
        *self == RuleState::Active
    }
}

/// A compiled conditional rule.
#[derive(Clone, Debug)]
pub(crate) struct Conditional {
    pub name: Arc<str>,
    pub state: RuleState,
    pub add_groups: Vec<PlainGroup>,
    pub drop: bool,
    pub disable: bool,
    pub disable_at: Option<DisableAt>,
    /// What it asks, as written.
    pub text: Arc<str>,
    when: Condition,
}

/// When an account is disabled.
#[derive(Clone, Debug)]
pub(crate) struct DisableAt {
    /// The attribute as written.
    pub attribute: Arc<str>,
    selector: Selector,
    plus: DateSpan,
}

/// What the date of one user says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// There is none.
    Never,
    /// This is it.
    At(Timestamp),
    /// What is there cannot be read.
    Failed(Fault),
}

impl Conditional {
    pub(crate) fn holds(&self, asked: &Asked<'_>) -> bool {
        self.when.holds(asked)
    }
}

impl DisableAt {
    fn compile(text: &str, plus: Option<DateSpan>, path: &str) -> Result<Self, RuleError> {
        Ok(Self {
            attribute: Arc::from(text),
            selector: select(text, path)?,
            plus: plus.unwrap_or_default(),
        })
    }

    /// The date in one user; the earliest, if the attribute has several values.
    pub(crate) fn of(&self, user: &Resource) -> Due {
        let read = |text: &str| date::parse(text).and_then(|at| date::add(at, &self.plus));
        let dates: Option<Vec<Timestamp>> = items(&self.selector, user)
            .iter()
            .map(|item| read(&item.text))
            .collect();
        match dates {
            None => Due::Failed(Fault::NotADate),
            Some(dates) => dates.into_iter().min().map_or(Due::Never, Due::At),
        }
    }
}

/// Compiles the conditional rules; what is wrong with them goes into `errors`.
pub(crate) fn compile(rules: &Rules, errors: &mut Vec<RuleError>) -> Vec<Conditional> {
    let mut taken = reserved(rules);
    let mut compiled = Vec::with_capacity(rules.conditions.len());
    for (index, rule) in rules.conditions.iter().enumerate() {
        let path = format!("conditions[{index}]");
        if let Err(error) = check_name(rule, &path, &mut taken) {
            errors.push(error);
        }
        if !(rule.drop || rule.disable || rule.disable_at.is_some() || !rule.add_groups.is_empty())
        {
            errors.push(RuleError::new(
                path.as_str(),
                "the rule does nothing",
                "give it `add_groups`, `drop`, `disable` or `disable_at`, or remove it",
            ));
        }
        if rule.disable_at.is_none() && rule.disable_at_plus.is_some() {
            errors.push(RuleError::new(
                format!("{path}.disable_at_plus"),
                "there is no date to add this to",
                "give the rule `disable_at`, or remove this",
            ));
        }
        match compile_one(rule, &path, errors) {
            Ok(rule) => compiled.push(rule),
            Err(error) => errors.push(error),
        }
    }
    compiled
}

fn compile_one(
    rule: &ConditionalRule,
    path: &str,
    errors: &mut Vec<RuleError>,
) -> Result<Conditional, RuleError> {
    let groups = format!("{path}.add_groups");
    let add_groups = plain_groups(&rule.add_groups, &groups, errors);
    let date = format!("{path}.disable_at");
    let at = |text: &String| DisableAt::compile(text, rule.disable_at_plus, &date);
    Ok(Conditional {
        name: Arc::from(rule.name.as_str()),
        state: rule.state,
        add_groups,
        drop: rule.drop,
        disable: rule.disable,
        disable_at: rule.disable_at.as_ref().map(at).transpose()?,
        text: Arc::from(rule.when.as_str()),
        when: Condition::compile_lasting(&rule.when, &format!("{path}.when"))?,
    })
}

/// Names that origins of other memberships have.
fn reserved(rules: &Rules) -> BTreeSet<String> {
    let rows = rules.mapping.iter();
    let rows = rows.filter(|row| row.target == Target::Groups);
    let mut taken: BTreeSet<String> = rows
        .map(|row| super::source::describe(row.source.as_ref(), &row.target))
        .collect();
    taken.insert(Origin::NEW_USER_GROUPS.to_owned());
    taken
}

fn check_name(
    rule: &ConditionalRule,
    path: &str,
    taken: &mut BTreeSet<String>,
) -> Result<(), RuleError> {
    let wrong =
        |message: &str, remedy: &str| Err(RuleError::new(format!("{path}.name"), message, remedy));
    if rule.name.trim().is_empty() {
        return wrong("the rule has no name", "name it; explanations use the name");
    }
    if rule.name.chars().count() > NAME_CHARS_MAX {
        return wrong("the name has more than 255 characters", "shorten it");
    }
    if !taken.insert(rule.name.clone()) {
        let message = format!("`{}` names another rule already", rule.name);
        return wrong(&message, "choose another name");
    }
    Ok(())
}
