//! What the fake server says about itself.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::patch::Faults as _;
use super::resource::{Done, ENTERPRISE, EXTENSION, GROUP, LISTS, TEXTS, USER, no};
use super::{BULK_MAX, Call, LIST, Reply, Server, ok};

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

impl Server {
    pub(super) fn discovery(&self, call: &Call, path: &[&str]) -> Done<Reply> {
        if call.query("filter").is_some() && !self.has("discovery passes over filters") {
            return no(403, "", "not filtered");
        }
        let document = self.document(path[0]);
        let items = document["Resources"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        match path.get(1) {
            None if self.has("discovery lists are bare") && path[0] != "ServiceProviderConfig" => {
                ok(items.into())
            }
            None => ok(document),
            Some(name) => {
                let found = items
                    .into_iter()
                    .find(|one| one["id"] == *name || one["name"] == *name);
                let found = found.filter(|_| !self.has("discovery has no single documents"));
                match found {
                    Some(one) => ok(one),
                    None if self.has("what is not there is empty") => ok(json!({})),
                    None => no(404, "", "there is none"),
                }
            }
        }
    }

    pub(super) fn document(&self, name: &str) -> Value {
        let list = |items: Vec<Value>| json!({"schemas": [LIST], "totalResults": items.len(), "startIndex": 1, "itemsPerPage": items.len(), "Resources": items});
        match name {
            "ServiceProviderConfig" => self.configuration(),
            "ResourceTypes" => {
                let endpoint = if self.has("an endpoint is wrong") {
                    "/People"
                } else {
                    "/Users"
                };
                list(vec![
                    json!({"name": "User", "id": "User", "endpoint": endpoint, "schema": USER,
                        "schemaExtensions": [{"schema": ENTERPRISE, "required": false}]}),
                    json!({"name": "Group", "id": "Group", "endpoint": "/Groups", "schema": GROUP}),
                ])
            }
            _ => {
                let mut schemas = vec![
                    self.user_schema(),
                    json!({"id": GROUP, "name": "Group", "attributes": [text("displayName"), complex("members", true)]}),
                ];
                if !self.has("a schema is missing") {
                    let attributes: Vec<Value> = EXTENSION
                        .iter()
                        .map(|name| {
                            if *name == "manager" {
                                complex(name, false)
                            } else {
                                text(name)
                            }
                        })
                        .collect();
                    schemas.push(json!({"id": ENTERPRISE, "name": "EnterpriseUser", "attributes": attributes}));
                }
                list(schemas)
            }
        }
    }

    pub(super) fn user_schema(&self) -> Value {
        let mut attributes: Vec<Value> = TEXTS
            .iter()
            .filter(|name| **name != "externalId")
            .map(|name| text(name))
            .collect();
        if !self.has("userName is not published as unique") {
            attributes[0]["required"] = true.into();
            attributes[0]["uniqueness"] = "server".into();
        }
        if self.has("types have other names") {
            attributes[1]["type"] = "text".into();
        }
        attributes.push(json!({"name": "active", "type": "boolean", "multiValued": false}));
        attributes.push(complex("name", false));
        if !self.has("answers have more than is published") {
            attributes.extend(LISTS.iter().map(|name| complex(name, true)));
            attributes.push(complex("groups", true));
        }
        let returned = if self.has("the password is published as readable") {
            "default"
        } else {
            "never"
        };
        attributes.push(json!({"name": "password", "type": "string", "mutability": "writeOnly", "returned": returned}));
        json!({"id": USER, "name": "User", "attributes": attributes})
    }

    pub(super) fn configuration(&self) -> Value {
        let mut config = json!({
            "schemas": [CONFIG], "patch": {"supported": true}, "bulk": {"supported": true, "maxOperations": BULK_MAX, "maxPayloadSize": 1 << 20},
            "filter": {"supported": true, "maxResults": 200}, "changePassword": {"supported": false}, "sort": {"supported": true},
            "etag": {"supported": true}, "pagination": {"cursor": true, "index": true, "defaultPaginationMethod": "index", "maxPageSize": 200},
            "authenticationSchemes": [{"type": "oauthbearertoken", "name": "Bearer", "description": "a token"}],
        });
        for (fault, pointer, value) in [
            ("the configuration has no schema", "/schemas", json!([])),
            ("flags are texts", "/sort/supported", json!("true")),
            ("limits are missing", "/filter/maxResults", Value::Null),
            (
                "no way to authenticate is told",
                "/authenticationSchemes",
                json!([]),
            ),
            (
                "pages are described in words",
                "/pagination/cursor",
                json!("yes"),
            ),
            (
                "patch is offered and not said",
                "/patch/supported",
                json!(false),
            ),
            (
                "bulk is offered and not said",
                "/bulk/supported",
                json!(false),
            ),
            (
                "cursors are offered and not said",
                "/pagination/cursor",
                json!(false),
            ),
            (
                "versions are given and not said",
                "/etag/supported",
                json!(false),
            ),
            ("maxResults is not kept", "/filter/maxResults", json!(0)),
            (
                "the configuration changes",
                "/documentationUri",
                json!(self.ids.fetch_add(1, Ordering::SeqCst).to_string()),
            ),
        ] {
            if self.has(fault) {
                match config.pointer_mut(pointer) {
                    Some(place) => *place = value,
                    None => config[pointer.trim_start_matches('/')] = value,
                }
            }
        }
        config
    }
}

fn text(name: &str) -> Value {
    json!({"name": name, "type": "string", "multiValued": false, "required": false, "caseExact": false, "uniqueness": "none"})
}

fn complex(name: &str, many: bool) -> Value {
    json!({"name": name, "type": "complex", "multiValued": many, "subAttributes": [text("value"), text("type")]})
}
