//! Users who meet accounts that exist already (US-08, US-09), and what is copied so that they do (US-26).

use directory::census::{Census, CopyOptions};
use directory::rules::{Identity, MappingRow, OnMet, Target};
use directory::{Preset, Reason, Rules, Status};
use emulate::databases::on_each_database;
use provision::{
    ConnectorDraft, Decided, ImportCounts, ImportWish, LocalUserDraft, ProvisionError, Writer,
};
use serde_json::{Value, json};
use store::{Attribute, ImportState, NameConflict};

use crate::world::World;

fn with(identity: Identity) -> Rules {
    Rules {
        identity,
        ..Rules::default()
    }
}

impl World {
    fn writer(&self) -> Writer {
        Writer {
            directory: self.connector.connector.directory,
            application: "jira".into(),
            request: String::new(),
        }
    }

    /// Somebody whom a product made.
    fn local(&self, name: &str, email: &str, number: &str) {
        let directory = self.connector.connector.directory;
        self.run(self.provision.allow_local_users(directory, true))
            .unwrap();
        let draft = LocalUserDraft {
            name: name.into(),
            email: Some(email.into()),
            ..LocalUserDraft::default()
        };
        let number = Attribute {
            name: "number".into(),
            values: vec![number.into()],
        };
        let hash = Some("hash".to_owned());
        let writer = self.writer();
        self.run(
            self.provision
                .create_local_user(&writer, draft, vec![number], hash),
        )
        .unwrap();
    }

    fn copy(&self, census: Value) -> ImportCounts {
        let census = Census::from_json(&census.to_string()).unwrap();
        let wish = ImportWish {
            directory: self.connector.connector.directory,
            source: "test".into(),
            actor: "admin".into(),
            census,
            options: CopyOptions::default(),
        };
        let (_, expected) = self.run(self.provision.try_import(wish.clone())).unwrap();
        let begun = self.run(self.provision.begin_import(wish)).unwrap();
        self.work_off();
        let directory = self.connector.connector.directory;
        let done = self
            .provision
            .store()
            .read_blocking(move |tx| tx.import(directory, &begun.public_id))
            .unwrap()
            .unwrap();
        assert_eq!(done.state, ImportState::Done);
        assert_eq!(done.done, done.total);
        let counts = ImportCounts::of(&done).unwrap();
        assert_eq!(counts, expected, "a dry run tells what comes");
        counts
    }

    fn conflicts(&self) -> Vec<NameConflict> {
        let id = self.connector.connector.id;
        self.provision
            .store()
            .read_blocking(move |tx| tx.name_conflicts(id, 0, 100))
            .unwrap()
    }

    fn decide(&self, user: &str, decided: Decided) -> Result<(), ProvisionError> {
        let id = self.connector.connector.id;
        self.run(self.provision.decide_standoff(id, user, decided, "admin"))
    }

    fn key(&self, name: &str) -> String {
        self.account(name).unwrap().key
    }

    fn is_ours(&self, name: &str) -> bool {
        self.account(name).unwrap().connector == Some(self.connector.connector.id)
    }
}

fn ann() -> Value {
    json!({"userName": "ANN", "externalId": "x1", "emails": [{"value": "ann@x.test"}]})
}

#[test]
fn copied_people_wait_for_their_identity_provider() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let census = json!({
            "users": [
                {"name": "ann", "email": "old@x.test", "groups": ["jira"], "attributes": {"city": "Bern"}},
                {"name": "bob", "active": false}],
            "groups": [{"name": "jira", "description": "d"}, {"name": "all", "groups": ["jira"]}]});
        let counts = world.copy(census.clone());
        assert_eq!((counts.users_created, counts.groups_created), (2, 2));
        assert_eq!(
            (counts.memberships_added, counts.child_groups_added),
            (1, 1)
        );
        let bob = world.account("bob").unwrap();
        assert_eq!((bob.status, bob.reason), (Status::Disabled, Reason::Copied));

        let position = world.position();
        let again = world.copy(census.clone());
        assert_eq!((again.users_unchanged, again.users_created), (2, 0));
        assert_eq!(world.position(), position, "copying again writes nothing");

        let key = world.key("ann");
        world.try_user(ann()).unwrap();
        let linked = world.account("ann").unwrap();
        assert_eq!((linked.key, linked.name.as_str()), (key, "ANN"));
        assert_eq!(
            (linked.reason, linked.email.as_str()),
            (Reason::IdpActive, "ann@x.test")
        );
        assert_eq!(world.groups("ann"), ["jira"]);
        assert!(world.is_ours("ann") && world.conflicts().is_empty());

        let third = world.copy(census);
        assert_eq!(third.left_alone, ["ANN"]);
        assert_eq!(world.account("ann").unwrap().email, "ann@x.test");
    });
}

#[test]
fn where_only_accounts_that_exist_follow_copied_ones_do() {
    let written = [
        json!({"accounts": {"create": false}}),
        json!({"mapping": [{"target": "username", "source": {"attribute": "userName"},
            "steps": [{"drop_user_if": {"when": "existing eq false"}}]}]}),
        json!({"scope": {"filter": "existing eq true"}}),
    ];
    for rules in written {
        on_each_database(|database| {
            let world = World::new(database, serde_json::from_value(rules.clone()).unwrap());
            let census = json!({
                "users": [{"name": "ann", "email": "old@x.test", "groups": ["jira"]}, {"name": "bob"}],
                "groups": [{"name": "jira"}]});
            world.copy(census);
            let key = world.key("ann");
            let id = world.try_user(ann()).unwrap();
            assert!(world.is_ours("ann"), "{rules}");
            assert_eq!(world.key("ann"), key);
            assert_eq!(world.account("ann").unwrap().email, "ann@x.test");
            assert_eq!(world.groups("ann"), ["jira"]);
            world.group("dev", &[&id]);
            assert_eq!(world.groups("ann"), ["dev", "jira"], "it follows");

            world.try_user(json!({"userName": "new"})).unwrap();
            assert!(world.account("new").is_none(), "nobody new: {rules}");
            world.local("cy", "", "7");
            world.try_user(json!({"userName": "cy"})).unwrap();
            assert!(!world.is_ours("cy"));
            assert_eq!(world.conflicts().len(), 1, "somebody decides: {rules}");
        });
    }
}

#[test]
fn whoever_is_dropped_all_the_same_takes_nobodys_account() {
    on_each_database(|database| {
        let rules = json!({
            "accounts": {"create": false},
            "mapping": [{"target": "username", "source": {"attribute": "userName"},
                "steps": [{"drop_user_if": {"when": "title eq \"guest\""}}]}],
            "scope": {"required_groups": ["staff"]},
        });
        let world = World::new(database, serde_json::from_value(rules).unwrap());
        world.copy(json!({"users": [{"name": "ann"}, {"name": "bob"}]}));
        world.local("cy", "", "7");
        let mut guest = ann();
        guest["title"] = json!("guest");
        let guest = world.try_user(guest).unwrap();
        let bob = world.user("bob");
        let cy = world
            .try_user(json!({"userName": "cy", "title": "guest"}))
            .unwrap();
        let staff = world.group("staff", &[&guest, &cy]);
        for name in ["ann", "bob", "cy"] {
            assert!(!world.is_ours(name), "{name}");
        }
        assert!(world.conflicts().is_empty());
        world.add(&staff, &bob);
        assert!(world.is_ours("bob"), "as soon as there is a place");
    });
}

#[test]
fn local_people_are_left_alone_until_somebody_decides() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.local("ann", "ann@x.test", "7");
        let id = world.try_user(ann()).unwrap();
        assert!(!world.is_ours("ann"));
        let conflict = &world.conflicts()[0];
        assert_eq!((conflict.id.as_str(), conflict.kept), (id.as_str(), false));

        world.decide(&id, Decided::Keep).unwrap();
        assert!(!world.is_ours("ann") && world.conflicts()[0].kept);
        world.set_rules(|rules| rules.groups.create_empty = false);
        world.work_off();
        assert!(
            world.conflicts()[0].kept,
            "a decision outlives another look"
        );

        let key = world.key("ann");
        world.decide(&id, Decided::Link).unwrap();
        assert!(world.is_ours("ann") && world.conflicts().is_empty());
        assert_eq!(world.key("ann"), key);
        let ann = world.account("ann").unwrap();
        let store = world.provision.store();
        let password = store.read_blocking(move |tx| tx.password_of(&ann)).unwrap();
        assert!(
            password.is_none(),
            "from now on the identity provider lets in"
        );
        assert!(matches!(
            world.decide(&id, Decided::Link),
            Err(ProvisionError::NotFound { .. })
        ));
    });
}

#[test]
fn an_address_says_nothing_by_default() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.local("a.smith", "ann@x.test", "7");
        world.try_user(ann()).unwrap();
        assert!(world.is_ours("ann"));
        assert!(!world.is_ours("a.smith"));
    });
}

#[test]
fn an_address_that_is_switched_on_means_one_person_or_nobody() {
    on_each_database(|database| {
        let world = World::new(
            database,
            with(Identity {
                by_email: true,
                on_existing: OnMet::Link,
                ..Identity::default()
            }),
        );
        world.local("a.smith", "ann@x.test", "7");
        let key = world.key("a.smith");
        world.try_user(ann()).unwrap();
        assert_eq!(world.key("ann"), key);
        assert!(
            world.account("a.smith").is_none(),
            "the account follows the rules' name"
        );

        world.local("b1", "bob@x.test", "8");
        world.local("b2", "bob@x.test", "9");
        world
            .try_user(json!({"userName": "bob", "emails": [{"value": "BOB@x.test"}]}))
            .unwrap();
        assert!(world.is_ours("bob"), "two with one address are nobody");
    });
}

#[test]
fn two_people_with_one_address_get_two_accounts_once_somebody_says_so() {
    on_each_database(|database| {
        let world = World::new(
            database,
            with(Identity {
                by_email: true,
                ..Identity::default()
            }),
        );
        world.local("a.smith", "ann@x.test", "7");
        let id = world.try_user(ann()).unwrap();
        assert!(world.account("ann").is_none());
        assert_eq!(world.conflicts()[0].holder.as_ref().unwrap().1, "a.smith");
        world.decide(&id, Decided::Keep).unwrap();
        assert!(world.is_ours("ann") && !world.is_ours("a.smith"));
        assert!(world.conflicts().is_empty());
    });
}

#[test]
fn a_number_finds_who_was_renamed() {
    on_each_database(|database| {
        let mut rules = with(Identity {
            by_attribute: Some("Number".into()),
            on_existing: OnMet::Link,
            ..Identity::default()
        });
        rules.mapping.push(MappingRow {
            source: Some(directory::rules::Source::Attribute("nickName".into())),
            ..MappingRow::default_for(Target::Attribute("number".into()))
        });
        let world = World::new(database, rules);
        world.local("a.smith", "", "7");
        let key = world.key("a.smith");
        let mut ann = ann();
        ann["nickName"] = json!("7");
        world.try_user(ann).unwrap();
        assert_eq!(world.key("ann"), key);
    });
}

#[test]
fn whoever_rejects_says_so_while_the_user_is_made_and_only_then() {
    on_each_database(|database| {
        let world = World::new(
            database,
            with(Identity {
                on_existing: OnMet::Reject,
                ..Identity::default()
            }),
        );
        world.local("ann", "", "7");
        let Err(ProvisionError::Scim(refused)) = world.try_user(ann()) else {
            panic!("taken");
        };
        assert_eq!(refused.status, 409);
        assert!(
            refused.detail.contains("identity.on_existing"),
            "{refused:?}"
        );
        assert!(world.conflicts().is_empty(), "nothing of it happened");
        let bob = world.user("bob");
        world.patch_user(
            &bob,
            json!([{"op": "replace", "path": "userName", "value": "ann"}]),
        );
        assert_eq!(world.conflicts().len(), 1, "a rename is no creation");
        assert!(world.is_ours("bob"));
    });
}

#[test]
fn accounts_of_another_connector_change_hands_once() {
    on_each_database(|database| {
        let link = Identity {
            on_existing: OnMet::Link,
            ..Identity::default()
        };
        let mut world = World::new(database, with(link.clone()));
        world.try_user(ann()).unwrap();
        let key = world.key("ann");
        let first = std::sync::Arc::clone(&world.connector);
        let draft = ConnectorDraft {
            name: "second".into(),
            preset: Preset::Generic,
            directory: Some("idp".into()),
            rules: with(link),
            settings: Default::default(),
        };
        let made = world
            .run(world.provision.create_connector(draft, "admin"))
            .unwrap();
        let reader = world.provision.clone();
        world.connector = world
            .provision
            .store()
            .read_blocking(move |tx| reader.load_connector(tx, made.connector.id))
            .unwrap()
            .unwrap();
        world.try_user(ann()).unwrap();
        assert!(world.is_ours("ann"));
        assert_eq!(world.key("ann"), key);
        world.work_off();
        assert!(world.is_ours("ann"), "who lost it does not take it back");
        world.connector = first;
        assert_eq!(world.conflicts().len(), 1);
    });
}
