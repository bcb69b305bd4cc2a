//! How an answer is to be written.

use crate::format::Format;
use crate::link::Links;

/// The format of an answer and where its links point.
#[derive(Debug, Clone)]
pub struct Style {
    /// XML or JSON.
    pub format: Format,
    /// The base of every link.
    pub links: Links,
    /// Whether full entries of XML lists leave out their links, which halves a full synchronisation and
    /// which no client of lists misses. JSON keeps them always.
    pub lean_lists: bool,
}

impl Style {
    /// Writes with all links.
    pub fn new(format: Format, links: Links) -> Style {
        Style {
            format,
            links,
            lean_lists: false,
        }
    }

    /// Writes full entries of XML lists without links.
    pub fn lean(self) -> Style {
        Style {
            lean_lists: true,
            ..self
        }
    }

    /// How much of a full entry this style writes in a list.
    pub(crate) fn in_list(&self) -> Detail {
        match self.format {
            Format::Xml if self.lean_lists => Detail::Lean,
            _ => Detail::Linked,
        }
    }
}

/// How much of a full user or group is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Everything, links included.
    Linked,
    /// What is known about the entity, without links and without a place for the password.
    Lean,
}
