//! Sources compiled: where a row's values come from in a user as the identity provider wrote it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use scim::{Resource, ResourceType, Selector, ValuePath};
use serde_json::Value;

use super::condition::Context;
use super::step::Item;
use super::{RuleError, Source, Target};

/// A compiled source.
#[derive(Clone, Debug)]
pub(crate) enum Reader {
    /// The first of these that has a value; often there is only one.
    FirstOf(Vec<Selector>),
    /// Text with values in it.
    Template(Template),
    /// The first of these that has a value.
    FirstTemplate(Vec<Template>),
    /// The primary address, else the one for work, else the first.
    PrimaryEmail,
    /// Always the same.
    Constant(String),
    /// What somebody typed in place of it.
    Typed(Vec<String>),
    /// The names of the user's groups.
    Groups,
    /// What another row made.
    Result(Target),
}

#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Value(Box<Selector>),
    /// What another row made.
    Result(Target),
    /// The value so far.
    Current,
}

/// The name next to which a selected value stands. That of the values of a list says nothing by itself.
fn beside(selector: &Selector) -> String {
    let attribute = selector.attr();
    let sub = attribute
        .sub()
        .filter(|sub| !sub.eq_ignore_ascii_case("value"));
    sub.unwrap_or(attribute.attr()).to_ascii_lowercase()
}

impl Reader {
    /// Compiles a source as written.
    pub(crate) fn compile(source: &Source, path: &str) -> Result<Self, RuleError> {
        match source {
            Source::Attribute(text) => {
                let selector = select(text, &format!("{path}.attribute"))?;
                Ok(Reader::FirstOf(vec![selector]))
            }
            Source::FirstOf(texts) if texts.is_empty() => {
                let remedy = "name at least one attribute";
                Err(RuleError::new(path, "`first_of` is empty", remedy))
            }
            Source::FirstOf(texts) => texts
                .iter()
                .enumerate()
                .map(|(index, text)| select(text, &format!("{path}.first_of[{index}]")))
                .collect::<Result<_, _>>()
                .map(Reader::FirstOf),
            Source::Template(text) => {
                Template::parse(text, &format!("{path}.template"), false).map(Reader::Template)
            }
            Source::Constant(text) => Ok(Reader::Constant(text.clone())),
            Source::EmailPrimary => Ok(Reader::PrimaryEmail),
            Source::Groups => Ok(Reader::Groups),
            Source::Result(target) => {
                readable(target, &format!("{path}.result"))?;
                Ok(Reader::Result(target.clone()))
            }
        }
    }

    /// The source of a target that has no row, or a row without a source; none if it needs one.
    pub(crate) fn default_for(target: &Target) -> Option<Result<Self, RuleError>> {
        let path = "defaults";
        let attribute = |text: &str| select(text, path).map(|it| Reader::FirstOf(vec![it]));
        Some(match target {
            Target::Username => attribute("userName"),
            Target::Email => Ok(Reader::PrimaryEmail),
            Target::DisplayName => [
                "${displayName}",
                "${name.formatted}",
                "${name.givenName} ${name.familyName}",
                "${userName}",
            ]
            .into_iter()
            .map(|text| Template::parse(text, path, false))
            .collect::<Result<_, _>>()
            .map(Reader::FirstTemplate),
            Target::FirstName => attribute("name.givenName"),
            Target::LastName => attribute("name.familyName"),
            Target::Active => attribute("active"),
            Target::Groups | Target::Attribute(_) | Target::Product(_) => return None,
        })
    }

    /// The values in one user; empty texts count as none.
    pub(crate) fn read<'a>(&self, context: &Context<'a, '_>) -> Vec<Item<'a>> {
        match self {
            Reader::FirstOf(selectors) => first_of(selectors, context.user),
            Reader::Template(template) => template.fill(context, None).into_iter().collect(),
            Reader::FirstTemplate(templates) => templates
                .iter()
                .find_map(|template| template.fill(context, None))
                .into_iter()
                .collect(),
            Reader::PrimaryEmail => primary_email(context.user).into_iter().collect(),
            Reader::Constant(text) => vec![Item::new(text.clone())],
            Reader::Typed(texts) => {
                let there = texts.iter().filter(|text| !text.is_empty());
                there.map(|text| Item::new(text.clone())).collect()
            }
            Reader::Groups => {
                let mut groups: Vec<_> = context.groups.iter().collect();
                groups.sort_unstable_by_key(|group| (group.id, &group.name));
                let names = groups.iter().map(|group| Item::new(group.name.as_str()));
                names.collect()
            }
            Reader::Result(target) => results(target, context).map(Item::new).collect(),
        }
    }

    /// The attributes that it reads, each by the name, in small letters, next to which its value stands.
    pub(crate) fn read_names(&self) -> BTreeSet<String> {
        let pieces = |template: &Template| {
            let selectors = template.0.iter().filter_map(|piece| match piece {
                Piece::Value(selector) => Some(beside(selector)),
                Piece::Text(_) | Piece::Result(_) | Piece::Current => None,
            });
            selectors.collect::<Vec<_>>()
        };
        match self {
            Reader::FirstOf(selectors) => selectors.iter().map(beside).collect(),
            Reader::Template(template) => pieces(template).into_iter().collect(),
            Reader::FirstTemplate(templates) => templates.iter().flat_map(pieces).collect(),
            Reader::PrimaryEmail => BTreeSet::from(["emails".to_owned()]),
            Reader::Constant(_) | Reader::Typed(_) | Reader::Groups | Reader::Result(_) => {
                BTreeSet::new()
            }
        }
    }

    /// Whether an attribute that it reads is there and empty.
    pub(crate) fn is_emptied(&self, user: &Resource) -> bool {
        let is_empty = |value: &&Value| matches!(value, Value::String(text) if text.is_empty());
        match self {
            Reader::FirstOf(selectors) => {
                let mut found = selectors.iter().flat_map(|it| it.values(user));
                found.any(|value| is_empty(&value))
            }
            Reader::Typed(texts) => texts.iter().any(String::is_empty),
            _ => false,
        }
    }

    /// The targets of other rows that it reads.
    pub(crate) fn needs(&self, needed: &mut Vec<Target>) {
        match self {
            Reader::Result(target) => needed.push(target.clone()),
            Reader::Template(template) => template.needs(needed),
            Reader::FirstTemplate(templates) => {
                templates.iter().for_each(|it| it.needs(needed));
            }
            Reader::FirstOf(_)
            | Reader::PrimaryEmail
            | Reader::Constant(_)
            | Reader::Typed(_)
            | Reader::Groups => {}
        }
    }
}

/// The values of the first of several attributes that has one.
pub(crate) fn first_of<'a>(selectors: &[Selector], user: &'a Resource) -> Vec<Item<'a>> {
    let mut found = selectors.iter().map(|selector| items(selector, user));
    found.find(|items| !items.is_empty()).unwrap_or_default()
}

/// What another row made, without empty texts.
fn results(target: &Target, context: &Context<'_, '_>) -> impl Iterator<Item = String> {
    let texts = context.results.texts(target).into_iter();
    texts.filter(|text| !text.is_empty())
}

/// Refuses targets that leave no value that another row could read.
fn readable(target: &Target, path: &str) -> Result<(), RuleError> {
    if matches!(target, Target::Active | Target::Groups) {
        let message = format!("no row can read `{target}`");
        let remedy = "read `username`, `email`, `display_name`, `first_name`, `last_name` or an attribute; \
                      names of groups are read by the source `groups`";
        return Err(RuleError::new(path, message, remedy));
    }
    Ok(())
}

/// How a source is named in traces.
pub(crate) fn describe(source: Option<&Source>, target: &Target) -> String {
    match source {
        Some(Source::Attribute(path)) => path.clone(),
        Some(Source::FirstOf(paths)) => format!("first of {}", paths.join(", ")),
        Some(Source::Template(text)) => text.clone(),
        Some(Source::Constant(text)) => format!("constant {text:?}"),
        Some(Source::EmailPrimary) => "emails".to_owned(),
        Some(Source::Groups) => "groups".to_owned(),
        Some(Source::Result(target)) => format!("the row for {target}"),
        None => match target {
            Target::Username => "userName",
            Target::Email => "emails",
            Target::DisplayName => "displayName or name",
            Target::FirstName => "name.givenName",
            Target::LastName => "name.familyName",
            Target::Active => "active",
            Target::Groups | Target::Attribute(_) | Target::Product(_) => "",
        }
        .to_owned(),
    }
}

pub(crate) fn select(text: &str, path: &str) -> Result<Selector, RuleError> {
    let selector = ValuePath::parse(text).and_then(|it| it.resolve_open(ResourceType::user()));
    selector.map_err(|error| {
        let remedy = "name an attribute of a SCIM user, e.g. `userName`, `name.givenName`, \
                      `emails[type eq \"work\"].value`";
        RuleError::new(path, error.detail, remedy)
    })
}

pub(crate) fn items<'r>(selector: &Selector, user: &'r Resource) -> Vec<Item<'r>> {
    selector
        .values(user)
        .into_iter()
        .filter_map(text_of)
        .map(Item::new)
        .collect()
}

/// A value as text; of a complex value its `value` part. None if empty.
fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Object(parts) => Cow::Borrowed(parts.get("value")?.as_str()?),
        Value::Null | Value::Array(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn primary_email(user: &Resource) -> Option<Item<'static>> {
    let mut emails = user.emails();
    emails.retain(|email| !email.value.is_empty());
    let work = |kind: &String| kind.eq_ignore_ascii_case("work");
    let best = emails
        .iter()
        .position(|email| email.primary)
        .or_else(|| {
            emails
                .iter()
                .position(|email| email.kind.as_ref().is_some_and(work))
        })
        .unwrap_or(0);
    (best < emails.len()).then(|| Item::new(emails.swap_remove(best).value))
}

impl Template {
    /// Reads a template. In a step `${value}` is the value so far.
    pub(crate) fn parse(text: &str, path: &str, in_step: bool) -> Result<Self, RuleError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (name, after) = split_at_close(after).ok_or_else(|| {
                RuleError::new(path, "a `${` in the template is not closed", "add the `}`")
            })?;
            pieces.push(match name.strip_prefix("result.") {
                _ if in_step && name == "value" => Piece::Current,
                Some(target) => Piece::Result(result_named(target, path)?),
                None => Piece::Value(Box::new(select(name, path)?)),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            let remedy = "put an attribute into `${...}`, or use `constant`";
            return Err(RuleError::new(
                path,
                "the template names no attribute",
                remedy,
            ));
        }
        Ok(Self(pieces))
    }

    /// The text with its values; none if all of them are missing (XF-09).
    pub(crate) fn fill<'a>(
        &self,
        context: &Context<'a, '_>,
        current: Option<&str>,
    ) -> Option<Item<'a>> {
        if let [Piece::Value(selector)] = self.0.as_slice() {
            return items(selector, context.user).into_iter().next();
        }
        let mut filled = String::new();
        let mut found = false;
        for piece in &self.0 {
            let value: Option<Cow<'_, str>> = match piece {
                Piece::Text(text) => {
                    filled.push_str(text);
                    continue;
                }
                Piece::Value(selector) => items(selector, context.user)
                    .into_iter()
                    .next()
                    .map(|it| it.text),
                Piece::Result(target) => results(target, context).next().map(Cow::Owned),
                Piece::Current => current.map(Cow::Borrowed),
            };
            if let Some(value) = value {
                filled.push_str(&value);
                found = true;
            }
        }
        let words: Vec<&str> = filled.split_whitespace().collect();
        found.then(|| Item::new(words.join(" ")))
    }

    /// The targets of other rows that it reads.
    pub(crate) fn needs(&self, needed: &mut Vec<Target>) {
        for piece in &self.0 {
            if let Piece::Result(target) = piece {
                needed.push(target.clone());
            }
        }
    }
}

fn result_named(name: &str, path: &str) -> Result<Target, RuleError> {
    let target = Target::try_from(name.to_owned())
        .map_err(|message| RuleError::new(path, message, "name the target of another row"))?;
    readable(&target, path)?;
    Ok(target)
}

/// What stands in `${...}` in a template.
pub(crate) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once("${")?;
        let (name, after) = split_at_close(after)?;
        rest = after;
        Some(name)
    })
}

/// Splits at the `}` that closes `${`, past those inside a filter's quoted text.
fn split_at_close(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}
