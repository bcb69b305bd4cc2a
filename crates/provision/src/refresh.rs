//! One user evaluated anew on request (US-38).

use directory::{Cause, ConnectorId, ConnectorState, DirectoryId, SourceUserPk, Trigger};
use store::ReadTx;

use crate::{Provision, ProvisionError};

/// What a new evaluation of one user did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// Changes in the directory, its invisible ones included.
    pub changes: usize,
    /// Whether nothing was done, since the connector is not active; the evaluation is owed then.
    pub waits: bool,
}

impl Provision {
    /// Evaluates the user whose account in a directory has this name or key.
    pub async fn refresh_account(
        &self,
        directory: DirectoryId,
        name: &str,
        actor: &str,
    ) -> Result<Refreshed, ProvisionError> {
        let name = name.to_owned();
        let (connector, source) = self
            .store()
            .read(move |tx| {
                let found = match tx.directory_user(directory, &name)? {
                    Some(user) => Some(user),
                    None => tx.directory_user_by_key(directory, &name)?,
                };
                let user = found.ok_or_else(|| ProvisionError::not_found("user", &name))?;
                let account = tx.account(user.pk)?;
                let source = account.and_then(|account| account.source);
                user.connector.zip(source).ok_or_else(|| {
                    ProvisionError::invalid(
                        "user",
                        "is fed by no user of an identity provider, so there is nothing to evaluate",
                    )
                })
            })
            .await?;
        self.refresh(connector, source, actor).await
    }

    /// Evaluates a user of a connector's source, by SCIM id or `userName`, with or without an account.
    pub async fn refresh_source_user(
        &self,
        connector: ConnectorId,
        name: &str,
        actor: &str,
    ) -> Result<Refreshed, ProvisionError> {
        let name = name.to_owned();
        let source = self
            .store()
            .read(move |tx| {
                source_user(tx, connector, &name)?
                    .ok_or_else(|| ProvisionError::not_found("user", &name))
            })
            .await?;
        self.refresh(connector, source, actor).await
    }

    pub(crate) async fn refresh(
        &self,
        connector: ConnectorId,
        source: SourceUserPk,
        actor: &str,
    ) -> Result<Refreshed, ProvisionError> {
        let cause = Cause {
            trigger: Trigger::Login,
            connector: Some(connector),
            actor: actor.to_owned(),
            request: String::new(),
        };
        let place = self.place_of(connector).await?;
        self.write_at(place, move |this, tx, connector| {
            let before = tx.journal_position(place.directory)?;
            this.settle(tx, connector, source, &cause)?;
            let last = tx.journal_position(place.directory)?;
            let entries = tx.journal_between(place.directory, (before, last), None, usize::MAX)?;
            Ok(Refreshed {
                changes: entries.len(),
                waits: connector.connector.state != ConnectorState::Active,
            })
        })
        .await
    }
}

fn source_user(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    name: &str,
) -> Result<Option<SourceUserPk>, ProvisionError> {
    let id = match tx.source_user_id_by_user_name(connector, name)? {
        Some(id) => id,
        None => name.to_owned(),
    };
    Ok(tx.source_user(connector, &id)?.map(|user| user.pk))
}
