//! Every route of the server, taken from the router itself, and who is let in where. A route that
//! nobody thought of is one that refuses: what is open to all stands in a list here.

use std::collections::BTreeSet;

use emulate::databases::TestDatabase;
use jiff::{SignedDuration, Timestamp};
use server::{App, Settings};
use store::{Access, Grant, TokenKind};

use crate::http::Ask;
use crate::world::{START, World, basic};

/// What everybody may ask. The token endpoint asks for credentials itself, which may be in the body.
pub const OPEN: [&str; 12] = [
    "/",
    "/console/console.css",
    "/console/console.js",
    "/console/preview.js",
    "/front.css",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/api/v1/openapi.json",
    "/oauth/{connector}/token",
    "/scim",
    "/scim/",
];
/// Below here the link itself is the proof.
const LINKS: &str = "/connect/";
/// Below here nothing is behind a connector.
const NO_CONNECTOR: &str = "/scim/{*path}";

pub const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// Endpoints below a connector: its routes take every path, so some are named.
const SCIM_PATHS: [&str; 16] = [
    "/Users",
    "/Users/1",
    "/Users/.search",
    "/Groups",
    "/Groups/1",
    "/Groups/.search",
    "/.search",
    "/Bulk",
    "/Me",
    "/ServiceProviderConfig",
    "/ResourceTypes",
    "/ResourceTypes/User",
    "/Schemas",
    "/Schemas/urn:x",
    "/Nothing",
    "/%55sers",
];

/// The paths of all routes: the router prints them.
pub fn paths(world: &World) -> BTreeSet<String> {
    let app = App::new(world.provision.clone(), Settings::default());
    let printed = format!("{:?}", server::router(app));
    let mut found = BTreeSet::new();
    // As in `paths: {RouteId(0): "/", RouteId(1): "/front.css"}`; a path may have braces too.
    for map in printed.split("paths: {").skip(1) {
        let mut rest = map;
        while let Some((_, after)) = rest.split_once("): \"") {
            let (path, more) = after.split_once('"').unwrap();
            found.insert(path.to_owned());
            rest = more;
            if rest.starts_with('}') {
                break;
            }
        }
    }
    // The router's own entry for everything that is nothing.
    found.retain(|path| !path.contains("__private__axum"));
    found
}

struct Credentials {
    scim: Vec<(&'static str, String)>,
    scim_reader: String,
    crowd: Vec<(&'static str, String)>,
    api: Vec<(&'static str, String)>,
    api_reader: String,
}

/// Credentials that open nothing, or not this: somebody else's, revoked, ended, of another kind.
fn credentials(world: &World) -> Credentials {
    let start: Timestamp = START.parse().unwrap();
    let ended = Some(start + SignedDuration::from_secs(1));
    let make = |kind: TokenKind, grant: Grant| {
        let made = world
            .run(world.provision.create_token(kind, grant))
            .unwrap();
        (made.token.id, format!("Bearer {}", made.secret.reveal()))
    };
    let scim = TokenKind::Scim(world.connector.connector.id);
    let stranger = crate::scim_idp::Idp::new(world).stranger();
    let stranger = format!("Bearer {}", stranger.token);
    let dying = |kind| {
        let grant = Grant {
            expires: ended,
            ..Grant::of("ended")
        };
        make(kind, grant).1
    };
    let revoked = |kind| {
        let (id, text) = make(kind, Grant::of("revoked"));
        world.run(world.provision.revoke_token(kind, &id)).unwrap();
        text
    };
    let reader = |kind| {
        let grant = Grant {
            access: Access::ReadOnly,
            ..Grant::of("reader")
        };
        make(kind, grant).1
    };
    let (scim_live, api_live) = (
        make(scim, Grant::of("live")).1,
        make(TokenKind::Api, Grant::of("live")).1,
    );
    let product = world.application_from("product", Access::ReadWrite, &[], Some("default"));
    let wrong = basic(&product.name, "wrong");
    let right = product.basic();
    let found = Credentials {
        scim: vec![
            ("another connector's", stranger),
            ("revoked", revoked(scim)),
            ("ended", dying(scim)),
            ("an administrator's", api_live.clone()),
            ("a product's", right.clone()),
        ],
        scim_reader: reader(scim),
        crowd: vec![
            ("with a wrong password", wrong),
            ("of nobody", basic("nobody", "wrong")),
            ("a connector's", scim_live.clone()),
            ("an administrator's", api_live),
        ],
        api: vec![
            ("revoked", revoked(TokenKind::Api)),
            ("ended", dying(TokenKind::Api)),
            ("a connector's", scim_live),
            ("a product's", right),
        ],
        api_reader: reader(TokenKind::Api),
    };
    world.wait(SignedDuration::from_secs(1));
    found
}

#[test]
fn every_route_refuses_whoever_it_is_not_for() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let credentials = credentials(&world);
    let status = |method: &str, path: &str, shown: Option<&str>| {
        let ask = Ask::new(method, path);
        let ask = match shown {
            Some(value) => ask.header("Authorization", value),
            None => ask,
        };
        world.send(ask).status
    };
    let public_id = &world.connector.connector.public_id;
    let (mut scim, mut crowd, mut api) = (0, 0, 0);
    let all = paths(&world);
    for path in &all {
        let is_page = path.starts_with("/console") || path.starts_with(LINKS);
        if OPEN.contains(&path.as_str()) || path == NO_CONNECTOR || is_page {
            continue;
        }
        let filled = path
            .replace("{connector}", public_id)
            .replace("{version}", "1")
            .replace("{*path}", "Users")
            .replace("{*token}", "x")
            .replace(['{', '}', '*'], "");
        let (wrong, count) = if path.starts_with("/scim/v2/{connector}") {
            (&credentials.scim, &mut scim)
        } else if path.starts_with("/rest/") || path.starts_with("/crowd/") {
            (&credentials.crowd, &mut crowd)
        } else if path.starts_with("/api/v1") {
            (&credentials.api, &mut api)
        } else {
            panic!("{path} is neither below a door nor in the list of what is open to all");
        };
        *count += 1;
        for method in METHODS {
            assert_eq!(
                status(method, &filled, None),
                401,
                "{method} {path}, nothing shown"
            );
            // A wrong password costs a hash, and the Crowd face has the same routes twice.
            let slow =
                path.starts_with("/crowd/") || (path.starts_with("/rest/") && method != "GET");
            for (whose, shown) in wrong.iter().filter(|_| !slow) {
                let found = status(method, &filled, Some(shown));
                assert_eq!(found, 401, "{method} {path}, {whose}");
            }
        }
    }
    assert!(scim >= 3, "{all:?}");
    assert!(crowd >= 70, "{crowd} routes of the Crowd face");
    assert!(api >= 30, "{api} routes of the admin API");
    for path in OPEN {
        assert!(all.contains(path), "{path} is open to all, but is no route");
    }
}

/// The way in: pages that ask for a password, or for the secret of a link in their own address.
const ENTRIES: [&str; 4] = [
    "/console/",
    "/console/sign-in",
    "/console/sign-out",
    "/console/welcome/{invitation}",
];

#[test]
fn a_link_that_nobody_made_opens_nothing() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let all = paths(&world);
    let behind_links: Vec<&String> = all.iter().filter(|path| path.starts_with(LINKS)).collect();
    assert!(behind_links.len() >= 2, "{all:?}");
    for path in behind_links {
        for link in ["x", "vst_setup_x", "..%2f..%2fconsole"] {
            for method in METHODS {
                let answer = world.send(Ask::new(method, path.replace("{link}", link)));
                let status = answer.status;
                assert!(matches!(status, 404 | 405), "{method} {path}: {status}");
            }
        }
    }
}

#[test]
fn every_page_of_the_console_sends_strangers_to_the_way_in() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let api = &credentials(&world).api;
    let all = paths(&world);
    let pages = all
        .iter()
        .filter(|path| path.starts_with("/console") && !OPEN.contains(&path.as_str()))
        .filter(|path| !ENTRIES.contains(&path.as_str()));
    let mut seen = 0;
    for path in pages {
        seen += 1;
        let filled = path.replace(['{', '}', '*'], "");
        for method in METHODS {
            let mut shown = vec![("nothing", "X-Nothing", String::new())];
            shown.extend(
                api.iter()
                    .map(|(whose, text)| (*whose, "Authorization", text.clone())),
            );
            for cookie in [
                "vestibule=x",
                "__Host-vestibule=vst_session_x",
                "__Host-vestibule=a; __Host-vestibule=b",
            ] {
                shown.push((cookie, "Cookie", cookie.to_owned()));
            }
            for (whose, name, value) in shown {
                let answer = world.send(Ask::new(method, &filled).header(name, &value));
                let (status, target) = (answer.status, answer.header("location"));
                assert!(
                    matches!(status, 303 | 405),
                    "{method} {path}, {whose}: {status}"
                );
                if status == 303 {
                    assert!(
                        target.unwrap().starts_with("/console/sign-in"),
                        "{method} {path}"
                    );
                }
            }
        }
    }
    assert!(seen >= 20, "{seen} pages");
}

#[test]
fn every_endpoint_of_a_connector_is_behind_one_door() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let credentials = credentials(&world);
    let base = format!("/scim/v2/{}", world.connector.connector.public_id);
    let status = |method: &str, path: &str, shown: &str| {
        let ask = Ask::new(method, format!("{base}{path}")).header("Authorization", shown);
        world.send(ask).status
    };
    for path in SCIM_PATHS {
        for method in METHODS {
            for (whose, shown) in &credentials.scim {
                assert_eq!(status(method, path, shown), 401, "{method} {path}, {whose}");
            }
            let reads = matches!(method, "GET" | "HEAD")
                || (method == "POST" && path.ends_with("/.search"));
            let found = status(method, path, &credentials.scim_reader);
            assert_eq!(found == 403, !reads, "{method} {path}, {found}");
            assert_ne!(found, 401, "{method} {path}");
        }
    }
}

#[test]
fn an_administrator_who_only_looks_changes_nothing_anywhere() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let reader = credentials(&world).api_reader;
    let description = world.send(Ask::new("GET", "/api/v1/openapi.json")).json();
    let routes = paths(&world);
    let mut seen = 0;
    for path in routes.iter().filter(|path| path.starts_with("/api/v1/")) {
        if OPEN.contains(&path.as_str()) {
            continue;
        }
        seen += 1;
        let filled = path.replace(['{', '}', '*'], "");
        for method in METHODS {
            let ask = Ask::new(method, &filled).header("Authorization", &reader);
            let status = world.send(ask).status;
            // A token has no account.
            let route = path.trim_start_matches("/api/v1");
            let asks =
                method == "POST" && description["paths"][route]["post"]["x-changes"] == "nothing";
            // Who takes a backup has everything, what passwords are checked by included; from where others sign in is
            // for owners as well.
            let is_own = ["/api/v1/account", "/api/v1/backup"]
                .iter()
                .any(|own| path.starts_with(own))
                || path.starts_with("/api/v1/administrators/{administrator}/sessions");
            let reads = !is_own && (asks || matches!(method, "GET" | "HEAD"));
            assert_eq!(status == 403, !reads, "{method} {path}: {status}");
            assert_ne!(status, 401, "{method} {path}");
        }
    }
    assert!(seen >= 30, "{seen}");
}
