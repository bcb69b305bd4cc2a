//! Steps compiled and run: what happens to values on their way from a source to a target.

use std::borrow::Cow;

use regex::Regex;

use super::pattern::{self, Manner, Replacement, SUBJECT_BYTES_MAX};
use super::{OnNoMatch, RegexMode, RuleError, Step, text};

/// Longest value a step may produce, in bytes.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

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
}

/// Why steps could not run to their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A value was too long for an expression to be run on it.
    SubjectTooLong,
    /// A step made a value longer than any may be.
    ValueTooLong,
    /// The value cannot be what the target needs, e.g. neither true nor false.
    NotUnderstood,
    /// The value is no possible name: too long, or with characters that names may not have.
    NotAName,
}

impl Fault {
    /// The fault in words that go on from "the value".
    pub const fn as_str(self) -> &'static str {
        match self {
            Fault::SubjectTooLong => "is longer than the 4 KiB a regular expression is run on",
            Fault::ValueTooLong => "grew beyond 64 KiB",
            Fault::NotUnderstood => "is neither true nor false",
            Fault::NotAName => "is not a possible name",
        }
    }
}

/// A row's or a rule's steps, ready to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    steps: Vec<Compiled>,
    /// Whether there is a step that must match.
    pub conditional: bool,
}

#[derive(Clone, Debug)]
enum Compiled {
    Lower,
    Upper,
    Title,
    Trim,
    CollapseSpaces,
    StripSpaces,
    StripDomain,
    GuestToEmail,
    Replace {
        find: Find,
        with: String,
    },
    Regex {
        regex: Regex,
        with: Replacement,
        mode: RegexMode,
    },
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
}

#[derive(Clone, Debug)]
enum Find {
    Exactly(String),
    AnyCase(Regex),
}

impl Steps {
    /// Compiles steps; what is wrong with them goes into `errors`.
    pub(crate) fn compile(steps: &[Step], path: &str, errors: &mut Vec<RuleError>) -> Self {
        let mut compiled = Self::default();
        for (index, step) in steps.iter().enumerate() {
            match Compiled::new(step, &format!("{path}[{index}]")) {
                Ok(step) => {
                    compiled.conditional |= step.must_match();
                    compiled.steps.push(step);
                }
                Err(error) => errors.push(error),
            }
        }
        compiled
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Runs all steps over all values.
    pub(crate) fn run(&self, values: &mut Vec<Item<'_>>) -> Result<(), Fault> {
        for step in &self.steps {
            step.run(values)?;
            if values.iter().any(|item| item.text.len() > VALUE_BYTES_MAX) {
                return Err(Fault::ValueTooLong);
            }
        }
        Ok(())
    }
}

impl Compiled {
    fn new(step: &Step, path: &str) -> Result<Self, RuleError> {
        Ok(match step {
            Step::Lower => Compiled::Lower,
            Step::Upper => Compiled::Upper,
            Step::Title => Compiled::Title,
            Step::Trim => Compiled::Trim,
            Step::CollapseSpaces => Compiled::CollapseSpaces,
            Step::StripSpaces => Compiled::StripSpaces,
            Step::StripDomain => Compiled::StripDomain,
            Step::GuestToEmail => Compiled::GuestToEmail,
            Step::Default(text) => Compiled::Default(text.clone()),
            Step::Constant(text) => Compiled::Constant(text.clone()),
            Step::Prefix {
                text,
                unless_present,
            } => Compiled::Prefix {
                text: text.clone(),
                unless_present: *unless_present,
            },
            Step::Suffix {
                text,
                unless_present,
            } => Compiled::Suffix {
                text: text.clone(),
                unless_present: *unless_present,
            },
            Step::Replace { find, with, i } => Compiled::Replace {
                find: Find::new(find, *i, &format!("{path}.replace.find"))?,
                with: with.clone(),
            },
            Step::RegexReplace {
                pattern,
                with,
                mode,
                i,
            } => regex_replace(pattern, with, *mode, *i, &format!("{path}.regex_replace"))?,
        })
    }

    /// Whether values that this step does not fit are "not transformed".
    fn must_match(&self) -> bool {
        matches!(
            self,
            Compiled::Regex {
                mode: RegexMode::Whole,
                ..
            }
        )
    }

    fn run(&self, values: &mut Vec<Item<'_>>) -> Result<(), Fault> {
        match self {
            Compiled::Default(text) => {
                if values.is_empty() {
                    values.push(Item {
                        text: Cow::Owned(text.clone()),
                        matched: true,
                    });
                }
            }
            Compiled::Constant(text) => {
                let matched = values.iter().any(|item| item.matched);
                let text = Cow::Owned(text.clone());
                *values = vec![Item { text, matched }];
            }
            Compiled::Regex { regex, with, mode } => {
                for item in values {
                    replace_regex(item, regex, with, *mode)?;
                }
            }
            plain => {
                for item in values {
                    item.text = plain.of_text(std::mem::take(&mut item.text));
                }
            }
        }
        Ok(())
    }

    fn of_text<'a>(&self, value: Cow<'a, str>) -> Cow<'a, str> {
        match self {
            Compiled::Lower => Cow::Owned(value.to_lowercase()),
            Compiled::Upper => Cow::Owned(value.to_uppercase()),
            Compiled::Title => Cow::Owned(text::title(&value)),
            Compiled::Trim => cut(value, str::trim),
            Compiled::CollapseSpaces => Cow::Owned(text::collapse_spaces(&value)),
            Compiled::StripSpaces => Cow::Owned(value.replace(' ', "")),
            Compiled::StripDomain => cut(value, text::strip_domain),
            Compiled::GuestToEmail => text::guest_to_email(&value).map_or(value, Cow::Owned),
            Compiled::Replace { find, with } => Cow::Owned(find.replace(&value, with)),
            Compiled::Prefix {
                text,
                unless_present,
            } => {
                if *unless_present && value.starts_with(text.as_str()) {
                    value
                } else {
                    Cow::Owned(format!("{text}{value}"))
                }
            }
            Compiled::Suffix {
                text,
                unless_present,
            } => {
                if *unless_present && value.ends_with(text.as_str()) {
                    value
                } else {
                    Cow::Owned(format!("{value}{text}"))
                }
            }
            Compiled::Default(_) | Compiled::Constant(_) | Compiled::Regex { .. } => value,
        }
    }
}

fn cut<'a>(value: Cow<'a, str>, cut: fn(&str) -> &str) -> Cow<'a, str> {
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text)),
        Cow::Owned(text) => Cow::Owned(cut(&text).to_owned()),
    }
}

impl Find {
    fn new(find: &str, ignore_case: bool, path: &str) -> Result<Self, RuleError> {
        if find.is_empty() {
            let remedy = "name the text to look for; `prefix` and `suffix` add text";
            return Err(RuleError::new(
                path,
                "the text to look for is empty",
                remedy,
            ));
        }
        if !ignore_case {
            return Ok(Find::Exactly(find.to_owned()));
        }
        let manner = Manner {
            ignore_case: true,
            ..Manner::default()
        };
        pattern::compile(&regex::escape(find), manner, path).map(Find::AnyCase)
    }

    fn replace(&self, value: &str, with: &str) -> String {
        match self {
            Find::Exactly(find) => value.replace(find.as_str(), with),
            Find::AnyCase(regex) => regex.replace_all(value, regex::NoExpand(with)).into_owned(),
        }
    }
}

fn regex_replace(
    pattern: &str,
    with: &str,
    mode: RegexMode,
    ignore_case: bool,
    path: &str,
) -> Result<Compiled, RuleError> {
    let manner = Manner {
        whole: mode == RegexMode::Whole,
        ignore_case,
        ..Manner::default()
    };
    let at = format!("{path}.pattern");
    let regex = pattern::compile(pattern, manner, &at)?;
    if mode == RegexMode::All && pattern::matches_empty(&regex) {
        return Err(RuleError::new(
            &at,
            "the pattern can match empty text, which would insert the replacement between all letters",
            "use `+` in place of `*`, or mode `whole` or `first`",
        ));
    }
    let with = Replacement::parse(with, &regex, &format!("{path}.with"))?;
    Ok(Compiled::Regex { regex, with, mode })
}

fn replace_regex(
    item: &mut Item<'_>,
    regex: &Regex,
    with: &Replacement,
    mode: RegexMode,
) -> Result<(), Fault> {
    if item.text.len() > SUBJECT_BYTES_MAX {
        return Err(Fault::SubjectTooLong);
    }
    let limit = if mode == RegexMode::All {
        usize::MAX
    } else {
        1
    };
    let mut replaced = String::new();
    let mut hit = false;
    let mut done = 0;
    for found in regex.captures_iter(&item.text).take(limit) {
        let Some(whole) = found.get(0) else { continue };
        replaced.push_str(&item.text[done..whole.start()]);
        with.expand(&found, &mut replaced);
        done = whole.end();
        hit = true;
        if replaced.len() > VALUE_BYTES_MAX {
            return Err(Fault::ValueTooLong);
        }
    }
    if hit {
        replaced.push_str(&item.text[done..]);
        item.text = Cow::Owned(replaced);
        item.matched |= mode == RegexMode::Whole;
    }
    Ok(())
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
