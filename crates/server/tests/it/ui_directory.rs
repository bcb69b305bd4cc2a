//! What is set about a directory as a whole at the console, and groups of an identity provider: each shown first, then
//! done, without any script.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, each, ok};
use crate::scim_idp::*;
use crate::ui_browser::Browser;
use crate::world::World;

/// Where a page tells what was done.
const TOLD: &str = "<p class=\"note good\" role=\"status\">";

const DIRECTORY: &str = "/console/directories/default";

#[test]
fn people_are_kept_disabled_and_given_back_together() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        let place = format!("{DIRECTORY}/sticky");
        assert!(
            browser
                .get(&place)
                .text()
                .contains("Nobody is kept disabled.")
        );
        for name in ["ben", "cid", "dan"] {
            idp.user(name);
        }
        let status = |name: &str| {
            console.show(&format!("/directories/default/users/{name}"))["status"].clone()
        };

        let nobody = browser.fill_in(&place, &place, &[("users", " \n")]);
        assert_eq!(nobody.status, 422);
        assert!(nobody.text().contains("Name somebody"));
        let users = [
            ("users", "ben\r\n\r\n cid \r\nnobody\r\n"),
            ("until", "2027-01-01T00:00"),
        ];
        let asked = browser.fill_in(&place, &place, &users);
        for told in [
            "Take the log-in from 3 people?",
            "until 2027-01-01 00:00 UTC",
            "<li>cid</li>",
        ] {
            assert!(asked.text().contains(told), "{told} in {}", asked.text());
        }
        assert_eq!(status("ben"), "active", "nothing happened yet");
        let sure = [users[0], users[1], ("sure", "yes")];
        let done = browser.send_form(&asked, &place, &sure);
        for told in [
            "2 people are kept disabled from now on.",
            "<strong>nobody</strong>",
            "in 217 days",
        ] {
            assert!(done.text().contains(told), "{told} in {}", done.text());
        }
        assert_eq!(
            (status("ben"), status("dan")),
            (json!("disabled"), json!("active"))
        );
        // The answer tells whom it did not find; loaded again, it does nothing a second time.
        let again = browser.send_form(&asked, &place, &sure);
        assert_eq!(again.status, 409, "{}", again.text());
        let saved = browser.get(&format!("{place}.csv?reason=manual"));
        assert_eq!(
            saved.header("content-disposition").unwrap(),
            "attachment; filename=\"sticky-users.csv\""
        );
        assert_eq!(saved.text().lines().count(), 3, "{}", saved.text());

        let ask = format!("{place}/clear");
        let asked = browser.get(&format!("{ask}?reason=manual"));
        assert!(asked.text().contains("<li>ben</li>"), "{}", asked.text());
        let done = browser.fill_in(&ask, &ask, &[("reason", "manual")]);
        assert!(
            done.text()
                .contains("The rules decide about 2 people again."),
            "{}",
            done.text()
        );
        assert_eq!(status("cid"), "active");
    });
}

#[test]
fn a_reserved_name_is_seen_and_let_go() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let (console, idp) = (Console::new(&world), Idp::new(&world));
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let place = format!("{DIRECTORY}/reserved-names");
    assert!(browser.get(&place).text().contains("No name is reserved."));
    let mut rules = console.show("/connectors/idp/rules")["rules"].clone();
    rules["accounts"]["names_reserved_days"] = json!(30);
    let wish = json!({"rules": rules, "comment": "keep names"});
    ok(&console.put("/connectors/idp/rules", wish));
    let ben = idp.user("ben");
    idp.patch(
        &format!("/Users/{ben}"),
        &json!([{"op": "replace", "path": "userName", "value": "benny"}]),
    );
    let page = browser.get(&place);
    for told in [">ben</th>", ">benny</a>", "renamed", "in 30 days"] {
        assert!(page.text().contains(told), "{told} in {}", page.text());
    }
    let ask = format!("{place}/ben/release");
    assert!(browser.get(&ask).text().contains("Let the name ben go?"));
    let done = browser.fill_in(&ask, &ask, &[]);
    assert!(done.text().contains("The name ben is let go."));
    assert!(done.text().contains("No name is reserved."));
}

#[test]
fn an_order_of_connectors_is_tried_before_it_counts() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let place = format!("{DIRECTORY}/precedence");
    for name in ["hr", "it"] {
        ok(&console.post(
            "/connectors",
            json!({"name": name, "preset": "generic", "directory": "default"}),
        ));
    }
    let page = browser.get(&place);
    assert!(
        page.text()
            .contains("Connectors do not share accounts here"),
        "{}",
        page.text()
    );
    let wish = [
        ("order0", "hr"),
        ("order1", "it"),
        ("order2", "-"),
        ("order3", "-"),
        ("target0", "email"),
        ("targets0", "it, hr"),
        ("target1", "attr:"),
        ("attribute1", "phone"),
        ("targets1", "hr"),
    ];
    let tried = browser.fill_in(&place, &place, &wish);
    assert_eq!(tried.status, 200, "{}", tried.text());
    assert!(
        tried.text().contains("What it would change"),
        "{}",
        tried.text()
    );
    let present = || console.show("/directories/default/precedence")["precedence"].clone();
    assert_eq!(present(), Value::Null, "only tried");
    let text = tried.text().to_owned();
    let (_, shown) = text.split_once("name=\"tried\" value=\"").unwrap();
    let shown = shown
        .split('"')
        .next()
        .unwrap()
        .replace("&#34;", "\"")
        .replace("&quot;", "\"");
    let done = browser.fill_in(&place, &place, &[("tried", &shown)]);
    assert!(done.text().contains("It is in force."), "{}", done.text());
    let expected =
        json!({"order": ["hr", "it"], "targets": {"email": ["it", "hr"], "attr:phone": ["hr"]}});
    assert_eq!(present(), expected);
    let wrong = browser.fill_in(&place, &place, &[("order0", "nowhere")]);
    assert!(
        wrong.status >= 400 && wrong.text().contains("nowhere"),
        "{}",
        wrong.text()
    );
    let ask = format!("{place}/end");
    assert!(
        browser
            .get(&ask)
            .text()
            .contains("spoken of by one connector alone?")
    );
    let ended = browser.fill_in(&ask, &ask, &[]);
    assert_eq!(ended.status, 200, "{}", ended.text());
    assert_eq!(present(), Value::Null);
}

#[test]
fn groups_of_the_identity_provider_are_all_shown_and_decided_about() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let (console, idp) = (Console::new(&world), Idp::new(&world));
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let place = "/console/connectors/idp/source-groups";
    assert!(
        browser
            .get(place)
            .text()
            .contains("has pushed no group yet")
    );
    let ben = idp.user("ben");
    let id = idp.group("team", &[&ben]);
    let list = browser.get(place);
    for told in [">team</a>", ">assigned</span>"] {
        assert!(list.text().contains(told), "{told} in {}", list.text());
    }
    let group = format!("{place}/{id}");
    let ask = format!("{group}/rename");
    let asked = browser.get(&format!("{ask}?name=crew"));
    assert!(
        asked.text().contains("Its one member get")
            || asked.text().contains("gets crew in place of team"),
        "{}",
        asked.text()
    );
    let groups = || {
        let person = console.show("/directories/default/users/ben");
        each(&json!({"items": person["memberships"]}), "group")
    };
    let renamed = browser.fill_in(&format!("{ask}?name=crew"), &ask, &[("name", "crew")]);
    assert!(renamed.text().contains(TOLD), "{}", renamed.text());
    assert_eq!(groups(), ["crew"]);
    assert!(browser.get(&group).text().contains("Name by decision"));
    for (decision, after) in [
        ("follow", vec!["team"]),
        ("ignore", vec![]),
        ("follow", vec!["team"]),
    ] {
        let ask = format!("{group}/{decision}");
        assert_eq!(browser.get(&ask).status, 200);
        let decided = browser.fill_in(&ask, &ask, &[]);
        assert!(decided.text().contains(TOLD), "{}", decided.text());
        assert_eq!(groups(), after, "{decision}");
    }
    assert_eq!(browser.get(&format!("{group}/nonsense")).status, 404);
    assert_eq!(browser.get("/console/no/such/page").status, 404);
    assert!(
        browser
            .get("/console/no/such/page")
            .text()
            .contains("There is no such page.")
    );
}
