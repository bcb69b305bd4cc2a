//! People whom identity providers wrote and who have no account: found, with the reason, from wherever one looks for them.

use emulate::databases::on_each_database;
use serde_json::json;
use store::Role;

use crate::api_console::{Console, ok};
use crate::scim_idp::{CORE_USER, Idp};
use crate::ui_browser::Browser;
use crate::world::World;

#[test]
fn somebody_whom_rules_keep_out_is_found_with_the_reason() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let rules = json!({"rules": {"scope": {"filter": "userType eq \"Employee\""}}});
        ok(&console.put("/connectors/idp/rules", rules));
        let user = json!({"schemas": [CORE_USER], "userName": "scoped.out", "userType": "Contractor",
            "displayName": "<b>Scoped</b>"});
        let made = idp.post("/Users", &user);
        assert_eq!(made.status, 201);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);

        let found = browser.text("/console/people?search=SCOPED");
        assert!(
            found.contains("no account</span>") && !found.contains("<b>Scoped"),
            "{found}"
        );
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let place = format!("/console/connectors/idp/source-users/{id}");
        assert!(found.contains(&place), "{found}");
        let page = browser.text(&place);
        for told in [
            "Why there is no account",
            "The rules give <strong>no account</strong>: out of scope.",
            "To have an active account, all of this would have to be so:",
            "Contractor",
        ] {
            assert!(page.contains(told), "{told} in {page}");
        }
        // The request and the checklist lead there as well.
        let number = console.show("/requests?operation=create_user")["items"][0]["id"].clone();
        let request = browser.text(&format!("/console/activity/{number}"));
        assert!(
            request.contains(&format!("<a href=\"{place}\">scoped.out</a>")),
            "{request}"
        );
        assert!(request.contains("no account</span>"), "{request}");
        let checklist = browser.text("/console/connectors/idp/setup");
        let list = "/console/connectors/idp/source-users?account=false";
        assert!(checklist.contains(list), "{checklist}");
        assert!(browser.text(list).contains(&place));
        assert!(
            browser
                .text("/console/connectors/idp")
                .contains("/console/connectors/idp/source-users\">1 user")
        );

        // Let in, there is an account, and the page leads to it.
        ok(&console.put("/connectors/idp/rules", json!({"rules": {}})));
        world.run(world.provision.work_off()).unwrap();
        let page = browser.text(&place);
        assert!(
            page.contains("/console/directories/default/users/"),
            "{page}"
        );
        let found = browser.text("/console/people?search=scoped");
        assert!(!found.contains("no account"), "{found}");
        let evaluated = browser.fill_in(&place, &format!("{place}/evaluate"), &[]);
        assert!(
            evaluated
                .text()
                .contains("Evaluated: everything is as it should be."),
            "{}",
            evaluated.text()
        );
        assert_eq!(
            browser
                .get("/console/connectors/idp/source-users/none")
                .status,
            404
        );
    });
}

#[test]
fn somebody_pushed_while_the_connector_is_paused_is_found_and_told_why() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        ok(&console.patch("/connectors/idp", json!({"state": "paused"})));
        let id = idp.user("late.comer");
        let confined = Browser::confined_to(&world, "ben", "idp");
        let found = confined.text("/console/people?search=late");
        let place = format!("/console/connectors/idp/source-users/{id}");
        assert!(found.contains(&place), "{found}");
        let page = confined.text(&place);
        assert!(page.contains("the connector is paused"), "{page}");
    });
}

#[test]
fn a_request_leads_to_its_group_its_conflict_and_what_was_held() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let limits = json!({"settings": {"limits": {"deactivations": {"at_least": 0}}}});
        ok(&console.patch("/connectors/idp", limits));
        let ben = idp.user("ben");
        let operations = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(idp.patch(&format!("/Users/{ben}"), &operations).status, 200);
        let group = idp.group("staff", &[&ben]);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let page = |operation: &str| {
            let found = console.show(&format!("/requests?operation={operation}"));
            browser.text(&format!("/console/activity/{}", found["items"][0]["id"]))
        };
        let patched = page("patch_user");
        let hold = console.show("/holds")["items"][0]["id"].clone();
        assert!(
            patched.contains(&format!("href=\"/console/holds/{hold}\"")),
            "{patched}"
        );
        assert!(patched.contains("(waiting)"), "{patched}");
        let made = page("create_group");
        assert!(
            made.contains(&format!("/console/connectors/idp/source-groups/{group}")),
            "{made}"
        );
    });
}
