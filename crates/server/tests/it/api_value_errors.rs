//! Values that the rules give and that cannot be used: the identity provider gets its success, and everybody sees whom it hits.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::scim_idp::*;
use crate::world::World;

fn starting(day: &str) -> Value {
    json!({"userName": "ann", "title": day})
}

/// An attribute for products that is a date at the identity provider.
fn with_a_date(console: &Console<'_>) {
    let row = json!({"target": "attr:start", "source": {"attribute": "title"},
        "steps": [{"date_format": {"format": "%d/%m/%y"}}]});
    ok(&console.put(
        "/connectors/idp/rules",
        json!({"rules": {"mapping": [row]}}),
    ));
}

#[test]
fn a_value_that_cannot_be_used_flags_the_user_and_the_old_one_stays() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        with_a_date(&console);
        world.run(world.provision.work_off()).unwrap();
        let ann = id_of(&idp.post("/Users", &starting("2026-12-31")));
        idp.user("ben");
        let start = || {
            let found = console.show("/directories/default/users?search=ann");
            let key = found["items"][0]["key"].as_str().unwrap().to_owned();
            let user = console.show(&format!("/directories/default/users/{key}"));
            user["attributes"]["start"][0].clone()
        };
        let path = "/connectors/idp/value-errors";
        assert_eq!(console.show(path)["items"], json!([]));
        assert_eq!(start(), "31/12/26");

        let put = idp.put(&format!("/Users/{ann}"), &starting("soon"));
        assert_eq!(put.status, 200, "the identity provider notices nothing");
        assert_eq!(start(), "31/12/26", "the old value stays");
        let flagged = console.show(path);
        assert_eq!(each(&flagged, "user_name"), ["ann"]);
        assert_eq!(console.show("/connectors/idp")["value_errors"], 1);
        let one = flagged["items"][0].clone();
        assert_eq!(one["user_id"], json!(ann));
        assert_eq!(
            one["errors"],
            json!([{"target": "attr:start", "message": "is not a date of the format"}])
        );

        // A run over everybody counts it, and finds nothing new.
        world.wait(jiff::SignedDuration::from_mins(5));
        let begun = console.call("/connectors/idp/reconcile").json();
        world.run(world.provision.work_off()).unwrap();
        let job = console.show(&format!("/jobs/{}", begun["job"]["id"].as_str().unwrap()));
        assert_eq!(job["counts"]["error"], 1, "{job}");
        assert_eq!(console.show(path)["items"][0], one);
        assert_eq!(problem(&console.get(&format!("{path}?after=x"))).0, 422);

        idp.put(&format!("/Users/{ann}"), &starting("2027-01-01"));
        assert_eq!(console.show(path)["items"], json!([]));
        assert_eq!(start(), "01/01/27");

        // Whoever goes is not in the list any more, nor who comes without the value.
        idp.put(&format!("/Users/{ann}"), &starting("later"));
        let cid = json!({"userName": "cid", "title": "then"});
        let cid = id_of(&idp.post("/Users", &cid));
        assert_eq!(each(&console.show(path), "user_name"), ["ann", "cid"]);
        let first = console.show(&format!("{path}?limit=1"));
        let next = first["next"].as_str().unwrap();
        let rest = console.show(&format!("{path}?after={next}"));
        assert_eq!(each(&rest, "user_name"), ["cid"]);
        assert_eq!(idp.delete(&format!("/Users/{ann}")).status, 204);
        let operations = json!([{"op": "remove", "path": "title"}]);
        idp.patch(&format!("/Users/{cid}"), &operations);
        assert_eq!(console.show(path)["items"], json!([]));
    });
}
