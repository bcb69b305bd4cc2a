//! How an attribute came about.

use super::{AttributeEffect, Entry, Line, Suppressed};
use crate::change::Change;
use crate::model::Attributes;
use crate::name::quoted;
use crate::outcome::{Outcome, Verdict};
use crate::overrides::OverrideKind;

impl Outcome {
    /// How an attribute came about, by the name of its target; none if no row is about it.
    pub fn why_attribute(&self, target: &str) -> Option<Vec<Line>> {
        let is_it = |of: &str| of.eq_ignore_ascii_case(target);
        let entries = self.trace.entries().iter();
        let about: Vec<&Entry> = entries
            .filter(|entry| match entry {
                Entry::Attribute { target: of, .. }
                | Entry::Step { target: of, .. }
                | Entry::Sought { target: of, .. } => is_it(of),
                Entry::DecidedBy { target: of, .. } => is_it(of),
                Entry::NamePinned { .. } | Entry::Nameless | Entry::OldNameStays => {
                    is_it("username")
                }
                Entry::Suppressed(what) => *what == Suppressed::Update,
                Entry::Safety { change, .. } => {
                    matches!(**change, Change::RenameUser { .. }) && is_it("username")
                }
                Entry::Override { kind, .. } => matches!(kind, OverrideKind::KeepAsIs { .. }),
                _ => false,
            })
            .collect();
        let is_row = |entry: &&Entry| matches!(entry, Entry::Attribute { .. });
        if !about.iter().any(is_row) {
            return None;
        }
        let mut lines: Vec<Line> = about.into_iter().map(|entry| self.line(entry)).collect();
        if !matches!(self.verdict, Verdict::Account { .. }) {
            lines.push(self.conclusion());
        }
        Some(lines)
    }

    /// What the account gets, or without one what the rows give all the same.
    pub fn worked_out(&self) -> &Attributes {
        match self.verdict {
            Verdict::Account { .. } => &self.attributes,
            Verdict::NoAccount { .. } | Verdict::Remove { .. } => self.given(),
        }
    }

    /// Targets whose values the rules hide, as far as rows gave them.
    pub(crate) fn hidden_targets(&self) -> impl Iterator<Item = String> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Attribute {
                target,
                effect: AttributeEffect::SetUnseen,
                ..
            } => Some(target.to_string()),
            _ => None,
        })
    }

    /// The connector whose word counts for a target, by its name, unless that is the account's own.
    pub fn decided_by(&self, target: &str) -> Option<&str> {
        self.trace.entries.iter().find_map(|entry| match entry {
            Entry::DecidedBy {
                target: of,
                connector,
                ..
            } if of.eq_ignore_ascii_case(target) => Some(&**connector),
            _ => None,
        })
    }

    /// What the rows gave.
    fn given(&self) -> &Attributes {
        self.trace.given.as_ref().unwrap_or(&self.attributes)
    }

    /// Why a row has no value: there was none, or its steps left nothing of it.
    fn without_value(&self, target: &str, from: &str) -> String {
        match self.went_through_steps(target) {
            true => format!("its steps leave nothing of {from}"),
            false => format!("{from} has no value"),
        }
    }

    /// Whether a step of the row did something to its value.
    fn went_through_steps(&self, target: &str) -> bool {
        let mut entries = self.trace.entries.iter();
        entries.any(|entry| matches!(entry, Entry::Step { target: of, .. } if **of == *target))
    }

    pub(super) fn attribute_text(
        &self,
        target: &str,
        from: &str,
        effect: AttributeEffect,
    ) -> String {
        match effect {
            AttributeEffect::Set => match self.given().get(target) {
                Some(value) => format!("`{target}` is {}, from {from}", quoted(&value)),
                None => format!("`{target}` is read from {from}"),
            },
            AttributeEffect::SetUnseen => format!("`{target}` is [redacted], from {from}"),
            AttributeEffect::KeptSinceCreation => {
                format!("`{target}` stays as it was: the row counts for new accounts only")
            }
            AttributeEffect::KeptByStep => {
                format!("`{target}` stays as it was: a step says so")
            }
            AttributeEffect::KeptWithoutValue => {
                format!(
                    "`{target}` stays as it was: {}",
                    self.without_value(target, from)
                )
            }
            AttributeEffect::KeptWithoutMatch => {
                format!("`{target}` stays as it was: no step matched what {from} says")
            }
            AttributeEffect::ClearedWithoutValue => {
                format!("`{target}` is empty: {}", self.without_value(target, from))
            }
            AttributeEffect::ClearedWithoutMatch => {
                format!("`{target}` is empty: no step matched what {from} says")
            }
            AttributeEffect::Flag(active) => format!("`{target}` is {active}, from {from}"),
            AttributeEffect::FlagWithoutValue(active) => {
                format!(
                    "`{target}` is {active}, as {}",
                    self.without_value(target, from)
                )
            }
            AttributeEffect::Dropped(reason) => format!(
                "the row for `{target}` drops the user ({}): {}",
                reason.as_str(),
                match self.went_through_steps(target) {
                    true => format!("its steps say so of {from}"),
                    false => format!("{from} has no fitting value"),
                }
            ),
            AttributeEffect::Failed(fault) => {
                format!(
                    "`{target}` stays as it was: the value of {from} {}",
                    fault.as_str()
                )
            }
        }
    }
}
