//! Bulk requests (RFC 7644 section 3.7).

use directory::ConnectorSettings;
use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::http::Answer;
use crate::scim_idp::*;
use crate::world::World;

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// The results of a bulk request that was read.
#[track_caller]
fn bulk(idp: &Idp<'_>, operations: Value) -> Vec<Value> {
    results(&send(
        idp,
        &json!({ "schemas": [BULK], "Operations": operations }),
    ))
}

fn send(idp: &Idp<'_>, body: &Value) -> Answer {
    idp.post("/Bulk", body)
}

#[track_caller]
fn results(answer: &Answer) -> Vec<Value> {
    let body = shown(answer);
    assert_eq!(body["schemas"], json!([BULK_RESPONSE]));
    body["Operations"].as_array().unwrap().clone()
}

#[track_caller]
fn statuses(results: &[Value]) -> Vec<&str> {
    for result in results {
        let failed = status_of(result) >= 400;
        assert_eq!(result.get("response").is_some(), failed, "{result}");
        if failed {
            assert_eq!(result["response"]["schemas"], json!([ERROR]));
            assert_eq!(result["response"]["status"], result["status"]);
            assert!(!result["response"]["detail"].as_str().unwrap().is_empty());
        }
    }
    let texts = results.iter().map(|result| result["status"].as_str());
    texts.map(Option::unwrap).collect()
}

fn status_of(result: &Value) -> u16 {
    result["status"].as_str().unwrap().parse().unwrap()
}

/// The id in a location, which has to be below the base URL.
#[track_caller]
fn id_in(idp: &Idp<'_>, result: &Value) -> String {
    let location = result["location"].as_str().unwrap();
    let path = location.strip_prefix(&idp.url()).expect(location);
    path.rsplit('/').next().unwrap().to_owned()
}

fn post(path: &str, bulk_id: &str, data: Value) -> Value {
    json!({ "method": "POST", "path": path, "bulkId": bulk_id, "data": data })
}

fn user(bulk_id: &str, name: &str) -> Value {
    post(
        "/Users",
        bulk_id,
        json!({ "schemas": [CORE_USER], "userName": name }),
    )
}

fn group(bulk_id: &str, name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    post(
        "/Groups",
        bulk_id,
        json!({ "schemas": [CORE_GROUP], "displayName": name, "members": members }),
    )
}

fn patch(path: &str, operations: Value) -> Value {
    json!({ "method": "PATCH", "path": path, "data": { "schemas": [PATCH_OP], "Operations": operations } })
}

#[test]
fn everything_can_be_done_at_once_and_each_sees_what_came_before() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let (old, gone) = (idp.user("old"), idp.user("gone"));
        let results = bulk(
            &idp,
            json!([
                user("ann", "ann"),
                group("team", "Team", &["bulkId:ann", &old]),
                patch("/Users/bulkId:ann", json!([{ "op": "add", "path": "title", "value": "T" }])),
                { "method": "PUT", "path": format!("/Users/{old}"), "data": { "userName": "older" } },
                { "method": "delete", "path": format!("/Users/{gone}") },
                user("old", "old"),
                patch("/Groups/bulkId:team", json!([
                    { "op": "remove", "path": "members[value eq \"bulkId:ann\"]" },
                    { "op": "add", "path": "members", "value": [{ "value": "bulkId:old" }] },
                ])),
            ]),
        );
        assert_eq!(
            statuses(&results),
            ["201", "201", "200", "200", "204", "201", "200"]
        );
        let (ann, team, new) = (
            id_in(&idp, &results[0]),
            id_in(&idp, &results[1]),
            id_in(&idp, &results[5]),
        );
        for (nth, method, bulk_id, version) in [
            (0, "POST", json!("ann"), json!("W/\"1\"")),
            (3, "PUT", Value::Null, Value::Null),
            (4, "DELETE", Value::Null, Value::Null),
            (6, "PATCH", Value::Null, json!("W/\"2\"")),
        ] {
            assert_eq!(results[nth]["method"], method);
            assert_eq!(results[nth]["bulkId"], bulk_id);
            if nth != 3 {
                assert_eq!(results[nth]["version"], version, "{nth}");
            }
        }
        assert_eq!(
            results[4]["location"],
            format!("{}/Users/{gone}", idp.url())
        );
        let shown_ann = shown(&idp.get(&format!("/Users/{ann}")));
        assert_eq!(
            (&shown_ann["title"], shown_ann.get("groups")),
            (&json!("T"), None)
        );
        assert_eq!(
            shown(&idp.get(&format!("/Users/{old}")))["userName"],
            "older"
        );
        assert_eq!(idp.get(&format!("/Users/{gone}")).status, 404);
        let mut members = vec![old, new];
        members.sort();
        assert_eq!(idp.members(&team), members);
    });
}

#[test]
fn names_may_come_before_what_they_name() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let results = bulk(
            &idp,
            json!([
                patch(
                    "/Groups/bulkId:g",
                    json!([{ "op": "add", "path": "members", "value": [{ "value": "bulkId:b" }] }])
                ),
                group("g", "G", &["bulkId:a", "bulkId:inner"]),
                group("inner", "Inner", &["bulkId:b"]),
                post(
                    "/Users",
                    "a",
                    json!({ "userName": "a", "schemas": [CORE_USER, ENT], ENT: { "manager": { "value": "bulkId:b" } } })
                ),
                user("b", "b"),
            ]),
        );
        assert_eq!(statuses(&results), ["200", "201", "201", "201", "201"]);
        let ids: Vec<String> = results.iter().map(|result| id_in(&idp, result)).collect();
        assert_eq!(ids[0], ids[1]);
        let mut members = vec![ids[2].clone(), ids[3].clone(), ids[4].clone()];
        members.sort();
        assert_eq!(idp.members(&ids[1]), members);
        let a = shown(&idp.get(&format!("/Users/{}", ids[3])));
        assert_eq!(a[ENT]["manager"]["value"], json!(ids[4]));
    });
}

#[test]
fn resources_may_name_each_other() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let chief = |of: &str| json!({ "userName": of, ENT: { "manager": { "value": format!("bulkId:{}", if of == "x" { "y" } else { "x" }) } } });
        let results = bulk(
            &idp,
            json!([
                group("a", "Group A", &["bulkId:b", "bulkId:x"]),
                group("b", "Group B", &["bulkId:a"]),
                post("/Users", "x", chief("x")),
                post("/Users", "y", chief("y")),
                post(
                    "/Users",
                    "me",
                    json!({ "userName": "me", ENT: { "manager": { "value": "bulkId:me" } } })
                ),
            ]),
        );
        assert_eq!(statuses(&results), ["201"; 5]);
        let ids: Vec<String> = results.iter().map(|result| id_in(&idp, result)).collect();
        let mut in_a = vec![ids[1].clone(), ids[2].clone()];
        in_a.sort();
        assert_eq!(idp.members(&ids[0]), in_a);
        assert_eq!(idp.members(&ids[1]), [ids[0].clone()]);
        for (user, manager) in [(2, 3), (3, 2), (4, 4)] {
            let answer = idp.get(&format!("/Users/{}", ids[user]));
            let shown = shown(&answer);
            assert_eq!(shown[ENT]["manager"]["value"], json!(ids[manager]));
        }
        assert_eq!(
            idp.get(&format!("/Groups/{}", ids[0])).header("etag"),
            results[0]["version"].as_str()
        );
    });
}

#[test]
fn what_cannot_be_completed_does_not_come_to_be() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        idp.user("taken");
        let results = bulk(
            &idp,
            json!([
                group("a", "A", &["bulkId:b"]),
                group("b", "B", &["bulkId:a", "bulkId:taken"]),
                user("taken", "TAKEN"),
                group("self", "Self", &["bulkId:self"]),
                group("c", "C", &["bulkId:nobody"]),
                patch("/Groups/bulkId:c", json!([{ "op": "add", "path": "externalId", "value": "x" }])),
                { "method": "DELETE", "path": "/Users/bulkId:nobody" },
                group("good", "Good", &[]),
            ]),
        );
        assert_eq!(
            statuses(&results),
            ["409", "409", "409", "201", "409", "409", "409", "201"]
        );
        assert_eq!(results[2]["response"]["scimType"], "uniqueness");
        assert!(
            results[4]["response"]["detail"]
                .as_str()
                .unwrap()
                .contains("bulkId:nobody")
        );
        // A group that is to be in itself is made, and is not.
        for (place, result) in results[..7].iter().enumerate() {
            assert_eq!(result.get("location").is_some(), place == 3, "{result}");
        }
        assert_eq!(shown(&idp.get("/Groups"))["totalResults"], 2);
        assert_eq!(shown(&idp.get("/Users"))["totalResults"], 1);
    });
}

#[test]
fn failures_stop_it_only_when_they_are_too_many() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let operations = |prefix: &str| {
            json!([
                user("a", &format!("{prefix}a")),
                { "method": "DELETE", "path": "/Users/none" },
                user("b", &format!("{prefix}b")),
                { "method": "BREW", "path": "/Users/none" },
                user("c", &format!("{prefix}c")),
            ])
        };
        for (prefix, fail_on_errors, expected) in [
            (
                "absent",
                Value::Null,
                vec!["201", "404", "201", "400", "201"],
            ),
            ("zero", json!(0), vec!["201", "404", "201", "400", "201"]),
            ("one", json!(1), vec!["201", "404"]),
            ("two", json!(2), vec!["201", "404", "201", "400"]),
            ("three", json!(3), vec!["201", "404", "201", "400", "201"]),
        ] {
            let body = json!({ "schemas": [BULK], "failOnErrors": fail_on_errors, "Operations": operations(prefix) });
            let results = results(&send(&idp, &body));
            assert_eq!(statuses(&results), expected, "{prefix}");
            let filter = format!("userName sw \"{prefix}\"");
            let created = expected.iter().filter(|status| **status == "201").count();
            assert_eq!(
                idp.find("Users", &filter)["totalResults"],
                created,
                "{prefix}"
            );
        }
        // Where it stops does not depend on how many are carried out together.
        let mut many: Vec<Value> = (0..100)
            .map(|nth| user(&format!("n{nth}"), &format!("many{nth}")))
            .collect();
        many.insert(70, json!({ "method": "DELETE", "path": "/Users/none" }));
        let results = results(&send(
            &idp,
            &json!({ "failOnErrors": 1, "Operations": many }),
        ));
        assert_eq!(results.len(), 71);
        assert_eq!(
            idp.find("Users", "userName sw \"many\"")["totalResults"],
            70
        );
    });
}

#[test]
fn versions_guard_operations() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let (user, group) = (idp.user("ann"), idp.group("G", &[]));
        let title = |text: &str| json!([{ "op": "replace", "path": "externalId", "value": text }]);
        let guarded = |mut operation: Value, version: &str| {
            operation["version"] = version.into();
            operation
        };
        let (users, groups) = (format!("/Users/{user}"), format!("/Groups/{group}"));
        let results = bulk(
            &idp,
            json!([
                guarded(patch(&users, title("1")), "W/\"1\""),
                guarded(patch(&users, title("2")), "W/\"1\""),
                guarded(patch(&users, title("3")), "W/\"2\""),
                guarded(
                    json!({ "method": "PUT", "path": groups, "data": { "displayName": "H" } }),
                    "W/\"7\""
                ),
                guarded(
                    json!({ "method": "PUT", "path": groups, "data": { "displayName": "H" } }),
                    "*"
                ),
                guarded(json!({ "method": "DELETE", "path": groups }), "W/\"1\""),
                guarded(json!({ "method": "DELETE", "path": users }), "W/\"3\""),
            ]),
        );
        assert_eq!(
            statuses(&results),
            ["200", "412", "200", "412", "200", "412", "204"]
        );
        assert_eq!(
            (&results[0]["version"], &results[2]["version"]),
            (&json!("W/\"2\""), &json!("W/\"3\""))
        );
        assert_eq!(results[1]["location"], format!("{}{users}", idp.url()));
        assert_eq!(shown(&idp.get(&groups))["displayName"], "H");
        assert_eq!(idp.get(&users).status, 404);
    });
}

#[test]
fn limits_and_forms_are_checked_before_anything_happens() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let limits = shown(&idp.get("/ServiceProviderConfig"))["bulk"].clone();
        assert_eq!(
            limits,
            json!({ "supported": true, "maxOperations": 1_000, "maxPayloadSize": 1_048_576 })
        );
        for (body, status, keyword) in [
            (json!({}), 400, "invalidSyntax"),
            (json!({ "Operations": "x" }), 400, "invalidSyntax"),
            (
                json!({ "Operations": [], "failOnErrors": "x" }),
                400,
                "invalidValue",
            ),
            (
                json!({ "Operations": vec![user("a", "a"); 1_001] }),
                413,
                "",
            ),
        ] {
            assert_eq!(refused(&send(&idp, &body)), (status, keyword.to_owned()));
        }
        let long = |bytes: usize| {
            let body = json!({ "Operations": [user("a", "a")] }).to_string();
            let padding = " ".repeat(bytes - body.len());
            world.send(idp.ask("POST", "/Bulk").body(format!("{body}{padding}")))
        };
        assert_eq!(refused(&long(1_048_577)).0, 413);
        assert_eq!(shown(&idp.get("/Users"))["totalResults"], 0);
        assert_eq!(statuses(&results(&long(1_048_576))), ["201"]);
        assert_eq!(bulk(&idp, json!([])), Vec::<Value>::new());
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            let answer = world.send(idp.ask(method, "/Bulk").body("{}"));
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("POST, OPTIONS")),
                "{method}"
            );
        }
        let all: Vec<Value> = (0..1_000)
            .map(|nth| user(&format!("b{nth}"), &format!("user{nth}")))
            .collect();
        // On a slow machine the time of one request is over before the last; whoever is told so sends the rest again.
        let mut left = &all[..];
        let mut made = Vec::new();
        while !left.is_empty() {
            let results = bulk(&idp, json!(left));
            let in_time = statuses(&results);
            let in_time = in_time.iter().filter(|it| **it == "201").count();
            assert!(in_time > 0);
            assert_eq!(
                statuses(&results[in_time..]),
                vec!["503"; left.len() - in_time]
            );
            let ids = results[..in_time]
                .iter()
                .map(|it| it["bulkId"].as_str().unwrap().to_owned());
            made.extend(ids);
            left = &left[in_time..];
        }
        let named: Vec<String> = (0..1_000).map(|nth| format!("b{nth}")).collect();
        assert_eq!(made, named);
        assert_eq!(
            idp.find("Users", "userName sw \"user\"")["totalResults"],
            1_000
        );
    });
}

#[test]
fn bad_operations_are_told_apart() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let results = bulk(
            &idp,
            json!([
                user("twice", "one"),
                user("twice", "two"),
                { "method": "POST", "path": "/Users", "data": { "userName": "x" } },
                { "method": "POST", "path": "/Users", "bulkId": "x" },
                { "method": "GET", "path": "/Users/1" },
                { "method": "PUT", "path": "/Users", "data": {} },
                { "method": "DELETE", "path": "/Shoes/1" },
                { "method": "PATCH", "path": "/Me", "data": {} },
                post("/Users", "y", json!({ "userName": "y", "active": "maybe" })),
                patch("/Groups/none", json!([])),
                7,
            ]),
        );
        assert_eq!(
            statuses(&results),
            [
                "400", "400", "400", "400", "400", "405", "404", "501", "400", "404", "400"
            ]
        );
        assert_eq!(results[8]["response"]["scimType"], "invalidValue");
        assert_eq!(shown(&idp.get("/Users"))["totalResults"], 0);
    });
}

#[test]
fn other_connectors_are_out_of_reach() {
    on_each_database(|database| {
        let world = World::new(database);
        let one = Idp::new(&world);
        let two = one.stranger();
        let (theirs, group) = (one.user("ann"), one.group("G", &[]));
        let results = bulk(
            &two,
            json!([
                { "method": "DELETE", "path": format!("/Users/{theirs}") },
                patch(&format!("/Groups/{group}"), json!([{ "op": "add", "path": "externalId", "value": "x" }])),
                group_of_stranger(&theirs),
            ]),
        );
        assert_eq!(statuses(&results), ["404", "404", "201"]);
        let mine = id_in(&two, &results[2]);
        assert_eq!(
            shown(&two.get(&format!("/Groups/{mine}")))["members"],
            json!([{ "value": theirs }])
        );
        assert_eq!(
            shown(&one.get(&format!("/Users/{theirs}"))).get("groups"),
            None
        );
    });
}

fn group_of_stranger(id: &str) -> Value {
    group("mine", "Mine", &[id])
}

#[test]
fn passwords_are_kept_only_where_they_may_be_and_never_shown() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let change = world.provision.change_connector(
            world.connector.connector.id,
            "test",
            move |connector| {
                connector.settings = ConnectorSettings {
                    accept_passwords: true,
                    ..ConnectorSettings::default()
                };
                Ok(())
            },
        );
        world.run(change).unwrap();
        let answer = send(
            &idp,
            &json!({ "Operations": [
                post("/Users", "a", json!({ "userName": "a", "password": "s3cret-one" })),
                patch("/Users/bulkId:a", json!([{ "op": "replace", "value": { "password": "s3cret-two" } }])),
            ] }),
        );
        assert_eq!(statuses(&results(&answer)), ["201", "200"]);
        assert!(!answer.text().contains("s3cret"));
        assert!(!idp.get("/Users").text().contains("s3cret"));
    });
}
