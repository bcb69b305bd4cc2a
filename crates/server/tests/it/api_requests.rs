//! The record of requests, and what waits for somebody, through the admin API.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::scim_idp::Idp;
use crate::world::World;

fn operations(page: &Value) -> Vec<String> {
    each(page, "operation")
}

#[test]
fn writes_and_failures_are_recorded_and_plain_reads_are_not() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let body = json!({ "userName": "joy", "password": "S3CRET", "shoeSize": 44 });
        let ask = idp.ask_with("POST", "/Users", &body);
        let made = world.send(ask.header("User-Agent", "idp/1.0"));
        let request = made.header("x-request-id").unwrap().to_owned();
        let id = made.json()["id"].as_str().unwrap().to_owned();
        idp.get(&format!("/Users/{id}"));
        idp.get("/Users?filter=userName%20eq%20%22joy%22");
        idp.get("/Users?filter=nonsense%20eq%20%22joy%22");
        idp.get("/Users/nobody");
        idp.post("/Users", &json!({ "userName": "JOY" }));
        idp.patch(
            &format!("/Users/{id}"),
            &json!([{ "op": "replace", "path": "title", "value": "x" }]),
        );
        idp.delete(&format!("/Users/{id}"));
        idp.delete(&format!("/Users/{id}"));

        let page = console.show("/requests");
        assert_eq!(
            operations(&page),
            [
                "delete_user",
                "delete_user",
                "patch_user",
                "create_user",
                "get_user",
                "list_users",
                "create_user"
            ]
        );
        let items = page["items"].as_array().unwrap();
        let statuses: Vec<u64> = items
            .iter()
            .map(|item| item["status"].as_u64().unwrap())
            .collect();
        assert_eq!(statuses, [404, 204, 200, 409, 404, 400, 201]);
        let names: Vec<&Value> = items.iter().map(|item| &item["resource_name"]).collect();
        let joy = json!("joy");
        assert_eq!(
            names,
            [
                &joy,
                &joy,
                &joy,
                &json!("JOY"),
                &Value::Null,
                &Value::Null,
                &joy
            ]
        );
        assert_eq!(items[3]["scim_type"], "uniqueness");
        assert!(
            items[3]["detail"]
                .as_str()
                .unwrap()
                .contains("exists already")
        );
        assert!(
            items[5]["path"]
                .as_str()
                .unwrap()
                .starts_with("/Users?filter=nonsense")
        );
        let first = &items[6];
        assert_eq!(
            (
                &first["request"],
                &first["client"],
                &first["actor"],
                &first["resource_id"],
                &first["connector"]
            ),
            (
                &json!(request),
                &json!("idp/1.0"),
                &json!("idp"),
                &json!(id),
                &json!("idp")
            )
        );
        assert!(first["took_micros"].as_i64().unwrap() > 0);
        assert!(first["token"].as_str().is_some());
        assert!(first.get("body").is_none());
        let what: Vec<&str> = first["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|warning| warning["what"].as_str().unwrap())
            .collect();
        assert_eq!(what, ["shoeSize", "password"]);

        let detail = console.show(&format!("/requests/{}", first["id"]));
        let body: Value = serde_json::from_str(detail["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            body,
            json!({ "userName": "joy", "password": "***", "shoeSize": 44 })
        );
        assert_eq!(detail["body_cut"], false);
        let effect = detail["effect"].as_array().unwrap();
        assert_eq!(effect.len(), 1);
        assert_eq!(effect[0]["change"]["change"], "create_user");
        let deleted = console.show(&format!("/requests/{}", items[1]["id"]));
        assert_eq!(deleted["effect"].as_array().unwrap().len(), 1);
        assert_eq!(deleted["body"], Value::Null);
        assert_eq!(problem(&console.get("/requests/999999")).0, 404);
    });
}

/// A database takes no NUL; what is recorded of such a request must not cost the record of others.
#[test]
fn a_request_with_nul_is_recorded_beside_all_others() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let made = |nth: usize| {
            let body = json!({ "userName": format!("user{nth}") });
            assert_eq!(idp.post("/Users", &body).status, 201);
        };
        (0..5).for_each(made);
        let refused = idp.post("/Users", &json!({ "userName": "a\u{0}b" }));
        assert_eq!(refused.status, 400);
        let raw = idp
            .ask("POST", "/Users")
            .header("Content-Type", "application/scim+json");
        assert_eq!(world.send(raw.body("{\"userName\":\"a\0b\"}")).status, 400);
        (5..10).for_each(made);

        let page = console.show("/requests");
        assert_eq!(operations(&page).len(), 12);
        let items = page["items"].as_array().unwrap();
        assert_eq!(items[6]["status"], 400);
        assert_eq!(items[6]["resource_name"], "a\u{fffd}b");
    });
}

#[test]
fn the_record_is_filtered_and_walked_in_pages() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let mut ids = Vec::new();
        for nth in 0..5 {
            let made = idp.post("/Users", &json!({ "userName": format!("u{nth}") }));
            ids.push(made.json()["id"].as_str().unwrap().to_owned());
        }
        idp.post("/Users", &json!({ "userName": "u0" }));
        idp.post(
            "/Groups",
            &json!({ "displayName": "dev", "members": [{ "value": "stranger" }] }),
        );
        let count = |query: &str| {
            let page = console.show(&format!("/requests?{query}"));
            page["items"].as_array().unwrap().len()
        };
        for (query, expected) in [
            ("", 7),
            ("connector=idp", 7),
            ("status=2xx", 6),
            ("status=error", 1),
            ("status=4xx", 1),
            ("status=5xx", 0),
            ("operation=create_group", 1),
            ("name=U0", 2),
            (&format!("resource_id={}", ids[1]), 1),
            ("warnings=true", 1),
            ("since=2099-01-01T00:00:00Z", 0),
            ("until=2099-01-01T00:00:00Z", 7),
            ("limit=3", 3),
        ] {
            assert_eq!(count(query), expected, "{query}");
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = console.show(&format!("/requests?limit=2{after}"));
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["id"].as_i64().unwrap()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 7);
        assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
        assert_eq!(count(&format!("newer_than={}", seen[2])), 2);
        for wrong in ["after=x", "status=200", "limit=0", "nonsense=1"] {
            let status = problem(&console.get(&format!("/requests?{wrong}"))).0;
            assert!((400..500).contains(&status), "{wrong}: {status}");
        }
        assert_eq!(problem(&console.get("/requests?connector=nobody")).0, 404);
    });
}

#[test]
fn a_wrong_token_is_recorded_for_the_connector_of_the_path() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, mut idp) = (Console::new(&world), Idp::new(&world));
        idp.token = "vst_scim_wrong".to_owned();
        let refused = idp.post("/Users", &json!({ "userName": "joy" }));
        assert_eq!(refused.status, 401);
        assert!(refused.json()["detail"].as_str().is_some());
        idp.base = "/scim/v2/00000000-0000-0000-0000-00000000ffff".to_owned();
        assert_eq!(idp.get("/Users").status, 401);
        let page = console.show("/requests?connector=idp");
        assert_eq!(operations(&page), ["refused"]);
        let one = &page["items"][0];
        assert_eq!(
            (&one["status"], &one["method"]),
            (&json!(401), &json!("POST"))
        );
        assert!(one["detail"].as_str().unwrap().contains("token"));
        assert_eq!(
            console.show(&format!("/requests/{}", one["id"]))["body"],
            Value::Null
        );
        assert_eq!(operations(&console.show("/requests")).len(), 1);
    });
}

#[test]
fn bodies_are_cut_and_kept_without_secrets() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let last = || console.show("/requests?limit=1")["items"][0].clone();
        let body_of = |record: &Value| console.show(&format!("/requests/{}", record["id"]));
        let members: Vec<Value> = (0..5_000)
            .map(|nth| json!({ "value": format!("m{nth}") }))
            .collect();
        idp.post(
            "/Groups",
            &json!({ "displayName": "big", "members": members }),
        );
        let big = body_of(&last());
        assert_eq!(big["body_cut"], true);
        assert!(big["body"].as_str().unwrap().len() <= 16 * 1024);
        assert!(big["warnings"].as_array().unwrap().len() <= 50);
        let broken = idp
            .ask("POST", "/Users")
            .header("Content-Type", "application/json");
        world.send(broken.body(r#"{"userName":"joy","password":"S3CRET","#));
        let broken = body_of(&last());
        assert_eq!(
            (&broken["status"], &broken["scim_type"]),
            (&json!(400), &json!("invalidSyntax"))
        );
        assert_eq!(broken["body"], r#"{"userName":"joy","password":"***","#);
        for (method, path, body) in [
            (
                "POST",
                "/Users/.search",
                json!({ "filter": "password eq \"S3CRET\"" }),
            ),
            (
                "GET",
                "/Users?filter=p%61ssword%20eq%20%22S3CRET%22",
                Value::Null,
            ),
            (
                "POST",
                "/Users",
                json!({ "userName": "u", "password": ["S3CRET"] }),
            ),
            (
                "POST",
                "/Users",
                json!({ "userName": 7, "password": { "x": "S3CRET" } }),
            ),
            (
                "PATCH",
                "/Users/x",
                json!({ "Operations": [{ "op": "remove", "path": "password[value eq \"S3CRET\"]" }] }),
            ),
            (
                "POST",
                "/Bulk",
                json!({ "Operations": [{ "method": "POST", "path": "/Users", "data": { "password": "S3CRET" } }] }),
            ),
        ] {
            let before = last()["id"].clone();
            world.send(idp.ask_with(method, path, &body));
            let record = body_of(&last());
            assert_ne!(record["id"], before, "{method} {path} is recorded");
            assert!(!record.to_string().contains("S3CRET"), "{record}");
        }
    });
}

#[test]
fn old_records_go_in_small_pieces() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        for nth in 0..6 {
            idp.post("/Users", &json!({ "userName": format!("u{nth}") }));
        }
        assert_eq!(operations(&console.show("/requests")).len(), 6);
        let prune = |days, most| {
            world
                .run(world.provision.prune_requests(days, most))
                .unwrap()
        };
        assert_eq!(prune(30, 100), 0);
        assert_eq!(prune(30, 4), 2);
        assert_eq!(prune(30, 4), 0);
        world.wait(SignedDuration::from_hours(24 * 20));
        idp.post("/Users", &json!({ "userName": "late" }));
        assert_eq!(operations(&console.show("/requests")).len(), 5);
        world.wait(SignedDuration::from_hours(24 * 15));
        assert_eq!(prune(30, 100), 4);
        assert_eq!(each(&console.show("/requests"), "resource_name"), ["late"]);
    });
}

#[test]
fn strangers_and_taken_names_are_listed() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        idp.post(
            "/Groups",
            &json!({ "displayName": "dev", "members": [{ "value": "m2" }, { "value": "m1" }] }),
        );
        idp.post(
            "/Groups",
            &json!({ "displayName": "ops", "members": [{ "value": "m2" }] }),
        );
        let path = "/connectors/idp/pending-members";
        let all = console.show(path);
        assert_eq!(each(&all, "value"), ["m1", "m2", "m2"]);
        assert_eq!(each(&all, "group"), ["dev", "dev", "ops"]);
        let first = console.show(&format!("{path}?limit=2"));
        let rest = console.show(&format!("{path}?after={}", first["next"].as_str().unwrap()));
        assert_eq!(each(&rest, "group"), ["ops"]);
        assert_eq!(rest.get("next"), None);
        idp.post("/Users", &json!({ "userName": "x", "externalId": "m2" }));
        assert_eq!(each(&console.show(path), "value"), ["m1"]);

        let second = ok(&console.post(
            "/connectors",
            json!({ "name": "second", "directory": "default" }),
        ));
        let other = Idp {
            world: &world,
            base: format!("/scim/v2/{}", second["id"].as_str().unwrap()),
            token: second["token"].as_str().unwrap().to_owned(),
        };
        other.post("/Users", &json!({ "userName": "X" }));
        let path = "/connectors/second/name-conflicts";
        let conflicts = console.show(path);
        let one = &conflicts["items"][0];
        assert_eq!(
            (&one["user_name"], &one["wanted"], &one["holder"]["name"]),
            (&json!("X"), &json!("x"), &json!("x"))
        );
        assert_eq!(
            console.show("/connectors/idp/name-conflicts")["items"],
            json!([])
        );
        for wrong in [
            "/connectors/idp/pending-members?after=x",
            "/connectors/idp/name-conflicts?after=x",
        ] {
            assert_eq!(problem(&console.get(wrong)).0, 422);
        }
    });
}

#[test]
fn a_request_is_replayed_by_the_present_rules_and_leaves_no_trace() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let body = json!({ "userName": "joy", "displayName": "Joy", "password": "S3CRET", "active": true });
        let joy = crate::scim_idp::id_of(&idp.post("/Users", &body));
        let team = idp.group("team", &[&joy]);
        idp.patch(
            &format!("/Users/{joy}"),
            &json!([{ "op": "replace", "path": "active", "value": false }]),
        );
        idp.patch(
            &format!("/Users/{joy}"),
            &json!([{ "op": "replace", "value": { "active": true, "displayName": "Joyce" } }]),
        );
        idp.delete(&format!("/Groups/{team}"));
        let number = |operation: &str, nth: usize| {
            let page = console.show(&format!("/requests?operation={operation}"));
            page["items"][nth]["id"].as_i64().unwrap()
        };
        let state = || {
            let person = console.show("/directories/default/users/joy");
            let position = console.show("/directories/default")["position"].clone();
            let requests = console.show("/requests")["items"].as_array().unwrap().len();
            let holds = console.show("/holds");
            let source = idp.get(&format!("/Users/{joy}")).text().to_owned();
            json!([person, position, requests, holds, source])
        };
        let before = state();
        let replay = |id: i64| ok(&console.call(&format!("/requests/{id}/replay")));

        // The older PATCH would disable her again.
        let older = replay(number("patch_user", 1));
        assert_eq!(older["operations"][0]["status"], 200, "{older}");
        assert_eq!(older["operations"][0]["before"]["active"], true);
        assert_eq!(older["operations"][0]["after"]["active"], false);
        assert_eq!(older["changes"][0]["change"]["change"], "disable");
        assert_eq!(older["changes"][0]["user"], "joy");
        // The newer one finds everything as it says.
        let newer = replay(number("patch_user", 0));
        assert_eq!(newer["changes"], json!([]));
        // What made her is tried on her; the group is gone and would be made anew.
        let made = replay(number("create_user", 0));
        assert_eq!(
            (&made["as_replacement"], &made["masked"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(made["operations"][0]["after"]["displayName"], "Joy");
        let group = replay(number("create_group", 0));
        assert_eq!(group["operations"][0]["members_after"], 1, "{group}");
        let changes: Vec<&Value> = group["changes"].as_array().unwrap().iter().collect();
        let last = changes.last().unwrap();
        assert_eq!(last["change"]["change"], "add_membership", "{group}");
        assert_eq!(
            (&last["user"], &last["group"]),
            (&json!("joy"), &json!("team"))
        );
        let gone = replay(number("delete_group", 0));
        assert_eq!(gone["operations"][0]["status"], 404);
        assert_eq!(gone["operations"][0]["code"], "group-not-found");
        assert_eq!(state(), before, "nothing is written");

        // New rules are what it goes by.
        let mut rules = console.show("/connectors/idp/rules")["rules"].clone();
        rules["accounts"]["disable"] = json!(false);
        let wish = json!({ "rules": rules, "comment": "nobody is disabled" });
        ok(&console.put("/connectors/idp/rules", wish));
        let older = replay(number("patch_user", 1));
        let change = &older["changes"][0]["change"];
        assert_eq!(
            change["change"], "set_reason",
            "nobody is disabled: {older}"
        );

        // What cannot be tried says why.
        idp.get("/Users/nobody");
        let long = "x".repeat(20_000);
        idp.post("/Users", &json!({ "userName": "long", "title": long }));
        for (operation, why) in [
            ("get_user", "only reads"),
            ("create_user", "longer than what is kept"),
        ] {
            let id = number(operation, 0);
            let (status, told) = problem(&console.call(&format!("/requests/{id}/replay")));
            assert_eq!(status, 409);
            assert!(told.contains(why), "{told}");
            let shown = console.show(&format!("/requests/{id}"));
            assert!(
                shown["not_replayable"].as_str().unwrap().contains(why),
                "{shown}"
            );
        }
        assert_eq!(problem(&console.call("/requests/999999/replay")).0, 404);
    });
}
