//! The bodies that Okta sends for users and groups.

use serde_json::{Value, json};

use crate::answer::Object;
use crate::organization::{Organization, Person};
use crate::picture::Portrait;
use crate::random::Random;

const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The mapped attributes of a person: what a PUT changes, and what decides whether one is due.
pub(super) fn of(organization: &Organization, person: &Person) -> Object {
    let mut enterprise = json!({
        "employeeNumber": person.employee_number,
        "organization": "Example",
        "department": organization.department_path(person.department),
    });
    if let Some(manager) = person.manager.and_then(|id| organization.person(id)) {
        enterprise["manager"] = json!({ "value": external_id(manager) });
    }
    object(json!({
        "userName": person.login,
        "name": { "givenName": person.name.given, "familyName": person.name.family },
        "emails": [{ "primary": true, "value": person.email, "type": "work" }],
        "displayName": person.name.display,
        "title": person.title,
        "locale": person.name.locale,
        "externalId": external_id(person),
        (ENTERPRISE): enterprise,
    }))
}

/// The body of a POST: `password` is always there, a placeholder that means nothing.
pub(super) fn creation(profile: &Object, person: &Person) -> Value {
    let mut body = object(json!({ "schemas": [CORE_USER, ENTERPRISE] }));
    body.extend(profile.clone());
    body.insert("groups".to_owned(), json!([]));
    body.insert("password".to_owned(), json!(password(person)));
    body.insert("active".to_owned(), json!(true));
    Value::Object(body)
}

/// The body of a PUT: what was read, with the changes.
pub(super) fn replacement(read: Object, profile: &Object, person: &Person, active: bool) -> Value {
    let mut body = read;
    body.extend(profile.clone());
    body.insert("active".to_owned(), json!(active));
    body.insert("password".to_owned(), json!(password(person)));
    Value::Object(body)
}

pub(super) fn portrait(person: &Person) -> Portrait {
    Portrait {
        active: true,
        display_name: person.name.display.clone(),
        email: person.email.clone(),
    }
}

pub(super) fn group(id: Option<&str>, name: &str, members: &[Value]) -> Value {
    match id {
        Some(id) => {
            json!({ "schemas": [CORE_GROUP], "id": id, "displayName": name, "members": members })
        }
        None => json!({ "schemas": [CORE_GROUP], "displayName": name, "members": members }),
    }
}

pub(super) fn patch(operations: &[Value]) -> Value {
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}

/// Okta's id of a user: `00u` and seventeen letters and digits, the same for the whole life of the person.
fn external_id(person: &Person) -> String {
    format!("00u{}", Random::new(person.token).letters(17))
}

fn password(person: &Person) -> String {
    Random::new(person.token ^ 0x5EC2).letters(8)
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
