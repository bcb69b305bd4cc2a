//! The guard: which effects of a decision take effect now, and which wait (PL-05, step 11; BY-02).

use std::collections::{BTreeMap, BTreeSet};

use crate::change::Change;
use crate::hold::{HeldDeletion, HoldKind, HoldState, StandingHold, mark_of};
use crate::id::SourceGroupPk;
use crate::limits::CompiledLimits;
use crate::model::{Account, Membership, Origin, Reason, Status};
use crate::name::{folded, same};
use crate::outcome::{Outcome, Verdict};
use crate::overrides::OverrideKind;
use crate::plan::{Plan, plan};
use crate::pseudonym;
use crate::tally::{Tally, WindowCounts, is_within, limits_on};
use crate::trace::{Entry, OverrideEffect, SafetyEffect};

/// What the guard has to know about one person apart from the decision.
#[derive(Clone, Copy, Debug)]
pub struct Guarding<'a> {
    /// The account as it is.
    pub account: &'a Account,
    /// Holds on it that stand.
    pub standing: &'a [StandingHold],
    /// Source groups that were deleted, and what became of the hold on that. While it is held nobody loses a group
    /// for it; once it is approved everybody does.
    pub deletions: &'a BTreeMap<SourceGroupPk, HeldDeletion>,
    /// The limits.
    pub limits: &'a CompiledLimits,
    /// Whether a new user name waits for an administrator whatever the limits say, as somebody further down has it.
    pub name_is_below: bool,
    /// Whether every new user name waits for an administrator whatever the limits say (US-29).
    pub renames_wait: bool,
    /// Whether everything that takes something away is held at first, until all of it is known.
    pub collects: bool,
}

/// A hold that begins, or what one that stands is about by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it keeps back.
    pub kind: HoldKind,
    /// The group's name; empty where the kind speaks of none.
    pub group: String,
    /// See [`StandingHold::mark`].
    pub mark: String,
    /// The change that is kept back.
    pub change: Change,
}

/// What the guard says about one decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guarded {
    /// Holds that begin.
    pub begun: Vec<Held>,
    /// Open holds that are about something else by now.
    pub renewed: Vec<(i64, Held)>,
    /// Holds that end, and how.
    pub ended: Vec<(i64, HoldState)>,
    /// What is let through and counts.
    pub passed: Vec<Tally>,
}

/// Whether a plan takes anything away from anybody.
pub fn worsens(plan: &Plan) -> bool {
    plan.changes.iter().any(|it| HoldKind::of(it).is_some())
}

/// Takes out of a decision what has to wait. The outcome is then what is to be carried out: what is kept back stays
/// as it is in the account, and everything else is as decided.
pub fn guard<C: WindowCounts>(
    guarding: &Guarding<'_>,
    outcome: &mut Outcome,
    counts: &C,
) -> Result<Guarded, C::Error> {
    let plan = plan(Some(guarding.account), outcome);
    let mut guard = Guard {
        guarding: *guarding,
        counts,
        met: BTreeSet::new(),
        whole: false,
        added: BTreeMap::new(),
        guarded: Guarded::default(),
        trace: Vec::new(),
    };
    let going = guard.deactivation(&plan, outcome)?;
    guard.memberships(&plan, outcome, going)?;
    guard.rename(&plan, outcome)?;
    guard.end_what_was_taken_back();
    outcome.trace.entries.append(&mut guard.trace);
    Ok(guard.guarded)
}

/// What becomes of the account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Going {
    Stays,
    Goes,
    /// It was to go and is kept.
    Kept,
}

/// A decision being guarded.
struct Guard<'a, C> {
    guarding: Guarding<'a>,
    counts: &'a C,
    /// Standing holds whose effect is decided again.
    met: BTreeSet<i64>,
    /// The account was to be removed as a whole, and stays as a whole.
    whole: bool,
    /// What this decision adds to the counts.
    added: BTreeMap<Tally, u64>,
    guarded: Guarded,
    trace: Vec<Entry>,
}

impl<C: WindowCounts> Guard<'_, C> {
    fn deactivation(&mut self, plan: &Plan, outcome: &mut Outcome) -> Result<Going, C::Error> {
        let kind = HoldKind::Deactivation;
        let Some(change) = plan
            .changes
            .iter()
            .find(|it| HoldKind::of(it) == Some(kind))
        else {
            return Ok(Going::Stays);
        };
        if let Change::Disable { reason, .. }
        | Change::Anonymise { reason, .. }
        | Change::RemoveUser { reason, .. } = change
            && *reason == Reason::Override
        {
            return Ok(Going::Goes);
        }
        if self.is_break_glass(change) || !self.passes(kind, change)? {
            self.keep_account(outcome);
            return Ok(Going::Kept);
        }
        Ok(Going::Goes)
    }

    /// The account stays what it is. Everything that the rules would take from it stays as well, as nothing is decided
    /// about somebody who is to go and must not.
    fn keep_account(&mut self, outcome: &mut Outcome) {
        let account = self.guarding.account;
        match outcome.verdict {
            Verdict::Remove { .. } => {
                self.whole = true;
                outcome.attributes = account.attributes.clone();
                put_back(outcome, account.memberships.clone());
                outcome.memory = account.memory.clone();
            }
            Verdict::Account {
                status: Status::Anonymised,
                ..
            } => {
                outcome.attributes = account.attributes.clone();
                outcome.memory = account.memory.clone();
            }
            Verdict::Account { .. } | Verdict::NoAccount { .. } => {}
        }
        outcome.verdict = Verdict::Account {
            status: account.status,
            reason: match account.status {
                Status::Active => Reason::Held,
                Status::Disabled | Status::Anonymised | Status::Removed => account.reason,
            },
        };
    }

    fn memberships(
        &mut self,
        plan: &Plan,
        outcome: &mut Outcome,
        going: Going,
    ) -> Result<(), C::Error> {
        self.undecided_memberships(outcome, going);
        let mut kept = Vec::new();
        for change in &plan.changes {
            if let Change::RemoveMembership { group, origins } = change
                && !is_administrators_word(outcome, group, origins)
                && !self.membership_ends(group, origins, change, going)?
            {
                kept.extend(membership(self.guarding.account, &folded(group)).cloned());
            }
        }
        put_back(outcome, kept);
        Ok(())
    }

    /// Memberships that are held and that this decision leaves alone, as the account is not active, or gives back, as
    /// the user had been deleted. That takes nothing back of what the identity provider said before.
    fn undecided_memberships(&mut self, outcome: &mut Outcome, going: Going) {
        let guarding = self.guarding;
        let frozen = outcome.trace.entries().contains(&Entry::Frozen) || self.whole;
        let standing = guarding.standing.iter();
        for held in standing.filter(|it| it.kind == HoldKind::MembershipRemoval) {
            let Some(before) = membership(guarding.account, &held.group) else {
                continue;
            };
            let mut decided = outcome.memberships.iter();
            let Some(place) = decided.position(|it| folded(&it.group) == held.group) else {
                continue;
            };
            let is_copied = |it: &Membership| it.origins.contains(&Origin::Copied);
            let restored = is_copied(&outcome.memberships[place]) && !is_copied(before);
            let undecided = restored || (frozen && outcome.memberships[place] == *before);
            if !undecided {
                continue;
            }
            self.met.insert(held.id);
            if ends_with(held.state, going) {
                outcome.memberships.remove(place);
                self.guarded.ended.push((held.id, HoldState::Released));
            } else {
                outcome.memberships[place] = before.clone();
            }
        }
    }

    fn membership_ends(
        &mut self,
        group: &str,
        origins: &BTreeSet<Origin>,
        change: &Change,
        going: Going,
    ) -> Result<bool, C::Error> {
        let limits = self.guarding.limits;
        if let Some(by) = limits.break_glass_groups.find(group, None) {
            self.note(change, SafetyEffect::BreakGlass(by.clone()), None);
            return Ok(false);
        }
        if self.is_break_glass(change) {
            return Ok(false);
        }
        let deletion = |origin: &Origin| match origin {
            Origin::Idp(source) => self.guarding.deletions.get(source).copied(),
            _ => None,
        };
        let deletions: BTreeSet<HeldDeletion> = origins.iter().filter_map(deletion).collect();
        let kept = deletions.iter().find_map(|it| match it.state {
            HoldState::Open => Some((SafetyEffect::GroupKept, it.hold)),
            HoldState::Rejected => Some((SafetyEffect::GroupStays, it.hold)),
            _ => None,
        });
        if let Some((effect, hold)) = kept {
            self.note(change, effect, Some(hold));
            return Ok(false);
        }
        let kind = HoldKind::MembershipRemoval;
        let standing = self.standing(kind, &folded(group));
        match standing.map(|it| (it.id, it.state)) {
            Some((id, state)) if ends_with(state, going) || !deletions.is_empty() => {
                self.met.insert(id);
                self.guarded.ended.push((id, HoldState::Released));
                Ok(true)
            }
            None if !deletions.is_empty() => Ok(true),
            // Of somebody who was to go and is kept, everything stays.
            None if going == Going::Kept => {
                self.hold(kind, change);
                Ok(false)
            }
            // Who cannot log in loses nothing by it, and what a leaver loses counts as the leaving.
            None if going == Going::Goes || self.guarding.account.status != Status::Active => {
                Ok(true)
            }
            _ => self.passes(kind, change),
        }
    }

    fn rename(&mut self, plan: &Plan, outcome: &mut Outcome) -> Result<(), C::Error> {
        let kind = HoldKind::Rename;
        let anonymises = |it: &Change| matches!(it, Change::Anonymise { .. });
        if plan.changes.iter().any(anonymises) {
            // That takes the name with it, or keeps it.
            return Ok(());
        }
        if let Some(change) = plan
            .changes
            .iter()
            .find(|it| HoldKind::of(it) == Some(kind))
            && !self.passes(kind, change)?
        {
            let name = &self.guarding.account.attributes.username;
            outcome.attributes.username.clone_from(name);
        }
        Ok(())
    }

    fn is_break_glass(&mut self, change: &Change) -> bool {
        let Guarding {
            account, limits, ..
        } = self.guarding;
        let name = &account.attributes.username;
        let mut found = limits.break_glass_users.find(name, None);
        if matches!(change, Change::RemoveUser { .. }) {
            let groups = &limits.break_glass_groups;
            let mut memberships = account.memberships.iter();
            found = found.or_else(|| memberships.find_map(|it| groups.find(&it.group, None)));
        }
        let Some(by) = found.cloned() else {
            return false;
        };
        self.note(change, SafetyEffect::BreakGlass(by), None);
        true
    }

    /// Whether an effect takes place now.
    fn passes(&mut self, kind: HoldKind, change: &Change) -> Result<bool, C::Error> {
        let group = change.group_name().unwrap_or_default();
        let mark = mark_of(change);
        if let Some(found) = self.standing(kind, &folded(group)) {
            let (id, state, same) = (found.id, found.state, found.mark == mark);
            self.met.insert(id);
            match state {
                HoldState::Approved => {
                    self.guarded.ended.push((id, HoldState::Released));
                    return Ok(true);
                }
                HoldState::Rejected if same => {
                    self.note(change, SafetyEffect::Rejected, Some(id));
                    return Ok(false);
                }
                HoldState::Open | HoldState::Collected => {
                    if !same {
                        self.guarded.renewed.push((id, held(kind, change)));
                    }
                    self.note_held(kind, change, Some(id));
                    return Ok(false);
                }
                _ => self.guarded.ended.push((id, HoldState::Cancelled)),
            }
        }
        // What no limit counts need not wait for the end: it would be let through then.
        let limits = limits_on(&self.guarding.limits.settings, kind, group);
        let collects = self.guarding.collects && limits.iter().any(|(_, limit)| limit.is_some());
        if !collects && self.fits(kind, change)? {
            return Ok(true);
        }
        self.hold(kind, change);
        Ok(false)
    }

    fn hold(&mut self, kind: HoldKind, change: &Change) {
        self.guarded.begun.push(held(kind, change));
        self.note_held(kind, change, None);
    }

    /// Whether an effect is within the limits; if so, it is counted.
    fn fits(&mut self, kind: HoldKind, change: &Change) -> Result<bool, C::Error> {
        let settings = &self.guarding.limits.settings;
        if self.guarding.name_is_below && kind == HoldKind::Rename || self.rename_waits(change) {
            return Ok(false);
        }
        if !settings.enabled {
            return Ok(true);
        }
        let tallies = limits_on(settings, kind, change.group_name().unwrap_or_default());
        let is_leaver = matches!(
            change,
            Change::Disable {
                reason: Reason::IdpInactive,
                ..
            }
        );
        if is_leaver && settings.leavers > 0 {
            let tally = Tally::Leavers;
            let passed = self.counts.passed(&tally);
            if self.counts.has_passed(&tally) {
                return Ok(true);
            }
            if passed < u64::from(settings.leavers) {
                self.guarded.passed.push(tally);
                return Ok(true);
            }
        }
        if tallies
            .iter()
            .any(|(tally, _)| self.counts.has_passed(tally))
        {
            return Ok(true);
        }
        for (tally, limit) in &tallies {
            let Some(limit) = limit else { continue };
            let added = self.added.get(tally).copied().unwrap_or_default();
            let wanted = self.counts.passed(tally).saturating_add(added) + 1;
            if !is_within(*limit, tally, wanted, self.counts)? {
                return Ok(false);
            }
        }
        for (tally, _) in tallies {
            *self.added.entry(tally.clone()).or_default() += 1;
            self.guarded.passed.push(tally);
        }
        Ok(true)
    }

    /// Whether the rules leave a change of the user name to an administrator. Who is anonymised gets a name back, and
    /// the same letters in other cases are the same name.
    fn rename_waits(&self, change: &Change) -> bool {
        let Change::RenameUser { from, to } = change else {
            return false;
        };
        let hidden = pseudonym::is_one(&self.guarding.account.attributes);
        self.guarding.renames_wait && !hidden && !same(from, to)
    }

    fn standing(&self, kind: HoldKind, group: &str) -> Option<&StandingHold> {
        let mut standing = self.guarding.standing.iter();
        standing.find(|it| it.kind == kind && it.group == group)
    }

    /// Holds whose effect nobody wants any more end.
    fn end_what_was_taken_back(&mut self) {
        for standing in self.guarding.standing {
            if !self.met.contains(&standing.id) {
                self.guarded.ended.push((standing.id, HoldState::Cancelled));
            }
        }
    }

    fn note_held(&mut self, kind: HoldKind, change: &Change, hold: Option<i64>) {
        let below = kind == HoldKind::Rename && self.guarding.name_is_below;
        let effect = if below {
            SafetyEffect::NameBelow
        } else if self.rename_waits(change) {
            SafetyEffect::RenameWaits
        } else {
            SafetyEffect::Held
        };
        self.note(change, effect, hold);
    }

    fn note(&mut self, change: &Change, effect: SafetyEffect, hold: Option<i64>) {
        self.trace.push(Entry::Safety {
            change: Box::new(change.clone()),
            effect,
            hold,
        });
    }
}

/// Whether a membership ends by an administrator's override, or with one.
fn is_administrators_word(outcome: &Outcome, group: &str, origins: &BTreeSet<Origin>) -> bool {
    let keeps_out = |entry: &Entry| match entry {
        Entry::Override {
            kind: OverrideKind::KeepOutOfGroup { group: named },
            effect: OverrideEffect::Stands,
            ..
        } => same(named, group),
        _ => false,
    };
    outcome.trace.entries().iter().any(keeps_out)
        || (!origins.is_empty() && origins.iter().all(|it| matches!(it, Origin::Override(_))))
}

fn held(kind: HoldKind, change: &Change) -> Held {
    Held {
        kind,
        group: change.group_name().unwrap_or_default().to_owned(),
        mark: mark_of(change),
        change: change.clone(),
    }
}

/// Whether a held membership ends now: by approval, or as the user leaves altogether.
fn ends_with(state: HoldState, going: Going) -> bool {
    match state {
        HoldState::Approved => true,
        HoldState::Open | HoldState::Collected => going == Going::Goes,
        _ => false,
    }
}

/// The membership in a group, by its fold.
fn membership<'a>(account: &'a Account, group: &str) -> Option<&'a Membership> {
    let mut memberships = account.memberships.iter();
    memberships.find(|it| folded(&it.group) == group)
}

/// Adds memberships, so that they are sorted by name as before.
fn put_back(outcome: &mut Outcome, kept: Vec<Membership>) {
    if kept.is_empty() {
        return;
    }
    outcome.memberships.extend(kept);
    outcome
        .memberships
        .sort_by(|a, b| folded(&a.group).cmp(&folded(&b.group)));
}
