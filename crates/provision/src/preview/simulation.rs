//! The simulation: what a run over a connector's users would do by some rules, without doing it.

mod ring;
mod shared;
mod told;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use directory::rules::Target;
use directory::{
    ConnectorId, Outcome, Plan, SourceGroupPk, SourceUserPk, Trigger, ValueError, value_errors,
};
use store::{ReadTx, StoredAccount, StoredSubject, SubjectReader};

use super::foresight::{Fits, ForeseenHold, Foresight};
use super::grace::Graces;
use super::overlay::Overlay;
use super::reviews::Reviews;
use super::summary::PreviewSummary;
use super::user::PreviewedUser;
use crate::decide::{Decision, Occasion, decide, said_about};
use crate::departed::Departed;
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::places::Place;
use crate::settle::deleted;
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
}
