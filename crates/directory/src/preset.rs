//! The identity providers that a connector can be set up for.

use schemars::JsonSchema;
use scim::Dialect;
use serde::{Deserialize, Serialize};

use crate::credentials::{JwtAlgorithm, JwtSettings};

/// Which identity provider a connector was set up for; chooses its dialect and its guide.
///
/// The words are stored and part of the API: none is ever taken away or given another meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Any client that speaks SCIM 2.0.
    #[default]
    Generic,
    /// Okta, an app of the catalogue or a SCIM test app.
    Okta,
    /// Okta, an app made with the App Integration Wizard.
    OktaWizard,
    /// Microsoft Entra ID without a feature flag.
    Entra,
    /// Microsoft Entra ID with `aadOptscim062020` in the tenant URL.
    EntraOptscim,
    /// Google Workspace.
    Google,
    /// OneLogin.
    Onelogin,
    /// JumpCloud.
    Jumpcloud,
    /// PingOne. `ping` was the word when both products of Ping shared one.
    #[serde(alias = "ping")]
    Pingone,
    /// PingFederate.
    Pingfederate,
    /// Keycloak with a SCIM client extension.
    Keycloak,
    /// authentik.
    Authentik,
    /// rauthy.
    Rauthy,
    /// Pocket ID.
    Pocketid,
    /// SailPoint.
    Sailpoint,
    /// Ory Polis.
    Polis,
    /// The letter of the RFCs.
    Rfc,
}

impl Preset {
    /// Every preset, in the order they are offered.
    pub const ALL: [Preset; 17] = [
        Preset::Generic,
        Preset::Okta,
        Preset::OktaWizard,
        Preset::Entra,
        Preset::EntraOptscim,
        Preset::Google,
        Preset::Onelogin,
        Preset::Jumpcloud,
        Preset::Pingone,
        Preset::Pingfederate,
        Preset::Keycloak,
        Preset::Authentik,
        Preset::Rauthy,
        Preset::Pocketid,
        Preset::Sailpoint,
        Preset::Polis,
        Preset::Rfc,
    ];

    /// The word used in configuration and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Preset::Generic => "generic",
            Preset::Okta => "okta",
            Preset::OktaWizard => "okta_wizard",
            Preset::Entra => "entra",
            Preset::EntraOptscim => "entra_optscim",
            Preset::Google => "google",
            Preset::Onelogin => "onelogin",
            Preset::Jumpcloud => "jumpcloud",
            Preset::Pingone => "pingone",
            Preset::Pingfederate => "pingfederate",
            Preset::Keycloak => "keycloak",
            Preset::Authentik => "authentik",
            Preset::Rauthy => "rauthy",
            Preset::Pocketid => "pocketid",
            Preset::Sailpoint => "sailpoint",
            Preset::Polis => "polis",
            Preset::Rfc => "rfc",
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Preset::Generic => "Any SCIM client",
            Preset::Okta => "Okta (catalogue app)",
            Preset::OktaWizard => "Okta (wizard app)",
            Preset::Entra => "Microsoft Entra ID",
            Preset::EntraOptscim => "Microsoft Entra ID (aadOptscim062020)",
            Preset::Google => "Google Workspace",
            Preset::Onelogin => "OneLogin",
            Preset::Jumpcloud => "JumpCloud",
            Preset::Pingone => "PingOne",
            Preset::Pingfederate => "PingFederate",
            Preset::Keycloak => "Keycloak",
            Preset::Authentik => "authentik",
            Preset::Rauthy => "rauthy",
            Preset::Pocketid => "Pocket ID",
            Preset::Sailpoint => "SailPoint",
            Preset::Polis => "Ory Polis",
            Preset::Rfc => "Strict RFC 7644",
        }
    }

    /// What people call the identity provider, whichever way it is set up.
    pub const fn called(self) -> &'static str {
        match self {
            Preset::Okta | Preset::OktaWizard => "Okta",
            Preset::Entra | Preset::EntraOptscim => "Entra ID",
            Preset::Generic | Preset::Rfc => "SCIM client",
            other => other.name(),
        }
    }

    /// What it sends, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Preset::Generic => "Any client that speaks SCIM 2.0: accepts what all the others send",
            Preset::Okta => {
                "Catalogue and SCIM test apps: profiles by PUT, state and groups by PATCH, never a delete of a person"
            }
            Preset::OktaWizard => {
                "Apps made with Create App Integration: whole users and whole groups by PUT"
            }
            Preset::Entra => {
                "No flag in the tenant URL: one PATCH operation for each attribute, truth values as text"
            }
            Preset::EntraOptscim => {
                "?aadOptscim062020 in the tenant URL: grouped PATCH operations, closer to the RFC"
            }
            Preset::Google => {
                "Catalogue SAML apps with automatic provisioning: users only, no groups"
            }
            Preset::Onelogin => "SCIM Provisioner: users by a JSON template, groups by PATCH",
            Preset::Jumpcloud => {
                "Tries a user and a group when it is activated; core attributes only"
            }
            Preset::Pingone => "Users by PUT; finds groups by listing them all",
            Preset::Pingfederate => "Users by PUT, groups by PUT or PATCH; odd case in its filters",
            Preset::Keycloak => {
                "A SCIM client extension of Keycloak: POST, PUT and DELETE, PATCH if it is switched on"
            }
            Preset::Authentik => {
                "Reads the features first; creates without look-up and searches after a 409"
            }
            Preset::Rauthy => {
                "Looks up by externalId, then by mail address; members by PATCH with lists"
            }
            Preset::Pocketid => "Lists everything, writes by PUT, deletes what it does not know",
            Preset::Sailpoint => {
                "SCIM 2.0 connector: builds its account schema from the discovery documents"
            }
            Preset::Polis => "Hands on the requests of Entra and Okta",
            Preset::Rfc => "No departure from the RFCs, for tests of clients",
        }
    }

    /// The page of the documentation's guides, if there is one of its own.
    pub const fn guide(self) -> Option<&'static str> {
        Some(match self {
            Preset::Okta | Preset::OktaWizard => "okta",
            Preset::Entra | Preset::EntraOptscim => "entra",
            Preset::Google => "google",
            Preset::Onelogin => "onelogin",
            Preset::Jumpcloud => "jumpcloud",
            Preset::Pingone | Preset::Pingfederate => "ping",
            Preset::Keycloak => "keycloak",
            Preset::Authentik => "authentik",
            Preset::Rauthy => "rauthy",
            Preset::Pocketid => "pocketid",
            Preset::Sailpoint => "sailpoint",
            Preset::Polis => "polis",
            Preset::Generic | Preset::Rfc => return None,
        })
    }

    /// How its clients depart from the RFCs, where that is ambiguous.
    pub const fn dialect(self) -> Dialect {
        match self {
            Preset::Entra | Preset::EntraOptscim => Dialect::entra(),
            // Polis hands on what Entra sends.
            Preset::Generic | Preset::Polis => Dialect::generic(),
            Preset::Rfc => Dialect::rfc(),
            _ => Dialect::plain(),
        }
    }

    /// Which tokens the identity provider signs for a tenant, if it signs any by itself: those that
    /// Entra sends when no secret token is entered there.
    pub fn signed_tokens(self, tenant: &str) -> Option<JwtSettings> {
        if !matches!(self, Preset::Entra | Preset::EntraOptscim) {
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

    /// Reads the word used in configuration and storage, also a former one.
    pub fn parse(text: &str) -> Option<Preset> {
        if text == "ping" {
            return Some(Preset::Pingone);
        }
        Preset::ALL
            .into_iter()
            .find(|preset| preset.as_str() == text)
    }
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
    }

    #[test]
    fn words_that_were_ever_stored_are_read() {
        let stored = [
            "generic",
            "okta",
            "entra",
            "google",
            "onelogin",
            "jumpcloud",
            "keycloak",
            "authentik",
            "ping",
        ];
        for word in stored {
            let preset = Preset::parse(word).unwrap();
            let json: Preset = serde_json::from_str(&format!("\"{word}\"")).unwrap();
            assert_eq!(json, preset, "{word}");
        }
    }
}
