//! Media types, routes, methods, bodies that are none, and the form of errors.

use serde_json::json;

use crate::catalogue::{Check, Client, habit, must, should};
use crate::stop::Step;
use crate::talk::{GHOST, Talk, encoded};
use crate::wire::{Answer, Ask, SCIM_JSON};

const RFC_MEDIA: &str = "RFC 7644 section 3.8";
const RFC_ERROR: &str = "RFC 7644 section 3.12";
const WHY_ERROR: &str = "Clients show `detail` to the administrator and decide by status and scimType whether to try again.";
const FIX_ERROR: &str = "Answer each 4xx and 5xx with schemas, status as text and detail, from the outermost layer too.";
/// What error answers of frameworks and databases look like when nobody has caught them.
const TRACES: &[&str] = &[
    "Traceback (most recent",
    "at java.",
    "at org.",
    "System.Exception",
    "NullPointerException",
    "SQLSTATE",
    "panicked at",
    "node_modules",
    ".go:",
    "stack trace",
];

fn json_kind(answer: &Answer) -> &str {
    answer
        .header("content-type")
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
}

fn unknown_user(t: &Talk<'_>) -> Step<Answer> {
    let answer = t.get(&format!("/Users/{GHOST}"))?;
    answer.status(&[404])?;
    Ok(answer)
}

/// A body that is no SCIM resource, sent to create a user.
fn odd_body(t: &Talk<'_>, body: &str) -> Step<Answer> {
    t.ask(
        &Ask::new("POST", "/Users")
            .body(body)
            .header("Content-Type", SCIM_JSON),
    )
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = media();
    checks.extend(routes());
    checks.extend(bodies());
    checks.extend(errors());
    checks
}

fn media() -> Vec<Check> {
    vec![
        must(
            "HTP-TYP-01",
            RFC_MEDIA,
            "Answers are application/scim+json",
            |t| {
                let answer = t.get("/Users?count=1")?;
                let kind = json_kind(&answer);
                answer.ensure(
                    kind.eq_ignore_ascii_case(SCIM_JSON),
                    "content-type application/scim+json",
                    || kind.to_owned(),
                )
            },
        )
        .why("Strict clients, Entra's validator among them, complain about anything else.")
        .fix("Set the content type of all answers with a body to application/scim+json.")
        .reading(),
        must(
            "HTP-TYP-02",
            RFC_MEDIA,
            "A client that accepts application/json is served",
            |t| {
                t.ask(&Ask::new("GET", "/Users?count=1").header("Accept", "application/json"))?
                    .status(&[200])?;
                Ok(())
            },
        )
        .why("Half of all clients ask for plain JSON.")
        .fix("Treat application/json and application/scim+json alike; do not answer 406.")
        .reading(),
        must(
            "HTP-TYP-03",
            RFC_MEDIA,
            "A client that says nothing about what it accepts is served JSON",
            |t| {
                for ask in [
                    Ask::new("GET", "/Users?count=1").without("Accept"),
                    Ask::new("GET", "/Users?count=1").header("Accept", "*/*"),
                ] {
                    let answer = t.ask(&ask)?;
                    answer.status(&[200])?.object()?;
                }
                Ok(())
            },
        )
        .why("Simple clients send no Accept at all.")
        .fix("Answer JSON unless something else is asked for.")
        .reading(),
        must(
            "HTP-TYP-04",
            RFC_MEDIA,
            "A body may be sent as application/json",
            |t| {
                let body = t.user_body(json!({}));
                let ask = Ask::new("POST", "/Users")
                    .json(&body)
                    .header("Content-Type", "application/json");
                t.ask(&ask)?.status(&[201])?;
                Ok(())
            },
        )
        .why("Okta offers it, and home-made scripts send it.")
        .fix("Accept both media types in Content-Type."),
        habit(
            "HTP-TYP-05",
            Client::Okta,
            "A media type may have a charset",
            |t| {
                let body = t.user_body(json!({}));
                for kind in [
                    "application/scim+json; charset=utf-8",
                    "application/json;charset=UTF-8",
                ] {
                    let mut body = body.clone();
                    body["userName"] = format!("{}@example.com", t.name()).into();
                    t.ask(
                        &Ask::new("POST", "/Users")
                            .json(&body)
                            .header("Content-Type", kind),
                    )?
                    .status(&[201])?;
                }
                Ok(())
            },
        )
        .why("Okta and Entra send it with every body.")
        .fix("Compare media types without their parameters."),
        should(
            "HTP-TYP-06",
            "RFC 9110 section 15.5.16",
            "A body that is not JSON by its type is refused",
            |t| {
                for kind in ["text/plain", "application/xml"] {
                    let ask = Ask::new("POST", "/Users")
                        .json(&t.user_body(json!({})))
                        .header("Content-Type", kind);
                    t.ask(&ask)?.status(&[415, 400])?;
                }
                Ok(())
            },
        )
        .why("A form of a foreign web page could otherwise write here with a signed-in browser.")
        .fix("Answer 415 to content types other than JSON."),
    ]
}

fn routes() -> Vec<Check> {
    vec![
        habit(
            "HTP-URL-01",
            Client::Entra,
            "A slash at the end of a path does not matter",
            |t| {
                for path in ["/Users/?count=1", "/Users/"] {
                    t.get(path)?.status(&[200])?;
                }
                Ok(())
            },
        )
        .why("Base URLs are pasted with and without a slash, and clients join paths as they like.")
        .fix("Route /Users and /Users/ alike, without a redirect.")
        .reading(),
        habit(
            "HTP-URL-02",
            Client::EntraFlagged,
            "A query parameter that is unknown and has no value does not matter",
            |t| {
                t.get("/Users?aadOptscim062020&count=1")?.status(&[200])?;
                Ok(())
            },
        )
        .why("Entra appends its flag to every request.")
        .fix("Pass over unknown query parameters.")
        .reading(),
        habit(
            "HTP-URL-03",
            Client::Okta,
            "Blanks in a filter may come as + and as %20",
            |t| {
                let user = t.user(json!({}))?;
                let name = user.sent["userName"]
                    .as_str()
                    .unwrap_or_default()
                    .replace('@', "%40");
                for blank in ["+", "%20"] {
                    let answer = t.get(&format!(
                        "/Users?filter=userName{blank}eq{blank}%22{name}%22"
                    ))?;
                    answer.status(&[200])?;
                    let total = &answer.body["totalResults"];
                    answer.ensure(*total == 1, "the one user", || {
                        format!("totalResults {total}")
                    })?;
                }
                Ok(())
            },
        )
        .why("Older and newer versions of the same client encode differently.")
        .fix("Decode the query as a form: + is a blank, %2B is a plus.")
        .needs(&[crate::profile::Need::Filter]),
        must(
            "HTP-URL-04",
            RFC_ERROR,
            "A route that is not there is answered with 404 in SCIM's form",
            |t| {
                t.get("/VcheckNothing")?.status(&[404])?.scim_error()?;
                Ok(())
            },
        )
        .why("An HTML page of a web framework tells an administrator nothing.")
        .fix(FIX_ERROR)
        .reading(),
        should(
            "HTP-URL-05",
            "prudence",
            "Odd ids are not found, and break nothing",
            |t| {
                for id in [
                    "%27%20OR%20%271%27%3D%271",
                    "..%2f..%2fetc",
                    "%00",
                    "0",
                    "-1",
                    "%F0%9F%98%80",
                ] {
                    t.get(&format!("/Users/{id}"))?.status(&[404, 400])?;
                }
                t.get(&format!("/Users/{}", "9".repeat(2_000)))?
                    .status(&[404, 400, 414])?;
                Ok(())
            },
        )
        .why("A failure of the server here is often the door to more.")
        .fix("Treat ids as opaque text that is looked up, and answer 404.")
        .reading(),
        should(
            "HTP-MET-01",
            "RFC 9110 section 15.5.6",
            "A method that a route does not have is answered with 405",
            |t| {
                let user = t.user(json!({}))?;
                for (method, path) in [("POST", user.path.as_str()), ("PATCH", "/Schemas")] {
                    let answer = t.ask(&Ask::new(method, path).json(&json!({})))?;
                    answer.status(&[405, 404, 501])?;
                }
                t.read(&user)?;
                Ok(())
            },
        )
        .why("A method that does something unexpected loses data.")
        .fix("Answer 405 with an Allow header and an error body."),
        should(
            "HTP-ME-01",
            "RFC 7644 section 3.11",
            "Me is served, or said not to be",
            |t| {
                t.get("/Me")?.status(&[200, 308, 307, 302, 404, 403, 501])?;
                Ok(())
            },
        )
        .why("Clients try it to see whose credentials they have.")
        .fix("Answer 501 if it is not offered.")
        .reading(),
    ]
}

fn bodies() -> Vec<Check> {
    vec![
        must(
            "HTP-BDY-01",
            RFC_ERROR,
            "A body that is not JSON is refused with 400",
            |t| {
                for body in ["{", "not json", "{\"userName\": }", ""] {
                    odd_body(t, body)?.status(&[400])?.scim_error()?;
                }
                Ok(())
            },
        )
        .why(WHY_ERROR)
        .fix("Answer 400 invalidSyntax in SCIM's form when the body cannot be read."),
        must(
            "HTP-BDY-02",
            RFC_ERROR,
            "A body that is JSON and no object is refused with 400",
            |t| {
                for body in ["[]", "\"text\"", "null", "7"] {
                    odd_body(t, body)?.status(&[400])?.scim_error()?;
                }
                Ok(())
            },
        )
        .why(WHY_ERROR)
        .fix("Answer 400 invalidSyntax."),
        should(
            "HTP-BDY-03",
            RFC_ERROR,
            "An unreadable body is called invalidSyntax",
            |t| odd_body(t, "{")?.scim_type("invalidSyntax"),
        )
        .why(WHY_ERROR)
        .fix("Add `scimType: invalidSyntax`."),
        should(
            "HTP-BDY-04",
            "prudence",
            "A body nested thousands deep breaks nothing",
            |t| {
                let deep = format!(
                    "{{\"userName\":\"x\",\"a\":{}{}}}",
                    "[".repeat(5_000),
                    "]".repeat(5_000)
                );
                odd_body(t, &deep)?.refused()?;
                t.get("/Users?count=1")?.status(&[200])?;
                Ok(())
            },
        )
        .why("A parser that recurses without a limit ends the whole process.")
        .fix("Limit the depth of JSON and answer 400."),
        should(
            "HTP-BDY-05",
            "prudence",
            "A text of megabytes in an attribute is refused",
            |t| {
                let body = t.user_body(json!({"nickName": "x".repeat(8 << 20)}));
                let ask = Ask::new("POST", "/Users").json(&body);
                let answer = match t.ask(&ask) {
                    // A server may hang up on a client that sends far too much.
                    Err(crate::stop::Stop::Fault(_)) => return Ok(()),
                    other => other?,
                };
                answer.status(&[413, 400])?;
                Ok(())
            },
        )
        .why("Memory and disk can be filled by anybody with a token.")
        .fix("Limit the size of bodies (413) and of single values (400 invalidValue)."),
    ]
}

fn errors() -> Vec<Check> {
    vec![
        must("HTP-ERR-01", RFC_ERROR, "An error has SCIM's schema", |t| {
            unknown_user(t)?.scim_error()?;
            Ok(())
        })
        .why(WHY_ERROR)
        .fix(FIX_ERROR)
        .reading(),
        must(
            "HTP-ERR-02",
            RFC_ERROR,
            "The status in an error is a text, and the one of the answer",
            |t| {
                let answer = unknown_user(t)?;
                let status = &answer.body["status"];
                answer.ensure(*status == "404", "status \"404\", as a JSON string", || {
                    status.to_string()
                })
            },
        )
        .why("Typed clients fail to read a number there, and then show no error at all.")
        .fix("Write status as a string: \"status\": \"404\".")
        .reading(),
        should(
            "HTP-ERR-03",
            RFC_ERROR,
            "An error says what happened",
            |t| unknown_user(t)?.string("/detail").map(|_| ()),
        )
        .why(WHY_ERROR)
        .fix("Put a sentence into `detail` that says what to do.")
        .reading(),
        should(
            "HTP-ERR-04",
            RFC_MEDIA,
            "Errors are application/scim+json too",
            |t| {
                let answer = unknown_user(t)?;
                let kind = json_kind(&answer);
                answer.ensure(
                    kind.eq_ignore_ascii_case(SCIM_JSON),
                    "content-type application/scim+json",
                    || kind.to_owned(),
                )
            },
        )
        .why(WHY_ERROR)
        .fix("Set the content type of errors like that of all answers.")
        .reading(),
        must(
            "HTP-ERR-05",
            "prudence",
            "Errors tell nothing of the inside",
            |t| {
                let bad = encoded("userName eq \"");
                for answer in [
                    t.get(&format!("/Users?filter={bad}"))?,
                    odd_body(t, "{\"userName\":{\"a\":[1]},\"emails\":7}")?,
                    t.patch(
                        &format!("/Users/{GHOST}"),
                        &json!([{"op": "add", "path": "[[", "value": {}}]),
                    )?,
                ] {
                    answer.no_crash()?;
                    let found = TRACES.iter().find(|trace| answer.text.contains(*trace));
                    answer.ensure(
                        found.is_none(),
                        "an error without the inside of the program",
                        || format!("an error with `{}`", found.copied().unwrap_or_default()),
                    )?;
                }
                Ok(())
            },
        )
        .why("Stack traces and SQL tell an attacker where to go on, and an administrator nothing.")
        .fix("Catch everything at the outermost layer, log it, and answer a plain error."),
    ]
}
