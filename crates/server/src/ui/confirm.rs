//! A question before something is done: what it will do, whom it hits, and the way back.

use askama::Template;

use super::desk::Desk;
use super::page::{Shell, Shown, show};

/// A question.
pub(super) struct Confirm {
    open: &'static str,
    question: String,
    effects: Vec<String>,
    verb: &'static str,
    action: String,
    back: String,
    names: Vec<String>,
    hidden: Vec<(String, String)>,
    choices: Option<Choices>,
    is_harmless: bool,
}

/// What has to be chosen before it is done.
struct Choices {
    label: &'static str,
    field: &'static str,
    options: &'static [(&'static str, &'static str)],
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    shell: Shell,
    confirm: Confirm,
}

impl Confirm {
    pub(super) fn new(open: &'static str, question: impl Into<String>) -> Self {
        Self {
            open,
            question: question.into(),
            effects: Vec::new(),
            verb: "Do it",
            action: String::new(),
            back: "/console".to_owned(),
            names: Vec::new(),
            hidden: Vec::new(),
            choices: None,
            is_harmless: false,
        }
    }

    /// Tells something that will happen.
    pub(super) fn effect(mut self, effect: impl Into<String>) -> Self {
        self.effects.push(effect.into());
        self
    }

    /// The word on the button.
    pub(super) fn verb(mut self, verb: &'static str) -> Self {
        self.verb = verb;
        self
    }

    /// Where the form goes.
    pub(super) fn action(mut self, action: impl Into<String>) -> Self {
        self.action = action.into();
        self
    }

    /// Where to go back to.
    pub(super) fn back(mut self, back: impl Into<String>) -> Self {
        self.back = back.into();
        self
    }

    /// Names whom it hits.
    pub(super) fn names(mut self, names: Vec<String>) -> Self {
        self.names = names;
        self
    }

    /// Sends something along.
    pub(super) fn hidden(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.hidden.push((name.into(), value.into()));
        self
    }

    /// Lets somebody choose first.
    pub(super) fn choose(
        mut self,
        label: &'static str,
        field: &'static str,
        options: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.choices = Some(Choices {
            label,
            field,
            options,
        });
        self
    }

    /// It takes nothing away.
    pub(super) fn harmless(mut self) -> Self {
        self.is_harmless = true;
        self
    }

    /// The page that asks.
    pub(super) fn show(self, desk: &Desk) -> Shown {
        show(&ConfirmPage {
            shell: desk.shell(self.open),
            confirm: self,
        })
    }
}
