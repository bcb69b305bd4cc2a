//! The overview: who is current, who is silent, and how much happens.

use emulate::databases::on_each_database;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api_console::Console;
use crate::scim_idp::Idp;
use crate::world::{Product, World};

fn connector(overview: &Value) -> &Value {
    let all = overview["connectors"].as_array().unwrap();
    all.iter().find(|one| one["connector"] == "idp").unwrap()
}

fn total(overview: &Value, what: &str) -> i64 {
    let hours = overview["activity"].as_array().unwrap();
    assert_eq!(hours.len(), 24);
    hours.iter().map(|hour| hour[what].as_i64().unwrap()).sum()
}

#[test]
fn the_overview_tells_who_is_current_and_who_is_silent() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let show = || console.get("/overview").json();
        let empty = show();
        assert_eq!(connector(&empty)["last_heard"], Value::Null);
        assert_eq!(
            total(&empty, "requests") + total(&empty, "changes"),
            0,
            "{empty}"
        );

        // Every forty minutes, as Entra does.
        let idp = Idp::new(&world);
        for visit in 0..8 {
            idp.user(&format!("user{visit}"));
            assert_eq!(
                idp.post("/Users", &json!({ "userName": "user0" })).status,
                409
            );
            console.get("/requests");
            world.wait(SignedDuration::from_mins(40));
        }
        let now = show();
        let one = connector(&now);
        let usual = one["usual_pause"].as_i64().unwrap();
        assert!((2_395..=2_405).contains(&usual), "{one}");
        assert_eq!(
            (one["silent"].as_bool(), one["errors"].as_i64()),
            (Some(false), Some(8)),
            "{one}"
        );
        // Two requests and one change of each visit, in hours of their own.
        assert_eq!(
            (total(&now, "requests"), total(&now, "errors")),
            (16, 8),
            "{now}"
        );
        assert_eq!(total(&now, "changes"), 8);
        let busy = now["activity"].as_array().unwrap().iter();
        assert!(
            busy.filter(|hour| hour["requests"].as_i64() > Some(0))
                .count()
                >= 5,
            "{now}"
        );
        world.wait(SignedDuration::from_hours(3));
        assert_eq!(connector(&show())["silent"], true);
        // After a day only the last hours count.
        world.wait(SignedDuration::from_hours(20));
        let later = show();
        assert!(total(&later, "requests") < 16, "{later}");

        let product = Product::reader(&world);
        assert_eq!(product.get("/event").status, 200);
        let lag = |overview: &Value| overview["applications"][0]["directories"][0].clone();
        let current = lag(&show());
        assert_eq!(
            (&current["position"], &current["behind_since"]),
            (&current["newest"], &Value::Null)
        );
        idp.user("late");
        let behind = lag(&show());
        assert!(behind["behind_since"].is_string(), "{behind}");

        let made = console.post(
            "/connectors/idp/tokens",
            json!({ "label": "short", "expires": in_days(&world, 5) }),
        );
        assert_eq!(made.status, 201, "{}", made.text());
        console.post(
            "/connectors/idp/tokens",
            json!({ "label": "long", "expires": in_days(&world, 50) }),
        );
        let ending = connector(&show())["tokens_ending"].clone();
        assert_eq!(ending[0]["label"], "short", "{ending}");
        assert_eq!(ending.as_array().unwrap().len(), 1);
    });
}

fn in_days(world: &World, days: i64) -> String {
    let at: Timestamp = world.provision.store().now() + SignedDuration::from_hours(24 * days);
    at.to_string()
}
