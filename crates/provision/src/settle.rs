//! Settling one person: ask the rules what the source means for the directory, carry that out.

use directory::{
    Account, Cause, ConnectorState, Outcome, SourceUserPk, Status, Subject, Trigger, Verdict,
};
use scim::{Resource, fold};
use store::{StoredAccount, WriteTx};

use crate::carry_out::{Target, carry_out};
use crate::loaded::LoadedConnector;
use crate::{Provision, ProvisionError};

/// As many users are settled inside the transaction that affects them; more are marked as due.
pub(crate) const AT_ONCE_MAX: usize = 200;

impl Provision {
    /// Brings the directory in line with what the source says about one user.
    pub(crate) fn settle(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        source: SourceUserPk,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let Some(stored) = tx.source_user_by_pk(connector.connector.id, source)? else {
            return Ok(());
        };
        let user = Resource::parse_stored(&stored.document)?;
        let person = Person {
            source,
            user: &user,
            is_new: false,
        };
        self.settle_person(tx, connector, &person, cause)
    }

    /// The same for one whose resource is at hand.
    pub(crate) fn settle_person(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        person: &Person<'_>,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let id = connector.connector.id;
        let source = person.source;
        if connector.connector.state != ConnectorState::Active {
            let now = tx.now();
            tx.mark_due(id, source, now, cause)?;
            return Ok(());
        }
        let decision = decide(tx, connector, person, cause.trigger)?;
        if !person.is_new {
            tx.clear_due(source)?;
            tx.clear_name_conflict(source)?;
        }
        if let Some(at) = decision.outcome.recheck_at {
            tx.mark_due(id, source, at, cause)?;
            self.wake_worker();
        }
        if let Some(name) = &decision.taken {
            tx.note_name_conflict(id, connector.connector.directory, source, name)?;
        }
        let target = Target {
            connector: &connector.connector,
            source: Some(source),
            external_id: person.user.external_id(),
            existing: decision.existing.as_ref(),
        };
        let used = carry_out(tx, &target, &decision.outcome, cause)?;
        if connector.rules.creates_empty_groups() {
            return Ok(());
        }
        self.appear(tx, connector, used, cause)
    }

    /// Brings the directory in line with the deletion of a user that is about to happen.
    pub(crate) fn settle_deletion(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        source: SourceUserPk,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        if connector.connector.state != ConnectorState::Active {
            // The account stays as it is; the worker finds it when the connector is active again.
            return Ok(());
        }
        match tx.account_of_source(source)? {
            Some(existing) => self.settle_deleted(tx, connector, &existing, cause),
            None => Ok(()),
        }
    }

    /// Brings an account in line with the deletion of its user.
    pub(crate) fn settle_deleted(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        existing: &StoredAccount,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let subject = Subject {
            user: None,
            groups: &[],
            existing: Some(&existing.account),
            now: tx.now(),
            trigger: cause.trigger,
        };
        let outcome = directory::evaluate(&subject, &connector.rules);
        let target = Target {
            connector: &connector.connector,
            source: None,
            external_id: existing.user.external_id.as_deref(),
            existing: Some(existing),
        };
        carry_out(tx, &target, &outcome, cause)?;
        Ok(())
    }
}

/// A user of the source to be settled.
pub(crate) struct Person<'a> {
    pub(crate) source: SourceUserPk,
    pub(crate) user: &'a Resource,
    /// Just made: in no group, and nothing can be known about it yet.
    pub(crate) is_new: bool,
}

/// What the rules say, seen together with who else holds the name.
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    /// The account it is about, if there is one.
    pub(crate) existing: Option<StoredAccount>,
    /// The name that the user should have and that somebody else has.
    pub(crate) taken: Option<String>,
}

/// Evaluates one user, with the account that is or becomes its own (US-08).
pub(crate) fn decide(
    tx: &store::ReadTx<'_>,
    connector: &LoadedConnector,
    person: &Person<'_>,
    trigger: Trigger,
) -> Result<Decision, ProvisionError> {
    let Person {
        source,
        user,
        is_new,
    } = *person;
    let (groups, mut existing) = if is_new {
        (Vec::new(), None)
    } else {
        (
            tx.effective_source_groups(source)?,
            tx.account_of_source(source)?,
        )
    };
    let now = tx.now();
    let evaluate = |existing: Option<&Account>| {
        let subject = Subject {
            user: Some(user),
            groups: &groups,
            existing,
            now,
            trigger,
        };
        directory::evaluate(&subject, &connector.rules)
    };
    if existing.is_none()
        && let Some(external_id) = user.external_id()
    {
        existing = tx.orphan_by_external_id(connector.connector.id, external_id)?;
    }
    let mut outcome = evaluate(existing.as_ref().map(|found| &found.account));
    let mut taken = None;
    if let Some(name) = wanted_name(&outcome, existing.as_ref()) {
        let directory = connector.connector.directory;
        match tx.directory_user(directory, &name)? {
            Some(holder)
                if existing
                    .as_ref()
                    .is_none_or(|found| found.user.pk != holder.pk) =>
            {
                let returning = match existing {
                    None => returning(tx, connector, user, &name)?,
                    Some(_) => None,
                };
                if let Some(orphan) = returning {
                    outcome = evaluate(Some(&orphan.account));
                    existing = Some(orphan);
                } else {
                    taken = Some(name);
                    keep_old_name(&mut outcome, existing.as_ref());
                }
            }
            _ => {}
        }
    }
    Ok(Decision {
        outcome,
        existing,
        taken,
    })
}

/// The name that the account is to get and does not have.
fn wanted_name(outcome: &Outcome, existing: Option<&StoredAccount>) -> Option<String> {
    if !matches!(outcome.verdict, Verdict::Account { .. }) {
        return None;
    }
    let wanted = &outcome.attributes.username;
    let has_it = existing.is_some_and(|found| {
        found.user.status != Status::Removed && fold(&found.user.name) == fold(wanted)
    });
    (!has_it).then(|| wanted.clone())
}

/// The account of a deleted user of this connector that holds the name, unless the IdP's ids say
/// that it was somebody else.
fn returning(
    tx: &store::ReadTx<'_>,
    connector: &LoadedConnector,
    user: &Resource,
    name: &str,
) -> Result<Option<StoredAccount>, ProvisionError> {
    let orphan = tx.orphan_by_name(connector.connector.id, connector.connector.directory, name)?;
    Ok(orphan.filter(
        |orphan| match (orphan.user.external_id.as_deref(), user.external_id()) {
            (Some(before), Some(now)) => before == now,
            _ => true,
        },
    ))
}

/// Without its name a new account cannot be; one that exists keeps the name it has.
fn keep_old_name(outcome: &mut Outcome, existing: Option<&StoredAccount>) {
    match existing {
        Some(found) if found.user.status != Status::Removed => {
            outcome.attributes.username.clone_from(&found.user.name);
        }
        _ => {
            outcome.verdict = Verdict::NoAccount {
                reason: directory::Reason::Conflict,
            };
        }
    }
}
