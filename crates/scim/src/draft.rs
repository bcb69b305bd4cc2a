//! The working copy through which every write goes, POST, PUT and PATCH alike, so that one value meets
//! the same checks on every way in.

use serde_json::{Map, Value};

use crate::catalogue;
use crate::coerce::{Coercion, Parts, check_count, unknown, wrong_type};
use crate::foreign::{self, Foreign};
use crate::path::{Place, Spot};
use crate::schema::{Attribute, Kind, Mutability, Schema};
use crate::schemas::upkeep;
use crate::values::{is_primary, join, keep_one_primary, merge_parts, says_nothing, set};
use crate::{AttrPath, Dialect, Resource, ResourceType, ScimError, ValuePath, Warning};

/// The attribute that lists the schemas of a resource.
const SCHEMAS: &str = "schemas";

/// How a value meets what is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Joins a list.
    Add,
    /// Takes the place of a list.
    Replace,
}

/// A resource that is being written.
pub(crate) struct Draft<'c> {
    pub(crate) ty: &'c ResourceType,
    pub(crate) dialect: &'c Dialect,
    pub(crate) warnings: Vec<Warning>,
    map: Map<String, Value>,
    password: Option<String>,
    /// What is stored, if the resource exists already.
    before: Option<&'c Map<String, Value>>,
    is_patch: bool,
    /// URNs that the client listed in `schemas`.
    listed: Vec<String>,
}

impl<'c> Draft<'c> {
    /// A resource that doesn't exist yet.
    pub fn new(ty: &'c ResourceType, dialect: &'c Dialect) -> Draft<'c> {
        Draft {
            ty,
            dialect,
            warnings: Vec::new(),
            map: Map::new(),
            password: None,
            before: None,
            is_patch: false,
            listed: Vec::new(),
        }
    }

    /// A resource that is to be replaced: what the client can't write stays.
    pub fn replacing(
        ty: &'c ResourceType,
        dialect: &'c Dialect,
        before: &'c Map<String, Value>,
    ) -> Draft<'c> {
        Draft {
            map: upkeep::not_writable(ty, before),
            before: Some(before),
            ..Draft::new(ty, dialect)
        }
    }

    /// A resource that is to be changed in part.
    pub fn patching(
        ty: &'c ResourceType,
        dialect: &'c Dialect,
        before: &'c Map<String, Value>,
    ) -> Draft<'c> {
        let mut map = before.clone();
        upkeep::adopt(ty, &mut map);
        Draft {
            map,
            before: Some(before),
            is_patch: true,
            ..Draft::new(ty, dialect)
        }
    }

    /// Gives an attribute at the top a value if it has none.
    pub fn keep(&mut self, name: &str, value: Value) {
        if !self.map.contains_key(name) {
            self.map.insert(name.to_owned(), value);
        }
    }

    pub(crate) fn coercion(&mut self) -> Coercion<'_> {
        Coercion {
            dialect: self.dialect,
            warnings: &mut self.warnings,
        }
    }

    /// Writes each attribute of an object: a whole resource, or the value of a PATCH without path.
    /// Its keys may be names, dotted names, and both under a URN.
    pub fn merge(&mut self, object: Map<String, Value>, how: How) -> Result<(), ScimError> {
        for (key, value) in object {
            if key.eq_ignore_ascii_case("schemas") {
                let urns = value.as_array().into_iter().flatten();
                self.listed
                    .extend(urns.filter_map(Value::as_str).map(str::to_owned));
                continue;
            }
            self.merge_one(&key, how, value)?;
        }
        Ok(())
    }

    fn merge_one(&mut self, key: &str, how: How, value: Value) -> Result<(), ScimError> {
        if key.contains('[') {
            return self.write_path(&ValuePath::parse(key)?, how, value);
        }
        let ty = self.ty;
        let place = AttrPath::read(key)
            .and_then(|path| ty.place(&path))
            .or_else(|| ty.whole(key));
        match place {
            Some(Place::Whole(schema)) => self.merge_schema(schema, how, value)?,
            Some(Place::Spot(spot)) if spot.is_read_only() => self.note_read_only(spot),
            Some(Place::Spot(spot)) => self.write(spot, how, value)?,
            None => match self.foreign(key, &value) {
                Some(place) => self.write_foreign(&place, None, how, value)?,
                None => self.warnings.push(unknown(key)),
            },
        }
        Ok(())
    }

    /// Clients send `id` and `meta` with every request; only the rest is news.
    fn note_read_only(&mut self, spot: Spot<'_>) {
        if spot.extension.is_some() {
            self.warnings
                .push(Warning::new(&spot.name(), "read-only attribute, ignored"));
        }
    }

    fn note_unknown_schemas(&mut self) {
        for urn in std::mem::take(&mut self.listed) {
            let is_kept = self.map.keys().any(|key| key.eq_ignore_ascii_case(&urn));
            if !is_kept && self.ty.whole(&urn).is_none() {
                self.warnings
                    .push(Warning::new(&urn, "unknown schema without data, ignored"));
            }
        }
    }

    /// The place in an extension that nobody registered, if a text names one.
    pub fn foreign(&self, text: &str, value: &Value) -> Option<Foreign> {
        Foreign::find(text, self.ty, &self.map, value, self.is_patch)
    }

    /// Takes the object under a URN out of the document; an empty one if there is none.
    pub fn take(&mut self, urn: &str) -> Map<String, Value> {
        match self.map.shift_remove(urn) {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        }
    }

    /// Puts the object under a URN back, unless it is empty.
    pub fn put(&mut self, urn: &str, object: Map<String, Value>) {
        if !object.is_empty() {
            self.map.insert(urn.to_owned(), Value::Object(object));
        }
    }

    /// Writes the attributes of one schema, given as an object under its URN.
    pub fn merge_schema(
        &mut self,
        schema: Option<&Schema>,
        how: How,
        value: Value,
    ) -> Result<(), ScimError> {
        let urn = schema.map_or(&self.ty.core.id, |schema| &schema.id);
        match (value, schema) {
            (Value::Object(object), None) => self.merge(object, how),
            (Value::Object(object), Some(_)) => object
                .into_iter()
                .try_for_each(|(key, value)| self.merge_one(&format!("{urn}:{key}"), how, value)),
            (Value::Null, Some(schema)) => {
                if how == How::Replace {
                    self.map.remove(&schema.id);
                }
                Ok(())
            }
            _ => Err(catalogue::EXTENSION_NOT_AN_OBJECT.error(format!(
                "'{urn}' must be an object with the attributes of that schema. Map to '{urn}:<attribute>'."
            ))),
        }
    }

    /// Removes all attributes of an extension.
    pub fn remove_schema(&mut self, schema: &Schema) {
        self.map.remove(&schema.id);
    }

    /// Writes what a path leads to that was found.
    pub fn write(&mut self, spot: Spot<'_>, how: How, value: Value) -> Result<(), ScimError> {
        if spot.extension.is_none() && spot.attribute.mutability == Mutability::WriteOnly {
            return self.take_secret(spot, value);
        }
        if is_members(self.ty, spot) {
            self.warnings.push(Warning::new(
                "members",
                "members are kept apart from the group's document",
            ));
            return Ok(());
        }
        match (spot.attribute.multi_valued, spot.sub) {
            (true, None) => self.write_list(spot, how, value),
            (true, Some(sub)) => self.write_in_each(spot, sub, value),
            (false, Some(sub)) => self.write_part(spot, sub, value),
            (false, None) if spot.attribute.kind == Kind::Complex => self.write_object(spot, value),
            (false, None) => {
                let value = self.coercion().simple(spot, value)?;
                self.at_home(spot, |home| set(home, &spot.attribute.name, value));
                Ok(())
            }
        }
    }

    /// A secret is handed to the caller and never part of the document.
    fn take_secret(&mut self, spot: Spot<'_>, value: Value) -> Result<(), ScimError> {
        if !value.is_null() && !value.is_string() {
            return Err(wrong_type(spot, &Value::Object(Map::new())));
        }
        self.password = value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned);
        Ok(())
    }

    fn write_object(&mut self, spot: Spot<'_>, value: Value) -> Result<(), ScimError> {
        let parts = self.coercion().object(spot, value)?;
        self.write_parts(spot, parts);
        Ok(())
    }

    fn write_part(
        &mut self,
        spot: Spot<'_>,
        sub: &Attribute,
        value: Value,
    ) -> Result<(), ScimError> {
        let value = self.coercion().simple(spot, value)?;
        self.write_parts(spot, Some(vec![(sub.name.clone(), value)]));
        Ok(())
    }

    /// No parts, or an empty `value` (`manager: {"value": ""}`), clear the whole.
    fn write_parts(&mut self, spot: Spot<'_>, parts: Option<Parts>) {
        match parts.filter(|parts| {
            !parts
                .iter()
                .any(|(name, value)| name == "value" && value.is_none())
        }) {
            None => self.clear(spot),
            Some(parts) => self.at_home(spot, |home| {
                in_object(home, &spot.attribute.name, |object| {
                    merge_parts(object, parts);
                });
            }),
        }
    }

    fn write_list(&mut self, spot: Spot<'_>, how: How, value: Value) -> Result<(), ScimError> {
        let incoming = self.coercion().list(spot, value)?;
        self.in_list(spot, |list| {
            if how == How::Replace {
                list.clear();
            }
            let mut preferred = None;
            for element in incoming {
                let at = join(spot.attribute, list, element);
                if is_primary(list, at) {
                    preferred = Some(at);
                }
            }
            keep_one_primary(list, preferred);
        });
        Ok(())
    }

    /// A part of all elements of a list; the first element is made if there is none.
    fn write_in_each(
        &mut self,
        spot: Spot<'_>,
        sub: &Attribute,
        value: Value,
    ) -> Result<(), ScimError> {
        let parts = self.coercion().part(spot, sub, value)?;
        self.in_list(spot, |list| {
            if list.is_empty() && parts.iter().any(|(_, value)| value.is_some()) {
                list.push(Value::Object(Map::new()));
            }
            for element in list.iter_mut().filter_map(Value::as_object_mut) {
                merge_parts(element, parts.clone());
            }
            let last = list.len().checked_sub(1).filter(|&at| is_primary(list, at));
            keep_one_primary(list, last);
        });
        Ok(())
    }

    /// Removes an attribute.
    pub fn clear(&mut self, spot: Spot<'_>) {
        self.at_home(spot, |home| drop(home.remove(&spot.attribute.name)));
    }

    /// Removes a part of an object or of all elements of a list. Without its `value` an object is nothing.
    pub fn clear_part(&mut self, spot: Spot<'_>, sub: &Attribute) {
        if sub.name == "value" {
            return self.clear(spot);
        }
        self.at_home(spot, |home| match home.get_mut(&spot.attribute.name) {
            Some(Value::Object(object)) => drop(object.shift_remove(&sub.name)),
            Some(Value::Array(list)) => {
                for element in list.iter_mut().filter_map(Value::as_object_mut) {
                    element.shift_remove(&sub.name);
                }
            }
            _ => {}
        });
    }

    /// Hands out the elements of a list for reading and writing.
    pub fn in_list<T>(&mut self, spot: Spot<'_>, edit: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        self.at_home(spot, |home| {
            let value = home.entry(spot.attribute.name.as_str());
            let value = value.or_insert(Value::Null);
            if let Value::Array(list) = value {
                return edit(list);
            }
            let mut list = Vec::new();
            let edited = edit(&mut list);
            *value = Value::Array(list);
            edited
        })
    }

    /// Hands out the object in which an attribute stands: the resource itself or an extension's.
    fn at_home<T>(&mut self, spot: Spot<'_>, edit: impl FnOnce(&mut Map<String, Value>) -> T) -> T {
        let Some(schema) = spot.extension else {
            return edit(&mut self.map);
        };
        in_object(&mut self.map, &schema.id, edit)
    }

    /// Checks the whole and puts it in order.
    pub fn finish(mut self) -> Result<(Resource, Vec<Warning>), ScimError> {
        self.map.remove(SCHEMAS);
        self.note_unknown_schemas();
        // The first in its document, filled in when all URNs are known.
        let mut map = Map::from_iter([(SCHEMAS.to_owned(), Value::Null)]);
        for attribute in self.ty.common.iter().chain(&self.ty.core.attributes) {
            let spot = Spot {
                extension: None,
                attribute,
                sub: None,
            };
            match self
                .map
                .remove(&attribute.name)
                .map(|value| settled(spot, value))
                .transpose()?
                .flatten()
            {
                Some(value) => drop(map.insert(attribute.name.clone(), value)),
                None if attribute.required && attribute.mutability == Mutability::ReadWrite => {
                    return Err(missing(self.ty, spot));
                }
                None => {}
            }
        }
        let mut urns = vec![Value::from(self.ty.core.id.as_str())];
        for schema in &self.ty.extensions {
            let mut given = self.take(&schema.id);
            let mut kept = Map::new();
            for attribute in &schema.attributes {
                let spot = Spot {
                    extension: Some(schema),
                    attribute,
                    sub: None,
                };
                let value = given
                    .remove(&attribute.name)
                    .map(|value| settled(spot, value))
                    .transpose()?
                    .flatten();
                set(&mut kept, &attribute.name, value);
            }
            // What a former schema had is not lost when the schema changes.
            kept.append(&mut given);
            upkeep::check(schema, &kept, self.before, &mut self.warnings)?;
            if !kept.is_empty() {
                urns.push(schema.id.as_str().into());
                map.insert(schema.id.clone(), Value::Object(kept));
            }
        }
        let mut foreign = foreign::settled(self.map)?;
        // What was removed before has shuffled them: one order, so that what is sent back as it was is no change.
        foreign.sort_keys();
        urns.extend(foreign.keys().map(|urn| urn.as_str().into()));
        map.append(&mut foreign);
        map.insert(SCHEMAS.to_owned(), Value::Array(urns));
        Ok((Resource::from_parts(map, self.password)?, self.warnings))
    }
}

/// Hands out the object under a name, made if there is none.
fn in_object<T>(
    home: &mut Map<String, Value>,
    name: &str,
    edit: impl FnOnce(&mut Map<String, Value>) -> T,
) -> T {
    let value = home.entry(name).or_insert(Value::Null);
    if let Value::Object(object) = value {
        return edit(object);
    }
    let mut object = Map::new();
    let edited = edit(&mut object);
    *value = Value::Object(object);
    edited
}

/// Whether this is the list of members of a group, which never enters a document.
pub(crate) fn is_members(ty: &ResourceType, spot: Spot<'_>) -> bool {
    !ty.is_user() && spot.attribute.name == "members"
}

fn missing(ty: &ResourceType, spot: Spot<'_>) -> ScimError {
    catalogue::ATTRIBUTE_MISSING.error(format!(
        "A {} must have '{}', a text of 1 to {} characters. Map it in the identity provider.",
        ty.name,
        spot.name(),
        spot.attribute.chars_max
    ))
}

/// The value without what says nothing: empty objects, and elements that have only labels left.
fn settled(spot: Spot<'_>, value: Value) -> Result<Option<Value>, ScimError> {
    Ok(match value {
        Value::Null => None,
        Value::Object(object) => (!object.is_empty()).then_some(Value::Object(object)),
        Value::Array(mut list) => {
            list.retain(|element| match spot.extension {
                None => !says_nothing(element),
                // Of other schemas nobody knows which parts are mere labels.
                Some(_) => element.as_object().is_none_or(|parts| !parts.is_empty()),
            });
            check_count(spot, list.len())?;
            (!list.is_empty()).then_some(Value::Array(list))
        }
        other => Some(other),
    })
}
