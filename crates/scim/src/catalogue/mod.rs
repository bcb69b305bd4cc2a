//! Every kind of error that a SCIM client can be answered with: what it means, where it comes from, and what to do.
//!
//! This table is the only source of errors: a [`ScimError`] is made from one of its entries and a sentence about the
//! case. The book's page of errors, the record of requests and the metrics name the same codes.

mod access;
mod body;
mod query;
mod write;

pub use access::*;
pub use body::*;
pub use query::*;
pub use write::*;

use crate::error::{ScimError, ScimType};

/// A kind of error. Only the table has any, so each error is explained.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its name; never changes.
    pub code: &'static str,
    /// HTTP status code.
    pub status: u16,
    /// Keyword on the wire, for the kinds that have one (RFC 7644, table 9).
    pub scim_type: Option<ScimType>,
    /// What it means, as a sentence.
    pub meaning: &'static str,
    /// Where it most likely comes from.
    pub cause: &'static str,
    /// What the administrator of the identity provider, or of this server, does about it.
    pub remedy: &'static str,
}

impl Entry {
    /// An error of this kind. `detail` tells the case: what was wrong, in which attribute, and what to do next.
    pub fn error(&'static self, detail: impl Into<String>) -> ScimError {
        ScimError::new(self, detail.into())
    }
}

/// Entries that belong together.
#[derive(Debug)]
#[non_exhaustive]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The entries.
    pub entries: &'static [&'static Entry],
}

/// The whole table.
pub static SECTIONS: &[&Section] = &[
    &access::CREDENTIALS,
    &access::LIMITS,
    &access::ADDRESSES,
    &body::BODIES,
    &write::ATTRIBUTES,
    &write::NAMES,
    &write::MEMBERS,
    &write::PATCHES,
    &write::VERSIONS,
    &query::QUERIES,
    &query::PAGES,
    &body::BULK,
    &access::SERVER,
];

/// All entries.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    let sections = SECTIONS.iter();
    sections.flat_map(|section| section.entries.iter().copied())
}

/// The entry of a code.
pub fn find(code: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.code == code)
}

/// Makes a section: each entry is a static, and none can be left out of the table.
macro_rules! section {
    ($section:ident $title:literal $(
        $name:ident $code:literal $status:literal $($keyword:ident)? {
            meaning: $meaning:literal,
            cause: $cause:literal,
            remedy: $remedy:literal,
        }
    )*) => {
        $(
            #[doc = $meaning]
            pub static $name: $crate::catalogue::Entry = $crate::catalogue::Entry {
                code: $code,
                status: $status,
                scim_type: $crate::catalogue::section!(@keyword $($keyword)?),
                meaning: $meaning,
                cause: $cause,
                remedy: $remedy,
            };
        )*
        pub(super) static $section: $crate::catalogue::Section = $crate::catalogue::Section {
            title: $title,
            entries: &[$(&$name),*],
        };
    };
    (@keyword) => { None };
    (@keyword $keyword:ident) => { Some($crate::error::ScimType::$keyword) };
}
use section;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_entry_says_what_it_means_and_what_to_do() {
        let is_sentence = |text: &str| {
            text.ends_with('.')
                && text.starts_with(|first: char| first.is_uppercase() || first == '`')
        };
        for entry in entries() {
            let code = entry.code;
            assert!((400..600).contains(&entry.status), "{code}");
            assert!(is_sentence(entry.meaning), "{code}: {}", entry.meaning);
            assert!(is_sentence(entry.cause), "{code}: {}", entry.cause);
            assert!(is_sentence(entry.remedy), "{code}: {}", entry.remedy);
            let texts = [entry.meaning, entry.cause, entry.remedy];
            assert!(
                !texts.iter().any(|text| text.contains(['|', '\n'])),
                "{code} breaks a table"
            );
        }
    }

    #[test]
    fn codes_are_kebab_case_and_used_once() {
        let mut seen = HashSet::new();
        for entry in entries() {
            let mut words = entry.code.split('-');
            let is_word =
                |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
            assert!(words.all(is_word), "{}", entry.code);
            assert!(seen.insert(entry.code), "{} occurs twice", entry.code);
            assert!(find(entry.code).is_some_and(|found| std::ptr::eq(found, entry)));
        }
    }

    /// RFC 7644 section 3.12: keywords are for 400, but `uniqueness` for 409 and `sensitive` for 403.
    #[test]
    fn keywords_go_with_their_status() {
        for entry in entries() {
            let wanted = match entry.scim_type {
                Some(ScimType::Uniqueness) => 409,
                Some(ScimType::Sensitive) => 403,
                Some(_) => 400,
                None => continue,
            };
            assert_eq!(entry.status, wanted, "{}", entry.code);
        }
    }
}
