//! Where the keys of those who sign tokens come from: asked for here, fetched by who may.

use std::future::Future;
use std::pin::Pin;

use directory::JwtSettings;

/// Where the public keys of an issuer are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeysPlace {
    /// The issuer, whose discovery document names the place if nothing else does.
    pub issuer: String,
    /// The place itself, if it is known.
    pub keys_url: Option<String>,
}

impl From<&JwtSettings> for KeysPlace {
    fn from(settings: &JwtSettings) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            keys_url: settings.keys_url.clone(),
        }
    }
}

/// What a fetch gives: a key set (RFC 7517) as JSON, or why there is none, for the administrator.
pub type Fetched<'f> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'f>>;

/// Fetches the public keys of issuers.
pub trait IssuerKeys: Send + Sync {
    /// Asks the issuer, once, now.
    fn fetch<'f>(&'f self, place: &'f KeysPlace) -> Fetched<'f>;
}
