//! What was reported of other servers: members that are lost, secrets that are shown, writes that undo each other.

use std::collections::BTreeSet;

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::scim_idp::*;
use crate::world::World;

fn members(idp: &Idp<'_>, group: &str) -> BTreeSet<String> {
    let shown = shown(&idp.get(&format!("/Groups/{group}")));
    let members = shown["members"].as_array().into_iter().flatten();
    members
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

fn named(ids: &[String]) -> Vec<Value> {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

fn people(idp: &Idp<'_>, count: usize) -> Vec<String> {
    let operations: Vec<Value> = (0..count)
        .map(|number| {
            let name = format!("user{number:04}");
            json!({ "method": "POST", "path": "/Users", "bulkId": name,
                "data": { "schemas": [CORE_USER], "userName": name } })
        })
        .collect();
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
    let made = shown(&idp.post(
        "/Bulk",
        &json!({ "schemas": schemas, "Operations": operations }),
    ));
    let made = made["Operations"].as_array().unwrap().iter();
    made.map(|one| {
        let location = one["location"].as_str().unwrap();
        location.rsplit('/').next().unwrap().to_owned()
    })
    .collect()
}

#[test]
fn a_group_that_was_put_has_all_the_members_that_were_sent() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users = people(&idp, 1_000);
        let group = idp.group("all", &[]);
        for count in [101, 1_000, 3, 0] {
            let body = json!({ "schemas": [CORE_GROUP], "displayName": "all",
                "members": named(&users[..count]) });
            shown(&idp.put(&format!("/Groups/{group}"), &body));
            let expected: BTreeSet<String> = users[..count].iter().cloned().collect();
            assert_eq!(members(&idp, &group), expected, "{count} members");
        }
    });
}

#[test]
fn several_removals_take_those_who_are_named_and_nobody_else() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users = people(&idp, 9);
        let all: Vec<&str> = users.iter().map(String::as_str).collect();
        for order in [[1, 4, 6], [6, 4, 1], [4, 6, 1]] {
            let group = idp.group(&format!("{order:?}"), &all);
            let removals: Vec<Value> = order
                .iter()
                .map(|at| {
                    let path = format!("members[value eq \"{}\"]", users[*at]);
                    json!({ "op": "remove", "path": path })
                })
                .collect();
            shown(&idp.patch(&format!("/Groups/{group}"), &json!(removals)));
            let mut left: BTreeSet<String> = users.iter().cloned().collect();
            left.retain(|id| !order.iter().any(|at| users[*at] == *id));
            assert_eq!(members(&idp, &group), left, "{order:?}");
        }
    });
}

#[test]
fn a_write_that_says_nothing_of_members_leaves_them_and_a_repeated_one_changes_nothing() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users = people(&idp, 3);
        let all: Vec<&str> = users.iter().map(String::as_str).collect();
        let group = idp.group("team", &all);
        let path = format!("/Groups/{group}");
        let expected: BTreeSet<String> = users.iter().cloned().collect();
        for operation in [
            json!({ "op": "Replace", "path": "displayName", "value": "crew" }),
            json!({ "op": "REPLACE", "value": { "displayName": "band" } }),
            json!({ "op": "add", "value": { "id": group, "externalId": "x" } }),
        ] {
            shown(&idp.patch(&path, &json!([operation])));
            assert_eq!(members(&idp, &group), expected, "{operation}");
        }
        let unknown = json!([{ "op": "substitute", "path": "members", "value": [] }]);
        assert_eq!(refused(&idp.patch(&path, &unknown)).0, 400);
        let version = shown(&idp.get(&path))["meta"]["version"].clone();
        let again = json!([{ "op": "add", "path": "members", "value": named(&users[..2]) }]);
        for _ in 0..2 {
            shown(&idp.patch(&path, &again));
        }
        assert_eq!(members(&idp, &group), expected);
        assert_eq!(shown(&idp.get(&path))["meta"]["version"], version);
    });
}

#[test]
fn two_nodes_that_write_one_group_lose_nobody() {
    on_each_database(|database| {
        if database.url.starts_with("sqlite") {
            // One process alone has the file.
            return;
        }
        let world = World::new(database);
        let beside = world.beside(database);
        let idp = Idp::new(&world);
        let other = Idp {
            world: &beside,
            base: idp.base.clone(),
            token: idp.token.clone(),
        };
        let users = people(&idp, 40);
        let group = idp.group("all", &[]);
        std::thread::scope(|scope| {
            for (node, half) in [&idp, &other].into_iter().zip(users.chunks(20)) {
                let group = &group;
                scope.spawn(move || {
                    for user in half {
                        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
                        shown(&node.patch(&format!("/Groups/{group}"), &add));
                        assert!(members(node, group).contains(user), "read where it was written");
                    }
                });
            }
        });
        let expected: BTreeSet<String> = users.iter().cloned().collect();
        assert_eq!(members(&idp, &group), expected);
        assert_eq!(members(&other, &group), expected);
    });
}

#[test]
fn a_password_is_in_no_answer() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let secret = "S3CRET & more";
        let body = json!({ "schemas": [CORE_USER], "userName": "joy", "password": secret });
        let made = idp.post("/Users", &body);
        let path = format!("/Users/{}", id_of(&made));
        let change = json!([{ "op": "replace", "path": "password", "value": secret }]);
        for answer in [
            made,
            idp.put(&path, &body),
            idp.patch(&path, &change),
            idp.get(&path),
            idp.get(&format!("{path}?attributes=password")),
            idp.get("/Users?attributes=userName,password"),
            idp.get("/Users?filter=password%20eq%20%22S3CRET%20%26%20more%22"),
        ] {
            assert!(!answer.text().contains("S3CRET"), "{}", answer.text());
            assert!(!answer.text().contains("\"password\""), "{}", answer.text());
        }
    });
}

#[test]
fn numbers_are_read_back_as_they_were_written() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for (number, text) in [
            "0",
            "-7",
            "1.10",
            "1e3",
            "0.1",
            "1E-7",
            "5e-324",
            "1.7976931348623157e308",
            "9007199254740993",
            "18446744073709551615",
            "-9223372036854775808",
            "0.30000000000000004",
            "123456789.123456789",
            "9.5367431640625e-7",
        ]
        .into_iter()
        .enumerate()
        {
            let body = format!(
                r#"{{"schemas":["{CORE_USER}"],"userName":"n{number}","urn:example:numbers:1.0:User":{{"n":{text}}}}}"#
            );
            let ask = idp.ask("POST", "/Users");
            let ask = ask.header("Content-Type", "application/scim+json");
            let made = world.send(ask.body(body));
            let path = format!("/Users/{}", id_of(&made));
            // A second write reads what is stored and stores it again.
            let touch = json!([{ "op": "replace", "path": "title", "value": "x" }]);
            shown(&idp.patch(&path, &touch));
            let read = idp.get(&path);
            let told = read.text().split("\"n\":").nth(1).unwrap();
            let told = told.split(['}', ',']).next().unwrap();
            assert_eq!(told.parse::<f64>(), text.parse::<f64>(), "{text}: {told}");
            if text.parse::<i128>().is_ok() {
                assert_eq!(told, text);
            }
        }
    });
}
