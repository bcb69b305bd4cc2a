//! What is shown of rules before they count: samples, and values that are not to be seen.

use directory::{Limit, Operation, Rules, Status};
use emulate::databases::on_each_database;
use provision::{PreviewWish, SampleWish};
use serde_json::{Value, json};

use crate::world::World;

fn rules(written: &Value) -> Rules {
    serde_json::from_value(written.clone()).unwrap()
}

#[test]
fn a_sample_tells_what_the_new_rules_change_and_not_what_is_held_anyway() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.connector.connector.id;
        world.set_limits(|limits| limits.deactivations = Some(Limit::new(0, 0)));
        for name in ["ann", "bob", "cat"] {
            let user = world.user(name);
            if name != "cat" {
                world.set_active(&user, false);
            }
        }
        let sample = |written: Value| {
            let wish = SampleWish {
                rules: rules(&written),
                users: 5,
                groups: 5,
                user: None,
            };
            let provision = world.provision.clone();
            let store = world.provision.store();
            let sampled = store.read_blocking(move |tx| provision.sample_rules(tx, id, &wish));
            sampled.unwrap()
        };
        let same = sample(json!({}));
        assert_eq!((same.looked_at, same.changed), (3, 0));
        assert!(
            same.users
                .iter()
                .all(|it| it.changes.is_empty() && it.before == it.after)
        );
        let named = json!({"mapping": [{"target": "attr:site", "source": {"constant": "Bonn"}}]});
        let named = sample(named);
        assert_eq!(named.changed, 3);
        for user in &named.users {
            assert_eq!(user.operations, [Operation::Update].into());
        }
        let kept = sample(json!({"cleanup": {"idp_inactive": "keep"}}));
        assert_eq!(kept.changed, 0, "what is held stays as it is");
        let active = |it: &provision::PreviewedUser| {
            it.before
                .as_ref()
                .is_some_and(|now| now.status == Status::Active)
        };
        assert!(kept.users.iter().all(active), "{:?}", kept.users);
    });
}

#[test]
fn what_rules_hide_is_hidden_in_previews() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        world.user("ann");
        let row = |text: &str| {
            json!({"mapping": [
                {"target": "attr:pin", "source": {"constant": text}, "steps": ["redact"]},
            ]})
        };
        let seen = |written: &Value| {
            let wish = PreviewWish {
                rules: Some(rules(written)),
                ..PreviewWish::default()
            };
            let (_, users) = world.preview(wish);
            serde_json::to_string(&users).unwrap()
        };
        let new = seen(&row("first-secret"));
        assert!(
            !new.contains("first-secret") && new.contains("[redacted]"),
            "{new}"
        );
        let first = rules(&row("first-secret"));
        world.set_rules(move |now| *now = first.clone());
        world.work_off();
        let changed = seen(&row("second-secret"));
        assert!(!changed.contains("secret"), "{changed}");
        assert!(changed.contains("[redacted, another value]"), "{changed}");
        // What was hidden so far is not shown by rules that hide nothing.
        let open = json!({"mapping": [{"target": "attr:pin", "source": {"constant": "open"}}]});
        assert!(!seen(&open).contains("first-secret"));
    });
}

#[test]
fn the_first_rules_tell_who_made_the_connector() {
    on_each_database(|database| {
        let world = World::new(database, Rules::default());
        let id = world.connector.connector.id;
        let store = world.provision.store();
        let first = store
            .read_blocking(move |tx| tx.rules_versions(id, None, 10))
            .unwrap();
        let told: Vec<_> = first.iter().map(|it| (&*it.author, &*it.comment)).collect();
        assert_eq!(told, [("admin", "made with the connector")]);
    });
}
