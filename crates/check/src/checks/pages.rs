//! Lists by pages (RFC 7644 section 3.4.2.4).

use std::collections::BTreeMap;

use serde_json::json;

use crate::catalogue::{Check, Client, habit, must, should};
use crate::fixture::CAST_SIZE;
use crate::profile::Need;
use crate::stop::{Step, fault};
use crate::talk::{LIST, Talk, column, resources};
use crate::wire::{Answer, integer};

const RFC: &str = "RFC 7644 section 3.4.2.4";
const WHY_WALK: &str = "Whom an import does not see is taken for gone, and loses access; whom it sees twice is created twice.";
const FIX_WALK: &str = "Sort by something that never changes and is unique, such as the moment of creation and the id.";
/// A walk over live data ends after so many pages.
const PAGES_MAX: usize = 400;

/// A page of the known users.
pub(super) fn page(t: &Talk<'_>, parameters: &[(&str, &str)]) -> Step<Answer> {
    let filter = format!("userName sw \"{}\"", t.cast()?.prefix);
    let all: Vec<(&str, &str)> = parameters
        .iter()
        .copied()
        .chain([("filter", filter.as_str())])
        .collect();
    let answer = t.query("/Users", &all)?;
    answer.status(&[200])?;
    Ok(answer)
}

/// Fails unless every known user is there exactly once.
pub(super) fn everybody_once(t: &Talk<'_>, ids: &[String]) -> Step {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for id in ids {
        *seen.entry(id).or_default() += 1;
    }
    for (name, made) in &t.cast()?.users {
        match seen.get(made.id.as_str()) {
            Some(1) => {}
            times => {
                let times = times.copied().unwrap_or_default();
                return fault(
                    "each user exactly once in all pages",
                    format!("{name} {times} times"),
                );
            }
        }
    }
    Ok(())
}

fn walk(t: &Talk<'_>, count: usize) -> Step<Vec<String>> {
    let mut ids = Vec::new();
    let size = count.to_string();
    for _ in 0..PAGES_MAX {
        let start = (ids.len() + 1).to_string();
        let answer = page(t, &[("startIndex", &start), ("count", &size)])?;
        let came = column(&answer, "id");
        answer.ensure(
            came.len() <= count,
            format!("at most {count} resources"),
            || came.len().to_string(),
        )?;
        let total = integer(&answer, "/totalResults")?;
        answer.ensure(
            total == CAST_SIZE as i64,
            format!("totalResults {CAST_SIZE} on each page"),
            || total.to_string(),
        )?;
        if came.is_empty() {
            return Ok(ids);
        }
        ids.extend(came);
    }
    fault(
        "an end of the pages",
        format!("more than {PAGES_MAX} pages"),
    )
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = shape();
    checks.extend(bounds());
    checks.extend(walks());
    checks
}

fn shape() -> Vec<Check> {
    vec![
        must("PAG-LIST-01", "RFC 7644 section 3.4.2", "A list has its schema, a total and resources", |t| {
            let answer = t.get("/Users?count=2")?;
            answer.status(&[200])?;
            let schemas = &answer.body["schemas"];
            answer.ensure(*schemas == json!([LIST]), format!("schemas [{LIST}]"), || schemas.to_string())?;
            let total = integer(&answer, "/totalResults")?;
            answer.ensure(total == 0 || answer.body["Resources"].is_array(), "a list in Resources", || answer.body["Resources"].to_string())
        })
        .why("Clients find their way by these names, spelt exactly so.")
        .fix("Answer a ListResponse with totalResults as an integer and Resources as a list.")
        .reading(),
        must("PAG-LIST-02", RFC, "A page says where it begins and how much it has", |t| {
            let answer = page(t, &[("startIndex", "3"), ("count", "4")])?;
            let (start, per_page) = (integer(&answer, "/startIndex")?, integer(&answer, "/itemsPerPage")?);
            answer.ensure(start == 3, "startIndex 3", || start.to_string())?;
            answer.ensure(per_page == 4, "itemsPerPage 4", || per_page.to_string())
        })
        .why("Clients compute the next page from both.")
        .fix("Give startIndex and itemsPerPage as integers on each page.")
        .needs(&[Need::Filter]),
        habit("PAG-LIST-03", Client::PocketId, "itemsPerPage is what is really on the page", |t| {
            let answer = page(t, &[("startIndex", "11"), ("count", "100")])?;
            let (per_page, came) = (integer(&answer, "/itemsPerPage")?, resources(&answer).len());
            answer.ensure(per_page == came as i64, format!("itemsPerPage {came}"), || per_page.to_string())
        })
        .why("Pocket ID goes on at startIndex + itemsPerPage; a wrong number skips people or never ends.")
        .fix("Count what is in Resources.")
        .needs(&[Need::Filter]),
        must("PAG-LIST-04", "RFC 7644 section 3.4.2", "totalResults counts all that match, not the page", |t| {
            let answer = page(t, &[("count", "5")])?;
            let total = integer(&answer, "/totalResults")?;
            answer.ensure(total == CAST_SIZE as i64, format!("totalResults {CAST_SIZE}"), || total.to_string())
        })
        .why("A server that gave the size of the page ended every import after the first one.")
        .fix("Count all resources that match the filter.")
        .needs(&[Need::Filter]),
        habit("PAG-LIST-05", Client::Okta, "The test calls of Okta are answered with lists", |t| {
            for path in ["/Users?startIndex=1&count=2", "/Users?startIndex=1&count=100", "/Groups?startIndex=1&count=100"] {
                if path.starts_with("/Groups") && !t.profile().has_groups {
                    continue;
                }
                let answer = t.get(path)?;
                answer.status(&[200])?;
                integer(&answer, "/totalResults")?;
            }
            Ok(())
        })
        .why("The connection cannot be saved in Okta otherwise.")
        .fix("Answer 200 with a list, empty or not.")
        .reading(),
    ]
}

fn bounds() -> Vec<Check> {
    vec![
        must(
            "PAG-EDGE-01",
            RFC,
            "count=0 gives the total and nobody",
            |t| {
                let answer = page(t, &[("count", "0")])?;
                let total = integer(&answer, "/totalResults")?;
                answer.ensure(
                    total == CAST_SIZE as i64,
                    format!("totalResults {CAST_SIZE}"),
                    || total.to_string(),
                )?;
                answer.ensure(resources(&answer).is_empty(), "no resources", || {
                    resources(&answer).len().to_string()
                })
            },
        )
        .why("Clients ask so how many there are.")
        .fix("Serve count=0."),
        must("PAG-EDGE-02", RFC, "startIndex below 1 means 1", |t| {
            let first = column(&page(t, &[("startIndex", "1"), ("count", "3")])?, "id");
            for start in ["0", "-5"] {
                let answer = page(t, &[("startIndex", start), ("count", "3")])?;
                answer.ensure(column(&answer, "id") == first, "the first page", || {
                    answer.text.clone()
                })?;
            }
            Ok(())
        })
        .why("Clients that count from 0 would miss the first person.")
        .fix("Take values below 1 for 1."),
        must("PAG-EDGE-03", RFC, "A negative count means 0", |t| {
            let answer = page(t, &[("count", "-1")])?;
            answer.ensure(resources(&answer).is_empty(), "no resources", || {
                resources(&answer).len().to_string()
            })
        })
        .why("Otherwise it means everybody on some servers.")
        .fix("Take negative values for 0."),
        must(
            "PAG-EDGE-04",
            RFC,
            "A page after the last one is empty",
            |t| {
                for start in ["13", "1000000"] {
                    let answer = page(t, &[("startIndex", start), ("count", "5")])?;
                    answer.ensure(resources(&answer).is_empty(), "no resources", || {
                        resources(&answer).len().to_string()
                    })?;
                    let total = integer(&answer, "/totalResults")?;
                    answer.ensure(
                        total == CAST_SIZE as i64,
                        format!("totalResults {CAST_SIZE}"),
                        || total.to_string(),
                    )?;
                }
                Ok(())
            },
        )
        .why("Clients go on until an empty page comes.")
        .fix("Answer 200 with an empty list and the right total."),
        should(
            "PAG-EDGE-05",
            RFC,
            "Numbers that are none are refused",
            |t| {
                for path in ["/Users?count=many", "/Users?startIndex=first"] {
                    t.get(path)?.status(&[400])?;
                }
                Ok(())
            },
        )
        .why("A mistyped limit that is passed over fetches everybody.")
        .fix("Answer 400 invalidValue.")
        .reading(),
        should(
            "PAG-EDGE-06",
            RFC,
            "A number beyond all limits breaks nothing",
            |t| {
                for path in [
                    "/Users?count=99999999999999999999",
                    "/Users?startIndex=9223372036854775807&count=9223372036854775807",
                ] {
                    t.get(path)?.status(&[200, 400])?;
                }
                Ok(())
            },
        )
        .why("Sums that overflow end the process, or begin again at the front.")
        .fix("Cut numbers to what can be served.")
        .reading(),
    ]
    .into_iter()
    .map(|check| match check.is_reading() {
        true => check,
        false => check.needs(&[Need::Filter]),
    })
    .collect()
}

fn walks() -> Vec<Check> {
    let walk_by = |id, title, count: usize| {
        must(id, RFC, title, move |t| {
            let ids = walk(t, count)?;
            everybody_once(t, &ids)
        })
        .why(WHY_WALK)
        .fix(FIX_WALK)
        .needs(&[Need::Filter])
    };
    vec![
        walk_by("PAG-WALK-01", "Pages of 5 have everybody exactly once", 5),
        walk_by("PAG-WALK-02", "Pages of 1 have everybody exactly once", 1),
        walk_by(
            "PAG-WALK-03",
            "One page of 100 has everybody exactly once",
            100,
        ),
        must(
            "PAG-WALK-04",
            RFC,
            "The order is the same each time, also after a change",
            |t| {
                let before = walk(t, 5)?;
                let user = t.user(json!({}))?;
                let mut body = user.sent.clone();
                body["displayName"] = "Changed".into();
                t.put(&user.path, &body)?.status(&[200])?;
                let after = walk(t, 4)?;
                match before == after {
                    true => Ok(()),
                    false => fault("the same order twice", "two orders"),
                }
            },
        )
        .why(WHY_WALK)
        .fix(FIX_WALK)
        .needs(&[Need::Filter]),
        must(
            "PAG-WALK-05",
            RFC,
            "A walk over everything, without a filter, has nobody twice",
            |t| {
                let mut seen = std::collections::BTreeSet::new();
                let mut asked = 1;
                for _ in 0..PAGES_MAX {
                    let answer = t.get(&format!("/Users?startIndex={asked}&count=100"))?;
                    answer.status(&[200])?;
                    let came = column(&answer, "id");
                    if came.is_empty() {
                        return Ok(());
                    }
                    asked += came.len();
                    for id in came {
                        let is_new = seen.insert(id.clone());
                        answer
                            .ensure(is_new, "each user once", || format!("{id} a second time"))?;
                    }
                }
                crate::stop::skip(format!("there are more users than {PAGES_MAX} pages hold"))
            },
        )
        .why(WHY_WALK)
        .fix(FIX_WALK)
        .reading()
        .alone(),
        habit(
            "PAG-WALK-06",
            Client::Entra,
            "Pages of 5 of more than 10 users are right",
            |t| {
                let pages: Vec<usize> = ["1", "6", "11"]
                    .iter()
                    .map(|start| {
                        page(t, &[("startIndex", start), ("count", "5")])
                            .map(|answer| resources(&answer).len())
                    })
                    .collect::<Step<_>>()?;
                crate::stop::ensure(pages == [5, 5, 2], "pages of 5, 5 and 2", || {
                    format!("{pages:?}")
                })
            },
        )
        .why("It is one of the tests for Entra's gallery.")
        .fix(FIX_WALK)
        .needs(&[Need::Filter]),
        habit(
            "PAG-WALK-07",
            Client::Ping,
            "All groups can be listed by pages",
            |t| {
                let made = [t.group(&[])?, t.group(&[])?, t.group(&[])?];
                let mut seen: BTreeMap<String, usize> = BTreeMap::new();
                let mut asked = 1;
                for _ in 0..PAGES_MAX {
                    let answer = t.get(&format!("/Groups?startIndex={asked}&count=100"))?;
                    answer.status(&[200])?;
                    let came = column(&answer, "id");
                    if came.is_empty() {
                        break;
                    }
                    asked += came.len();
                    came.into_iter()
                        .for_each(|id| *seen.entry(id).or_default() += 1);
                }
                for group in made {
                    let times = seen.get(&group.id).copied().unwrap_or_default();
                    crate::stop::ensure(times == 1, "each group exactly once", || {
                        format!("a group {times} times")
                    })?;
                }
                Ok(())
            },
        )
        .why("PingFederate finds groups by listing all of them.")
        .fix(FIX_WALK)
        .needs(&[Need::Groups])
        .alone(),
    ]
}
