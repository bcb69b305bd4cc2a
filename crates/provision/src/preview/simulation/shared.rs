//! Users who speak of an account of another connector: what would become of that one.

use directory::{SourceGroup, Status, Trigger};
use store::{StoredAccount, StoredContribution};

use super::super::user::PreviewedUser;
use super::Simulation;
use crate::ProvisionError;
use crate::facts::Person;
use crate::sharing::{given_by, out_of_scope_since, said};

impl Simulation<'_, '_, '_> {
    /// Somebody who speaks of an account of another connector, or would: what would become of that one.
    pub(super) fn look_at_shared(
        &mut self,
        id: &str,
        about: (&Person<'_>, &[SourceGroup]),
        account: &StoredAccount,
        known: Option<&StoredContribution>,
    ) -> Result<Option<PreviewedUser>, ProvisionError> {
        if account.user.status == Status::Removed {
            return Ok(None);
        }
        let occasion = (self.tx.now(), Trigger::Reconcile);
        let seen = (account, out_of_scope_since(known));
        let says = said(&self.world, self.tried, about, seen, occasion)?;
        let gives = given_by(self.tried, about.0.source, &says);
        let joint = self
            .provision
            .jointly(self.tx, account, gives, occasion.0)?;
        let Some((owner, mut outcome)) = joint else {
            return Ok(None);
        };
        let (plan, held) = self.guarded(&owner, Some(account), &mut outcome)?;
        let after_grace = match (&mut self.graces, says.grace_until()) {
            (Some(graces), Some(at)) => {
                graces.look_ahead_shared(&self.world, about, (account, &plan), at)?
            }
            _ => None,
        };
        let found = (plan, held, after_grace);
        let mut looked = self.looked(Some(account), &outcome, found, None)?;
        looked.id = Some(id.to_owned());
        looked.user_name = about.0.user.user_name().unwrap_or_default().to_owned();
        Ok(Some(looked))
    }
}
