//! Writes answers. A stored document is spliced into its answer as text, without being parsed: reading
//! is most of what clients do.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::catalogue;
use crate::version::time;
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
    let extra_bytes: usize = extra
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    let mut out = begin(ty, id, stored_document, extra_bytes + location.len());
    for (name, value) in extra {
        push_name(&mut out, name);
        out.push_str(value);
    }
    push_meta(&mut out, ty, meta, location);
    out.push('}');
    out
}

/// The same for a list that is too long to be one text: what comes before the elements of the list
/// `name`, and what comes after them.
pub fn around_list(
    ty: &ResourceType,
    id: &str,
    stored_document: &str,
    name: &str,
    meta: &Meta,
    location: &str,
) -> (String, String) {
    let mut before = begin(ty, id, stored_document, name.len());
    push_name(&mut before, name);
    before.push('[');
    let mut after = "]".to_owned();
    push_meta(&mut after, ty, meta, location);
    after.push('}');
    (before, after)
}

/// `schemas`, `id` and the stored document, in a text with room for more.
fn begin(ty: &ResourceType, id: &str, stored_document: &str, more_bytes: usize) -> String {
    let (schemas, attributes) = split_document(stored_document);
    let mut out = String::with_capacity(stored_document.len() + id.len() + more_bytes + 320);
    out.push_str("{\"schemas\":");
    match schemas {
        Some(schemas) => out.push_str(schemas),
        None => {
            out.push('[');
            push_text(&mut out, &ty.core.id);
            out.push(']');
        }
    }
    push_name(&mut out, "id");
    push_text(&mut out, id);
    if !attributes.is_empty() {
        out.push(',');
        out.push_str(attributes);
    }
    out
}

fn push_name(out: &mut String, name: &str) {
    out.push(',');
    push_text(out, name);
    out.push(':');
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
    push_text(out, &meta.etag());
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
    push_parts(out, &[text]);
}

/// Writes a JSON string of several parts.
fn push_parts(out: &mut String, parts: &[&str]) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if parts.iter().all(|part| part.bytes().all(is_plain)) {
        out.push('"');
        out.extend(parts.iter().copied());
        out.push('"');
    } else {
        let _ = write!(out, "{}", Value::from(parts.concat()));
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
        Err(error) => {
            Err(catalogue::INTERNAL_ERROR
                .error(format!("A stored resource can't be read: {error}.")))
        }
    }
}

/// A page of resources, each already rendered.
pub fn list<R: AsRef<str>>(
    total: u64,
    start_index: u64,
    resources: impl IntoIterator<Item = R>,
) -> String {
    let mut items = String::new();
    let mut count = 0;
    for resource in resources {
        if count > 0 {
            items.push(',');
        }
        items.push_str(resource.as_ref());
        count += 1;
    }
    let mut out = list_head(total, start_index, count);
    out.push_str(&items);
    out.push_str(LIST_END);
    out
}

/// What comes before the resources of a page; between them stand commas, after them [`LIST_END`].
/// `itemsPerPage` is how many there are, which clients add to `startIndex` to find the next page.
pub fn list_head(total: u64, start_index: u64, count: usize) -> String {
    format!(
        "{{\"schemas\":[\"{LIST_URN}\"],\"totalResults\":{total},\"startIndex\":{start_index},\"itemsPerPage\":{count},\"Resources\":["
    )
}

/// What comes before the resources of a page that was found by a cursor (RFC 9865, 2). The total is left out
/// when it isn't known.
pub fn cursor_head(
    total: Option<u64>,
    count: usize,
    previous: Option<&str>,
    next: Option<&str>,
) -> String {
    let mut out = format!("{{\"schemas\":[\"{LIST_URN}\"],");
    if let Some(total) = total {
        let _ = write!(out, "\"totalResults\":{total},");
    }
    let _ = write!(out, "\"itemsPerPage\":{count}");
    for (name, cursor) in [("previousCursor", previous), ("nextCursor", next)] {
        if let Some(cursor) = cursor {
            push_name(&mut out, name);
            push_text(&mut out, cursor);
        }
    }
    out.push_str(",\"Resources\":[");
    out
}

/// What comes after the resources of a page.
pub const LIST_END: &str = "]}";

/// Writes one element of a group's `members` or of a user's `groups`. `collection` is the address of
/// the collection that `id` is in, such as `.../Users`, and `kind` what stands under `type`; both are
/// left out for an identifier that belongs to nobody yet.
pub fn push_reference(out: &mut String, id: &str, of: Option<(&str, &str)>, display: Option<&str>) {
    out.push_str("{\"value\":");
    push_text(out, id);
    if let Some((collection, kind)) = of {
        out.push_str(",\"$ref\":");
        push_parts(out, &[collection, "/", id]);
        push_name(out, "type");
        push_text(out, kind);
    }
    if let Some(display) = display {
        push_name(out, "display");
        push_text(out, display);
    }
    out.push('}');
}

/// Builds the text of a short list of references.
#[derive(Debug, Default)]
pub struct References {
    items: String,
}

impl References {
    /// An empty list.
    pub fn new() -> References {
        References::default()
    }

    /// Adds one, as [`push_reference`] writes it.
    pub fn push(&mut self, id: &str, of: Option<(&str, &str)>, display: Option<&str>) {
        self.items
            .push(if self.items.is_empty() { '[' } else { ',' });
        push_reference(&mut self.items, id, of, display);
    }

    /// The list as JSON text.
    pub fn finish(mut self) -> String {
        self.items
            .push_str(if self.items.is_empty() { "[]" } else { "]" });
        self.items
    }
}
