//! What becomes of users over time: stages of cleanup, returns, log-ins, administrators, and rules about others.

use directory::{Reason, Rules, Status, User};
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::World;

fn rules(written: Value) -> Rules {
    serde_json::from_value(written).unwrap()
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

fn everyone(world: &World) -> Vec<User> {
    let directory = world.connector.connector.directory;
    let store = world.provision.store();
    store
        .read_blocking(move |tx| tx.directory_users(directory, 0, 100))
        .unwrap()
}

fn state(world: &World, name: &str) -> Option<(Status, Reason)> {
    world.account(name).map(|it| (it.status, it.reason))
}

fn attribute(world: &World, user: &str, name: &str) -> Vec<String> {
    let user = world.account(user).unwrap().pk;
    let store = world.provision.store();
    let all = store
        .read_blocking(move |tx| tx.user_attributes(user))
        .unwrap();
    let found = all.into_iter().find(|it| it.name == name);
    found.map(|it| it.values).unwrap_or_default()
}

fn rename(world: &World, id: &str, name: &str) {
    world.patch_user(
        id,
        json!([{"op": "replace", "path": "userName", "value": name}]),
    );
}

#[test]
fn a_deleted_user_is_disabled_then_anonymised_and_comes_back_as_the_same() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({"cleanup": {
                "strip_groups": true,
                "later": {"idp_deleted": {"after_days": 30, "action": "anonymise"}},
            }})),
        );
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        world.group("dev", &[&ann, &ben]);
        let before = world.account("ann").unwrap();
        world.delete_user(&ann);
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Disabled, Reason::IdpDeleted))
        );
        assert!(world.groups("ann").is_empty());

        world.wait(days(30) - SignedDuration::from_secs(1));
        assert_eq!(world.work_off(), 0, "not yet");
        world.wait(SignedDuration::from_secs(1));
        assert_eq!(world.work_off(), 1);
        assert_eq!(world.work_off(), 0, "once");
        assert!(world.account("ann").is_none());
        let hidden = everyone(&world)
            .into_iter()
            .find(|user| user.pk == before.pk)
            .unwrap();
        assert_eq!(hidden.status, Status::Anonymised);
        assert_eq!(hidden.key, before.key);
        assert_eq!(hidden.email, format!("{}@user.anon", hidden.name));

        // Somebody else may have the name now; ann comes back under another, as the same user.
        world
            .try_user(json!({"userName": "ann", "externalId": "x-other"}))
            .unwrap();
        let returned = json!({"userName": "ann2", "externalId": "x-ann"});
        world.try_user(returned).unwrap();
        let after = world.account("ann2").unwrap();
        assert_eq!((after.pk, after.key), (before.pk, before.key));
        assert_eq!(after.status, Status::Active);
        assert_eq!(world.groups("ann2"), ["dev"], "the groups are given back");
        assert_eq!(
            state(&world, "ben"),
            Some((Status::Active, Reason::IdpActive))
        );
    });
}

#[test]
fn a_stage_that_is_added_to_the_rules_reaches_those_who_are_gone_already() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let (ann, ben) = (world.user("ann"), world.user("ben"));
        world.delete_user(&ann);
        world.set_active(&ben, false);
        world.wait(days(10));
        world.set_rules(|rules| {
            let later = json!({"after_days": 20, "action": "delete"});
            let later = serde_json::from_value(later).unwrap();
            rules.cleanup.later.idp_deleted = Some(later);
            rules.cleanup.later.idp_inactive = Some(later);
        });
        world.work_off();
        assert!(world.account("ann").is_some() && world.account("ben").is_some());
        world.wait(days(10));
        assert_eq!(world.work_off(), 2);
        assert!(world.account("ann").is_none() && world.account("ben").is_none());

        world.set_active(&ben, true);
        assert_eq!(
            state(&world, "ben"),
            Some((Status::Active, Reason::IdpActive))
        );
        world.wait(days(30));
        assert_eq!(world.work_off(), 0);
    });
}

#[test]
fn groups_that_were_taken_come_back_with_the_account() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({"cleanup": {"strip_groups": true, "strip_exempt": ["all"]}})),
        );
        let ann = world.user("ann");
        let dev = world.group("dev", &[&ann]);
        world.group("all", &[&ann]);
        let ops = world.group("ops", &[]);
        world.set_active(&ann, false);
        assert_eq!(world.groups("ann"), ["all"]);
        world.add(&ops, &ann);
        world.remove(&dev, &ann);
        assert_eq!(world.groups("ann"), ["all"]);
        world.set_active(&ann, true);
        assert_eq!(world.groups("ann"), ["all", "ops"]);
    });
}

#[test]
fn the_filter_of_the_scope_decides_who_has_an_account() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({"scope": {"filter": "userType eq \"Employee\""}})),
        );
        let ann = world
            .try_user(json!({"userName": "ann", "userType": "Employee"}))
            .unwrap();
        let guest = world
            .try_user(json!({"userName": "guest", "userType": "Guest"}))
            .unwrap();
        assert!(world.account("guest").is_none());
        let kind = |value: &str| json!([{"op": "replace", "path": "userType", "value": value}]);
        world.patch_user(&ann, kind("Guest"));
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Active, Reason::IdpActive))
        );
        world.wait(SignedDuration::from_mins(10));
        world.work_off();
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Disabled, Reason::FilteredNoMatch))
        );
        world.patch_user(&guest, kind("Employee"));
        world.patch_user(&ann, kind("Employee"));
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Active, Reason::IdpActive))
        );
        assert_eq!(
            state(&world, "guest"),
            Some((Status::Active, Reason::IdpActive))
        );
    });
}

#[test]
fn a_pinned_name_stays_with_the_account() {
    on_each_database(|database| {
        let world = World::new(database, rules(json!({"accounts": {"rename": "pin"}})));
        let ann = world.user("ann");
        rename(&world, &ann, "anna");
        assert!(world.account("anna").is_none());
        world.set_active(&ann, false);
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Disabled, Reason::IdpInactive))
        );
    });
}

#[test]
fn people_who_do_not_log_in_are_disabled_until_an_administrator_enables_them() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({"inactivity": {"days": 90, "include_never_logged_in": true}})),
        );
        let (ann, ben, eve) = (world.user("ann"), world.user("ben"), world.user("eve"));
        world.group("jira-administrators", &[&eve]);
        world.wait(days(60));
        world.provision.note_login(world.account("ann").unwrap().pk);
        assert_eq!(world.work_off(), 0);
        world.wait(days(30));
        world.work_off();
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Active, Reason::IdpActive))
        );
        assert_eq!(
            state(&world, "eve"),
            Some((Status::Active, Reason::IdpActive))
        );
        assert_eq!(
            state(&world, "ben"),
            Some((Status::Disabled, Reason::InactivityRule))
        );
        world.wait(days(60));
        world.work_off();
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Disabled, Reason::InactivityRule))
        );

        // The identity provider does not bring them back, an administrator does.
        world.patch_user(&ben, json!([{"op": "add", "path": "title", "value": "x"}]));
        world.set_active(&ann, false);
        world.set_active(&ann, true);
        for name in ["ann", "ben"] {
            assert_eq!(state(&world, name).unwrap().1, Reason::InactivityRule);
            let directory = world.connector.connector.directory;
            let enabled = world.run(world.provision.enable_user(
                directory,
                name.into(),
                "admin".into(),
            ));
            assert_eq!(enabled.unwrap().status, Status::Active);
        }
        world.work_off();
        world.wait(days(89));
        world.work_off();
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Active, Reason::IdpActive))
        );
        world.wait(days(1));
        world.work_off();
        assert_eq!(state(&world, "ann").unwrap().1, Reason::InactivityRule);
    });
}

#[test]
fn an_administrators_word_stands_until_an_administrator_takes_it_back() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ann = world.user("ann");
        let directory = world.connector.connector.directory;
        let disable = || {
            let name = "ANN".to_owned();
            let done = world
                .provision
                .disable_user(directory, name, None, "admin".into());
            world.run(done).unwrap()
        };
        let enable = || {
            let key = everyone(&world)[0].key.clone();
            world.run(world.provision.enable_user(directory, key, "admin".into()))
        };
        assert_eq!(disable().reason, Reason::Manual);
        let position = world.position();
        disable();
        assert_eq!(world.position(), position, "said already");
        world.set_active(&ann, false);
        world.set_active(&ann, true);
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Disabled, Reason::Manual))
        );
        assert_eq!(enable().unwrap().reason, Reason::IdpActive);
        assert_eq!(
            state(&world, "ann"),
            Some((Status::Active, Reason::IdpActive))
        );

        // The rules decide what becomes of somebody who is enabled.
        world.set_active(&ann, false);
        assert_eq!(disable().reason, Reason::Manual);
        let enabled = enable().unwrap();
        assert_eq!(
            (enabled.status, enabled.reason),
            (Status::Disabled, Reason::IdpInactive)
        );

        world.delete_user(&ann);
        let refused = enable().unwrap_err().to_string();
        assert!(refused.contains("deleted the user"), "{refused}");
        let nobody = world
            .provision
            .disable_user(directory, "nobody".into(), None, "a".into());
        assert!(world.run(nobody).is_err());
    });
}

fn managers() -> Rules {
    rules(json!({"mapping": [{
        "target": "attr:manager",
        "source": {"attribute": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"},
        "steps": [{"lookup_user": {"by": "external_id", "return": "userName"}}],
    }]}))
}

fn report(world: &World, name: &str, manager: &str) -> String {
    world
        .try_user(json!({
            "userName": name,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": manager}},
        }))
        .unwrap()
}

#[test]
fn a_row_that_looks_at_another_user_follows_that_user() {
    on_each_database(|database| {
        let world = World::new(database, managers());
        report(&world, "ann", "x-boss");
        report(&world, "ben", "x-boss");
        report(&world, "eve", "x-other");
        assert!(attribute(&world, "ann", "manager").is_empty());

        // The manager comes later.
        let boss = world.user("boss");
        assert_eq!(world.work_off(), 2, "those who looked for the manager");
        assert_eq!(attribute(&world, "ann", "manager"), ["boss"]);
        assert_eq!(attribute(&world, "ben", "manager"), ["boss"]);

        // What nobody looked at changes nothing.
        world.patch_user(
            &boss,
            json!([{"op": "add", "path": "title", "value": "Chief"}]),
        );
        assert_eq!(world.work_off(), 0);

        rename(&world, &boss, "chief");
        assert_eq!(world.work_off(), 2);
        assert_eq!(attribute(&world, "ann", "manager"), ["chief"]);

        world.delete_user(&boss);
        assert_eq!(world.work_off(), 2);
        assert!(attribute(&world, "ann", "manager").is_empty());
        let other = world.user("other");
        assert_eq!(world.work_off(), 1);
        assert_eq!(attribute(&world, "eve", "manager"), ["other"]);
        world.delete_user(&other);
    });
}

#[test]
fn a_user_who_no_longer_looks_is_left_alone() {
    on_each_database(|database| {
        let world = World::new(database, managers());
        let ann = report(&world, "ann", "x-boss");
        let path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
        world.patch_user(&ann, json!([{"op": "remove", "path": path}]));
        world.user("boss");
        assert_eq!(world.work_off(), 0);
        world.delete_user(&ann);
        world.set_rules(|rules| rules.mapping.clear());
        world.work_off();
        world.user("ann");
    });
}

#[test]
fn a_name_that_somebody_has_gets_a_number_once() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({"mapping": [{
                "target": "username",
                "source": {"attribute": "displayName"},
                "steps": ["lower", {"unique_suffix": {}}],
            }]})),
        );
        let join = |name: &str| {
            let body = json!({"userName": name, "displayName": "Ann Lee"});
            world.try_user(body).unwrap()
        };
        let (first, second) = (join("a1"), join("a2"));
        join("a3");
        let names = || -> Vec<String> { everyone(&world).into_iter().map(|it| it.name).collect() };
        assert_eq!(names(), ["ann lee", "ann lee2", "ann lee3"]);
        world.set_active(&second, false);
        world.delete_user(&first);
        world.work_off();
        assert_eq!(names(), ["ann lee", "ann lee2", "ann lee3"]);
    });
}

#[test]
fn a_row_that_fails_leaves_what_was_there() {
    on_each_database(|database| {
        let world = World::new(
            database,
            rules(json!({"mapping": [{
                "target": "attr:until",
                "source": {"attribute": "title"},
                "steps": [{"date_parse": {}}],
            }]})),
        );
        let body = json!({"userName": "ann", "title": "2026-01-02T00:00:00Z"});
        let ann = world.try_user(body).unwrap();
        let until = attribute(&world, "ann", "until");
        assert_eq!(until.len(), 1);
        let title = |text: &str| {
            json!([
                {"op": "replace", "path": "title", "value": text},
                {"op": "replace", "path": "displayName", "value": text},
            ])
        };
        world.patch_user(&ann, title("soon"));
        assert_eq!(attribute(&world, "ann", "until"), until);
        assert_eq!(world.account("ann").unwrap().display_name, "soon");
        world.patch_user(&ann, title("2026-03-04T00:00:00Z"));
        assert_ne!(attribute(&world, "ann", "until"), until);
    });
}
