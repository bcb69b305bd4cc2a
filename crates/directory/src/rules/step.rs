//! Steps run: what is done to values on their way from a source to a target.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use hmac::Hmac;
use jiff::Timestamp;
use regex::Regex;
use scim::Selector;
use sha2::Sha256;

use super::condition::{Asks, Condition, Context};
use super::pattern::{Replacement, SUBJECT_BYTES_MAX};
use super::source::{self, Template};
use super::{DateSpan, DateUnit, LookupBy, OnNoMatch, RegexMode, Target, date, text};
use crate::name::folded;
use crate::notes::Notes;
use crate::trace::StepEffect;

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

    fn made(text: impl Into<String>, matched: bool) -> Self {
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

    /// Runs all steps over all values. Names of groups have no context, and no step that needs one.
    pub(crate) fn run<'a>(
        &self,
        values: &mut Vec<Item<'a>>,
        context: Option<&Context<'a, '_>>,
        notes: &mut Notes<'_>,
    ) -> Result<Flow, Fault> {
        let mut before = notes.shown(values);
        for Labelled { label, step } in &self.steps {
            let done = step.run(values, context, notes);
            let done = done.and_then(|flow| within_limits(values).map(|()| flow));
            let effect = match done {
                Err(fault) => StepEffect::Failed(fault),
                Ok(Flow::Keep) => StepEffect::Kept,
                Ok(Flow::Drop) => StepEffect::Dropped,
                Ok(Flow::Go) => {
                    let after = notes.shown(values);
                    if let Some(text) = &after
                        && after != before
                        && !matches!(step, Compiled::If { .. })
                    {
                        notes.step(label, before, StepEffect::Became(text.clone()));
                    }
                    before = after;
                    continue;
                }
            };
            if !matches!(step, Compiled::If { .. }) {
                notes.step(label, before, effect);
            }
            return done;
        }
        Ok(Flow::Go)
    }
}

fn within_limits(values: &[Item<'_>]) -> Result<(), Fault> {
    if values.len() > VALUES_MAX {
        return Err(Fault::TooManyValues);
    }
    let long = values.iter().any(|item| item.text.len() > VALUE_BYTES_MAX);
    let all: usize = values.iter().map(|item| item.text.len()).sum();
    if long || all > 16 * VALUE_BYTES_MAX {
        return Err(Fault::ValueTooLong);
    }
    Ok(())
}

fn any_matched(values: &[Item<'_>]) -> bool {
    values.iter().any(|item| item.matched)
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

    fn run<'a>(
        &self,
        values: &mut Vec<Item<'a>>,
        context: Option<&Context<'a, '_>>,
        notes: &mut Notes<'_>,
    ) -> Result<Flow, Fault> {
        match (self, context) {
            (Compiled::IgnoreIfEmpty, _) if values.iter().all(|item| item.text.is_empty()) => {
                return Ok(Flow::Keep);
            }
            (Compiled::Map { .. }, _) => return self.look_up(values),
            (
                Compiled::If {
                    when,
                    then,
                    otherwise,
                },
                Some(context),
            ) => {
                let holds = when.holds(&context.asked());
                let branch = if holds { then } else { otherwise };
                if !branch.conditional && self.must_match() {
                    // The condition has decided about these values; there is nothing else to match.
                    values.iter_mut().for_each(|item| item.matched = true);
                }
                return branch.run(values, Some(context), notes);
            }
            (Compiled::DropUserIf(when), Some(context)) if when.holds(&context.asked()) => {
                return Ok(Flow::Drop);
            }
            (_, Some(context)) => self.in_context(values, context, notes)?,
            _ => {}
        }
        self.over_list(values);
        self.over_each(values)?;
        Ok(Flow::Go)
    }

    /// Steps that look at the user, or at others.
    fn in_context<'a>(
        &self,
        values: &mut Vec<Item<'a>>,
        context: &Context<'a, '_>,
        notes: &mut Notes<'_>,
    ) -> Result<(), Fault> {
        match self {
            Compiled::Template(template) => {
                let matched = any_matched(values);
                let current = values.first().map(|item| item.text.to_string());
                *values = template
                    .fill(context, current.as_deref())
                    .into_iter()
                    .collect();
                values.iter_mut().for_each(|item| item.matched = matched);
            }
            Compiled::Coalesce(selectors) if values.is_empty() => {
                *values = source::first_of(selectors, context.user);
            }
            Compiled::Now => {
                let matched = any_matched(values);
                *values = vec![Item::made(context.now.to_string(), matched)];
            }
            Compiled::DateDiff { to, unit } => {
                let to = match to {
                    Moment::Now => Some(context.now),
                    Moment::At(at) => Some(*at),
                    Moment::Attribute(selector) => source::items(selector, context.user)
                        .first()
                        .map(|item| date::parse(&item.text).ok_or(Fault::NotADate))
                        .transpose()?,
                };
                let Some(to) = to else {
                    values.clear();
                    return Ok(());
                };
                for item in values {
                    let from = date::parse(&item.text).ok_or(Fault::NotADate)?;
                    item.text = Cow::Owned(date::units(from, to, *unit).to_string());
                }
            }
            Compiled::UniqueSuffix { sep, max } => {
                for item in values {
                    if !context.around.is_taken(&item.text) {
                        continue;
                    }
                    let mut tried = (2..=*max).map(|number| format!("{}{sep}{number}", item.text));
                    let free = tried.find(|name| !context.around.is_taken(name));
                    item.text = Cow::Owned(free.ok_or(Fault::NoneFree)?);
                }
            }
            Compiled::Lookup { by, attribute } => {
                let mut found = Vec::new();
                for item in values.iter() {
                    let other = context.around.find_user(*by, &item.text);
                    notes.sought(*by, &item.text, other.is_some());
                    if let Some(other) = other {
                        found.extend(
                            source::items(attribute, &other)
                                .into_iter()
                                .map(|it| Item::made(it.text, item.matched)),
                        );
                    }
                }
                *values = found;
            }
            _ => {}
        }
        Ok(())
    }

    /// Steps that look at all values together.
    fn over_list(&self, values: &mut Vec<Item<'_>>) {
        match self {
            Compiled::Default(text) if values.is_empty() => {
                values.push(Item::made(text.as_str(), true));
            }
            Compiled::Constant(text) => {
                *values = vec![Item::made(text.as_str(), any_matched(values))];
            }
            Compiled::Split {
                sep,
                trim,
                drop_empty,
            } => {
                let parts = values.iter().flat_map(|item| {
                    let parts = item.text.split(sep.as_str());
                    let parts = parts.map(|part| if *trim { part.trim() } else { part });
                    parts
                        .filter(|part| !(*drop_empty && part.is_empty()))
                        .take(VALUES_MAX + 1)
                        .map(|part| Item::made(part, item.matched))
                });
                *values = parts.take(VALUES_MAX + 1).collect();
            }
            Compiled::Join(sep) if !values.is_empty() => {
                let texts: Vec<&str> = values.iter().map(|item| &*item.text).collect();
                *values = vec![Item::made(texts.join(sep), any_matched(values))];
            }
            Compiled::Nth(n) => {
                values.truncate(n.saturating_add(1));
                values.drain(..(*n).min(values.len()));
            }
            Compiled::Last => {
                values.drain(..values.len().saturating_sub(1));
            }
            Compiled::Unique => {
                let mut seen = BTreeSet::new();
                values.retain(|item| seen.insert(folded(&item.text).into_owned()));
            }
            Compiled::Sort => values.sort_by(|a, b| a.text.cmp(&b.text)),
            Compiled::Count => {
                let count = values.len().to_string();
                *values = vec![Item::made(count, any_matched(values))];
            }
            _ => {}
        }
    }

    /// Steps that are applied to each value by itself.
    fn over_each(&self, values: &mut Vec<Item<'_>>) -> Result<(), Fault> {
        match self {
            Compiled::Regex { regex, with, mode } => {
                for item in values {
                    replace_regex(item, regex, with, *mode)?;
                }
            }
            Compiled::Extract { regex, group } => {
                for item in values.iter_mut() {
                    fits_expression(&item.text)?;
                    let found = regex.captures(&item.text).and_then(|it| it.get(*group));
                    let found = found.map_or(String::new(), |it| it.as_str().to_owned());
                    item.text = Cow::Owned(found);
                }
                values.retain(|item| !item.text.is_empty());
            }
            Compiled::Filter { regex, keep } => {
                for item in values.iter() {
                    fits_expression(&item.text)?;
                }
                values.retain(|item| regex.is_match(&item.text) == *keep);
            }
            Compiled::Word { n, sep } => {
                for item in values.iter_mut() {
                    let mut words = item.text.split(sep.as_str()).filter(|it| !it.is_empty());
                    item.text = Cow::Owned(words.nth(*n).unwrap_or_default().to_owned());
                }
                values.retain(|item| !item.text.is_empty());
            }
            Compiled::DateParse(format) => dates(values, |text| {
                let at = match format {
                    Some(format) => date::parse_as(format, text),
                    None => date::parse(text),
                };
                at.map(|at| at.to_string())
            })?,
            Compiled::DateFormat(format) => dates(values, |text| {
                date::parse(text).and_then(|at| date::format(format, at))
            })?,
            Compiled::DateAdd(by) => dates(values, |text| {
                date::parse(text)
                    .and_then(|at| date::add(at, by))
                    .map(|at| at.to_string())
            })?,
            Compiled::ToBool(words) => {
                for item in values {
                    let word = words.get(&item.text.trim().to_lowercase());
                    let truth = word.ok_or(Fault::NotUnderstood)?;
                    item.text = Cow::Borrowed(if *truth { "true" } else { "false" });
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

    fn look_up(&self, values: &mut Vec<Item<'_>>) -> Result<Flow, Fault> {
        let Compiled::Map {
            table,
            otherwise,
            fold,
        } = self
        else {
            return Ok(Flow::Go);
        };
        let mut found = Vec::with_capacity(values.len());
        for item in values.drain(..) {
            let entry = match fold {
                true => table.get(&*folded(&item.text)),
                false => table.get(&*item.text),
            };
            match (entry, otherwise) {
                (Some(texts), _) => {
                    found.extend(texts.iter().map(|text| Item::made(text.as_str(), true)));
                }
                (None, super::MapDefault::Pass) => found.push(item),
                (None, super::MapDefault::Null) => {}
                (None, super::MapDefault::Keep) => return Ok(Flow::Keep),
                (None, super::MapDefault::DropUser) => return Ok(Flow::Drop),
                (None, super::MapDefault::Value(text)) => {
                    found.push(Item::made(text.as_str(), item.matched));
                }
            }
        }
        *values = found;
        Ok(Flow::Go)
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
            Compiled::AsciiFold if !value.is_ascii() => Cow::Owned(text::ascii_fold(&value)),
            Compiled::Replace { find, with } => Cow::Owned(find.replace(&value, with)),
            Compiled::Prefix {
                text,
                unless_present,
            } if !(*unless_present && value.starts_with(text.as_str())) => {
                Cow::Owned(format!("{text}{value}"))
            }
            Compiled::Suffix {
                text,
                unless_present,
            } if !(*unless_present && value.ends_with(text.as_str())) => {
                Cow::Owned(format!("{value}{text}"))
            }
            Compiled::Substring { start, len } => {
                Cow::Owned(text::substring(&value, *start, *len).to_owned())
            }
            Compiled::Right(chars) => Cow::Owned(text::right(&value, *chars).to_owned()),
            Compiled::UsernameSafe { unwanted, with } => {
                Cow::Owned(text::replace_runs(&value, unwanted, with))
            }
            Compiled::Hash { key, digits } => Cow::Owned(text::pseudonym(key, &value, *digits)),
            _ => value,
        }
    }
}

fn cut<'a>(value: Cow<'a, str>, cut: fn(&str) -> &str) -> Cow<'a, str> {
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text)),
        Cow::Owned(text) => Cow::Owned(cut(&text).to_owned()),
    }
}

/// Rewrites values that are dates.
fn dates(values: &mut [Item<'_>], rewrite: impl Fn(&str) -> Option<String>) -> Result<(), Fault> {
    for item in values {
        item.text = Cow::Owned(rewrite(&item.text).ok_or(Fault::NotADate)?);
    }
    Ok(())
}

fn fits_expression(text: &str) -> Result<(), Fault> {
    if text.len() > SUBJECT_BYTES_MAX {
        return Err(Fault::SubjectTooLong);
    }
    Ok(())
}

impl Find {
    fn replace(&self, value: &str, with: &str) -> String {
        match self {
            Find::Exactly(find) => value.replace(find.as_str(), with),
            Find::AnyCase(regex) => regex.replace_all(value, regex::NoExpand(with)).into_owned(),
        }
    }
}

fn replace_regex(
    item: &mut Item<'_>,
    regex: &Regex,
    with: &Replacement,
    mode: RegexMode,
) -> Result<(), Fault> {
    fits_expression(&item.text)?;
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
