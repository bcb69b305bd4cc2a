//! What an administrator and the rules do to one user, seen through the admin API and by a product.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::json;

use crate::api_console::{Console, ok, problem};
use crate::world::{Product, World};

fn login(product: &Product<'_>, user: &str) -> u16 {
    let path = format!("/authentication?username={user}");
    product.post(&path, r#"{"value": "s3cret"}"#).status
}

#[test]
fn an_administrator_takes_the_log_in_and_gives_it_back() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.user_with_password(json!({"userName": "mira"}), Some("s3cret"));
        let console = Console::new(&world);
        let product = Product::reader(&world).json();
        let path = "/directories/default/users/mira";
        assert_eq!(login(&product, "mira"), 200);
        assert_eq!(console.show(path)["last_login"], json!(null));
        world.run(world.provision.work_off()).unwrap();
        assert!(console.show(path)["last_login"].is_string());

        let disabled = console.call(&format!("{path}/disable")).json();
        assert_eq!(
            (&disabled["status"], &disabled["reason"]),
            (&json!("disabled"), &json!("MANUAL"))
        );
        assert_eq!(login(&product, "mira"), 400);
        world.patch_user(&mira, "title", "Dr");
        assert_eq!(console.show(path)["reason"], "MANUAL");

        let enabled = console.call(&format!("{path}/enable")).json();
        assert_eq!(
            (&enabled["status"], &enabled["reason"]),
            (&json!("active"), &json!("IDP_ACTIVE"))
        );
        assert_eq!(login(&product, "mira"), 200);

        world.delete_user(&mira);
        let (status, told) = problem(&console.call(&format!("{path}/enable")));
        assert_eq!(status, 422);
        assert!(told.contains("create the user there again"), "{told}");
        let nobody = console.call("/directories/default/users/nobody/disable");
        assert_eq!(problem(&nobody).0, 404);
    });
}

#[test]
fn a_product_sees_an_anonymised_user_renamed_and_inactive() {
    on_each_database(|database| {
        let rules = json!({"cleanup": {"later": {"idp_inactive": {"after_days": 7, "action": "anonymise"}}}});
        let world = World::with_rules(database, serde_json::from_value(rules).unwrap());
        let mira = world.mira();
        let product = Product::reader(&world).json();
        let key = product.get("/user?username=mira").json()["key"].clone();
        world.patch_user(&mira, "active", false);
        world.wait(SignedDuration::from_hours(7 * 24));
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(product.get("/user?username=mira").status, 404);
        let search = "/search?entity-type=user&expand=user&restriction=name%3Duser-*";
        let found = product.get(search).json()["users"][0].clone();
        assert_eq!((&found["key"], &found["active"]), (&key, &json!(false)));
        let name = found["name"].as_str().unwrap();
        assert_eq!(found["email"], format!("{name}@user.anon"));
        let console = Console::new(&world);
        let shown = console.show(&format!("/directories/default/users/{name}"));
        assert_eq!(shown["status"], "anonymised");
        assert_eq!(console.show("/directories/default")["disabled_users"], 1);

        world.patch_user(&mira, "active", true);
        assert_eq!(product.get("/user?username=mira").json()["key"], key);
    });
}

#[test]
fn who_stays_disabled_is_listed_exported_imported_and_cleared() {
    on_each_database(|database| {
        let world = World::new(database);
        for name in ["mira", "jon", "=1+1"] {
            world.user(json!({"userName": name, "externalId": format!("x-{name}")}));
        }
        let console = Console::new(&world);
        let path = "/directories/default/sticky-users";
        assert_eq!(console.show(path)["items"], json!([]));
        let wish = json!({"users": [
            {"user": "mira", "until": "2030-01-01T00:00:00Z"}, {"user": "=1+1"}, {"user": "nobody"},
            {"user": "jon", "until": "2001-01-01T00:00:00Z"},
        ]});
        let done = ok(&console.post(path, wish.clone()));
        assert_eq!(
            (&done["changed"], &done["unchanged"]),
            (&json!(2), &json!(0))
        );
        assert_eq!(each_text(&done["refused"], "user"), ["nobody", "jon"]);
        assert!(
            done["refused"][1]["why"]
                .as_str()
                .unwrap()
                .contains("passed")
        );
        let listed = console.show(&format!("{path}?reason=manual&limit=1"));
        let mira = &listed["items"][0];
        assert_eq!(
            (&mira["user_name"], &mira["external_id"]),
            (&json!("mira"), &json!("x-mira"))
        );
        assert_eq!(mira["until"], "2030-01-01T00:00:00Z");
        assert!(mira["since"].is_string());
        let next = listed["next"].as_str().unwrap();
        let rest = console.show(&format!("{path}?after={next}"));
        assert_eq!(rest["items"][0]["user_name"], "=1+1");
        assert_eq!(
            console.show(&format!("{path}?reason=inactivity_rule"))["items"],
            json!([])
        );
        let wrong = console.get(&format!("{path}?reason=mood"));
        assert_eq!(problem(&wrong).0, 400);

        let csv = console.get("/directories/default/sticky-users.csv");
        let lines: Vec<&str> = csv.text().lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("key,user_name,"), "{}", lines[0]);
        assert!(lines[1].contains(",mira,") && lines[1].contains("2030-01-01"));
        assert!(lines[2].contains(",'=1+1,"), "no formula: {}", lines[2]);

        let cleared = console.send("DELETE", path, "");
        assert_eq!(ok(&cleared)["enabled"], 2);
        assert_eq!(
            console.show("/directories/default/users/mira")["status"],
            "active"
        );
        let many: Vec<_> = (0..10_001).map(|_| json!({"user": "x"})).collect();
        assert_eq!(problem(&console.post(path, json!({"users": many}))).0, 422);

        let until = json!({"until": "2030-01-01T00:00:00Z"});
        let one = console.post("/directories/default/users/jon/disable", until);
        assert_eq!(ok(&one)["reason"], "MANUAL");
        assert_eq!(
            console.show(path)["items"][0]["until"],
            "2030-01-01T00:00:00Z"
        );
    });
}

#[test]
fn a_name_that_was_given_up_is_shown_and_let_go() {
    on_each_database(|database| {
        let rules = json!({"accounts": {"names_reserved_days": 30}});
        let world = World::with_rules(database, serde_json::from_value(rules).unwrap());
        let mira = world.user(json!({"userName": "mira"}));
        world.patch_user(&mira, "userName", "maria");
        world.user(json!({"userName": "mira"}));
        let console = Console::new(&world);
        let path = "/directories/default/reserved-names";
        let name = &console.show(path)["items"][0];
        assert_eq!(
            (&name["name"], &name["now"], &name["given_up"]),
            (&json!("mira"), &json!("maria"), &json!("renamed"))
        );
        let conflict = &console.show("/connectors/idp/name-conflicts")["items"][0];
        assert_eq!(conflict["wanted"], "mira");
        assert_eq!(conflict["holder"], json!(null));
        assert_eq!(conflict["reserved"]["until"], name["until"]);
        assert_eq!(conflict["reserved"]["key"], name["key"]);
        let gone = console.send("DELETE", &format!("{path}/MIRA"), "");
        assert_eq!(gone.status, 204);
        let again = console.send("DELETE", &format!("{path}/mira"), "");
        assert_eq!(problem(&again).0, 404);
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(
            console.show("/directories/default/users/mira")["status"],
            "active"
        );
        assert_eq!(console.show(path)["items"], json!([]));
        assert_eq!(
            console.show("/connectors/idp/name-conflicts")["items"],
            json!([])
        );
    });
}

fn each_text(list: &serde_json::Value, field: &str) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn connectors_that_take_no_effect_are_listed_alone() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let listed = || console.show("/connectors?stopped=true")["items"].clone();
        assert_eq!(listed(), json!([]));
        ok(&console.post("/connectors", json!({"name": "other"})));
        ok(&console.patch("/connectors/other", json!({"state": "paused"})));
        let one = listed()[0].clone();
        assert_eq!(listed().as_array().unwrap().len(), 1);
        let all = console.show("/connectors")["items"].clone();
        let same = all
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == "other");
        assert_eq!(Some(&one), same);
        assert!(one["stopped"]["since"].is_string(), "{one}");
    });
}
