//! Standoffs: a user and an account that may be one person, and what somebody decided about them (US-09).

use directory::{Cause, ConnectorId, Holder, Meeting, Moment, Trigger};
use store::{Scope, SourceUser, WriteTx};

use crate::facts::Person;
use crate::{Provision, ProvisionError};

/// What was decided about a user and the account in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// They are one person: the account becomes the user's own.
    Link,
    /// They are two people: both stay as they are.
    Keep,
}

impl Provision {
    /// Carries out what an administrator decided about a user of the source, by its SCIM `id`, and the account in
    /// its way.
    pub async fn decide_standoff(
        &self,
        connector: ConnectorId,
        user: &str,
        decided: Decided,
        actor: &str,
    ) -> Result<(), ProvisionError> {
        let cause = Cause {
            trigger: Trigger::Reconcile,
            connector: Some(connector),
            actor: actor.to_owned(),
            request: String::new(),
        };
        let directory = self.directory_of(connector).await?;
        let (this, user) = (self.clone(), user.to_owned());
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let found = tx.source_user(connector, &user)?;
                let found = found.ok_or_else(|| ProvisionError::not_found("user", &user))?;
                if tx.standoff(found.pk)?.is_none() {
                    return Err(ProvisionError::not_found("name conflict of user", &user));
                }
                match decided {
                    Decided::Link => this.link(tx, connector, &found, &cause),
                    Decided::Keep => {
                        tx.keep_name_conflict(found.pk)?;
                        let connector = this.require_connector(tx, connector)?;
                        this.settle(tx, &connector, found.pk, &cause)
                    }
                }
            })
            .await
    }

    fn link(
        &self,
        tx: &WriteTx<'_>,
        connector: ConnectorId,
        found: &SourceUser,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let connector = self.require_connector(tx, connector)?;
        let user = found.resource()?;
        let person = Person {
            source: found.pk,
            user: &user,
            is_new: false,
        };
        let settled = self.settle_at(tx, &connector, &person, cause, Moment::Told)?;
        let refusal = match settled.met {
            Some(met) if matches!(met.effect, Meeting::Link | Meeting::Join) => return Ok(()),
            Some(met) if met.holder == Holder::SameConnector => {
                "cannot be linked: the account belongs to another user of this connector. Delete one of the two users in \
                 the identity provider, or let a rule give them different names"
            }
            _ => {
                "cannot be linked: the user has an account of its own, or nobody is in its way any more. Look at the list \
                 of conflicts again; a rename is settled by renaming one of the two, and a name that is only kept for \
                 somebody by releasing it"
            }
        };
        Err(ProvisionError::invalid("action", refusal))
    }
}
