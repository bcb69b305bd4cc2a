//! Random writes of an identity provider that nests groups and of a product that nests them too: a product which only
//! polls for events keeps the picture of one that reads everything.

use emulate::databases::{TestDatabase, on_each_database};
use emulate::jira::{Directory, Jira};
use emulate::random::Random;
use serde_json::json;
use store::Access;

use crate::world::World;

/// An identity provider and a product that write at random.
struct Story<'w> {
    world: &'w World,
    writer: Jira,
    users: Vec<(String, String)>,
    groups: Vec<(String, String)>,
    words: Vec<String>,
}

const USERS: [&str; 5] = ["ann", "Ben", "cat", "dan", "eve"];
const GROUPS: [&str; 8] = [
    "a", "b", "c", "team-1", "team-2", "Team-3", "hidden-1", "local",
];

impl Story<'_> {
    /// One random change, told in words.
    fn go_on(&mut self, random: &mut Random) {
        let user = random.pick(&self.users).cloned();
        let group = random.pick(&self.groups).cloned();
        let other = random.pick(&self.groups).cloned();
        let word = match (random.below(16), user, group) {
            (0 | 1, ..) => self.come(random),
            (2, Some((id, name)), _) => self.rename_user(random, &id, &name),
            (3, Some((id, name)), _) if random.chance(400) => {
                self.world.delete_user(&id);
                self.users.retain(|(known, _)| *known != id);
                format!("user {name} goes")
            }
            (3 | 4, Some((id, name)), _) => {
                self.world.patch_user(&id, "active", random.chance(500));
                self.world.patch_user(&id, "displayName", random.letters(3));
                format!("user {name} changes")
            }
            (5 | 6, ..) => self.found(random),
            (7, _, Some((id, name))) => self.rename_group(random, &id, &name),
            (8, _, Some((id, name))) if random.chance(500) => {
                self.world.delete_group(&id);
                self.groups.retain(|(known, _)| *known != id);
                format!("group {name} goes")
            }
            (9, Some((user, who)), Some((group, name))) => {
                self.world.add(&group, &user);
                format!("{who} joins {name}")
            }
            (10, Some((user, who)), Some((group, name))) => {
                self.world.remove(&group, &user);
                format!("{who} leaves {name}")
            }
            (8 | 11 | 12, _, Some((group, name))) => match other.filter(|(id, _)| *id != group) {
                Some((child, inner)) if random.chance(700) => {
                    self.world.add(&group, &child);
                    format!("{inner} into {name}")
                }
                Some((child, inner)) => {
                    self.world.remove(&group, &child);
                    format!("{inner} out of {name}")
                }
                None => return,
            },
            _ => self.write_locally(random),
        };
        self.words.push(word);
    }

    fn come(&mut self, random: &mut Random) -> String {
        let Some(name) = free(random, &USERS, &self.users) else {
            return "nothing".into();
        };
        let id = self
            .world
            .user(json!({"userName": name, "displayName": random.letters(3)}));
        self.users.push((id, name.to_owned()));
        format!("user {name} comes")
    }

    fn rename_user(&mut self, random: &mut Random, id: &str, old: &str) -> String {
        let Some(name) = free(random, &USERS, &self.users) else {
            return "nothing".into();
        };
        self.world.patch_user(id, "userName", name);
        rename(&mut self.users, id, name);
        format!("user {old} becomes {name}")
    }

    fn found(&mut self, random: &mut Random) -> String {
        let Some(name) = free(random, &GROUPS, &self.groups) else {
            return "nothing".into();
        };
        let users = self
            .users
            .iter()
            .filter(|_| random.chance(300))
            .map(|(id, _)| id.as_str());
        let mut members: Vec<&str> = users.collect();
        if random.chance(500) {
            members.extend(random.pick(&self.groups).map(|(id, _)| id.as_str()));
        }
        let count = members.len();
        let id = self.world.group(name, &members);
        self.groups.push((id, name.to_owned()));
        format!("group {name} comes with {count} members")
    }

    fn rename_group(&mut self, random: &mut Random, id: &str, old: &str) -> String {
        let Some(name) = free(random, &GROUPS, &self.groups) else {
            return "nothing".into();
        };
        self.world.patch_group(
            id,
            json!([{"op": "replace", "path": "displayName", "value": name}]),
        );
        rename(&mut self.groups, id, name);
        format!("group {old} becomes {name}")
    }

    /// What a product writes itself; it may be refused.
    fn write_locally(&mut self, random: &mut Random) -> String {
        const SEEN: [&str; 6] = ["a", "b", "team", "local", "own", "more"];
        let (group, child, user) = (random.word(&SEEN), random.word(&SEEN), random.word(&USERS));
        // As an administrator, the writer knows what is there.
        self.world
            .run(self.writer.synchronize_fully(&|_, _, _| {}))
            .unwrap();
        let writer = &mut self.writer;
        let (what, done) = match random.below(8) {
            0 | 1 => (
                format!("group {group}"),
                self.world
                    .run(writer.create_group(group, &random.letters(3))),
            ),
            2 => (
                format!("no group {group}"),
                self.world.run(writer.delete_group(group)),
            ),
            3 => (
                format!("{user} into {group}"),
                self.world.run(writer.add_member(group, user)),
            ),
            4 => (
                format!("{user} out of {group}"),
                self.world.run(writer.remove_member(group, user)),
            ),
            5 | 6 => (
                format!("group {child} into {group}"),
                self.world.run(writer.add_child_group(group, child)),
            ),
            _ => (
                format!("group {child} out of {group}"),
                self.world.run(writer.remove_child_group(group, child)),
            ),
        };
        format!("the product writes {what}: {}", done.is_ok())
    }
}

fn rename(all: &mut [(String, String)], id: &str, name: &str) {
    for (_, called) in all.iter_mut().filter(|(known, _)| known == id) {
        *called = name.to_owned();
    }
}

fn free<'n>(random: &mut Random, names: &[&'n str], taken: &[(String, String)]) -> Option<&'n str> {
    let name = random.word(names);
    let is_taken = taken.iter().any(|(_, known)| known == name);
    (!is_taken).then_some(name)
}

/// Everything that a product keeps, in words.
fn picture(directory: &Directory) -> Vec<String> {
    let users = directory.users().map(|user| format!("{user:?}"));
    let groups = directory.groups().map(|group| {
        let members = directory.members_of(&group.name).unwrap();
        let children = directory.children_of(&group.name).unwrap();
        let below = directory.members_below(&group.name).unwrap();
        format!(
            "{} ({}): {members:?} {children:?} {below:?}",
            group.name, group.description
        )
    });
    users.chain(groups).collect()
}

fn attach(world: &World, name: &str, access: Access) -> Jira {
    let made = world.application_from(name, access, &[], Some("default"));
    let url = format!("http://{}/crowd", world.address);
    Jira::new(&url, &made.name, &made.password)
        .unwrap()
        .with_nested_groups(true)
}

/// How often a product had to read everything, of how many synchronisations.
fn follow(database: &TestDatabase, seed: u64, steps: usize) -> (usize, usize) {
    let mut random = Random::new(seed);
    let word = random.word(&["preserve", "preserve", "flatten"]);
    let deleted = random.word(&["disable", "delete"]);
    let written = json!({
        "groups": {
            "nested_groups": word, "never_assign": ["hidden"],
            "names": {"rules": [{"steps": [{"regex_replace": {"pattern": "(.*)-[0-9]", "with": "$1"}}]}]},
        },
        "cleanup": {"idp_deleted": deleted},
    });
    let world = World::with_rules(database, serde_json::from_value(written).unwrap());
    let mut story = Story {
        writer: attach(&world, "writer", Access::ReadWrite),
        world: &world,
        users: Vec::new(),
        groups: Vec::new(),
        words: vec![format!("{word}, {deleted}")],
    };
    let mut follower = attach(&world, "follower", Access::ReadOnly);
    let mut reader = attach(&world, "reader", Access::ReadOnly);
    let mut full = 0;
    for _ in 0..steps {
        for _ in 0..=random.below(4) {
            story.go_on(&mut random);
        }
        world.run(world.provision.work_off()).unwrap();
        let done = world
            .run(follower.synchronize(&|_, _, _| {}))
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", story.words.join("\n")));
        full += usize::from(done.full);
        story.words.push(format!(
            "-- {} --",
            if done.full { "full" } else { "events" }
        ));
        let read = world.run(reader.synchronize_fully(&|_, _, _| {})).unwrap();
        assert!(read.skipped.is_empty(), "{:?}", read.skipped);
        assert_eq!(
            picture(follower.directory()),
            picture(reader.directory()),
            "seed {seed}, after:\n{}",
            story.words.join("\n")
        );
    }
    (full, steps)
}

#[test]
fn a_product_that_only_polls_sees_what_a_full_listing_shows() {
    on_each_database(|database| {
        let (full, steps) = follow(database, 11, 80);
        assert!(full * 4 < steps, "{full} of {steps} were full");
    });
}

#[test]
fn many_short_stories_of_groups_in_groups() {
    for seed in 500..510 {
        let database = TestDatabase::sqlite().unwrap();
        follow(&database, seed, 14);
    }
}
