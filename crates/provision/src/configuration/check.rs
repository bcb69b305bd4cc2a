//! What is wrong with a configuration besides its form: all of it, each with its place and what to do.

use directory::configuration::{
    ApplicationEntry, AuditEntry, ClientEntry, ConnectorEntry, Kind, Merged, ResourceKind, Said,
    SchemaEntry, TokenEntry, WebhookEntry, item, member, settings_with,
};
use directory::rules::{CompiledRules, RuleError, check_tests, run_tests};
use directory::{ConnectorSettings, JwtSettings, Preset};
use jiff::Timestamp;
use scim::CustomSchema;
use serde_json::{Map, Value};
use store::{Mapping, ReadTx};

use super::ConfigurationWish;
use super::survey::{grant, members};
use crate::address::checked_addresses;
use crate::admission::checked_settings;
use crate::applications::{check_sight, checked_application_name, checked_groups};
use crate::audit::check_settings;
use crate::naming::checked_name;
use crate::rule_changes::failure;
use crate::tokens::{checked, require_future};
use crate::{AuditSettings, Provision, ProvisionError};

/// What is checked, and against what.
pub(super) struct Checks<'a> {
    pub(super) provision: &'a Provision,
    pub(super) tx: &'a ReadTx<'a>,
    pub(super) present: &'a Said,
    pub(super) wanted: &'a Said,
    wish: &'a ConfigurationWish,
    /// Everything that is wrong.
    pub(super) wrong: Vec<RuleError>,
}

impl<'a> Checks<'a> {
    pub(super) fn new(
        provision: &'a Provision,
        tx: &'a ReadTx<'a>,
        present: &'a Said,
        wanted: &'a Said,
        wish: &'a ConfigurationWish,
    ) -> Self {
        Self {
            provision,
            tx,
            present,
            wanted,
            wish,
            wrong: wanted.twice(),
        }
    }

    /// Checks everything that is to be, and writes it as it is stored.
    pub(super) fn all(&mut self, merged: &mut Vec<Merged>) -> Result<(), ProvisionError> {
        let now = self.tx.now();
        merged.retain(|one| !is_over(one, now));
        for one in merged {
            match one.name.kind {
                Kind::Directory => self.directory_entry(one)?,
                Kind::Connector => self.connector(one)?,
                Kind::Schema => self.schema(one)?,
                Kind::Token => self.token(one)?,
                Kind::Client => self.client(one)?,
                Kind::Application => self.application(one)?,
                Kind::Webhook => self.webhook(one)?,
                Kind::Channel => self.channel(one)?,
                Kind::Subscription => self.subscription(one)?,
                Kind::Audit => self.audit(one)?,
            }
        }
        Ok(())
    }

    /// The value of an outcome; what is wrong is noted with its place.
    pub(super) fn told<T>(
        &mut self,
        path: &str,
        outcome: Result<T, ProvisionError>,
    ) -> Result<Option<T>, ProvisionError> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.wrong.extend(placed(path, error)?);
                Ok(None)
            }
        }
    }

    pub(super) fn fault(
        &mut self,
        path: String,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.wrong.push(RuleError {
            path,
            message: message.into(),
            remedy: remedy.into(),
        });
    }

    pub(super) fn name(&mut self, one: &Merged) -> Result<(), ProvisionError> {
        let name = &one.name.name;
        let checked = match one.name.kind {
            Kind::Application => checked_application_name(name),
            _ => checked_name(name),
        };
        self.told(&member(&one.path, "name"), checked)?;
        Ok(())
    }

    /// The directory or connector of this name as it is spelt, if it is there when all is done.
    pub(super) fn there(&mut self, kind: Kind, path: String, name: &str) -> Option<String> {
        let present = self.present.spelling(kind, name);
        if let Some(spelt) = self.wanted.spelling(kind, name) {
            return Some(present.unwrap_or(spelt).to_owned());
        }
        let configuration = &self.wish.configuration;
        let is_listed = match kind {
            Kind::Directory => configuration.directories.is_some(),
            _ => configuration.connectors.is_some(),
        };
        let (what, list) = (kind.as_str(), kind.list());
        match present {
            Some(spelt) if !(self.wish.prune && is_listed) => return Some(spelt.to_owned()),
            Some(_) => self.fault(
                path,
                format!("the {what} '{name}' is not in the list of {list}, and would be removed"),
                "add it to the list",
            ),
            None => self.fault(
                path,
                format!("there is no {what} '{name}'"),
                format!(
                    "add it to the list of {list}: {{name: {}}}",
                    Value::from(name)
                ),
            ),
        }
        None
    }

    fn connector(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        self.name(one)?;
        let entry: ConnectorEntry = one.entry().map_err(unreadable)?;
        self.connector_id(one, entry.id.as_deref())?;
        let before = one.before.clone();
        let was = |name: &str| before.as_ref().and_then(|before| before.get(name));
        let preset = entry.preset.unwrap_or_default();
        if was("preset").is_some_and(|was| *was != one.after["preset"]) {
            self.fault(
                member(&one.path, "preset"),
                "the preset of a connector cannot be changed",
                "write the one it has, switch departures in its settings, or make another connector",
            );
        }
        let named = entry.directory.as_deref().unwrap_or(&one.name.name);
        let place = member(&one.path, "directory");
        if let Some(directory) = self.there(Kind::Directory, place.clone(), named) {
            let present = was("directory").and_then(Value::as_str);
            if let Some(present) = present.filter(|present| *present != directory) {
                let name = &one.name.name;
                self.fault(
                    place,
                    format!("the connector feeds '{present}', and its accounts have to be moved"),
                    format!("run `vestibule connector move {name} {directory}` first, which asks what becomes of them"),
                );
            }
            one.after.insert("directory".to_owned(), directory.into());
        }
        let settings = entry.settings.unwrap_or_default();
        if let Some(settings) = self.settings(&one.path, preset, &settings)? {
            let before = was("settings").and_then(|before| before.as_object());
            self.keys_reach(&one.path, &settings, before)?;
            one.after.insert("settings".to_owned(), settings.into());
        }
        let (rules, tests) = (
            entry.rules.unwrap_or_default(),
            entry.tests.unwrap_or_default(),
        );
        if was("rules") == one.after.get("rules") && was("tests") == one.after.get("tests") {
            return Ok(());
        }
        let wrong = check_tests(&tests);
        let tests_are_good = wrong.is_empty();
        self.wrong
            .extend(wrong.into_iter().map(|error| within(&one.path, error)));
        let compiled = CompiledRules::new(&rules).map_err(ProvisionError::Rules);
        let compiled = self.told(&member(&one.path, "rules"), compiled)?;
        if let Some(compiled) = compiled.filter(|_| tests_are_good && !self.wish.anyway) {
            let results = run_tests(&tests, &compiled, self.tx.now());
            let failed = results.iter().filter(|result| !result.passed());
            let failed = failed.map(|result| within(&one.path, failure(result)));
            self.wrong.extend(failed);
        }
        Ok(())
    }

    /// Only a connector that is made takes an id.
    fn connector_id(&mut self, one: &Merged, id: Option<&str>) -> Result<(), ProvisionError> {
        let Some(id) = id else { return Ok(()) };
        let place = member(&one.path, "id");
        let is_id = |byte: u8| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase();
        let groups = [8, 4, 4, 4, 12].into_iter();
        let is_good = groups.eq(id.split('-').map(str::len))
            && id.bytes().all(|byte| byte == b'-' || is_id(byte));
        if !is_good {
            let message = "is no id of a connector, such as 0197f6c2-6d5c-7b7e-9a3f-0c8a4f3a2b11";
            self.fault(place, message, "leave it out, and a new one is made");
            return Ok(());
        }
        let known = self.tx.find_connector(id)?;
        if let Some(other) = known.filter(|known| known.connector.public_id == id) {
            let other = other.connector.name;
            self.fault(
                place,
                format!("it is the id of the connector '{other}'"),
                "leave it out, or rename that one with `vestibule connector rename`",
            );
        }
        Ok(())
    }

    /// Each setting is checked by itself, so that everything is told.
    fn settings(
        &mut self,
        path: &str,
        preset: Preset,
        settings: &Map<String, Value>,
    ) -> Result<Option<Map<String, Value>>, ProvisionError> {
        let (path, so_far) = (member(path, "settings"), self.wrong.len());
        let read = |settings: Map<String, Value>| {
            serde_json::from_value::<ConnectorSettings>(settings.into()).map_err(unreadable)
        };
        for (name, value) in settings {
            let alone = Map::from_iter([(name.clone(), value.clone())]);
            let outcome = checked_settings(read(alone)?, preset);
            let path = match &outcome {
                Err(ProvisionError::Invalid { field, .. }) if name == "credentials" => {
                    format!("{path}.{name}.{field}")
                }
                // These name their place from the settings on.
                Err(ProvisionError::Limits(_)) => path.clone(),
                _ => member(&path, name),
            };
            self.told(&path, outcome)?;
        }
        if self.wrong.len() > so_far {
            return Ok(None);
        }
        let whole = checked_settings(read(settings.clone())?, preset);
        let whole = self.told(&path, whole)?;
        whole
            .map(|whole| members(&whole).map(settings_with))
            .transpose()
    }

    /// Refuses keys of signed tokens that can never be fetched.
    fn keys_reach(
        &mut self,
        path: &str,
        settings: &Map<String, Value>,
        before: Option<&Map<String, Value>>,
    ) -> Result<(), ProvisionError> {
        let jwt = |settings: &Map<String, Value>| {
            let jwt = settings.get("credentials")?.get("jwt")?.clone();
            serde_json::from_value::<JwtSettings>(jwt).ok()
        };
        let before = before.and_then(jwt);
        let reach = self
            .provision
            .require_keys_reach(jwt(settings).as_ref(), before.as_ref());
        self.told(&format!("{path}.settings.credentials.jwt.keys_url"), reach)?;
        Ok(())
    }

    fn schema(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        let entry: SchemaEntry = one.entry().map_err(unreadable)?;
        let custom = parsed(&entry).map_err(ProvisionError::Schema);
        if let Some(custom) = self.told(&member(&one.path, "document"), custom)? {
            let document = scim::discovery::document_of(&custom.schema);
            one.after.insert("document".to_owned(), document);
            let mut kinds = entry.resource_types;
            kinds.sort_by_key(|kind| *kind == ResourceKind::Group);
            kinds.dedup();
            let kinds = serde_json::to_value(kinds).map_err(unreadable)?;
            one.after.insert("resource_types".to_owned(), kinds);
        }
        Ok(())
    }

    fn token(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        let entry: TokenEntry = one.entry().map_err(unreadable)?;
        let grant = grant(&entry.label, entry.access, entry.addresses, entry.expires);
        if one.before.as_ref().and_then(|before| before.get("expires")) != one.after.get("expires")
        {
            let future = require_future(grant.expires, self.tx.now());
            self.told(&member(&one.path, "expires"), future)?;
        }
        if let Some(grant) = self.told(&one.path, checked(grant))? {
            one.after
                .insert("addresses".to_owned(), grant.addresses.into());
        }
        self.secret(one)
    }

    fn client(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        let entry: ClientEntry = one.entry().map_err(unreadable)?;
        let grant = grant(&entry.label, entry.access, entry.addresses, None);
        if let Some(grant) = self.told(&one.path, checked(grant))? {
            one.after
                .insert("addresses".to_owned(), grant.addresses.into());
        }
        self.secret(one)
    }

    fn audit(&mut self, one: &Merged) -> Result<(), ProvisionError> {
        let entry: AuditEntry = one.entry().map_err(unreadable)?;
        if let Some(keep_days) = entry.keep_days {
            let checked = check_settings(AuditSettings { keep_days });
            self.told(&member(&one.path, "keep_days"), checked)?;
        }
        Ok(())
    }

    fn application(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        self.name(one)?;
        let entry: ApplicationEntry = one.entry().map_err(unreadable)?;
        let addresses = checked_addresses(&entry.addresses.unwrap_or_default());
        if let Some(addresses) = self.told(&member(&one.path, "addresses"), addresses)? {
            one.after.insert("addresses".to_owned(), addresses.into());
        }
        let list = member(&one.path, "directories");
        let mut attached = entry.directories.unwrap_or_default();
        if attached.is_empty() {
            self.fault(
                list.clone(),
                format!("the {} sees no directory", one.name),
                "name at least one, the one that wins first: [{directory: NAME}]",
            );
        }
        let mut known: Vec<String> = Vec::new();
        for (index, one) in attached.iter_mut().enumerate() {
            let path = item(&list, index);
            let place = member(&path, "directory");
            if let Some(spelt) = self.there(Kind::Directory, place.clone(), &one.directory) {
                if known.contains(&spelt) {
                    self.fault(place, format!("'{spelt}' is there twice"), "name each once");
                }
                known.push(spelt.clone());
                one.directory = spelt;
            }
            let groups = checked_groups(one.login_groups.as_deref());
            if let Some(groups) = self.told(&member(&path, "login_groups"), groups)? {
                one.login_groups = groups;
            }
        }
        let attached = serde_json::to_value(attached).map_err(unreadable)?;
        one.after.insert("directories".to_owned(), attached);
        let sight = Mapping {
            directories: Vec::new(),
            aggregate_memberships: entry.aggregate_memberships.unwrap_or_default(),
            only_with_access: entry.only_with_access.unwrap_or_default(),
            only_groups_with_access: entry.only_groups_with_access.unwrap_or_default(),
        };
        self.told(
            &member(&one.path, "only_groups_with_access"),
            check_sight(&sight),
        )?;
        let sign_in = crate::sign_in::check(&entry.sign_in.unwrap_or_default());
        self.told(&member(&one.path, "sign_in"), sign_in)?;
        self.secret(one)
    }

    fn webhook(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        let entry: WebhookEntry = one.entry().map_err(unreadable)?;
        let place = member(&one.path, "url");
        let checked = crate::webhooks::check(&entry.url, None);
        if self.told(&place, checked)?.is_some() {
            let before = said(one, "url");
            let reach = self.provision.require_reach("url", &entry.url, before);
            self.told(&place, reach)?;
        }
        self.secret(one)
    }
}

/// A text that is said of it now.
pub(super) fn said<'m>(one: &'m Merged, name: &str) -> Option<&'m str> {
    one.before.as_ref()?.get(name)?.as_str()
}

/// A schema ready for use.
pub(super) fn parsed(entry: &SchemaEntry) -> Result<CustomSchema, Vec<scim::SchemaError>> {
    CustomSchema::parse(
        &Value::Object(entry.document.clone()),
        entry.required,
        entry.resource_types.contains(&ResourceKind::User),
        entry.resource_types.contains(&ResourceKind::Group),
    )
}

/// A token that is not there and whose time is over is not made.
fn is_over(one: &Merged, now: Timestamp) -> bool {
    let expires = one.after.get("expires").and_then(Value::as_str);
    let expires = expires.and_then(|text| text.parse::<Timestamp>().ok());
    one.name.kind == Kind::Token && one.before.is_none() && expires.is_some_and(|end| end <= now)
}

/// What is wrong as the things wrong at a place; a failure of the store is none.
fn placed(path: &str, error: ProvisionError) -> Result<Vec<RuleError>, ProvisionError> {
    let below = |errors: Vec<RuleError>| errors.into_iter().map(|error| within(path, error));
    Ok(match error {
        ProvisionError::Rules(errors)
        | ProvisionError::Limits(errors)
        | ProvisionError::Precedence(errors) => below(errors).collect(),
        ProvisionError::Schema(errors) => {
            let errors = errors.into_iter().map(|error| RuleError {
                path: error.path,
                message: error.message,
                remedy: error.remedy,
            });
            below(errors.collect()).collect()
        }
        ProvisionError::Invalid { message, .. } => vec![RuleError {
            path: path.to_owned(),
            message,
            remedy: "correct it".to_owned(),
        }],
        other => return Err(other),
    })
}

/// The same with a place that is told from the top.
pub(super) fn within(path: &str, error: RuleError) -> RuleError {
    let path = match error.path.as_str() {
        "" => path.to_owned(),
        rest if rest.starts_with('[') => format!("{path}{rest}"),
        rest => format!("{path}.{rest}"),
    };
    RuleError { path, ..error }
}

pub(super) fn unreadable(error: serde_json::Error) -> ProvisionError {
    ProvisionError::invalid("configuration", error.to_string())
}
