//! Secrets that go from one server to another, sealed with a passphrase.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};
use store::{Grant, Rights, Role, TokenKind};

use crate::api_configuration::summaries;
use crate::api_console::{Console, each, ok, problem};
use crate::http::Ask;
use crate::world::{World, basic};

const PASSPHRASE: &str = "fourteen horses and a battery";

/// A server on which a connector, a product and channels have secrets, and what they are.
struct Source {
    token: String,
    client: (String, String),
    password: String,
    base: String,
}

impl Source {
    fn of(console: &Console<'_>) -> Source {
        // Ids in these worlds are counted: those of the other one are behind.
        for number in 0..40 {
            ok(&console.post(
                "/connectors/idp/tokens",
                json!({"label": format!("spare {number}")}),
            ));
        }
        let none = json!({"connectors": [{"name": "idp", "tokens": []}, {"name": "default", "tokens": []}]});
        console.apply(&none, true);
        let made = console.apply(
            &json!({
                "connectors": [{
                    "name": "okta", "preset": "okta", "directory": "default",
                    "tokens": [{"label": "Okta"}, {"label": "Okta", "access": "read-only"}],
                    "clients": [{"label": "script"}],
                }],
                "applications": [{
                    "name": "jira", "directories": [{"directory": "default"}],
                    "webhooks": [
                        {"url": "https://jira.example.org/", "token": {"value": "hook-secret"}},
                        {"url": "https://jira.example.org/quiet"},
                    ],
                }],
                "notifications": [
                    {"name": "chat", "way": {"chat": {}}, "secret": {"value": "https://chat.example.com/secret"}},
                    {"name": "hook", "way": {"webhook": {"url": "https://ops.example.com/"}}},
                    {"name": "mail", "secret": {"value": "mail-secret"}, "way": {"mail": {
                        "host": "smtp.example.com", "username": "v", "from": "v@example.com", "to": ["o@example.com"]}}},
                ],
                "subscriptions": [{"name": "warehouse", "url": "https://ops.example.com/events"}],
            }),
            false,
        );
        let secrets = made["secrets"].as_array().unwrap();
        let of = |kind: &str, member: &str| {
            let one = secrets.iter().find(|one| one["kind"] == kind).unwrap();
            one[member].as_str().unwrap().to_owned()
        };
        let shown = console.show("/connectors/okta");
        Source {
            token: of("token", "secret"),
            client: (of("client", "id"), of("client", "secret")),
            password: of("application", "secret"),
            base: format!("/scim/v2/{}", shown["id"].as_str().unwrap()),
        }
    }

    /// Whether each secret lets in.
    fn statuses(&self, world: &World) -> [u16; 3] {
        let bearer = format!("Bearer {}", self.token);
        let users = Ask::new("GET", format!("{}/Users", self.base));
        let scim = world.send(users.header("Authorization", &bearer)).status;
        let endpoint = format!("{}/token", self.base.replace("/scim/v2/", "/oauth/"));
        let ask = Ask::new("POST", endpoint)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Authorization", &basic(&self.client.0, &self.client.1))
            .body("grant_type=client_credentials");
        let path = "/crowd/rest/usermanagement/1/config/cookie";
        let crowd = Ask::new("GET", path).header("Authorization", &basic("jira", &self.password));
        [scim, world.send(ask).status, world.send(crowd).status]
    }
}

fn seal(console: &Console<'_>) -> Value {
    ok(&console.post("/configuration/seal", json!({"passphrase": PASSPHRASE})))
}

fn wish(configuration: &Value, passphrase: &str) -> Value {
    json!({"configuration": configuration, "prune": true, "passphrase": passphrase})
}

/// The places of what cannot be opened, and what is said of them.
#[track_caller]
fn refused(console: &Console<'_>, wish: Value) -> Vec<(String, String)> {
    let planned = console.post("/configuration/plan", wish.clone());
    assert_eq!(planned.status, 422, "{}", planned.text());
    let applied = console.post("/configuration/apply", wish);
    assert_eq!(planned.json()["errors"], applied.json()["errors"]);
    let told = planned.json()["errors"].as_array().unwrap().clone();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    told.iter()
        .map(|one| (text(one, "path"), text(one, "message")))
        .collect()
}

#[test]
fn another_server_goes_on_with_the_secrets_of_the_first() {
    on_each_database(|database| {
        let first = TestDatabase::sqlite().unwrap();
        let world = World::new(&first);
        let console = Console::new(&world);
        let source = Source::of(&console);
        assert_eq!(source.statuses(&world), [200, 200, 200]);
        let sealed = seal(&console);
        let text = sealed.to_string();
        for secret in [
            source.token.as_str(),
            &store::token_hash(&source.token),
            &source.client.1,
            &source.password,
            "argon2id",
            "hook-secret",
            "mail-secret",
            "chat.example.com",
            "whsec_",
        ] {
            assert!(!text.contains(secret), "{secret}");
        }
        assert_eq!(text.matches("\"sealed\":").count(), 9, "{sealed:#}");
        assert_ne!(seal(&console).to_string(), text);
        let planned = ok(&console.post("/configuration/plan", wish(&sealed, PASSPHRASE)));
        assert_eq!(planned["steps"], json!([]), "what is there needs nothing");

        let other = World::new(database);
        let there = Console::new(&other);
        assert_ne!(source.statuses(&other)[0], 200);
        let plan = ok(&there.post("/configuration/plan", wish(&sealed, PASSPHRASE)));
        let shown = plan.to_string();
        assert!(
            !shown.contains("generated") && !shown.contains("v1$"),
            "{shown}"
        );
        let mut body = wish(&sealed, PASSPHRASE);
        body["ground"] = plan["ground"].clone();
        let applied = ok(&there.post("/configuration/apply", body));
        assert_eq!(applied["secrets"], json!([]));
        assert_eq!(applied["steps"], plan["steps"]);
        assert_eq!(source.statuses(&other), [200, 200, 200]);
        assert_eq!(
            there.get("/configuration").text(),
            console.get("/configuration").text()
        );
        for name in ["chat", "hook", "mail"] {
            assert_eq!(
                there.show(&format!("/notifications/{name}"))["has_secret"],
                true
            );
        }
        // It is the same secret that both have, also of what cannot be signed in with.
        for one in [&sealed, &seal(&there)] {
            for console in [&console, &there] {
                let planned = ok(&console.post("/configuration/plan", wish(one, PASSPHRASE)));
                assert_eq!(planned["steps"], json!([]), "{planned}");
            }
        }
    });
}

#[test]
fn what_is_there_is_replaced_by_what_was_sealed() {
    on_each_database(|database| {
        let first = TestDatabase::sqlite().unwrap();
        let world = World::new(&first);
        let console = Console::new(&world);
        let source = Source::of(&console);
        let sealed = seal(&console);
        let other = World::new(database);
        let there = Console::new(&other);
        // The same by name, with secrets of its own; connectors keep their addresses.
        let same = console.export();
        there.apply(&same, true);
        let id = there.show("/connectors/okta")["id"].clone();
        let plan = ok(&there.post("/configuration/plan", wish(&sealed, PASSPHRASE)));
        assert_eq!(
            summaries(&plan, "steps"),
            [
                "change token 'Okta' of connector 'okta'",
                "change token 'Okta' of connector 'okta'",
                "change client 'script' of connector 'okta'",
                "change application 'jira'",
                "change webhook 'https://jira.example.org/' of application 'jira'",
                "change channel 'chat'",
                "change channel 'hook'",
                "change channel 'mail'",
                "change subscription 'warehouse'",
            ]
        );
        let told = plan["steps"][2]["notes"][0].as_str().unwrap();
        assert!(told.contains("stops working"), "{told}");
        ok(&there.post("/configuration/apply", wish(&sealed, PASSPHRASE)));
        assert_eq!(there.show("/connectors/okta")["id"], id);
        let moved = Source {
            base: format!("/scim/v2/{}", id.as_str().unwrap()),
            ..source
        };
        assert_eq!(moved.statuses(&other), [200, 200, 200]);
        let again = ok(&there.post("/configuration/plan", wish(&sealed, PASSPHRASE)));
        assert_eq!(again["steps"], json!([]));

        // Nobody leads what is signed elsewhere by changing the file.
        let mut led = sealed.clone();
        led["subscriptions"][0]["url"] = json!("https://evil.example.com/events");
        let told = refused(&there, wish(&led, PASSPHRASE));
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, "subscriptions[0].secret");

        // Nobody else gets what somebody has.
        let mut renamed = sealed.clone();
        renamed["connectors"][2]["name"] = json!("second");
        let told = refused(&there, wish(&renamed, PASSPHRASE));
        assert!(
            told.iter()
                .all(|(_, message)| message.contains("another place")),
            "{told:?}"
        );
    });
}

#[test]
fn what_cannot_be_opened_is_told_with_its_place_and_changes_nothing() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        Source::of(&console);
        let sealed = seal(&console);
        let before = console.export();
        assert_eq!(sealed["connectors"][2]["name"], "okta");

        let told = refused(&console, json!({"configuration": sealed}));
        assert_eq!(told.len(), 9, "{told:?}");
        assert!(
            told.iter()
                .all(|(_, message)| message.contains("no passphrase"))
        );
        let told = refused(&console, wish(&sealed, "another passphrase, as long"));
        assert_eq!(told.len(), 9);
        assert_eq!(told[0].0, "connectors[2].tokens[0].secret");
        assert!(
            told[0].1.contains("the passphrase is not the one"),
            "{told:?}"
        );

        // Damaged, taken to another place, and led elsewhere.
        let of = |wanted: &Value, path: &str| wanted.pointer(path).unwrap().clone();
        let tokens = "/connectors/2/tokens";
        let mut changed = sealed.clone();
        let text = of(&changed, &format!("{tokens}/0/secret/sealed"));
        let text = text.as_str().unwrap();
        let damaged = format!("{}{}", &text[..text.len() - 4], "AAAA");
        changed["connectors"][2]["tokens"][0]["secret"] = json!({ "sealed": damaged });
        let one = of(&sealed, "/applications/0/password");
        changed["applications"][0]["webhooks"][0]["token"] = one;
        let chat = changed["notifications"].as_array_mut().unwrap();
        chat[1]["way"] = json!({"webhook": {"url": "https://evil.example.com/"}});
        chat[2]["way"]["mail"]["host"] = json!("evil.example.com");
        changed["connectors"][2]["clients"][0]["secret"] = json!({"sealed": "v9$m=1,t=1$x$y"});
        let told = refused(&console, wish(&changed, PASSPHRASE));
        let places: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
        for place in [
            "connectors[2].tokens[0].secret",
            "connectors[2].clients[0].secret",
            "applications[0].webhooks[0].token",
            "notifications[1].secret",
            "notifications[2].secret",
        ] {
            assert!(places.contains(&place), "{place}: {told:?}");
        }
        let (_, unknown) = &told[places
            .iter()
            .position(|place| place.contains("clients"))
            .unwrap()];
        assert!(unknown.contains("later version"), "{unknown}");

        // A file of too many exports takes too many keys.
        let mut many = sealed.clone();
        for number in 0..5 {
            let part = seal(&console);
            let list = [
                "/connectors/2/tokens/0/secret",
                "/connectors/2/tokens/1/secret",
                "/connectors/2/clients/0/secret",
                "/applications/0/password",
                "/notifications/0/secret",
            ];
            *many.pointer_mut(list[number]).unwrap() = of(&part, list[number]);
        }
        let told = refused(&console, wish(&many, PASSPHRASE));
        assert!(
            told.iter()
                .all(|(_, message)| message.contains("one export too many")),
            "{told:?}"
        );

        let mut with_id = sealed.clone();
        with_id["connectors"][2]["name"] = json!("new");
        with_id["connectors"][2]["id"] = json!("X");
        let told = refused(&console, wish(&with_id, PASSPHRASE));
        assert!(
            told.iter().any(|(place, _)| place == "connectors[2].id"),
            "{told:?}"
        );
        assert_eq!(console.export(), before);
    });
}

#[test]
fn only_owners_take_secrets_along_and_it_is_entered() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        for (role, bound) in [
            (Role::Operator, None),
            (Role::Auditor, None),
            (Role::Operator, Some(vec![world.connector.connector.id])),
        ] {
            let grant = Grant {
                rights: Some(Rights {
                    role,
                    connectors: bound,
                }),
                ..Grant::of("somebody")
            };
            let made = world.run(world.provision.create_token(TokenKind::Api, grant));
            let other = Console::with_token(&world, made.unwrap().secret.reveal());
            let answer = other.post("/configuration/seal", json!({"passphrase": PASSPHRASE}));
            assert_eq!(problem(&answer).0, 403, "{}", answer.text());
        }
        let short = console.post(
            "/configuration/seal",
            json!({"passphrase": "14 characters."}),
        );
        let (status, told) = problem(&short);
        assert_eq!(status, 422);
        assert!(told.contains("15"), "{told}");
        seal(&console);
        let log = console.show("/audit?action=seal_configuration");
        assert_eq!(each(&log, "action").len(), 5);
        assert_eq!(log["items"][0]["succeeded"], true);
        let whole = console.show("/audit").to_string();
        assert!(
            !whole.contains("horses") && whole.contains("passphrase"),
            "{whole}"
        );
    });
}
