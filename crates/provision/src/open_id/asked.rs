//! What is asked of OpenID providers, by whoever may.

use std::future::Future;
use std::pin::Pin;

use serde::Deserialize;

use crate::JsonObject;

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Clone, Deserialize)]
pub struct OpenIdProvider {
    /// Its name.
    pub issuer: String,
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// Where codes are exchanged.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where more is told of a person.
    pub userinfo_endpoint: Option<String>,
    /// Where people sign out.
    pub end_session_endpoint: Option<String>,
    /// How clients prove who they are; by Basic, if it says nothing.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// A code to be exchanged.
#[derive(Clone)]
pub struct CodeExchange {
    /// Where.
    pub provider: OpenIdProvider,
    /// The client.
    pub client_id: String,
    /// Its secret, if it has one.
    pub secret: Option<String>,
    /// The code.
    pub code: String,
    /// Where the code was sent to.
    pub redirect_uri: String,
    /// What proves that who exchanges it also asked for it (RFC 7636).
    pub verifier: String,
}

/// What a code was exchanged for.
#[derive(Clone, Deserialize)]
pub struct OpenIdTokens {
    /// Who the person is, signed.
    pub id_token: String,
    /// With which more is told of the person.
    pub access_token: Option<String>,
}

/// An answer to come; the text of a failure is for the administrator.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Asks OpenID providers.
pub trait OpenIdClient: Send + Sync {
    /// What a provider says of itself.
    fn discover<'a>(&'a self, issuer: &'a str) -> Asked<'a, OpenIdProvider>;
    /// Exchanges a code.
    fn exchange<'a>(&'a self, exchange: &'a CodeExchange) -> Asked<'a, OpenIdTokens>;
    /// What a provider tells of the person whose token this is.
    fn person<'a>(&'a self, endpoint: &'a str, access_token: &'a str) -> Asked<'a, JsonObject>;
}
