//! Walks by cursor while anything is written: whoever is there all the time is seen exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use emulate::databases::on_each_database;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use crate::query_model::ids;
use crate::scim_idp::*;
use crate::world::World;

/// Values that sort next to each other, or alike.
const WORDS: [&str; 5] = ["a", "A", "b", "é", "zz"];
/// A walk of a few dozen people ends long before.
const PAGES_MAX: usize = 200;

/// Something that happens between two pages.
#[derive(Debug, Clone)]
enum Write {
    Create(&'static str),
    Delete(Index),
    /// Nothing that the list goes by.
    Touch(Index),
    /// What the list goes by.
    Move(Index, &'static str),
}

/// A list: its query, the attribute that it goes by.
type Listing = (&'static str, &'static str);

const LISTINGS: [Listing; 7] = [
    ("", "displayName"),
    ("&sortBy=userName", "displayName"),
    ("&sortBy=displayName", "displayName"),
    ("&sortBy=displayName&sortOrder=descending", "displayName"),
    ("&sortBy=title", "title"),
    ("&sortBy=id&sortOrder=descending", "title"),
    ("&filter=active+eq+true&sortBy=displayName", "displayName"),
];

#[derive(Debug, Clone)]
struct Story {
    listing: Listing,
    count: usize,
    people: Vec<&'static str>,
    /// What happens after each page.
    writes: Vec<Vec<Write>>,
}

fn stories() -> impl Strategy<Value = Story> {
    let word = || select(WORDS.to_vec());
    let write = prop_oneof![
        2 => word().prop_map(Write::Create),
        2 => any::<Index>().prop_map(Write::Delete),
        1 => any::<Index>().prop_map(Write::Touch),
        1 => (any::<Index>(), word()).prop_map(|(who, word)| Write::Move(who, word)),
    ];
    let writes = prop::collection::vec(prop::collection::vec(write, 0..5), 0..16);
    let people = prop::collection::vec(word(), 0..24);
    (select(LISTINGS.to_vec()), 1..6_usize, people, writes).prop_map(
        |(listing, count, people, writes)| Story {
            listing,
            count,
            people,
            writes,
        },
    )
}

/// What is known of somebody since a walk began.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    came: bool,
    went: bool,
    moved: bool,
    seen: usize,
}

struct Town<'w> {
    idp: &'w Idp<'w>,
    names: &'w std::cell::Cell<usize>,
    attribute: &'static str,
    present: Vec<String>,
    known: BTreeMap<String, Known>,
}

impl Town<'_> {
    fn create(&mut self, word: &str) -> String {
        self.names.set(self.names.get() + 1);
        let name = format!("{word}{}", self.names.get());
        let body = json!({ "userName": name, "active": true, self.attribute: word });
        let id = id_of(&self.idp.post("/Users", &body));
        self.present.push(id.clone());
        id
    }

    fn carry_out(&mut self, write: &Write) {
        let path = |id: &str| format!("/Users/{id}");
        match write {
            Write::Create(word) => {
                let came = Known {
                    came: true,
                    ..Known::default()
                };
                let id = self.create(word);
                self.known.insert(id, came);
            }
            _ if self.present.is_empty() => {}
            Write::Delete(who) => {
                let at = who.index(self.present.len());
                let id = self.present.swap_remove(at);
                assert_eq!(self.idp.delete(&path(&id)).status, 204);
                self.known.entry(id).or_default().went = true;
            }
            Write::Touch(who) => self.replace(who, "nickName", "touched"),
            Write::Move(who, word) => {
                let id = who.get(&self.present).clone();
                self.replace(who, self.attribute, word);
                self.known.entry(id).or_default().moved = true;
            }
        }
    }

    fn replace(&self, who: &Index, attribute: &str, value: &str) {
        let id = who.get(&self.present);
        let change = json!([{ "op": "replace", "path": attribute, "value": value }]);
        shown(&self.idp.patch(&format!("/Users/{id}"), &change));
    }

    /// Follows the cursors of pages to the end; gives the last page.
    fn walk(
        &mut self,
        query: &str,
        first: Value,
        next: &str,
        writes: &mut std::slice::Iter<'_, Vec<Write>>,
    ) -> Result<Value, TestCaseError> {
        self.known = self
            .present
            .iter()
            .map(|id| (id.clone(), Known::default()))
            .collect();
        let mut page = first;
        for _ in 0..PAGES_MAX {
            for id in ids(page["Resources"].as_array().unwrap()) {
                self.known.entry(id.to_owned()).or_default().seen += 1;
            }
            let Some(cursor) = page[next].as_str() else {
                self.judge(query)?;
                return Ok(page);
            };
            for write in writes.next().into_iter().flatten() {
                self.carry_out(write);
            }
            page = shown(&self.idp.get(&format!("{query}&cursor={cursor}")));
        }
        Err(TestCaseError::fail(format!("{query} never ends")))
    }

    fn judge(&self, query: &str) -> Result<(), TestCaseError> {
        for (id, known) in &self.known {
            let stayed = !known.came && !known.went && !known.moved;
            prop_assert!(
                known.seen == 1 || !stayed,
                "{query}: {id} was there all the time, and seen {} times",
                known.seen
            );
            prop_assert!(
                known.seen <= 1 || known.moved,
                "{query}: {id} was seen {} times: {known:?}",
                known.seen
            );
        }
        Ok(())
    }
}

#[test]
fn whoever_is_there_all_the_time_is_seen_once_there_and_back() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let names = std::cell::Cell::new(0);
        let mut runner = TestRunner::new(Config {
            cases: 32,
            max_shrink_iters: 64,
            failure_persistence: None,
            ..Config::default()
        });
        let outcome = runner.run(&stories(), |story| {
            let (sorted, attribute) = story.listing;
            let mut town = Town {
                idp: &idp,
                names: &names,
                attribute,
                present: Vec::new(),
                known: BTreeMap::new(),
            };
            for word in &story.people {
                town.create(word);
            }
            let query = format!("/Users?count={}{sorted}", story.count);
            let mut writes = story.writes.iter();
            let first = shown(&idp.get(&format!("{query}&cursor=")));
            let last = town.walk(&query, first, "nextCursor", &mut writes)?;
            town.walk(&query, last, "previousCursor", &mut writes)?;
            for id in town.present {
                idp.delete(&format!("/Users/{id}"));
            }
            Ok(())
        });
        outcome.unwrap();
    });
}

#[test]
fn writers_at_the_same_time_change_nothing_for_those_who_stay() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let staying: BTreeSet<String> = (0..40)
            .map(|number| idp.user(&format!("{}{number}", WORDS[number % WORDS.len()])))
            .collect();
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // However the walks end, the writers end with them.
            let _end = Ended(&ended);
            for writer in 0..3 {
                let (idp, ended) = (&idp, &ended);
                scope.spawn(move || {
                    let mut number = 0;
                    while !ended.load(Ordering::Relaxed) {
                        number += 1;
                        let id = idp.user(&format!("guest{writer}-{number}"));
                        assert_eq!(idp.delete(&format!("/Users/{id}")).status, 204);
                    }
                });
            }
            for sorted in ["", "&sortBy=userName", "&sortBy=title", "&sortBy=id"] {
                let query = format!("/Users?count=7{sorted}");
                let (mut seen, mut cursor) = (Vec::new(), String::new());
                for page in 0.. {
                    let page = match page {
                        PAGES_MAX => Err("the walk never ends"),
                        _ => Ok(shown(&idp.get(&format!("{query}&cursor={cursor}")))),
                    };
                    let page = page.unwrap();
                    let found = ids(page["Resources"].as_array().unwrap());
                    seen.extend(found.into_iter().map(str::to_owned));
                    match page["nextCursor"].as_str() {
                        Some(next) => cursor = next.to_owned(),
                        None => break,
                    }
                }
                seen.retain(|id| staying.contains(id));
                let once: BTreeSet<String> = seen.iter().cloned().collect();
                assert_eq!((&once, seen.len()), (&staying, staying.len()), "{query}");
            }
        });
    });
}

struct Ended<'e>(&'e AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
