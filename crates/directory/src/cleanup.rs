//! Losing an account: which action its cause has, at once and after some days, and what is taken with it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::cause::Trigger;
use crate::evaluate::Decision;
use crate::membership;
use crate::model::{Attributes, Membership, Memory, Origin, Reason, Status};
use crate::name::{folded, same};
use crate::outcome::{Outcome, Verdict};
use crate::overrides;
use crate::rules::{CleanupAction, Loss, days};
use crate::trace::{Entry, MembershipEffect, Suppressed};

impl Decision<'_> {
    /// Something stands in the way of an account (US-30), and what the identity provider says of its
    /// groups no longer counts.
    pub(crate) fn clean_up(
        &mut self,
        first: (Reason, Loss),
        second: Option<(Reason, Loss)>,
    ) -> Outcome {
        let held = self.existing.map_or(&[][..], |it| match it.status {
            Status::Removed => &it.memory.restore,
            _ => &it.memberships,
        });
        let (reason, action) = self.what_becomes(first, second, held);
        self.lose(reason, action, None)
    }

    /// The cause that decides, and what becomes of the account now. Of two causes the one that takes more decides;
    /// memberships may exempt from both.
    pub(crate) fn what_becomes(
        &mut self,
        first: (Reason, Loss),
        second: Option<(Reason, Loss)>,
        held: &[Membership],
    ) -> (Reason, CleanupAction) {
        let kept = self.live.is_some() && overrides::keeps_active(&self.subject);
        let held_back = self.held_back(held);
        self.spared = kept || held_back.is_some();
        // Days do not count while an account stays active because something holds cleanup back.
        let active = self.live.is_some_and(|it| it.status == Status::Active);
        let since = match kept || (self.spared && active) {
            true => None,
            false => Some(self.memory.cleaned_up_since.unwrap_or(self.now)),
        };
        self.memory.cleaned_up_since = since;
        let (mut reason, mut action) = (first.0, self.stage(first.1, since));
        if let Some(second) = second {
            let other = self.stage(second.1, since);
            if other.severity() > action.severity() {
                (reason, action) = (second.0, other);
            }
        }
        self.trace.push(Entry::Cleanup { reason, action });
        match held_back {
            _ if kept => (reason, CleanupAction::Keep),
            Some(entry) if self.takes(action) => {
                self.trace.push(entry);
                (reason, CleanupAction::Keep)
            }
            _ => (reason, action),
        }
    }

    /// What a cause does after the time that has passed (US-31); what is still to come is looked at again then.
    fn stage(&mut self, loss: Loss, since: Option<Timestamp>) -> CleanupAction {
        let first = self.rules.cleanup.first(loss);
        let Some((later, since)) = self.rules.cleanup.later(loss).zip(since) else {
            return first;
        };
        match since.checked_add(days(later.after_days)) {
            Ok(at) if self.now < at => {
                if self.live.is_some() {
                    let action = later.action;
                    self.trace.push(Entry::Later { at, action });
                    self.recheck(Some(at));
                }
                first
            }
            _ => later.action,
        }
    }

    /// What keeps cleanup off the account: an exemption (US-34), or a switch (MO-08).
    fn held_back(&self, held: &[Membership]) -> Option<Entry> {
        let held = overrides::without_kept_out(&self.subject, held);
        match self.rules.exempts(&self.asked(), &held) {
            Some(by) => Some(Entry::Exempt { by }),
            None if self.rules.accounts.disable => None,
            None => Some(Entry::Suppressed(Suppressed::Disable)),
        }
    }

    /// Whether an action would take something from the account as it is.
    fn takes(&self, action: CleanupAction) -> bool {
        self.live.is_some_and(|live| match action {
            CleanupAction::Keep => false,
            CleanupAction::Disable => live.status == Status::Active,
            CleanupAction::Anonymise => live.status != Status::Anonymised,
            CleanupAction::Delete => true,
        })
    }

    /// Does what was found to become of the account. Its attributes stay, unless there are others.
    pub(crate) fn lose(
        &mut self,
        reason: Reason,
        action: CleanupAction,
        attributes: Option<Attributes>,
    ) -> Outcome {
        let reason = self.standing().unwrap_or(reason);
        let Some(live) = self.live else {
            return self.without_account(reason);
        };
        let status = match action {
            CleanupAction::Delete => return self.removed(reason),
            CleanupAction::Anonymise => Status::Anonymised,
            // Nobody knows the names any more, until the user comes back.
            CleanupAction::Disable if live.status == Status::Anonymised => Status::Anonymised,
            CleanupAction::Disable => Status::Disabled,
            CleanupAction::Keep => live.status,
        };
        // Without names of its own, an account may be dropped that was lost for another reason.
        let dropped = matches!(reason, Reason::DroppedByRule | Reason::FilteredNoMatch);
        let hidden = live.status == Status::Anonymised && live.reason != Reason::IdpDeleted;
        let reason = if dropped && hidden {
            live.reason
        } else {
            reason
        };
        let attributes = attributes.unwrap_or_else(|| live.attributes.clone());
        if self.rules.cleanup.strip_groups && !self.spared {
            let held = membership::copied(&live.memberships, self.returned);
            let memberships = self.stripped(held, false);
            return self.account(status, reason, attributes, memberships);
        }
        self.frozen(status, reason, attributes)
    }

    fn removed(&mut self, reason: Reason) -> Outcome {
        // Whoever was removed after some days is not made anew while the cause holds.
        let mut memory = Memory {
            cleaned_up_since: self.memory.cleaned_up_since,
            restore: std::mem::take(&mut self.memory.restore),
            ..Memory::default()
        };
        for membership in self.live.into_iter().flat_map(|it| &it.memberships) {
            memory.remember(membership.clone());
        }
        self.memory = memory;
        self.outcome(
            Verdict::Remove { reason },
            Attributes::default(),
            Vec::new(),
        )
    }

    /// Takes the groups of an account that is lost, if the rules say so (US-33), and remembers them. `told` means
    /// that the identity provider says which it grants, so that what it granted before does not count.
    pub(crate) fn stripped(&mut self, held: Vec<Membership>, told: bool) -> Vec<Membership> {
        let cleanup = &self.rules.cleanup;
        if !cleanup.strip_groups || self.spared {
            return held;
        }
        if told {
            self.memory.restore = membership::copied(&self.memory.restore, self.returned);
        }
        let mut kept = Vec::new();
        for membership in held {
            let exempt = self.rules.strip_exempt.find(&membership.group, None);
            let effect = match exempt {
                Some(entry) => MembershipEffect::StripExempt(Arc::clone(entry)),
                None => MembershipEffect::Stripped,
            };
            self.trace.push(Entry::Membership {
                group: membership.group.clone(),
                effect,
            });
            if exempt.is_some() {
                kept.push(membership);
            } else if cleanup.restore_groups {
                self.memory.remember(membership);
            }
        }
        if told {
            self.memory.forget_granted();
        }
        kept
    }

    /// A word on the account that only an administrator takes back (US-35).
    pub(crate) fn standing(&self) -> Option<Reason> {
        let lost = self.existing.filter(|it| it.is_sticky())?;
        if lost
            .memory
            .stays_until
            .is_some_and(|until| until <= self.now)
        {
            return None;
        }
        match lost.reason {
            Reason::Manual => Some(Reason::Manual),
            Reason::InactivityRule if !self.wakes(lost.memory.cleaned_up_since) => {
                Some(Reason::InactivityRule)
            }
            _ => None,
        }
    }

    /// Whether the identity provider or a log-in brings somebody back whom the rule for the inactive took (KA-07).
    fn wakes(&self, since: Option<Timestamp>) -> bool {
        let sticky = self.rules.is_inactivity_sticky();
        let told = matches!(self.subject.trigger, Trigger::Scim | Trigger::Login);
        !sticky && told && since.is_none_or(|since| since < self.now)
    }

    /// What becomes of an account that its user does not use any more (US-37). Groups count as they are to be.
    pub(crate) fn unused(&mut self, memberships: &[Membership]) -> Option<CleanupAction> {
        let Some(inactivity) = &self.rules.inactivity else {
            self.memory.active_since = None;
            return None;
        };
        let now = self.now;
        let before = self.live.filter(|it| it.status == Status::Active);
        // Whoever was active when the rule first looked has been so since the last log-in at least.
        let active_since = before
            .and_then(|it| it.memory.active_since.or(it.last_login))
            .unwrap_or(now);
        self.memory.active_since = Some(active_since);
        if let Ok(at) = now.checked_add(inactivity.days) {
            self.recheck(Some(at));
        }
        let live = before.filter(|_| !overrides::keeps_active(&self.subject))?;
        let memberships = overrides::without_kept_out(&self.subject, memberships);
        let mut groups = memberships.iter().map(|it| it.group.as_str());
        if let Some(by) = groups
            .clone()
            .find_map(|it| inactivity.never.find(it, None))
        {
            self.trace
                .push(Entry::InactivityExempt { by: Arc::clone(by) });
            return None;
        }
        let concerned = inactivity.only.is_empty()
            || groups.any(|group| inactivity.only.find(group, None).is_some());
        let known = live.last_login.is_some() || inactivity.rule.include_never_logged_in;
        if !concerned || !known {
            return None;
        }
        let since = live
            .last_login
            .map_or(active_since, |it| it.max(active_since));
        match since.checked_add(inactivity.days) {
            Ok(at) if at <= now => {
                if let Some(entry) = self.held_back(&memberships) {
                    self.trace.push(entry);
                    return None;
                }
                let action = inactivity.rule.action;
                let ends = inactivity
                    .rule
                    .sticky_days
                    .filter(|_| inactivity.rule.sticky);
                let until = ends.and_then(|it| now.checked_add(days(it)).ok());
                self.memory.stays_until = until;
                self.recheck(until);
                let days = inactivity.rule.days;
                self.trace.push(Entry::Inactive {
                    since,
                    days,
                    action,
                });
                Some(action)
            }
            Ok(at) => {
                self.recheck(Some(at));
                None
            }
            Err(_) => None,
        }
    }
}

impl Memory {
    /// Remembers a membership, with what is remembered of it already.
    fn remember(&mut self, membership: Membership) {
        let mut known = self.restore.iter_mut();
        match known.find(|it| same(&it.group, &membership.group)) {
            Some(known) => known.origins.extend(membership.origins),
            None => {
                let fold = folded(&membership.group).into_owned();
                let place = self
                    .restore
                    .partition_point(|it| *folded(&it.group) < *fold);
                self.restore.insert(place, membership);
            }
        }
    }

    /// Forgets what the identity provider and the rules had granted and say again; not what came with the account.
    fn forget_granted(&mut self) {
        let once = Origin::Rule(Origin::NEW_USER_GROUPS.to_owned());
        for membership in &mut self.restore {
            membership
                .origins
                .retain(|origin| !origin.is_ours() || *origin == once);
        }
        self.restore.retain(|it| !it.origins.is_empty());
    }
}
