//! Linking: how somebody came by an account that was there before.

use directory::{Change, MatchedBy, User};
use store::ReadTx;

use crate::{Provision, ProvisionError, Written};

impl Provision {
    /// By what an account was found that was there before its user, and what made it that user's; none if it was made for
    /// the user, or the journal does not tell.
    pub fn linked(
        &self,
        tx: &ReadTx<'_>,
        user: &User,
    ) -> Result<Option<(MatchedBy, Written)>, ProvisionError> {
        if user.connector.is_none() {
            return Ok(None);
        }
        let Some(entry) = tx.journal_of_linking(user.pk)? else {
            return Ok(None);
        };
        let Change::LinkUser { by, .. } = entry.change else {
            return Ok(None);
        };
        Ok(Some((by, entry.into())))
    }
}
