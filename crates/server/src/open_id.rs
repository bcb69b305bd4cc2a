//! The company's OpenID provider: asked, and its word checked (OpenID Connect Core 1.0).

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use directory::{JwtAlgorithm, JwtSettings};
use jiff::{SignedDuration, Timestamp};
use provision::{
    CodeExchange, JsonObject, OpenIdAttempt, OpenIdClient, OpenIdPerson, OpenIdProvider,
    OpenIdSettings,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::App;
use crate::authority::RefusedToken;

/// What a provider says of itself is asked for anew after this time.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// Where the provider sends people back to.
pub(crate) const CALLBACK: &str = "/console/sign-in/openid/callback";

/// The way to providers, and what the last one said of itself.
pub(crate) struct OpenId {
    client: Option<Arc<dyn OpenIdClient>>,
    known: Mutex<Option<(Timestamp, OpenIdProvider)>>,
}

impl OpenId {
    pub(crate) fn new(client: Option<Arc<dyn OpenIdClient>>) -> Self {
        Self {
            client,
            known: Mutex::default(),
        }
    }

    fn client(&self) -> Result<&dyn OpenIdClient, String> {
        let client = self.client.as_deref();
        client.ok_or_else(|| "this program was started without a client for it".to_owned())
    }

    /// What a provider says of itself, not older than some minutes.
    pub(crate) async fn provider(
        &self,
        issuer: &str,
        now: Timestamp,
    ) -> Result<OpenIdProvider, String> {
        if let Some((at, known)) = &*self.known.lock().unwrap_or_else(PoisonError::into_inner)
            && known.issuer == issuer
            && now.duration_since(*at).abs() < FRESH
        {
            return Ok(known.clone());
        }
        self.discover(issuer, now).await
    }

    /// The same, asked now.
    pub(crate) async fn discover(
        &self,
        issuer: &str,
        now: Timestamp,
    ) -> Result<OpenIdProvider, String> {
        let found = self.client()?.discover(issuer).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((now, found.clone()));
        Ok(found)
    }
}

/// Where somebody is sent to sign in.
pub(crate) fn authorization_url(
    provider: &OpenIdProvider,
    settings: &OpenIdSettings,
    attempt: &OpenIdAttempt,
    redirect_uri: &str,
) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&attempt.verifier));
    let mut scopes = vec!["openid".to_owned()];
    scopes.extend(
        settings
            .scopes
            .iter()
            .filter(|scope| *scope != "openid")
            .cloned(),
    );
    let scopes = scopes.join(" ");
    let query = [
        ("response_type", "code"),
        ("client_id", &settings.client_id),
        ("redirect_uri", redirect_uri),
        ("scope", &scopes),
        ("state", &attempt.state),
        ("nonce", &attempt.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    with_query(&provider.authorization_endpoint, &query)
}

/// Where somebody is sent to sign out of the provider as well, if it has such a place.
pub(crate) fn end_session_url(
    provider: &OpenIdProvider,
    settings: &OpenIdSettings,
    back: &str,
) -> Option<String> {
    let place = provider.end_session_endpoint.as_deref()?;
    let query = [
        ("client_id", settings.client_id.as_str()),
        ("post_logout_redirect_uri", back),
    ];
    Some(with_query(place, &query))
}

fn with_query(place: &str, query: &[(&str, &str)]) -> String {
    let written = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let between = if place.contains('?') { '&' } else { '?' };
    format!("{place}{between}{written}")
}

/// Who somebody is who comes back with a code. Failures are for the log.
pub(crate) async fn person(
    app: &App,
    settings: &OpenIdSettings,
    attempt: &OpenIdAttempt,
    code: String,
    redirect_uri: String,
) -> Result<OpenIdPerson, String> {
    let open_id = &app.inner().open_id;
    let now = app.provision().store().now();
    let provider = open_id.provider(&settings.issuer, now).await?;
    let secret = app.provision().open_id_secret(settings);
    let exchange = CodeExchange {
        client_id: settings.client_id.clone(),
        secret: secret.map_err(|error| error.to_string())?,
        code,
        redirect_uri,
        verifier: attempt.verifier.clone(),
        provider,
    };
    let tokens = open_id.client()?.exchange(&exchange).await?;
    let keys = JwtSettings {
        issuer: settings.issuer.clone(),
        audience: settings.client_id.clone(),
        keys_url: Some(exchange.provider.jwks_uri.clone()),
        algorithms: JwtAlgorithm::ALL.to_vec(),
        ..JwtSettings::default()
    };
    let now = app.provision().store().now();
    let claims = app
        .inner()
        .signed
        .claims_of(&tokens.id_token, &keys, now)
        .await;
    let mut claims = claims.map_err(|refused| match refused {
        RefusedToken::Token(why) | RefusedToken::Keys(why) => why,
    })?;
    check(&claims, settings, attempt)?;
    // Some providers tell of groups only when they are asked once more.
    if !claims.contains_key(&settings.groups_claim)
        && let (Some(endpoint), Some(token)) =
            (&exchange.provider.userinfo_endpoint, &tokens.access_token)
    {
        let more = open_id.client()?.person(endpoint, token).await?;
        add(&mut claims, more)?;
    }
    OpenIdPerson::from_claims(&claims, settings)
        .ok_or_else(|| "the token does not say who it is (claim sub)".to_owned())
}

/// What is to be checked besides signature, issuer, audience and times (OpenID Connect Core 1.0, section 3.1.3.7).
fn check(
    claims: &JsonObject,
    settings: &OpenIdSettings,
    attempt: &OpenIdAttempt,
) -> Result<(), String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("nonce") != Some(&attempt.nonce) {
        return Err("the token belongs to another attempt to sign in (claim nonce)".to_owned());
    }
    let several = claims
        .get("aud")
        .and_then(Value::as_array)
        .is_some_and(|all| all.len() > 1);
    match text("azp") {
        Some(party) if party != settings.client_id => {
            Err("the token was made for another client (claim azp)".to_owned())
        }
        None if several => Err(
            "the token is for several, and does not say for whom it was made (claim azp)"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// Adds what is told of a person, if it is the same person.
fn add(claims: &mut JsonObject, more: JsonObject) -> Result<(), String> {
    if more.get("sub") != claims.get("sub") {
        return Err("the userinfo endpoint tells of somebody else (claim sub)".to_owned());
    }
    for (name, value) in more {
        claims.entry(name).or_insert(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> JsonObject {
        match value {
            Value::Object(object) => object,
            _ => unreachable!(),
        }
    }

    #[test]
    fn a_token_of_another_attempt_or_client_is_not_taken() {
        let settings = OpenIdSettings {
            client_id: "vestibule".into(),
            ..OpenIdSettings::default()
        };
        let attempt = OpenIdAttempt {
            state: "s".into(),
            nonce: "n".into(),
            verifier: "v".into(),
            next: "/console".into(),
            issuer: String::new(),
            expires: Timestamp::MAX,
        };
        for (claims, taken) in [
            (json!({"nonce": "n", "aud": "vestibule"}), true),
            (json!({"nonce": "n", "aud": ["vestibule"]}), true),
            (
                json!({"nonce": "n", "aud": ["vestibule", "b"], "azp": "vestibule"}),
                true,
            ),
            (json!({"nonce": "m", "aud": "vestibule"}), false),
            (json!({"aud": "vestibule"}), false),
            (json!({"nonce": "n", "aud": ["vestibule", "b"]}), false),
            (json!({"nonce": "n", "aud": "vestibule", "azp": "b"}), false),
        ] {
            assert_eq!(
                check(&object(claims.clone()), &settings, &attempt).is_ok(),
                taken,
                "{claims}"
            );
        }
        let mut claims = object(json!({"sub": "1", "a": 1}));
        assert!(add(&mut claims, object(json!({"sub": "2", "groups": []}))).is_err());
        add(
            &mut claims,
            object(json!({"sub": "1", "a": 2, "groups": ["x"]})),
        )
        .unwrap();
        assert_eq!(
            Value::from(claims),
            json!({"sub": "1", "a": 1, "groups": ["x"]})
        );
    }

    #[test]
    fn people_are_sent_with_what_comes_back_and_what_proves_it() {
        let provider = OpenIdProvider {
            issuer: "https://i".into(),
            authorization_endpoint: "https://i/auth?tenant=x".into(),
            token_endpoint: String::new(),
            jwks_uri: String::new(),
            userinfo_endpoint: None,
            end_session_endpoint: Some("https://i/out".into()),
            token_endpoint_auth_methods_supported: None,
        };
        let settings = OpenIdSettings {
            client_id: "a b".into(),
            ..OpenIdSettings::default()
        };
        let attempt = OpenIdAttempt {
            state: "s".into(),
            nonce: "n".into(),
            // RFC 7636 appendix B.
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into(),
            next: String::new(),
            issuer: String::new(),
            expires: Timestamp::MAX,
        };
        let url = authorization_url(&provider, &settings, &attempt, "https://v/back");
        assert_eq!(
            url,
            "https://i/auth?tenant=x&response_type=code&client_id=a+b&redirect_uri=https%3A%2F%2Fv%2Fback\
             &scope=openid+profile+email&state=s&nonce=n&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
             &code_challenge_method=S256"
        );
        let out = end_session_url(&provider, &settings, "https://v").unwrap();
        assert!(
            out.starts_with("https://i/out?client_id=a+b&post_logout"),
            "{out}"
        );
    }
}
