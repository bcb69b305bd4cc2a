//! Whose word counts in a directory: said, looked at before, and taken back (BY-15).

use directory::{
    Account, Change, ConnectorState, Contribution, DirectoryId, JobKind, Moment, Precedence,
    Trigger, UserPk,
};
use store::{ReadTx, Scope, StoredAccount, WriteTx};

use crate::decide::{Occasion, decide};
use crate::facts::{Facts, Person};
use crate::jobs::begin_sweep;
use crate::release::require_idle;
use crate::sharing::{contribution, joined, out_of_scope_since};
use crate::world::Stored;
use crate::{BegunJob, Provision, ProvisionError};

/// What another precedence would make of accounts that several connectors speak of, or would speak of.
#[derive(Debug, Default)]
pub struct PrecedencePreview {
    /// How many accounts are shared; where none are yet, how many are in the way of users of other connectors.
    pub shared: i64,
    /// Those of this part for whom it would change something.
    pub users: Vec<PrecededUser>,
    /// Where the next part begins; none on the last.
    pub next: Option<UserPk>,
}

/// An account of which another connector's word would count.
#[derive(Debug)]
pub struct PrecededUser {
    /// The user name.
    pub name: String,
    /// The stable key.
    pub key: String,
    /// As it is.
    pub before: Account,
    /// As it would be.
    pub after: Option<Account>,
    /// The way there.
    pub changes: Vec<Change>,
}

impl Provision {
    /// Says whose word counts in a directory, or that each account is spoken of by one connector alone. Everybody is evaluated
    /// by it, as a job of each connector.
    pub async fn set_precedence(
        &self,
        directory: DirectoryId,
        precedence: Option<Precedence>,
        actor: &str,
    ) -> Result<Vec<BegunJob>, ProvisionError> {
        let (this, actor) = (self.clone(), actor.to_owned());
        let settings = self.store().changing_settings();
        let begun = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                this.precede(tx, directory, precedence.as_ref(), &actor)
            })
            .await?;
        drop(settings);
        self.wake_worker();
        Ok(begun)
    }

    /// [`set_precedence`](Self::set_precedence) inside a transaction that has the directory for itself.
    pub(crate) fn precede(
        &self,
        tx: &WriteTx<'_>,
        directory: DirectoryId,
        precedence: Option<&Precedence>,
        actor: &str,
    ) -> Result<Vec<BegunJob>, ProvisionError> {
        require_idle(tx, None, directory)?;
        if let Some(precedence) = precedence {
            check(tx, directory, precedence)?;
        }
        tx.set_precedence(directory, precedence)?;
        let mut begun = Vec::new();
        for id in tx.connectors_into(directory)? {
            let connector = self.require_connector(tx, id)?;
            let job = begin_sweep(tx, &connector.connector, JobKind::Rules, actor)?;
            begun.push(job);
        }
        Ok(begun)
    }

    /// What another precedence would make of accounts that several connectors speak of, behind a number.
    pub fn preview_precedence(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        precedence: &Precedence,
        behind: UserPk,
        limit: usize,
    ) -> Result<PrecedencePreview, ProvisionError> {
        check(tx, directory, precedence)?;
        let many = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut users = tx.shared_accounts(directory, behind, many)?;
        users.extend(tx.accounts_in_the_way(directory, behind, many)?);
        users.sort_unstable();
        users.dedup();
        users.truncate(limit);
        let mut preview = PrecedencePreview {
            shared: match tx.precedence(directory)? {
                Some(_) => tx.count_shared_accounts(directory)?,
                None => tx.count_accounts_in_the_way(directory)?,
            },
            next: users.last().copied().filter(|_| users.len() == limit),
            ..PrecedencePreview::default()
        };
        for user in users {
            preview.users.extend(self.preceded(tx, user, precedence)?);
        }
        Ok(preview)
    }

    fn preceded(
        &self,
        tx: &ReadTx<'_>,
        user: UserPk,
        precedence: &Precedence,
    ) -> Result<Option<PrecededUser>, ProvisionError> {
        let Some(account) = tx.account(user)? else {
            return Ok(None);
        };
        let (Some(connector), Some(source)) = (account.user.connector, account.source) else {
            return Ok(None);
        };
        let connector = self.require_connector(tx, connector)?;
        let connector = connector.with_precedence(tx, precedence.clone())?;
        let Some(stored) = tx.source_user_by_pk(connector.connector.id, source)? else {
            return Ok(None);
        };
        let gives = self.would_join(tx, (connector.connector.directory, &account), precedence)?;
        let outcome = joined(tx, &connector, (&stored, &account), gives, tx.now())?;
        let plan = directory::plan(Some(&account.account), &outcome);
        Ok((!plan.is_empty()).then(|| PrecededUser {
            name: account.user.name.clone(),
            key: account.user.key.clone(),
            after: directory::apply(Some(&account.account), &plan),
            before: account.account,
            changes: plan.changes,
        }))
    }

    /// What those would say of an account who cannot have one since it is in their way.
    fn would_join(
        &self,
        tx: &ReadTx<'_>,
        (directory, account): (DirectoryId, &StoredAccount),
        precedence: &Precedence,
    ) -> Result<Vec<Contribution>, ProvisionError> {
        let mut all = Vec::new();
        for (connector, source) in tx.in_whose_way(directory, &account.user.name)? {
            let connector = self.require_connector(tx, connector)?;
            let Some(stored) = tx.source_user_by_pk(connector.connector.id, source)? else {
                continue;
            };
            if connector.connector.state != ConnectorState::Active {
                continue;
            }
            let connector = connector.with_precedence(tx, precedence.clone())?;
            let user = stored.resource()?;
            let person = Person {
                source,
                user: &user,
                is_new: false,
            };
            let facts = Facts::of(tx, &person)?;
            let groups = facts.groups.clone();
            let world = Stored::new(tx, &connector.connector);
            let occasion = Occasion {
                now: tx.now(),
                trigger: Trigger::Reconcile,
                moment: Moment::Later,
            };
            let met = decide(&world, &connector, &person, facts, occasion)?.joins;
            if met.is_none_or(|met| met.user.pk != account.user.pk) {
                continue;
            }
            let (about, at) = (
                (&person, groups.as_slice()),
                (occasion.now, occasion.trigger),
            );
            let account = (account, out_of_scope_since(None));
            all.push(contribution(&world, &connector, about, account, at)?);
        }
        Ok(all)
    }
}

/// Refuses what cannot be meant: unknown targets, and connectors that feed another directory.
fn check(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    precedence: &Precedence,
) -> Result<(), ProvisionError> {
    let errors = precedence.errors();
    if !errors.is_empty() {
        return Err(ProvisionError::Precedence(errors));
    }
    let here = tx.connectors_into(directory)?;
    let named = precedence.order.iter();
    for id in named.chain(precedence.targets.values().flatten()) {
        if !here.contains(id) {
            let found = tx.connector(*id)?;
            let name = found.map_or_else(|| id.to_string(), |it| it.connector.name);
            return Err(ProvisionError::invalid(
                "order",
                format!(
                    "names the connector '{name}', which does not feed this directory; leave it out, or move it here first"
                ),
            ));
        }
    }
    Ok(())
}
