//! What keeps strangers out of the console: guessing, links that outlive their purpose, names that pose, an open desk.

use emulate::databases::{TestDatabase, on_each_database};
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::json;
use server::{Limits, Settings};
use store::Role;

use crate::api_console::{Console, each, ok, problem};
use crate::http::{Answer, Ask};
use crate::safe_headers::sign_in;
use crate::ui_browser::{Browser, PASSWORD, TESTER};
use crate::world::World;

const FRESH: &str = "violet anchor window thunder";

/// The path of a link that was made.
fn path_of(made: &Answer) -> String {
    let link = ok(made)["link"].as_str().unwrap().to_owned();
    let (_, rest) = link.split_once("/console/").unwrap();
    format!("/console/{rest}")
}

/// The status of a link for somebody who opens it.
fn opened(world: &World, link: &str) -> u16 {
    Browser::new(world).get(link).status
}

#[test]
fn many_guesses_at_once_gain_nothing() {
    on_each_database(|database| {
        let world = World::new(database);
        Browser::signed_in(&world, "ann", Role::Owner);
        for name in ["ann", "nobody"] {
            let guesses = (0..30).map(|guess| {
                let ask = sign_in(name, &format!("wrong guess number {guess}"));
                ask.send(&world.address)
            });
            let answers = world.run(join_all(guesses));
            let count = |status| answers.iter().filter(|it| it.status == status).count();
            assert_eq!((count(401), count(429)), (5, 25), "{name}");
        }
        let stranger = Browser::new(&world);
        let locked = stranger.sign_in("ann", PASSWORD);
        assert_eq!(
            (locked.status, locked.header("retry-after")),
            (429, Some("1"))
        );
        world.wait(SignedDuration::from_secs(2));
        assert_eq!(stranger.sign_in("ann", PASSWORD).status, 303);
    });
}

#[test]
fn a_name_that_nobody_has_is_answered_like_one_that_somebody_has() {
    on_each_database(|database| {
        let world = World::new(database);
        Browser::signed_in(&world, "ann", Role::Owner);
        let stranger = Browser::new(&world);
        let told = |name: &str| {
            let mut told = Vec::new();
            for pause in [0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3_600, 0] {
                world.wait(SignedDuration::from_secs(pause));
                let answer = stranger.sign_in(name, "wrong");
                let later = answer.header("retry-after").map(str::to_owned);
                let text = answer.text().replace(&format!("value=\"{name}\""), "");
                told.push((answer.status, later, text));
            }
            told
        };
        let known = told("ann");
        assert!(known.iter().any(|(status, ..)| *status == 429));
        assert_eq!(told("nobody"), known);
        assert_eq!(told("NOBODY")[0].0, 429, "the same name");
        // A day without an attempt forgives, whoever it was.
        world.wait(SignedDuration::from_hours(25));
        for name in ["ann", "nobody"] {
            let statuses: Vec<u16> = told(name).iter().map(|one| one.0).collect();
            assert_eq!(statuses[..6], [401, 401, 401, 401, 401, 429], "{name}");
        }
    });
}

#[test]
fn one_password_tried_over_many_names_is_held_back_before_it_is_looked_at() {
    let database = TestDatabase::sqlite().unwrap();
    let limits = Limits {
        failed_authentications: 5,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let world = World::with_settings(&database, settings);
    let ann = Browser::signed_in(&world, "ann", Role::Owner);
    for _ in 0..20 {
        assert_eq!(Browser::new(&world).sign_in("ann", PASSWORD).status, 303);
    }
    let stranger = Browser::new(&world);
    for number in 0..5 {
        let name = format!("name {number}");
        assert_eq!(stranger.sign_in(&name, PASSWORD).status, 401);
    }
    let held = stranger.sign_in("ann", PASSWORD);
    assert_eq!(
        (held.status, held.header("retry-after")),
        (429, Some("30")),
        "{}",
        held.text()
    );
    assert!(
        held.text()
            .contains("Too many attempts from this address. Try again in 30 s.")
    );
    assert_eq!(ann.get("/console").status, 200, "who is in stays");
    assert_eq!(Console::new(&world).get("/connectors").status, 200);
    world.wait(SignedDuration::from_secs(30));
    assert_eq!(stranger.sign_in("ann", PASSWORD).status, 303);
}

#[test]
fn an_invitation_ends_no_other_but_those_of_the_first_start() {
    on_each_database(|database| {
        let world = World::fresh(database);
        let first = world.run(world.provision.invite_first()).unwrap().unwrap();
        let first = format!("/console/welcome/{}", first.secret.reveal());
        // The token that a first start makes is called so too.
        let made = world.run(world.provision.create_api_token("first start", None));
        let owner = Console::with_token(&world, made.unwrap().secret.reveal());
        let invite = || path_of(&owner.post("/invitations", json!({"role": "operator"})));
        let links = [invite(), invite(), invite()];
        let fields = [
            ("name", "conny"),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        assert_eq!(Browser::new(&world).submit(&links[0], &fields).status, 303);
        let reset = path_of(&owner.call("/administrators/conny/reset"));
        assert_eq!(opened(&world, &links[0]), 404);
        assert_eq!(opened(&world, &first), 404, "somebody is there now");
        let fields = [
            ("name", "conrad"),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        assert_eq!(Browser::new(&world).submit(&links[1], &fields).status, 303);
        assert_eq!(opened(&world, &links[2]), 200);
        assert_eq!(opened(&world, &reset), 200);
        assert_eq!(each(&owner.show("/invitations"), "id").len(), 2);
    });
}

#[test]
fn a_new_password_ends_every_link_to_another() {
    on_each_database(|database| {
        let world = World::new(database);
        let owner = Console::new(&world);
        let oscar = Browser::signed_in(&world, "oscar", Role::Operator);
        let reset = || path_of(&owner.call("/administrators/oscar/reset"));
        let (older, newer) = (reset(), reset());
        let set = [("password", FRESH), ("again", FRESH)];
        assert_eq!(Browser::new(&world).submit(&newer, &set).status, 303);
        assert_eq!(opened(&world, &older), 404);
        assert_eq!(Browser::new(&world).submit(&older, &set).status, 404);

        let link = reset();
        oscar.sign_in("oscar", FRESH);
        let set = [("present", FRESH), ("new", PASSWORD), ("again", PASSWORD)];
        let changed = oscar.fill_in("/console/account", "/console/account/password", &set);
        assert_eq!(changed.status, 200, "{}", changed.text());
        assert_eq!(opened(&world, &link), 404);
        // And neither the same one nor one without an end is a new one.
        for (new, told) in [
            (PASSWORD.to_owned(), "is the one that you have"),
            ("a b ".repeat(1_000), "is too long; it may have 1024 bytes"),
        ] {
            let set = [("present", PASSWORD), ("new", &new), ("again", &new)];
            let refused = oscar.fill_in("/console/account", "/console/account/password", &set);
            assert_eq!(refused.status, 422);
            assert!(refused.text().contains(told), "{}", refused.text());
        }
    });
}

#[test]
fn links_last_no_longer_than_the_rights_of_who_made_them() {
    on_each_database(|database| {
        let world = World::new(database);
        let ann = Browser::signed_in(&world, "ann", Role::Owner);
        let token = Console::new(&world);
        let people = "/console/administrators";
        let id = |name: &str| {
            let found = token.show(&format!("/administrators/{name}"));
            found["id"].as_str().unwrap().to_owned()
        };
        let link = |browser: &Browser<'_>| {
            let made = browser.fill_in(people, people, &[("role", "owner")]);
            let link = made.text().split("/console/welcome/").nth(1).unwrap();
            format!(
                "/console/welcome/{}",
                link.split(['<', '"']).next().unwrap()
            )
        };
        let kept = [
            link(&ann),
            path_of(&token.post("/invitations", json!({"role": "owner"}))),
        ];
        for act in ["role", "delete"] {
            let ben = Browser::signed_in(&world, "ben", Role::Owner);
            let own = link(&ben);
            let ids = token.show("/invitations");
            assert!(
                ids.to_string()
                    .contains(&format!("\"created_by_id\":\"{}\"", id("ben"))),
                "{ids}"
            );
            let page = format!("{people}/{}/{act}", id("ben"));
            let asked = ann.get(&page);
            assert!(
                asked
                    .text()
                    .contains("One link that the person made and nobody has used stops working."),
                "{}",
                asked.text()
            );
            assert_eq!(opened(&world, &own), 200);
            assert_eq!(
                ann.fill_in(&page, &page, &[("role", "operator")]).status,
                200
            );
            assert_eq!(opened(&world, &own), 404, "{act}");
            for link in &kept {
                assert_eq!(opened(&world, link), 200);
            }
            if act == "role" {
                assert_eq!(token.delete("/administrators/ben").status, 204);
            }
        }
        let last = token.delete("/administrators/ann");
        let (status, told) = problem(&last);
        assert_eq!(status, 422);
        assert!(
            told.starts_with("'administrator' cannot be deleted, being the last owner"),
            "{told}"
        );
    });
}

#[test]
fn nobody_has_a_name_that_cannot_be_seen_or_reads_as_another() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let owner = Console::new(&world);
    let link = path_of(&owner.post("/invitations", json!({"role": "operator"})));
    for name in ["an\u{200B}n", "ann\u{202E}nna", "\u{200F}", "a\u{0}b"] {
        let fields = [("name", name), ("password", PASSWORD), ("again", PASSWORD)];
        let refused = Browser::new(&world).submit(&link, &fields);
        assert_eq!(refused.status, 422, "{name:?}");
        assert!(
            refused
                .text()
                .contains("without a control character, an invisible character"),
            "{}",
            refused.text()
        );
    }
    let fields = [
        ("name", "Ænne Møller"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    assert_eq!(Browser::new(&world).submit(&link, &fields).status, 303);
}

#[test]
fn who_sends_a_form_after_the_session_is_told_and_finds_back() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let page = "/console/connectors/idp/limits?x=1";
    let from = format!("http://{}{page}", world.address);
    let form = browser.form_of(&browser.get(page), "/console/connectors/idp/limits", &[]);
    world.wait(SignedDuration::from_mins(31));
    let sent = browser.ask(form.header("Referer", &from));
    assert_eq!(sent.status, 303);
    let door = sent.header("location").unwrap();
    assert_eq!(
        door,
        "/console/sign-in?ended=true&next=%2Fconsole%2Fconnectors%2Fidp%2Flimits%3Fx%3D1"
    );
    let shown = browser.get(door);
    assert!(shown.text().contains("Your session has ended"));
    assert!(shown.text().contains(&format!("value=\"{page}\"")));
}

#[test]
fn a_page_that_looks_for_news_by_itself_keeps_nobody_signed_in() {
    on_each_database(|database| {
        let world = World::new(database);
        let browser = Browser::signed_in(&world, "ann", Role::Owner);
        let look = || {
            let ask = Ask::new("GET", "/console/activity/live/rows").header("X-By-Itself", "1");
            browser.ask(ask).status
        };
        for _ in 0..3 {
            world.wait(SignedDuration::from_mins(9));
            assert_eq!(look(), 200);
        }
        world.wait(SignedDuration::from_mins(4));
        assert_eq!(
            look(),
            303,
            "half an hour has passed since somebody was there"
        );
        assert_eq!(browser.get("/console").status, 303);
    });
}

#[test]
fn who_only_looks_begins_where_there_is_something_to_see() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    for (role, place) in [
        (Role::Auditor, "/console"),
        (Role::Operator, "/console/setup"),
    ] {
        let made = world.run(world.provision.invite(store::Rights::of(role), TESTER));
        let link = format!("/console/welcome/{}", made.unwrap().secret.reveal());
        let fields = [
            ("name", role.as_str()),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        let made = Browser::new(&world).submit(&link, &fields);
        assert_eq!(made.header("location"), Some(place));
    }
}

/// Sends a form as it stands on a page, with the password added.
fn prove(browser: &Browser<'_>, asked: &Answer, action: &str, password: &str) -> Answer {
    let text = asked.text();
    let (_, form) = text.split_once("class=\"stack\">").unwrap();
    let hidden = form.split("<input type=\"hidden\" name=\"").skip(1);
    let mut fields: Vec<(String, String)> = hidden
        .map(|one| {
            let mut parts = one.split('"');
            let name = parts.next().unwrap().to_owned();
            (name, parts.nth(1).unwrap().to_owned())
        })
        .collect();
    fields.push(("proof".to_owned(), password.to_owned()));
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.submit(action, &fields)
}

#[test]
fn an_open_console_is_not_enough_to_give_rights_away() {
    on_each_database(|database| {
        let world = World::new(database);
        let owner = Browser::signed_in(&world, "ann", Role::Owner);
        Browser::signed_in(&world, "ben", Role::Operator);
        let console = Console::new(&world);
        let ben = ok(&console.get("/administrators/ben"))["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let people = "/console/administrators";
        let (role, tokens) = (format!("{people}/{ben}/role"), "/console/tokens");
        world.wait(SignedDuration::from_mins(4));
        let made = owner.fill_in(people, people, &[("role", "auditor")]);
        assert!(
            made.text().contains("/console/welcome/"),
            "it was shown just now"
        );
        world.wait(SignedDuration::from_mins(2));
        for (page, action, fields) in [
            (people, people, vec![("role", "owner")]),
            (people, role.as_str(), vec![("role", "owner")]),
            (tokens, tokens, vec![("label", "x"), ("role", "owner")]),
            ("/console/backup", "/console/backup", vec![]),
            ("/console/account", "/console/account/second-factor", vec![]),
        ] {
            let asked = owner.fill_in(page, action, &fields);
            assert_eq!(asked.status, 200);
            assert!(
                asked.text().contains("Is it you?"),
                "{action}: {}",
                asked.text()
            );
            assert!(asked.text().contains(&format!("href=\"{page}\">Back")));
        }
        assert_eq!(ok(&console.get("/administrators/ben"))["role"], "operator");
        let wish = [
            ("label", "a <b> & \"c\""),
            ("role", "auditor"),
            ("days", "30"),
        ];
        let asked = owner.fill_in(tokens, tokens, &wish);
        let wrong = prove(&owner, &asked, tokens, "wrong");
        assert_eq!(wrong.status, 401);
        assert!(wrong.text().contains("This is not your password."));
        // What a browser shows of the form is what was typed.
        let asked = owner.fill_in(tokens, tokens, &[("label", "nightly"), ("role", "auditor")]);
        let made = prove(&owner, &asked, tokens, PASSWORD);
        assert!(made.text().contains("vst_api_"), "{}", made.text());
        assert!(each(&console.show("/tokens"), "label").contains(&"nightly".to_owned()));
        assert!(!made.text().contains(PASSWORD));
        // It counts for five minutes, where it was shown.
        assert_eq!(
            owner.fill_in(people, &role, &[("role", "auditor")]).status,
            200
        );
        let entered = console.show("/audit?action=prove_again");
        let entered: Vec<bool> = entered["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["succeeded"].as_bool().unwrap())
            .collect();
        assert_eq!(entered, [true, false]);
        // Guessing is put off as at the door, and a form from elsewhere asks for nothing.
        world.wait(SignedDuration::from_mins(6));
        let asked = owner.fill_in(tokens, tokens, &wish);
        let statuses: Vec<u16> = (0..6)
            .map(|_| prove(&owner, &asked, tokens, "wrong").status)
            .collect();
        assert_eq!(statuses, [401, 401, 401, 401, 429, 429]);
        let foreign = Ask::new("POST", tokens).header("Sec-Fetch-Site", "cross-site");
        assert_eq!(owner.ask(foreign).status, 403);
        assert_eq!(owner.submit(tokens, &[("label", "x")]).status, 403);
    });
}
