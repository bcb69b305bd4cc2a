//! The schemas that the server publishes, and whether they are true (RFC 7643 section 7).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{LIST, Talk, USER, encoded, resources};
use crate::wire::{Answer, integer};

const RFC: &str = "RFC 7643 section 7";
const WHY: &str = "Clients with a mapping page offer the administrator exactly the attributes that are published here.";
const TYPES: &[&str] = &[
    "string",
    "boolean",
    "decimal",
    "integer",
    "dateTime",
    "reference",
    "complex",
    "binary",
];

fn list(t: &Talk<'_>) -> Step<Answer> {
    let answer = t.get("/Schemas")?;
    answer.status(&[200])?;
    answer.object()?;
    Ok(answer)
}

fn attributes(schema: &Value) -> Vec<Value> {
    schema["attributes"].as_array().cloned().unwrap_or_default()
}

fn find(schema: &Value, name: &str) -> Option<Value> {
    attributes(schema).into_iter().find(|attribute| {
        attribute["name"]
            .as_str()
            .is_some_and(|known| known.eq_ignore_ascii_case(name))
    })
}

fn user_schema(answer: &Answer) -> Step<Value> {
    match resources(answer)
        .into_iter()
        .find(|schema| schema["id"] == USER)
    {
        Some(schema) => Ok(schema),
        None => answer.wrong(format!("the schema {USER}"), "a list without it"),
    }
}

/// What is wrong with the description of an attribute, if anything.
fn flaw(attribute: &Value, path: &str) -> Option<String> {
    let among = |key: &str, words: &[&str]| match attribute[key].as_str() {
        None if attribute[key].is_null() => None,
        Some(word) if words.contains(&word) => None,
        _ => Some(format!("{path}.{key} is {}", attribute[key])),
    };
    let Some(name) = attribute["name"].as_str() else {
        return Some(format!("an attribute of {path} without a name"));
    };
    let path = format!("{path}.{name}");
    if attribute["type"].is_null() {
        return Some(format!("{path} has no type"));
    }
    if let Some(flaw) = among("type", TYPES)
        .or_else(|| {
            among(
                "mutability",
                &["readOnly", "readWrite", "immutable", "writeOnly"],
            )
        })
        .or_else(|| among("returned", &["always", "never", "default", "request"]))
        .or_else(|| among("uniqueness", &["none", "server", "global"]))
    {
        return Some(flaw);
    }
    for key in ["multiValued", "required", "caseExact"] {
        if !matches!(attribute[key], Value::Null | Value::Bool(_)) {
            return Some(format!("{path}.{key} is {}", attribute[key]));
        }
    }
    if attribute["type"] != "complex" {
        return None;
    }
    match attribute["subAttributes"].as_array() {
        Some(inner) if !inner.is_empty() => inner.iter().find_map(|one| flaw(one, &path)),
        _ => Some(format!("{path} is complex and has no subAttributes")),
    }
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    vec![
        must("DSC-SCH-01", "RFC 7644 section 4", "Schemas is a list of SCIM with all schemas at once", |t| {
            let answer = list(t)?;
            let schemas = &answer.body["schemas"];
            answer.ensure(*schemas == json!([LIST]), format!("schemas [{LIST}]"), || schemas.to_string())?;
            let total = integer(&answer, "/totalResults")?;
            let came = resources(&answer).len();
            answer.ensure(came > 0 && total == came as i64, "as many Resources as totalResults says", || format!("{came} of {total}"))
        })
        .why("Entra's gallery apps and SailPoint read it before anything else and take it for complete.")
        .fix("Answer GET /Schemas with a ListResponse, not with a bare array, and without pages.")
        .reading(),
        must("DSC-SCH-02", RFC, "Each schema has an id, a name and attributes", |t| {
            let answer = list(t)?;
            for schema in resources(&answer) {
                for key in ["id", "name"] {
                    answer.ensure(schema[key].is_string(), format!("each schema with its {key}"), || schema[key].to_string())?;
                }
                answer.ensure(!attributes(&schema).is_empty(), "each schema with attributes", || schema["id"].to_string())?;
            }
            Ok(())
        })
        .why(WHY)
        .fix("Give id (the URN), name and attributes for each schema.")
        .reading(),
        must("DSC-SCH-03", RFC, "Each attribute is described in the words of the RFC", |t| {
            let answer = list(t)?;
            for schema in resources(&answer) {
                let id = schema["id"].as_str().unwrap_or("a schema");
                for attribute in attributes(&schema) {
                    if let Some(flaw) = flaw(&attribute, id) {
                        return answer.wrong("attributes as section 7 describes them", flaw);
                    }
                }
            }
            Ok(())
        })
        .why("A client that cannot read one attribute refuses the whole schema.")
        .fix("Use the RFC's words for type, mutability, returned and uniqueness, booleans for the flags, and subAttributes for complex types.")
        .reading(),
        must("DSC-SCH-04", "RFC 7643 section 6", "Each schema that a resource type names is published", |t| {
            let answer = list(t)?;
            let known: BTreeSet<String> =
                resources(&answer).iter().filter_map(|schema| schema["id"].as_str().map(str::to_owned)).collect();
            for kind in &t.profile().types {
                let extensions = kind["schemaExtensions"].as_array().cloned().unwrap_or_default();
                let named = extensions.iter().map(|one| &one["schema"]).chain([&kind["schema"]]);
                for urn in named.filter_map(Value::as_str) {
                    answer.ensure(known.contains(urn), format!("the schema {urn}"), || "a list without it".to_owned())?;
                }
            }
            Ok(())
        })
        .why(WHY)
        .fix("Publish the schema and all extensions of each resource type.")
        .reading(),
        must("DSC-SCH-05", "RFC 7644 section 4", "Each schema can be read by its URN", |t| {
            for schema in resources(&list(t)?) {
                let urn = schema["id"].as_str().unwrap_or_default();
                let answer = t.get(&format!("/Schemas/{}", encoded(urn)))?;
                answer.status(&[200])?;
                answer.ensure(answer.body["id"] == urn, format!("the schema {urn}"), || answer.body["id"].to_string())?;
            }
            Ok(())
        })
        .why("Some clients follow meta.location instead of reading the list.")
        .fix("Serve /Schemas/{urn}; colons may come encoded as %3A.")
        .reading(),
        must("DSC-SCH-06", "RFC 7644 section 4", "A schema that is not there is not found", |t| {
            t.get("/Schemas/urn:vcheck:nothing")?.status(&[404])?.scim_error()?;
            Ok(())
        })
        .why(WHY)
        .fix("Answer 404 with an error body.")
        .reading(),
        must("DSC-SCH-07", "RFC 7643 section 4.1.1", "userName is published as required and unique", |t| {
            let answer = list(t)?;
            let name = find(&user_schema(&answer)?, "userName").unwrap_or_default();
            answer.ensure(name["required"] == true, "userName with required: true", || name.to_string())?;
            answer.ensure(name["uniqueness"] == "server" || name["uniqueness"] == "global", "userName with uniqueness server or global", || name.to_string())
        })
        .why("By this clients know which attribute to match on.")
        .fix("Publish userName with required true, uniqueness server, caseExact false.")
        .reading(),
        must("DSC-SCH-08", "RFC 7643 section 4.1.1", "password, if published, is never returned", |t| {
            let answer = list(t)?;
            match find(&user_schema(&answer)?, "password") {
                None => Ok(()),
                Some(password) => {
                    answer.ensure(password["returned"] == "never", "password with returned: never", || password.to_string())?;
                    answer.ensure(password["mutability"] == "writeOnly", "password with mutability: writeOnly", || password.to_string())
                }
            }
        })
        .why("A client that finds it readable will ask for it.")
        .fix("Publish password with mutability writeOnly and returned never.")
        .reading(),
        should("DSC-SCH-09", RFC, "Every attribute of an answer is published", |t| {
            let user = t.user(json!({"title": "Engineer", "nickName": "probe"}))?;
            let answer = t.read(&user)?;
            let schemas = list(t)?;
            let core = user_schema(&schemas)?;
            let urns: BTreeSet<String> =
                resources(&schemas).iter().filter_map(|schema| schema["id"].as_str().map(str::to_owned)).collect();
            for key in answer.body.as_object().into_iter().flatten().map(|(key, _)| key) {
                let is_common = ["schemas", "id", "externalId", "meta"].contains(&key.as_str());
                let is_known = is_common || urns.contains(key) || find(&core, key).is_some();
                answer.ensure(is_known, "only published attributes", || format!("`{key}`, which no schema has"))?;
            }
            Ok(())
        })
        .why(WHY)
        .fix("Publish what you return, or do not return it."),
        habit("DSC-SCH-10", Client::Entra, "The schema of users has what mappings are made of", |t| {
            let answer = list(t)?;
            let schema = user_schema(&answer)?;
            for name in ["userName", "active", "displayName", "name", "emails"] {
                answer.ensure(find(&schema, name).is_some(), format!("the attribute {name}"), || "a schema without it".to_owned())?;
            }
            let emails = find(&schema, "emails").unwrap_or_default();
            answer.ensure(emails["multiValued"] == true && emails["type"] == "complex", "emails as a list of complex values", || emails.to_string())
        })
        .why("Gallery apps take their default mapping from the published schema.")
        .fix("Publish at least userName, active, displayName, name and emails.")
        .reading(),
        must("DSC-SCH-11", "RFC 7643 section 8.7.1", "The enterprise extension is published with its attributes", |t| {
            let answer = list(t)?;
            let found = resources(&answer).into_iter().find(|schema| schema["id"] == crate::talk::ENTERPRISE);
            let schema = found.unwrap_or_default();
            for name in ["employeeNumber", "department", "manager"] {
                answer.ensure(find(&schema, name).is_some(), format!("{name} in the enterprise extension"), || "a schema without it".to_owned())?;
            }
            Ok(())
        })
        .why(WHY)
        .fix("Publish the extension that ResourceTypes names.")
        .needs(&[Need::Enterprise])
        .reading(),
    ]
}
