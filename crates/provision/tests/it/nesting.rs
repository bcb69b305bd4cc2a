//! Groups in groups: what the identity provider nests, products nest, and rules make of it.

use directory::rules::{Authority, NestedGroups};
use directory::{ConnectorState, Rules};
use emulate::databases::on_each_database;
use provision::{LocalWriteError, Writer};
use serde_json::json;

use crate::world::World;

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
    world.run(world.provision.add_local_child_group(
        &writer(world),
        group.into(),
        child.into(),
        None,
    ))
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
        let before = world.position();
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
