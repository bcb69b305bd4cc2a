//! Two people whose names change places get them at once.

use directory::Rules;
use directory::rules::{MappingRow, Source, Target};
use emulate::databases::on_each_database;
use serde_json::json;

use crate::world::World;

fn by_title(rules: &mut Rules) {
    rules.mapping.push(MappingRow {
        source: Some(Source::Attribute("title".into())),
        ..MappingRow::default_for(Target::Username)
    });
}

#[test]
fn new_rules_let_two_change_names() {
    for reserved in [0, 30] {
        on_each_database(|database| {
            let mut rules = Rules::default();
            rules.accounts.names_reserved_days = reserved;
            let world = World::new(database, rules);
            for (name, title) in [("ann", "ben"), ("ben", "ann"), ("cid", "cid")] {
                let user = json!({"userName": name, "externalId": name, "title": title});
                world.try_user(user).unwrap();
            }
            let key = |name: &str| world.account(name).unwrap().key;
            let (ann, ben, cid) = (key("ann"), key("ben"), key("cid"));
            world.set_rules(by_title);
            world.work_off();
            assert_eq!((key("ann"), key("ben"), key("cid")), (ben, ann, cid));
            assert_eq!(world.work_off(), 0, "nobody waits");
            let names: Vec<String> = world.seen().into_iter().map(|it| it.name).collect();
            assert_eq!(names, ["ann", "ben", "cid"]);
        });
    }
}

#[test]
fn who_waits_for_somebody_who_stays_goes_on_waiting() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        for (name, title) in [("ann", "ben"), ("ben", "ben")] {
            let user = json!({"userName": name, "externalId": name, "title": title});
            world.try_user(user).unwrap();
        }
        let key = |name: &str| world.account(name).unwrap().key;
        let before = (key("ann"), key("ben"));
        world.set_rules(by_title);
        world.work_off();
        assert_eq!((key("ann"), key("ben")), before);
    });
}
