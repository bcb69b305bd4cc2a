//! Okta against servers that answer well, badly, or not yet.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{AppKind, Okta};
use crate::fake::{Call, Reply, serve};
use crate::organization::{Organization, Size};
use crate::report::quietly;

const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

fn one_person() -> Organization {
    Organization::found(&Size {
        people: 1,
        groups: 0,
        seed: 1,
        domain: "example.org".to_owned(),
    })
}

fn okta(url: &str, kind: AppKind) -> Okta {
    let okta = Okta::new(url, "token", kind).expect("an address");
    okta.with_client(|client| client.with_second(Duration::from_millis(1)))
}

fn list(total: usize, resources: &[Value]) -> Reply {
    Reply::scim(
        200,
        json!({ "schemas": [LIST], "totalResults": total, "startIndex": 1,
        "itemsPerPage": resources.len(), "Resources": resources }),
    )
}

fn user(id: usize) -> Value {
    json!({ "schemas": [CORE_USER], "id": format!("u{id}"), "userName": format!("name{id}"), "active": id != 3 })
}

/// The start of the page that a call asks for.
fn start_index(call: &Call) -> usize {
    let (_, rest) = call.path.split_once("startIndex=").expect("a paged call");
    rest.split('&')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[tokio::test]
async fn an_import_walks_all_pages_and_leaves_the_inactive_out() {
    let url = serve(|call| match call.path.starts_with("/Users") {
        true => {
            let start = start_index(&call);
            list(
                250,
                &(start..=250.min(start + 99)).map(user).collect::<Vec<_>>(),
            )
        }
        false => list(0, &[]),
    })
    .await;
    let (import, report) = okta(&url, AppKind::Template).import(&quietly).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(import.users.len(), 249);
}

#[tokio::test]
async fn an_import_notices_pages_that_repeat_or_end_early() {
    for (pages, wanted) in [(1, "twice"), (0, "end after")] {
        let url = serve(move |call| match start_index(&call) {
            1 => list(200, &(1..=100).map(user).collect::<Vec<_>>()),
            _ => list(200, &(1..=100 * pages).map(user).collect::<Vec<_>>()),
        })
        .await;
        let (import, report) = okta(&url, AppKind::Template).import(&quietly).await;
        assert!(import.users.is_empty());
        assert!(report.failures[0].why.contains(wanted), "{report:?}");
    }
}

#[tokio::test]
async fn a_disabled_user_is_found_enabled_and_updated() {
    let calls = std::sync::Arc::new(Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&calls);
    let organization = one_person();
    let login = organization.people()[0].login.to_uppercase();
    let url = serve(move |call| {
        let mut seen = seen.lock().expect("a lock");
        seen.push((call.method.clone(), call.body.clone()));
        let patched = seen.iter().any(|(method, _)| method == "PATCH");
        let found = json!({ "schemas": [CORE_USER], "id": "u1", "userName": login, "active": patched, "nickName": "kept",
            "meta": { "version": "W/\"7\"" } });
        match (call.method.as_str(), call.path.contains("filter=")) {
            ("GET", true) => list(1, &[found]),
            ("PATCH", _) => Reply::empty(204),
            _ => Reply::scim(200, found),
        }
    })
    .await;
    let mut okta = okta(&url, AppKind::Template);
    let report = okta.synchronize(&organization, &quietly).await;
    assert_eq!(
        (report.failed, report.count("users reactivated")),
        (0, 1),
        "{report:?}"
    );
    let calls = std::mem::take(&mut *calls.lock().expect("a lock"));
    let methods: Vec<&str> = calls.iter().map(|(method, _)| method.as_str()).collect();
    assert_eq!(methods, ["GET", "PATCH", "GET", "PUT"]);
    let put: Value = serde_json::from_str(&calls[3].1).expect("JSON");
    assert_eq!(
        (&put["nickName"], &put["id"], &put["active"]),
        (&json!("kept"), &json!("u1"), &json!(true))
    );
    assert!(put["password"].is_string() && put["meta"].is_object());
    let again = okta.synchronize(&organization, &quietly).await;
    assert!(
        again.is_clean() && again.counts.is_empty(),
        "nothing has changed: {again}"
    );
}

#[tokio::test]
async fn wrong_answers_are_failures_and_never_remembered() {
    let person = |change: &dyn Fn(&mut Value)| {
        let mut body =
            json!({ "schemas": [CORE_USER], "id": "u1", "userName": "x", "active": true });
        change(&mut body);
        Reply::scim(201, body)
    };
    type Answer = Box<dyn Fn() -> Reply + Send + Sync>;
    let cases: Vec<(&str, Answer)> = vec![
        ("empty user", Box::new(|| Reply::scim(201, ""))),
        ("no JSON", Box::new(|| Reply::scim(201, "{"))),
        (
            "no id",
            Box::new(move || {
                person(&|body| drop(body.as_object_mut().and_then(|b| b.remove("id"))))
            }),
        ),
        (
            "id is no text",
            Box::new(move || person(&|body| body["id"] = json!(7))),
        ),
        (
            "bulkId",
            Box::new(move || person(&|body| body["id"] = json!("bulkId:1"))),
        ),
        (
            "active is no boolean",
            Box::new(move || person(&|body| body["active"] = json!("true"))),
        ),
        (
            "not active",
            Box::new(move || person(&|body| body["active"] = json!(false))),
        ),
        (
            "schemas",
            Box::new(move || person(&|body| body["schemas"] = json!([]))),
        ),
        (
            "password",
            Box::new(move || person(&|body| body["password"] = json!("x"))),
        ),
        (
            "content type",
            Box::new(move || person(&|_| ()).with("content-type", "text/html")),
        ),
        (
            "status 400: no such thing",
            Box::new(|| Reply::scim(400, json!({ "detail": "no such thing" }))),
        ),
    ];
    for (wanted, answer) in cases {
        let url = serve(move |call| {
            if call.method == "GET" {
                list(0, &[])
            } else {
                answer()
            }
        })
        .await;
        let mut okta = okta(&url, AppKind::Wizard);
        let report = okta.synchronize(&one_person(), &quietly).await;
        assert_eq!(report.failed, 1, "{wanted}");
        assert!(
            report.failures[0].why.contains(wanted),
            "{wanted}: {}",
            report.failures[0]
        );
        assert!(okta.picture().users.is_empty());
    }
}

#[tokio::test]
async fn a_throttled_request_is_repeated_but_a_refused_one_is_not() {
    let posts = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&posts);
    let url = serve(move |call| {
        if call.method == "GET" {
            return list(0, &[]);
        }
        match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::empty(429).with("retry-after", "1"),
            1 => Reply::empty(429).with("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"),
            _ => Reply::scim(400, json!({ "detail": "final" })),
        }
    })
    .await;
    let mut okta = okta(&url, AppKind::Template);
    let report = okta.synchronize(&one_person(), &quietly).await;
    assert_eq!((report.failed, posts.load(Ordering::Relaxed)), (1, 3));
    assert_eq!(okta.client().traffic().throttled, 2);
}
