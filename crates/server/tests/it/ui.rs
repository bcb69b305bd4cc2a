//! The console as people meet it: signing in, looking, changing, and what is kept from them.

use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use serde_json::json;
use store::{Access, Role};

use crate::http::Ask;
use crate::ui_browser::{Browser, PASSWORD, form_token, without_own_scripts};
use crate::world::World;

fn on_both(story: impl Fn(&World)) {
    on_each_database(|database| story(&World::new(database)));
}

/// The part of a link that belongs to this server.
fn path_of(link: &str) -> String {
    let (_, rest) = link.split_once("/console/").unwrap();
    format!("/console/{rest}")
}

#[test]
fn the_first_link_makes_an_owner_and_is_good_once() {
    on_both(|world| {
        let made = world.run(world.provision.invite_first()).unwrap().unwrap();
        let link = format!("/console/welcome/{}", made.secret.reveal());
        let browser = Browser::new(world);
        assert!(
            browser
                .get(&link)
                .text()
                .contains("You will be <strong>owner</strong>")
        );
        let fill = |password: &str, again: &str| {
            browser.submit(
                &link,
                &[("name", "Ann"), ("password", password), ("again", again)],
            )
        };
        for (password, again, wrong) in [
            (PASSWORD, "something else entirely", "not the same"),
            ("short", "short", "15 characters"),
            (
                "passwordpassword",
                "passwordpassword",
                "known from a breach",
            ),
            ("annannannannannann", "annannannannannann", "easily guessed"),
        ] {
            let refused = fill(password, again);
            assert_eq!(refused.status, 422);
            assert!(refused.text().contains(wrong), "{}", refused.text());
        }
        let accepted = fill(PASSWORD, PASSWORD);
        assert_eq!(
            (accepted.status, accepted.header("location")),
            (303, Some("/console/setup"))
        );
        assert!(
            browser
                .get("/console")
                .text()
                .contains("Ann</a> <span class=\"role\">owner")
        );
        assert_eq!(Browser::new(world).get(&link).status, 404);
        // With somebody there, no start makes another link.
        assert!(world.run(world.provision.invite_first()).unwrap().is_none());
    });
}

#[test]
fn wrong_passwords_cost_time_and_right_ones_open() {
    on_both(|world| {
        Browser::signed_in(world, "ann", Role::Owner);
        let stranger = Browser::new(world);
        for _ in 0..5 {
            assert_eq!(stranger.sign_in("ann", "wrong").status, 401);
        }
        assert_eq!(stranger.sign_in("nobody", "wrong").status, 401);
        // Even the right one is not looked at now.
        assert_eq!(stranger.sign_in("ann", PASSWORD).status, 429);
        world.wait(SignedDuration::from_secs(2));
        assert_eq!(stranger.sign_in("ANN", PASSWORD).status, 303);
        assert_eq!(stranger.get("/console").status, 200);
    });
}

#[test]
fn a_session_ends_unused_by_signing_out_and_in_any_case() {
    on_both(|world| {
        let browser = Browser::signed_in(world, "ann", Role::Owner);
        world.wait(SignedDuration::from_mins(29));
        assert_eq!(browser.get("/console").status, 200);
        world.wait(SignedDuration::from_mins(29));
        assert_eq!(browser.get("/console").status, 200);
        world.wait(SignedDuration::from_mins(31));
        let gone = browser.get("/console/people?search=a");
        assert_eq!(gone.status, 303);
        let target = gone.header("location").unwrap();
        assert_eq!(
            target,
            "/console/sign-in?next=%2Fconsole%2Fpeople%3Fsearch%3Da"
        );

        browser.sign_in("ann", PASSWORD);
        for _ in 0..25 {
            world.wait(SignedDuration::from_mins(29));
            browser.get("/console");
        }
        assert_eq!(browser.get("/console").status, 303, "twelve hours are over");

        browser.sign_in("ann", PASSWORD);
        let other = Browser::new(world);
        other.sign_in("ann", PASSWORD);
        browser.fill_in("/console", "/console/sign-out", &[]);
        assert_eq!(browser.get("/console").status, 303);
        assert_eq!(other.get("/console").status, 200);
    });
}

#[test]
fn forms_from_elsewhere_are_refused() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let pause = "/console/connectors/idp/state";
    assert_eq!(browser.submit(pause, &[("state", "paused")]).status, 403);
    let wrong = [("state", "paused"), ("form_token", "x")];
    assert_eq!(browser.submit(pause, &wrong).status, 403);
    let token = form_token(&browser.get("/console"));
    let body = format!("state=paused&form_token={token}");
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ] {
        let ask = Ask::new("POST", pause)
            .header(name, value)
            .body(body.clone());
        assert_eq!(browser.ask(ask).status, 403, "{name}: {value}");
    }
    let other = Browser::signed_in(&world, "bob", Role::Owner);
    let stolen = [("state", "paused"), ("form_token", token.as_str())];
    assert_eq!(other.submit(pause, &stolen).status, 403);
    let paused = browser.fill_in("/console/connectors/idp", pause, &[("state", "paused")]);
    assert_eq!(paused.status, 200);
    assert!(paused.text().contains("The connector is paused"));
}

#[test]
fn a_connector_is_made_paused_and_given_rules_in_the_browser() {
    on_both(|world| {
        let browser = Browser::signed_in(world, "ann", Role::Operator);
        let wish = [("name", "Okta EU"), ("preset", "okta")];
        let made = browser.fill_in("/console/connectors", "/console/connectors", &wish);
        assert!(made.text().contains("vst_scim_"), "{}", made.text());
        assert!(
            !browser
                .get("/console/connectors/Okta%20EU")
                .text()
                .contains("vst_scim_")
        );
        let again = browser.fill_in("/console/connectors", "/console/connectors", &wish);
        assert_eq!(again.status, 409);
        assert!(again.text().contains("exists already"));

        let place = "/console/connectors/Okta%20EU/rules";
        let wrong = r#"{"groups": {"only_assign": ["re:("]}}"#;
        let refused = browser.fill_in(place, place, &[("rules", wrong), ("do", "preview")]);
        assert_eq!(refused.status, 422);
        assert!(
            refused.text().contains("groups.only_assign[0]"),
            "{}",
            refused.text()
        );
        let page = "/console/connectors/Okta%20EU/tokens";
        let wish = |from| {
            let access = ("access", "read-only");
            [
                ("label", "second"),
                access,
                ("days", "30"),
                ("addresses", from),
            ]
        };
        let wrong = browser.fill_in(page, page, &wish("somewhere"));
        assert_eq!(wrong.status, 422);
        assert!(
            wrong.text().contains("value=\"somewhere\""),
            "{}",
            wrong.text()
        );
        let token = browser.fill_in(page, page, &wish("192.0.2.7"));
        assert!(token.text().contains("vst_scim_"));
        let listed = browser.get(page);
        assert!(listed.text().contains("<td data-label=\"From\">192.0.2.7"));
        let revoke = listed.text().split("/tokens/").nth(1).unwrap();
        let revoke = format!("{page}/{}", revoke.split('"').next().unwrap());
        assert!(
            browser
                .get(&revoke)
                .text()
                .contains("It stops working at once")
        );
        let done = browser.fill_in(&revoke, &revoke, &[]);
        assert!(done.text().contains("is revoked."), "{}", done.text());
    });
}

#[test]
fn people_and_groups_are_found_and_explained_and_nothing_they_are_called_is_markup() {
    on_both(|world| {
        let evil = "<script>alert(1)</script>";
        let mira = world.user(json!({
            "userName": "mira", "displayName": evil,
            "name": {"givenName": "\"><img src=x onerror=alert(1)>"},
            "emails": [{"value": "mira@example.test", "primary": true}],
        }));
        world.group(evil, &[&mira]);
        let browser = Browser::signed_in(world, evil, Role::Auditor);
        let found = browser.get("/console/people?directory=default&search=mi");
        assert!(found.text().contains(">mira</a>"));
        let place = found
            .text()
            .split("href=\"")
            .find(|rest| rest.contains(">mira</a>"))
            .unwrap();
        let place = place.split('"').next().unwrap().to_owned();
        let person = browser.get(&place);
        for told in [
            "mira@example.test",
            "the identity provider says active",
            "the identity provider’s group",
            "appears, active",
        ] {
            assert!(person.text().contains(told), "{told} in {}", person.text());
        }
        let asked = browser.get(&format!("{place}?group=no-such-group"));
        assert!(
            asked
                .text()
                .contains("<bdi>mira</bdi> is not in <bdi>no-such-group</bdi>")
        );
        let group = format!(
            "/console/directories/default/groups/{}",
            "%3Cscript%3Ealert%281%29%3C%2Fscript%3E"
        );
        assert!(browser.get(&group).text().contains(">mira</a>"));
        let pages = [
            "/console",
            "/console/people?directory=default",
            "/console/groups?directory=default",
            "/console/journal?directory=default",
            "/console/activity",
            "/console/activity?status=4xx&operation=create_user&since=2020-01-01T00:00",
            "/console/administrators",
            "/console/settings",
            "/console/journal?directory=default&user=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
            "/console/applications",
            "/console/connectors",
            place.as_str(),
            group.as_str(),
            "/console/people?search=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
            "/console/activity?name=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        ];
        for page in pages {
            let answer = browser.get(page);
            assert_eq!(answer.status, 200, "{page}: {}", answer.text());
            let text = without_own_scripts(answer.text());
            assert!(!text.contains("<script"), "{page}");
            assert!(!answer.text().contains("<img"), "{page}");
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'"), "{policy}");
        }
        assert_eq!(
            browser
                .get("/console/directories/default/users/nobody")
                .status,
            404
        );
        assert_eq!(
            browser.get("/console/directories/nowhere/groups/x").status,
            404
        );
    });
}

#[test]
fn an_application_is_made_renewed_and_deleted_after_being_asked() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    assert!(
        browser
            .get("/console")
            .text()
            .contains("No product fetches a directory yet")
    );
    let wish = [
        ("name", "jira"),
        ("directory", "default"),
        ("access", "read-only"),
    ];
    let made = browser.fill_in("/console/applications", "/console/applications", &wish);
    assert!(made.text().contains("vst_app_"), "{}", made.text());
    let page = made.text().split("/console/applications/").nth(1).unwrap();
    let page = page.split(['/', '"']).next().unwrap();
    let page = format!("/console/applications/{page}");
    assert!(browser.get("/console").text().contains("not fetched yet"));
    let ask = format!("{page}/password");
    assert!(
        browser
            .get(&ask)
            .text()
            .contains("The old one stops working at once")
    );
    assert!(browser.fill_in(&ask, &ask, &[]).text().contains("vst_app_"));
    let ask = format!("{page}/delete");
    assert!(browser.get(&ask).text().contains("never fetched anything"));
    let done = browser.fill_in(&ask, &ask, &[]);
    assert!(done.text().contains("is deleted."), "{}", done.text());
    assert_eq!(browser.get(&page).status, 404);
}

#[test]
fn roles_keep_to_what_they_may() {
    on_both(|world| {
        let owner = Browser::signed_in(world, "ann", Role::Owner);
        let operator = Browser::signed_in(world, "bob", Role::Operator);
        let auditor = Browser::signed_in(world, "cleo", Role::Auditor);
        let (people, invite) = ("/console/administrators", [("role", "owner")]);
        for browser in [&operator, &auditor] {
            let refused = browser.fill_in("/console/account", people, &invite);
            assert_eq!(refused.status, 403, "{}", refused.text());
        }
        let state = "/console/connectors/idp/state";
        let pause = [("state", "paused")];
        assert_eq!(auditor.fill_in("/console", state, &pause).status, 403);
        assert_eq!(operator.fill_in("/console", state, &pause).status, 200);
        assert!(
            !auditor
                .get("/console/connectors/idp")
                .text()
                .contains("Make a token")
        );

        let made = owner.fill_in(people, people, &[("role", "auditor")]);
        let link = made.text().split("class=\"copy\">").nth(1).unwrap();
        let link = path_of(link.split('<').next().unwrap());
        let dora = Browser::new(world);
        let fields = [
            ("name", "dora"),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        assert_eq!(dora.submit(&link, &fields).status, 303);
        assert!(dora.get("/console").text().contains("dora"));

        // The last owner stays one.
        let id = |name: &str| {
            let all = world
                .provision
                .store()
                .read_blocking(|tx| tx.administrators())
                .unwrap();
            all.into_iter().find(|one| one.name == name).unwrap().id
        };
        let role = format!("{people}/{}/role", id("ann"));
        assert_eq!(
            owner.fill_in(people, &role, &[("role", "auditor")]).status,
            422
        );
        let delete = format!("{people}/{}/delete", id("ann"));
        assert_eq!(owner.fill_in(&delete, &delete, &[]).status, 422);

        // Who is deleted, or gets another role, is out at once.
        let role = format!("{people}/{}/role", id("bob"));
        assert_eq!(
            owner.fill_in(people, &role, &[("role", "auditor")]).status,
            200
        );
        assert_eq!(operator.get("/console").status, 303);
        let delete = format!("{people}/{}/delete", id("dora"));
        assert_eq!(owner.fill_in(&delete, &delete, &[]).status, 200);
        assert_eq!(dora.get("/console").status, 303);

        // A new password ends every session, and the old one.
        let reset = format!("{people}/{}/reset", id("cleo"));
        let made = owner.fill_in(people, &reset, &[]);
        let link = made.text().split("class=\"copy\">").nth(1).unwrap();
        let link = path_of(link.split('<').next().unwrap());
        let fresh = "violet anchor window thunder";
        let fields = [("password", fresh), ("again", fresh)];
        assert_eq!(Browser::new(world).submit(&link, &fields).status, 303);
        assert_eq!(auditor.get("/console").status, 303);
        assert_eq!(auditor.sign_in("cleo", PASSWORD).status, 401);
        assert_eq!(auditor.sign_in("cleo", fresh).status, 303);
    });
}

#[test]
fn what_a_product_has_fetched_is_told_beside_what_there_is() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let product = world.application("jira", Access::ReadOnly);
    let browser = Browser::signed_in(&world, "ann", Role::Auditor);
    world.mira();
    let ask = Ask::new("GET", "/rest/usermanagement/1/search?entity-type=user")
        .header("Authorization", &product.basic());
    assert_eq!(world.send(ask).status, 200);
    assert_eq!(browser.get("/console").status, 200);
}
