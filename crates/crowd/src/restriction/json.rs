//! Restrictions in JSON, told apart by the member `restriction-type`.

use serde_json::Value;

use crate::codec::Codec;
use crate::error::{CrowdError, echo};
use crate::json;
use crate::xml::read::Element;

use super::xml::{CONNECTIVE, NULL, TEST};
use super::{MatchMode, Restriction, broken, build_connective, build_test};

impl Codec for Restriction {
    fn from_nothing() -> Result<Restriction, CrowdError> {
        Ok(Restriction::Everything)
    }

    fn from_xml(root: Element<'_, '_>) -> Result<Restriction, CrowdError> {
        super::xml::read(root)?.check()
    }

    fn from_json(root: &Value) -> Result<Restriction, CrowdError> {
        read(root)?.check()
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        super::xml::write(out, self);
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        write(out, self);
    }
}

/// Reads a restriction by its type, or where none is given by what it holds. Recursion is bounded by the
/// depth of the document.
fn read(value: &Value) -> Result<Restriction, CrowdError> {
    let object = value
        .as_object()
        .ok_or_else(|| broken("it is not an object"))?;
    let given = json::read::text(value, &["restriction-type", "restrictionType"])?;
    let inferred = || match object {
        _ if object.is_empty() => Some(NULL),
        _ if object.contains_key("property") => Some(TEST),
        _ if object.contains_key("restrictions") => Some(CONNECTIVE),
        _ => None,
    };
    match given.as_deref().or_else(inferred) {
        Some(NULL) => Ok(Restriction::Everything),
        Some(TEST) => read_test(value),
        Some(CONNECTIVE) => read_connective(value),
        Some(other) => Err(broken(format!(
            "<{}> is not a type of restriction",
            echo(other)
        ))),
        None => Err(broken("it has no restriction-type")),
    }
}

fn read_test(value: &Value) -> Result<Restriction, CrowdError> {
    let property = match json::read::member(value, &["property"]) {
        Some(property) => json::read::text(property, &["name"])?,
        None => None,
    };
    let mode = json::read::text(value, &["match-mode", "matchMode"])?;
    build_test(property, mode, json::read::text(value, &["value"])?)
}

fn read_connective(value: &Value) -> Result<Restriction, CrowdError> {
    let parts = match json::read::member(value, &["restrictions"]) {
        Some(Value::Array(parts)) => parts.iter().map(read).collect::<Result<Vec<_>, _>>()?,
        Some(_) => return Err(broken("\"restrictions\" has to be a list")),
        None => Vec::new(),
    };
    let logic = json::read::text(value, &["boolean-logic", "booleanLogic"])?;
    build_connective(logic.as_deref(), parts)
}

/// Appends a restriction.
fn write(out: &mut Vec<u8>, restriction: &Restriction) {
    let mut object = json::Object::open(out);
    match restriction {
        Restriction::Everything => object.text("restriction-type", NULL),
        Restriction::Test {
            property,
            mode,
            value,
        } => {
            object.text("restriction-type", TEST);
            let mut inner = json::Object::open(object.member("property"));
            inner.text("name", property);
            inner.text("type", "STRING");
            inner.close();
            object.text("match-mode", mode.as_str());
            if *mode != MatchMode::Null {
                object.text("value", value);
            }
        }
        Restriction::And(parts) => write_connective(&mut object, "and", parts),
        Restriction::Or(parts) => write_connective(&mut object, "or", parts),
    }
    object.close();
}

fn write_connective(object: &mut json::Object<'_>, logic: &str, parts: &[Restriction]) {
    object.text("restriction-type", CONNECTIVE);
    object.text("boolean-logic", logic);
    object.array("restrictions", parts, write);
}
