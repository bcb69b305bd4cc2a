//! What a signed token says, and whether that is what the connector asks for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use directory::JwtSettings;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// How far the issuer's clock may be off.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// Characters of a token that are repeated in messages.
const SHOWN_MAX: usize = 64;

/// What the head of a token says (RFC 7515 section 4.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: String,
    pub(super) kid: Option<String>,
}

/// What a token proves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proven {
    /// Who has it, for the journal.
    pub(super) label: String,
    pub(super) expires: Timestamp,
}

/// Reads the head before anything is believed.
pub(super) fn header(token: &str) -> Result<Header, String> {
    let text = token.split('.').next().unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let read: Option<Map<String, Value>> = serde_json::from_slice(&bytes).ok();
    let Some(mut read) = read else {
        return Err("The head of the token is not JSON: it was cut or changed.".to_owned());
    };
    // What must be understood and is not makes a token worthless (RFC 7515 section 4.1.11).
    if read.contains_key("crit") {
        return Err("The token demands an extension that is not known here.".to_owned());
    }
    let mut text = |name: &str| match read.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    Ok(Header {
        algorithm: text("alg").unwrap_or_default(),
        kid: text("kid"),
    })
}

/// Checks the claims of a token whose signature is right (RFC 7519 section 4.1).
pub(super) fn check(
    claims: &Map<String, Value>,
    settings: &JwtSettings,
    now: Timestamp,
) -> Result<Proven, String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss").unwrap_or_default();
    if issuer != settings.issuer {
        return Err(format!(
            "The token was issued by '{}', and this connector takes tokens of '{}'.",
            shown(issuer),
            settings.issuer
        ));
    }
    if !is_for(claims.get("aud"), &settings.audience) {
        return Err(format!(
            "The token is meant for another audience than '{}', which this connector asks for.",
            settings.audience
        ));
    }
    let expires = time(claims, "exp")?
        .ok_or("The token has no end (claim exp); this connector takes only tokens that end.")?;
    if now >= later(expires) {
        return Err(format!("The token has expired at {expires}."));
    }
    if let Some(begins) = time(claims, "nbf")?
        && later(now) < begins
    {
        return Err(format!(
            "The token is not valid before {begins}. If that is past, a clock is wrong."
        ));
    }
    for (name, wanted) in &settings.claims {
        let found = claims.get(name);
        if !found.is_some_and(|found| says(found, wanted)) {
            return Err(format!(
                "The claim '{name}' of the token is {}, and this connector asks for '{wanted}'.",
                found.map_or_else(
                    || "not there".to_owned(),
                    |found| format!("'{}'", shown(&plain(found)))
                )
            ));
        }
    }
    let holder = ["appid", "azp", "client_id", "sub"]
        .into_iter()
        .find_map(text);
    Ok(Proven {
        label: match holder {
            Some(holder) => format!("signed token of {}", shown(holder)),
            None => "signed token".to_owned(),
        },
        expires: later(expires),
    })
}

fn later(time: Timestamp) -> Timestamp {
    time.saturating_add(LEEWAY).unwrap_or(Timestamp::MAX)
}

fn is_for(audience: Option<&Value>, wanted: &str) -> bool {
    match audience {
        Some(Value::String(one)) => one == wanted,
        Some(Value::Array(several)) => several.iter().any(|one| one == wanted),
        _ => false,
    }
}

/// Seconds since 1970, also with a fraction.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, String> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value.as_i64().or_else(|| {
        let float = value.as_f64().filter(|float| float.abs() < 1e11)?;
        #[allow(clippy::cast_possible_truncation, reason = "its size was looked at")]
        Some(float as i64)
    });
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map(Some)
        .ok_or_else(|| format!("The claim {name} of the token is not a time."))
}

fn says(found: &Value, wanted: &str) -> bool {
    match found {
        Value::Array(several) => several.iter().any(|one| plain(one) == wanted),
        one => plain(one) == wanted,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What of a stranger's text is repeated in messages and the journal.
pub(super) fn shown(text: &str) -> String {
    let visible = text.chars().filter(|character| !character.is_control());
    visible.take(SHOWN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> JwtSettings {
        JwtSettings {
            issuer: "https://idp.example.org/".into(),
            audience: "vestibule".into(),
            claims: [("appid".to_owned(), "provisioning".to_owned())].into(),
            ..JwtSettings::default()
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_780_000_000).unwrap()
    }

    fn good() -> Value {
        json!({"iss": "https://idp.example.org/", "aud": "vestibule", "appid": "provisioning",
               "exp": 1_780_003_600, "nbf": 1_780_000_000, "sub": "somebody"})
    }

    fn checked(change: Value) -> Result<Proven, String> {
        let Value::Object(mut claims) = good() else {
            unreachable!()
        };
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => claims.remove(name),
                value => claims.insert(name.clone(), value.clone()),
            };
        }
        check(&claims, &settings(), now())
    }

    #[test]
    fn a_good_token_says_whose_it_is_and_how_long_it_works() {
        let proven = checked(json!({})).unwrap();
        assert_eq!(proven.label, "signed token of provisioning");
        assert_eq!(proven.expires.as_second(), 1_780_003_660);
        for good in [
            json!({"aud": ["other", "vestibule"]}),
            json!({"exp": 1_780_000_000.5}),
            json!({"nbf": null}),
            json!({"nbf": 1_780_000_060}),
            json!({"exp": 1_779_999_941}),
        ] {
            assert!(checked(good.clone()).is_ok(), "{good}");
        }
    }

    #[test]
    fn everything_that_is_not_as_asked_is_refused() {
        for (change, said) in [
            (json!({"iss": "https://idp.example.org"}), "issued by"),
            (json!({"iss": null}), "issued by"),
            (json!({"aud": "other"}), "audience"),
            (json!({"aud": ["vestibule "]}), "audience"),
            (json!({"aud": null}), "audience"),
            (json!({"exp": null}), "no end"),
            (json!({"exp": "soon"}), "not a time"),
            (json!({"exp": 1e300}), "not a time"),
            (json!({"exp": 1_779_999_940}), "expired"),
            (json!({"nbf": 1_780_000_061}), "not valid before"),
            (json!({"nbf": []}), "not a time"),
            (json!({"appid": "another"}), "'another'"),
            (json!({"appid": null}), "not there"),
        ] {
            let refused = checked(change.clone()).unwrap_err();
            assert!(refused.contains(said), "{change}: {refused}");
        }
    }

    #[test]
    fn heads_are_read_without_being_believed() {
        let head = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let read = header(&format!(
            "{}.x.y",
            head(json!({"alg": "RS256", "kid": "k"}))
        ));
        assert_eq!(read.unwrap().kid.as_deref(), Some("k"));
        for bad in ["", "%%%", "eyJ", "bnVsbA.x.y"] {
            assert!(header(bad).is_err(), "{bad}");
        }
        let critical = head(json!({"alg": "RS256", "crit": ["exp"]}));
        assert!(header(&critical).unwrap_err().contains("extension"));
    }
}
