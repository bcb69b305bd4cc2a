//! What an identity provider does, and what the directory makes of it.

use directory::rules::Authority;
use directory::{ConnectorState, Origin, Reason, Rules, Status};
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::ProvisionError;
use serde_json::json;

use crate::world::{Seen, World};

fn required(group: &str) -> Rules {
    let mut rules = Rules::default();
    rules.scope.required_groups = vec![group.to_owned()];
    rules
}

fn seen(name: &str, active: bool, groups: &[&str]) -> Seen {
    Seen {
        name: name.into(),
        active,
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    }
}

#[test]
fn people_join_move_and_leave() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let (ann, ben) = (world.user("ann"), world.user("Ben"));
        let dev = world.group("dev", &[&ann, &ben]);
        let ops = world.group("ops", &[]);
        assert_eq!(
            world.seen(),
            [seen("ann", true, &["dev"]), seen("Ben", true, &["dev"])]
        );
        world.remove(&dev, &ben);
        world.add(&ops, &ben);
        world.add(&ops, &ben);
        world.set_active(&ann, false);
        assert_eq!(
            world.seen(),
            [seen("ann", false, &["dev"]), seen("Ben", true, &["ops"])]
        );
        world.patch_user(
            &ben,
            json!([{"op": "replace", "path": "userName", "value": "benjamin"}]),
        );
        world.delete_user(&ann);
        assert_eq!(
            world.seen(),
            [
                seen("ann", false, &["dev"]),
                seen("benjamin", true, &["ops"])
            ]
        );
        assert_eq!(world.account("ann").unwrap().reason, Reason::IdpDeleted);
    });
}

#[test]
fn a_rename_keeps_the_key() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.user("old");
        let before = world.account("old").unwrap();
        world.patch_user(
            &id,
            json!([{"op": "replace", "path": "userName", "value": "new"}]),
        );
        let after = world.account("new").unwrap();
        assert_eq!((after.key, after.pk), (before.key, before.pk));
        assert!(world.account("old").is_none());
    });
}

#[test]
fn an_account_waits_for_its_required_group() {
    on_each_database(|database| {
        let world = World::new(database, required("g"));
        let ann = world.user("ann");
        assert!(world.account("ann").is_none());
        let group = world.group("g", &[]);
        assert!(world.account("ann").is_none());
        world.add(&group, &ann);
        assert_eq!(world.account("ann").unwrap().status, Status::Active);
    });
}

#[test]
fn leaving_the_required_group_has_a_grace_time() {
    on_each_database(|database| {
        let world = World::new(database, required("g"));
        let ann = world.user("ann");
        let group = world.group("g", &[&ann]);
        world.remove(&group, &ann);
        assert!(world.account("ann").unwrap().active());
        world.wait(SignedDuration::from_mins(5));
        world.add(&group, &ann);
        world.wait(SignedDuration::from_mins(20));
        world.work_off();
        assert!(world.account("ann").unwrap().active());
        world.remove(&group, &ann);
        world.wait(SignedDuration::from_mins(9));
        assert_eq!(world.work_off(), 0);
        assert!(world.account("ann").unwrap().active());
        world.wait(SignedDuration::from_mins(2));
        assert_eq!(world.work_off(), 1);
        let account = world.account("ann").unwrap();
        assert_eq!(
            (account.status, account.reason),
            (Status::Disabled, Reason::NotInRequiredGroup)
        );
        world.add(&group, &ann);
        assert!(world.account("ann").unwrap().active());
    });
}

#[test]
fn a_deleted_person_comes_back_as_the_same_user() {
    for action in ["disable", "delete"] {
        on_each_database(|database| {
            let mut rules = Rules::default();
            rules.cleanup.idp_deleted = serde_json::from_value(json!(action)).unwrap();
            let world = World::new(database, rules);
            let ann = world.user("ann");
            world.group("dev", &[&ann]);
            let before = world.account("ann").unwrap();
            world.delete_user(&ann);
            assert_eq!(world.account("ann").is_none(), action == "delete");
            world.wait(SignedDuration::from_hours(24));
            let again = world.user("ann");
            assert_ne!(again, ann);
            let after = world.account("ann").unwrap();
            assert!(after.active());
            assert_eq!(after.key, before.key);
            assert_eq!(world.groups("ann"), ["dev"]);
        });
    }
}

#[test]
fn a_member_that_is_named_before_it_exists_joins_when_it_appears() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let group = world.group("dev", &[]);
        let value = json!([{"op": "add", "path": "members", "value": [{"value": "x-late"}]}]);
        let written = world.patch_group(&group, value);
        assert_eq!(written.warnings.len(), 1);
        world.user("late");
        assert_eq!(world.groups("late"), ["dev"]);
    });
}

#[test]
fn a_paused_connector_stores_and_waits() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let (ann, old) = (world.user("ann"), world.user("old"));
        let id = world.connector.connector.id;
        let state = |state| {
            world
                .run(world.provision.set_connector_state(id, state, "test"))
                .unwrap();
        };
        state(ConnectorState::Paused);
        let ben = world.user("ben");
        let group = world.group("dev", &[&ann, &ben]);
        world.set_active(&ann, false);
        world.remove(&group, &ben);
        world.delete_user(&ben);
        world.delete_user(&old);
        world.work_off();
        assert_eq!(
            world.seen(),
            [seen("ann", true, &[]), seen("old", true, &[])]
        );
        state(ConnectorState::Active);
        world.work_off();
        assert_eq!(
            world.seen(),
            [seen("ann", false, &["dev"]), seen("old", false, &[])]
        );
    });
}

#[test]
fn a_taken_name_is_had_when_it_becomes_free() {
    on_each_database(|database| {
        let world = World::new(
            database,
            serde_json::from_value(json!({
                "mapping": [{"target": "username", "steps": ["strip_domain"]}]
            }))
            .unwrap(),
        );
        let first = world.user("ann@one.example");
        world.user("ann@two.example");
        assert_eq!(world.seen(), [seen("ann", true, &[])]);
        world.patch_user(
            &first,
            json!([{"op": "replace", "path": "userName", "value": "anna@one.example"}]),
        );
        world.work_off();
        assert_eq!(
            world.seen(),
            [seen("ann", true, &[]), seen("anna", true, &[])]
        );
    });
}

#[test]
fn a_taken_user_name_is_refused_with_the_id_of_its_owner() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.user("Ann");
        let refused = world.try_user(json!({"userName": "aNN"})).unwrap_err();
        let ProvisionError::Scim(error) = refused else {
            panic!("{refused}");
        };
        assert_eq!(error.status, 409);
        assert!(error.detail.contains(&id), "{}", error.detail);
    });
}

#[test]
fn a_group_keeps_its_members_through_a_rename() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let dev = world.group("dev", &[&ann]);
        world.patch_group(
            &dev,
            json!([{"op": "replace", "value": {"displayName": "engineering"}}]),
        );
        world.work_off();
        assert_eq!(world.groups("ann"), ["engineering"]);
        assert_eq!(world.group_names(), ["engineering"]);
        world.delete_group(&dev);
        assert_eq!(world.groups("ann"), Vec::<String>::new());
        assert_eq!(world.group_names(), ["engineering"]);
    });
}

#[test]
fn many_members_are_settled_by_the_worker() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.set_limits(|limits| limits.enabled = false);
        let users: Vec<String> = (0..450).map(|n| world.user(&format!("u{n}"))).collect();
        let ids: Vec<&str> = users.iter().map(String::as_str).collect();
        let group = world.group("all", &ids);
        assert_eq!(world.work_off(), 450);
        assert_eq!(world.groups("u449"), ["all"]);
        world.patch_group(
            &group,
            json!([{"op": "replace", "path": "members", "value": []}]),
        );
        world.add(&group, &users[7]);
        world.work_off();
        assert_eq!(world.groups("u7"), ["all"]);
        assert!(world.groups("u8").is_empty());
        world.delete_group(&group);
        world.work_off();
        assert!(world.groups("u7").is_empty());
    });
}

#[test]
fn nested_groups_are_flattened_and_may_contain_each_other() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let (ann, bob) = (world.user("ann"), world.user("bob"));
        let inner = world.group("inner", &[&ann]);
        let outer = world.group("outer", &[&inner, &bob]);
        world.work_off();
        assert_eq!(world.groups("ann"), ["inner", "outer"]);
        let put_in = |group: &str, member: &str| {
            let request = crate::world::patch(
                json!([{"op": "add", "path": "members", "value": [{"value": member}]}]),
            );
            world.run(world.provision.patch_group(
                &world.connector,
                group.to_owned(),
                request,
                None,
                world.cause(),
            ))
        };
        // Left out, and said.
        let itself = put_in(&inner, &inner).unwrap();
        assert_eq!(itself.warnings.len(), 1);
        put_in(&inner, &outer).unwrap();
        world.work_off();
        assert_eq!(world.groups("ann"), ["inner", "outer"]);
        assert_eq!(world.groups("bob"), ["inner", "outer"]);
        world.remove(&outer, &inner);
        world.work_off();
        assert_eq!(world.groups("ann"), ["inner"]);
        assert_eq!(world.groups("bob"), ["inner", "outer"]);
    });
}

#[test]
fn products_write_what_is_theirs_and_nothing_else() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        world.group("dev", &[&ann]);
        let writer = provision::Writer {
            directory: world.connector.connector.directory,
            application: "jira".into(),
            request: "r".into(),
        };
        let provision = &world.provision;
        world
            .run(provision.create_local_group(&writer, "board".into(), "".into()))
            .unwrap();
        world
            .run(provision.add_local_membership(&writer, "Board".into(), "ANN".into(), None))
            .unwrap();
        assert_eq!(world.groups("ann"), ["board", "dev"]);
        let refused =
            world.run(provision.remove_local_membership(&writer, "dev".into(), "ann".into()));
        assert!(matches!(
            refused,
            Err(provision::LocalWriteError::Refused(_))
        ));
        let refused = world.run(provision.delete_local_group(&writer, "dev".into()));
        assert!(matches!(
            refused,
            Err(provision::LocalWriteError::Refused(_))
        ));
        world.set_active(&ann, false);
        world.set_active(&ann, true);
        assert_eq!(world.groups("ann"), ["board", "dev"]);
        let origins = world.memberships("ann").remove(0).origins;
        assert_eq!(origins.into_iter().collect::<Vec<_>>(), [Origin::Local]);
        world
            .run(provision.remove_local_membership(&writer, "board".into(), "ann".into()))
            .unwrap();
        assert_eq!(world.groups("ann"), ["dev"]);
    });
}

#[test]
fn a_local_group_that_the_provider_takes_up_is_no_longer_the_products() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let writer = provision::Writer {
            directory: world.connector.connector.directory,
            application: "jira".into(),
            request: "r".into(),
        };
        let provision = &world.provision;
        world
            .run(provision.create_local_group(&writer, "board".into(), "".into()))
            .unwrap();
        world.group("Board", &[&ann]);
        let refused = world.run(provision.delete_local_group(&writer, "board".into()));
        assert!(matches!(
            refused,
            Err(provision::LocalWriteError::Refused(_))
        ));
        assert_eq!(world.groups("ann"), ["board"]);
    });
}

#[test]
fn a_strict_connector_refuses_memberships_that_would_not_last() {
    on_each_database(|database| {
        let mut rules = Rules::default();
        rules.groups.authority = Authority::Strict;
        rules.groups.never_remove = vec!["re:local-.*".into()];
        let world = World::new(database, rules);
        world.user("ann");
        let writer = provision::Writer {
            directory: world.connector.connector.directory,
            application: "jira".into(),
            request: "r".into(),
        };
        for (group, works) in [("local-board", true), ("board", false)] {
            world
                .run(
                    world
                        .provision
                        .create_local_group(&writer, group.into(), "".into()),
                )
                .unwrap();
            let added = world.run(world.provision.add_local_membership(
                &writer,
                group.into(),
                "ann".into(),
                None,
            ));
            assert_eq!(added.is_ok(), works, "{group}");
        }
    });
}
