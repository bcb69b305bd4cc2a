//! Follows the path of a PATCH operation and writes or removes what it selects, such as
//! `emails[type eq "work"].value` (RFC 7644, 3.5.2).

use serde_json::{Map, Value};

use crate::catalogue;
use crate::coerce::Parts;
use crate::draft::{Draft, How};
use crate::filter::{Filter, Node, Op, as_bool};
use crate::foreign::Foreign;
use crate::name::echo;
use crate::path::{Place, Spot};
use crate::schema::{Kind, Schema};
use crate::values::{is_primary, is_same, join, keep_one_primary, merge_parts};
use crate::{Departure, ResourceType, ScimError, ValuePath, Warning};

/// Where a path leads.
enum Target<'t> {
    Schema(Option<&'t Schema>),
    Spot(Spot<'t>),
    Elements(Selection<'t>),
    Foreign(Foreign),
}

/// Elements of a list, or one part of each.
struct Selection<'t> {
    spot: Spot<'t>,
    filter: &'t Filter,
    node: Node,
}

impl<'c> Draft<'c> {
    /// Writes what a path leads to.
    pub fn write_path(
        &mut self,
        path: &ValuePath,
        how: How,
        value: Value,
    ) -> Result<(), ScimError> {
        match self.target(path, &value)? {
            None => Ok(()),
            Some(Target::Foreign(place)) => self.write_foreign(&place, Some(path), how, value),
            Some(Target::Schema(schema)) => self.merge_schema(schema, how, value),
            Some(Target::Spot(spot)) => self.write(spot, how, value),
            Some(Target::Elements(selection)) => self.write_elements(&selection, how, value),
        }
    }

    /// Removes what a path leads to; with a value, only those elements of a list that it names.
    pub fn remove_path(&mut self, path: &ValuePath, value: Value) -> Result<(), ScimError> {
        match self.target(path, &value)? {
            None => {}
            Some(Target::Foreign(place)) => self.remove_foreign(&place, path, &value)?,
            Some(Target::Schema(Some(schema))) => self.remove_schema(schema),
            Some(Target::Schema(None)) => {
                return Err(catalogue::TARGET_MISSING
                    .error("The core schema can't be removed; name an attribute in 'path'."));
            }
            Some(Target::Elements(selection)) => {
                self.in_list(selection.spot, |list| selection.remove_from(list))
            }
            Some(Target::Spot(spot)) => match spot.sub {
                Some(sub) => self.clear_part(spot, sub),
                None if spot.attribute.multi_valued && !value.is_null() => {
                    return self.remove_listed(spot, value);
                }
                None => self.clear(spot),
            },
        }
        Ok(())
    }

    /// Finds where a path leads; `None` if to what is ignored, which is reported.
    fn target<'t>(
        &mut self,
        path: &'t ValuePath,
        value: &Value,
    ) -> Result<Option<Target<'t>>, ScimError>
    where
        'c: 't,
    {
        let ty: &'c ResourceType = self.ty;
        let Some(place) = ty.place(&path.attr) else {
            if let Some(place) = self.foreign(&path.attr.to_string(), value) {
                return Ok(Some(Target::Foreign(place)));
            }
            if path.attr.urn.is_some() && !names_known_schema(ty, path) {
                self.warnings
                    .push(Warning::new(&path.to_string(), "unknown schema, ignored"));
                return Ok(None);
            }
            return Err(catalogue::PATH_UNKNOWN.error(path.attr.unknown_to(ty)));
        };
        let list = match place {
            Place::Whole(schema) if path.filter.is_none() => {
                return Ok(Some(Target::Schema(schema)));
            }
            Place::Whole(_) => {
                return Err(catalogue::PATH_FILTER_WRONG.error(
                    "A filter in brackets stands after a list only, such as emails[type eq \"work\"]. Correct the target attribute of the mapping.",
                ));
            }
            Place::Spot(spot) => spot,
        };
        let target = match (&path.filter, &path.sub) {
            (None, _) => Target::Spot(list),
            (Some(filter), None) => Target::Elements(Selection::new(ty, list, list, filter)?),
            (Some(filter), Some(sub)) => {
                let spot = list.part(sub).ok_or_else(|| {
                    catalogue::PATH_UNKNOWN.error(format!(
                        "The values of '{}' have no part '{}'. See /Schemas for those they have.",
                        list.name(),
                        echo(sub)
                    ))
                })?;
                Target::Elements(Selection::new(ty, list, spot, filter)?)
            }
        };
        let spot = match &target {
            Target::Elements(selection) => selection.spot,
            _ => list,
        };
        self.writable(spot)
            .map(|writable| writable.then_some(target))
    }

    /// Refuses read-only attributes; `schemas`, which follows from the data, is passed over.
    fn writable(&mut self, spot: Spot<'_>) -> Result<bool, ScimError> {
        if !spot.is_read_only() {
            return Ok(true);
        }
        if spot.attribute.name == "schemas" {
            return Ok(false);
        }
        if self.dialect.has(Departure::ReadOnlyPathIsIgnored) {
            self.warnings
                .push(Warning::new(&spot.name(), "read-only attribute, ignored"));
            return Ok(false);
        }
        Err(catalogue::ATTRIBUTE_READ_ONLY.error(format!(
            "'{}' is read-only: this server computes it. Remove it from the attribute mapping.",
            spot.name()
        )))
    }

    fn write_elements(
        &mut self,
        selection: &Selection<'_>,
        how: How,
        value: Value,
    ) -> Result<(), ScimError> {
        let spot = selection.spot;
        let create = self.dialect.has(Departure::MissingElementIsCreated);
        if spot.attribute.is_plain_list() {
            let values = self.coercion().list(spot, value)?;
            return self.in_list(spot, |list| selection.exchange(list, values, create));
        }
        let parts = match spot.sub {
            Some(sub) => Some(self.coercion().part(spot, sub, value)?),
            None => self.coercion().object(spot, value)?,
        };
        self.in_list(spot, |list| selection.write_to(list, parts, how, create))
    }

    /// `remove` with a value: only the listed elements go, never the others.
    fn remove_listed(&mut self, spot: Spot<'_>, value: Value) -> Result<(), ScimError> {
        let listed = self.coercion().list(spot, value.clone())?;
        let has_value = spot.attribute.sub("value").is_some();
        let known: Vec<Value> = listed
            .into_iter()
            .filter(|element| !has_value || element.get("value").is_some())
            .collect();
        let nothing_is_listed = value.as_array().is_some_and(Vec::is_empty);
        if known.is_empty() && !nothing_is_listed {
            return Err(catalogue::VALUES_NOT_RECOGNISED.error(format!(
                "None of the listed values to remove from '{}' can be recognised; list them as {{\"value\": \"...\"}}.",
                spot.name()
            )));
        }
        self.in_list(spot, |list| {
            list.retain(|element| {
                !known
                    .iter()
                    .any(|asked| is_same(spot.attribute, element, asked))
            });
        });
        Ok(())
    }
}

fn names_known_schema(ty: &ResourceType, path: &ValuePath) -> bool {
    path.attr
        .urn
        .as_deref()
        .is_some_and(|urn| ty.whole(urn).is_some())
}

impl<'t> Selection<'t> {
    fn new(
        ty: &ResourceType,
        list: Spot<'t>,
        spot: Spot<'t>,
        filter: &'t Filter,
    ) -> Result<Selection<'t>, ScimError> {
        let node = filter
            .resolve_in(ty, list)
            .map_err(|error| catalogue::PATH_FILTER_WRONG.error(error.detail))?;
        Ok(Selection { spot, filter, node })
    }

    fn matching(&self, list: &[Value]) -> Vec<usize> {
        (0..list.len())
            .filter(|&at| {
                list.get(at)
                    .is_some_and(|element| self.node.matches_element(element))
            })
            .collect()
    }

    fn remove_from(&self, list: &mut Vec<Value>) {
        match self.spot.sub {
            None => list.retain(|element| !self.node.matches_element(element)),
            Some(sub) => {
                for at in self.matching(list) {
                    if let Some(element) = list.get_mut(at).and_then(Value::as_object_mut) {
                        merge_parts(element, vec![(sub.name.clone(), None)]);
                    }
                }
            }
        }
    }

    fn write_to(
        &self,
        list: &mut Vec<Value>,
        parts: Option<Parts>,
        how: How,
        create: bool,
    ) -> Result<(), ScimError> {
        let Some(parts) = parts else {
            self.remove_from(list);
            return Ok(());
        };
        let mut chosen = self.matching(list);
        if chosen.is_empty() {
            if parts.iter().all(|(_, value)| value.is_none()) {
                return Ok(());
            }
            let element = self
                .named_by_filter()
                .filter(|_| create)
                .ok_or_else(|| self.no_target())?;
            chosen.push(list.len());
            list.push(Value::Object(element));
        }
        let mut preferred = None;
        for at in chosen {
            let Some(element) = list.get_mut(at).and_then(Value::as_object_mut) else {
                continue;
            };
            if how == How::Replace && self.spot.sub.is_none() {
                element.clear();
                element.extend(self.named_by_filter().unwrap_or_default());
            }
            merge_parts(element, parts.clone());
            if is_primary(list, at) {
                preferred = Some(at);
            }
        }
        keep_one_primary(list, preferred);
        Ok(())
    }

    /// Puts values in the place of the chosen ones of a plain list.
    fn exchange(
        &self,
        list: &mut Vec<Value>,
        values: Vec<Value>,
        create: bool,
    ) -> Result<(), ScimError> {
        let is_named = matches!(self.filter, Filter::Test { op: Op::Eq, .. });
        let first = self.matching(list).first().copied();
        let at = match first {
            Some(at) => at,
            None if values.is_empty() => return Ok(()),
            None if create && is_named => list.len(),
            None => return Err(self.no_target()),
        };
        self.remove_from(list);
        let rest = list.split_off(at);
        for value in values.into_iter().chain(rest) {
            join(self.spot.attribute, list, value);
        }
        Ok(())
    }

    fn no_target(&self) -> ScimError {
        catalogue::TARGET_MISSING.error(format!(
            "No value of '{}' fits the filter '{}', and none can be made from it. Use a filter such as type eq \"work\".",
            self.spot.attribute.name,
            echo(&self.filter.to_string())
        ))
    }

    /// The element that the filter describes, if it only says what equals what.
    fn named_by_filter(&self) -> Option<Map<String, Value>> {
        let mut element = Map::new();
        let terms = match self.filter {
            Filter::And(terms) => terms.as_slice(),
            one => std::slice::from_ref(one),
        };
        for term in terms {
            let Filter::Test {
                path,
                op: Op::Eq,
                value,
            } = term
            else {
                return None;
            };
            let sub = self.spot.attribute.sub(&path.attr)?;
            let value = match sub.kind {
                Kind::Boolean => Value::Bool(as_bool(value.as_str())?),
                _ if value.is_null() => return None,
                _ => Value::String(value.as_str().to_owned()),
            };
            if element.insert(sub.name.clone(), value).is_some() {
                return None;
            }
        }
        Some(element)
    }
}
