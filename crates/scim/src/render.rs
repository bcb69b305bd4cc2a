//! Writes answers. A stored document is spliced into its answer as text, without being parsed: reading
//! is most of what clients do.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::version::{etag, time};
use crate::{Meta, Projection, ResourceType, ScimError};

/// Schema URN of a list.
pub const LIST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// The address of a resource under the base address of its connector.
pub fn location(base: &str, ty: &ResourceType, id: &str) -> String {
    format!("{base}{}/{id}", ty.endpoint)
}

/// A whole resource: `schemas`, `id`, the stored document, what is kept beside it (`groups`, `members`
/// as JSON text), `meta`.
pub fn resource(
    ty: &ResourceType,
    id: &str,
    stored_document: &str,
    extra: &[(&str, &str)],
    meta: &Meta,
    location: &str,
) -> String {
    let (schemas, attributes) = split_document(stored_document);
    let extra_bytes: usize = extra
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    let mut out = String::with_capacity(
        stored_document.len() + extra_bytes + id.len() + location.len() + 320,
    );
    out.push_str("{\"schemas\":");
    match schemas {
        Some(schemas) => out.push_str(schemas),
        None => {
            out.push('[');
            push_text(&mut out, &ty.core.id);
            out.push(']');
        }
    }
    out.push_str(",\"id\":");
    push_text(&mut out, id);
    if !attributes.is_empty() {
        out.push(',');
        out.push_str(attributes);
    }
    for (name, value) in extra {
        out.push(',');
        push_text(&mut out, name);
        out.push(':');
        out.push_str(value);
    }
    push_meta(&mut out, ty, meta, location);
    out.push('}');
    out
}

fn push_meta(out: &mut String, ty: &ResourceType, meta: &Meta, location: &str) {
    out.push_str(",\"meta\":{\"resourceType\":");
    push_text(out, &ty.name);
    out.push_str(",\"created\":");
    push_text(out, &time(meta.created));
    out.push_str(",\"lastModified\":");
    push_text(out, &time(meta.last_modified));
    out.push_str(",\"location\":");
    push_text(out, location);
    out.push_str(",\"version\":");
    push_text(out, &etag(meta.version));
    out.push('}');
}

/// The list of schemas, if the document begins with it, and the other attributes. URNs contain no
/// bracket, so the first closing one ends the list.
fn split_document(stored: &str) -> (Option<&str>, &str) {
    let inside = stored
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or_default();
    let schemas = inside.strip_prefix("\"schemas\":");
    match schemas.and_then(|rest| rest.split_at_checked(rest.find(']')? + 1)) {
        Some((schemas, rest)) => (Some(schemas), rest.strip_prefix(',').unwrap_or(rest)),
        None => (None, inside),
    }
}

/// Writes a JSON string.
fn push_text(out: &mut String, text: &str) {
    let is_plain = text
        .bytes()
        .all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    if is_plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        let _ = write!(out, "{}", Value::from(text));
    }
}

/// A rendered resource with only what the projection shows.
pub fn project(rendered: &str, projection: &Projection) -> Result<String, ScimError> {
    if projection.shows_everything() {
        return Ok(rendered.to_owned());
    }
    let parsed: Result<Map<String, Value>, _> = serde_json::from_str(rendered);
    match parsed {
        Ok(resource) => Ok(Value::Object(projection.apply(&resource)).to_string()),
        Err(error) => Err(ScimError::internal(format!(
            "A stored resource can't be read: {error}."
        ))),
    }
}

/// A page of resources, each already rendered. `itemsPerPage` is how many there are, which clients add
/// to `startIndex` to find the next page.
pub fn list<R: AsRef<str>>(
    total: u64,
    start_index: u64,
    resources: impl IntoIterator<Item = R>,
) -> String {
    let mut items = String::new();
    let mut count = 0_u64;
    for resource in resources {
        if count > 0 {
            items.push(',');
        }
        items.push_str(resource.as_ref());
        count += 1;
    }
    format!(
        "{{\"schemas\":[\"{LIST_URN}\"],\"totalResults\":{total},\"startIndex\":{start_index},\"itemsPerPage\":{count},\"Resources\":[{items}]}}"
    )
}

/// Writes the list of a group's `members` or of a user's `groups`, item by item.
#[derive(Debug)]
pub struct References {
    json: String,
}

impl Default for References {
    fn default() -> References {
        References {
            json: "[".to_owned(),
        }
    }
}

impl References {
    /// An empty list.
    pub fn new() -> References {
        References::default()
    }

    /// Adds one. `collection` is the address of the collection that `id` is in, such as `.../Users`;
    /// `kind` is what stands under `type`.
    pub fn push(&mut self, id: &str, collection: &str, display: Option<&str>, kind: &str) {
        let out = &mut self.json;
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str("{\"value\":");
        push_text(out, id);
        out.push_str(",\"$ref\":");
        push_text(out, &format!("{collection}/{id}"));
        if let Some(display) = display {
            out.push_str(",\"display\":");
            push_text(out, display);
        }
        out.push_str(",\"type\":");
        push_text(out, kind);
        out.push('}');
    }

    /// The list as JSON text.
    pub fn finish(mut self) -> String {
        self.json.push(']');
        self.json
    }
}
