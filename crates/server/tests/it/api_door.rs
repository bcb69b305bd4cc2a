//! Who gets in to the admin API, in what form requests have to come, and what describes it.

use std::collections::BTreeSet;

use emulate::databases::TestDatabase;
use serde_json::{Value, json};

use crate::api_console::{Console, ok, problem};
use crate::http::Ask;
use crate::world::World;

fn description(world: &World) -> Value {
    ok(&world.send(Ask::new("GET", "/api/v1/openapi.json")))
}

/// Method and path of every operation that is described.
fn operations(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            found.push((method.to_uppercase(), path.clone()));
        }
    }
    found
}

#[test]
fn every_operation_refuses_whoever_has_no_live_admin_token() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let made = ok(&Console::new(&world).post("/connectors", json!({"name": "okta"})));
    let scim_token = made["token"].as_str().unwrap();
    let operations = operations(&description(&world));
    assert!(operations.len() > 25);
    for (method, path) in operations {
        let path = path.replace(['{', '}'], "");
        for authorization in [
            None,
            Some("Bearer "),
            Some("Bearer vst_api_wrong"),
            Some("Basic YTpi"),
            Some(&*format!("Bearer {scim_token}")),
        ] {
            let ask = Ask::new(&method, format!("/api/v1{path}"));
            let ask = match authorization {
                Some(value) => ask.header("Authorization", value),
                None => ask,
            };
            let answer = world.send(ask);
            assert_eq!(
                problem(&answer).0,
                401,
                "{method} {path} with {authorization:?}"
            );
        }
    }
    let unknown = world.send(Ask::new("GET", "/api/v1/secrets"));
    assert_eq!(
        problem(&unknown).0,
        401,
        "what there is is nobody else's business"
    );
}

#[test]
fn the_description_is_whole() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let document = description(&world);
    assert_eq!(
        serde_json::from_str::<Value>(&server::openapi()).unwrap(),
        document
    );
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap()),
                "{operation}"
            );
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.'))
            );
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.contains_key("default")
                    && responses.keys().any(|status| status.starts_with('2')),
                "{operation}"
            );
            for response in responses.values() {
                assert!(
                    response
                        .get("description")
                        .or(response.get("$ref"))
                        .is_some()
                );
            }
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn bodies_come_as_json_objects_or_not_at_all() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let send = |kind: &str, body: &str| {
        let ask = console
            .ask("POST", "/connectors")
            .header("Content-Type", kind)
            .body(body);
        problem(&console.world.send(ask))
    };
    let good = r#"{"name": "x"}"#;
    assert_eq!(send("text/plain", good).0, 415);
    assert_eq!(send("application/x-www-form-urlencoded", "name=x").0, 415);
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"{"name": "a", "name": "b"}"#,
        "{\"name\": \"\\u0000\"}",
    ] {
        assert_eq!(send("application/json", body).0, 400, "{body}");
    }
    // Names are told apart as they are written: this one is unknown.
    let other = r#"{"name": "a", "NAME": "b"}"#;
    assert_eq!(send("application/json", other).0, 422);
    let deep = format!("{{\"name\": {}1{}}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(send("application/json", &deep).0, 400);
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(send("application/json", &large).0, 413);

    let encoded = console
        .ask("POST", "/connectors")
        .header("Content-Type", "application/json");
    let encoded = encoded.header("Content-Encoding", "gzip").body(good);
    assert_eq!(problem(&world.send(encoded)).0, 415);
    let ask = console
        .ask("POST", "/connectors")
        .header("Content-Type", "Application/JSON; charset=utf-8");
    assert_eq!(world.send(ask.body(good)).status, 201);
    let form = console
        .ask("POST", "/connectors/idp/tokens/rotate")
        .body("overlap_minutes=0");
    assert_eq!(
        problem(&world.send(form)).0,
        415,
        "a body of no type is not taken for none"
    );
}

#[test]
fn paths_and_methods_that_are_not_there() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    assert_eq!(problem(&console.get("/nothing")).0, 404);
    assert_eq!(problem(&console.get("/connectors/a/b/c")).0, 404);
    let wrong = console.delete("/connectors");
    assert_eq!(problem(&wrong).0, 405);
    let allowed = wrong.header("allow").unwrap();
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{allowed}"
    );
}

#[test]
fn what_a_client_sends_is_not_echoed_at_length() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let long = format!("/connectors/{}", "x".repeat(5_000));
    let (status, detail) = problem(&console.get(&long));
    assert_eq!(status, 404);
    assert!(detail.chars().count() <= 501);
}
