//! What a thing that was found or done bears on: a stage, a group.

use super::{AttributeEffect, ConditionEffect, Entry, GroupEffect, ScopeEffect, Stage};
use crate::identity::Meeting;
use crate::name::same;

impl Entry {
    /// The stage it belongs to.
    pub fn stage(&self) -> Stage {
        match self {
            Entry::Subject { .. } | Entry::Returned(_) => Stage::Subject,
            Entry::Attribute { .. }
            | Entry::Step { .. }
            | Entry::Sought { .. }
            | Entry::Nameless
            | Entry::OldNameStays => Stage::Mapping,
            Entry::Met(_) | Entry::NameReserved { .. } => Stage::Identity,
            Entry::Condition { .. } => Stage::Conditions,
            Entry::Group { .. }
            | Entry::Renamed { .. }
            | Entry::FormerName { .. }
            | Entry::GroupsUntouched
            | Entry::NoNameMatched => Stage::Groups,
            Entry::Scope(_) | Entry::OutsideFilter { .. } => Stage::Scope,
            Entry::Added { .. } => Stage::Additions,
            Entry::Membership { .. } | Entry::Frozen => Stage::Removals,
            Entry::Cleanup { .. }
            | Entry::ManualStands
            | Entry::InactivityStands { .. }
            | Entry::NamePinned { .. }
            | Entry::Inactive { .. }
            | Entry::InactivityExempt { .. }
            | Entry::Later { .. }
            | Entry::Suppressed(_)
            | Entry::Exempt { .. } => Stage::Status,
            Entry::AlsoKnown { .. } | Entry::DecidedBy { .. } | Entry::GivenBy { .. } => {
                Stage::Precedence
            }
            Entry::Override { .. } => Stage::Overrides,
            Entry::Safety { .. } => Stage::Safety,
        }
    }

    /// Whether it speaks of a group, by the source's name or the products'.
    pub(super) fn names(&self, group: &str) -> bool {
        match self {
            Entry::Group { name, effect, .. } => same(name, group) || effect.names(group),
            Entry::Renamed { name, now } => same(name, group) || same(now, group),
            Entry::FormerName { name, former, .. } => same(name, group) || same(former, group),
            Entry::Added { group: name, .. } => same(name, group),
            Entry::Condition { groups, .. } => groups.iter().any(|it| same(it, group)),
            Entry::Membership { group: name, .. } | Entry::GivenBy { group: name, .. } => {
                same(name, group)
            }
            Entry::Override { kind, .. } => kind.group().is_some_and(|name| same(name, group)),
            Entry::Safety { change, .. } => {
                change.group_name().is_some_and(|name| same(name, group))
            }
            _ => false,
        }
    }

    /// Whether it has to do with being in a group or not.
    pub(super) fn bears_on(&self, group: &str) -> bool {
        match self {
            // Of somebody whom the identity provider deleted nothing else counts.
            Entry::Subject { groups: None, .. } => true,
            Entry::Subject { .. } | Entry::Attribute { .. } => {
                matches!(
                    self,
                    Entry::Attribute {
                        effect: AttributeEffect::Dropped(_),
                        ..
                    }
                )
            }
            Entry::Condition { effect, .. } => effect.is_about_account() || self.names(group),
            Entry::Group { .. }
            | Entry::Renamed { .. }
            | Entry::FormerName { .. }
            | Entry::Added { .. }
            | Entry::GivenBy { .. }
            | Entry::Membership { .. } => self.names(group),
            Entry::DecidedBy { target, .. } => target == "groups",
            Entry::Override { kind, .. } => kind.group().is_none_or(|name| same(name, group)),
            Entry::Scope(effect) => !matches!(effect, ScopeEffect::In { .. }),
            Entry::Safety { change, .. } => change.group_name().is_none() || self.names(group),
            Entry::Met(met) => !matches!(met.effect, Meeting::Link | Meeting::Join),
            Entry::Step { .. }
            | Entry::Sought { .. }
            | Entry::AlsoKnown { .. }
            | Entry::NamePinned { .. }
            | Entry::OldNameStays
            | Entry::InactivityExempt { .. }
            | Entry::Later { .. } => false,
            Entry::OutsideFilter { .. }
            | Entry::NameReserved { .. }
            | Entry::InactivityStands { .. }
            | Entry::Inactive { .. }
            | Entry::Suppressed(_)
            | Entry::Exempt { .. }
            | Entry::Nameless
            | Entry::GroupsUntouched
            | Entry::NoNameMatched
            | Entry::Frozen
            | Entry::Returned(_)
            | Entry::Cleanup { .. }
            | Entry::ManualStands => true,
        }
    }
}

impl ConditionEffect {
    fn is_about_account(&self) -> bool {
        matches!(
            self,
            ConditionEffect::Drops | ConditionEffect::Disables | ConditionEffect::DisablesSince(_)
        )
    }
}

impl GroupEffect {
    fn names(&self, group: &str) -> bool {
        match self {
            GroupEffect::GrantedAs(name)
            | GroupEffect::NotAName(name)
            | GroupEffect::NotInOnlyAssign(name)
            | GroupEffect::NestingPreserved(name)
            | GroupEffect::Waiting(name)
            | GroupEffect::Protected { name, .. }
            | GroupEffect::NeverAssign { name, .. } => same(name, group),
            GroupEffect::Granted
            | GroupEffect::Unmapped
            | GroupEffect::Ignored
            | GroupEffect::NoRuleMatched
            | GroupEffect::TransformedAway
            | GroupEffect::Failed(_)
            | GroupEffect::NestingIgnored => false,
        }
    }
}
