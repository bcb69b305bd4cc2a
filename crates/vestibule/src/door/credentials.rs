//! Credentials through either door: tokens, clients, and the settings of a connector about them.

use jiff::{SignedDuration, Timestamp};
use provision::changed_credentials;
use reqwest::Method;
use serde_json::{Map, Value, json};
use store::{Client, ClientSecret, Grant, TokenKind};

use super::data::{ACTOR, Data, token_view};
use super::remote::Remote;
use super::{ClientView, ConnectorDetail, NewClientSecret, NewToken, SecretView, TokenView};
use crate::exit::Failure;

/// What commands can ask for about credentials. Connectors are named by name or id; where none is
/// named, the admin API is meant.
pub trait Credentials {
    /// Changes members of a connector's settings of credentials.
    fn set_credentials(
        &self,
        connector: &str,
        change: Map<String, Value>,
    ) -> Result<ConnectorDetail, Failure>;
    /// Makes a token.
    fn create_token(&self, connector: Option<&str>, grant: &Grant) -> Result<NewToken, Failure>;
    /// Tokens, newest first.
    fn tokens(&self, connector: Option<&str>) -> Result<Vec<TokenView>, Failure>;
    /// Ends a token at once.
    fn revoke_token(&self, connector: Option<&str>, id: &str) -> Result<(), Failure>;
    /// Makes a client with a secret.
    fn create_client(&self, connector: &str, grant: &Grant) -> Result<NewClientSecret, Failure>;
    /// The clients of a connector.
    fn clients(&self, connector: &str) -> Result<Vec<ClientView>, Failure>;
    /// Gives a client a new secret; the one before ends after the overlap.
    fn rotate_client_secret(
        &self,
        connector: &str,
        client: &str,
        expires: Option<Timestamp>,
        overlap: SignedDuration,
    ) -> Result<NewClientSecret, Failure>;
    /// Ends a secret of a client at once.
    fn revoke_client_secret(
        &self,
        connector: &str,
        client: &str,
        secret: &str,
    ) -> Result<(), Failure>;
    /// Deletes a client.
    fn delete_client(&self, connector: &str, client: &str) -> Result<(), Failure>;
}

impl Data {
    fn kind(&self, connector: Option<&str>) -> Result<TokenKind, Failure> {
        Ok(match connector {
            Some(connector) => TokenKind::Scim(self.find(connector)?.connector.id),
            None => TokenKind::Api,
        })
    }

    fn secret_view(&self, made: &provision::NewClientSecret, connector: &str) -> NewClientSecret {
        NewClientSecret {
            client_id: made.client.id.clone(),
            client_secret: made.secret.reveal().to_owned(),
            token_url: format!("{}/oauth/{connector}/token", self.url),
            base_url: format!("{}/scim/v2/{connector}", self.url),
            expires: made.stored.expires,
        }
    }
}

impl Credentials for Data {
    fn set_credentials(
        &self,
        connector: &str,
        change: Map<String, Value>,
    ) -> Result<ConnectorDetail, Failure> {
        let id = self.find(connector)?.connector.id;
        let changed = self
            .provision
            .change_connector(id, ACTOR, move |connector| {
                let credentials = &mut connector.settings.credentials;
                *credentials = changed_credentials(credentials, change.clone())?;
                Ok(())
            });
        self.detail(self.wait(changed)?)
    }

    fn create_token(&self, connector: Option<&str>, grant: &Grant) -> Result<NewToken, Failure> {
        let kind = self.kind(connector)?;
        let made = self.wait(self.provision.create_token(kind, grant.clone()))?;
        Ok(NewToken {
            view: token_view(made.token),
            token: made.secret.reveal().to_owned(),
        })
    }

    fn tokens(&self, connector: Option<&str>) -> Result<Vec<TokenView>, Failure> {
        let kind = self.kind(connector)?;
        let all = self.read(|tx| tx.tokens(kind))?;
        Ok(all.into_iter().map(token_view).collect())
    }

    fn revoke_token(&self, connector: Option<&str>, id: &str) -> Result<(), Failure> {
        let kind = self.kind(connector)?;
        self.wait(self.provision.revoke_token(kind, id))
    }

    fn create_client(&self, connector: &str, grant: &Grant) -> Result<NewClientSecret, Failure> {
        let found = self.find(connector)?.connector;
        let made = self.wait(self.provision.create_client(found.id, grant.clone()))?;
        Ok(self.secret_view(&made, &found.public_id))
    }

    fn clients(&self, connector: &str) -> Result<Vec<ClientView>, Failure> {
        let id = self.find(connector)?.connector.id;
        self.read(|tx| {
            let mut views = Vec::new();
            for client in tx.clients(id)? {
                let secrets = tx.client_secrets(&client)?;
                views.push(client_view(client, secrets));
            }
            Ok(views)
        })
    }

    fn rotate_client_secret(
        &self,
        connector: &str,
        client: &str,
        expires: Option<Timestamp>,
        overlap: SignedDuration,
    ) -> Result<NewClientSecret, Failure> {
        let found = self.find(connector)?.connector;
        let made = self.wait(
            self.provision
                .rotate_client_secret(found.id, client, expires, overlap),
        )?;
        Ok(self.secret_view(&made, &found.public_id))
    }

    fn revoke_client_secret(
        &self,
        connector: &str,
        client: &str,
        secret: &str,
    ) -> Result<(), Failure> {
        let id = self.find(connector)?.connector.id;
        self.wait(self.provision.revoke_client_secret(id, client, secret))
    }

    fn delete_client(&self, connector: &str, client: &str) -> Result<(), Failure> {
        let id = self.find(connector)?.connector.id;
        self.wait(self.provision.delete_client(id, client))
    }
}

fn client_view(client: Client, secrets: Vec<ClientSecret>) -> ClientView {
    let secrets = secrets.into_iter().map(|secret| SecretView {
        id: secret.id,
        created: secret.created,
        expires: secret.expires,
    });
    ClientView {
        id: client.id,
        label: client.label,
        access: client.access.as_str().to_owned(),
        addresses: client.addresses,
        created: client.created,
        last_used: client.last_used,
        last_address: client.last_address,
        secrets: secrets.collect(),
    }
}

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

impl Credentials for Remote {
    fn set_credentials(
        &self,
        connector: &str,
        change: Map<String, Value>,
    ) -> Result<ConnectorDetail, Failure> {
        let body = json!({ "settings": { "credentials": change } });
        self.ask(Method::PATCH, &["connectors", connector], Some(&body))
    }

    fn create_token(&self, connector: Option<&str>, grant: &Grant) -> Result<NewToken, Failure> {
        self.post(&place(connector, &["tokens"]), &wish(grant))
    }

    fn tokens(&self, connector: Option<&str>) -> Result<Vec<TokenView>, Failure> {
        self.list(&place(connector, &["tokens"]))
    }

    fn revoke_token(&self, connector: Option<&str>, id: &str) -> Result<(), Failure> {
        let path = place(connector, &["tokens", id]);
        self.send(Method::DELETE, &path, None).map(drop)
    }

    fn create_client(&self, connector: &str, grant: &Grant) -> Result<NewClientSecret, Failure> {
        self.post(&place(Some(connector), &["clients"]), &wish(grant))
    }

    fn clients(&self, connector: &str) -> Result<Vec<ClientView>, Failure> {
        self.list(&place(Some(connector), &["clients"]))
    }

    fn rotate_client_secret(
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

    fn revoke_client_secret(
        &self,
        connector: &str,
        client: &str,
        secret: &str,
    ) -> Result<(), Failure> {
        let path = place(Some(connector), &["clients", client, "secrets", secret]);
        self.send(Method::DELETE, &path, None).map(drop)
    }

    fn delete_client(&self, connector: &str, client: &str) -> Result<(), Failure> {
        let path = place(Some(connector), &["clients", client]);
        self.send(Method::DELETE, &path, None).map(drop)
    }
}
