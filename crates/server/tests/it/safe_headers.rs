//! Headers that make answers safe, and what browsers may keep of them.

use emulate::databases::TestDatabase;
use serde_json::json;
use server::Settings;
use store::Role;

use crate::api_console::{Console, ok};
use crate::http::Ask;
use crate::ui_browser::{Browser, PASSWORD};
use crate::world::World;

/// A sign-in as a browser sends it.
pub fn sign_in(name: &str, password: &str) -> Ask {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", name), ("password", password), ("next", "")])
        .finish();
    Ask::new("POST", "/console/sign-in")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Sec-Fetch-Site", "same-origin")
        .body(body)
}

#[test]
fn every_page_has_the_headers_that_make_it_safe() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let pages = [
        "/console",
        "/console/sign-in",
        "/console/nowhere",
        "/console/connectors/nowhere",
        "/connect/nowhere",
        "/",
    ];
    for page in pages {
        let answer = browser.get(page);
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {page}");
        }
        let permissions = answer.header("permissions-policy").unwrap();
        assert!(permissions.contains("camera=(), "), "{permissions}");
        assert_eq!(answer.header("strict-transport-security"), None, "no HTTPS");
        assert_eq!(answer.header("server"), None);
    }
    let answer = Console::new(&world).get("/connectors");
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

#[test]
fn the_cookie_of_a_session_goes_nowhere_else() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    Browser::signed_in(&world, "ann", Role::Owner);
    let made = world.send(sign_in("ann", PASSWORD));
    let cookie = made.header("set-cookie").unwrap();
    let (pair, rest) = cookie.split_once("; ").unwrap();
    assert!(
        pair.starts_with("__Host-vestibule=vst_session_"),
        "{cookie}"
    );
    assert_eq!(rest, "Path=/; HttpOnly; SameSite=Strict; Secure");
}

#[test]
fn browsers_that_came_over_https_come_so_for_a_year() {
    let told = |settings: Settings, ask: Ask| {
        let database = TestDatabase::sqlite().unwrap();
        let world = World::with_settings(&database, settings);
        let answer = world.send(ask);
        answer
            .header("strict-transport-security")
            .map(str::to_owned)
    };
    let always = Some("max-age=31536000; includeSubDomains".to_owned());
    let ask = || Ask::new("GET", "/console/sign-in");
    let by_proxy = || ask().header("X-Forwarded-Proto", "https");
    let settings = || Settings {
        public_url: Some("https://vestibule.example.org".into()),
        ..Settings::default()
    };
    assert_eq!(told(settings(), ask()), always);
    let api = Ask::new("GET", "/api/v1/openapi.json");
    assert_eq!(told(settings(), api), always);
    let settings = || Settings {
        trusted_proxies: vec![provision::AddressRange::parse("127.0.0.1").unwrap()],
        ..Settings::default()
    };
    assert_eq!(told(settings(), by_proxy()), always);
    assert_eq!(told(settings(), ask()), None);
    assert_eq!(told(Settings::default(), by_proxy()), None, "not trusted");
}

#[test]
fn what_pages_are_made_of_is_kept_by_browsers() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    for place in [
        "/console/console.css",
        "/console/console.js",
        "/console/preview.js",
        "/front.css",
    ] {
        let first = world.send(Ask::new("GET", place));
        assert_eq!(first.status, 200);
        assert_eq!(first.header("cache-control"), Some("no-cache"), "{place}");
        let tag = first.header("etag").unwrap();
        let again = world.send(Ask::new("GET", place).header("If-None-Match", tag));
        assert_eq!((again.status, again.body.len()), (304, 0));
        let other = world.send(Ask::new("GET", place).header("If-None-Match", "\"x\""));
        assert_eq!((other.status, other.body), (200, first.body));
    }
}

#[test]
fn a_connector_whose_name_has_a_slash_is_linked_to() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    ok(&console.patch("/connectors/idp", json!({"name": "emea/okta"})));
    world.mira();
    let browser = Browser::signed_in(&world, "ann", Role::Owner);
    let person = browser.text("/console/directories/default/users/mira");
    let link = person.split("href=\"/console/connectors/").nth(1).unwrap();
    let link = format!("/console/connectors/{}", link.split('"').next().unwrap());
    assert_eq!(link, "/console/connectors/emea%2Fokta");
    assert_eq!(browser.get(&link).status, 200);
}
