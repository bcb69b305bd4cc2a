//! People whose names change places get them in one step.

use directory::rules::{MappingRow, Rename, Source, Target};
use directory::{HoldState, Limit, Operation, Rules};
use emulate::databases::on_each_database;
use provision::PreviewWish;
use serde_json::{Value, json};

use crate::world::World;

fn by_title(rules: &mut Rules) {
    rules.mapping.push(MappingRow {
        source: Some(Source::Attribute("title".into())),
        ..MappingRow::default_for(Target::Username)
    });
}

impl World {
    fn with_titles(&self, people: &[(&str, &str)]) -> Vec<String> {
        let make = |(name, title): &(&str, &str)| {
            let user = json!({"userName": name, "externalId": name, "title": title});
            self.try_user(user).unwrap()
        };
        people.iter().map(make).collect()
    }

    fn keys(&self, names: &[&str]) -> Vec<String> {
        let keys = names.iter().map(|name| self.account(name).unwrap().key);
        keys.collect()
    }
}

fn title(value: &str) -> Value {
    json!([{"op": "replace", "path": "title", "value": value}])
}

#[test]
fn new_rules_let_three_change_names_as_the_preview_shows() {
    for reserved in [0, 30] {
        on_each_database(|database| {
            let mut rules = Rules::default();
            rules.accounts.names_reserved_days = reserved;
            let world = World::new(database, rules.clone());
            world.with_titles(&[
                ("ann", "ben"),
                ("ben", "cid"),
                ("cid", "ann"),
                ("dan", "dan"),
            ]);
            let before = world.keys(&["ann", "ben", "cid", "dan"]);
            by_title(&mut rules);
            let (preview, users) = world.preview(PreviewWish {
                rules: Some(rules),
                ..PreviewWish::default()
            });
            let shown: Vec<(&str, &str)> = users
                .iter()
                .map(|it| (it.user_name.as_str(), it.name()))
                .collect();
            let wanted = [("ann", "ben"), ("ben", "cid"), ("cid", "ann")];
            assert_eq!(shown, wanted);
            assert_eq!(preview.summary.operations.get(&Operation::Conflict), None);
            let position = world.position();
            world.apply(&preview, false).unwrap();
            world.work_off();
            assert_eq!(world.keys(&["ben", "cid", "ann", "dan"]), before);
            assert_eq!(world.position(), position + 3, "one change for each");
            assert_eq!(world.work_off(), 0, "nobody waits");
            let names: Vec<String> = world.seen().into_iter().map(|it| it.name).collect();
            assert_eq!(names, ["ann", "ben", "cid", "dan"]);
        });
    }
}

#[test]
fn two_writes_one_after_the_other_let_two_change_names() {
    on_each_database(|database| {
        let mut rules = Rules::default();
        by_title(&mut rules);
        let world = World::new(database, rules);
        let ids = world.with_titles(&[("ann", "ann"), ("ben", "ben")]);
        let before = world.keys(&["ann", "ben"]);
        world.patch_user(&ids[0], title("ben"));
        assert_eq!(world.keys(&["ann", "ben"]), before, "one waits");
        world.patch_user(&ids[1], title("ann"));
        assert_eq!(world.keys(&["ben", "ann"]), before);
        assert_eq!(world.work_off(), 0);
    });
}

#[test]
fn who_waits_for_somebody_who_stays_goes_on_waiting() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.with_titles(&[("ann", "ben"), ("ben", "ben")]);
        let before = world.keys(&["ann", "ben"]);
        world.set_rules(by_title);
        world.work_off();
        assert_eq!(world.keys(&["ann", "ben"]), before);
    });
}

#[test]
fn where_not_all_may_have_new_names_each_keeps_its_own() {
    let hold = |rules: &mut Rules| rules.accounts.rename = Rename::Hold;
    let follow = |_: &mut Rules| {};
    type Case = (fn(&mut Rules), u32, bool);
    let cases: [Case; 3] = [(hold, 5, false), (follow, 1, false), (follow, 2, true)];
    for (change, most, goes) in cases {
        on_each_database(|database| {
            let mut rules = Rules::default();
            let world = World::new(database, rules.clone());
            world.with_titles(&[("ann", "ben"), ("ben", "ann")]);
            let [ann, ben] = world.keys(&["ann", "ben"]).try_into().unwrap();
            world.set_limits(move |limits| limits.renames = Some(Limit::new(most, 0)));
            change(&mut rules);
            by_title(&mut rules);
            let (preview, _) = world.preview(PreviewWish {
                rules: Some(rules),
                ..PreviewWish::default()
            });
            let told = preview.summary.operations.get(&Operation::Conflict);
            assert_eq!(told.copied().unwrap_or(0), if goes { 0 } else { 2 });
            world.apply(&preview, true).unwrap();
            world.work_off();
            let wanted = if goes { [ben, ann] } else { [ann, ben] };
            assert_eq!(world.keys(&["ann", "ben"]), wanted);
            assert!(world.holds(HoldState::Open).is_empty());
        });
    }
}
