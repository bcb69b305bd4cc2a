//! Letting go: directories that are detached and deleted, connectors that move, are deleted or give accounts away.

use std::sync::Arc;

use directory::{
    ConnectorId, ConnectorSettings, ConnectorState, DirectoryId, Fate, Origin, OverrideKind,
    Preset, Rules, Status,
};
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::{ConnectorDraft, Fit, LoadedConnector, MatchBy, OverrideWish, TransferWish};
use store::Job;

use crate::overrides::now;
use crate::world::World;

impl World {
    /// Another connector; into the same directory, or one of its own.
    pub fn another(&self, name: &str, directory: Option<&str>) -> Arc<LoadedConnector> {
        let draft = ConnectorDraft {
            name: name.into(),
            preset: Preset::Generic,
            directory: directory.map(str::to_owned),
            rules: Rules::default(),
            settings: ConnectorSettings::default(),
        };
        let made = self
            .run(self.provision.create_connector(draft, "admin"))
            .unwrap();
        self.loaded(made.connector.id)
    }

    pub fn loaded(&self, id: ConnectorId) -> Arc<LoadedConnector> {
        let reader = self.provision.clone();
        let store = self.provision.store();
        store
            .read_blocking(move |tx| reader.load_connector(tx, id))
            .unwrap()
            .unwrap()
    }

    pub fn directory(&self) -> DirectoryId {
        self.connector.connector.directory
    }

    pub fn exists(&self, id: ConnectorId) -> bool {
        let store = self.provision.store();
        store
            .read_blocking(move |tx| tx.connector(id))
            .unwrap()
            .is_some()
    }

    pub fn job(&self, begun: Result<provision::BegunJob, provision::ProvisionError>) -> Job {
        let begun = begun.unwrap();
        self.work_off();
        let found = self.run(self.provision.require_job(&begun.job.public_id));
        found.unwrap()
    }
}

pub fn kinds(world: &World, name: &str, group: &str) -> Vec<&'static str> {
    let all = world.memberships(name);
    let found = all.iter().find(|membership| membership.group == group);
    found.map_or_else(Vec::new, |it| it.origins.iter().map(Origin::kind).collect())
}

#[test]
fn a_detached_directory_stays_as_it_is_whatever_the_idp_writes() {
    on_each_database(|database| {
        let mut world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let bob = world.user("bob");
        let inner = world.group("inner", &[&bob]);
        world.set_rules(|rules| {
            rules.groups.nested_groups = directory::rules::NestedGroups::Preserve;
        });
        world.group("staff", &[&ann, &inner]);
        world.set_active(&bob, false);
        world.work_off();
        let (seen, nested) = (world.seen(), world.nested());
        let directory = world.directory();
        let effects = world
            .run(world.provision.preview_detach(directory))
            .unwrap();
        let accounts = (effects.accounts.active, effects.accounts.disabled);
        assert_eq!((accounts, effects.groups, effects.waiting), ((1, 1), 2, 0));
        assert_eq!(
            (effects.connectors, effects.paused),
            (vec!["idp".into()], vec!["idp".into()])
        );
        let job = world.job(world.run(world.provision.detach_directory(directory, "admin")));
        assert_eq!(job.total, 4, "what was told before");
        assert_eq!(job.state.as_str(), "done", "{:?}", job.failure);
        assert_eq!(world.seen(), seen, "products see no difference");
        assert_eq!(world.nested(), nested);
        assert_eq!(kinds(&world, "ann", "staff"), ["local"]);
        assert_eq!(world.account("ann").unwrap().connector, None);
        assert_eq!(world.nestings()[0].2, "local");

        world.connector = world.loaded(world.connector.connector.id);
        assert_eq!(world.connector.connector.state, ConnectorState::Paused);
        let position = world.position();
        world.delete_user(&ann);
        world.user("cem");
        world.work_off();
        assert_eq!(world.position(), position);
        assert_eq!(world.seen(), seen);
    });
}

#[test]
fn a_deleted_connector_leaves_its_accounts_as_was_said() {
    on_each_database(|database| {
        let mut world = World::new(database, Rules::default());
        for (fate, active) in [
            (Fate::Keep, Some(true)),
            (Fate::Disable, Some(false)),
            (Fate::Remove, None),
        ] {
            let name = format!("okta {fate:?}");
            let okta = world.another(&name, None);
            world.connector = Arc::clone(&okta);
            let ann = world.user("ann");
            let bob = world.user("bob");
            world.group("staff", &[&ann, "nobody-knows"]);
            world.delete_user(&bob);
            let id = okta.connector.id;
            let effects = world
                .run(world.provision.preview_release(id, None))
                .unwrap();
            assert_eq!((effects.users, effects.groups), (1, 1));
            assert_eq!((effects.accounts.active, effects.accounts.disabled), (1, 1));
            let job = world.job(world.run(world.provision.delete_connector(id, fate, "admin")));
            assert_eq!(job.state.as_str(), "done", "{:?}", job.failure);
            assert!(!world.exists(id));
            let account = world.account("ann");
            assert_eq!(account.as_ref().map(directory::User::active), active);
            if fate == Fate::Keep {
                assert_eq!(world.groups("ann"), ["staff"]);
            }
            assert_eq!(job.connector_name.as_deref(), Some(name.as_str()));
        }
    });
}

#[test]
fn a_connector_moves_and_its_people_appear_in_the_other_directory() {
    on_each_database(|database| {
        let mut world = World::new(database, Rules::default());
        let ann = world.user("ann");
        world.group("staff", &[&ann]);
        let old = world.directory();
        let made = world.run(world.provision.create_directory("new"));
        let new = made.unwrap().id;
        let id = world.connector.connector.id;
        let begun = world.run(
            world
                .provision
                .move_connector(id, new, Fate::Disable, "admin"),
        );
        let early = world.run(world.provision.set_connector_state(
            id,
            ConnectorState::Active,
            "admin",
        ));
        assert!(early.unwrap_err().to_string().contains("is going on"));
        world.user("bob");
        let job = world.job(begun);
        assert_eq!(job.state.as_str(), "done", "{:?}", job.failure);
        assert_eq!(world.account("ann").unwrap().status, Status::Disabled);
        assert_eq!(world.account("ann").unwrap().connector, None);
        assert!(world.account("bob").is_none(), "it was paused then");

        world.connector = world.loaded(id);
        assert_eq!(world.directory(), new);
        assert_eq!(world.connector.connector.state, ConnectorState::Active);
        assert_eq!(world.groups("ann"), ["staff"]);
        assert!(world.account("bob").unwrap().active());
        assert_eq!(world.groups("bob"), [""; 0]);
        let stays = world.run(world.provision.delete_directory(new, true, "admin"));
        assert!(
            stays
                .unwrap_err()
                .to_string()
                .contains("fed by the connector 'idp'")
        );
        let gone = world.job(world.run(world.provision.delete_directory(old, false, "admin")));
        assert_eq!(gone.state.as_str(), "done", "{:?}", gone.failure);
        let left = world.provision.store().read_blocking(|tx| tx.directories());
        assert_eq!(left.unwrap().len(), 1);
    });
}

#[test]
fn a_directory_has_a_name_that_nobody_else_has() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let taken = world.run(world.provision.create_directory("IDP"));
        assert!(taken.unwrap_err().to_string().contains("exists already"));
        let made = world
            .run(world.provision.create_directory(" spare "))
            .unwrap();
        assert_eq!(made.name, "spare");
        let taken = world.run(world.provision.rename_directory(made.id, "idp"));
        assert!(taken.unwrap_err().to_string().contains("exists already"));
        let job = world.job(world.run(world.provision.delete_directory(made.id, false, "admin")));
        assert_eq!(job.state.as_str(), "done", "{:?}", job.failure);
    });
}

#[test]
fn accounts_go_to_another_connector_and_keep_what_they_have() {
    on_each_database(|database| {
        let mut world = World::new(database, Rules::default());
        let old = Arc::clone(&world.connector);
        let ann = world.user("ann");
        let bob = world.user("bob");
        world.user("only-old");
        let old_staff = world.group("staff", &[&ann, &bob]);
        world.group("old-only", &[&ann]);
        let key = world.account("ann").unwrap().key;

        let new = world.another("new", Some("idp"));
        world.connector = Arc::clone(&new);
        let new_ann = world.user("ann");
        world.user("bob");
        let new_staff = world.group("staff", &[&new_ann]);
        world.group("new-only", &[&new_ann]);
        assert_eq!(
            world.groups("ann"),
            ["old-only", "staff"],
            "the old one still has it"
        );

        let wish = TransferWish {
            to: new.connector.id.0,
            match_by: MatchBy::UserName,
            filter: Some("userName ne \"bob\"".into()),
            keep_memberships: true,
            behind: 0,
        };
        let from = old.connector.id;
        let preview = world
            .run(world.provision.preview_transfer(from, wish.clone()))
            .unwrap();
        let counts: Vec<(Fit, i64)> = preview.counts.into_iter().collect();
        assert_eq!(
            counts,
            [(Fit::Transfer, 1), (Fit::NoMatch, 1), (Fit::LeftOut, 1)]
        );
        let item = &preview.accounts[0];
        assert_eq!((item.name.as_str(), item.active), ("ann", true));
        assert_eq!(item.kept_groups, ["old-only"]);
        assert_eq!(item.new_groups, ["new-only"]);

        let before = world.position();
        let job = world.job(world.run(world.provision.transfer(from, wish, "admin")));
        assert_eq!(job.state.as_str(), "done", "{:?}", job.failure);
        let moved = world.account("ann").unwrap();
        assert_eq!(
            (moved.key, moved.connector),
            (key.clone(), Some(new.connector.id))
        );
        assert_eq!(world.account("bob").unwrap().connector, Some(from));
        assert_eq!(world.groups("ann"), ["new-only", "old-only", "staff"]);
        assert_eq!(kinds(&world, "ann", "staff"), ["idp"]);
        assert_eq!(kinds(&world, "ann", "old-only"), ["copied"]);
        let directory = world.directory();
        let store = world.provision.store();
        let entries = store
            .read_blocking(move |tx| tx.journal_between(directory, (before, i64::MAX), None, 100))
            .unwrap();
        let visible: Vec<&str> = entries
            .iter()
            .filter(|entry| entry.change.is_visible())
            .map(|entry| entry.change.kind())
            .collect();
        assert_eq!(visible, ["add_membership"], "no bounce: only what is new");

        // What the old identity provider does now has no effect on it, and what the new one does has.
        world.connector = old;
        world.remove(&old_staff, &ann);
        world.delete_user(&ann);
        world.work_off();
        assert!(world.account("ann").unwrap().active());
        assert_eq!(world.groups("ann"), ["new-only", "old-only", "staff"]);
        world.connector = new;
        world.remove(&new_staff, &new_ann);
        world.set_active(&new_ann, false);
        assert!(!world.account("ann").unwrap().active());
        assert_eq!(world.account("ann").unwrap().key, key);
        // A reconcile finds nothing to do.
        let position = world.position();
        for id in [from, world.connector.connector.id] {
            world.job(world.run(world.provision.reconcile(id, "admin")));
        }
        assert_eq!(world.position(), position);
    });
}

#[test]
fn what_a_transfer_keeps_is_what_nobody_gives_any_more_and_ends_where_it_ended_before() {
    on_each_database(|database| {
        let mut world = World::new(database, Rules::default());
        let old = Arc::clone(&world.connector);
        let both = |rules: &mut Rules| rules.groups.always_assign = vec!["everyone".into()];
        world.set_rules(both);
        world.user("ann");
        world.group("old-only", &[]);
        world.group("for-a-time", &[]);
        let ann = world.account("ann").unwrap().pk;
        let wish = OverrideWish {
            kind: OverrideKind::AddToGroup {
                group: "for-a-time".into(),
            },
            until: Some(now(&world) + SignedDuration::from_hours(1)),
            comment: String::new(),
        };
        world
            .run(
                world
                    .provision
                    .add_override(world.directory(), ann, wish, "admin", "r"),
            )
            .unwrap();
        let new = world.another("new", Some("idp"));
        world.connector = Arc::clone(&new);
        world.set_rules(both);
        world.user("ann");
        let wish = TransferWish {
            to: new.connector.id.0,
            match_by: MatchBy::UserName,
            filter: None,
            keep_memberships: true,
            behind: 0,
        };
        let preview = world
            .run(
                world
                    .provision
                    .preview_transfer(old.connector.id, wish.clone()),
            )
            .unwrap();
        let item = &preview.accounts[0];
        let told = (&item.kept_groups, &item.lost_groups, &item.new_groups);
        assert_eq!(
            told,
            (&vec![], &vec![], &vec![]),
            "the other one gives everything itself"
        );
        world.job(world.run(world.provision.transfer(old.connector.id, wish, "admin")));
        assert_eq!(kinds(&world, "ann", "everyone"), ["always"]);
        assert_eq!(kinds(&world, "ann", "for-a-time"), ["local"]);
        // The override ends as it was said; what the new connector no longer gives, goes.
        world.wait(SignedDuration::from_hours(2));
        world.set_rules(|rules| rules.groups.always_assign.clear());
        world.work_off();
        assert_eq!(world.groups("ann"), [""; 0]);
    });
}

#[test]
fn a_transfer_is_by_mail_or_external_id_and_only_within_a_directory() {
    on_each_database(|database| {
        let mut world = World::new(database, Rules::default());
        let from = world.connector.connector.id;
        let mail = |name: &str| serde_json::json!({"userName": name, "emails": [{"value": "Ann@corp.example", "primary": true}]});
        world.try_user(mail("ann")).unwrap();
        world.user("bob");
        let new = world.another("new", Some("idp"));
        let elsewhere = world.another("elsewhere", None);
        world.connector = Arc::clone(&new);
        let document = mail("ann.smith@corp.example");
        let id = world.try_user(document).unwrap();
        let wish = |to: &LoadedConnector, match_by| TransferWish {
            to: to.connector.id.0,
            match_by,
            filter: None,
            keep_memberships: false,
            behind: 0,
        };
        let refused = world.run(world.provision.transfer(
            from,
            wish(&elsewhere, MatchBy::Email),
            "a",
        ));
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("another directory")
        );
        let preview = world
            .provision
            .preview_transfer(from, wish(&new, MatchBy::Email));
        let preview = world.run(preview).unwrap();
        assert_eq!(
            preview.counts.into_iter().collect::<Vec<_>>(),
            [(Fit::NoMatch, 1), (Fit::HasAccount, 1)],
            "that one got an account under its own name"
        );
        world.set_state_of(new.connector.id, ConnectorState::Paused);
        let refused = world.run(
            world
                .provision
                .transfer(from, wish(&new, MatchBy::Email), "a"),
        );
        assert!(refused.unwrap_err().to_string().contains("is not active"));
        world.set_state_of(new.connector.id, ConnectorState::Active);
        world.delete_user(&id);
        world.wait(SignedDuration::from_secs(1));
        let external = serde_json::json!({"userName": "bob", "externalId": "x-bob"});
        world.try_user(external).unwrap();
        let wish = wish(&new, MatchBy::ExternalId);
        let job = world.job(world.run(world.provision.transfer(from, wish, "a")));
        assert_eq!(job.state.as_str(), "done", "{:?}", job.failure);
        assert_eq!(
            world.account("bob").unwrap().connector,
            Some(new.connector.id)
        );
        assert_eq!(world.account("ann").unwrap().connector, Some(from));
    });
}

impl World {
    fn set_state_of(&self, id: ConnectorId, state: ConnectorState) {
        self.run(self.provision.set_connector_state(id, state, "admin"))
            .unwrap();
    }
}

#[test]
fn what_was_said_for_a_time_ends_in_time_though_the_directory_is_detached() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let bob = world.user("bob");
        world.user("cem");
        world.group("staff", &[&ann]);
        world.set_active(&bob, false);
        let directory = world.directory();
        let until = now(&world) + SignedDuration::from_hours(1);
        for (user, kind) in [
            ("ann", OverrideKind::Exclude),
            ("bob", OverrideKind::KeepActive),
            (
                "cem",
                OverrideKind::AddToGroup {
                    group: "staff".into(),
                },
            ),
        ] {
            let wish = OverrideWish {
                kind,
                until: Some(until),
                comment: String::new(),
            };
            let user = world.account(user).unwrap().pk;
            let said = world
                .provision
                .add_override(directory, user, wish, "admin", "r-1");
            world.run(said).unwrap();
        }
        let (position, seen) = (world.position(), world.seen());
        let job = world.job(world.run(world.provision.detach_directory(directory, "admin")));
        assert_eq!(job.state.as_str(), "done", "{:?}", job.failure);
        assert_eq!(world.seen(), seen, "products see no difference");
        let status = |name: &str| world.account(name).unwrap().status;
        assert_eq!(status("ann"), Status::Disabled);
        assert_eq!(status("bob"), Status::Active);
        assert_eq!(kinds(&world, "cem", "staff"), ["local"]);
        world.wait(SignedDuration::from_hours(1));
        world.work_off();
        assert_eq!(status("ann"), Status::Active);
        assert_eq!(status("bob"), Status::Disabled);
        assert!(kinds(&world, "cem", "staff").is_empty());
        assert_eq!(kinds(&world, "ann", "staff"), ["local"]);
        assert!(world.position() > position, "products hear of it");
    });
}
