//! Conversations with each identity provider, kept as data in `tests/conversations`, played against a
//! connector of its preset on both engines, and then looked at as a product.
//!
//! A file has the `preset`, what the `settings` of its connector change, the `headers` of every request, the `steps`
//! and the `end`: users and groups as the Crowd face shows them. Of a step, `send` is method and path below the base
//! URL; `expect` the status; `answer` a part of the answer, in which `null` says that something is not there and a
//! list is complete, in any order; `keep` names values for later steps, which write them as `<name>`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use directory::{ConnectorSettings, Preset, Rules};
use emulate::databases::{TestDatabase, on_each_database};
use provision::ConnectorDraft;
use serde_json::{Map, Value};

use crate::http::{Answer, Ask};
use crate::scim_idp::Idp;
use crate::world::{Product, World, ok};

const KEYS: [&str; 6] = ["about", "preset", "settings", "headers", "steps", "end"];
const STEP_KEYS: [&str; 8] = [
    "note",
    "send",
    "headers",
    "body",
    "expect",
    "answer",
    "answer_headers",
    "keep",
];

/// What later steps can write as `<name>`.
type Kept = BTreeMap<String, String>;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conversations")
}

fn read(name: &str) -> Value {
    let path = folder().join(name).with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"))
}

fn filled(text: &str, kept: &Kept) -> String {
    kept.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("<{name}>"), value)
    })
}

fn filled_value(value: &Value, kept: &Kept) -> Value {
    match value {
        Value::String(text) => filled(text, kept).into(),
        Value::Array(items) => items.iter().map(|item| filled_value(item, kept)).collect(),
        Value::Object(map) => {
            let filled =
                |(name, value): (&String, &Value)| (name.clone(), filled_value(value, kept));
            Value::Object(map.iter().map(filled).collect())
        }
        other => other.clone(),
    }
}

/// Where an answer is not as expected.
fn differs(expected: &Value, found: Option<&Value>, at: &str) -> Option<String> {
    let wrong = || Some(format!("{at}: {expected} was expected, not {found:?}"));
    match (expected, found) {
        (Value::Null, None) => None,
        (Value::Object(parts), Some(Value::Object(whole))) => parts
            .iter()
            .find_map(|(name, part)| differs(part, whole.get(name), &format!("{at}/{name}"))),
        (Value::Array(wanted), Some(Value::Array(items))) => {
            let is_there = |want: &&Value| {
                items
                    .iter()
                    .any(|item| differs(want, Some(item), at).is_none())
            };
            match wanted.len() == items.len()
                && wanted.iter().filter(is_there).count() == wanted.len()
            {
                true => None,
                false => wrong(),
            }
        }
        (expected, Some(found)) if expected == found => None,
        _ => wrong(),
    }
}

fn known_keys<'k>(what: &str, map: &Map<String, Value>, known: impl AsRef<[&'k str]>) {
    for key in map.keys() {
        assert!(
            known.as_ref().contains(&key.as_str()),
            "{what} has no '{key}'"
        );
    }
}

fn headers(of: &Value) -> impl Iterator<Item = (&String, &str)> {
    let all = of.as_object().into_iter().flatten();
    all.map(|(name, value)| (name, value.as_str().unwrap()))
}

struct Play<'w> {
    idp: Idp<'w>,
    always: Value,
    kept: Kept,
}

impl Play<'_> {
    fn step(&mut self, number: usize, step: &Value) {
        known_keys("a step", step.as_object().unwrap(), STEP_KEYS);
        let send = filled(step["send"].as_str().unwrap(), &self.kept);
        let (method, path) = send.split_once(' ').unwrap();
        let what = format!(
            "step {number}, {send} ({})",
            step["note"].as_str().unwrap_or_default()
        );
        let answer = self.idp.world.send(self.ask(method, path, step));
        let status = step["expect"].as_u64().unwrap();
        assert_eq!(
            u64::from(answer.status),
            status,
            "{what}: {}",
            answer.text()
        );
        self.check(&what, &answer, step);
    }

    fn ask(&self, method: &str, path: &str, step: &Value) -> Ask {
        let mut sent = BTreeMap::from([(
            "Authorization".to_owned(),
            format!("Bearer {}", self.idp.token),
        )]);
        let has_body = step.get("body").is_some();
        let always = headers(&self.always).filter(|(name, _)| has_body || *name != "Content-Type");
        for (name, value) in always.chain(headers(&step["headers"])) {
            sent.insert(name.clone(), filled(value, &self.kept));
        }
        let mut ask = Ask::new(method, format!("{}{path}", self.idp.base));
        if let Some(body) = step.get("body") {
            let body = filled_value(body, &self.kept).to_string();
            sent.entry("Content-Type".into())
                .or_insert_with(|| "application/scim+json".into());
            ask = ask.body(body);
        }
        sent.iter()
            .fold(ask, |ask, (name, value)| ask.header(name, value))
    }

    fn check(&mut self, what: &str, answer: &Answer, step: &Value) {
        for (name, value) in headers(&step["answer_headers"]) {
            let value = filled(value, &self.kept);
            assert_eq!(answer.header(name), Some(value.as_str()), "{what}: {name}");
        }
        if answer.status == 204 {
            assert!(
                answer.body.is_empty() && step.get("answer").is_none(),
                "{what}"
            );
            return;
        }
        assert_eq!(
            answer.header("content-type"),
            Some("application/scim+json"),
            "{what}"
        );
        let found = answer.json();
        let expected = filled_value(
            step.get("answer").unwrap_or(&Value::Object(Map::new())),
            &self.kept,
        );
        if let Some(wrong) = differs(&expected, Some(&found), "") {
            panic!("{what}: {wrong}\n{found:#}");
        }
        for (name, pointer) in headers(&step["keep"]) {
            let value = found.pointer(pointer).and_then(Value::as_str);
            let value = value.unwrap_or_else(|| panic!("{what}: nothing at {pointer}"));
            self.kept.insert(name.clone(), value.to_owned());
        }
    }
}

/// A connector of the file's preset that feeds the directory of the world.
fn connector<'w>(world: &'w World, file: &Value) -> Idp<'w> {
    let settings: ConnectorSettings = match file.get("settings") {
        Some(settings) => serde_json::from_value(settings.clone()).unwrap(),
        None => ConnectorSettings::default(),
    };
    let draft = ConnectorDraft {
        name: "conversation".into(),
        preset: Preset::parse(file["preset"].as_str().unwrap()).unwrap(),
        directory: Some("default".into()),
        rules: Rules::default(),
        settings,
    };
    let made = world
        .run(world.provision.create_connector(draft, "admin"))
        .unwrap()
        .connector;
    let token = world.run(world.provision.create_scim_token(made.id, "idp", None));
    Idp::with(world, &made.public_id, &token.unwrap())
}

/// Users and groups as a product that attaches the directory sees them.
fn seen(world: &World) -> Value {
    world.run(world.provision.work_off()).unwrap();
    let product = Product::reader(world).json();
    let list = |path: &str| -> Value { serde_json::from_str(ok(&product.get(path))).unwrap() };
    let mut users = Map::new();
    let found = list("/search?entity-type=user&expand=user&max-results=1000");
    for user in found["users"].as_array().unwrap() {
        let part = |name: &str| (name.to_owned(), user[name].clone());
        let shown = ["active", "display-name", "first-name", "last-name", "email"].map(part);
        users.insert(
            user["name"].as_str().unwrap().to_owned(),
            shown.into_iter().collect(),
        );
    }
    let mut groups = Map::new();
    let found = list("/search?entity-type=group&max-results=1000");
    for group in found["groups"].as_array().unwrap() {
        let name = group["name"].as_str().unwrap();
        let path = format!(
            "/group/user/direct?groupname={}",
            crate::scim_idp::encoded(name)
        );
        let members = list(&path);
        let names = members["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["name"].clone());
        groups.insert(name.to_owned(), names.collect());
    }
    serde_json::json!({ "users": users, "groups": groups })
}

fn play_on(database: &TestDatabase, name: &str) {
    let file = read(name);
    known_keys(name, file.as_object().unwrap(), KEYS);
    let world = World::new(database);
    let idp = connector(&world, &file);
    let mut play = Play {
        kept: BTreeMap::from([
            ("token".to_owned(), idp.token.clone()),
            ("base".to_owned(), idp.url()),
        ]),
        idp,
        always: file["headers"].clone(),
    };
    let steps = file["steps"].as_array().unwrap();
    for (at, step) in steps.iter().enumerate() {
        play.step(at + 1, step);
    }
    let (end, found) = (&file["end"], seen(&world));
    for what in ["users", "groups"] {
        let names = |of: &Value| -> BTreeSet<String> {
            of[what].as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(names(end), names(&found), "{name}: {what} at the end");
    }
    if let Some(wrong) = differs(end, Some(&found), "end") {
        panic!("{name}: {wrong}\n{found:#}");
    }
}

fn play(name: &str) {
    on_each_database(|database| play_on(database, name));
}

macro_rules! conversations {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            play(stringify!($name));
        })*

        /// Each preset has its conversation, and each file its test.
        #[test]
        fn every_preset_has_a_conversation() {
            let played = BTreeSet::from([$(stringify!($name).to_owned()),*]);
            let files: BTreeSet<String> = std::fs::read_dir(folder())
                .unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            assert_eq!(files, played);
            for preset in Preset::ALL {
                assert!(files.contains(preset.as_str()), "{}", preset.as_str());
                assert_eq!(read(preset.as_str())["preset"], preset.as_str());
            }
        }
    };
}

conversations! {
    generic okta okta_wizard entra entra_optscim google onelogin jumpcloud pingone pingfederate keycloak
    authentik rauthy pocketid sailpoint polis rfc adoption
}
