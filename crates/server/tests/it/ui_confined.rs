//! An administrator who is confined to some connectors, at the console: every page that is offered shows what is within
//! reach, and nothing asks for more.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::json;
use store::{Rights, Role};

use crate::api_console::{Console, ok};
use crate::http::Answer;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::World;

#[test]
fn pages_show_what_is_within_reach_and_lead_nowhere_else() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let (console, idp) = (Console::new(&world), Idp::new(&world));
    let other = idp.stranger();
    ok(&console.patch(
        "/connectors/other",
        json!({"settings": {"limits": {"deactivations": {"at_least": 1}}}}),
    ));
    idp.user("theirs");
    for name in ["one", "two", "mine"] {
        let id = other.user(name);
        let operations = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(
            other.patch(&format!("/Users/{id}"), &operations).status,
            200
        );
    }
    console.call("/connectors/other/reconcile");
    let all = console.show("/connectors");
    let all = all["items"].as_array().unwrap();
    let id = |name: &str| all.iter().position(|one| one["name"] == name).unwrap();
    assert!(id("other") > id("idp"));
    let within = world.run(async {
        let store = world.provision.store();
        let found = store.read(|tx| tx.find_connector("other")).await.unwrap();
        found.unwrap().connector.id
    });
    let rights = Rights {
        role: Role::Operator,
        connectors: Some(vec![within]),
    };
    let browser = Browser::with_rights(&world, "ann", rights);
    let overview = browser.get("/console");
    for told in [">other</a>", "Wait for a decision", "The last 24 hours"] {
        assert!(
            overview.text().contains(told),
            "{told} in {}",
            overview.text()
        );
    }
    for hidden in [
        ">idp</a>",
        "Products",
        "/console/setup",
        "/console/applications",
        "/console/settings",
    ] {
        assert!(
            !overview.text().contains(hidden),
            "{hidden} in {}",
            overview.text()
        );
    }
    // What the menu and the overview offer is there.
    all_lead_somewhere(&browser, &overview);
    // So is what a person's page offers, and the steps of the own connector.
    let people = browser.get("/console/people");
    let person = places_of(&people)
        .into_iter()
        .find(|place| place.contains("/users/"));
    let person = browser.get(&person.unwrap());
    assert!(person.text().contains("History"), "{}", person.text());
    assert!(!person.text().contains("Products</h2>"));
    all_lead_somewhere(&browser, &person);
    let steps = browser.get("/console/connectors/other/setup");
    assert!(steps.text().contains("How far it is"), "{}", steps.text());
    assert!(!steps.text().contains("/console/applications"));
    all_lead_somewhere(&browser, &steps);
    for (place, mine, theirs) in [
        ("/console/holds", "mine", ">idp<"),
        ("/console/jobs", "other", ">idp<"),
        ("/console/activity", "two", "theirs"),
        ("/console/activity/live", "two", "theirs"),
        ("/console/people", "mine", "theirs"),
        (
            "/console/groups",
            "There is no group yet",
            "not within your reach",
        ),
        ("/console/journal", "mine", "theirs"),
    ] {
        let page = browser.get(place);
        assert_eq!(page.status, 200, "{place}: {}", page.text());
        assert!(
            page.text().contains(mine),
            "{mine} at {place}: {}",
            page.text()
        );
        assert!(
            !page.text().contains(theirs),
            "{theirs} at {place}: {}",
            page.text()
        );
    }
    // The directory is fed by another as well from now on.
    let wish = json!({"name": "third", "preset": "okta", "directory": "other"});
    ok(&console.post("/connectors", wish));
    let people = browser.get("/console/people");
    assert!(
        people.text().contains("not within your reach"),
        "{}",
        people.text()
    );
    let journal = browser.get("/console/journal");
    assert!(
        journal.text().contains("not within your reach"),
        "{}",
        journal.text()
    );
}

/// Where a page leads within the console.
fn places_of(page: &Answer) -> Vec<String> {
    let text = page.text();
    let places = text
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let inside = places.filter(|place| place.starts_with("/console"));
    inside
        .map(|place| place.replace("&amp;", "&").replace("&#38;", "&"))
        .collect()
}

fn all_lead_somewhere(browser: &Browser<'_>, page: &Answer) {
    assert_eq!(page.status, 200, "{}", page.text());
    for place in places_of(page) {
        let answer = browser.get(&place);
        assert_eq!(answer.status, 200, "{place}: {}", answer.text());
    }
}

#[test]
fn pages_without_anything_say_what_comes_next_and_offer_only_what_one_may() {
    on_each_database(|database| {
        let world = World::fresh(database);
        let console = Console::new(&world);
        let owner = Browser::signed_in(&world, "ann", Role::Owner);
        let auditor = Browser::signed_in(&world, "aud", Role::Auditor);
        let make = "Make an application";
        assert!(owner.text("/console").contains(make));
        assert!(!auditor.text("/console").contains(make));
        let told = "There is no application yet.";
        assert!(auditor.text("/console/applications").contains(told));
        assert!(
            owner
                .text("/console/applications")
                .contains("Sees the directory")
        );
        let journal = owner.text("/console/journal");
        assert!(
            journal.contains("Nothing has changed so far. Every change"),
            "{journal}"
        );
        assert!(!journal.contains("Undo something"), "{journal}");

        assert!(console.delete("/connectors/default").status < 300);
        world.run(world.provision.work_off()).unwrap();
        assert!(console.delete("/directories/default").status < 300);
        world.run(world.provision.work_off()).unwrap();
        let told = "There is no connector yet.";
        assert!(auditor.text("/console/connectors").contains(told));
        let page = owner.text("/console/applications");
        assert!(page.contains("href=\"/console/setup\""), "{page}");
        assert!(!page.contains("Sees the directory"), "{page}");
        assert!(!owner.text("/console").contains(make));
    });
}
