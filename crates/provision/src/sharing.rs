//! Sharing: users of several connectors who are the same person speak of one account (BY-15).

use std::sync::Arc;

use directory::precedence::view;
use directory::{
    Account, Cause, Change, ConnectorState, Contribution, Given, MatchedBy, Origin, Outcome,
    Shared, SourceGroup, SourceUserPk, Status, Subject, Trigger,
};
use jiff::Timestamp;
use store::{ReadTx, SourceUser, StoredAccount, StoredContribution, WriteTx};

use crate::decide::said_about;
use crate::facts::Person;
use crate::loaded::LoadedConnector;
use crate::settle::flag;
use crate::world::{Around, Stored, World, evaluate_in};
use crate::{Provision, ProvisionError};

/// What a connector says of a person whose account belongs to another one.
pub(crate) fn said(
    world: &dyn World,
    connector: &LoadedConnector,
    (person, groups): (&Person<'_>, &[SourceGroup]),
    (account, out_of_scope_since): (&StoredAccount, Option<Timestamp>),
    (now, trigger): (Timestamp, Trigger),
) -> Result<Outcome, ProvisionError> {
    let seen: Account = view(&account.account, out_of_scope_since);
    let subject = Subject {
        user: Some(person.user),
        groups,
        existing: Some(&seen),
        now,
        trigger,
        overrides: &[],
    };
    evaluate_in(world, &connector.rules, &subject, account.user.pk)
}

/// Since when somebody has been out of the scope of a connector to which the account does not belong: who gave nothing to it
/// so far has no time of grace in which to give.
pub(crate) fn out_of_scope_since(known: Option<&StoredContribution>) -> Option<Timestamp> {
    let since = known.and_then(|it| it.out_of_scope_since);
    match known.is_some_and(|it| it.given.is_some()) {
        true => since,
        false => Some(since.unwrap_or(Timestamp::MIN)),
    }
}

/// The same as what it gives to the account.
pub(crate) fn contribution(
    world: &dyn World,
    connector: &LoadedConnector,
    about: (&Person<'_>, &[SourceGroup]),
    account: (&StoredAccount, Option<Timestamp>),
    occasion: (Timestamp, Trigger),
) -> Result<Contribution, ProvisionError> {
    let said = said(world, connector, about, account, occasion)?;
    Ok(given_by(connector, about.0.source, &said))
}

/// What a connector gives by what it says of a person.
pub(crate) fn given_by(
    connector: &LoadedConnector,
    source: SourceUserPk,
    said: &Outcome,
) -> Contribution {
    Contribution {
        connector: connector.connector.id,
        name: connector.connector.name.as_str().into(),
        source,
        given: Given::of(said),
    }
}

/// What a connector decides about an account of its own, or that is to be, with what others give to it beside those who do.
pub(crate) fn joined(
    tx: &ReadTx<'_>,
    owner: &LoadedConnector,
    (stored, account): (&SourceUser, &StoredAccount),
    gives: Vec<Contribution>,
    now: Timestamp,
) -> Result<Outcome, ProvisionError> {
    let id = owner.connector.id;
    let mut contributions = tx.contributions_to(account.user.pk)?;
    let is_anew = |one: &Contribution| gives.iter().any(|it| it.source == one.source);
    contributions.retain(|one| !is_anew(one) && one.connector != id);
    contributions.extend(gives);
    let user = stored.resource()?;
    let world = Stored::new(tx, &owner.connector);
    let overrides = said_about(&world, owner, account.user.pk)?;
    let groups = tx.effective_source_groups(stored.pk)?;
    let subject = Subject {
        user: Some(&user),
        groups: &groups,
        existing: Some(&account.account),
        now,
        trigger: Trigger::Reconcile,
        overrides: &overrides,
    };
    let shared = owner.precedence.as_ref().map(|precedence| Shared {
        owner: id,
        precedence,
        contributions: &contributions,
    });
    let around = Around::new(&world, &owner.rules, now, Some(account.user.pk));
    let outcome = directory::evaluate_shared(&subject, &owner.rules, &around, shared);
    around.checked().map(|()| outcome)
}

/// What the connector of an account would go on giving to it if the account were another one's.
pub(crate) fn given_by_owner(
    tx: &ReadTx<'_>,
    owner: &LoadedConnector,
    account: &StoredAccount,
) -> Result<Option<Contribution>, ProvisionError> {
    let Some(source) = account.source else {
        return Ok(None);
    };
    let Some(stored) = tx.source_user_by_pk(owner.connector.id, source)? else {
        return Ok(None);
    };
    let user = stored.resource()?;
    let person = Person {
        source,
        user: &user,
        is_new: false,
    };
    let groups = tx.effective_source_groups(source)?;
    let world = Stored::new(tx, &owner.connector);
    let about = (&person, groups.as_slice());
    let occasion = (tx.now(), Trigger::Reconcile);
    let account = (account, account.account.memory.out_of_scope_since);
    contribution(&world, owner, about, account, occasion).map(Some)
}

impl Provision {
    /// Keeps what a user says of an account of another connector; where that is something else than before, the
    /// account is decided about. False if there is no such account any more, so that the user may have one of its own.
    pub(crate) fn contribute(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        person: &Person<'_>,
        groups: &[SourceGroup],
        known: StoredContribution,
        cause: &Cause,
    ) -> Result<bool, ProvisionError> {
        let (id, source) = (connector.connector.id, person.source);
        let account = tx.account(known.user)?;
        let account = account.filter(|it| it.user.status != Status::Removed);
        let Some((owner, account)) = account.and_then(|it| Some((it.user.connector?, it))) else {
            tx.delete_contribution(source)?;
            return Ok(false);
        };
        let world = Stored::new(tx, &connector.connector);
        let occasion = (tx.now(), cause.trigger);
        let seen = (&account, out_of_scope_since(Some(&known)));
        let outcome = said(&world, connector, (person, groups), seen, occasion)?;
        tx.clear_due(source)?;
        tx.clear_name_conflict(source)?;
        flag(tx, id, person, &outcome)?;
        if let Some(at) = outcome.recheck_at {
            tx.mark_due(id, source, at, cause)?;
            self.wake_worker();
        }
        if connector.rules.looks_at_others() {
            tx.set_look_ups(id, source, outcome.sought())?;
        }
        let given = Given::of(&outcome);
        let contribution = StoredContribution {
            given: given.clone(),
            out_of_scope_since: outcome.memory.out_of_scope_since,
            ..known.clone()
        };
        if contribution != known {
            tx.put_contribution(id, source, &contribution)?;
        }
        if given == known.given && account.source.is_some() {
            return Ok(true);
        }
        let owner = self.require_connector(tx, owner)?;
        match account.source {
            Some(source) => self.settle(tx, &owner, source, cause)?,
            None => {
                self.pass_on(tx, &owner, &account, cause)?;
            }
        }
        if !connector.rules.creates_empty_groups() {
            self.appear_by(tx, connector, given.as_ref(), cause)?;
        }
        Ok(true)
    }

    /// Source groups that bring somebody into a group for the first time feed that one from now on.
    fn appear_by(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        given: Option<&Given>,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let mut used = Vec::new();
        for membership in given.into_iter().flat_map(|it| &it.memberships) {
            let group = tx.directory_group(connector.connector.directory, &membership.group)?;
            let sources = membership.origins.iter().filter_map(|origin| match origin {
                Origin::Idp(source) => Some(*source),
                _ => None,
            });
            used.extend(
                group
                    .into_iter()
                    .flat_map(|group| sources.clone().map(move |it| (it, group.pk))),
            );
        }
        self.appear(tx, connector, used, cause)
    }

    /// What the connector of an account would decide about it at a moment if another one gave this to it; none if it decides
    /// nothing.
    pub(crate) fn jointly(
        &self,
        tx: &ReadTx<'_>,
        account: &StoredAccount,
        gives: Contribution,
        now: Timestamp,
    ) -> Result<Option<(Arc<LoadedConnector>, Outcome)>, ProvisionError> {
        let (Some(owner), Some(source)) = (account.user.connector, account.source) else {
            return Ok(None);
        };
        let owner = self.require_connector(tx, owner)?;
        let stored = tx.source_user_by_pk(owner.connector.id, source)?;
        let active = owner.connector.state == ConnectorState::Active;
        let Some(stored) = stored.filter(|_| active && owner.precedence.is_some()) else {
            return Ok(None);
        };
        let outcome = joined(tx, &owner, (&stored, account), vec![gives], now)?;
        Ok(Some((owner, outcome)))
    }

    /// A user of the source goes, who spoke of an account of another connector.
    pub(crate) fn speak_no_more(
        &self,
        tx: &WriteTx<'_>,
        source: SourceUserPk,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let Some(known) = tx.contribution_of(source)? else {
            return Ok(());
        };
        tx.delete_contribution(source)?;
        let Some(account) = tx.account(known.user)? else {
            return Ok(());
        };
        match (account.user.connector, account.source) {
            (Some(owner), Some(source)) if known.given.is_some() => {
                let owner = self.require_connector(tx, owner)?;
                self.settle(tx, &owner, source, cause)
            }
            _ => Ok(()),
        }
    }

    /// The connector of an account has the person no more. If another one has, the account is that one's from now on:
    /// key and name stay, and nobody is disabled in between. False if there is nobody.
    pub(crate) fn pass_on(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        account: &StoredAccount,
        cause: &Cause,
    ) -> Result<bool, ProvisionError> {
        let Some(precedence) = &connector.precedence else {
            return Ok(false);
        };
        let contributions = tx.contributions_to(account.user.pk)?;
        let Some(heir) = precedence.heir(&contributions) else {
            return Ok(false);
        };
        let matched = tx.contribution_of(heir.source)?.map(|it| it.matched);
        let heirs = self.require_connector(tx, heir.connector)?;
        let Some(stored) = tx.source_user_by_pk(heir.connector, heir.source)? else {
            return Ok(false);
        };
        let resource = stored.resource()?;
        let user = account.user.pk;
        tx.give_account(user, heir.connector, heir.source, resource.external_id())?;
        let change = Change::LinkUser {
            name: account.user.name.clone(),
            by: matched.unwrap_or(MatchedBy::Username),
        };
        let (subject, directory) = (store::Subject::User(user), heirs.connector.directory);
        tx.append_journal(directory, subject, Some(&account.user.name), &change, cause)?;
        self.settle(tx, &heirs, heir.source, cause)?;
        Ok(true)
    }
}
