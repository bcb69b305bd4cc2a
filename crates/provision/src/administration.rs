//! Connectors and applications: what an administrator sets up.

use directory::rules::CompiledRules;
use directory::{
    Cause, Connector, ConnectorId, ConnectorSettings, ConnectorState, DirectoryId, Preset, Rules,
    Trigger,
};
use store::{Access, Application, Scope, StoredConnector, WriteTx};

use crate::address::AddressRange;
use crate::secret::{APPLICATION_PREFIX, Secret};
use crate::{Passwords, Provision, ProvisionError};

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

/// An application to be made.
#[derive(Debug, Clone)]
pub struct ApplicationDraft {
    /// The name that the product signs in with.
    pub name: String,
    /// What it may do.
    pub access: Access,
    /// Addresses and CIDR ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// Name or id of the directory it sees; the only one, if none is given.
    pub directory: Option<String>,
}

impl Provision {
    /// Makes a connector, and a directory for it if it is to have one of its own.
    pub async fn create_connector(
        &self,
        draft: ConnectorDraft,
    ) -> Result<StoredConnector, ProvisionError> {
        let name = checked_name(&draft.name)?;
        CompiledRules::new(&draft.rules).map_err(ProvisionError::Rules)?;
        self.store()
            .write(Scope::Settings, move |tx| {
                let directory = match &draft.directory {
                    Some(text) => require_directory(tx, text)?,
                    None => {
                        let made = tx.insert_directory(&name).map_err(|error| {
                            ProvisionError::or_exists(error, "directory_name", "directory", &name)
                        })?;
                        made.id
                    }
                };
                tx.insert_connector(
                    &name,
                    draft.preset,
                    directory,
                    &draft.rules,
                    &draft.settings,
                )
                .map_err(|error| {
                    ProvisionError::or_exists(error, "connector_name", "connector", &name)
                })
            })
            .await
    }

    /// Changes name, state, rules or settings of a connector. Where that can change what products
    /// see, every user of it becomes due.
    pub async fn change_connector(
        &self,
        id: ConnectorId,
        actor: &str,
        change: impl Fn(&mut Connector) -> Result<(), ProvisionError> + Send + Sync + 'static,
    ) -> Result<StoredConnector, ProvisionError> {
        let actor = actor.to_owned();
        let this = self.clone();
        let directory = self.directory_of(id).await?;
        let changed = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                let before = tx
                    .connector(id)?
                    .ok_or_else(|| ProvisionError::not_found("connector", &id.to_string()))?;
                let mut after = before.connector.clone();
                change(&mut after)?;
                after.name = checked_name(&after.name)?;
                CompiledRules::new(&after.rules).map_err(ProvisionError::Rules)?;
                tx.update_connector(&after).map_err(|error| {
                    ProvisionError::or_exists(error, "connector_name", "connector", &after.name)
                })?;
                if after.rules != before.connector.rules {
                    let cause = Cause {
                        trigger: Trigger::Reconcile,
                        connector: Some(id),
                        actor: actor.clone(),
                        request: String::new(),
                    };
                    this.rebind_all(tx, id, &cause)?;
                    tx.mark_connector_due(id, &cause)?;
                }
                tx.connector(id)?
                    .ok_or_else(|| ProvisionError::not_found("connector", &id.to_string()))
            })
            .await?;
        self.wake_worker();
        Ok(changed)
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

    /// Owes every user of a connector an evaluation by the present rules. Returns how many.
    pub async fn reconcile(&self, id: ConnectorId, actor: &str) -> Result<u64, ProvisionError> {
        let cause = Cause {
            trigger: Trigger::Reconcile,
            connector: Some(id),
            actor: actor.to_owned(),
            request: String::new(),
        };
        let directory = self.directory_of(id).await?;
        let count = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                Ok::<_, ProvisionError>(tx.mark_connector_due(id, &cause)?)
            })
            .await?;
        self.wake_worker();
        Ok(count)
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
    fn rebind_all(
        &self,
        tx: &WriteTx<'_>,
        id: ConnectorId,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let connector = self.require_connector(tx, id)?;
        for group in tx.source_groups_all(id)? {
            self.rebind(tx, &connector, &group, cause)?;
        }
        Ok(())
    }

    /// Makes an application with a generated password, which is not to be had again.
    pub async fn create_application(
        &self,
        draft: ApplicationDraft,
        passwords: &Passwords,
    ) -> Result<(Application, Secret), ProvisionError> {
        let name = checked_name(&draft.name)?;
        let addresses = checked_addresses(&draft.addresses)?;
        let (secret, hash) = new_password(passwords).await?;
        let application = self
            .store()
            .write(Scope::Settings, move |tx| {
                let directory = match &draft.directory {
                    Some(text) => require_directory(tx, text)?,
                    None => only_directory(tx)?,
                };
                tx.insert_application(&name, &hash, draft.access, &addresses, directory)
                    .map_err(|error| {
                        ProvisionError::or_exists(error, "application_name", "application", &name)
                    })
            })
            .await?;
        Ok((application, secret))
    }

    /// Changes name, access, addresses or directory of an application.
    pub async fn change_application(
        &self,
        public_id: &str,
        change: impl Fn(&mut Application) + Send + Sync + 'static,
    ) -> Result<Application, ProvisionError> {
        let public_id = public_id.to_owned();
        self.store()
            .write(Scope::Settings, move |tx| {
                let mut application = require_application(tx, &public_id)?;
                change(&mut application);
                application.name = checked_name(&application.name)?;
                application.addresses = checked_addresses(&application.addresses)?;
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
            .change_application(public_id, move |application| {
                application.password_hash.clone_from(&hash);
            })
            .await?;
        Ok((application, secret))
    }

    /// Deletes an application. The directory it saw stays.
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
        uses: Vec<(directory::ApplicationId, jiff::Timestamp, Option<i64>)>,
    ) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                for (application, at, position) in &uses {
                    tx.touch_application(*application, *at, *position)?;
                }
                Ok(())
            })
            .await
    }
}

async fn new_password(passwords: &Passwords) -> Result<(Secret, String), ProvisionError> {
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

fn require_directory(tx: &WriteTx<'_>, text: &str) -> Result<DirectoryId, ProvisionError> {
    tx.find_directory(text)?
        .map(|directory| directory.id)
        .ok_or_else(|| ProvisionError::not_found("directory", text))
}

fn only_directory(tx: &WriteTx<'_>) -> Result<DirectoryId, ProvisionError> {
    let directories = tx.directories()?;
    match directories.as_slice() {
        [only] => Ok(only.id),
        [] => Err(ProvisionError::invalid(
            "directory",
            "there is none yet; create a connector first",
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|one| one.name.as_str()).collect();
            Err(ProvisionError::invalid(
                "directory",
                format!("there are several; name one of: {}", names.join(", ")),
            ))
        }
    }
}

/// A name for a connector or an application: 1 to 100 characters, no control characters.
fn checked_name(name: &str) -> Result<String, ProvisionError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(ProvisionError::invalid(
            "name",
            "needs 1 to 100 characters, without control characters",
        ));
    }
    Ok(name.to_owned())
}

fn checked_addresses(addresses: &[String]) -> Result<Vec<String>, ProvisionError> {
    addresses
        .iter()
        .map(|text| {
            AddressRange::parse(text.trim())
                .map(|range| range.to_string())
                .ok_or_else(|| {
                    ProvisionError::invalid(
                        "addresses",
                        format!(
                            "'{text}' is neither an address nor a range; write 192.0.2.10, 10.0.0.0/8 or 2001:db8::/32"
                        ),
                    )
                })
        })
        .collect()
}
