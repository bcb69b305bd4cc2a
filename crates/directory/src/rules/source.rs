//! Sources compiled: where a row's values come from in a user as the identity provider wrote it.

use std::borrow::Cow;

use scim::{Resource, ResourceType, Selector, ValuePath};
use serde_json::Value;

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
}

#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Value(Box<Selector>),
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
                Template::parse(text, &format!("{path}.template")).map(Reader::Template)
            }
            Source::Constant(text) => Ok(Reader::Constant(text.clone())),
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
            .map(|text| Template::parse(text, path))
            .collect::<Result<_, _>>()
            .map(Reader::FirstTemplate),
            Target::FirstName => attribute("name.givenName"),
            Target::LastName => attribute("name.familyName"),
            Target::Active => attribute("active"),
            Target::Groups | Target::Attribute(_) => return None,
        })
    }

    /// The values in one user; empty texts count as none.
    pub(crate) fn read<'r>(&'r self, user: &'r Resource) -> Vec<Item<'r>> {
        match self {
            Reader::FirstOf(selectors) => selectors
                .iter()
                .map(|selector| items(selector, user))
                .find(|items| !items.is_empty())
                .unwrap_or_default(),
            Reader::Template(template) => template.fill(user).into_iter().collect(),
            Reader::FirstTemplate(templates) => templates
                .iter()
                .find_map(|template| template.fill(user))
                .into_iter()
                .collect(),
            Reader::PrimaryEmail => primary_email(user).into_iter().collect(),
            Reader::Constant(text) => vec![Item::new(text.as_str())],
        }
    }
}

/// How a source is named in traces.
pub(crate) fn describe(source: Option<&Source>, target: &Target) -> String {
    match source {
        Some(Source::Attribute(path)) => path.clone(),
        Some(Source::FirstOf(paths)) => format!("first of {}", paths.join(", ")),
        Some(Source::Template(text)) => text.clone(),
        Some(Source::Constant(text)) => format!("constant {text:?}"),
        None => match target {
            Target::Username => "userName",
            Target::Email => "emails",
            Target::DisplayName => "displayName or name",
            Target::FirstName => "name.givenName",
            Target::LastName => "name.familyName",
            Target::Active => "active",
            Target::Groups | Target::Attribute(_) => "",
        }
        .to_owned(),
    }
}

fn select(text: &str, path: &str) -> Result<Selector, RuleError> {
    let selector = ValuePath::parse(text).and_then(|it| it.resolve_open(ResourceType::user()));
    selector.map_err(|error| {
        let remedy = "name an attribute of a SCIM user, e.g. `userName`, `name.givenName`, \
                      `emails[type eq \"work\"].value`";
        RuleError::new(path, error.detail, remedy)
    })
}

fn items<'r>(selector: &Selector, user: &'r Resource) -> Vec<Item<'r>> {
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
    fn parse(text: &str, path: &str) -> Result<Self, RuleError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (name, after) = split_at_close(after).ok_or_else(|| {
                RuleError::new(path, "a `${` in the template is not closed", "add the `}`")
            })?;
            pieces.push(Piece::Value(Box::new(select(name, path)?)));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if !pieces.iter().any(|piece| matches!(piece, Piece::Value(_))) {
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
    fn fill<'r>(&self, user: &'r Resource) -> Option<Item<'r>> {
        if let [Piece::Value(selector)] = self.0.as_slice() {
            return items(selector, user).into_iter().next();
        }
        let mut filled = String::new();
        let mut found = false;
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Value(selector) => {
                    if let Some(item) = items(selector, user).first() {
                        filled.push_str(&item.text);
                        found = true;
                    }
                }
            }
        }
        let words: Vec<&str> = filled.split_whitespace().collect();
        found.then(|| Item::new(words.join(" ")))
    }
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
