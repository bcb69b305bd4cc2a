//! The token endpoint: an access token for id and secret (RFC 6749).

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::api_console::{Console, ok};
use crate::http::{Answer, Ask};
use crate::scim_idp::Idp;
use crate::world::{World, basic};

struct Client<'w> {
    world: &'w World,
    idp: Idp<'w>,
    id: String,
    secret: String,
}

impl<'w> Client<'w> {
    fn new(world: &'w World, wish: Value) -> Client<'w> {
        let made = ok(&Console::new(world).post("/connectors/idp/clients", wish));
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let public_id = &world.connector.connector.public_id;
        assert!(text("token_url").ends_with(&format!("/oauth/{public_id}/token")));
        Client {
            world,
            idp: Idp::new(world),
            id: text("client_id"),
            secret: text("client_secret"),
        }
    }

    fn path(&self) -> String {
        format!("/oauth/{}/token", self.world.connector.connector.public_id)
    }

    fn ask(&self, form: &str) -> Ask {
        Ask::new("POST", self.path())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form)
    }

    /// With id and secret in the header.
    fn form(&self, form: &str) -> Answer {
        let ask = self.ask(form);
        let ask = ask.header("Authorization", &basic(&self.id, &self.secret));
        self.world.send(ask)
    }

    fn token(&self) -> String {
        let answer = self.form("grant_type=client_credentials");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    fn status_with(&self, token: &str) -> u16 {
        let ask = Ask::new("GET", format!("{}/Users", self.idp.base))
            .header("Authorization", &format!("Bearer {token}"));
        self.world.send(ask).status
    }
}

#[track_caller]
fn error(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let body = answer.json();
    assert!(!body["error_description"].as_str().unwrap().is_empty());
    (answer.status, body["error"].as_str().unwrap().to_owned())
}

#[test]
fn id_and_secret_become_a_token_that_ends() {
    on_each_database(|database| {
        let world = World::new(database);
        let client = Client::new(&world, json!({"label": "idp"}));
        let answer = client.form("grant_type=client_credentials");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 3600);
        assert_eq!(body["scope"], "read write");
        let first = body["access_token"].as_str().unwrap();

        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=",
            client.id, client.secret
        );
        let in_body = world.send(client.ask(&body)).json();
        let second = in_body["access_token"].as_str().unwrap();
        assert_ne!(first, second);
        for token in [first, second] {
            assert_eq!(client.status_with(token), 200);
        }
        world.wait(SignedDuration::from_mins(60));
        for token in [first, second] {
            assert_eq!(client.status_with(token), 401);
        }
        assert_eq!(client.status_with(&client.secret), 401);
    });
}

#[test]
fn each_mistake_has_its_name() {
    on_each_database(|database| {
        let world = World::new(database);
        let client = Client::new(&world, json!({}));
        let good = format!("client_id={}&client_secret={}", client.id, client.secret);
        let whole = format!("grant_type=client_credentials&{good}");
        let send = |form: &str| error(&world.send(client.ask(form)));
        let invalid = |name: &str| (400, name.to_owned());
        assert_eq!(send(&good), invalid("invalid_request"));
        assert_eq!(
            send(&format!("grant_type=password&{good}")),
            invalid("unsupported_grant_type")
        );
        assert_eq!(
            send(&format!("{whole}&grant_type=client_credentials")),
            invalid("invalid_request")
        );
        assert_eq!(send("grant_type=client_credentials").0, 401);
        for wrong in [
            format!("client_id=x&client_secret={}", client.secret),
            format!("client_id={}&client_secret=x", client.id),
            format!("client_id={}&client_secret={}x", client.id, client.secret),
        ] {
            let (status, name) = send(&format!("grant_type=client_credentials&{wrong}"));
            assert_eq!((status, name.as_str()), (401, "invalid_client"), "{wrong}");
        }
        let twice = error(&client.form(&whole));
        assert_eq!(twice, invalid("invalid_request"));
        let json = Ask::new("POST", client.path()).header("Content-Type", "application/json");
        assert_eq!(
            error(&world.send(json.body("{}"))),
            invalid("invalid_request")
        );
        let get = world.send(Ask::new("GET", client.path()));
        assert_eq!(error(&get).0, 405);
        assert_eq!(get.header("allow"), Some("POST"));
        let large = world.send(client.ask(&"x=y&".repeat(8_000)));
        assert_eq!(error(&large).0, 413);
        let elsewhere = client
            .path()
            .replace(&world.connector.connector.public_id, "other");
        let elsewhere = Ask::new("POST", elsewhere)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(whole);
        assert_eq!(error(&world.send(elsewhere)).1, "invalid_client");
    });
}

#[test]
fn secrets_change_over_without_a_gap_and_end_with_their_tokens() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mut client = Client::new(&world, json!({"label": "idp"}));
        let secrets = format!("/connectors/idp/clients/{}/secrets", client.id);
        let old_token = client.token();
        let rotated = ok(&console.post(&secrets, json!({"overlap_minutes": 10})));
        let old = client.secret.clone();
        let new = rotated["client_secret"].as_str().unwrap().to_owned();
        client.token();
        client.secret.clone_from(&new);
        let new_token = client.token();
        world.wait(SignedDuration::from_mins(10));
        client.secret = old;
        assert_eq!(client.form("grant_type=client_credentials").status, 401);
        assert_eq!(
            client.status_with(&old_token),
            200,
            "a token lives its time"
        );
        client.secret = new;
        client.token();

        let shown = console.show("/connectors/idp/clients");
        let held = shown["items"][0]["secrets"].as_array().unwrap();
        assert_eq!(held.len(), 2);
        let newest = held[0]["id"].as_str().unwrap();
        assert_eq!(console.delete(&format!("{secrets}/{newest}")).status, 204);
        assert_eq!(
            client.status_with(&new_token),
            401,
            "a revoked secret takes its tokens along"
        );
        assert_eq!(client.status_with(&old_token), 200);
        let path = format!("/connectors/idp/clients/{}", client.id);
        assert_eq!(console.delete(&path).status, 204);
        assert_eq!(client.status_with(&old_token), 401);
        assert_eq!(console.delete(&path).status, 404);
    });
}

#[test]
fn a_token_may_no_more_than_its_client() {
    on_each_database(|database| {
        let world = World::new(database);
        let client = Client::new(&world, json!({}));
        let narrowed = client
            .form("grant_type=client_credentials&scope=read")
            .json();
        assert_eq!(narrowed["scope"], "read");
        let write = |token: &Value| {
            let token = token["access_token"].as_str().unwrap();
            let ask = Ask::new("POST", format!("{}/Users", client.idp.base))
                .header("Authorization", &format!("Bearer {token}"))
                .header("Content-Type", "application/json")
                .body(r#"{"userName":"new"}"#);
            world.send(ask).status
        };
        assert_eq!(write(&narrowed), 403);
        let reader = Client::new(&world, json!({"access": "read-only"}));
        let asked = reader.form("grant_type=client_credentials&scope=read%20write");
        assert_eq!(asked.json()["scope"], "read");
        assert_eq!(write(&asked.json()), 403);
        let far = Client::new(&world, json!({"addresses": ["192.0.2.1"]}));
        let (status, name) = error(&far.form("grant_type=client_credentials"));
        assert_eq!((status, name.as_str()), (403, "unauthorized_client"));
        let console = Console::new(&world);
        let settings = json!({"settings": {"credentials": {"access_token_minutes": 360}}});
        ok(&console.patch("/connectors/idp", settings));
        let long = client.form("grant_type=client_credentials").json();
        assert_eq!(long["expires_in"], 360 * 60);
        let listed = console.show("/connectors/idp/clients").to_string();
        assert!(!listed.contains(&client.secret));
    });
}

#[test]
fn the_oldest_tokens_go_when_there_are_many() {
    on_each_database(|database| {
        let world = World::new(database);
        let client = Client::new(&world, json!({}));
        let first = client.token();
        let second = client.token();
        (0..98).for_each(|_| drop(client.token()));
        assert_eq!(client.status_with(&first), 200);
        client.token();
        assert_eq!(client.status_with(&first), 401);
        assert_eq!(client.status_with(&second), 200);
    });
}
