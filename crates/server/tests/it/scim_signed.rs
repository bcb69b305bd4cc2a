//! Tokens that an identity provider signs itself, against an issuer that changes its keys and fails.

use std::sync::Arc;

use emulate::databases::{TestDatabase, on_each_database};
use emulate::issuer::{Issuer, SigningKey};
use jiff::{SignedDuration, Timestamp};
use provision::{Fetched, IssuerKeys, KeysPlace};
use serde_json::{Value, json};

use crate::api_console::{Console, ok};
use crate::http::{Answer, Ask};
use crate::scim_credentials::refused;
use crate::world::{START, World, forgiving};

/// Fetches with the client of these tests.
struct Fetching;

impl IssuerKeys for Fetching {
    fn fetch<'f>(&'f self, place: &'f KeysPlace) -> Fetched<'f> {
        Box::pin(async move {
            let url = place.keys_url.as_deref().unwrap_or_default();
            let address = url.trim_start_matches("http://").trim_end_matches("/keys");
            let answer = Ask::new("GET", "/keys").send(address).await;
            match answer.status {
                200 => Ok(answer.text().to_owned()),
                status => Err(format!("{url} answered {status}")),
            }
        })
    }
}

struct Story {
    world: World,
    issuer: Issuer,
    rsa: SigningKey,
}

impl Story {
    fn new(database: &TestDatabase) -> Story {
        let world = World::with_issuer_keys(database, forgiving(), Arc::new(Fetching));
        let story = Story {
            world,
            issuer: Issuer::start().unwrap(),
            rsa: SigningKey::rsa("first").unwrap(),
        };
        story.issuer.publish(&[&story.rsa]);
        story.take(json!({}));
        story
    }

    /// Takes tokens of the issuer from now on.
    fn take(&self, change: Value) {
        let mut jwt = json!({
            "issuer": self.issuer.url, "audience": "vestibule", "keys_url": self.issuer.keys_url(),
            "algorithms": ["RS256", "ES256", "EdDSA"], "claims": {"appid": "provisioning"},
        });
        let changes = change.as_object().unwrap().clone();
        jwt.as_object_mut().unwrap().extend(changes);
        let body = json!({"settings": {"credentials": {"jwt": jwt}}});
        ok(&Console::new(&self.world).patch("/connectors/idp", body));
    }

    fn now(&self) -> i64 {
        self.world.provision.store().now().as_second()
    }

    fn claims(&self, change: Value) -> Value {
        let mut claims = json!({
            "iss": self.issuer.url, "aud": "vestibule", "appid": "provisioning",
            "nbf": self.now(), "exp": self.now() + 3600,
        });
        let changes = change.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(changes);
        claims
    }

    fn send(&self, method: &str, token: &str) -> Answer {
        let id = &self.world.connector.connector.public_id;
        let ask = Ask::new(method, format!("/scim/v2/{id}/Users"))
            .header("Authorization", &format!("Bearer {token}"))
            .header("Content-Type", "application/scim+json")
            .body(r#"{"userName": "new"}"#);
        self.world.send(ask)
    }

    fn status(&self, token: &str) -> u16 {
        self.send("GET", token).status
    }

    #[track_caller]
    fn refuses(&self, token: &str, said: &str) {
        let answer = self.send("GET", token);
        let (status, detail) = refused(&answer);
        assert_eq!(status, 401, "{detail}");
        assert!(detail.contains(said), "{detail}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert!(challenge.contains("error_description=\""), "{challenge}");
    }
}

#[test]
fn tokens_of_the_issuer_are_taken_and_name_their_holder() {
    on_each_database(|database| {
        let story = Story::new(database);
        assert!(START.parse::<Timestamp>().is_ok());
        let (ec, ed) = (SigningKey::ec("ec").unwrap(), SigningKey::ed("ed").unwrap());
        story.issuer.publish(&[&story.rsa, &ec, &ed]);
        for key in [&story.rsa, &ec, &ed] {
            let token = key.token(&story.claims(json!({})));
            assert_eq!(story.status(&token), 200, "{}", key.algorithm());
        }
        let several = story
            .rsa
            .token(&story.claims(json!({"aud": ["a", "vestibule"]})));
        assert_eq!(story.send("POST", &several).status, 201);
        story.take(json!({"read_only": true}));
        assert_eq!(story.send("POST", &several).status, 403);
        assert_eq!(story.status(&several), 200);
    });
}

#[test]
fn whatever_is_not_right_about_a_token_is_named() {
    on_each_database(|database| {
        let story = Story::new(database);
        let token = |change: Value| story.rsa.token(&story.claims(change));
        let good = token(json!({}));
        assert_eq!(story.status(&good), 200);
        story.refuses(&token(json!({"aud": "another"})), "another audience");
        story.refuses(
            &token(json!({"iss": "https://evil.example.org"})),
            "issued by",
        );
        story.refuses(&token(json!({"appid": "another"})), "'appid'");
        story.refuses(&token(json!({"exp": story.now() - 61})), "expired");
        story.refuses(
            &token(json!({"nbf": story.now() + 120})),
            "not valid before",
        );
        story.refuses(&token(json!({"exp": null})), "not a time");

        let claims = story.claims(json!({}));
        let head = |head: Value| story.rsa.token_with(&head, &claims);
        story.refuses(&head(json!({"alg": "none", "kid": "first"})), "'none'");
        let unsigned = good.rsplit_once('.').unwrap().0;
        story.refuses(&format!("{unsigned}."), "signature");
        story.refuses(&head(json!({"alg": "HS256", "kid": "first"})), "'HS256'");
        story.refuses(
            &head(json!({"alg": "ES256", "kid": "first"})),
            "does not publish",
        );
        story.refuses(
            &head(json!({"alg": "RS256", "kid": "../first"})),
            "does not publish",
        );
        story.refuses(
            &head(json!({"alg": "RS256", "kid": "first", "crit": ["b64"]})),
            "extension",
        );
        let stranger = SigningKey::ec("first").unwrap();
        story.refuses(&stranger.token(&claims), "does not publish");
        let (begin, signature) = good.rsplit_once('.').unwrap();
        let other = token(json!({"sub": "somebody else"}));
        let changed = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
        story.refuses(&changed, "signature");
        story.refuses(&format!("{begin}.AAAA"), "signature");
        story.refuses(&format!("ey.{}.x", "x".repeat(100)), "not JSON");
        story.refuses(&format!("{good}{}", "x".repeat(20_000)), "longer than");
        assert_eq!(story.status(&good), 200);
    });
}

/// An attacker signs with the published key as if it were a shared secret; the list of algorithms
/// that a connector can take has none with shared secrets.
#[test]
fn no_algorithm_with_a_shared_secret_can_be_switched_on() {
    let database = TestDatabase::sqlite().unwrap();
    let story = Story::new(&database);
    for algorithm in ["HS256", "HS384", "HS512", "none"] {
        let jwt = json!({"issuer": story.issuer.url, "audience": "a", "algorithms": [algorithm]});
        let body = json!({"settings": {"credentials": {"jwt": jwt}}});
        let answer = Console::new(&story.world).patch("/connectors/idp", body);
        assert_eq!(answer.status, 422, "{algorithm}");
    }
}

#[test]
fn keys_change_without_a_gap_and_are_not_asked_for_too_often() {
    on_each_database(|database| {
        let story = Story::new(database);
        let token = |key: &SigningKey| key.token(&story.claims(json!({})));
        for _ in 0..5 {
            assert_eq!(
                story.status(&story.rsa.token(&story.claims(json!({"n": story.now()})))),
                200
            );
        }
        assert_eq!(story.issuer.fetches(), 1);
        let next = SigningKey::ec("second").unwrap();
        story.issuer.publish(&[&story.rsa, &next]);
        story.refuses(&token(&next), "does not publish");
        assert_eq!(
            story.issuer.fetches(),
            1,
            "an unknown key makes nobody ask at once"
        );
        story.world.wait(SignedDuration::from_mins(1));
        assert_eq!(story.status(&token(&next)), 200);
        assert_eq!(story.issuer.fetches(), 2);
        for name in 0..20 {
            let unknown = SigningKey::ec(&format!("unknown {name}")).unwrap();
            story.refuses(&token(&unknown), "does not publish");
        }
        assert_eq!(story.issuer.fetches(), 2);
        story.issuer.publish(&[&next]);
        story.world.wait(SignedDuration::from_hours(1));
        assert_eq!(story.status(&token(&next)), 200);
        let asked = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            story.issuer.fetches() == 3
        });
        assert!(asked, "keys are asked for again after an hour");
        let withdrawn = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            story.status(&token(&story.rsa)) == 401
        });
        assert!(withdrawn, "a key that is withdrawn stops working");
    });
}

#[test]
fn an_issuer_that_is_down_keeps_nobody_out_whose_key_is_known() {
    on_each_database(|database| {
        let story = Story::new(database);
        let token = || story.rsa.token(&story.claims(json!({})));
        story.issuer.set_down(true);
        let answer = story.send("GET", &token());
        assert_eq!(answer.status, 503, "it is not the client's fault");
        assert_eq!(answer.header("retry-after"), Some("10"));
        assert!(answer.text().contains("answered 503"), "{}", answer.text());
        story.issuer.set_down(false);
        story.world.wait(SignedDuration::from_secs(5));
        assert_eq!(story.status(&token()), 200);
        story.issuer.set_down(true);
        for _ in 0..23 {
            story.world.wait(SignedDuration::from_hours(1));
            assert_eq!(story.status(&token()), 200);
        }
        story.world.wait(SignedDuration::from_hours(1));
        assert_eq!(story.status(&token()), 503, "but not for ever");
    });
}

#[test]
fn a_connector_without_the_setting_takes_none() {
    on_each_database(|database| {
        let story = Story::new(database);
        let token = story.rsa.token(&story.claims(json!({})));
        assert_eq!(story.status(&token), 200);
        let body = json!({"settings": {"credentials": {"jwt": null}}});
        ok(&Console::new(&story.world).patch("/connectors/idp", body));
        story.refuses(&token, "takes none");
        let ask = Ask::new("GET", "/scim/v2/no-such-connector/Users")
            .header("Authorization", &format!("Bearer {token}"));
        let unknown = story.world.send(ask);
        assert_eq!(refused(&unknown).1, refused(&story.send("GET", &token)).1);
    });
}

#[test]
fn a_tenant_is_enough_where_the_preset_knows_tenants() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        ok(&console.post("/connectors", json!({"name": "entra", "preset": "entra"})));
        let tenant = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
        let body = json!({"settings": {"credentials": {"jwt": {"tenant": tenant}}}});
        let shown = ok(&console.patch("/connectors/entra", body));
        let jwt = &shown["settings"]["credentials"]["jwt"];
        assert_eq!(jwt["issuer"], format!("https://sts.windows.net/{tenant}/"));
        assert_eq!(jwt["audience"], "8adf8e6e-67b2-4cf2-a259-e3dc5476c621");
        assert_eq!(
            jwt["claims"],
            json!({"appid": "00000014-0000-0000-c000-000000000000"})
        );
    });
}
