//! A connector: one endpoint, one set of rules, one directory it feeds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use scim::{Departure, Dialect};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::credentials::CredentialSettings;
use crate::id::{ConnectorId, DirectoryId};
use crate::limits::LimitSettings;
use crate::pilot::Pilot;
use crate::preset::Preset;
use crate::rules::Rules;
use crate::schedule::Schedule;

/// Whether a connector takes writes, and whether they have effect (US-03).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectorSettings {
    /// The answer to a successful PATCH.
    pub patch_reply: PatchReply,
    /// Whether a pushed `password` is kept (as a hash); otherwise it is dropped and reported.
    pub accept_passwords: bool,
    /// Departures from the RFCs that are switched on or off, whatever the preset says of them.
    #[schemars(schema_with = "departures")]
    pub departures: BTreeMap<Departure, bool>,
    /// How its identity provider may prove who it is.
    pub credentials: CredentialSettings,
    /// For whom it has effect while it is tried out; for everybody, if that is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pilot: Option<Pilot>,
    /// When it is reconciled by itself; none for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How much it may take away at once.
    pub limits: LimitSettings,
}

impl ConnectorSettings {
    /// The dialect of a preset with what these settings say otherwise.
    pub fn dialect(&self, preset: Preset) -> Dialect {
        let choices = self.departures.iter();
        choices.fold(preset.dialect(), |dialect, (departure, on)| match on {
            true => dialect.with(*departure),
            false => dialect.without(*departure),
        })
    }

    /// Switches departures; `None` leaves one to the preset again.
    pub fn switch(&mut self, changes: &BTreeMap<Departure, Option<bool>>) {
        for (departure, choice) in changes {
            match choice {
                Some(on) => self.departures.insert(*departure, *on),
                None => self.departures.remove(departure),
            };
        }
    }
}

/// Switches by the names of the departures, which live in a room that knows nothing of JSON Schema.
fn departures(_generator: &mut SchemaGenerator) -> Schema {
    let switches = Departure::ALL.map(|one| {
        let described = json!({"type": "boolean", "description": one.about()});
        (one.as_str().to_owned(), described)
    });
    json_schema!({
        "type": "object",
        "properties": Value::Object(Map::from_iter(switches)),
        "additionalProperties": false,
    })
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
        assert_eq!(
            ConnectorState::parse("paused"),
            Some(ConnectorState::Paused)
        );
    }

    #[test]
    fn departures_are_switched_and_left_to_the_preset_again() {
        let mut settings: ConnectorSettings = serde_json::from_str(
            r#"{"departures": {"known_external_id_is_adopted": true, "empty_text_clears": false}}"#,
        )
        .unwrap();
        let dialect = settings.dialect(Preset::Okta);
        assert!(dialect.has(Departure::KnownExternalIdIsAdopted));
        assert!(!dialect.has(Departure::EmptyTextClears));
        assert!(dialect.has(Departure::AbsentActiveIsKept));
        settings.switch(&BTreeMap::from([
            (Departure::KnownExternalIdIsAdopted, None),
            (Departure::EmptyTextClears, Some(true)),
        ]));
        assert_eq!(settings.dialect(Preset::Okta), Preset::Okta.dialect());
        let wrong = serde_json::from_str::<ConnectorSettings>(r#"{"departures": {"x": true}}"#);
        assert!(wrong.unwrap_err().to_string().contains("empty_text_clears"));
    }

    #[test]
    fn settings_may_be_left_out_but_not_misspelt() {
        let empty: ConnectorSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, ConnectorSettings::default());
        let wrong = serde_json::from_str::<ConnectorSettings>(r#"{"patchReply":"auto"}"#);
        assert!(wrong.unwrap_err().to_string().contains("patchReply"));
    }
}
