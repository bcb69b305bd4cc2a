//! Tallies: what limits count, and whether so much more is within them (BY-02).

use std::collections::BTreeMap;

use crate::hold::HoldKind;
use crate::limits::{CompiledLimits, Limit, LimitSettings, ReconcileMode};
use crate::name::folded;

/// What limits count: each subject once in a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tally {
    /// Accounts disabled or removed.
    Deactivations,
    /// Accounts disabled by leaver priority.
    Leavers,
    /// Memberships that ended, in all groups.
    Memberships,
    /// Memberships that ended in one group, named by its fold.
    GroupMemberships(String),
    /// Groups that the identity provider deleted.
    GroupDeletions,
    /// User names that changed.
    Renames,
}

impl Tally {
    /// The words under which it is kept: what is counted, and the group, which is empty for all together.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Tally::Deactivations => ("deactivation", ""),
            Tally::Leavers => ("leaver", ""),
            Tally::Memberships => ("membership", ""),
            Tally::GroupMemberships(group) => ("membership", group),
            Tally::GroupDeletions => ("group_deletion", ""),
            Tally::Renames => ("rename", ""),
        }
    }

    /// Reads what [`parts`](Self::parts) gave.
    pub fn from_parts(what: &str, group: &str) -> Option<Self> {
        match (what, group) {
            ("deactivation", "") => Some(Tally::Deactivations),
            ("leaver", "") => Some(Tally::Leavers),
            ("membership", "") => Some(Tally::Memberships),
            ("membership", group) => Some(Tally::GroupMemberships(group.to_owned())),
            ("group_deletion", "") => Some(Tally::GroupDeletions),
            ("rename", "") => Some(Tally::Renames),
            _ => None,
        }
    }

    /// Whether a person counts in it once, rather than each of the person's memberships.
    pub fn counts_subjects(&self) -> bool {
        !matches!(self, Tally::Memberships | Tally::GroupDeletions)
    }
}

/// What was let through within the window, and of how many.
pub trait WindowCounts {
    /// Why it cannot be told.
    type Error;

    /// How many were let through.
    fn passed(&self, tally: &Tally) -> u64;

    /// Whether this very subject was let through already, so that it counts no more.
    fn has_passed(&self, tally: &Tally) -> bool;

    /// Of how many: active accounts, members, memberships. Asked only where a share can matter.
    fn base(&self, tally: &Tally) -> Result<u64, Self::Error>;
}

/// Whether effects that were held until all of them were known are within the limits together. Of each kind and group,
/// by its fold, how many they are.
pub fn all_fit<C: WindowCounts>(
    limits: &CompiledLimits,
    collected: &BTreeMap<(HoldKind, String), u64>,
    counts: &C,
) -> Result<bool, C::Error> {
    let settings = &limits.settings;
    if !settings.enabled {
        return Ok(true);
    }
    let mut wanted: Vec<(Tally, Option<Limit>, u64)> = Vec::with_capacity(collected.len() + 1);
    let mut memberships = 0;
    for ((kind, group), count) in collected {
        wanted.push(match kind {
            HoldKind::Deactivation => (Tally::Deactivations, settings.deactivations, *count),
            HoldKind::Rename => (Tally::Renames, settings.renames, *count),
            HoldKind::GroupDeletion => (Tally::GroupDeletions, settings.group_deletions, *count),
            HoldKind::MembershipRemoval => {
                memberships += count;
                let tally = Tally::GroupMemberships(group.clone());
                (tally, settings.group_memberships, *count)
            }
        });
    }
    wanted.push((Tally::Memberships, settings.memberships, memberships));
    for (tally, limit, count) in wanted {
        let Some(limit) = limit else { continue };
        let wanted = counts.passed(&tally).saturating_add(count);
        if !is_within(limit, &tally, wanted, counts)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the identity provider's deletion of a group is let through: it is not where too many groups went, or where
/// those in it are more than may leave it at once.
pub fn lets_group_go<C: WindowCounts>(
    limits: &CompiledLimits,
    group: &str,
    members: u64,
    counts: &C,
) -> Result<bool, C::Error> {
    let settings = &limits.settings;
    if limits.break_glass_groups.find(group, None).is_some() {
        return Ok(false);
    }
    if !settings.enabled {
        return Ok(true);
    }
    let deletions = Tally::GroupDeletions;
    let allowed = settings.group_deletions.map(|limit| limit.allowed(0));
    if allowed.is_some_and(|allowed| counts.passed(&deletions) >= allowed) {
        return Ok(false);
    }
    let Some(limit) = settings.group_memberships else {
        return Ok(true);
    };
    let tally = Tally::GroupMemberships(folded(group).into_owned());
    let wanted = counts.passed(&tally).saturating_add(members);
    is_within(limit, &tally, wanted, counts)
}

/// Whether an evaluation of everybody keeps groups from leaving another one until all that it takes away is known.
pub fn collects_child_groups(limits: &CompiledLimits, parent: &str) -> bool {
    let settings = &limits.settings;
    let counts = limits_on(settings, HoldKind::MembershipRemoval, parent);
    settings.enabled
        && settings.reconcile == ReconcileMode::AllOrNothing
        && limits.break_glass_groups.find(parent, None).is_none()
        && counts.iter().any(|(_, limit)| limit.is_some())
}

/// Whether a group may leave another one: those below it lose the other group all at once, and each counts like one who
/// leaves it alone.
pub fn lets_child_group_leave<C: WindowCounts>(
    limits: &CompiledLimits,
    parent: &str,
    members: u64,
    counts: &C,
) -> Result<bool, C::Error> {
    let settings = &limits.settings;
    if limits.break_glass_groups.find(parent, None).is_some() {
        return Ok(false);
    }
    if !settings.enabled {
        return Ok(true);
    }
    for (tally, limit) in limits_on(settings, HoldKind::MembershipRemoval, parent) {
        let Some(limit) = limit else { continue };
        let wanted = counts.passed(&tally).saturating_add(members);
        if !is_within(limit, &tally, wanted, counts)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What an effect counts for, and up to how many each.
pub(crate) fn limits_on(
    settings: &LimitSettings,
    kind: HoldKind,
    group: &str,
) -> Vec<(Tally, Option<Limit>)> {
    match kind {
        HoldKind::Deactivation => vec![(Tally::Deactivations, settings.deactivations)],
        HoldKind::Rename => vec![(Tally::Renames, settings.renames)],
        HoldKind::GroupDeletion => vec![(Tally::GroupDeletions, settings.group_deletions)],
        HoldKind::MembershipRemoval => {
            let group = folded(group).into_owned();
            vec![
                (Tally::GroupMemberships(group), settings.group_memberships),
                (Tally::Memberships, settings.memberships),
            ]
        }
    }
}

/// Whether so many are within a limit. Of how many it takes a share is asked only where that can matter.
pub(crate) fn is_within<C: WindowCounts>(
    limit: Limit,
    tally: &Tally,
    wanted: u64,
    counts: &C,
) -> Result<bool, C::Error> {
    Ok(wanted <= limit.allowed(0)
        || (limit.percent > 0 && wanted <= limit.allowed(counts.base(tally)?)))
}
