//! What "why" tells of what is held, was rejected, is another connector's word, or was taken from who is still there.

use emulate::databases::on_each_database;
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, ok};
use crate::scim_idp::*;
use crate::ui_browser::Browser;
use crate::world::World;

const NOTHING: Value = Value::Null;

/// A connector whose limits let no such change through.
fn strict(console: &Console<'_>) {
    let none = json!({"at_least": 0});
    let limits = json!({"deactivations": none, "renames": none, "group_deletions": none});
    ok(&console.patch("/connectors/idp", json!({"settings": {"limits": limits}})));
}

fn why(console: &Console<'_>, user: &str, query: &str) -> Value {
    console.show(&format!("/directories/default/users/{user}/why{query}"))
}

#[track_caller]
fn tells(told: &Value, key: &str, text: &str) {
    assert!(told[key].to_string().contains(text), "{text}: {told}");
}

/// The number of the only open hold.
fn hold(console: &Console<'_>) -> i64 {
    let open = console.show("/holds?state=open");
    assert_eq!(open["items"].as_array().unwrap().len(), 1, "{open}");
    open["items"][0]["id"].as_i64().unwrap()
}

#[test]
fn what_is_held_has_the_number_of_its_hold_and_what_it_needs() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        strict(&console);
        let ann = idp.user("ann");
        let renamed = json!([{"op": "replace", "path": "userName", "value": "ann.b"}]);
        assert_eq!(idp.patch(&format!("/Users/{ann}"), &renamed).status, 200);
        let number = hold(&console);
        let told = why(&console, "ann", "?attribute=username");
        assert_eq!(told["values"], json!(["ann"]));
        tells(
            &told,
            "lines",
            &format!("the new user name `ann.b` waits for an administrator (hold {number})"),
        );
        tells(
            &told,
            "conditions",
            &format!("vestibule holds approve {number}"),
        );
        let told = why(&console, "ann", "?attribute=email");
        assert_eq!(
            told["conditions"], NOTHING,
            "the name is not what was asked"
        );
        ok(&console.call(&format!("/holds/{number}/reject")));
        let told = why(&console, "ann", "");
        tells(
            &told,
            "lines",
            &format!("was rejected by an administrator (hold {number}), and stays so"),
        );
        tells(
            &told,
            "conditions",
            &format!("hold {number} must be approved after all"),
        );

        let ben = idp.user("ben");
        let inactive = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(idp.patch(&format!("/Users/{ben}"), &inactive).status, 200);
        let number = hold(&console);
        let told = why(&console, "ben", "");
        tells(
            &told,
            "lines",
            &format!(
                "disabling the account (IDP_INACTIVE) waits for an administrator (hold {number})"
            ),
        );
        tells(
            &told,
            "conditions",
            &format!("hold {number} must be approved"),
        );
    });
}

#[test]
fn a_group_that_stays_by_a_rejection_is_told_as_that() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        strict(&console);
        let ann = idp.user("ann");
        let dev = world.group("dev", &[&ann]);
        world.delete_group(&dev);
        let number = hold(&console);
        let told = why(&console, "ann", "?group=dev");
        tells(
            &told,
            "lines",
            &format!("the deletion of the group is held (hold {number})"),
        );
        tells(
            &told,
            "conditions",
            &format!("hold {number} must be approved"),
        );
        let held = console.show(&format!("/holds/{number}"));
        let members = &held["members"];
        assert_eq!(
            (&members["count"], &members["looked_at"]),
            (&json!(1), &json!(1))
        );
        let [member] = members["changed"].as_array().unwrap().as_slice() else {
            panic!("{held}");
        };
        assert_eq!(member["user"]["name"], "ann");
        assert_eq!(member["changes"][0]["change"], "remove_membership");
        let browser = Browser::signed_in(&world, "eve", Role::Owner);
        let page = browser.get(&format!("/console/holds/{number}"));
        for told in ["The group has 1 member", "ann: is no longer a member"] {
            assert!(page.text().contains(told), "{told}: {}", page.text());
        }
        ok(&console.call(&format!("/holds/{number}/reject")));
        let told = why(&console, "ann", "?group=dev");
        assert_eq!(told["member"], true);
        tells(
            &told,
            "lines",
            &format!("rejected the deletion of the group (hold {number})"),
        );
    });
}

#[test]
fn who_is_out_of_scope_and_still_there_was_not_deleted() {
    on_each_database(|database| {
        let rules = json!({
            "scope": {"required_groups": ["staff"], "grace_minutes": 0},
            "cleanup": {"out_of_scope": "delete"},
        });
        let world = World::with_rules(database, serde_json::from_value(rules).unwrap());
        let console = Console::new(&world);
        let ann = world.user(json!({"userName": "ann"}));
        let staff = world.group("staff", &[&ann]);
        world.remove(&staff, &ann);
        let told = why(&console, "ann", "");
        tells(
            &told,
            "lines",
            "the account was removed (NOT_IN_REQUIRED_GROUP)",
        );
        assert!(!told["lines"].to_string().contains("deleted"), "{told}");
        tells(
            &told,
            "conditions",
            "be in one of the required groups: staff",
        );
        tells(&told, "became", "`ann` was removed");
        world.add(&staff, &ann);
        let told = why(&console, "ann", "");
        assert_eq!(
            (&told["decision"], &told["became"]),
            (&json!("active"), &NOTHING)
        );
    });
}

#[test]
fn another_connectors_word_has_its_value_and_its_request() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let hr = json!({"name": "hr", "preset": "generic", "directory": "default"});
        let made = ok(&console.post("/connectors", hr));
        let order = json!({"order": ["hr", "idp"]});
        ok(&console.put("/directories/default/precedence", order));
        let token = ok(&console.post("/connectors/hr/tokens", json!({"label": "hr's own"})));
        let okta = Idp::new(&world);
        let mail = |address: &str| json!({"userName": "ann", "emails": [{"value": address, "primary": true}]});
        assert_eq!(okta.post("/Users", &mail("ann@okta.example")).status, 201);
        let hr = Idp {
            world: &world,
            base: format!("/scim/v2/{}", made["id"].as_str().unwrap()),
            token: token["token"].as_str().unwrap().to_owned(),
        };
        assert_eq!(hr.post("/Users", &mail("ann@hr.example")).status, 201);
        let told = why(&console, "ann", "?attribute=email");
        assert_eq!(told["values"], json!(["ann@hr.example"]));
        tells(&told, "lines", "precedence: \\\"ann@hr.example\\\"");
        tells(&told, "written", "hr's own");
    });
}
