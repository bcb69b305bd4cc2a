//! An administrator at the admin API.

use serde_json::Value;

use crate::http::{Answer, Ask};
use crate::world::World;

/// An administrator with a token.
pub struct Console<'w> {
    pub world: &'w World,
    token: String,
}

impl<'w> Console<'w> {
    pub fn new(world: &'w World) -> Console<'w> {
        let made = world.run(world.provision.create_api_token("console", None));
        let token = made.unwrap().secret.reveal().to_owned();
        Console { world, token }
    }

    pub fn with_token(world: &'w World, token: &str) -> Console<'w> {
        Console {
            world,
            token: token.to_owned(),
        }
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A request with the token, to a path below the API's base.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(method, format!("/api/v1{path}"))
            .header("Authorization", &format!("Bearer {}", self.token))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.world.send(self.ask("GET", path))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.world.send(self.ask("DELETE", path))
    }

    /// A request without a body.
    pub fn call(&self, path: &str) -> Answer {
        self.world.send(self.ask("POST", path))
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &body.to_string())
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, &body.to_string())
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, &body.to_string())
    }

    /// Sends a text as JSON, whatever it is.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let ask = self
            .ask(method, path)
            .header("Content-Type", "application/json");
        self.world.send(ask.body(body))
    }

    /// The document at a path.
    #[track_caller]
    pub fn show(&self, path: &str) -> Value {
        ok(&self.get(path))
    }
}

/// A document that is no problem.
#[track_caller]
pub fn ok(answer: &Answer) -> Value {
    assert!((200..300).contains(&answer.status), "{}", answer.text());
    assert!(answer.complete);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

/// Status and detail of a problem, which has to carry everything that a client looks for.
#[track_caller]
pub fn problem(answer: &Answer) -> (u16, String) {
    assert!(answer.complete);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        answer.text()
    );
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status);
    assert_eq!(problem["type"], "about:blank");
    assert!(!problem["title"].as_str().unwrap().is_empty());
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.ends_with(['.', '…']), "{detail}");
    (answer.status, detail.to_owned())
}

/// One member of every item of a list.
pub fn each(list: &Value, member: &str) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item[member].as_str().unwrap().to_owned())
        .collect()
}
