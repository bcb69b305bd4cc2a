//! Who may ask: every way to come without a right, and what may be learned from the refusal.

use serde_json::json;

use crate::catalogue::{Check, Client, habit, must, should};
use crate::stop::{Step, skip};
use crate::talk::{GHOST, Talk};
use crate::wire::{Answer, Ask};

const RFC: &str = "RFC 7644 section 2";
const WHY_OPEN: &str = "Whoever reaches the server could read and change everybody's accounts.";

fn users() -> Ask {
    Ask::new("GET", "/Users?count=1")
}

fn is_refused(answer: &Answer) -> Step {
    answer.status(&[401, 403])?;
    Ok(())
}

/// The bearer token, for the checks that change it.
fn token(t: &Talk<'_>) -> Step<String> {
    let own = t.wire().authorization();
    match own
        .as_deref()
        .and_then(|value| value.strip_prefix("Bearer "))
    {
        Some(token) => Ok(token.to_owned()),
        None => skip("the run does not use a bearer token"),
    }
}

fn has_credentials(t: &Talk<'_>) -> Step {
    match t.wire().authorization() {
        Some(_) => Ok(()),
        None => skip("the run does not use an Authorization header"),
    }
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    vec![
        must("AUT-NONE-01", RFC, "Without credentials nobody gets in", |t| {
            has_credentials(t)?;
            is_refused(&t.ask(&users().anonymous())?)
        })
        .why(WHY_OPEN)
        .fix("Answer 401 to every request without credentials.")
        .reading(),
        must("AUT-WRNG-01", RFC, "With a wrong token nobody gets in", |t| {
            has_credentials(t)?;
            is_refused(&t.ask(&users().authorization("Bearer vcheck-wrong-token"))?)
        })
        .why(WHY_OPEN)
        .fix("Compare the token, in constant time, with those that were issued.")
        .reading(),
        must("AUT-WRNG-02", "a report about a server whose secret was not set", "With an empty token nobody gets in", |t| {
            has_credentials(t)?;
            for value in ["Bearer", "Bearer ", "Basic Og=="] {
                let answer = t.ask(&users().authorization(value))?;
                answer.ensure(!answer.is_success(), "a refusal", || format!("status {}", answer.status))?;
            }
            Ok(())
        })
        .why("If the server's own secret is unset, an empty token equals it.")
        .fix("Refuse empty tokens, and do not start without a secret.")
        .reading(),
        must("AUT-WRNG-03", RFC, "A part of the token is not enough", |t| {
            let token = token(t)?;
            let cut: String = token.chars().take(token.chars().count() - 1).collect();
            let longer = format!("{token}x");
            for wrong in [cut.as_str(), longer.as_str()] {
                is_refused(&t.ask(&users().authorization(format!("Bearer {wrong}")))?)?;
            }
            Ok(())
        })
        .why(WHY_OPEN)
        .fix("Compare whole tokens.")
        .reading(),
        must("AUT-WRNG-04", "RFC 6750 section 2", "A token in the URL does not count", |t| {
            let token = token(t)?;
            for name in ["access_token", "token"] {
                let path = crate::talk::with_query("/Users", &[("count", "1"), (name, &token)]);
                let answer = t.ask(&Ask::new("GET", path).anonymous())?;
                answer.ensure(!answer.is_success(), "a refusal", || format!("status {}", answer.status))?;
            }
            Ok(())
        })
        .why("URLs are written into logs of proxies and servers, and the token with them.")
        .fix("Read tokens from the Authorization header only.")
        .reading(),
        must("AUT-WRT-01", RFC, "Without credentials nothing is created", |t| {
            has_credentials(t)?;
            let body = t.user_body(json!({}));
            is_refused(&t.ask(&Ask::new("POST", "/Users").json(&body).anonymous())?)
        })
        .why(WHY_OPEN)
        .fix("Check the credentials before the method and before the body."),
        must("AUT-WRT-02", RFC, "With a wrong token nothing is changed or deleted", |t| {
            has_credentials(t)?;
            let user = t.user(json!({}))?;
            for method in ["PUT", "PATCH", "DELETE"] {
                let ask = Ask::new(method, user.path.as_str()).json(&user.sent);
                is_refused(&t.ask(&ask.authorization("Bearer vcheck-wrong-token"))?)?;
            }
            t.read(&user)?;
            Ok(())
        })
        .why(WHY_OPEN)
        .fix("One place decides about all methods and routes."),
        should("AUT-TELL-01", "RFC 7235 section 3.1", "401 says how to authenticate", |t| {
            has_credentials(t)?;
            let answer = t.ask(&users().anonymous())?;
            if answer.status != 401 {
                return skip("the server does not answer 401");
            }
            answer.ensure(answer.header("www-authenticate").is_some(), "a WWW-Authenticate header", || "none".to_owned())
        })
        .why("HTTP demands it, and clients by OAuth look for it.")
        .fix("Add `WWW-Authenticate: Bearer` to each 401.")
        .reading(),
        habit("AUT-TELL-02", Client::Okta, "401 has an error body of SCIM", |t| {
            has_credentials(t)?;
            let answer = t.ask(&users().authorization("Bearer vcheck-wrong-token"))?;
            answer.scim_error()?;
            Ok(())
        })
        .why("Okta shows `detail` to the administrator who has just pasted a wrong token.")
        .fix("Answer 401 in SCIM's form, with a sentence that says what to do.")
        .reading(),
        must("AUT-TELL-03", "prudence", "A refusal does not repeat the token", |t| {
            has_credentials(t)?;
            let answer = t.ask(&users().authorization("Bearer vcheck-secret-echo-7f3a"))?;
            answer.ensure(!answer.text.contains("vcheck-secret-echo"), "a body without the token", || "the token in it".to_owned())
        })
        .why("Bodies of refusals are shown and logged by clients.")
        .fix("Never put what came in Authorization into an answer.")
        .reading(),
        should("AUT-TELL-04", "prudence", "Without credentials one cannot find out which ids exist", |t| {
            has_credentials(t)?;
            let user = t.user(json!({}))?;
            let there = t.ask(&Ask::new("GET", user.path.as_str()).anonymous())?;
            let not = t.ask(&Ask::new("GET", format!("/Users/{GHOST}")).anonymous())?;
            not.ensure(there.status == not.status, format!("{} for both", there.status), || format!("{}", not.status))
        })
        .why("Ids and names could be guessed one by one.")
        .fix("Check the credentials before looking anything up."),
        should("AUT-BEAR-01", "RFC 7235 section 2.1", "The word Bearer may be written in any case", |t| {
            let token = token(t)?;
            let answer = t.ask(&users().authorization(format!("bearer {token}")))?;
            answer.status(&[200])?;
            Ok(())
        })
        .why("Names of authentication schemes have no case in HTTP, and some clients write them in lower case.")
        .fix("Compare the scheme without regard to case.")
        .reading(),
        must("AUT-OPEN-01", "RFC 7644 section 4", "Discovery without credentials is answered or refused, and does not fail", |t| {
            let answer = t.ask(&Ask::new("GET", "/ServiceProviderConfig").anonymous())?;
            answer.status(&[200, 401, 403, 404])?;
            Ok(())
        })
        .why("Set-up pages of clients read it before credentials are entered.")
        .fix("Serve it to everybody, or answer 401.")
        .reading(),
    ]
}
