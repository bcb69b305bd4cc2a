//! How an identity provider reads a SCIM answer: as strictly as the real ones, who trust nothing that looks wrong.

use serde_json::{Map, Value};

use crate::http::{Answer, Trouble};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// A resource as the server gave it.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) id: String,
    pub(crate) body: Object,
}

/// One page of a list.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) total: u64,
    pub(crate) resources: Vec<Remote>,
}

/// Requires a resource with one of the statuses.
pub(crate) fn resource(answer: &Answer, statuses: &[u16]) -> Result<Remote, Trouble> {
    status(answer, statuses)?;
    if answer.body.is_empty() {
        return Err(answer.trouble("the answer has no body"));
    }
    remote(object(answer)?).map_err(|why| answer.trouble(why))
}

/// Requires what a write may answer: the resource, or nothing with 204.
pub(crate) fn written(answer: &Answer) -> Result<(), Trouble> {
    match answer.status {
        204 if answer.body.is_empty() => Ok(()),
        204 => Err(answer.trouble("a 204 must have no body")),
        _ => resource(answer, &[200]).map(drop),
    }
}

/// Requires that a deletion went well, now or before.
pub(crate) fn deleted(answer: &Answer) -> Result<(), Trouble> {
    status(answer, &[204, 404])
}

/// Requires a list.
pub(crate) fn page(answer: &Answer) -> Result<Page, Trouble> {
    status(answer, &[200])?;
    let mut body = object(answer)?;
    let wrong = |why: &str| answer.trouble(why);
    check_schema(&body, "urn:ietf:params:scim:api:messages:2.0:ListResponse")
        .map_err(|why| answer.trouble(why))?;
    let total = body
        .get("totalResults")
        .and_then(Value::as_u64)
        .ok_or_else(|| wrong("totalResults is no integer"))?;
    for name in ["startIndex", "itemsPerPage"] {
        if body.get(name).is_some_and(|value| value.as_u64().is_none()) {
            return Err(answer.trouble(format!("{name} is no integer")));
        }
    }
    let elements = match body.remove("Resources") {
        Some(Value::Array(elements)) => elements,
        None if total == 0 => Vec::new(),
        _ => return Err(wrong("Resources is no list")),
    };
    if body
        .get("itemsPerPage")
        .and_then(Value::as_u64)
        .is_some_and(|said| said != elements.len() as u64)
    {
        return Err(wrong("itemsPerPage is not the number of Resources"));
    }
    let resources = elements.into_iter().map(|element| match element {
        Value::Object(body) => remote(body),
        _ => Err("an element of Resources is no object".to_owned()),
    });
    Ok(Page {
        total,
        resources: resources
            .collect::<Result<_, _>>()
            .map_err(|why| answer.trouble(why))?,
    })
}

fn status(answer: &Answer, wanted: &[u16]) -> Result<(), Trouble> {
    if wanted.contains(&answer.status) {
        return Ok(());
    }
    let detail = serde_json::from_slice::<Value>(&answer.body).ok();
    let detail = detail
        .as_ref()
        .and_then(|body| body.get("detail")?.as_str())
        .unwrap_or("no detail given");
    Err(answer.trouble(format!("status {}: {detail}", answer.status)))
}

fn object(answer: &Answer) -> Result<Object, Trouble> {
    let kind = answer.header("content-type").unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !matches!(essence, "application/scim+json" | "application/json") {
        return Err(answer.trouble(format!("the content type is {kind:?}")));
    }
    match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(answer.trouble("the body is no JSON object")),
        Err(error) => Err(answer.trouble(format!("the body is no JSON: {error}"))),
    }
}

fn remote(body: Object) -> Result<Remote, String> {
    let id = body.get("id").ok_or("the resource has no id")?;
    let id = id
        .as_str()
        .filter(|id| !id.is_empty())
        .ok_or("the id is no text")?
        .to_owned();
    if id.contains("bulkId") {
        return Err("the id holds the reserved text bulkId".to_owned());
    }
    check_schema(&body, "urn:ietf:params:scim:schemas:core:2.0:")?;
    if body
        .get("active")
        .is_some_and(|active| !active.is_boolean())
    {
        return Err("active is no boolean".to_owned());
    }
    for list in ["emails", "members", "groups"] {
        let fits = |value: &Value| {
            value
                .as_array()
                .is_some_and(|all| all.iter().all(Value::is_object))
        };
        if body
            .get(list)
            .is_some_and(|value| !value.is_null() && !fits(value))
        {
            return Err(format!("{list} is no list of objects"));
        }
    }
    if body.contains_key("password") {
        return Err("the answer holds a password".to_owned());
    }
    Ok(Remote { id, body })
}

fn check_schema(body: &Object, beginning: &str) -> Result<(), String> {
    let schemas = body
        .get("schemas")
        .and_then(Value::as_array)
        .ok_or("schemas is missing")?;
    let fits = |urn: &Value| urn.as_str().is_some_and(|urn| urn.starts_with(beginning));
    if schemas.iter().any(fits) {
        Ok(())
    } else {
        Err(format!("schemas does not name {beginning}"))
    }
}

impl Remote {
    /// A text attribute.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    pub(crate) fn active(&self) -> bool {
        self.body
            .get("active")
            .and_then(Value::as_bool)
            .unwrap_or(true)
    }

    /// The ids of a group's members.
    pub(crate) fn members(&self) -> impl Iterator<Item = &str> {
        let members = self.body.get("members").and_then(Value::as_array);
        members
            .into_iter()
            .flatten()
            .filter_map(|member| member.get("value")?.as_str())
    }
}
