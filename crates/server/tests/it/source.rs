//! An identity provider beside the first one: a connector with a directory of its own.

use std::sync::Arc;

use directory::{Cause, ConnectorSettings, Preset, Rules, Trigger};
use provision::{ConnectorDraft, LoadedConnector, NewPassword, Passwords};
use scim::{Dialect, Member, PatchRequest, Resource, ResourceType};
use serde_json::{Map, Value, json};

use crate::world::World;

pub struct Source<'w> {
    world: &'w World,
    connector: Arc<LoadedConnector>,
}

impl<'w> Source<'w> {
    /// A connector of this name that feeds a new directory of this name.
    pub fn new(world: &'w World, name: &str, rules: Value) -> Source<'w> {
        let rules: Rules = serde_json::from_value(rules).unwrap();
        let draft = ConnectorDraft {
            name: name.to_owned(),
            preset: Preset::Generic,
            directory: None,
            rules,
            settings: ConnectorSettings::default(),
        };
        let made = world
            .run(world.provision.create_connector(draft, "admin"))
            .unwrap();
        let (reader, id) = (world.provision.clone(), made.connector.id);
        let loaded = world
            .provision
            .store()
            .read_blocking(|tx| reader.load_connector(tx, id));
        Source {
            world,
            connector: loaded.unwrap().unwrap(),
        }
    }

    /// The directory that it feeds.
    pub fn directory(&self) -> directory::DirectoryId {
        self.connector.connector.directory
    }

    fn cause(&self) -> Cause {
        Cause {
            trigger: Trigger::Scim,
            connector: Some(self.connector.connector.id),
            actor: "identity provider".into(),
            request: "test".into(),
        }
    }

    pub fn user(&self, name: &str) -> String {
        self.user_with(json!({"userName": name, "displayName": format!("{name} of {}", self.connector.connector.name)}), None)
    }

    pub fn user_with(&self, body: Value, password: Option<&str>) -> String {
        let (resource, _) =
            Resource::from_request(ResourceType::user(), object(body), &Dialect::generic())
                .unwrap();
        let id = self.world.run(async {
            let password = match password {
                Some(text) => Some(NewPassword {
                    hash: Passwords::default().hash(text.to_owned()).await.unwrap(),
                }),
                None => None,
            };
            let provision = &self.world.provision;
            let made = provision.create_user(&self.connector, resource, password, self.cause());
            made.await.unwrap().user.id
        });
        self.settle();
        id
    }

    pub fn set(&self, user: &str, path: &str, value: impl Into<Value>) {
        let request = patch(json!([{"op": "replace", "path": path, "value": value.into()}]));
        let provision = &self.world.provision;
        let patched = provision.patch_user(
            &self.connector,
            user.into(),
            request,
            None,
            None,
            self.cause(),
        );
        self.world.run(patched).unwrap();
        self.settle();
    }

    pub fn delete_user(&self, user: &str) {
        let provision = &self.world.provision;
        let deleted = provision.delete_user(&self.connector, user.into(), None, self.cause());
        self.world.run(deleted).unwrap();
        self.settle();
    }

    pub fn group(&self, name: &str, members: &[&str]) -> String {
        let body = object(json!({"displayName": name}));
        let (resource, _) =
            Resource::from_request(ResourceType::group(), body, &Dialect::generic()).unwrap();
        let members = members.iter().map(|id| Member::new(*id)).collect();
        let provision = &self.world.provision;
        let made = provision.create_group(&self.connector, resource, members, self.cause());
        let id = self.world.run(made).unwrap().group.id;
        self.settle();
        id
    }

    pub fn rename_group(&self, group: &str, name: &str) {
        self.patch_group(
            group,
            json!([{"op": "replace", "path": "displayName", "value": name}]),
        );
    }

    /// Puts a user or a group into a group.
    pub fn add(&self, group: &str, member: &str) {
        self.patch_group(
            group,
            json!([{"op": "add", "path": "members", "value": [{"value": member}]}]),
        );
    }

    pub fn remove(&self, group: &str, member: &str) {
        let path = format!("members[value eq \"{member}\"]");
        self.patch_group(group, json!([{"op": "remove", "path": path}]));
    }

    pub fn delete_group(&self, group: &str) {
        let provision = &self.world.provision;
        let deleted = provision.delete_group(&self.connector, group.into(), None, self.cause());
        self.world.run(deleted).unwrap();
        self.settle();
    }

    fn patch_group(&self, group: &str, operations: Value) {
        let provision = &self.world.provision;
        let patched = provision.patch_group(
            &self.connector,
            group.into(),
            patch(operations),
            None,
            self.cause(),
        );
        self.world.run(patched).unwrap();
        self.settle();
    }

    fn settle(&self) {
        self.world.run(self.world.provision.work_off()).unwrap();
    }
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
