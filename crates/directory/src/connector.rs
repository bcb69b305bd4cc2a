//! A connector: one endpoint, one set of rules, one directory it feeds.

use jiff::Timestamp;
use scim::Dialect;
use serde::{Deserialize, Serialize};

use crate::credentials::{CredentialSettings, JwtAlgorithm, JwtSettings};
use crate::id::{ConnectorId, DirectoryId};
use crate::rules::Rules;

/// Which identity provider a connector was set up for; chooses its dialect and its guide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Any client that speaks SCIM 2.0.
    #[default]
    Generic,
    /// Okta.
    Okta,
    /// Microsoft Entra ID.
    Entra,
    /// Google Workspace.
    Google,
    /// OneLogin.
    Onelogin,
    /// JumpCloud.
    Jumpcloud,
    /// Keycloak.
    Keycloak,
    /// authentik.
    Authentik,
    /// PingOne and PingFederate.
    Ping,
}

impl Preset {
    /// Every preset, in the order they are offered.
    pub const ALL: [Preset; 9] = [
        Preset::Generic,
        Preset::Okta,
        Preset::Entra,
        Preset::Google,
        Preset::Onelogin,
        Preset::Jumpcloud,
        Preset::Keycloak,
        Preset::Authentik,
        Preset::Ping,
    ];

    /// The word used in configuration and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Preset::Generic => "generic",
            Preset::Okta => "okta",
            Preset::Entra => "entra",
            Preset::Google => "google",
            Preset::Onelogin => "onelogin",
            Preset::Jumpcloud => "jumpcloud",
            Preset::Keycloak => "keycloak",
            Preset::Authentik => "authentik",
            Preset::Ping => "ping",
        }
    }

    /// How its clients depart from the RFCs.
    pub const fn dialect(self) -> Dialect {
        match self {
            Preset::Okta => Dialect::okta(),
            Preset::Entra => Dialect::entra(),
            _ => Dialect::generic(),
        }
    }

    /// Which tokens the identity provider signs for a tenant, if it signs any by itself: those that
    /// Entra sends when no secret token is entered there.
    pub fn signed_tokens(self, tenant: &str) -> Option<JwtSettings> {
        if self != Preset::Entra {
            return None;
        }
        let provisioning_service = "00000014-0000-0000-c000-000000000000";
        Some(JwtSettings {
            tenant: Some(tenant.to_owned()),
            issuer: format!("https://sts.windows.net/{tenant}/"),
            audience: "8adf8e6e-67b2-4cf2-a259-e3dc5476c621".to_owned(),
            keys_url: Some(format!(
                "https://login.microsoftonline.com/{tenant}/discovery/keys"
            )),
            algorithms: vec![JwtAlgorithm::RS256],
            claims: [("appid".to_owned(), provisioning_service.to_owned())].into(),
            read_only: false,
        })
    }

    /// Reads the word used in configuration and storage.
    pub fn parse(text: &str) -> Option<Preset> {
        Preset::ALL
            .into_iter()
            .find(|preset| preset.as_str() == text)
    }
}

/// Whether a connector takes writes, and whether they have effect (US-03).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorState {
    /// Writes are stored and take effect.
    #[default]
    Active,
    /// Writes are stored; the directory stays as it is until the connector is active again.
    Paused,
    /// Writes are refused with 401.
    Disabled,
}

impl ConnectorState {
    /// The word used in configuration and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConnectorState::Active => "active",
            ConnectorState::Paused => "paused",
            ConnectorState::Disabled => "disabled",
        }
    }

    /// Reads the word used in configuration and storage.
    pub fn parse(text: &str) -> Option<ConnectorState> {
        [
            ConnectorState::Active,
            ConnectorState::Paused,
            ConnectorState::Disabled,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// How a successful PATCH is answered (RFC 7644 section 3.5.2 allows both).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchReply {
    /// What the preset's client expects.
    #[default]
    Auto,
    /// 200 with the resource.
    Always200,
    /// 204 without a body.
    Always204,
}

/// How a connector's endpoint behaves, apart from its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectorSettings {
    /// The answer to a successful PATCH.
    pub patch_reply: PatchReply,
    /// Whether a pushed `password` is kept (as a hash); otherwise it is dropped and reported.
    pub accept_passwords: bool,
    /// How its identity provider may prove who it is.
    pub credentials: CredentialSettings,
}

/// One connector as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connector {
    /// The row.
    pub id: ConnectorId,
    /// The id in URLs, a random UUID.
    pub public_id: String,
    /// The name administrators gave it, without functional meaning.
    pub name: String,
    /// What it was set up for.
    pub preset: Preset,
    /// Whether it takes writes.
    pub state: ConnectorState,
    /// The directory it feeds.
    pub directory: DirectoryId,
    /// What its writes mean for the directory.
    pub rules: Rules,
    /// How its endpoint behaves.
    pub settings: ConnectorSettings,
    /// When it was created.
    pub created: Timestamp,
    /// When its configuration last changed.
    pub updated: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_storage_and_in_json() {
        for preset in Preset::ALL {
            assert_eq!(Preset::parse(preset.as_str()), Some(preset));
            let json = serde_json::to_string(&preset).unwrap();
            assert_eq!(json, format!("\"{}\"", preset.as_str()));
        }
        assert_eq!(Preset::parse("Okta"), None);
        assert_eq!(
            ConnectorState::parse("paused"),
            Some(ConnectorState::Paused)
        );
    }

    #[test]
    fn settings_may_be_left_out_but_not_misspelt() {
        let empty: ConnectorSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, ConnectorSettings::default());
        let wrong = serde_json::from_str::<ConnectorSettings>(r#"{"patchReply":"auto"}"#);
        assert!(wrong.unwrap_err().to_string().contains("patchReply"));
    }
}
