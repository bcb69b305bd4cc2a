//! Filters (RFC 7644 section 3.4.2.2): each check is a filter and who must be found among twelve known users.

use serde_json::json;

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{ENTERPRISE, Talk, column, resources, with_query};
use crate::wire::Answer;

const RFC: &str = "RFC 7644 section 3.4.2.2";
const WHY: &str =
    "Whoever finds nobody creates again; whoever finds somebody else changes the wrong person.";

/// Asks for `filter`, in which `{p}` is the prefix of the known users, and compares who is found.
fn found(t: &Talk<'_>, filter: &str, wanted: &[&str]) -> Step {
    let cast = t.cast()?;
    let filter = filter.replace("{p}", &cast.prefix);
    let answer = t.query("/Users", &[("filter", &filter), ("count", "100")])?;
    answer.status(&[200])?;
    let came = cast.names(&column(&answer, "userName"));
    let mut wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    wanted.sort_unstable();
    answer.ensure(
        came == wanted,
        format!("{filter} to find {wanted:?}"),
        || format!("{came:?}"),
    )?;
    let total = &answer.body["totalResults"];
    answer.ensure(
        *total == wanted.len(),
        format!("totalResults {}", wanted.len()),
        || total.to_string(),
    )
}

/// The same with all filters restricted to the known users.
fn among(t: &Talk<'_>, filter: &str, wanted: &[&str]) -> Step {
    found(t, &format!("userName sw \"{{p}}\" and ({filter})"), wanted)
}

fn refused(t: &Talk<'_>, filter: &str) -> Step<Answer> {
    let answer = t.query("/Users", &[("filter", filter)])?;
    answer.status(&[400])?.scim_error()?;
    Ok(answer)
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = operators();
    checks.extend(logic());
    checks.extend(values());
    checks.extend(clients());
    checks.extend(refusals());
    checks
        .into_iter()
        .map(|check| check.needs(&[Need::Filter]))
        .collect()
}

/// Checks that are a filter and the names that it finds.
fn cases(
    fix: &'static str,
    cases: Vec<(
        &'static str,
        &'static str,
        &'static str,
        &'static [&'static str],
    )>,
) -> Vec<Check> {
    let check = |(id, title, filter, wanted): (
        &'static str,
        &'static str,
        &'static str,
        &'static [&'static str],
    )| {
        must(id, RFC, title, move |t| found(t, filter, wanted))
            .why(WHY)
            .fix(fix)
    };
    cases.into_iter().map(check).collect()
}

fn operators() -> Vec<Check> {
    cases(
        "Support all comparison operators of the RFC's table.",
        vec![
            (
                "FLT-OP-01",
                "eq finds the one",
                "userName eq \"{p}-ann@example.com\"",
                &["ann"],
            ),
            (
                "FLT-OP-02",
                "ne finds the others",
                "userName sw \"{p}\" and userName ne \"{p}-ann@example.com\"",
                &[
                    "bea", "cid", "dan", "eve", "fay+x", "gil", "hal", "ida", "jon", "kim", "lou",
                ],
            ),
            (
                "FLT-OP-03",
                "co finds a text inside",
                "displayName co \"{p} Fay F\"",
                &["fay+x"],
            ),
            (
                "FLT-OP-04",
                "sw finds a beginning",
                "userName sw \"{p}-b\"",
                &["bea"],
            ),
            (
                "FLT-OP-05",
                "ew finds an end",
                "userName sw \"{p}\" and userName ew \"nn@example.com\"",
                &["ann"],
            ),
            (
                "FLT-OP-06",
                "pr finds who has the attribute",
                "userName sw \"{p}\" and title pr",
                &["ann", "bea", "dan", "fay+x"],
            ),
            (
                "FLT-OP-07",
                "gt finds what is greater",
                "userName sw \"{p}\" and userName gt \"{p}-kim@example.com\"",
                &["lou"],
            ),
            (
                "FLT-OP-08",
                "ge finds the same, too",
                "userName sw \"{p}\" and userName ge \"{p}-kim@example.com\"",
                &["kim", "lou"],
            ),
            (
                "FLT-OP-09",
                "lt finds what is less",
                "userName sw \"{p}\" and userName lt \"{p}-bea@example.com\"",
                &["ann"],
            ),
            (
                "FLT-OP-10",
                "le finds the same, too",
                "userName sw \"{p}\" and userName le \"{p}-bea@example.com\"",
                &["ann", "bea"],
            ),
            (
                "FLT-OP-11",
                "Times are compared as times",
                "userName sw \"{p}\" and meta.created lt \"2001-01-01T00:00:00+01:00\"",
                &[],
            ),
            (
                "FLT-OP-12",
                "meta.lastModified can be compared",
                "userName sw \"{p}-a\" and meta.lastModified gt \"2001-01-01T00:00:00Z\"",
                &["ann"],
            ),
        ],
    )
}

fn logic() -> Vec<Check> {
    cases(
        "Parse the grammar of the RFC: not binds tightest, then and, then or; brackets override.",
        vec![
            (
                "FLT-LOG-01",
                "and wants both",
                "userName sw \"{p}\" and title eq \"Engineer\" and name.givenName eq \"Dan\"",
                &["dan"],
            ),
            (
                "FLT-LOG-02",
                "or wants one of both",
                "userName eq \"{p}-ann@example.com\" or userName eq \"{p}-cid@example.com\"",
                &["ann", "cid"],
            ),
            (
                "FLT-LOG-03",
                "not turns around",
                "userName sw \"{p}\" and title pr and not (title eq \"Engineer\")",
                &["bea", "fay+x"],
            ),
            (
                "FLT-LOG-04",
                "and binds tighter than or",
                "userName eq \"{p}-cid@example.com\" or userName eq \"{p}-bea@example.com\" and title eq \"Engineer\"",
                &["cid"],
            ),
            (
                "FLT-LOG-05",
                "Brackets group",
                "(userName eq \"{p}-ann@example.com\" or userName eq \"{p}-bea@example.com\") and title eq \"Director\"",
                &["bea"],
            ),
            (
                "FLT-LOG-06",
                "Brackets may be nested",
                "((userName sw \"{p}\") and ((title eq \"Director\") or ((title eq \"Engineer\"))))",
                &["ann", "bea", "dan"],
            ),
            (
                "FLT-LOG-07",
                "Operators may be written in any case",
                "userName SW \"{p}\" AND title EQ \"Director\"",
                &["bea"],
            ),
            (
                "FLT-LOG-08",
                "Names of attributes may be written in any case",
                "USERNAME eq \"{p}-ann@example.com\" and Name.FamilyName eq \"Abel\"",
                &["ann"],
            ),
            (
                "FLT-LOG-09",
                "An attribute may be qualified with its URN",
                "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"{p}-ann@example.com\"",
                &["ann"],
            ),
        ],
    )
}

fn values() -> Vec<Check> {
    let mut checks = cases(
        "Compare by the schema: caseExact, sub-attributes, and for lists whether any element matches.",
        vec![
            (
                "FLT-VAL-01",
                "userName is compared without regard to case",
                "userName eq \"{p}-ANN@Example.COM\"",
                &["ann"],
            ),
            (
                "FLT-VAL-02",
                "externalId is found exactly",
                "externalId eq \"{p}-X-ann\"",
                &["ann"],
            ),
            (
                "FLT-VAL-03",
                "A part of a complex attribute is compared",
                "userName sw \"{p}\" and name.familyName eq \"Boll\"",
                &["bea"],
            ),
            (
                "FLT-VAL-04",
                "A list is searched for any element",
                "emails.value eq \"{p}-ann.home@example.com\"",
                &["ann"],
            ),
            (
                "FLT-VAL-05",
                "A list without a part is compared by its value",
                "emails eq \"{p}-dan@example.com\"",
                &["dan"],
            ),
            (
                "FLT-VAL-06",
                "A value path wants one element that fulfils all",
                "emails[type eq \"home\" and value eq \"{p}-ann@example.com\"]",
                &[],
            ),
            (
                "FLT-VAL-07",
                "A value path finds the element",
                "emails[type eq \"work\" and value co \"{p}-ann\"]",
                &["ann"],
            ),
            (
                "FLT-VAL-08",
                "A value path can be combined",
                "userName sw \"{p}\" and emails[type eq \"home\"] and active eq true",
                &["ann"],
            ),
            (
                "FLT-VAL-09",
                "active eq false finds the disabled",
                "userName sw \"{p}\" and active eq false",
                &["bea"],
            ),
            (
                "FLT-VAL-10",
                "active eq true finds the others",
                "userName sw \"{p}\" and active eq true and title pr",
                &["ann", "dan", "fay+x"],
            ),
            (
                "FLT-VAL-11",
                "A quotation mark and a backslash are escaped as in JSON",
                "displayName eq \"{p} Dan \\\"The \\\\ Man\\\" O'Neil\"",
                &["dan"],
            ),
            (
                "FLT-VAL-12",
                "An apostrophe is an ordinary character",
                "userName sw \"{p}\" and name.familyName eq \"O'Neil\"",
                &["dan"],
            ),
            (
                "FLT-VAL-13",
                "Characters beyond ASCII are found",
                "displayName eq \"{p} Eve Müller 李\"",
                &["eve"],
            ),
            (
                "FLT-VAL-14",
                "Characters may be written as \\u escapes",
                "displayName sw \"{p} Eve M\\u00fcller\"",
                &["eve"],
            ),
            (
                "FLT-VAL-15",
                "A plus in a value is a plus",
                "userName eq \"{p}-fay+x@example.com\"",
                &["fay+x"],
            ),
            (
                "FLT-VAL-16",
                "Nobody is found where nobody is, with an empty list",
                "userName eq \"{p}-nobody@example.com\"",
                &[],
            ),
            (
                "FLT-VAL-17",
                "Text of another query language finds nobody",
                "userName eq \"' or '1'='1\"",
                &[],
            ),
            (
                "FLT-VAL-18",
                "A wildcard of another query language is an ordinary character",
                "userName sw \"{p}_ann\" or userName sw \"{p}%\"",
                &[],
            ),
        ],
    );
    checks.push(
        must("FLT-VAL-19", RFC, "A user is found by its id", |t| {
            let cast = t.cast()?;
            let ann = cast
                .user("ann")
                .map(|made| made.id.clone())
                .unwrap_or_default();
            found(t, &format!("id eq \"{ann}\""), &["ann"])
        })
        .why(WHY)
        .fix("Support eq on id."),
    );
    checks.push(
        must(
            "FLT-VAL-20",
            RFC,
            "An attribute of the extension is found by its URN",
            |t| {
                found(
                    t,
                    &format!("{ENTERPRISE}:department eq \"{{p}} Tools\""),
                    &["ann"],
                )
            },
        )
        .why(WHY)
        .fix("Look for the longest known URN at the beginning of an attribute path.")
        .needs(&[Need::Enterprise]),
    );
    checks.push(
        should(
            "FLT-VAL-21",
            RFC,
            "title is compared without regard to case, as its schema says",
            |t| among(t, "title sw \"ENGINEER\"", &["ann", "dan", "fay+x"]),
        )
        .why(WHY)
        .fix("Strings are not caseExact unless the schema says so."),
    );
    checks
}

fn clients() -> Vec<Check> {
    vec![
        habit("FLT-CLI-01", Client::Entra, "The work e-mail is found by a value path with a part", |t| {
            found(t, "emails[type eq \"work\"].value eq \"{p}-ann@example.com\"", &["ann"])
        })
        .why("Entra asks so when the mail address is the matching attribute.")
        .fix("Accept attr[filter].sub op value in filters."),
        habit("FLT-CLI-02", Client::Authentik, "A value may come without quotes", |t| {
            found(t, "userName eq {p}-ann@example.com", &["ann"])
        })
        .why("authentik looks users up so after a 409; without an answer it cannot go on.")
        .fix("Take a word without quotes after an operator for a text."),
        habit("FLT-CLI-03", Client::Ping, "Attribute and operator may be written in odd case", |t| {
            found(t, "username Eq \"{p}-ann@example.com\"", &["ann"])
        })
        .why("The template of PingFederate is typed so.")
        .fix("Compare both without regard to case."),
        habit("FLT-CLI-04", Client::Entra, "A manager can be asked for by a filter", |t| {
            let user = t.user(json!({ENTERPRISE: {"manager": {"value": "vcheck-271"}}}))?;
            for (manager, wanted) in [("vcheck-271", 1), ("vcheck-272", 0)] {
                let filter = format!("id eq \"{}\" and manager eq \"{manager}\"", user.id);
                let answer = t.get(&with_query("/Users", &[("filter", &filter), ("attributes", "id")]))?;
                answer.status(&[200])?;
                answer.ensure(resources(&answer).len() == wanted, format!("{wanted} users"), || resources(&answer).len().to_string())?;
            }
            Ok(())
        })
        .why("Entra checks references so, without the URN.")
        .fix("Resolve attributes that the core schema lacks in the extension, and compare a complex one by its `value`.")
        .needs(&[Need::Enterprise]),
        habit("FLT-CLI-05", Client::Rauthy, "externalId is found after userName changed", |t| {
            let external = t.name();
            let user = t.user(json!({"externalId": external}))?;
            let mut body = user.sent.clone();
            body["userName"] = format!("{}@example.com", t.name()).into();
            t.put(&user.path, &body)?.status(&[200])?;
            let answer = t.filtered("/Users", &format!("externalId eq \"{external}\""))?;
            answer.ensure(resources(&answer).len() == 1, "the one user", || resources(&answer).len().to_string())
        })
        .why("It is how a renamed person is recognised.")
        .fix("Index externalId, and keep it up to date."),
        must("FLT-SECR-01", "prudence", "A filter cannot be used to guess a password", |t| {
            let user = t.user(json!({"password": "Vcheck-guess-me"}))?;
            for filter in ["password sw \"V\"", "password pr"] {
                let filter = format!("id eq \"{}\" and {filter}", user.id);
                let answer = t.query("/Users", &[("filter", &filter)])?;
                answer.no_crash()?;
                answer.ensure(resources(&answer).is_empty(), "nobody, or 400", || "the user".to_owned())?;
            }
            Ok(())
        })
        .why("Letter by letter the password, or its hash, could be read.")
        .fix("Refuse filters on attributes that are never returned (400 invalidFilter)."),
    ]
}

fn refusals() -> Vec<Check> {
    let why = "A filter that is misunderstood and answered with a list gives the wrong person.";
    let bad = |id, title, filter: &'static str| {
        must(id, RFC, title, move |t| refused(t, filter).map(|_| ()))
            .why(why)
            .fix("Answer 400 invalidFilter when a filter cannot be parsed to its end.")
            .reading()
    };
    vec![
        bad(
            "FLT-BAD-01",
            "A filter without a value is refused",
            "userName eq",
        ),
        bad(
            "FLT-BAD-02",
            "A bracket that is not closed is refused",
            "(userName eq \"a\"",
        ),
        bad(
            "FLT-BAD-03",
            "An unknown operator is refused",
            "userName like \"a\"",
        ),
        bad(
            "FLT-BAD-04",
            "A text that is not closed is refused",
            "userName eq \"a",
        ),
        bad(
            "FLT-BAD-05",
            "Words after the end are refused",
            "userName eq \"a\" \"b\"",
        ),
        bad(
            "FLT-BAD-06",
            "Logic without a second term is refused",
            "userName eq \"a\" and",
        ),
        should(
            "FLT-BAD-07",
            "RFC 7644 section 3.12",
            "A filter that cannot be read is called invalidFilter",
            |t| refused(t, "userName eq")?.scim_type("invalidFilter"),
        )
        .why("By this word the client knows what to repair.")
        .fix("Add `scimType: invalidFilter`.")
        .reading(),
        should(
            "FLT-BAD-08",
            RFC,
            "A boolean cannot be greater than another",
            |t| refused(t, "active gt true").map(|_| ()),
        )
        .why(why)
        .fix("Answer 400 invalidFilter to gt, ge, lt and le on booleans.")
        .reading(),
        should(
            "FLT-BAD-09",
            RFC,
            "An attribute that does not exist finds nobody, or is refused",
            |t| {
                let answer = t.query("/Users", &[("filter", "vcheckNothing eq \"a\"")])?;
                answer.status(&[200, 400])?;
                answer.ensure(
                    answer.status == 400 || resources(&answer).is_empty(),
                    "nobody",
                    || format!("{} users", resources(&answer).len()),
                )
            },
        )
        .why(why)
        .fix("Answer 400 invalidFilter.")
        .reading(),
        must(
            "FLT-BAD-10",
            "prudence",
            "A filter nested thousands deep breaks nothing",
            |t| {
                let deep = format!(
                    "{}userName eq \"a\"{}",
                    "(".repeat(1_500),
                    ")".repeat(1_500)
                );
                let answer = t.query("/Users", &[("filter", &deep)])?;
                answer.status(&[200, 400, 413, 414, 431])?;
                let long = vec!["userName eq \"a\""; 150].join(" or ");
                t.query("/Users", &[("filter", &long)])?
                    .status(&[200, 400, 413, 414, 431])?;
                Ok(())
            },
        )
        .why("A parser that recurses without a limit ends the whole process.")
        .fix("Limit length and depth of filters, and answer 400.")
        .reading(),
    ]
}
