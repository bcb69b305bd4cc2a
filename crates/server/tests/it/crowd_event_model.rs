//! A product that applies only events ends in the same picture as one that reads everything: for random changes in
//! two directories with users and groups of the same names.

use emulate::databases::{TestDatabase, on_each_database};
use emulate::jira::{Directory, Jira};
use emulate::random::Random;
use provision::{ApplicationChange, DirectoryChoice};
use serde_json::json;
use store::Access;

use crate::source::Source;
use crate::world::World;

const USERS: [&str; 5] = ["ann", "Ben", "cat", "dan", "ann.b"];
const GROUPS: [&str; 4] = ["eng", "ops", "All", "jira-users"];

/// An identity provider, and what it has: id and name.
struct Side<'w> {
    source: Source<'w>,
    users: Vec<(String, String)>,
    groups: Vec<(String, String)>,
}

impl<'w> Side<'w> {
    fn new(world: &'w World, name: &str) -> Side<'w> {
        let rules = json!({
            "cleanup": {"idp_deleted": "delete"},
            "groups": {"nested_groups": "preserve"},
        });
        Side {
            source: Source::new(world, name, rules),
            users: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// One random change, in words.
    fn change(&mut self, random: &mut Random) -> String {
        let user = random.pick(&self.users).cloned();
        let group = random.pick(&self.groups).cloned();
        match (random.below(12), user, group) {
            (0..=2, ..) => match free(random, &USERS, &self.users) {
                Some(name) => {
                    let name = spelled(random, name);
                    let id = self.source.user(&name);
                    self.users.push((id, name.clone()));
                    format!("new user {name}")
                }
                None => "nothing".into(),
            },
            (3, Some((id, old)), _) => match free(random, &USERS, &self.users) {
                Some(name) => {
                    let name = spelled(random, name);
                    self.source.set(&id, "userName", name.as_str());
                    rename(&mut self.users, &id, &name);
                    format!("user {old} becomes {name}")
                }
                None => "nothing".into(),
            },
            (4, Some((id, name)), _) => {
                self.source.delete_user(&id);
                self.users.retain(|(known, _)| *known != id);
                format!("user {name} goes")
            }
            (5, Some((id, name)), _) => {
                let title = random.letters(4);
                self.source.set(&id, "displayName", title);
                self.source.set(&id, "active", random.chance(500));
                format!("user {name} changes")
            }
            (6, ..) => match free(random, &GROUPS, &self.groups) {
                Some(name) => {
                    let name = spelled(random, name);
                    let members: Vec<&str> = self
                        .users
                        .iter()
                        .map(|(id, _)| id.as_str())
                        .filter(|_| random.chance(500))
                        .collect();
                    let id = self.source.group(&name, &members);
                    self.groups.push((id, name.clone()));
                    format!("new group {name} of {}", members.len())
                }
                None => "nothing".into(),
            },
            (7, _, Some((id, old))) => match free(random, &GROUPS, &self.groups) {
                Some(name) => {
                    self.source.rename_group(&id, name);
                    rename(&mut self.groups, &id, name);
                    format!("group {old} becomes {name}")
                }
                None => "nothing".into(),
            },
            (8, _, Some((id, name))) if random.chance(500) => {
                self.source.delete_group(&id);
                self.groups.retain(|(known, _)| *known != id);
                format!("group {name} goes")
            }
            (9 | 8, Some((user, who)), Some((group, name))) => {
                self.source.add(&group, &user);
                format!("{who} joins {name}")
            }
            (10, Some((user, who)), Some((group, name))) => {
                self.source.remove(&group, &user);
                format!("{who} leaves {name}")
            }
            (11, _, Some((group, name))) => {
                let Some((child, inner)) = random.pick(&self.groups).cloned() else {
                    return "nothing".into();
                };
                if child == group {
                    return "nothing".into();
                }
                match random.chance(600) {
                    true => self.source.add(&group, &child),
                    false => self.source.remove(&group, &child),
                }
                format!("{inner} in or out of {name}")
            }
            _ => "nothing".into(),
        }
    }
}

fn rename(all: &mut [(String, String)], id: &str, name: &str) {
    for (known, called) in all {
        if known == id {
            *called = name.to_owned();
        }
    }
}

/// A name that this side has not yet.
fn free<'n>(random: &mut Random, names: &[&'n str], taken: &[(String, String)]) -> Option<&'n str> {
    let name = random.word(names);
    let is_taken = taken
        .iter()
        .any(|(_, known)| known.eq_ignore_ascii_case(name));
    (!is_taken).then_some(name)
}

fn spelled(random: &mut Random, name: &str) -> String {
    match random.chance(200) {
        true => name.to_uppercase(),
        false => name.to_owned(),
    }
}

/// What a product writes itself; refusals are all right.
fn write_locally(world: &World, writer: &mut Jira, random: &mut Random) -> String {
    let (user, group) = (random.word(&USERS), random.word(&GROUPS));
    // As an administrator, the writer knows what is there.
    if world.run(writer.synchronize_fully(&|_, _, _| {})).is_err() {
        return "nothing is listed".into();
    }
    match random.below(4) {
        0 => {
            let done = world.run(writer.create_group(group, "made in the product"));
            format!("local group {group}: {}", done.is_ok())
        }
        1 | 2 => {
            let done = world.run(writer.add_member(group, user));
            format!("{user} joins {group} locally: {}", done.is_ok())
        }
        _ => {
            let done = world.run(writer.remove_member(group, user));
            format!("{user} leaves {group} locally: {}", done.is_ok())
        }
    }
}

fn mapping(random: &mut Random) -> ApplicationChange {
    let mut names = vec!["first", "second"];
    if random.chance(500) {
        names.swap(0, 1);
    }
    if random.chance(150) {
        names.pop();
    }
    let choices = names.iter().map(|name| DirectoryChoice {
        directory: (*name).to_owned(),
        login_groups: random
            .chance(400)
            .then(|| vec!["jira-users".to_owned(), "eng".to_owned()]),
    });
    let choices = choices.collect();
    let only = random.chance(400);
    ApplicationChange {
        directories: Some(choices),
        aggregate_memberships: Some(random.chance(500)),
        only_with_access: Some(only),
        only_groups_with_access: Some(only && random.chance(400)),
        ..ApplicationChange::default()
    }
}

/// Everything that a product keeps, in words.
fn picture(directory: &Directory) -> Vec<String> {
    let users = directory.users().map(|user| format!("{user:?}"));
    let groups = directory.groups().map(|group| {
        let members = directory.members_of(&group.name).unwrap();
        let children = directory.children_of(&group.name).unwrap();
        format!(
            "{} ({}): {members:?} {children:?}",
            group.name, group.description
        )
    });
    users.chain(groups).collect()
}

fn attach(world: &World, name: &str, access: Access) -> Jira {
    let made = world.application_from(name, access, &[], Some("first"));
    let url = format!("http://{}/crowd", world.address);
    Jira::new(&url, &made.name, &made.password)
        .unwrap()
        .with_nested_groups(true)
}

struct Tally {
    steps: usize,
    events: usize,
    full: usize,
}

fn run(database: &TestDatabase, seed: u64, steps: usize) -> Tally {
    let world = World::new(database);
    let mut random = Random::new(seed);
    let mut sides = [Side::new(&world, "first"), Side::new(&world, "second")];
    let mut follower = attach(&world, "follower", Access::ReadOnly);
    let mut writer = attach(&world, "writer", Access::ReadWrite);
    let mut reader = attach(&world, "reader", Access::ReadOnly);
    let apply = |change: &ApplicationChange| {
        for name in ["follower", "writer", "reader"] {
            let store = world.provision.store();
            let found = store.read_blocking(|tx| tx.application(name)).unwrap();
            let id = found.unwrap().public_id;
            world
                .run(world.provision.change_application(&id, change.clone()))
                .unwrap();
        }
    };
    apply(&mapping(&mut random));
    let mut story = Vec::new();
    let mut tally = Tally {
        steps: 0,
        events: 0,
        full: 0,
    };
    for _ in 0..steps {
        for _ in 0..=random.below(3) {
            let word = match random.below(20) {
                0 => {
                    let change = mapping(&mut random);
                    apply(&change);
                    format!("{change:?}")
                }
                1..=3 => write_locally(&world, &mut writer, &mut random),
                _ => {
                    let side = random.below(2);
                    format!("{side}: {}", sides[side].change(&mut random))
                }
            };
            story.push(word);
        }
        let done = world.run(follower.synchronize(&|_, _, _| {}));
        let read = world.run(reader.synchronize_fully(&|_, _, _| {}));
        let (done, read) = match (done, read) {
            (Ok(done), Ok(read)) => (done, read),
            // While the login groups are gone or empty, nothing is listed. Who has nothing new to hear is not refused.
            (done, Err(_)) if done.as_ref().map_or(true, |done| done.events == 0) => {
                story.push("-- refused --".into());
                continue;
            }
            (done, read) => panic!("seed {seed}: {done:?} {read:?}\n{}", story.join("\n")),
        };
        tally.steps += 1;
        tally.events += done.events;
        tally.full += usize::from(done.full);
        story.push(format!(
            "-- {} --",
            if done.full { "full" } else { "events" }
        ));
        assert!(read.skipped.is_empty(), "{:?}", read.skipped);
        assert_eq!(
            picture(follower.directory()),
            picture(reader.directory()),
            "seed {seed}, after:\n{}",
            story.join("\n")
        );
    }
    tally
}

#[test]
fn events_lead_to_the_same_picture_as_a_full_listing() {
    on_each_database(|database| {
        let tally = run(database, 7, 60);
        assert!(tally.events > 50, "only {} events", tally.events);
        assert!(
            tally.full * 2 < tally.steps,
            "{} of {} steps were full",
            tally.full,
            tally.steps
        );
    });
}

/// Many short lives find what one long life does not.
#[test]
fn many_short_stories() {
    for seed in 100..112 {
        let database = TestDatabase::sqlite().unwrap();
        run(&database, seed, 15);
    }
}

/// What random stories meet too seldom: a name that changes hands between directories, step by step by events.
#[test]
fn a_hidden_user_comes_into_view_with_groups_of_its_own() {
    on_each_database(|database| {
        let world = World::new(database);
        let (first, second) = (Side::new(&world, "first"), Side::new(&world, "second"));
        let hidden = second.source.user("ann");
        let eng = second.source.group("eng", &[&hidden]);
        let shown = first.source.user("Ann");
        let ops = first.source.group("ops", &[&shown]);
        let mut follower = attach(&world, "follower", Access::ReadOnly);
        let mut reader = attach(&world, "reader", Access::ReadOnly);
        for name in ["follower", "reader"] {
            let store = world.provision.store();
            let found = store.read_blocking(|tx| tx.application(name)).unwrap();
            let change = ApplicationChange {
                directories: Some(vec!["first".into(), "second".into()]),
                ..ApplicationChange::default()
            };
            let id = found.unwrap().public_id;
            world
                .run(world.provision.change_application(&id, change))
                .unwrap();
        }
        let mut compare = |what: &str, members: [&[&str]; 2]| {
            let done = world.run(follower.synchronize(&|_, _, _| {})).unwrap();
            world.run(reader.synchronize_fully(&|_, _, _| {})).unwrap();
            let (events, lists) = (picture(follower.directory()), picture(reader.directory()));
            assert_eq!(events, lists, "{what}");
            for (group, members) in ["eng", "ops"].into_iter().zip(members) {
                let seen = follower.members_of(group).unwrap_or_default();
                assert_eq!(
                    seen,
                    members.iter().map(|name| (*name).to_owned()).collect()
                );
            }
            done.full
        };
        assert!(compare("at first", [&[], &["Ann"]]));
        first.source.delete_user(&shown);
        assert!(!compare("the first is deleted", [&["ann"], &[]]));
        let again = first.source.user("ANN");
        assert!(!compare("a new one hides it", [&[], &[]]));
        first.source.set(&again, "userName", "other");
        assert!(compare("a name that is handed on", [&["ann"], &[]]));
        first.source.add(&ops, &again);
        second.source.rename_group(&eng, "Ops");
        assert!(!compare("two groups become one", [&[], &["ann", "other"]]));
        first.source.delete_group(&ops);
        assert!(!compare("one of them goes", [&[], &["ann"]]));
    });
}
