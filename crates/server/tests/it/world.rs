//! A server on a fresh database, with one connector and the applications that a story needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use directory::{Cause, ConnectorSettings, Preset, Rules, Trigger};
use emulate::databases::TestDatabase;
use jiff::{SignedDuration, Timestamp};
use provision::{
    AddressRange, ApplicationDraft, ConnectorDraft, IssuerKeys, LoadedConnector, NewPassword,
    Passwords, Provision, SecretKey,
};
use scim::{Dialect, Member, PatchRequest, Resource, ResourceType};
use serde_json::{Map, Value, json};
use server::{App, Limits, Settings};
use store::{Access, Database, Environment, Store, StoreError};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::http::{Answer, Ask};

/// The clock begins here and goes on by a microsecond whenever it is read.
pub const START: &str = "2026-05-28T20:26:40.000Z";

pub struct World {
    pub provision: Provision,
    pub connector: Arc<LoadedConnector>,
    /// Host and port.
    pub address: String,
    clock: Arc<AtomicI64>,
    ids: Arc<AtomicU64>,
    runtime: Runtime,
}

/// What a product was given to sign in with.
#[derive(Clone)]
pub struct Credentials {
    pub name: String,
    pub password: String,
}

impl Credentials {
    pub fn basic(&self) -> String {
        basic(&self.name, &self.password)
    }
}

pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

impl World {
    pub fn new(database: &TestDatabase) -> World {
        World::with_rules(database, Rules::default())
    }

    pub fn with_rules(database: &TestDatabase, rules: Rules) -> World {
        let start: Timestamp = START.parse().unwrap();
        let clock = Arc::new(AtomicI64::new(start.as_microsecond()));
        let ids = Arc::new(AtomicU64::new(1));
        World::open(database, (clock, ids), Some(rules), forgiving(), None)
    }

    pub fn with_settings(database: &TestDatabase, settings: Settings) -> World {
        let start: Timestamp = START.parse().unwrap();
        let clock = Arc::new(AtomicI64::new(start.as_microsecond()));
        let ids = Arc::new(AtomicU64::new(1));
        World::open(
            database,
            (clock, ids),
            Some(Rules::default()),
            settings,
            None,
        )
    }

    /// A server that was just started for the first time.
    pub fn fresh(database: &TestDatabase) -> World {
        let start: Timestamp = START.parse().unwrap();
        let clock = Arc::new(AtomicI64::new(start.as_microsecond()));
        let ids = Arc::new(AtomicU64::new(1));
        World::open(database, (clock, ids), None, forgiving(), None)
    }

    /// A server that fetches the keys of issuers so.
    pub fn with_issuer_keys(
        database: &TestDatabase,
        settings: Settings,
        keys: Arc<dyn IssuerKeys>,
    ) -> World {
        let start: Timestamp = START.parse().unwrap();
        let clock = Arc::new(AtomicI64::new(start.as_microsecond()));
        let ids = Arc::new(AtomicU64::new(1));
        let rules = Some(Rules::default());
        World::open(database, (clock, ids), rules, settings, Some(keys))
    }

    /// The server is stopped and started again.
    pub fn restarted(self, database: &TestDatabase) -> World {
        let clocks = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        drop(self);
        World::open(database, clocks, None, forgiving(), None)
    }

    /// Another node of the same installation.
    pub fn beside(&self, database: &TestDatabase) -> World {
        let clocks = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        World::open(database, clocks, None, forgiving(), None)
    }

    /// Opens the database, which is new if there are rules for its connector.
    fn open(
        database: &TestDatabase,
        (clock, ids): (Arc<AtomicI64>, Arc<AtomicU64>),
        rules: Option<Rules>,
        settings: Settings,
        keys: Option<Arc<dyn IssuerKeys>>,
    ) -> World {
        let (reading, counting) = (Arc::clone(&clock), Arc::clone(&ids));
        let environment = Environment::new(
            move || Timestamp::from_microsecond(reading.fetch_add(1, Ordering::SeqCst)).unwrap(),
            move || uuid::Uuid::from_u64_pair(0, counting.fetch_add(1, Ordering::SeqCst)),
        );
        let store = opened(database, &environment);
        let runtime = Runtime::new().unwrap();
        let key = SecretKey::parse(&"5e".repeat(32)).unwrap();
        let provision = Provision::with_key(store, key);
        let connector = runtime.block_on(prepare(&provision, rules));
        let app = match keys {
            Some(keys) => {
                let here = vec![AddressRange::parse("127.0.0.0/8").unwrap()];
                provision.allow_outbound(here);
                App::with_issuer_keys(provision.clone(), settings, keys)
            }
            None => App::new(provision.clone(), settings),
        };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        runtime.spawn(server::serve(listener, app, std::future::pending()));
        World {
            provision,
            connector,
            address,
            clock,
            ids,
            runtime,
        }
    }

    /// Lets the clock of the store run ahead.
    pub fn wait(&self, time: SignedDuration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }

    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn send(&self, ask: Ask) -> Answer {
        self.run(ask.send(&self.address))
    }

    /// A product that attaches the directory.
    pub fn application(&self, name: &str, access: Access) -> Credentials {
        self.application_from(name, access, &[], None)
    }

    /// The same, from certain addresses or for another directory.
    pub fn application_from(
        &self,
        name: &str,
        access: Access,
        addresses: &[&str],
        directory: Option<&str>,
    ) -> Credentials {
        let draft = ApplicationDraft {
            name: name.to_owned(),
            access,
            addresses: addresses
                .iter()
                .map(|address| (*address).to_owned())
                .collect(),
            directories: directory.into_iter().map(Into::into).collect(),
            aggregate_memberships: false,
            only_with_access: false,
            only_groups_with_access: false,
        };
        let made = self.run(
            self.provision
                .create_application(draft, &Passwords::default()),
        );
        let (application, secret) = made.unwrap();
        Credentials {
            name: application.name,
            password: secret.reveal().to_owned(),
        }
    }

    pub fn cause(&self) -> Cause {
        Cause {
            trigger: Trigger::Scim,
            connector: Some(self.connector.connector.id),
            actor: "identity provider".into(),
            request: "test".into(),
        }
    }

    /// A user, as the identity provider writes it; gives its id there.
    pub fn user(&self, body: Value) -> String {
        self.user_with_password(body, None)
    }

    /// Mira, who is in all examples.
    pub fn mira(&self) -> String {
        self.user(json!({
            "userName": "mira", "displayName": "Mira Solberg",
            "name": {"givenName": "Mira", "familyName": "Solberg"},
            "emails": [{"value": "mira@example.test", "primary": true}],
        }))
    }

    pub fn user_with_password(&self, body: Value, password: Option<&str>) -> String {
        let (resource, _) =
            Resource::from_request(ResourceType::user(), object(body), &Dialect::generic())
                .unwrap();
        self.run(async {
            let password = match password {
                Some(text) => Some(NewPassword {
                    hash: Passwords::default().hash(text.to_owned()).await.unwrap(),
                }),
                None => None,
            };
            let written =
                self.provision
                    .create_user(&self.connector, resource, password, self.cause());
            written.await.unwrap().user.id
        })
    }

    pub fn patch_user(&self, id: &str, path: &str, value: impl Into<Value>) {
        let request = patch(json!([{"op": "replace", "path": path, "value": value.into()}]));
        let patched = self.provision.patch_user(
            &self.connector,
            id.into(),
            request,
            None,
            None,
            self.cause(),
        );
        self.run(patched).unwrap();
    }

    /// The identity provider pushes another password.
    pub fn set_password(&self, id: &str, password: &str) {
        let request = patch(json!([{"op": "replace", "path": "displayName", "value": "Mira"}]));
        self.run(async {
            let hash = Passwords::default().hash(password.to_owned()).await;
            let password = hash.unwrap();
            let patched = self.provision.patch_user(
                &self.connector,
                id.into(),
                request,
                Some(NewPassword { hash: password }),
                None,
                self.cause(),
            );
            patched.await.unwrap();
        });
    }

    pub fn delete_user(&self, id: &str) {
        let deleted = self
            .provision
            .delete_user(&self.connector, id.into(), None, self.cause());
        self.run(deleted).unwrap();
    }

    /// A group of the identity provider with these users; gives its id there.
    pub fn group(&self, name: &str, members: &[&str]) -> String {
        let body = object(json!({"displayName": name}));
        let (resource, _) =
            Resource::from_request(ResourceType::group(), body, &Dialect::generic()).unwrap();
        let members = members.iter().map(|id| Member::new(*id)).collect();
        let created = self
            .provision
            .create_group(&self.connector, resource, members, self.cause());
        self.run(created).unwrap().group.id
    }

    pub fn patch_group(&self, id: &str, operations: Value) {
        let patched = self.provision.patch_group(
            &self.connector,
            id.into(),
            patch(operations),
            None,
            self.cause(),
        );
        self.run(patched).unwrap();
        self.run(self.provision.work_off()).unwrap();
    }

    pub fn add(&self, group: &str, user: &str) {
        self.patch_group(
            group,
            json!([{"op": "add", "path": "members", "value": [{"value": user}]}]),
        );
    }

    pub fn remove(&self, group: &str, user: &str) {
        let path = format!("members[value eq \"{user}\"]");
        self.patch_group(group, json!([{"op": "remove", "path": path}]));
    }

    pub fn delete_group(&self, id: &str) {
        let deleted = self
            .provision
            .delete_group(&self.connector, id.into(), None, self.cause());
        self.run(deleted).unwrap();
        self.run(self.provision.work_off()).unwrap();
    }
}

/// Tests show wrong credentials more often than anybody else.
pub fn forgiving() -> Settings {
    Settings {
        limits: Limits {
            failed_authentications: 0,
            ..Limits::default()
        },
        ..Settings::default()
    }
}

/// Opens the database. A write of the server that was just stopped may still hold it for a moment.
fn opened(database: &TestDatabase, environment: &Environment) -> Store {
    let place = Database::parse(&database.url).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match Store::open(&place, environment.clone()) {
            Err(StoreError::InUse { .. }) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.unwrap(),
        }
    }
}

async fn prepare(provision: &Provision, rules: Option<Rules>) -> Arc<LoadedConnector> {
    provision.prepare().await.unwrap();
    let Some(rules) = rules else {
        let reader = provision.clone();
        let loaded = provision.store().read(move |tx| {
            let all = tx.connectors()?.into_iter().map(|stored| stored.connector);
            // After a first start, the one that it made.
            let found = all.min_by_key(|connector| connector.name != "idp").unwrap();
            reader.load_connector(tx, found.id)
        });
        return loaded.await.unwrap().unwrap();
    };
    let draft = ConnectorDraft {
        name: "idp".into(),
        preset: Preset::Generic,
        directory: Some("default".into()),
        rules,
        settings: ConnectorSettings::default(),
    };
    let id = provision
        .create_connector(draft, "admin")
        .await
        .unwrap()
        .connector
        .id;
    let reader = provision.clone();
    let loaded = provision
        .store()
        .read(move |tx| reader.load_connector(tx, id))
        .await;
    loaded.unwrap().unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn patch(operations: Value) -> PatchRequest {
    PatchRequest::parse(object(json!({"Operations": operations}))).unwrap()
}

/// A product talking to the Crowd face.
pub struct Product<'w> {
    pub world: &'w World,
    pub credentials: Credentials,
    accept: Option<&'static str>,
    base: &'static str,
}

impl<'w> Product<'w> {
    /// A product that may only read and speaks XML.
    pub fn reader(world: &'w World) -> Product<'w> {
        Product::named(world, "reader", Access::ReadOnly)
    }

    /// A product that may also write and speaks XML.
    pub fn writer(world: &'w World) -> Product<'w> {
        Product::named(world, "writer", Access::ReadWrite)
    }

    /// A product that may only read, in another directory.
    pub fn reader_of(world: &'w World, directory: &str) -> Product<'w> {
        let name = format!("reader of {directory}");
        let credentials = world.application_from(&name, Access::ReadOnly, &[], Some(directory));
        Product::with(world, credentials)
    }

    fn named(world: &'w World, name: &str, access: Access) -> Product<'w> {
        let credentials = world.application_from(name, access, &[], Some("default"));
        Product::with(world, credentials)
    }

    /// A product that has its credentials already.
    pub fn known(world: &'w World, credentials: Credentials) -> Product<'w> {
        Product::with(world, credentials)
    }

    fn with(world: &'w World, credentials: Credentials) -> Product<'w> {
        Product {
            world,
            credentials,
            accept: Some("application/xml"),
            base: "/crowd/rest/usermanagement/1",
        }
    }

    /// The same product, asking for another format.
    pub fn accepting(&self, accept: Option<&'static str>) -> Product<'w> {
        Product {
            credentials: self.credentials.clone(),
            accept,
            ..*self
        }
    }

    /// The same product, speaking JSON.
    pub fn json(&self) -> Product<'w> {
        self.accepting(Some("application/json"))
    }

    /// The same product below another base.
    pub fn below(&self, base: &'static str) -> Product<'w> {
        Product {
            credentials: self.credentials.clone(),
            base,
            ..*self
        }
    }

    pub fn ask(&self, method: &str, path: &str) -> Ask {
        let ask = Ask::new(method, format!("{}{path}", self.base))
            .header("Authorization", &self.credentials.basic());
        match self.accept {
            Some(accept) => ask.header("Accept", accept),
            None => ask,
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.world.send(self.ask("GET", path))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.world.send(self.ask("DELETE", path))
    }

    /// Sends a body in the format it is in.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let kind = match body.trim_start().starts_with('{') {
            true => "application/json",
            false => "application/xml; charset=UTF-8",
        };
        self.world.send(
            self.ask(method, path)
                .header("Content-Type", kind)
                .body(body),
        )
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, body)
    }

    /// The links of answers begin so.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.world.address, self.base)
    }
}

/// Status and reason of a refusal, which has to carry everything that a client looks for.
#[track_caller]
pub fn refusal(answer: &Answer) -> (u16, String) {
    assert!(answer.complete);
    assert!(answer.header("x-embedded-crowd-version").is_some());
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
    let reason = match answer.header("content-type") {
        Some("application/xml;charset=UTF-8") => {
            let refusal = crowd::answer::refusal(&answer.body);
            let refusal = refusal.unwrap_or_else(|error| panic!("{error}: {}", answer.text()));
            assert!(!refusal.message.is_empty());
            refusal
                .reason
                .expect("a reason that clients know")
                .as_str()
                .to_owned()
        }
        Some("application/json;charset=UTF-8") => {
            let refusal = answer.json();
            assert!(!refusal["message"].as_str().unwrap().is_empty());
            refusal["reason"].as_str().unwrap().to_owned()
        }
        other => panic!("{other:?}: {}", answer.text()),
    };
    (answer.status, reason)
}

/// A document that is no refusal.
#[track_caller]
pub fn ok(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.complete);
    assert!(answer.header("x-embedded-crowd-version").is_some());
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
    answer.text()
}
