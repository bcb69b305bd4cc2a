//! Steps compiled: checked once, with every expression ready.

mod options;

use std::sync::Arc;

use super::condition::{Asks, Condition};
use super::source::{self, Template};
use super::step::{Compiled, Labelled, Moment, Steps};
use super::{MapDefault, RuleError, Step, Target, date};

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
}
