//! Every document of SCIM as it goes over the wire, status and headers included. A change of any of these
//! files is a change that identity providers see. What differs from run to run is written as `<...>`.

use std::collections::HashMap;

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::Console;
use crate::http::{Answer, Ask};
use crate::scim_idp::*;
use crate::world::World;

/// Headers that are part of the protocol.
const HEADERS: [&str; 5] = [
    "content-type",
    "location",
    "etag",
    "www-authenticate",
    "allow",
];

/// A world whose answers are compared with files.
struct Golden<'w> {
    idp: Idp<'w>,
    ids: std::cell::RefCell<HashMap<String, usize>>,
}

impl<'w> Golden<'w> {
    fn new(world: &'w World) -> Golden<'w> {
        Golden {
            idp: Idp::new(world),
            ids: Default::default(),
        }
    }

    #[track_caller]
    fn check(&self, name: &str, answer: &Answer) {
        let mut told = vec![format!("{}", answer.status)];
        for header in HEADERS {
            if let Some(value) = answer.header(header) {
                told.push(format!("{header}: {}", self.masked(value)));
            }
        }
        if !answer.body.is_empty() {
            let body = self.without_chance(answer.json());
            told.push(String::new());
            told.push(serde_json::to_string_pretty(&body).unwrap());
        }
        insta::assert_snapshot!(name, told.join("\n"));
    }

    fn without_chance(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.masked(&text)),
            Value::Array(items) => items
                .into_iter()
                .map(|item| self.without_chance(item))
                .collect(),
            Value::Object(map) => map
                .into_iter()
                .map(|(name, value)| match (name.as_str(), &value) {
                    ("nextCursor" | "previousCursor", Value::String(_)) => {
                        (name, "<cursor>".into())
                    }
                    _ => (name, self.without_chance(value)),
                })
                .collect(),
            other => other,
        }
    }

    /// Ids are numbered as they come; times, digests and the address are what they are.
    fn masked(&self, text: &str) -> String {
        if text.parse::<jiff::Timestamp>().is_ok() {
            assert!(text.len() >= 20 && text.ends_with('Z'), "{text}");
            return "<time>".to_owned();
        }
        let text = text.replace(&self.idp.url(), "<base>");
        let text = text.replace(self.idp.base.rsplit('/').next().unwrap(), "<connector>");
        let text = text.replace(&self.idp.world.address, "<host>");
        let words: Vec<String> = text
            .split_inclusive(|c: char| "/\"' ".contains(c))
            .map(|word| self.word(word))
            .collect();
        words.concat()
    }

    fn word(&self, word: &str) -> String {
        let bare = word.trim_end_matches(|c: char| "/\"' .)".contains(c));
        let end = &word[bare.len()..];
        if uuid::Uuid::parse_str(bare).is_ok() {
            let mut ids = self.ids.borrow_mut();
            let next = ids.len() + 1;
            let number = *ids.entry(bare.to_owned()).or_insert(next);
            return format!("<id {number}>{end}");
        }
        match bare.split_once('-') {
            Some((version, digest)) if digest.len() == 8 && version.parse::<u32>().is_ok() => {
                format!("{version}-<digest>{end}")
            }
            _ => word.to_owned(),
        }
    }
}

fn barbara() -> Value {
    json!({
        "schemas": [CORE_USER, ENT],
        "externalId": "701984",
        "userName": "bjensen@example.com",
        "name": { "formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara",
            "middleName": "Jane", "honorificPrefix": "Ms.", "honorificSuffix": "III" },
        "displayName": "Babs Jensen", "nickName": "Babs", "profileUrl": "https://login.example.com/bjensen",
        "emails": [{ "value": "bjensen@example.com", "type": "work", "primary": true },
            { "value": "babs@jensen.org", "type": "home" }],
        "addresses": [{ "type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood",
            "region": "CA", "postalCode": "91608", "country": "US" }],
        "phoneNumbers": [{ "value": "555-555-5555", "type": "work" }],
        "userType": "Employee", "title": "Tour Guide", "preferredLanguage": "en-US", "locale": "en-US",
        "timezone": "America/Los_Angeles", "active": true,
        "roles": [{ "value": "guide", "primary": true }],
        ENT: { "employeeNumber": "701984", "department": "Tour Operations", "manager": { "value": "26118915" } },
        "urn:example:badge:1.0:User": { "number": 7 },
    })
}

#[test]
fn users_groups_and_lists() {
    on_each_database(|database| {
        let world = World::new(database);
        let golden = Golden::new(&world);
        let idp = &golden.idp;
        let made = idp.post("/Users", &barbara());
        golden.check("user_created", &made);
        let user = id_of(&made);
        let body = json!({ "schemas": [CORE_GROUP], "displayName": "Tour Guides", "externalId": "g-1",
            "members": [{ "value": user }] });
        let made = idp.post("/Groups", &body);
        golden.check("group_created", &made);
        let group = id_of(&made);
        golden.check("user", &idp.get(&format!("/Users/{user}")));
        golden.check(
            "user_attributes",
            &idp.get(&format!("/Users/{user}?attributes=userName,emails.value")),
        );
        golden.check(
            "user_excluded",
            &idp.get(&format!(
                "/Users/{user}?excludedAttributes=groups,{ENT},addresses,name"
            )),
        );
        golden.check("group", &idp.get(&format!("/Groups/{group}")));
        golden.check(
            "group_without_members",
            &idp.get(&format!("/Groups/{group}?excludedAttributes=members")),
        );
        let outer = idp.group("Staff", &[&group]);
        golden.check("group_of_groups", &idp.get(&format!("/Groups/{outer}")));
        golden.check(
            "user_patched",
            &idp.patch(
                &format!("/Users/{user}"),
                &json!([{ "op": "replace", "path": "title", "value": "Director" }]),
            ),
        );
        golden.check(
            "group_patched",
            &idp.patch(
                &format!("/Groups/{outer}"),
                &json!([{ "op": "replace", "path": "displayName", "value": "All" }]),
            ),
        );
        golden.check(
            "user_replaced",
            &idp.put(
                &format!("/Users/{user}"),
                &json!({ "schemas": [CORE_USER], "userName": "bjensen@example.com" }),
            ),
        );
        idp.user("second");
        idp.user("third");
        golden.check(
            "list",
            &idp.get("/Users?attributes=userName&startIndex=2&count=1"),
        );
        golden.check(
            "list_of_groups",
            &idp.get("/Groups?excludedAttributes=members"),
        );
        golden.check(
            "list_filtered",
            &idp.get(&format!(
                "/Users?attributes=userName&filter={}",
                encoded("userName sw \"S\"")
            )),
        );
        golden.check(
            "list_none",
            &idp.get(&format!(
                "/Users?filter={}",
                encoded("userName eq \"nobody\"")
            )),
        );
        golden.check("list_total_only", &idp.get("/Users?count=0"));
        let first = idp.get("/Users?attributes=userName&count=1&cursor");
        golden.check("cursor_first", &first);
        let next = first.json()["nextCursor"].as_str().unwrap().to_owned();
        let second = idp.get(&format!("/Users?attributes=userName&count=1&cursor={next}"));
        golden.check("cursor_between", &second);
        let next = second.json()["nextCursor"].as_str().unwrap().to_owned();
        golden.check(
            "cursor_last",
            &idp.get(&format!("/Users?attributes=userName&count=1&cursor={next}")),
        );
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "attributes": ["userName", "displayName"], "filter": "userName eq \"third\" or displayName sw \"tour\"" });
        golden.check("search", &idp.post("/.search", &search));
        golden.check("search_users", &idp.post("/Users/.search", &json!({ "count": 1, "attributes": ["userName"], "sortBy": "userName", "sortOrder": "descending" })));
        let etag = idp
            .get(&format!("/Users/{user}"))
            .header("etag")
            .unwrap()
            .to_owned();
        let unchanged = idp
            .ask("GET", &format!("/Users/{user}"))
            .header("If-None-Match", &etag);
        golden.check("user_not_modified", &world.send(unchanged));
        golden.check("user_deleted", &idp.delete(&format!("/Users/{user}")));
    });
}

#[test]
fn what_the_server_says_of_itself() {
    on_each_database(|database| {
        let world = World::new(database);
        let golden = Golden::new(&world);
        for (name, path) in [
            ("service_provider_config", "/ServiceProviderConfig"),
            ("resource_types", "/ResourceTypes"),
            ("resource_type", "/ResourceTypes/Group"),
            ("schemas", "/Schemas"),
            (
                "schema",
                "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group",
            ),
        ] {
            golden.check(name, &golden.idp.get(path));
        }
        let console = Console::new(&world);
        let urn = "urn:example:badge:1.0:User";
        let document = json!({ "id": urn, "name": "Badge", "description": "What opens doors", "attributes": [
            { "name": "number", "type": "string", "uniqueness": "server", "required": true },
            { "name": "doors", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "value", "type": "string", "canonicalValues": ["front", "back"] },
                { "name": "primary", "type": "boolean" } ] } ] });
        let body = json!({ "resource_types": ["User"], "document": document });
        let made = console.send(
            "PUT",
            &format!("/connectors/idp/schemas/{urn}"),
            &body.to_string(),
        );
        assert!((200..300).contains(&made.status), "{}", made.text());
        golden.check("custom_schema", &golden.idp.get(&format!("/Schemas/{urn}")));
        golden.check(
            "custom_resource_type",
            &golden.idp.get("/ResourceTypes/User"),
        );
        let user = json!({ "schemas": [CORE_USER, urn], "userName": "ann",
            urn: { "number": "7", "doors": [{ "value": "front", "primary": true }] } });
        golden.check("custom_user", &golden.idp.post("/Users", &user));
    });
}

#[test]
fn bulk_requests() {
    on_each_database(|database| {
        let world = World::new(database);
        let golden = Golden::new(&world);
        let idp = &golden.idp;
        let known = idp.user("known");
        let operation = |method: &str, path: &str, data: Value| {
            let bulk_id = path.trim_start_matches('/').to_lowercase();
            json!({ "method": method, "path": path, "bulkId": bulk_id, "data": data })
        };
        let patch = json!({ "schemas": [PATCH_OP],
            "Operations": [{ "op": "replace", "path": "title", "value": "Guide" }] });
        let operations = json!([
            operation("POST", "/Groups", json!({ "displayName": "Guides",
                "members": [{ "value": "bulkId:users" }] })),
            operation("POST", "/Users", json!({ "userName": "ann" })),
            operation("PATCH", &format!("/Users/{known}"), patch),
            operation("PUT", &format!("/Users/{known}"), json!({ "userName": "ANN" })),
            { "method": "PATCH", "path": "/Groups/bulkId:groups", "data": { "schemas": [PATCH_OP],
                "Operations": [{ "op": "add", "path": "members", "value": [{ "value": known }] }] } },
            { "method": "DELETE", "path": "/Users/nobody" },
            { "method": "POST", "path": "/Groups", "data": { "displayName": "No name of its own" } },
            { "method": "DELETE", "path": format!("/Users/{known}") },
        ]);
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        let body = json!({ "schemas": schemas, "Operations": operations });
        golden.check("bulk", &idp.post("/Bulk", &body));
        let failing =
            |number: usize| json!({ "method": "DELETE", "path": format!("/Users/nobody{number}") });
        let body = json!({ "schemas": schemas, "failOnErrors": 2,
            "Operations": [failing(1), failing(2), failing(3)] });
        golden.check("bulk_stopped", &idp.post("/Bulk", &body));
        let body = json!({ "schemas": schemas, "Operations": {} });
        golden.check("bulk_unreadable", &idp.post("/Bulk", &body));
    });
}

#[test]
fn errors() {
    on_each_database(|database| {
        let world = World::new(database);
        let golden = Golden::new(&world);
        let idp = &golden.idp;
        let user = idp.user("joy");
        let path = format!("/Users/{user}");
        let replace =
            |attribute: &str| json!([{ "op": "replace", "path": attribute, "value": "x" }]);
        let with = |name: &str, value: &str| {
            let body = json!({ "schemas": [CORE_USER], "userName": "joy" });
            world.send(idp.ask_with("PUT", &path, &body).header(name, value))
        };
        let without_token = || Ask::new("GET", format!("{}/Users", idp.base));
        let plain = idp
            .ask("POST", "/Users")
            .header("Content-Type", "text/plain");
        let broken = idp
            .ask("POST", "/Users")
            .header("Content-Type", "application/scim+json");
        for (name, answer) in [
            ("filter", idp.get("/Users?filter=userName%20is%201")),
            ("filter_attribute", idp.get("/Users?filter=shoe%20eq%201")),
            (
                "missing",
                idp.post("/Users", &json!({ "schemas": [CORE_USER] })),
            ),
            (
                "type",
                idp.post("/Users", &json!({ "userName": ["a", "b"] })),
            ),
            ("taken", idp.post("/Users", &json!({ "userName": "JOY" }))),
            ("path", idp.patch(&path, &replace("shoe"))),
            (
                "no_target",
                idp.patch(&path, &replace("emails[value sw \"x\"].type")),
            ),
            ("mutability", idp.patch(&path, &replace("groups"))),
            ("no_user", idp.get("/Users/nobody")),
            ("no_group", idp.delete("/Groups/nobody")),
            ("no_endpoint", idp.get("/Devices")),
            ("no_method", idp.delete("/Users")),
            ("me", idp.get("/Me")),
            ("changed", with("If-Match", "W/\"7-12345678\"")),
            ("not_json", world.send(broken.body("{\"userName\": "))),
            ("not_declared", world.send(plain.body("{}"))),
            ("cursor", idp.get("/Users?cursor=x")),
            ("count", idp.get("/Users?cursor&count=100000")),
            ("anonymous", world.send(without_token())),
            (
                "token",
                world.send(without_token().header("Authorization", "Bearer vst_scim_wrong")),
            ),
        ] {
            golden.check(&format!("error_{name}"), &answer);
        }
    });
}
