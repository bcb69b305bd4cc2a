//! A user or group as a client wrote it, made canonical by its schema.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::catalogue;
use crate::draft::{Draft, How};
use crate::limits::RESOURCE_BYTES_MAX;
use crate::version::time;
use crate::{AttrPath, AttrRef, Departure, Dialect, Meta, ResourceType, ScimError, Warning};

/// The attributes of a resource: names in canonical spelling, types checked, without `id`, `meta`,
/// `groups`, `members` and `password`.
///
/// Two resources are equal when their documents say the same, whatever the order of their names.
#[derive(Clone, Default)]
pub struct Resource {
    map: Map<String, Value>,
    password: Option<String>,
    /// What is kept beside the document and belongs to it all the same: `id` and `meta`.
    record: Map<String, Value>,
    /// What is kept of it, if that was written already.
    stored: Option<String>,
}

impl Resource {
    /// Reads the body of a POST: required attributes must be there, read-only ones are passed over,
    /// unknown ones are reported. `null` and empty lists are the same as absence (RFC 7643, 2.5).
    pub fn from_request(
        ty: &ResourceType,
        map: Map<String, Value>,
        dialect: &Dialect,
    ) -> Result<(Resource, Vec<Warning>), ScimError> {
        let mut draft = Draft::new(ty, dialect);
        draft.merge(map, How::Add)?;
        draft.finish()
    }

    /// Reads the body of a PUT: what the client may write and doesn't send is gone (RFC 7644, 3.5.1),
    /// but an absent `active` keeps its value if the dialect says so, and what the client can't write
    /// stays: read-only and immutable attributes of registered schemas.
    pub fn replaced_by(
        &self,
        ty: &ResourceType,
        incoming: Map<String, Value>,
        dialect: &Dialect,
    ) -> Result<(Resource, Vec<Warning>), ScimError> {
        let mut draft = Draft::replacing(ty, dialect, &self.map);
        draft.merge(incoming, How::Add)?;
        let keeps_active = dialect.has(Departure::AbsentActiveIsKept);
        if let Some(active) = self.active().filter(|_| keeps_active) {
            draft.keep("active", Value::Bool(active));
        }
        draft.finish()
    }

    /// Reads the text that [`Resource::to_stored`] wrote.
    pub fn parse_stored(text: &str) -> Result<Resource, ScimError> {
        match serde_json::from_str(text) {
            Ok(map) => Ok(Resource {
                map,
                ..Resource::default()
            }),
            Err(error) => Err(catalogue::INTERNAL_ERROR
                .error(format!("A stored resource can't be read: {error}."))),
        }
    }

    /// The JSON text that is kept. It begins with `schemas` and is the same for the same content written
    /// in the same way.
    pub fn to_stored(&self) -> String {
        match &self.stored {
            Some(stored) => stored.clone(),
            None => stored(&self.map),
        }
    }

    pub(crate) fn from_parts(
        map: Map<String, Value>,
        password: Option<String>,
    ) -> Result<Resource, ScimError> {
        let stored = stored(&map);
        check_size(&stored)?;
        Ok(Resource {
            map,
            password,
            stored: Some(stored),
            ..Resource::default()
        })
    }

    /// The same as it is known: paths and filters find `id` and `meta` too. The document stays without them.
    #[must_use]
    pub fn known_as(mut self, ty: &ResourceType, id: &str, meta: &Meta) -> Resource {
        let meta = json!({
            "resourceType": ty.name,
            "created": time(meta.created),
            "lastModified": time(meta.last_modified),
            "version": meta.etag(),
        });
        self.record.insert("id".to_owned(), Value::from(id));
        self.record.insert("meta".to_owned(), meta);
        self
    }

    /// Its attributes.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }

    /// The password of the request that made it. It is never part of the document.
    pub fn taken_password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The values at a path; those of a list one by one. Extension attributes are found without their
    /// URN when there is no other of their name.
    pub fn get(&self, path: &AttrPath) -> Vec<&Value> {
        let attribute = match &path.urn {
            Some(urn) => match find(&self.map, urn).and_then(Value::as_object) {
                Some(extension) => find(extension, &path.attr),
                None => self
                    .is_core(urn)
                    .then(|| find(&self.map, &path.attr))
                    .flatten(),
            },
            None => find(&self.map, &path.attr).or_else(|| {
                let mut extensions = self.map.values().filter_map(Value::as_object);
                extensions.find_map(|extension| find(extension, &path.attr))
            }),
        };
        let sub = path.sub.as_deref();
        spread(attribute, |object| {
            sub.map_or(Some(object), |sub| find(object.as_object()?, sub))
        })
    }

    fn is_core(&self, urn: &str) -> bool {
        let core = self
            .map
            .get("schemas")
            .and_then(|schemas| schemas.get(0))
            .and_then(Value::as_str);
        core.is_some_and(|core| core.eq_ignore_ascii_case(urn))
    }

    /// The values of an attribute that was resolved; those of a list one by one.
    pub fn at(&self, attr: &AttrRef) -> Vec<&Value> {
        let sub = attr.sub();
        spread(self.attribute(attr), |object| {
            sub.map_or(Some(object), |sub| find(object.as_object()?, sub))
        })
    }

    /// The whole attribute of a reference, without regard to its sub-attribute.
    pub(crate) fn attribute(&self, attr: &AttrRef) -> Option<&Value> {
        match attr.extension() {
            // Stored under a schema that was not registered then, names are spelt as they came.
            Some(urn) => find(find(&self.map, urn)?.as_object()?, attr.attr()),
            None => self
                .map
                .get(attr.attr())
                .or_else(|| self.record.get(attr.attr())),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.map.get(name).and_then(Value::as_str)
    }

    /// `userName`.
    pub fn user_name(&self) -> Option<&str> {
        self.text("userName")
    }

    /// `externalId`.
    pub fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    /// `displayName`.
    pub fn display_name(&self) -> Option<&str> {
        self.text("displayName")
    }

    /// `active`, if the client ever said.
    pub fn active(&self) -> Option<bool> {
        self.map.get("active").and_then(Value::as_bool)
    }

    /// The e-mail addresses, in their order.
    pub fn emails(&self) -> Vec<Email> {
        let list = self.map.get("emails").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Email::read).collect()
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Resource) -> bool {
        self.map == other.map
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resource")
            .field(&Value::Object(self.map.clone()).to_string())
            .finish()
    }
}

/// One e-mail address of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The address.
    pub value: String,
    /// What it is for, such as `work`.
    pub kind: Option<String>,
    /// Whether it is the preferred one.
    pub primary: bool,
}

impl Email {
    fn read(value: &Value) -> Option<Email> {
        Some(Email {
            value: value.get("value")?.as_str()?.to_owned(),
            kind: value.get("type").and_then(Value::as_str).map(str::to_owned),
            primary: value
                .get("primary")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })
    }
}

fn stored(map: &Map<String, Value>) -> String {
    serde_json::to_string(map).unwrap_or_default()
}

fn check_size(stored: &str) -> Result<(), ScimError> {
    let bytes = stored.len();
    if bytes <= RESOURCE_BYTES_MAX {
        return Ok(());
    }
    Err(catalogue::RESOURCE_TOO_LARGE.error(format!(
        "The resource has {bytes} bytes; {RESOURCE_BYTES_MAX} are the most. Map fewer attributes, or shorter values."
    )))
}

fn find<'m>(map: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    map.get(name).or_else(|| {
        map.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

/// The values of an attribute, one by one if it is a list, each seen through `part`.
fn spread<'m>(
    attribute: Option<&'m Value>,
    part: impl Fn(&'m Value) -> Option<&'m Value>,
) -> Vec<&'m Value> {
    match attribute {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().filter_map(part).collect(),
        Some(value) => part(value).into_iter().collect(),
    }
}

/// Reads a resource from the bytes of a request; for tests and tools.
pub fn read(
    ty: &ResourceType,
    body: &[u8],
    dialect: &Dialect,
) -> Result<(Resource, Vec<Warning>), ScimError> {
    Resource::from_request(ty, crate::json::read_object(body)?, dialect)
}
