//! Why a user is as it is: the trace of an evaluation of what is stored now.

use directory::{ConnectorId, ConnectorState, Outcome, Trigger, UserPk};
use scim::Resource;
use store::{ReadTx, SourceUser};

use crate::settle::{Person, decide};
use crate::{Provision, ProvisionError};

/// What the rules say about one user, and the way they came to it.
#[derive(Debug)]
pub struct Why {
    /// The outcome, with its trace.
    pub outcome: Outcome,
    /// The name that the user should have and that somebody else has.
    pub taken_name: Option<String>,
    /// Of the connector: unless it is active, nothing of this takes effect.
    pub state: ConnectorState,
}

impl Provision {
    /// Evaluates a user of the directory without changing anything. None for a user that no IdP
    /// speaks of: a local one, or one whose source is deleted.
    pub fn why(&self, tx: &ReadTx<'_>, user: UserPk) -> Result<Option<Why>, ProvisionError> {
        let Some(found) = tx.account(user)? else {
            return Ok(None);
        };
        let (Some(source), Some(connector)) = (found.source, found.user.connector) else {
            return Ok(None);
        };
        match tx.source_user_by_pk(connector, source)? {
            Some(stored) => self.explain(tx, connector, &stored).map(Some),
            None => Ok(None),
        }
    }

    /// Evaluates a user of the source without changing anything, whether or not it has an account.
    /// None if the connector has no user of this SCIM `id`.
    pub fn why_of_source(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        id: &str,
    ) -> Result<Option<Why>, ProvisionError> {
        match tx.source_user(connector, id)? {
            Some(stored) => self.explain(tx, connector, &stored).map(Some),
            None => Ok(None),
        }
    }

    fn explain(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        stored: &SourceUser,
    ) -> Result<Why, ProvisionError> {
        let connector = self.require_connector(tx, connector)?;
        let resource = Resource::parse_stored(&stored.document)?;
        let person = Person {
            source: stored.pk,
            user: &resource,
            is_new: false,
        };
        let decision = decide(tx, &connector, &person, Trigger::Simulate)?;
        Ok(Why {
            outcome: decision.outcome,
            taken_name: decision.taken,
            state: connector.connector.state,
        })
    }
}
