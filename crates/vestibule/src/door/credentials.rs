//! Credentials asked through the door: tokens, clients, and the settings of a connector about them.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Map, Value, json};
use store::Grant;

use super::{ClientView, ConnectorDetail, Door, NewClientSecret, NewToken, TokenView};
use crate::exit::Failure;

/// What a credential is made with, as the admin API takes it.
fn wish(grant: &Grant) -> Value {
    json!({
        "label": grant.label,
        "access": grant.access.as_str(),
        "addresses": grant.addresses,
        "expires": grant.expires,
    })
}

/// The path of what belongs to a connector, or to the admin API.
fn place<'p>(connector: Option<&'p str>, rest: &[&'p str]) -> Vec<&'p str> {
    let begin = connector.map(|connector| ["connectors", connector]);
    begin.iter().flatten().chain(rest).copied().collect()
}

impl Door {
    /// Changes members of a connector's settings of credentials.
    pub fn set_credentials(
        &self,
        connector: &str,
        change: Map<String, Value>,
    ) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "settings": { "credentials": change } });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    /// Makes a token.
    pub fn create_token(
        &self,
        connector: Option<&str>,
        grant: &Grant,
        rights: Option<Value>,
    ) -> Result<NewToken, Failure> {
        let mut wish = wish(grant);
        if let (Some(Value::Object(rights)), Some(wish)) = (rights, wish.as_object_mut()) {
            // The role says what the access would.
            wish.remove("access");
            wish.extend(rights);
        }
        self.post(&place(connector, &["tokens"]), &wish)
    }

    /// Tokens, newest first.
    pub fn tokens(&self, connector: Option<&str>) -> Result<Vec<TokenView>, Failure> {
        self.list(&place(connector, &["tokens"]))
    }

    /// Ends a token at once.
    pub fn revoke_token(&self, connector: Option<&str>, id: &str) -> Result<(), Failure> {
        let path = place(connector, &["tokens", id]);
        self.send(Method::DELETE, &path, None)
    }

    /// Makes a client with a secret.
    pub fn create_client(
        &self,
        connector: &str,
        grant: &Grant,
    ) -> Result<NewClientSecret, Failure> {
        self.post(&place(Some(connector), &["clients"]), &wish(grant))
    }

    /// The clients of a connector.
    pub fn clients(&self, connector: &str) -> Result<Vec<ClientView>, Failure> {
        self.list(&place(Some(connector), &["clients"]))
    }

    /// Gives a client a new secret; the one before ends after the overlap.
    pub fn rotate_client_secret(
        &self,
        connector: &str,
        client: &str,
        expires: Option<Timestamp>,
        overlap: SignedDuration,
    ) -> Result<NewClientSecret, Failure> {
        let body = json!({ "overlap_minutes": overlap.as_mins(), "expires": expires });
        let path = place(Some(connector), &["clients", client, "secrets"]);
        self.post(&path, &body)
    }

    /// Ends a secret of a client at once.
    pub fn revoke_client_secret(
        &self,
        connector: &str,
        client: &str,
        secret: &str,
    ) -> Result<(), Failure> {
        let path = place(Some(connector), &["clients", client, "secrets", secret]);
        self.send(Method::DELETE, &path, None)
    }

    /// Deletes a client.
    pub fn delete_client(&self, connector: &str, client: &str) -> Result<(), Failure> {
        let path = place(Some(connector), &["clients", client]);
        self.send(Method::DELETE, &path, None)
    }
}
