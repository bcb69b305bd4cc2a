//! Answers as clients read them: resources, lists, projections, discovery.

use scim::{
    AttrPath, Capabilities, Meta, Projection, ResourceType, ResourceTypes, discovery, render,
};
use serde_json::{Value, json};

use crate::scene::*;

const BASE: &str = "https://scim.example.org/scim/v2/c1";

fn meta() -> Meta {
    Meta {
        created: "2026-01-01T00:00:00Z".parse().unwrap(),
        last_modified: "2026-03-01T12:00:00.25Z".parse().unwrap(),
        version: 3,
        beside: None,
    }
}

fn rendered(resource: &scim::Resource, ty: &ResourceType, extra: &[(&str, &str)]) -> String {
    let location = render::location(BASE, ty, "2819");
    render::resource(ty, "2819", &resource.to_stored(), extra, &meta(), &location)
}

#[test]
fn a_user_is_rendered_with_its_groups() {
    let mut groups = render::References::new();
    groups.push(
        "g1",
        Some((&format!("{BASE}/Groups"), "direct")),
        Some("Staff \"A\""),
    );
    let resource = user(&json!({ "userName": "o'brien \\ \"x\"", "externalId": "1" }));
    insta::assert_snapshot!(rendered(&resource, ResourceType::user(), &[("groups", &groups.finish())]), @r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"2819","externalId":"1","userName":"o'brien \\ \"x\"","groups":[{"value":"g1","$ref":"https://scim.example.org/scim/v2/c1/Groups/g1","type":"direct","display":"Staff \"A\""}],"meta":{"resourceType":"User","created":"2026-01-01T00:00:00.000000Z","lastModified":"2026-03-01T12:00:00.250000Z","location":"https://scim.example.org/scim/v2/c1/Users/2819","version":"W/\"3\""}}"#);
}

#[test]
fn documents_of_any_shape_are_rendered_as_json() {
    for stored in [
        "{}",
        r#"{"schemas":["urn:a"]}"#,
        r#"{"userName":"a]"}"#,
        r#"{"schemas":["urn:a","urn:b"],"x":"]}"}"#,
    ] {
        let text = render::resource(
            ResourceType::user(),
            "a\"b",
            stored,
            &[("members", "[]")],
            &meta(),
            BASE,
        );
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(answer["id"], "a\"b");
        assert!(answer["schemas"].is_array());
        let document: Value = serde_json::from_str(stored).unwrap();
        for (name, value) in document.as_object().unwrap() {
            assert_eq!(&answer[name], value);
        }
    }
}

#[test]
fn lists_count_what_they_give() {
    insta::assert_snapshot!(render::list(0, 1, [""; 0]), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}"#);
    insta::assert_snapshot!(render::list(7, 3, ["{\"id\":1}", "{\"id\":2}"]), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":7,"startIndex":3,"itemsPerPage":2,"Resources":[{"id":1},{"id":2}]}"#);
}

#[test]
fn members_are_written_one_by_one() {
    let mut members = render::References::new();
    members.push("u1", Some((&format!("{BASE}/Users"), "User")), None);
    members.push("g1", Some((&format!("{BASE}/Groups"), "Group")), Some("G"));
    members.push("later", None, None);
    insta::assert_snapshot!(members.finish(), @r#"[{"value":"u1","$ref":"https://scim.example.org/scim/v2/c1/Users/u1","type":"User"},{"value":"g1","$ref":"https://scim.example.org/scim/v2/c1/Groups/g1","type":"Group","display":"G"},{"value":"later"}]"#);
    assert_eq!(render::References::new().finish(), "[]");
}

fn projected(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let projection = Projection::parse(attributes, excluded, ResourceType::user()).unwrap();
    let text = rendered(
        &joy(),
        ResourceType::user(),
        &[("groups", "[{\"value\":\"g1\"}]")],
    );
    serde_json::from_str(&render::project(&text, &projection).unwrap()).unwrap()
}

fn names(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn projections_show_what_was_asked() {
    let all = projected(None, None);
    assert_eq!(projected(Some(" "), Some("")), all);
    assert_eq!(names(&projected(Some("id"), None)), ["schemas", "id"]);
    assert_eq!(
        names(&projected(Some("userName,title"), None)),
        ["schemas", "id", "userName", "title"]
    );
    assert_eq!(
        names(&projected(Some("USERNAME, nothing"), None)),
        ["schemas", "id", "userName"]
    );
    assert_eq!(names(&projected(Some("nothing"), None)), ["schemas", "id"]);
    assert_eq!(names(&projected(Some("password"), None)), ["schemas", "id"]);
    let mails = projected(Some("emails.value,name.familyName"), None);
    assert_eq!(
        mails["emails"],
        json!([{ "value": "joy@example.org" }, { "value": "joy@home.example" }])
    );
    assert_eq!(mails["name"], json!({ "familyName": "Y" }));
    assert_eq!(
        projected(Some(&format!("{ENT}:department")), None)[ENT],
        json!({ "department": "D" })
    );
    assert_eq!(
        projected(Some("department"), None)[ENT],
        json!({ "department": "D" })
    );
    assert_eq!(projected(Some(ENT), None)[ENT], all[ENT]);
    assert_eq!(
        projected(Some("meta.version"), None)["meta"],
        json!({ "version": "W/\"3\"" })
    );

    let without = projected(
        None,
        Some("emails.value,groups,schemas,id,name,manager.displayName"),
    );
    assert_eq!(
        without["emails"],
        json!([{ "type": "work", "primary": true }, { "type": "home" }])
    );
    assert_eq!(
        (&without["groups"], &without["name"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(without[ENT]["manager"], json!({ "value": "7" }));
    assert_eq!(
        (&without["id"], &without["schemas"]),
        (&all["id"], &all["schemas"])
    );
    assert_eq!(projected(None, Some(ENT)).get(ENT), None);
    // The two exclude each other (RFC 7644 section 3.9).
    let both = Projection::parse(Some("userName,title"), Some("title"), ResourceType::user());
    assert_eq!(both.unwrap_err().status, 400);
}

#[test]
fn a_projection_says_what_need_not_be_read() {
    let parse = |attributes, excluded| {
        Projection::parse(attributes, excluded, ResourceType::group()).unwrap()
    };
    for (projection, wanted, whole) in [
        (parse(None, None), true, true),
        (parse(None, Some("members")), false, true),
        (parse(None, Some("MEMBERS,externalId")), false, false),
        (parse(None, Some("members.display")), true, false),
        (parse(Some("displayName"), None), false, false),
        (parse(Some("members"), None), true, false),
        (parse(Some("members.value"), None), true, false),
    ] {
        assert_eq!(
            (
                projection.wants("members"),
                projection.shows_document(&["members"])
            ),
            (wanted, whole),
            "{projection:?}"
        );
    }
    let many = vec!["userName"; scim::limits::PROJECTION_NAMES_MAX + 1].join(",");
    assert_eq!(
        Projection::parse(Some(&many), None, ResourceType::user())
            .unwrap_err()
            .status,
        400
    );
}

#[test]
fn the_service_provider_says_what_is_served() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&discovery::service_provider_config(&Capabilities::default(), BASE)).unwrap(), @r#"
{
  "schemas": [
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
  ],
  "patch": {
    "supported": true
  },
  "bulk": {
    "supported": false,
    "maxOperations": 1000,
    "maxPayloadSize": 0
  },
  "filter": {
    "supported": true,
    "maxResults": 1000
  },
  "changePassword": {
    "supported": false
  },
  "sort": {
    "supported": true
  },
  "etag": {
    "supported": true
  },
  "pagination": {
    "cursor": true,
    "index": true,
    "defaultPaginationMethod": "index",
    "defaultPageSize": 100,
    "maxPageSize": 1000,
    "cursorTimeout": 86400
  },
  "authenticationSchemes": [
    {
      "type": "oauthbearertoken",
      "name": "Bearer token",
      "description": "The token of the connector in the header Authorization, after the word Bearer.",
      "specUri": "https://www.rfc-editor.org/info/rfc6750",
      "primary": true
    }
  ],
  "meta": {
    "resourceType": "ServiceProviderConfig",
    "location": "https://scim.example.org/scim/v2/c1/ServiceProviderConfig"
  }
}
"#);
}

#[test]
fn resource_types_are_described() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&discovery::resource_types(&ResourceTypes::core(), BASE)).unwrap(), @r#"
[
  {
    "schemas": [
      "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
    ],
    "id": "User",
    "name": "User",
    "endpoint": "/Users",
    "description": "User account",
    "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
    "schemaExtensions": [
      {
        "schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "required": false
      }
    ],
    "meta": {
      "resourceType": "ResourceType",
      "location": "https://scim.example.org/scim/v2/c1/ResourceTypes/User"
    }
  },
  {
    "schemas": [
      "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
    ],
    "id": "Group",
    "name": "Group",
    "endpoint": "/Groups",
    "description": "Group of users and groups",
    "schema": "urn:ietf:params:scim:schemas:core:2.0:Group",
    "schemaExtensions": [],
    "meta": {
      "resourceType": "ResourceType",
      "location": "https://scim.example.org/scim/v2/c1/ResourceTypes/Group"
    }
  }
]
"#);
    assert_eq!(
        discovery::resource_type(&ResourceTypes::core(), "user", BASE).unwrap()["name"],
        "User"
    );
    assert_eq!(
        discovery::resource_type(&ResourceTypes::core(), "Device", BASE),
        None
    );
}

#[test]
fn schemas_are_described_by_the_schema_of_schemas() {
    let schemas = discovery::schemas(&ResourceTypes::core(), BASE);
    let ids: Vec<&str> = schemas
        .iter()
        .map(|schema| schema["id"].as_str().unwrap())
        .collect();
    insta::assert_snapshot!(ids.join("\n"), @r#"
urn:ietf:params:scim:schemas:core:2.0:User
urn:ietf:params:scim:schemas:extension:enterprise:2.0:User
urn:ietf:params:scim:schemas:core:2.0:Group
urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig
urn:ietf:params:scim:schemas:core:2.0:ResourceType
urn:ietf:params:scim:schemas:core:2.0:Schema
"#);
    for id in ids {
        let one = discovery::schema(&ResourceTypes::core(), &id.to_uppercase(), BASE).unwrap();
        assert_eq!(one["meta"]["location"], format!("{BASE}/Schemas/{id}"));
    }
    assert_eq!(
        discovery::schema(&ResourceTypes::core(), "urn:x", BASE),
        None
    );
    let characteristics =
        discovery::schema(&ResourceTypes::core(), discovery::SCHEMA_URN, BASE).unwrap();
    let known: Vec<&str> = characteristics["attributes"][3]["subAttributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attribute| attribute["name"].as_str().unwrap())
        .collect();
    for schema in &schemas {
        for attribute in schema["attributes"].as_array().unwrap() {
            for name in names(attribute) {
                assert!(known.contains(&name), "{name} of {}", attribute["name"]);
            }
            for required in [
                "name",
                "type",
                "multiValued",
                "required",
                "mutability",
                "returned",
            ] {
                assert!(
                    attribute.get(required).is_some(),
                    "{required} of {}",
                    attribute["name"]
                );
            }
            assert_eq!(
                attribute["type"] == "complex",
                attribute.get("subAttributes").is_some(),
                "{}",
                attribute["name"]
            );
        }
    }
}

#[test]
fn every_attribute_that_is_described_can_be_written_and_searched_as_described() {
    let ty = ResourceType::user();
    let extensions = ty
        .extensions
        .iter()
        .flat_map(|schema| schema.attributes.iter());
    for attribute in ty.core.attributes.iter().chain(extensions) {
        let path = AttrPath::parse(&attribute.name).unwrap();
        assert_eq!(path.resolve(ty).unwrap().kind(), attribute.kind);
        let sample = match attribute.kind {
            scim::Kind::Boolean => json!("True"),
            scim::Kind::Complex if attribute.sub("value").is_none() => {
                json!({ attribute.sub_attributes[0].name.as_str(): "x" })
            }
            _ => json!("x"),
        };
        let body = json!({ "userName": "joy", attribute.name.as_str(): sample });
        let (resource, warnings) = post(ty, &body).unwrap();
        assert_eq!(warnings, [], "{}", attribute.name);
        let is_kept = !resource.get(&path).is_empty();
        let is_writable =
            !attribute.is_read_only() && attribute.returned != scim::schema::Returned::Never;
        assert_eq!(is_kept, is_writable, "{}", attribute.name);
    }
}
