//! Laws over random histories: independent writes may come in any order, repeats change nothing,
//! and the directory is always what an evaluation of everything stored would make of it.

use directory::Rules;
use directory::rules::NestedGroups;
use emulate::databases::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::world::World;

/// What one identity provider does to one person or one group.
#[derive(Debug, Clone)]
enum Write {
    Rename(usize, u8),
    Active(usize, bool),
    Join(usize, usize),
    Leave(usize, usize),
    Nest(usize, usize),
    RenameGroup(usize, u8),
}

const USERS: usize = 4;
const GROUPS: usize = 3;

impl Write {
    /// Two writes are independent when they touch different attributes or members.
    fn touches(&self) -> (u8, usize, usize) {
        match self {
            Write::Rename(user, _) => (0, *user, 0),
            Write::Active(user, _) => (1, *user, 0),
            Write::Join(group, user) | Write::Leave(group, user) => (2, *group, *user),
            Write::RenameGroup(group, _) => (3, *group, 0),
            Write::Nest(group, child) => (4, *group, *child),
        }
    }

    fn carry_out(&self, world: &World, users: &[String], groups: &[String]) {
        match *self {
            Write::Rename(user, to) => world.patch_user(
                &users[user],
                json!([{"op": "replace", "path": "userName", "value": format!("user{user}-{to}")}]),
            ),
            Write::Active(user, active) => world.set_active(&users[user], active),
            Write::Join(group, user) => world.add(&groups[group], &users[user]),
            Write::Leave(group, user) => world.remove(&groups[group], &users[user]),
            Write::Nest(group, child) => world.add(&groups[group], &groups[child]),
            Write::RenameGroup(group, to) => {
                let name = format!("group{group}-{to}");
                world.patch_group(
                    &groups[group],
                    json!([{"op": "replace", "path": "displayName", "value": name}]),
                );
            }
        }
    }
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = prop_oneof![
        (0..USERS, 0..9_u8).prop_map(|(user, to)| Write::Rename(user, to)),
        (0..USERS, any::<bool>()).prop_map(|(user, active)| Write::Active(user, active)),
        (0..GROUPS, 0..USERS).prop_map(|(group, user)| Write::Join(group, user)),
        (0..GROUPS, 0..USERS).prop_map(|(group, user)| Write::Leave(group, user)),
        (0..GROUPS, 1..GROUPS).prop_map(|(group, by)| Write::Nest(group, (group + by) % GROUPS)),
        (0..GROUPS, 0..9_u8).prop_map(|(group, to)| Write::RenameGroup(group, to)),
    ];
    prop::collection::vec(write, 1..12).prop_map(|writes| {
        let mut kept: Vec<Write> = Vec::new();
        for write in writes {
            if kept.iter().all(|other| other.touches() != write.touches()) {
                kept.push(write);
            }
        }
        kept
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let words = [NestedGroups::Preserve, NestedGroups::Flatten];
    prop::sample::select(words.to_vec()).prop_map(|word| {
        let mut rules = Rules::default();
        rules.groups.nested_groups = word;
        rules
    })
}

fn directory_after(
    history: &[Write],
    rules: &Rules,
) -> Result<(World, TestDatabase), TestCaseError> {
    let database = TestDatabase::sqlite()?;
    let world = World::new(&database, rules.clone());
    let users: Vec<String> = (0..USERS)
        .map(|n| world.user(&format!("user{n}")))
        .collect();
    let groups: Vec<String> = (0..GROUPS)
        .map(|n| world.group(&format!("group{n}"), &[&users[n]]))
        .collect();
    for write in history {
        write.carry_out(&world, &users, &groups);
    }
    world.work_off();
    Ok((world, database))
}

#[test]
fn independent_writes_give_the_same_directory_in_any_order() {
    let shuffled = writes().prop_flat_map(|writes| {
        let other = Just(writes.clone()).prop_shuffle();
        (Just(writes), other)
    });
    let mut runner = TestRunner::new(Config::with_cases(24));
    runner
        .run(&(shuffled, rules()), |((one, other), rules)| {
            let (first, _kept) = directory_after(&one, &rules)?;
            let (second, _kept) = directory_after(&other, &rules)?;
            prop_assert_eq!(first.seen(), second.seen());
            prop_assert_eq!(first.nestings(), second.nestings());
            prop_assert_eq!(first.group_names(), second.group_names());
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_reconcile_after_any_history_changes_nothing() {
    let mut runner = TestRunner::new(Config::with_cases(24));
    runner
        .run(&(writes(), rules()), |(history, rules)| {
            let (world, _kept) = directory_after(&history, &rules)?;
            let directory = world.connector.connector.directory;
            let store = world.provision.store();
            let position = || store.read_blocking(move |tx| tx.journal_position(directory));
            let (seen, before) = (world.seen(), position()?);
            let id = world.connector.connector.id;
            world.run(world.provision.reconcile(id, "test")).unwrap();
            prop_assert!(world.work_off() >= USERS as u64);
            prop_assert_eq!(world.seen(), seen);
            prop_assert_eq!(position()?, before);
            Ok(())
        })
        .unwrap();
}
