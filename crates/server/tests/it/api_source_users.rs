//! Users as identity providers wrote them, through the admin API: with an account or without.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::world::World;

/// Everybody but contractors has an account.
fn some_are_left_out(world: &World) -> Console<'_> {
    let console = Console::new(world);
    let rules = json!({"rules": {"scope": {"filter": "userType eq \"Employee\""}}});
    ok(&console.put("/connectors/idp/rules", rules));
    for (name, kind) in [
        ("ann", "Employee"),
        ("scoped.out", "Contractor"),
        ("bob", "Employee"),
    ] {
        world.user(json!({
            "userName": name, "userType": kind, "externalId": format!("x-{name}"), "displayName": format!("Mx {name}"),
            "emails": [{"value": format!("{name}@example.test"), "primary": true}, {"value": format!("{name}@old.test")}],
        }));
    }
    console
}

#[test]
fn whoever_was_written_is_listed_and_found_whatever_the_rules_say() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = some_are_left_out(&world);
        let list = |query: &str| console.show(&format!("/connectors/idp/users{query}"));
        assert_eq!(each(&list(""), "user_name"), ["ann", "scoped.out", "bob"]);
        assert_eq!(each(&list("?account=false"), "user_name"), ["scoped.out"]);
        assert_eq!(each(&list("?account=true"), "user_name"), ["ann", "bob"]);
        for text in ["SCOPED", "mx%20scoped", "scoped.out@old", "x-scoped.out"] {
            let found = list(&format!("?account=false&search={text}"));
            assert_eq!(each(&found, "user_name"), ["scoped.out"], "{text}");
            assert_eq!(found["items"][0]["account"], Value::Null);
        }
        assert_eq!(
            each(&list("?search=ann&account=false"), "user_name"),
            [""; 0]
        );
        assert_eq!(list("?search=ann")["items"][0]["account"]["name"], "ann");
        // A part, and the next.
        let first = list("?limit=2");
        assert_eq!(each(&first, "user_name"), ["ann", "scoped.out"]);
        let rest = list(&format!(
            "?limit=2&after={}",
            first["next"].as_str().unwrap()
        ));
        assert_eq!(
            (each(&rest, "user_name"), &rest["next"]),
            (vec!["bob".to_owned()], &Value::Null)
        );

        let shown = console.show("/connectors/idp/users/scoped.out");
        assert_eq!(shown["document"]["userType"], "Contractor");
        assert_eq!(
            (&shown["email"], &shown["active"]),
            (&json!("scoped.out@example.test"), &json!(true))
        );
        let by_id = console.show(&format!(
            "/connectors/idp/users/{}",
            shown["id"].as_str().unwrap()
        ));
        assert_eq!(by_id, shown);
        assert_eq!(problem(&console.get("/connectors/idp/users/nobody")).0, 404);
        assert_eq!(problem(&console.get("/connectors/none/users")).0, 404);
        assert_eq!(
            problem(&console.get("/connectors/idp/users?after=x")).0,
            422
        );
        let both = problem(&console.get("/connectors/idp/users?search=x&after=1"));
        assert!(both.1.contains("one page"), "{}", both.1);
    });
}

#[test]
fn a_user_who_speaks_of_an_account_of_another_connector_has_one() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        world.mira();
        let wish = json!({"name": "second", "directory": "default"});
        ok(&console.post("/connectors", wish));
        let wish = json!({"order": ["idp", "second"]});
        ok(&console.put("/directories/default/precedence", wish));
        world.run(world.provision.work_off()).unwrap();
        let second = world.run(async {
            let store = world.provision.store();
            store
                .read(|tx| tx.find_connector("second"))
                .await
                .unwrap()
                .unwrap()
                .connector
        });
        let token = world
            .run(world.provision.create_scim_token(second.id, "idp", None))
            .unwrap();
        crate::scim_idp::Idp::with(&world, &second.public_id, &token).user("mira");
        let found = console.show("/connectors/second/users");
        assert_eq!(found["items"][0]["account"]["name"], "mira", "{found}");
        let left_out = console.show("/connectors/second/users?account=false");
        assert_eq!(left_out["items"], json!([]));
    });
}
