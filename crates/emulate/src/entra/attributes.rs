//! The attributes that the job maps, as paths with text values, and how they are compared with what the server has.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answer::{Object, Remote};
use crate::organization::{Group, Organization, Person};
use crate::picture::Portrait;
use crate::random::Random;

const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// An URN of Microsoft's own that the job names on groups.
const ADSCIM_GROUP: &str =
    "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

/// The path of the mail address.
pub(super) const WORK_MAIL: &str = "emails[type eq \"work\"].value";
/// The path of the manager, whose value is the server's id of that user.
pub(super) const MANAGER: &str =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
const EMPLOYEE_NUMBER: &str =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";

/// Values by path; an attribute that is empty in the organization is not there, and never sent.
pub(super) type Attributes = BTreeMap<&'static str, String>;

/// One attribute that differs.
pub(super) struct Change {
    pub(super) path: &'static str,
    pub(super) value: String,
    /// The server has no value yet.
    pub(super) is_new: bool,
}

/// The mapped attributes of a person, without manager and `active`.
pub(super) fn of(organization: &Organization, person: &Person) -> Attributes {
    let mut attributes = Attributes::from([
        ("userName", person.login.clone()),
        ("displayName", person.name.display.clone()),
        ("name.givenName", person.name.given.clone()),
        ("name.familyName", person.name.family.clone()),
        ("name.formatted", person.name.display.clone()),
        ("title", person.title.clone()),
        ("preferredLanguage", person.name.locale.to_owned()),
        ("externalId", object_id(person.token)),
        (WORK_MAIL, person.email.clone()),
        (DEPARTMENT, organization.department_path(person.department)),
        (EMPLOYEE_NUMBER, person.employee_number.clone()),
    ]);
    attributes.retain(|_, value| !value.is_empty());
    attributes
}

/// What differs between the wish and what the server has. Nothing is ever cleared.
pub(super) fn changes(wanted: &Attributes, remote: &Remote) -> Vec<Change> {
    let differing = |(path, value): (&&'static str, &String)| {
        let has = read(&remote.body, path);
        let differs = has.as_deref() != Some(value.as_str());
        differs.then(|| Change {
            path,
            value: value.clone(),
            is_new: has.is_none(),
        })
    };
    wanted.iter().filter_map(differing).collect()
}

fn read(body: &Object, path: &str) -> Option<String> {
    let found = match path {
        WORK_MAIL => {
            let mails = body.get("emails")?.as_array()?;
            mails
                .iter()
                .find(|mail| mail.get("type").is_some_and(|kind| kind == "work"))?
                .get("value")?
        }
        MANAGER => body.get(ENTERPRISE)?.get("manager")?.get("value")?,
        DEPARTMENT => body.get(ENTERPRISE)?.get("department")?,
        EMPLOYEE_NUMBER => body.get(ENTERPRISE)?.get("employeeNumber")?,
        _ => match path.split_once('.') {
            Some((attribute, sub)) => body.get(attribute)?.get(sub)?,
            None => body.get(path)?,
        },
    };
    found.as_str().map(str::to_owned)
}

/// The body of a POST for a user: nulls for what is mapped but empty, and no manager, who follows later.
pub(super) fn creation(attributes: &Attributes) -> Value {
    let value = |path: &str| attributes.get(path).map_or(Value::Null, |text| json!(text));
    json!({
        "schemas": [CORE_USER, ENTERPRISE],
        "externalId": value("externalId"),
        "userName": value("userName"),
        "active": true,
        "displayName": value("displayName"),
        "title": value("title"),
        "preferredLanguage": value("preferredLanguage"),
        "addresses": null,
        "emails": [{ "primary": true, "type": "work", "value": value(WORK_MAIL) }],
        "meta": { "resourceType": "User" },
        "name": {
            "formatted": value("name.formatted"),
            "familyName": value("name.familyName"),
            "givenName": value("name.givenName"),
        },
        "roles": [],
        (ENTERPRISE): { "department": value(DEPARTMENT), "employeeNumber": value(EMPLOYEE_NUMBER) },
    })
}

/// The body of a POST for a group: never with members.
pub(super) fn group(group: &Group) -> Value {
    json!({
        "schemas": [CORE_GROUP, ADSCIM_GROUP],
        "externalId": object_id(group.token),
        "displayName": group.name,
        "meta": { "resourceType": "Group" },
    })
}

pub(super) fn portrait(person: &Person) -> Portrait {
    Portrait {
        active: true,
        display_name: person.name.display.clone(),
        email: person.email.clone(),
    }
}

/// The object id in Entra, a GUID that never changes.
pub(super) fn object_id(token: u64) -> String {
    Random::new(token).uuid()
}
