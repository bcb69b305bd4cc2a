//! A connector on pilot has effect for a part of its users; the others stay as they are until it ends.

use directory::{Pilot, Rules, SourceUserPk};
use emulate::databases::on_each_database;
use provision::PilotLook;
use serde_json::json;

use crate::world::World;

fn pilot(world: &World, pilot: Option<Pilot>) {
    let id = world.connector.connector.id;
    world
        .run(world.provision.set_pilot(id, pilot, "admin"))
        .unwrap();
    world.work_off();
}

fn look(world: &World) -> PilotLook {
    let (provision, id) = (world.provision.clone(), world.connector.connector.id);
    let store = world.provision.store();
    store
        .read_blocking(move |tx| provision.look_at_pilot(tx, id, SourceUserPk(0), 100))
        .unwrap()
}

fn names(world: &World) -> Vec<String> {
    world.seen().into_iter().map(|seen| seen.name).collect()
}

#[test]
fn only_the_group_gets_accounts_until_the_pilot_ends() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        pilot(&world, Some(Pilot::Groups(vec!["Pilots".into()])));
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let pilots = world.group("pilots", &[&ann]);
        assert_eq!(names(&world), ["ann"]);
        let seen = look(&world);
        assert_eq!((seen.inside, seen.outside), (1, 1));
        assert_eq!(seen.waiting[0].user_name, "ben");
        assert_eq!(seen.waiting[0].changes[0].kind(), "create_user");

        world.add(&pilots, &ben);
        assert_eq!(names(&world), ["ann", "ben"]);
        // Who leaves the pilot stays as it is, whatever the provider says.
        world.remove(&pilots, &ann);
        world.patch_user(
            &ann,
            json!([{"op": "replace", "value": {"userName": "anna"}}]),
        );
        assert_eq!(
            (names(&world), world.groups("ann")),
            (vec!["ann".into(), "ben".into()], vec!["pilots".to_owned()])
        );
        let changes: Vec<&str> = look(&world).waiting[0]
            .changes
            .iter()
            .map(directory::Change::kind)
            .collect();
        assert_eq!(changes, ["rename_user", "update_user", "remove_membership"]);

        pilot(&world, None);
        assert_eq!(
            (names(&world), look(&world).waiting.len()),
            (vec!["anna".into(), "ben".into()], 0)
        );
        assert_eq!(world.groups("anna"), [""; 0]);
    });
}

#[test]
fn a_larger_part_adds_users_and_a_leaver_goes_whoever_it_is() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ids: Vec<String> = (0..12)
            .map(|n| world.user(&format!("user{n:02}")))
            .collect();
        pilot(&world, Some(Pilot::Percent(0)));
        assert_eq!(world.seen().len(), 12, "accounts stay");
        world.delete_user(&ids[3]);
        assert!(!world.account("user03").unwrap().active());
        world.user("late");
        assert_eq!(world.account("late"), None);
        let seen = look(&world);
        assert_eq!((seen.inside, seen.outside, seen.waiting.len()), (0, 12, 1));
        pilot(&world, Some(Pilot::Percent(100)));
        assert!(world.account("late").is_some());
    });
}

#[test]
fn a_pilot_that_means_nothing_is_refused() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.connector.connector.id;
        for (pilot, told) in [
            (Pilot::Percent(101), "0 to 100"),
            (Pilot::Groups(Vec::new()), "1 to"),
            (Pilot::Groups(vec![" ".into()]), "without a name"),
        ] {
            let refused = world.run(world.provision.set_pilot(id, Some(pilot), "admin"));
            let text = refused.unwrap_err().to_string();
            assert!(text.contains(told), "{text}");
        }
    });
}
