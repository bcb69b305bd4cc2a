//! What was written while a connector was paused takes effect in the order in which it was written, so that there is what
//! would be without the pause.

use directory::rules::CleanupAction;
use directory::{Change, ConnectorState, Rules};
use emulate::databases::{TestDatabase, on_each_database};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::world::{Seen, World};

/// A write about whoever the identity provider calls so.
#[derive(Debug, Clone, Copy)]
enum Write {
    /// A user of this name and this `externalId` appears.
    Post(&'static str, &'static str),
    Delete(&'static str),
    Rename(&'static str, &'static str),
    Active(&'static str, bool),
}

use Write::{Active, Delete, Post, Rename};

/// The people who are there before the pause.
const BEFORE: [&str; 3] = ["ann", "ben", "cid"];

/// What there is after these writes, with a pause around them or without one.
fn after(writes: &[Write], action: CleanupAction, paused: bool) -> Vec<Seen> {
    let database = TestDatabase::sqlite().unwrap();
    after_in(&database, writes, action, paused)
}

fn after_in(
    database: &TestDatabase,
    writes: &[Write],
    action: CleanupAction,
    paused: bool,
) -> Vec<Seen> {
    let mut rules = Rules::default();
    rules.cleanup.idp_deleted = action;
    let world = World::new(database, rules);
    let (mut made, mut renamed) = (0, Vec::new());
    let mut ids: Vec<(&str, String)> = BEFORE.map(|name| (name, world.user(name))).to_vec();
    world.work_off();
    if paused {
        world.set_state(ConnectorState::Paused);
    }
    for write in writes {
        let id = |name: &str| ids.iter().position(|(known, _)| *known == name);
        match *write {
            Post(name, external) => {
                if id(name).is_none() {
                    let user = json!({"userName": name, "externalId": external});
                    let user = world.try_user(user).unwrap();
                    made += 1;
                    world.add(&world.group(&format!("group {made}"), &[]), &user);
                    renamed.push(user.clone());
                    ids.push((name, user));
                }
            }
            Delete(name) => {
                if let Some(place) = id(name) {
                    world.delete_user(&ids.remove(place).1);
                }
            }
            Rename(name, to) => {
                // A name that somebody had for a moment of the pause is never seen.
                let once = |place: &usize| !renamed.contains(&ids[*place].1);
                if let (Some(place), None) = (id(name).filter(once), id(to)) {
                    renamed.push(ids[place].1.clone());
                    let value = json!([{"op": "replace", "path": "userName", "value": to}]);
                    world.patch_user(&ids[place].1, value);
                    ids[place].0 = to;
                }
            }
            Active(name, active) => {
                if let Some(place) = id(name) {
                    world.set_active(&ids[place].1, active);
                }
            }
        }
        if !paused {
            world.work_off();
        }
    }
    if paused {
        world.set_state(ConnectorState::Active);
    }
    world.work_off();
    world.seen().into_iter().map(without_groups).collect()
}

/// Groups have numbers in their names here, which count what was written.
fn without_groups(seen: Seen) -> Seen {
    Seen {
        groups: Vec::new(),
        ..seen
    }
}

#[test]
fn somebody_goes_another_gets_the_name_and_a_third_comes() {
    let stories: [&[Write]; 6] = [
        &[Delete("ann"), Post("ann", "other")],
        &[Delete("ann"), Post("ann", "x-ann")],
        &[Delete("ann"), Rename("ben", "ann"), Post("ben", "third")],
        &[
            Active("ben", false),
            Delete("ann"),
            Rename("ben", "ann"),
            Post("ben", "third"),
        ],
        &[
            Post("eve", "x-eve"),
            Delete("ann"),
            Post("ann", "x"),
            Delete("ben"),
            Post("ben", "y"),
        ],
        &[
            Delete("ann"),
            Post("ann", "other"),
            Delete("ann"),
            Post("ann", "x-ann"),
        ],
    ];
    on_each_database(|database| {
        let writes = stories[2];
        let paused = after_in(database, writes, CleanupAction::Delete, true);
        assert_eq!(paused, after(writes, CleanupAction::Delete, false));
    });
    for writes in stories {
        for action in [CleanupAction::Disable, CleanupAction::Delete] {
            let paused = after(writes, action, true);
            assert_eq!(
                paused,
                after(writes, action, false),
                "{writes:?} {action:?}"
            );
        }
    }
}

/// Writes about people who were there before the pause, and about others who came and stayed.
fn writes() -> impl Strategy<Value = Vec<Write>> {
    let name = || prop::sample::select(vec!["ann", "ben", "cid"]);
    let write = prop_oneof![
        name().prop_map(Delete),
        (name(), prop::sample::select(vec!["x-ann", "other"]))
            .prop_map(|(name, id)| Post(name, id)),
        (name(), prop::sample::select(vec!["dan", "ann", "ben"]))
            .prop_map(|(name, to)| Rename(name, to)),
        (name(), any::<bool>()).prop_map(|(name, active)| Active(name, active)),
    ];
    prop::collection::vec(write, 1..5)
}

#[test]
fn a_pause_makes_no_difference() {
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    let story = (writes(), prop::bool::ANY);
    let ran = TestRunner::new(config).run(&story, |(writes, deletes)| {
        let action = match deletes {
            true => CleanupAction::Delete,
            false => CleanupAction::Disable,
        };
        let paused = after(&writes, action, true);
        prop_assert_eq!(paused, after(&writes, action, false));
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn who_deleted_somebody_during_a_pause_is_in_the_journal() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        world.set_state(ConnectorState::Paused);
        world.delete_user(&ann);
        world.set_state(ConnectorState::Active);
        world.work_off();
        let entry = world.last_entry();
        assert!(matches!(entry.change, Change::Disable { .. }), "{entry:?}");
        assert_eq!(entry.cause, world.cause());
    });
}
