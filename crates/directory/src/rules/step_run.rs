//! Steps run: what is done to values on their way from a source to a target.

use std::borrow::Cow;
use std::collections::BTreeSet;

use regex::Regex;

use super::condition::Context;
use super::pattern::{Replacement, SUBJECT_BYTES_MAX};
use super::step::{
    Compiled, Fault, Find, Flow, Item, Labelled, Moment, Steps, VALUE_BYTES_MAX, VALUES_MAX,
};
use super::{RegexMode, date, source, text};
use crate::name::folded;
use crate::notes::Notes;
use crate::trace::StepEffect;

impl Steps {
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
