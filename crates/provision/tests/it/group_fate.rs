//! What becomes of groups that are renamed, deleted, or there already.

use directory::rules::{OnExisting, OnSourceDeleted, RenamePolicy};
use directory::{Origin, Rules, SourceGroupPk};
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::{
    GroupChoice, GroupFate, GroupQuery, ListedGroup, LocalWriteError, ProvisionError, Writer,
};
use serde_json::json;

use crate::world::World;

fn rules(change: impl FnOnce(&mut Rules)) -> Rules {
    let mut rules = Rules::default();
    change(&mut rules);
    rules
}

fn listed(world: &World, query: GroupQuery) -> Vec<ListedGroup> {
    let (id, provision) = (world.connector.connector.id, world.provision.clone());
    let store = world.provision.store();
    store
        .read_blocking(move |tx| provision.connector_groups(tx, id, query, SourceGroupPk(0), 100))
        .unwrap()
}

fn choose(world: &World, group: &str, choice: GroupChoice) -> Result<(), ProvisionError> {
    let id = world.connector.connector.id;
    world.run(
        world
            .provision
            .choose_for_group(id, group.into(), choice, "admin"),
    )?;
    world.work_off();
    Ok(())
}

fn writer(world: &World) -> Writer {
    Writer {
        directory: world.connector.connector.directory,
        application: "jira".into(),
        request: String::new(),
    }
}

fn put_in(world: &World, group: &str, user: &str) {
    let writer = writer(world);
    world
        .run(world.provision.add_local_membership(
            &writer,
            group.into(),
            user.into(),
            Some(String::new()),
        ))
        .unwrap();
}

#[test]
fn a_pinned_group_keeps_its_name_until_somebody_lets_it_go() {
    on_each_database(|database| {
        let world = World::new(database, rules(|it| it.groups.rename = RenamePolicy::Pin));
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let devs = world.group("devs", &[&ann]);
        let before = world.position();
        world.rename_group(&devs, "developers");
        world.rename_group(&devs, "engineers");
        assert_eq!(world.position(), before, "products hear of nothing");
        world.add(&devs, &ben);
        assert_eq!(world.groups("ben"), ["devs"]);
        world.work_off();
        assert_eq!(world.group_names(), ["devs"]);
        let renamed = listed(&world, GroupQuery::Renamed);
        assert_eq!(renamed.len(), 1);
        assert_eq!(renamed[0].listed.group.display_name, "engineers");
        assert_eq!(
            renamed[0].listed.standing.former_name.as_deref(),
            Some("devs")
        );
        assert_eq!(renamed[0].names, ["devs"]);

        choose(&world, "engineers", GroupChoice::Follow).unwrap();
        assert_eq!(world.group_names(), ["engineers"], "the same group");
        assert_eq!(world.groups("ann"), ["engineers"]);
        assert!(listed(&world, GroupQuery::Renamed).is_empty());

        world.rename_group(&devs, "other");
        world.rename_group(&devs, "engineers");
        assert!(
            listed(&world, GroupQuery::Renamed).is_empty(),
            "it is called as before again"
        );
    });
}

#[test]
fn a_renamed_group_has_both_names_for_some_days() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(|it| {
                it.groups.rename = RenamePolicy::Alias;
                it.groups.alias_days = 7;
                it.groups.on_source_deleted = OnSourceDeleted::DeleteIfEmptyAndOurs;
            }),
        );
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let devs = world.group("devs", &[&ann]);
        world.rename_group(&devs, "engineers");
        world.add(&devs, &ben);
        world.work_off();
        assert_eq!(world.groups("ann"), ["devs", "engineers"]);
        assert_eq!(world.groups("ben"), ["devs", "engineers"]);

        world.wait(SignedDuration::from_hours(24 * 6));
        world.work_off();
        assert_eq!(world.groups("ann"), ["devs", "engineers"]);
        world.wait(SignedDuration::from_hours(25));
        world.work_off();
        assert_eq!(world.groups("ann"), ["engineers"]);
        assert_eq!(world.groups("ben"), ["engineers"]);
        assert_eq!(world.group_names(), ["engineers"]);
    });
}

#[test]
fn who_follows_a_rename_at_once_leaves_nobody_in_the_old_group() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(|it| {
                it.groups.rename = RenamePolicy::Alias;
                it.groups.alias_days = 7;
            }),
        );
        let ann = world.user("ann");
        let devs = world.group("devs", &[&ann]);
        world.rename_group(&devs, "engineers");
        assert_eq!(world.groups("ann"), ["devs", "engineers"]);
        choose(&world, "engineers", GroupChoice::Follow).unwrap();
        assert_eq!(world.groups("ann"), ["engineers"], "without any write");

        // The same where a rename gives the former name up.
        world.rename_group(&devs, "builders");
        assert_eq!(world.groups("ann"), ["builders", "engineers"]);
        world.set_rules(|it| it.groups.rename = RenamePolicy::Follow);
        world.work_off();
        world.rename_group(&devs, "BUILDERS");
        assert_eq!(world.groups("ann").len(), 1, "{:?}", world.groups("ann"));
    });
}

#[test]
fn a_name_in_another_case_is_followed_and_otherwise_stays() {
    let cases = [
        (RenamePolicy::Follow, "Sales EMEA"),
        (RenamePolicy::Alias, "sales emea"),
        (RenamePolicy::Pin, "sales emea"),
    ];
    for (policy, wanted) in cases {
        for paused in [false, true] {
            on_each_database(|database| {
                let world = World::new(database, rules(|it| it.groups.rename = policy));
                let ann = world.user("ann");
                let sales = world.group("sales emea", &[&ann]);
                let before = world.position();
                let state = |state| {
                    let id = world.connector.connector.id;
                    let set = world.provision.set_connector_state(id, state, "admin");
                    world.run(set).unwrap();
                    world.work_off();
                };
                if paused {
                    state(directory::ConnectorState::Paused);
                }
                world.rename_group(&sales, "Sales EMEA");
                if paused {
                    assert_eq!(world.group_names(), ["sales emea"]);
                    state(directory::ConnectorState::Active);
                }
                world.work_off();
                assert_eq!(world.group_names(), [wanted], "{policy:?} {paused}");
                assert_eq!(world.groups("ann"), [wanted]);
                let changes = i64::from(policy == RenamePolicy::Follow);
                assert_eq!(world.position() - before, changes, "nobody leaves it");
                let (preview, _) = world.preview(provision::PreviewWish::default());
                assert_eq!(preview.summary.changed, 0);
                let id = world.connector.connector.id;
                world.run(world.provision.reconcile(id, "admin")).unwrap();
                world.work_off();
                assert_eq!(world.position() - before, changes, "nothing is left to do");
            });
        }
    }
}

#[test]
fn a_former_name_goes_on_when_the_present_one_is_written_otherwise() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(|it| {
                it.groups.rename = RenamePolicy::Alias;
                it.groups.alias_days = 7;
            }),
        );
        let ann = world.user("ann");
        let devs = world.group("devs", &[&ann]);
        world.rename_group(&devs, "engineers");
        world.rename_group(&devs, "Engineers");
        let ben = world.user("ben");
        world.add(&devs, &ben);
        for name in ["ann", "ben"] {
            assert_eq!(world.groups(name), ["devs", "engineers"], "{name}");
        }
        world.wait(SignedDuration::from_hours(24 * 8));
        world.work_off();
        assert_eq!(world.groups("ben"), ["engineers"]);
    });
}

#[test]
fn a_group_goes_with_its_source_if_the_rules_say_so_and_nobody_is_left() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        // More groups go here than may at once.
        world.set_limits(|limits| limits.enabled = false);
        let ann = world.user("ann");
        let kept = world.group("kept", &[&ann]);
        world.delete_group(&kept);
        world.work_off();
        assert_eq!(world.group_names(), ["kept"], "that is the default");

        world.set_rules(|it| {
            it.groups.on_source_deleted = OnSourceDeleted::DeleteIfEmptyAndOurs;
        });
        world.work_off();
        let (gone, used) = (world.group("gone", &[&ann]), world.group("used", &[&ann]));
        let empty = world.group("empty", &[]);
        let ben = world.user("ben");
        put_in(&world, "used", "ben");
        put_in(&world, "local", "ben");
        let local = world.group("local", &[&ann]);
        for group in [&gone, &used, &empty, &local] {
            world.delete_group(group);
        }
        world.work_off();
        assert_eq!(world.group_names(), ["kept", "local", "used"]);
        assert_eq!(world.groups("ben"), ["local", "used"]);
        assert!(world.groups("ann").is_empty());
        world.delete_user(&ben);
    });
}

#[test]
fn merged_groups_stay_while_one_of_them_does() {
    on_each_database(|database| {
        let step = json!({"regex_replace": {"pattern": "team-.*", "with": "team"}});
        let written = json!({"groups": {
            "names": {"rules": [{"steps": [step]}]}, "on_source_deleted": "delete_if_empty_and_ours",
        }});
        let world = World::new(database, serde_json::from_value(written).unwrap());
        let ann = world.user("ann");
        let one = world.group("team-one", &[&ann]);
        let two = world.group("team-two", &[&ann]);
        assert_eq!(world.groups("ann"), ["team"]);
        world.remove(&one, &ann);
        assert_eq!(world.groups("ann"), ["team"], "the other says so still");
        world.delete_group(&one);
        world.work_off();
        assert_eq!(world.groups("ann"), ["team"]);
        world.delete_group(&two);
        world.work_off();
        assert!(world.group_names().is_empty());
    });
}

/// Ann and Ben are known; Ben is in a local group of the name `staff`, and the identity provider has one with Ann.
fn reviewed(database: &emulate::databases::TestDatabase) -> (World, String) {
    let world = World::new(
        database,
        rules(|it| it.groups.on_existing = OnExisting::Review),
    );
    let ann = world.user("ann");
    world.user("ben");
    put_in(&world, "Staff", "ben");
    let staff = world.group("staff", &[&ann]);
    world.work_off();
    (world, staff)
}

#[test]
fn a_group_that_is_there_waits_for_a_decision() {
    on_each_database(|database| {
        let (world, staff) = reviewed(database);
        assert!(world.groups("ann").is_empty());
        let waiting = listed(&world, GroupQuery::Fate(GroupFate::Waiting));
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].listed.group.id, staff);
        let there = waiting[0].in_the_way.as_ref().unwrap();
        assert_eq!(
            (there.group.name.as_str(), there.group.local),
            ("Staff", true)
        );
        let comparison = there.comparison;
        assert_eq!(
            (comparison.members, comparison.added, comparison.removed),
            (1, 1, 1)
        );

        choose(&world, &staff, GroupChoice::Merge).unwrap();
        assert_eq!(world.groups("ann"), ["Staff"]);
        assert_eq!(world.groups("ben"), ["Staff"]);
        assert!(choose(&world, &staff, GroupChoice::Merge).is_err());
        let carl = world.user("carl");
        world.add(&staff, &carl);
        assert_eq!(world.groups("carl"), ["Staff"], "it is settled");
    });
}

#[test]
fn who_adopts_a_group_makes_the_identity_provider_its_only_source() {
    on_each_database(|database| {
        let (world, staff) = reviewed(database);
        let ann = world.account("ann").unwrap();
        assert!(ann.active());
        put_in(&world, "Staff", "ann");
        choose(&world, &staff, GroupChoice::Adopt).unwrap();
        assert!(world.groups("ben").is_empty());
        let memberships = world.memberships("ann");
        assert_eq!(memberships.len(), 1);
        let origins = &memberships[0].origins;
        assert!(matches!(
            origins.iter().collect::<Vec<_>>()[..],
            [Origin::Idp(_)]
        ));
    });
}

#[test]
fn a_group_that_waits_may_be_called_otherwise_or_left_alone() {
    on_each_database(|database| {
        let (world, staff) = reviewed(database);
        for (name, what) in [("", "empty"), ("staff", "taken")] {
            let choice = GroupChoice::Rename(name.to_owned());
            assert!(choose(&world, &staff, choice).is_err(), "{what}");
        }
        choose(&world, "STAFF", GroupChoice::Rename("idp-staff".into())).unwrap();
        assert_eq!(world.groups("ann"), ["idp-staff"]);
        assert_eq!(world.groups("ben"), ["Staff"]);
        world.rename_group(&staff, "everybody");
        assert_eq!(world.groups("ann"), ["idp-staff"], "the name is its own");

        choose(&world, &staff, GroupChoice::Ignore).unwrap();
        assert!(world.groups("ann").is_empty());
        let ignored = listed(&world, GroupQuery::Fate(GroupFate::Ignored));
        assert_eq!(ignored.len(), 1);

        choose(&world, &staff, GroupChoice::Follow).unwrap();
        assert_eq!(world.groups("ann"), ["everybody"]);
        let unknown = choose(&world, "nobody", GroupChoice::Ignore);
        assert!(matches!(unknown, Err(ProvisionError::NotFound { .. })));
    });
}

#[test]
fn a_group_waits_no_longer_when_the_other_is_gone() {
    on_each_database(|database| {
        let (world, _) = reviewed(database);
        let writer = writer(&world);
        let deleted: Result<(), LocalWriteError> =
            world.run(world.provision.delete_local_group(&writer, "Staff".into()));
        deleted.unwrap();
        world.work_off();
        assert_eq!(world.groups("ann"), ["staff"]);
        assert!(listed(&world, GroupQuery::Fate(GroupFate::Waiting)).is_empty());
    });
}

#[test]
fn a_new_name_that_somebody_else_has_is_not_taken_up_by_itself() {
    on_each_database(|database| {
        let (world, _) = reviewed(database);
        let ann = world.account("ann").unwrap();
        let dev = world.group("dev", &[]);
        put_in(&world, "ops", "ben");
        world.rename_group(&dev, "ops");
        world.work_off();
        assert!(world.group_names().contains(&"dev".to_owned()));
        assert_eq!(listed(&world, GroupQuery::Renamed).len(), 1);
        let follow = choose(&world, "ops", GroupChoice::Follow);
        assert!(matches!(follow, Err(ProvisionError::Exists { .. })));
        assert!(ann.active());
    });
}

#[test]
fn the_list_tells_what_became_of_each_group() {
    on_each_database(|database| {
        let mut rules = Rules::for_new_connector();
        rules.groups.never_assign = vec!["hidden".into()];
        let world = World::new(database, rules);
        let ann = world.user("ann");
        for name in ["dev", "hidden", "jira-administrators"] {
            world.group(name, &[&ann]);
        }
        let told: Vec<_> = listed(&world, GroupQuery::Any)
            .into_iter()
            .map(|it| (it.listed.group.display_name, it.fate, it.protected_by))
            .collect();
        let entry = "jira-administrators".to_owned();
        assert_eq!(
            told,
            [
                ("dev".to_owned(), GroupFate::Assigned, None),
                ("hidden".to_owned(), GroupFate::LeftOut, None),
                (entry.clone(), GroupFate::Protected, Some(entry)),
            ]
        );
    });
}

/// Somebody whom a product put there makes a group one with members from elsewhere.
#[test]
fn rules_that_go_and_come_back_ask_nothing_and_take_nothing() {
    for detour in [
        json!({"groups": {"on_existing": "review", "enabled": false}}),
        json!({"groups": {"on_existing": "review", "only_assign": ["other"]}}),
        json!({"groups": {"on_existing": "review", "names": {"rules": [{"steps": [{"prefix": {"text": "x-"}}]}]}}}),
    ] {
        on_each_database(|database| {
            let world = World::new(
                database,
                rules(|it| it.groups.on_existing = OnExisting::Review),
            );
            let (ann, _ben) = (world.user("ann"), world.user("ben"));
            world.group("users", &[&ann]);
            put_in(&world, "users", "ben");
            let before = world.seen();

            let (there, _) = world.preview_of(&detour);
            world.apply(&there, true).unwrap();
            world.work_off();
            let (back, users) = world.preview_of(&json!({"groups": {"on_existing": "review"}}));
            assert!(back.summary.waiting_groups.is_empty(), "{detour}");
            let gains = users.iter().filter(|user| !user.changes.is_empty()).count();
            let took = world.groups("ann") != ["users"];
            assert_eq!(gains, usize::from(took), "{detour}: {users:?}");
            world.apply(&back, true).unwrap();
            world.work_off();
            assert_eq!(world.groups("ann"), ["users"], "{detour}");
            assert_eq!(world.groups("ben"), ["users"], "{detour}");
            assert_eq!(
                listed(&world, GroupQuery::Fate(GroupFate::Waiting)).len(),
                0
            );
            assert_eq!(world.seen().len(), before.len());
        });
    }
}

#[test]
fn a_preview_foresees_which_groups_would_wait() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(|it| it.groups.on_existing = OnExisting::Review),
        );
        let (ann, _ben) = (world.user("ann"), world.user("ben"));
        world.group("devs", &[&ann]);
        let writer = writer(&world);
        world
            .run(
                world
                    .provision
                    .create_local_group(&writer, "x-devs".into(), String::new()),
            )
            .unwrap();
        put_in(&world, "x-devs", "ben");
        let (preview, users) = world.preview_of(
            &json!({"groups": {"on_existing": "review", "names": {"rules": [{"steps": [{"prefix": {"text": "x-"}}]}]}}}),
        );
        assert_eq!(preview.summary.waiting_groups, ["devs"]);
        let foreseen = users[0].after.clone().map(|after| after.groups);
        assert_eq!(foreseen, Some(Vec::new()), "{users:?}");
        world.apply(&preview, true).unwrap();
        world.work_off();
        assert_eq!(world.groups("ann"), Vec::<String>::new());
        assert_eq!(
            listed(&world, GroupQuery::Fate(GroupFate::Waiting)).len(),
            1
        );
    });
}
