//! What steps leave in the trace while they run.

use std::sync::Arc;

use crate::name::quoted;
use crate::rules::{Item, LookupBy, REDACTED};
use crate::trace::{Entry, StepEffect, Trace};

/// Most characters of values that a line shows.
const SHOWN_CHARS_MAX: usize = 120;

/// Takes down what the steps of one row do.
pub(crate) struct Notes<'t> {
    trace: Option<(&'t mut Trace, Arc<str>)>,
    /// Values are not to be shown.
    redacted: bool,
}

impl<'t> Notes<'t> {
    /// Notes on the row for a target.
    pub(crate) fn on(trace: &'t mut Trace, target: &Arc<str>, redacted: bool) -> Self {
        Self {
            trace: Some((trace, Arc::clone(target))),
            redacted,
        }
    }

    /// Nobody takes notes.
    pub(crate) fn off() -> Self {
        Self {
            trace: None,
            redacted: false,
        }
    }

    /// The values in words; none if nobody takes notes.
    pub(crate) fn shown(&self, values: &[Item<'_>]) -> Option<String> {
        self.trace.as_ref()?;
        let mut shown = String::new();
        for item in values {
            if !shown.is_empty() {
                shown.push_str(", ");
            }
            if shown.len() > SHOWN_CHARS_MAX {
                shown.push_str("...");
                break;
            }
            let cut = item.text.char_indices().nth(SHOWN_CHARS_MAX);
            let text = cut.map_or(&*item.text, |(at, _)| &item.text[..at]);
            // Writing to a text cannot fail.
            shown.push_str(&quoted(text));
            if cut.is_some() {
                shown.push_str("...");
            }
        }
        if shown.is_empty() {
            shown.push_str("nothing");
        }
        Some(shown)
    }

    /// A step did something.
    pub(crate) fn step(&mut self, step: &Arc<str>, before: Option<String>, effect: StepEffect) {
        let Some((trace, target)) = &mut self.trace else {
            return;
        };
        let hidden = || REDACTED.to_owned();
        let (before, effect) = match (self.redacted, effect) {
            (false, effect) => (before.unwrap_or_default(), effect),
            (true, StepEffect::Became(_)) => (hidden(), StepEffect::Became(hidden())),
            (true, effect) => (hidden(), effect),
        };
        trace.push(Entry::Step {
            target: Arc::clone(target),
            step: Arc::clone(step),
            before,
            effect,
        });
    }

    /// A row looked for another user.
    pub(crate) fn sought(&mut self, by: LookupBy, value: &str, found: bool) {
        if let Some((trace, target)) = &mut self.trace {
            trace.push(Entry::Sought {
                target: Arc::clone(target),
                by,
                value: value.to_owned(),
                found,
                redacted: self.redacted,
            });
        }
    }
}
