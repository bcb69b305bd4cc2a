//! The public keys of those who sign tokens, fetched from where they publish them.

use provision::{Fetched, IssuerKeys, KeysPlace};
use serde::Deserialize;

use crate::client::{Client, Request};

/// Bytes of a key set, and of a discovery document.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// Fetches key sets with a [`Client`].
pub struct IssuerClient {
    client: Client,
}

/// What is needed of an issuer's description (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl IssuerClient {
    /// One that goes where the client goes.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn key_set(&self, place: &KeysPlace) -> Result<String, String> {
        match &place.keys_url {
            Some(url) => self.document(url).await,
            None => {
                let url = self.discovered(&place.issuer).await?;
                self.document(&url).await
            }
        }
    }

    /// The place of the keys by the issuer's own word.
    async fn discovered(&self, issuer: &str) -> Result<String, String> {
        let url = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let text = self.document(&url).await?;
        let found: Discovery = serde_json::from_str(&text)
            .map_err(|error| format!("{url} is no discovery document: {error}"))?;
        if found.issuer != issuer {
            return Err(format!(
                "{url} speaks for another issuer, '{}'",
                found.issuer.chars().take(200).collect::<String>()
            ));
        }
        // A key that came over an open line proves nothing.
        if issuer.starts_with("https://") && !found.jwks_uri.starts_with("https://") {
            return Err(format!("{url} names keys that are not behind https://"));
        }
        Ok(found.jwks_uri)
    }

    async fn document(&self, url: &str) -> Result<String, String> {
        let request = Request::get(url).answered_within(DOCUMENT_BYTES_MAX);
        let answer = self.client.send(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if !answer.is_success() {
            return Err(format!("{url} answered {}", answer.status));
        }
        String::from_utf8(answer.body.to_vec())
            .map_err(|error| format!("{url} did not answer with text: {error}"))
    }
}

impl IssuerKeys for IssuerClient {
    fn fetch<'f>(&'f self, place: &'f KeysPlace) -> Fetched<'f> {
        Box::pin(self.key_set(place))
    }
}

#[cfg(test)]
mod tests {
    use emulate::issuer::{Issuer, SigningKey};
    use provision::{AddressRange, Guard, Reach};

    use super::*;

    fn fetching(allowed: &[&str]) -> IssuerClient {
        let allowed = allowed
            .iter()
            .map(|text| AddressRange::parse(text).unwrap());
        let guard = Guard::new(Reach::Network, allowed.collect());
        IssuerClient::new(Client::new(guard))
    }

    fn place(issuer: &str, keys_url: Option<String>) -> KeysPlace {
        KeysPlace {
            issuer: issuer.to_owned(),
            keys_url,
        }
    }

    #[tokio::test]
    async fn keys_are_where_the_setting_or_the_issuer_says() {
        let issuer = Issuer::start().unwrap();
        issuer.publish(&[&SigningKey::ec("one").unwrap()]);
        let client = fetching(&["127.0.0.1"]);
        for place in [
            place(&issuer.url, None),
            place("somebody", Some(issuer.keys_url())),
        ] {
            let found = client.fetch(&place).await.unwrap();
            assert!(found.contains("\"kid\":\"one\""), "{found}");
        }
        let slash = place(&format!("{}/", issuer.url), None);
        let refused = client.fetch(&slash).await.unwrap_err();
        assert!(refused.contains("speaks for another issuer"), "{refused}");
        issuer.set_down(true);
        let refused = client.fetch(&place(&issuer.url, None)).await.unwrap_err();
        assert!(refused.contains("answered 503"), "{refused}");
    }

    #[tokio::test]
    async fn an_issuer_on_this_machine_has_to_be_allowed() {
        let issuer = Issuer::start().unwrap();
        let refused = fetching(&[]).fetch(&place(&issuer.url, None)).await;
        let refused = refused.unwrap_err();
        assert!(refused.contains("outbound_allow"), "{refused}");
    }
}
