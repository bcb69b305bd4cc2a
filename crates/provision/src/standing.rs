//! An administrator's word on one account: disabled until an administrator says otherwise, and enabled again (US-35).

use directory::{Cause, Change, DirectoryId, Memory, Reason, Status, Trigger, User, UserPk};
use jiff::Timestamp;
use store::{ReadTx, Scope, StoredAccount, Subject, WriteTx};

use crate::{Provision, ProvisionError};

/// Users changed in one transaction.
const CHUNK: usize = 100;

/// Somebody who is to stay disabled whatever the identity provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickyWish {
    /// Name or key.
    pub user: String,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// What became of a list of such wishes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StickyDone {
    /// How many stay disabled now, or until another time than before.
    pub changed: u64,
    /// Of how many that was so already.
    pub unchanged: u64,
    /// Those for whom it cannot be, and why.
    pub refused: Vec<(String, String)>,
}

impl Provision {
    /// Takes the log-in from a user, by name or key, until an administrator gives it back, or until a time comes.
    pub async fn disable_user(
        &self,
        directory: DirectoryId,
        user: String,
        until: Option<Timestamp>,
        actor: String,
    ) -> Result<User, ProvisionError> {
        let disabled = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                let found = require_account(tx, directory, &user)?;
                disable(tx, &found, until, &actor)?;
                require_user(tx, directory, &found.user.key)
            })
            .await?;
        self.wake_worker();
        Ok(disabled)
    }

    /// Takes the log-in from several users at once, each by name or key and perhaps until a time. One that cannot be
    /// disabled stops no other.
    pub async fn disable_users(
        &self,
        directory: DirectoryId,
        wishes: Vec<StickyWish>,
        actor: &str,
    ) -> Result<StickyDone, ProvisionError> {
        let mut done = StickyDone::default();
        for chunk in wishes.chunks(CHUNK) {
            let (chunk, actor) = (chunk.to_vec(), actor.to_owned());
            let part = self
                .store()
                .write(Scope::Directory(directory), move |tx| {
                    let mut part = StickyDone::default();
                    for wish in &chunk {
                        let disabled = require_account(tx, directory, &wish.user)
                            .and_then(|found| disable(tx, &found, wish.until, &actor));
                        match disabled {
                            Ok(true) => part.changed += 1,
                            Ok(false) => part.unchanged += 1,
                            Err(error @ ProvisionError::Store(_)) => return Err(error),
                            Err(error) => part.refused.push((wish.user.clone(), error.to_string())),
                        }
                    }
                    Ok(part)
                })
                .await?;
            done.changed += part.changed;
            done.unchanged += part.unchanged;
            done.refused.extend(part.refused);
        }
        self.wake_worker();
        Ok(done)
    }

    /// Takes back what an administrator or the rule for inactive people decided, for everybody of whom that stands or
    /// for those with one reason. Returns how many users that were; whether they are active then, the rules say.
    pub async fn enable_users(
        &self,
        directory: DirectoryId,
        reason: Option<Reason>,
        actor: &str,
    ) -> Result<u64, ProvisionError> {
        let (mut enabled, mut behind) = (0, UserPk(0));
        loop {
            let (this, actor) = (self.clone(), actor.to_owned());
            let chunk = self
                .store()
                .write(Scope::Directory(directory), move |tx| {
                    let limit = i64::try_from(CHUNK).unwrap_or(i64::MAX);
                    let chunk = tx.sticky_users(directory, reason, behind, limit)?;
                    let mut enabled = 0;
                    for one in &chunk {
                        let found = tx.account(one.pk)?;
                        // Nobody but the identity provider brings back whom it deleted.
                        if let Some(found) = found.filter(|it| it.source.is_some()) {
                            this.enable(tx, &found, &actor)?;
                            enabled += 1;
                        }
                    }
                    Ok::<_, ProvisionError>((enabled, chunk.last().map(|last| last.pk)))
                })
                .await?;
            enabled += chunk.0;
            match chunk.1 {
                Some(last) => behind = last,
                None => return Ok(enabled),
            }
        }
    }

    /// Takes back what an administrator or the rule for inactive people decided about a user, by name or key. Whether
    /// the account is active then, the rules say.
    pub async fn enable_user(
        &self,
        directory: DirectoryId,
        user: String,
        actor: String,
    ) -> Result<User, ProvisionError> {
        let this = self.clone();
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let found = require_account(tx, directory, &user)?;
                if found.user.status != Status::Active {
                    this.enable(tx, &found, &actor)?;
                }
                require_user(tx, directory, &found.user.key)
            })
            .await
    }

    fn enable(
        &self,
        tx: &WriteTx<'_>,
        found: &StoredAccount,
        actor: &str,
    ) -> Result<(), ProvisionError> {
        let reason = match found.user.connector {
            Some(_) if found.source.is_none() => {
                let message = "the identity provider deleted the user; create the user there again, and the account \
                               comes back";
                return Err(ProvisionError::invalid("user", message));
            }
            Some(_) => Reason::Manual,
            None => Reason::Local,
        };
        let memory = &found.account.memory;
        let memory = Memory {
            cleaned_up_since: None,
            active_since: Some(tx.now()),
            stays_until: None,
            ..memory.clone()
        };
        tx.set_account_status(found.user.pk, Status::Active, reason)?;
        tx.set_account_memory(found.user.pk, &memory)?;
        let before = Some(found.user.reason);
        note(tx, found, &Change::Reactivate { reason, before }, actor)?;
        let (Some(connector), Some(source)) = (found.user.connector, found.source) else {
            return Ok(());
        };
        let connector = self.require_connector(tx, connector)?;
        self.settle(tx, &connector, source, &cause(found, actor))
    }
}

/// Takes the log-in from somebody. Returns whether that changed anything.
fn disable(
    tx: &WriteTx<'_>,
    found: &StoredAccount,
    until: Option<Timestamp>,
    actor: &str,
) -> Result<bool, ProvisionError> {
    if let Some(until) = until {
        check_end(tx, found, until)?;
    }
    let reason = Reason::Manual;
    let (pk, status) = (found.user.pk, found.user.status);
    let stands = found.user.reason == reason && status != Status::Active;
    let memory = &found.account.memory;
    if stands && memory.stays_until == until {
        return Ok(false);
    }
    if !stands {
        let change = match status {
            Status::Active => Change::Disable {
                reason,
                before: Some(found.user.reason),
            },
            _ => Change::SetReason {
                before: found.user.reason,
                after: reason,
            },
        };
        let lost = match status {
            Status::Active => Status::Disabled,
            status => status,
        };
        tx.set_account_status(pk, lost, reason)?;
        note(tx, found, &change, actor)?;
    }
    let memory = Memory {
        stays_until: until,
        ..memory.clone()
    };
    tx.set_account_memory(pk, &memory)?;
    if let (Some(until), Some(connector), Some(source)) =
        (until, found.user.connector, found.source)
    {
        tx.mark_due(connector, source, until, &cause(found, actor))?;
    }
    Ok(true)
}

/// What ends by itself has to end later, and somebody has to say what comes then.
fn check_end(
    tx: &ReadTx<'_>,
    found: &StoredAccount,
    until: Timestamp,
) -> Result<(), ProvisionError> {
    let refusal = if until <= tx.now() {
        "has passed already; name a time to come, or leave it out"
    } else if found.source.is_none() {
        "needs an identity provider that says what comes then, and this user has none; leave it out"
    } else {
        return Ok(());
    };
    Err(ProvisionError::invalid("until", refusal))
}

pub(crate) fn require_account(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    user: &str,
) -> Result<StoredAccount, ProvisionError> {
    let found = require_user(tx, directory, user)?;
    tx.account(found.pk)?
        .ok_or_else(|| ProvisionError::not_found("user", user))
}

pub(crate) fn require_user(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    user: &str,
) -> Result<User, ProvisionError> {
    let found = match tx.directory_user(directory, user)? {
        Some(found) => Some(found),
        None => tx.directory_user_by_key(directory, user)?,
    };
    found.ok_or_else(|| ProvisionError::not_found("user", user))
}

fn cause(found: &StoredAccount, actor: &str) -> Cause {
    Cause {
        trigger: Trigger::Reconcile,
        connector: found.user.connector,
        actor: actor.to_owned(),
        request: String::new(),
    }
}

fn note(
    tx: &WriteTx<'_>,
    found: &StoredAccount,
    change: &Change,
    actor: &str,
) -> Result<(), ProvisionError> {
    let Some(directory) = tx.directory_of_user(found.user.pk)? else {
        return Ok(());
    };
    let subject = Subject::User(found.user.pk);
    let name = Some(found.user.name.as_str());
    tx.append_journal(directory, subject, name, change, &cause(found, actor))?;
    Ok(())
}
