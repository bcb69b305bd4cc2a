//! What came out of a run, for people, for programs (JSON) and for build servers (JUnit).

mod junit;
mod text;

use serde::Serialize;
use serde_json::{Value, json};

use crate::catalogue::Client;

pub use text::Style;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Wrong, and binding.
    Fail,
    /// Wrong, and not binding.
    Warn,
    /// Not looked at.
    Skip,
}

impl Verdict {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::Skip => "skip",
        }
    }
}

/// What a failure is about. No secret is in it.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What should have come.
    pub expected: String,
    /// What came instead.
    pub came: String,
    /// The request it is about.
    pub sent: String,
    /// The answer to it.
    pub answer: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to change.
    pub fix: &'static str,
    /// The last requests and answers of the check, in order.
    pub conversation: Vec<(String, String)>,
}

/// A check and how it ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The check's id.
    pub id: &'static str,
    /// The section of the check.
    pub section: &'static str,
    /// What a good server does.
    pub title: &'static str,
    /// `must`, `should` or `habit`.
    pub level: &'static str,
    /// Whose habit it is.
    pub client: Option<Client>,
    /// Where it is written.
    pub source: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// What was wrong.
    pub evidence: Option<Evidence>,
    /// How long it took.
    pub milliseconds: u64,
}

/// How many checks ended in each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// As it should be.
    pub pass: usize,
    /// Wrong, and binding.
    pub fail: usize,
    /// Wrong, and not binding.
    pub warn: usize,
    /// Not looked at.
    pub skip: usize,
}

/// The whole of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The base URL.
    pub url: String,
    /// What the names of all that was created begin with.
    pub prefix: String,
    /// What the server says that it offers.
    pub offers: Vec<&'static str>,
    /// Whether nothing was written.
    pub is_read_only: bool,
    /// Whether it was ended early.
    pub is_cancelled: bool,
    /// How long it took.
    pub seconds: f64,
    /// All checks in the order of their sections.
    pub outcomes: Vec<Outcome>,
    /// Paths of what was created and could not be deleted.
    pub left_behind: Vec<String>,
    /// How much was created and deleted again.
    pub deleted: usize,
}

impl Report {
    /// Counts of all checks.
    pub fn counts(&self) -> Counts {
        Counts::of(self.outcomes.iter())
    }

    /// The checks that ended so.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Outcome> {
        self.outcomes
            .iter()
            .filter(move |outcome| outcome.verdict == verdict)
    }

    /// Sections in order, each with its outcomes.
    fn sections(&self) -> Vec<(&'static str, Vec<&Outcome>)> {
        let mut sections: Vec<(&'static str, Vec<&Outcome>)> = Vec::new();
        for outcome in &self.outcomes {
            match sections.last_mut() {
                Some((section, list)) if *section == outcome.section => list.push(outcome),
                _ => sections.push((outcome.section, vec![outcome])),
            }
        }
        sections
    }

    /// For people.
    pub fn text(&self, style: Style) -> String {
        text::text(self, style)
    }

    /// For build servers: JUnit XML. A warning is a passed test with a note.
    pub fn junit(&self) -> String {
        junit::junit(self)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "url": self.url,
            "prefix": self.prefix,
            "offers": self.offers,
            "readOnly": self.is_read_only,
            "stopped": self.is_cancelled,
            "seconds": self.seconds,
            "counts": self.counts(),
            "leftBehind": self.left_behind,
            "deleted": self.deleted,
            "checks": self.outcomes.iter().map(Outcome::json).collect::<Vec<_>>(),
        })
    }
}

impl Outcome {
    fn json(&self) -> Value {
        let mut told = json!({
            "id": self.id,
            "section": self.section,
            "title": self.title,
            "level": self.level,
            "source": self.source,
            "verdict": self.verdict,
            "milliseconds": self.milliseconds,
        });
        if let Some(client) = self.client {
            told["client"] = client.as_str().into();
        }
        if let Some(reason) = &self.reason {
            told["reason"] = reason.as_str().into();
        }
        if let Some(evidence) = &self.evidence {
            let conversation = evidence.conversation.iter();
            let exchanges: Vec<Value> = conversation
                .map(|(sent, answer)| json!({"sent": sent, "answer": answer}))
                .collect();
            told["evidence"] = json!({
                "expected": evidence.expected,
                "came": evidence.came,
                "sent": evidence.sent,
                "answer": evidence.answer,
                "why": evidence.why,
                "fix": evidence.fix,
                "conversation": exchanges,
            });
        }
        told
    }
}

impl Counts {
    fn of<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> Counts {
        let mut counts = Counts::default();
        for outcome in outcomes {
            *match outcome.verdict {
                Verdict::Pass => &mut counts.pass,
                Verdict::Fail => &mut counts.fail,
                Verdict::Warn => &mut counts.warn,
                Verdict::Skip => &mut counts.skip,
            } += 1;
        }
        counts
    }
}
