//! What single steps are given besides the value: patterns, tables, keys and dates.

use std::collections::{BTreeMap, HashMap};

use hmac::{Hmac, KeyInit};
use jiff::Timestamp;
use regex::Regex;

use super::super::pattern::{self, Manner, Replacement};
use super::super::step::{Compiled, Find};
use super::super::{DateSpan, GroupRef, MapDefault, OneOrMany, RegexMode, RuleError, date};
use super::{Maker, TABLE_ENTRIES_MAX};
use crate::name::folded;

impl Maker<'_> {
    pub(super) fn regex(
        &self,
        pattern: &str,
        whole: bool,
        ignore_case: bool,
    ) -> Result<Regex, RuleError> {
        let manner = Manner {
            whole,
            ignore_case,
            ..Manner::default()
        };
        pattern::compile(pattern, manner, &self.at("pattern"))
    }

    pub(super) fn find(&self, find: &str, ignore_case: bool) -> Result<Find, RuleError> {
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

    pub(super) fn regex_replace(
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

    pub(super) fn extract(
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

    pub(super) fn separator(&self, sep: &str) -> Result<String, RuleError> {
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

    pub(super) fn map(
        &self,
        table: &BTreeMap<String, OneOrMany>,
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

    pub(super) fn username_safe(
        &self,
        allowed: &str,
        replace: &str,
    ) -> Result<Compiled, RuleError> {
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

    pub(super) fn hash(&self, key: &str, digits: usize) -> Result<Compiled, RuleError> {
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

    pub(super) fn to_bool(
        &self,
        truths: &[String],
        falsehoods: &[String],
    ) -> Result<Compiled, RuleError> {
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

    pub(super) fn date_format(&self, format: &str) -> Result<String, RuleError> {
        let written = self.bounded(format, "format")?;
        // Whether a format can be written does not depend on the date.
        if format.is_empty() || date::format(format, Timestamp::UNIX_EPOCH).is_none() {
            let message = format!("{format:?} is no format of dates");
            let remedy = "use fields as `%Y`, `%m`, `%d`, `%H`, `%M`, `%S`, `%z`, e.g. `%d.%m.%Y`";
            return Err(RuleError::new(self.at("format"), message, remedy));
        }
        Ok(written)
    }

    pub(super) fn date_add(&self, span: &DateSpan) -> Result<Compiled, RuleError> {
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
