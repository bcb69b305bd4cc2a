//! The query string of a request: form-encoded names and values, and what the common ones mean.

use crate::error::{CrowdError, echo};
use crate::limits::MAX_RESULTS_DEFAULT;

/// The parameters of a request, in order. Where one is given twice the first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Decodes a query string: `+` and `%20` are both a space.
    pub fn parse(text: &str) -> Result<Query, CrowdError> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name, true)?, decode(value, true)?));
        }
        Ok(Query { pairs })
    }

    /// The value of a parameter; an empty one counts as missing.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value of a parameter that has to be there.
    pub fn required(&self, name: &str) -> Result<&str, CrowdError> {
        self.get(name).ok_or_else(|| {
            CrowdError::illegal_argument(format!("The request needs the parameter \"{name}\"."))
        })
    }

    /// A parameter that is true or false; `default` where it is missing.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, CrowdError> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(wrong(name, other, "true or false")),
        }
    }

    /// Which part of a list is wanted.
    pub fn paging(&self) -> Result<Paging, CrowdError> {
        let start_index = match self.get("start-index") {
            None => 0,
            Some(text) => text
                .trim()
                .parse()
                .ok()
                .ok_or_else(|| wrong("start-index", text, "a number from 0"))?,
        };
        let max_results = match self.get("max-results") {
            None => Some(MAX_RESULTS_DEFAULT),
            Some(text) => parse_max_results(text)?,
        };
        Ok(Paging {
            start_index,
            max_results,
        })
    }

    /// What is wanted in full. Unknown words do not matter.
    pub fn expand(&self) -> Expand {
        let mut expand = Expand::default();
        for word in self.get("expand").unwrap_or_default().split(',') {
            match word.trim().to_ascii_lowercase().as_str() {
                "user" => expand.user = true,
                "group" => expand.group = true,
                "attributes" => expand.attributes = true,
                _ => {}
            }
        }
        expand
    }

    /// Whether users or groups are searched.
    pub fn entity_type(&self) -> Result<EntityType, CrowdError> {
        let text = self.required("entity-type")?;
        match text.to_ascii_lowercase().as_str() {
            "user" => Ok(EntityType::User),
            "group" => Ok(EntityType::Group),
            _ => Err(wrong("entity-type", text, "user or group")),
        }
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// How many entries to skip.
    pub start_index: u64,
    /// How many entries to give at most; none for all of them (`-1` on the wire).
    pub max_results: Option<u64>,
}

impl Paging {
    /// True if the whole list is wanted.
    pub fn is_everything(&self) -> bool {
        self.start_index == 0 && self.max_results.is_none()
    }
}

/// What is wanted in full rather than by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expand {
    /// Users of a list, or of a session.
    pub user: bool,
    /// Groups of a list.
    pub group: bool,
    /// The attributes of whatever is in full.
    pub attributes: bool,
}

/// What a search looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityType {
    /// Users.
    User,
    /// Groups.
    Group,
}

fn parse_max_results(text: &str) -> Result<Option<u64>, CrowdError> {
    match text.trim().parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(number) if number >= 0 => Ok(Some(number.unsigned_abs())),
        _ => Err(wrong("max-results", text, "-1 or a number from 0")),
    }
}

fn wrong(name: &str, found: &str, expected: &str) -> CrowdError {
    CrowdError::illegal_argument(format!(
        "\"{name}\" has to be {expected}, not <{}>.",
        echo(found)
    ))
}

/// Decodes one path segment, in which a `+` is a plus.
pub fn decode_segment(text: &str) -> Result<String, CrowdError> {
    decode(text, false)
}

fn decode(text: &str, form: bool) -> Result<String, CrowdError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' if form => b' ',
            b'%' => {
                let high = rest.next().and_then(hex_digit);
                let low = rest.next().and_then(hex_digit);
                match (high, low) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => {
                        return Err(CrowdError::illegal_argument(
                            "The URL has a % without two hex digits.",
                        ));
                    }
                }
            }
            other => other,
        });
    }
    let text = String::from_utf8(bytes)
        .ok()
        .ok_or_else(|| CrowdError::illegal_argument("The URL is not UTF-8 once decoded."))?;
    match text.contains('\0') {
        // Nothing has such a name, and no database takes it.
        true => Err(CrowdError::illegal_argument(
            "The URL has the character NUL (%00) in it, which no name has.",
        )),
        false => Ok(text),
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use proptest::prelude::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    #[test]
    fn strings_are_form_encoded() {
        let query = query(
            "groupname=Eng+Team+%26+Co&username=o%27neil%2Bops%40example.test&x&=y&a=b=c&%C3%BC=%20",
        );
        assert_eq!(query.get("groupname"), Some("Eng Team & Co"));
        assert_eq!(query.get("username"), Some("o'neil+ops@example.test"));
        assert_eq!(query.get("a"), Some("b=c"));
        assert_eq!(query.get("ü"), Some(" "));
        assert_eq!(query.get("x"), None);
        assert_eq!(
            query.required("x").unwrap_err().reason,
            Reason::IllegalArgument
        );
        assert_eq!(super::Query::parse("u=a&u=b").unwrap().get("u"), Some("a"));
        for broken in [
            "u=%", "u=%4", "u=%zz", "u=%ff", "%ff=u", "u=a%00b", "%00=u", "u=%00",
        ] {
            assert_eq!(Query::parse(broken).unwrap_err().status, 400, "{broken}");
        }
        assert_eq!(decode_segment("8f2c%3A1042+1").unwrap(), "8f2c:1042+1");
    }

    #[test]
    fn paging() {
        let all = query("start-index=0&max-results=-1").paging().unwrap();
        assert!(all.is_everything());
        let page = query("start-index=7&max-results=500").paging().unwrap();
        assert_eq!(
            page,
            Paging {
                start_index: 7,
                max_results: Some(500)
            }
        );
        let default = query("").paging().unwrap();
        assert_eq!(
            default,
            Paging {
                start_index: 0,
                max_results: Some(1000)
            }
        );
        assert!(!default.is_everything());
        for broken in [
            "max-results=abc",
            "max-results=-2",
            "max-results=1.5",
            "start-index=-1",
            "start-index=x",
            "start-index=99999999999999999999",
        ] {
            assert_eq!(
                query(broken).paging().unwrap_err().reason,
                Reason::IllegalArgument,
                "{broken}"
            );
        }
    }

    #[test]
    fn expansion_and_entity_type() {
        let expand = query("expand=user,attributes").expand();
        assert_eq!(
            expand,
            Expand {
                user: true,
                group: false,
                attributes: true
            }
        );
        assert_eq!(
            query("expand=Group%2C+nonsense").expand(),
            Expand {
                group: true,
                ..Expand::default()
            }
        );
        assert_eq!(
            query("entity-type=USER").entity_type().unwrap(),
            EntityType::User
        );
        assert_eq!(
            query("entity-type=group").entity_type().unwrap(),
            EntityType::Group
        );
        assert!(query("entity-type=role").entity_type().is_err());
        assert!(query("").entity_type().is_err());
        assert!(query("flag=TRUE").flag("flag", false).unwrap());
        assert!(query("flag=1").flag("flag", false).is_err());
    }

    proptest! {
        #[test]
        fn any_query_string_is_read_or_refused(text in any::<String>()) {
            let _ = Query::parse(&text);
        }
    }
}
