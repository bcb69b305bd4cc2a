//! Makes a value fit its attribute: the types of RFC 7643, the limits, and what clients send instead.

use serde_json::{Map, Value};

use crate::catalogue;
use crate::dialect::{Departure, Dialect, unpack_role};
use crate::filter::{as_bool, as_time};
use crate::limits::VALUES_MAX;
use crate::name::{echo, refuse_name};
use crate::path::{Spot, VALUE};
use crate::schema::{Attribute, Kind};
use crate::{ScimError, Warning};

/// How templates of OneLogin name the identifier of a manager.
const MANAGER_ID: &str = "managerId";

/// What coercion needs to know and where it reports.
pub(crate) struct Coercion<'c> {
    pub dialect: &'c Dialect,
    pub warnings: &'c mut Vec<Warning>,
}

/// The parts of an object: a value to set, or `None` to clear.
pub(crate) type Parts = Vec<(String, Option<Value>)>;

impl Coercion<'_> {
    /// A value that is neither list nor object. `None` means that there is no value.
    pub fn simple(&self, spot: Spot<'_>, value: Value) -> Result<Option<Value>, ScimError> {
        match (spot.target().kind, value) {
            (_, Value::Null) => Ok(None),
            (_, Value::String(text)) if text.is_empty() && self.is_cleared_by_empty_text(spot) => {
                Ok(None)
            }
            (Kind::Boolean, Value::Bool(value)) => Ok(Some(Value::Bool(value))),
            (Kind::Boolean, Value::String(text)) => match as_bool(text.trim()) {
                Some(value) => Ok(Some(Value::Bool(value))),
                None => Err(wrong_type(spot, &Value::String(text))),
            },
            (Kind::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {
                Ok(Some(number.into()))
            }
            (Kind::Decimal, Value::Number(number)) => Ok(Some(number.into())),
            (Kind::DateTime, Value::String(text)) if as_time(&text).is_some() => {
                Ok(Some(Value::String(text)))
            }
            (Kind::Text | Kind::Reference | Kind::Binary, Value::String(text)) => {
                check_text(spot, &text)?;
                if spot.extension.is_some() && spot.target().kind == Kind::Binary {
                    check_base64(spot, &text)?;
                }
                Ok(Some(Value::String(text)))
            }
            (_, other) => Err(wrong_type(spot, &other)),
        }
    }

    /// An empty text for `active` is a mistake that must not enable or disable anybody.
    fn is_cleared_by_empty_text(&self, spot: Spot<'_>) -> bool {
        self.dialect.has(Departure::EmptyTextClears)
            && (spot.target().kind != Kind::Boolean || spot.sub.is_some())
    }

    /// The parts of an object; a bare text stands for its `value`. `None` means that there is no value.
    pub fn object(&mut self, spot: Spot<'_>, value: Value) -> Result<Option<Parts>, ScimError> {
        match value {
            Value::Null => Ok(None),
            Value::Object(map) if map.is_empty() => Ok(None),
            Value::Object(map) => self.parts(spot, map).map(Some),
            Value::String(text) if text.is_empty() => Ok(None),
            Value::Array(mut items) if items.len() <= 1 => match items.pop() {
                Some(only) if !only.is_array() => self.object(spot, only),
                Some(other) => Err(wrong_type(spot, &other)),
                None => Ok(None),
            },
            Value::String(text) if spot.attribute.sub("value").is_some() => self
                .parts(
                    spot,
                    Map::from_iter([("value".to_owned(), Value::String(text))]),
                )
                .map(Some),
            other => Err(wrong_type(spot, &other)),
        }
    }

    fn parts(&mut self, spot: Spot<'_>, map: Map<String, Value>) -> Result<Parts, ScimError> {
        let mut parts = Parts::with_capacity(map.len());
        for (name, value) in map {
            let named = spot.attribute.sub(&name);
            match named.or_else(|| other_name(spot, &name)) {
                Some(sub) if sub.is_read_only() => {}
                Some(sub) => {
                    parts.push((sub.name.clone(), self.simple(spot.with_sub(sub), value)?))
                }
                None => self
                    .warnings
                    .push(unknown(&format!("{}.{name}", spot.name()))),
            }
        }
        self.unpack_role_in(spot, &mut parts);
        Ok(parts)
    }

    /// The value of one part, with what is packed into it.
    pub fn part(
        &mut self,
        spot: Spot<'_>,
        sub: &Attribute,
        value: Value,
    ) -> Result<Parts, ScimError> {
        let mut parts = vec![(sub.name.clone(), self.simple(spot, value)?)];
        self.unpack_role_in(spot, &mut parts);
        Ok(parts)
    }

    fn unpack_role_in(&self, spot: Spot<'_>, parts: &mut Parts) {
        let is_role = spot.extension.is_none() && spot.attribute.name == "roles";
        if is_role && self.dialect.has(Departure::RoleMayBeJson) {
            unpack(parts);
        }
    }

    /// The values of a list. One value stands for a list of one.
    pub fn list(&mut self, spot: Spot<'_>, value: Value) -> Result<Vec<Value>, ScimError> {
        let items = match value {
            Value::Null => return Ok(Vec::new()),
            Value::Array(items) => items,
            one => vec![one],
        };
        check_count(spot, items.len())?;
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            list.extend(self.element(spot, item)?);
        }
        Ok(list)
    }

    /// What a list of plain values gets: many clients send an object with it as `value`.
    fn plain(&mut self, spot: Spot<'_>, value: Value) -> Result<Value, ScimError> {
        let Value::Object(mut parts) = value else {
            return Ok(value);
        };
        let named = parts.keys().find(|name| name.eq_ignore_ascii_case(VALUE));
        let Some(value) = named.cloned().and_then(|name| parts.shift_remove(&name)) else {
            return Err(wrong_type(spot, &Value::Object(parts)));
        };
        let others = parts
            .keys()
            .map(|name| unknown(&format!("{}.{name}", spot.name())));
        self.warnings.extend(others);
        Ok(value)
    }

    fn element(&mut self, spot: Spot<'_>, value: Value) -> Result<Option<Value>, ScimError> {
        if spot.attribute.is_plain_list() {
            let value = self.plain(spot, value)?;
            return self.simple(spot, value);
        }
        if value.is_array() {
            return Err(wrong_type(spot, &value));
        }
        let parts = self.object(spot, value)?.unwrap_or_default();
        let element: Map<String, Value> = parts
            .into_iter()
            .filter_map(|(name, part)| Some((name, part?)))
            .collect();
        Ok((!element.is_empty()).then_some(Value::Object(element)))
    }
}

/// What a client means by a part that no attribute has.
fn other_name<'s>(spot: Spot<'s>, name: &str) -> Option<&'s Attribute> {
    let is_manager = spot.attribute.name == "manager" && name.eq_ignore_ascii_case(MANAGER_ID);
    is_manager.then(|| spot.attribute.sub("value")).flatten()
}

fn unpack(parts: &mut Parts) {
    let packed = parts.iter().find(|(name, _)| name == "value");
    let Some((value, display)) =
        packed.and_then(|(_, value)| unpack_role(value.as_ref()?.as_str()?))
    else {
        return;
    };
    parts.retain(|(name, part)| name != "value" && (name != "display" || part.is_some()));
    parts.push(("value".to_owned(), Some(value.into())));
    if let Some(display) = display.filter(|_| parts.iter().all(|(name, _)| name != "display")) {
        parts.push(("display".to_owned(), Some(display.into())));
    }
}

pub(crate) fn check_count(spot: Spot<'_>, count: usize) -> Result<(), ScimError> {
    if count <= VALUES_MAX {
        return Ok(());
    }
    Err(catalogue::TOO_MANY_VALUES.error(format!(
        "'{}' has {count} values; {VALUES_MAX} are the most. Map fewer.",
        spot.name()
    )))
}

fn check_text(spot: Spot<'_>, text: &str) -> Result<(), ScimError> {
    let target = spot.target();
    if text.len() > target.chars_max && text.chars().count() > target.chars_max {
        return Err(catalogue::VALUE_TOO_LONG.error(format!(
            "'{}' is longer than {} characters: '{}'. Shorten it in the identity provider.",
            spot.name(),
            target.chars_max,
            echo(text)
        )));
    }
    match refuse_name(text).filter(|_| target.is_name) {
        Some(reason) => Err(catalogue::NAME_UNUSABLE.error(format!(
            "'{}' may not contain {reason}: '{}'. Correct it in the identity provider.",
            spot.name(),
            echo(text)
        ))),
        None => Ok(()),
    }
}

/// Either alphabet of RFC 4648, with its padding or without.
fn check_base64(spot: Spot<'_>, text: &str) -> Result<(), ScimError> {
    let digits = text.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    if text.len() - digits.len() <= 2 && digits.len() % 4 != 1 && digits.bytes().all(is_digit) {
        return Ok(());
    }
    Err(catalogue::VALUE_WRONG_TYPE.error(format!(
        "'{}' must be base64, not '{}'. Correct its mapping in the identity provider.",
        spot.name(),
        echo(text)
    )))
}

pub(crate) fn wrong_type(spot: Spot<'_>, value: &Value) -> ScimError {
    let got = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the truth value {value}"),
        Value::Number(number) => format!("the number {}", echo(&number.to_string())),
        Value::String(text) => format!("the text '{}'", echo(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    let wanted = match spot.target().kind {
        Kind::Boolean => "true or false",
        Kind::Integer => "a whole number",
        Kind::Decimal => "a number",
        Kind::DateTime => "a date and time such as 2026-03-01T09:00:00Z",
        Kind::Complex => "an object",
        Kind::Text | Kind::Reference | Kind::Binary => "a text in quotes",
    };
    let listed = match spot.attribute.is_plain_list() {
        true => ", or an object with it as \"value\"",
        false => "",
    };
    catalogue::VALUE_WRONG_TYPE.error(format!(
        "'{}' must be {wanted}{listed}, not {got}. Correct its mapping in the identity provider.",
        spot.name()
    ))
}

pub(crate) fn unknown(what: &str) -> Warning {
    Warning::new(what, "unknown attribute, ignored")
}
