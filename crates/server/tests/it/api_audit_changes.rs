//! The audit log tells what really changed: before and after, value by value.

use emulate::databases::on_each_database;
use futures_util::future::join_all;
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, each, ok, problem};
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::World;

/// The newest entry of an action.
fn newest(console: &Console<'_>, action: &str) -> Value {
    console.show(&format!("/audit?action={action}&limit=1"))["items"][0].clone()
}

/// What an entry says of changes, in lines, in the order of the places.
fn changes(entry: &Value) -> Vec<String> {
    let all = entry["changes"].as_array().unwrap();
    let mut lines: Vec<String> = all
        .iter()
        .map(|one| {
            let path = one["path"].as_str().unwrap();
            format!("{path}: {} -> {}", one["before"], one["after"])
        })
        .collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_value_that_was_changed_is_told_as_it_was_and_as_it_is() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        ok(&console.patch(
            "/connectors/idp",
            json!({"settings": {"accept_passwords": true}}),
        ));
        assert_eq!(
            changes(&newest(&console, "change_connector")),
            ["settings.accept_passwords: false -> true"]
        );
        // The same once more changes nothing, and people who come meanwhile are no change of the connector.
        Idp::new(world).user("ann");
        ok(&console.patch(
            "/connectors/idp",
            json!({"settings": {"accept_passwords": true}}),
        ));
        assert_eq!(newest(&console, "change_connector")["changes"], json!([]));
        ok(&console.patch(
            "/connectors/idp",
            json!({"settings": {"limits": {"leavers": 7}}, "state": "paused"}),
        ));
        assert_eq!(
            changes(&newest(&console, "change_connector")),
            [
                "settings.limits.leavers: 0 -> 7",
                r#"state: "active" -> "paused""#
            ]
        );
        ok(&console.patch("/audit/settings", json!({"keep_days": 90})));
        assert_eq!(
            changes(&newest(&console, "change_audit_settings")),
            ["keep_days: 400 -> 90"]
        );
        ok(&console.patch("/sign-in", json!({"require_second_factor": true})));
        assert_eq!(
            changes(&newest(&console, "change_sign_in_rules")),
            ["require_second_factor: false -> true"]
        );
        // Who may do what.
        Browser::signed_in(world, "ben", Role::Operator);
        ok(&console.patch("/administrators/ben", json!({"role": "owner"})));
        assert_eq!(
            changes(&newest(&console, "change_administrator")),
            [r#"role: "operator" -> "owner""#]
        );
        // What was refused changed nothing.
        problem(&console.patch("/connectors/idp", json!({"state": "asleep"})));
        let refused = newest(&console, "change_connector");
        assert_eq!(
            (&refused["succeeded"], &refused["changes"]),
            (&json!(false), &json!(null))
        );
        let reader = ok(&console.post("/tokens", json!({"label": "reader", "role": "auditor"})));
        let reader = Console::with_token(world, reader["token"].as_str().unwrap());
        problem(&reader.patch("/connectors/idp", json!({"state": "active"})));
        let refused = newest(&console, "change_connector");
        assert_eq!(
            (&refused["actor"], &refused["changes"]),
            (&json!("reader"), &json!(null))
        );
        assert_eq!(console.show("/audit/check")["whole"], true);
    });
}

#[test]
fn rules_are_told_apart_however_they_are_changed() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let mut rules = console.show("/connectors/idp/rules")["rules"].clone();
        rules["cleanup"]["idp_deleted"] = json!("delete");
        ok(&console.put(
            "/connectors/idp/rules",
            json!({"rules": rules, "comment": "tidy"}),
        ));
        let entry = newest(&console, "save_rules");
        let told = changes(&entry);
        assert!(
            told.contains(&r#"rules.cleanup.idp_deleted: "disable" -> "delete""#.to_owned()),
            "{told:?}"
        );
        assert!(told.contains(&"version: 1 -> 2".to_owned()), "{told:?}");
        assert!(
            told.iter().any(|line| line.ends_with(r#"-> "tidy""#)),
            "{told:?}"
        );
        assert_eq!(told.len(), 3, "{told:?}");
        ok(&console.post("/connectors/idp/rules/versions/1/rollback", json!({})));
        let told = changes(&newest(&console, "roll_back_rules"));
        assert!(
            told.contains(&r#"rules.cleanup.idp_deleted: "delete" -> "disable""#.to_owned()),
            "{told:?}"
        );

        let mut wish = console.show("/configuration");
        for connector in wish["connectors"].as_array_mut().unwrap() {
            connector["settings"] = json!({"limits": {"leavers": 9}});
        }
        ok(&console.post("/configuration/plan", json!({"configuration": wish})));
        assert!(
            console.show("/audit?action=plan_configuration")["items"]
                .as_array()
                .unwrap()
                .is_empty()
        );
        ok(&console.post("/configuration/apply", json!({"configuration": wish})));
        let told = changes(&newest(&console, "apply_configuration"));
        assert!(
            !told.is_empty()
                && told
                    .iter()
                    .all(|line| line.ends_with("].settings.limits.leavers: 0 -> 9")),
            "{told:?}"
        );
    });
}

#[test]
fn what_is_made_is_told_without_what_is_shown_once() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let token = ok(&console.post("/tokens", json!({"label": "ci", "role": "operator"})));
        let entry = newest(&console, "create_api_token");
        let path = format!("/tokens/{}", token["id"].as_str().unwrap());
        assert_eq!(entry["target"], json!(path));
        let told = changes(&entry);
        assert!(
            told.contains(&r#"label: null -> "ci""#.to_owned()),
            "{told:?}"
        );
        assert!(
            told.contains(&r#"role: null -> "operator""#.to_owned()),
            "{told:?}"
        );
        let application = ok(&console.post("/applications", json!({"name": "jira"})));
        assert!(
            changes(&newest(&console, "create_application"))
                .contains(&r#"name: null -> "jira""#.to_owned())
        );
        let client = ok(&console.post("/connectors/idp/clients", json!({"label": "graph"})));
        let entry = newest(&console, "create_client");
        assert!(
            changes(&entry).contains(&r#"label: null -> "graph""#.to_owned()),
            "{entry}"
        );
        let client_id = client["client_id"].as_str().unwrap();
        let rotated = ok(&console.post(
            &format!("/connectors/idp/clients/{client_id}/secrets"),
            json!({}),
        ));
        let told = changes(&newest(&console, "rotate_client_secret"));
        assert!(
            told.iter().any(|line| line.starts_with("secrets[")),
            "{told:?}"
        );
        let invitation = ok(&console.post("/invitations", json!({"role": "auditor"})));
        assert!(
            changes(&newest(&console, "invite_administrator"))
                .contains(&r#"role: null -> "auditor""#.to_owned())
        );
        let link = ok(&console.post("/connectors/idp/setup-links", json!({"days": 2})));
        assert!(!changes(&newest(&console, "create_setup_link")).is_empty());
        let connector =
            ok(&console.post("/connectors", json!({"name": "okta eu", "preset": "okta"})));
        assert!(
            changes(&newest(&console, "create_connector"))
                .contains(&r#"preset: null -> "okta""#.to_owned())
        );
        let replaced = ok(&console.post(
            "/connectors/idp/tokens/rotate",
            json!({"overlap_minutes": 5}),
        ));
        let told = changes(&newest(&console, "rotate_connector_tokens"));
        assert!(
            told.iter().any(|line| line.starts_with("tokens[")),
            "{told:?}"
        );
        let password = ok(&console.call("/applications/jira/password"));
        let way = json!({"name": "ops", "way": {"webhook": {"url": "https://example.org/x"}}, "secret": "whsec_dmlvbGV0LWFuY2hvci12aW9sZXQtYW5jaG9y"});
        ok(&console.post("/notifications", way));

        let log = console.show("/audit?limit=1000").to_string() + console.get("/audit.csv").text();
        for (answer, member) in [
            (&token, "token"),
            (&application, "password"),
            (&client, "client_secret"),
            (&rotated, "client_secret"),
            (&invitation, "link"),
            (&link, "link"),
            (&connector, "token"),
            (&replaced, "token"),
            (&password, "password"),
        ] {
            let secret = answer[member].as_str().unwrap();
            let secret = secret.rsplit(['/', '#', '=']).next().unwrap();
            assert!(
                secret.len() > 12 && !log.contains(secret),
                "{member}: {secret}"
            );
        }
        assert!(
            !log.contains("whsec_dmlvbGV0LWFuY2hvci12aW9sZXQtYW5jaG9y"),
            "{log}"
        );
    });
}

#[test]
fn what_is_gone_is_kept_in_the_log() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let made = ok(&console.post("/connectors/idp/tokens", json!({"label": "old one"})));
        let path = format!("/connectors/idp/tokens/{}", made["id"].as_str().unwrap());
        assert_eq!(console.delete(&path).status, 204);
        let entry = newest(&console, "revoke_connector_token");
        assert_eq!(entry["target"], json!(path));
        let told = changes(&entry);
        assert!(
            told.contains(&r#"label: "old one" -> null"#.to_owned()),
            "{told:?}"
        );
        ok(&console.post(
            "/applications",
            json!({"name": "jira", "addresses": ["192.0.2.0/24"]}),
        ));
        assert_eq!(console.delete("/applications/jira").status, 204);
        let told = changes(&newest(&console, "delete_application"));
        assert!(
            told.contains(&r#"addresses[0]: "192.0.2.0/24" -> null"#.to_owned()),
            "{told:?}"
        );
        Browser::signed_in(world, "ben", Role::Auditor);
        assert_eq!(console.delete("/administrators/ben").status, 204);
        let told = changes(&newest(&console, "delete_administrator"));
        assert!(
            told.contains(&r#"role: "auditor" -> null"#.to_owned()),
            "{told:?}"
        );
        // A connector goes piece by piece.
        ok(&console.post("/connectors", json!({"name": "old", "preset": "entra"})));
        assert_eq!(console.delete("/connectors/old").status, 202);
        let told = changes(&newest(&console, "delete_connector"));
        assert!(
            told.contains(&r#"preset: "entra" -> null"#.to_owned()),
            "{told:?}"
        );
        // What was not there is not entered.
        assert_eq!(console.delete("/applications/jira").status, 404);
        assert_eq!(
            console.show("/audit?action=delete_application")["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    });
}

#[test]
fn the_entries_of_an_object_are_found_by_its_name_and_by_its_id() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let made = ok(&console.post("/connectors", json!({"name": "okta eu", "preset": "okta"})));
        let id = made["id"].as_str().unwrap();
        ok(&console.post(
            "/connectors",
            json!({"name": "okta europe", "preset": "okta"}),
        ));
        ok(&console.patch("/connectors/okta%20eu", json!({"state": "paused"})));
        ok(&console.patch(&format!("/connectors/{id}"), json!({"state": "active"})));
        ok(&console.post("/connectors/OKTA%20eu/tokens", json!({"label": "x"})));
        let of = |target: &str| each(&console.show(&format!("/audit?target={target}")), "action");
        let all = [
            "create_connector_token",
            "change_connector",
            "change_connector",
            "create_connector",
        ];
        for target in [
            "/connectors/okta%20eu".to_owned(),
            "connectors/okta%2520eu/".to_owned(),
            format!("/connectors/{id}"),
            format!("/api/v1/connectors/{id}"),
        ] {
            assert_eq!(of(&target), all, "{target}");
        }
        assert_eq!(of("/connectors/okta").len(), 0);
        assert_eq!(of("/connectors").len(), 5);
        assert_eq!(of("/connectors/okta%20eu&succeeded=false").len(), 0);
        assert_eq!(of("/connectors/okta%20eu&action=create_connector").len(), 1);
        let target =
            console.show("/audit?target=/connectors/okta%20eu")["items"][2]["target"].clone();
        assert_eq!(target, "/connectors/okta eu");
        let saved = console.get("/audit.csv?target=/connectors/okta%20eu");
        assert_eq!(saved.text().lines().count(), 5);
        assert!(
            saved
                .text()
                .contains(r#"[{""path"":""state"",""before"":""active"",""after"":""paused""}]"#),
            "{}",
            saved.text()
        );
        let saved = console
            .get("/audit.json?target=/connectors/okta%20eu&action=change_connector&limit=1")
            .json();
        assert_eq!(saved[0]["changes"][0]["after"], "active");
        // Another name, and what is gone.
        ok(&console.patch("/connectors/okta%20eu", json!({"name": "okta old"})));
        assert_eq!(
            changes(&newest(&console, "change_connector")),
            [r#"name: "okta eu" -> "okta old""#]
        );
        let renamed = of("/connectors/okta%20old");
        assert_eq!(renamed.len(), all.len() + 1);
        assert_eq!(console.delete("/connectors/okta%20old").status, 202);
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(console.get(&format!("/connectors/{id}")).status, 404);
        assert_eq!(of(&format!("/connectors/{id}")).len(), all.len() + 2);
    });
}

#[test]
fn changes_at_the_same_time_are_not_told_of_each_other() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let names = ["one", "two", "three", "four"];
        let all = names.map(|name| {
            let wish = json!({"settings": {"limits": {"break_glass_users": [name]}}});
            console
                .ask("PATCH", "/connectors/idp")
                .header("Content-Type", "application/json")
                .body(wish.to_string())
        });
        let answers = world.run(join_all(
            all.into_iter().map(|ask| ask.send(&world.address)),
        ));
        assert!(answers.iter().all(|answer| answer.status == 200));
        let entries = console.show("/audit?action=change_connector");
        let entries = entries["items"].as_array().unwrap();
        assert_eq!(entries.len(), 4);
        for entry in entries {
            assert_eq!(changes(entry).len(), 1, "{entry}");
            let after = entry["changes"][0]["after"].as_str().unwrap();
            assert!(entry["detail"].as_str().unwrap().contains(after), "{entry}");
        }
    });
}

#[test]
fn the_console_enters_the_same_and_shows_it_harmlessly() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let ann = Browser::signed_in(world, "ann", Role::Owner);
        ann.fill_in(
            "/console/connectors/idp",
            "/console/connectors/idp/state",
            &[("state", "paused")],
        );
        let entry = newest(&console, "change_connector");
        assert_eq!(
            (&entry["actor"], &entry["actor_kind"]),
            (&json!("ann"), &json!("administrator"))
        );
        assert_eq!(changes(&entry), [r#"state: "active" -> "paused""#]);
        let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
        let long = format!("{evil}{}", "y".repeat(700));
        let users = json!({"limits": {"break_glass_users": [evil, long]}});
        ok(&console.patch("/connectors/idp", json!({"settings": users})));
        let page = ann.get("/console/audit?target=/connectors/idp");
        let text = page.text();
        assert!(
            !text.contains("<script>alert") && !text.contains("<img src=x"),
            "{text}"
        );
        assert!(
            text.contains("settings.limits.break_glass_users[0]"),
            "{text}"
        );
        assert!(text.contains("&#60;script&#62;alert(1)"), "{text}");
        assert!(
            text.contains(&"y".repeat(700)),
            "all of a long value is there"
        );
        assert!(text.contains("<del>") && text.contains("paused"), "{text}");
        let told = "<td data-label=\"What\">change connector";
        assert_eq!(text.matches(told).count(), 2, "{text}");
        let page = ann.get("/console/audit?target=%2Fconnectors%2F%3Cscript%3E");
        assert_eq!(page.status, 200);
        assert!(
            page.text().contains("There is no such entry"),
            "{}",
            page.text()
        );
    });
}
