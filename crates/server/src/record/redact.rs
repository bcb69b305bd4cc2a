//! Takes secrets out of what is recorded. When in doubt, something is left out.

use percent_encoding::percent_decode_str;
use scim::ResourceTypes;
use scim::schema::{Attribute, Mutability, Returned};
use serde_json::Value;

/// What stands in the place of a secret.
const MASK: &str = "***";
/// Parts of names that mean a secret, whatever else is in the name.
const WORDS: [&str; 5] = ["password", "passphrase", "secret", "token", "credential"];
/// How names end of what is set about secrets and is none.
const ABOUT: [&str; 2] = ["_header", "_minutes"];
/// How every token that is made here begins.
const TOKEN: &str = "vst_";
/// Bytes of a path that are kept.
const PATH_BYTES_MAX: usize = 2_048;

/// Names of attributes, in lower case, whose values nobody may read.
#[derive(Default)]
pub(super) struct Secrets {
    names: Vec<String>,
}

impl Secrets {
    /// Those that no client may read, and those that the rules of a connector hide.
    pub(super) fn of(types: &ResourceTypes, hidden: &[String]) -> Self {
        let mut names = hidden.to_vec();
        let mut add = |attribute: &Attribute| {
            if attribute.returned == Returned::Never
                || attribute.mutability == Mutability::WriteOnly
            {
                names.push(attribute.name.to_ascii_lowercase());
            }
        };
        for schema in types.all().into_iter().flat_map(|ty| &ty.extensions) {
            for attribute in &schema.attributes {
                add(attribute);
                attribute.sub_attributes.iter().for_each(&mut add);
            }
        }
        Self { names }
    }

    /// Whether a text has any word in it that could mean a secret.
    fn may_be_in(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let mut words = WORDS
            .iter()
            .copied()
            .chain(self.names.iter().map(String::as_str));
        words.any(|word| text.contains(word))
    }

    /// Whether a name, a path or a filter speaks of a secret: `password`, `urn:...:User:pin`,
    /// `desk.key`, `pin eq "1"`.
    pub(super) fn has(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let words = WORDS.iter().any(|word| text.contains(word));
        words || {
            let is_part = |letter: char| letter.is_alphanumeric() || "-_$".contains(letter);
            let mut parts = text.split(|letter| !is_part(letter));
            parts.any(|part| self.names.iter().any(|secret| secret == part))
        }
    }
}

/// A path with its query, without secrets: what no client may read, and what the rules hide. Where nobody knows which
/// attributes are secret, no filter is kept.
pub(crate) fn path(
    path: &str,
    query: Option<&str>,
    known: Option<(&ResourceTypes, &[String])>,
) -> String {
    let mut text = path.to_owned();
    if let Some(query) = query {
        let secrets = known.map(|(types, hidden)| Secrets::of(types, hidden));
        for (nth, part) in query.split('&').enumerate() {
            text.push(if nth == 0 { '?' } else { '&' });
            match part.split_once('=') {
                Some((name, value)) if is_secret(name, value, secrets.as_ref()) => {
                    text.push_str(name);
                    text.push('=');
                    text.push_str(MASK);
                }
                None if part.contains(TOKEN) => text.push_str(MASK),
                _ => text.push_str(part),
            }
        }
    }
    text.truncate(text.floor_char_boundary(PATH_BYTES_MAX));
    text
}

/// Whether a parameter of a query, as it is encoded, has a secret for its value.
fn is_secret(name: &str, value: &str, secrets: Option<&Secrets>) -> bool {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let (name, value) = (decoded(name), decoded(value));
    let is_filter = name.eq_ignore_ascii_case("filter");
    let none = Secrets::default();
    value.contains(TOKEN)
        || secrets.unwrap_or(&none).has(&name)
        || (is_filter && secrets.is_none_or(|secrets| secrets.has(&value)))
}

/// A body of the admin API without secrets.
pub(crate) fn json(bytes: &[u8]) -> String {
    body(bytes, &Secrets::default())
}

/// A value at a place of an object of the admin API, such as `settings.credentials.addresses[0]`, without secrets. The place
/// decides as well; yes, no and nothing are no secrets.
pub(crate) fn value(place: &str, value: Value) -> Value {
    if matches!(value, Value::Null | Value::Bool(_)) {
        return value;
    }
    let secrets = Secrets::default();
    let (above, name) = place.rsplit_once('.').unwrap_or(("", place));
    // What is told of credentials, and of each thing in a list of tokens, is no secret by that alone.
    let is_below_secret = above
        .split('.')
        .any(|above| secrets.has(above) && !above.ends_with(']') && above != "credentials");
    let is_token = value.as_str().is_some_and(|text| text.contains(TOKEN));
    if is_below_secret || is_token {
        return MASK.into();
    }
    let name = name.split('[').next().unwrap_or_default();
    if ABOUT.iter().any(|about| name.ends_with(about)) {
        return value;
    }
    let mut alone = Value::Object([(name.to_owned(), value)].into_iter().collect());
    mask(&mut alone, &secrets);
    alone[name].take()
}

/// A body without secrets: as it is if it can't have any, else read as JSON, or as far as it goes if it
/// breaks off.
pub(super) fn body(bytes: &[u8], secrets: &Secrets) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    if !text.starts_with(['{', '[']) {
        return format!("({} bytes that are not JSON)", bytes.len());
    }
    // A word may be written in escapes.
    if !text.contains("\\u") && !secrets.may_be_in(text) {
        return text.to_owned();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            mask(&mut value, secrets);
            value.to_string()
        }
        Err(_broken) => broken(text, secrets),
    }
}

fn mask(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, secrets)),
        Value::Object(members) => {
            let leads_to_secret = members.iter().any(|(name, path)| {
                name.eq_ignore_ascii_case("path")
                    && path.as_str().is_some_and(|path| secrets.has(path))
            });
            for (name, value) in members {
                let is_value = leads_to_secret && name.eq_ignore_ascii_case("value");
                let compares = compares(name)
                    && value
                        .as_str()
                        .is_some_and(|text| text.contains('"') && secrets.has(text));
                if (is_value || compares || secrets.has(name)) && !value.is_null() {
                    *value = MASK.into();
                } else {
                    mask(value, secrets);
                }
            }
        }
        _ => {}
    }
}

/// Whether what has this name compares attributes with values.
fn compares(name: &str) -> bool {
    ["filter", "path"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// JSON that is broken, or only the beginning of it: the values of secret names are left out, and if a
/// text speaks of a secret, all filters, paths and values named `value`, since they may belong to it.
fn broken(text: &str, secrets: &Secrets) -> String {
    // A word may be written in escapes.
    let is_secret_name = |name: &str| name.contains("\\u") || secrets.has(name);
    let speaks = strings(text).any(is_secret_name);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let (before, string) = rest.split_at(start);
        let end = end_of_string(string);
        let (string, after) = string.split_at(end);
        out.push_str(before);
        out.push_str(string);
        rest = after;
        let name = string.trim_matches('"');
        let value = after.trim_start().strip_prefix(':');
        let may_tell = compares(name) || name.eq_ignore_ascii_case("value");
        let is_secret = is_secret_name(name) || (speaks && may_tell);
        if let Some(value) = value.filter(|_| is_secret) {
            out.push_str(":\"");
            out.push_str(MASK);
            out.push('"');
            rest = &value[end_of_value(value)..];
        }
    }
    out.push_str(rest);
    out
}

/// The texts in quotes, as far as they are whole.
fn strings(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find('"')?;
        let string = &rest[start..];
        let end = end_of_string(string);
        rest = &string[end..];
        Some(string[..end].trim_matches('"'))
    })
}

/// Where a text that begins with a quote ends: behind the closing one, or at the end of all.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where a value ends, with all that is in it.
fn end_of_value(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        match character {
            '"' => {
                at += end_of_string(&text[at..]);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            '{' | '[' => depth += 1,
            '}' | ']' if depth == 0 => return at,
            '}' | ']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            ',' if depth == 0 => return at,
            _ => {}
        }
        at += character.len_utf8();
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scim::CustomSchema;
    use serde_json::json;

    use super::*;

    fn types() -> ResourceTypes {
        let document = json!({ "id": "urn:x:staff:1.0:User", "attributes": [
            { "name": "pin", "type": "string", "mutability": "writeOnly" },
            { "name": "floor", "type": "integer" } ] });
        let custom = CustomSchema::parse(&document, false, true, false).unwrap();
        ResourceTypes::with(&[custom]).unwrap()
    }

    fn redacted(text: &str) -> String {
        body(
            text.as_bytes(),
            &Secrets::of(&types(), &["title".to_owned()]),
        )
    }

    #[test]
    fn secrets_are_left_out_wherever_they_stand() {
        for secret in [
            r#"{"userName":"a","PASSWORD":"S3"}"#,
            r#"{"Operations":[{"op":"replace","value":"S3","path":"password"}]}"#,
            r#"{"Operations":[{"op":"replace","value":{"password":"S3"}}]}"#,
            r#"{"Operations":[{"op":"add","path":"urn:x:staff:1.0:User:pin","value":"S3"}]}"#,
            r#"{"urn:x:staff:1.0:User":{"Pin":"S3"}}"#,
            r#"{"userName":"a","title":"S3"}"#,
            r#"{"Operations":[{"op":"add","path":"title","value":"S3"}]}"#,
            r#"{"urn:x:staff:1.0:User:pin":"S3"}"#,
            r#"{"x":{"clientSecret":{"a":["S3"]}}}"#,
            r#"{"userName":"a","p\u0061ssword":"S3"}"#,
        ] {
            let told = redacted(secret);
            assert!(!told.contains("S3") && told.contains(MASK), "{told}");
            // Broken off anywhere behind the secret.
            let beginning = secret.trim_end_matches(['}', ']']);
            for broken in [
                beginning.to_owned(),
                format!("{beginning},"),
                format!("{secret}x"),
            ] {
                let told = redacted(&broken);
                assert!(!told.contains("S3"), "{broken}: {told}");
            }
        }
        let plain = r#"{"userName":"a","urn:x:staff:1.0:User":{"floor":3}}"#;
        assert_eq!(redacted(plain), plain);
        assert_eq!(
            redacted("user=a&password=S3"),
            "(18 bytes that are not JSON)"
        );
        assert_eq!(
            path(
                "/Users",
                Some("filter=userName%20eq%20%22a%22&access_token=S3"),
                Some((&types(), &[]))
            ),
            "/Users?filter=userName%20eq%20%22a%22&access_token=***"
        );
    }

    #[test]
    fn filters_that_compare_with_a_secret_are_left_out() {
        for text in [
            r#"{"schemas":["x"],"filter":"password eq \"S3\""}"#,
            r#"{"Filter":"urn:x:staff:1.0:User:PIN eq \"S3\"","count":1}"#,
            r#"{"Operations":[{"op":"remove","path":"urn:x:staff:1.0:User[pin eq \"S3\"].floor"}]}"#,
            r#"{"path":"userName","PATH":"password","value":"S3"}"#,
        ] {
            for text in [text.to_owned(), format!("{text}x")] {
                let told = redacted(&text);
                assert!(!told.contains("S3") && told.contains(MASK), "{told}");
            }
        }
        for query in [
            "filter=urn%3Ax%3Astaff%3A1.0%3AUser%3Apin%20eq%20%22S3%22",
            "filter=urn:x:staff:1.0:User:p%69n+eq+%22S3%22",
            "%66ilter=p%61ssword%20eq%20%22S3%22",
            "access%5Ftoken=S3",
            "x=vst_scim_S3",
            "x=%76st_scim_S3",
        ] {
            let told = path("/Users", Some(query), Some((&types(), &[])));
            assert!(!told.contains("S3") && told.contains(MASK), "{told}");
        }
        let plain = "filter=userName%20eq%20%22pinned%22&count=2&startIndex";
        let told = path("/Users", Some(plain), Some((&types(), &[])));
        assert_eq!(told, format!("/Users?{plain}"));
        assert_eq!(
            path("/Users", Some(plain), None),
            "/Users?filter=***&count=2&startIndex"
        );
    }

    #[test]
    fn the_place_of_a_value_tells_whether_it_is_a_secret() {
        for (place, found, told) in [
            ("settings.accept_passwords", json!(true), json!(true)),
            ("password", json!(null), json!(null)),
            ("password", json!(12), json!(MASK)),
            (
                "settings.credentials.access_token_minutes",
                json!(5),
                json!(5),
            ),
            (
                "settings.credentials.token_header",
                json!("x-secret"),
                json!("x-secret"),
            ),
            ("way.webhook.secret.value", json!("S3"), json!(MASK)),
            ("tokens[0]", json!("S3"), json!(MASK)),
            ("tokens[0].label", json!("okta"), json!("okta")),
            ("tokens[0].token", json!("S3"), json!(MASK)),
            (
                "settings.credentials.jwt.issuer",
                json!("https://x"),
                json!("https://x"),
            ),
            ("settings.credentials.jwt.secret", json!("S3"), json!(MASK)),
            ("label", json!("my vst_api_S3"), json!(MASK)),
            ("scope.filter", json!("password eq \"S3\""), json!(MASK)),
            (
                "scope.filter",
                json!("title eq \"S3\""),
                json!("title eq \"S3\""),
            ),
            (
                "rows[2]",
                json!([{ "apiToken": "S3" }]),
                json!([{ "apiToken": MASK }]),
            ),
        ] {
            assert_eq!(value(place, found), told, "{place}");
        }
    }

    proptest! {
        #[test]
        fn no_broken_body_makes_it_panic(text in "[{\\[\"a-z:,\\\\ü\\]}]{0,60}") {
            let _ = redacted(&text);
        }

        #[test]
        fn a_secret_never_comes_through(cut in 0_usize..80, quote in "[a-z\"\\\\]{0,5}") {
            let whole = json!({ "a": [quote], "password": "S3CRET", "b": { "value": 1 } }).to_string();
            let end = whole.floor_char_boundary(cut.min(whole.len()));
            prop_assert!(!redacted(&whole[..end]).contains("S3"));
        }
    }
}
