//! Changing rules: every way to do it leads here, is checked alike, and leaves a version behind.

use directory::rules::{CompiledRules, RuleError, RuleTest, TestResult, check_tests, run_tests};
use directory::{Connector, ConnectorId, Rules};
use store::{Scope, WriteTx};

use crate::{Provision, ProvisionError};

/// Longest comment, in characters.
const COMMENT_CHARS_MAX: usize = 1_000;
/// The comment of the first rules, unless whoever makes the connector has another.
pub(crate) const MADE_WITH: &str = "made with the connector";

/// What to do with new rules.
#[derive(Debug, Clone, Default)]
pub struct RulesChange {
    /// What the change is for.
    pub comment: String,
    /// Whether they are taken although a test fails or users would get no usable values.
    pub anyway: bool,
}

/// What a change of rules depends on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    pub(crate) change: RulesChange,
    /// The data that were previewed; any if none.
    pub(crate) unmoved: Option<String>,
}

/// Rules that were tested.
#[derive(Debug, Clone)]
pub struct TestRun {
    /// The result of each test.
    pub results: Vec<TestResult>,
}

impl Provision {
    /// Puts new rules in force, checked against the stored users. Every user becomes due if they differ.
    pub async fn save_rules(
        &self,
        id: ConnectorId,
        rules: Rules,
        change: RulesChange,
        author: &str,
    ) -> Result<(), ProvisionError> {
        CompiledRules::new(&rules).map_err(ProvisionError::Rules)?;
        if !change.anyway {
            self.check_rules_on_data(id, &rules).await?;
        }
        let terms = Terms {
            change,
            unmoved: None,
        };
        self.put_rules(id, rules, terms, author).await
    }

    /// Puts the rules of a preview in force, if the data are still those that it looked at.
    pub async fn apply_preview(
        &self,
        id: ConnectorId,
        preview: &str,
        change: RulesChange,
        author: &str,
    ) -> Result<(), ProvisionError> {
        let (this, name) = (self.clone(), preview.to_owned());
        let preview = self
            .store()
            .read(move |tx| this.preview(tx, id, &name))
            .await?;
        if !preview.can_be_applied() {
            return Err(ProvisionError::Conflict(unusable(&preview)));
        }
        if preview.summary.problems > 0 && !change.anyway {
            return Err(ProvisionError::Conflict(format!(
                "{} would get no usable values, which the preview lists as conflicts and errors; change the rules, or \
                 apply them anyway",
                match preview.summary.problems {
                    1 => "1 user".to_owned(),
                    count => format!("{count} users"),
                }
            )));
        }
        let terms = Terms {
            change,
            unmoved: Some(preview.stored.fingerprint.clone()),
        };
        self.put_rules(id, preview.stored.rules, terms, author)
            .await
    }

    /// Puts the rules of a former version in force again, as a new version.
    pub async fn roll_back_rules(
        &self,
        id: ConnectorId,
        number: i64,
        mut change: RulesChange,
        author: &str,
    ) -> Result<(), ProvisionError> {
        let found = self
            .store()
            .read(move |tx| tx.rules_version(id, number))
            .await?;
        let (_, rules) = found.ok_or_else(|| {
            ProvisionError::not_found("version of the rules", &number.to_string())
        })?;
        if change.comment.trim().is_empty() {
            change.comment = format!("back to version {number}");
        }
        self.save_rules(id, rules, change, author).await
    }

    async fn put_rules(
        &self,
        id: ConnectorId,
        rules: Rules,
        mut terms: Terms,
        author: &str,
    ) -> Result<(), ProvisionError> {
        terms.change.comment = checked_comment(&terms.change.comment)?;
        self.alter_connector(id, author, terms, move |connector| {
            connector.rules = rules.clone();
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Sets the tests that a connector's rules have to pass, all of them. The rules in force may fail them.
    pub async fn set_rule_tests(
        &self,
        id: ConnectorId,
        tests: Vec<RuleTest>,
    ) -> Result<(), ProvisionError> {
        let errors = check_tests(&tests);
        if !errors.is_empty() {
            return Err(ProvisionError::Rules(errors));
        }
        let directory = self.directory_of(id).await?;
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                Ok::<_, ProvisionError>(tx.set_rule_tests(id, &tests)?)
            })
            .await
    }

    /// Runs tests: those given or else the connector's, by the rules given or else those in force.
    pub async fn run_rule_tests(
        &self,
        id: ConnectorId,
        tests: Option<Vec<RuleTest>>,
        rules: Option<Rules>,
    ) -> Result<TestRun, ProvisionError> {
        let errors = tests.as_deref().map(check_tests).unwrap_or_default();
        if !errors.is_empty() {
            return Err(ProvisionError::Rules(errors));
        }
        let this = self.clone();
        self.store()
            .read(move |tx| {
                let present = this.require_connector(tx, id)?;
                let tests = match &tests {
                    Some(tests) => tests.clone(),
                    None => tx.rule_tests(id)?,
                };
                let rules = rules.as_ref().unwrap_or(&present.connector.rules);
                let compiled = CompiledRules::new(rules).map_err(ProvisionError::Rules)?;
                let results = run_tests(&tests, &compiled, tx.now());
                Ok(TestRun { results })
            })
            .await
    }
}

/// Refuses new rules on terms that do not hold.
pub(crate) fn check_terms(
    tx: &WriteTx<'_>,
    before: &Connector,
    compiled: &CompiledRules,
    terms: &Terms,
) -> Result<(), ProvisionError> {
    if let Some(unmoved) = &terms.unmoved {
        let state = tx.data_state(before)?;
        if state.due > 0 || state.fingerprint != *unmoved {
            let told = "users, groups or the directory changed since the preview was made; preview the rules again, \
                        then apply that";
            return Err(ProvisionError::Conflict(told.to_owned()));
        }
    }
    if terms.change.anyway {
        return Ok(());
    }
    let tests = tx.rule_tests(before.id)?;
    let failed: Vec<RuleError> = run_tests(&tests, compiled, tx.now())
        .iter()
        .filter(|result| !result.passed())
        .map(failure)
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(ProvisionError::Rules(failed)),
    }
}

pub(crate) fn failure(result: &TestResult) -> RuleError {
    let told: Vec<String> = result
        .mismatches
        .iter()
        .map(|it| format!("{} should be {} and is {}", it.what, it.expected, it.found))
        .collect();
    RuleError {
        path: format!("tests[{}]", result.name),
        message: told.join(", "),
        remedy: "change the rules or the test, or save the rules anyway".to_owned(),
    }
}

/// Keeps rules as the newest version.
pub(crate) fn keep_version(
    tx: &WriteTx<'_>,
    connector: &Connector,
    author: &str,
    terms: &Terms,
) -> Result<i64, ProvisionError> {
    let (rules, comment) = (&connector.rules, &terms.change.comment);
    Ok(tx.insert_rules_version(connector.id, rules, author, comment)?)
}

pub(crate) fn checked_comment(comment: &str) -> Result<String, ProvisionError> {
    let comment = comment.trim();
    if comment.chars().count() > COMMENT_CHARS_MAX || comment.contains('\0') {
        return Err(ProvisionError::invalid(
            "comment",
            format!("has to have {COMMENT_CHARS_MAX} characters at most, without NUL"),
        ));
    }
    Ok(comment.to_owned())
}

fn unusable(preview: &crate::Preview) -> String {
    let told = match preview.stored.state {
        store::PreviewState::Running => "it is not complete yet; wait until it is",
        store::PreviewState::Failed => "it failed; preview the rules again",
        store::PreviewState::Done if preview.summary.due > 0 => {
            "users were still due when it was made; wait until none is, then preview the rules again"
        }
        store::PreviewState::Done => {
            "it looked at some users only; preview the rules for everybody"
        }
    };
    format!("the preview cannot be applied: {told}")
}
