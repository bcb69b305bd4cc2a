//! The decision: what should be in the directory about one person.

use jiff::Timestamp;
use scim::Resource;

use crate::mapping::{self, Mapped};
use crate::membership::{self, Candidate, Candidates};
use crate::model::{Account, Attributes, Reason, Status};
use crate::outcome::{Outcome, Subject, Verdict};
use crate::rules::{Asked, CleanupAction, CompiledRules};
use crate::surroundings::{Alone, Surroundings};
use crate::trace::{Entry, ScopeEffect, Suppressed, Trace};

/// Decides what should be in the directory about one person (PL-05, steps 1 to 10).
///
/// The same subject and rules always give the same outcome; the order of source groups is without
/// effect; and once the outcome is applied, deciding again at the same time changes nothing.
///
/// Rules that look at others see nobody; see [`evaluate_among`].
pub fn evaluate(subject: &Subject<'_>, rules: &CompiledRules) -> Outcome {
    evaluate_among(subject, rules, &Alone)
}

/// The same, with answers about other people for the steps `unique_suffix` and `lookup_user`.
pub fn evaluate_among(
    subject: &Subject<'_>,
    rules: &CompiledRules,
    around: &dyn Surroundings,
) -> Outcome {
    let mut decision = Decision::new(subject, rules);
    match subject.user {
        Some(user) => decision.about(user, subject, around),
        None => decision.about_deleted(),
    }
}

/// A decision in the making.
struct Decision<'a> {
    rules: &'a CompiledRules,
    subject: Subject<'a>,
    now: Timestamp,
    existing: Option<&'a Account>,
    /// The account, unless it is only a tombstone.
    live: Option<&'a Account>,
    /// The identity provider had deleted the user and has it again.
    returned: bool,
    since: Option<Timestamp>,
    recheck_at: Option<Timestamp>,
    trace: Trace,
}

/// What the required groups say.
enum Scope {
    In,
    /// Out, and nothing comes of it yet.
    Grace,
    Out,
    Waiting,
}

impl<'a> Decision<'a> {
    fn new(subject: &Subject<'a>, rules: &'a CompiledRules) -> Self {
        let existing = subject.existing;
        let gone = |it: &Account| it.status == Status::Removed || it.reason == Reason::IdpDeleted;
        let mut trace = Trace::default();
        trace
            .entries
            .reserve(subject.groups.len() + rules.rows.len() + 4);
        trace.push(Entry::Subject {
            trigger: subject.trigger,
            groups: subject.user.map(|_| subject.groups.len()),
            existing: existing.map(|it| (it.status, it.reason)),
        });
        Self {
            rules,
            subject: *subject,
            now: subject.now,
            existing,
            live: existing.filter(|it| it.status != Status::Removed),
            returned: subject.user.is_some() && existing.is_some_and(gone),
            since: None,
            recheck_at: None,
            trace,
        }
    }

    fn about(
        &mut self,
        user: &'a Resource,
        subject: &Subject<'a>,
        around: &dyn Surroundings,
    ) -> Outcome {
        if self.returned {
            self.trace.push(Entry::Returned);
        }
        let mapped = match mapping::map(user, subject, around, self.rules, &mut self.trace) {
            Ok(mapped) => mapped,
            Err(reason) => return self.dropped(reason, user),
        };
        let Mapped {
            attributes,
            active,
            groups,
        } = mapped;
        let attributes = self.updated(attributes);
        let candidates =
            match membership::candidates(subject.groups, groups, self.rules, &mut self.trace) {
                Ok(candidates) => candidates,
                Err(membership::NoNameMatched) => {
                    return self.dropped(Reason::FilteredNoMatch, user);
                }
            };
        let inactive = (!active).then_some((Reason::IdpInactive, self.rules.cleanup.idp_inactive));
        match self.scope(&candidates) {
            Scope::Waiting => self.without_account(Reason::NotInRequiredGroup),
            Scope::Out => {
                let out = (Reason::NotInRequiredGroup, self.rules.cleanup.out_of_scope);
                self.clean_up(out, inactive)
            }
            Scope::In | Scope::Grace if inactive.is_some() => self.inactive(attributes, candidates),
            Scope::Grace if self.live.is_some_and(|it| it.status == Status::Disabled) => {
                self.as_it_is(attributes)
            }
            Scope::In | Scope::Grace => self.active(attributes, candidates),
        }
    }

    fn about_deleted(&mut self) -> Outcome {
        let deleted = (Reason::IdpDeleted, self.rules.cleanup.idp_deleted);
        self.clean_up(deleted, None)
    }

    fn dropped(&mut self, reason: Reason, user: &Resource) -> Outcome {
        // A leaver does not stay active because a row drops leavers and dropping means keeping.
        let inactive = (user.active() == Some(false))
            .then_some((Reason::IdpInactive, self.rules.cleanup.idp_inactive));
        self.clean_up((reason, self.rules.cleanup.dropped), inactive)
    }

    /// Gate B: required groups (US-24), with a delay before anyone loses an account.
    fn scope(&mut self, candidates: &Candidates<'_>) -> Scope {
        if self.rules.required.is_empty() {
            return Scope::In;
        }
        // What only newcomers get cannot say who stays.
        let lasting = |candidate: &&Candidate<'_>| !self.rules.is_for_newcomers(candidate.from());
        let found = candidates
            .list
            .iter()
            .filter(lasting)
            .find_map(|candidate| {
                let entry = self
                    .rules
                    .required
                    .find(&candidate.name, candidate.source)?;
                Some((candidate, entry))
            });
        let (scope, effect) = match (found, self.live) {
            (Some((candidate, entry)), _) => {
                let group = candidate.name.to_string();
                let entry = entry.clone();
                (Scope::In, ScopeEffect::In { group, entry })
            }
            (None, None) => (Scope::Waiting, ScopeEffect::Waiting),
            (None, Some(account)) => {
                let since = account.out_of_scope_since.unwrap_or(self.now);
                self.since = Some(since);
                match since.checked_add(self.rules.grace) {
                    Ok(until) if self.now < until => {
                        self.recheck_at = Some(until);
                        (Scope::Grace, ScopeEffect::Grace { until })
                    }
                    _ => (Scope::Out, ScopeEffect::Out { since }),
                }
            }
        };
        self.trace.push(Entry::Scope(effect));
        scope
    }

    /// The attributes, as far as they may follow the identity provider (MO-06).
    fn updated(&mut self, attributes: Attributes) -> Attributes {
        match self.live {
            Some(live) if !self.rules.accounts.update && live.attributes != attributes => {
                self.trace.push(Entry::Suppressed(Suppressed::Update));
                live.attributes.clone()
            }
            _ => attributes,
        }
    }

    /// Whether an account would have to be made, and none is (MO-05).
    fn refuses_new(&mut self) -> bool {
        let refused = self.live.is_none() && !self.rules.accounts.create;
        if refused {
            self.trace.push(Entry::Suppressed(Suppressed::Create));
        }
        refused
    }

    /// What becomes of an account that is to be cleaned up, once exemptions (US-34) and switches (MO-08) have spoken.
    fn permitted(&mut self, action: CleanupAction) -> CleanupAction {
        let Some(live) = self.live else { return action };
        let takes = match action {
            CleanupAction::Keep => false,
            CleanupAction::Disable => live.status == Status::Active,
            CleanupAction::Delete => true,
        };
        if !takes {
            return action;
        }
        let asked = Asked {
            user: self.subject.user,
            groups: self.subject.groups,
            existing: self.existing,
            trigger: self.subject.trigger,
        };
        if let Some(by) = self.rules.exempts(&asked) {
            self.trace.push(Entry::Exempt { by });
            return CleanupAction::Keep;
        }
        if !self.rules.accounts.disable {
            self.trace.push(Entry::Suppressed(Suppressed::Disable));
            return CleanupAction::Keep;
        }
        action
    }

    /// An account whose user may log in, unless an administrator says no.
    fn active(&mut self, attributes: Attributes, candidates: Candidates<'_>) -> Outcome {
        if self.manual().is_some() {
            self.trace.push(Entry::ManualStands);
            return match self.live {
                Some(_) => self.as_it_is(attributes),
                None => self.without_account(Reason::Manual),
            };
        }
        if self.refuses_new() {
            return self.without_account(Reason::DroppedByRule);
        }
        let disabled = self.live.is_some_and(|it| it.status == Status::Disabled);
        if disabled && !self.rules.accounts.enable {
            self.trace.push(Entry::Suppressed(Suppressed::Enable));
            return self.as_it_is(attributes);
        }
        let memberships = self.memberships(candidates, Status::Active);
        let verdict = Verdict::Account {
            status: Status::Active,
            reason: Reason::IdpActive,
        };
        self.outcome(verdict, attributes, memberships)
    }

    /// The identity provider says inactive, and still says everything else: attributes and
    /// memberships follow it as for anybody, so that the order of its writes does not matter.
    fn inactive(&mut self, attributes: Attributes, candidates: Candidates<'_>) -> Outcome {
        if self.refuses_new() {
            return self.without_account(Reason::DroppedByRule);
        }
        let action = self.permitted(self.rules.cleanup.idp_inactive);
        if action != CleanupAction::Disable {
            return self.clean_up((Reason::IdpInactive, action), None);
        }
        if self.manual().is_some() {
            return self.clean_up((Reason::IdpInactive, action), None);
        }
        let reason = Reason::IdpInactive;
        self.trace.push(Entry::Cleanup { reason, action });
        let memberships = self.memberships(candidates, Status::Disabled);
        let status = Status::Disabled;
        self.outcome(Verdict::Account { status, reason }, attributes, memberships)
    }

    fn memberships(
        &mut self,
        candidates: Candidates<'_>,
        status: Status,
    ) -> Vec<crate::model::Membership> {
        membership::granted(
            candidates,
            self.existing,
            self.returned,
            status,
            self.rules,
            &mut self.trace,
        )
    }

    /// Something stands in the way of an account (US-30), and what the identity provider says of its
    /// groups no longer counts. Of two causes the one that takes more decides.
    fn clean_up(
        &mut self,
        first: (Reason, CleanupAction),
        second: Option<(Reason, CleanupAction)>,
    ) -> Outcome {
        let (reason, action) = match second {
            Some(second) if second.1.severity() > first.1.severity() => second,
            _ => first,
        };
        let action = self.permitted(action);
        self.trace.push(Entry::Cleanup { reason, action });
        let reason = self.manual().unwrap_or(reason);
        let Some(live) = self.live else {
            return self.without_account(reason);
        };
        let attributes = live.attributes.clone();
        match action {
            CleanupAction::Disable => self.frozen(Status::Disabled, reason, attributes),
            CleanupAction::Keep => self.frozen(live.status, reason, attributes),
            CleanupAction::Delete => {
                self.outcome(Verdict::Remove { reason }, attributes, Vec::new())
            }
        }
    }

    /// The administrator's word on the account, if it stands: only an administrator undoes it (US-35).
    fn manual(&self) -> Option<Reason> {
        self.existing
            .filter(|it| it.reason == Reason::Manual && it.status != Status::Active)
            .map(|it| it.reason)
    }

    fn as_it_is(&mut self, attributes: Attributes) -> Outcome {
        match self.live {
            Some(live) => self.frozen(live.status, live.reason, attributes),
            None => self.without_account(Reason::NotInRequiredGroup),
        }
    }

    fn frozen(&mut self, status: Status, reason: Reason, attributes: Attributes) -> Outcome {
        self.trace.push(Entry::Frozen);
        let memberships = membership::frozen(self.existing, self.returned);
        self.outcome(Verdict::Account { status, reason }, attributes, memberships)
    }

    fn without_account(&mut self, reason: Reason) -> Outcome {
        let verdict = Verdict::NoAccount { reason };
        self.outcome(verdict, Attributes::default(), Vec::new())
    }

    fn outcome(
        &mut self,
        verdict: Verdict,
        attributes: Attributes,
        memberships: Vec<crate::model::Membership>,
    ) -> Outcome {
        Outcome {
            verdict,
            attributes,
            memberships,
            recheck_at: self.recheck_at,
            out_of_scope_since: self.since,
            trace: std::mem::take(&mut self.trace),
        }
    }
}
