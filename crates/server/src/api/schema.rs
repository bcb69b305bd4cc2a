//! Descriptions of values whose types live in pure rooms and know nothing of OpenAPI.

use directory::notification::{MailSettings, Way};
use directory::{ConnectorSettings, ConnectorState, Preset, Rules};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

pub(super) fn preset() -> RefOr<Schema> {
    let words = Preset::ALL.map(Preset::as_str);
    one_of(
        &words,
        "Which identity provider it is for; chooses its dialect. `/presets` describes each.",
        Preset::default(),
    )
}

pub(super) fn connector_state() -> RefOr<Schema> {
    one_of(
        &["active", "paused", "disabled"],
        "`active`: writes take effect. `paused`: writes are stored, and take effect once it is active \
         again. `disabled`: writes are refused.",
        ConnectorState::default(),
    )
}

pub(super) fn settings() -> RefOr<Schema> {
    object(
        "How its endpoint behaves. `patch_reply`: `auto`, `always200` or `always204`. \
         `accept_passwords`: whether a pushed password is kept, as a hash. `departures`: departures from the \
         RFCs that are on or off whatever the preset says, described at `/departures`. `credentials`: how its identity \
         provider may prove who it is, described in the documentation's chapter on credentials. `schedule`: when everybody \
         is evaluated anew by itself: `cron`, five fields or `off`, and `time_zone`; a new connector has `0 3 * * *`. \
         `limits`: how much it may take away at once, described in the chapter on safety limits.",
        ConnectorSettings::default(),
    )
}

pub(super) fn rules() -> RefOr<Schema> {
    object(
        "What its writes mean for the directory; the documentation's chapter on rules describes every \
         member. The default brings over every user and every group.",
        Rules::default(),
    )
}

pub(super) fn way() -> RefOr<Schema> {
    let example = Way::Mail(MailSettings {
        host: "smtp.example.com".to_owned(),
        username: "vestibule".to_owned(),
        from: "vestibule@example.com".to_owned(),
        to: vec!["operations@example.com".to_owned()],
        ..MailSettings::default()
    });
    object(
        "One member says how. `mail`: `host`, `port`, `security` (`starttls`, `tls` or `none`), `username`, `from`, `to`. \
         `webhook`: `url`. `chat`: `format` (`text` or `teams`). Described in the documentation's chapter on notifications.",
        example,
    )
}

fn one_of<T: Serialize>(words: &[&str], description: &str, default: T) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .enum_values(Some(words.iter().copied()))
        .description(Some(description))
        .default(value(&default))
        .into()
}

fn object<T: Serialize>(description: &str, default: T) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Object))
        .description(Some(description))
        .default(value(&default))
        .into()
}

fn value<T: Serialize>(default: &T) -> Option<Value> {
    serde_json::to_value(default).ok()
}
