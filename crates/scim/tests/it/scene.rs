//! What the tests share: a user, and short ways to POST, PUT and PATCH.

use scim::{Dialect, PatchRequest, Patched, Resource, ResourceType, ScimError, Warning, json};
use serde_json::{Map, Value, json};

pub const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Goes through the reader, as a request does.
pub fn object(value: &Value) -> Map<String, Value> {
    json::read_object(value.to_string().as_bytes()).expect("an object")
}

pub fn post(ty: &ResourceType, body: &Value) -> Result<(Resource, Vec<Warning>), ScimError> {
    Resource::from_request(ty, object(body), &Dialect::generic())
}

pub fn user(body: &Value) -> Resource {
    post(ResourceType::user(), body)
        .unwrap_or_else(|error| panic!("{error}: {body}"))
        .0
}

pub fn group(body: &Value) -> Resource {
    post(ResourceType::group(), body)
        .unwrap_or_else(|error| panic!("{error}: {body}"))
        .0
}

pub fn put(before: &Resource, body: &Value) -> Result<(Resource, Vec<Warning>), ScimError> {
    before.replaced_by(ResourceType::user(), object(body), &Dialect::generic())
}

pub fn patch_as(
    dialect: &Dialect,
    ty: &ResourceType,
    before: &Resource,
    operations: &Value,
) -> Result<Patched, ScimError> {
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    PatchRequest::parse(object(&body))?.apply(ty, before, dialect)
}

pub fn patch(before: &Resource, operations: &Value) -> Result<Patched, ScimError> {
    patch_as(
        &Dialect::generic(),
        ResourceType::user(),
        before,
        operations,
    )
}

/// The document after a PATCH that must succeed.
pub fn patched(before: &Resource, operations: &Value) -> Value {
    let patched = patch(before, operations).unwrap_or_else(|error| panic!("{error}: {operations}"));
    document(&patched.resource)
}

pub fn document(resource: &Resource) -> Value {
    Value::Object(resource.as_map().clone())
}

/// A user with a bit of everything.
pub fn joy() -> Resource {
    user(&json!({
        "schemas": [CORE_USER, ENT],
        "externalId": "0a21f0f2",
        "userName": "joy@example.org",
        "name": { "formatted": "Joy Y", "familyName": "Y", "givenName": "Joy" },
        "displayName": "Joy Y",
        "title": "Engineer",
        "active": true,
        "emails": [
            { "value": "joy@example.org", "type": "work", "primary": true },
            { "value": "joy@home.example", "type": "home" },
        ],
        "phoneNumbers": [{ "value": "+49 30 1", "type": "work" }],
        ENT: { "department": "D", "employeeNumber": "701984", "manager": { "value": "7", "displayName": "Max" } },
    }))
}
