//! After a decision or an act the browser is at a page that can be loaded again, which tells once what was done.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::json;
use store::Role;

use crate::api_console::{Console, ok};
use crate::http::Ask;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::World;

fn held(world: &World, names: &[&str]) {
    let (console, idp) = (Console::new(world), Idp::new(world));
    let limits = json!({"settings": {"limits": {"deactivations": {"at_least": 0}}}});
    ok(&console.patch("/connectors/idp", limits));
    for name in names {
        let id = idp.user(name);
        let operations = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(idp.patch(&format!("/Users/{id}"), &operations).status, 200);
    }
}

#[test]
fn a_decision_leads_back_to_the_list_as_it_was_filtered_and_is_told_once() {
    on_each_database(|database| {
        let world = World::new(database);
        held(&world, &["ann", "anna", "ben"]);
        let console = Console::new(&world);
        let browser = Browser::signed_in(&world, "cleo", Role::Operator);
        let list = "/console/holds?kind=deactivation&q=ann";
        let filters = "kind=deactivation&state=open&q=ann";
        let shown = browser.text(list);
        let hold = console.show("/holds?q=anna")["items"][0]["id"].clone();
        let ask = format!("/console/holds/{hold}/approve?{filters}");
        assert!(shown.contains(&ask.replace('&', "&#38;")), "{shown}");
        let asked = browser.get(&ask);
        let back = format!("/console/holds?{filters}").replace('&', "&#38;");
        assert!(
            asked.text().contains(&format!("href=\"{back}\"")),
            "{}",
            asked.text()
        );

        let action = format!("/console/holds/{hold}/approve");
        let form = browser.form_of(&asked, &action, &[("filters", filters)]);
        let answer = browser.ask(form);
        assert_eq!(answer.status, 303, "{}", answer.text());
        let place = answer.header("location").unwrap();
        assert_eq!(place, format!("/console/holds?{filters}"));
        // What a script of another page fetches meanwhile takes nothing away.
        let fetched =
            browser.ask(Ask::new("GET", "/console/holds").header("Sec-Fetch-Dest", "empty"));
        assert!(!fetched.text().contains("Approved:"));
        let told = browser.text(place);
        assert!(told.contains("Approved: it happens to anna."), "{told}");
        assert!(
            told.contains("value=\"ann\"") && !told.contains(">ben<"),
            "{told}"
        );
        assert!(
            !browser.text(place).contains("Approved:"),
            "it is told once"
        );

        // What is decided offers nothing more, and sent again does nothing.
        let looks = || browser.follow(browser.get(&ask));
        let decides = || browser.send_form(&asked, &action, &[]);
        for again in [looks(), decides()] {
            assert_eq!(again.status, 200);
            assert!(
                again.text().contains("Nothing was done: this"),
                "{}",
                again.text()
            );
            assert!(!again.text().contains("Approve…") && !again.text().contains("'state'"));
        }
    });
}

#[test]
fn all_under_a_filter_are_those_under_the_filter() {
    on_each_database(|database| {
        let world = World::new(database);
        held(&world, &["ann", "anna", "ben"]);
        let console = Console::new(&world);
        let browser = Browser::signed_in(&world, "cleo", Role::Operator);
        let ask = "/console/connectors/idp/holds/approve?state=open&q=ann";
        let asked = browser.get(ask);
        assert!(
            asked
                .text()
                .contains("Approve the open holds of idp with “ann” in the name?"),
            "{}",
            asked.text()
        );
        assert!(asked.text().contains("All 2 happen now") && !asked.text().contains("<li>ben"));
        let action = "/console/connectors/idp/holds/approve";
        let done = browser.send_form(&asked, action, &[("filters", "state=open&q=ann")]);
        assert!(
            done.text().contains("2 holds of idp approved"),
            "{}",
            done.text()
        );
        let status = |name: &str| {
            console.show(&format!("/directories/default/users/{name}"))["status"].clone()
        };
        assert_eq!(
            (status("anna"), status("ben")),
            (json!("disabled"), json!("active"))
        );
    });
}

#[test]
fn what_is_told_cannot_be_put_in_by_others() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let session = browser.cookie().unwrap();
    for told in ["x.Pay%20me", "Pay%20me", "", "0123.%FF"] {
        for name in ["__Host-vestibule-told", "vestibule-told"] {
            let cookies = format!("{session}; {name}={told}");
            let page = world.send(Ask::new("GET", "/console").header("Cookie", &cookies));
            assert_eq!(page.status, 200);
            assert!(!page.text().contains("Pay me"), "{}", page.text());
        }
    }
}

#[test]
fn a_connector_is_paused_or_switched_off_after_a_question() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let console = Console::new(&world);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let page = "/console/connectors/idp";
        let shown = browser.text(page);
        assert!(
            !shown.contains("value=\"paused\"") && !shown.contains("value=\"disabled\""),
            "{shown}"
        );
        for (state, question, effect, told) in [
            (
                "paused",
                "Pause idp?",
                "writes about its 1 user is still taken",
                "The connector is paused",
            ),
            (
                "disabled",
                "Switch idp off?",
                "The identity provider is refused from then on",
                "The connector is switched off",
            ),
        ] {
            let ask = format!("{page}/state?state={state}");
            assert!(shown.contains(&ask), "{ask} in {shown}");
            let asked = browser.get(&ask);
            for words in [question, effect] {
                assert!(asked.text().contains(words), "{words} in {}", asked.text());
            }
            assert_eq!(
                console.show("/connectors/idp")["state"],
                "active",
                "a look changes nothing"
            );
            let done = browser.send_form(&asked, &format!("{page}/state"), &[("state", state)]);
            assert!(done.text().contains(told), "{}", done.text());
            assert_eq!(console.show("/connectors/idp")["state"], state);
            let active = [("state", "active")];
            let done = browser.fill_in(page, &format!("{page}/state"), &active);
            assert!(
                done.text().contains("The connector is active."),
                "{}",
                done.text()
            );
        }
        let nowhere = browser.get(&format!("{page}/state?state=sleepy"));
        assert_eq!(
            (nowhere.status, nowhere.header("location")),
            (303, Some(page))
        );
    });
}

#[test]
fn a_page_that_is_not_there_keeps_the_menu() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Auditor);
    for place in [
        "/console/nowhere",
        "/console/holds/99",
        "/console/holds/x",
        "/console/connectors/none",
        "/console/jobs/none",
    ] {
        let answer = browser.get(place);
        assert!((400..500).contains(&answer.status), "{place}");
        for told in [
            "aria-label=\"Console\"",
            "href=\"/console/people\"",
            "Sign out",
        ] {
            assert!(
                answer.text().contains(told),
                "{told} on {place}: {}",
                answer.text()
            );
        }
    }
    let stranger = Browser::new(&world).get("/console/nowhere");
    assert_eq!(stranger.status, 303, "who is not signed in learns nothing");
}

#[test]
fn each_decision_is_told_where_it_leads_to() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let owner = Browser::signed_in(&world, "ann", Role::Owner);
        Browser::signed_in(&world, "bob", Role::Operator);
        let label = json!({"label": "spare <1>"});
        ok(&console.post("/connectors/idp/tokens", label));
        ok(&console.post("/tokens", json!({"label": "ci", "role": "auditor"})));
        ok(&console.post(
            "/applications",
            json!({"name": "jira", "directories": [{"directory": "default"}]}),
        ));
        ok(&console.post(
            "/notifications",
            json!({"name": "ops", "way": {"webhook": {"url": "https://a.example.com/"}}}),
        ));
        ok(&console.post("/invitations", json!({"role": "auditor"})));
        let id = |list: &str, member: &str, name: &str| {
            let all = console.show(list);
            let mut items = all["items"].as_array().unwrap().iter();
            let found = items.find(|one| one[member] == name).unwrap();
            found["id"].as_str().unwrap().to_owned()
        };
        let tokens = "/console/connectors/idp/tokens";
        let token = id("/connectors/idp/tokens", "label", "spare <1>");
        let ci = id("/tokens", "label", "ci");
        let (jira, ops) = (
            id("/applications", "name", "jira"),
            id("/notifications", "name", "ops"),
        );
        let bob = id("/administrators", "name", "bob");
        let invitation = id("/invitations", "role", "auditor");
        let people = "/console/administrators";
        for (page, action, fields, told) in [
            (
                format!("{tokens}/{token}/revoke"),
                format!("{tokens}/{token}/revoke"),
                &[][..],
                "The token “spare &#60;1&#62;” is revoked.",
            ),
            (
                format!("/console/tokens/{ci}/revoke"),
                format!("/console/tokens/{ci}/revoke"),
                &[],
                "The token “ci” is revoked.",
            ),
            (
                format!("/console/applications/{jira}/delete"),
                format!("/console/applications/{jira}/delete"),
                &[],
                "The application jira is deleted.",
            ),
            (
                format!("/console/notifications/{ops}/delete"),
                format!("/console/notifications/{ops}/delete"),
                &[],
                "The channel is deleted.",
            ),
            (
                people.to_owned(),
                format!("/console/invitations/{invitation}/revoke"),
                &[],
                "The link is revoked.",
            ),
            (
                people.to_owned(),
                format!("{people}/{bob}/role"),
                &[("role", "auditor")],
                "bob has the role auditor from now on.",
            ),
            (
                format!("{people}/{bob}/sessions"),
                format!("{people}/{bob}/sessions"),
                &[],
                "All sessions are ended.",
            ),
            (
                format!("{people}/{bob}/delete"),
                format!("{people}/{bob}/delete"),
                &[],
                "The administrator bob is deleted.",
            ),
        ] {
            let answer = owner.fill_in(&page, &action, fields);
            assert_eq!(answer.status, 200, "{action}: {}", answer.text());
            let told = format!("<p class=\"note good\" role=\"status\">{told}");
            assert!(answer.text().contains(&told), "{told}: {}", answer.text());
        }
        // Sent again by somebody who went back, it says that there was nothing to do.
        let again = owner.get(&format!("{tokens}/{token}/revoke"));
        let place = again.header("location").unwrap();
        assert!(
            owner
                .text(place)
                .contains("It was revoked already, perhaps.")
        );
    });
}

#[test]
fn a_token_that_ends_and_is_used_still_names_the_one_that_is_to_take_its_place() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let page = "/console/connectors/idp/tokens";
        ok(&console.post("/connectors/idp/tokens", json!({"label": "old"})));
        let used = |label: &str| {
            let all = console.show("/connectors/idp/tokens");
            let mut items = all["items"].as_array().unwrap().iter();
            let found = items.find(|one| one["label"] == label).unwrap();
            let id = found["id"].as_str().unwrap().to_owned();
            let uses = vec![(id, world.provision.store().now(), None)];
            world
                .run(world.provision.note_credential_uses(uses))
                .unwrap();
        };
        used("old");
        assert!(!browser.text(page).contains("still in use"));
        world.wait(jiff::SignedDuration::from_mins(1));
        ok(&console.post("/connectors/idp/tokens/rotate", json!({})));
        let shown = browser.text(page);
        assert!(
            shown.contains("still in use") && shown.contains("<bdi>rotated</bdi>"),
            "{shown}"
        );
        world.wait(jiff::SignedDuration::from_mins(1));
        used("rotated");
        assert!(!browser.text(page).contains("still in use"));
    });
}
