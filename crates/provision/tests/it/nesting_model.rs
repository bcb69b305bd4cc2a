//! The law of groups in groups: after any history the directory is what the source makes it, however it came about.

use std::collections::BTreeSet;

use directory::rules::NestedGroups;
use directory::{ConnectorState, Rules};
use emulate::databases::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use provision::ProvisionError;
use serde_json::json;

use crate::world::{World, patch};

/// What happens to groups in groups.
#[derive(Debug, Clone)]
enum Step {
    Nest(usize, usize),
    Unnest(usize, usize),
    Expect(usize, usize),
    Join(usize, usize),
    Leave(usize, usize),
    Rename(usize, usize),
    Delete(usize),
    Come(usize),
    Rule(usize),
    Pause(bool),
}

const USERS: usize = 3;
const GROUPS: usize = 5;
const NAMES: [&str; 9] = [
    "a", "b", "c", "team-1", "team-2", "team-3", "crew-1", "hidden-1", "hidden-2",
];
const WORDS: [NestedGroups; 3] = [
    NestedGroups::Preserve,
    NestedGroups::Flatten,
    NestedGroups::Ignore,
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (group, user) = (0..GROUPS, 0..USERS);
    let step = prop_oneof![
        5 => (group.clone(), group.clone()).prop_map(|(group, child)| Step::Nest(group, child)),
        2 => (group.clone(), group.clone()).prop_map(|(group, child)| Step::Unnest(group, child)),
        2 => (group.clone(), group.clone()).prop_map(|(group, child)| Step::Expect(group, child)),
        2 => (group.clone(), user.clone()).prop_map(|(group, user)| Step::Join(group, user)),
        1 => (group.clone(), user).prop_map(|(group, user)| Step::Leave(group, user)),
        3 => (group.clone(), 0..NAMES.len()).prop_map(|(group, name)| Step::Rename(group, name)),
        2 => group.clone().prop_map(Step::Delete),
        3 => group.prop_map(Step::Come),
        1 => (0..WORDS.len()).prop_map(Step::Rule),
        1 => any::<bool>().prop_map(Step::Pause),
    ];
    prop::collection::vec(step, 1..25)
}

fn rules(word: NestedGroups) -> Rules {
    let mut rules = Rules::default();
    rules.groups.nested_groups = word;
    rules.groups.never_assign = vec!["hidden".into()];
    rules.groups.names = serde_json::from_value(json!({"rules": [
        {"steps": [{"regex_replace": {"pattern": "(.*)-[0-9]", "with": "$1"}}]},
    ]}))
    .unwrap();
    rules
}

/// What the identity provider has, as far as it was told so.
#[derive(Default)]
struct Source {
    groups: [Option<Sent>; GROUPS],
}

#[derive(Default, Clone)]
struct Sent {
    id: String,
    name: String,
    users: BTreeSet<usize>,
    groups: BTreeSet<usize>,
    expected: BTreeSet<usize>,
}

impl Source {
    fn carry_out(&mut self, world: &World, users: &[String], step: &Step) {
        let id =
            |group: usize, source: &Source| source.groups[group].as_ref().map(|it| it.id.clone());
        match *step {
            Step::Nest(group, child) => {
                let (Some(at), Some(value)) = (id(group, self), id(child, self)) else {
                    return;
                };
                if member(world, &at, "add", &value).is_ok() {
                    self.sent(group).groups.insert(child);
                }
            }
            Step::Unnest(group, child) => {
                let (Some(at), Some(value)) = (id(group, self), id(child, self)) else {
                    return;
                };
                member(world, &at, "remove", &value).unwrap();
                self.sent(group).groups.remove(&child);
            }
            Step::Expect(group, child) => {
                let Some(at) = id(group, self).filter(|_| self.groups[child].is_none()) else {
                    return;
                };
                member(world, &at, "add", &format!("x-{child}")).unwrap();
                self.sent(group).expected.insert(child);
            }
            Step::Join(group, user) => {
                let Some(at) = id(group, self) else { return };
                member(world, &at, "add", &users[user]).unwrap();
                self.sent(group).users.insert(user);
            }
            Step::Leave(group, user) => {
                let Some(at) = id(group, self) else { return };
                member(world, &at, "remove", &users[user]).unwrap();
                self.sent(group).users.remove(&user);
            }
            Step::Rename(group, name) => {
                let Some(at) = id(group, self) else { return };
                if !self.has(NAMES[name]) {
                    world.rename_group(&at, NAMES[name]);
                    self.sent(group).name = NAMES[name].to_owned();
                }
            }
            Step::Delete(group) => {
                let Some(at) = id(group, self) else { return };
                world.delete_group(&at);
                self.groups[group] = None;
                for other in self.groups.iter_mut().flatten() {
                    other.groups.remove(&group);
                }
            }
            Step::Come(group) => {
                let free = NAMES.iter().find(|name| !self.has(name)).unwrap();
                if self.groups[group].is_none() {
                    let id = world.group_known_as(free, &format!("x-{group}"), &[]);
                    self.groups[group] = Some(Sent {
                        id,
                        name: (*free).to_owned(),
                        ..Sent::default()
                    });
                    for other in self.groups.iter_mut().flatten() {
                        if other.expected.remove(&group) {
                            other.groups.insert(group);
                        }
                    }
                }
            }
            Step::Rule(word) => {
                world.set_rules(move |rules| rules.groups.nested_groups = WORDS[word]);
            }
            Step::Pause(pause) => {
                let state = match pause {
                    true => ConnectorState::Paused,
                    false => ConnectorState::Active,
                };
                let id = world.connector.connector.id;
                world
                    .run(world.provision.set_connector_state(id, state, "admin"))
                    .unwrap();
            }
        }
    }

    fn sent(&mut self, group: usize) -> &mut Sent {
        self.groups[group].as_mut().unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.groups.iter().flatten().any(|group| group.name == name)
    }

    /// Sends the same to a world that knows nothing yet, from the last group to the first.
    fn replay(&self, world: &World) {
        let users: Vec<String> = (0..USERS)
            .map(|n| world.user(&format!("user{n}")))
            .collect();
        let mut ids = vec![String::new(); GROUPS];
        for (nth, sent) in self.groups.iter().enumerate().rev() {
            if let Some(sent) = sent {
                ids[nth] = world.group(&sent.name, &[]);
            }
        }
        for (nth, sent) in self.groups.iter().enumerate().rev() {
            for sent in sent.iter() {
                for user in &sent.users {
                    world.add(&ids[nth], &users[*user]);
                }
                for child in &sent.groups {
                    world.add(&ids[nth], &ids[*child]);
                }
            }
        }
    }
}

fn member(world: &World, group: &str, op: &str, value: &str) -> Result<(), ProvisionError> {
    let operations = match op {
        "add" => json!([{"op": "add", "path": "members", "value": [{"value": value}]}]),
        _ => json!([{"op": "remove", "path": format!("members[value eq \"{value}\"]")}]),
    };
    let written = world.run(world.provision.patch_group(
        &world.connector,
        group.into(),
        patch(operations),
        world.anyway(),
        world.cause(),
    ));
    written.map(drop)
}

#[test]
fn after_any_history_the_directory_is_what_the_source_makes_it() {
    let mut runner = TestRunner::new(Config::with_cases(40));
    let words = prop::sample::select(WORDS.to_vec());
    runner
        .run(&(steps(), words), |(history, word)| {
            let database = TestDatabase::sqlite()?;
            let world = World::new(&database, rules(NestedGroups::Preserve));
            let users: Vec<String> = (0..USERS)
                .map(|n| world.user(&format!("user{n}")))
                .collect();
            let mut source = Source::default();
            for group in 0..GROUPS - 1 {
                source.carry_out(&world, &users, &Step::Come(group));
            }
            for step in &history {
                source.carry_out(&world, &users, step);
            }
            source.carry_out(&world, &users, &Step::Pause(false));
            world.set_rules(move |rules| rules.groups.nested_groups = word);
            world.work_off();
            let other = TestDatabase::sqlite()?;
            let fresh = World::new(&other, rules(word));
            source.replay(&fresh);
            fresh.work_off();
            prop_assert_eq!(world.nestings(), fresh.nestings());
            prop_assert_eq!(world.seen(), fresh.seen());
            // A comparison of everything finds nothing left to do.
            let before = world.position();
            let id = world.connector.connector.id;
            world.run(world.provision.reconcile(id, "test")).unwrap();
            world.work_off();
            prop_assert_eq!(world.position(), before);
            Ok(())
        })
        .unwrap();
}
