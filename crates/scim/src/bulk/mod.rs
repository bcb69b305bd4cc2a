//! Bulk (RFC 7644, 3.7): many operations in one request, which may name what others of them create.
//!
//! An operation that cannot be read is refused by itself: its neighbours are carried out. What is
//! created is named by its `bulkId`; [`BulkRequest::order`] says in which order the names become known.

mod order;
mod reference;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::catalogue;
use crate::name::echo;
use crate::{Precondition, ScimError};

pub use order::BulkUnit;

/// Schema URN of a bulk request.
pub const BULK_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// Schema URN of the answer to one.
pub const BULK_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// A bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRequest {
    /// After so many failed operations no further one is begun. Never 0.
    pub fail_on_errors: Option<usize>,
    /// The operations, in the client's order.
    pub operations: Vec<BulkOperation>,
}

/// One operation of a bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkOperation {
    /// The method as it is repeated in the answer.
    pub method: String,
    /// The client's name for what is created, or for the operation.
    pub bulk_id: Option<String>,
    /// What is to be done, or why it can't be read.
    pub task: Result<BulkTask, ScimError>,
}

/// A collection that bulk operations can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkEndpoint {
    /// `/Users`
    Users,
    /// `/Groups`
    Groups,
}

/// What an operation is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkTask {
    /// The collection that it is about.
    pub endpoint: BulkEndpoint,
    /// What happens there.
    pub action: BulkAction,
    /// The version that the resource must have.
    pub precondition: Precondition,
}

/// What happens to a resource. An id may be a reference, `bulkId:<name>`, and data may contain some.
#[derive(Debug, Clone, PartialEq)]
pub enum BulkAction {
    /// POST
    Create(Map<String, Value>),
    /// PUT
    Replace(String, Map<String, Value>),
    /// PATCH
    Patch(String, Map<String, Value>),
    /// DELETE
    Delete(String),
}

impl BulkRequest {
    /// Reads the body of a bulk request; more than `operations_max` operations are 413.
    pub fn parse(map: Map<String, Value>, operations_max: usize) -> Result<BulkRequest, ScimError> {
        let (mut operations, mut fail_on_errors) = (None, None);
        for (name, value) in map {
            if name.eq_ignore_ascii_case("Operations") {
                operations = Some(value);
            } else if name.eq_ignore_ascii_case("failOnErrors") {
                fail_on_errors = read_fail_on_errors(&value)?;
            }
        }
        let Some(Value::Array(operations)) = operations else {
            return Err(catalogue::BULK_UNREADABLE.error(
                "A bulk request needs a list 'Operations', each with 'method' and 'path'.",
            ));
        };
        if operations.len() > operations_max {
            return Err(catalogue::TOO_MANY_OPERATIONS.error(format!(
                "The request has {} operations; {operations_max} are the most. Send them in several requests.",
                operations.len()
            )));
        }
        let mut operations: Vec<BulkOperation> =
            operations.into_iter().map(BulkOperation::parse).collect();
        refuse_equal_names(&mut operations);
        Ok(BulkRequest {
            fail_on_errors,
            operations,
        })
    }

    /// The order in which to carry the operations out: the client's, except that what an operation
    /// names is created before it.
    pub fn order(&self) -> Vec<BulkUnit> {
        let created = self.created();
        let needs = self.operations.iter().map(|operation| {
            let names = operation.references().into_iter();
            names
                .filter_map(|name| created.get(name.as_str()).copied())
                .collect()
        });
        order::order(&needs.collect::<Vec<_>>())
    }

    /// Which operation creates what a name stands for.
    fn created(&self) -> HashMap<&str, usize> {
        let creating = self.operations.iter().enumerate().rev();
        let creating = creating.filter(|(_, operation)| operation.is_post());
        creating
            .filter_map(|(nth, operation)| Some((operation.bulk_id.as_deref()?, nth)))
            .collect()
    }
}

/// 0 is the same as absence: a limit that stopped before the first operation would make no sense.
fn read_fail_on_errors(value: &Value) -> Result<Option<usize>, ScimError> {
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_u64().ok_or_else(|| {
        catalogue::FAIL_ON_ERRORS_WRONG.error(format!(
            "'failOnErrors' must be a whole number of errors, not {}.",
            echo(&value.to_string())
        ))
    })?;
    Ok(usize::try_from(number).ok().filter(|number| *number > 0))
}

/// A name that two operations give could mean either, so neither is carried out.
fn refuse_equal_names(operations: &mut [BulkOperation]) {
    let mut seen: HashSet<String> = HashSet::new();
    let mut twice: HashSet<String> = HashSet::new();
    let creating = operations.iter().filter(|operation| operation.is_post());
    for name in creating.filter_map(|operation| operation.bulk_id.as_ref()) {
        if !seen.insert(name.clone()) {
            twice.insert(name.clone());
        }
    }
    for operation in operations.iter_mut().filter(|one| one.is_post()) {
        if let Some(name) = &operation.bulk_id
            && twice.contains(name)
            && operation.task.is_ok()
        {
            operation.task = Err(catalogue::BULK_ID_TWICE.error(format!(
                "Several operations have the bulkId '{}'. Give each POST one of its own.",
                echo(name)
            )));
        }
    }
}

impl BulkOperation {
    fn parse(value: Value) -> BulkOperation {
        let Value::Object(parts) = value else {
            return BulkOperation {
                method: String::new(),
                bulk_id: None,
                task: Err(catalogue::BULK_UNREADABLE
                    .error("Each of the 'Operations' must be an object with 'method' and 'path'.")),
            };
        };
        let mut read = Parts::default();
        for (name, part) in parts {
            read.take(&name, part);
        }
        BulkOperation {
            method: read.method.clone().unwrap_or_default(),
            bulk_id: read.bulk_id.clone(),
            task: read.task(),
        }
    }

    fn is_post(&self) -> bool {
        self.method == "POST"
    }

    /// The names of things that other operations create.
    fn references(&self) -> Vec<String> {
        self.task
            .as_ref()
            .map(BulkTask::references)
            .unwrap_or_default()
    }
}

#[derive(Default)]
struct Parts {
    method: Option<String>,
    bulk_id: Option<String>,
    version: Option<String>,
    path: Option<String>,
    data: Option<Value>,
    wrong: Option<ScimError>,
}

impl Parts {
    fn take(&mut self, name: &str, value: Value) {
        let name = name.to_ascii_lowercase();
        if name == "data" {
            self.data = Some(value);
            return;
        }
        let slot = match name.as_str() {
            "method" => &mut self.method,
            "bulkid" => &mut self.bulk_id,
            "version" => &mut self.version,
            "path" => &mut self.path,
            _ => return,
        };
        match value {
            Value::Null => {}
            Value::String(text) => *slot = Some(text),
            _ => {
                self.wrong = Some(catalogue::BULK_UNREADABLE.error(format!(
                    "'{name}' of an operation must be a text in quotes."
                )));
            }
        }
        if name == "method"
            && let Some(method) = &mut self.method
        {
            method.make_ascii_uppercase();
        }
    }

    fn task(self) -> Result<BulkTask, ScimError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let Some(method) = self.method else {
            return Err(catalogue::BULK_UNREADABLE
                .error("An operation lacks 'method': POST, PUT, PATCH or DELETE."));
        };
        if !["POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
            return Err(catalogue::BULK_UNREADABLE.error(format!(
                "'{}' is no method of a bulk operation; there are POST, PUT, PATCH and DELETE.",
                echo(&method)
            )));
        }
        let Some(path) = self.path else {
            return Err(catalogue::BULK_UNREADABLE
                .error("An operation lacks 'path', such as /Users or /Users/<id>."));
        };
        let (endpoint, id) = read_path(&path)?;
        let data = || match self.data {
            Some(Value::Object(data)) => Ok(data),
            Some(_) => Err(catalogue::BULK_UNREADABLE.error(
                "'data' of an operation must be an object, the body of the single request.",
            )),
            None => Err(catalogue::BULK_UNREADABLE.error(format!(
                "An operation with {method} lacks 'data', the body of the single request."
            ))),
        };
        let action = match (method.as_str(), id) {
            ("POST", None) => {
                if self.bulk_id.as_deref().is_none_or(str::is_empty) {
                    return Err(catalogue::BULK_UNREADABLE.error(
                        "An operation with POST lacks 'bulkId', a name for what it creates that no other operation has.",
                    ));
                }
                BulkAction::Create(data()?)
            }
            ("PUT", Some(id)) => BulkAction::Replace(id, data()?),
            ("PATCH", Some(id)) => BulkAction::Patch(id, data()?),
            ("DELETE", Some(id)) => BulkAction::Delete(id),
            (method, id) => {
                return Err(catalogue::BULK_METHOD_WRONG.error(match id {
                    Some(_) => format!(
                        "{method} is not possible on one resource; send it to the collection, such as /Users."
                    ),
                    None => format!(
                        "{method} needs the id of a resource in its path, such as /Users/<id>."
                    ),
                }));
            }
        };
        Ok(BulkTask {
            endpoint,
            action,
            precondition: Precondition::parse(self.version.as_deref(), None),
        })
    }
}

/// A path below the base address of the connector. The query of a path has nothing to act on, since
/// answers show no resources.
fn read_path(path: &str) -> Result<(BulkEndpoint, Option<String>), ScimError> {
    let no_such = || {
        catalogue::BULK_PATH_UNKNOWN.error(format!(
            "There is no endpoint '{}' for bulk operations. Paths are /Users, /Groups, and one of these with an id, without the base address.",
            echo(path)
        ))
    };
    let bare = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments = crate::segments(bare).ok_or_else(no_such)?.into_iter();
    let (Some(first), second, None) = (segments.next(), segments.next(), segments.next()) else {
        return Err(no_such());
    };
    let endpoint = match first.to_ascii_lowercase().as_str() {
        "users" => BulkEndpoint::Users,
        "groups" => BulkEndpoint::Groups,
        "me" => {
            return Err(catalogue::ME_NOT_OFFERED.error(
                "'/Me' stands for nobody here: a token belongs to a connector. Name the user by its id.",
            ));
        }
        _ => return Err(no_such()),
    };
    Ok((endpoint, second))
}

impl BulkTask {
    /// The id of the resource that it is about, if it has one already.
    pub fn id(&self) -> Option<&str> {
        match &self.action {
            BulkAction::Create(_) => None,
            BulkAction::Replace(id, _) | BulkAction::Patch(id, _) | BulkAction::Delete(id) => {
                Some(id)
            }
        }
    }

    /// The same, unless it is a reference to what another operation creates.
    pub fn known_id(&self) -> Option<&str> {
        self.id().filter(|id| reference::name_in(id).is_none())
    }

    /// The body of the single request.
    pub fn data(&self) -> Option<&Map<String, Value>> {
        match &self.action {
            BulkAction::Create(data)
            | BulkAction::Replace(_, data)
            | BulkAction::Patch(_, data) => Some(data),
            BulkAction::Delete(_) => None,
        }
    }

    fn references(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut note = |name: &str| names.push(name.to_owned());
        if let Some(name) = self.id().and_then(reference::name_in) {
            note(name);
        }
        if let Some(data) = self.data() {
            reference::each(data, &mut note);
        }
        names
    }

    /// The same with ids in the place of references. `id_of` gives what a name stands for by now; 409
    /// if that is nothing (RFC 7644, 3.7.1).
    pub fn resolved(&self, id_of: impl Fn(&str) -> Option<String>) -> Result<BulkTask, ScimError> {
        let mut task = self.clone();
        let mut unknown = None;
        let mut replace = |name: &str| {
            let id = id_of(name);
            if id.is_none() {
                unknown = Some(name.to_owned());
            }
            id
        };
        if let BulkAction::Replace(id, _) | BulkAction::Patch(id, _) | BulkAction::Delete(id) =
            &mut task.action
            && let Some(found) = reference::name_in(id).map(&mut replace)
        {
            *id = found.unwrap_or_default();
        }
        if let Some(data) = task.data_mut() {
            reference::replace(data, &mut replace);
        }
        match unknown {
            None => Ok(task),
            Some(name) => Err(unresolved(&name)),
        }
    }

    /// The same without what refers to these names: how the first of resources that name each other is
    /// created, before it is completed.
    pub fn without(&self, is_later: impl Fn(&str) -> bool) -> BulkTask {
        let mut task = self.clone();
        if let Some(data) = task.data_mut() {
            reference::prune(data, &is_later);
        }
        task
    }

    fn data_mut(&mut self) -> Option<&mut Map<String, Value>> {
        match &mut self.action {
            BulkAction::Create(data)
            | BulkAction::Replace(_, data)
            | BulkAction::Patch(_, data) => Some(data),
            BulkAction::Delete(_) => None,
        }
    }
}

/// 409 for a reference to what does not exist.
pub fn unresolved(name: &str) -> ScimError {
    catalogue::BULK_ID_UNRESOLVED.error(format!(
            "'bulkId:{}' stands for nothing: no POST of this request has this bulkId, or it failed. Correct that operation and send both again.",
            echo(name)
        ))
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkResult {
    /// Address of the resource, unless there is none.
    pub location: Option<String>,
    /// Its entity tag after the operation.
    pub version: Option<String>,
    /// Status code, or what was wrong.
    pub outcome: Result<u16, ScimError>,
}

/// The body of an answer: the operations that were processed, in the client's order. Bodies are given
/// of errors only.
pub fn response<'r>(
    processed: impl IntoIterator<Item = (&'r BulkOperation, &'r BulkResult)>,
) -> String {
    let operations: Vec<Value> = processed
        .into_iter()
        .map(|(operation, result)| {
            let mut shown = Map::new();
            let mut put = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    shown.insert(name.to_owned(), value);
                }
            };
            let method = Some(operation.method.as_str()).filter(|method| !method.is_empty());
            put("method", method.map(Value::from));
            put("bulkId", operation.bulk_id.as_deref().map(Value::from));
            put("version", result.version.as_deref().map(Value::from));
            put("location", result.location.as_deref().map(Value::from));
            match &result.outcome {
                Ok(status) => put("status", Some(status.to_string().into())),
                Err(error) => {
                    put("response", Some(error.to_value()));
                    put("status", Some(error.status.to_string().into()));
                }
            }
            Value::Object(shown)
        })
        .collect();
    json!({ "schemas": [BULK_RESPONSE_URN], "Operations": operations }).to_string()
}
