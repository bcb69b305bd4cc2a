//! Characters of the world, and those that other languages take for their own.

use serde_json::json;

use crate::catalogue::{Check, must, should};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{Talk, expect, resources};
use crate::wire::{Ask, SCIM_JSON};

const RFC: &str = "RFC 7643 section 2.3.1";
const WHY: &str = "People have such names; what is changed on the way is sent again for ever, or finds somebody else.";
const FIX: &str =
    "Keep texts as they come, in UTF-8 from end to end, and escape them where they go.";

/// A display name that has to come back as it is, and to be found.
fn kept(t: &Talk<'_>, text: &str) -> Step {
    let user =
        t.user(json!({"displayName": text, "name": {"familyName": text, "givenName": "x"}}))?;
    let wanted = json!({"displayName": text, "name": {"familyName": text}});
    expect(&t.read(&user)?, &wanted)?;
    if t.profile().lacks(Need::Filter).is_none() {
        let quoted = serde_json::Value::from(text).to_string();
        let answer = t.query(
            "/Users",
            &[(
                "filter",
                &format!("id eq \"{}\" and displayName eq {quoted}", user.id),
            )],
        )?;
        answer.status(&[200])?;
        answer.ensure(
            resources(&answer).len() == 1,
            format!("the user by displayName eq {quoted}"),
            || answer.text.clone(),
        )?;
    }
    Ok(())
}

/// A body with an escape that is no character, or one that cannot be stored: refused or kept, never a failure.
fn survived(t: &Talk<'_>, escape: &str) -> Step {
    let body = format!(
        "{{\"schemas\":[\"{}\"],\"userName\":\"{}@example.com\",\"displayName\":\"a{escape}b\"}}",
        crate::talk::USER,
        t.name()
    );
    let answer = t.ask(
        &Ask::new("POST", "/Users")
            .body(body)
            .header("Content-Type", SCIM_JSON),
    )?;
    answer.status(&[201, 400])?;
    Ok(())
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let texts = [
        (
            "UNI-TEXT-01",
            "Letters with marks come back",
            "Zoë Müller-Łukasiewicz Ñandú",
        ),
        (
            "UNI-TEXT-02",
            "Chinese, Japanese, Cyrillic, Greek and Thai come back",
            "李小龍 さくら Жанна Ελένη สมชาย",
        ),
        (
            "UNI-TEXT-03",
            "Text from right to left comes back",
            "محمد בן-דוד",
        ),
        (
            "UNI-TEXT-04",
            "Characters beyond 16 bits come back",
            "𠮷野 😀👩‍👩‍👧 𝒜",
        ),
        (
            "UNI-TEXT-05",
            "Composed and decomposed letters stay what they are",
            "e\u{301} \u{e9}",
        ),
        (
            "UNI-TEXT-06",
            "Quotation marks, apostrophes and backslashes come back",
            "D'Arcy \"The \\ Man\" O'Neil",
        ),
        (
            "UNI-TEXT-07",
            "Text of HTML stays text",
            "<script>alert(1)</script> &amp; <b>",
        ),
        (
            "UNI-TEXT-08",
            "Text of SQL and LDAP stays text",
            "Robert'); drop table users;-- *)(uid=*",
        ),
        (
            "UNI-TEXT-09",
            "Tabs and line ends come back",
            "one\ttwo\nthree",
        ),
        (
            "UNI-TEXT-10",
            "Percent signs, plus, question marks and hashes come back",
            "100% a+b? #a a%20b",
        ),
        (
            "UNI-TEXT-11",
            "Characters without width come back",
            "a\u{200b}b\u{feff}c\u{2028}d",
        ),
    ];
    let mut checks: Vec<Check> = texts
        .into_iter()
        .map(|(id, title, text)| {
            must(id, RFC, title, move |t| kept(t, text))
                .why(WHY)
                .fix(FIX)
        })
        .collect();
    checks.extend(
        vec![
            must(
                "UNI-NAME-01",
                "RFC 7643 section 4.1.1",
                "A userName with characters beyond ASCII is kept, found and unique",
                |t| {
                    let name = format!("{}-Jürgen.李+x'y@example.com", t.name());
                    let user = t.user(json!({"userName": name}))?;
                    expect(&t.read(&user)?, &json!({"userName": name}))?;
                    let answer =
                        t.query("/Users", &[("filter", &format!("userName eq \"{name}\""))])?;
                    answer.ensure(resources(&answer).len() == 1, "the one user", || {
                        answer.text.clone()
                    })?;
                    t.post("/Users", &t.user_body(json!({"userName": name})))?
                        .status(&[409])?;
                    Ok(())
                },
            )
            .needs(&[Need::Filter]),
            should(
                "UNI-NAME-02",
                "RFC 7643 section 4.1.1",
                "Case is folded beyond ASCII, too",
                |t| {
                    let name = t.name();
                    t.user(json!({"userName": format!("{name}-jÜrgen@example.com")}))?;
                    t.post(
                        "/Users",
                        &t.user_body(json!({"userName": format!("{name}-JüRGEN@example.com")})),
                    )?
                    .status(&[409])?;
                    Ok(())
                },
            ),
            should(
                "UNI-LONG-01",
                RFC,
                "A name of 255 characters is kept or refused, not cut",
                |t| {
                    let text = "Ü".repeat(255);
                    let answer = t.post("/Users", &t.user_body(json!({"displayName": text})))?;
                    answer.status(&[201, 400])?;
                    match answer.status {
                        201 => expect(&answer, &json!({"displayName": text})),
                        _ => Ok(()),
                    }
                },
            ),
            must(
                "UNI-ODD-01",
                "prudence",
                "A zero character breaks nothing",
                |t| survived(t, "\\u0000"),
            ),
            must(
                "UNI-ODD-02",
                "prudence",
                "Half a character breaks nothing",
                |t| survived(t, "\\ud800"),
            ),
            must(
                "UNI-ODD-03",
                "prudence",
                "Bytes that are not UTF-8 are refused",
                |t| {
                    let mut body = format!(
                        "{{\"userName\":\"{}@example.com\",\"displayName\":\"",
                        t.name()
                    )
                    .into_bytes();
                    body.extend([0xff, 0xfe]);
                    body.extend(b"\"}");
                    t.ask(
                        &Ask::new("POST", "/Users")
                            .body(body)
                            .header("Content-Type", SCIM_JSON),
                    )?
                    .status(&[400])?;
                    Ok(())
                },
            ),
            must("UNI-GRP-01", RFC, "Groups have such names, too", |t| {
                let name = format!("{} Équipe \"A\" & <B> 李", t.name());
                let mut body = t.group_body(&[]);
                body["displayName"] = name.clone().into();
                let group = t.make("/Groups", body)?;
                expect(&t.read(&group)?, &json!({"displayName": name}))
            })
            .needs(&[Need::Groups]),
        ]
        .into_iter()
        .map(|check| check.why(WHY).fix(FIX)),
    );
    checks
}
