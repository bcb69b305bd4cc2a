//! An emulated product, which shares no code with this server, attaches the directory and keeps its picture of it.

use emulate::databases::on_each_database;
use emulate::jira::Jira;
use serde_json::json;
use store::Access;

use crate::world::World;

fn attach(world: &World, access: Access) -> Jira {
    let credentials = world.application_from("Jira", access, &[], Some("default"));
    let url = format!("http://{}/crowd/", world.address);
    Jira::new(&url, &credentials.name, &credentials.password).unwrap()
}

#[test]
fn a_product_follows_the_identity_provider() {
    on_each_database(|database| {
        let world = World::new(database);
        let (mira, jon) = (world.mira(), world.user(json!({"userName": "jon"})));
        let eng = world.group("eng & co", &[&mira]);
        let mut jira = attach(&world, Access::ReadOnly);
        world.run(jira.test_connection()).unwrap();
        let done = world.run(jira.synchronize(&|_, _, _| {})).unwrap();
        assert!(done.full && done.skipped.is_empty());
        assert_eq!(
            jira.members_of("eng & co").unwrap(),
            ["mira".to_owned()].into()
        );
        assert_eq!(jira.is_active("jon"), Some(true));
        // Step by step from here on.
        world.add(&eng, &jon);
        world.patch_user(&mira, "active", false);
        world.patch_user(&jon, "userName", "jonathan");
        let amy = world.user(json!({"userName": "amy"}));
        world.group("ops", &[&amy, &jon]);
        let done = world.run(jira.synchronize(&|_, _, _| {})).unwrap();
        assert!(!done.full && !done.fell_back);
        assert_eq!(jira.is_active("mira"), Some(false));
        assert_eq!(jira.is_active("jon"), None);
        assert_eq!(
            jira.members_of("ops").unwrap(),
            ["amy".to_owned(), "jonathan".to_owned()].into()
        );
        let stepwise = jira.picture();
        let done = world.run(jira.synchronize_fully(&|_, _, _| {})).unwrap();
        assert!(done.full);
        assert_eq!(jira.picture(), stepwise, "events and lists tell the same");
        world.delete_group(&eng);
        world.run(jira.synchronize(&|_, _, _| {})).unwrap();
        assert_eq!(jira.members_of("ops").unwrap().len(), 2);
    });
}

#[test]
fn a_product_with_write_access_keeps_groups_of_its_own() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let mut jira = attach(&world, Access::ReadWrite);
        world.run(jira.synchronize(&|_, _, _| {})).unwrap();
        world
            .run(jira.create_group("jira own", "made here"))
            .unwrap();
        world
            .run(jira.update_group("jira own", "changed here"))
            .unwrap();
        world.run(jira.add_member("jira own", "mira")).unwrap();
        assert!(world.run(jira.is_member("jira own", "mira")).unwrap());
        world.run(jira.synchronize_fully(&|_, _, _| {})).unwrap();
        assert_eq!(
            jira.members_of("jira own").unwrap(),
            ["mira".to_owned()].into()
        );
        world.run(jira.remove_member("jira own", "mira")).unwrap();
        assert!(!world.run(jira.is_member("jira own", "mira")).unwrap());
        world.run(jira.delete_group("jira own")).unwrap();
        world.run(jira.synchronize(&|_, _, _| {})).unwrap();
        assert_eq!(jira.members_of("jira own"), None);
    });
}

#[test]
fn a_person_logs_in_to_a_product() {
    on_each_database(|database| {
        let world = World::new(database);
        let body = json!({"userName": "mira", "displayName": "Mira Solberg"});
        let mira = world.user_with_password(body, Some("right one"));
        world.group("eng", &[&mira]);
        let mut jira = attach(&world, Access::ReadOnly);
        world.run(jira.log_in("mira", "right one")).unwrap();
        assert_eq!(jira.is_active("mira"), Some(true));
    });
}
