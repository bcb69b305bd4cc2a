//! Directories and connectors that are made, moved and deleted through the admin API.

use emulate::databases::on_each_database;
use serde_json::{Value, json};
use store::Access;

use crate::api_console::{Console, each, ok, problem};
use crate::world::World;

/// Works off the job that an answer began; gives it as it is then.
pub fn done(console: &Console, begun: &Value) -> Value {
    console
        .world
        .run(console.world.provision.work_off())
        .unwrap();
    let job = console.show(&format!("/jobs/{}", begun["job"]["id"].as_str().unwrap()));
    assert_eq!(job["state"], "done", "{job}");
    job
}

#[test]
fn directories_are_made_renamed_and_deleted() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let made = console.post("/directories", json!({"name": "Staff"}));
        assert_eq!(made.status, 201);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(
            problem(&console.post("/directories", json!({"name": "staff"}))).0,
            409
        );
        let renamed = ok(&console.patch(&format!("/directories/{id}"), json!({"name": "All"})));
        assert_eq!(
            (&renamed["name"], &renamed["id"]),
            (&json!("All"), &json!(id))
        );

        let fed = problem(&console.delete("/directories/default?force=true"));
        assert_eq!(fed.0, 422);
        assert!(fed.1.contains("fed by the connector"), "{}", fed.1);
        world.application_from("jira", Access::ReadOnly, &[], Some("All"));
        let preview = console.show("/directories/All/deletion");
        assert_eq!(preview["applications"], json!(["jira"]));
        assert_eq!(preview["applications_left_with_nothing"], json!(["jira"]));
        let seen = problem(&console.delete("/directories/All"));
        assert!(seen.1.contains("say 'force'"), "{}", seen.1);
        let alone = problem(&console.delete("/directories/All?force=true"));
        assert!(
            alone.1.contains("all that the applications jira see"),
            "{}",
            alone.1
        );
        let both = json!({"directories": ["All", "default"]});
        let applications = console.show("/applications");
        let jira = applications["items"][0]["id"].as_str().unwrap().to_owned();
        ok(&console.patch(&format!("/applications/{jira}"), both));
        let begun = console.delete("/directories/All?force=true");
        assert_eq!(begun.status, 202);
        done(&console, &begun.json());
        assert_eq!(problem(&console.get("/directories/All")).0, 404);
        assert!(!each(&console.show("/directories"), "name").contains(&"All".to_owned()));
    });
}

#[test]
fn a_connector_moves_gives_accounts_away_and_is_deleted() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        world.mira();
        ok(&console.post("/directories", json!({"name": "Other"})));
        let preview = console.show("/connectors/idp/release?directory=Other");
        assert_eq!(
            (&preview["active_accounts"], &preview["taken_names"]),
            (&json!(1), &json!(0))
        );
        let wish = json!({"directory": "Other", "accounts": "remove"});
        let begun = console.post("/connectors/idp/move", wish);
        assert_eq!(begun.status, 202);
        let paused = console.show("/connectors/idp");
        assert_eq!(paused["state"], "paused");
        let refused = problem(&console.patch("/connectors/idp", json!({"state": "active"})));
        assert!(refused.1.contains("is going on"), "{}", refused.1);
        done(&console, &begun.json());
        let moved = console.show("/connectors/idp");
        assert_eq!(
            (&moved["state"], &moved["directory"]),
            (&json!("active"), &json!("Other"))
        );
        assert_eq!(
            problem(&console.get("/directories/default/users/mira")).0,
            404
        );
        assert_eq!(
            console.show("/directories/Other/users/mira")["connector"],
            "idp"
        );

        let made = json!({"name": "new", "directory": "Other"});
        assert_eq!(console.post("/connectors", made).status, 201);
        let wish = json!({"to": "new", "match_by": "email"});
        let preview = ok(&console.post("/connectors/idp/transfer/preview", wish.clone()));
        assert_eq!(preview["counts"], json!({"no_match": 1}));
        assert_eq!(preview["accounts"][0]["name"], "mira");
        let begun = console.post("/connectors/idp/transfer", wish);
        assert_eq!(
            done(&console, &begun.json())["counts"],
            json!({"unchanged": 1})
        );
        let wrong = json!({"to": "new", "filter": "userName eq"});
        assert_eq!(
            console
                .post("/connectors/idp/transfer/preview", wrong)
                .status,
            400
        );

        let begun = console.delete("/connectors/idp?accounts=disable");
        assert_eq!(begun.status, 202);
        assert_eq!(console.show("/connectors/idp")["state"], "disabled");
        let job = done(&console, &begun.json());
        assert_eq!(job["counts"]["disable"], 1);
        assert_eq!(problem(&console.get("/connectors/idp")).0, 404);
        let mira = console.show("/directories/Other/users/mira");
        assert_eq!(
            (&mira["status"], &mira["connector"]),
            (&json!("disabled"), &Value::Null)
        );

        let touched = console.show("/directories/Other/detachment");
        let wanted = json!({
            "active_accounts": 0, "disabled_accounts": 0, "groups": 0, "held_changes": 0,
            "connectors": ["new"], "paused_connectors": ["new"],
        });
        assert_eq!(touched, wanted);
        assert_eq!(console.show("/connectors/new")["state"], "active");
        let begun = console.call("/directories/Other/detach");
        assert_eq!(begun.status, 202);
        done(&console, &begun.json());
        assert_eq!(console.show("/connectors/new")["state"], "paused");
    });
}

#[test]
fn a_directory_is_shared_by_an_order_that_is_looked_at_first() {
    on_each_database(|database| {
        let world = World::new(database);
        let ann = json!({"userName": "ann", "displayName": "Ann"});
        world.user(ann);
        let console = Console::new(&world);
        let path = "/directories/default/precedence";
        assert_eq!(console.show(path), json!({"shared_accounts": 0}));
        assert_eq!(
            console
                .post("/connectors", json!({"name": "hr", "directory": "default"}))
                .status,
            201
        );
        let view = json!({"order": ["hr", "idp"], "targets": {"attr:title": ["idp"]}});
        let preview = ok(&console.post(&format!("{path}/preview"), view.clone()));
        assert_eq!(preview, json!({"shared_accounts": 0, "items": []}));
        let begun = console.put(path, view.clone());
        assert_eq!(begun.status, 202, "{}", begun.text());
        let jobs = begun.json()["jobs"].as_array().unwrap().len();
        assert_eq!(jobs, 3, "one of each connector");
        console
            .world
            .run(console.world.provision.work_off())
            .unwrap();
        assert_eq!(console.show(path)["precedence"], view);
        for (wrong, text) in [
            (json!({"order": ["hr", "hr"]}), "order[1]"),
            (json!({"targets": {"active": ["hr"]}}), "targets.active"),
            (json!({"targets": {"nonsense": ["hr"]}}), "targets.nonsense"),
        ] {
            let refused = console.put(path, wrong);
            assert_eq!(refused.status, 422, "{}", refused.text());
            assert!(refused.text().contains(text), "{}", refused.text());
        }
        let unknown = console.put(path, json!({"order": ["nobody"]}));
        assert_eq!(problem(&unknown).0, 404);
        assert_eq!(console.delete(path).status, 202);
        console
            .world
            .run(console.world.provision.work_off())
            .unwrap();
        assert!(console.show(path)["precedence"].is_null());
    });
}
