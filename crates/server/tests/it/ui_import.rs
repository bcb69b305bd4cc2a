//! Imports at the console: a file is looked at first and copied then, and so is another Crowd server.

use std::sync::Arc;

use directory::census::{Census, CopiedUser};
use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use provision::{CrowdAddress, CrowdReader, ReadCrowd, Told};
use serde_json::json;
use store::Role;

use crate::api_console::{Console, ok, problem};
use crate::http::{Answer, Ask};
use crate::ui_browser::{Browser, form_token};
use crate::world::World;

const PLACE: &str = "/console/directories/default/import";
const IMPORTS: &str = "/directories/default/imports";

/// The page of an import that a form began, once it goes on no more.
fn settled(browser: &Browser<'_>, begun: &Answer) -> (String, String) {
    assert_eq!(begun.status, 303, "{}", begun.text());
    let place = begun.header("location").unwrap().to_owned();
    loop {
        let world = browser.world;
        world.run(world.provision.work_off()).unwrap();
        let page = browser.get(&place);
        assert_eq!(page.status, 200, "{}", page.text());
        if !page.text().contains("data-going-on") {
            return (place, page.text().to_owned());
        }
        std::thread::yield_now();
    }
}

#[test]
fn what_was_only_tried_is_forgotten_after_a_day() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        // Nobody is signed in for as long.
        let tried = |administrator: &str| {
            let browser = Browser::signed_in(&world, administrator, Role::Operator);
            let file = ("people.csv", b"username\neve\n".as_slice());
            let begun = browser.send_file(PLACE, &format!("{PLACE}/file"), &[], file);
            settled(&browser, &begun).0
        };
        let id = |place: &str| place.rsplit('/').next().unwrap().to_owned();
        let place = tried("ann");
        world.wait(SignedDuration::from_hours(25));
        world.run(world.provision.prune_imports()).unwrap();
        let late = console.call(&format!("{IMPORTS}/{}/run", id(&place)));
        assert_eq!(problem(&late).0, 409);

        // What is copied in time is copied whole.
        let place = tried("ben");
        world.wait(SignedDuration::from_hours(23));
        world.run(world.provision.prune_imports()).unwrap();
        ok(&console.call(&format!("{IMPORTS}/{}/run", id(&place))));
        world.wait(SignedDuration::from_hours(30));
        world.run(world.provision.prune_imports()).unwrap();
        world.run(world.provision.work_off()).unwrap();
        assert_eq!(console.get("/directories/default/users/eve").status, 200);
    });
}

#[test]
fn a_file_is_looked_at_first_and_copied_then() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let browser = Browser::signed_in(&world, "ann", Role::Operator);
        assert!(
            browser
                .get(PLACE)
                .text()
                .contains("Nothing was copied from elsewhere so far.")
        );
        world.user(json!({"userName": "<i>jon"}));
        let csv = "\u{feff}username,email,groups\nmira,mira@x.test,jira-users|hr\n<i>jon,,\n";
        let send = |fields: &[(&str, &str)], name: &str, file: &[u8]| {
            browser.send_file(PLACE, &format!("{PLACE}/file"), fields, (name, file))
        };
        let only = [("groups", "re:jira-.*"), ("attributes", "")];
        let (place, page) = settled(&browser, &send(&only, "people <1>.csv", csv.as_bytes()));
        for told in [
            "From <bdi>people &#60;1&#62;.csv</bdi>",
            "tried, nothing copied",
            "<strong>1</strong> <span class=\"badge good\">new account<",
            "<strong>1</strong> <span class=\"badge warn\">account left alone",
            "&#60;i&#62;jon</a>",
            "Copy them",
        ] {
            assert!(page.contains(told), "{told} in {page}");
        }
        assert_eq!(console.get("/directories/default/users/mira").status, 404);

        // Whoever copies is told as whoever did it, and what was read is copied once.
        let other = Browser::signed_in(&world, "ben", Role::Operator);
        let done = other.fill_in(&place, &format!("{place}/run"), &[]);
        let (_, page) = settled(&other, &done);
        for told in [
            "copied</span>",
            "The match report of <bdi>idp</bdi>",
            "<dt>By</dt><dd>ben</dd>",
        ] {
            assert!(page.contains(told), "{told} in {page}");
        }
        assert!(!page.contains("Copy them"));
        let mira = console.show("/directories/default/users/mira");
        assert_eq!(mira["memberships"][0]["group"], "jira-users");
        assert!(
            browser
                .get(PLACE)
                .text()
                .contains("people &#60;1&#62;.csv</a>")
        );
        let id = place.rsplit('/').next().unwrap();
        assert_eq!(
            problem(&console.call(&format!("{IMPORTS}/{id}/run"))).0,
            409
        );

        // JSON is known by how it begins, whatever the name is.
        let file = json!({"users": [{"name": "eve", "groups": ["hr"]}]}).to_string();
        let (first, page) = settled(&browser, &send(&[], "people", file.as_bytes()));
        assert!(
            page.contains("<strong>1</strong> <span class=\"badge good\">new group<"),
            "{page}"
        );
        // What another import found is forgotten when the next one begins.
        let (_, page) = settled(
            &browser,
            &send(&[("groups", "none")], "people", file.as_bytes()),
        );
        assert!(
            page.contains("<strong>0</strong> <span class=\"badge good\">new groups"),
            "{page}"
        );
        let late = browser.ask(Ask::new("GET", &*first));
        let late = browser.submit(
            &format!("{first}/run"),
            &[("form_token", &form_token(&late))],
        );
        assert_eq!(late.status, 409, "{}", late.text());
        assert_eq!(console.get("/directories/default/users/eve").status, 404);
    });
}

#[test]
fn what_is_wrong_with_a_file_is_told_and_nothing_is_begun() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let action = format!("{PLACE}/file");
    let send = |fields: &[(&str, &str)], file: (&str, &[u8])| {
        browser.send_file(PLACE, &action, fields, file)
    };
    for (file, told) in [
        (("", b"".as_slice()), "Choose a file first"),
        (("a.csv", b"first_name\nann\n".as_slice()), "username"),
        (("a.csv", b"username\n\"ann".as_slice()), "role=\"alert\""),
        (
            ("a.json", br#"{"users": [{"nom": "a"}]}"#.as_slice()),
            "nothing is called",
        ),
        (("a.csv", b"username\n\xff\n".as_slice()), "not UTF-8"),
    ] {
        let refused = send(&[("groups", "re:jira-.*")], file);
        assert!(
            (400..500).contains(&refused.status),
            "{told}: {}",
            refused.status
        );
        assert!(
            refused.text().contains(told),
            "{told} in {}",
            refused.text()
        );
        assert!(
            refused.text().contains("value=\"re:jira-.*\""),
            "what was typed stays"
        );
    }
    let refused = send(&[("groups", "re:(")], ("a.csv", b"username\nann\n"));
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(console.show(IMPORTS), json!({"items": []}));

    // Forms from elsewhere, without their token, or cut off.
    let page = browser.get(PLACE);
    let token = form_token(&page);
    let field = |name: &str, value: &str| {
        format!("--xxx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--xxx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nusername\nann\n";
    let multipart = |body: String, site: &str| {
        let ask = Ask::new("POST", &*action)
            .header("Content-Type", "multipart/form-data; boundary=xxx")
            .header("Sec-Fetch-Site", site);
        browser.ask(ask.body(body)).status
    };
    let whole = format!("{}{file}\r\n--xxx--\r\n", field("form_token", &token));
    assert_eq!(multipart(whole.clone(), "cross-site"), 403);
    assert_eq!(
        multipart(
            format!("{}{file}\r\n--xxx--\r\n", field("form_token", "x")),
            "same-origin"
        ),
        403
    );
    assert_eq!(
        multipart(format!("{file}\r\n--xxx--\r\n"), "same-origin"),
        403
    );
    assert_eq!(
        multipart(
            format!("{}{file}", field("form_token", &token)),
            "same-origin"
        ),
        400
    );
    assert_eq!(
        multipart(field("form_token", &token) + "--xxx--\r\n", "same-origin"),
        400
    );
    assert_eq!(
        multipart(
            field("form_token", &"x".repeat(100_000)) + "--xxx--\r\n",
            "same-origin"
        ),
        413
    );
    assert_eq!(multipart("nonsense".to_owned(), "same-origin"), 400);
    let plain = Ask::new("POST", &*action)
        .header("Content-Type", "text/plain")
        .header("Sec-Fetch-Site", "same-origin");
    assert_eq!(browser.ask(plain.body("x")).status, 400);
    assert_eq!(console.show(IMPORTS), json!({"items": []}));

    // Who only looks, and who is confined to some connectors, copies nobody.
    let reader = Browser::signed_in(&world, "eve", Role::Auditor);
    assert!(!reader.get(PLACE).text().contains("enctype"));
    let refused = reader.send_file(PLACE, &action, &[], ("a.csv", b"username\nann\n"));
    assert_eq!(refused.status, 403);
    ok(&console.post("/connectors", json!({"name": "other"})));
    let confined = Browser::confined_to(&world, "dan", "other");
    let own = PLACE.replace("default", "other");
    assert!(
        confined
            .get(&own)
            .text()
            .contains("Only an owner or an operator")
    );
    let refused = confined.send_file(
        &own,
        &format!("{own}/file"),
        &[],
        ("a.csv", b"username\nann\n"),
    );
    assert_eq!(refused.status, 403);
    assert_eq!(browser.get(&format!("{PLACE}/none")).status, 404);
}

/// A Crowd server with one person, for those who know the password.
struct OnePerson;

impl CrowdReader for OnePerson {
    fn read<'r>(
        &'r self,
        server: &'r CrowdAddress,
        _with_groups: bool,
        _told: Told<'r>,
    ) -> ReadCrowd<'r> {
        Box::pin(async move {
            match server.password.as_str() {
                " s3cret" => Ok(Census {
                    users: vec![CopiedUser::new("mira")],
                    groups: Vec::new(),
                }),
                _ => Err("the server does not know the application".to_owned()),
            }
        })
    }
}

#[test]
fn a_crowd_server_is_read_once_and_copied_without_its_password() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    world.provision.read_crowds_with(Arc::new(OnePerson));
    let browser = Browser::signed_in(&world, "ann", Role::Operator);
    let action = format!("{PLACE}/crowd");
    let form = |url, password| {
        [
            ("url", url),
            ("application", "mover"),
            ("password", password),
            ("groups", ""),
            ("attributes", ""),
        ]
    };
    let refused = browser.fill_in(PLACE, &action, &form("ftp://x.test", " s3cret"));
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("value=\"mover\"") && !refused.text().contains("s3cret"),
        "{}",
        refused.text()
    );

    let url = "https://crowd.x.test/crowd";
    let (_, page) = settled(
        &browser,
        &browser.fill_in(PLACE, &action, &form(url, "wrong")),
    );
    assert!(
        page.contains("does not know the application") && page.contains("Try again"),
        "{page}"
    );
    let (place, page) = settled(
        &browser,
        &browser.fill_in(PLACE, &action, &form(url, " s3cret")),
    );
    assert!(
        page.contains("<strong>1</strong> <span class=\"badge good\">new account<"),
        "{page}"
    );
    let (_, page) = settled(
        &browser,
        &browser.fill_in(&place, &format!("{place}/run"), &[]),
    );
    assert!(page.contains("copied</span>"), "{page}");
    let mira = Console::new(&world).show("/directories/default/users/mira");
    assert_eq!(mira["reason"], "COPIED");
}

#[test]
fn an_answer_says_where_its_import_is() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    let begun = console.post(IMPORTS, json!({"users": [{"name": "ann"}]}));
    let place = begun.header("location").unwrap().to_owned();
    let (_, path) = place.split_once("/api/v1").unwrap();
    assert_eq!(ok(&console.get(path))["id"], begun.json()["id"]);
    let refused = console.post(&format!("{IMPORTS}?keep=true"), json!({"users": []}));
    assert_eq!(problem(&refused).0, 422);
}
