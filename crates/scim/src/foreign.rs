//! Extensions whose schema nobody registered: their data are kept and given back as they came, within
//! limits, and can be changed by their URN. Nothing in them is checked, as nothing is known about them.

use std::ops::ControlFlow;

use serde_json::{Map, Value};

use crate::catalogue;
use crate::draft::{Draft, How};
use crate::filter::{Filter, Literal, Node, Op, Operand, as_bool};
use crate::limits::{FOREIGN_EXTENSION_BYTES_MAX, FOREIGN_EXTENSIONS_MAX, URN_CHARS_MAX};
use crate::name::{echo, fold};
use crate::path::{AttrRef, VALUE, is_attribute_name};
use crate::schema::Kind;
use crate::{AttrPath, Departure, ResourceType, ScimError, ValuePath};

/// URNs below these belong to SCIM itself.
const RESERVED: [&str; 2] = [
    "urn:ietf:params:scim:schemas:core:",
    "urn:ietf:params:scim:api:",
];

/// Whether an object under this name can be an extension: a URN that is none of SCIM's own, without
/// characters that would have to be escaped anywhere.
pub(crate) fn is_extension_urn(text: &str) -> bool {
    let starts = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%+=@!$*()/".contains(&byte);
    starts("urn:")
        && text.len() <= URN_CHARS_MAX
        && text.split(':').count() >= 3
        && text
            .split(':')
            .all(|part| !part.is_empty() && part.bytes().all(is_good))
        && !RESERVED.iter().any(|prefix| starts(prefix))
}

/// A place in an extension that nobody registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// The URN, spelt as it is stored if it is.
    urn: String,
    /// The attribute and its part; the whole extension if there is none.
    attr: Option<(String, Option<String>)>,
}

impl Foreign {
    /// Finds what a text that begins with a URN means. A URN and an attribute's name after it look
    /// alike, so what is stored decides, then the customs of naming, then the kind of the value.
    pub fn find(
        text: &str,
        ty: &ResourceType,
        stored: &Map<String, Value>,
        value: &Value,
        is_patch: bool,
    ) -> Option<Foreign> {
        if belongs_to_schema(text, ty) {
            return None;
        }
        let whole = |urn: &str| {
            is_extension_urn(urn).then(|| Foreign {
                urn: known(stored, urn),
                attr: None,
            })
        };
        let path = AttrPath::read(text).filter(|path| path.urn.is_some());
        let Some(AttrPath {
            urn: Some(urn),
            attr,
            sub,
        }) = path
        else {
            return whole(text);
        };
        let part = || {
            is_extension_urn(&urn).then(|| Foreign {
                urn: known(stored, &urn),
                attr: Some((attr.clone(), sub.clone())),
            })
        };
        let is_stored = |urn: &str| stored.keys().any(|key| key.eq_ignore_ascii_case(urn));
        let is_type = |name: &str| name.eq_ignore_ascii_case(&ty.name);
        let last = |urn: &str| is_type(urn.rsplit(':').next().unwrap_or_default());
        if is_stored(text) || (!is_patch && value.is_object()) {
            whole(text)
        } else if is_stored(&urn) {
            part()
        } else if last(text) {
            whole(text)
        } else if last(&urn) || !value.is_object() {
            part()
        } else {
            whole(text)
        }
    }
}

/// Whether it names a schema of the type, or something inside one.
fn belongs_to_schema(text: &str, ty: &ResourceType) -> bool {
    let urns = std::iter::once(&ty.core).chain(&ty.extensions);
    urns.map(|schema| schema.id.as_str()).any(|urn| {
        text.get(..urn.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(urn))
            && matches!(text.as_bytes().get(urn.len()), None | Some(b':'))
    })
}

/// The URN as it is spelt in the stored document.
fn known(stored: &Map<String, Value>, urn: &str) -> String {
    let found = stored.keys().find(|key| key.eq_ignore_ascii_case(urn));
    found.map_or(urn, String::as_str).to_owned()
}

impl Draft<'_> {
    /// Writes into an extension that nobody registered.
    pub fn write_foreign(
        &mut self,
        place: &Foreign,
        filter: Option<&ValuePath>,
        how: How,
        value: Value,
    ) -> Result<(), ScimError> {
        let clears = value.is_null()
            || (self.dialect.has(Departure::EmptyTextClears)
                && value.as_str().is_some_and(str::is_empty));
        let Some((attr, sub)) = &place.attr else {
            return self.write_whole(place, how, value);
        };
        let mut object = self.take(&place.urn);
        let outcome = match (
            filter.and_then(|path| Some((path.filter.as_ref()?, path))),
            sub,
        ) {
            (Some((filter, path)), _) => {
                selected(&mut object, attr, filter, path, (!clears).then_some(value))
            }
            (None, None) => {
                write(&mut object, attr, how, (!clears).then_some(value));
                Ok(())
            }
            (None, Some(sub)) => {
                write_part(&mut object, attr, sub, (!clears).then_some(value));
                Ok(())
            }
        };
        self.put(&place.urn, object);
        outcome
    }

    fn write_whole(&mut self, place: &Foreign, how: How, value: Value) -> Result<(), ScimError> {
        match value {
            Value::Object(given) => {
                let mut object = self.take(&place.urn);
                for (name, value) in given {
                    let value = (!value.is_null()).then_some(value);
                    write(&mut object, &name, how, value);
                }
                self.put(&place.urn, object);
                Ok(())
            }
            Value::Null => {
                if how == How::Replace {
                    self.take(&place.urn);
                }
                Ok(())
            }
            _ => Err(catalogue::EXTENSION_NOT_AN_OBJECT.error(format!(
                "'{}' must be an object with the attributes of that schema. Map to an attribute below it.",
                echo(&place.urn)
            ))),
        }
    }

    /// Removes an extension that nobody registered, or a part of it; with a list, only those values.
    pub fn remove_foreign(
        &mut self,
        place: &Foreign,
        path: &ValuePath,
        value: &Value,
    ) -> Result<(), ScimError> {
        let Some((attr, sub)) = &place.attr else {
            self.take(&place.urn);
            return Ok(());
        };
        let mut object = self.take(&place.urn);
        let mut outcome = Ok(());
        if let Some(filter) = &path.filter {
            outcome = selected(&mut object, attr, filter, path, None);
        } else if let Some(sub) = sub {
            write_part(&mut object, attr, sub, None);
        } else if let (Value::Array(listed), Some(Value::Array(kept))) =
            (value, entry(&mut object, attr))
        {
            kept.retain(|one| !listed.iter().any(|listed| names(listed, one)));
        } else {
            write(&mut object, attr, How::Replace, None);
        }
        self.put(&place.urn, object);
        outcome
    }
}

/// Whether one of the listed values is this one, or an object with it as `value` (RFC 7643, 2.4).
fn names(listed: &Value, one: &Value) -> bool {
    listed == one || (!one.is_object() && listed.get(VALUE) == Some(one))
}

/// The value of a name in any case.
fn entry<'m>(object: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Value> {
    object
        .iter_mut()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// Writes or removes one attribute. What is added to a list joins it, what is added to an object
/// is merged into it.
fn write(object: &mut Map<String, Value>, name: &str, how: How, value: Option<Value>) {
    let Some(value) = value else {
        object.retain(|key, _| !key.eq_ignore_ascii_case(name));
        return;
    };
    match (entry(object, name), value, how) {
        (Some(Value::Array(list)), Value::Array(more), How::Add) => {
            for one in more {
                if !list.contains(&one) {
                    list.push(one);
                }
            }
        }
        (Some(Value::Object(parts)), Value::Object(more), _) => parts.extend(more),
        (Some(place), value, _) => *place = value,
        (None, value, _) => drop(object.insert(name.to_owned(), value)),
    }
}

/// Writes or removes one part of an object, or of all objects of a list.
fn write_part(object: &mut Map<String, Value>, name: &str, sub: &str, value: Option<Value>) {
    match entry(object, name) {
        Some(Value::Object(parts)) => write(parts, sub, How::Replace, value),
        Some(Value::Array(list)) => {
            for parts in list.iter_mut().filter_map(Value::as_object_mut) {
                write(parts, sub, How::Replace, value.clone());
            }
        }
        _ => {
            if let Some(value) = value {
                let parts = Map::from_iter([(sub.to_owned(), value)]);
                write(object, name, How::Replace, Some(Value::Object(parts)));
            }
        }
    }
}

/// Writes or removes those elements of a list that a filter selects, or one part of each.
fn selected(
    object: &mut Map<String, Value>,
    name: &str,
    filter: &Filter,
    path: &ValuePath,
    value: Option<Value>,
) -> Result<(), ScimError> {
    let no_target = || {
        catalogue::TARGET_MISSING.error(format!(
            "No value of '{}' fits its filter. Correct the path, or register the schema with the connector.",
            echo(&path.to_string())
        ))
    };
    let node = filter.untyped().ok_or_else(no_target)?;
    let list = match entry(object, name) {
        Some(Value::Array(list)) => list,
        _ if value.is_none() => return Ok(()),
        _ => return Err(no_target()),
    };
    let (Some(value), sub) = (value, path.sub.as_deref()) else {
        match path.sub.as_deref() {
            None => list.retain(|element| !node.matches_element(element)),
            Some(sub) => {
                let _all = change(list, &node, |parts| write(parts, sub, How::Replace, None));
            }
        }
        return Ok(());
    };
    let changed = change(list, &node, |parts| match (sub, &value) {
        (Some(sub), value) => write(parts, sub, How::Replace, Some(value.clone())),
        (None, Value::Object(more)) => parts.extend(more.clone()),
        (None, _) => {}
    });
    if changed { Ok(()) } else { Err(no_target()) }
}

fn change(list: &mut [Value], node: &Node, mut edit: impl FnMut(&mut Map<String, Value>)) -> bool {
    let mut found = false;
    for element in list
        .iter_mut()
        .filter(|element| node.matches_element(element))
    {
        if let Some(parts) = element.as_object_mut() {
            edit(parts);
            found = true;
        }
    }
    found
}

impl Filter {
    /// The meaning of a filter in brackets where nothing is known of the list's elements: a value
    /// without quotes is compared as what it looks like. None if it names more than their parts.
    pub(crate) fn untyped(&self) -> Option<Node> {
        Some(match self {
            Filter::And(terms) => {
                Node::And(terms.iter().map(Filter::untyped).collect::<Option<_>>()?)
            }
            Filter::Or(terms) => {
                Node::Or(terms.iter().map(Filter::untyped).collect::<Option<_>>()?)
            }
            Filter::Not(inner) => Node::Not(Box::new(inner.untyped()?)),
            Filter::Present(path) => Node::Present(element_part(path, Kind::Text)?),
            Filter::Test { path, op, value } => {
                if value.is_null() {
                    let present = Node::Present(element_part(path, Kind::Text)?);
                    return match op {
                        Op::Eq => Some(Node::Not(Box::new(present))),
                        Op::Ne => Some(present),
                        _ => None,
                    };
                }
                let (kind, value) = untyped_literal(value);
                Node::Test {
                    attr: element_part(path, kind)?,
                    op: *op,
                    value,
                }
            }
            Filter::Element { .. } => return None,
        })
    }
}

fn untyped_literal(value: &Operand) -> (Kind, Literal) {
    let text = value.as_str();
    let bare = matches!(value, Operand::Bare(_));
    let number = text.parse().ok().filter(|n: &f64| bare && n.is_finite());
    match (as_bool(text).filter(|_| bare), number) {
        (Some(flag), _) => (Kind::Boolean, Literal::Bool(flag)),
        (None, Some(number)) => (Kind::Decimal, Literal::Number(number)),
        (None, None) => (Kind::Text, Literal::Text(fold(text))),
    }
}

fn element_part(path: &AttrPath, kind: Kind) -> Option<AttrRef> {
    if path.urn.is_some() || path.sub.is_some() || !is_attribute_name(&path.attr) {
        return None;
    }
    let list = AttrPath {
        urn: None,
        attr: String::new(),
        sub: Some(path.attr.clone()),
    };
    Some(AttrRef::untyped(&list, kind))
}

/// What is left in a document besides its schemas, without what says nothing: few, and none too large.
pub(crate) fn settled(mut extensions: Map<String, Value>) -> Result<Map<String, Value>, ScimError> {
    for value in extensions.values_mut() {
        if let Value::Object(attributes) = value {
            attributes.retain(|_, value| {
                !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
            });
        }
    }
    extensions.retain(|_, value| value.as_object().is_some_and(|object| !object.is_empty()));
    if extensions.len() > FOREIGN_EXTENSIONS_MAX {
        return Err(catalogue::EXTENSION_TOO_LARGE.error(format!(
            "The resource has {} extensions whose schemas are not registered; {FOREIGN_EXTENSIONS_MAX} are the most. Register their schemas with the connector.",
            extensions.len()
        )));
    }
    let too_large = extensions.iter().try_for_each(|(urn, value)| {
        let bytes = value.to_string().len();
        if bytes > FOREIGN_EXTENSION_BYTES_MAX {
            return ControlFlow::Break((urn, bytes));
        }
        ControlFlow::Continue(())
    });
    match too_large {
        ControlFlow::Continue(()) => Ok(extensions),
        ControlFlow::Break((urn, bytes)) => Err(catalogue::EXTENSION_TOO_LARGE.error(format!(
            "The extension '{urn}' has {bytes} bytes; {FOREIGN_EXTENSION_BYTES_MAX} are the most as long as its schema is not registered. Register it with the connector, or map fewer attributes."
        ))),
    }
}
