//! Why a user is as it is: the trace of an evaluation of what is stored now.

use directory::{Outcome, Trigger, UserPk};
use scim::Resource;
use store::ReadTx;

use crate::settle::decide;
use crate::{Provision, ProvisionError};

/// What the rules say about one user, and the way they came to it.
#[derive(Debug)]
pub struct Why {
    /// The outcome, with its trace.
    pub outcome: Outcome,
    /// The name that the user should have and that somebody else has.
    pub taken_name: Option<String>,
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
        let connector = self.require_connector(tx, connector)?;
        let Some(stored) = tx.source_user_by_pk(connector.connector.id, source)? else {
            return Ok(None);
        };
        let resource = Resource::parse_stored(&stored.document)?;
        let decision = decide(tx, &connector, source, &resource, Trigger::Simulate)?;
        Ok(Some(Why {
            outcome: decision.outcome,
            taken_name: decision.taken,
        }))
    }
}
