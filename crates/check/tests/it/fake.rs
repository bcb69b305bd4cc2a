//! A small SCIM server in memory that does everything right, except for the faults that are switched on.

mod bulk;
mod discovery;
mod filter;
mod lists;
mod patch;
mod resource;
mod writes;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use check::{Credentials, Plan, Target};
use serde_json::{Map, Value, json};

use patch::Faults as _;
use resource::{Done, ENTERPRISE, GROUP, Refusal, USER, no};

use lists::Question;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const BULK_MAX: usize = 50;
const TOKENS: [(&str, &str); 2] = [("a", "token-of-a-7f31"), ("b", "token-of-b-9c02")];

/// One tenant's resources, as they are answered but for `groups` and `meta.location`.
#[derive(Default)]
struct Tenant {
    users: Vec<Map<String, Value>>,
    groups: Vec<Map<String, Value>>,
}

struct Server {
    address: String,
    faults: BTreeSet<&'static str>,
    tenants: [Mutex<Tenant>; 2],
    ids: AtomicU64,
}

/// A running fake; it ends with the test.
pub struct Fake {
    server: Arc<Server>,
    _runtime: tokio::runtime::Runtime,
}

/// An answer before it goes out.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

struct Call {
    tenant: usize,
    method: String,
    path: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Fake {
    pub fn start(faults: &[&'static str]) -> Fake {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let server = Arc::new(Server {
            address: format!("http://{}", listener.local_addr().unwrap()),
            faults: faults.iter().copied().collect(),
            tenants: Default::default(),
            ids: AtomicU64::new(1),
        });
        let state = Arc::clone(&server);
        let router =
            Router::new().fallback(move |request: Request| answer(Arc::clone(&state), request));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Fake {
            server,
            _runtime: runtime,
        }
    }

    fn target(&self, nth: usize) -> Target {
        let (name, token) = TOKENS[nth];
        let url = format!("{}/{name}", self.server.address);
        Target::new(url, Credentials::Bearer(token.to_owned()))
    }

    /// All checks, with the second tenant.
    pub fn plan(&self) -> Plan {
        Plan {
            other: Some(self.target(1)),
            crowd: 12,
            ..Plan::new(self.target(0))
        }
    }

    /// How many users and groups are there.
    pub fn count(&self) -> usize {
        let tenants = self
            .server
            .tenants
            .iter()
            .map(|tenant| tenant.lock().unwrap());
        tenants
            .map(|tenant| tenant.users.len() + tenant.groups.len())
            .sum()
    }

    /// Somebody who was there before.
    pub fn put_user(&self, name: &str) {
        let mut tenant = self.server.tenants[0].lock().unwrap();
        let id = format!("before-{name}");
        let user = json!({"id": id, "userName": name, "active": true, "meta": {"resourceType": "User",
            "created": "2026-01-01T00:00:00Z", "lastModified": "2026-01-01T00:00:00Z", "version": "W/\"1\""}});
        tenant.users.push(user.as_object().unwrap().clone());
    }
}

impl patch::Faults for Server {
    fn has(&self, fault: &str) -> bool {
        self.faults.contains(fault)
    }
}

async fn answer(server: Arc<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 << 20).await.unwrap_or_default().to_vec();
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let mut path: Vec<String> = parts
        .uri
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decoded)
        .collect();
    let base = if path.is_empty() {
        String::new()
    } else {
        path.remove(0)
    };
    let query = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty());
    let query = query.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let blank = if server.has("a plus is no blank") {
            "+"
        } else {
            " "
        };
        (decoded(name), decoded(&value.replace('+', blank)))
    });
    let headers = parts.headers.iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    let call = Call {
        tenant: usize::from(base == TOKENS[1].0),
        method: parts.method.to_string(),
        path,
        query: query.collect(),
        headers: headers.collect(),
        body,
    };
    let has_slash = parts.uri.path().ends_with('/');
    let is_head = call.method == "HEAD";
    let work = Arc::clone(&server);
    let reply = tokio::task::spawn_blocking(move || work.reply(&call, has_slash)).await;
    let reply = reply.unwrap_or_else(|_| server.refusal(&(500, "", "it broke".to_owned())));
    server.response(reply, is_head)
}

impl Call {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Server {
    fn response(&self, reply: Reply, is_head: bool) -> Response {
        let kind = if self.has("answers are text/html") {
            "text/html"
        } else {
            "application/scim+json"
        };
        let mut response = Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        let Some(body) = reply.body else {
            return response.body(Body::empty()).unwrap();
        };
        let text = if is_head {
            String::new()
        } else {
            body.to_string()
        };
        response
            .header("content-type", kind)
            .body(Body::from(text))
            .unwrap()
    }

    fn refusal(&self, (status, kind, detail): &Refusal) -> Reply {
        let mut body = json!({"schemas": [ERROR], "status": status.to_string(), "detail": detail});
        if !kind.is_empty() && !self.has("no scimType") {
            body["scimType"] = (*kind).into();
        }
        if self.has("the status of errors is a number") {
            body["status"] = (*status).into();
        }
        if self.has("errors tell the inside") {
            body["detail"] = format!("{detail} at org.example.Server.main").into();
        }
        if self.has("errors are plain") || (self.has("a duplicate is plain") && *status == 409) {
            body = json!({"error": detail});
        }
        let mut headers = Vec::new();
        if *status == 401 && !self.has("401 does not say how") {
            headers.push(("www-authenticate", "Bearer".to_owned()));
        }
        Reply {
            status: *status,
            headers,
            body: Some(body),
        }
    }

    fn reply(&self, call: &Call, has_slash: bool) -> Reply {
        let come = self.admit(call).and_then(|()| {
            match has_slash && self.has("a slash at the end is not found") {
                true => no(404, "", "no such route"),
                false => self.route(call),
            }
        });
        come.unwrap_or_else(|refusal| self.refusal(&refusal))
    }

    fn admit(&self, call: &Call) -> Done {
        let token = TOKENS[call.tenant].1;
        let value = call.header("authorization").unwrap_or_default();
        let (scheme, given) = value.split_once(' ').unwrap_or((value, ""));
        let is_writing = call.method != "GET";
        let is_scheme = match self.has("only Bearer with a capital letter") {
            true => scheme == "Bearer",
            false => scheme.eq_ignore_ascii_case("bearer"),
        };
        let is_let_in = (is_scheme && given == token)
            || (self.has("anybody may read") && !is_writing)
            || (self.has("anybody may write") && is_writing && value.is_empty())
            || (self.has("any token will do") && !given.is_empty())
            || (self.has("an empty token will do") && !value.is_empty() && given.is_empty())
            || (self.has("a part of the token will do")
                && !given.is_empty()
                && token.starts_with(given))
            || (self.has("a token in the URL will do")
                && call.query("access_token") == Some(token))
            || (self.has("any tenant's token will do")
                && TOKENS.iter().any(|(_, known)| *known == given));
        match is_let_in {
            true => Ok(()),
            false if self.has("a refusal repeats the token") => no(401, "", value),
            false => no(401, "", "a token is needed"),
        }
    }

    fn route(&self, call: &Call) -> Done<Reply> {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        let method = call.method.replace("HEAD", "GET");
        if call
            .query
            .iter()
            .any(|(name, value)| value.is_empty() && name.starts_with("aad"))
            && self.has("unknown parameters are refused")
        {
            return no(400, "invalidSyntax", "what is that");
        }
        if call.header("accept") == Some("application/json")
            && self.has("only scim+json is accepted")
        {
            return no(406, "", "accept application/scim+json");
        }
        match (method.as_str(), path.as_slice()) {
            ("GET", ["ServiceProviderConfig" | "ResourceTypes" | "Schemas", ..]) => {
                self.discovery(call, &path)
            }
            ("PUT", ["ServiceProviderConfig"]) if self.has("the configuration can be written") => {
                ok(json!({}))
            }
            ("GET", [collection @ ("Users" | "Groups")]) => {
                self.list(call, *collection == "Groups", &Question::of_query(call)?)
            }
            ("POST", [collection @ ("Users" | "Groups"), ".search"]) => self.list(
                call,
                *collection == "Groups",
                &Question::of_body(&self.object(call)?),
            ),
            ("POST", [".search"]) => self.search_all(call),
            ("POST", ["Bulk"]) => self.bulk(call),
            ("POST", [collection @ ("Users" | "Groups")]) => {
                let body = self.object(call)?;
                self.create(call, *collection == "Groups", &body)
            }
            ("GET", [collection @ ("Users" | "Groups"), id]) => {
                self.get(call, *collection == "Groups", id)
            }
            ("PUT" | "PATCH", [collection @ ("Users" | "Groups"), id]) => {
                let body = self.object(call)?;
                self.change(call, *collection == "Groups", id, &method, &body)
            }
            ("DELETE", [collection @ ("Users" | "Groups"), id]) => {
                self.delete(call, *collection == "Groups", id)
            }
            (
                _,
                [
                    "ServiceProviderConfig"
                    | "ResourceTypes"
                    | "Schemas"
                    | "Users"
                    | "Groups"
                    | "Bulk",
                    ..,
                ],
            ) => no(405, "", "not this method"),
            (_, ["Me"]) => no(501, "", "not offered"),
            _ => no(404, "", "no such route"),
        }
    }

    fn object(&self, call: &Call) -> Done<Value> {
        let kind = call
            .header("content-type")
            .unwrap_or_default()
            .to_lowercase();
        let is_json =
            kind.starts_with("application/json") || kind.starts_with("application/scim+json");
        if kind.contains(';') && self.has("a charset is refused") {
            return no(415, "", "no parameters");
        }
        if !is_json && !kind.is_empty() && !self.has("any content type will do") {
            return no(415, "", "JSON");
        }
        if call.body.len() > 4 << 20 && !self.has("bodies have no limit") {
            return no(413, "", "too large");
        }
        match serde_json::from_slice::<Value>(&call.body) {
            Ok(body) if body.is_object() => Ok(body),
            _ if self.has("an unreadable body breaks it") => no(500, "", "unexpected token"),
            _ => no(400, "invalidSyntax", "a JSON object"),
        }
    }

    fn tenant(&self, call: &Call) -> std::sync::MutexGuard<'_, Tenant> {
        let nth = if self.has("tenants are not apart") {
            0
        } else {
            call.tenant
        };
        self.tenants[nth].lock().unwrap()
    }

    fn shown(
        &self,
        call: &Call,
        tenant: &Tenant,
        stored: &Map<String, Value>,
        is_group: bool,
    ) -> Value {
        let mut shown = Map::new();
        let urn = if is_group { GROUP } else { USER };
        let mut schemas = vec![urn];
        if stored.contains_key(ENTERPRISE) {
            schemas.push(ENTERPRISE);
        }
        if !self.has("resources have no schemas") {
            shown.insert("schemas".into(), json!(schemas));
        }
        shown.extend(
            stored
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        let collection = if is_group { "Groups" } else { "Users" };
        let id = stored["id"].as_str().unwrap_or_default();
        let location = format!(
            "{}/{}/{collection}/{id}",
            self.address, TOKENS[call.tenant].0
        );
        shown["meta"]["location"] = location.into();
        if self.has("times have no zone") {
            shown["meta"]["lastModified"] = "2026-01-01T00:00:00".into();
        }
        if !is_group {
            let mine = tenant.groups.iter().filter(|group| {
                group
                    .get("members")
                    .and_then(Value::as_array)
                    .is_some_and(|list| list.iter().any(|one| one["value"] == id))
            });
            let groups: Vec<Value> = mine
                .map(|group| json!({"value": group["id"], "display": group["displayName"]}))
                .collect();
            if !groups.is_empty() && !self.has("users do not tell their groups") {
                shown.insert("groups".into(), groups.into());
            }
        }
        Value::Object(shown)
    }

    fn resource(&self, call: &Call, status: u16, resource: &Value) -> Reply {
        let mut headers = Vec::new();
        let version = resource["meta"]["version"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if !self.has("there is no ETag") {
            headers.push(("etag", version));
        }
        if status == 201 && !self.has("201 has no Location") {
            headers.push((
                "location",
                resource["meta"]["location"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            ));
        }
        let question = Question::of_query(call).unwrap_or_default();
        Reply {
            status,
            headers,
            body: Some(self.part(resource, &question)),
        }
    }

    /// The parts that are asked for.
    fn part(&self, resource: &Value, question: &Question) -> Value {
        let mut part = resource.clone();
        let (only, without) = (&question.attributes, &question.excluded);
        let map = part.as_object_mut().unwrap();
        if !only.is_empty() && !self.has("attributes is passed over") {
            let names: Vec<Vec<String>> = only
                .iter()
                .map(|name| resource::attribute(name).0)
                .collect();
            map.retain(|key, value| {
                if key == "id" || key == "schemas" {
                    return true;
                }
                let meant: Vec<&Vec<String>> = names
                    .iter()
                    .filter(|name| name[0].eq_ignore_ascii_case(key))
                    .collect();
                let subs: Vec<&String> = meant.iter().filter_map(|name| name.get(1)).collect();
                if !subs.is_empty() {
                    keep(value, &|sub| {
                        subs.iter().any(|wanted| wanted.eq_ignore_ascii_case(sub))
                    });
                }
                !meant.is_empty()
            });
        }
        if !self.has("excludedAttributes is passed over") {
            for name in without {
                let (parts, _) = resource::attribute(name);
                let Some(key) = map
                    .keys()
                    .find(|key| key.eq_ignore_ascii_case(&parts[0]))
                    .cloned()
                else {
                    continue;
                };
                match parts.get(1) {
                    Some(sub) => keep(&mut map[&key], &|known| !known.eq_ignore_ascii_case(sub)),
                    None if key == "id" || key == "schemas" => {}
                    None => drop(map.shift_remove(&key)),
                }
            }
        }
        part
    }

    fn get(&self, call: &Call, is_group: bool, id: &str) -> Done<Reply> {
        let tenant = self.tenant(call);
        let found = tenant.all(is_group).iter().find(|one| one["id"] == id);
        let Some(stored) = found else {
            return no(
                if self.has("who is not there is a bad request") {
                    400
                } else {
                    404
                },
                "",
                "there is none",
            );
        };
        let shown = self.shown(call, &tenant, stored, is_group);
        let is_same = call
            .header("if-none-match")
            .is_some_and(|tag| shown["meta"]["version"] == tag);
        match is_same && !self.has("If-None-Match is passed over") {
            true => Ok(Reply {
                status: 304,
                headers: Vec::new(),
                body: None,
            }),
            false => Ok(self.resource(call, 200, &shown)),
        }
    }
}

impl Tenant {
    fn all(&self, is_group: bool) -> &Vec<Map<String, Value>> {
        if is_group { &self.groups } else { &self.users }
    }

    fn all_mut(&mut self, is_group: bool) -> &mut Vec<Map<String, Value>> {
        if is_group {
            &mut self.groups
        } else {
            &mut self.users
        }
    }

    fn leave_groups(&mut self, id: &str) {
        for group in &mut self.groups {
            if let Some(members) = group.get_mut("members").and_then(Value::as_array_mut) {
                members.retain(|member| member["value"] != id);
            }
        }
    }
}

fn keep(value: &mut Value, is_kept: &dyn Fn(&str) -> bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| keep(item, is_kept)),
        Value::Object(map) => map.retain(|key, _| is_kept(key)),
        _ => {}
    }
}

fn ok(body: Value) -> Done<Reply> {
    Ok(Reply {
        status: 200,
        headers: Vec::new(),
        body: Some(body),
    })
}
