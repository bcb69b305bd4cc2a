//! Walks by cursor (RFC 9865): everybody once, whatever happens meanwhile, and a cursor is good for its own
//! query only.

use std::collections::BTreeSet;

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};
use server::{App, Settings};
use tokio::net::TcpListener;

use crate::query_model::ids;
use crate::scim_idp::*;
use crate::world::World;

fn of(page: &Value) -> Vec<String> {
    ids(page["Resources"].as_array().unwrap())
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn cursor_of(page: &Value) -> String {
    page["nextCursor"].as_str().unwrap().to_owned()
}

#[test]
fn everybody_who_stays_is_seen_once_while_others_come_and_go() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for query in [
            "count=5",
            "count=5&sortBy=userName&sortOrder=descending",
            "count=5&filter=title+co+%22t%22",
        ] {
            let mut present: Vec<String> = (0..37)
                .map(|number| {
                    let body =
                        json!({"userName": format!("{}{number}", query.len()), "title": "Title"});
                    id_of(&idp.post("/Users", &body))
                })
                .collect();
            let mut stayed: BTreeSet<String> = present.iter().cloned().collect();
            let (mut seen, mut cursor, mut steps) = (Vec::new(), String::new(), 0);
            loop {
                let page = shown(&idp.get(&format!("/Users?{query}&cursor={cursor}")));
                seen.extend(of(&page));
                steps += 1;
                let Some(next) = page["nextCursor"].as_str() else {
                    break;
                };
                cursor = next.to_owned();
                // One that was seen, the last one seen (where the cursor points), one to come.
                for at in [seen.len() / 2, seen.len() - 1, 30] {
                    let gone = match at {
                        30 => present.pop().unwrap(),
                        at => seen[at].clone(),
                    };
                    idp.delete(&format!("/Users/{gone}"));
                    stayed.remove(&gone);
                }
                if steps < 3 {
                    let body = json!({"userName": format!("late{steps}{}", query.len()), "title": "Title"});
                    id_of(&idp.post("/Users", &body));
                }
            }
            let once: BTreeSet<&String> = seen.iter().collect();
            assert_eq!(once.len(), seen.len(), "{query}: nobody twice");
            let missed: Vec<_> = stayed.iter().filter(|id| !once.contains(id)).collect();
            assert!(missed.is_empty(), "{query}: {missed:?}");
            for id in shown(&idp.get("/Users?count=1000"))["Resources"]
                .as_array()
                .unwrap()
            {
                idp.delete(&format!("/Users/{}", id["id"].as_str().unwrap()));
            }
        }
    });
}

#[test]
fn a_page_whose_neighbours_are_gone_still_leads_on() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users: Vec<String> = (0..6)
            .map(|number| idp.user(&format!("u{number}")))
            .collect();
        for order in ["ascending", "descending"] {
            let query = format!("/Users?count=2&sortBy=id&sortOrder={order}");
            let first = shown(&idp.get(&format!("{query}&cursor")));
            let second = shown(&idp.get(&format!("{query}&cursor={}", cursor_of(&first))));
            let back = second["previousCursor"].as_str().unwrap();
            assert_eq!(
                of(&shown(&idp.get(&format!("{query}&cursor={back}")))),
                of(&first)
            );
        }
        let first = shown(&idp.get("/Users?count=2&cursor="));
        let second = shown(&idp.get(&format!("/Users?count=2&cursor={}", cursor_of(&first))));
        for id in &users[2..] {
            idp.delete(&format!("/Users/{id}"));
        }
        let past = shown(&idp.get(&format!("/Users?count=2&cursor={}", cursor_of(&second))));
        assert_eq!((of(&past).len(), past.get("nextCursor")), (0, None));
        let back = past["previousCursor"].as_str().unwrap();
        let back = shown(&idp.get(&format!("/Users?count=2&cursor={back}")));
        assert_eq!(of(&back), users[..2]);
        assert_eq!(back.get("previousCursor"), None);
    });
}

#[test]
fn a_cursor_is_good_for_its_own_query_only() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for number in 0..6 {
            idp.user(&format!("u{number}"));
            idp.group(&format!("g{number}"), &[]);
        }
        let filter = "filter=userName+pr&sortBy=userName&count=2";
        let page = shown(&idp.get(&format!("/Users?{filter}&cursor=")));
        let cursor = cursor_of(&page);
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        assert!(cursor.bytes().all(unreserved));
        assert!(!cursor.contains("u1"));
        shown(&idp.get(&format!("/Users?{filter}&attributes=id&cursor={cursor}")));
        let body =
            json!({"filter": "userName pr", "sortBy": "userName", "count": 2, "cursor": cursor});
        let posted = shown(&idp.post("/Users/.search", &body));
        assert_eq!(posted["Resources"][0]["userName"], "u2");
        let changed = format!("{}A", &cursor[..cursor.len() - 2]);
        for (path, cursor) in [
            ("/Users?sortBy=userName&count=2".to_owned(), &cursor),
            ("/Users?filter=userName+pr&count=2".to_owned(), &cursor),
            (format!("/Users?{filter}&sortOrder=descending"), &cursor),
            (format!("/?{filter}"), &cursor),
            (format!("/Users?{filter}"), &changed),
            (format!("/Users?{filter}"), &"abc".to_owned()),
            (format!("/Users?{filter}"), &"%00".to_owned()),
        ] {
            let answer = idp.get(&format!("{path}&cursor={cursor}"));
            assert_eq!(refused(&answer), (400, "invalidCursor".into()), "{path}");
        }
        let groups = cursor_of(&shown(&idp.get("/Groups?count=2&cursor=")));
        assert_eq!(
            refused(&idp.get(&format!("/Users?count=2&cursor={groups}"))).1,
            "invalidCursor"
        );
        let other = other_connector(&world);
        let answer = other.get(&format!("/Users?{filter}&cursor={cursor}"));
        assert_eq!(refused(&answer).1, "invalidCursor");
        world.wait(SignedDuration::from_hours(23));
        shown(&idp.get(&format!("/Users?{filter}&cursor={cursor}")));
        world.wait(SignedDuration::from_hours(2));
        let answer = idp.get(&format!("/Users?{filter}&cursor={cursor}"));
        assert_eq!(refused(&answer), (400, "expiredCursor".into()));
    });
}

fn other_connector<'w>(world: &'w World) -> Idp<'w> {
    let draft = provision::ConnectorDraft {
        name: "other".into(),
        preset: directory::Preset::Generic,
        directory: None,
        rules: directory::Rules::default(),
        settings: directory::ConnectorSettings::default(),
    };
    let other = world
        .run(world.provision.create_connector(draft, "admin"))
        .unwrap()
        .connector;
    let token = world
        .run(world.provision.create_scim_token(other.id, "idp", None))
        .unwrap();
    Idp::with(world, &other.public_id, &token)
}

#[test]
fn a_cursor_holds_on_every_node() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users: Vec<String> = (0..5)
            .map(|number| idp.user(&format!("u{number}")))
            .collect();
        let first = shown(&idp.get("/Users?count=3&cursor="));
        let address = world.run(async {
            let app = App::new(world.provision.clone(), Settings::default());
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            tokio::spawn(server::serve(listener, app, std::future::pending()));
            address
        });
        let ask = idp.ask(
            "GET",
            &format!("/Users?count=3&cursor={}", cursor_of(&first)),
        );
        let second = shown(&world.run(ask.send(&address)));
        assert_eq!([of(&first), of(&second)].concat(), users);
        assert_eq!(second.get("nextCursor"), None);
    });
}

#[test]
fn sizes_of_pages_are_checked_and_discovery_tells_them() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for number in 0..3 {
            idp.user(&format!("u{number}"));
        }
        let config = shown(&idp.get("/ServiceProviderConfig"));
        assert_eq!(config["sort"]["supported"], true);
        let told = json!({
            "cursor": true, "index": true, "defaultPaginationMethod": "index",
            "defaultPageSize": 100, "maxPageSize": 1000, "cursorTimeout": 86400,
        });
        assert_eq!(config["pagination"], told);
        for (query, keyword) in [
            ("cursor=&count=1001", "invalidCount"),
            ("cursor=&count=ten", "invalidCount"),
            ("cursor=&count=1.5", "invalidCount"),
            ("cursor=&startIndex=5", "invalidValue"),
            ("count=ten", "invalidValue"),
            ("startIndex=one", "invalidValue"),
        ] {
            let answer = idp.get(&format!("/Users?{query}"));
            assert_eq!(refused(&answer), (400, keyword.into()), "{query}");
        }
        for (query, items) in [
            ("cursor&count=0", 0),
            ("cursor=&count=-2", 0),
            ("cursor=", 3),
            ("cursor=&count=1000", 3),
        ] {
            let page = shown(&idp.get(&format!("/Users?{query}")));
            assert_eq!(
                (&page["totalResults"], of(&page).len()),
                (&json!(3), items),
                "{query}"
            );
            assert_eq!(
                (page.get("nextCursor"), page.get("previousCursor")),
                (None, None),
                "{query}"
            );
        }
        let by_index = shown(&idp.get("/Users?count=1"));
        assert_eq!(
            (by_index.get("nextCursor"), &by_index["startIndex"]),
            (None, &json!(1))
        );
        let unknown = shown(&idp.get("/Users?count=1&filter=title+co+%22x%22&cursor="));
        assert_eq!(unknown["totalResults"], 0);
    });
}
