//! Secrets of a configuration: where they are, and how a server keeps them.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a secret is. It never is in the clear in the file itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
