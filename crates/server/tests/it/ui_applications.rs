//! Applications at the console: what each may see is changed by a form, and how far its product has read is told.

use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::{Access, Role};

use crate::api_console::{Console, ok, problem};
use crate::http::Ask;
use crate::ui_browser::{Browser, PASSWORD};
use crate::ui_form::fields;
use crate::world::{Product, World, basic};

/// The fields of a form with others in the place of some.
fn with<'f>(
    fields: &'f [(String, String)],
    others: &[(&'f str, &'f str)],
) -> Vec<(&'f str, &'f str)> {
    let kept = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let kept = kept.filter(|(name, _)| {
        *name != "form_token" && !others.iter().any(|(other, _)| other == name)
    });
    kept.chain(others.iter().copied()).collect()
}

#[test]
fn what_an_application_sees_is_changed_by_a_form() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    ok(&console.post("/connectors", json!({"name": "other <b>"})));
    ok(&console.post(
        "/applications",
        json!({"name": "jira", "directory": "default"}),
    ));
    let id = console.show("/applications/jira")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let page = format!("/console/applications/{id}");
    let form = format!("{page}/settings");
    assert!(
        browser.get(&page).text().contains(&form),
        "there is a way to the form"
    );
    let mark = format!(" method=\"post\" action=\"{form}\"");
    let untouched = fields(&browser.get(&form), &mark);

    // Nothing is changed by a form that nobody touched, and products need not fetch anew for it.
    let before = console.show("/applications/jira");
    let saved = browser.fill_in(&form, &form, &with(&untouched, &[]));
    assert!(
        saved.text().contains("The application is changed.<"),
        "{}",
        saved.text()
    );
    assert_eq!(
        without_times(console.show("/applications/jira")),
        without_times(before)
    );

    let change = [
        ("name", "jira-prod"),
        ("access", "read-write"),
        ("addresses", " 192.0.2.10 \r\n\r\n10.0.0.0/8"),
        ("place.0", "2"),
        ("groups.0", "jira-users\r\n\r\n Ärger "),
        ("place.1", "1"),
        ("aggregate_memberships", "yes"),
    ];
    // Groups that are not there are asked about.
    let asked = browser.fill_in(&form, &form, &with(&untouched, &change));
    assert_eq!(asked.status, 422, "{}", asked.text());
    for told in [
        "default has no group “jira-users”.",
        "default has no group “Ärger”.",
        "name=\"anyway\"",
    ] {
        assert!(asked.text().contains(told), "{told} in {}", asked.text());
    }
    let before = console.show("/applications/jira");
    assert_eq!(before["directories"][0]["login_groups"], Value::Null);
    let change = [&change[..], &[("anyway", "yes")]].concat();
    let saved = browser.fill_in(&form, &form, &with(&untouched, &change));
    assert!(
        saved.text().contains("fetches everything anew"),
        "{}",
        saved.text()
    );
    assert!(
        saved
            .text()
            .contains("The login groups jira-users, Ärger do not exist."),
        "{}",
        saved.text()
    );
    assert!(saved.text().contains("other &#60;b&#62;"), "names are text");
    let now = console.show("/applications/jira-prod");
    assert_eq!(now["addresses"], json!(["192.0.2.10", "10.0.0.0/8"]));
    assert_eq!(
        (&now["access"], &now["aggregate_memberships"]),
        (&json!("read-write"), &json!(true))
    );
    assert_eq!(
        now["directories"],
        json!([
            {"directory": "other <b>", "login_groups": null, "position": null},
            {"directory": "default", "login_groups": ["jira-users", "Ärger"], "position": null,
                "missing_login_groups": ["jira-users", "Ärger"], "lets_nobody_in": true},
        ])
    );

    // What is wrong is told, and what was typed stays.
    let untouched = fields(&browser.get(&form), &mark);
    for (wrong, told) in [
        (vec![("addresses", "10.0.0.0/33")], "10.0.0.0/33"),
        (vec![("place.0", ""), ("place.1", "")], "at least one"),
        (vec![("only_groups_with_access", "yes")], "only_with_access"),
    ] {
        let refused = browser.fill_in(&form, &form, &with(&untouched, &wrong));
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(
            refused.text().contains("role=\"alert\"") && refused.text().contains(told),
            "{told}: {}",
            refused.text()
        );
        assert!(
            refused.text().contains("jira-users\nÄrger"),
            "{}",
            refused.text()
        );
    }
    assert_eq!(
        console.show("/applications/jira-prod"),
        now,
        "nothing came of it"
    );

    let reader = Browser::signed_in(&world, "eve", Role::Auditor);
    assert!(!reader.get(&page).text().contains(&form));
    assert_eq!(
        reader.fill_in(&form, &form, &with(&untouched, &[])).status,
        403
    );
    assert_eq!(
        browser.get("/console/applications/none/settings").status,
        404
    );
}

#[test]
fn who_would_lose_the_log_in_is_counted_and_asked_about() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.mira();
        for name in ["ann", "ben"] {
            world.user(json!({ "userName": name }));
        }
        world.group("staff", &[&mira]);
        ok(&console.post("/connectors", json!({"name": "other"})));
        let wish = json!({"name": "jira", "directories": ["default", "other"]});
        let id = ok(&console.post("/applications", wish))["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let preview = |directories: Value| {
            let wish = json!({ "directories": directories });
            ok(&console.post(&format!("/applications/{id}/preview"), wish))["items"].clone()
        };
        let gated = json!([{"directory": "default", "login_groups": ["STAFF", "nobody"]}]);
        assert_eq!(
            preview(gated),
            json!([
                {"directory": "default", "before": 3, "after": 1, "loses": 2, "unknown_groups": ["nobody"]},
                {"directory": "other", "before": 0, "after": null, "loses": 0, "unknown_groups": []},
            ])
        );
        assert_eq!(preview(json!(["default", "other"]))[0]["loses"], 0);

        let browser = Browser::signed_in(&world, "cleo", Role::Operator);
        let page = format!("/console/applications/{id}");
        let form = format!("{page}/settings");
        let mark = format!(" method=\"post\" action=\"{form}\"");
        let untouched = fields(&browser.get(&form), &mark);
        let seen = || console.show("/applications/jira")["directories"].clone();
        let before = seen();
        for (change, told) in [
            (
                vec![("groups.0", "staff")],
                "Of default, 2 accounts that may log in now can’t any more; one account can.",
            ),
            (
                vec![("place.0", "")],
                "default is no longer seen: 3 accounts that may log in now can’t any more.",
            ),
        ] {
            let asked = browser.fill_in(&form, &form, &with(&untouched, &change));
            assert_eq!(asked.status, 200, "{}", asked.text());
            assert!(asked.text().contains(told), "{told} in {}", asked.text());
            assert!(
                asked
                    .text()
                    .contains("Take the log-in with jira from people?")
            );
            assert_eq!(seen(), before, "nothing happens before it is said");
            if told.starts_with("Of") {
                let sure = fields(&asked, &mark);
                let done = browser.fill_in(&form, &form, &with(&sure, &[]));
                assert!(
                    done.text().contains("The application is changed."),
                    "{}",
                    done.text()
                );
                assert_eq!(seen()[0]["login_groups"], json!(["staff"]));
                // To let more in again is nothing to ask about.
                let back = browser.fill_in(&form, &form, &with(&untouched, &[]));
                assert!(
                    back.text().contains("The application is changed."),
                    "{}",
                    back.text()
                );
                assert_eq!(seen()[0]["login_groups"], Value::Null);
            }
        }
    });
}

#[test]
fn a_name_with_a_colon_could_not_sign_in_and_is_refused() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let refused = problem(&console.post("/applications", json!({"name": "jira:prod"})));
    assert_eq!(refused.0, 422);
    assert!(refused.1.contains("colon"), "{}", refused.1);
    ok(&console.post("/applications", json!({"name": "jira"})));
    let refused = problem(&console.patch("/applications/jira", json!({"name": "a:b"})));
    assert!(refused.1.contains("colon"), "{}", refused.1);
    let file = json!({"configuration": {"applications": [{"name": "a:b", "directories": [{"directory": "default"}]}]}});
    let planned = console.post("/configuration/plan", file);
    assert!(planned.text().contains("colon"), "{}", planned.text());
}

#[test]
fn a_product_with_a_wrong_password_is_told_of_on_its_page() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let jira = world.application("jira", Access::ReadOnly);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let wrong = basic("jira", "nothing");
    let ask = |credentials: &str| {
        let ask = Ask::new("GET", "/crowd/rest/usermanagement/1/user?username=x");
        world.send(ask.header("Authorization", credentials))
    };
    assert_eq!(ask(&wrong).status, 401);
    let page = browser.text("/console/applications/jira");
    for told in [
        "Refused <time",
        "its password was wrong",
        "Enter the application’s password again",
    ] {
        assert!(page.contains(told), "{told} in {page}");
    }
    assert!(!page.contains("It has not asked yet"), "{page}");
    assert_eq!(
        console.show("/applications/jira/position")["refused"]["why"],
        "password"
    );
    assert_eq!(ask(&jira.basic()).status, 404);
    assert!(
        !browser
            .text("/console/applications/jira")
            .contains("Refused")
    );
}

fn without_times(mut application: Value) -> Value {
    application["updated"] = Value::Null;
    application
}

#[test]
fn a_page_tells_how_far_its_product_has_read_and_what_to_do() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        // Numbers of another directory lie between.
        ok(&console.post("/connectors", json!({"name": "other"})));
        world.mira();
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let product = Product::reader(&world);
        let id = console.show("/applications")["items"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let page = || browser.text(&format!("/console/applications/{id}"));
        let position =
            || console.show(&format!("/applications/{id}/position"))["directories"][0].clone();
        let told = |expected: &str| {
            let text = page();
            assert!(text.contains(expected), "{expected} in {text}");
        };
        told("It has not asked yet.");
        told("press Synchronise there");

        assert_eq!(product.get("/event").status, 200);
        told("default: <span class=\"\">up to date</span>");
        assert_eq!(position()["changes_behind"], 0);

        world.user(json!({"userName": "ann"}));
        let begun = console.post(
            "/directories/other/imports",
            json!({"users": [{"name": "x"}, {"name": "y"}]}),
        );
        assert_eq!(begun.status, 202, "{}", begun.text());
        world.run(world.provision.work_off()).unwrap();
        world.user(json!({"userName": "ben"}));
        assert_eq!(position()["changes_behind"], 2, "{}", position());
        told("2 changes behind");
        told("every hour unless");
        world.wait(SignedDuration::from_hours(5));
        browser.sign_in("ann", PASSWORD);
        told("It has not asked for 5 h.");
        assert!(browser.get("/console").text().contains("2 changes behind"));
        assert_eq!(problem(&console.get("/applications/none/position")).0, 404);
    });
}

#[test]
fn a_webhook_is_seen_and_deleted() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    world.application("jira", Access::ReadOnly);
    let made = ok(&console.post(
        "/applications/jira/webhooks",
        json!({"url": "https://jira.example.com/hook"}),
    ));
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let page = "/console/applications/jira";
    assert!(
        browser
            .get(page)
            .text()
            .contains("https://jira.example.com/hook")
    );
    let number = made["id"].as_i64().unwrap();
    let ask = format!("{page}/webhooks/{number}/delete");
    assert!(
        browser
            .get(&ask)
            .text()
            .contains("https://jira.example.com/hook is told of nothing")
    );
    let gone = browser.fill_in(&ask, &ask, &[]);
    assert!(
        gone.text().contains("The webhook is deleted."),
        "{}",
        gone.text()
    );
    assert_eq!(
        console.show("/applications/jira/webhooks"),
        json!({"items": []})
    );
    assert_eq!(browser.get(&ask).status, 404);
    assert_eq!(
        browser.get(&format!("{page}/webhooks/x/delete")).status,
        404
    );
}
