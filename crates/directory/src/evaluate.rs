//! The decision: what should be in the directory about one person.

use std::sync::Arc;

use jiff::Timestamp;
use scim::Resource;

use crate::candidates::{self, Candidate, Candidates, Named, NoNameMatched};
use crate::conditional;
use crate::mapping::Mapped;
use crate::membership::{self, Holder};
use crate::model::{Account, Attributes, Membership, Memory, Reason, Status};
use crate::outcome::{Outcome, Subject, Verdict};
use crate::overrides;
use crate::precedence::Shared;
use crate::pseudonym;
use crate::rules::{Asked, CleanupAction, CompiledRules, Loss, Rename};
use crate::surroundings::{Alone, Surroundings};
use crate::trace::{Entry, ScopeEffect, Suppressed, Trace};

/// Decides what should be in the directory about one person (PL-05, steps 1 to 11 but for limits).
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
    evaluate_shared(subject, rules, around, None)
}

/// The same for an account of which other connectors speak too.
pub fn evaluate_shared(
    subject: &Subject<'_>,
    rules: &CompiledRules,
    around: &dyn Surroundings,
    shared: Option<Shared<'_>>,
) -> Outcome {
    let kept = overrides::keeps_active(subject);
    let bare = subject
        .existing
        .and_then(|account| overrides::without(account, kept));
    let ruled = Subject {
        existing: bare.as_ref().or(subject.existing),
        ..*subject
    };
    let mut decision = Decision::new(&ruled, rules, around, shared);
    let mut outcome = match ruled.user {
        Some(user) => decision.about(user, &ruled),
        None => decision.about_deleted(),
    };
    if let Some(shared) = shared {
        shared.join(&mut outcome, ruled.existing, rules);
    }
    if !subject.overrides.is_empty() {
        overrides::impose(subject, &mut outcome);
    }
    outcome
}

/// A decision in the making.
pub(crate) struct Decision<'a> {
    pub(crate) rules: &'a CompiledRules,
    pub(crate) subject: Subject<'a>,
    pub(crate) around: &'a dyn Surroundings,
    shared: Option<Shared<'a>>,
    pub(crate) now: Timestamp,
    pub(crate) existing: Option<&'a Account>,
    /// The account, unless it is only a tombstone.
    pub(crate) live: Option<&'a Account>,
    /// The identity provider had deleted the user and has it again.
    pub(crate) returned: bool,
    pub(crate) memory: Memory,
    /// An exemption or a switch keeps cleanup off the account.
    pub(crate) spared: bool,
    recheck_at: Option<Timestamp>,
    /// A conditional rule disables the account.
    disabled: bool,
    pub(crate) trace: Trace,
}

/// What the gates say.
enum Scope {
    In,
    /// Out, and nothing comes of it yet.
    Grace,
    Out,
    Waiting,
}

impl<'a> Decision<'a> {
    fn new(
        subject: &Subject<'a>,
        rules: &'a CompiledRules,
        around: &'a dyn Surroundings,
        shared: Option<Shared<'a>>,
    ) -> Self {
        let existing = subject.existing;
        let gone = |it: &Account| it.status == Status::Removed || it.reason == Reason::IdpDeleted;
        let stays_until = existing
            .filter(|it| it.is_sticky())
            .and_then(|it| it.memory.stays_until);
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
            around,
            shared,
            now: subject.now,
            existing,
            live: existing.filter(|it| it.status != Status::Removed),
            returned: subject.user.is_some() && existing.is_some_and(gone),
            recheck_at: stays_until.filter(|until| subject.now < *until),
            memory: Memory {
                out_of_scope_since: None,
                stays_until,
                ..existing.map_or_else(Memory::default, |it| it.memory.clone())
            },
            spared: false,
            disabled: false,
            trace,
        }
    }

    fn about(&mut self, user: &'a Resource, subject: &Subject<'a>) -> Outcome {
        if let Some(gone) = self.existing.filter(|_| self.returned) {
            self.trace.push(Entry::Returned(gone.reason));
        }
        let asked = self.asked();
        let said = conditional::ask(user, &asked, self.now, self.rules, &mut self.trace);
        self.recheck(said.recheck_at);
        self.disabled = said.disable;
        let gate = self.filter(user);
        match gate {
            Scope::Waiting => {
                self.tell_rows(user, subject);
                return self.without_account(Reason::FilteredNoMatch);
            }
            Scope::Out => {
                let inactive = self.inactive_for(user.active() != Some(false));
                return self.out_of_scope(Reason::FilteredNoMatch, inactive);
            }
            Scope::In | Scope::Grace => {}
        }
        if said.drop {
            self.tell_rows(user, subject);
            return self.dropped(Reason::DroppedByRule, user);
        }
        let Mapped {
            attributes,
            active,
            groups,
        } = match self.map(user, subject) {
            Ok(mapped) => mapped,
            Err(reason) => return self.dropped(reason, user),
        };
        let attributes = self.updated(attributes);
        let named = Named {
            source: subject.groups,
            by_rows: groups,
            by_conditions: said.groups,
        };
        let candidates = match candidates::candidates(named, self.now, self.rules, &mut self.trace)
        {
            Ok(candidates) => candidates,
            Err(NoNameMatched) => {
                self.trace.push(Entry::NoNameMatched);
                return self.dropped(Reason::FilteredNoMatch, user);
            }
        };
        self.recheck(candidates.recheck_at);
        let inactive = self.inactive_for(active);
        let scope = match gate {
            Scope::In => self.required(&candidates),
            gate => gate,
        };
        match scope {
            Scope::Waiting => self.without_account(Reason::NotInRequiredGroup),
            Scope::Out => self.out_of_scope(Reason::NotInRequiredGroup, inactive),
            scope => match (inactive, scope) {
                (Some(cause), _) => self.inactive(cause, attributes, candidates),
                (None, Scope::Grace) if self.live.is_some_and(|it| it.status != Status::Active) => {
                    self.as_it_is(attributes)
                }
                (None, _) => self.active(attributes, candidates),
            },
        }
    }

    /// What makes an account inactive: the identity provider's word, or a conditional rule. Of both, the one that
    /// takes more.
    fn inactive_for(&self, active: bool) -> Option<(Reason, Loss)> {
        let provider = (Reason::IdpInactive, Loss::IdpInactive);
        let rule = (Reason::DisabledByRule, Loss::Rule);
        let severity = |cause: (Reason, Loss)| self.rules.cleanup.first(cause.1).severity();
        match (active, self.disabled) {
            (true, false) => None,
            (true, true) => Some(rule),
            (false, true) if severity(rule) > severity(provider) => Some(rule),
            (false, _) => Some(provider),
        }
    }

    /// Notes that there is to be another look, at this time or earlier.
    pub(crate) fn recheck(&mut self, at: Option<Timestamp>) {
        self.recheck_at = match (self.recheck_at, at) {
            (Some(first), Some(at)) => Some(first.min(at)),
            (first, at) => first.or(at),
        };
    }

    fn about_deleted(&mut self) -> Outcome {
        self.clean_up((Reason::IdpDeleted, Loss::IdpDeleted), None)
    }

    fn out_of_scope(&mut self, reason: Reason, inactive: Option<(Reason, Loss)>) -> Outcome {
        self.clean_up((reason, Loss::OutOfScope), inactive)
    }

    fn dropped(&mut self, reason: Reason, user: &Resource) -> Outcome {
        // A leaver does not stay active because a row drops leavers and dropping means keeping.
        let inactive = self.inactive_for(user.active() != Some(false));
        self.clean_up((reason, Loss::Dropped), inactive)
    }

    /// Gate A: the filter over the user.
    fn filter(&mut self, user: &'a Resource) -> Scope {
        let Some(filter) = &self.rules.filter else {
            return Scope::In;
        };
        let asked = Asked {
            user: Some(user),
            ..self.asked()
        };
        if filter.holds(&asked) {
            return Scope::In;
        }
        let filter = Arc::clone(&filter.text);
        let (scope, effect) = self.outside();
        self.trace.push(Entry::OutsideFilter { filter, effect });
        scope
    }

    /// Gate B: required groups (US-24).
    fn required(&mut self, candidates: &Candidates<'_>) -> Scope {
        if self.rules.required.is_empty() {
            return Scope::In;
        }
        // What only newcomers get cannot say who stays.
        let lasting = |candidate: &&Candidate<'_>| !self.rules.is_for_newcomers(&candidate.from);
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
        let (scope, effect) = match found {
            Some((candidate, entry)) => {
                let group = candidate.name.to_string();
                let entry = entry.clone();
                (Scope::In, ScopeEffect::In { group, entry })
            }
            None => self.outside(),
        };
        self.trace.push(Entry::Scope(effect));
        scope
    }

    /// What comes of being outside, with a delay before anyone loses an account.
    fn outside(&mut self) -> (Scope, ScopeEffect) {
        let Some(account) = self.live else {
            return (Scope::Waiting, ScopeEffect::Waiting);
        };
        let since = account.memory.out_of_scope_since.unwrap_or(self.now);
        self.memory.out_of_scope_since = Some(since);
        match since.checked_add(self.rules.grace) {
            Ok(until) if self.now < until => {
                self.recheck(Some(until));
                (Scope::Grace, ScopeEffect::Grace { until })
            }
            _ => (Scope::Out, ScopeEffect::Out { since }),
        }
    }

    /// The attributes, as far as they may follow the identity provider (MO-06, US-29).
    fn updated(&mut self, mut attributes: Attributes) -> Attributes {
        let known = self.live.map(|it| &it.attributes);
        let Some(before) = known.filter(|it| !pseudonym::is_one(it)) else {
            return attributes;
        };
        if !self.rules.accounts.update && *before != attributes {
            self.trace.push(Entry::Suppressed(Suppressed::Update));
            return before.clone();
        }
        if self.rules.accounts.rename == Rename::Pin && before.username != attributes.username {
            let pinned = before.username.clone();
            let wanted = std::mem::replace(&mut attributes.username, pinned);
            self.trace.push(Entry::NamePinned { wanted });
        }
        attributes
    }

    /// Whether an account would have to be made, and none is (MO-05).
    fn refuses_new(&mut self) -> bool {
        let refused = self.live.is_none() && !self.rules.accounts.create;
        if refused {
            self.trace.push(Entry::Suppressed(Suppressed::Create));
        }
        refused
    }

    /// An account whose user may log in, unless an administrator or the rule for the inactive says no.
    fn active(&mut self, attributes: Attributes, candidates: Candidates<'_>) -> Outcome {
        if let Some(standing) = self.standing() {
            self.trace.push(match standing {
                Reason::InactivityRule => Entry::InactivityStands {
                    last: self.live.and_then(|it| it.last_login),
                    days: self.rules.inactivity.as_ref().map(|it| it.rule.days),
                    sticky: self.rules.is_inactivity_sticky(),
                },
                _ => Entry::ManualStands,
            });
            if standing == Reason::Manual {
                self.memory.cleaned_up_since = None;
            }
            return match self.live {
                Some(_) => self.as_it_is(attributes),
                None => self.without_account(standing),
            };
        }
        if self.refuses_new() {
            return self.without_account(Reason::DroppedByRule);
        }
        let disabled = self.live.is_some_and(|it| it.status != Status::Active);
        if disabled && !self.rules.accounts.enable {
            self.trace.push(Entry::Suppressed(Suppressed::Enable));
            self.memory.cleaned_up_since = None;
            return self.still_disabled(attributes, candidates);
        }
        let memberships = self.memberships(candidates, Status::Active);
        // Only the rule for the inactive asks for it.
        let joined = self
            .shared
            .filter(|_| self.rules.inactivity.is_some())
            .map(|it| it.joined(&memberships, self.existing, self.rules));
        if let Some(action) = self.unused(joined.as_ref().unwrap_or(&memberships)) {
            self.memory.cleaned_up_since = Some(self.now);
            let reason = Reason::InactivityRule;
            self.trace.push(Entry::Cleanup { reason, action });
            return self.lose(reason, action, Some(attributes));
        }
        self.memory.cleaned_up_since = None;
        let verdict = Verdict::Account {
            status: Status::Active,
            reason: Reason::IdpActive,
        };
        self.outcome(verdict, attributes, memberships)
    }

    /// A switch keeps the account from being enabled; everything else follows the identity provider.
    fn still_disabled(&mut self, attributes: Attributes, candidates: Candidates<'_>) -> Outcome {
        let Some(live) = self.live.filter(|it| it.status == Status::Disabled) else {
            return self.as_it_is(attributes);
        };
        let memberships = self.memberships(candidates, Status::Disabled);
        let memberships = self.stripped(memberships, true);
        self.account(Status::Disabled, live.reason, attributes, memberships)
    }

    /// The identity provider says inactive, or a conditional rule does, and the provider still says everything else:
    /// attributes and memberships follow it as for anybody, so that the order of its writes does not matter and nobody
    /// who stays active keeps what was taken.
    fn inactive(
        &mut self,
        cause: (Reason, Loss),
        attributes: Attributes,
        candidates: Candidates<'_>,
    ) -> Outcome {
        if self.refuses_new() {
            return self.without_account(Reason::DroppedByRule);
        }
        let anonymised = self.live.is_some_and(|it| it.status == Status::Anonymised);
        if anonymised || self.standing().is_some() {
            return self.clean_up(cause, None);
        }
        // Groups exempt as they are to be, so that what is decided stays so once it is done.
        let told_before = self.trace.entries.len();
        let remembered = self.memory.restore.clone();
        let memberships = self.memberships(candidates, Status::Disabled);
        let told = self.trace.entries.split_off(told_before);
        let (reason, action) = self.what_becomes(cause, None, &memberships);
        let status = match (action, self.live) {
            (CleanupAction::Disable, _) => Status::Disabled,
            (CleanupAction::Keep, Some(live)) => live.status,
            _ => {
                self.memory.restore = remembered;
                return self.lose(reason, action, None);
            }
        };
        self.trace.entries.extend(told);
        let memberships = self.stripped(memberships, true);
        self.outcome(Verdict::Account { status, reason }, attributes, memberships)
    }

    fn memberships(&mut self, candidates: Candidates<'_>, status: Status) -> Vec<Membership> {
        let back = status == Status::Active || self.live.is_none();
        let remembered = if back {
            std::mem::take(&mut self.memory.restore)
        } else {
            Vec::new()
        };
        let given_back = self.live.is_none() || self.rules.cleanup.restore_groups;
        let holder = Holder {
            existing: self.existing,
            remembered: if given_back { &remembered } else { &[] },
            returned: self.returned,
            status,
        };
        membership::granted(candidates, &holder, self.rules, &mut self.trace)
    }

    pub(crate) fn asked(&self) -> Asked<'a> {
        Asked {
            user: self.subject.user,
            groups: self.subject.groups,
            existing: self.existing,
            trigger: self.subject.trigger,
        }
    }

    fn as_it_is(&mut self, attributes: Attributes) -> Outcome {
        match self.live {
            Some(live) => self.frozen(live.status, live.reason, attributes),
            None => self.without_account(Reason::NotInRequiredGroup),
        }
    }

    /// An account that keeps the memberships it has.
    pub(crate) fn frozen(
        &mut self,
        status: Status,
        reason: Reason,
        attributes: Attributes,
    ) -> Outcome {
        self.trace.push(Entry::Frozen);
        let held = self.live.map_or(&[][..], |it| &it.memberships);
        let memberships = membership::copied(held, self.returned);
        self.account(status, reason, attributes, memberships)
    }

    /// An account with these memberships; whoever is anonymised has no attributes to speak of.
    pub(crate) fn account(
        &mut self,
        status: Status,
        reason: Reason,
        attributes: Attributes,
        memberships: Vec<Membership>,
    ) -> Outcome {
        let attributes = match (status, self.live) {
            (Status::Anonymised, Some(live)) => {
                pseudonym::attributes(&live.key, &live.attributes.username, self.around)
            }
            _ => attributes,
        };
        self.outcome(Verdict::Account { status, reason }, attributes, memberships)
    }

    pub(crate) fn without_account(&mut self, reason: Reason) -> Outcome {
        let verdict = Verdict::NoAccount { reason };
        self.outcome(verdict, Attributes::default(), Vec::new())
    }

    pub(crate) fn outcome(
        &mut self,
        verdict: Verdict,
        attributes: Attributes,
        memberships: Vec<Membership>,
    ) -> Outcome {
        let sticks =
            matches!(verdict, Verdict::Account { status, reason } if reason.sticks_to(status));
        if !sticks {
            self.memory.stays_until = None;
        }
        Outcome {
            verdict,
            attributes,
            memberships,
            recheck_at: self.recheck_at,
            memory: std::mem::take(&mut self.memory),
            trace: std::mem::take(&mut self.trace),
        }
    }
}
