//! The audit log: what is entered, what is kept from it, how it is searched, saved and checked.

use std::time::Duration;

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::{ActorKind, AuditDraft, Role, Scope, StoreError};

use crate::api_console::{Console, each, ok, problem};
use crate::http::Ask;
use crate::ui_browser::{Browser, PASSWORD};
use crate::world::World;

#[test]
fn whoever_hangs_up_before_the_answer_is_entered() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        for number in 0..40_u32 {
            let wish = json!({"name": format!("app{number}")});
            let ask = console
                .ask("POST", "/applications")
                .header("Content-Type", "application/json")
                .body(wish.to_string());
            let after = Duration::from_micros(u64::from(number) * 150);
            world.run(ask.send_and_hang_up(&world.address, after));
        }
        let made = || {
            let list = console.show("/applications");
            each(&list, "name").len()
        };
        let mut last = made();
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(100));
            let entries = console.show("/audit?action=create_application&limit=1000");
            let now = made();
            if now == last && entries["items"].as_array().unwrap().len() == now {
                break;
            }
            last = now;
        }
        let entries = console.show("/audit?action=create_application&limit=1000");
        assert_eq!(entries["items"].as_array().unwrap().len(), made());
    });
}

#[test]
fn who_did_what_and_who_tried_is_entered_without_secrets() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let ann = Browser::signed_in(world, "ann", Role::Owner);
        let stranger = Browser::new(world);
        stranger.sign_in("ann", "wrong horse");
        stranger.sign_in("hunter2 is my password", "ann");
        ok(&console.patch("/connectors/idp", json!({"state": "paused"})));
        ok(&console.post("/applications", json!({"name": "jira"})));
        let wish =
            json!({"issuer": "https://x", "client_id": "c", "client_secret": "violet anchor"});
        ok(&console.send("PUT", "/sign-in/openid", &wish.to_string()));
        console.post("/connectors/nowhere/reconcile", json!({}));
        problem(&console.patch("/connectors/idp", json!({"state": "asleep"})));
        ok(&console.post("/rules/check", json!({})));
        let reader = ok(&console.post("/tokens", json!({"label": "reader", "role": "auditor"})));
        let reader = Console::with_token(world, reader["token"].as_str().unwrap());
        assert_eq!(
            reader
                .patch("/connectors/idp", json!({"state": "active"}))
                .status,
            403
        );
        let unknown =
            Ask::new("GET", "/api/v1/connectors").header("Authorization", "Bearer vst_api_nothing");
        assert_eq!(world.send(unknown).status, 401);
        ann.fill_in("/console", "/console/sign-out", &[]);

        let all = reader.show("/audit");
        let mut told: Vec<String> = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
                format!(
                    "{} {} {} {}",
                    text("actor_kind"),
                    text("actor"),
                    text("action"),
                    entry["succeeded"]
                )
            })
            .collect();
        told.reverse();
        assert_eq!(
            told,
            [
                "administrator ann sign_in true",
                "administrator ann sign_in false",
                "nobody  sign_in false",
                "token console change_connector true",
                "token console create_application true",
                "token console set_open_id true",
                "token console change_connector false",
                "token console create_api_token true",
                "token reader change_connector false",
                "nobody  token false",
                "administrator ann sign_out true",
            ]
        );
        let text = all.to_string();
        for secret in [
            "violet",
            "hunter2",
            "wrong horse",
            "vst_api_nothing",
            PASSWORD,
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        let paused = &all["items"][7];
        assert_eq!(paused["target"], "/connectors/idp");
        assert_eq!(paused["detail"], r#"{"state":"paused"}"#);
        assert_eq!(paused["address"], "127.0.0.1");
        assert!(!paused["request"].as_str().unwrap().is_empty());

        let found = |query: &str| each(&reader.show(&format!("/audit?{query}")), "action");
        assert_eq!(found("actor=ANN"), ["sign_out", "sign_in", "sign_in"]);
        assert_eq!(found("action=create_application"), ["create_application"]);
        assert_eq!(found("succeeded=false").len(), 5);
        assert_eq!(found("address=192.0.2.1").len(), 0);
        assert_eq!(found("since=2999-01-01T00:00:00Z").len(), 0);
        assert_eq!(problem(&reader.get("/audit?since=yesterday")).0, 400);
        assert_eq!(problem(&reader.get("/audit?who=ann")).0, 400);
        let first = reader.show("/audit?limit=4");
        let rest = reader.show(&format!("/audit?after={}", first["next"].as_str().unwrap()));
        assert_eq!(
            first["items"].as_array().unwrap().len() + rest["items"].as_array().unwrap().len(),
            all["items"].as_array().unwrap().len()
        );
    });
}

#[test]
fn it_is_saved_as_csv_and_json_and_no_cell_is_a_formula() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let made = ok(&console.post(
            "/tokens",
            json!({"label": "=HYPERLINK(\"x\")", "role": "owner"}),
        ));
        let evil = Console::with_token(world, made["token"].as_str().unwrap());
        for number in 0..1_100 {
            let draft = AuditDraft {
                action: format!("number_{number}"),
                ..draft("many")
            };
            world.run(world.provision.audit(draft)).unwrap();
        }
        ok(&evil.patch("/connectors/idp", json!({"state": "paused"})));
        let saved = console.get("/audit.csv");
        assert!(
            saved
                .header("content-disposition")
                .unwrap()
                .contains("audit.csv")
        );
        let lines: Vec<&str> = saved.text().lines().collect();
        // The newest entry is that this was taken along.
        assert_eq!(lines.len(), 1 + 1 + 1 + 1_100 + 1);
        assert!(lines[1].contains("export_audit_csv"), "{}", lines[1]);
        assert!(lines[2].contains(r#""'=HYPERLINK(""x"")""#), "{}", lines[2]);
        assert_eq!(console.get("/audit.csv?limit=3").text().lines().count(), 4);
        let saved: Value = console.get("/audit.json").json();
        assert_eq!(saved.as_array().unwrap().len(), 1_105);
        assert_eq!(
            console.get("/audit.json?actor=nobody-there").json(),
            json!([])
        );
        let browser = Browser::signed_in(world, "ann", Role::Auditor);
        assert_eq!(
            browser
                .get("/console/audit.csv?actor=many")
                .text()
                .lines()
                .count(),
            1_101
        );
        let page = browser.get("/console/audit?action=number_7&since=2020-01-01");
        assert!(page.text().contains("number 7</td>"), "{}", page.text());
        assert!(page.text().contains("whole</span>"));
        let page = browser.get("/console/audit?since=soon");
        assert_eq!(page.status, 200);
        assert!(
            page.text().contains("write a date and a time"),
            "{}",
            page.text()
        );
    });
}

#[test]
fn what_was_changed_shows_and_what_is_old_goes() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let enter = |actor: &str| world.run(world.provision.audit(draft(actor))).unwrap();
        for _ in 0..5 {
            enter("old");
        }
        let check = console.show("/audit/check");
        assert_eq!(
            (&check["whole"], &check["entries"]),
            (&json!(true), &json!(5))
        );
        assert_eq!(
            problem(&console.patch("/audit/settings", json!({"keep_days": 3}))).0,
            422
        );
        assert_eq!(
            ok(&console.patch("/audit/settings", json!({"keep_days": 30})))["keep_days"],
            30
        );
        world.wait(SignedDuration::from_hours(24 * 29));
        enter("new");
        assert_eq!(world.run(world.provision.prune_audit()).unwrap(), 0);
        world.wait(SignedDuration::from_hours(24 * 2));
        assert_eq!(world.run(world.provision.prune_audit()).unwrap(), 7);
        let check = console.show("/audit/check");
        assert_eq!(
            (&check["whole"], &check["entries"]),
            (&json!(true), &json!(1))
        );
        // An entry that does not follow from the one before, as if that one had been changed.
        let store = world.provision.store();
        world
            .run(store.write(Scope::Settings, |tx| {
                tx.insert_audit(&draft("forger"), "x") as Result<(), StoreError>
            }))
            .unwrap();
        enter("later");
        let check = console.show("/audit/check");
        assert_eq!(check["whole"], false);
        let forged = console.show("/audit?actor=forger");
        assert_eq!(check["broken_at"], forged["items"][0]["id"]);
    });
}

#[test]
fn a_change_that_is_cut_off_is_told_of() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        let begun = || {
            let far = world.provision.store().now() + SignedDuration::from_hours(1);
            let read = world
                .provision
                .store()
                .read(move |tx| Ok::<_, StoreError>(tx.audit_begun(far, 100)?.len()));
            world.run(read).unwrap()
        };
        ok(&console.patch("/audit/settings", json!({"keep_days": 30})));
        assert_eq!(
            console
                .patch("/audit/settings", json!({"keep_days": 3}))
                .status,
            422
        );
        assert_eq!(
            console
                .patch("/connectors/nobody", json!({"state": "paused"}))
                .status,
            404
        );
        assert_eq!(begun(), 0, "what ended is not waited for");

        world
            .run(world.provision.begin_audit(draft("killed")))
            .unwrap();
        world.wait(SignedDuration::from_mins(9));
        assert_eq!(world.run(world.provision.enter_cut_off()).unwrap(), 0);
        world.wait(SignedDuration::from_mins(2));
        assert_eq!(world.run(world.provision.enter_cut_off()).unwrap(), 1);
        assert_eq!(world.run(world.provision.enter_cut_off()).unwrap(), 0);
        assert_eq!(begun(), 0);
        let entries = console.show("/audit?actor=killed");
        let detail = entries["items"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("cut off"), "{detail}");
        assert_eq!(entries["items"].as_array().unwrap().len(), 1);
        assert_eq!(console.show("/audit/check")["whole"], true);
    });
}

fn draft(actor: &str) -> AuditDraft {
    AuditDraft {
        actor_kind: ActorKind::CommandLine,
        actor_id: None,
        actor: actor.to_owned(),
        address: None,
        request: "r".to_owned(),
        action: "test".to_owned(),
        target: "/".to_owned(),
        succeeded: true,
        detail: String::new(),
        changes: None,
        object: None,
    }
}

#[test]
fn a_token_that_a_link_made_is_entered_with_the_one_that_it_ended() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let made = ok(&console.post("/connectors/idp/setup-links", json!({})));
        let (_, text) = made["link"]
            .as_str()
            .unwrap()
            .split_once("/connect/")
            .unwrap();
        let page = format!("/connect/{text}");
        let guest = Browser::new(&world);
        let mut before = String::new();
        for _ in 0..2 {
            assert_eq!(guest.submit(&page, &[("before", &before)]).status, 200);
            let shown = guest.text(&page);
            let (_, rest) = shown.split_once("name=\"before\" value=\"").unwrap();
            before = rest.split('"').next().unwrap().to_owned();
        }
        let entries = console.show("/audit?action=create_connector_token");
        let [second, first] = entries["items"].as_array().unwrap().as_slice() else {
            panic!("{entries}");
        };
        assert_eq!(first["actor_kind"], "nobody");
        assert_eq!(first["actor"], "set-up link of console");
        assert_eq!(first["address"], "127.0.0.1");
        assert_eq!(first["detail"], "");
        assert_eq!(second["target"], format!("/connectors/idp/tokens/{before}"));
        let (_, older) = first["target"].as_str().unwrap().rsplit_once('/').unwrap();
        assert_eq!(
            second["detail"],
            format!("the token {older}, which the link had made before, stopped working")
        );
        assert!(!entries.to_string().contains(text));
        let of_connector = console.show("/audit?target=/connectors/idp");
        assert_eq!(each(&of_connector, "action").len(), 3);
    });
}

#[test]
fn why_something_was_refused_is_entered() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        Browser::signed_in(&world, "ann", Role::Owner);
        problem(&console.patch("/administrators/ann", json!({"role": "auditor"})));
        let rules = json!({"mapping": [{"target": "nothing", "source": "userName"}]});
        problem(&console.put("/connectors/idp/rules", json!({"rules": rules})));
        let entries = console.show("/audit?succeeded=false");
        let details = each(&entries, "detail");
        assert_eq!(
            details[1],
            "answered 422 ('role' cannot be taken from the last owner with a password; make somebody else an owner \
             first.): {\"role\":\"auditor\"}"
        );
        assert!(details[0].starts_with("answered 4"), "{details:?}");
        assert!(details[0].contains('('), "{details:?}");
    });
}

#[test]
fn who_takes_the_log_or_the_configuration_along_is_entered() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let ann = Browser::signed_in(&world, "ann", Role::Auditor);
        assert_eq!(ann.get("/console/audit.csv").status, 200);
        assert_eq!(ann.get("/console/audit.json?actor=ann").status, 200);
        assert_eq!(console.get("/configuration").status, 200);
        let entries = console.show("/audit?limit=3");
        assert_eq!(
            each(&entries, "action"),
            [
                "export_configuration",
                "export_audit_json",
                "export_audit_csv"
            ]
        );
        assert_eq!(each(&entries, "actor"), ["console", "ann", "ann"]);
    });
}

#[test]
fn an_action_is_found_as_the_page_calls_it() {
    let database = emulate::databases::TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let ann = Browser::signed_in(&world, "ann", Role::Owner);
    let page = ann.text("/console/audit");
    for action in [
        "sign in",
        "restore backup",
        "export audit csv",
        "apply rules",
    ] {
        let option = format!("<option value=\"{action}\">");
        assert!(page.contains(&option), "{action} in {page}");
    }
    assert!(!page.contains("<option value=\"list audit\">"));
    for asked in ["sign+in", "Sign_in", "+sign+in+"] {
        let found = ann.text(&format!("/console/audit?action={asked}"));
        assert!(found.contains("<td data-label=\"What\">sign in"), "{asked}");
    }
}
