//! What the schemas of an administrator ask of a resource beyond its types: required and immutable
//! attributes; and what becomes of data that were stored before their schema was as it is.

use serde_json::{Map, Value};

use super::ENTERPRISE_URN;
use crate::catalogue;
use crate::schema::{Attribute, Mutability, ResourceType, Schema};
use crate::{ScimError, Warning};

type Object = Map<String, Value>;

/// The extensions that an administrator registered. That of the RFC never changes.
fn registered(ty: &ResourceType) -> impl Iterator<Item = &Schema> {
    ty.extensions
        .iter()
        .filter(|schema| schema.id != ENTERPRISE_URN)
}

/// Gives data that were stored before their schema was registered the spelling of the schema.
pub(crate) fn adopt(ty: &ResourceType, document: &mut Object) {
    for schema in registered(ty) {
        if let Some(object) = stored(document, schema).map(|object| renamed(schema, object)) {
            document.retain(|key, _| !key.eq_ignore_ascii_case(&schema.id));
            document.insert(schema.id.clone(), Value::Object(object));
        }
    }
}

fn stored<'d>(document: &'d Object, schema: &Schema) -> Option<&'d Object> {
    let exact = document.get(&schema.id);
    let any_case = || {
        let mut entries = document.iter();
        entries.find_map(|(key, value)| key.eq_ignore_ascii_case(&schema.id).then_some(value))
    };
    exact.or_else(any_case)?.as_object()
}

fn renamed(schema: &Schema, object: &Object) -> Object {
    let mut renamed = Object::new();
    for (name, value) in object {
        let name = schema.attribute(name).map_or(name, |known| &known.name);
        renamed.insert(name.clone(), value.clone());
    }
    renamed
}

/// The part of a stored document that a replacement leaves alone, because the client can't write it:
/// read-only and immutable attributes, and what the schema doesn't name any more.
pub(crate) fn not_writable(ty: &ResourceType, document: &Object) -> Object {
    let mut kept = Object::new();
    for schema in registered(ty) {
        let Some(object) = stored(document, schema) else {
            continue;
        };
        let mut object = renamed(schema, object);
        object.retain(|name, value| match schema.attribute(name) {
            None => true,
            Some(attribute) if is_fixed(attribute) => true,
            Some(attribute) => match value {
                Value::Object(parts) => {
                    parts.retain(|part, _| attribute.sub(part).is_none_or(is_fixed));
                    !parts.is_empty()
                }
                _ => false,
            },
        });
        if !object.is_empty() {
            kept.insert(schema.id.clone(), Value::Object(object));
        }
    }
    kept
}

fn is_fixed(attribute: &Attribute) -> bool {
    matches!(
        attribute.mutability,
        Mutability::ReadOnly | Mutability::Immutable
    )
}

/// Checks one extension of a resource that is about to be stored. What was missing before the schema
/// asked for it may go on missing, or nobody could be disabled any more; that is reported.
pub(crate) fn check(
    schema: &Schema,
    after: &Object,
    before: Option<&Object>,
    warnings: &mut Vec<Warning>,
) -> Result<(), ScimError> {
    if schema.id == ENTERPRISE_URN {
        return Ok(());
    }
    let former = before.and_then(|document| stored(document, schema));
    if after.is_empty() && schema.required {
        let name = schema.id.as_str();
        if before.is_none() || former.is_some() {
            return Err(catalogue::ATTRIBUTE_MISSING.error(format!(
                "The extension '{name}' is required. Map its attributes in the identity provider."
            )));
        }
        warnings.push(Warning::new(name, "required, but missing since before"));
    }
    for attribute in &schema.attributes {
        let (now, then) = (
            after.get(&attribute.name),
            former.and_then(|object| object.get(&attribute.name)),
        );
        check_fixed(schema, attribute, now, then)?;
        if after.is_empty() || attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        match now {
            None if attribute.required => {
                let name = format!("{}:{}", schema.id, attribute.name);
                if former.is_none() || then.is_some() {
                    return Err(missing(&name));
                }
                warnings.push(Warning::new(&name, "required, but missing since before"));
            }
            Some(value) if then != Some(value) => check_parts(schema, attribute, value)?,
            _ => {}
        }
    }
    Ok(())
}

fn missing(name: &str) -> ScimError {
    catalogue::ATTRIBUTE_MISSING.error(format!(
        "'{name}' is required by its schema. Map it in the identity provider."
    ))
}

fn check_parts(schema: &Schema, attribute: &Attribute, value: &Value) -> Result<(), ScimError> {
    let mut required = attribute
        .sub_attributes
        .iter()
        .filter(|part| part.required && part.mutability != Mutability::ReadOnly);
    let objects: Vec<&Object> = match value {
        Value::Array(items) => items.iter().filter_map(Value::as_object).collect(),
        value => value.as_object().into_iter().collect(),
    };
    let absent = required.find(|part| {
        objects
            .iter()
            .any(|object| !object.contains_key(&part.name))
    });
    match absent {
        Some(part) => Err(missing(&format!(
            "{}:{}.{}",
            schema.id, attribute.name, part.name
        ))),
        None => Ok(()),
    }
}

/// An immutable attribute keeps the first value that it got (RFC 7643, 7).
fn check_fixed(
    schema: &Schema,
    attribute: &Attribute,
    now: Option<&Value>,
    then: Option<&Value>,
) -> Result<(), ScimError> {
    let Some(then) = then else { return Ok(()) };
    let changed = |name: String| {
        catalogue::ATTRIBUTE_IMMUTABLE.error(format!(
            "'{name}' is immutable: it keeps the value that it has. Delete and create the resource to give it another."
        ))
    };
    let name = || format!("{}:{}", schema.id, attribute.name);
    if attribute.mutability == Mutability::Immutable && now != Some(then) {
        return Err(changed(name()));
    }
    let fixed_parts = attribute
        .sub_attributes
        .iter()
        .filter(|part| part.mutability == Mutability::Immutable && !attribute.multi_valued);
    for part in fixed_parts {
        let had = then.get(&part.name);
        if had.is_some() && now.and_then(|object| object.get(&part.name)) != had {
            return Err(changed(format!("{}.{}", name(), part.name)));
        }
    }
    Ok(())
}
