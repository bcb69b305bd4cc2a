//! How much one connector, one address and one connection may take.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use emulate::databases::{TestDatabase, on_each_database};
use jiff::SignedDuration;
use serde_json::json;
use server::{Limits, Settings};

use crate::api_console::{Console, ok};
use crate::http::{Answer, Ask};
use crate::scim_credentials::refused;
use crate::scim_idp::Idp;
use crate::world::{Credentials, Product, World};

fn limited(database: &TestDatabase, limits: Limits) -> World {
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    World::with_settings(database, settings)
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

fn metrics(world: &World) -> String {
    let answer = world.send(Ask::new("GET", "/metrics"));
    answer.text().to_owned()
}

#[test]
fn a_connector_that_asks_too_often_is_told_when_to_come_again() {
    on_each_database(|database| {
        let limits = Limits {
            scim_rate: 25,
            scim_burst: 30,
            ..Limits::default()
        };
        let world = limited(database, limits);
        let (idp, other) = (Idp::new(&world), Idp::new(&world).stranger());
        let answers: Vec<Answer> = (0..200).map(|_| idp.get("/Users")).collect();
        assert!(answers[..30].iter().all(|answer| answer.status == 200));
        let refusal = answers.iter().find(|answer| answer.status == 429).unwrap();
        assert!(refused(refusal).1.contains("more often than it may"));
        assert_eq!(retry_after(refusal), 1);
        assert_eq!(other.get("/Users").status, 200, "others are not touched");
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(idp.get("/Users").status, 200);
        assert!(metrics(&world).contains("vestibule_refusals_total{reason=\"Rate\"}"));
    });
}

#[test]
fn a_connector_can_have_a_rate_of_its_own() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let idp = Idp::new(&world);
    let own = json!({"settings": {"credentials": {"rate": 25, "burst": 25}}});
    ok(&Console::new(&world).patch("/connectors/idp", own));
    let statuses: Vec<u16> = (0..200).map(|_| idp.get("/Users").status).collect();
    assert!(statuses.contains(&429) && statuses.contains(&200));
}

#[test]
fn what_fails_too_often_is_put_off_and_what_is_right_is_served() {
    on_each_database(|database| {
        let limits = Limits {
            failed_authentications: 5,
            ..Limits::default()
        };
        let world = limited(database, limits);
        let idp = Idp::new(&world);
        let fail = || {
            let ask = Ask::new("GET", format!("{}/Users", idp.base));
            world.send(ask.header("Authorization", "Bearer vst_scim_wrong"))
        };
        for _ in 0..5 {
            assert_eq!(fail().status, 401);
        }
        let refusal = fail();
        let (status, detail) = refused(&refusal);
        assert_eq!(status, 429);
        assert!(
            detail.contains("cut or mistyped"),
            "the reason is still told: {detail}"
        );
        assert_eq!(retry_after(&refusal), 30);
        assert_eq!(idp.get("/Users").status, 200, "from the same address");
        let admin = Ask::new("GET", "/api/v1/connectors").header("Authorization", "Bearer x");
        assert_eq!(world.send(admin).status, 429, "one count for all faces");
        assert_eq!(Console::new(&world).get("/connectors").status, 200);
        for _ in 0..50 {
            let nothing = Ask::new("GET", format!("{}/Users", idp.base));
            assert_eq!(
                world.send(nothing).status,
                401,
                "nothing shown is no failure"
            );
        }
        world.wait(SignedDuration::from_secs(30));
        for _ in 0..5 {
            assert_eq!(fail().status, 401);
        }
        assert_eq!(retry_after(&fail()), 60);
        let told = metrics(&world);
        for reason in ["Credential", "Throttled"] {
            assert!(told.contains(&format!("reason=\"{reason}\"")), "{told}");
        }
    });
}

#[test]
fn an_address_has_so_many_connections() {
    let database = TestDatabase::sqlite().unwrap();
    let limits = Limits {
        connections_per_address: 3,
        ..Limits::default()
    };
    let world = limited(&database, limits);
    let connect = || {
        let stream = TcpStream::connect(&world.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        stream
    };
    let asked = |stream: &mut TcpStream| {
        let wrote = stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut piece = [0; 512];
        let read = stream.read(&mut piece);
        wrote.is_ok() && read.is_ok_and(|count| count > 0)
    };
    let mut held: Vec<TcpStream> = (0..3).map(|_| connect()).collect();
    assert!(held.iter_mut().all(&asked));
    assert!(!asked(&mut connect()), "the fourth is closed");
    drop(held);
    let again = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        asked(&mut connect())
    });
    assert!(again);
}

#[test]
fn a_body_that_drips_is_given_up() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let idp = Idp::new(&world);
    let mut stream = TcpStream::connect(&world.address).unwrap();
    let head = format!(
        "POST {}/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 1000\r\n\r\n",
        idp.base, idp.token
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut dripping = stream.try_clone().unwrap();
    std::thread::spawn(move || {
        while dripping.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    stream
        .set_read_timeout(Some(Duration::from_secs(18)))
        .unwrap();
    let started = Instant::now();
    let mut piece = [0; 64];
    let count = stream.read(&mut piece).unwrap();
    let head = String::from_utf8_lossy(&piece[..count]);
    assert!(head.starts_with("HTTP/1.1 408"), "{head}");
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn wrong_passwords_of_applications_are_put_off_too() {
    on_each_database(|database| {
        let limits = Limits {
            failed_authentications: 5,
            ..Limits::default()
        };
        let world = limited(database, limits);
        let product = Product::reader(&world);
        let name = product.credentials.name.clone();
        let known = |password: &str| {
            let (name, password) = (name.clone(), password.to_owned());
            Product::known(&world, Credentials { name, password })
        };
        let unknown = Product::known(
            &world,
            Credentials {
                name: "nobody".into(),
                password: "guess".into(),
            },
        );
        for attempt in 0..5 {
            let guess = known(&format!("guess {attempt}")).get("/user?username=a");
            assert_eq!(guess.status, 401);
            assert_eq!(guess.text(), "Application failed to authenticate");
        }
        for guesser in [known("guess"), unknown] {
            let later = guesser.get("/user?username=a");
            assert_eq!(later.status, 429);
            assert!((29..=30).contains(&retry_after(&later)));
            assert!(later.header("x-embedded-crowd-version").is_some());
            let error = later.text();
            assert!(
                error.contains("<reason>OPERATION_FAILED</reason>"),
                "{error}"
            );
            assert!(
                error.contains("Application failed to authenticate"),
                "{error}"
            );
        }
        let json = known("guess").ask("GET", "/user?username=a");
        let json = world.send(json.header("Accept", "application/json"));
        assert_eq!(json.status, 429);
        assert_eq!(product.get("/search?entity-type=user").status, 200);
        for _ in 0..10 {
            let nothing = Ask::new("GET", "/crowd/rest/usermanagement/1/user?username=a");
            assert_eq!(world.send(nothing).status, 401, "nothing was guessed");
        }
        let told = metrics(&world);
        assert!(
            told.contains("vestibule_refusals_total{reason=\"Throttled\"} 3"),
            "{told}"
        );
        world.wait(SignedDuration::from_secs(31));
        assert_eq!(known("guess").get("/user?username=a").status, 401);
    });
}

#[test]
fn heads_have_a_size() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let idp = Idp::new(&world);
    let with_query = |bytes: usize| {
        let path = format!("/Users?x={}", "y".repeat(bytes));
        world.send(idp.ask("GET", &path))
    };
    assert_eq!(with_query(16_000).status, 200);
    let long = with_query(17_000);
    assert_eq!(refused(&long).0, 414);
    let many = (0..101).fold(idp.ask("GET", "/Users"), |ask, number| {
        ask.header(&format!("x-{number}"), "y")
    });
    assert_eq!(world.send(many).status, 431);
    let few = (0..80).fold(idp.ask("GET", "/Users"), |ask, number| {
        ask.header(&format!("x-{number}"), "y")
    });
    assert_eq!(world.send(few).status, 200);
}
