//! Reading JSON: serde_json's parser behind a visitor that refuses depth, twins and crowds.

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

use crate::error::{CrowdError, echo};
use crate::limits::{JSON_DEPTH_MAX, JSON_MEMBERS_MAX};

/// Reads a whole request body.
pub fn document(body: &[u8]) -> Result<Value, CrowdError> {
    let mut parser = serde_json::Deserializer::from_slice(body);
    Limited { depth: 0 }
        .deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value))
        .map_err(|error| {
            let why = echo(&error.to_string());
            CrowdError::illegal_argument(format!("The JSON in the request cannot be read: {why}."))
        })
}

/// Builds a value at some depth.
#[derive(Clone, Copy)]
struct Limited {
    depth: usize,
}

impl Limited {
    fn deeper<E: Error>(self) -> Result<Limited, E> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(E::custom(format!("nested deeper than {JSON_DEPTH_MAX}")));
        }
        Ok(Limited {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Limited {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Limited {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        without_nul(value).map(Value::from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.len() == JSON_MEMBERS_MAX {
                return Err(A::Error::custom(format!(
                    "an object has more than {JSON_MEMBERS_MAX} members"
                )));
            }
            let value = members.next_value_seed(seed)?;
            if object.insert(without_nul(name)?, value).is_some() {
                return Err(A::Error::custom("an object has the same member twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

/// A text that can be kept: no database takes the character NUL, and XML cannot say it.
fn without_nul<E: Error>(text: String) -> Result<String, E> {
    match text.contains('\0') {
        true => Err(E::custom("a text has the character NUL in it")),
        false => Ok(text),
    }
}

/// The member that has one of these names and is not null.
pub fn member<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names
        .iter()
        .find_map(|name| value.get(name).filter(|member| !member.is_null()))
}

/// The text of a member; numbers and truth values count as what they look like, anything else is refused.
pub fn text(value: &Value, names: &[&str]) -> Result<Option<String>, CrowdError> {
    member(value, names)
        .map(|found| scalar(found, names[0]))
        .transpose()
}

/// The text of a value that is no list and no object.
pub fn scalar(value: &Value, what: &str) -> Result<String, CrowdError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(CrowdError::illegal_argument(format!(
            "\"{what}\" has to be a text."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nested(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    fn members(count: usize) -> String {
        let list: Vec<String> = (0..count).map(|n| format!("\"m{n}\":0")).collect();
        format!("{{{}}}", list.join(","))
    }

    #[test]
    fn each_limit_holds_at_and_above() {
        assert!(document(nested(JSON_DEPTH_MAX).as_bytes()).is_ok());
        assert!(document(nested(JSON_DEPTH_MAX + 1).as_bytes()).is_err());
        assert!(document("[".repeat(400_000).as_bytes()).is_err());
        assert!(document(members(JSON_MEMBERS_MAX).as_bytes()).is_ok());
        assert!(document(members(JSON_MEMBERS_MAX + 1).as_bytes()).is_err());
    }

    #[test]
    fn twins_and_leftovers_are_refused() {
        for body in [
            "{\"active\":true,\"active\":false}",
            "{} {}",
            "{",
            "",
            "nul",
            "\"\\ud800\"",
            "{\"a\":1e999}",
            "\"a\\u0000b\"",
            "{\"a\\u0000\":1}",
            "\"a\0b\"",
        ] {
            assert!(document(body.as_bytes()).is_err(), "{body}");
        }
        assert!(document(b"\"\xfc\"").is_err());
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = document(&body);
        }

        #[test]
        fn agrees_with_the_plain_parser(body in "[\\[\\]{}\":,0-9a-e.\\\\ ]{0,30}") {
            if let Ok(value) = document(body.as_bytes()) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&body).unwrap());
            }
        }
    }
}
