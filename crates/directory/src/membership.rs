//! Which groups a user should be in, and why: what is granted, joined with what is there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Account, Membership, Origin, Status};
use crate::name::folded;
use crate::outcome::SourceGroup;
use crate::rules::{Authority, CompiledRules, Item, NestedGroups, OnNoMatch, is_possible_name};
use crate::trace::{Entry, GroupEffect, GroupSource, MembershipEffect, Trace};

/// A group that the identity provider or a row wants the user to be in, before the lists.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub name: Cow<'a, str>,
    /// The identity provider's name for it, if it comes from there.
    pub source: Option<&'a str>,
    /// The groups by which the user comes into it; empty for a direct membership.
    path: &'a [String],
    from: GroupSource,
}

impl Candidate<'_> {
    /// Where it comes from.
    pub(crate) fn from(&self) -> &GroupSource {
        &self.from
    }
}

/// All candidates of one user.
#[derive(Debug, Default)]
pub(crate) struct Candidates<'a> {
    pub list: Vec<Candidate<'a>>,
    /// No rule for names matched, and memberships are to be left alone.
    pub untouched: bool,
}

/// The user is to be dropped, as no rule for group names matched.
#[derive(Debug)]
pub(crate) struct NoNameMatched;

/// Turns source groups and groups named by rows into candidates (US-15).
pub(crate) fn candidates<'a>(
    groups: &'a [SourceGroup],
    named_by_rows: Vec<(Cow<'a, str>, Arc<str>)>,
    rules: &'a CompiledRules,
    trace: &mut Trace,
) -> Result<Candidates<'a>, NoNameMatched> {
    // The order in which the groups come must not matter, and the first seen spelling wins.
    let mut sorted: Vec<&SourceGroup> = groups.iter().collect();
    sorted.sort_unstable_by(|a, b| (a.id, &a.name).cmp(&(b.id, &b.name)));
    if rules.nested_groups == NestedGroups::Ignore {
        sorted.retain(|group| {
            if group.is_nested() {
                let from = GroupSource::Idp(group.id);
                trace.group(from, &group.name, &group.path, GroupEffect::NestingIgnored);
            }
            !group.is_nested()
        });
    }
    let mut candidates = Candidates {
        list: Vec::with_capacity(groups.len() + named_by_rows.len()),
        untouched: false,
    };
    let names = &rules.names;
    if names.changes_nothing() {
        for group in sorted {
            candidates.add_unchanged(group, trace);
        }
        candidates.add_named(named_by_rows, trace);
        return Ok(candidates);
    }
    let transformed: Vec<Vec<Item<'a>>> = sorted
        .iter()
        .map(|group| names.transform(&group.name))
        .collect();
    let matched = transformed.iter().flatten().any(|item| item.matched);
    if names.conditional() && !matched {
        match names.on_no_match {
            OnNoMatch::DropUser => return Err(NoNameMatched),
            // Someone who is in no group at all has left them all; that is no lack of rules.
            OnNoMatch::Keep => candidates.untouched = !sorted.is_empty(),
            OnNoMatch::Pass | OnNoMatch::Clear => {}
        }
    }
    for (group, items) in sorted.into_iter().zip(transformed) {
        candidates.add_source(group, items, names.on_no_match.passes(), trace);
    }
    if candidates.untouched {
        trace.push(Entry::GroupsUntouched);
    }
    candidates.add_named(named_by_rows, trace);
    Ok(candidates)
}

impl<'a> Candidates<'a> {
    /// Most connectors have no rules for names, and people are in many groups.
    fn add_unchanged(&mut self, group: &'a SourceGroup, trace: &mut Trace) {
        let from = GroupSource::Idp(group.id);
        if group.name.is_empty() {
            trace.group(from, &group.name, &group.path, GroupEffect::TransformedAway);
            return;
        }
        let name = Cow::Borrowed(group.name.as_str());
        self.add(name, Some(&group.name), from, &group.path, trace);
    }

    fn add_named(&mut self, named_by_rows: Vec<(Cow<'a, str>, Arc<str>)>, trace: &mut Trace) {
        for (name, row) in named_by_rows {
            let from = GroupSource::Row(row);
            self.add(name, None, from, &[], trace);
        }
    }

    fn add_source(
        &mut self,
        group: &'a SourceGroup,
        items: Vec<Item<'a>>,
        unmatched_pass: bool,
        trace: &mut Trace,
    ) {
        let from = GroupSource::Idp(group.id);
        if items.is_empty() {
            trace.group(from, &group.name, &group.path, GroupEffect::TransformedAway);
            return;
        }
        for item in items {
            if item.matched || unmatched_pass {
                self.add(
                    item.text,
                    Some(&group.name),
                    from.clone(),
                    &group.path,
                    trace,
                );
            } else {
                let effect = GroupEffect::NoRuleMatched;
                trace.group(from.clone(), &group.name, &group.path, effect);
            }
        }
    }

    fn add(
        &mut self,
        name: Cow<'a, str>,
        source: Option<&'a str>,
        from: GroupSource,
        path: &'a [String],
        trace: &mut Trace,
    ) {
        if is_possible_name(&name) {
            self.list.push(Candidate {
                name,
                source,
                path,
                from,
            });
        } else {
            let effect = GroupEffect::NotAName(name.to_string());
            trace.group(from, source.unwrap_or(&name), path, effect);
        }
    }
}

impl Trace {
    fn group(&mut self, from: GroupSource, name: &str, path: &[String], effect: GroupEffect) {
        self.push(Entry::Group {
            from,
            name: name.to_owned(),
            path: path.to_vec(),
            effect,
        });
    }

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

/// The memberships of a user of whom the identity provider speaks: what candidates and rules grant,
/// and what stays of the rest. Groups for everybody are given to active users only; others keep them.
pub(crate) fn granted<'a>(
    candidates: Candidates<'a>,
    existing: Option<&'a Account>,
    returned: bool,
    status: Status,
    rules: &'a CompiledRules,
    trace: &mut Trace,
) -> Vec<Membership> {
    let held = held_before(existing);
    let untouched = candidates.untouched;
    let mut grants = Vec::with_capacity(candidates.list.len() + rules.always_assign.len());
    for candidate in candidates.list {
        grants.extend(filter(candidate, rules, trace));
    }
    for group in &rules.always_assign {
        let has_it = || {
            let always = |it: &BTreeSet<Origin>| it.contains(&Origin::Always);
            held.iter()
                .any(|it| it.fold == group.fold && it.origins.is_some_and(always))
        };
        if status != Status::Active && !has_it() {
            continue;
        }
        trace.push(Entry::Always {
            group: Arc::clone(&group.name),
        });
        grants.push(Grant {
            fold: Cow::Borrowed(&group.fold),
            name: Cow::Borrowed(&group.name),
            origin: Origin::Always,
        });
    }
    grants
        .sort_unstable_by(|a, b| (&a.fold, &a.origin, &a.name).cmp(&(&b.fold, &b.origin, &b.name)));
    let keeper = Keeper {
        rules,
        returned,
        untouched,
    };
    join(grants, held, &keeper, trace)
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
    } = candidate;
    let original = source.unwrap_or(&name);
    let effect = if rules.preserves_nesting() && !path.is_empty() {
        GroupEffect::NestingPreserved(name.to_string())
    } else if !rules.is_listed_only(&name, source) {
        GroupEffect::NotInOnlyAssign(name.to_string())
    } else if let Some(entry) = rules.never_assign.find(&name, source) {
        GroupEffect::NeverAssign {
            name: name.to_string(),
            entry: Arc::clone(entry),
        }
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

/// A membership that is there, or was when the account was removed.
struct Held<'a> {
    fold: Cow<'a, str>,
    name: &'a str,
    /// None if only the name is remembered.
    origins: Option<&'a BTreeSet<Origin>>,
}

fn held_before(existing: Option<&Account>) -> Vec<Held<'_>> {
    let Some(account) = existing else {
        return Vec::new();
    };
    let mut held: Vec<Held<'_>> = account
        .memberships
        .iter()
        .map(|it| (it.group.as_str(), Some(&it.origins)))
        .chain(to_restore(account).map(|name| (name, None)))
        .map(|(name, origins)| Held {
            fold: folded(name),
            name,
            origins,
        })
        .collect();
    // Rows with origins before bare names of the same group, so that the rows count.
    held.sort_by(|a, b| (&a.fold, a.origins.is_none()).cmp(&(&b.fold, b.origins.is_none())));
    held.dedup_by(|later, first| later.fold == first.fold);
    held
}

fn to_restore(account: &Account) -> impl Iterator<Item = &str> {
    let names: &[String] = match account.status {
        Status::Removed => &account.restore,
        Status::Active | Status::Disabled => &[],
    };
    names.iter().map(String::as_str)
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
        if let Some(before) = before.as_ref().and_then(|it| it.origins) {
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
    /// Adds the origins of an existing membership that are not the rules' to end.
    fn add_others(&self, before: &BTreeSet<Origin>, origins: &mut BTreeSet<Origin>) {
        // What was taken over from elsewhere ends when the identity provider says the same itself.
        let confirmed = origins.iter().any(|it| matches!(it, Origin::Idp(_)));
        let stays = |origin: &&Origin| match origin {
            Origin::Copied => !confirmed,
            origin => self.untouched || !origin.is_ours(),
        };
        origins.extend(before.iter().filter(stays).cloned());
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
        let Some(origins) = held.origins else {
            return self.restore(held.name, protected.is_some());
        };
        let copied = self.returned && origins.iter().any(|it| matches!(it, Origin::Idp(_)));
        if copied {
            let (effect, _) = self.restore(held.name, protected.is_some());
            if effect == MembershipEffect::Restored {
                return (effect, Some(as_copied(origins)));
            }
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
        if self.rules.authority == Authority::OwnedOnly && others {
            let rest = origins.iter().filter(|it| !it.is_ours()).cloned();
            return (MembershipEffect::NotOurs, Some(rest.collect()));
        }
        (MembershipEffect::Removed, None)
    }

    /// Gives back what a deleted user had, as far as the rules would let it be and stay.
    fn restore(&self, name: &str, protected: bool) -> (MembershipEffect, Option<BTreeSet<Origin>>) {
        let admitted =
            self.rules.lists_admit(name, None) && self.rules.authority != Authority::Strict;
        if protected || admitted {
            (
                MembershipEffect::Restored,
                Some(BTreeSet::from([Origin::Copied])),
            )
        } else {
            (MembershipEffect::Removed, None)
        }
    }
}

fn as_copied(origins: &BTreeSet<Origin>) -> BTreeSet<Origin> {
    let others = origins.iter().filter(|it| !it.is_ours()).cloned();
    others.chain([Origin::Copied]).collect()
}

/// The memberships of an account that is not active: those it has, frozen. What a returned user had
/// from source groups that are gone is remembered as copied.
pub(crate) fn frozen(existing: Option<&Account>, returned: bool) -> Vec<Membership> {
    held_before(existing)
        .into_iter()
        .map(|held| Membership {
            group: held.name.to_owned(),
            origins: match held.origins {
                None => BTreeSet::from([Origin::Copied]),
                Some(origins) if returned && origins.iter().any(is_idp) => as_copied(origins),
                Some(origins) => origins.clone(),
            },
        })
        .collect()
}

fn is_idp(origin: &Origin) -> bool {
    matches!(origin, Origin::Idp(_))
}
