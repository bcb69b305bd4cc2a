//! People who change names with each other. Each would wait for ever for the name of the other, so both get them at once.

use directory::{Cause, Change, MatchedBy, SourceUserPk};
use scim::fold;
use store::{StoredAccount, Subject, WriteTx};

use crate::decide::Taken;
use crate::loaded::LoadedConnector;
use crate::{Provision, ProvisionError};

impl Provision {
    /// Lets two accounts of a connector change names, if who has the name that one is to have waits for the name of that
    /// one. Gives whether they did; if anything else is in the way, nothing changes.
    pub(crate) fn change_places(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        (one, source): (&StoredAccount, SourceUserPk),
        taken: &Taken,
        cause: &Cause,
    ) -> Result<bool, ProvisionError> {
        let directory = connector.connector.directory;
        if taken.by != MatchedBy::Username || taken.until.is_some() {
            return Ok(false);
        }
        let Some(holder) = tx.directory_user(directory, &taken.name)? else {
            return Ok(false);
        };
        let Some(other) = tx.account(holder.pk)? else {
            return Ok(false);
        };
        let (Some(behind), true) = (other.source, holder.connector == one.user.connector) else {
            return Ok(false);
        };
        let waits = tx.standoff(behind)?;
        if waits.is_none_or(|it| it.kept || it.name != fold(&one.user.name)) {
            return Ok(false);
        }
        let changed = tx.attempt(|tx| {
            give_up_for_a_moment(tx, connector, &other, cause)?;
            self.settle(tx, connector, source, cause)?;
            // The name goes to the one for whom it is, not to a stranger.
            tx.forget_former_name(directory, &one.user.name)?;
            self.settle(tx, connector, behind, cause)?;
            let has = |name: &str, account: &StoredAccount| {
                let found = tx.directory_user(directory, name)?;
                Ok::<_, ProvisionError>(found.is_some_and(|it| it.pk == account.user.pk))
            };
            match has(&taken.name, one)? && has(&one.user.name, &other)? {
                true => Ok(()),
                false => Err(ProvisionError::invalid("userName", "is not free")),
            }
        })?;
        Ok(changed.is_ok())
    }
}

/// A name that nobody is called stands in for that of an account, until the account gets its new one.
fn give_up_for_a_moment(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    account: &StoredAccount,
    cause: &Cause,
) -> Result<(), ProvisionError> {
    let (user, before) = (account.user.pk, &account.account.attributes);
    let mut after = before.clone();
    after.username = format!("{} ({})", before.username, account.user.key);
    let change = Change::RenameUser {
        from: before.username.clone(),
        to: after.username.clone(),
    };
    tx.update_account(user, before, &after)?;
    let subject = Subject::User(user);
    let known_as = Some(before.username.as_str());
    tx.append_journal(
        connector.connector.directory,
        subject,
        known_as,
        &change,
        cause,
    )?;
    Ok(())
}
