//! Daily work in a real browser: a rule changed after a look at what it does, a hold approved, something taken back, and
//! requests followed as they come.

use emulate::databases::TestDatabase;
use serde_json::json;

use crate::api_console;
use crate::browser::Console;
use crate::scim_idp::Idp;
use crate::world::World;

/// Somebody whose browser runs scripts, or does not.
fn opened(world: &World, has_scripts: bool) -> Console<'_> {
    match has_scripts {
        true => Console::signed_in(world),
        false => Console::without_scripts(world),
    }
}

#[test]
fn a_rule_is_changed_after_a_look_at_what_it_does_and_taken_back() {
    change_a_rule(true);
}

#[test]
fn a_rule_is_changed_without_scripts() {
    change_a_rule(false);
}

fn change_a_rule(has_scripts: bool) {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let (api, idp) = (api_console::Console::new(&world), Idp::new(&world));
    for name in ["ben", "cid"] {
        idp.user(name);
    }
    let console = opened(&world, has_scripts);
    console.go("/console/connectors");
    console.follow("idp");
    console.follow("Provisioning");
    console.sees("Only users for whom this holds");
    console
        .browser
        .enter("[name='scope.filter']", "userName ne \"cid\"")
        .unwrap();
    console
        .browser
        .enter("[name='scope.grace_minutes']", "0")
        .unwrap();
    // The preview beside the form follows what is typed.
    if has_scripts {
        console.sees("cid");
    }
    console.click(".bar-end button:first-child");
    console.sees("Apply");
    console.sees("cid");
    assert_eq!(
        api.show("/directories/default/users/cid")["status"],
        "active"
    );
    console.click("form[action$='/apply'] button");
    console.sees("Jobs");
    world.run(world.provision.work_off()).unwrap();
    assert_eq!(
        api.show("/directories/default/users/cid")["status"],
        "disabled"
    );

    // The version before is one click away, and is looked at first as well.
    console.go("/console/connectors/idp/versions");
    console.click("tbody tr:last-child a");
    console.sees("What going back to it would change");
    console.click("form[action$='/plan'] button");
    console.sees("Apply");
}

#[test]
fn a_hold_is_approved_and_what_it_did_is_undone() {
    approve_and_undo(true);
}

#[test]
fn a_hold_is_approved_and_undone_without_scripts() {
    approve_and_undo(false);
}

fn approve_and_undo(has_scripts: bool) {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let (api, idp) = (api_console::Console::new(&world), Idp::new(&world));
    let limits = json!({"settings": {"limits": {"deactivations": {"at_least": 1}}}});
    api_console::ok(&api.patch("/connectors/idp", limits));
    for name in ["ben", "cid"] {
        let id = idp.user(name);
        let operations = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(idp.patch(&format!("/Users/{id}"), &operations).status, 200);
    }
    let console = opened(&world, has_scripts);
    console.go("/console");
    console.click("a.bad");
    console.sees("cid");
    console.click("tbody .acts a");
    console.sees("Let it happen to cid?");
    console.click("form button.danger");
    console.sees("Nothing waits.");
    let status =
        |name: &str| api.show(&format!("/directories/default/users/{name}"))["status"].clone();
    assert_eq!(status("cid"), "disabled");

    console.go("/console/people?search=ben");
    console.follow("ben");
    console.sees("History");
    console.click(".history .by a[href*='/console/undo']");
    console.sees("What would be undone");
    console.click("form button.danger");
    console.sees("undone");
    assert_eq!(status("ben"), "active");
}

#[test]
fn requests_are_followed_as_they_come_until_somebody_pauses() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let idp = Idp::new(&world);
    let console = Console::signed_in(&world);
    console.go("/console/activity");
    console.follow("Follow as they come");
    console.sees("Nothing so far.");
    idp.user("ben");
    console.sees("ben");
    console.click("[data-pause]");
    console.sees("Go on");
    console.follow("20:26:40");
    console.sees("What it would do now");
    console.follow("What would it do now?");
    console.sees("tried as a replacement of that user");
    console.sees("Nothing at once.");
}
