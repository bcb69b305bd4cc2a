//! What was ignored in a request that was otherwise obeyed.

use crate::name::echo;

/// Something in a request that had no effect. Clients send such things every day, so it is no error;
/// the administrator finds it in the audit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Warning {
    /// The attribute, URN or member that was ignored.
    pub what: String,
    /// Why it was ignored.
    pub why: String,
}

impl Warning {
    /// A warning about `what`, which is shortened if it is long.
    pub fn new(what: &str, why: impl Into<String>) -> Warning {
        Warning {
            what: echo_long(what),
            why: why.into(),
        }
    }
}

/// Keeps a whole URN with its attribute, which is longer than what errors repeat.
fn echo_long(what: &str) -> String {
    match what.char_indices().nth(160) {
        Some(_) => echo(what).into_owned(),
        None => what.to_owned(),
    }
}
