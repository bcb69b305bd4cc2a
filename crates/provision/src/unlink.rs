//! Unlinking: one account that no identity provider feeds any more.

use directory::{Cause, DirectoryId, Fate, Trigger, User};
use store::Scope;

use crate::release::{let_go, required};
use crate::standing::{require_account, require_user};
use crate::{Provision, ProvisionError};

impl Provision {
    /// Lets an account, by name or key, be kept here, with its groups and its state. What its identity provider says of
    /// the person has no effect on it any more; by the rules both may be taken for one person again.
    pub async fn unlink_user(
        &self,
        directory: DirectoryId,
        user: String,
        actor: &str,
        request: &str,
    ) -> Result<User, ProvisionError> {
        let (actor, request) = (actor.to_owned(), request.to_owned());
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let found = require_account(tx, directory, &user)?;
                let Some(connector) = found.user.connector else {
                    let message = "is kept here already; no identity provider feeds it";
                    return Err(ProvisionError::invalid("user", message));
                };
                let cause = Cause {
                    trigger: Trigger::Reconcile,
                    connector: Some(connector),
                    actor: actor.clone(),
                    request: request.clone(),
                };
                let connector = required(tx, connector)?;
                let_go(tx, &connector, found.user.pk, Fate::Keep, &cause)?;
                require_user(tx, directory, &found.user.key)
            })
            .await
    }
}
