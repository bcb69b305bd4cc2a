//! Groups in groups on the Crowd face: what products read and write of them, and that a product which only polls for
//! events keeps the picture of one that reads everything.

use directory::Rules;
use directory::rules::NestedGroups;
use emulate::databases::{TestDatabase, on_each_database};
use emulate::jira::{Directory, Jira};
use emulate::random::Random;
use serde_json::{Value, json};
use store::Access;

use crate::api_console::Console;
use crate::http::Answer;
use crate::world::{Product, World, ok, refusal};

fn rules(written: Value) -> Rules {
    serde_json::from_value(json!({"groups": written})).unwrap()
}

fn preserving() -> Rules {
    rules(json!({"nested_groups": "preserve"}))
}

/// Names in a list of groups or users in JSON.
#[track_caller]
fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let list = answer.json();
    let all = list["groups"].as_array().or(list["users"].as_array());
    let name = |one: &Value| one["name"].as_str().unwrap().to_owned();
    all.unwrap().iter().map(name).collect()
}

/// `all` has `staff`, which has `team`; mira is in `team`, jon in `all`.
fn house(world: &World) -> (String, String, String) {
    let (mira, jon) = (world.mira(), world.user(json!({"userName": "jon"})));
    let team = world.group("Team A+B", &[&mira]);
    let staff = world.group("staff", &[&team]);
    let all = world.group("all", &[&staff, &jon]);
    (team, staff, all)
}

#[test]
fn lists_go_one_step_or_all_the_way() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        house(&world);
        let product = Product::reader(&world).json();
        let list = |path: &str| names(&product.get(path));
        for (path, wanted) in [
            ("/group/child-group/direct?groupname=all", vec!["staff"]),
            (
                "/group/child-group/nested?groupname=ALL",
                vec!["staff", "Team A+B"],
            ),
            ("/group/child-group/direct?groupname=team+a%2Bb", vec![]),
            (
                "/group/parent-group/direct?groupname=team+a%2Bb",
                vec!["staff"],
            ),
            (
                "/group/parent-group/nested?groupname=team+a%2Bb",
                vec!["all", "staff"],
            ),
            (
                "/group/parent-group/nested?groupname=team+a%2Bb&start-index=1&max-results=1",
                vec!["staff"],
            ),
            ("/user/group/direct?username=mira", vec!["Team A+B"]),
            (
                "/user/group/nested?username=mira",
                vec!["all", "staff", "Team A+B"],
            ),
            ("/group/user/direct?groupname=all", vec!["jon"]),
            ("/group/user/nested?groupname=all", vec!["jon", "mira"]),
            (
                "/group/user/nested?groupname=staff&max-results=-1",
                vec!["mira"],
            ),
        ] {
            assert_eq!(list(path), wanted, "{path}");
        }
        let answer = product.get("/group/membership");
        assert!(ok(&answer).contains(
            "<membership group=\"all\"><users><user name=\"jon\"/></users><groups><group name=\"staff\"/></groups></membership>"
        ), "{}", answer.text());
        assert!(ok(&answer).contains("<user name=\"mira\"/></users><groups/></membership>"));
    });
}

#[test]
fn single_checks_tell_direct_from_nested() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        house(&world);
        let product = Product::reader(&world);
        for (path, is) in [
            (
                "/group/child-group/direct?groupname=all&child-groupname=Staff",
                true,
            ),
            (
                "/group/child-group/direct?groupname=all&child-groupname=Team+A%2BB",
                false,
            ),
            (
                "/group/child-group/nested?groupname=all&child-groupname=Team+A%2BB",
                true,
            ),
            (
                "/group/child-group/nested?groupname=all&child-groupname=all",
                false,
            ),
            (
                "/group/child-group/nested?groupname=all&child-groupname=none",
                false,
            ),
            (
                "/group/parent-group/direct?groupname=staff&parent-groupname=all",
                true,
            ),
            (
                "/group/parent-group/direct?groupname=staff&child-groupname=all",
                true,
            ),
            (
                "/group/parent-group/direct?groupname=all&parent-groupname=staff",
                false,
            ),
            (
                "/group/parent-group/nested?groupname=Team+A%2BB&parent-groupname=ALL",
                true,
            ),
            ("/user/group/direct?username=mira&groupname=staff", false),
            ("/user/group/nested?username=MIRA&groupname=staff", true),
            ("/group/user/nested?groupname=all&username=mira", true),
            ("/group/user/nested?groupname=staff&username=jon", false),
        ] {
            let answer = product.get(path);
            match is {
                true => drop(ok(&answer)),
                false => assert_eq!(
                    refusal(&answer),
                    (404, "MEMBERSHIP_NOT_FOUND".into()),
                    "{path}"
                ),
            }
        }
    });
}

#[test]
fn flattened_groups_have_no_children_and_all_the_users() {
    on_each_database(|database| {
        let world = World::new(database);
        house(&world);
        let product = Product::reader(&world).json();
        assert!(names(&product.get("/group/child-group/nested?groupname=all")).is_empty());
        assert_eq!(
            names(&product.get("/group/user/direct?groupname=all")),
            ["jon", "mira"]
        );
        assert!(!ok(&product.get("/group/membership")).contains("<group name"));
    });
}

#[test]
fn products_with_write_access_nest_groups() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        house(&world);
        let product = Product::writer(&world);
        assert_eq!(
            product.post("/group", "<group name=\"local\"/>").status,
            201
        );
        let child = "/group/child-group/direct?groupname=";
        let added = product.post(&format!("{child}local"), "<group name=\"Staff\"/>");
        assert_eq!((added.status, added.text()), (201, ""));
        let location = added.header("location").unwrap();
        assert!(
            location.ends_with("/group/child-group/direct?groupname=local&child-groupname=Staff"),
            "{location}"
        );
        let json = product.json();
        assert_eq!(
            names(&json.get("/group/user/nested?groupname=local")),
            ["mira"]
        );
        let more = json.post(
            "/group/parent-group/direct?groupname=local",
            r#"{"name": "all"}"#,
        );
        assert_eq!(more.status, 201, "{}", more.text());
        assert_eq!(
            names(&json.get("/group/child-group/direct?groupname=all")),
            ["local", "staff"]
        );
        for (path, body, wanted) in [
            (
                "child-group/direct?groupname=local",
                "staff",
                (409, "MEMBERSHIP_ALREADY_EXISTS"),
            ),
            (
                "parent-group/direct?groupname=staff",
                "LOCAL",
                (409, "MEMBERSHIP_ALREADY_EXISTS"),
            ),
            (
                "child-group/direct?groupname=staff",
                "all",
                (400, "INVALID_MEMBERSHIP"),
            ),
            (
                "child-group/direct?groupname=Team+A%2BB",
                "all",
                (400, "INVALID_MEMBERSHIP"),
            ),
            (
                "child-group/direct?groupname=all",
                "ALL",
                (400, "INVALID_MEMBERSHIP"),
            ),
            (
                "parent-group/direct?groupname=all",
                "local",
                (400, "INVALID_MEMBERSHIP"),
            ),
            (
                "child-group/direct?groupname=none",
                "all",
                (404, "GROUP_NOT_FOUND"),
            ),
            (
                "child-group/direct?groupname=all",
                "none",
                (400, "GROUP_NOT_FOUND"),
            ),
            (
                "parent-group/direct?groupname=all",
                "none",
                (400, "GROUP_NOT_FOUND"),
            ),
            (
                "parent-group/direct?groupname=none",
                "nobody",
                (404, "GROUP_NOT_FOUND"),
            ),
        ] {
            let answer = product.post(
                &format!("/group/{path}"),
                &format!("<group name=\"{body}\"/>"),
            );
            let (status, reason) = refusal(&answer);
            assert_eq!(
                (status, reason.as_str()),
                wanted,
                "{path} {body}: {}",
                answer.text()
            );
        }
        for (path, wanted) in [
            (
                "child-group/direct?groupname=all&child-groupname=staff",
                (403, "APPLICATION_PERMISSION_DENIED"),
            ),
            (
                "child-group/direct?groupname=local&child-groupname=all",
                (404, "MEMBERSHIP_NOT_FOUND"),
            ),
            (
                "child-group/direct?groupname=none&child-groupname=all",
                (404, "GROUP_NOT_FOUND"),
            ),
            (
                "child-group/direct?groupname=all&child-groupname=none",
                (404, "GROUP_NOT_FOUND"),
            ),
            (
                "child-group/direct?groupname=all",
                (400, "ILLEGAL_ARGUMENT"),
            ),
        ] {
            let (status, reason) = refusal(&product.delete(&format!("/group/{path}")));
            assert_eq!((status, reason.as_str()), wanted, "{path}");
        }
        let gone =
            product.delete("/group/child-group/direct?groupname=local&child-groupname=staff");
        assert_eq!(gone.status, 204, "{}", gone.text());
        let gone =
            product.delete("/group/parent-group/direct?groupname=local&parent-groupname=all");
        assert_eq!(gone.status, 204, "{}", gone.text());
        assert_eq!(
            names(&json.get("/group/child-group/direct?groupname=all")),
            ["staff"]
        );
        let reader = Product::reader(&world);
        for refused in [
            reader.post(&format!("{child}local"), "<group name=\"staff\"/>"),
            reader.delete("/group/child-group/direct?groupname=all&child-groupname=staff"),
        ] {
            assert_eq!(
                refusal(&refused),
                (403, "APPLICATION_PERMISSION_DENIED".into())
            );
        }
    });
}

#[test]
fn circles_of_the_identity_provider_end() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        let (team, _, all) = house(&world);
        world.add(&team, &all);
        let product = Product::reader(&world).json();
        for (path, wanted) in [
            (
                "/group/child-group/nested?groupname=all",
                vec!["staff", "Team A+B"],
            ),
            (
                "/group/parent-group/nested?groupname=all",
                vec!["staff", "Team A+B"],
            ),
            ("/group/user/nested?groupname=staff", vec!["jon", "mira"]),
            (
                "/user/group/nested?username=jon",
                vec!["all", "staff", "Team A+B"],
            ),
        ] {
            assert_eq!(names(&product.get(path)), wanted, "{path}");
        }
        let flat = world.connector.connector.id;
        world
            .run(
                world
                    .provision
                    .change_connector(flat, "admin", |connector| {
                        connector.rules.groups.nested_groups = NestedGroups::Flatten;
                        Ok(())
                    }),
            )
            .unwrap();
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(
            names(&product.get("/group/user/direct?groupname=Team+A%2BB")),
            ["jon", "mira"]
        );
    });
}

#[test]
fn a_change_of_nesting_is_one_event_in_each_format() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        let (team, staff, all) = house(&world);
        let product = Product::reader(&world);
        let token = |answer: &Answer| {
            crowd::answer::events(ok(answer).as_bytes(), |_| {})
                .unwrap()
                .token
                .unwrap()
        };
        let start = token(&product.get("/event"));
        world.add(&all, &team);
        let news = product.get(&format!("/event/{start}"));
        let event = "<groupMembershipEvent><operation>UPDATED</operation><group name=\"Team A+B\"/>\
            <parentGroups><group name=\"all\"/><group name=\"staff\"/></parentGroups><childGroups/></groupMembershipEvent>";
        assert!(ok(&news).contains(event), "{}", news.text());
        assert_eq!(
            ok(&news).matches("Event>").count(),
            2,
            "nothing else is told"
        );
        let in_json = product.json().get(&format!("/event/{start}")).json();
        let event = &in_json["events"][0]["groupMembershipEvent"];
        assert_eq!(event["operation"], "UPDATED", "{in_json}");
        assert_eq!(event["group"]["name"], "Team A+B", "{in_json}");
        // A rename tells the group anew with all that is around it.
        let next = token(&news);
        world.patch_group(
            &staff,
            json!([{"op": "replace", "path": "displayName", "value": "crew"}]),
        );
        let news = product.get(&format!("/event/{next}"));
        let event = "<group name=\"crew\"/><parentGroups><group name=\"all\"/></parentGroups>\
            <childGroups><group name=\"Team A+B\"/></childGroups>";
        assert!(ok(&news).contains(event), "{}", news.text());
    });
}

#[test]
fn the_admin_api_tells_what_is_nested_and_why() {
    on_each_database(|database| {
        let world = World::with_rules(database, preserving());
        house(&world);
        let product = Product::writer(&world);
        assert_eq!(
            product.post("/group", "<group name=\"local\"/>").status,
            201
        );
        let added = product.post(
            "/group/child-group/direct?groupname=local",
            "<group name=\"all\"/>",
        );
        assert_eq!(added.status, 201);
        let console = Console::new(&world);
        let get = |path: &str| console.show(&format!("/directories/default{path}"));
        let all = get("/groups/all");
        assert_eq!(all["members"], 1);
        assert_eq!(all["members_below"], 2);
        assert_eq!(
            all["children"],
            json!([{"name": "staff", "origins": [{"kind": "idp", "source_group": "all"}]}])
        );
        assert_eq!(
            all["parents"],
            json!([{"name": "local", "origins": [{"kind": "local"}]}])
        );
        let why = get("/users/mira/why?group=local");
        assert_eq!(why["member"], false);
        assert_eq!(why["member_by_way_of"], json!(["Team A+B", "staff", "all"]));
        let lines = why["lines"].to_string();
        assert!(
            lines.contains("`Team A+B` is in `staff`: source group `staff` has it"),
            "{lines}"
        );
        assert!(
            lines.contains("`all` is in `local`: a product put it there"),
            "{lines}"
        );
        let journal = get("/journal?group=all&order=newest&limit=1");
        let entry = &journal["items"][0];
        assert_eq!(entry["change"]["change"], "add_child_group", "{entry}");
        assert_eq!(
            (&entry["group"], &entry["child_group"]),
            (&json!("local"), &json!("all"))
        );
    });
}

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
