//! The first start on an empty store.

use directory::{ConnectorSettings, Preset, Rules};
use store::{Scope, StoredConnector};

use crate::{ConnectorDraft, NewToken, Provision, ProvisionError};

/// What the first start made; the secrets are not to be had again.
#[derive(Debug, Clone)]
pub struct FirstStart {
    /// A connector, ready for an IdP.
    pub connector: StoredConnector,
    /// Its token.
    pub scim_token: NewToken,
    /// A token for the admin API.
    pub api_token: NewToken,
}

impl Provision {
    /// Names the store, and on an empty one makes a first connector and an admin token.
    pub async fn prepare(&self) -> Result<Option<FirstStart>, ProvisionError> {
        let is_new = self
            .store()
            .write(Scope::Settings, |tx| {
                tx.ensure_instance()?;
                Ok::<_, ProvisionError>(tx.connectors()?.is_empty() && tx.directories()?.is_empty())
            })
            .await?;
        if !is_new {
            return Ok(None);
        }
        let connector = self
            .create_connector(
                ConnectorDraft {
                    name: "default".to_owned(),
                    preset: Preset::Generic,
                    directory: None,
                    rules: Rules::for_new_connector(),
                    settings: ConnectorSettings::default(),
                },
                "first start",
            )
            .await?;
        let scim_token = self
            .create_scim_token(connector.connector.id, "first start", None)
            .await?;
        let api_token = self.create_api_token("first start", None).await?;
        Ok(Some(FirstStart {
            connector,
            scim_token,
            api_token,
        }))
    }
}
