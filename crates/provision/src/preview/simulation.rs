//! The simulation: what a run over a connector's users would do by some rules, without doing it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use directory::name::folded;
use directory::rules::Target;
use directory::{
    Account, Change, ConnectorId, Operation, Outcome, Plan, SourceGroup, SourceGroupPk,
    SourceUserPk, Status, Trigger, UserPk, ValueError, value_errors,
};
use store::{ReadTx, StoredAccount, StoredContribution, StoredSubject, SubjectReader};

use super::foresight::{Fits, ForeseenHold, Foresight};
use super::grace::{AfterGrace, Graces};
use super::overlay::{Holder, Overlay};
use super::reviews::Reviews;
use super::summary::{NAMES_MAX, PreviewSummary};
use super::user::{PreviewedAccount, PreviewedUser, tell};
use crate::decide::{Decision, Occasion, decide, said_about};
use crate::departed::Departed;
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::name_holder::NameHolder;
use crate::places::{Place, ring};
use crate::settle::deleted;
use crate::sharing::{given_by, out_of_scope_since, said};
use crate::world::Stored;
use crate::{Provision, ProvisionError};

/// Users read together.
const CHUNK_MAX: usize = 512;
/// No limit.
const ALL: usize = usize::MAX;
/// Accounts of deleted users that are looked at.
const LEFT_BEHIND_MAX: i64 = 1_000_000;

/// Whom a simulation looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    /// Every user of the connector.
    All,
    /// So many users of the connector, the oldest.
    First(usize),
    /// One user.
    User(SourceUserPk),
    /// The users below a group, at any depth.
    Group(SourceGroupPk),
}

impl Range {
    /// How many users are in it.
    pub(super) fn size(self, tx: &ReadTx<'_>, id: ConnectorId) -> Result<i64, ProvisionError> {
        let count = match self {
            Range::All => return Ok(tx.source_counts(id)?.users),
            Range::User(_) => 1,
            Range::First(count) => count,
            Range::Group(group) => tx.source_users_below(group, ALL)?.len(),
        };
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// What a simulation does with what it finds.
pub(crate) trait Audience {
    /// A user for whom something would change, or cannot.
    fn user(&mut self, user: PreviewedUser) -> Result<(), ProvisionError>;

    /// So many users were looked at.
    fn progress(&mut self, looked_at: u64) -> Result<(), ProvisionError>;

    /// Whether it is told of users as well for whom nothing would change.
    fn wants_everybody(&self) -> bool {
        false
    }
}

/// A run by some rules.
pub(crate) struct Simulation<'t, 'c, 'a> {
    provision: &'t Provision,
    tx: &'t ReadTx<'c>,
    /// The connector with the rules that are tried.
    tried: &'t Arc<LoadedConnector>,
    /// The connector as it is.
    present: &'t LoadedConnector,
    world: Overlay<'t, 'c>,
    /// What the limits would hold; none where that is not asked for.
    foresight: Option<Foresight<'t, 'c>>,
    graces: Option<Graces<'t, 'c>>,
    reviews: Reviews<'t, 'c>,
    /// How the names of groups are written that are there or would be by now, by their folds.
    groups: HashMap<String, String>,
    summary: PreviewSummary,
    /// What the rules in force or those that are tried hide.
    hidden: BTreeSet<Target>,
    /// In which whoever was looked at last waits.
    ring: Vec<Place>,
    /// Who was looked at along with others, out of turn.
    along: HashSet<SourceUserPk>,
    audience: &'a mut dyn Audience,
}

impl<'t, 'c, 'a> Simulation<'t, 'c, 'a> {
    pub(crate) fn new(
        provision: &'t Provision,
        tx: &'t ReadTx<'c>,
        present: &'t LoadedConnector,
        tried: &'t Arc<LoadedConnector>,
        audience: &'a mut dyn Audience,
    ) -> Self {
        Self {
            provision,
            tx,
            tried,
            present,
            world: Overlay::new(tx, &tried.connector),
            foresight: None,
            graces: Graces::of(provision, tx, tried),
            reviews: Reviews::new(tx, tried, present),
            groups: HashMap::new(),
            summary: PreviewSummary::default(),
            hidden: &tried.rules.hidden() | &present.rules.hidden(),
            ring: Vec::new(),
            along: HashSet::new(),
            audience,
        }
    }

    /// The same with a look at what the safety limits would hold.
    pub(super) fn within_limits(mut self, fits: Fits) -> Self {
        self.foresight = Some(Foresight::new(self.tx, fits));
        if let Some(graces) = &mut self.graces {
            graces.look_at_limits();
        }
        self
    }

    /// The same with what is held already, which stays as it is.
    pub(super) fn with_holds(mut self) -> Self {
        self.foresight = Some(Foresight::held_already(self.tx));
        self
    }

    /// Looks at everybody in the range, and says whether all that would be taken away is within the limits.
    pub(super) fn fits(mut self, range: Range) -> Result<Fits, ProvisionError> {
        self.look_at_range(range)?;
        self.foresight.map_or(Ok(Fits::new()), |it| it.fits())
    }

    /// Looks at everybody in the range, in the order in which the worker would settle them.
    pub(crate) fn run(mut self, range: Range) -> Result<PreviewSummary, ProvisionError> {
        self.look_at_range(range)?;
        if let Some(graces) = self.graces {
            self.summary.after_grace = graces.forecast(self.tried.connector.id)?;
        }
        self.summary.waiting_groups = self.reviews.begin_to_wait();
        let Some(foresight) = self.foresight else {
            return Ok(self.summary);
        };
        let all = foresight.forecasts(self.tried.connector.id)?;
        self.summary.held_by_group = all.held_by_group;
        self.summary.limits = all.limits;
        self.summary.limits_of_others = all.limits_of_others;
        Ok(self.summary)
    }

    fn look_at_range(&mut self, range: Range) -> Result<(), ProvisionError> {
        let mut reader = SubjectReader::new(self.tx, self.tried.connector.id);
        match range {
            Range::All => {
                self.look_at_groups()?;
                let mut last = SourceUserPk(0);
                loop {
                    let subjects = reader.after(last, CHUNK_MAX as i64)?;
                    let Some(subject) = subjects.last() else {
                        break;
                    };
                    last = subject.user.pk;
                    self.look_at_all(subjects)?;
                }
                self.look_at_left_behind()?;
            }
            Range::First(count) => {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                self.look_at_all(reader.after(SourceUserPk(0), count)?)?;
            }
            Range::User(user) => self.look_at_all(reader.these(&[user])?)?,
            Range::Group(group) => {
                let mut users = self.tx.source_users_below(group, ALL)?;
                users.sort_unstable();
                for chunk in users.chunks(CHUNK_MAX) {
                    self.look_at_all(reader.these(chunk)?)?;
                }
            }
        }
        self.look_again(&mut reader)
    }

    /// The way from an account to what its connector decided, without what would be held; and that.
    fn guarded(
        &mut self,
        connector: &Arc<LoadedConnector>,
        existing: Option<&StoredAccount>,
        outcome: &mut Outcome,
    ) -> Result<(Plan, Vec<ForeseenHold>), ProvisionError> {
        let held = match (&mut self.foresight, existing) {
            (Some(foresight), Some(existing)) => {
                foresight.keep_back(connector, existing, outcome)?
            }
            _ => Vec::new(),
        };
        let account = existing.map(|it| &it.account);
        Ok((directory::plan(account, outcome), held))
    }

    fn look_at_all(&mut self, subjects: Vec<StoredSubject>) -> Result<(), ProvisionError> {
        for subject in subjects {
            self.look_in_turn(subject)?;
            self.summary.users += 1;
        }
        self.audience.progress(self.summary.users)
    }

    /// Looks at a user, and at those with whom it changes names in one step.
    fn look_in_turn(&mut self, subject: StoredSubject) -> Result<(), ProvisionError> {
        if self.along.contains(&subject.user.pk) {
            return Ok(());
        }
        let looked = self.look_at(subject)?;
        let ring = std::mem::take(&mut self.ring);
        if ring.is_empty() {
            return self.tell_unless_waiting(looked);
        }
        self.forget_last();
        for place in &ring {
            self.world.set_aside(&place.name);
        }
        let mut reader = SubjectReader::new(self.tx, self.tried.connector.id);
        for place in ring {
            for subject in reader.these(&[place.source])? {
                let looked = self.look_at(subject)?;
                self.tell_unless_waiting(looked)?;
            }
            self.world.forget_former(&place.name);
            self.along.insert(place.source);
        }
        Ok(())
    }

    /// Whoever waits for a name may get it when somebody else is looked at, and is told of then.
    fn tell_unless_waiting(&mut self, looked: PreviewedUser) -> Result<(), ProvisionError> {
        if looked.taken_name.is_none() {
            return self.tell(looked);
        }
        self.forget_last();
        Ok(())
    }

    /// What was looked at last does not stand.
    fn forget_last(&mut self) {
        if let Some(foresight) = &mut self.foresight {
            foresight.forget();
        }
        if let Some(graces) = &mut self.graces {
            graces.forget();
        }
    }

    /// Those who waited for a name that became free, until nobody gets one any more; then those who wait still.
    fn look_again(&mut self, reader: &mut SubjectReader<'t, 'c>) -> Result<(), ProvisionError> {
        loop {
            let users = self.world.to_repeat();
            if users.is_empty() {
                break;
            }
            for subject in users.chunks(CHUNK_MAX).map(|chunk| reader.these(chunk)) {
                for subject in subject? {
                    self.look_in_turn(subject)?;
                }
            }
        }
        for chunk in self.world.waiting().chunks(CHUNK_MAX) {
            for subject in reader.these(chunk)? {
                let looked = self.look_at(subject)?;
                self.tell(looked)?;
            }
        }
        Ok(())
    }

    fn look_at(&mut self, mut subject: StoredSubject) -> Result<PreviewedUser, ProvisionError> {
        let source = subject.user.pk;
        let user = subject.user.resource()?;
        let id = std::mem::take(&mut subject.user.id);
        let person = Person {
            source,
            user: &user,
            is_new: false,
        };
        self.world.about(source);
        let mut facts = Facts::from(subject);
        self.reviews.foresee(&mut facts.groups)?;
        let concerned = self.tried.concerns(&person, &facts);
        let shares = concerned && self.tried.precedence.is_some() && facts.account.is_none();
        let known = match shares {
            true => self.tx.contribution_of(source)?,
            false => None,
        };
        if let Some(known) = &known
            && let Some(account) = self.tx.account(known.user)?
            && let Some(looked) =
                self.look_at_shared(&id, (&person, &facts.groups), &account, Some(known))?
        {
            return Ok(looked);
        }
        let has_grace = self.graces.is_some() && concerned && facts.account.is_some();
        let groups = has_grace.then(|| facts.groups.clone());
        let decision = decide(&self.world, self.tried, &person, facts, self.occasion())?;
        if concerned {
            self.ring = self.ring_around(source, &decision)?;
        }
        let Decision {
            mut outcome,
            existing,
            taken,
            joins,
            ..
        } = decision;
        if let Some(account) = joins.filter(|_| shares && known.is_none()) {
            let mut groups = self.tx.effective_source_groups(source)?;
            self.reviews.foresee(&mut groups)?;
            if let Some(looked) = self.look_at_shared(&id, (&person, &groups), &account, None)? {
                return Ok(looked);
            }
        }
        // Whom a pilot leaves out stays as is.
        let (plan, held) = match concerned {
            true => self.guarded(self.tried, existing.as_ref(), &mut outcome)?,
            false => Default::default(),
        };
        let taken = taken.filter(|_| concerned).map(|taken| taken.name);
        self.world
            .take(source, existing.as_ref(), &plan, taken.as_deref());
        let after_grace = match (&mut self.graces, groups, &existing, outcome.grace_until()) {
            (Some(graces), Some(groups), Some(existing), Some(at)) => {
                graces.look_ahead(&self.world, (&person, groups), (existing, &plan), at)?
            }
            _ => None,
        };
        let found = (plan, held, after_grace);
        let mut looked = self.looked(existing.as_ref(), &outcome, found, taken)?;
        looked.id = Some(id);
        looked.user_name = user.user_name().unwrap_or_default().to_owned();
        if looked.taken_name.is_some() || !looked.errors.is_empty() {
            looked.is_new_problem = self.is_new_problem(&person, &looked)?;
        }
        Ok(looked)
    }

    fn ring_around(
        &mut self,
        source: SourceUserPk,
        decision: &Decision,
    ) -> Result<Vec<Place>, ProvisionError> {
        let (tx, occasion) = (self.tx, self.occasion());
        let facts = |person: &Person<'_>| {
            let mut facts = Facts::of(tx, person)?;
            self.reviews.foresee(&mut facts.groups)?;
            Ok(facts)
        };
        let about = (source, decision);
        let ring = ring(tx, &self.world, self.tried, about, occasion, facts)?;
        let users: Vec<UserPk> = ring.iter().map(|place| place.user).collect();
        let goes = match &mut self.foresight {
            Some(foresight) if !ring.is_empty() => foresight.lets_rename(self.tried, &users)?,
            _ => true,
        };
        Ok(if goes { ring } else { Vec::new() })
    }

    /// Somebody who speaks of an account of another connector, or would: what would become of that one.
    fn look_at_shared(
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

    /// Whether the present rules get along with a user better than those that are tried.
    fn is_new_problem(
        &self,
        person: &Person<'_>,
        looked: &PreviewedUser,
    ) -> Result<bool, ProvisionError> {
        if self.present.connector.rules == self.tried.connector.rules {
            return Ok(false);
        }
        let mut reader = SubjectReader::new(self.tx, self.present.connector.id);
        let Some(subject) = reader.these(&[person.source])?.pop() else {
            return Ok(false);
        };
        let world = Stored::new(self.tx, &self.present.connector);
        let now = decide(
            &world,
            self.present,
            person,
            Facts::from(subject),
            self.occasion(),
        )?;
        let known = value_errors(&now.outcome);
        let is_known = |error: &ValueError| known.contains(error);
        let lost_name = looked.taken_name.is_some() && now.taken.is_none();
        Ok(lost_name || !looked.errors.iter().all(is_known))
    }

    /// Accounts whose users were deleted while the connector was paused.
    fn look_at_left_behind(&mut self) -> Result<(), ProvisionError> {
        let connector = self.tried.connector.id;
        let mut deleted_meanwhile = self.tx.accounts_left_behind(connector, LEFT_BEHIND_MAX)?;
        let due = self.tx.accounts_due(connector, LEFT_BEHIND_MAX)?;
        deleted_meanwhile.extend(due.into_iter().map(|account| account.user));
        for user in deleted_meanwhile {
            let Some(account) = self.tx.account(user)? else {
                continue;
            };
            let overrides = said_about(&self.world, self.tried, account.user.pk)?;
            let occasion = (self.tx.now(), Trigger::Reconcile);
            let departed = Departed::of(self.tx, &account)?;
            let about = (&account, departed.as_ref());
            let mut outcome = deleted(&self.world, about, self.tried, occasion, &overrides)?;
            let (plan, held) = self.guarded(self.tried, Some(&account), &mut outcome)?;
            self.world.take_deleted(&account, &plan);
            let looked = self.looked(Some(&account), &outcome, (plan, held, None), None)?;
            self.tell(looked)?;
        }
        Ok(())
    }

    fn occasion(&self) -> Occasion {
        Occasion {
            now: self.tx.now(),
            trigger: Trigger::Reconcile,
            moment: directory::Moment::Later,
        }
    }

    fn looked(
        &mut self,
        existing: Option<&StoredAccount>,
        outcome: &Outcome,
        (plan, held, after_grace): (Plan, Vec<ForeseenHold>, Option<AfterGrace>),
        taken_name: Option<String>,
    ) -> Result<PreviewedUser, ProvisionError> {
        let errors = value_errors(outcome);
        let before = existing.map(|it| &it.account);
        let mut operations =
            Operation::all_of(&plan, outcome, taken_name.is_some(), !errors.is_empty());
        // What was held before is no work of these rules.
        if held.iter().any(|it| !it.stands) {
            tell(&mut operations, Operation::Held);
        }
        if after_grace.is_some() {
            tell(&mut operations, Operation::Grace);
        }
        let is_shown = self.audience.wants_everybody()
            || !plan.changes.is_empty()
            || !operations.contains(&Operation::Unchanged);
        let after = is_shown.then(|| directory::apply(before, &plan)).flatten();
        for change in &plan.changes {
            if let Change::AddMembership { group, .. } = change {
                self.look_at_group(group)?;
            }
        }
        Ok(PreviewedUser {
            id: None,
            user_name: existing.map_or_else(String::new, |it| it.user.name.clone()),
            operations,
            before: self.account(before.filter(|_| is_shown)),
            after: self.account(after.as_ref()),
            changes: plan.changes,
            held,
            after_grace,
            taken_name,
            taken_by: None,
            errors,
            is_new_problem: false,
        })
    }

    fn tell(&mut self, mut looked: PreviewedUser) -> Result<(), ProvisionError> {
        if let Some(foresight) = &mut self.foresight {
            foresight.count();
        }
        if let (Some(graces), Some(after)) = (&mut self.graces, &looked.after_grace) {
            graces.count(after);
        }
        for operation in &looked.operations {
            *self.summary.operations.entry(*operation).or_default() += 1;
        }
        let is_seen = |operation: &Operation| operation.is_seen();
        self.summary.changed += u64::from(looked.operations.iter().any(is_seen));
        self.summary.problems += u64::from(looked.is_new_problem);
        if looked.is_noteworthy() || self.audience.wants_everybody() {
            if let Some(name) = &looked.taken_name {
                looked.taken_by = self.holder_of(name)?;
            }
            looked.redact(&self.hidden);
            self.audience.user(looked)?;
        }
        Ok(())
    }

    fn holder_of(&self, name: &str) -> Result<Option<NameHolder>, ProvisionError> {
        let holder = match self.world.holder_of(name)? {
            Some(Holder::Account(user)) => {
                let account = self.tx.account(user)?;
                return account
                    .map(|it| NameHolder::of(self.tx, &it.user))
                    .transpose();
            }
            Some(Holder::New(source)) => source,
            None => return Ok(None),
        };
        let connector = &self.tried.connector;
        let Some(user) = self.tx.source_user_by_pk(connector.id, holder)? else {
            return Ok(None);
        };
        Ok(Some(NameHolder {
            key: None,
            name: user.resource()?.user_name().unwrap_or_default().to_owned(),
            connector: Some(connector.name.clone()),
        }))
    }

    /// With new rules, source groups can feed groups that are not there yet, also without members.
    fn look_at_groups(&mut self) -> Result<(), ProvisionError> {
        if !self.tried.rules.creates_empty_groups() {
            return Ok(());
        }
        for group in self.tx.source_groups_all(self.tried.connector.id)? {
            if let Some(name) = self
                .tried
                .rules
                .effective_group(&self.tx.seen_by_rules(&group)?)
            {
                self.look_at_group(&name)?;
            }
        }
        Ok(())
    }

    fn look_at_group(&mut self, name: &str) -> Result<(), ProvisionError> {
        let fold = folded(name).into_owned();
        if self.groups.contains_key(&fold) {
            return Ok(());
        }
        let directory = self.tried.connector.directory;
        let found = self.tx.directory_group(directory, name)?;
        if found.is_none() && self.summary.new_groups.len() < NAMES_MAX {
            self.summary.new_groups.push(name.to_owned());
        }
        let spelling = found.map_or_else(|| name.to_owned(), |group| group.name);
        self.groups.insert(fold, spelling);
        Ok(())
    }

    /// An account with the names of its groups as the directory writes them.
    fn account(&self, account: Option<&Account>) -> Option<PreviewedAccount> {
        let mut account = PreviewedAccount::of(account?)?;
        for group in &mut account.groups {
            if let Some(spelling) = self.groups.get(folded(group).as_ref()) {
                group.clone_from(spelling);
            }
        }
        Some(account)
    }
}
