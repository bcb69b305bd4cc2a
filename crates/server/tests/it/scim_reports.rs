//! What was reported of other servers: members that are lost, secrets that are shown, writes that undo each other.

use std::collections::BTreeSet;

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, ok};
use crate::scim_idp::*;
use crate::world::{Product, World};

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

/// Switches a departure of the connector on.
fn switch_on(world: &World, departure: &str) {
    let settings = json!({ "settings": { "departures": { departure: true } } });
    ok(&Console::new(world).patch("/connectors/idp", settings));
}

/// Elsewhere an externalId of digits was taken for the number of an account, the first administrator's among them.
#[test]
fn an_external_id_is_a_text_that_leads_to_nobody_else() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let mira = idp.user("mira");
        let product = Product::reader(&world).json();
        let seen = |name: &str| product.get(&format!("/user?username={name}")).json();
        let before = seen("mira");
        let key = before["key"].as_str().unwrap();
        let number = key.rsplit(':').next().unwrap();
        for (at, text) in ["1", "0", "mira", &mira, key, number]
            .into_iter()
            .enumerate()
        {
            let name = format!("joy{at}");
            let body = json!({ "schemas": [CORE_USER], "userName": name, "externalId": text });
            let joy = created(&idp.post("/Users", &body));
            assert_eq!(joy["externalId"], text);
            assert_ne!(joy["id"], *mira);
            assert_ne!(seen(&name)["key"], key);
            assert_eq!(seen("mira"), before);
        }
        for number in [json!(1), json!([1]), json!({ "value": "1" }), json!(true)] {
            let body = json!({ "schemas": [CORE_USER], "userName": "n", "externalId": number });
            assert_eq!(
                refused(&idp.post("/Users", &body)),
                (400, "invalidValue".into()),
                "{number}"
            );
        }
        assert_eq!(idp.find("Users", "userName eq \"n\"")["totalResults"], 0);
    });
}

/// A client that lost its ids sends its people anew, and would hear 409 for ever.
#[test]
fn who_is_posted_again_is_taken_over_where_that_is_switched_on() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let body = |name: &str, id: &str| json!({ "schemas": [CORE_USER], "userName": name, "externalId": id });
        let ann = created(&idp.post("/Users", &body("ann", "e1")));
        let id = ann["id"].as_str().unwrap();
        idp.group("team", &[id]);
        assert_eq!(idp.post("/Users", &body("ann", "e1")).status, 409);
        let second = created(&idp.post("/Users", &body("ann.b", "e1")));
        assert_ne!(second["id"], *id, "without the switch it is somebody else");
        switch_on(&world, "known_external_id_is_adopted");
        assert_eq!(
            idp.post("/Users", &body("ann.c", "e1")).status,
            409,
            "nobody can say which of both"
        );
        assert_eq!(
            idp.delete(&format!("/Users/{}", second["id"].as_str().unwrap()))
                .status,
            204
        );
        let taken = idp.post("/Users", &body("ann.d", "e1")).json();
        assert_eq!(
            (&taken["id"], &taken["userName"]),
            (&ann["id"], &json!("ann.d"))
        );
        assert_eq!(taken["groups"][0]["display"], "team");
        // What another connector has under that id is not looked at.
        let stranger = idp.stranger();
        let theirs = created(&stranger.post("/Users", &body("zoe", "e1")));
        assert_ne!(theirs["id"], ann["id"]);
    });
}

/// Entra was seen to mean one more member by a list of one; by RFC 7644 section 3.5.2.3 the others go.
#[test]
fn a_list_of_one_member_replaces_the_others_and_says_so_or_joins_them() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users = people(&idp, 3);
        let (first, last) = (&users[..2], &users[2]);
        let replace = json!([{ "op": "Replace", "path": "members", "value": named(&users[2..]) }]);
        let both: Vec<&str> = first.iter().map(String::as_str).collect();
        let group = idp.group("rfc", &both);
        shown(&idp.patch(&format!("/Groups/{group}"), &replace));
        assert_eq!(members(&idp, &group), BTreeSet::from([last.clone()]));
        let page = Console::new(&world).show("/requests");
        let warned = page["items"].to_string();
        assert!(warned.contains("one_member_replace_adds"), "{warned}");
        switch_on(&world, "one_member_replace_adds");
        let group = idp.group("entra", &both);
        shown(&idp.patch(&format!("/Groups/{group}"), &replace));
        assert_eq!(members(&idp, &group), users.iter().cloned().collect());
        let two = json!([{ "op": "Replace", "path": "members", "value": named(&users[1..]) }]);
        shown(&idp.patch(&format!("/Groups/{group}"), &two));
        assert_eq!(members(&idp, &group), users[1..].iter().cloned().collect());
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
