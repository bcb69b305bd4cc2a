//! Steps compiled: checked once, with every expression ready.

use std::collections::HashMap;
use std::sync::Arc;

use hmac::{Hmac, KeyInit};
use jiff::Timestamp;
use regex::Regex;

use super::condition::{Asks, Condition};
use super::pattern::{self, Manner, Replacement};
use super::source::{self, Template};
use super::step::{Compiled, Find, Labelled, Moment, Steps};
use super::{DateSpan, GroupRef, MapDefault, OneOrMany, RegexMode, RuleError, Step, Target, date};
use crate::name::folded;

/// Deepest nesting of `if` steps.
pub const IF_NESTING_MAX: usize = 8;
/// Most entries in the table of a `map`.
pub const TABLE_ENTRIES_MAX: usize = 5_000;
/// Longest text in a step, in bytes.
pub const STEP_TEXT_BYTES_MAX: usize = 10_000;

/// What steps are for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use<'t> {
    /// A row of the mapping table.
    Row(&'t Target),
    /// Names of groups, which are the same for everybody.
    GroupNames,
}

impl Steps {
    /// Compiles steps; what is wrong with them goes into `errors`.
    pub(crate) fn compile(
        steps: &[Step],
        purpose: Use<'_>,
        path: &str,
        errors: &mut Vec<RuleError>,
    ) -> Self {
        Self::nested(steps, purpose, path, 0, errors)
    }

    fn nested(
        steps: &[Step],
        purpose: Use<'_>,
        path: &str,
        depth: usize,
        errors: &mut Vec<RuleError>,
    ) -> Self {
        let mut compiled = Self::default();
        for (index, step) in steps.iter().enumerate() {
            let maker = Maker {
                purpose,
                path: format!("{path}[{index}].{}", name_of(step)),
                depth,
            };
            match maker.make(step, errors) {
                Ok(step) => {
                    compiled.conditional |= step.must_match();
                    compiled.redacted |= match &step {
                        Compiled::If {
                            then, otherwise, ..
                        } => then.redacted || otherwise.redacted,
                        step => matches!(step, Compiled::Redact),
                    };
                    compiled.create_only |= match &step {
                        Compiled::If {
                            then, otherwise, ..
                        } => then.create_only || otherwise.create_only,
                        step => matches!(step, Compiled::UniqueSuffix { .. }),
                    };
                    let asks = match &step {
                        Compiled::If {
                            then,
                            otherwise,
                            when,
                        } => then.asks | otherwise.asks | when.asks(),
                        Compiled::DropUserIf(when) => when.asks(),
                        _ => Asks::default(),
                    };
                    compiled.asks = compiled.asks | asks;
                    match &step {
                        Compiled::If {
                            then, otherwise, ..
                        } => {
                            let inner = then.look_ups.iter().chain(&otherwise.look_ups);
                            compiled.look_ups.extend(inner.cloned());
                        }
                        Compiled::Lookup { by, attribute } => {
                            compiled.look_ups.push((*by, attribute.clone()));
                        }
                        _ => {}
                    }
                    let label = Arc::from(maker.path);
                    compiled.steps.push(Labelled { label, step });
                }
                Err(error) => errors.push(error),
            }
        }
        compiled
    }
}

/// The number of steps, those in `if` included.
pub(crate) fn count(steps: &[Step]) -> usize {
    let inner = |step: &Step| match step {
        Step::If {
            then, otherwise, ..
        } => count(then) + count(otherwise),
        _ => 0,
    };
    steps.iter().map(|step| 1 + inner(step)).sum()
}

/// The step's name as written.
pub(crate) fn name_of(step: &Step) -> String {
    match serde_json::to_value(step) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

struct Maker<'t> {
    purpose: Use<'t>,
    /// Where the step stands in the rules.
    path: String,
    depth: usize,
}

impl Maker<'_> {
    fn at(&self, member: &str) -> String {
        format!("{}.{member}", self.path)
    }

    fn refuse(&self, message: impl Into<String>, remedy: &str) -> RuleError {
        RuleError::new(&self.path, message, remedy)
    }

    /// Steps that look at one user cannot be part of the names of groups.
    fn needs_user(&self) -> Result<(), RuleError> {
        match self.purpose {
            Use::Row(_) => Ok(()),
            Use::GroupNames => Err(self.refuse(
                "names of groups are the same for everybody, and this step depends on the user",
                "use it in a row of `mapping`; for names that match no rule there is `on_no_match`",
            )),
        }
    }

    fn bounded(&self, text: &str, member: &str) -> Result<String, RuleError> {
        if text.len() > STEP_TEXT_BYTES_MAX {
            let message = format!("the text has {} bytes, and 10,000 are the most", text.len());
            return Err(RuleError::new(self.at(member), message, "shorten it"));
        }
        Ok(text.to_owned())
    }

    fn make(&self, step: &Step, errors: &mut Vec<RuleError>) -> Result<Compiled, RuleError> {
        Ok(match step {
            Step::Lower => Compiled::Lower,
            Step::Upper => Compiled::Upper,
            Step::Title => Compiled::Title,
            Step::Trim => Compiled::Trim,
            Step::CollapseSpaces => Compiled::CollapseSpaces,
            Step::StripSpaces => Compiled::StripSpaces,
            Step::StripDomain => Compiled::StripDomain,
            Step::GuestToEmail => Compiled::GuestToEmail,
            Step::AsciiFold => Compiled::AsciiFold,
            Step::Default(text) => Compiled::Default(self.bounded(text, "default")?),
            Step::Constant(text) => Compiled::Constant(self.bounded(text, "constant")?),
            Step::Prefix {
                text,
                unless_present,
            } => Compiled::Prefix {
                text: self.bounded(text, "text")?,
                unless_present: *unless_present,
            },
            Step::Suffix {
                text,
                unless_present,
            } => Compiled::Suffix {
                text: self.bounded(text, "text")?,
                unless_present: *unless_present,
            },
            Step::Replace { find, with, i } => Compiled::Replace {
                find: self.find(&self.bounded(find, "find")?, *i)?,
                with: self.bounded(with, "with")?,
            },
            Step::RegexReplace {
                pattern,
                with,
                mode,
                i,
            } => self.regex_replace(pattern, &self.bounded(with, "with")?, *mode, *i)?,
            Step::RegexExtract { pattern, group, i } => {
                self.extract(pattern, group.as_ref(), *i)?
            }
            Step::KeepIf { pattern, i } => Compiled::Filter {
                regex: self.regex(pattern, true, *i)?,
                keep: true,
            },
            Step::DropIf { pattern, i } => Compiled::Filter {
                regex: self.regex(pattern, true, *i)?,
                keep: false,
            },
            Step::Substring { start, len } => Compiled::Substring {
                start: *start,
                len: *len,
            },
            Step::Left(len) => Compiled::Substring {
                start: 0,
                len: Some(*len),
            },
            Step::Right(len) => Compiled::Right(*len),
            Step::Split {
                sep,
                trim,
                drop_empty,
            } => Compiled::Split {
                sep: self.separator(sep)?,
                trim: *trim,
                drop_empty: *drop_empty,
            },
            Step::Join { sep } => Compiled::Join(self.bounded(sep, "sep")?),
            Step::Item(n) => Compiled::Nth(*n),
            Step::First => Compiled::Nth(0),
            Step::Last => Compiled::Last,
            Step::Word { n, sep } => Compiled::Word {
                n: *n,
                sep: self.separator(sep)?,
            },
            Step::Unique => Compiled::Unique,
            Step::Sort => Compiled::Sort,
            Step::Count => Compiled::Count,
            Step::Map { table, default, i } => {
                if matches!(default, MapDefault::Keep | MapDefault::DropUser) {
                    self.needs_user()?;
                }
                self.map(table, default, *i)?
            }
            Step::UsernameSafe { allowed, replace } => self.username_safe(allowed, replace)?,
            Step::Hash { key, len } => self.hash(key, *len)?,
            Step::ToBool { truths, falsehoods } => self.to_bool(truths, falsehoods)?,
            Step::Redact => Compiled::Redact,
            Step::DateParse { format } => {
                if let Some(format) = format {
                    self.date_format(format)?;
                }
                Compiled::DateParse(format.clone())
            }
            Step::DateFormat { format } => Compiled::DateFormat(self.date_format(format)?),
            Step::DateAdd(span) => self.date_add(span)?,
            other => {
                self.needs_user()?;
                self.of_user(other, errors)?
            }
        })
    }

    /// Steps that look at the user.
    fn of_user(&self, step: &Step, errors: &mut Vec<RuleError>) -> Result<Compiled, RuleError> {
        Ok(match step {
            Step::Template(text) => Compiled::Template(Template::parse(
                &self.bounded(text, "template")?,
                &self.path,
                true,
            )?),
            Step::Coalesce(paths) if paths.is_empty() => {
                return Err(self.refuse("`coalesce` is empty", "name at least one attribute"));
            }
            Step::Coalesce(paths) => {
                let select = |(index, path): (usize, &String)| {
                    source::select(path, &format!("{}[{index}]", self.path))
                };
                let selectors: Result<_, _> = paths.iter().enumerate().map(select).collect();
                Compiled::Coalesce(selectors?)
            }
            Step::UniqueSuffix { sep, max } => {
                if !matches!(self.purpose, Use::Row(Target::Username)) {
                    let remedy = "use it in the row for `username`";
                    return Err(self.refuse("only user names are unique", remedy));
                }
                if !(2..=1_000).contains(max) {
                    let message = format!("`max` is {max}; numbers begin with 2 and end at 1,000");
                    let remedy = "name a number from 2 to 1,000";
                    return Err(RuleError::new(self.at("max"), message, remedy));
                }
                Compiled::UniqueSuffix {
                    sep: self.bounded(sep, "sep")?,
                    max: *max,
                }
            }
            Step::DateDiff { to, unit } => Compiled::DateDiff {
                to: match (to.as_str(), date::parse(to)) {
                    ("now", _) => Moment::Now,
                    (_, Some(at)) => Moment::At(at),
                    _ => Moment::Attribute(Box::new(source::select(to, &self.at("to"))?)),
                },
                unit: *unit,
            },
            Step::IgnoreIfEmpty => Compiled::IgnoreIfEmpty,
            Step::If {
                when,
                then,
                otherwise,
            } => {
                if self.depth >= IF_NESTING_MAX {
                    let message = "`if` steps are nested more than 8 deep";
                    return Err(self.refuse(message, "join conditions with `and` and `or`"));
                }
                let mut steps = |steps, member| {
                    Steps::nested(
                        steps,
                        self.purpose,
                        &self.at(member),
                        self.depth + 1,
                        errors,
                    )
                };
                Compiled::If {
                    then: steps(then, "then"),
                    otherwise: steps(otherwise, "else"),
                    when: Condition::compile(when, &self.at("when"))?,
                }
            }
            Step::DropUserIf { when } => {
                Compiled::DropUserIf(Condition::compile(when, &self.at("when"))?)
            }
            Step::LookupUser { by, attribute } => Compiled::Lookup {
                by: *by,
                attribute: source::select(attribute, &self.at("return"))?,
            },
            _ => Compiled::Now,
        })
    }

    fn regex(&self, pattern: &str, whole: bool, ignore_case: bool) -> Result<Regex, RuleError> {
        let manner = Manner {
            whole,
            ignore_case,
            ..Manner::default()
        };
        pattern::compile(pattern, manner, &self.at("pattern"))
    }

    fn find(&self, find: &str, ignore_case: bool) -> Result<Find, RuleError> {
        let path = self.at("find");
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
        pattern::compile(&regex::escape(find), manner, &path).map(Find::AnyCase)
    }

    fn regex_replace(
        &self,
        pattern: &str,
        with: &str,
        mode: RegexMode,
        ignore_case: bool,
    ) -> Result<Compiled, RuleError> {
        let regex = self.regex(pattern, mode == RegexMode::Whole, ignore_case)?;
        if mode == RegexMode::All && pattern::matches_empty(&regex) {
            return Err(RuleError::new(
                self.at("pattern"),
                "the pattern can match empty text, which would insert the replacement between all letters",
                "use `+` in place of `*`, or mode `whole` or `first`",
            ));
        }
        let with = Replacement::parse(with, &regex, &self.at("with"))?;
        Ok(Compiled::Regex { regex, with, mode })
    }

    fn extract(
        &self,
        pattern: &str,
        group: Option<&GroupRef>,
        ignore_case: bool,
    ) -> Result<Compiled, RuleError> {
        let regex = self.regex(pattern, false, ignore_case)?;
        let last = regex.captures_len() - 1;
        let found = match group {
            None => Some(last.min(1)),
            Some(GroupRef::Number(number)) => Some(*number).filter(|number| *number <= last),
            Some(GroupRef::Name(name)) => regex.capture_names().position(|it| it == Some(name)),
        };
        let group = found.ok_or_else(|| {
            let named = match group {
                Some(GroupRef::Name(name)) => format!("`{name}`"),
                Some(GroupRef::Number(number)) => number.to_string(),
                None => String::new(),
            };
            let message = format!("there is no group {named}; the pattern has {last}");
            let remedy = "add parentheses to the pattern, or name another group";
            RuleError::new(self.at("group"), message, remedy)
        })?;
        Ok(Compiled::Extract { regex, group })
    }

    fn separator(&self, sep: &str) -> Result<String, RuleError> {
        if sep.is_empty() {
            let remedy = "name the text that stands between the parts";
            return Err(RuleError::new(
                self.at("sep"),
                "the separator is empty",
                remedy,
            ));
        }
        self.bounded(sep, "sep")
    }

    fn map(
        &self,
        table: &std::collections::BTreeMap<String, OneOrMany>,
        default: &MapDefault,
        fold: bool,
    ) -> Result<Compiled, RuleError> {
        let at = self.at("table");
        if table.is_empty() || table.len() > TABLE_ENTRIES_MAX {
            let message = format!(
                "the table has {} entries; it may have 1 to 5,000",
                table.len()
            );
            return Err(RuleError::new(at, message, "add or remove some"));
        }
        let mut compiled = HashMap::with_capacity(table.len());
        for (key, values) in table {
            let key_as_found = match fold {
                true => folded(key).into_owned(),
                false => key.clone(),
            };
            let values = values.as_slice().iter();
            let values: Result<Vec<_>, _> = values.map(|it| self.bounded(it, "table")).collect();
            if compiled.insert(key_as_found, values?).is_some() {
                let message = format!("the table has {key:?} twice, apart from case");
                return Err(RuleError::new(at, message, "remove one, or leave out `i`"));
            }
        }
        Ok(Compiled::Map {
            table: compiled,
            otherwise: default.clone(),
            fold,
        })
    }

    fn username_safe(&self, allowed: &str, replace: &str) -> Result<Compiled, RuleError> {
        let at = self.at("allowed");
        let inner = allowed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .filter(|inner| !inner.is_empty() && !inner.starts_with('^'))
            .ok_or_else(|| {
                let message = format!("{allowed:?} is no class of characters that stay");
                RuleError::new(&at, message, "write one as `[A-Za-z0-9._-]`")
            })?;
        let unwanted = pattern::compile(&format!("[^{inner}]+"), Manner::default(), &at)?;
        if unwanted.is_match(replace) {
            let message = format!("{replace:?} is not among the characters that stay");
            let remedy = "add it to `allowed`, or replace by something else";
            return Err(RuleError::new(self.at("replace"), message, remedy));
        }
        Ok(Compiled::UsernameSafe {
            unwanted,
            with: self.bounded(replace, "replace")?,
        })
    }

    fn hash(&self, key: &str, digits: usize) -> Result<Compiled, RuleError> {
        if key.chars().count() < 16 {
            let remedy =
                "use 16 random characters or more; with a short key pseudonyms can be guessed";
            return Err(RuleError::new(
                self.at("key"),
                "the key is too short",
                remedy,
            ));
        }
        if !(8..=64).contains(&digits) {
            let message = format!("`len` is {digits}; a pseudonym has 8 to 64 digits");
            return Err(RuleError::new(
                self.at("len"),
                message,
                "name a number from 8 to 64",
            ));
        }
        let key = Hmac::new_from_slice(self.bounded(key, "key")?.as_bytes());
        let key = key.map_err(|error| {
            RuleError::new(self.at("key"), error.to_string(), "use another key")
        })?;
        Ok(Compiled::Hash { key, digits })
    }

    fn to_bool(&self, truths: &[String], falsehoods: &[String]) -> Result<Compiled, RuleError> {
        let mut words = HashMap::new();
        let all = truths.iter().map(|word| (word, true));
        for (word, truth) in all.chain(falsehoods.iter().map(|word| (word, false))) {
            let before = words.insert(word.trim().to_lowercase(), truth);
            if before.is_some_and(|before| before != truth) {
                let message = format!("{word:?} is said to be both true and false");
                return Err(self.refuse(message, "remove it from one of the lists"));
            }
        }
        Ok(Compiled::ToBool(words))
    }

    fn date_format(&self, format: &str) -> Result<String, RuleError> {
        let written = self.bounded(format, "format")?;
        // Whether a format can be written does not depend on the date.
        if format.is_empty() || date::format(format, Timestamp::UNIX_EPOCH).is_none() {
            let message = format!("{format:?} is no format of dates");
            let remedy = "use fields as `%Y`, `%m`, `%d`, `%H`, `%M`, `%S`, `%z`, e.g. `%d.%m.%Y`";
            return Err(RuleError::new(self.at("format"), message, remedy));
        }
        Ok(written)
    }

    fn date_add(&self, span: &DateSpan) -> Result<Compiled, RuleError> {
        if *span == DateSpan::default() {
            let remedy = "name `years`, `months`, `weeks`, `days`, `hours` or `minutes`";
            return Err(self.refuse("nothing is added", remedy));
        }
        if date::add(Timestamp::UNIX_EPOCH, span).is_none() {
            let message = "the sum leaves the years that there are, -9999 to 9999";
            return Err(self.refuse(message, "use smaller numbers"));
        }
        Ok(Compiled::DateAdd(*span))
    }
}
