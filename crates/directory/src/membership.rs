//! Which groups a user should be in, and why: what is granted, joined with what is there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::candidates::{Candidate, Candidates};
use crate::model::{Account, Membership, Origin, Status};
use crate::name::folded;
use crate::outcome::Review;
use crate::rules::{Authority, CompiledRules, PlainGroup};
use crate::trace::{AddedBy, Entry, GroupEffect, GroupSource, MembershipEffect, Trace};

impl Trace {
    fn membership(&mut self, group: &str, effect: MembershipEffect) {
        self.push(Entry::Membership {
            group: group.to_owned(),
            effect,
        });
    }
}

/// One reason to be in a group.
struct Grant<'a> {
    fold: Cow<'a, str>,
    name: Cow<'a, str>,
    origin: Origin,
}

/// Whose memberships are to be told.
#[derive(Clone, Copy)]
pub(crate) struct Holder<'a> {
    pub existing: Option<&'a Account>,
    /// What the user had before, to be given back.
    pub remembered: &'a [Membership],
    /// The user was deleted and is back.
    pub returned: bool,
    pub status: Status,
}

/// The memberships of a user of whom the identity provider speaks: what candidates and rules grant,
/// and what stays of the rest.
pub(crate) fn granted<'a>(
    candidates: Candidates<'a>,
    holder: &Holder<'a>,
    rules: &'a CompiledRules,
    trace: &mut Trace,
) -> Vec<Membership> {
    let held = held_before(holder.existing, holder.remembered);
    let untouched = candidates.untouched;
    let mut grants = Vec::with_capacity(candidates.list.len() + rules.always_assign.len());
    for candidate in candidates.list {
        grants.extend(filter(candidate, rules, trace));
    }
    let mut adding = Adding {
        rules,
        grants: &mut grants,
        trace,
    };
    adding.always(&held, holder.status);
    for (rule, group) in candidates.added {
        let by = AddedBy::Condition(Arc::clone(rule));
        adding.add(group, Origin::Rule(rule.to_string()), by);
    }
    adding.with_new_account(&held, holder.existing.is_none());
    grants
        .sort_unstable_by(|a, b| (&a.fold, &a.origin, &a.name).cmp(&(&b.fold, &b.origin, &b.name)));
    let keeper = Keeper {
        rules,
        returned: holder.returned,
        untouched,
    };
    join(grants, held, &keeper, trace)
}

/// Groups that the rules add by themselves, whatever the lists say (PL-05, step 8).
struct Adding<'a, 't> {
    rules: &'a CompiledRules,
    grants: &'t mut Vec<Grant<'a>>,
    trace: &'t mut Trace,
}

impl<'a> Adding<'a, '_> {
    fn add(&mut self, group: &'a PlainGroup, origin: Origin, by: AddedBy) {
        let refused = self.rules.protects(&group.name, None);
        self.trace.push(Entry::Added {
            group: Arc::clone(&group.name),
            by: refused.map_or(by, |entry| AddedBy::Refused(Arc::clone(entry))),
        });
        if refused.is_none() {
            self.grants.push(Grant {
                fold: Cow::Borrowed(&group.fold),
                name: Cow::Borrowed(&group.name),
                origin,
            });
        }
    }

    /// Groups for everybody (US-17) are given to active users only; others keep them.
    fn always(&mut self, held: &[Held<'a>], status: Status) {
        for group in &self.rules.always_assign {
            let has_it = || {
                held.iter()
                    .any(|it| !it.remembered && it.fold == *group.fold && it.has(&Origin::Always))
            };
            if status == Status::Active || has_it() {
                self.add(group, Origin::Always, AddedBy::Always);
            }
        }
    }

    /// Groups that come with a new account (MO-11). Later those stay that nobody took away, and no rule takes them.
    fn with_new_account(&mut self, held: &[Held<'a>], is_new: bool) {
        let origin = Origin::Rule(Origin::NEW_USER_GROUPS.to_owned());
        if is_new {
            for group in &self.rules.new_user_groups {
                self.add(group, origin.clone(), AddedBy::NewAccount);
            }
            return;
        }
        for held in held.iter().filter(|it| !it.remembered && it.has(&origin)) {
            self.trace.push(Entry::Added {
                group: Arc::from(held.name),
                by: AddedBy::GivenBefore,
            });
            self.grants.push(Grant {
                fold: held.fold.clone(),
                name: Cow::Borrowed(held.name),
                origin: origin.clone(),
            });
        }
    }
}

/// Lets a candidate pass the lists (US-19 to US-21). Where products see which groups are in which, a user is a member
/// only of the groups that hold it themselves.
fn filter<'a>(
    candidate: Candidate<'a>,
    rules: &CompiledRules,
    trace: &mut Trace,
) -> Option<Grant<'a>> {
    let Candidate {
        name,
        source,
        path,
        from,
        review,
    } = candidate;
    let original = source.unwrap_or(&name);
    let effect = if rules.preserves_nesting() && !path.is_empty() {
        GroupEffect::NestingPreserved(name.to_string())
    } else if let Some(entry) = rules.protects(&name, source) {
        GroupEffect::Protected {
            name: name.to_string(),
            entry: Arc::clone(entry),
        }
    } else if !rules.is_listed_only(&name, source) {
        GroupEffect::NotInOnlyAssign(name.to_string())
    } else if let Some(entry) = rules.never_assign.find(&name, source) {
        GroupEffect::NeverAssign {
            name: name.to_string(),
            entry: Arc::clone(entry),
        }
    } else if review == Review::Waiting {
        GroupEffect::Waiting(name.to_string())
    } else if original == name {
        GroupEffect::Granted
    } else {
        GroupEffect::GrantedAs(name.to_string())
    };
    let granted = matches!(effect, GroupEffect::Granted | GroupEffect::GrantedAs(_));
    let origin = match &from {
        GroupSource::Idp(id) => Origin::Idp(*id),
        GroupSource::Row(row) => Origin::Rule(row.to_string()),
    };
    trace.group(from, original, path, effect);
    granted.then(|| Grant {
        fold: fold_of(&name),
        name,
        origin,
    })
}

fn fold_of<'a>(name: &Cow<'a, str>) -> Cow<'a, str> {
    match name {
        Cow::Borrowed(name) => folded(name),
        Cow::Owned(name) => Cow::Owned(folded(name).into_owned()),
    }
}

/// A membership that is there, or is remembered to be given back.
struct Held<'a> {
    fold: Cow<'a, str>,
    name: &'a str,
    origins: &'a BTreeSet<Origin>,
    remembered: bool,
}

impl Held<'_> {
    fn has(&self, origin: &Origin) -> bool {
        self.origins.contains(origin)
    }
}

fn held_before<'a>(existing: Option<&'a Account>, remembered: &'a [Membership]) -> Vec<Held<'a>> {
    let present = existing.map_or(&[][..], |account| &account.memberships);
    let mut held: Vec<Held<'_>> = present
        .iter()
        .map(|it| (it, false))
        .chain(remembered.iter().map(|it| (it, true)))
        .map(|(membership, remembered)| Held {
            fold: folded(&membership.group),
            name: &membership.group,
            origins: &membership.origins,
            remembered,
        })
        .collect();
    // What is there before what is remembered of the same group, so that it counts.
    held.sort_by(|a, b| (&a.fold, a.remembered).cmp(&(&b.fold, b.remembered)));
    held.dedup_by(|later, first| later.fold == first.fold);
    held
}

/// Joins two lists sorted by fold.
fn join(
    grants: Vec<Grant<'_>>,
    held: Vec<Held<'_>>,
    keeper: &Keeper<'_>,
    trace: &mut Trace,
) -> Vec<Membership> {
    let mut joined: Vec<Membership> = Vec::with_capacity(grants.len() + held.len());
    let mut held = held.into_iter().peekable();
    let mut grants = grants.into_iter().peekable();
    while let Some(first) = grants.next() {
        while let Some(alone) = held.next_if(|it| it.fold < first.fold) {
            joined.extend(keeper.keep(alone, trace));
        }
        let before = held.next_if(|it| it.fold == first.fold);
        let mut origins = BTreeSet::from([first.origin]);
        while let Some(next) = grants.next_if(|it| it.fold == first.fold) {
            origins.insert(next.origin);
        }
        if let Some(before) = &before {
            keeper.add_others(before, &mut origins);
        }
        joined.push(Membership {
            group: before.map_or_else(|| first.name.into_owned(), |it| it.name.to_owned()),
            origins,
        });
    }
    for alone in held {
        joined.extend(keeper.keep(alone, trace));
    }
    joined
}

/// Decides what stays of memberships that nothing grants.
struct Keeper<'a> {
    rules: &'a CompiledRules,
    returned: bool,
    untouched: bool,
}

impl Keeper<'_> {
    /// Adds the origins of an earlier membership that are not the rules' to end. What is merely remembered is not left
    /// alone: what the rules granted then, they say again or not.
    fn add_others(&self, before: &Held<'_>, origins: &mut BTreeSet<Origin>) {
        let untouched = self.untouched && !before.remembered;
        // What was taken over from elsewhere ends when the identity provider says the same itself.
        let confirmed = origins.iter().any(|it| matches!(it, Origin::Idp(_)));
        let stays = |origin: &&Origin| match origin {
            Origin::Copied => !confirmed,
            origin => untouched || !origin.is_ours(),
        };
        origins.extend(before.origins.iter().filter(stays).cloned());
    }

    fn keep(&self, held: Held<'_>, trace: &mut Trace) -> Option<Membership> {
        let (effect, origins) = self.decide(&held);
        if !self.untouched {
            trace.membership(held.name, effect);
        }
        origins.map(|origins| Membership {
            group: held.name.to_owned(),
            origins,
        })
    }

    fn decide(&self, held: &Held<'_>) -> (MembershipEffect, Option<BTreeSet<Origin>>) {
        let protected = self.rules.never_remove.find(held.name, None);
        if held.remembered {
            return self.give_back(held, protected.is_some());
        }
        let origins = held.origins;
        if self.returned
            && origins.iter().any(is_idp)
            && self.may_restore(held.name, protected.is_some())
        {
            return (MembershipEffect::Restored, Some(as_copied(origins)));
        }
        if let Some(entry) = protected {
            return (
                MembershipEffect::Protected(Arc::clone(entry)),
                Some(origins.clone()),
            );
        }
        if self.untouched || self.rules.authority == Authority::Additive {
            return (MembershipEffect::Additive, Some(origins.clone()));
        }
        let others = origins.iter().any(|origin| !origin.is_ours()) || origins.is_empty();
        let rest = || origins.iter().filter(|it| !it.is_ours()).cloned();
        if others && let Some(entry) = self.rules.protects(held.name, None) {
            let effect = MembershipEffect::HandsOff(Arc::clone(entry));
            return (effect, Some(rest().collect()));
        }
        if self.rules.authority == Authority::OwnedOnly && others {
            return (MembershipEffect::NotOurs, Some(rest().collect()));
        }
        (MembershipEffect::Removed, None)
    }

    /// Gives back what is remembered, as far as the rules would let it be and stay. What the identity provider or
    /// the rules had granted comes back as a copy after a deletion; else they say themselves what they grant.
    fn give_back(
        &self,
        held: &Held<'_>,
        protected: bool,
    ) -> (MembershipEffect, Option<BTreeSet<Origin>>) {
        if let Some(entry) = self.rules.protects(held.name, None) {
            return (MembershipEffect::NotGivenBack(Arc::clone(entry)), None);
        }
        let strict = self.rules.authority == Authority::Strict && !protected;
        let comes = |origin: &&Origin| !strict && !origin.is_ours() && **origin != Origin::Copied;
        let mut origins: BTreeSet<Origin> = held.origins.iter().filter(comes).cloned().collect();
        let copied = held.has(&Origin::Copied)
            || held.has(&Origin::Rule(Origin::NEW_USER_GROUPS.to_owned()))
            || (self.returned && held.origins.iter().any(Origin::is_ours));
        if copied && self.may_restore(held.name, protected) {
            origins.insert(Origin::Copied);
        }
        if origins.is_empty() {
            (MembershipEffect::Removed, None)
        } else {
            (MembershipEffect::Restored, Some(origins))
        }
    }

    /// Whether what a deleted user had may be given back.
    fn may_restore(&self, name: &str, protected: bool) -> bool {
        if self.rules.protects(name, None).is_some() {
            return false;
        }
        protected
            || (self.rules.lists_admit(name, None) && self.rules.authority != Authority::Strict)
    }
}

fn as_copied(origins: &BTreeSet<Origin>) -> BTreeSet<Origin> {
    let others = origins.iter().filter(|it| !it.is_ours()).cloned();
    others.chain([Origin::Copied]).collect()
}

/// Memberships of somebody whom the identity provider deleted and has again: what came from source groups that
/// are gone is a copy from now on.
pub(crate) fn copied(memberships: &[Membership], returned: bool) -> Vec<Membership> {
    let copy = |membership: &Membership| Membership {
        group: membership.group.clone(),
        origins: if returned && membership.origins.iter().any(is_idp) {
            as_copied(&membership.origins)
        } else {
            membership.origins.clone()
        },
    };
    memberships.iter().map(copy).collect()
}

fn is_idp(origin: &Origin) -> bool {
    matches!(origin, Origin::Idp(_))
}
