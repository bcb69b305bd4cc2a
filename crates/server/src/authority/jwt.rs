//! Tokens that an identity provider signs itself (RFC 7519), checked with the keys that it publishes.

mod claims;
mod keys;
mod signature;

use std::sync::Arc;

use directory::{JwtAlgorithm, JwtSettings};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use provision::{Credential, IssuerKeys};
use serde_json::{Map, Value};
use store::Access;

use keys::{Keys, NoKey};

/// Why a signed token is not taken, as a sentence.
pub(crate) enum Refused {
    /// It is the token's fault.
    Token(String),
    /// The keys are not to be had: nobody's fault who asks.
    Keys(String),
}

/// Checks signed tokens. Keys are asked for when the first token comes.
pub(crate) struct SignedTokens {
    keys: Keys,
}

impl SignedTokens {
    pub(crate) fn new(source: Option<Arc<dyn IssuerKeys>>) -> Self {
        signature::install();
        Self {
            keys: Keys::new(source),
        }
    }

    /// Whether a text has the form of a signed token: three parts, the first a JSON object.
    pub(super) fn has_form(text: &str) -> bool {
        text.starts_with("ey") && text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Checks everything about a token: algorithm, signature, issuer, audience, times, claims.
    pub(super) async fn verify(
        &self,
        token: &str,
        settings: &JwtSettings,
        now: Timestamp,
    ) -> Result<Credential, Refused> {
        let (_, proven) = self.claims(token, settings, now).await?;
        let access = match settings.read_only {
            true => Access::ReadOnly,
            false => Access::ReadWrite,
        };
        Ok(Credential::proven(
            proven.label,
            access,
            Some(proven.expires),
        ))
    }

    /// What a token says that was checked like this.
    pub(crate) async fn claims_of(
        &self,
        token: &str,
        settings: &JwtSettings,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Refused> {
        self.claims(token, settings, now)
            .await
            .map(|(claims, _)| claims)
    }

    async fn claims(
        &self,
        token: &str,
        settings: &JwtSettings,
        now: Timestamp,
    ) -> Result<(Map<String, Value>, claims::Proven), Refused> {
        let header = claims::header(token).map_err(Refused::Token)?;
        let algorithm = settings
            .algorithms
            .iter()
            .copied()
            .find(|algorithm| algorithm.as_str() == header.algorithm)
            .ok_or_else(|| Refused::Token(wrong_algorithm(&header.algorithm, settings)))?;
        let place = settings.into();
        let kid = header.kid.as_deref();
        let key = self.keys.key(&place, kid, algorithm, now).await;
        let key = key.map_err(|missing| match missing {
            NoKey::Unknown => Refused::Token(unknown_key(kid)),
            NoKey::Unavailable(why) => Refused::Keys(why),
        })?;
        let found = jsonwebtoken::decode::<Map<String, Value>>(
            token,
            &key.decoding,
            &validation(library_name(algorithm)),
        );
        let found = found.map_err(|error| {
            tracing::debug!(%error, "a signed token was refused");
            Refused::Token(
                "The signature of the token is not right: it was changed, or signed by somebody else."
                    .to_owned(),
            )
        })?;
        let proven = claims::check(&found.claims, settings, now).map_err(Refused::Token)?;
        Ok((found.claims, proven))
    }
}

/// Only algorithm and signature are the library's to check: it knows no other clock than the
/// machine's, and its errors don't say what to do.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn library_name(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::RS256 => Algorithm::RS256,
        JwtAlgorithm::RS384 => Algorithm::RS384,
        JwtAlgorithm::RS512 => Algorithm::RS512,
        JwtAlgorithm::PS256 => Algorithm::PS256,
        JwtAlgorithm::PS384 => Algorithm::PS384,
        JwtAlgorithm::PS512 => Algorithm::PS512,
        JwtAlgorithm::ES256 => Algorithm::ES256,
        JwtAlgorithm::ES384 => Algorithm::ES384,
        JwtAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}

fn wrong_algorithm(found: &str, settings: &JwtSettings) -> String {
    let names: Vec<&str> = settings
        .algorithms
        .iter()
        .map(|algorithm| algorithm.as_str())
        .collect();
    format!(
        "The token is signed with '{}', which this connector does not take; it takes {}.",
        claims::shown(found),
        names.join(", ")
    )
}

fn unknown_key(kid: Option<&str>) -> String {
    match kid {
        Some(kid) => format!(
            "The token is signed with the key '{}', which the issuer does not publish. Check the issuer and the place of its keys in the connector's settings.",
            claims::shown(kid)
        ),
        None => "The token does not say which key signed it, and the issuer publishes several."
            .to_owned(),
    }
}
