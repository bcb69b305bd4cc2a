//! Copying people into a directory, and deciding who is who, through the admin API.

use std::sync::Arc;

use directory::census::{Census, CopiedUser};
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::{CrowdAddress, CrowdReader, ReadCrowd, Told};
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::world::World;

const IMPORTS: &str = "/directories/default/imports";

#[test]
fn a_file_is_tried_copied_and_copied_again() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let csv = "username,email,groups\nmira,mira@x.test,jira-users|hr\njon,,\n";
        let send = |query: &str| {
            let ask = console
                .ask("POST", &format!("{IMPORTS}?{query}"))
                .header("Content-Type", "text/csv");
            world.send(ask.body(csv))
        };
        let tried = ok(&send("dry_run=true&groups=re:jira-.*"));
        assert_eq!(tried["state"], "tried");
        let tried = tried["counts"].clone();
        assert_eq!(
            (&tried["users_created"], &tried["groups_created"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(console.get("/directories/default/users/mira").status, 404);

        let begun = send("groups=re:jira-.*&source=people.csv");
        assert_eq!(begun.status, 202, "{}", begun.text());
        world.run(world.provision.work_off()).unwrap();
        let id = begun.json()["id"].as_str().unwrap().to_owned();
        let done = console.show(&format!("{IMPORTS}/{id}"));
        assert_eq!((&done["state"], &done["counts"]), (&json!("done"), &tried));
        assert_eq!(done["source"], "people.csv");
        let mira = console.show("/directories/default/users/mira");
        assert_eq!(mira["reason"], "COPIED");
        assert_eq!(
            mira["memberships"],
            json!([{"group": "jira-users", "origins": [{"kind": "copied"}]}])
        );

        let again = ok(&send("dry_run=true"))["counts"].clone();
        assert_eq!(
            (&again["users_unchanged"], &again["users_updated"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(console.show(IMPORTS)["items"].as_array().unwrap().len(), 1);

        world.user(json!({"userName": "MIRA"}));
        assert_eq!(
            console.show("/directories/default/users/mira")["connector"],
            "idp"
        );
        let why = console.show("/directories/default/users/mira/why");
        assert_eq!(why["linked"]["by"], "username", "{why}");
        assert_eq!(why["linked"]["what"], "scim", "{why}");
        let account = console.show("/directories/default/users/mira")["key"].clone();
        assert_eq!(why["account"], account);
        assert_eq!(
            console.show("/connectors/idp/users/mira/why")["account"],
            account
        );
        let lines = why["lines"].to_string();
        assert!(
            lines.contains("no account so far") || lines.contains("account so far"),
            "{lines}"
        );
    });
}

#[test]
fn a_log_in_with_the_former_server_counts_for_who_is_inactive() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        // The clock of these tests begins on 2026-05-28.
        let seen = |name: &str, attributes: Value| json!({"name": name, "attributes": attributes});
        let people = json!({"users": [
            seen("ann", json!({"lastAuthenticated": "1767225600000", "login.lastLoginMillis": "1764547200000"})),
            seen("bob", json!({"lastAuthenticated": "2026-05-20T08:00:00Z"})),
            seen("cid", json!({"lastAuthenticated": "4102444800000"})),
            seen("dee", json!({"lastAuthenticated": "long ago"})),
        ]});
        assert_eq!(console.post(IMPORTS, people.clone()).status, 202);
        world.run(world.provision.work_off()).unwrap();
        let last = |name: &str| {
            console.show(&format!("/directories/default/users/{name}"))["last_login"].clone()
        };
        assert_eq!(last("ann"), "2026-01-01T00:00:00Z");
        assert_eq!(last("bob"), "2026-05-20T08:00:00Z");
        assert_eq!((last("cid"), last("dee")), (Value::Null, Value::Null));
        let rules = json!({"rules": {"inactivity": {"days": 90}}});
        ok(&console.send("PUT", "/connectors/idp/rules", &rules.to_string()));
        for name in ["ann", "bob", "cid", "dee"] {
            world.user(json!({ "userName": name }));
        }
        world.wait(SignedDuration::from_hours(91 * 24));
        world.run(world.provision.work_off()).unwrap();
        let reason = |name: &str| {
            console.show(&format!("/directories/default/users/{name}"))["reason"].clone()
        };
        for (name, expected) in [
            ("ann", "INACTIVITY_RULE"),
            ("bob", "INACTIVITY_RULE"),
            ("cid", "IDP_ACTIVE"),
            ("dee", "IDP_ACTIVE"),
        ] {
            assert_eq!(reason(name), expected, "{name}");
        }
        let why = console.show("/directories/default/users/ann/why")["lines"].to_string();
        assert!(
            why.contains("the last log-in was at 2026-01-01T00:00:00Z"),
            "{why}"
        );
        assert!(why.contains("(rule `inactivity.days`: 90)"), "{why}");
    });
}

#[test]
fn what_cannot_be_copied_is_refused_with_every_place() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let refused = console.post(
            IMPORTS,
            json!({"users": [{"name": "a"}, {"name": "A"}, {"name": " b"}]}),
        );
        assert_eq!(problem(&refused).0, 422);
        assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 2);
        let refused = console.post(IMPORTS, json!({"users": [{"nom": "a"}]}));
        assert!(
            refused.json()["errors"][0]["message"]
                .as_str()
                .unwrap()
                .contains("nothing is called `nom` here")
        );
        let text = console
            .ask("POST", IMPORTS)
            .header("Content-Type", "text/plain");
        assert_eq!(problem(&world.send(text.body("x"))).0, 415);
        let bytes = console
            .ask("POST", IMPORTS)
            .header("Content-Type", "text/csv");
        assert_eq!(problem(&world.send(bytes.body("username\n\"m"))).0, 422);
        assert_eq!(
            problem(&console.post("/directories/nowhere/imports", json!({}))).0,
            404
        );
        assert_eq!(problem(&console.get(&format!("{IMPORTS}/x"))).0, 404);
        assert_eq!(
            problem(&console.post(&format!("{IMPORTS}?dryrun=true"), json!({}))).0,
            400
        );
        assert_eq!(
            problem(&console.post(&format!("{IMPORTS}?groups=re:("), json!({}))).0,
            422
        );
    });
}

#[test]
fn an_administrator_decides_who_is_who() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        console.patch("/directories/default", json!({"local_users": true}));
        let product = crate::world::Product::writer(&world).json();
        let made = product.post(
            "/user",
            r#"{"name": "mira", "first-name": "M", "last-name": "S", "display-name": "M S", "email": "m@x.test",
                "active": true, "password": {"value": "horse battery"}}"#,
        );
        assert_eq!(made.status, 201, "{}", made.text());
        let id = world.user(json!({"userName": "mira"}));
        let conflicts = console.show("/connectors/idp/name-conflicts");
        let conflict = &conflicts["items"][0];
        assert_eq!(
            (&conflict["matched_by"], &conflict["kept"]),
            (&json!("username"), &json!(false))
        );
        let path = format!("/connectors/idp/name-conflicts/{id}");
        assert_eq!(
            problem(&console.post(&path, json!({"action": "merge"}))).0,
            422
        );
        assert_eq!(console.post(&path, json!({"action": "keep"})).status, 204);
        assert_eq!(
            console.show("/connectors/idp/name-conflicts")["items"][0]["kept"],
            true
        );
        assert_eq!(console.post(&path, json!({"action": "link"})).status, 204);
        assert_eq!(
            console.show("/directories/default/users/mira")["connector"],
            "idp"
        );
        assert_eq!(
            problem(&console.post(&path, json!({"action": "link"}))).0,
            404
        );
        let journal = console.show("/directories/default/journal").to_string();
        assert!(journal.contains("link_user"), "{journal}");
    });
}

#[test]
fn a_report_tells_who_would_meet_whom_and_what_would_help() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        for name in ["ann@x.test", "BOB", "cid", "=dee", "eve"] {
            world.user(
                json!({"userName": name, "emails": [{"value": format!("{}@x.test", &name[..3])}]}),
            );
        }
        let second = console.post("/connectors", json!({"name": "old"}));
        assert_eq!(second.status, 201);
        let people = json!({"users": [
            {"name": "ann"}, {"name": "bob"}, {"name": "cid"},
            {"name": "e1", "email": "EVE@x.test"}]});
        let begun = console.post("/directories/old/imports", people);
        assert_eq!(begun.status, 202, "{}", begun.text());
        world.run(world.provision.work_off()).unwrap();

        let whole = console.show("/connectors/idp/match?directory=old");
        assert_eq!(
            each(&whole, "kind"),
            ["domain_stripped", "case_only", "exact", "none", "email"]
        );
        assert_eq!(
            whole["items"][4]["accounts"],
            json!([{"name": "e1", "holder": "copied"}])
        );
        let page = console.show("/connectors/idp/match?directory=old&limit=2");
        let path = format!(
            "/connectors/idp/match?directory=old&after={}",
            page["next"].as_str().unwrap()
        );
        assert_eq!(
            each(&console.show(&path), "kind"),
            ["exact", "none", "email"]
        );
        let own = console.show("/connectors/idp/match?kind=linked");
        assert_eq!(own["items"].as_array().unwrap().len(), 5);

        let summary = console.show("/connectors/idp/match/summary?directory=old");
        assert_eq!(
            (&summary["by_name"], &summary["counts"]["email"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(summary["best"]["steps"], json!(["strip_domain"]));
        assert_eq!(
            (
                &summary["rows"][0]["found"],
                &summary["rows"][0]["nameless"]
            ),
            (&json!(3), &json!(0))
        );
        // One account is nobody's by a row by which two would get its name: that could not be saved.
        world.user(json!({"userName": "ann@elsewhere.test"}));
        let summary = console.show("/connectors/idp/match/summary?directory=old");
        assert_eq!(
            (
                &summary["rows"][0]["found"],
                &summary["rows"][0]["nameless"]
            ),
            (&json!(3), &json!(1))
        );
        assert_eq!(summary["best"], json!(null));

        let csv = console.get("/connectors/idp/match?directory=old&format=csv&limit=4");
        let link = csv.header("link").unwrap();
        assert!(
            link.contains("after=") && link.contains("directory=old"),
            "{link}"
        );
        assert!(csv.text().contains(",'=dee,"), "{}", csv.text());
        assert_eq!(
            problem(&console.get("/connectors/idp/match?kind=good")).0,
            422
        );
    });
}

/// A Crowd server with one person, for those who know the password.
struct OnePerson;

impl CrowdReader for OnePerson {
    fn read<'r>(
        &'r self,
        server: &'r CrowdAddress,
        _with_groups: bool,
        told: Told<'r>,
    ) -> ReadCrowd<'r> {
        Box::pin(async move {
            told("users", 1);
            match server.password.as_str() {
                "s3cret" => Ok(Census {
                    users: vec![CopiedUser::new("mira")],
                    groups: Vec::new(),
                }),
                _ => Err(format!(
                    "the server at {} does not know the application",
                    server.url
                )),
            }
        })
    }
}

#[test]
fn a_crowd_server_is_read_by_the_server_and_its_password_is_nowhere() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let path = format!("{IMPORTS}/crowd");
        let crowd = |password: &str| json!({"url": "https://crowd.x.test/crowd", "application": "mover", "password": password});
        let nobody = console.post(&path, crowd("s3cret"));
        assert_eq!(problem(&nobody).0, 409, "who may not reach others says so");
        world.provision.read_crowds_with(Arc::new(OnePerson));
        for (field, body) in [
            (
                "url",
                json!({"url": "ftp://x.test", "application": "a", "password": "p"}),
            ),
            (
                "url",
                json!({"url": "https://a:b@x.test", "application": "a", "password": "p"}),
            ),
            (
                "url",
                json!({"url": "https://x.test/?p=1", "application": "a", "password": "p"}),
            ),
            (
                "password",
                json!({"url": "https://x.test", "application": "a", "password": ""}),
            ),
        ] {
            let refused = console.post(&path, body);
            assert_eq!(refused.status, 422, "{}", refused.text());
            assert_eq!(refused.json()["field"], field);
        }
        // What is being read is over when its state says so.
        let over = |query: &str, password: &str| -> Value {
            let begun = console.post(&format!("{path}{query}"), crowd(password));
            assert_eq!(begun.status, 202, "{}", begun.text());
            assert!(!begun.text().contains("s3cret"));
            let id = begun.json()["id"].as_str().unwrap().to_owned();
            loop {
                world.run(world.provision.work_off()).unwrap();
                let now = console.show(&format!("{IMPORTS}/{id}"));
                if !["reading", "staging", "running"].contains(&now["state"].as_str().unwrap()) {
                    return now;
                }
                std::thread::yield_now();
            }
        };
        let wrong = over("", "wrong");
        assert_eq!(wrong["state"], "failed");
        assert_eq!(
            wrong["failure"],
            "the server at https://crowd.x.test/crowd does not know the application"
        );
        let tried = over("?dry_run=true", "s3cret");
        assert_eq!(
            (&tried["state"], &tried["counts"]["users_created"]),
            (&json!("tried"), &json!(1))
        );
        assert_eq!(console.get("/directories/default/users/mira").status, 404);
        let done = over("", "s3cret");
        assert_eq!(
            (&done["state"], &done["source"]),
            (&json!("done"), &json!("https://crowd.x.test/crowd"))
        );
        assert_eq!(
            console.show("/directories/default/users/mira")["reason"],
            "COPIED"
        );
        assert!(!console.get(IMPORTS).text().contains("s3cret"));
    });
}
