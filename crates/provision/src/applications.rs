//! Applications: made, changed, and what is noted of them.

use directory::rhythm::remember;
use directory::{ApplicationId, DirectoryId};
use jiff::Timestamp;
use store::{Access, Application, AttachedDirectory, Mapping, Scope, WriteTx};

use crate::address::checked_addresses;
use crate::directories::require_directory;
use crate::naming::checked_name;
use crate::secret::{APPLICATION_PREFIX, Secret};
use crate::{Passwords, Provision, ProvisionError};

/// An application to be made.
#[derive(Debug, Clone)]
pub struct ApplicationDraft {
    /// The name that the product signs in with.
    pub name: String,
    /// What it may do.
    pub access: Access,
    /// Addresses and CIDR ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// The directories it sees, in their order; the only one there is, if none is given.
    pub directories: Vec<DirectoryChoice>,
    /// Whether a user is in the groups of every directory that has the name, or only in those of the first.
    pub aggregate_memberships: bool,
    /// Whether only users who may log in are seen at all.
    pub only_with_access: bool,
    /// Whether, beside that, only groups whose members may log in are seen.
    pub only_groups_with_access: bool,
}

/// A directory that an application is to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryChoice {
    /// Its name or id.
    pub directory: String,
    /// Names of groups whose members may log in; none lets everybody in.
    pub login_groups: Option<Vec<String>>,
}

impl From<&str> for DirectoryChoice {
    fn from(directory: &str) -> Self {
        Self {
            directory: directory.to_owned(),
            login_groups: None,
        }
    }
}

/// What to change about an application; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct ApplicationChange {
    /// The new name.
    pub name: Option<String>,
    /// What it may do.
    pub access: Option<Access>,
    /// Addresses and CIDR ranges, all of them.
    pub addresses: Option<Vec<String>>,
    /// The directories, all of them in their order.
    pub directories: Option<Vec<DirectoryChoice>>,
    /// Whether memberships are aggregated.
    pub aggregate_memberships: Option<bool>,
    /// Whether only users who may log in are seen.
    pub only_with_access: Option<bool>,
    /// Whether, beside that, only groups whose members may log in are seen.
    pub only_groups_with_access: Option<bool>,
}

impl Provision {
    /// Makes an application with a generated password, which is not to be had again.
    pub async fn create_application(
        &self,
        draft: ApplicationDraft,
        passwords: &Passwords,
    ) -> Result<(Application, Secret), ProvisionError> {
        let name = checked_application_name(&draft.name)?;
        let addresses = checked_addresses(&draft.addresses)?;
        let (secret, hash) = new_password(passwords).await?;
        let application = self
            .store()
            .write(Scope::Settings, move |tx| {
                let directories = match draft.directories.as_slice() {
                    [] => vec![AttachedDirectory::new(only_directory(tx)?)],
                    named => attached(tx, named, &[])?,
                };
                let mapping = Mapping {
                    directories,
                    aggregate_memberships: draft.aggregate_memberships,
                    only_with_access: draft.only_with_access,
                    only_groups_with_access: draft.only_groups_with_access,
                };
                check_sight(&mapping)?;
                tx.insert_application(&name, &hash, draft.access, &addresses, &mapping)
                    .map_err(|error| {
                        ProvisionError::or_exists(error, "application_name", "application", &name)
                    })
            })
            .await?;
        Ok((application, secret))
    }

    /// Changes an application.
    pub async fn change_application(
        &self,
        public_id: &str,
        change: ApplicationChange,
    ) -> Result<Application, ProvisionError> {
        self.alter_application(public_id, move |tx, application| {
            change.apply(tx, application)
        })
        .await
    }

    async fn alter_application(
        &self,
        public_id: &str,
        alter: impl Fn(&WriteTx<'_>, &mut Application) -> Result<(), ProvisionError>
        + Send
        + Sync
        + 'static,
    ) -> Result<Application, ProvisionError> {
        let public_id = public_id.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let mut application = require_application(tx, &public_id)?;
                alter(tx, &mut application)?;
                tx.update_application(&application).map_err(|error| {
                    let name = &application.name;
                    ProvisionError::or_exists(error, "application_name", "application", name)
                })?;
                require_application(tx, &public_id)
            })
            .await
    }

    /// Gives an application a new password; the old one stops working at once.
    pub async fn reset_application_password(
        &self,
        public_id: &str,
        passwords: &Passwords,
    ) -> Result<(Application, Secret), ProvisionError> {
        let (secret, hash) = new_password(passwords).await?;
        let application = self
            .alter_application(public_id, move |_tx, application| {
                application.password_hash.clone_from(&hash);
                Ok(())
            })
            .await?;
        Ok((application, secret))
    }

    /// Deletes an application. The directories it saw stay.
    pub async fn delete_application(&self, public_id: &str) -> Result<(), ProvisionError> {
        let public_id = public_id.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let application = require_application(tx, &public_id)?;
                tx.delete_application(application.id)?;
                Ok(())
            })
            .await
    }

    /// Notes when applications were last seen, and how far they have read.
    pub async fn note_application_uses(
        &self,
        uses: Vec<ApplicationUse>,
    ) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                for used in &uses {
                    let polls = match used.polled {
                        Some(at) => {
                            let mut polls = tx.polls(used.application)?;
                            remember(&mut polls, at);
                            Some(polls)
                        }
                        None => None,
                    };
                    let (at, positions) = (used.at, &used.positions);
                    tx.touch_application(used.application, at, polls.as_deref(), positions)?;
                }
                Ok(())
            })
            .await
    }
}

/// When an application was last seen, and how far it has read.
#[derive(Debug, Clone)]
pub struct ApplicationUse {
    /// The application.
    pub application: ApplicationId,
    /// When it asked.
    pub at: Timestamp,
    /// When it last asked for what is new, or for everything.
    pub polled: Option<Timestamp>,
    /// The positions of the journals it has fetched up to, if it asked for events.
    pub positions: Vec<(DirectoryId, i64)>,
}

impl ApplicationChange {
    fn apply(&self, tx: &WriteTx<'_>, application: &mut Application) -> Result<(), ProvisionError> {
        if let Some(name) = &self.name {
            application.name = checked_application_name(name)?;
        }
        if let Some(access) = self.access {
            application.access = access;
        }
        if let Some(addresses) = &self.addresses {
            application.addresses = checked_addresses(addresses)?;
        }
        let mapping = &mut application.mapping;
        if let Some(directories) = &self.directories {
            mapping.directories = attached(tx, directories, &mapping.directories)?;
        }
        if let Some(aggregate) = self.aggregate_memberships {
            mapping.aggregate_memberships = aggregate;
        }
        if let Some(only) = self.only_with_access {
            mapping.only_with_access = only;
        }
        if let Some(only) = self.only_groups_with_access {
            mapping.only_groups_with_access = only;
        }
        check_sight(mapping)
    }
}

/// A group without access may be the only one of a user who is seen.
pub(crate) fn check_sight(mapping: &Mapping) -> Result<(), ProvisionError> {
    match mapping.only_groups_with_access && !mapping.only_with_access {
        false => Ok(()),
        true => Err(ProvisionError::invalid(
            "only_groups_with_access",
            "needs only_with_access: groups without access are left out only together with users without access",
        )),
    }
}

/// The directories that were chosen; those attached before keep how far they have been read.
fn attached(
    tx: &WriteTx<'_>,
    choices: &[DirectoryChoice],
    before: &[AttachedDirectory],
) -> Result<Vec<AttachedDirectory>, ProvisionError> {
    if choices.is_empty() {
        return Err(ProvisionError::invalid(
            "directory",
            "is missing; name at least one, by name or id",
        ));
    }
    let mut found: Vec<AttachedDirectory> = Vec::with_capacity(choices.len());
    for choice in choices {
        let directory = require_directory(tx, &choice.directory)?;
        if found.iter().any(|known| known.directory == directory) {
            return Err(ProvisionError::invalid(
                "directory",
                format!("is \'{}\' twice; name each once", choice.directory),
            ));
        }
        let known = before.iter().find(|known| known.directory == directory);
        found.push(AttachedDirectory {
            directory,
            login_groups: checked_groups(choice.login_groups.as_deref())?,
            last_position: known.and_then(|known| known.last_position),
        });
    }
    Ok(found)
}

/// An empty list would lock everybody out, and is more likely a slip than a wish.
pub(crate) fn checked_groups(
    groups: Option<&[String]>,
) -> Result<Option<Vec<String>>, ProvisionError> {
    let Some(groups) = groups else {
        return Ok(None);
    };
    let names: Vec<String> = groups.iter().map(|name| name.trim().to_owned()).collect();
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(ProvisionError::invalid(
            "login_groups",
            "needs at least one group name, none of them empty; leave it out to let everybody log in",
        ));
    }
    Ok(Some(names))
}

pub(crate) async fn new_password(
    passwords: &Passwords,
) -> Result<(Secret, String), ProvisionError> {
    let secret = Secret::generate(APPLICATION_PREFIX)?;
    let hash = passwords
        .hash(secret.reveal().to_owned())
        .await
        .map_err(|error| ProvisionError::invalid("password", error.to_string()))?;
    Ok((secret, hash))
}

fn require_application(tx: &WriteTx<'_>, public_id: &str) -> Result<Application, ProvisionError> {
    tx.application_by_public_id(public_id)?
        .ok_or_else(|| ProvisionError::not_found("application", public_id))
}

fn only_directory(tx: &WriteTx<'_>) -> Result<DirectoryId, ProvisionError> {
    let directories = tx.directories()?;
    match directories.as_slice() {
        [only] => Ok(only.id),
        [] => Err(ProvisionError::invalid(
            "directory",
            "cannot be found, since there is none yet; create a connector first",
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|one| one.name.as_str()).collect();
            let newest = names.last().copied().unwrap_or_default();
            Err(ProvisionError::invalid(
                "directory",
                format!(
                    "has to be named, since there are several: {}. Give those that the application is to see, the one \
                     that wins first, for example --directory '{newest}', or in a request \"directories\": [\"{newest}\"]",
                    names.join(", ")
                ),
            ))
        }
    }
}

/// The same for an application, which signs in by HTTP Basic: what stands behind the first colon is the password there.
pub(crate) fn checked_application_name(name: &str) -> Result<String, ProvisionError> {
    let name = checked_name(name)?;
    match name.contains(':') {
        false => Ok(name),
        true => Err(ProvisionError::invalid(
            "name",
            "has a colon in it, and no product could sign in with it; take another character",
        )),
    }
}
