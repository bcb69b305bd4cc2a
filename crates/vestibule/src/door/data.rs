//! The door of the data folder: the store itself, whether or not a server has it open too.

use std::collections::BTreeMap;
use std::future::Future;

use directory::{ConnectorSettings, ConnectorState, DirectoryId, Preset, Rules};
use jiff::SignedDuration;
use provision::{
    ApplicationChange, ApplicationDraft, ConnectorDraft, DirectoryChoice, Passwords, Provision,
    ProvisionError,
};
use scim::Departure;
use store::{
    Application, Database, Directory, Environment, OpenMode, ReadTx, Store, StoreError,
    StoredConnector, Token, TokenKind,
};
use tokio::runtime::Runtime;

use super::{
    ApplicationEdit, ApplicationView, ApplicationWish, AttachedView, AttachedWish, ConnectorDetail,
    ConnectorView, Door, Due, NewApplication, NewConnector, RotatedToken, TokenView, public_url,
};
use crate::config::Settings;
use crate::exit::{Exit, Failure};

/// Who did it, in the journal.
pub(super) const ACTOR: &str = "command line";

/// The opened store, and what is needed to use it from a plain thread.
pub struct Data {
    pub(super) provision: Provision,
    runtime: Runtime,
    pub(super) url: String,
}

impl Data {
    /// Opens the store of the data folder. It has to be there: a slip in the name of the folder
    /// must not make a new one.
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        if let Database::Sqlite(path) = &settings.database
            && !path.exists()
        {
            let message = format!("there is no database at {}", path.display());
            let remedy = "name the folder of the server with --data, or start the server first: vestibule serve";
            return Err(Failure::new(Exit::Store, message).with(remedy));
        }
        let store = Store::open_for(OpenMode::Tool, &settings.database, Environment::system())?;
        Ok(Self {
            provision: Provision::new(store),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            url: public_url(settings),
        })
    }

    pub(super) fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, ProvisionError>>,
    ) -> Result<T, Failure> {
        Ok(self.runtime.block_on(work)?)
    }

    pub(super) fn read<T>(
        &self,
        closure: impl Fn(&mut ReadTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, Failure> {
        Ok(self.provision.store().read_blocking(closure)?)
    }

    pub(super) fn find(&self, text: &str) -> Result<StoredConnector, Failure> {
        self.read(|tx| tx.find_connector(text))?.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("there is no connector '{text}'"))
                .with("vestibule connector list shows their names")
        })
    }

    pub(super) fn find_application(&self, text: &str) -> Result<Application, Failure> {
        let found = self.read(|tx| match tx.application_by_public_id(text)? {
            Some(found) => Ok(Some(found)),
            None => tx.application(text),
        })?;
        found.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("there is no application '{text}'"))
                .with("vestibule application list shows their names")
        })
    }

    pub(super) fn find_directory(&self, text: &str) -> Result<Directory, Failure> {
        self.read(|tx| tx.find_directory(text))?.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("there is no directory '{text}'"))
                .with("vestibule directory list shows their names")
        })
    }

    fn view(&self, stored: &StoredConnector) -> Result<ConnectorView, Failure> {
        let connector = &stored.connector;
        let counts = self.read(|tx| tx.source_counts(connector.id))?;
        Ok(ConnectorView {
            id: connector.public_id.clone(),
            name: connector.name.clone(),
            preset: connector.preset.as_str().to_owned(),
            state: connector.state.as_str().to_owned(),
            base_url: format!("{}/scim/v2/{}", self.url, connector.public_id),
            directory: self.directory_name(connector.directory)?,
            users: counts.users,
            groups: counts.groups,
        })
    }

    fn directory_name(&self, id: DirectoryId) -> Result<String, Failure> {
        let found = self.read(|tx| tx.directory(id))?;
        Ok(found.map(|directory| directory.name).unwrap_or_default())
    }

    fn application_view(&self, application: Application) -> Result<ApplicationView, Failure> {
        let directories = application.mapping.directories.into_iter().map(|attached| {
            Ok(AttachedView {
                directory: self.directory_name(attached.directory)?,
                login_groups: attached.login_groups,
                position: attached.last_position,
            })
        });
        let directories: Vec<AttachedView> = directories.collect::<Result<_, Failure>>()?;
        let first = directories.first();
        Ok(ApplicationView {
            id: application.public_id,
            name: application.name,
            access: application.access.as_str().to_owned(),
            addresses: application.addresses,
            directory: first.map(|one| one.directory.clone()).unwrap_or_default(),
            position: first.and_then(|one| one.position),
            directories,
            aggregate_memberships: application.mapping.aggregate_memberships,
            only_with_access: application.mapping.only_with_access,
            url: format!("{}/crowd", self.url),
            created: application.created,
            updated: application.updated,
            last_seen: application.last_seen,
        })
    }

    pub(super) fn detail(&self, stored: StoredConnector) -> Result<ConnectorDetail, Failure> {
        let id = stored.connector.id;
        let (due, tokens) =
            self.read(|tx| Ok((tx.due_count(id)?, tx.tokens(TokenKind::Scim(id))?)))?;
        Ok(ConnectorDetail {
            connector: self.view(&stored)?,
            due,
            created: stored.connector.created,
            updated: stored.connector.updated,
            settings: stored.connector.settings,
            rules: stored.connector.rules,
            tokens: tokens.into_iter().map(token_view).collect(),
        })
    }
}

impl Door for Data {
    fn create_connector(&self, name: &str, preset: Preset) -> Result<NewConnector, Failure> {
        let draft = ConnectorDraft {
            name: name.to_owned(),
            preset,
            directory: None,
            rules: Rules::default(),
            settings: ConnectorSettings::default(),
        };
        let made = self.wait(self.provision.create_connector(draft))?;
        let id = made.connector.id;
        let label = "made with the connector";
        let token = self.wait(self.provision.create_scim_token(id, label, None))?;
        Ok(NewConnector {
            connector: self.view(&made)?,
            token: token.secret.reveal().to_owned(),
        })
    }

    fn connectors(&self) -> Result<Vec<ConnectorView>, Failure> {
        let all = self.read(|tx| tx.connectors())?;
        all.iter().map(|stored| self.view(stored)).collect()
    }

    fn connector(&self, connector: &str) -> Result<ConnectorDetail, Failure> {
        self.detail(self.find(connector)?)
    }

    fn rotate_token(
        &self,
        connector: &str,
        overlap: SignedDuration,
    ) -> Result<RotatedToken, Failure> {
        let stored = self.find(connector)?;
        let id = stored.connector.id;
        let made = self.wait(self.provision.rotate_scim_token(id, overlap))?;
        let view = self.view(&stored)?;
        Ok(RotatedToken {
            id: view.id,
            base_url: view.base_url,
            old_tokens_end: made.token.created + overlap,
            token: made.secret.reveal().to_owned(),
        })
    }

    fn set_state(
        &self,
        connector: &str,
        state: ConnectorState,
    ) -> Result<ConnectorDetail, Failure> {
        let id = self.find(connector)?.connector.id;
        self.detail(self.wait(self.provision.set_connector_state(id, state, ACTOR))?)
    }

    fn switch_departures(
        &self,
        connector: &str,
        changes: &BTreeMap<Departure, Option<bool>>,
    ) -> Result<ConnectorDetail, Failure> {
        let id = self.find(connector)?.connector.id;
        let changes = changes.clone();
        let changed = self
            .provision
            .change_connector(id, ACTOR, move |connector| {
                connector.settings.switch(&changes);
                Ok(())
            });
        self.detail(self.wait(changed)?)
    }

    fn set_rules(&self, connector: &str, rules: Rules) -> Result<ConnectorDetail, Failure> {
        let id = self.find(connector)?.connector.id;
        let changed = self.wait(
            self.provision
                .change_connector(id, ACTOR, move |connector| {
                    connector.rules = rules.clone();
                    Ok(())
                }),
        )?;
        self.detail(changed)
    }

    fn rename_connector(&self, connector: &str, name: &str) -> Result<ConnectorDetail, Failure> {
        let id = self.find(connector)?.connector.id;
        let name = name.to_owned();
        let changed = self
            .provision
            .change_connector(id, ACTOR, move |connector| {
                connector.name.clone_from(&name);
                Ok(())
            });
        self.detail(self.wait(changed)?)
    }

    fn reconcile(&self, connector: &str) -> Result<Due, Failure> {
        let id = self.find(connector)?.connector.id;
        let due = self.wait(self.provision.reconcile(id, ACTOR))?;
        Ok(Due { due })
    }

    fn application(&self, application: &str) -> Result<ApplicationView, Failure> {
        self.application_view(self.find_application(application)?)
    }

    fn reset_password(&self, application: &str) -> Result<NewApplication, Failure> {
        let id = self.find_application(application)?.public_id;
        let passwords = Passwords::default();
        let reset = self.provision.reset_application_password(&id, &passwords);
        let (application, password) = self.wait(reset)?;
        Ok(NewApplication {
            application: self.application_view(application)?,
            password: password.reveal().to_owned(),
        })
    }

    fn delete_application(&self, application: &str) -> Result<(), Failure> {
        let id = self.find_application(application)?.public_id;
        self.wait(self.provision.delete_application(&id))
    }

    fn create_application(&self, wish: &ApplicationWish) -> Result<NewApplication, Failure> {
        let draft = ApplicationDraft {
            name: wish.name.clone(),
            access: wish.access,
            addresses: Vec::new(),
            directories: choices(wish.sight.attached(&[])?).unwrap_or_default(),
            aggregate_memberships: wish.sight.aggregate_memberships.unwrap_or_default(),
            only_with_access: wish.sight.only_with_access.unwrap_or_default(),
        };
        let passwords = Passwords::default();
        let (application, password) =
            self.wait(self.provision.create_application(draft, &passwords))?;
        Ok(NewApplication {
            application: self.application_view(application)?,
            password: password.reveal().to_owned(),
        })
    }

    fn change_application(
        &self,
        application: &str,
        edit: &ApplicationEdit,
    ) -> Result<ApplicationView, Failure> {
        let found = self.find_application(application)?;
        let id = found.public_id.clone();
        let view = self.application_view(found)?;
        let change = ApplicationChange {
            name: edit.name.clone(),
            access: edit.access,
            addresses: None,
            directories: choices(edit.sight.attached(&view.directories)?),
            aggregate_memberships: edit.sight.aggregate_memberships,
            only_with_access: edit.sight.only_with_access,
        };
        self.application_view(self.wait(self.provision.change_application(&id, change))?)
    }

    fn applications(&self) -> Result<Vec<ApplicationView>, Failure> {
        let all = self.read(|tx| tx.applications())?;
        all.into_iter()
            .map(|one| self.application_view(one))
            .collect()
    }
}

fn choices(wished: Option<Vec<AttachedWish>>) -> Option<Vec<DirectoryChoice>> {
    let choices = wished?.into_iter().map(|one| DirectoryChoice {
        directory: one.directory,
        login_groups: one.login_groups,
    });
    Some(choices.collect())
}

pub(super) fn token_view(token: Token) -> TokenView {
    TokenView {
        id: token.id,
        label: token.label,
        access: token.access.as_str().to_owned(),
        addresses: token.addresses,
        created: token.created,
        expires: token.expires,
        last_used: token.last_used,
        last_address: token.last_address,
    }
}
