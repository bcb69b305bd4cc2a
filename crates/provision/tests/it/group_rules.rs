//! Groups that rules give, map, keep away or take at a date, over the stored source.

use directory::rules::{
    ConditionalRule, GroupMapping, GroupMappingRow, MappedSource, OnNoMatch, Unmapped,
};
use directory::{DirectoryId, Origin, Reason, Rules};
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::{LocalWriteError, Writer};
use serde_json::json;

use crate::world::World;

fn writer(world: &World) -> Writer {
    let directory: DirectoryId = world.connector.connector.directory;
    Writer {
        directory,
        application: "jira".into(),
        request: String::new(),
    }
}

fn take_out(world: &World, group: &str, user: &str) -> Result<(), LocalWriteError> {
    let writer = writer(world);
    world.run(
        world
            .provision
            .remove_local_membership(&writer, group.into(), user.into()),
    )
}

#[test]
fn who_is_taken_out_of_a_group_for_newcomers_stays_out() {
    on_each_database(|database| {
        let mut rules = Rules::default();
        rules.groups.new_user_groups = vec!["welcome".into()];
        let world = World::new(database, rules);
        let ann = world.user("ann");
        let dev = world.group("dev", &[&ann]);
        assert_eq!(world.groups("ann"), ["dev", "welcome"]);
        assert!(
            take_out(&world, "dev", "ann").is_err(),
            "the identity provider says so"
        );
        take_out(&world, "welcome", "ann").unwrap();
        world.remove(&dev, &ann);
        world.set_active(&ann, false);
        world.set_active(&ann, true);
        let id = world.connector.connector.id;
        world.run(world.provision.reconcile(id, "admin")).unwrap();
        world.work_off();
        assert!(world.groups("ann").is_empty());
        world.user("ben");
        assert_eq!(world.groups("ben"), ["welcome"], "others are new still");
    });
}

#[test]
fn an_account_is_disabled_at_its_date_without_any_write() {
    on_each_database(|database| {
        let leaves = ConditionalRule {
            name: "leaves".into(),
            when: "title pr".into(),
            disable_at: Some("title".into()),
            add_groups: vec!["leaving".into()],
            ..ConditionalRule::default()
        };
        let rules = Rules {
            conditions: vec![leaves],
            ..Rules::default()
        };
        let world = World::new(database, rules);
        // The clock of the world stands at 2026-05-28T20:26:40Z.
        let ann = world
            .try_user(json!({"userName": "ann", "title": "2026-05-29T00:00:00Z"}))
            .unwrap();
        assert_eq!(world.groups("ann"), ["leaving"]);
        world.work_off();
        assert!(world.account("ann").unwrap().active());

        world.wait(SignedDuration::from_hours(4));
        world.work_off();
        let account = world.account("ann").unwrap();
        assert!(!account.active());
        assert_eq!(account.reason, Reason::DisabledByRule);

        world.patch_user(
            &ann,
            json!([{"op": "replace", "path": "title", "value": "2027-01-01"}]),
        );
        assert!(world.account("ann").unwrap().active());
    });
}

fn row(id: &str, groups: &[&str]) -> GroupMappingRow {
    GroupMappingRow {
        source: MappedSource {
            id: id.to_owned(),
            name: "as it was called".into(),
        },
        groups: groups.iter().map(|&it| it.to_owned()).collect(),
        state: directory::rules::RuleState::Active,
    }
}

#[test]
fn rows_stay_bound_when_the_identity_provider_renames() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let staff = world.group("All Staff", &[&ann, &ben]);
        let ops = world.group("Ops", &[&ben]);
        let rows = vec![
            row(&staff, &["jira-users", "wiki-users"]),
            row(&ops, &["wiki-users"]),
            row("nobody", &["x"]),
        ];
        world.set_rules(move |rules| {
            rules.groups.mapping = Some(GroupMapping {
                rows: rows.clone(),
                unmapped: Unmapped::Ignore,
            });
        });
        world.work_off();
        assert_eq!(world.groups("ann"), ["jira-users", "wiki-users"]);

        let before = world.position();
        world.rename_group(&staff, "Everybody");
        world.work_off();
        assert_eq!(world.position(), before, "nothing changes for products");
        assert_eq!(world.groups("ben"), ["jira-users", "wiki-users"]);

        world.remove(&staff, &ben);
        assert_eq!(world.groups("ben"), ["wiki-users"]);
        let other = world.group("Other", &[&ann]);
        assert_eq!(world.groups("ann"), ["jira-users", "wiki-users"]);
        assert!(!world.group_names().contains(&"Other".to_owned()));

        world.set_rules(|rules| {
            rules.groups.mapping.as_mut().unwrap().unmapped = Unmapped::Pass;
        });
        world.work_off();
        assert_eq!(world.groups("ann"), ["jira-users", "Other", "wiki-users"]);
        world.delete_group(&other);
        world.delete_group(&staff);
        assert!(world.groups("ann").is_empty());
    });
}

#[test]
fn no_group_is_made_for_a_protected_name() {
    on_each_database(|database| {
        let mut rules = Rules::for_new_connector();
        rules.groups.names.on_no_match = OnNoMatch::Pass;
        let world = World::new(database, rules);
        let ann = world.user("ann");
        let admins = world.group("Jira-Administrators", &[&ann]);
        assert!(world.groups("ann").is_empty());
        assert!(world.group_names().is_empty());

        // What was given before it was protected ends, and comes when it is no longer protected.
        world.set_rules(|rules| rules.groups.protected = vec![]);
        world.work_off();
        assert_eq!(world.groups("ann"), ["Jira-Administrators"]);
        let origins = &world.memberships("ann")[0].origins;
        assert!(matches!(origins.first(), Some(Origin::Idp(_))));
        world.set_rules(|rules| rules.groups.protected = vec!["jira-administrators".into()]);
        world.work_off();
        assert!(world.groups("ann").is_empty());

        // An administrator's own choice stays, whatever the authority.
        world.set_rules(|rules| {
            rules.groups.authority = directory::rules::Authority::Strict;
        });
        let writer = writer(&world);
        world
            .run(world.provision.add_local_membership(
                &writer,
                "jira-administrators".into(),
                "ann".into(),
                None,
            ))
            .unwrap();
        world.remove(&admins, &ann);
        let id = world.connector.connector.id;
        world.run(world.provision.reconcile(id, "admin")).unwrap();
        world.work_off();
        assert_eq!(world.groups("ann"), ["Jira-Administrators"]);
    });
}
