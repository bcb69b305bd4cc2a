//! Reads the JSON body of a request and refuses what other readers let through: a name twice in one
//! object, names that differ in case only, deep nesting, huge objects and texts, NUL characters.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::ScimError;
use crate::catalogue;
use crate::limits::{JSON_DEPTH_MAX, JSON_NAMES_MAX, JSON_TEXT_BYTES_MAX};
use crate::name::echo;

/// Reads a body that must be one JSON object.
pub fn read_object(body: &[u8]) -> Result<Map<String, Value>, ScimError> {
    read_object_within(body, Limits::default())
}

/// The same within other limits.
pub fn read_object_within(body: &[u8], limits: Limits) -> Result<Map<String, Value>, ScimError> {
    match read_within(body, limits)? {
        Value::Object(map) => Ok(map),
        _ => Err(catalogue::BODY_NOT_JSON.error(
            "The body must be a JSON object, such as {\"schemas\": [...], ...}. Correct the client.",
        )),
    }
}

/// Reads any JSON value under the same rules as [`read_object`].
pub fn read(body: &[u8]) -> Result<Value, ScimError> {
    read_within(body, Limits::default())
}

/// What a body may be; by default, what one of SCIM may.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many levels deep it may be nested.
    pub depth: usize,
    /// How many names an object may have.
    pub names: usize,
    /// Whether names that differ in case are two, as they are not in SCIM (RFC 7643 section 2.1).
    pub case_counts: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: JSON_DEPTH_MAX,
            names: JSON_NAMES_MAX,
            case_counts: false,
        }
    }
}

/// The same within other limits.
pub fn read_within(body: &[u8], limits: Limits) -> Result<Value, ScimError> {
    let text = as_text(body)?;
    let refusal = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Strict {
        depth: 0,
        limits,
        refusal: &refusal,
    };
    let read = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    let value = read.map_err(|error| refusal.take().unwrap_or_else(|| not_json(&error)))?;
    match whole_numbers(text).find(|number| !fits(number)) {
        None => Ok(value),
        Some(number) => Err(catalogue::NUMBER_TOO_LARGE.error(format!(
            "The number {} has more digits than can be kept. Send it as a text, in quotes.",
            echo(number)
        ))),
    }
}

/// The whole numbers of a JSON text that are long enough to be looked at: the reader takes one that is too large
/// for its nearest neighbour.
fn whole_numbers(text: &str) -> impl Iterator<Item = &str> {
    const SHORT_DIGITS: usize = 18;
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(|next: char| !matches!(next, '"' | '-' | '0'..='9'));
            if let Some(inside) = rest.strip_prefix('"') {
                rest = after_text(inside);
                continue;
            }
            let part = |next: char| matches!(next, '-' | '+' | '.' | 'e' | 'E' | '0'..='9');
            let end = rest.find(|next: char| !part(next)).unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            rest = after;
            match number.len() {
                0 => return None,
                length if length <= SHORT_DIGITS || number.contains(['.', 'e', 'E']) => {}
                _ => return Some(number),
            }
        }
    })
}

/// What follows the end of a text in quotes.
fn after_text(inside: &str) -> &str {
    let mut escaped = false;
    let end = inside.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.and_then(|end| inside.get(end + 1..))
        .unwrap_or_default()
}

fn fits(number: &str) -> bool {
    number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok()
}

/// Checks the encoding; a byte order mark, which some tools write, is skipped.
fn as_text(body: &[u8]) -> Result<&str, ScimError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.is_empty() {
        return Err(catalogue::BODY_NOT_JSON.error("The body is empty; a JSON object is expected."));
    }
    std::str::from_utf8(body).map_err(|error| {
        catalogue::BODY_NOT_JSON.error(format!(
            "The body is not UTF-8: byte {} is wrong. Encode it as UTF-8.",
            error.valid_up_to()
        ))
    })
}

fn not_json(error: &serde_json::Error) -> ScimError {
    catalogue::BODY_NOT_JSON.error(format!(
        "The body is not valid JSON: {error}. Correct the client, or the proxy that changes bodies."
    ))
}

/// Builds a [`Value`] and keeps the reason if it refuses to.
#[derive(Clone, Copy)]
struct Strict<'r> {
    depth: usize,
    limits: Limits,
    refusal: &'r RefCell<Option<ScimError>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, error: ScimError) -> E {
        let text = E::custom(&error);
        self.refusal.replace(Some(error));
        text
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == self.limits.depth {
            let detail = format!(
                "The body is nested deeper than {} levels. Send attributes flat, as their schemas have them.",
                self.limits.depth
            );
            return Err(self.refuse(catalogue::BODY_TOO_NESTED.error(detail)));
        }
        Ok(Strict {
            depth: self.depth + 1,
            ..self
        })
    }

    fn check_text<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.len() > JSON_TEXT_BYTES_MAX {
            let detail = format!(
                "The text that begins with '{}' is longer than {JSON_TEXT_BYTES_MAX} bytes. Take it out of the mapping.",
                echo(text)
            );
            return Err(self.refuse(catalogue::TEXT_TOO_LONG.error(detail)));
        }
        if text.contains('\0') {
            let detail = format!(
                "The text '{}' contains a NUL character. Enter it anew in the identity provider.",
                echo(text)
            );
            return Err(self.refuse(catalogue::TEXT_WITH_NUL.error(detail)));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.check_text(text)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(deeper)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut map = Map::new();
        let mut names = Names::default();
        while let Some(name) = entries.next_key::<String>()? {
            self.check_text(&name)?;
            if map.len() == self.limits.names {
                let detail = format!(
                    "An object of the body has more than {} members. Send fewer attributes.",
                    self.limits.names
                );
                return Err(self.refuse(catalogue::BODY_TOO_NESTED.error(detail)));
            }
            let (is_new, aside) = match self.limits.case_counts {
                true => (!map.contains_key(&name), ""),
                false => {
                    let aside = " (names that differ in case only count as one)";
                    (names.is_new(&name, &map), aside)
                }
            };
            if !is_new {
                let name = echo(&name);
                let detail =
                    format!("The name '{name}' occurs twice in one object{aside}. Send it once.");
                return Err(self.refuse(catalogue::NAME_TWICE.error(detail)));
            }
            let value = entries.next_value_seed(deeper)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// The names seen in one object. Small objects, nearly all of them, are compared in place.
#[derive(Default)]
struct Names {
    lower: HashSet<String>,
}

impl Names {
    const COMPARED_IN_PLACE_MAX: usize = 16;

    fn is_new(&mut self, name: &str, map: &Map<String, Value>) -> bool {
        if map.len() < Names::COMPARED_IN_PLACE_MAX {
            return !map.keys().any(|known| known.eq_ignore_ascii_case(name));
        }
        if self.lower.is_empty() {
            self.lower = map.keys().map(|known| known.to_ascii_lowercase()).collect();
        }
        self.lower.insert(name.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScimType;
    use proptest::prelude::*;

    fn refused(body: &str) -> ScimError {
        read_object(body.as_bytes()).expect_err(body)
    }

    #[test]
    fn an_object_is_read_in_its_order() {
        let map = read_object("\u{FEFF}{\"b\":1,\"a\":[true,null,1.5,\"x\"]}".as_bytes()).unwrap();
        assert_eq!(
            Value::Object(map).to_string(),
            r#"{"b":1,"a":[true,null,1.5,"x"]}"#
        );
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for body in [
            "",
            " ",
            "[]",
            "7",
            "{",
            "{}{}",
            "{\"a\":1,}",
            "{\"a\":1e999}",
            "nul",
            "\"\\ud800\"",
        ] {
            assert_eq!(
                refused(body).scim_type,
                Some(ScimType::InvalidSyntax),
                "{body}"
            );
        }
        assert!(read_object(b"{\"a\":\"\xFF\"}").is_err());
    }

    #[test]
    fn a_number_is_kept_as_it_was_written_or_refused() {
        for number in [
            "0",
            "-1",
            "1.5",
            "0.1",
            "1e3",
            "1E-7",
            "5e-324",
            "1.7976931348623157e308",
            "9007199254740993",
            "-9223372036854775808",
            "18446744073709551615",
            "123456789012345678901234567890.5",
            "1000000000000000000000e0",
        ] {
            let map = read_object(format!("{{\"a\":[{number}]}}").as_bytes()).unwrap();
            let again = map["a"][0].to_string();
            assert_eq!(again.parse::<f64>(), number.parse::<f64>(), "{number}");
            if !number.contains(['.', 'e', 'E']) {
                assert_eq!(again, number);
            }
        }
        for number in [
            "18446744073709551616",
            "-9223372036854775809",
            "123456789012345678901234567890",
        ] {
            for body in [
                format!("{{\"a\":{number}}}"),
                format!("{{\"a\":\"\\\\\",\"b\":[\"\\\"\", {{\"c\": {number} }}]}}"),
            ] {
                let error = refused(&body);
                assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{body}");
                assert!(error.detail.contains(number), "{}", error.detail);
            }
        }
        let text = format!(
            "{{\"a\":\"{}\",\"b\":\"\\\"{}\"}}",
            "9".repeat(40),
            "9".repeat(40)
        );
        assert!(read_object(text.as_bytes()).is_ok(), "digits in a text");
    }

    #[test]
    fn a_name_may_occur_once_whatever_its_case() {
        for body in [
            r#"{"active":true,"active":false}"#,
            r#"{"userName":"a","USERNAME":"b"}"#,
            r#"{"name":{"givenName":"a","GivenName":"b"}}"#,
            r#"{"emails":[{"value":"a","Value":"b"}]}"#,
        ] {
            let error = refused(body);
            assert_eq!(error.scim_type, Some(ScimType::InvalidSyntax), "{body}");
            assert!(error.detail.contains("twice"), "{}", error.detail);
        }
        let many: Vec<String> = (0..40).map(|n| format!("\"k{n}\":1")).collect();
        assert!(read_object(format!("{{{}}}", many.join(",")).as_bytes()).is_ok());
        assert!(
            refused(&format!("{{{},\"K39\":1}}", many.join(",")))
                .detail
                .contains("K39")
        );
    }

    #[test]
    fn where_case_counts_only_the_same_name_is_twice() {
        let limits = Limits {
            case_counts: true,
            names: 2,
            ..Limits::default()
        };
        let read = |body: &str| read_object_within(body.as_bytes(), limits);
        assert_eq!(read(r#"{"DE":1,"de":2}"#).unwrap().len(), 2);
        let twice = read(r#"{"a":{"de":1,"de":2}}"#).unwrap_err();
        assert!(
            twice
                .detail
                .contains("'de' occurs twice in one object. Send"),
            "{}",
            twice.detail
        );
        let many = read(r#"{"a":1,"b":2,"c":3}"#).unwrap_err();
        assert!(
            many.detail.contains("more than 2 members"),
            "{}",
            many.detail
        );
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_above() {
        let nested = |depth: usize| {
            format!(
                "{{\"a\":{}{}}}",
                "[".repeat(depth - 1),
                "]".repeat(depth - 1)
            )
        };
        assert!(read_object(nested(JSON_DEPTH_MAX).as_bytes()).is_ok());
        assert!(
            refused(&nested(JSON_DEPTH_MAX + 1))
                .detail
                .contains("nested")
        );
        assert!(refused(&nested(100_000)).detail.contains("nested"));

        let wide = |names: usize| {
            let names: Vec<String> = (0..names).map(|n| format!("\"k{n}\":1")).collect();
            format!("{{{}}}", names.join(","))
        };
        assert!(read_object(wide(JSON_NAMES_MAX).as_bytes()).is_ok());
        assert!(
            refused(&wide(JSON_NAMES_MAX + 1))
                .detail
                .contains("members")
        );

        let long = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes));
        assert!(read_object(long(JSON_TEXT_BYTES_MAX).as_bytes()).is_ok());
        assert_eq!(
            refused(&long(JSON_TEXT_BYTES_MAX + 1)).scim_type,
            Some(ScimType::InvalidValue)
        );
        assert_eq!(
            refused("{\"a\":\"x\\u0000\"}").scim_type,
            Some(ScimType::InvalidValue)
        );
        assert_eq!(
            refused("{\"a\\u0000\":1}").scim_type,
            Some(ScimType::InvalidValue)
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_object(&body);
        }

        #[test]
        fn no_text_makes_it_panic(body in "[\\[\\]{}\",:0-9a-e\\\\u .-]{0,60}") {
            let _ = read_object(body.as_bytes());
        }
    }
}
