//! Safety limits: what is held, what flows, and what becomes of it.

use directory::rules::{CleanupAction, NestedGroups};
use directory::{
    ConnectorState, HoldKind, HoldState, Limit, LimitSettings, Reason, ReconcileMode, Rules, Status,
};
use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use provision::{HoldsAnswer, HoldsDecided, Provision};
use serde_json::json;
use store::{HoldChoice, HoldQuery, StoredHold};

use crate::world::{Seen, World};

impl World {
    pub fn set_limits(&self, change: impl Fn(&mut LimitSettings) + Send + Sync + 'static) {
        let id = self.connector.connector.id;
        let changed = self
            .provision
            .change_connector(id, "admin", move |connector| {
                change(&mut connector.settings.limits);
                Ok(())
            });
        self.run(changed).unwrap();
    }

    pub fn holds(&self, state: HoldState) -> Vec<StoredHold> {
        let query = HoldQuery {
            state: Some(state),
            limit: 1000,
            ..HoldQuery::default()
        };
        self.provision
            .store()
            .read_blocking(move |tx| tx.holds(&query))
            .unwrap()
    }

    pub fn approve(&self, choice: HoldChoice) -> HoldsDecided {
        let id = self.connector.connector.id;
        let answer = self.provision.approve_holds(id, choice, "ann the admin");
        at_once(self.run(answer).unwrap())
    }

    fn reject(&self, choice: HoldChoice) -> HoldsDecided {
        let id = self.connector.connector.id;
        let answer = self.provision.reject_holds(id, choice, "ann the admin");
        at_once(self.run(answer).unwrap())
    }

    fn staff(&self, count: usize) -> Vec<String> {
        (0..count)
            .map(|number| self.user(&format!("user{number:03}")))
            .collect()
    }

    fn source_active(&self, id: &str) -> bool {
        let (connector, id) = (self.connector.connector.id, id.to_owned());
        let stored = self
            .provision
            .store()
            .read_blocking(move |tx| tx.source_user(connector, &id))
            .unwrap()
            .unwrap();
        let user = scim::Resource::parse_stored(&stored.document).unwrap();
        user.active() != Some(false)
    }

    fn active_count(&self) -> usize {
        self.seen().iter().filter(|it| it.active).count()
    }

    fn state(&self, name: &str) -> (Status, Reason) {
        let account = self.account(name).unwrap();
        (account.status, account.reason)
    }
}

fn at_once(answer: HoldsAnswer) -> HoldsDecided {
    match answer {
        HoldsAnswer::Now(decided) => decided,
        HoldsAnswer::Later(begun) => panic!("a job: {begun:?}"),
    }
}

fn of_kind(kind: HoldKind) -> HoldChoice {
    HoldChoice {
        kind: Some(kind),
        ..HoldChoice::default()
    }
}

const HELD: (Status, Reason) = (Status::Active, Reason::Held);
const GONE: (Status, Reason) = (Status::Disabled, Reason::IdpInactive);

#[test]
fn the_eleventh_of_two_hundred_leavers_is_held_and_newcomers_are_not() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let staff = world.staff(200);
        for id in &staff[..13] {
            world.set_active(id, false);
            assert!(!world.source_active(id), "the IdP reads what it wrote");
        }
        assert_eq!(world.state("user009"), GONE);
        for name in ["user010", "user011", "user012"] {
            assert_eq!(world.state(name), HELD);
        }
        let held = world.holds(HoldState::Open);
        let kinds: Vec<_> = held
            .iter()
            .map(|it| (it.kind, it.user_name.as_str()))
            .collect();
        let kind = HoldKind::Deactivation;
        assert_eq!(
            kinds,
            [(kind, "user010"), (kind, "user011"), (kind, "user012")]
        );
        assert_eq!(held[0].cause.request, "r");

        world.user("newcomer");
        assert_eq!(world.state("newcomer"), (Status::Active, Reason::IdpActive));
        // What is no worse flows to those who are held, and they are held once.
        world.patch_user(
            &staff[10],
            json!([{"op": "replace", "path": "displayName", "value": "Ten"}]),
        );
        assert_eq!(world.account("user010").unwrap().display_name, "Ten");
        assert_eq!(world.holds(HoldState::Open).len(), 3);

        // The IdP takes one back.
        world.set_active(&staff[11], true);
        assert_eq!(world.state("user011"), (Status::Active, Reason::IdpActive));
        assert_eq!(world.holds(HoldState::Cancelled)[0].user_name, "user011");

        // One is approved, one is rejected.
        let [ten, twelve] = [held[0].id, held[2].id].map(|id| HoldChoice {
            id: Some(id),
            ..HoldChoice::default()
        });
        let decided = HoldsDecided {
            decided: 1,
            open: 1,
        };
        assert_eq!(world.approve(ten), decided);
        assert_eq!(world.state("user010"), GONE);
        assert_eq!(
            world.reject(twelve),
            HoldsDecided {
                decided: 1,
                open: 0
            }
        );
        let id = world.connector.connector.id;
        world.run(world.provision.reconcile(id, "test")).unwrap();
        world.work_off();
        assert_eq!(world.state("user012"), HELD);
        world.wait(SignedDuration::from_mins(61));
        world.delete_user(&staff[12]);
        assert_eq!(
            world.state("user012"),
            (Status::Disabled, Reason::IdpDeleted),
            "the IdP says something else, and there is room again"
        );
    });
}

#[test]
fn the_window_moves_on_and_what_was_held_stays_held() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let staff = world.staff(14);
        for id in &staff[..11] {
            world.set_active(id, false);
        }
        world.wait(SignedDuration::from_mins(62));
        world.set_active(&staff[11], false);
        assert_eq!(world.state("user011"), GONE);
        assert_eq!(world.state("user010"), HELD);
        // It escalates once, and goes nowhere by itself.
        world.wait(SignedDuration::from_hours(25));
        world.run(world.provision.keep_holds()).unwrap();
        let held = world.holds(HoldState::Open);
        assert!(held[0].escalated.is_some());
        assert_eq!(world.state("user010"), HELD);
        world.set_limits(|limits| limits.auto_approve_after_minutes = Some(30));
        world.run(world.provision.keep_holds()).unwrap();
        assert_eq!(world.state("user010"), GONE);
    });
}

#[test]
fn a_paused_connector_comes_back_through_the_limits() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.set_limits(|limits| limits.deactivations = Some(Limit::new(2, 0)));
        let staff = world.staff(6);
        let id = world.connector.connector.id;
        let set = |state| {
            world
                .run(world.provision.set_connector_state(id, state, "admin"))
                .unwrap();
        };
        set(ConnectorState::Paused);
        for user in &staff[..4] {
            world.set_active(user, false);
            assert!(!world.source_active(user));
        }
        world.delete_user(&staff[4]);
        assert_eq!(world.active_count(), 6);
        set(ConnectorState::Active);
        world.work_off();
        assert_eq!(
            [0, 1].map(|it| world.state(&format!("user00{it}"))),
            [GONE; 2]
        );
        assert_eq!(
            [2, 3, 4].map(|it| world.state(&format!("user00{it}"))),
            [HELD; 3]
        );
        assert_eq!(world.work_off(), 0, "what is held is no work");
        assert_eq!(world.approve(HoldChoice::default()).open, 0);
        world.work_off();
        assert_eq!(
            world.state("user004"),
            (Status::Disabled, Reason::IdpDeleted)
        );
        assert_eq!(world.active_count(), 1);
    });
}

#[test]
fn whoever_was_deleted_and_held_comes_back_as_the_same() {
    on_each_database(|database| {
        let mut rules = Rules::default();
        rules.cleanup.idp_deleted = CleanupAction::Delete;
        let world = World::new(database, rules);
        world.set_limits(|limits| limits.deactivations = Some(Limit::new(0, 0)));
        let ann = world.user("ann");
        world.group("dev", &[&ann]);
        let key = world.account("ann").unwrap().key;
        world.delete_user(&ann);
        assert_eq!(world.state("ann"), HELD);
        assert_eq!(world.groups("ann"), ["dev"]);
        world.user("ann");
        assert_eq!(world.account("ann").unwrap().key, key);
        assert_eq!(world.state("ann"), (Status::Active, Reason::IdpActive));
        assert_eq!(world.groups("ann"), ["dev"], "given back");
        assert_eq!(world.holds(HoldState::Cancelled).len(), 1);
    });
}

#[test]
fn an_emptied_group_keeps_most_of_its_members() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.set_limits(|limits| limits.group_memberships = Some(Limit::new(3, 10)));
        let staff = world.staff(8);
        let ids: Vec<&str> = staff.iter().map(String::as_str).collect();
        let dev = world.group("dev", &ids);
        world.patch_group(&dev, json!([{"op": "remove", "path": "members"}]));
        let in_dev = || {
            let seen = world.seen();
            seen.iter().filter(|it| !it.groups.is_empty()).count()
        };
        assert_eq!(in_dev(), 5);
        assert_eq!(world.holds(HoldState::Open).len(), 5);
        // Somebody comes back.
        world.add(&dev, &staff[7]);
        assert_eq!(world.holds(HoldState::Cancelled).len(), 1);
        let choice = HoldChoice {
            group: Some("DEV".into()),
            ..HoldChoice::default()
        };
        assert_eq!(world.approve(choice).decided, 4);
        assert_eq!(in_dev(), 1);
        assert_eq!(world.groups("user007"), ["dev"]);
        let entry = world.last_entry();
        assert_eq!(entry.cause.actor, "ann the admin");
    });
}

#[test]
fn a_large_group_is_not_lost_by_its_deletion() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.set_limits(|limits| limits.group_memberships = Some(Limit::new(3, 10)));
        let staff = world.staff(5);
        let ids: Vec<&str> = staff.iter().map(String::as_str).collect();
        let dev = world.group("dev", &ids);
        world.delete_group(&dev);
        world.work_off();
        assert!(world.seen().iter().all(|it| it.groups == ["dev"]));
        let held = world.holds(HoldState::Open);
        assert_eq!(held.len(), 1, "one hold for the whole group");
        assert_eq!(
            (held[0].kind, held[0].group.as_str()),
            (HoldKind::GroupDeletion, "dev")
        );
        // The IdP makes it anew with some of them; who is taken out of that one goes.
        let again = world.group("dev", &ids[..2]);
        world.remove(&again, &staff[0]);
        assert!(world.groups("user000").is_empty());
        assert_eq!(world.groups("user004"), ["dev"]);
        assert_eq!(world.approve(of_kind(HoldKind::GroupDeletion)).decided, 1);
        world.work_off();
        assert_eq!(world.groups("user001"), ["dev"], "in the new one");
        assert!(world.groups("user004").is_empty());
        assert_eq!(world.holds(HoldState::Released).len(), 1);
    });
}

#[test]
fn a_large_group_does_not_leave_another_one_at_once() {
    on_each_database(|database| {
        let mut rules = Rules::default();
        rules.groups.nested_groups = NestedGroups::Preserve;
        let world = World::new(database, rules);
        world.set_limits(|limits| limits.group_memberships = Some(Limit::new(3, 0)));
        let staff = world.staff(5);
        let ids: Vec<&str> = staff.iter().map(String::as_str).collect();
        let (team, pair) = (world.group("team", &ids), world.group("pair", &ids[..2]));
        let all = world.group("all", &[&team, &pair]);
        assert_eq!(world.nested(), ["all>pair", "all>team"]);

        // Two lose "all" by it, which is within the limits and counts; five more are not.
        world.remove(&all, &pair);
        assert_eq!(world.nested(), ["all>team"]);
        let uses = world.limits().uses;
        let counted = |group: Option<&str>| {
            let found = uses
                .iter()
                .find(|it| it.group.as_deref() == group && it.limit.contains("memberships"));
            found.map(|it| it.passed)
        };
        assert_eq!((counted(Some("all")), counted(None)), (Some(2), Some(2)));
        world.remove(&all, &team);
        assert_eq!(world.nested(), ["all>team"], "nobody loses it");
        let held = world.holds(HoldState::Open);
        assert_eq!(held.len(), 1, "one hold for the whole group");
        assert_eq!(
            (held[0].kind, held[0].user),
            (HoldKind::MembershipRemoval, None)
        );
        assert_eq!(
            (held[0].group.as_str(), held[0].change.kind()),
            ("all", "remove_child_group")
        );
        let id = world.connector.connector.id;
        world.run(world.provision.reconcile(id, "test")).unwrap();
        world.work_off();
        assert_eq!(world.holds(HoldState::Open).len(), 1, "and it stays one");

        // The identity provider takes it back.
        world.add(&all, &team);
        assert_eq!(world.holds(HoldState::Cancelled).len(), 1);
        // An administrator says no, and then yes.
        world.remove(&all, &team);
        assert_eq!(world.reject(HoldChoice::default()).decided, 1);
        world.run(world.provision.reconcile(id, "test")).unwrap();
        world.work_off();
        assert_eq!(world.nested(), ["all>team"]);
        let choice = HoldChoice {
            id: Some(world.holds(HoldState::Rejected)[0].id),
            ..HoldChoice::default()
        };
        assert_eq!(world.approve(choice).decided, 1);
        assert!(world.nested().is_empty());
        assert_eq!(world.holds(HoldState::Released).len(), 1);
        assert_eq!(world.groups("user004"), ["team"], "as without a hold");
    });
}

#[test]
fn the_fourth_deleted_group_is_held() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let names = ["a", "b", "c", "d", "e"];
        let groups = names.map(|name| world.group(name, &[&ann]));
        world.group("empty", &[]);
        for group in &groups {
            world.delete_group(group);
        }
        assert_eq!(world.groups("ann"), ["d", "e"]);
        assert_eq!(world.reject(HoldChoice::default()).decided, 2);
        let id = world.connector.connector.id;
        world.run(world.provision.reconcile(id, "test")).unwrap();
        world.work_off();
        assert_eq!(world.groups("ann"), ["d", "e"]);
    });
}

#[test]
fn many_renames_wait() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let staff = world.staff(12);
        for (number, id) in staff.iter().enumerate() {
            world.patch_user(
                id,
                json!([{"op": "replace", "path": "userName", "value": format!("new{number:03}")}]),
            );
        }
        assert!(world.account("new009").is_some());
        assert!(world.account("user010").is_some() && world.account("user011").is_some());
        assert_eq!(world.approve(of_kind(HoldKind::Rename)).decided, 2);
        assert!(world.account("new010").is_some() && world.account("new011").is_some());
    });
}

#[test]
fn new_rules_take_effect_as_a_whole_or_not_at_all() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.set_limits(|limits| {
            limits.reconcile = ReconcileMode::AllOrNothing;
            limits.deactivations = Some(Limit::new(3, 0));
        });
        let staff = world.staff(6);
        let ids: Vec<&str> = staff.iter().map(String::as_str).collect();
        world.group("few", &ids[..2]);
        world.group("most", &ids[..3]);
        let require = |group: &'static str| {
            world.set_rules(move |rules| {
                rules.scope.required_groups = vec![group.to_owned()];
                rules.scope.grace_minutes = 0;
            });
            world.work_off();
        };
        require("few");
        assert_eq!(world.active_count(), 6, "four would go");
        assert_eq!(world.holds(HoldState::Open).len(), 4);
        require("most");
        assert_eq!(world.holds(HoldState::Cancelled).len(), 1);
        assert_eq!(world.active_count(), 6, "what is held waits for somebody");
        assert_eq!(world.approve(HoldChoice::default()).decided, 3);
        assert_eq!(world.active_count(), 3);
        // Three went by a decision, which counts for nothing: one more is within the limits.
        require("few");
        assert_eq!(world.active_count(), 2);
        assert!(world.holds(HoldState::Collected).is_empty());
    });
}

#[test]
fn groups_leave_another_one_as_a_whole_or_not_at_all() {
    for most in [6, 7] {
        on_each_database(|database| {
            let mut rules = Rules::default();
            rules.groups.nested_groups = NestedGroups::Preserve;
            let world = World::new(database, rules);
            world.set_limits(move |limits| {
                limits.reconcile = ReconcileMode::AllOrNothing;
                limits.group_memberships = Some(Limit::new(most, 0));
            });
            let staff = world.staff(5);
            let ids: Vec<&str> = staff.iter().map(String::as_str).collect();
            let (team, pair) = (world.group("team", &ids), world.group("pair", &ids[..2]));
            let all = world.group("all", &[&team, &pair]);
            world.set_rules(|rules| rules.groups.nested_groups = NestedGroups::Ignore);
            world.work_off();
            assert!(world.holds(HoldState::Collected).is_empty());
            let (nested, open) = (world.nested(), world.holds(HoldState::Open).len());
            match most {
                // Five and two would lose "all".
                6 => assert_eq!((nested.len(), open), (2, 2)),
                _ => assert_eq!((nested.len(), open), (0, 0)),
            }
            // What the identity provider says itself is decided at once.
            world.set_rules(|rules| rules.groups.nested_groups = NestedGroups::Preserve);
            world.work_off();
            assert_eq!(world.nested(), ["all>pair", "all>team"]);
            assert!(world.holds(HoldState::Open).is_empty(), "taken back");
            world.remove(&all, &pair);
            assert!(world.holds(HoldState::Collected).is_empty());
        });
    }
}

#[test]
fn a_new_name_that_somebody_further_down_has_is_asked_about() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.directory_below("internal", "ben");
        let ann = world.user("ann");
        world.patch_user(
            &ann,
            json!([{"op": "replace", "value": {"userName": "ben", "displayName": "Ann B"}}]),
        );
        let account = world.account("ann").unwrap();
        assert_eq!(account.display_name, "Ann B", "other attributes follow");
        assert!(world.account("ben").is_none());
        let held = world.holds(HoldState::Open);
        assert_eq!((held.len(), held[0].kind), (1, HoldKind::Rename));
        let id = world.connector.connector.id;
        let store = world.provision.store();
        let conflicts = store
            .read_blocking(move |tx| tx.name_conflicts(id, 0, 10))
            .unwrap();
        assert_eq!(conflicts[0].name, "ben");
        assert_eq!(conflicts[0].holder.as_ref().unwrap().1, "ben");
        // A name that nobody has below is free.
        let cid = world.user("cid");
        world.patch_user(
            &cid,
            json!([{"op": "replace", "value": {"userName": "dan"}}]),
        );
        assert!(world.account("dan").is_some());
        assert_eq!(world.approve(HoldChoice::default()).decided, 1);
        assert_eq!(world.account("ben").unwrap().key, account.key);
    });
}

#[test]
fn limits_tell_what_is_left_at_all_times() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let staff = world.staff(220);
        let ids: Vec<&str> = staff.iter().map(String::as_str).collect();
        let dev = world.group("dev", &ids);
        world.work_off();
        world.set_active(&staff[0], false);
        world.remove(&dev, &staff[1]);
        let report = world.limits();
        let told: Vec<_> = report
            .uses
            .iter()
            .map(|it| (it.limit, it.passed, it.left(), it.of))
            .collect();
        assert_eq!(
            told,
            [
                ("deactivations", 1, Some(10), 220),
                ("memberships", 1, Some(49), 220),
                ("group_deletions", 0, Some(3), 0),
                ("renames", 0, Some(10), 0),
                ("group_memberships", 1, Some(49), 220),
            ]
        );
        assert_eq!(report.uses[4].group.as_deref(), Some("dev"));
    });
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.connector.connector.id;
        let changed = world.provision.change_connector(id, "admin", |connector| {
            connector.settings.limits.window_minutes = 0;
            Ok(())
        });
        let error = world.run(changed).unwrap_err().to_string();
        assert!(error.contains("limits.window_minutes"), "{error}");
    });
}

#[test]
fn what_is_held_is_explained() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.set_limits(|limits| limits.deactivations = Some(Limit::new(0, 0)));
        let ann = world.user("ann");
        world.set_active(&ann, false);
        let user = world.account("ann").unwrap().pk;
        let provision: Provision = world.provision.clone();
        let held = world
            .provision
            .store()
            .read_blocking(move |tx| {
                let why = provision.why(tx, user, None)?.unwrap();
                let held = provision.held(tx, user)?.unwrap();
                Ok::<_, provision::ProvisionError>((why, held))
            })
            .unwrap();
        let lines = held.0.outcome.lines();
        assert!(
            lines
                .iter()
                .any(|line| line.text.contains("HELD: disabling"))
        );
        assert_eq!(lines.last().unwrap().text, "account active (HELD)");
        assert_eq!(held.1.without_holds.changes.len(), 1);
    });
}

/// What one identity provider does to one person.
#[derive(Debug, Clone)]
enum Write {
    Active(usize, bool),
    Join(usize, usize),
    Leave(usize, usize),
    Delete(usize),
}

const USERS: usize = 4;

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = prop_oneof![
        3 => (0..USERS, any::<bool>()).prop_map(|(user, active)| Write::Active(user, active)),
        2 => (0..2_usize, 0..USERS).prop_map(|(group, user)| Write::Join(group, user)),
        2 => (0..2_usize, 0..USERS).prop_map(|(group, user)| Write::Leave(group, user)),
        1 => (0..USERS).prop_map(Write::Delete),
    ];
    prop::collection::vec(write, 1..14)
}

fn after(writes: &[Write], limits: bool) -> Result<(World, TestDatabase), TestCaseError> {
    let database = TestDatabase::sqlite()?;
    let world = World::new(&database, Rules::default());
    world.set_limits(move |settings| {
        settings.enabled = limits;
        settings.deactivations = Some(Limit::new(1, 0));
        settings.group_memberships = Some(Limit::new(1, 0));
    });
    let mut users: Vec<String> = (0..USERS)
        .map(|n| world.user(&format!("user{n}")))
        .collect();
    let members: Vec<&str> = users.iter().map(String::as_str).collect();
    let groups = ["dev", "ops"].map(|name| world.group(name, &members));
    for write in writes {
        match *write {
            Write::Active(user, active) => world.set_active(&users[user], active),
            Write::Join(group, user) => world.add(&groups[group], &users[user]),
            Write::Leave(group, user) => world.remove(&groups[group], &users[user]),
            Write::Delete(user) => {
                world.delete_user(&users[user]);
                users[user] = world.user(&format!("user{user}"));
            }
        }
    }
    Ok((world, database))
}

#[test]
fn holds_released_give_what_no_limits_would_have_given() {
    let mut runner = TestRunner::new(Config::with_cases(24));
    runner
        .run(&writes(), |writes| {
            let (free, _kept) = after(&writes, false)?;
            let (limited, _kept) = after(&writes, true)?;
            limited.approve(HoldChoice::default());
            limited.work_off();
            let seen: [Vec<Seen>; 2] = [free.seen(), limited.seen()];
            prop_assert_eq!(&seen[0], &seen[1]);
            prop_assert!(limited.holds(HoldState::Open).is_empty());
            Ok(())
        })
        .unwrap();
}
