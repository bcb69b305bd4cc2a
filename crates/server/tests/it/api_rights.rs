//! Who may do what at the admin API: every route, asked by every kind of caller.

use std::collections::BTreeMap;

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::doors::{METHODS, OPEN, paths};
use crate::scim_idp::Idp;
use crate::world::World;

fn token(owner: &Console<'_>, wish: Value) -> String {
    ok(&owner.post("/tokens", wish))["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What routes do, by the router's own word; what is decided about each is in a file that is looked at when it changes.
#[test]
fn every_route_is_for_the_roles_that_the_table_says() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let owner = Console::new(&world);
    ok(&owner.post("/connectors", json!({"name": "another", "preset": "okta"})));
    let kinds = [
        ("owner", json!({"role": "owner"})),
        ("operator", json!({"role": "operator"})),
        ("auditor", json!({"role": "auditor"})),
        (
            "operator of idp",
            json!({"role": "operator", "connectors": ["idp"]}),
        ),
        (
            "auditor of idp",
            json!({"role": "auditor", "connectors": ["idp"]}),
        ),
        (
            "operator of another",
            json!({"role": "operator", "connectors": ["another"]}),
        ),
    ];
    let callers: Vec<_> = kinds
        .into_iter()
        .map(|(name, wish)| (name, Console::with_token(&world, &token(&owner, wish))))
        .collect();
    let mut table: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let routes = paths(&world);
    let routes = routes.iter().filter(|path| path.starts_with("/api/v1/"));
    for path in routes.filter(|path| !OPEN.contains(&path.as_str())) {
        let route = path.strip_prefix("/api/v1").unwrap();
        // Those who reach everything ask for what is not there, so that nothing happens; the others for what is theirs.
        let nothing = route.replace(['{', '}', '*'], "");
        let theirs = route
            .replace("{connector}", "idp")
            .replace("{directory}", "default")
            .replace(['{', '}', '*'], "");
        for method in METHODS.into_iter().filter(|method| *method != "HEAD") {
            let ask = |console: &Console<'_>, path: &str| {
                let ask = console.ask(method, path);
                world.send(ask.header("Content-Type", "text/plain").body("nothing"))
            };
            if route.starts_with("/account") {
                assert_eq!(ask(&owner, &nothing).status, 403, "a token has no account");
                continue;
            }
            if ask(&owner, &nothing).status == 405 {
                continue;
            }
            let line = table.entry(format!("{method} {route}")).or_default();
            for (name, console) in &callers {
                let is_confined = name.contains(" of ");
                let answer = ask(console, if is_confined { &theirs } else { &nothing });
                let is_hidden = is_confined
                    && [
                        "connector 'idp'",
                        "directory 'default'",
                        "request '",
                        "hold '",
                        "job '",
                    ]
                    .iter()
                    .any(|thing| answer.text().contains(&format!("There is no {thing}")));
                if answer.status != 403 && !is_hidden {
                    line.push(name);
                }
            }
        }
    }
    let lines: Vec<String> = table
        .iter()
        .map(|(route, who)| format!("{route}: {}", who.join(", ")))
        .collect();
    insta::assert_snapshot!("rights", lines.join("\n"));
}

#[test]
fn who_is_confined_sees_and_changes_what_is_within_reach_and_nothing_else() {
    on_each_database(|database| {
        let world = &World::new(database);
        let owner = Console::new(world);
        for name in ["another", "own"] {
            ok(&owner.post("/connectors", json!({"name": name, "preset": "okta"})));
        }
        let made = ok(&owner.post("/tokens", json!({"label": "script", "role": "operator", "connectors": ["IDP", "own"], "addresses": ["127.0.0.1"]})));
        assert_eq!(made["role"], "operator");
        assert_eq!(made["connectors"], json!(["idp", "own"]));
        assert_eq!(made["access"], "read-write");
        let confined = Console::with_token(world, made["token"].as_str().unwrap());
        assert_eq!(each(&confined.show("/connectors"), "name"), ["idp", "own"]);
        let all = each(&owner.show("/connectors"), "name");
        assert_eq!(all, ["default", "idp", "another", "own"]);
        ok(&confined.patch("/connectors/idp", json!({"state": "paused"})));
        ok(&confined.patch("/connectors/idp", json!({"state": "active"})));

        // What is another's is answered as if it were not there.
        let others = problem(&confined.get("/connectors/another"));
        let missing = problem(&confined.get("/connectors/nowhere"));
        assert_eq!(others.0, 404);
        assert_eq!(others.1.replace("another", "nowhere"), missing.1);
        for (method, path) in [
            ("DELETE", "/connectors/idp"),
            ("POST", "/connectors"),
            ("POST", "/connectors/idp/transfer"),
            ("GET", "/applications"),
            ("GET", "/tokens"),
            ("POST", "/tokens"),
            ("GET", "/administrators"),
        ] {
            assert_eq!(
                world.send(confined.ask(method, path)).status,
                403,
                "{method} {path}"
            );
        }
        // Lists of everything tell what is within reach.
        for connector in ["another", "idp"] {
            owner.call(&format!("/connectors/{connector}/reconcile"));
        }
        assert_eq!(each(&confined.show("/jobs"), "connector"), ["idp"]);
        let all = each(&owner.show("/jobs"), "connector");
        assert_eq!(all, ["idp", "another"]);
        let idp = Idp::new(world);
        for idp in [&idp, &idp.stranger()] {
            assert_eq!(idp.delete("/Users/nobody").status, 404);
        }
        assert_eq!(each(&confined.show("/requests"), "connector"), ["idp"]);
        assert_eq!(each(&owner.show("/requests"), "connector").len(), 2);
        assert!(each(&confined.show("/holds"), "connector").is_empty());
        let overview = confined.show("/overview");
        let theirs = overview["connectors"].as_array().unwrap();
        assert_eq!(theirs.len(), 2, "{overview}");
        assert_eq!(overview["applications"], json!([]));
        assert_eq!(overview["directories"][0]["name"], "own");
        let hours = |of: &Value, what: &str| -> i64 {
            let hours = of["activity"].as_array().unwrap().iter();
            hours.map(|hour| hour[what].as_i64().unwrap()).sum()
        };
        assert_eq!(hours(&overview, "requests"), 1);
        assert_eq!(hours(&owner.show("/overview"), "requests"), 2);
        assert_eq!(confined.get("/requests?connector=another").status, 404);
        assert_eq!(confined.get("/requests?connector=idp").status, 200);
        assert_eq!(confined.get("/holds?connector=idp").status, 200);
        assert_eq!(confined.get("/jobs?connector=idp").status, 200);

        // The directory is within reach as long as nobody else writes to it.
        assert_eq!(confined.get("/directories/own/users").status, 200);
        assert_eq!(confined.get("/directories/another/users").status, 404);
        assert_eq!(confined.get("/directories/default/users").status, 404);
        assert_eq!(each(&confined.show("/directories"), "name"), ["own"]);
        let wish = json!({"name": "third", "preset": "okta", "directory": "own"});
        ok(&owner.post("/connectors", wish));
        assert_eq!(confined.get("/directories/own/users").status, 404);
        assert!(each(&confined.show("/directories"), "name").is_empty());
    });
}

#[test]
fn tokens_have_the_role_they_were_made_with() {
    on_each_database(|database| {
        let world = &World::new(database);
        let owner = Console::new(world);
        for (wish, role, access) in [
            (json!({"role": "owner"}), "owner", "read-write"),
            (json!({"access": "read-only"}), "auditor", "read-only"),
            (json!({"role": "auditor"}), "auditor", "read-only"),
            (
                json!({"role": "operator", "access": "read-write"}),
                "operator",
                "read-write",
            ),
        ] {
            let made = ok(&owner.post("/tokens", wish.clone()));
            assert_eq!(
                (made["role"].as_str(), made["access"].as_str()),
                (Some(role), Some(access)),
                "{wish}"
            );
        }
        for (wish, said) in [
            (
                json!({"role": "auditor", "access": "read-write"}),
                "changes nothing",
            ),
            (
                json!({"role": "owner", "access": "read-only"}),
                "contradicts",
            ),
            (
                json!({"role": "owner", "connectors": ["idp"]}),
                "cannot be named for an owner",
            ),
            // Nobody has everything by having forgotten to say it.
            (json!({}), "'role' is missing"),
            (json!({"access": "read-write"}), "'role' is missing"),
            (json!({"connectors": ["idp"]}), "'role' is missing"),
            (json!({"role": "operator", "connectors": []}), "names none"),
            (
                json!({"role": "operator", "connectors": ["nowhere"]}),
                "no connector 'nowhere'",
            ),
            (json!({"role": "king"}), "king"),
        ] {
            let refused = problem(&owner.post("/tokens", wish.clone()));
            assert!(
                refused.0 >= 400 && refused.1.contains(said),
                "{wish}: {refused:?}"
            );
        }
        let operator = Console::with_token(world, &token(&owner, json!({"role": "operator"})));
        assert_eq!(operator.post("/tokens", json!({})).status, 403);
        assert_eq!(
            operator
                .post("/connectors", json!({"name": "new", "preset": "okta"}))
                .status,
            201
        );
    });
}
