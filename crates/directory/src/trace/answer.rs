//! Answers: a decision told line by line, all of it or what bears on one group.

use serde::Serialize;

use super::{Entry, Stage};
use crate::name::same;
use crate::outcome::{Outcome, Verdict};

/// One line of an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The stage of evaluation.
    pub stage: Stage,
    /// What happened, as a sentence.
    pub text: String,
}

/// Why someone is, or is not, in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// Whether the decision makes the user a member.
    pub member: bool,
    /// What led there.
    pub lines: Vec<Line>,
}

impl Outcome {
    /// The whole decision in words, one line for each thing found or done.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.trace.entries.iter().map(|it| self.line(it)).collect();
        lines.push(self.conclusion());
        lines
    }

    fn has_account(&self) -> bool {
        matches!(self.verdict, Verdict::Account { .. })
    }

    /// Whether the user is in a group, by the name products see.
    pub(crate) fn is_member(&self, group: &str) -> bool {
        self.has_account() && self.memberships.iter().any(|it| same(&it.group, group))
    }

    /// Why the user is or is not in a group, by the name products see or the identity provider's.
    pub fn why_group(&self, group: &str) -> Why {
        let member = self.is_member(group);
        let mut lines: Vec<Line> = self
            .trace
            .entries
            .iter()
            .filter(|entry| entry.bears_on(group))
            .map(|entry| self.line(entry))
            .collect();
        let entries = &self.trace.entries;
        // Of an account that is left as it is, nobody asked what would name the group.
        let is_asked = self.has_account() && !entries.contains(&Entry::Frozen);
        if is_asked && !entries.iter().any(|entry| entry.names(group)) {
            let text = format!(
                "nothing this user has from the identity provider or the rules names `{group}`"
            );
            lines.push(Line {
                stage: Stage::Groups,
                text,
            });
        }
        lines.push(self.conclusion());
        Why { member, lines }
    }

    pub(crate) fn line(&self, entry: &Entry) -> Line {
        let text = match entry {
            Entry::Attribute {
                target,
                from,
                effect,
            } => self.attribute_text(target, from, *effect),
            Entry::Frozen if self.stays_active() => "memberships stay as they are".to_owned(),
            other => other.text(),
        };
        Line {
            stage: entry.stage(),
            text,
        }
    }

    /// How it ends.
    pub(super) fn conclusion(&self) -> Line {
        let text = match self.verdict {
            Verdict::NoAccount { reason } => format!("no account ({})", reason.as_str()),
            Verdict::Account { reason, .. } if self.stays_active() => {
                format!(
                    "the account stays active all the same ({})",
                    reason.as_str()
                )
            }
            Verdict::Account { status, reason } => {
                format!("account {} ({})", status.as_str(), reason.as_str())
            }
            Verdict::Remove { reason } => format!("the account goes ({})", reason.as_str()),
        };
        Line {
            stage: Stage::Status,
            text,
        }
    }
}
