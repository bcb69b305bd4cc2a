//! The job against servers with users of their own, and servers that forget.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Entra, PatchDialect};
use crate::fake::{Reply, serve};
use crate::organization::{Organization, Size};
use crate::report::quietly;

const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

fn found(people: usize, groups: usize) -> Organization {
    Organization::found(&Size {
        people,
        groups,
        seed: 1,
        domain: "example.org".to_owned(),
    })
}

fn entra(url: &str, dialect: PatchDialect) -> Entra {
    let entra = Entra::new(url, "token", dialect).expect("an address");
    entra
        .with_client(|client| client.with_second(Duration::from_millis(1)))
        .with_concurrency(1)
}

fn list(resources: &[Value]) -> Reply {
    Reply::scim(
        200,
        json!({ "schemas": [LIST], "totalResults": resources.len(), "Resources": resources,
        "startIndex": 1, "itemsPerPage": resources.len() }),
    )
}

#[tokio::test]
async fn a_conflict_leads_to_another_look_up_and_only_differences_are_sent() {
    let organization = found(1, 0);
    let person = &organization.people()[0];
    let there = json!({ "schemas": [CORE_USER], "id": "u1", "userName": person.login, "active": false,
        "displayName": person.name.display, "emails": [{ "type": "home", "value": "x@y" }] });
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let url = serve(move |call| {
        let mut seen = seen.lock().expect("a lock");
        let conflict = seen
            .iter()
            .any(|(method, _): &(String, Value)| method == "POST");
        seen.push((
            call.method.clone(),
            serde_json::from_str(&call.body).unwrap_or_default(),
        ));
        match (call.method.as_str(), call.path.contains("filter=")) {
            ("GET", true) if conflict => list(std::slice::from_ref(&there)),
            ("GET", true) => list(&[]),
            ("GET", false) => Reply::scim(200, &there),
            ("POST", _) => Reply::scim(409, json!({ "detail": "exists" })),
            _ => Reply::empty(204),
        }
    })
    .await;
    let mut entra = entra(&url, PatchDialect::Classic);
    let report = entra.cycle(&organization, &quietly).await;
    assert_eq!(
        (report.failed, report.count("users restored")),
        (0, 1),
        "{report:?}"
    );
    let calls = calls.lock().expect("a lock");
    let operations = calls
        .iter()
        .find(|(method, _)| method == "PATCH")
        .map(|(_, body)| body["Operations"].clone());
    let operations = operations.expect("a PATCH");
    let paths: Vec<&str> = operations
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|op| op["path"].as_str())
        .collect();
    assert!(
        !paths.contains(&"userName") && !paths.contains(&"displayName"),
        "{paths:?}"
    );
    assert!(paths.contains(&"emails[type eq \"work\"].value"));
    let active = json!({ "op": "Replace", "path": "active", "value": "True" });
    assert_eq!(
        operations.as_array().and_then(|all| all.last()),
        Some(&active)
    );
}

#[tokio::test]
async fn a_user_whom_the_server_lost_is_made_again_with_its_memberships() {
    let mut organization = found(1, 2);
    let made = Arc::new(Mutex::new(Vec::<String>::new()));
    let seen = Arc::clone(&made);
    let url = serve(move |call| {
        let mut made = seen.lock().expect("a lock");
        match (call.method.as_str(), call.path.contains("filter=")) {
            ("GET", true) => list(&[]),
            ("POST", _) => {
                let mut body: Value = serde_json::from_str(&call.body).expect("JSON");
                body["id"] = json!(format!("r{}", made.len()));
                made.push(call.path);
                Reply::scim(201, body)
            }
            ("GET", _) if call.path.starts_with("/Users/") => {
                Reply::scim(404, json!({ "detail": "gone" }))
            }
            ("GET", _) => {
                let schema = "urn:ietf:params:scim:schemas:core:2.0:Group";
                Reply::scim(
                    200,
                    json!({ "schemas": [schema], "id": "r1", "displayName": "other" }),
                )
            }
            _ => Reply::empty(204),
        }
    })
    .await;
    let mut entra = entra(&url, PatchDialect::Flagged);
    let first = entra.cycle(&organization, &quietly).await;
    let memberships = first.count("members added");
    assert!(first.is_clean() && memberships > 0, "{first:?}");
    let id = organization.people()[0].id;
    organization.rename_person(id);
    let second = entra.cycle(&organization, &quietly).await;
    assert!(second.is_clean(), "{second:?}");
    assert_eq!(
        (second.count("users created"), second.count("members added")),
        (1, memberships)
    );
}

#[tokio::test]
async fn a_404_to_the_connection_test_is_a_failure() {
    let url = serve(|_| Reply::scim(404, json!({ "detail": "not found" }))).await;
    let report = entra(&url, PatchDialect::Classic).test_connection().await;
    assert_eq!(report.failed, 2, "{report:?}");
}

#[tokio::test]
async fn members_in_an_answer_that_excluded_them_are_a_failure() {
    let url = serve(
        |call| match (call.method.as_str(), call.path.starts_with("/Groups?")) {
            ("GET", true) if !call.path.contains("-") => {
                let schema = "urn:ietf:params:scim:schemas:core:2.0:Group";
                let name = call
                    .path
                    .split("%22")
                    .nth(1)
                    .unwrap_or_default()
                    .replace('+', " ");
                list(&[
                    json!({ "schemas": [schema], "id": "g", "displayName": name, "members": [] }),
                ])
            }
            _ => list(&[]),
        },
    )
    .await;
    let report = entra(&url, PatchDialect::Classic)
        .cycle(&found(0, 2), &quietly)
        .await;
    assert!(
        report
            .failures
            .iter()
            .any(|failure| failure.why.contains("excluded")),
        "{report:?}"
    );
}

#[tokio::test]
async fn the_flag_stands_on_every_request_but_not_on_demand() {
    let url = serve(|call| match call.method.as_str() {
        "POST" => {
            let mut body: Value = serde_json::from_str(&call.body).expect("JSON");
            body["id"] = json!("u1");
            Reply::scim(201, body)
        }
        _ => list(&[]),
    })
    .await;
    let organization = found(2, 0);
    let mut entra = entra(&url, PatchDialect::Flagged);
    entra
        .provision_on_demand(&organization, organization.people()[0].id)
        .await;
    assert!(
        entra
            .client()
            .take_exchanges()
            .iter()
            .all(|each| !each.path.contains(super::RFC_FLAG))
    );
    entra.cycle(&organization, &quietly).await;
    let exchanges = entra.client().take_exchanges();
    assert!(
        exchanges.len() > 3
            && exchanges
                .iter()
                .all(|each| each.path.contains(super::RFC_FLAG))
    );
}
