//! Overrides: an administrator says something about one user beside the rules, and it ends.

use directory::{
    Cause, ConnectorState, DirectoryId, Override, OverrideId, OverrideKind, Status, Trigger, User,
    UserPk, source_mark,
};
use jiff::Timestamp;
use scim::limits::NAME_CHARS_MAX;
use scim::name::refuse_name;
use store::{ReadTx, Scope, StoredAccount, WriteTx};

use crate::carry_out::{Target, carry_out};
use crate::{Provision, ProvisionError};

/// Overrides ended in one transaction.
const CHUNK_MAX: i64 = 100;
/// Longest comment, in characters.
const COMMENT_CHARS_MAX: usize = 500;
/// Most overrides of one user.
const OF_ONE_USER_MAX: usize = 50;

/// What an administrator wants to say about a user.
#[derive(Debug, Clone)]
pub struct OverrideWish {
    /// What. The mark of `keep_as_is` is made here.
    pub kind: OverrideKind,
    /// When it ends by itself; only `keep_as_is` can do without.
    pub until: Option<Timestamp>,
    /// What for.
    pub comment: String,
}

/// An override and the user it is about.
#[derive(Debug, Clone)]
pub struct Said {
    /// The user.
    pub user: User,
    /// What was said.
    pub said: Override,
}

impl Provision {
    /// Says something about a user beside the rules, with effect at once.
    pub async fn add_override(
        &self,
        directory: DirectoryId,
        user: UserPk,
        wish: OverrideWish,
        actor: &str,
        request: &str,
    ) -> Result<Said, ProvisionError> {
        let cause = cause_of(actor, request);
        let said_by = actor.to_owned();
        let said = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                let account = require_account(tx, user)?;
                let wish = checked(tx, directory, &account, &wish)?;
                let by = (said_by.as_str(), wish.comment.as_str());
                let id = tx.insert_override(directory, user, &wish.kind, wish.until, by)?;
                owe(tx, &account, &cause)?;
                said(tx, directory, id)
            })
            .await?;
        self.catch_up(directory, user, actor, request).await?;
        Ok(said)
    }

    /// Takes back what was said about a user, with effect at once.
    pub async fn remove_override(
        &self,
        directory: DirectoryId,
        id: OverrideId,
        actor: &str,
        request: &str,
    ) -> Result<(), ProvisionError> {
        let cause = cause_of(actor, request);
        let user = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                let found = said(tx, directory, id)?;
                tx.delete_override(directory, id)?;
                owe(tx, &require_account(tx, found.user.pk)?, &cause)?;
                Ok::<_, ProvisionError>(found.user.pk)
            })
            .await?;
        self.catch_up(directory, user, actor, request).await
    }

    /// Overrides of a directory behind a number, for review.
    pub fn overrides(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        after: OverrideId,
        limit: i64,
    ) -> Result<Vec<Said>, ProvisionError> {
        let found = tx.overrides(directory, after, limit)?;
        let mut pks: Vec<UserPk> = found.iter().map(|one| one.user).collect();
        pks.sort_unstable();
        pks.dedup();
        let users = tx.directory_users_by_pk(directory, &pks)?;
        let of = |pk: UserPk| users.iter().find(|user| user.pk == pk).cloned();
        let all = found.into_iter().filter_map(|one| {
            let (user, said) = (of(one.user)?, one.said);
            Some(Said { user, said })
        });
        Ok(all.collect())
    }

    /// Ends what has come to its end, and owes those whom it was about an evaluation.
    pub(crate) async fn end_overrides(&self) -> Result<(), ProvisionError> {
        loop {
            let directory = self
                .store()
                .read(|tx| Ok::<_, ProvisionError>(tx.directory_with_ended_override()?))
                .await?;
            let Some(directory) = directory else {
                return Ok(());
            };
            let users = self
                .store()
                .write(Scope::Directory(directory), move |tx| {
                    let cause = cause_of("end of an override", "");
                    let mut without_source = Vec::new();
                    for one in tx.ended_overrides(directory, CHUNK_MAX)? {
                        tx.delete_override(directory, one.said.id)?;
                        let account = require_account(tx, one.user)?;
                        owe(tx, &account, &cause)?;
                        if account.source.is_none() {
                            without_source.push(one.user);
                        }
                    }
                    Ok::<_, ProvisionError>(without_source)
                })
                .await?;
            for user in users {
                self.catch_up(directory, user, "end of an override", "")
                    .await?;
            }
        }
    }

    /// Evaluates a user of the directory now. That is a transaction of its own, so that connectors are known as they
    /// are stored.
    async fn catch_up(
        &self,
        directory: DirectoryId,
        user: UserPk,
        actor: &str,
        request: &str,
    ) -> Result<(), ProvisionError> {
        let this = self.clone();
        let cause = cause_of(actor, request);
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let account = require_account(tx, user)?;
                let Some(connector) = account.user.connector else {
                    return keep_here(tx, directory, &account, &cause);
                };
                let connector = this.require_connector(tx, connector)?;
                let cause = Cause {
                    connector: Some(connector.connector.id),
                    ..cause.clone()
                };
                match account.source {
                    Some(source) => this.settle(tx, &connector, source, &cause),
                    None if connector.connector.state == ConnectorState::Active => {
                        this.settle_deleted(tx, &connector, &account, &cause)
                    }
                    None => Ok(()),
                }
            })
            .await
    }
}

/// Brings an account that was let go to what the overrides say that still stand.
fn keep_here(
    tx: &WriteTx<'_>,
    directory: DirectoryId,
    account: &StoredAccount,
    cause: &Cause,
) -> Result<(), ProvisionError> {
    if account.user.status == Status::Removed {
        return Ok(());
    }
    let standing = tx.overrides_of(account.user.pk)?;
    let outcome = directory::kept_here(&account.account, &standing, tx.now());
    let target = Target {
        directory,
        connector: None,
        source: None,
        external_id: None,
        existing: Some(account),
    };
    let plan = directory::plan(Some(&account.account), &outcome);
    carry_out(tx, &target, &plan, cause)?;
    Ok(())
}

fn cause_of(actor: &str, request: &str) -> Cause {
    Cause {
        trigger: Trigger::Reconcile,
        connector: None,
        actor: actor.to_owned(),
        request: request.to_owned(),
    }
}

/// An evaluation is owed until it was made, even if this program ends now.
fn owe(tx: &WriteTx<'_>, account: &StoredAccount, cause: &Cause) -> Result<(), ProvisionError> {
    if let (Some(connector), Some(source)) = (account.user.connector, account.source) {
        tx.mark_due(connector, source, tx.now(), cause)?;
    }
    Ok(())
}

fn require_account(tx: &ReadTx<'_>, user: UserPk) -> Result<StoredAccount, ProvisionError> {
    tx.account(user)?
        .ok_or_else(|| ProvisionError::not_found("user", &user.to_string()))
}

fn said(tx: &ReadTx<'_>, directory: DirectoryId, id: OverrideId) -> Result<Said, ProvisionError> {
    let found = tx
        .find_override(directory, id)?
        .ok_or_else(|| ProvisionError::not_found("override", &id.to_string()))?;
    Ok(Said {
        user: require_account(tx, found.user)?.user,
        said: found.said,
    })
}

fn checked(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    account: &StoredAccount,
    wish: &OverrideWish,
) -> Result<OverrideWish, ProvisionError> {
    let Some(connector) = account.user.connector else {
        return Err(ProvisionError::invalid(
            "user",
            "is kept here and comes from no identity provider, so there is nothing to override; change the user itself",
        ));
    };
    if wish.comment.chars().count() > COMMENT_CHARS_MAX {
        let message = format!("has more than {COMMENT_CHARS_MAX} characters; shorten it");
        return Err(ProvisionError::invalid("comment", message));
    }
    check_end(wish, tx.now())?;
    check_group(tx, directory, &wish.kind)?;
    let others = tx.overrides_of(account.user.pk)?;
    if others.len() >= OF_ONE_USER_MAX {
        let message = format!("has {OF_ONE_USER_MAX} overrides already; remove some first");
        return Err(ProvisionError::invalid("user", message));
    }
    let now = match account.source {
        Some(source) => mark_of(tx, connector, source)?,
        None => source_mark(None, &[]),
    };
    let stands = |it: &Override| {
        let ended = it.until.is_some_and(|until| until <= tx.now());
        matches!(&it.kind, OverrideKind::KeepAsIs { mark } if *mark == now && !ended)
    };
    if others.iter().any(stands) {
        let message = "stays exactly as it is by an override, so another would be without effect; take that one back first";
        return Err(ProvisionError::invalid("user", message));
    }
    let mut wish = wish.clone();
    if let OverrideKind::KeepAsIs { mark } = &mut wish.kind {
        *mark = now;
    }
    Ok(wish)
}

/// The mark of what the source says of a user now.
pub(crate) fn mark_of(
    tx: &ReadTx<'_>,
    connector: directory::ConnectorId,
    source: directory::SourceUserPk,
) -> Result<String, ProvisionError> {
    let Some(stored) = tx.source_user_by_pk(connector, source)? else {
        return Ok(source_mark(None, &[]));
    };
    let user = stored.resource()?;
    Ok(source_mark(
        Some(&user),
        &tx.effective_source_groups(source)?,
    ))
}

fn check_end(wish: &OverrideWish, now: Timestamp) -> Result<(), ProvisionError> {
    match wish.until {
        Some(until) if until <= now => Err(ProvisionError::invalid(
            "until",
            format!("is {until}, which is past; name a time to come"),
        )),
        None if !matches!(wish.kind, OverrideKind::KeepAsIs { .. }) => Err(
            ProvisionError::invalid("until", "is missing; an override of this kind needs an end"),
        ),
        _ => Ok(()),
    }
}

fn check_group(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    kind: &OverrideKind,
) -> Result<(), ProvisionError> {
    let Some(group) = kind.group() else {
        return Ok(());
    };
    if group.is_empty() || group.chars().count() > NAME_CHARS_MAX {
        let message = format!("has to have 1 to {NAME_CHARS_MAX} characters");
        return Err(ProvisionError::invalid("group", message));
    }
    if let Some(why) = refuse_name(group) {
        return Err(ProvisionError::invalid("group", format!("has {why}")));
    }
    if tx.directory_group(directory, group)?.is_none() {
        return Err(ProvisionError::not_found("group", group));
    }
    Ok(())
}
