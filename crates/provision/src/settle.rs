//! Settling one person: ask the rules what the source means for the directory, carry that out.

use std::collections::{HashMap, HashSet};

use directory::identity::Met;
use directory::trace::Suppressed;
use directory::{
    Case, Cause, Change, ConnectorId, ConnectorState, Meeting, Moment, Outcome, Override,
    SourceUserPk, Status, Subject, Trigger, Verdict, value_errors,
};
use jiff::Timestamp;
use scim::name::echo;
use scim::{Resource, Warning, catalogue};
use store::{SourceUser, StoredAccount, StoredContribution, SubjectReader, WriteTx};

use crate::carry_out::{Target, carry_out};
use crate::decide::{Decision, Occasion, Taken, decide, said_about};
use crate::departed::{Departed, keep_if_unsettled};
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::places::{Place, ring};
use crate::safety::guarded_plan;
use crate::world::{Around, Stored, World};
use crate::{Provision, ProvisionError};

/// As many users are settled inside the transaction that affects them; more are marked as due.
pub(crate) const AT_ONCE_MAX: usize = 200;

/// Notes for whom the rules give a value that cannot be used (T20), and for whom switches keep something back (MO-05 to
/// MO-08): products keep what they had, so nothing else shows it.
pub(crate) fn flag(
    tx: &WriteTx<'_>,
    connector: ConnectorId,
    person: &Person<'_>,
    outcome: &Outcome,
) -> Result<(), ProvisionError> {
    let errors = value_errors(outcome);
    let suppressed: Vec<Suppressed> = outcome.suppressed().collect();
    match errors.is_empty() && suppressed.is_empty() {
        false => tx.note_flags(connector, person.source, &errors, &suppressed)?,
        true if person.is_new => {}
        true => tx.clear_flags(person.source)?,
    }
    Ok(())
}

/// What there is to tell of a person who was settled.
#[derive(Default)]
pub(crate) struct Settled {
    /// The account that a user without one has met.
    pub(crate) met: Option<Met>,
    /// What switches of the rules keep back.
    pub(crate) suppressed: Vec<Suppressed>,
    /// Who was settled in the same step.
    along: Vec<SourceUserPk>,
}

impl Settled {
    /// The same, settled together with others.
    pub(crate) fn along_with(mut self, others: &[Place]) -> Self {
        self.along = others.iter().map(|it| it.source).collect();
        self
    }

    fn of(decision: Decision) -> Self {
        Self {
            suppressed: decision.outcome.suppressed().collect(),
            met: decision.met,
            along: Vec::new(),
        }
    }

    /// The same for the record of the request that led to it (MO-05 to MO-08).
    pub(crate) fn warnings(self) -> impl Iterator<Item = Warning> {
        let met = self.met.into_iter();
        let met = met.map(|met| Warning::new("userName", met.text()));
        let suppressed = self.suppressed.into_iter();
        met.chain(suppressed.map(|it| Warning::new(it.switch(), it.text())))
    }
}

impl Provision {
    /// Brings the directory in line with what the source says about one user.
    pub(crate) fn settle(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        source: SourceUserPk,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        self.settle_one(tx, connector, source, cause)
            .map(|_settled| ())
    }

    pub(crate) fn settle_one(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        source: SourceUserPk,
        cause: &Cause,
    ) -> Result<Settled, ProvisionError> {
        let Some(stored) = tx.source_user_by_pk(connector.connector.id, source)? else {
            return Ok(Settled::default());
        };
        let user = stored.resource()?;
        let person = Person {
            source,
            user: &user,
            is_new: false,
        };
        self.settle_at(tx, connector, &person, cause, Moment::Later)
    }

    /// The same for several users, each with its cause; what is stored about them is read together. Returns for how many
    /// of them switches of the rules keep something back.
    pub(crate) fn settle_each(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        users: &[(SourceUserPk, &Cause)],
    ) -> Result<i64, ProvisionError> {
        let is_kept_back = |settled: &Settled| i64::from(!settled.suppressed.is_empty());
        if let [(user, cause)] = users {
            return Ok(is_kept_back(&self.settle_one(tx, connector, *user, cause)?));
        }
        let causes: HashMap<SourceUserPk, &Cause> = users.iter().copied().collect();
        let users: Vec<SourceUserPk> = users.iter().map(|(user, _)| *user).collect();
        let subjects = SubjectReader::new(tx, connector.connector.id).these(&users)?;
        let (mut kept_back, mut done) = (0, HashSet::new());
        for subject in subjects {
            let source = subject.user.pk;
            // What was read of whoever was settled along with another is out of date.
            let Some(cause) = causes.get(&source).filter(|_| !done.contains(&source)) else {
                continue;
            };
            let user = subject.user.resource()?;
            let person = Person {
                source,
                user: &user,
                is_new: false,
            };
            let occasion = (*cause, Moment::Later);
            let settled = self.settle_by(tx, connector, &person, Facts::from(subject), occasion)?;
            kept_back += is_kept_back(&settled);
            done.extend(settled.along);
        }
        Ok(kept_back)
    }

    /// The same for one whose resource is at hand, at a moment at which accounts may be given to users.
    pub(crate) fn settle_at(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        person: &Person<'_>,
        cause: &Cause,
        moment: Moment,
    ) -> Result<Settled, ProvisionError> {
        let facts = match connector.connector.state {
            ConnectorState::Active => Facts::of(tx, person)?,
            _ => Facts::default(),
        };
        self.settle_by(tx, connector, person, facts, (cause, moment))
    }

    fn settle_by(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        person: &Person<'_>,
        facts: Facts,
        (cause, moment): (&Cause, Moment),
    ) -> Result<Settled, ProvisionError> {
        let id = connector.connector.id;
        let source = person.source;
        if connector.connector.state != ConnectorState::Active {
            let now = tx.now();
            tx.mark_due(id, source, now, cause)?;
            return Ok(Settled::default());
        }
        if !connector.concerns(person, &facts) {
            tx.clear_due(source)?;
            return Ok(Settled::default());
        }
        if connector.precedence.is_some()
            && facts.account.is_none()
            && !person.is_new
            && let Some(known) = tx.contribution_of(source)?
            && self.contribute(tx, connector, person, &facts.groups, known, cause)?
        {
            return Ok(Settled::default());
        }
        let world = Stored::new(tx, &connector.connector);
        let occasion = Occasion {
            now: tx.now(),
            trigger: cause.trigger,
            moment,
        };
        let mut decision = decide(&world, connector, person, facts, occasion)?;
        if let Some(met) = &decision.met
            && met.effect == Meeting::Reject
        {
            return Err(rejected(person, met));
        }
        let facts = |person: &Person<'_>| Facts::of(tx, person);
        let ring = ring(tx, &world, connector, (source, &decision), occasion, facts)?;
        if !ring.is_empty()
            && let Some(settled) = self.change_places(tx, connector, &ring, cause)?
        {
            return Ok(settled);
        }
        if !person.is_new {
            tx.clear_due(source)?;
        }
        for id in &decision.ended {
            tx.delete_override(connector.connector.directory, *id)?;
        }
        if let Some(at) = decision.outcome.recheck_at {
            tx.mark_due(id, source, at, cause)?;
            self.wake_worker();
        }
        if connector.rules.looks_at_others() {
            tx.set_look_ups(id, source, decision.outcome.sought())?;
        }
        match &decision.taken {
            Some(Taken { name, by, .. }) => {
                tx.note_name_conflict(id, connector.connector.directory, source, name, *by)?;
            }
            None if person.is_new => {}
            None => tx.clear_name_conflict(source)?,
        }
        flag(tx, id, person, &decision.outcome)?;
        if let (Some(met), Some(account)) = (&decision.met, &decision.joins) {
            let known = StoredContribution {
                user: account.user.pk,
                matched: met.by,
                given: None,
                out_of_scope_since: None,
            };
            tx.put_contribution(id, source, &known)?;
            let groups = tx.effective_source_groups(source)?;
            self.contribute(tx, connector, person, &groups, known, cause)?;
            return Ok(Settled::of(decision));
        }
        if let (Some(existing), Verdict::Remove { .. }) =
            (&decision.existing, decision.outcome.verdict)
            && self.pass_on(tx, connector, existing, cause)?
        {
            return Ok(Settled::of(decision));
        }
        if let (Some(met), Some(account)) = (&decision.met, &decision.existing) {
            self.take_over(tx, connector, account, met, cause)?;
        }
        let target = Target {
            directory: connector.connector.directory,
            connector: Some(connector.connector.id),
            source: Some(source),
            external_id: person.user.external_id(),
            existing: decision.existing.as_ref(),
        };
        let outcome = &mut decision.outcome;
        let plan = guarded_plan(tx, connector, target.existing, outcome, cause)?;
        let used = carry_out(tx, &target, &plan, cause)?;
        if !connector.rules.creates_empty_groups() {
            self.appear(tx, connector, used, cause)?;
        }
        Ok(Settled::of(decision))
    }

    /// An account becomes that of a user of this connector. A password that was kept here ends, since from now on
    /// the identity provider says who logs in; the user of another connector who had the account is looked at again.
    fn take_over(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        account: &StoredAccount,
        met: &Met,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let change = Change::LinkUser {
            name: met.name.clone(),
            by: met.by,
        };
        let (subject, directory) = (
            store::Subject::User(account.user.pk),
            connector.connector.directory,
        );
        tx.append_journal(directory, subject, Some(&met.name), &change, cause)?;
        match (account.user.connector, account.source) {
            (None, _) => tx.set_local_password(account.user.pk, None)?,
            (Some(other), Some(source)) => {
                tx.mark_due(other, source, tx.now(), cause)?;
                self.wake_worker();
            }
            (Some(_), None) => {}
        }
        Ok(())
    }

    /// Brings the directory in line with the deletion of a user that is about to happen.
    pub(crate) fn settle_deletion(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        user: &SourceUser,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let source = user.pk;
        let account = tx.account_of_source(source)?;
        if let Some(account) = &account {
            keep_if_unsettled(tx, user, account)?;
        }
        if connector.connector.state != ConnectorState::Active {
            // The account stays as it is; the worker comes to it, in the order of what was written, when the connector is
            // active again. What the user gave to an account of another connector goes when that one is decided about again.
            if let Some(account) = account.filter(|it| it.user.status != Status::Removed) {
                tx.set_account_due(account.user.pk, Some(tx.now()), Some(cause))?;
            }
            return Ok(tx.delete_contribution(source)?);
        }
        match account {
            Some(existing) => self.settle_deleted(tx, connector, &existing, cause),
            None if connector.precedence.is_some() => self.speak_no_more(tx, source, cause),
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
        if self.pass_on(tx, connector, existing, cause)? {
            return Ok(());
        }
        let world = Stored::new(tx, &connector.connector);
        let overrides = said_about(&world, connector, existing.user.pk)?;
        let now = tx.now();
        let departed = Departed::of(tx, existing)?;
        let mut outcome = deleted(
            &world,
            (existing, departed.as_ref()),
            connector,
            (now, cause.trigger),
            &overrides,
        )?;
        if existing.due_at != outcome.recheck_at {
            tx.set_account_due(existing.user.pk, outcome.recheck_at, None)?;
            self.wake_worker();
        }
        let suppressed: Vec<Suppressed> = outcome.suppressed().collect();
        tx.note_suppressed_account(connector.connector.id, existing.user.pk, &suppressed)?;
        let target = Target {
            directory: connector.connector.directory,
            connector: Some(connector.connector.id),
            source: None,
            external_id: existing.user.external_id.as_deref(),
            existing: Some(existing),
        };
        let plan = guarded_plan(tx, connector, Some(existing), &mut outcome, cause)?;
        carry_out(tx, &target, &plan, cause)?;
        if departed.is_some() && outcome.kept_back().next().is_none() {
            tx.forget_departed(existing.user.pk)?;
        }
        for one in overrides.iter().filter(|it| !it.stands(None, &[], now)) {
            tx.delete_override(connector.connector.directory, one.id)?;
        }
        Ok(())
    }

    /// Owes those an evaluation who were decided about with a look at a user that appears, changes or goes (XF-32).
    pub(crate) fn tell_lookers(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        id: &str,
        before: Option<&Resource>,
        after: Option<&Resource>,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let mut marked = 0;
        for (by, value) in connector.rules.seen_by_others(id, before, after) {
            marked += tx.mark_lookers_due(connector.connector.id, by, value, cause)?;
        }
        if marked > 0 {
            self.wake_worker();
        }
        Ok(())
    }
}

/// The identity provider learns that there is somebody; whose account it is, is not its business.
fn rejected(person: &Person<'_>, met: &Met) -> ProvisionError {
    catalogue::USER_NAME_TAKEN
        .error(format!(
            "An account for the user '{}' exists already and is not given to this connector. Its {} is the same. An \
             administrator can link both, or change the rule identity.on_existing.",
            echo(person.user.user_name().unwrap_or_default()),
            met.by.as_str()
        ))
        .into()
}

/// What the rules and the administrators say of an account whose user the IdP deleted.
pub(crate) fn deleted(
    world: &dyn World,
    about: (&StoredAccount, Option<&Departed>),
    connector: &LoadedConnector,
    occasion: (Timestamp, Trigger),
    overrides: &[Override],
) -> Result<Outcome, ProvisionError> {
    let outcome = |case: &Case<'_>| case.outcome();
    with_deleted(world, about, connector, occasion, overrides, outcome)
}

/// Puts together what is decided from about an account whose user the IdP deleted, and asks something of it.
pub(crate) fn with_deleted<T>(
    world: &dyn World,
    (existing, departed): (&StoredAccount, Option<&Departed>),
    connector: &LoadedConnector,
    (now, trigger): (Timestamp, Trigger),
    overrides: &[Override],
    ask: impl FnOnce(&Case<'_>) -> T,
) -> Result<T, ProvisionError> {
    let left = departed
        .map(|it| it.left_with(world, connector, existing, (now, trigger), overrides))
        .transpose()?;
    let around = Around::new(world, &connector.rules, now, Some(existing.user.pk));
    let answer = ask(&Case {
        subject: Subject {
            user: None,
            groups: &[],
            existing: Some(left.as_ref().unwrap_or(&existing.account)),
            now,
            trigger,
            overrides,
        },
        rules: &connector.rules,
        around: &around,
        shared: None,
    });
    around.checked().map(|()| answer)
}
