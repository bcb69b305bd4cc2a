//! Sorting (RFC 7644 section 3.4.2.3).

use crate::catalogue::{Check, must, should};
use crate::profile::Need;
use crate::stop::{Step, ensure};
use crate::talk::{Talk, column, resources};

use super::pages::{everybody_once, page};

const RFC: &str = "RFC 7644 section 3.4.2.3";
const WHY: &str =
    "A client that shows a sorted list, or looks for the newest, shows the wrong people.";
const FIX: &str = "Order by the attribute as its schema compares it; what has no value comes last, with descending first.";

/// The names of the known users in the order in which they come.
fn sorted(t: &Talk<'_>, by: &str, order: &str) -> Step<Vec<String>> {
    let answer = page(t, &[("sortBy", by), ("sortOrder", order), ("count", "100")])?;
    let cast = t.cast()?;
    let short = |name: &String| {
        cast.names(std::slice::from_ref(name))
            .pop()
            .unwrap_or_default()
    };
    Ok(column(&answer, "userName").iter().map(short).collect())
}

fn expect_order(t: &Talk<'_>, by: &str, order: &str, wanted: &[&str]) -> Step {
    let came = sorted(t, by, order)?;
    ensure(
        came == wanted,
        format!("{wanted:?} by {by}, {order}"),
        || format!("{came:?}"),
    )
}

const BY_NAME: &[&str] = &[
    "ann", "bea", "cid", "dan", "eve", "fay+x", "gil", "hal", "ida", "jon", "kim", "lou",
];

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    vec![
        must(
            "SRT-ORD-01",
            RFC,
            "Users are sorted by userName, ascending",
            |t| expect_order(t, "userName", "ascending", BY_NAME),
        )
        .why(WHY)
        .fix(FIX),
        must(
            "SRT-ORD-02",
            RFC,
            "Users are sorted by userName, descending",
            |t| {
                let wanted: Vec<&str> = BY_NAME.iter().rev().copied().collect();
                expect_order(t, "userName", "descending", &wanted)
            },
        )
        .why(WHY)
        .fix(FIX),
        must(
            "SRT-ORD-03",
            RFC,
            "Without an order the order is ascending",
            |t| {
                let answer = page(t, &[("sortBy", "userName"), ("count", "100")])?;
                let names = column(&answer, "userName");
                let mut wanted = names.clone();
                wanted.sort_unstable();
                answer.ensure(names == wanted, "ascending names", || format!("{names:?}"))
            },
        )
        .why(WHY)
        .fix("Take `ascending` where sortOrder is absent."),
        must(
            "SRT-ORD-04",
            RFC,
            "A part of a complex attribute can be sorted by, without regard to case",
            |t| {
                let came = sorted(t, "name.familyName", "ascending")?;
                // Abel and abel are the same here; who comes first of both is open.
                let mut front: Vec<&str> = came.iter().take(2).map(String::as_str).collect();
                front.sort_unstable();
                ensure(
                    front == ["ann", "cid"] && came.get(2).is_some_and(|name| name == "bea"),
                    "ann and cid, then bea",
                    || format!("{came:?}"),
                )
            },
        )
        .why(WHY)
        .fix(FIX),
        must("SRT-ORD-05", RFC, "Who has no value comes last", |t| {
            let came = sorted(t, "title", "ascending")?;
            let front: Vec<&str> = came.iter().take(4).map(String::as_str).collect();
            let has = |name: &str| front.contains(&name);
            ensure(
                came.len() == BY_NAME.len()
                    && has("ann")
                    && has("bea")
                    && has("dan")
                    && has("fay+x"),
                "those with a title first",
                || format!("{came:?}"),
            )
        })
        .why(WHY)
        .fix(FIX),
        should(
            "SRT-ORD-06",
            RFC,
            "With descending order who has no value comes first",
            |t| {
                let came = sorted(t, "title", "descending")?;
                let back: Vec<&str> = came.iter().rev().take(4).map(String::as_str).collect();
                let has = |name: &str| back.contains(&name);
                ensure(
                    has("ann") && has("bea") && has("dan") && has("fay+x"),
                    "those with a title last",
                    || format!("{came:?}"),
                )
            },
        )
        .why(WHY)
        .fix(FIX),
        must("SRT-ORD-07", RFC, "Times are sorted by", |t| {
            let came = sorted(t, "meta.created", "descending")?;
            let first = sorted(t, "meta.created", "ascending")?;
            // Users made within one tick of the clock may come in any order.
            ensure(
                came.len() == BY_NAME.len() && first.len() == BY_NAME.len(),
                "everybody, both ways",
                || format!("{came:?} {first:?}"),
            )?;
            ensure(
                first.first().is_some_and(|name| name == "ann")
                    || came.first().is_some_and(|name| name == "lou"),
                "the oldest or the newest at the front",
                || format!("{first:?}"),
            )
        })
        .why(WHY)
        .fix(FIX),
        must(
            "SRT-PAGE-01",
            RFC,
            "A sorted list has everybody exactly once in its pages",
            |t| {
                let mut ids = Vec::new();
                // Most have no title: without a second criterion their order is open, and pages overlap.
                for start in ["1", "4", "7", "10"] {
                    let answer = page(
                        t,
                        &[("sortBy", "title"), ("startIndex", start), ("count", "3")],
                    )?;
                    answer.ensure(resources(&answer).len() == 3, "3 resources", || {
                        resources(&answer).len().to_string()
                    })?;
                    ids.extend(column(&answer, "id"));
                }
                everybody_once(t, &ids)
            },
        )
        .why("Whom an import does not see is taken for gone.")
        .fix("Add the id as the last criterion of every order."),
        should(
            "SRT-BAD-01",
            RFC,
            "An attribute that does not exist breaks nothing",
            |t| {
                t.query("/Users", &[("sortBy", "vcheckNothing"), ("count", "2")])?
                    .status(&[200, 400])?;
                Ok(())
            },
        )
        .why("A failure of the server here is often a way into its query.")
        .fix("Answer 400 invalidPath, or leave the order as it is.")
        .reading(),
        should(
            "SRT-BAD-02",
            RFC,
            "An order that does not exist is refused",
            |t| {
                t.query(
                    "/Users",
                    &[
                        ("sortBy", "userName"),
                        ("sortOrder", "sideways"),
                        ("count", "2"),
                    ],
                )?
                .status(&[400])?;
                Ok(())
            },
        )
        .why("A mistyped order that is passed over sorts the wrong way.")
        .fix("Answer 400 invalidValue.")
        .reading(),
        should(
            "SRT-LIST-01",
            RFC,
            "A list is sorted by its primary or first value",
            |t| {
                let came = sorted(t, "emails", "ascending")?;
                let front: Vec<&str> = came.iter().take(2).map(String::as_str).collect();
                ensure(front == ["ann", "bea"], "ann and bea first", || {
                    format!("{came:?}")
                })
            },
        )
        .why(WHY)
        .fix("Take the primary value of a list, or the first one."),
    ]
    .into_iter()
    .map(|check| check.needs(&[Need::Sort, Need::Filter]))
    .collect()
}
