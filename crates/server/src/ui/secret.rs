//! A page for what is shown once: nothing on it leads away but the one way on.

use askama::Template;

use super::desk::Desk;
use super::guide::copy_field;
use super::page::{Shell, Shown, show};

/// Something that was just made, and is not to be had again.
pub(super) struct Secret {
    open: &'static str,
    title: String,
    fields: Vec<(&'static str, String)>,
    hint: &'static str,
    next: String,
}

#[derive(Template)]
#[template(path = "secret.html")]
struct SecretPage {
    shell: Shell,
    secret: Secret,
}

impl Secret {
    /// What it is, with the part of the console that is open and the page to go on to.
    pub(super) fn new(
        open: &'static str,
        title: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            open,
            title: title.into(),
            fields: Vec::new(),
            hint: "It is not kept, and cannot be shown again.",
            next: next.into(),
        }
    }

    /// A value to be copied, with its name.
    pub(super) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, copy_field(value)));
        self
    }

    /// What to do with it, besides copying it.
    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// The page that shows it.
    pub(super) fn show(self, desk: &Desk) -> Shown {
        show(&SecretPage {
            shell: desk.shell(self.open),
            secret: self,
        })
    }
}
