//! What a preview says of a grace time is what comes when it ends.

use std::collections::BTreeMap;

use directory::{Change, HoldKind, HoldState, Limit, Operation, Rules, Status};
use emulate::databases::on_each_database;
use jiff::SignedDuration;
use provision::PreviewedUser;
use serde_json::json;

use crate::precedence::{Two, mail_by, person};
use crate::world::World;

fn of<'a>(users: &'a [PreviewedUser], name: &str) -> &'a PreviewedUser {
    users.iter().find(|it| it.user_name == name).unwrap()
}

#[test]
fn a_preview_tells_what_comes_when_the_grace_time_ends_and_what_the_limits_hold_then() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let ids: Vec<String> = (0..5).map(|n| world.user(&format!("u{n}"))).collect();
        world.group("staff", &[&ids[0]]);
        world.group("jira", &[&ids[0], &ids[1], &ids[2]]);
        world.set_active(&ids[4], false);
        world.wait(SignedDuration::from_hours(2));
        world.set_limits(|limits| limits.deactivations = Some(Limit::new(2, 0)));
        let scope = json!({"scope": {"required_groups": ["staff"], "grace_minutes": 60},
            "cleanup": {"out_of_scope": "disable", "strip_groups": true}});
        let (preview, users) = world.preview_of(&scope);
        let summary = &preview.summary;
        assert_eq!(summary.changed, 0, "nothing happens at once");
        assert_eq!(summary.operations[&Operation::Grace], 3);
        assert!(users.iter().all(|it| it.user_name != "u0"));
        let later = of(&users, "u1").after_grace.as_ref().unwrap();
        assert_eq!(Some(later.at), summary.after_grace.first);
        let kinds: Vec<&str> = later.changes.iter().map(|change| change.kind()).collect();
        assert_eq!(kinds, ["disable", "remove_membership"]);
        let counted = &summary.after_grace.operations;
        assert_eq!(
            (counted[&Operation::Disable], counted[&Operation::Held]),
            (2, 1)
        );
        let limit = &summary.after_grace.limits[&HoldKind::Deactivation];
        assert_eq!((limit.passes, limit.held), (2, 1));
        assert_eq!(of(&users, "u3").after_grace.as_ref().unwrap().held.len(), 1);

        world.apply(&preview, false).unwrap();
        world.work_off();
        let active = |name: &str| world.account(name).unwrap().status == Status::Active;
        assert!(active("u1"), "the grace time goes on");
        // The next look says the same, though the time runs already.
        world.wait(SignedDuration::from_mins(10));
        let (again, _) = world.preview_of(&scope);
        let told = |it: &provision::GraceForecast| (it.operations.clone(), it.limits.clone());
        assert_eq!(told(&again.summary.after_grace), told(&summary.after_grace));

        world.wait(SignedDuration::from_mins(51));
        world.work_off();
        let now: BTreeMap<&str, bool> = ["u0", "u1", "u2", "u3"].map(|it| (it, active(it))).into();
        let told = [("u0", true), ("u1", false), ("u2", false), ("u3", true)];
        assert_eq!(now, told.into());
        assert!(world.groups("u1").is_empty());
        let held = world.holds(HoldState::Open);
        assert_eq!(held.len(), 1);
    });
}

#[test]
fn without_a_grace_time_nothing_comes_later() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.user("ann");
        let scope = json!({"scope": {"filter": "userName eq \"nobody\"", "grace_minutes": 0}});
        let (preview, users) = world.preview_of(&scope);
        assert!(of(&users, "ann").after_grace.is_none());
        assert_eq!(preview.summary.operations[&Operation::Disable], 1);
        assert_eq!(preview.summary.after_grace, Default::default());
        // Outside of the filter it is the same as outside of the groups.
        let scope = json!({"scope": {"filter": "userName eq \"nobody\"", "grace_minutes": 5}});
        let (_, users) = world.preview_of(&scope);
        let later = of(&users, "ann").after_grace.as_ref().unwrap();
        assert!(later.operations.contains(&Operation::Disable));
    });
}

#[test]
fn what_is_hidden_is_hidden_in_what_comes_later() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        // Without a full name of its own, the user name would stand there.
        let ann = json!({"userName": "very-secret", "displayName": "Ann"});
        world.try_user(ann).unwrap();
        let rules = json!({
            "mapping": [{"target": "username", "steps": ["redact"]}],
            "scope": {"filter": "userName eq \"nobody\"", "grace_minutes": 5},
            "cleanup": {"out_of_scope": "delete"},
        });
        let (_, users) = world.preview_of(&rules);
        let later = users[0].after_grace.as_ref().unwrap();
        assert_eq!(later.changes[0].kind(), "remove_user");
        let told = serde_json::to_string(later).unwrap();
        assert!(!told.contains("very-secret"), "{told}");
    });
}

#[test]
fn a_preview_tells_what_comes_when_the_grace_time_of_a_connector_ends_that_only_gives() {
    on_each_database(|database| {
        let mut two = Two::new(database);
        let (okta, hr) = two.ids();
        two.share(Some(mail_by(hr, &[okta])));
        let names = ["ann", "ben", "cid", "dan"];
        for name in names {
            two.okta()
                .try_user(person(name, &format!("{name}@okta"), name))
                .unwrap();
        }
        let ids = names.map(|name| {
            let person = person(name, &format!("{name}@hr"), name);
            two.hr().try_user(person).unwrap()
        });
        two.hr().group("staff", &ids.each_ref().map(String::as_str));
        two.hr().group("badge", &[&ids[0]]);
        two.world.work_off();
        two.world.wait(SignedDuration::from_hours(2));
        two.okta()
            .set_limits(|limits| limits.memberships = Some(Limit::new(2, 0)));
        let scope = json!({"scope": {"required_groups": ["badge"], "grace_minutes": 60}});
        let (preview, users) = two.hr().preview_of(&scope);
        let summary = &preview.summary;
        assert_eq!(summary.changed, 0, "nothing happens at once");
        assert_eq!(summary.operations[&Operation::Grace], 3);
        assert!(users.iter().all(|it| it.user_name != "ann"));
        let foreseen = ["ben", "cid", "dan"].map(|name| {
            let later = of(&users, name).after_grace.as_ref().unwrap();
            (name, later.changes.clone(), later.held.len())
        });
        let held = foreseen.each_ref().map(|(_, _, held)| *held);
        assert_eq!(held, [0, 0, 1]);
        let then = &summary.after_grace;
        assert_eq!(then.limits, BTreeMap::new());
        let limit = &then.limits_of_others["idp"][&HoldKind::MembershipRemoval];
        assert_eq!((limit.passes, limit.held), (2, 1));

        let before = two.world.position();
        two.hr().apply(&preview, false).unwrap();
        two.world.work_off();
        assert_eq!(two.world.position(), before, "the grace time goes on");
        two.world.wait(SignedDuration::from_mins(61));
        two.world.work_off();
        let (directory, store) = (two.world.directory(), two.world.provision.store());
        let entries = store
            .read_blocking(move |tx| tx.journal_between(directory, (before, i64::MAX), None, 100))
            .unwrap();
        for (name, changes, _) in foreseen {
            let user = two.world.account(name).unwrap().pk;
            let about = entries.iter().filter(|it| it.subject.user() == Some(user));
            let done: Vec<Change> = about.map(|it| it.change.clone()).collect();
            assert_eq!(done, changes, "{name}");
        }
        assert_eq!(two.okta().holds(HoldState::Open).len(), 1);
    });
}
