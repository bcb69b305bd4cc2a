//! The checklist of a set-up, and links for somebody without an account.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::Role;

use crate::api_console::Console;
use crate::http::Ask;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::{Product, World};

/// State and what was seen, by check.
fn check(console: &Console<'_>, name: &str) -> (String, String, String) {
    let list = console.get("/connectors/idp/checklist").json();
    let items = list["items"].as_array().unwrap();
    let one = items.iter().find(|one| one["check"] == name).unwrap();
    let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
    (text("state"), text("seen"), text("remedy"))
}

#[track_caller]
fn told(console: &Console<'_>, name: &str, state: &str, seen: &str, remedy: &str) {
    let found = check(console, name);
    assert!(
        found.0 == state && found.1.contains(seen) && found.2.contains(remedy),
        "{name}: {found:?}"
    );
}

#[test]
fn each_thing_is_told_when_it_happens_and_when_it_is_refused() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let idp = Idp::new(&world);
        told(
            &console,
            "reached",
            "waiting",
            "Nothing has come",
            "public_url",
        );

        let wrong = Ask::new("GET", format!("{}/Users", idp.base))
            .header("Authorization", "Bearer vst_scim_no");
        assert_eq!(world.send(wrong).status, 401);
        told(&console, "reached", "done", "GET /Users", "");
        told(&console, "tested", "failed", "401", "token");
        assert_eq!(idp.get("/Users?startIndex=1&count=2").status, 200);
        told(&console, "tested", "done", "", "");

        told(&console, "user", "waiting", "Nobody", "Assign");
        assert_eq!(
            idp.post("/Users", &json!({ "displayName": "x" })).status,
            400
        );
        told(&console, "user", "failed", "400", "");
        let ann = idp.user("ann");
        told(&console, "user", "done", "1 user arrived", "");

        told(&console, "group", "waiting", "", "Push");
        let later = "00000000-0000-0000-0000-00000000abcd";
        let group = idp.group("team", &[later]);
        told(&console, "group", "done", "1 group", "");
        told(&console, "membership", "failed", later, "Assign the people");
        idp.patch(
            &format!("/Groups/{group}"),
            &json!([{ "op": "add", "path": "members", "value": [{ "value": ann }] }]),
        );
        told(&console, "membership", "done", "", "");

        told(
            &console,
            "attached",
            "waiting",
            "No application",
            "Make an application",
        );
        let product = Product::reader(&world);
        told(
            &console,
            "attached",
            "waiting",
            "reader has not signed in",
            "test button",
        );
        let basic = crate::world::basic("reader", "wrong");
        let path = "/crowd/rest/usermanagement/1/config/cookie";
        let refused = world.send(Ask::new("GET", path).header("Authorization", &basic));
        assert_eq!(refused.status, 401);
        told(
            &console,
            "attached",
            "failed",
            "reader came from 127.0.0.1",
            "password again",
        );
        assert_eq!(product.get("/config/cookie").status, 200);
        told(&console, "attached", "done", "reader has signed in", "");
        told(&console, "fetched", "waiting", "", "Synchronise");
        assert_eq!(product.get("/event").status, 200);
        told(&console, "fetched", "done", "reader has everything", "");
        let list = console.get("/connectors/idp/checklist").json();
        assert_eq!(list["complete"], true, "{list}");
        idp.user("bob");
        told(&console, "fetched", "done", "reader is 1 change behind", "");
        let other = console
            .get("/connectors/idp/checklist?application=nobody")
            .json();
        assert_eq!(other["complete"], false);
        assert_eq!(console.get("/connectors/none/checklist").status, 404);
    });
}

#[test]
fn a_connector_becomes_one_for_another_identity_provider() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let changed = console.patch("/connectors/idp", json!({ "preset": "google" }));
        assert_eq!(changed.status, 200, "{}", changed.text());
        assert_eq!(console.get("/connectors/idp").json()["preset"], "google");
        told(&console, "group", "skipped", "sends no groups", "rules");
    });
}

/// The link as a path of this server.
fn path(made: &Value) -> String {
    let link = made["link"].as_str().unwrap();
    let (_, rest) = link.split_once("/connect/").unwrap();
    format!("/connect/{rest}")
}

#[test]
fn a_link_shows_one_connector_and_makes_its_token() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let links = "/connectors/idp/setup-links";
        for days in [0, 31] {
            assert_eq!(console.post(links, json!({ "days": days })).status, 422);
        }
        let made = console.post(links, json!({})).json();
        let page = path(&made);

        // Without an account: base URL, steps and checklist of this connector, and nothing of products.
        let guest = Browser::new(&world);
        let shown = guest.get(&page);
        assert_eq!(shown.status, 200, "{}", shown.text());
        let base = format!("http://{}/scim/v2/", world.address);
        assert!(
            shown.text().contains(&base) && shown.text().contains("The first user has arrived")
        );
        assert!(!shown.text().contains("The product is attached"));
        assert_eq!(guest.get("/console").status, 303);
        assert_eq!(guest.get("/console/connectors/idp/setup").status, 303);

        let token = |page: &str| {
            let before = guest.get(page).text().to_owned();
            let (_, before) = before.split_once("name=\"before\" value=\"").unwrap();
            let before = before.split('"').next().unwrap();
            let shown = guest.submit(page, &[("before", before)]);
            let text = shown.text().to_owned();
            let (_, rest) = text
                .split_once("data-copy=\"vst_scim_")
                .unwrap_or_else(|| panic!("{text}"));
            format!("vst_scim_{}", rest.split('"').next().unwrap())
        };
        let idp = Idp::new(&world);
        let status = |token: &str| {
            let ask = Ask::new("GET", format!("{}/Users", idp.base));
            world
                .send(ask.header("Authorization", &format!("Bearer {token}")))
                .status
        };
        let first = token(&page);
        assert_eq!(status(&first), 200);
        assert!(
            !guest.get(&page).text().contains(&first),
            "it is shown once"
        );
        let second = token(&page);
        assert_eq!(
            (status(&first), status(&second)),
            (401, 200),
            "there is one at a time"
        );
        let found = guest.get(&format!("{page}/checklist"));
        assert!(
            found.text().contains("The credential was right"),
            "{}",
            found.text()
        );

        // A form from elsewhere makes nothing.
        let ask = Ask::new("POST", &page).header("Sec-Fetch-Site", "cross-site");
        assert_eq!(world.send(ask).status, 403);

        let listed = console.get(links).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
        assert!(listed["items"][0]["last_opened"].is_string());
        assert!(!listed.to_string().contains("vst_setup_"));
        let id = made["id"].as_str().unwrap();
        assert_eq!(console.delete(&format!("{links}/{id}")).status, 204);
        assert_eq!(console.delete(&format!("{links}/{id}")).status, 404);
        assert_eq!(guest.get(&page).status, 404);
        assert_eq!(guest.submit(&page, &[]).status, 404);
        assert_eq!(status(&second), 200, "the token stays");

        let short = path(&console.post(links, json!({ "days": 1 })).json());
        assert_eq!(guest.get(&short).status, 200);
        world.wait(SignedDuration::from_hours(24));
        let ended = guest.get(&short);
        assert_eq!(ended.status, 404);
        let page = ended.text();
        assert!(page.contains("This link does not work any more"), "{page}");
        assert!(
            !page.contains("/console\""),
            "nobody is led to a console without an account"
        );
        for text in ["x", "vst_setup_x", "../console"] {
            assert_eq!(guest.get(&format!("/connect/{text}")).status, 404);
        }
    });
}

#[test]
fn an_administrator_makes_and_takes_back_links_on_the_page() {
    let database = emulate::databases::TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let page = "/console/connectors/idp/setup";
    let links = "/console/connectors/idp/setup-links";
    let made = browser.fill_in(page, links, &[("days", "7")]);
    assert!(
        made.text().contains("/connect/vst_setup_"),
        "{}",
        made.text()
    );
    let shown = browser.get(page);
    assert!(!shown.text().contains("vst_setup_"));
    let (_, rest) = shown.text().split_once("setup-links/").unwrap();
    let id = rest.split('/').next().unwrap().to_owned();
    let revoked = browser.fill_in(page, &format!("{links}/{id}/revoke"), &[]);
    assert!(revoked.text().contains("The link is revoked."));
    assert!(!browser.get(page).text().contains("Take back"));
    let auditor = Browser::signed_in(&world, "bob", Role::Auditor);
    assert!(!auditor.get(page).text().contains("Make a link"));
}

#[test]
fn who_has_atlassian_cloud_is_told_the_truth_and_led_on_with_the_connector() {
    on_each_database(|database| {
        let world = World::fresh(database);
        let browser = Browser::signed_in(&world, "ann", Role::Owner);
        assert!(browser.text("/console/setup").contains("Atlassian Cloud"));
        let begun = browser.fill_in(
            "/console/setup",
            "/console/setup",
            &[("provider", "okta"), ("product", "cloud")],
        );
        let text = begun.text();
        assert!(text.contains("nothing is provisioned there"), "{text}");
        assert!(text.contains("vst_scim_"), "{text}");
        assert!(!text.contains("Okta to "), "{text}");
        let console = Console::new(&world);
        assert_eq!(console.show("/applications")["items"], json!([]));

        let place = "/console/connectors/okta/setup";
        let page = browser.text(&format!("{place}?product=cloud"));
        assert!(!page.contains("The product is attached"), "{page}");
        assert!(page.contains("/console/directories/okta"), "{page}");
        let live = "/console/connectors/okta/checklist?application=&product=cloud";
        assert!(page.contains("product=cloud"), "{page}");
        assert!(!browser.text(live).contains("The product has fetched"));
        // No dead end: a product of one's own can be attached from here.
        let attached = browser.fill_in(
            &format!("{place}?product=cloud"),
            &format!("{place}?product=cloud"),
            &[("product", "jira")],
        );
        assert!(
            attached.text().contains("Okta to Jira"),
            "{}",
            attached.text()
        );
        let page = browser.text(place);
        assert!(page.contains("The product is attached"), "{page}");
        let again = browser.text(&format!("{place}?product=cloud"));
        assert!(again.contains("nothing is provisioned there"), "{again}");
        let wrong = browser.fill_in(place, place, &[("product", "cloud")]);
        assert!(wrong.status < 500);
        assert_eq!(
            console.show("/applications")["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    });
}
