//! Bulk requests: what is read, in which order it is carried out, what is answered.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scim::limits::BULK_OPERATIONS_MAX;
use scim::{BulkAction, BulkRequest, BulkResult, BulkTask, ScimError, bulk, catalogue};
use serde_json::{Value, json};

fn parse(body: &Value) -> Result<BulkRequest, ScimError> {
    BulkRequest::parse(body.as_object().unwrap().clone(), BULK_OPERATIONS_MAX)
}

fn operations(operations: &Value) -> BulkRequest {
    parse(&json!({ "Operations": operations })).unwrap()
}

fn error_of(operation: Value) -> (u16, &'static str) {
    let request = operations(&json!([operation]));
    let error = request.operations[0].task.as_ref().unwrap_err();
    (
        error.status,
        error.scim_type.map_or("", scim::ScimType::as_str),
    )
}

#[test]
fn a_request_is_read_in_any_spelling() {
    let request = parse(&json!({
        "schemas": [bulk::BULK_REQUEST_URN],
        "FailOnErrors": 2,
        "operations": [
            { "Method": "post", "PATH": "Users/", "bulkid": "a", "Data": { "userName": "a" }, "version": null },
            { "method": "PUT", "path": "/Groups/7?attributes=id", "version": "W/\"3\"", "data": {} },
            { "method": "DELETE", "path": "/users/bulkId:a" },
        ],
    }))
    .unwrap();
    assert_eq!(request.fail_on_errors, Some(2));
    let tasks: Vec<&BulkTask> = request
        .operations
        .iter()
        .map(|operation| operation.task.as_ref().unwrap())
        .collect();
    assert!(matches!(&tasks[0].action, BulkAction::Create(data) if data["userName"] == "a"));
    assert!(matches!(&tasks[1].action, BulkAction::Replace(id, _) if id == "7"));
    assert!(!tasks[1].precondition.is_empty() && tasks[0].precondition.is_empty());
    assert_eq!(
        (tasks[2].id(), tasks[2].known_id()),
        (Some("bulkId:a"), None)
    );
    assert_eq!(
        parse(&json!({ "Operations": [], "failOnErrors": 0 }))
            .unwrap()
            .fail_on_errors,
        None
    );
}

#[test]
fn what_is_no_bulk_request_is_refused_whole() {
    for body in [
        json!({}),
        json!({ "Operations": {} }),
        json!({ "Operations": null }),
        json!({ "Operations": [], "failOnErrors": "1" }),
        json!({ "Operations": [], "failOnErrors": -1 }),
    ] {
        assert_eq!(parse(&body).unwrap_err().status, 400, "{body}");
    }
    let one = json!({ "method": "DELETE", "path": "/Users/1" });
    assert!(parse(&json!({ "Operations": vec![one.clone(); BULK_OPERATIONS_MAX] })).is_ok());
    let many = json!({ "Operations": vec![one; BULK_OPERATIONS_MAX + 1] });
    assert_eq!(parse(&many).unwrap_err().status, 413);
}

#[test]
fn what_is_no_operation_is_refused_by_itself() {
    let user = json!({ "userName": "a" });
    for (operation, status, keyword) in [
        (json!(7), 400, "invalidSyntax"),
        (json!({}), 400, "invalidSyntax"),
        (
            json!({ "method": 7, "path": "/Users/1" }),
            400,
            "invalidSyntax",
        ),
        (
            json!({ "method": "GET", "path": "/Users/1" }),
            400,
            "invalidSyntax",
        ),
        (json!({ "method": "DELETE" }), 400, "invalidSyntax"),
        (
            json!({ "method": "POST", "path": "/Users", "data": user }),
            400,
            "invalidSyntax",
        ),
        (
            json!({ "method": "POST", "path": "/Users", "bulkId": "", "data": user }),
            400,
            "invalidSyntax",
        ),
        (
            json!({ "method": "POST", "path": "/Users", "bulkId": "a" }),
            400,
            "invalidSyntax",
        ),
        (
            json!({ "method": "PUT", "path": "/Users/1", "data": "x" }),
            400,
            "invalidSyntax",
        ),
        (
            json!({ "method": "PATCH", "path": "/Users/1", "data": [] }),
            400,
            "invalidSyntax",
        ),
        (
            json!({ "method": "POST", "path": "/Users/1", "bulkId": "a", "data": user }),
            405,
            "",
        ),
        (
            json!({ "method": "PUT", "path": "/Users", "data": user }),
            405,
            "",
        ),
        (json!({ "method": "DELETE", "path": "/Groups" }), 405, ""),
        (json!({ "method": "DELETE", "path": "/" }), 404, ""),
        (json!({ "method": "DELETE", "path": "/Devices/1" }), 404, ""),
        (json!({ "method": "DELETE", "path": "/Users/1/2" }), 404, ""),
        (
            json!({ "method": "DELETE", "path": "https://x.test/scim/Users/1" }),
            404,
            "",
        ),
        (
            json!({ "method": "DELETE", "path": "/Users/a\tb" }),
            404,
            "",
        ),
        (
            json!({ "method": "PATCH", "path": "/Me", "data": {} }),
            501,
            "",
        ),
    ] {
        assert_eq!(
            error_of(operation.clone()),
            (status, keyword),
            "{operation}"
        );
    }
}

#[test]
fn a_bulk_id_given_twice_names_nothing() {
    let request = operations(&json!([
        { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": "a" } },
        { "method": "PATCH", "path": "/Users/1", "bulkId": "b", "data": {} },
        { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": "b" } },
        { "method": "POST", "path": "/Users", "bulkId": "b", "data": { "userName": "c" } },
    ]));
    let refused: Vec<bool> = request
        .operations
        .iter()
        .map(|one| one.task.is_err())
        .collect();
    assert_eq!(refused, [true, false, true, false]);
}

#[test]
fn unknown_names_are_conflicts() {
    let request = operations(&json!([
        { "method": "PATCH", "path": "/Groups/bulkId:g", "data": { "x": "bulkId:u" } },
    ]));
    let task = request.operations[0].task.as_ref().unwrap();
    let ids = |known: &'static [&'static str]| {
        move |name: &str| known.contains(&name).then(|| format!("id-{name}"))
    };
    assert_eq!(task.resolved(ids(&["g"])).unwrap_err().status, 409);
    assert_eq!(task.resolved(ids(&["u"])).unwrap_err().status, 409);
    let resolved = task.resolved(ids(&["g", "u"])).unwrap();
    assert_eq!(
        (resolved.id(), &resolved.data().unwrap()["x"]),
        (Some("id-g"), &json!("id-u"))
    );
}

#[test]
fn answers_tell_status_as_text_and_bodies_of_errors() {
    let request = operations(&json!([
        { "method": "POST", "path": "/Users", "bulkId": "a", "data": {} },
        { "method": "BREW", "path": "/Users" },
        { "path": "/Users" },
    ]));
    let good = BulkResult {
        location: Some("https://x.test/Users/1".into()),
        version: Some("W/\"1\"".into()),
        outcome: Ok(201),
    };
    let bad = BulkResult {
        location: None,
        version: None,
        outcome: Err(catalogue::USER_NOT_FOUND.error("No.")),
    };
    let results = [&good, &bad, &bad];
    let text = bulk::response(request.operations.iter().zip(results));
    let error = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "404", "detail": "No."
    });
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({ "schemas": [bulk::BULK_RESPONSE_URN], "Operations": [
            { "method": "POST", "bulkId": "a", "version": "W/\"1\"", "location": "https://x.test/Users/1", "status": "201" },
            { "method": "BREW", "response": error, "status": "404" },
            { "response": error, "status": "404" },
        ] })
    );
}

/// What a server would hold: each thing with the names of those it refers to.
type Held = BTreeMap<String, Vec<String>>;

/// Carries a request out on a map; `None` if a name is not known when it is needed.
fn carry_out(request: &BulkRequest) -> Option<Held> {
    let (mut held, mut ids) = (Held::new(), BTreeMap::new());
    for unit in request.order() {
        assert!(!unit.circular);
        for nth in unit.operations {
            let operation = &request.operations[nth];
            let task = operation.task.as_ref().unwrap();
            let task = task.resolved(|name| ids.get(name).cloned()).ok()?;
            match task.action {
                BulkAction::Create(data) => {
                    let name = data["displayName"].as_str()?.to_owned();
                    ids.insert(operation.bulk_id.clone()?, name.clone());
                    held.insert(name, values(&data["members"]));
                }
                BulkAction::Patch(id, data) => {
                    held.get_mut(&id)?.extend(values(&data["members"]));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    held.values_mut().for_each(|members| members.sort());
    Some(held)
}

fn values(members: &Value) -> Vec<String> {
    let members = members.as_array().unwrap().iter();
    members
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

/// Things that refer to earlier ones, additions to them, and an order to send all that in.
fn acyclic() -> impl Strategy<Value = Vec<Value>> {
    let members = |below: usize| proptest::collection::vec(0..below.max(1), 0..4);
    (1_usize..12).prop_flat_map(move |count| {
        let created: Vec<_> = (0..count).map(members).collect();
        let added = proptest::collection::vec((0..count, members(count)), 0..6);
        (created, added).prop_flat_map(|(created, added)| {
            let refer = |members: &[usize]| -> Vec<Value> {
                let members = members.iter();
                members
                    .map(|member| json!({ "value": format!("bulkId:b{member}") }))
                    .collect()
            };
            let mut operations = Vec::new();
            for (nth, members) in created.iter().enumerate() {
                let members = if nth == 0 { &[] } else { members.as_slice() };
                operations.push(json!({
                    "method": "POST", "path": "/Groups", "bulkId": format!("b{nth}"),
                    "data": { "displayName": format!("G{nth}"), "members": refer(members) },
                }));
            }
            for (nth, members) in &added {
                operations.push(json!({
                    "method": "PATCH", "path": format!("/Groups/bulkId:b{nth}"),
                    "data": { "members": refer(members) },
                }));
            }
            Just(operations).prop_shuffle()
        })
    })
}

proptest! {
    #[test]
    fn the_order_of_an_acyclic_request_does_not_matter(
        (one, other) in acyclic().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        let (one, other) = (operations(&json!(one)), operations(&json!(other)));
        let held = carry_out(&one);
        prop_assert!(held.is_some(), "all names are known in time");
        prop_assert_eq!(held, carry_out(&other));
        let mut places: Vec<usize> = one.order().into_iter().flat_map(|unit| unit.operations).collect();
        places.sort_unstable();
        prop_assert_eq!(places, (0..one.operations.len()).collect::<Vec<_>>());
    }

    #[test]
    fn no_request_makes_it_panic(
        edges in proptest::collection::vec((0_usize..8, 0_usize..9), 0..20),
        junk in "[a-z:\"/ ]{0,12}",
    ) {
        let all: Vec<Value> = (0..8).map(|nth| {
            let named: Vec<Value> = edges.iter().filter(|(from, _)| *from == nth)
                .map(|(_, to)| json!({ "value": format!("bulkId:b{to}"), "$ref": junk, "path": format!("\"bulkId:{junk}") }))
                .collect();
            json!({ "method": "POST", "path": "/Groups", "bulkId": format!("b{nth}"), "data": { "members": named } })
        }).collect();
        let request = operations(&json!(all));
        let mut places = Vec::new();
        for unit in request.order() {
            for nth in &unit.operations {
                let task = request.operations[*nth].task.as_ref().unwrap();
                let _ = task.without(|name| name.len() == 2).resolved(|_| None);
            }
            places.extend(unit.operations);
        }
        places.sort_unstable();
        prop_assert_eq!(places, (0..8).collect::<Vec<_>>());
    }
}

#[test]
fn paths_are_decoded_as_those_of_single_requests() {
    let listed = json!([
        { "method": "DELETE", "path": "/Users/a%20b" },
        { "method": "DELETE", "path": "/Users/bulkId%3Ajoy" },
        { "method": "DELETE", "path": "/%55sers/1%2F2" },
        { "method": "DELETE", "path": "/Users/%FF" },
        { "method": "DELETE", "path": "/Users/a%00" },
    ]);
    let request = operations(&listed);
    let ids: Vec<Option<&str>> = request
        .operations
        .iter()
        .map(|operation| operation.task.as_ref().ok().and_then(BulkTask::id))
        .collect();
    assert_eq!(
        ids,
        [Some("a b"), Some("bulkId:joy"), Some("1/2"), None, None]
    );
    let named = request.operations[1].task.as_ref().unwrap();
    assert_eq!(named.known_id(), None, "it means what another one creates");
}
