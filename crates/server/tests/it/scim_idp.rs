//! An identity provider talking to the SCIM face.

use provision::NewToken;
use serde_json::{Value, json};

use crate::http::{Answer, Ask};
use crate::world::World;

pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
pub const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub struct Idp<'w> {
    pub world: &'w World,
    /// The path of the connector.
    pub base: String,
    pub token: String,
}

impl<'w> Idp<'w> {
    /// The identity provider of the world's connector.
    pub fn new(world: &'w World) -> Idp<'w> {
        let connector = &world.connector.connector;
        let made = world.run(world.provision.create_scim_token(connector.id, "idp", None));
        Idp::with(world, &connector.public_id, &made.unwrap())
    }

    /// The identity provider of another connector, made for it.
    pub fn stranger(&self) -> Idp<'w> {
        let world = self.world;
        let draft = provision::ConnectorDraft {
            name: "other".into(),
            preset: directory::Preset::Generic,
            directory: None,
            rules: directory::Rules::default(),
            settings: directory::ConnectorSettings::default(),
        };
        let made = world.run(world.provision.create_connector(draft, "admin"));
        let other = made.unwrap().connector;
        let token = world.run(world.provision.create_scim_token(other.id, "idp", None));
        Idp::with(world, &other.public_id, &token.unwrap())
    }

    pub fn with(world: &'w World, public_id: &str, token: &NewToken) -> Idp<'w> {
        Idp {
            world,
            base: format!("/scim/v2/{public_id}"),
            token: token.secret.reveal().to_owned(),
        }
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.world.address, self.base)
    }

    /// A request, to be changed before it is sent.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(method, format!("{}{path}", self.base))
            .header("Authorization", &format!("Bearer {}", self.token))
    }

    /// The same with a JSON body.
    pub fn ask_with(&self, method: &str, path: &str, body: &Value) -> Ask {
        let ask = self
            .ask(method, path)
            .header("Content-Type", "application/scim+json; charset=utf-8");
        ask.body(body.to_string())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.world.send(self.ask("GET", path))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.world.send(self.ask("DELETE", path))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.world.send(self.ask_with("POST", path, body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.world.send(self.ask_with("PUT", path, body))
    }

    pub fn patch(&self, path: &str, operations: &Value) -> Answer {
        self.world.send(self.ask_with(
            "PATCH",
            path,
            &json!({ "schemas": [PATCH_OP], "Operations": operations }),
        ))
    }

    /// Searches; the filter is encoded here.
    pub fn find(&self, collection: &str, filter: &str) -> Value {
        shown(&self.get(&format!("/{collection}?filter={}", encoded(filter))))
    }

    /// Creates a user of this name and gives its id.
    pub fn user(&self, name: &str) -> String {
        let created = self.post(
            "/Users",
            &json!({ "schemas": [CORE_USER], "userName": name, "active": true }),
        );
        id_of(&created)
    }

    /// Creates a group of these members and gives its id.
    pub fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "schemas": [CORE_GROUP], "displayName": name, "members": members });
        id_of(&self.post("/Groups", &body))
    }

    /// The ids of a group's members, in their order by text.
    pub fn members(&self, group: &str) -> Vec<String> {
        member_ids(&shown(&self.get(&format!("/Groups/{group}"))))
    }
}

pub fn member_ids(group: &Value) -> Vec<String> {
    let members = group["members"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut ids: Vec<String> = members
        .iter()
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

pub fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| {
            if plain(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The document of a 200.
#[track_caller]
pub fn shown(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    assert!(answer.complete);
    answer.json()
}

/// The document of a 201, whose address is the same in all places.
#[track_caller]
pub fn created(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.text());
    let document = answer.json();
    assert_eq!(
        answer.header("location"),
        document["meta"]["location"].as_str()
    );
    assert_eq!(answer.header("etag"), document["meta"]["version"].as_str());
    document
}

#[track_caller]
pub fn id_of(answer: &Answer) -> String {
    created(answer)["id"].as_str().unwrap().to_owned()
}

/// The status and keyword of a refusal, which must be in SCIM's form.
#[track_caller]
pub fn refused(answer: &Answer) -> (u16, String) {
    assert_eq!(
        answer.header("content-type"),
        Some("application/scim+json"),
        "{}",
        answer.text()
    );
    let error = answer.json();
    assert_eq!(error["schemas"], json!([ERROR]));
    assert_eq!(error["status"], answer.status.to_string());
    assert!(
        error["detail"]
            .as_str()
            .is_some_and(|detail| !detail.is_empty())
    );
    (
        answer.status,
        error["scimType"].as_str().unwrap_or_default().to_owned(),
    )
}
