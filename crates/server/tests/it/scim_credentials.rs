//! Who may ask on the SCIM face: every form of credential, what it may do, and how it ends.

use emulate::databases::on_each_database;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{Access, Grant, TokenKind};

use crate::api_console::{Console, ok};
use crate::http::{Answer, Ask};
use crate::scim_idp::Idp;
use crate::world::{World, basic};

/// Status and sentence of a refusal, whose form is checked.
#[track_caller]
pub fn refused(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["status"], answer.status.to_string(), "{body}");
    let challenge = answer.header("www-authenticate");
    if answer.status == 401 {
        assert!(challenge.unwrap().starts_with("Bearer realm=\"SCIM\""));
    }
    (answer.status, body["detail"].as_str().unwrap().to_owned())
}

fn list(idp: &Idp<'_>, header: &str, value: &str) -> Answer {
    let ask = Ask::new("GET", format!("{}/Users", idp.base)).header(header, value);
    idp.world.send(ask)
}

fn credentials(idp: &Idp<'_>, change: Value) {
    let id = idp.base.rsplit('/').next().unwrap();
    let body = json!({"settings": {"credentials": change}});
    ok(&Console::new(idp.world).patch(&format!("/connectors/{id}"), body));
}

fn token(idp: &Idp<'_>, grant: Grant) -> String {
    let kind = TokenKind::Scim(idp.world.connector.connector.id);
    let made = idp.world.run(idp.world.provision.create_token(kind, grant));
    made.unwrap().secret.reveal().to_owned()
}

#[test]
fn a_refusal_says_what_came_and_what_to_do_and_repeats_nothing() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let cut = &idp.token[..idp.token.len() - 1];
        let pair = basic("jane", &idp.token);
        for (value, said) in [
            (idp.token.as_str(), "has no scheme"),
            ("something", "has no scheme"),
            ("Bearer", "no token behind its scheme"),
            ("Bearer ", "no token behind its scheme"),
            (&format!("Bearer {cut}"), "cut or mistyped"),
            ("Bearer s3cret", "none that this server makes"),
            ("Bearer vst_api_abc", "one of the admin API"),
            ("Bearer vst_client_abc", "secret of a client"),
            ("Bearer eyJhbGciOiJub25lIn0.e30.", "signed itself"),
            (&pair, "'Basic'"),
            ("Basic !!!", "not user name and password"),
            ("Digest x=y", "cannot be used"),
            (&format!("Bearer {}", "x".repeat(17_000)), "longer than"),
        ] {
            let answer = list(&idp, "Authorization", value);
            let (status, detail) = refused(&answer);
            assert_eq!(status, 401, "{value}: {detail}");
            assert!(detail.contains(said), "{value}: {detail}");
            let secret = value.rsplit(' ').next().unwrap();
            let told = secret.len() > 10 && answer.text().contains(secret);
            assert!(!told, "{value}");
        }
        let (status, detail) = refused(&world.send(Ask::new("GET", format!("{}/Users", idp.base))));
        assert_eq!(status, 401);
        assert!(detail.contains("no Authorization header"), "{detail}");
        let twice = idp.ask("GET", "/Users").header("Authorization", "Bearer x");
        let (status, detail) = refused(&world.send(twice));
        assert_eq!(status, 400);
        assert!(detail.contains("several credentials"), "{detail}");
        let in_url = format!("{}/Users?access_token={}", idp.base, idp.token);
        let answer = world.send(Ask::new("GET", in_url));
        assert!(refused(&answer).1.contains("The URL holds a token"));
        assert!(!answer.text().contains(&idp.token));
        // A right header beside it does not take it out of the logs.
        for query in [
            format!("access_token={}", idp.token),
            format!("filter=userName%20eq%20%22{}%22", idp.token),
        ] {
            let answer = idp.get(&format!("/Users?{query}"));
            assert_eq!(refused(&answer).0, 403);
            assert_eq!(answer.json()["scimType"], "sensitive");
        }
        let name = idp.get("/Users?filter=userName%20eq%20%22vst_jane%22");
        assert_eq!(name.status, 200, "somebody's name is no token");
    });
}

/// An identity provider takes 401 for wrong credentials, and its administrator would make new ones.
#[test]
fn a_connector_that_is_switched_off_is_no_matter_of_credentials() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let id = idp.base.rsplit('/').next().unwrap();
        let state = json!({"state": "disabled"});
        ok(&Console::new(&world).patch(&format!("/connectors/{id}"), state));
        world.wait(SignedDuration::from_secs(10));
        let answer = idp.get("/Users");
        let (status, detail) = refused(&answer);
        assert_eq!(status, 403, "{detail}");
        assert!(detail.contains("switched off"), "{detail}");
        assert_eq!(answer.header("www-authenticate"), None);
        let wrong = list(&idp, "Authorization", "Bearer vst_scim_wrong");
        assert_eq!(wrong.status, 401);
    });
}

#[test]
fn forms_that_an_identity_provider_may_need_are_off_until_they_are_switched_on() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let status = |header: &str, value: &str| list(&idp, header, value).status;
        assert_eq!(status("Authorization", &idp.token), 401);
        credentials(&idp, json!({"bare_token": true}));
        assert_eq!(status("Authorization", &idp.token), 200);
        assert_eq!(status("Authorization", "something"), 401);
        credentials(&idp, json!({"bare_token": null}));
        assert_eq!(status("Authorization", &idp.token), 401);

        assert_eq!(status("X-Api-Key", &idp.token), 401);
        credentials(&idp, json!({"token_header": "X-Api-Key"}));
        assert_eq!(status("X-Api-Key", &idp.token), 200);
        assert_eq!(status("x-api-key", &format!("Bearer {}", idp.token)), 200);
        assert_eq!(status("X-Api-Key", "something"), 401);
        assert_eq!(status("X-Other-Key", &idp.token), 401);
        let judged = Ask::new("GET", format!("{}/Users", idp.base))
            .header("X-Api-Key", &idp.token)
            .header("Authorization", "Bearer wrong");
        assert_eq!(
            world.send(judged).status,
            401,
            "what is wrong is no less wrong"
        );
        let other = idp.stranger();
        let foreign = list(&other, "X-Api-Key", &other.token);
        assert_eq!(foreign.status, 401, "the header is another connector's");
    });
}

#[test]
fn a_client_may_show_id_and_secret_where_basic_is_on() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let connector = world.connector.connector.id;
        let made = world.run(world.provision.create_client(connector, Grant::of("idp")));
        let made = made.unwrap();
        let (id, secret) = (made.client.id.as_str(), made.secret.reveal());
        let status =
            |name: &str, password: &str| list(&idp, "Authorization", &basic(name, password)).status;
        let off = list(&idp, "Authorization", &basic(id, secret));
        assert!(refused(&off).1.contains("switch 'basic' on"));
        credentials(&idp, json!({"basic": true}));
        assert_eq!(status(id, secret), 200);
        assert_eq!(status(id, secret), 200);
        assert_eq!(status("someone", secret), 401);
        assert_eq!(
            status(id, &secret.replace("vst_client_", "vst_clienT_")),
            401
        );
        assert_eq!(status(id, &idp.token), 401);
        let elsewhere = idp.stranger();
        credentials(&elsewhere, json!({"basic": true}));
        let foreign = list(&elsewhere, "Authorization", &basic(id, secret));
        assert_eq!(foreign.status, 401);
        world
            .run(world.provision.delete_client(connector, id))
            .unwrap();
        assert_eq!(status(id, secret), 401);
    });
}

#[test]
fn who_may_only_read_is_refused_every_write() {
    on_each_database(|database| {
        let world = World::new(database);
        let mut idp = Idp::new(&world);
        let mira = world.mira();
        idp.token = token(
            &idp,
            Grant {
                access: Access::ReadOnly,
                ..Grant::of("auditor")
            },
        );
        assert_eq!(idp.get("/Users").status, 200);
        assert_eq!(idp.get(&format!("/Users/{mira}")).status, 200);
        for (method, path) in [
            ("POST", "/Users".to_owned()),
            ("PUT", format!("/Users/{mira}")),
            ("PATCH", format!("/Users/{mira}")),
            ("DELETE", format!("/Users/{mira}")),
            ("POST", "/Groups".to_owned()),
            ("POST", "/Bulk".to_owned()),
            ("DELETE", "/Nothing".to_owned()),
        ] {
            let answer = world.send(idp.ask_with(method, &path, &json!({"userName": "new"})));
            let (status, detail) = refused(&answer);
            assert_eq!(status, 403, "{method} {path}");
            assert!(detail.contains("may only read"), "{detail}");
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.contains("error=\"insufficient_scope\""));
        }
        assert_eq!(idp.get(&format!("/Users/{mira}")).status, 200);
    });
}

#[test]
fn addresses_are_checked_for_the_connector_and_for_the_credential() {
    on_each_database(|database| {
        let world = World::new(database);
        let mut idp = Idp::new(&world);
        let whole = idp.token.clone();
        let limited = |addresses: &[&str]| Grant {
            addresses: addresses.iter().map(|text| (*text).to_owned()).collect(),
            ..Grant::of("from there")
        };
        idp.token = token(&idp, limited(&["192.0.2.0/24", "2001:db8::/32"]));
        let (status, detail) = refused(&idp.get("/Users"));
        assert_eq!(status, 403);
        assert!(
            detail.contains("The credential may not be used from 127.0.0.1"),
            "{detail}"
        );
        idp.token = token(&idp, limited(&["192.0.2.0/24", "127.0.0.0/8"]));
        assert_eq!(idp.get("/Users").status, 200);
        credentials(&idp, json!({"addresses": ["203.0.113.7"]}));
        let (status, detail) = refused(&idp.get("/Users"));
        assert_eq!(status, 403);
        assert!(
            detail.contains("The connector may not be used from 127.0.0.1"),
            "{detail}"
        );
        idp.token = format!("{whole}x");
        assert_eq!(
            idp.get("/Users").status,
            401,
            "who is nobody learns nothing of addresses"
        );
        idp.token = whole;
        credentials(&idp, json!({"addresses": []}));
        assert_eq!(idp.get("/Users").status, 200);
    });
}

#[test]
fn a_credential_ends_at_its_time_also_when_it_was_used_a_moment_ago() {
    on_each_database(|database| {
        let world = World::new(database);
        let mut idp = Idp::new(&world);
        let start: Timestamp = crate::world::START.parse().unwrap();
        idp.token = token(
            &idp,
            Grant {
                expires: Some(start + SignedDuration::from_millis(500)),
                ..Grant::of("short")
            },
        );
        assert_eq!(idp.get("/Users").status, 200);
        world.wait(SignedDuration::from_millis(500));
        assert_eq!(idp.get("/Users").status, 401);
    });
}

#[test]
fn whatever_is_revoked_here_ends_at_once() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let console = Console::new(&world);
        let id = world.connector.connector.public_id.clone();
        assert_eq!(idp.get("/Users").status, 200);
        let path = format!("/connectors/{id}");
        let state = |state: &str| ok(&console.patch(&path, json!({"state": state})));
        state("disabled");
        assert_eq!(idp.get("/Users").status, 403);
        state("active");
        assert_eq!(idp.get("/Users").status, 200);
        let tokens = console.show(&format!("{path}/tokens"));
        let token = tokens["items"][0]["id"].as_str().unwrap();
        let revoked = console.delete(&format!("{path}/tokens/{token}"));
        assert_eq!(revoked.status, 204);
        assert_eq!(idp.get("/Users").status, 401);
    });
}

#[test]
fn whatever_is_revoked_elsewhere_ends_within_a_second() {
    on_each_database(|database| {
        if database.url.starts_with("sqlite") {
            return;
        }
        let world = World::new(database);
        let other = world.beside(database);
        let idp = Idp::new(&world);
        assert_eq!(idp.get("/Users").status, 200);
        let kind = TokenKind::Scim(world.connector.connector.id);
        let tokens = other.run(other.provision.store().read(move |tx| tx.tokens(kind)));
        let id = tokens.unwrap()[0].id.clone();
        other.run(other.provision.revoke_token(kind, &id)).unwrap();
        world.wait(SignedDuration::from_secs(1));
        assert_eq!(idp.get("/Users").status, 401);
    });
}

#[test]
fn credentials_are_set_made_and_shown_through_the_api() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let made = console.post(
            "/connectors/idp/tokens",
            json!({"label": "audit", "access": "read-only", "addresses": ["10.0.0.0/8"]}),
        );
        assert_eq!(made.status, 201);
        let shown = console.show("/connectors/idp/tokens");
        assert_eq!(shown["items"][0]["access"], "read-only");
        assert_eq!(shown["items"][0]["addresses"], json!(["10.0.0.0/8"]));
        for (credentials, said) in [
            (
                json!({"addresses": ["here"]}),
                "neither an address nor a range",
            ),
            (json!({"access_token_minutes": 5}), "60 to 360"),
            (json!({"rate": 1}), "25 at least"),
            (json!({"token_header": "Authorization"}), "bare_token"),
            (
                json!({"jwt": {"issuer": "https://a"}}),
                "issuer and audience",
            ),
            (
                json!({"jwt": {"issuer": "https://a", "audience": "b", "algorithms": ["HS256"]}}),
                "HS256",
            ),
            (json!({"password": true}), "password"),
        ] {
            let body = json!({"settings": {"credentials": credentials}});
            let answer = console.patch("/connectors/idp", body);
            assert_eq!(answer.status, 422, "{}", answer.text());
            assert!(answer.text().contains(said), "{}", answer.text());
        }
        let refused = console.post(
            "/connectors/idp/tokens",
            json!({"addresses": ["10.0.0.0/64"]}),
        );
        assert_eq!(refused.status, 422);
    });
}

#[test]
fn an_administrator_may_be_one_who_only_looks() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let made = ok(&console.post(
            "/tokens",
            json!({"label": "auditor", "access": "read-only"}),
        ));
        let auditor = Console::with_token(&world, made["token"].as_str().unwrap());
        assert_eq!(auditor.get("/connectors").status, 200);
        let answer = auditor.post("/connectors", json!({"name": "new"}));
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("may only read"));
        let far = ok(&console.post(
            "/tokens",
            json!({"label": "far", "addresses": ["192.0.2.1"], "role": "auditor"}),
        ));
        let far = Console::with_token(&world, far["token"].as_str().unwrap());
        let answer = far.get("/connectors");
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("127.0.0.1"));
    });
}
