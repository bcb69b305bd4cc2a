//! Lists and searches: every filter and every sort means what a plain model says, wherever they are asked.

use emulate::databases::on_each_database;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::query_model::*;
use crate::scim_idp::*;
use crate::world::World;

pub const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

/// The two kinds alone and both together: path, attributes, documents.
fn collections(idp: &Idp<'_>) -> Vec<(&'static str, Vec<Attr>, Vec<Value>)> {
    let (users, groups) = people(idp);
    let both = [users.clone(), groups.clone()].concat();
    vec![
        ("/Users", OF_USERS.to_vec(), users),
        ("/Groups", OF_GROUPS.to_vec(), groups),
        ("", [OF_USERS.to_vec(), OF_GROUPS.to_vec()].concat(), both),
    ]
}

#[test]
fn filters_find_what_the_model_finds() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for (path, attrs, documents) in collections(&idp) {
            let outcome = runner(120).run(&wishes(attrs, &documents), |wish| {
                let expected: Vec<Value> = documents
                    .iter()
                    .filter(|document| wish.holds(document))
                    .cloned()
                    .collect();
                let filter = wish.text();
                let query = format!("{path}/?filter={}&count=1000", encoded(&filter));
                let body = json!({"schemas": [SEARCH], "filter": filter, "count": 1000});
                for answer in [idp.get(&query), idp.post(&format!("{path}/.search"), &body)] {
                    prop_assert_eq!(answer.status, 200, "{}: {}", filter, answer.text());
                    let page = answer.json();
                    let found = page["Resources"].as_array().unwrap();
                    prop_assert_eq!(ids(found), ids(&expected), "{}", filter);
                    prop_assert_eq!(&page["totalResults"], expected.len());
                }
                Ok(())
            });
            outcome.unwrap();
        }
    });
}

#[test]
fn sorted_lists_are_walked_by_index_and_by_cursor() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for (path, attrs, documents) in collections(&idp) {
            let filters = prop_oneof![
                1 => Just(None),
                1 => wishes(attrs.clone(), &documents).prop_map(Some),
            ];
            let asked = (select(attrs), any::<bool>(), 1..12_usize, filters);
            let outcome = runner(40).run(&asked, |(by, descending, count, wish)| {
                let chosen = documents
                    .iter()
                    .filter(|document| wish.as_ref().is_none_or(|wish| wish.holds(document)))
                    .cloned()
                    .collect();
                let expected = sorted(chosen, by, descending);
                let order = if descending {
                    "descending"
                } else {
                    "ascending"
                };
                let mut query = format!("{path}/?sortBy={}&sortOrder={order}&count={count}", by.0);
                if let Some(wish) = &wish {
                    query.push_str(&format!("&filter={}", encoded(&wish.text())));
                }
                let by_index = walk_by_index(&idp, &query, expected.len());
                prop_assert_eq!(ids(&by_index), ids(&expected), "{}", query);
                let pages = walk_by_cursor(&idp, &query);
                let sizes: Vec<usize> = pages.iter().map(|page| ids(of(page)).len()).collect();
                let full = sizes.iter().rev().skip(1).all(|size| *size == count);
                prop_assert!(full, "{query}: {sizes:?}");
                let by_cursor: Vec<Value> = pages.iter().flat_map(of).cloned().collect();
                prop_assert_eq!(ids(&by_cursor), ids(&expected), "{}", query);
                let back = walk_back(&idp, &query, pages.last().unwrap());
                prop_assert_eq!(ids(&back), ids(&expected), "backwards {}", query);
                Ok(())
            });
            outcome.unwrap();
        }
    });
}

fn of(page: &Value) -> &Vec<Value> {
    page["Resources"].as_array().unwrap()
}

fn walk_by_index(idp: &Idp<'_>, query: &str, total: usize) -> Vec<Value> {
    let mut seen = Vec::new();
    loop {
        let page = shown(&idp.get(&format!("{query}&startIndex={}", seen.len() + 1)));
        assert_eq!(page["totalResults"], total, "{query}");
        assert_eq!(page["itemsPerPage"], of(&page).len());
        assert_eq!(page["startIndex"], seen.len() + 1);
        if of(&page).is_empty() {
            return seen;
        }
        seen.extend(of(&page).iter().cloned());
    }
}

/// The pages from the first to the last.
pub fn walk_by_cursor(idp: &Idp<'_>, query: &str) -> Vec<Value> {
    let mut pages: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = shown(&idp.get(&format!("{query}&cursor={cursor}")));
        assert_eq!(page["itemsPerPage"], of(&page).len());
        assert_eq!(page.get("startIndex"), None);
        assert_eq!(page.get("previousCursor").is_some(), !pages.is_empty());
        let next = page["nextCursor"].as_str().map(str::to_owned);
        pages.push(page);
        match next {
            Some(next) => cursor = next,
            None => return pages,
        }
    }
}

/// From the last page to the first, put together in the order of the list.
fn walk_back(idp: &Idp<'_>, query: &str, last: &Value) -> Vec<Value> {
    let mut seen = of(last).clone();
    let mut page = last.clone();
    while let Some(previous) = page["previousCursor"].as_str() {
        page = shown(&idp.get(&format!("{query}&cursor={previous}")));
        assert!(page["nextCursor"].is_string());
        seen.splice(0..0, of(&page).iter().cloned());
    }
    seen
}

#[test]
fn the_base_url_lists_users_and_then_groups() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let (ann, bob) = (idp.user("ann"), idp.user("bob"));
        let (red, blue) = (idp.group("red", &[&ann]), idp.group("blue", &[]));
        let all = shown(&idp.get("?count=3"));
        assert_eq!(
            (&all["totalResults"], ids(of(&all))),
            (&json!(4), vec![&*ann, &bob, &red])
        );
        assert_eq!(of(&all)[2]["members"][0]["value"], ann);
        assert_eq!(of(&all)[0]["groups"][0]["value"], red);
        let rest = shown(&idp.get("/?startIndex=4"));
        assert_eq!(ids(of(&rest)), [&blue]);
        for (filter, expected) in [
            ("meta.resourceType eq \"User\"", vec![&*ann, &bob]),
            (
                "meta.resourceType eq \"Group\" and displayName sw \"r\"",
                vec![&red],
            ),
            (
                "userName eq \"BOB\" or displayName eq \"blue\"",
                vec![&bob, &blue],
            ),
            ("userName eq \"bob\"", vec![&bob]),
            ("not (members pr)", vec![&ann, &bob, &blue]),
        ] {
            let found = shown(&idp.get(&format!("/?filter={}", encoded(filter))));
            assert_eq!(ids(of(&found)), expected, "{filter}");
            assert_eq!(found["totalResults"], expected.len());
        }
        let names = shown(&idp.get("/?attributes=userName,displayName&sortBy=displayName"));
        let names: Vec<Value> = of(&names)
            .iter()
            .map(|one| {
                one.get("userName")
                    .or(one.get("displayName"))
                    .cloned()
                    .unwrap()
            })
            .collect();
        assert_eq!(names, ["blue", "red", "ann", "bob"]);
        assert_eq!(refused(&idp.get("/?filter=nonsense+pr")).1, "invalidFilter");
        assert_eq!(refused(&idp.post("", &json!({}))).0, 405);
    });
}

#[test]
fn searches_are_sent_in_a_body() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        for name in ["cid", "ann", "bob"] {
            idp.user(name);
        }
        let group = idp.group("red", &[]);
        let body = json!({
            "schemas": [SEARCH], "attributes": ["userName"], "excludedAttributes": [],
            "filter": "userName pr", "sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 1,
        });
        let page = shown(&idp.post("/Users/.search", &body));
        assert_eq!(
            (
                &page["totalResults"],
                &page["startIndex"],
                &page["itemsPerPage"]
            ),
            (&json!(3), &json!(2), &json!(1))
        );
        assert_eq!(of(&page)[0]["userName"], "bob");
        assert_eq!(of(&page)[0].get("meta"), None);
        assert_eq!(shown(&idp.post("/.search", &json!({})))["totalResults"], 4);
        let groups = shown(&idp.post("/Groups/.search", &json!({"schemas": [SEARCH]})));
        assert_eq!(ids(of(&groups)), [&group]);
        for (body, keyword) in [
            (
                json!({"schemas": [CORE_USER], "userName": "x"}),
                "invalidSyntax",
            ),
            (json!({"filter": 7}), "invalidValue"),
            (json!({"count": []}), "invalidValue"),
            (json!({"count": "many"}), "invalidValue"),
            (json!({"filter": "userName"}), "invalidFilter"),
            (json!({"sortBy": "nonsense"}), "invalidValue"),
            (json!({"sortBy": "name"}), "invalidValue"),
            (
                json!({"sortBy": "userName", "sortOrder": "up"}),
                "invalidValue",
            ),
            (json!({"cursor": "x"}), "invalidCursor"),
        ] {
            for path in ["/Users/.search", "/.search"] {
                let answer = idp.post(path, &body);
                assert_eq!(refused(&answer), (400, keyword.into()), "{path} {body}");
            }
        }
        let not_json = idp.ask("POST", "/.search").body("filter=x");
        assert_eq!(
            refused(&world.send(not_json)),
            (400, "invalidSyntax".into())
        );
        for method in ["GET", "PUT", "DELETE"] {
            let answer = world.send(idp.ask(method, "/Users/.search"));
            assert_eq!(refused(&answer).0, 405, "{method}");
        }
    });
}

#[test]
fn pages_by_index_are_exact_while_people_come_and_go() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let mut present: Vec<String> = (0..40)
            .map(|number| idp.user(&format!("u{number}")))
            .collect();
        // Pages are asked for in no order, with changes between them: each is that part of the list as it is.
        for step in 0..60_usize {
            match step % 6 {
                1 => present.push(idp.user(&format!("late{step}"))),
                4 => {
                    let gone = present.remove(step * 7 % present.len());
                    assert_eq!(idp.delete(&format!("/Users/{gone}")).status, 204);
                }
                _ => {}
            }
            let (start, count) = (step * 11 % (present.len() + 4) + 1, step % 9 + 1);
            let page = shown(&idp.get(&format!("/Users?startIndex={start}&count={count}")));
            let expected: Vec<&str> = present
                .iter()
                .skip(start - 1)
                .take(count)
                .map(String::as_str)
                .collect();
            assert_eq!(ids(of(&page)), expected, "step {step}");
            assert_eq!(page["totalResults"], present.len());
        }
    });
}
