//! How a connector's identity provider may prove who it is, beside the connector's tokens.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which forms of credentials a connector takes, from where, and how many requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialSettings {
    /// Addresses and CIDR ranges that requests may come from; empty means any.
    pub addresses: Vec<String>,
    /// Whether id and secret of a client are taken as HTTP Basic (RFC 7617).
    pub basic: bool,
    /// Whether `Authorization` may hold a token alone, without the word `Bearer`.
    pub bare_token: bool,
    /// A header that may hold a token in the place of `Authorization`.
    pub token_header: Option<String>,
    /// How long access tokens of clients live, in minutes, 60 to 360.
    pub access_token_minutes: u32,
    /// Tokens that the identity provider signs itself; none are taken if left out.
    pub jwt: Option<JwtSettings>,
    /// Requests in a second, on average; the server's setting if left out.
    pub rate: Option<u32>,
    /// Requests at once before the average counts; the server's setting if left out.
    pub burst: Option<u32>,
}

impl CredentialSettings {
    /// The shortest life of an access token, in minutes.
    pub const ACCESS_TOKEN_MINUTES_MIN: u32 = 60;
    /// The longest life of an access token, in minutes.
    pub const ACCESS_TOKEN_MINUTES_MAX: u32 = 360;
    /// The lowest rate that can be set: what identity providers need.
    pub const RATE_MIN: u32 = 25;
}

impl Default for CredentialSettings {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            basic: false,
            bare_token: false,
            token_header: None,
            access_token_minutes: Self::ACCESS_TOKEN_MINUTES_MIN,
            jwt: None,
            rate: None,
            burst: None,
        }
    }
}

/// Which signed tokens (RFC 7519) a connector takes. Issuer, audience, life and signature are always checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JwtSettings {
    /// The tenant at the identity provider; with a preset that knows them, issuer, audience, keys and
    /// claims follow from it where they are left out.
    pub tenant: Option<String>,
    /// What `iss` has to be, to the letter.
    pub issuer: String,
    /// What `aud` has to be or contain.
    pub audience: String,
    /// Where the keys are (RFC 7517); where the issuer's discovery document says, if left out.
    pub keys_url: Option<String>,
    /// Algorithms of signatures that are taken.
    pub algorithms: Vec<JwtAlgorithm>,
    /// Claims that have to be these texts, such as `appid`, `azp` or `sub`.
    pub claims: BTreeMap<String, String>,
    /// Whether such a token may only read.
    pub read_only: bool,
}

/// An algorithm of signatures with a public key (RFC 7518 section 3.1). Those with a shared secret
/// are not in the list: whoever can check such a signature can make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names of RFC 7518 say all")]
pub enum JwtAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl JwtAlgorithm {
    /// Every algorithm.
    pub const ALL: [JwtAlgorithm; 9] = [
        JwtAlgorithm::RS256,
        JwtAlgorithm::RS384,
        JwtAlgorithm::RS512,
        JwtAlgorithm::PS256,
        JwtAlgorithm::PS384,
        JwtAlgorithm::PS512,
        JwtAlgorithm::ES256,
        JwtAlgorithm::ES384,
        JwtAlgorithm::EdDSA,
    ];

    /// The name of RFC 7518.
    pub const fn as_str(self) -> &'static str {
        match self {
            JwtAlgorithm::RS256 => "RS256",
            JwtAlgorithm::RS384 => "RS384",
            JwtAlgorithm::RS512 => "RS512",
            JwtAlgorithm::PS256 => "PS256",
            JwtAlgorithm::PS384 => "PS384",
            JwtAlgorithm::PS512 => "PS512",
            JwtAlgorithm::ES256 => "ES256",
            JwtAlgorithm::ES384 => "ES384",
            JwtAlgorithm::EdDSA => "EdDSA",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standard() {
        for algorithm in JwtAlgorithm::ALL {
            let json = serde_json::to_string(&algorithm).unwrap();
            assert_eq!(json, format!("\"{}\"", algorithm.as_str()));
        }
        for shared in ["\"HS256\"", "\"none\""] {
            assert!(serde_json::from_str::<JwtAlgorithm>(shared).is_err());
        }
    }

    #[test]
    fn nothing_is_taken_unless_it_is_said() {
        let none: CredentialSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(none, CredentialSettings::default());
        assert!(!none.basic && !none.bare_token && none.jwt.is_none());
    }
}
