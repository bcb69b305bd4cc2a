//! The journal as a product reads it: who was touched since, and what they were called then.

use directory::Rules;
use emulate::databases::on_each_database;
use serde_json::json;

use crate::world::World;

#[test]
fn a_reader_learns_who_was_touched_and_what_it_knew_them_as() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let directory = world.connector.connector.directory;
        let store = world.provision.store();
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        let dev = world.group("dev", &[&ann]);
        let token = store
            .read_blocking(move |tx| tx.journal_position(directory))
            .unwrap();
        let touched = move || {
            store
                .read_blocking(move |tx| tx.touched_since(directory, token, 1000))
                .unwrap()
                .unwrap()
        };
        assert!(touched().users.is_empty());
        world.patch_user(
            &ann,
            json!([{"op": "replace", "path": "userName", "value": "anna"}]),
        );
        world.patch_user(
            &ann,
            json!([{"op": "replace", "path": "userName", "value": "annabel"}]),
        );
        world.add(&dev, &ben);
        world.user("carl");
        let found = touched();
        let mut names: Vec<_> = found.users.values().cloned().collect();
        names.sort();
        assert_eq!(names, [None, Some("ann".to_owned())]);
        assert_eq!(found.members.len(), 1);
        assert!(found.groups.is_empty());
        let foreign = store
            .read_blocking(move |tx| tx.touched_since(directory, found.position + 1, 1000))
            .unwrap();
        assert!(foreign.is_none());
        let too_many = store
            .read_blocking(move |tx| tx.touched_since(directory, token, 2))
            .unwrap();
        assert!(too_many.is_none());
    });
}
