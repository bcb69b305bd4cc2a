//! Many requests at once: nothing is lost, nothing is done twice.

use emulate::databases::on_each_database;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::http::{Answer, Ask};
use crate::scim_idp::*;
use crate::world::World;

const AT_ONCE: usize = 24;

/// Sends all at the same time, each on its own connection.
fn at_once(world: &World, asks: Vec<Ask>) -> Vec<Answer> {
    world.run(join_all(
        asks.into_iter().map(|ask| ask.send(&world.address)),
    ))
}

fn patch_ask(idp: &Idp<'_>, path: &str, operation: Value) -> Ask {
    idp.ask_with(
        "PATCH",
        path,
        &json!({ "schemas": [PATCH_OP], "Operations": [operation] }),
    )
}

#[test]
fn of_many_who_want_one_name_exactly_one_gets_it() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for (collection, name) in [("/Users", "userName"), ("/Groups", "displayName")] {
            let asks = (0..AT_ONCE).map(|n| {
                let spelling = if n % 2 == 0 { "Jane" } else { "JANE" };
                idp.ask_with(
                    "POST",
                    collection,
                    &json!({ name: spelling, "externalId": n.to_string() }),
                )
            });
            let answers = at_once(&world, asks.collect());
            let won: Vec<&Answer> = answers
                .iter()
                .filter(|answer| answer.status == 201)
                .collect();
            assert_eq!(won.len(), 1);
            for answer in answers.iter().filter(|answer| answer.status != 201) {
                assert_eq!(refused(answer), (409, "uniqueness".to_owned()));
            }
            let stored = shown(&idp.get(collection));
            assert_eq!(stored["totalResults"], 1);
            assert_eq!(
                stored["Resources"][0]["externalId"],
                won[0].json()["externalId"]
            );
        }
    });
}

#[test]
fn of_many_who_rename_to_one_name_exactly_one_gets_it() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users: Vec<String> = (0..8)
            .map(|n| format!("/Users/{}", idp.user(&format!("user{n}"))))
            .collect();
        let rename = json!({ "op": "replace", "path": "userName", "value": "jane" });
        let answers = at_once(
            &world,
            users
                .iter()
                .map(|path| patch_ask(&idp, path, rename.clone()))
                .collect(),
        );
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 200).count(),
            1
        );
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 409).count(),
            7
        );
        assert_eq!(idp.find("Users", "userName eq \"jane\"")["totalResults"], 1);
    });
}

#[test]
fn attributes_patched_at_once_are_all_there() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let path = format!("/Users/{}", idp.user("ann"));
        let attributes = [
            "title",
            "nickName",
            "displayName",
            "locale",
            "timezone",
            "userType",
            "preferredLanguage",
            "name.givenName",
            "name.familyName",
            "name.middleName",
            "department",
            "division",
            "costCenter",
            "organization",
            "employeeNumber",
            "emails[type eq \"work\"].value",
            "emails[type eq \"home\"].value",
            "phoneNumbers[type eq \"work\"].value",
            "addresses[type eq \"work\"].locality",
            "externalId",
        ];
        let asks = attributes.iter().map(|path_of| {
            patch_ask(&idp, &path, json!({ "op": "Add", "path": path_of, "value": format!("value of {path_of}").replace('"', "") }))
        });
        for answer in at_once(&world, asks.collect()) {
            shown(&answer);
        }
        let user = shown(&idp.get(&path));
        for attribute in attributes {
            let value = format!("value of {attribute}").replace('"', "");
            assert!(
                user.to_string().contains(&value),
                "{attribute} is lost: {user}"
            );
        }
        assert_eq!(
            user["meta"]["version"],
            format!("W/\"{}\"", attributes.len() + 1)
        );
    });
}

#[test]
fn members_added_and_removed_at_once_are_all_accounted_for() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users: Vec<String> = (0..2 * AT_ONCE)
            .map(|n| idp.user(&format!("user{n}")))
            .collect();
        let (staying, going) = users.split_at(AT_ONCE);
        let going: Vec<&str> = going.iter().map(String::as_str).collect();
        let group = idp.group("G", &going);
        let path = format!("/Groups/{group}");
        let adds = staying.iter().map(|id| {
            patch_ask(
                &idp,
                &path,
                json!({ "op": "Add", "path": "members", "value": [{ "value": id }] }),
            )
        });
        let removes = going.iter().map(|id| {
            patch_ask(
                &idp,
                &path,
                json!({ "op": "Remove", "path": "members", "value": [{ "value": id }] }),
            )
        });
        for answer in at_once(&world, adds.chain(removes).collect()) {
            shown(&answer);
        }
        let mut expected = staying.to_vec();
        expected.sort();
        assert_eq!(idp.members(&group), expected);
        let version = shown(&idp.get(&path))["meta"]["version"].clone();
        assert_eq!(version, format!("W/\"{}\"", 2 * AT_ONCE + 1));
    });
}

#[test]
fn if_match_lets_one_of_many_through() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let path = format!("/Users/{}", idp.user("ann"));
        let asks = (0..AT_ONCE).map(|n| {
            let ask = patch_ask(
                &idp,
                &path,
                json!({ "op": "replace", "path": "title", "value": n.to_string() }),
            );
            ask.header("If-Match", "W/\"1\"")
        });
        let answers = at_once(&world, asks.collect());
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 200).count(),
            1
        );
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 412).count(),
            AT_ONCE - 1
        );
    });
}

#[test]
fn deleting_at_once_deletes_once() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for path in [
            format!("/Users/{}", idp.user("ann")),
            format!("/Groups/{}", idp.group("G", &[])),
        ] {
            let answers = at_once(&world, (0..8).map(|_| idp.ask("DELETE", &path)).collect());
            assert_eq!(
                answers.iter().filter(|answer| answer.status == 204).count(),
                1
            );
            assert_eq!(
                answers.iter().filter(|answer| answer.status == 404).count(),
                7
            );
        }
    });
}
