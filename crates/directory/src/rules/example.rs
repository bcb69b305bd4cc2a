//! Rule tests: examples kept with the rules that say what has to come of a person (BY-05).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use scim::{Dialect, Resource, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{CompiledRules, RuleError};
use crate::cause::Trigger;
use crate::evaluate::evaluate;
use crate::id::SourceGroupPk;
use crate::model::{Account, Attributes, Membership, Memory, Origin, Reason, Status};
use crate::name::{folded, same};
use crate::outcome::{Outcome, SourceGroup, Subject, Verdict};

/// Most tests that one connector has.
pub const TESTS_MAX: usize = 500;
/// Most groups that a test names in one list.
const GROUPS_MAX: usize = 1_000;

/// A person, and what the rules have to make of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTest {
    /// What it shows; no other test of the connector has the name.
    pub name: String,
    /// The user as the identity provider sends it; left out, it has deleted the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Map<String, Value>>,
    /// The names of the user's groups at the identity provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The account that there is already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingAccount>,
    /// The moment of the decision, for rules that look at the time; the present one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What has to come of it.
    pub expect: Expectation,
}

/// An account in a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingAccount {
    /// Its user name.
    pub username: String,
    /// Its e-mail address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Its full name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// Whether it may log in; it may if left out.
    #[serde(default = "active")]
    pub status: Status,
    /// Why it has that status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Groups that it is in because the rules had put it there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Groups that an administrator put it into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_groups: Vec<String>,
}

const fn active() -> Status {
    Status::Active
}

/// What has to come of a person; what is left out is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Expectation {
    /// `active`, `disabled`, or `none` for no account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ExpectedStatus>,
    /// Why, e.g. `DROPPED_BY_RULE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Values of targets by their names in the rules, e.g. `username`, `email` or `attr:department`; several values are
    /// joined by a comma and a space.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// All groups, in any order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Groups that have to be among those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_groups: Vec<String>,
    /// Groups that must not be among those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_in_groups: Vec<String>,
}

/// What there has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedStatus {
    /// An account that may log in.
    Active,
    /// An account that may not.
    Disabled,
    /// An account that may not, under a name that tells nobody who it was.
    Anonymised,
    /// No account: none is made, or the one there is goes.
    None,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestResult {
    /// The test.
    pub name: String,
    /// What came out otherwise than expected; nothing if the test passed.
    pub mismatches: Vec<Mismatch>,
}

impl TestResult {
    /// Whether everything came out as expected.
    pub fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// One thing that came out otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mismatch {
    /// What: `status`, `reason`, `groups`, or the name of a target.
    pub what: String,
    /// What was expected.
    pub expected: Value,
    /// What came out.
    pub found: Value,
}

/// Runs tests, each for itself.
pub fn run_tests(tests: &[RuleTest], rules: &CompiledRules, now: Timestamp) -> Vec<TestResult> {
    tests
        .iter()
        .map(|test| TestResult {
            name: test.name.clone(),
            mismatches: test.run(rules, now),
        })
        .collect()
}

/// What makes tests unusable, apart from their results.
pub fn check_tests(tests: &[RuleTest]) -> Vec<RuleError> {
    let mut errors = Vec::new();
    let mut wrong = |path: String, message: String, remedy: &str| {
        errors.push(RuleError::new(path, message, remedy));
    };
    if tests.len() > TESTS_MAX {
        let message = format!(
            "there are {} tests, and {TESTS_MAX} are the most",
            tests.len()
        );
        wrong("tests".to_owned(), message, "join or remove some");
        return errors;
    }
    for (index, test) in tests.iter().enumerate() {
        let path = |member: &str| format!("tests[{index}].{member}");
        if test.name.trim().is_empty() {
            let message = "is empty".to_owned();
            wrong(path("name"), message, "say what the test shows");
        }
        if tests
            .iter()
            .take(index)
            .any(|other| other.name == test.name)
        {
            let message = format!("another test is called '{}' too", test.name);
            wrong(path("name"), message, "give each test a name of its own");
        }
        if test.groups.len() > GROUPS_MAX {
            let message = format!("are more than {GROUPS_MAX}");
            wrong(path("groups"), message, "name fewer groups");
        }
        if let Err(message) = test.resource() {
            wrong(
                path("user"),
                message,
                "write it as the identity provider sends it",
            );
        }
        if test.user.is_none() && test.existing.is_none() {
            let message = "there is neither a user nor an account".to_owned();
            wrong(
                path("user"),
                message,
                "give a user, or the account of one that was deleted",
            );
        }
        for target in test.expect.attributes.keys() {
            if let Err(message) = super::Target::try_from(target.clone()) {
                wrong(
                    path("expect.attributes"),
                    message,
                    "name a target that rows can set",
                );
            }
        }
    }
    errors
}

impl RuleTest {
    fn resource(&self) -> Result<Option<Resource>, String> {
        let Some(user) = &self.user else {
            return Ok(None);
        };
        Resource::from_request(ResourceType::user(), user.clone(), &Dialect::generic())
            .map(|(resource, _ignored)| Some(resource))
            .map_err(|error| error.detail)
    }

    fn run(&self, rules: &CompiledRules, now: Timestamp) -> Vec<Mismatch> {
        let user = match self.resource() {
            Ok(user) => user,
            Err(message) => {
                return vec![mismatch("user", json!("a user"), json!(message))];
            }
        };
        let groups: Vec<SourceGroup> = (1..)
            .zip(&self.groups)
            .map(|(number, name)| SourceGroup::direct(SourceGroupPk(number), name))
            .collect();
        let existing = self.existing.as_ref().map(|it| it.account(&self.groups));
        let subject = Subject {
            user: user.as_ref(),
            groups: &groups,
            existing: existing.as_ref(),
            now: self.at.unwrap_or(now),
            trigger: Trigger::Simulate,
            overrides: &[],
        };
        self.expect.compare(&evaluate(&subject, rules))
    }
}

impl ExistingAccount {
    /// What the rules granted came from the group of the same name, if the user is in it, else from one that it left.
    fn account(&self, groups: &[String]) -> Account {
        let by_idp = |name: &String| {
            let number = (1..)
                .zip(groups)
                .find_map(|(number, group)| same(group, name).then_some(number));
            Membership::new(name, Origin::Idp(SourceGroupPk(number.unwrap_or(0))))
        };
        let local = |name: &String| Membership::new(name, Origin::Local);
        let granted = self.groups.iter().map(by_idp);
        let reason = match self.status {
            Status::Active => Reason::IdpActive,
            Status::Disabled | Status::Anonymised => Reason::IdpInactive,
            Status::Removed => Reason::IdpDeleted,
        };
        Account {
            key: String::new(),
            attributes: Attributes {
                username: self.username.clone(),
                email: self.email.clone(),
                display_name: self.display_name.clone(),
                ..Attributes::default()
            },
            status: self.status,
            reason: self.reason.unwrap_or(reason),
            memberships: granted.chain(self.local_groups.iter().map(local)).collect(),
            last_login: None,
            memory: Memory::default(),
        }
    }
}

impl Expectation {
    fn compare(&self, outcome: &Outcome) -> Vec<Mismatch> {
        let mut found = Vec::new();
        let (status, reason) = match outcome.verdict {
            Verdict::Account {
                status: Status::Active,
                reason,
            } => (ExpectedStatus::Active, reason),
            Verdict::Account {
                status: Status::Anonymised,
                reason,
            } => (ExpectedStatus::Anonymised, reason),
            Verdict::Account { reason, .. } => (ExpectedStatus::Disabled, reason),
            Verdict::NoAccount { reason } | Verdict::Remove { reason } => {
                (ExpectedStatus::None, reason)
            }
        };
        let mut look = |what: &str, expected: Value, is: Value| {
            if expected != is {
                found.push(mismatch(what, expected, is));
            }
        };
        if let Some(expected) = self.status {
            look("status", json!(expected), json!(status));
        }
        if let Some(expected) = self.reason {
            look("reason", json!(expected), json!(reason));
        }
        let has_account = status != ExpectedStatus::None;
        for (target, expected) in &self.attributes {
            let value = outcome.attributes.get(target).filter(|_| has_account);
            look(target, json!(expected), json!(value.unwrap_or_default()));
        }
        let groups: Vec<&str> = match has_account {
            true => outcome
                .memberships
                .iter()
                .map(|it| it.group.as_str())
                .collect(),
            false => Vec::new(),
        };
        let has = |name: &String| groups.iter().any(|group| same(group, name));
        if let Some(expected) = &self.groups {
            let folds = |names: &[&str]| -> std::collections::BTreeSet<String> {
                names.iter().map(|name| folded(name).into_owned()).collect()
            };
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            if folds(&expected) != folds(&groups) {
                look("groups", json!(expected), json!(groups));
            }
        }
        for name in self.in_groups.iter().filter(|name| !has(name)) {
            look("in_groups", json!(name), json!(groups));
        }
        for name in self.not_in_groups.iter().filter(|name| has(name)) {
            look("not_in_groups", json!(name), json!(groups));
        }
        found
    }
}

fn mismatch(what: &str, expected: Value, found: Value) -> Mismatch {
    Mismatch {
        what: what.to_owned(),
        expected,
        found,
    }
}
