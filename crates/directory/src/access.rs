//! What somebody who asks may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an application or a credential may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Only read; an application may authenticate as well.
    ReadOnly,
    /// Everything: an application may change local groups, local memberships and attributes of users too.
    ReadWrite,
}

impl Access {
    /// `read-only` or `read-write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Access::ReadOnly => "read-only",
            Access::ReadWrite => "read-write",
        }
    }

    /// Reads what [`Access::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "read-only" => Some(Access::ReadOnly),
            "read-write" => Some(Access::ReadWrite),
            _ => None,
        }
    }
}
