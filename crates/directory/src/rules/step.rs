//! Steps, ready to run.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use hmac::Hmac;
use jiff::Timestamp;
use regex::Regex;
use scim::Selector;
use sha2::Sha256;

use super::condition::{Asks, Condition};
use super::pattern::Replacement;
use super::source::Template;
use super::{DateSpan, DateUnit, LookupBy, OnNoMatch, RegexMode, Target};

/// Longest value a step may produce, in bytes.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Most values in a list.
pub const VALUES_MAX: usize = 1_000;

/// A value on its way, and whether some step that must match has matched it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub text: Cow<'a, str>,
    pub matched: bool,
}

impl<'a> Item<'a> {
    pub(crate) fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            text: text.into(),
            matched: false,
        }
    }

    pub(super) fn made(text: impl Into<String>, matched: bool) -> Self {
        Self {
            text: Cow::Owned(text.into()),
            matched,
        }
    }
}

/// Why steps could not run to their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A value was too long for an expression to be run on it.
    SubjectTooLong,
    /// A step made a value longer than any may be.
    ValueTooLong,
    /// A step made more values than a list may have.
    TooManyValues,
    /// The value cannot be what the target needs, e.g. neither true nor false.
    NotUnderstood,
    /// The value is no possible name: it is empty, or has characters that names may not have.
    NotAName,
    /// The value has more characters than a name may have.
    NameTooLong,
    /// The value is no date, or not of the format, or a date was left that there is.
    NotADate,
    /// All names that were tried belong to others.
    NoneFree,
}

impl Fault {
    /// The fault in words that go on from "the value".
    pub const fn as_str(self) -> &'static str {
        match self {
            Fault::SubjectTooLong => "is longer than the 4 KiB a regular expression is run on",
            Fault::ValueTooLong => "grew beyond 64 KiB",
            Fault::TooManyValues => "became a list of more than 1,000",
            Fault::NotUnderstood => "is neither true nor false",
            Fault::NotAName => {
                "is not a possible name: names have 1 to 255 characters, none of them invisible, and no white space around"
            }
            Fault::NameTooLong => "is too long for a name: names have at most 255 characters",
            Fault::NotADate => "is not a date of the format",
            Fault::NoneFree => "belongs to somebody else with every number that was tried",
        }
    }
}

/// Where steps lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// On.
    Go,
    /// The target stays as the directory has it.
    Keep,
    /// The user is dropped.
    Drop,
}

/// A row's or a rule's steps, ready to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    pub(super) steps: Vec<Labelled>,
    /// Whether there is a step that must match.
    pub conditional: bool,
    /// Whether explanations must not show values.
    pub redacted: bool,
    /// Whether there is a step that only counts for a new account.
    pub create_only: bool,
    /// What its conditions ask that is no part of the user.
    pub asks: Asks,
    /// What is read of other users, and how they are found.
    pub look_ups: Vec<(LookupBy, Selector)>,
}

/// A step and its place in the rules, e.g. `mapping[0].steps[1].lower`.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    pub label: Arc<str>,
    pub step: Compiled,
}

#[derive(Clone, Debug)]
pub(super) enum Compiled {
    Lower,
    Upper,
    Title,
    Trim,
    CollapseSpaces,
    StripSpaces,
    StripDomain,
    GuestToEmail,
    AsciiFold,
    Replace {
        find: Find,
        with: String,
    },
    Regex {
        regex: Regex,
        with: Replacement,
        mode: RegexMode,
    },
    Extract {
        regex: Regex,
        group: usize,
    },
    Template(Template),
    Coalesce(Vec<Selector>),
    Default(String),
    Constant(String),
    Prefix {
        text: String,
        unless_present: bool,
    },
    Suffix {
        text: String,
        unless_present: bool,
    },
    Substring {
        start: usize,
        len: Option<usize>,
    },
    Right(usize),
    Split {
        sep: String,
        trim: bool,
        drop_empty: bool,
    },
    Join(String),
    Nth(usize),
    Last,
    Word {
        n: usize,
        sep: String,
    },
    Unique,
    Sort,
    Count,
    Map {
        table: HashMap<String, Vec<String>>,
        otherwise: super::MapDefault,
        fold: bool,
    },
    Filter {
        regex: Regex,
        keep: bool,
    },
    UsernameSafe {
        unwanted: Regex,
        with: String,
    },
    UniqueSuffix {
        sep: String,
        max: u32,
    },
    Hash {
        key: Hmac<Sha256>,
        digits: usize,
    },
    DateParse(Option<String>),
    DateFormat(String),
    DateAdd(DateSpan),
    DateDiff {
        to: Moment,
        unit: DateUnit,
    },
    Now,
    ToBool(HashMap<String, bool>),
    IgnoreIfEmpty,
    If {
        when: Condition,
        then: Steps,
        otherwise: Steps,
    },
    DropUserIf(Condition),
    Redact,
    Lookup {
        by: LookupBy,
        attribute: Selector,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Find {
    Exactly(String),
    AnyCase(Regex),
}

/// The other end of a span of time.
#[derive(Clone, Debug)]
pub(super) enum Moment {
    Now,
    At(Timestamp),
    Attribute(Box<Selector>),
}

impl Steps {
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The targets of other rows that the steps read.
    pub(crate) fn needs(&self, needed: &mut Vec<Target>) {
        for step in &self.steps {
            match &step.step {
                Compiled::Template(template) => template.needs(needed),
                Compiled::If {
                    then, otherwise, ..
                } => {
                    then.needs(needed);
                    otherwise.needs(needed);
                }
                _ => {}
            }
        }
    }
}

impl Compiled {
    /// Whether values that this step does not fit are "not transformed".
    pub(super) fn must_match(&self) -> bool {
        match self {
            Compiled::Regex { mode, .. } => *mode == RegexMode::Whole,
            Compiled::Map { otherwise, .. } => *otherwise == super::MapDefault::Pass,
            Compiled::If {
                then, otherwise, ..
            } => then.conditional || otherwise.conditional,
            _ => false,
        }
    }
}

/// What is left of a target's values once [`OnNoMatch`] has spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled<'a> {
    Values(Vec<Item<'a>>),
    Keep,
    DropUser,
}

impl OnNoMatch {
    /// Whether values that matched nothing go through.
    pub(crate) fn passes(self) -> bool {
        self == OnNoMatch::Pass
    }

    /// Decides over values of which some, or none, matched (US-12).
    pub(crate) fn settle<'a>(self, mut values: Vec<Item<'a>>) -> Settled<'a> {
        let none = !values.iter().any(|item| item.matched);
        match self {
            OnNoMatch::Keep if none => Settled::Keep,
            OnNoMatch::DropUser if none => Settled::DropUser,
            OnNoMatch::Pass => Settled::Values(values),
            OnNoMatch::Keep | OnNoMatch::Clear | OnNoMatch::DropUser => {
                values.retain(|item| item.matched);
                Settled::Values(values)
            }
        }
    }
}
