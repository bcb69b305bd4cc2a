//! What administrators do every day in the console: holds, jobs, people, conflicts, and taking things back.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, ok};
use crate::http::Answer;
use crate::scim_idp::*;
use crate::ui_browser::Browser;
use crate::world::World;

/// The page behind the first link on a page whose text begins so.
fn link(page: &Answer, words: &str) -> String {
    let text = page.text();
    let before = text
        .split_once(&format!(">{words}"))
        .unwrap_or_else(|| panic!("no {words} on {text}"))
        .0;
    let (_, place) = before.rsplit_once("href=\"").unwrap();
    place
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}

/// Answers yes to a page that asks.
fn yes(browser: &Browser<'_>, place: &str) -> Answer {
    browser.fill_in(place, place.split('?').next().unwrap(), &[])
}

fn assert_told(page: &Answer, words: &str) {
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains(words), "{words} in {}", page.text());
}

#[test]
fn holds_are_seen_and_decided_one_by_one_and_together() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        assert!(
            browser
                .get("/console/holds")
                .text()
                .contains("Nothing waits.")
        );
        let limits = json!({"settings": {"limits": {"deactivations": {"at_least": 1}}}});
        ok(&console.patch("/connectors/idp", limits));
        for name in ["ann", "ben", "cid", "dan", "<b>eve</b>"] {
            let id = idp.user(name);
            let operations = json!([{"op": "replace", "value": {"active": false}}]);
            assert_eq!(idp.patch(&format!("/Users/{id}"), &operations).status, 200);
        }
        let holds = browser.get("/console/holds");
        assert!(!holds.text().contains("<b>eve") && holds.text().contains("&#60;b&#62;eve"));
        let hold = browser.get(&link(&holds, "ben"));
        for told in [
            "What an approval changes now",
            "may no longer log in",
            "written by the identity provider",
        ] {
            assert!(hold.text().contains(told), "{told} in {}", hold.text());
        }
        let ask = link(&hold, "Approve…");
        assert!(browser.get(&ask).text().contains("Let it happen to ben?"));
        assert_told(&yes(&browser, &ask), "Approved: it happens to ben.");
        assert_eq!(
            console.show("/directories/default/users/ben")["status"],
            "disabled"
        );
        let ask = link(&browser.get("/console/holds?q=cid"), "Reject");
        assert!(browser.get(&ask).text().contains("Keep cid as it is?"));
        assert_told(&yes(&browser, &ask), "Rejected: nothing happens to cid.");
        assert_eq!(
            console.show("/directories/default/users/cid")["status"],
            "active"
        );
        let all = link(
            &browser.get("/console/holds"),
            "Approve all of <bdi>idp</bdi>",
        );
        assert!(browser.get(&all).text().contains("All 2 happen now"));
        assert_told(&yes(&browser, &all), "2 holds of idp approved");
        assert_eq!(
            console.show("/directories/default/users/dan")["status"],
            "disabled"
        );
        assert!(
            browser
                .get("/console/holds?state=rejected")
                .text()
                .contains("by <bdi>ann</bdi>")
        );
        assert_eq!(browser.get("/console/holds/1/explode").status, 404);
        let tab = browser.get("/console/connectors/idp/limits");
        assert!(tab.text().contains("Accounts disabled or removed"));
    });
}

#[test]
fn limits_and_settings_are_changed_by_forms() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let place = "/console/connectors/idp/limits";
    let set = [
        ("enabled", "on"),
        ("window_minutes", "30"),
        ("deactivations.at_least", "7"),
        ("deactivations.percent", "3"),
        ("leavers", "2"),
        ("reconcile", "all_or_nothing"),
        ("break_glass_users", "root\nre:svc-.*"),
    ];
    let saved = browser.fill_in(place, place, &set);
    assert_eq!(saved.status, 200, "{}", saved.text());
    let console = Console::new(&world);
    let settings = &console.show("/connectors/idp")["settings"]["limits"];
    assert_eq!(
        settings["deactivations"],
        json!({"at_least": 7, "percent": 3})
    );
    assert_eq!(settings["renames"], Value::Null);
    assert_eq!(settings["break_glass_users"], json!(["root", "re:svc-.*"]));
    assert_eq!(settings["reconcile"], "all_or_nothing");
    let refused = browser.fill_in(
        place,
        place,
        &[
            ("window_minutes", "0"),
            ("reconcile", "in_order"),
            ("leavers", "0"),
        ],
    );
    assert_eq!(refused.status, 422);
    assert!(
        refused
            .text()
            .contains("Within minutes: the window is too short"),
        "{}",
        refused.text()
    );
    let page = "/console/connectors/idp";
    let set = [
        ("cron", "0 4 * * 1"),
        ("time_zone", "Europe/Berlin"),
        ("patch_reply", "always204"),
    ];
    let saved = browser.fill_in(page, "/console/connectors/idp/settings", &set);
    assert!(saved.text().contains("The settings are saved."));
    assert!(saved.text().contains("value=\"0 4 * * 1\""));
}

#[test]
fn a_person_is_decided_about_and_all_of_it_is_taken_back() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.mira();
        world.group("staff", &[&mira]);
        world.group("guests", &[]);
        world.application("jira", store::Access::ReadOnly);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let key = console.show("/directories/default/users/mira")["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let place = format!("/console/directories/default/users/{key}");
        let page = browser.get(&place);
        for told in [
            "Products see",
            "Written by <a",
            "the identity provider’s group “staff”",
            "has not fetched anything yet",
        ] {
            assert!(page.text().contains(told), "{told} in {}", page.text());
        }
        let ask = link(&page, "Disable…");
        assert!(
            browser
                .get(&ask)
                .text()
                .contains("Products refuse the log-in")
        );
        assert!(
            yes(&browser, &ask)
                .text()
                .contains("The account is disabled.")
        );
        let status = || console.show("/directories/default/users/mira")["status"].clone();
        assert_eq!(status(), "disabled");
        let evaluated = browser.fill_in(&place, &format!("{place}/do/evaluate"), &[]);
        assert!(
            evaluated
                .text()
                .contains("Evaluated: everything is as it should be."),
            "{}",
            evaluated.text()
        );
        let ask = link(&browser.get(&place), "Enable…");
        yes(&browser, &ask);
        assert_eq!(status(), "active");

        let form = format!("{place}/overrides");
        let endless = [("kind", "exclude"), ("comment", "leave")];
        let refused = browser.fill_in(&form, &form, &endless);
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("value=\"leave\""));
        let until = [
            ("kind", "add_to_group"),
            ("group", "guests"),
            ("until", "2030-01-01T10:00"),
            ("comment", "trial"),
        ];
        let said = browser.fill_in(&form, &form, &until);
        assert!(
            said.text().contains("is in the group guests"),
            "{}",
            said.text()
        );
        let ask = link(&said, "Take back");
        assert!(browser.get(&ask).text().contains("counts again at once"));
        assert!(
            yes(&browser, &ask)
                .text()
                .contains("The override is taken back.")
        );

        // What happened is compared, and taken back.
        let since = browser.get(&format!("{place}?since=2020-01-01T00:00"));
        assert!(
            since.text().contains("joins </span>staff</ins>"),
            "{}",
            since.text()
        );
        world.patch_user(&mira, "displayName", "Somebody else");
        let undo = format!(
            "/console/undo?directory=default&connector=idp&from=2020-01-01T00%3A00&user={key}"
        );
        let shown = browser.get(&undo);
        assert!(
            shown.text().contains("It touched one person."),
            "{}",
            shown.text()
        );
        assert!(shown.text().contains("Undo it"));
        let history = browser.get(&place);
        assert!(history.text().contains("Somebody else</ins>"));
        let of_one = format!("&user={}", key.replace(':', "%3A"));
        assert!(link(&history, "Undo<span").contains(&of_one));
        assert!(!link(&history, "Undo all that this request did").contains("user="));

        let ask = link(&browser.get(&place), "Unlink…");
        assert!(
            browser
                .get(&ask)
                .text()
                .contains("idp feeds the account no more")
        );
        assert!(
            yes(&browser, &ask)
                .text()
                .contains("The account is kept here from now on.")
        );
        let user = console.show("/directories/default/users/mira");
        assert_eq!(
            (&user["connector"], &user["reason"]),
            (&Value::Null, &json!("LOCAL"))
        );
        assert_eq!(user["memberships"][0]["origins"][0]["kind"], "local");
        let again = console.call("/directories/default/users/mira/unlink");
        assert_eq!(again.status, 422);
    });
}

#[test]
fn a_request_is_undone_after_a_look() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let id = idp.user("ben");
        let operations = json!([{"op": "replace", "value": {"displayName": "<i>Benjamin</i>"}}]);
        assert_eq!(idp.patch(&format!("/Users/{id}"), &operations).status, 200);
        let journal = browser.get("/console/journal?directory=default");
        assert!(!journal.text().contains("<i>Benjamin"));
        let undo = link(&journal, "Undo<span");
        let shown = browser.get(&undo);
        assert!(
            shown
                .text()
                .contains("&#60;i&#62;Benjamin&#60;/i&#62;</del>"),
            "{}",
            shown.text()
        );
        let request = undo.split("request=").nth(1).unwrap();
        let done = browser.fill_in(
            &undo,
            "/console/undo",
            &[("directory", "default"), ("request", request)],
        );
        assert_eq!(done.status, 200, "{}", done.text());
        assert!(done.text().contains("person changed"));
        assert_ne!(
            console.show("/directories/default/users/ben")["display_name"],
            "<i>Benjamin</i>"
        );
        assert!(
            browser
                .get(&link(&done, "Take this back again"))
                .text()
                .contains("It touched one person.")
        );
        assert!(
            browser
                .get("/console/undo?directory=default&actor=nobody")
                .text()
                .contains("Nothing was changed by that.")
        );
    });
}

#[test]
fn jobs_are_followed_ended_and_conflicts_decided() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let mira = world.mira();
    world.group("staff", &[&mira]);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let page = "/console/connectors/idp";
    browser.fill_in(page, &format!("{page}/state"), &[("state", "paused")]);
    let begun = browser.fill_in(page, &format!("{page}/reconcile"), &[]);
    assert!(
        begun.text().contains("waits for its connector"),
        "{}",
        begun.text()
    );
    let ask = link(&begun, "End it…");
    assert!(
        browser
            .get(&ask)
            .text()
            .contains("What it did so far stays")
    );
    assert!(
        yes(&browser, &ask)
            .text()
            .contains("The job is ended before its end.")
    );
    assert!(
        browser
            .get("/console/jobs?state=cancelled")
            .text()
            .contains("Evaluation of everybody")
    );
    browser.fill_in(page, &format!("{page}/state"), &[("state", "active")]);

    // Two identity providers know a mira; the second one meets the account of the first.
    let wish = json!({"name": "second", "directory": "default"});
    let made = console.post("/connectors", wish).json();
    let base = made["base_url"]
        .as_str()
        .unwrap()
        .split_once("/scim/")
        .unwrap()
        .1;
    let second = Idp {
        world: &world,
        base: format!("/scim/{base}"),
        token: made["token"].as_str().unwrap().to_owned(),
    };
    second.user("mira");
    let place = "/console/connectors/second/conflicts";
    // It is seen from outside, too.
    let counted = "Conflicts <span class=\"count\">1</span>";
    let tabs = || browser.text("/console/connectors/second");
    assert!(tabs().contains(counted), "{}", tabs());
    let overview = browser.text("/console");
    assert!(
        overview.contains(&format!("<a class=\"bad\" href=\"{place}\">1</a>")),
        "{overview}"
    );
    let shown = console.show("/connectors/second");
    assert_eq!(
        (&shown["open_conflicts"], &shown["waiting_groups"]),
        (&json!(1), &json!(0))
    );
    let conflicts = browser.get(place);
    assert!(
        conflicts.text().contains("the user name, mira"),
        "{}",
        conflicts.text()
    );
    let ask = link(&conflicts, "Two people");
    let question = browser.text(&ask);
    for told in [
        "Are the user mira and the account mira two people?",
        "The user of second: mira",
        "The account: mira (Mira Solberg, mira@example.test), fed by idp.",
        "They were found by the user name, mira.",
        "Both stay as they are",
    ] {
        assert!(question.contains(told), "{told} in {question}");
    }
    assert_eq!(browser.get(&format!("{place}/none/keep")).status, 404);
    assert_eq!(yes(&browser, &ask).status, 200);
    assert!(!tabs().contains(counted), "what is decided waits no more");
    assert!(browser.get(place).text().contains("two people</span>"));
    let ask = link(&browser.get(place), "One person");
    assert_eq!(yes(&browser, &ask).status, 200);
    assert_eq!(
        console.show("/directories/default/users/mira")["connector"],
        "second"
    );
    let report = browser.get("/console/connectors/second/match?count=yes");
    assert!(
        report.text().contains("linked already"),
        "{}",
        report.text()
    );

    let delete = "/console/connectors/second/delete";
    assert!(
        browser
            .get(delete)
            .text()
            .contains("1 active account and 0 disabled accounts come from it")
    );
    let gone = browser.fill_in(delete, delete, &[("accounts", "keep")]);
    assert!(
        gone.text().contains("The connector is being deleted."),
        "{}",
        gone.text()
    );
}
