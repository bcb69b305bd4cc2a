//! What an identity provider took back before it deleted a user is taken back, however late that takes effect.

use std::collections::BTreeSet;

use directory::rules::Authority;
use directory::{ConnectorState, Limit, Rules, Status};
use emulate::databases::{TestDatabase, on_each_database};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::HoldChoice;

use crate::world::World;

/// Ann is in `secret` by her identity provider, and in `kept`, which nobody takes back.
fn ann(database: &TestDatabase) -> (World, String, String) {
    let mut rules = Rules::default();
    rules.groups.authority = Authority::OwnedOnly;
    let world = World::new(database, rules);
    let ann = world.user("ann");
    let secret = world.group("secret", &[&ann]);
    world.group("kept", &[&ann]);
    world.work_off();
    assert_eq!(world.groups("ann"), ["kept", "secret"]);
    (world, ann, secret)
}

fn assert_gone_for_good(world: &World) {
    let account = world.account("ann").unwrap();
    assert_eq!(
        (world.groups("ann"), account.status),
        (vec!["kept".to_owned()], Status::Disabled)
    );
    world.user("ann");
    world.work_off();
    let account = world.account("ann").unwrap();
    assert_eq!(account.status, Status::Active);
    assert!(!world.groups("ann").contains(&"secret".to_owned()));
}

/// Ann's world after these writes came while the connector was paused, and it is active again.
fn after_a_pause(database: &TestDatabase, write: impl Fn(&World, &str, &str)) -> World {
    let (world, ann, secret) = ann(database);
    world.set_state(ConnectorState::Paused);
    write(&world, &ann, &secret);
    world.set_state(ConnectorState::Active);
    world.work_off();
    world
}

#[test]
fn who_left_a_group_while_the_connector_was_paused_is_not_in_it() {
    on_each_database(|database| {
        let world = after_a_pause(database, |world, ann, secret| {
            world.remove(secret, ann);
            world.delete_user(ann);
        });
        assert_gone_for_good(&world);
    });
}

#[test]
fn a_group_that_was_deleted_while_the_connector_was_paused_has_nobody() {
    on_each_database(|database| {
        let world = after_a_pause(database, |world, ann, secret| {
            world.delete_group(secret);
            world.delete_user(ann);
        });
        assert_gone_for_good(&world);
    });
}

#[test]
fn a_group_whose_deletion_was_held_has_nobody_when_it_is_approved() {
    on_each_database(|database| {
        let (world, ann, secret) = ann(database);
        world.set_limits(|limits| limits.group_deletions = Some(Limit::new(0, 0)));
        world.delete_group(&secret);
        world.delete_user(&ann);
        world.work_off();
        assert_eq!(world.groups("ann"), ["kept", "secret"], "it is held");
        world.approve(HoldChoice::default());
        world.work_off();
        assert_gone_for_good(&world);
    });
}

#[test]
fn who_comes_back_before_it_took_effect_is_what_the_identity_provider_says() {
    on_each_database(|database| {
        let world = after_a_pause(database, |world, ann, secret| {
            world.remove(secret, ann);
            world.delete_user(ann);
            world.user("ann");
        });
        assert!(!world.groups("ann").contains(&"secret".to_owned()));
        assert_eq!(world.account("ann").unwrap().status, Status::Active);
    });
}

#[derive(Debug, Clone, Copy)]
enum Write {
    Join(usize, usize),
    Leave(usize, usize),
    DeleteGroup(usize),
    DeleteUser(usize),
}

const USERS: usize = 3;
const GROUPS: usize = 3;

/// Writes as an identity provider can make them: nothing speaks of what is gone.
fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = prop_oneof![
        3 => (0..GROUPS, 0..USERS).prop_map(|(group, user)| Write::Join(group, user)),
        3 => (0..GROUPS, 0..USERS).prop_map(|(group, user)| Write::Leave(group, user)),
        1 => (0..GROUPS).prop_map(Write::DeleteGroup),
        2 => (0..USERS).prop_map(Write::DeleteUser),
    ];
    prop::collection::vec(write, 1..14).prop_map(|writes| {
        let (mut groups, mut users) = (BTreeSet::new(), BTreeSet::new());
        writes
            .into_iter()
            .filter(|write| match *write {
                Write::Join(group, user) | Write::Leave(group, user) => {
                    !groups.contains(&group) && !users.contains(&user)
                }
                Write::DeleteGroup(group) => groups.insert(group),
                Write::DeleteUser(user) => users.insert(user),
            })
            .collect()
    })
}

/// The groups of each user after some writes, that take effect at once or when the connector is active again.
fn groups_after(writes: &[Write], paused: bool) -> Result<Vec<Vec<String>>, TestCaseError> {
    let database = TestDatabase::sqlite()?;
    let world = World::new(&database, Rules::default());
    let users: Vec<String> = (0..USERS).map(|n| world.user(&format!("u{n}"))).collect();
    let groups: Vec<String> = (0..GROUPS)
        .map(|n| world.group(&format!("g{n}"), &[&users[n], &users[(n + 1) % USERS]]))
        .collect();
    world.work_off();
    if paused {
        world.set_state(ConnectorState::Paused);
    }
    for write in writes {
        match *write {
            Write::Join(group, user) => world.add(&groups[group], &users[user]),
            Write::Leave(group, user) => world.remove(&groups[group], &users[user]),
            Write::DeleteGroup(group) => world.delete_group(&groups[group]),
            Write::DeleteUser(user) => world.delete_user(&users[user]),
        }
    }
    if paused {
        world.set_state(ConnectorState::Active);
    }
    world.work_off();
    Ok((0..USERS).map(|n| world.groups(&format!("u{n}"))).collect())
}

#[test]
fn nobody_keeps_what_would_have_been_taken_without_the_pause() {
    let mut runner = TestRunner::new(Config::with_cases(32));
    runner
        .run(&writes(), |writes| {
            let (at_once, later) = (groups_after(&writes, false)?, groups_after(&writes, true)?);
            for (at_once, later) in at_once.iter().zip(&later) {
                for group in later {
                    prop_assert!(at_once.contains(group), "{group} of {later:?}, {at_once:?}");
                }
            }
            Ok(())
        })
        .unwrap();
}
