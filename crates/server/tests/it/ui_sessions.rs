//! Sessions of the console: administrators see and end their own, owners those of others.

use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use serde_json::json;
use store::Role;

use crate::api_console::{Console, each, ok, problem};
use crate::http::Ask;
use crate::ui_browser::{Browser, PASSWORD};
use crate::world::World;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Signs somebody in with a browser that has a name.
fn sign_in_with(browser: &Browser<'_>, name: &str, agent: &str) {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", name), ("password", PASSWORD), ("next", "")])
        .finish();
    let ask = Ask::new("POST", "/console/sign-in")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Sec-Fetch-Site", "same-origin")
        .header("User-Agent", agent);
    assert_eq!(browser.ask(ask.body(body)).status, 303);
}

#[test]
fn somebody_sees_where_they_are_signed_in_and_ends_what_they_do_not_know() {
    on_each_database(|database| {
        let world = World::new(database);
        let here = Browser::signed_in(&world, "ann", Role::Auditor);
        let other = Browser::new(&world);
        world.wait(SignedDuration::from_mins(1));
        sign_in_with(&other, "ann", FIREFOX);
        assert_eq!(other.get("/console").status, 200);
        let page = here.get("/console/account");
        assert!(
            page.text().contains("Where you are signed in"),
            "{}",
            page.text()
        );
        assert_eq!(page.text().matches("this one").count(), 1);
        let firefox = page.text().split("Firefox on Linux").nth(1).unwrap();
        let row = firefox.split("</tr>").next().unwrap();
        assert!(row.contains("127.0.0.1"), "{row}");
        let end = row.split("action=\"").nth(1).unwrap();
        let end = end.split('"').next().unwrap();
        let ended = here.fill_in("/console/account", end, &[]);
        assert!(
            ended.text().contains("The session is ended."),
            "{}",
            ended.text()
        );
        assert_eq!(other.get("/console").status, 303, "it is signed out");
        assert_eq!(here.get("/console").status, 200);
        assert!(
            !here
                .get("/console/account")
                .text()
                .contains("Firefox on Linux")
        );
        // It is gone: the page says so.
        let again = here.fill_in("/console/account", end, &[]);
        assert_eq!(again.status, 404);
        assert!(again.text().contains("There is no session"));
        // Nobody ends the session of somebody else in that way.
        let ben = Browser::signed_in(&world, "ben", Role::Owner);
        let page = here.get("/console/account");
        assert_eq!(page.text().matches("/end\"").count(), 0);
        let console = Console::new(&world);
        let id = each(&ok(&console.get("/administrators/ann/sessions")), "id").remove(0);
        let place = format!("/console/account/sessions/{id}/end");
        assert_eq!(ben.fill_in("/console/account", &place, &[]).status, 404);
        assert_eq!(here.get("/console").status, 200);
    });
}

#[test]
fn an_owner_sees_and_ends_the_sessions_of_others() {
    on_each_database(|database| {
        let world = World::new(database);
        let owner = Browser::signed_in(&world, "ann", Role::Owner);
        let ben = Browser::signed_in(&world, "ben", Role::Operator);
        let again = Browser::new(&world);
        sign_in_with(&again, "ben", "<b>curl</b>");
        let listed = owner.get("/console/administrators");
        let place = listed.text().split("/sessions\"").nth(1).unwrap();
        assert!(place.contains("of ben"), "{place}");
        let console = Console::new(&world);
        let path = "/administrators/ben/sessions";
        let sessions = ok(&console.get(path));
        assert_eq!(each(&sessions, "id").len(), 2);
        assert_eq!(sessions["items"][0]["user_agent"], "<b>curl</b>");
        assert_eq!(sessions["items"][0]["address"], "127.0.0.1");
        assert_eq!(sessions["items"][0]["waits_for_second_factor"], false);
        assert!(!sessions.to_string().contains("vst_session"));

        let page = "/console/administrators/ben/sessions";
        let shown = owner.get(page);
        assert!(
            shown.text().contains("Where <bdi>ben</bdi> is signed in"),
            "{}",
            shown.text()
        );
        assert!(!shown.text().contains("<b>curl"));
        let newest = each(&sessions, "id").remove(0);
        assert_eq!(
            owner
                .fill_in(page, &format!("{page}/{newest}/end"), &[])
                .status,
            200
        );
        assert_eq!(
            (again.get("/console").status, ben.get("/console").status),
            (303, 200)
        );
        // Neither looked at nor ended by those who own nothing.
        for (method, path) in [("GET", path), ("DELETE", path)] {
            let wish = json!({"label": "looker", "role": "operator"});
            let made = ok(&console.post("/tokens", wish));
            let other = Console::with_token(&world, made["token"].as_str().unwrap());
            assert_eq!(problem(&world.send(other.ask(method, path))).0, 403);
        }
        assert_eq!(ben.get(page).status, 403);
        assert!(
            !ben.get("/console/administrators")
                .text()
                .contains("/sessions\"")
        );
        assert_eq!(owner.fill_in(page, page, &[]).status, 200);
        assert_eq!(ben.get("/console").status, 303);
        assert!(owner.get(page).text().contains("signed in nowhere"));
        assert_eq!(ok(&console.delete(path))["ended"], 0);
        assert_eq!(console.delete(&format!("{path}/{newest}")).status, 404);
        assert_eq!(console.get("/administrators/nobody/sessions").status, 404);
        assert_eq!(
            console.get("/account/sessions").status,
            403,
            "a token has no account"
        );
    });
}

#[test]
fn sessions_that_ended_are_not_listed_and_a_renewed_one_is_this_one() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    world.wait(SignedDuration::from_mins(31));
    browser.sign_in("ann", PASSWORD);
    let console = Console::new(&world);
    let count = || each(&ok(&console.get("/administrators/ann/sessions")), "id").len();
    assert_eq!(count(), 1);
    let fresh = "violet anchor window thunder";
    let set = [("present", PASSWORD), ("new", fresh), ("again", fresh)];
    let changed = browser.fill_in("/console/account", "/console/account/password", &set);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.text().matches("this one").count(), 1);
    assert_eq!(count(), 1);
}
