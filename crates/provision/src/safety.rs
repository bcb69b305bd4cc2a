//! Safety: what passes a connector's limits is held, and what does not is counted (PL-05, step 11).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use directory::name::{folded, same};
use directory::{
    Cause, Change, DirectoryId, Guarded, Guarding, Held, HoldKind, HoldState, Outcome, Plan,
    ReconcileMode, SourceGroupPk, Tally, Trigger, UserPk, WindowCounts, all_fit,
    collects_child_groups, guard, lets_child_group_leave, lets_group_go, worsens,
};
use jiff::{SignedDuration, Timestamp};
use store::{HoldDraft, Passed, PassedQuery, ReadTx, SourceGroup, StoredAccount, WriteTx};

use crate::ProvisionError;
use crate::loaded::LoadedConnector;

/// The plan for a decision with everything taken out that has to wait; what waits is noted, and so is what counts.
/// A decision that takes nothing away costs nothing here.
pub(crate) fn guarded_plan(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    existing: Option<&StoredAccount>,
    outcome: &mut Outcome,
    cause: &Cause,
) -> Result<Plan, ProvisionError> {
    let account = existing.map(|found| &found.account);
    let plan = directory::plan(account, outcome);
    let Some(existing) = existing.filter(|found| concerns(connector, found, &plan)) else {
        return Ok(plan);
    };
    let below = name_below(tx, connector, existing, &plan)?;
    let all_or_nothing = connector.limits.settings().reconcile == ReconcileMode::AllOrNothing;
    let manner = Manner {
        name_is_below: below.is_some(),
        renames_wait: connector.rules.holds_renames(),
        collects: all_or_nothing && cause.trigger == Trigger::Reconcile,
    };
    let (guarded, fresh) = look(tx, connector, existing, &plan, manner, outcome)?;
    record(tx, connector, existing, &guarded, manner, cause)?;
    let renames = outcome.attributes.username != existing.user.name;
    if let (Some((directory, name)), Some(source), false) = (below, existing.source, renames) {
        let by = directory::MatchedBy::Username;
        tx.note_name_conflict(connector.connector.id, directory, source, &name, by)?;
    }
    for (tally, base) in fresh {
        tx.keep_limit_base(connector.connector.id, &tally, base)?;
    }
    Ok(directory::plan(account, outcome))
}

/// Takes out of a decision what has to wait, without noting anything.
pub(crate) fn guard_silently(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    existing: Option<&StoredAccount>,
    outcome: &mut Outcome,
) -> Result<(), ProvisionError> {
    let account = existing.map(|found| &found.account);
    let plan = directory::plan(account, outcome);
    if let Some(existing) = existing.filter(|found| concerns(connector, found, &plan)) {
        let below = name_below(tx, connector, existing, &plan)?;
        let manner = Manner {
            name_is_below: below.is_some(),
            renames_wait: connector.rules.holds_renames(),
            collects: false,
        };
        look(tx, connector, existing, &plan, manner, outcome)?;
    }
    Ok(())
}

/// What else the guard goes by.
#[derive(Clone, Copy)]
struct Manner {
    name_is_below: bool,
    renames_wait: bool,
    collects: bool,
}

impl Manner {
    /// What a hold that begins waits for: an administrator, or the end of the evaluation of everybody. A name about
    /// which somebody has to think is within no limit.
    fn state_of(self, kind: HoldKind) -> HoldState {
        let asks = kind == HoldKind::Rename && (self.name_is_below || self.renames_wait);
        match self.collects && !asks {
            true => HoldState::Collected,
            false => HoldState::Open,
        }
    }
}

pub(crate) fn concerns(connector: &LoadedConnector, existing: &StoredAccount, plan: &Plan) -> bool {
    existing.holds > 0
        || new_name(plan).is_some()
        || (connector.limits.guard_anything() && worsens(plan))
}

/// The user name that a plan gives somebody who had another one.
fn new_name(plan: &Plan) -> Option<&str> {
    plan.changes.iter().find_map(|change| match change {
        Change::RenameUser { to, .. } => Some(to.as_str()),
        _ => None,
    })
}

/// The directory further down that has somebody of the name that a plan gives, and the name (US-28): for the products
/// the two would become one.
pub(crate) fn name_below(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    existing: &StoredAccount,
    plan: &Plan,
) -> Result<Option<(DirectoryId, String)>, ProvisionError> {
    let Some(name) = new_name(plan).filter(|name| !same(name, &existing.user.name)) else {
        return Ok(None);
    };
    let found = tx.name_further_down(connector.connector.directory, name)?;
    Ok(found.map(|directory| (directory, name.to_owned())))
}

/// Asks the guard. Besides what it says: what was counted anew on the way.
fn look(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    existing: &StoredAccount,
    plan: &Plan,
    manner: Manner,
    outcome: &mut Outcome,
) -> Result<(Guarded, BTreeMap<Tally, u64>), ProvisionError> {
    let user = existing.user.pk;
    let standing = match existing.holds {
        0 => Vec::new(),
        _ => tx.standing_holds(user)?,
    };
    let lost = Lost::by(plan);
    let window = Window::of(tx, connector, Some(user), &lost)?;
    let guarding = Guarding {
        account: &existing.account,
        standing: &standing,
        deletions: &window.passed.deletions,
        limits: &connector.limits,
        name_is_below: manner.name_is_below,
        renames_wait: manner.renames_wait,
        collects: manner.collects,
    };
    let guarded = guard(&guarding, outcome, &window)?;
    Ok((guarded, window.fresh.into_inner()))
}

fn record(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    existing: &StoredAccount,
    guarded: &Guarded,
    manner: Manner,
    cause: &Cause,
) -> Result<(), ProvisionError> {
    let (id, user) = (connector.connector.id, existing.user.pk);
    tx.note_passed(id, Some(user), &guarded.passed)?;
    for (hold, state) in &guarded.ended {
        tx.end_hold(*hold, Some(user), *state)?;
    }
    for (hold, held) in &guarded.renewed {
        tx.renew_hold(*hold, held)?;
    }
    for held in &guarded.begun {
        let draft = HoldDraft {
            connector: id,
            directory: connector.connector.directory,
            user: Some((user, &existing.user.name)),
            source_group: None,
            held,
            state: manner.state_of(held.kind),
        };
        tx.insert_hold(&draft, cause)?;
    }
    Ok(())
}

/// Judges the deletion of a source group: when too many go, or too many are in this one, nobody loses the group that
/// it feeds until somebody decides. Call it before the users in it are settled.
pub(crate) fn guard_group_deletion(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    group: &SourceGroup,
    cause: &Cause,
) -> Result<(), ProvisionError> {
    if group.member_count == 0 || !connector.limits.guard_anything() {
        return Ok(());
    }
    let Some(fed) = tx.bound_group(group.pk)? else {
        return Ok(());
    };
    if tx.count_bindings(fed.pk)? > 1 {
        // Others feed it as well: users leave it one by one, and are counted so.
        return Ok(());
    }
    let lost = Lost {
        groups: BTreeSet::from([folded(&fed.name).into_owned()]),
        sources: BTreeSet::new(),
    };
    let window = Window::of(tx, connector, None, &lost)?;
    let members = u64::try_from(group.member_count).unwrap_or_default();
    let goes = lets_group_go(&connector.limits, &fed.name, members, &window)?;
    for (tally, base) in window.fresh.into_inner() {
        tx.keep_limit_base(connector.connector.id, &tally, base)?;
    }
    if goes {
        tx.note_passed(connector.connector.id, None, &[Tally::GroupDeletions])?;
        return Ok(());
    }
    let held = Held {
        kind: HoldKind::GroupDeletion,
        change: Change::DeleteGroup {
            name: fed.name.clone(),
        },
        mark: String::new(),
        group: fed.name,
    };
    let draft = HoldDraft {
        connector: connector.connector.id,
        directory: connector.connector.directory,
        user: None,
        source_group: Some(group.pk),
        held: &held,
        state: HoldState::Open,
    };
    tx.insert_hold(&draft, cause)?;
    Ok(())
}

/// Judges whether a group may leave another one: those below it would lose that one. What waits is noted, and so is
/// what counts.
pub(crate) fn guard_child_group(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    (parent, child): (&str, directory::GroupPk),
    standing: Option<(i64, HoldState)>,
    change: &Change,
    cause: &Cause,
) -> Result<bool, ProvisionError> {
    let (id, directory) = (connector.connector.id, connector.connector.directory);
    match standing {
        Some((hold, HoldState::Approved)) => {
            tx.end_hold(hold, None, HoldState::Released)?;
            return Ok(true);
        }
        Some(_) => return Ok(false),
        None => {}
    }
    let fold = folded(parent).into_owned();
    if !connector.limits.guard_anything() || connector.rules.flattens_nesting() {
        return Ok(true);
    }
    let members = u64::try_from(tx.count_users_below_group(child)?).unwrap_or_default();
    let lost = Lost {
        groups: BTreeSet::from([fold.clone()]),
        sources: BTreeSet::new(),
    };
    let window = Window::of(tx, connector, None, &lost)?;
    // What is held until all of it is known counts at the end.
    let collects =
        cause.trigger == Trigger::Reconcile && collects_child_groups(&connector.limits, parent);
    let goes = !collects && lets_child_group_leave(&connector.limits, parent, members, &window)?;
    for (tally, base) in window.fresh.into_inner() {
        tx.keep_limit_base(id, &tally, base)?;
    }
    if goes {
        let tallies = [Tally::GroupMemberships(fold), Tally::Memberships];
        tx.note_many_passed(id, &tallies, members)?;
        return Ok(true);
    }
    let held = Held {
        kind: HoldKind::MembershipRemoval,
        group: parent.to_owned(),
        mark: directory::hold::mark_of(change),
        change: change.clone(),
    };
    let draft = HoldDraft {
        connector: id,
        directory,
        user: None,
        source_group: None,
        held: &held,
        state: match collects {
            true => HoldState::Collected,
            false => HoldState::Open,
        },
    };
    tx.insert_hold(&draft, cause)?;
    Ok(false)
}

/// Once everybody is evaluated: lets through what was held until all was known, if all of it is within the limits; else
/// an administrator has to say.
pub(crate) fn end_collection(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
) -> Result<(), ProvisionError> {
    let id = connector.connector.id;
    let mut collected = tx.collected_holds(id)?;
    for (parent, child) in tx.collected_child_groups(id)? {
        // Whoever is below the group loses the one above it.
        let below = u64::try_from(tx.count_users_below_group(child)?).unwrap_or_default();
        *collected
            .entry((HoldKind::MembershipRemoval, parent))
            .or_default() += below;
    }
    if collected.is_empty() {
        return Ok(());
    }
    let groups = collected.keys().map(|(_, group)| group.clone());
    let window = Window::with_groups(tx, connector, groups.filter(|it| !it.is_empty()))?;
    if !all_fit(&connector.limits, &collected, &window)? {
        tx.end_collection(id, HoldState::Open, None)?;
        return Ok(());
    }
    tx.end_collection(id, HoldState::Approved, Some("within the limits"))?;
    let mut passed = Vec::new();
    for ((kind, group), count) in collected {
        let tallies = match kind {
            HoldKind::Deactivation => vec![Tally::Deactivations],
            HoldKind::Rename => vec![Tally::Renames],
            HoldKind::GroupDeletion => vec![Tally::GroupDeletions],
            HoldKind::MembershipRemoval => {
                vec![Tally::GroupMemberships(group), Tally::Memberships]
            }
        };
        for _ in 0..count {
            passed.extend(tallies.iter().cloned());
        }
    }
    tx.note_passed(id, None, &passed)?;
    Ok(())
}

/// The groups that a plan takes somebody out of, and the source groups that brought the person there.
#[derive(Default)]
struct Lost {
    groups: BTreeSet<String>,
    sources: BTreeSet<SourceGroupPk>,
}

impl Lost {
    fn by(plan: &Plan) -> Self {
        let mut lost = Self::default();
        for change in &plan.changes {
            if let Change::RemoveMembership { group, origins } = change {
                lost.groups.insert(folded(group).into_owned());
                lost.sources
                    .extend(origins.iter().filter_map(|origin| match origin {
                        directory::Origin::Idp(source) => Some(*source),
                        _ => None,
                    }));
            }
        }
        lost
    }
}

/// The window of a connector's limits as it is now.
pub(crate) struct Window<'t, 'c> {
    tx: &'t ReadTx<'c>,
    connector: &'t LoadedConnector,
    pub(crate) since: Timestamp,
    passed: Passed,
    /// What had to be counted.
    fresh: RefCell<BTreeMap<Tally, u64>>,
}

impl<'t, 'c> Window<'t, 'c> {
    fn of(
        tx: &'t ReadTx<'c>,
        connector: &'t LoadedConnector,
        user: Option<UserPk>,
        lost: &Lost,
    ) -> Result<Self, ProvisionError> {
        let groups: Vec<String> = lost.groups.iter().cloned().collect();
        let sources: Vec<SourceGroupPk> = lost.sources.iter().copied().collect();
        let minutes = connector.limits.settings().window_minutes;
        let since = tx.now() - SignedDuration::from_mins(i64::from(minutes));
        let passed = tx.passed(&PassedQuery {
            connector: connector.connector.id,
            since,
            user,
            groups: &groups,
            sources: &sources,
        })?;
        Ok(Self {
            tx,
            connector,
            since,
            passed,
            fresh: RefCell::default(),
        })
    }

    /// The window for all groups together and these ones, by their fold.
    pub(crate) fn with_groups(
        tx: &'t ReadTx<'c>,
        connector: &'t LoadedConnector,
        groups: impl IntoIterator<Item = String>,
    ) -> Result<Self, ProvisionError> {
        let lost = Lost {
            groups: groups.into_iter().collect(),
            sources: BTreeSet::new(),
        };
        Self::of(tx, connector, None, &lost)
    }
}

/// Of how many accounts and memberships shares are taken while everybody is evaluated: as many as there are when that begins,
/// as previews count them. What the rules end or begin meanwhile changes nothing of it.
pub(crate) fn keep_bases(
    tx: &WriteTx<'_>,
    connector: &directory::Connector,
) -> Result<(), ProvisionError> {
    let limits = &connector.settings.limits;
    if !limits.enabled {
        return Ok(());
    }
    let since = tx.now() - SignedDuration::from_mins(i64::from(limits.window_minutes));
    let passed = tx.passed(&PassedQuery {
        connector: connector.id,
        since,
        user: None,
        groups: &[],
        sources: &[],
    })?;
    for (tally, limit) in [
        (Tally::Deactivations, limits.deactivations),
        (Tally::Memberships, limits.memberships),
    ] {
        let is_share = limit.is_some_and(|limit| limit.percent > 0);
        if is_share && tx.limit_base(connector.id, &tally, since)?.is_none() {
            let passed = passed.counts.get(&tally).copied().unwrap_or_default();
            let base = count_base(tx, connector, &tally, passed)?;
            tx.keep_limit_base(connector.id, &tally, base)?;
        }
    }
    Ok(())
}

/// Of how many a share is taken, where so many were let through: as many as there were before the window, without those whom an
/// evaluation of everybody that is going on put there. Counts them.
pub(crate) fn count_base(
    tx: &ReadTx<'_>,
    connector: &directory::Connector,
    tally: &Tally,
    passed: u64,
) -> Result<u64, ProvisionError> {
    let present = match tally {
        Tally::Deactivations => tx.count_active_accounts(connector.id)?,
        Tally::GroupMemberships(group) => {
            let members = tx.count_members_by_fold(connector.directory, group)?;
            let joined = match tx.evaluation_began(connector.id)? {
                Some(began) => tx.count_joins_by_fold(connector.directory, group, began)?,
                None => 0,
            };
            members.saturating_sub(joined)
        }
        Tally::Memberships => tx.count_source_memberships(connector.id)?,
        Tally::Leavers | Tally::GroupDeletions | Tally::Renames => return Ok(0),
    };
    Ok(present.saturating_add(passed))
}

impl WindowCounts for Window<'_, '_> {
    type Error = ProvisionError;

    fn passed(&self, tally: &Tally) -> u64 {
        self.passed.counts.get(tally).copied().unwrap_or_default()
    }

    fn has_passed(&self, tally: &Tally) -> bool {
        self.passed.of_user.contains(tally)
    }

    fn base(&self, tally: &Tally) -> Result<u64, ProvisionError> {
        if let Some(base) = self.fresh.borrow().get(tally) {
            return Ok(*base);
        }
        let id = self.connector.connector.id;
        if let Some(base) = self.tx.limit_base(id, tally, self.since)? {
            return Ok(base);
        }
        let base = count_base(
            self.tx,
            &self.connector.connector,
            tally,
            self.passed(tally),
        )?;
        self.fresh.borrow_mut().insert(tally.clone(), base);
        Ok(base)
    }
}
