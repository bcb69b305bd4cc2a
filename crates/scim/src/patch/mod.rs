//! PATCH (RFC 7644, 3.5.2): one normal form for what all clients send, applied whole or not at all.

mod members;

use serde_json::{Map, Value};

use crate::catalogue;
use crate::draft::{Draft, How};
use crate::limits::PATCH_OPERATIONS_MAX;
use crate::name::echo;
use crate::path::Place;
use crate::{AttrPath, Dialect, Resource, ResourceType, ScimError, ValuePath, Warning};

/// A PATCH request that could be read; whether its paths exist is known when it is applied.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest {
    operations: Vec<Operation>,
    warnings: Vec<Warning>,
}

#[derive(Debug, Clone, PartialEq)]
struct Operation {
    verb: Verb,
    path: Option<ValuePath>,
    /// `None` if the operation has none, which is not the same as null.
    value: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// What a PATCH made of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The resource after it.
    pub resource: Resource,
    /// Whether the document differs. If not, nothing is to be written.
    pub changed: bool,
    /// What was ignored.
    pub warnings: Vec<Warning>,
}

impl PatchRequest {
    /// Reads the body of a PATCH.
    pub fn parse(map: Map<String, Value>) -> Result<PatchRequest, ScimError> {
        let operations = map
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case("Operations"));
        let Some((_, Value::Array(operations))) = operations else {
            return Err(catalogue::PATCH_UNREADABLE.error(
                "A PATCH needs a list 'Operations', each with 'op', and with 'path' or 'value'.",
            ));
        };
        if operations.len() > PATCH_OPERATIONS_MAX {
            return Err(catalogue::TOO_MANY_OPERATIONS.error(format!(
                "The request has {} operations; {PATCH_OPERATIONS_MAX} are the most. Send them in several requests.",
                operations.len()
            )));
        }
        let operations = operations
            .into_iter()
            .map(Operation::parse)
            .collect::<Result<_, _>>()?;
        Ok(PatchRequest {
            operations,
            warnings: Vec::new(),
        })
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The password that the request sets, if it sets one. It is hashed before the transaction in which
    /// the request is applied.
    pub fn password(&self, ty: &ResourceType) -> Option<&str> {
        self.operations
            .iter()
            .rev()
            .find_map(|operation| operation.password(ty))
    }

    /// Applies all operations in their order, or none of them.
    pub fn apply(
        &self,
        ty: &ResourceType,
        resource: &Resource,
        dialect: &Dialect,
    ) -> Result<Patched, ScimError> {
        let mut draft = Draft::patching(ty, dialect, resource.as_map());
        draft.warnings.extend_from_slice(&self.warnings);
        for operation in &self.operations {
            operation.apply(&mut draft)?;
        }
        let (after, warnings) = draft.finish()?;
        let changed = after != *resource;
        Ok(Patched {
            resource: after,
            changed,
            warnings,
        })
    }
}

impl Operation {
    fn parse(value: Value) -> Result<Operation, ScimError> {
        let Value::Object(parts) = value else {
            return Err(catalogue::PATCH_UNREADABLE.error(
                "Each of the 'Operations' must be an object with 'op', and with 'path' or 'value'.",
            ));
        };
        let (mut verb, mut path, mut value) = (None, None, None);
        for (name, part) in parts {
            match name.to_ascii_lowercase().as_str() {
                "op" => verb = Some(Verb::parse(&part)?),
                "path" => path = read_path(part)?,
                "value" => value = Some(part),
                _ => {}
            }
        }
        let verb = verb.ok_or_else(|| {
            catalogue::PATCH_UNREADABLE.error("An operation lacks 'op': add, replace or remove.")
        })?;
        Ok(Operation { verb, path, value })
    }

    fn password(&self, ty: &ResourceType) -> Option<&str> {
        let value = self.value.as_ref().filter(|_| self.verb != Verb::Remove)?;
        match &self.path {
            Some(path) => value.as_str().filter(|_| is_secret(&path.attr, ty)),
            None => password_of(value.as_object()?, ty),
        }
    }

    fn apply(&self, draft: &mut Draft<'_>) -> Result<(), ScimError> {
        let how = match self.verb {
            Verb::Add => How::Add,
            Verb::Replace => How::Replace,
            Verb::Remove => return self.remove(draft),
        };
        match (&self.path, &self.value) {
            (Some(path), Some(value)) => draft.write_path(path, how, value.clone()),
            (None, Some(Value::Object(object))) => draft.merge(object.clone(), how),
            (None, Some(_)) => Err(catalogue::PATCH_UNREADABLE.error(
                "An operation without 'path' needs an object as 'value', with the attributes to write.",
            )),
            (_, None) => Err(catalogue::PATCH_WITHOUT_VALUE.error(format!(
                "The operation {} lacks 'value'. To clear an attribute, use remove.",
                self.verb.as_str()
            ))),
        }
    }

    fn remove(&self, draft: &mut Draft<'_>) -> Result<(), ScimError> {
        match &self.path {
            Some(path) => draft.remove_path(path, self.value.clone().unwrap_or_default()),
            None => Err(catalogue::TARGET_MISSING
                .error("The operation remove needs a 'path' that says what to remove.")),
        }
    }
}

/// The password in the body of a POST or PUT, or in the value of a PATCH without path.
pub fn password_of<'m>(map: &'m Map<String, Value>, ty: &ResourceType) -> Option<&'m str> {
    let is_password = |name: &str| AttrPath::read(name).is_some_and(|path| is_secret(&path, ty));
    map.iter()
        .find(|(name, _)| is_password(name))
        .and_then(|(_, value)| value.as_str())
}

fn is_secret(path: &AttrPath, ty: &ResourceType) -> bool {
    matches!(ty.place(path), Some(Place::Spot(spot)) if spot.extension.is_none() && spot.is_secret())
}

/// A missing path, null and the empty text are the same.
fn read_path(path: Value) -> Result<Option<ValuePath>, ScimError> {
    match path {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => ValuePath::parse(&text).map(Some),
        _ => Err(catalogue::PATH_UNREADABLE
            .error("The 'path' of an operation must be a text, such as \"name.familyName\".")),
    }
}

impl Verb {
    fn parse(op: &Value) -> Result<Verb, ScimError> {
        let text = op.as_str().unwrap_or_default();
        for verb in [Verb::Add, Verb::Replace, Verb::Remove] {
            if verb.as_str().eq_ignore_ascii_case(text) {
                return Ok(verb);
            }
        }
        Err(catalogue::PATCH_UNREADABLE.error(format!(
            "'{}' is not an operation; 'op' is add, replace or remove.",
            echo(text)
        )))
    }

    fn as_str(self) -> &'static str {
        match self {
            Verb::Add => "add",
            Verb::Replace => "replace",
            Verb::Remove => "remove",
        }
    }
}
