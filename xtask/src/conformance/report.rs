//! What a program found, held against what is expected of it.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::programs::Program;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::Skipped]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// One check of a program.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub outcome: Outcome,
    pub detail: String,
}

/// Reads what a script told: one JSON object a line. Anything else among it is an error.
pub fn read(told: &str) -> Result<Vec<Check>> {
    told.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| check(line).with_context(|| format!("not about a check: {line}")))
        .collect()
}

fn check(line: &str) -> Result<Check> {
    let value: Value = serde_json::from_str(line)?;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let outcome = text("outcome").and_then(|name| Outcome::of(&name));
    match (text("check"), outcome) {
        (Some(name), Some(outcome)) => Ok(Check {
            name,
            outcome,
            detail: text("detail").unwrap_or_default(),
        }),
        _ => bail!("`check` or `outcome` is missing or unknown"),
    }
}

/// Counts what a program found, and how much of that is listed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub good: usize,
    pub listed: usize,
    /// What has to be looked at, one text each. Empty when all is as expected.
    pub wrong: Vec<String>,
}

/// Holds the checks against what is expected of the program.
pub fn judge(program: &Program, checks: &[Check]) -> Summary {
    let mut summary = Summary::default();
    for check in checks {
        let is_listed = program
            .exceptions
            .iter()
            .any(|listed| listed.check == check.name && listed.outcome == check.outcome);
        match check.outcome {
            Outcome::Passed => summary.good += 1,
            _ if is_listed => summary.listed += 1,
            outcome => summary.wrong.push(format!(
                "{}: {}: {}",
                outcome.name(),
                check.name,
                check.detail
            )),
        }
    }
    for listed in program.exceptions {
        let still = |check: &Check| check.name == listed.check && check.outcome == listed.outcome;
        if !checks.iter().any(still) {
            summary.wrong.push(format!(
                "listed as {}, and it is not any more: {}: take it off the list",
                listed.outcome.name(),
                listed.check
            ));
        }
    }
    if checks.len() < program.at_least {
        summary.wrong.push(format!(
            "told about {} checks only, at least {} were expected",
            checks.len(),
            program.at_least
        ));
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::super::programs::{Exception, Protocol, Runtime};
    use super::*;

    const PROGRAM: Program = Program {
        package: "it",
        runtime: Runtime::Python,
        script: "it.py",
        protocol: Protocol::Scim,
        covers: "",
        at_least: 2,
        exceptions: &[Exception {
            check: "odd",
            outcome: Outcome::Failed,
            reason: "because",
        }],
    };

    fn judged(told: &[(&str, &str)]) -> Summary {
        let lines: Vec<String> = told
            .iter()
            .map(|(check, outcome)| format!(r#"{{"check":"{check}","outcome":"{outcome}"}}"#))
            .collect();
        judge(&PROGRAM, &read(&lines.join("\n")).unwrap())
    }

    #[test]
    fn what_is_listed_is_expected() {
        let summary = judged(&[("a", "passed"), ("odd", "failed")]);
        assert_eq!(
            (summary.good, summary.listed, summary.wrong.len()),
            (1, 1, 0)
        );
    }

    #[test]
    fn what_is_new_or_gone_or_missing_is_wrong() {
        for (told, wrong) in [
            (&[("a", "failed"), ("odd", "failed")][..], "failed: a: "),
            (&[("a", "skipped"), ("odd", "failed")], "skipped: a: "),
            (&[("a", "passed"), ("odd", "passed")], "listed as failed"),
            (&[("a", "passed"), ("b", "passed")], "listed as failed"),
            (&[("odd", "failed")], "told about 1 checks only"),
        ] {
            let summary = judged(told);
            assert_eq!(summary.wrong.len(), 1, "{summary:?}");
            assert!(summary.wrong[0].starts_with(wrong), "{summary:?}");
        }
        // Skipped where it was listed as failed is both.
        assert_eq!(
            judged(&[("a", "passed"), ("odd", "skipped")]).wrong.len(),
            2
        );
    }

    #[test]
    fn other_output_is_an_error() {
        for told in ["3 passed", "{}", r#"{"check":"a","outcome":"great"}"#] {
            assert!(read(told).is_err(), "{told}");
        }
        assert_eq!(read("\n").unwrap(), []);
    }
}
