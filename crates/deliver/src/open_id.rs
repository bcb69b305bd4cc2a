//! OpenID providers, asked: what they say of themselves, codes exchanged, people told of.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use provision::{Asked, CodeExchange, JsonObject, OpenIdClient, OpenIdProvider, OpenIdTokens};
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::{Answer, Client, Request};

/// Bytes of an answer of a provider.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Asks providers with a [`Client`].
pub struct OpenIdAsker {
    client: Client,
}

/// Why a provider gives no token (RFC 6749 section 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

impl OpenIdAsker {
    /// One that goes where the client goes.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn discovered(&self, issuer: &str) -> Result<OpenIdProvider, String> {
        let base = issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let answer = self.send(Request::get(&url)).await?;
        if !answer.is_success() {
            return Err(format!("{url} answered {}", answer.status));
        }
        let found: OpenIdProvider = read(&answer, "a discovery document")?;
        if found.issuer != issuer {
            return Err(format!(
                "{url} speaks for the issuer '{}'; write that one, to the letter",
                cut(&found.issuer)
            ));
        }
        let endpoints = [
            Some(&found.authorization_endpoint),
            Some(&found.token_endpoint),
            Some(&found.jwks_uri),
            found.userinfo_endpoint.as_ref(),
            found.end_session_endpoint.as_ref(),
        ];
        // What goes over an open line can be read and changed on the way.
        let is_open = |url: &&String| !url.starts_with("https://");
        let open = endpoints.into_iter().flatten().find(is_open).cloned();
        match open.filter(|_| issuer.starts_with("https://")) {
            Some(url) => Err(format!(
                "it names {}, which is not behind https://",
                cut(&url)
            )),
            None => Ok(found),
        }
    }

    async fn exchanged(&self, exchange: &CodeExchange) -> Result<OpenIdTokens, String> {
        let provider = &exchange.provider;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", exchange.code.as_str()),
            ("redirect_uri", exchange.redirect_uri.as_str()),
            ("code_verifier", exchange.verifier.as_str()),
            ("client_id", exchange.client_id.as_str()),
        ];
        let methods = provider.token_endpoint_auth_methods_supported.as_deref();
        let takes = |method: &str| methods.is_none_or(|all| all.iter().any(|one| one == method));
        let by_basic = takes("client_secret_basic");
        if let Some(secret) = exchange.secret.as_deref().filter(|_| !by_basic) {
            form.push(("client_secret", secret));
        }
        let body = written(&form)?;
        let kind = "application/x-www-form-urlencoded";
        let mut request = Request::post(&provider.token_endpoint, kind, body)
            .header(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(secret) = exchange.secret.as_deref().filter(|_| by_basic) {
            request = request.header(header::AUTHORIZATION, basic(&exchange.client_id, secret)?);
        }
        let answer = self.send(request).await?;
        if answer.is_success() {
            return read(&answer, "tokens");
        }
        let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
        let (error, description) = (cut(&refusal.error), cut(&refusal.error_description));
        Err(format!(
            "the token endpoint answered {}: {error} {description}",
            answer.status
        ))
    }

    async fn told(&self, endpoint: &str, access_token: &str) -> Result<JsonObject, String> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {access_token}"))
            .map_err(|_bytes| "the access token is no text".to_owned())?;
        bearer.set_sensitive(true);
        let answer = self
            .send(Request::get(endpoint).header(header::AUTHORIZATION, bearer))
            .await?;
        match answer.is_success() {
            true => read(&answer, "what is told of a person"),
            false => Err(format!("the userinfo endpoint answered {}", answer.status)),
        }
    }

    async fn send(&self, request: Request) -> Result<Answer, String> {
        let request = request.answered_within(ANSWER_BYTES_MAX);
        let answer = self.client.send(request).await;
        answer.map_err(|error| error.to_string())
    }
}

/// A form as it is sent.
fn written(form: &[(&str, &str)]) -> Result<String, String> {
    let mut url = Url::parse("form:").map_err(|error| error.to_string())?;
    url.query_pairs_mut().extend_pairs(form);
    Ok(url.query().unwrap_or_default().to_owned())
}

/// Id and secret, each encoded by itself (RFC 6749 section 2.3.1).
fn basic(id: &str, secret: &str) -> Result<HeaderValue, String> {
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pair = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}"))
        .map_err(|_bytes| "id and secret cannot be sent".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

fn read<T: DeserializeOwned>(answer: &Answer, what: &str) -> Result<T, String> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| format!("the provider did not answer with {what}: {error}"))
}

/// What of a stranger's text is repeated.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

impl OpenIdClient for OpenIdAsker {
    fn discover<'a>(&'a self, issuer: &'a str) -> Asked<'a, OpenIdProvider> {
        Box::pin(self.discovered(issuer))
    }

    fn exchange<'a>(&'a self, exchange: &'a CodeExchange) -> Asked<'a, OpenIdTokens> {
        Box::pin(self.exchanged(exchange))
    }

    fn person<'a>(&'a self, endpoint: &'a str, access_token: &'a str) -> Asked<'a, JsonObject> {
        Box::pin(self.told(endpoint, access_token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_credentials_are_encoded() {
        let form = written(&[("code", "a b&c"), ("redirect_uri", "https://x/y?z")]).unwrap();
        assert_eq!(form, "code=a+b%26c&redirect_uri=https%3A%2F%2Fx%2Fy%3Fz");
        let header = basic("a:b", "ü").unwrap();
        assert_eq!(header, format!("Basic {}", STANDARD.encode("a%3Ab:%C3%BC")));
    }
}
