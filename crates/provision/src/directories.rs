//! Directories: made, renamed, deleted (MO-04), and what it touches to delete or detach one.

use directory::{ConnectorState, DirectoryId, JobKind};
use store::{AccountCounts, Directory, Job, Onlooker, ReadTx, Scope, WriteTx};

use crate::naming::checked_name;
use crate::release::{begin_on_directory, require_idle};
use crate::{BegunJob, Provision, ProvisionError};

/// What the deletion of a directory touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEffects {
    /// Users that products see.
    pub users: i64,
    /// Groups.
    pub groups: i64,
    /// Memberships of users in groups.
    pub memberships: i64,
    /// Names of connectors that feed it; none may.
    pub connectors: Vec<String>,
    /// Applications that see it.
    pub applications: Vec<Onlooker>,
}

impl DirectoryEffects {
    fn of(tx: &ReadTx<'_>, directory: DirectoryId) -> Result<Self, ProvisionError> {
        let mut connectors = Vec::new();
        for id in tx.connectors_into(directory)? {
            connectors.extend(tx.connector(id)?.map(|stored| stored.connector.name));
        }
        let counts = tx.directory_counts(&[directory])?;
        let counts = counts.get(&directory).copied().unwrap_or_default();
        Ok(Self {
            users: counts.active_users + counts.disabled_users,
            groups: counts.groups,
            memberships: tx.count_memberships(directory)?,
            connectors,
            applications: tx.onlookers(directory)?,
        })
    }

    /// Refuses where somebody would miss it.
    fn check(&self, force: bool) -> Result<(), ProvisionError> {
        if let Some(name) = self.connectors.first() {
            return Err(ProvisionError::invalid(
                "directory",
                format!(
                    "is fed by the connector '{name}'; move that one to another directory or delete it first"
                ),
            ));
        }
        let names = |all: &mut dyn Iterator<Item = &Onlooker>| -> String {
            let names: Vec<&str> = all.map(|one| one.name.as_str()).collect();
            names.join(", ")
        };
        if !force && !self.applications.is_empty() {
            return Err(ProvisionError::invalid(
                "directory",
                format!(
                    "is seen by the applications {}; say 'force' to take it away from them",
                    names(&mut self.applications.iter())
                ),
            ));
        }
        let mut blind = self.applications.iter().filter(|one| one.directories == 1);
        match names(&mut blind).as_str() {
            "" => Ok(()),
            alone => Err(ProvisionError::invalid(
                "directory",
                format!(
                    "is all that the applications {alone} see; give them another directory or delete them first"
                ),
            )),
        }
    }
}

/// What it touches to make everything in a directory local.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetachEffects {
    /// Accounts that connectors feed, which become local.
    pub accounts: AccountCounts,
    /// Groups that were not made here, which become local.
    pub groups: i64,
    /// Effects that wait for an administrator, which then never come.
    pub waiting: i64,
    /// Names of connectors that feed it.
    pub connectors: Vec<String>,
    /// Those of them that are paused by it, as they are active.
    pub paused: Vec<String>,
}

impl DetachEffects {
    pub(crate) fn of(tx: &ReadTx<'_>, directory: DirectoryId) -> Result<Self, ProvisionError> {
        let mut effects = Self {
            groups: tx.count_groups_not_local(directory)?,
            waiting: tx.count_waiting_effects(directory)?,
            ..Self::default()
        };
        for id in tx.connectors_into(directory)? {
            let accounts = tx.count_accounts(id)?;
            effects.accounts.active += accounts.active;
            effects.accounts.disabled += accounts.disabled;
            if let Some(stored) = tx.connector(id)? {
                if stored.connector.state == ConnectorState::Active {
                    effects.paused.push(stored.connector.name.clone());
                }
                effects.connectors.push(stored.connector.name);
            }
        }
        Ok(effects)
    }
}

impl Provision {
    /// Makes a directory that nobody feeds yet.
    pub async fn create_directory(&self, name: &str) -> Result<Directory, ProvisionError> {
        let name = checked_name(name)?;
        self.store()
            .write(Scope::Settings, move |tx| {
                tx.insert_directory(&name).map_err(|error| {
                    ProvisionError::or_exists(error, "directory_name", "directory", &name)
                })
            })
            .await
    }

    /// Gives a directory another name; everything else stays.
    pub async fn rename_directory(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<(), ProvisionError> {
        let name = checked_name(name)?;
        self.store()
            .write(Scope::Settings, move |tx| {
                tx.rename_directory(directory, &name).map_err(|error| {
                    ProvisionError::or_exists(error, "directory_name", "directory", &name)
                })
            })
            .await
    }

    /// What the deletion of a directory would touch.
    pub async fn preview_directory_deletion(
        &self,
        directory: DirectoryId,
    ) -> Result<DirectoryEffects, ProvisionError> {
        self.store()
            .read(move |tx| DirectoryEffects::of(tx, directory))
            .await
    }

    /// What it would touch to make everything in a directory local.
    pub async fn preview_detach(
        &self,
        directory: DirectoryId,
    ) -> Result<DetachEffects, ProvisionError> {
        self.store()
            .read(move |tx| DetachEffects::of(tx, directory))
            .await
    }

    /// Deletes a directory that no connector feeds, with its journal. `force` takes it away from applications.
    pub async fn delete_directory(
        &self,
        directory: DirectoryId,
        force: bool,
        actor: &str,
    ) -> Result<BegunJob, ProvisionError> {
        let actor = actor.to_owned();
        self.begin_release(directory, move |tx| {
            begin_deletion(tx, directory, force, &actor)
        })
        .await
    }
}

/// Begins the deletion of a directory, inside a transaction that has it for itself.
pub(crate) fn begin_deletion(
    tx: &WriteTx<'_>,
    directory: DirectoryId,
    force: bool,
    actor: &str,
) -> Result<Job, ProvisionError> {
    require_idle(tx, None, directory)?;
    let effects = DirectoryEffects::of(tx, directory)?;
    effects.check(force)?;
    for one in &effects.applications {
        tx.detach_application(one.application, directory)?;
    }
    let total = effects.users + effects.groups;
    begin_on_directory(tx, JobKind::DeleteDirectory, directory, total, actor)
}

/// The directory of this name or id, unless it is being deleted.
pub(crate) fn require_directory(
    tx: &WriteTx<'_>,
    text: &str,
) -> Result<DirectoryId, ProvisionError> {
    let found = tx.find_directory(text)?;
    let directory = found.ok_or_else(|| ProvisionError::not_found("directory", text))?;
    let unfinished = tx.unfinished_jobs()?;
    let goes = |job: &Job| job.kind == JobKind::DeleteDirectory && job.directory == directory.id;
    match unfinished.iter().any(goes) {
        true => Err(ProvisionError::invalid(
            "directory",
            format!("'{text}' is being deleted"),
        )),
        false => Ok(directory.id),
    }
}
