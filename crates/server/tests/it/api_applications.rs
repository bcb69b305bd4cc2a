//! Applications through the admin API.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::http::Ask;
use crate::world::{World, basic};

/// What a product is told that signs in.
fn crowd_status(world: &World, name: &str, password: &str) -> u16 {
    let ask = Ask::new("GET", "/crowd/rest/usermanagement/1/user?username=mira")
        .header("Authorization", &basic(name, password));
    world.send(ask).status
}

#[test]
fn an_application_lives_from_creation_to_deletion() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let console = Console::new(&world);
        let answer = console.post("/applications", json!({"name": "jira"}));
        assert_eq!(answer.status, 201);
        let made = ok(&answer);
        let (id, password) = (
            made["id"].as_str().unwrap(),
            made["password"].as_str().unwrap(),
        );
        assert!(
            answer
                .header("location")
                .unwrap()
                .ends_with(&format!("/api/v1/applications/{id}"))
        );
        assert_eq!(made["url"], format!("http://{}/crowd", world.address));
        assert_eq!(
            (&made["access"], &made["directory"]),
            (&json!("read-only"), &json!("default"))
        );
        assert_eq!(crowd_status(&world, "jira", password), 200);

        let shown = console.show(&format!("/applications/{id}"));
        assert_eq!(shown, console.show("/applications/JIRA"));
        assert!(
            !shown.to_string().contains(password),
            "a password is shown once"
        );
        assert!(!shown.to_string().contains("argon2"));

        let change =
            json!({"name": "jira-prod", "access": "read-write", "addresses": ["127.0.0.0/8"]});
        let changed = ok(&console.patch(&format!("/applications/{id}"), change));
        assert_eq!(changed["access"], "read-write");
        assert_eq!(crowd_status(&world, "jira-prod", password), 200);
        ok(&console.patch(
            "/applications/jira-prod",
            json!({"addresses": ["192.0.2.1"]}),
        ));
        assert_eq!(crowd_status(&world, "jira-prod", password), 403);
        let open = ok(&console.patch("/applications/jira-prod", json!({"addresses": []})));
        assert_eq!(open["name"], "jira-prod", "what is left out stays");

        let renewed = ok(&console.call(&format!("/applications/{id}/password")));
        assert_eq!(crowd_status(&world, "jira-prod", password), 401);
        assert_eq!(
            crowd_status(&world, "jira-prod", renewed["password"].as_str().unwrap()),
            200
        );

        assert_eq!(each(&console.show("/applications"), "name"), ["jira-prod"]);
        assert_eq!(console.delete(&format!("/applications/{id}")).status, 204);
        assert_eq!(
            crowd_status(&world, "jira-prod", renewed["password"].as_str().unwrap()),
            401
        );
        assert_eq!(
            problem(&console.delete(&format!("/applications/{id}"))).0,
            404
        );
        assert_eq!(console.show("/applications"), json!({"items": []}));
    });
}

#[test]
fn an_application_sees_several_directories() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    world.mira();
    let console = Console::new(&world);
    ok(&console.post("/connectors", json!({"name": "other"})));
    let made = ok(&console.post(
        "/applications",
        json!({
            "name": "jira",
            "directories": ["other", {"directory": "default", "login_groups": [" jira-users "]}],
            "aggregate_memberships": true,
        }),
    ));
    let attached = |name: &str, groups: Value| json!({"directory": name, "login_groups": groups, "position": null});
    assert_eq!(
        made["directories"],
        json!([
            attached("other", Value::Null),
            {"directory": "default", "login_groups": ["jira-users"], "position": null,
                "missing_login_groups": ["jira-users"], "lets_nobody_in": true},
        ])
    );
    assert_eq!(
        (
            &made["directory"],
            &made["aggregate_memberships"],
            &made["only_with_access"]
        ),
        (&json!("other"), &json!(true), &json!(false))
    );
    let password = made["password"].as_str().unwrap();
    assert_eq!(crowd_status(&world, "jira", password), 200);
    // What is shown can be sent back, and what is left out stays.
    let shown = console.show("/applications/jira");
    let changed = ok(&console.patch(
        "/applications/jira",
        json!({"directories": shown["directories"], "only_with_access": true}),
    ));
    assert_eq!(changed["directories"], shown["directories"]);
    assert_eq!(
        (
            &changed["aggregate_memberships"],
            &changed["only_with_access"]
        ),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        crowd_status(&world, "jira", password),
        404,
        "mira is in no group that may log in"
    );
    for (body, expected, status) in [
        (json!({"directories": []}), "at least one", 422),
        (json!({"directories": ["other", "Other"]}), "twice", 422),
        (json!({"directories": ["none"]}), "no directory 'none'", 404),
        (
            json!({"directory": "other", "directories": ["default"]}),
            "not both",
            422,
        ),
        (
            json!({"directories": [{"directory": "other", "login_groups": []}]}),
            "at least one group",
            422,
        ),
    ] {
        let refused = problem(&console.patch("/applications/jira", body.clone()));
        assert_eq!(refused.0, status, "{body}: {}", refused.1);
        assert!(refused.1.contains(expected), "{body}: {}", refused.1);
    }
    assert_eq!(
        console.show("/applications/jira")["directories"],
        shown["directories"]
    );
}

#[test]
fn an_application_moves_to_another_directory() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    world.mira();
    let console = Console::new(&world);
    ok(&console.post("/connectors", json!({"name": "other"})));
    let unclear = console.post("/applications", json!({"name": "jira"}));
    let (status, detail) = problem(&unclear);
    assert_eq!(status, 422);
    assert!(detail.contains("default, other"), "{detail}");
    let made = ok(&console.post(
        "/applications",
        json!({"name": "jira", "directory": "Default"}),
    ));
    let password = made["password"].as_str().unwrap();
    assert_eq!(crowd_status(&world, "jira", password), 200);
    let moved = ok(&console.patch("/applications/jira", json!({"directory": "other"})));
    assert_eq!(moved["directory"], "other");
    assert_eq!(
        crowd_status(&world, "jira", password),
        404,
        "mira is not in that directory"
    );
    assert_eq!(
        problem(&console.patch("/applications/jira", json!({"directory": "none"}))).0,
        404
    );
}

#[test]
fn bad_applications_are_refused_with_what_to_do() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    ok(&console.post("/applications", json!({"name": "jira"})));
    for (body, status, part) in [
        (
            json!({"name": "Jira"}),
            409,
            "An application named 'Jira' exists already",
        ),
        (json!({"name": ""}), 422, "1 to 100 characters"),
        (json!({"name": "jira\u{200B}"}), 422, "invisible character"),
        (json!({"name": "a", "access": "admin"}), 422, "read-only"),
        (
            json!({"name": "a", "addresses": ["10.0.0.0/33"]}),
            422,
            "10.0.0.0/33",
        ),
        (
            json!({"name": "a", "addresses": "10.0.0.1"}),
            422,
            "addresses",
        ),
        (
            json!({"name": "a", "password": "mine"}),
            422,
            "nothing is called `password` here",
        ),
    ] {
        let (found, detail) = problem(&console.post("/applications", body.clone()));
        assert_eq!(found, status, "{body}: {detail}");
        assert!(detail.contains(part), "{body}: {detail}");
    }
    assert_eq!(problem(&console.call("/applications/none/password")).0, 404);
    assert_eq!(problem(&console.get("/applications/none")).0, 404);
}
