//! Carrying out a plan, inside one transaction that has everything for itself.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use directory::configuration::{
    Action, ApplicationEntry, AuditEntry, ConnectorEntry, DirectoryEntry, Kind, Plan, ResourceKind,
    SchemaEntry, SecretSource, Step,
};
use directory::{ConnectorId, ConnectorSettings, Fate};
use store::{Access, Application, AttachedDirectory, Client, Job, Mapping, Token, WriteTx};

use super::MadeSecret;
use super::check::parsed;
use super::credentials::{client, token};
use super::secrets::{ReadyPassword, ReadyPasswords};
use super::survey::{clients_in_order, live_tokens};
use crate::directories::require_directory;
use crate::jobs::rules_job;
use crate::rule_changes::{MADE_WITH, Terms};
use crate::schedule::plan_next_run;
use crate::schemas::{self, SchemaDraft};
use crate::webhooks::PER_APPLICATION_MAX;
use crate::{AuditSettings, Provision, ProvisionError, RulesChange, audit, directories, release};

/// A plan with all that is needed to carry it out.
pub(super) struct Work {
    pub(super) provision: Provision,
    plan: Plan,
    passwords: ReadyPasswords,
    terms: Terms,
    pub(super) actor: String,
}

/// What came of it besides what the plan says.
#[derive(Default)]
pub(super) struct Done {
    pub(super) secrets: Vec<MadeSecret>,
    jobs: Vec<Job>,
    /// The tokens of connectors as the plan saw them: what it calls the second of a label stays the second.
    pub(super) tokens: HashMap<ConnectorId, Vec<Token>>,
    pub(super) clients: HashMap<ConnectorId, Vec<Client>>,
}

impl Done {
    /// Reads the credentials among which a step names one, before any step changes them.
    fn look_at_credentials(&mut self, tx: &WriteTx<'_>, step: &Step) -> Result<(), ProvisionError> {
        if step.action == Action::Create || !matches!(step.object.kind, Kind::Token | Kind::Client)
        {
            return Ok(());
        }
        let connector = connector_id(tx, parent(step))?;
        if let Entry::Vacant(place) = self.tokens.entry(connector) {
            place.insert(live_tokens(tx, connector)?);
            self.clients
                .insert(connector, clients_in_order(tx, connector)?);
        }
        Ok(())
    }
}

impl Work {
    pub(super) fn new(
        provision: Provision,
        plan: Plan,
        passwords: ReadyPasswords,
        change: RulesChange,
        actor: &str,
    ) -> Self {
        Self {
            provision,
            plan,
            passwords,
            terms: Terms {
                change,
                unmoved: None,
            },
            actor: actor.to_owned(),
        }
    }

    /// Does every step in order.
    pub(super) fn run(
        &self,
        tx: &WriteTx<'_>,
    ) -> Result<(Vec<MadeSecret>, Vec<Job>), ProvisionError> {
        let mut done = Done::default();
        for step in &self.plan.steps {
            done.look_at_credentials(tx, step)?;
        }
        let deletes = |step: &&Step| step.action == Action::Delete;
        for step in self.plan.steps.iter().filter(|step| !deletes(step)) {
            self.step(tx, step, &mut done)?;
        }
        // It names connectors that are made after the directory.
        for step in self.plan.steps.iter().filter(|step| !deletes(step)) {
            self.precedence(tx, step)?;
        }
        for step in self.plan.steps.iter().filter(deletes) {
            self.step(tx, step, &mut done)?;
        }
        Ok((done.secrets, done.jobs))
    }

    fn step(&self, tx: &WriteTx<'_>, step: &Step, done: &mut Done) -> Result<(), ProvisionError> {
        match step.object.kind {
            Kind::Directory => self.directory(tx, step, done),
            Kind::Connector => self.connector(tx, step, done),
            Kind::Schema => schema(tx, step),
            Kind::Token => token(tx, step, done),
            Kind::Client => client(tx, step, done),
            Kind::Application => self.application(tx, step, done),
            Kind::Webhook => webhook(tx, step),
            Kind::Channel => self.channel(tx, step, done),
            Kind::Subscription => self.subscription(tx, step, done),
            Kind::Audit => audit_log(tx, step),
        }
    }

    fn directory(
        &self,
        tx: &WriteTx<'_>,
        step: &Step,
        done: &mut Done,
    ) -> Result<(), ProvisionError> {
        let name = &step.object.name;
        let directory = match step.action {
            Action::Create => tx.insert_directory(name)?.id,
            _ => require_directory(tx, name)?,
        };
        match step.action {
            Action::Create | Action::Change => {
                let entry: DirectoryEntry = step.entry().map_err(unreadable)?;
                if let Some(allowed) = entry.local_users {
                    tx.allow_local_users(directory, allowed)?;
                }
            }
            Action::Delete => {
                let job = directories::begin_deletion(tx, directory, false, &self.actor)?;
                done.jobs.push(job);
            }
        }
        Ok(())
    }

    fn connector(
        &self,
        tx: &WriteTx<'_>,
        step: &Step,
        done: &mut Done,
    ) -> Result<(), ProvisionError> {
        let name = &step.object.name;
        match step.action {
            Action::Create => self.new_connector(tx, step),
            Action::Change => {
                let entry: ConnectorEntry = step.entry().map_err(unreadable)?;
                let id = connector_id(tx, name)?;
                if step.touches("tests") {
                    tx.set_rule_tests(id, &entry.tests.clone().unwrap_or_default())?;
                }
                if step
                    .differences
                    .iter()
                    .all(|one| one.path.starts_with("tests"))
                {
                    return Ok(());
                }
                let settings = settings_of(&entry)?;
                self.provision
                    .alter(tx, id, &self.actor, &self.terms, &|connector| {
                        connector.state = entry.state.unwrap_or(connector.state);
                        connector.settings.clone_from(&settings);
                        if let Some(rules) = &entry.rules {
                            connector.rules.clone_from(rules);
                        }
                        Ok(())
                    })?;
                if step.touches("rules") || step.touches("settings.pilot") {
                    done.jobs.extend(rules_job(tx, id)?);
                }
                Ok(())
            }
            Action::Delete => {
                let id = connector_id(tx, name)?;
                let job = release::begin_deletion(tx, id, Fate::Keep, &self.actor)?;
                done.jobs.push(job);
                Ok(())
            }
        }
    }

    fn new_connector(&self, tx: &WriteTx<'_>, step: &Step) -> Result<(), ProvisionError> {
        let entry: ConnectorEntry = step.entry().map_err(unreadable)?;
        let directory = entry.directory.as_deref().unwrap_or(&entry.name);
        let directory = require_directory(tx, directory)?;
        let settings = settings_of(&entry)?;
        let rules = entry.rules.unwrap_or_default();
        let preset = entry.preset.unwrap_or_default();
        let comment = match self.terms.change.comment.as_str() {
            "" => MADE_WITH,
            comment => comment,
        };
        let by = (self.actor.as_str(), comment);
        let made = tx.insert_connector(&entry.name, preset, directory, &rules, &settings, by)?;
        let mut connector = made.connector;
        if let Some(id) = entry.id {
            tx.set_connector_id(connector.id, &id)?;
            connector.public_id = id;
        }
        tx.set_rule_tests(connector.id, &entry.tests.unwrap_or_default())?;
        if let Some(state) = entry.state.filter(|state| *state != connector.state) {
            connector.state = state;
            tx.update_connector(&connector)?;
            tx.note_state(connector.id, &self.actor)?;
        }
        plan_next_run(tx, &connector)
    }

    fn application(
        &self,
        tx: &WriteTx<'_>,
        step: &Step,
        done: &mut Done,
    ) -> Result<(), ProvisionError> {
        let name = &step.object.name;
        if step.action == Action::Delete {
            tx.delete_application(application(tx, name)?.id)?;
            return Ok(());
        }
        let entry: ApplicationEntry = step.entry().map_err(unreadable)?;
        let ready = self.passwords.get(name);
        let id = match step.action {
            Action::Create => {
                let ready = ready.ok_or_else(|| not_ready(name))?;
                let mapping = mapping_of(tx, &entry, &[])?;
                let addresses = entry.addresses.clone().unwrap_or_default();
                let access = entry.access.unwrap_or(Access::ReadOnly);
                let made =
                    tx.insert_application(&entry.name, &ready.hash, access, &addresses, &mapping)?;
                self.note_password(step, ready, done);
                made.id
            }
            _ => {
                let mut stored = application(tx, name)?;
                stored.mapping = mapping_of(tx, &entry, &stored.mapping.directories)?;
                stored.access = entry.access.unwrap_or(stored.access);
                stored.addresses = entry.addresses.clone().unwrap_or_default();
                if let Some(ready) = ready {
                    stored.password_hash.clone_from(&ready.hash);
                }
                tx.update_application(&stored)?;
                stored.id
            }
        };
        if step.action == Action::Create || step.touches("sign_in") {
            tx.set_sign_in_settings(id, &entry.sign_in.unwrap_or_default())?;
        }
        Ok(())
    }

    fn note_password(&self, step: &Step, ready: &ReadyPassword, done: &mut Done) {
        done.secrets
            .extend(ready.generated.clone().map(|secret| MadeSecret {
                object: step.object.clone(),
                id: None,
                secret,
            }));
    }
}

fn mapping_of(
    tx: &WriteTx<'_>,
    entry: &ApplicationEntry,
    before: &[AttachedDirectory],
) -> Result<Mapping, ProvisionError> {
    let mut directories = Vec::new();
    for one in entry.directories.as_deref().unwrap_or_default() {
        let directory = require_directory(tx, &one.directory)?;
        let known = before.iter().find(|known| known.directory == directory);
        directories.push(AttachedDirectory {
            directory,
            login_groups: one.login_groups.clone(),
            last_position: known.and_then(|known| known.last_position),
        });
    }
    Ok(Mapping {
        directories,
        aggregate_memberships: entry.aggregate_memberships.unwrap_or_default(),
        only_with_access: entry.only_with_access.unwrap_or_default(),
        only_groups_with_access: entry.only_groups_with_access.unwrap_or_default(),
    })
}

fn schema(tx: &WriteTx<'_>, step: &Step) -> Result<(), ProvisionError> {
    let connector = connector_id(tx, parent(step))?;
    if step.action == Action::Delete {
        let urn = &step.object.name;
        let all = tx.connector_schemas(connector)?;
        let stored = all.iter().find(|stored| schemas::is_of(stored, urn));
        let stored = stored.ok_or_else(|| ProvisionError::not_found("schema", urn))?;
        return schemas::forget(tx, connector, stored, false);
    }
    let entry: SchemaEntry = step.entry().map_err(unreadable)?;
    let custom = parsed(&entry).map_err(ProvisionError::Schema)?;
    let draft = SchemaDraft {
        of_users: entry.resource_types.contains(&ResourceKind::User),
        of_groups: entry.resource_types.contains(&ResourceKind::Group),
        required: entry.required,
        document: entry.document.into(),
    };
    schemas::put(tx, connector, &custom, &draft, false)?;
    Ok(())
}

fn webhook(tx: &WriteTx<'_>, step: &Step) -> Result<(), ProvisionError> {
    let (application, url) = (application(tx, parent(step))?, &step.object.name);
    let known = tx.webhooks_of(application.id)?;
    if step.action == Action::Delete {
        let found = known.iter().find(|one| one.url == *url);
        let found = found.ok_or_else(|| ProvisionError::not_found("webhook", url))?;
        tx.delete_webhook(found.id)?;
        return Ok(());
    }
    if step.action == Action::Create && known.len() >= PER_APPLICATION_MAX {
        return Err(ProvisionError::invalid(
            "webhook",
            format!(
                "'{url}' would be one too many: '{}' can have {PER_APPLICATION_MAX}; remove one first",
                application.name
            ),
        ));
    }
    let token = match &step.secret {
        Some(SecretSource::Value(text)) => Some(text.as_str()),
        _ => None,
    };
    let told = tx.positions_seen_by(application.id)?;
    tx.put_webhook(application.id, url, token, &told)?;
    Ok(())
}

fn audit_log(tx: &WriteTx<'_>, step: &Step) -> Result<(), ProvisionError> {
    let entry: AuditEntry = step.entry().map_err(unreadable)?;
    if let Some(keep_days) = entry.keep_days {
        tx.set_setting(audit::SETTINGS, &AuditSettings { keep_days })?;
    }
    Ok(())
}

fn settings_of(entry: &ConnectorEntry) -> Result<ConnectorSettings, ProvisionError> {
    let settings = entry.settings.clone().unwrap_or_default();
    serde_json::from_value(settings.into()).map_err(unreadable)
}

pub(super) fn parent(step: &Step) -> &str {
    step.object.of.as_deref().unwrap_or_default()
}

pub(super) fn connector_id(tx: &WriteTx<'_>, name: &str) -> Result<ConnectorId, ProvisionError> {
    let found = tx.find_connector(name)?;
    found
        .map(|stored| stored.connector.id)
        .ok_or_else(|| ProvisionError::not_found("connector", name))
}

fn application(tx: &WriteTx<'_>, name: &str) -> Result<Application, ProvisionError> {
    tx.application(name)?
        .ok_or_else(|| ProvisionError::not_found("application", name))
}

fn not_ready(name: &str) -> ProvisionError {
    ProvisionError::Conflict(format!(
        "the application '{name}' has no password ready; apply the file once more"
    ))
}

pub(super) fn unreadable(error: serde_json::Error) -> ProvisionError {
    ProvisionError::invalid("configuration", error.to_string())
}
