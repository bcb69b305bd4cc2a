//! Groups in groups: what the identity provider nests, products nest, and rules make of it.

use std::collections::BTreeSet;

use directory::rules::{Authority, NestedGroups};
use directory::{ConnectorState, Rules};
use emulate::databases::{TestDatabase, on_each_database};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use provision::{LocalWriteError, ProvisionError, Writer};
use serde_json::json;

use crate::world::{World, patch};

fn preserving() -> Rules {
    let mut rules = Rules::default();
    rules.groups.nested_groups = NestedGroups::Preserve;
    rules
}

fn writer(world: &World) -> Writer {
    Writer {
        directory: world.connector.connector.directory,
        application: "jira".into(),
        request: "r".into(),
    }
}

fn nest(world: &World, group: &str, child: &str) -> Result<(), LocalWriteError> {
    world.run(
        world
            .provision
            .add_local_child_group(&writer(world), group.into(), child.into(), None),
    )
}

fn position(world: &World) -> i64 {
    let directory = world.connector.connector.directory;
    let store = world.provision.store();
    store
        .read_blocking(move |tx| tx.journal_position(directory))
        .unwrap()
}

#[test]
fn what_is_nested_is_seen_as_the_rule_says() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let team = world.group("team", &[&ann]);
        let staff = world.group("staff", &[&team]);
        let all = world.group("all", &[&staff]);
        assert_eq!(world.groups("ann"), ["all", "staff", "team"], "flatten");
        assert!(world.nested().is_empty());
        world.set_rules(|rules| rules.groups.nested_groups = NestedGroups::Preserve);
        world.work_off();
        assert_eq!(world.groups("ann"), ["team"]);
        assert_eq!(world.nested(), ["all>staff", "staff>team"]);
        world.set_rules(|rules| rules.groups.nested_groups = NestedGroups::Ignore);
        world.work_off();
        assert_eq!(world.groups("ann"), ["team"]);
        assert!(world.nested().is_empty());
        world.set_rules(|rules| rules.groups.nested_groups = NestedGroups::Flatten);
        world.work_off();
        assert_eq!(world.groups("ann"), ["all", "staff", "team"]);
        world.remove(&all, &staff);
        assert_eq!(
            world.groups("ann"),
            ["staff", "team"],
            "at once, as they are few"
        );
    });
}

#[test]
fn nesting_follows_writes_renames_filters_and_deletions() {
    on_each_database(|database| {
        let mut rules = preserving();
        rules.groups.never_assign = vec!["re:hidden.*".into()];
        let world = World::new(database, rules);
        let team = world.group("team", &[]);
        let staff = world.group("staff", &[&team]);
        assert_eq!(world.nested(), ["staff>team"]);
        world.rename_group(&team, "crew");
        world.rename_group(&staff, "people");
        assert_eq!(world.nested(), ["people>crew"]);
        world.rename_group(&team, "hidden-crew");
        assert!(
            world.nested().is_empty(),
            "a child that products do not see"
        );
        world.rename_group(&team, "crew");
        assert_eq!(world.nested(), ["people>crew"]);
        let all = world.group("all", &[&staff]);
        world.delete_group(&staff);
        assert!(world.nested().is_empty());
        world.add(&all, &team);
        assert_eq!(world.nested(), ["all>crew"]);
        world.remove(&all, &team);
        assert!(world.nested().is_empty());
    });
}

#[test]
fn a_group_named_before_it_came_is_nested_when_it_comes() {
    on_each_database(|database| {
        let world = World::new(database, preserving());
        let staff = world.group("staff", &["x-team"]);
        assert!(world.nested().is_empty());
        world.group_known_as("team", "x-team", &[]);
        assert_eq!(world.nested(), ["staff>team"]);
        world.remove(&staff, "x-none");
        assert_eq!(world.nested(), ["staff>team"]);
    });
}

#[test]
fn merged_groups_are_not_in_themselves() {
    on_each_database(|database| {
        let mut rules = preserving();
        rules.groups.names = serde_json::from_value(json!({"rules": [
            {"steps": [{"regex_replace": {"pattern": "(.*)-[0-9]", "with": "$1"}}]},
        ]}))
        .unwrap();
        let world = World::new(database, rules);
        let inner = world.group("team-1", &[]);
        let outer = world.group("team-2", &[&inner]);
        assert_eq!(world.group_names(), ["team"]);
        assert!(world.nested().is_empty());
        let staff = world.group("staff-1", &[&inner, &outer]);
        assert_eq!(world.nested(), ["staff>team"]);
        world.remove(&staff, &inner);
        assert_eq!(
            world.nested(),
            ["staff>team"],
            "the other one is still there"
        );
        world.remove(&staff, &outer);
        assert!(world.nested().is_empty());
    });
}

#[test]
fn products_nest_too_but_never_in_a_circle() {
    on_each_database(|database| {
        let world = World::new(database, preserving());
        let team = world.group("team", &[]);
        let staff = world.group("staff", &[&team]);
        world
            .run(
                world
                    .provision
                    .create_local_group(&writer(&world), "local".into(), String::new()),
            )
            .unwrap();
        nest(&world, "Local", "STAFF").unwrap();
        assert_eq!(
            world.nestings(),
            [
                ("local".into(), "staff".into(), "local".into()),
                ("staff".into(), "team".into(), "idp".into())
            ]
        );
        for (group, child) in [("team", "local"), ("team", "team"), ("staff", "local")] {
            let refused = nest(&world, group, child).unwrap_err();
            assert!(
                matches!(refused, LocalWriteError::Circle { .. }),
                "{refused}"
            );
        }
        let twice = nest(&world, "staff", "team").unwrap_err();
        assert!(matches!(twice, LocalWriteError::ChildGroupExists { .. }));
        let remove = |group: &str, child: &str| {
            world.run(world.provision.remove_local_child_group(
                &writer(&world),
                group.into(),
                child.into(),
            ))
        };
        let owned = remove("staff", "team").unwrap_err();
        assert!(matches!(owned, LocalWriteError::Refused(_)), "{owned}");
        let none = remove("team", "staff").unwrap_err();
        assert!(matches!(none, LocalWriteError::ChildGroupNotFound { .. }));
        // What the identity provider says on top ends by itself, and what the product said stays.
        nest(&world, "team", "staff").unwrap_err();
        world.remove(&staff, &team);
        nest(&world, "team", "staff").unwrap();
        world.add(&staff, &team);
        assert_eq!(
            world.nested(),
            ["local>staff", "staff>team", "team>staff"],
            "together they may be circular; nobody walks in circles"
        );
        remove("team", "staff").unwrap();
        remove("local", "staff").unwrap();
        assert_eq!(world.nested(), ["staff>team"]);
        world.set_rules(|rules| rules.groups.authority = Authority::Strict);
        let refused = nest(&world, "staff", "local").unwrap_err();
        assert!(matches!(refused, LocalWriteError::Refused(_)), "{refused}");
        nest(&world, "local", "staff").unwrap();
    });
}

#[test]
fn a_group_that_comes_with_its_first_member_brings_those_above_it() {
    on_each_database(|database| {
        let mut rules = preserving();
        rules.groups.create_empty = false;
        let world = World::new(database, rules);
        let ann = world.user("ann");
        let team = world.group("team", &[]);
        let staff = world.group("staff", &[&team]);
        world.group("all", &[&staff]);
        assert!(world.group_names().is_empty());
        world.add(&team, &ann);
        assert_eq!(world.group_names(), ["all", "staff", "team"]);
        assert_eq!(world.nested(), ["all>staff", "staff>team"]);
        world.group("more", &[&team]);
        assert_eq!(world.nested(), ["all>staff", "more>team", "staff>team"]);
    });
}

#[test]
fn many_child_groups_are_worked_off_and_a_pause_is_made_up_for() {
    on_each_database(|database| {
        let world = World::new(database, preserving());
        let children: Vec<String> = (0..250)
            .map(|n| world.group(&format!("child-{n:03}"), &[]))
            .collect();
        let ids: Vec<&str> = children.iter().map(String::as_str).collect();
        let all = world.group("all", &ids);
        assert!(world.nested().is_empty(), "too many to be done at once");
        assert_eq!(world.work_off(), 1);
        assert_eq!(world.nested().len(), 250);
        let id = world.connector.connector.id;
        let state = |state| {
            world
                .run(world.provision.set_connector_state(id, state, "admin"))
                .unwrap();
        };
        state(ConnectorState::Paused);
        world.remove(&all, &children[0]);
        world.delete_group(&children[1]);
        world.work_off();
        assert_eq!(world.nested().len(), 250, "nothing has effect");
        state(ConnectorState::Active);
        world.work_off();
        assert_eq!(world.nested().len(), 248);
        world.delete_group(&all);
        world.work_off();
        assert!(world.nested().is_empty());
    });
}

#[test]
fn a_change_of_one_child_costs_one_change() {
    on_each_database(|database| {
        let world = World::new(database, preserving());
        let children: Vec<String> = (0..5)
            .map(|n| world.group(&format!("child-{n}"), &[]))
            .collect();
        let ids: Vec<&str> = children.iter().map(String::as_str).collect();
        let all = world.group("all", &ids[..4]);
        let before = position(&world);
        world.add(&all, ids[4]);
        world.add(&all, ids[4]);
        let value: Vec<_> = ids[1..].iter().map(|id| json!({"value": id})).collect();
        world.patch_group(
            &all,
            json!([{"op": "replace", "path": "members", "value": value}]),
        );
        let directory = world.connector.connector.directory;
        let query = store::JournalQuery {
            after: before,
            limit: 100,
            ..store::JournalQuery::default()
        };
        let store = world.provision.store();
        let entries = store
            .read_blocking(move |tx| tx.journal(directory, &query))
            .unwrap();
        let kinds: Vec<&str> = entries.iter().map(|entry| entry.change.kind()).collect();
        assert_eq!(kinds, ["add_child_group", "remove_child_group"]);
        // The history of the child has both, as has the history of the parent.
        for (name, count) in [("child-4", 2), ("child-0", 3), ("all", 7)] {
            let history = store
                .read_blocking(move |tx| {
                    let group = tx.directory_group(directory, name)?.map(|group| group.pk);
                    let query = store::JournalQuery {
                        group,
                        limit: 100,
                        newest_first: true,
                        ..store::JournalQuery::default()
                    };
                    tx.journal(directory, &query)
                })
                .unwrap();
            assert_eq!(history.len(), count, "{name}");
            assert!(history.is_sorted_by_key(|entry| -entry.position));
        }
    });
}

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
            let before = position(&world);
            let id = world.connector.connector.id;
            world.run(world.provision.reconcile(id, "test")).unwrap();
            world.work_off();
            prop_assert_eq!(position(&world), before);
            Ok(())
        })
        .unwrap();
}
