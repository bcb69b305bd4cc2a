//! Connectors: made, changed, let off and on.

use directory::rules::CompiledRules;
use directory::{
    Cause, Connector, ConnectorId, ConnectorSettings, ConnectorState, DirectoryId, JobKind, Preset,
    Rules, Schedule, Trigger,
};
use store::{Scope, StoredConnector, WriteTx};

use crate::admission::checked_settings;
use crate::directories::require_directory;
use crate::jobs::begin_sweep;
use crate::naming::checked_name;
use crate::release::require_idle;
use crate::rule_changes::{MADE_WITH, Terms, check_terms, keep_version};
use crate::schedule::plan_next_run;
use crate::{Provision, ProvisionError};

/// A connector to be made.
#[derive(Debug, Clone)]
pub struct ConnectorDraft {
    /// Its name, free of other meaning.
    pub name: String,
    /// Which IdP it is for.
    pub preset: Preset,
    /// Name or id of the directory it feeds; one of its own, named alike, if none is given.
    pub directory: Option<String>,
    /// What its writes mean.
    pub rules: Rules,
    /// How its endpoint behaves.
    pub settings: ConnectorSettings,
}

impl Provision {
    /// Makes a connector, and a directory for it if it is to have one of its own.
    pub async fn create_connector(
        &self,
        draft: ConnectorDraft,
        actor: &str,
    ) -> Result<StoredConnector, ProvisionError> {
        let actor = actor.to_owned();
        let name = checked_name(&draft.name)?;
        CompiledRules::new(&draft.rules).map_err(ProvisionError::Rules)?;
        let mut settings = draft.settings.clone();
        settings.schedule.get_or_insert_with(Schedule::nightly);
        let settings = checked_settings(settings, draft.preset)?;
        self.require_keys_reach(settings.credentials.jwt.as_ref(), None)?;
        self.store()
            .write(Scope::Settings, move |tx| {
                let taken = tx.find_connector(&name)?;
                if taken.is_some() {
                    return Err(ProvisionError::Exists {
                        what: "connector",
                        name: name.clone(),
                    });
                }
                let directory = match &draft.directory {
                    Some(text) => require_directory(tx, text)?,
                    None => {
                        let made = tx.insert_directory(&name).map_err(|error| {
                            ProvisionError::or_exists(error, "directory_name", "directory", &name)
                        })?;
                        made.id
                    }
                };
                let made = tx
                    .insert_connector(
                        &name,
                        draft.preset,
                        directory,
                        &draft.rules,
                        &settings,
                        (&actor, MADE_WITH),
                    )
                    .map_err(|error| {
                        ProvisionError::or_exists(error, "connector_name", "connector", &name)
                    })?;
                plan_next_run(tx, &made.connector)?;
                Ok(made)
            })
            .await
    }

    /// Changes name, preset, state, rules or settings of a connector. Where that can change what products
    /// see, every user of it becomes due.
    pub async fn change_connector(
        &self,
        id: ConnectorId,
        actor: &str,
        change: impl Fn(&mut Connector) -> Result<(), ProvisionError> + Send + Sync + 'static,
    ) -> Result<StoredConnector, ProvisionError> {
        self.alter_connector(id, actor, Terms::default(), change)
            .await
    }

    /// The same on terms for a change of rules, each of which makes a version of them.
    pub(crate) async fn alter_connector(
        &self,
        id: ConnectorId,
        actor: &str,
        terms: Terms,
        change: impl Fn(&mut Connector) -> Result<(), ProvisionError> + Send + Sync + 'static,
    ) -> Result<StoredConnector, ProvisionError> {
        let actor = actor.to_owned();
        let this = self.clone();
        let directory = self.directory_of(id).await?;
        let _settings = self.store().changing_settings();
        let changed = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                this.alter(tx, id, &actor, &terms, &change)
            })
            .await?;
        self.wake_worker();
        Ok(changed)
    }

    /// [`alter_connector`](Self::alter_connector) inside a transaction that has the connector's directory for itself.
    pub(crate) fn alter(
        &self,
        tx: &WriteTx<'_>,
        id: ConnectorId,
        actor: &str,
        terms: &Terms,
        change: &dyn Fn(&mut Connector) -> Result<(), ProvisionError>,
    ) -> Result<StoredConnector, ProvisionError> {
        let before = tx
            .connector(id)?
            .ok_or_else(|| ProvisionError::not_found("connector", &id.to_string()))?;
        let directory = before.connector.directory;
        let mut after = before.connector.clone();
        change(&mut after)?;
        if after.name != before.connector.name {
            after.name = checked_name(&after.name)?;
        }
        after.settings = checked_settings(after.settings, after.preset)?;
        let jwt = |connector: &Connector| connector.settings.credentials.jwt.clone();
        self.require_keys_reach(jwt(&after).as_ref(), jwt(&before.connector).as_ref())?;
        let changed = after.rules != before.connector.rules;
        let compiled = match changed {
            true => CompiledRules::new(&after.rules),
            false => CompiledRules::stored(&after.rules),
        };
        let compiled = compiled.map_err(ProvisionError::Rules)?;
        // A preview of the rules in force shows what a reconcile does.
        let takes_effect = changed || terms.unmoved.is_some();
        if takes_effect {
            check_terms(tx, &before.connector, &compiled, terms)?;
        }
        if changed {
            keep_version(tx, &after, actor, terms)?;
        }
        tx.update_connector(&after).map_err(|error| {
            ProvisionError::or_exists(error, "connector_name", "connector", &after.name)
        })?;
        let pilot = |connector: &Connector| connector.settings.pilot.clone();
        let concerns_others = pilot(&after) != pilot(&before.connector);
        if after.state != before.connector.state {
            require_idle(tx, Some(id), directory)?;
            tx.note_state(id, actor)?;
        }
        if after.settings.schedule != before.connector.settings.schedule {
            plan_next_run(tx, &after)?;
        }
        let cause = Cause {
            trigger: Trigger::Reconcile,
            connector: Some(id),
            actor: actor.to_owned(),
            request: String::new(),
        };
        if takes_effect || concerns_others {
            self.rebind_all(tx, id, &cause)?;
            begin_sweep(tx, &after, JobKind::Rules, actor)?;
        }
        let resumed = before.connector.state != after.state;
        if resumed && after.state == ConnectorState::Active {
            let connector = self.require_connector(tx, id)?;
            self.catch_up_groups(tx, &connector, &cause)?;
        }
        tx.connector(id)?
            .ok_or_else(|| ProvisionError::not_found("connector", &id.to_string()))
    }

    /// Pauses a connector, resumes it, or switches it off (US-03).
    pub async fn set_connector_state(
        &self,
        id: ConnectorId,
        state: ConnectorState,
        actor: &str,
    ) -> Result<StoredConnector, ProvisionError> {
        self.change_connector(id, actor, move |connector| {
            connector.state = state;
            Ok(())
        })
        .await
    }

    /// The directory that a connector feeds: whose writers a change of it has to join.
    pub(crate) async fn directory_of(
        &self,
        id: ConnectorId,
    ) -> Result<DirectoryId, ProvisionError> {
        self.store()
            .read(move |tx| {
                let found = tx.connector(id)?;
                found
                    .map(|stored| stored.connector.directory)
                    .ok_or_else(|| ProvisionError::not_found("connector", &id.to_string()))
            })
            .await
    }

    /// New rules may give source groups other names.
    pub(crate) fn rebind_all(
        &self,
        tx: &WriteTx<'_>,
        id: ConnectorId,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let connector = self.require_connector(tx, id)?;
        for group in tx.source_groups_all(id)? {
            if let Some(fed) = self.rebind(tx, &connector, &group, cause)? {
                let mut parents = tx.bound_groups_above(group.pk)?;
                parents.extend(fed.into_iter().flatten());
                tx.mark_nestings_due(id, &parents, cause)?;
            }
        }
        Ok(())
    }
}
