//! Secrets of a configuration: where they are, and how a server keeps them.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Where a secret is. It never is in the clear in the file itself.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// In this environment variable of `vestibule plan` and `vestibule apply`.
    Env(String),
    /// In this file, which `vestibule plan` and `vestibule apply` read; white space at its end does not count.
    File(String),
    /// Here, sealed with a passphrase by `vestibule export --seal`, for this place in the file alone.
    Sealed(String),
    /// Here: what the commands send to the admin API in place of a reference.
    #[schemars(skip)]
    Value(String),
    /// As another server kept it: what came out of a sealed text. It is never read from a document.
    #[serde(skip)]
    #[schemars(skip)]
    Kept(KeptSecret),
}

/// Whoever writes a secret itself where a reference belongs must not find it in an error, and so in the log of a build.
impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || {
            D::Error::custom(
                "this is not where a secret is; a secret is never written here itself: say {env: NAME}, {file: PATH} or {sealed: TEXT}",
            )
        };
        let Ok(Value::Object(given)) = Value::deserialize(deserializer) else {
            return Err(wrong());
        };
        let mut members = given.into_iter();
        let (Some((kind, Value::String(text))), None) = (members.next(), members.next()) else {
            return Err(wrong());
        };
        match kind.as_str() {
            "env" => Ok(Self::Env(text)),
            "file" => Ok(Self::File(text)),
            "sealed" => Ok(Self::Sealed(text)),
            "value" => Ok(Self::Value(text)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(out, "Env({name:?})"),
            Self::File(path) => write!(out, "File({path:?})"),
            Self::Sealed(_) => out.write_str("Sealed"),
            Self::Value(_) => out.write_str("Value"),
            Self::Kept(_) => out.write_str("Kept"),
        }
    }
}

/// A secret as a server keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KeptSecret {
    /// Itself, since it is shown to others.
    Text(String),
    /// What it is recognised by.
    Hash(String),
    /// A client, which has an id and can have several.
    Client {
        /// Its id.
        id: String,
        /// What its secrets are recognised by.
        secrets: Vec<KeptClientSecret>,
    },
}

/// A secret of a client as a server keeps it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptClientSecret {
    /// What it is recognised by.
    pub hash: String,
    /// When it stops working, if ever.
    pub expires: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_in_the_place_of_a_reference_is_not_told() {
        for written in [
            "\"hunter2\"",
            "20252",
            "{\"hunter2\": \"x\"}",
            "{\"env\": 20252}",
            "[\"hunter2\"]",
        ] {
            let error = serde_json::from_str::<SecretSource>(written).unwrap_err();
            let told = error.to_string();
            assert!(told.contains("{env: NAME}"), "{told}");
            assert!(
                !told.contains("hunter2") && !told.contains("20252"),
                "{told}"
            );
        }
        let source = serde_json::from_str::<SecretSource>("{\"file\": \"key\"}").unwrap();
        assert!(matches!(source, SecretSource::File(path) if path == "key"));
    }
}
