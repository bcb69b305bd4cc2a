//! How people sign in with an application.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How people sign in with an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInSettings {
    /// The domain of the cookie; empty leaves it to the product.
    pub cookie_domain: String,
    /// Whether the cookie goes over TLS only; if unset, whether this server is reached over TLS.
    pub cookie_secure: Option<bool>,
    /// The name of the cookie. Products that share a sign-in need the same.
    pub cookie_name: String,
    /// A session that began here ends after so many minutes without use.
    pub session_idle_minutes: u32,
    /// A session that began here ends after so many minutes in any case.
    pub session_life_minutes: u32,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            cookie_domain: String::new(),
            cookie_secure: None,
            cookie_name: "crowd.token_key".to_owned(),
            session_idle_minutes: 30,
            session_life_minutes: 24 * 60,
        }
    }
}
