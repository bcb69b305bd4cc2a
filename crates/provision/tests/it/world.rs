//! A store, a connector and a clock that stands still until it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use directory::{Cause, ConnectorSettings, Membership, Preset, Rules, Trigger, User};
use emulate::databases::TestDatabase;
use jiff::{SignedDuration, Timestamp};
use provision::{ConnectorDraft, LoadedConnector, Provision, ProvisionError};
use scim::{Dialect, Member, PatchRequest, Precondition, Resource, ResourceType};
use serde_json::{Map, Value, json};
use store::{Database, Environment, Store};

pub struct World {
    pub provision: Provision,
    pub connector: Arc<LoadedConnector>,
    clock: Arc<AtomicI64>,
    runtime: tokio::runtime::Runtime,
}

/// What the products see of one user.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub name: String,
    pub active: bool,
    pub groups: Vec<String>,
}

impl World {
    pub fn new(database: &TestDatabase, rules: Rules) -> Self {
        let clock = Arc::new(AtomicI64::new(1_780_000_000_000_000));
        let reading = Arc::clone(&clock);
        let environment = Environment::new(
            move || Timestamp::from_microsecond(reading.fetch_add(1, Ordering::SeqCst)).unwrap(),
            uuid::Uuid::new_v4,
        );
        let store = Store::open(&Database::parse(&database.url).unwrap(), environment).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let provision = Provision::new(store);
        let connector = runtime.block_on(async {
            let draft = ConnectorDraft {
                name: "idp".into(),
                preset: Preset::Generic,
                directory: None,
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
            provision
                .store()
                .read(move |tx| reader.load_connector(tx, id))
                .await
                .unwrap()
                .unwrap()
        });
        Self {
            provision,
            connector,
            clock,
            runtime,
        }
    }

    pub fn wait(&self, time: SignedDuration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }

    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn cause(&self) -> Cause {
        Cause {
            trigger: Trigger::Scim,
            connector: Some(self.connector.connector.id),
            actor: "test".into(),
            request: "r".into(),
        }
    }

    pub fn work_off(&self) -> u64 {
        self.run(self.provision.work_off()).unwrap()
    }

    pub fn try_user(&self, body: Value) -> Result<String, ProvisionError> {
        let (resource, _) =
            Resource::from_request(ResourceType::user(), object(body), &Dialect::generic())?;
        let written =
            self.run(
                self.provision
                    .create_user(&self.connector, resource, None, self.cause()),
            )?;
        Ok(written.user.id)
    }

    pub fn user(&self, name: &str) -> String {
        self.try_user(json!({"userName": name, "externalId": format!("x-{name}")}))
            .unwrap()
    }

    pub fn patch_user(&self, id: &str, operations: Value) {
        let request = patch(operations);
        self.run(self.provision.patch_user(
            &self.connector,
            id.into(),
            request,
            None,
            self.anyway(),
            self.cause(),
        ))
        .unwrap();
    }

    pub fn set_active(&self, id: &str, active: bool) {
        self.patch_user(id, json!([{"op": "replace", "value": {"active": active}}]));
    }

    pub fn delete_user(&self, id: &str) {
        self.run(self.provision.delete_user(
            &self.connector,
            id.into(),
            self.anyway(),
            self.cause(),
        ))
        .unwrap();
    }

    /// A precondition that demands nothing.
    pub fn anyway(&self) -> Option<Precondition> {
        None
    }

    pub fn group(&self, name: &str, members: &[&str]) -> String {
        self.group_of(json!({"displayName": name}), members)
    }

    pub fn group_known_as(&self, name: &str, external_id: &str, members: &[&str]) -> String {
        self.group_of(
            json!({"displayName": name, "externalId": external_id}),
            members,
        )
    }

    fn group_of(&self, body: Value, members: &[&str]) -> String {
        let (resource, _) =
            Resource::from_request(ResourceType::group(), object(body), &Dialect::generic())
                .unwrap();
        let members = members.iter().map(|id| Member::new(*id)).collect();
        self.run(
            self.provision
                .create_group(&self.connector, resource, members, self.cause()),
        )
        .unwrap()
        .group
        .id
    }

    pub fn patch_group(&self, id: &str, operations: Value) -> provision::WrittenGroup {
        self.run(self.provision.patch_group(
            &self.connector,
            id.into(),
            patch(operations),
            self.anyway(),
            self.cause(),
        ))
        .unwrap()
    }

    pub fn add(&self, group: &str, user: &str) {
        let value = json!([{"value": user}]);
        self.patch_group(
            group,
            json!([{"op": "add", "path": "members", "value": value}]),
        );
    }

    pub fn remove(&self, group: &str, user: &str) {
        let path = format!("members[value eq \"{user}\"]");
        self.patch_group(group, json!([{"op": "remove", "path": path}]));
    }

    pub fn delete_group(&self, id: &str) {
        self.run(self.provision.delete_group(
            &self.connector,
            id.into(),
            self.anyway(),
            self.cause(),
        ))
        .unwrap();
    }

    pub fn account(&self, name: &str) -> Option<User> {
        let (directory, name) = (self.connector.connector.directory, name.to_owned());
        self.provision
            .store()
            .read_blocking(move |tx| tx.directory_user(directory, &name))
            .unwrap()
    }

    pub fn memberships(&self, name: &str) -> Vec<Membership> {
        let user = self.account(name).unwrap().pk;
        self.provision
            .store()
            .read_blocking(move |tx| tx.memberships_of(user))
            .unwrap()
    }

    pub fn groups(&self, name: &str) -> Vec<String> {
        self.memberships(name)
            .into_iter()
            .map(|membership| membership.group)
            .collect()
    }

    /// Everything that products see, in order. What is counted has to be what is there.
    pub fn seen(&self) -> Vec<Seen> {
        let directory = self.connector.connector.directory;
        let users = self
            .provision
            .store()
            .read_blocking(move |tx| tx.directory_users(directory, 0, 1000))
            .unwrap();
        let seen: Vec<Seen> = users
            .into_iter()
            .map(|user| Seen {
                groups: self.groups(&user.name),
                active: user.active(),
                name: user.name,
            })
            .collect();
        let counts = self
            .provision
            .store()
            .read_blocking(move |tx| tx.directory_counts(&[directory]))
            .unwrap()[&directory];
        let active = seen.iter().filter(|user| user.active).count();
        assert_eq!(
            (counts.active_users, counts.disabled_users, counts.groups),
            (
                active as i64,
                (seen.len() - active) as i64,
                self.group_names().len() as i64
            )
        );
        seen
    }

    /// Every group in a group, as products see it: parent, child, kinds of origins.
    pub fn nestings(&self) -> Vec<(String, String, String)> {
        let directory = self.connector.connector.directory;
        self.provision
            .store()
            .read_blocking(move |tx| {
                let mut found = Vec::new();
                for group in tx.directory_groups(directory, 0, 1000)? {
                    for child in tx.child_groups(directory, group.pk)? {
                        let kinds = child.origins.iter().map(directory::Origin::kind);
                        let kinds: Vec<&str> = kinds.collect();
                        found.push((group.name.clone(), child.group.name, kinds.join("+")));
                    }
                }
                Ok::<_, store::StoreError>(found)
            })
            .unwrap()
    }

    /// The same without the origins, `parent>child`.
    pub fn nested(&self) -> Vec<String> {
        let nestings = self.nestings().into_iter();
        nestings
            .map(|(parent, child, _)| format!("{parent}>{child}"))
            .collect()
    }

    /// The newest entry of the journal.
    pub fn last_entry(&self) -> store::JournalEntry {
        let directory = self.connector.connector.directory;
        let query = store::JournalQuery {
            newest_first: true,
            limit: 1,
            ..store::JournalQuery::default()
        };
        let store = self.provision.store();
        let found = store.read_blocking(move |tx| tx.journal(directory, &query));
        found.unwrap().remove(0)
    }

    /// How much of the limits is used up.
    pub fn limits(&self) -> provision::LimitReport {
        let id = self.connector.connector.id;
        let provision = self.provision.clone();
        self.provision
            .store()
            .read_blocking(move |tx| {
                let loaded = provision.load_connector(tx, id)?.unwrap();
                provision.limits(tx, &loaded)
            })
            .unwrap()
    }

    /// An application that has this directory first, and behind it another one, in which a user has this name.
    pub fn directory_below(&self, directory: &str, name: &str) {
        let draft = ConnectorDraft {
            name: directory.into(),
            preset: Preset::Generic,
            directory: None,
            rules: Rules::default(),
            settings: ConnectorSettings::default(),
        };
        let provision = &self.provision;
        let id = self
            .run(provision.create_connector(draft, "admin"))
            .unwrap();
        let (id, reader) = (id.connector.id, provision.clone());
        let load = provision
            .store()
            .read(move |tx| reader.load_connector(tx, id));
        let below = self.run(load).unwrap().unwrap();
        let body = object(json!({"userName": name}));
        let (user, _) =
            Resource::from_request(ResourceType::user(), body, &Dialect::generic()).unwrap();
        self.run(provision.create_user(&below, user, None, self.cause()))
            .unwrap();
        let draft = provision::ApplicationDraft {
            name: "jira".into(),
            access: store::Access::ReadOnly,
            addresses: Vec::new(),
            directories: vec!["idp".into(), directory.into()],
            aggregate_memberships: false,
            only_with_access: false,
            only_groups_with_access: false,
        };
        let passwords = provision::Passwords::default();
        self.run(provision.create_application(draft, &passwords))
            .unwrap();
    }

    /// Where the journal ends.
    pub fn position(&self) -> i64 {
        let directory = self.connector.connector.directory;
        let store = self.provision.store();
        store
            .read_blocking(move |tx| tx.journal_position(directory))
            .unwrap()
    }

    pub fn set_rules(&self, change: impl Fn(&mut Rules) + Send + Sync + 'static) {
        let id = self.connector.connector.id;
        self.run(
            self.provision
                .change_connector(id, "admin", move |connector| {
                    change(&mut connector.rules);
                    Ok(())
                }),
        )
        .unwrap();
    }

    pub fn rename_group(&self, id: &str, name: &str) {
        self.patch_group(
            id,
            json!([{"op": "replace", "path": "displayName", "value": name}]),
        );
    }

    pub fn group_names(&self) -> Vec<String> {
        let directory = self.connector.connector.directory;
        let groups = self
            .provision
            .store()
            .read_blocking(move |tx| tx.directory_groups(directory, 0, 1000))
            .unwrap();
        groups.into_iter().map(|group| group.name).collect()
    }
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

pub fn patch(operations: Value) -> PatchRequest {
    PatchRequest::parse(object(json!({"Operations": operations}))).unwrap()
}
