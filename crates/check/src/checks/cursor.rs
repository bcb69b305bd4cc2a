//! Pages by cursors (RFC 9865).

use serde_json::{Value, json};

use crate::catalogue::{Check, must, should};
use crate::profile::Need;
use crate::stop::{Step, fault, skip};
use crate::talk::{Talk, column, encoded, resources, with_query};
use crate::wire::{Answer, Ask};

use super::pages::{everybody_once, page};

const RFC: &str = "RFC 9865 section 2";
const WHY: &str = "Clients that page by cursors see nobody, or see people twice.";
const FIX: &str =
    "Give nextCursor on every page but the last, and go on after what the cursor remembers.";
/// Twelve users never need more.
const PAGES_MAX: usize = 40;

fn cursor(answer: &Answer) -> Option<String> {
    answer.body["nextCursor"].as_str().map(str::to_owned)
}

/// Follows the cursors to the end; `between` is called after the first page.
fn walk(t: &Talk<'_>, count: &str, between: impl Fn() -> Step) -> Step<Vec<String>> {
    let mut ids = Vec::new();
    let mut at = String::new();
    for nth in 0..PAGES_MAX {
        let answer = page(t, &[("cursor", &at), ("count", count)])?;
        ids.extend(column(&answer, "id"));
        match cursor(&answer) {
            Some(next) => at = next,
            None => return Ok(ids),
        }
        if nth == 0 {
            between()?;
        }
    }
    fault(
        "an end of the pages",
        format!("more than {PAGES_MAX} pages"),
    )
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    vec![
        must("CUR-PAGE-01", RFC, "An empty cursor gives the first page and the cursor of the next", |t| {
            let answer = page(t, &[("cursor", ""), ("count", "5")])?;
            let came = resources(&answer).len();
            answer.ensure(came == 5, "5 resources", || came.to_string())?;
            answer.string("/nextCursor").map(|_| ())
        })
        .why(WHY)
        .fix(FIX),
        must("CUR-PAGE-02", RFC, "Following the cursors shows everybody exactly once", |t| {
            let ids = walk(t, "5", || Ok(()))?;
            everybody_once(t, &ids)
        })
        .why(WHY)
        .fix(FIX),
        must("CUR-PAGE-03", RFC, "The last page has no nextCursor", |t| {
            let answer = page(t, &[("cursor", ""), ("count", "100")])?;
            let next = &answer.body["nextCursor"];
            answer.ensure(next.is_null(), "no nextCursor after everybody", || next.to_string())
        })
        .why("A client goes on until there is none.")
        .fix("Leave nextCursor out when nothing is left."),
        must("CUR-PAGE-04", RFC, "Who is deleted while one walks makes nobody else disappear", |t| {
            let extra = t.users(3)?;
            let prefix = format!("userName sw \"{}\"", t.cast()?.prefix.trim_end_matches("-cast"));
            let mut ids = Vec::new();
            let mut at = String::new();
            for nth in 0..PAGES_MAX * 10 {
                let answer = t.query("/Users", &[("filter", &prefix), ("cursor", &at), ("count", "4")])?;
                answer.status(&[200])?;
                ids.extend(column(&answer, "id"));
                let Some(next) = cursor(&answer) else { break };
                at = next;
                if let Some(user) = extra.get(nth) {
                    t.delete(&user.path)?.status(&[204])?;
                }
            }
            everybody_once(t, &ids)
        })
        .why("Pages by number shift when somebody goes; cursors are made so that they do not.")
        .fix("Remember the last element in the cursor, not its number.")
        .alone(),
        must("CUR-PAGE-05", RFC, "A cursor is made of characters that need no encoding", |t| {
            let answer = page(t, &[("cursor", ""), ("count", "2")])?;
            let next = answer.string("/nextCursor")?;
            let is_plain = next.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c));
            answer.ensure(is_plain, "letters, digits, - . _ and ~ only", || next.to_owned())
        })
        .why("Clients put it into the URL as it is.")
        .fix("Use base64url without padding."),
        must("CUR-PAGE-06", RFC, "The same cursor gives the same page again", |t| {
            let first = page(t, &[("cursor", ""), ("count", "5")])?;
            let next = cursor(&first).unwrap_or_default();
            let (one, two) = (page(t, &[("cursor", &next), ("count", "5")])?, page(t, &[("cursor", &next), ("count", "5")])?);
            two.ensure(column(&one, "id") == column(&two, "id"), "the same page", || two.text.clone())
        })
        .why("A client whose answer got lost asks again.")
        .fix("Keep no state that the first use of a cursor changes."),
        should("CUR-PAGE-07", RFC, "A previousCursor, if there is one, leads back", |t| {
            let first = page(t, &[("cursor", ""), ("count", "5")])?;
            let second = page(t, &[("cursor", &cursor(&first).unwrap_or_default()), ("count", "5")])?;
            let Some(back) = second.body["previousCursor"].as_str() else {
                return skip("the server gives no previousCursor");
            };
            let again = page(t, &[("cursor", back), ("count", "5")])?;
            again.ensure(column(&again, "id") == column(&first, "id"), "the first page", || again.text.clone())
        })
        .why("Consoles have a button for it.")
        .fix("Give a previousCursor that works, or none."),
        must("CUR-BAD-01", RFC, "A cursor that was never given is refused", |t| {
            for wrong in ["vcheck-nonsense", "AAAA", "0", "%00"] {
                let path = format!("/Users?cursor={wrong}&count=2");
                t.get(&path)?.status(&[400])?.scim_error()?;
            }
            Ok(())
        })
        .why("A server that begins again at the front sends the client in circles.")
        .fix("Answer 400 invalidCursor.")
        .reading(),
        should("CUR-BAD-02", "RFC 9865 section 2.1", "A cursor that was never given is called invalidCursor", |t| {
            t.get("/Users?cursor=vcheck-nonsense&count=2")?.status(&[400])?.scim_type("invalidCursor")
        })
        .why("By this word a client knows that it has to begin again.")
        .fix("Add `scimType: invalidCursor`.")
        .reading(),
        should("CUR-BAD-03", "RFC 9865 section 2", "A cursor of another query is refused, or gives nobody else", |t| {
            let first = page(t, &[("cursor", ""), ("count", "5")])?;
            let next = cursor(&first).unwrap_or_default();
            let filter = format!("userName eq \"{}\"", t.cast()?.prefix);
            let answer = t.query("/Users", &[("cursor", &next), ("count", "5"), ("filter", &filter)])?;
            answer.no_crash()?;
            answer.ensure(answer.status == 400 || resources(&answer).is_empty(), "a refusal, or nobody", || answer.text.clone())
        })
        .why("A cursor must not be a way around a filter.")
        .fix("Tie the cursor to filter and sorting, or evaluate the filter that came."),
        should("CUR-POST-01", RFC, "Cursors work in queries by POST", |t| {
            let filter = format!("userName sw \"{}\"", t.cast()?.prefix);
            let ask = |cursor: &str| {
                let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                    "filter": filter, "cursor": cursor, "count": 5});
                t.ask(&Ask::new("POST", "/Users/.search").json(&body))
            };
            let first = ask("")?;
            if matches!(first.status, 404 | 405 | 501) {
                return skip("POST /Users/.search is not offered");
            }
            first.status(&[200])?;
            let second = ask(first.string("/nextCursor")?)?;
            second.status(&[200])?;
            let (one, two) = (column(&first, "id"), column(&second, "id"));
            second.ensure(two.len() == 5 && one.iter().all(|id| !two.contains(id)), "the next 5", || format!("{two:?}"))
        })
        .why("Long filters are sent by POST.")
        .fix("Read `cursor` and `count` from the body as from the query."),
        must("CUR-BOTH-01", "RFC 9865 section 3", "Without a cursor pages are as they were, if they are offered", |t| {
            if t.profile().config.as_ref().and_then(|config| config.pointer("/pagination/index")) == Some(&Value::Bool(false)) {
                return skip("ServiceProviderConfig does not offer pages by index");
            }
            let answer = page(t, &[("startIndex", "3"), ("count", "4")])?;
            let came = resources(&answer).len();
            answer.ensure(came == 4, "4 resources from the third on", || came.to_string())
        })
        .why("All other clients page by numbers.")
        .fix("Use cursors only where `cursor` is given."),
        should("CUR-BAD-04", RFC, "A cursor with characters of the wire is refused and breaks nothing", |t| {
            let path = with_query("/Users", &[("cursor", "' or 1=1 --"), ("count", "2")]);
            t.get(&path)?.status(&[400])?;
            t.get(&format!("/Users?cursor={}&count=2", encoded(&"A".repeat(4_000))))?.status(&[400, 414, 431])?;
            Ok(())
        })
        .why("A cursor comes back from outside, whatever the server has put into it.")
        .fix("Verify a cursor before anything of it is used.")
        .reading(),
    ]
    .into_iter()
    .map(|check| check.needs(&[Need::Cursor, Need::Filter]))
    .collect()
}
