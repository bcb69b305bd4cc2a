//! The ways into a group, each with what stands in it.

use super::{Becoming, Hypothesis, Remedy};
use crate::name::same;
use crate::outcome::{Review, SourceGroup};
use crate::rules::{CompiledRules, Naming, NestedGroups, RuleState};
use crate::trace::{Entry, GroupSource};

/// What would have to be different for somebody with an active account to be in a group.
pub(super) fn into(hypothesis: &Hypothesis<'_>, group: &str) -> Vec<Remedy> {
    let leads_there = |way: &Vec<Remedy>| {
        let mut supposed = hypothesis.clone();
        way.iter().for_each(|it| supposed.suppose(it));
        supposed.is_member(group)
    };
    let mut ways = by_source_groups(hypothesis, group);
    ways.extend(by_rows(hypothesis, group));
    ways.retain(leads_there);
    let is_named = !ways.is_empty();
    ways.extend(for_everybody(hypothesis, group));
    let has_way = !ways.is_empty();
    ways.extend(by_conditions(hypothesis, group));
    if !has_way {
        let source = [
            vec![Remedy::Named(group.to_owned())],
            lists(&hypothesis.rules, group, None),
        ];
        ways.push(source.concat());
    }
    if !is_named && !has_way {
        let always = [
            vec![Remedy::AlwaysAssigned(group.to_owned())],
            protected(&hypothesis.rules, group, None),
        ];
        ways.push(always.concat());
    }
    ways.retain(leads_there);
    if ways.is_empty() {
        return by_others(hypothesis, group);
    }
    join(ways)
}

/// Source groups of the user that become the group, or bear its name.
fn by_source_groups(hypothesis: &Hypothesis<'_>, group: &str) -> Vec<Vec<Remedy>> {
    let rules = &hypothesis.rules;
    let ways = hypothesis.groups.iter().filter_map(|source| {
        let names = rules.candidate_names(source);
        let becomes = names.iter().any(|name| same(name, group));
        if !becomes && !same(&source.name, group) {
            return None;
        }
        let mut way = Vec::new();
        if !becomes {
            way.push(Remedy::Becomes {
                source: source.id,
                name: source.name.clone(),
                group: group.to_owned(),
                now: becoming(rules, source),
            });
        }
        let ignored = match rules.nested_groups {
            NestedGroups::Flatten => None,
            NestedGroups::Preserve => Some(false),
            NestedGroups::Ignore => Some(true),
        };
        if let Some(ignored) = ignored.filter(|_| source.is_nested()) {
            let name = source.name.clone();
            way.push(Remedy::Flattened { name, ignored });
        }
        if source.review() != Review::Settled {
            way.push(Remedy::MayFeed {
                source: source.id,
                name: source.name.clone(),
                group: group.to_owned(),
                refused: source.review() == Review::Ignored,
            });
        }
        way.extend(lists(rules, group, Some(&source.name)));
        Some(way)
    });
    ways.collect()
}

fn becoming(rules: &CompiledRules, source: &SourceGroup) -> Becoming {
    let naming = rules.naming(source);
    match naming {
        Naming::Unmapped => Becoming::Unmapped,
        Naming::Rules(_) if !naming.matched() => Becoming::Unmatched,
        _ => {
            let names = rules.candidate_names(source).into_iter();
            Becoming::Names(names.map(std::borrow::Cow::into_owned).collect())
        }
    }
}

/// Rows of the mapping that name the group.
fn by_rows(hypothesis: &Hypothesis<'_>, group: &str) -> Vec<Vec<Remedy>> {
    let outcome = hypothesis.outcome();
    let named = outcome.trace.entries().iter().any(|entry| {
        matches!(entry, Entry::Group { from: GroupSource::Row(_), name, .. } if same(name, group))
    });
    match named {
        true => vec![lists(&hypothesis.rules, group, None)],
        false => Vec::new(),
    }
}

/// Lists by which the user would have the group as well as others.
fn for_everybody(hypothesis: &Hypothesis<'_>, group: &str) -> Vec<Vec<Remedy>> {
    let rules = &hypothesis.rules;
    let new = match hypothesis.existing {
        None => &rules.new_user_groups[..],
        Some(_) => &[],
    };
    let mut listed = rules.always_assign.iter().chain(new);
    match listed.any(|it| same(&it.name, group)) {
        true => vec![protected(rules, group, None)],
        false => Vec::new(),
    }
}

/// Conditional rules that add the group. One that takes the account at once is no way to it.
fn by_conditions(hypothesis: &Hypothesis<'_>, group: &str) -> Vec<Vec<Remedy>> {
    let rules = &hypothesis.rules;
    let subject = hypothesis.subject();
    let asked = crate::rules::Asked {
        user: subject.user,
        groups: subject.groups,
        existing: subject.existing,
        trigger: subject.trigger,
    };
    let asked = rules.conditions.iter().map(|it| (it, it.holds(&asked)));
    let all = asked.chain(hypothesis.open.iter().map(|it| (it, false)));
    let adds = all.filter(|(rule, _)| {
        !rule.drop && !rule.disable && rule.add_groups.iter().any(|it| same(&it.name, group))
    });
    let ways = adds.map(|(rule, holds)| {
        let mut way = Vec::new();
        if rule.state != RuleState::Active {
            way.push(Remedy::ConditionCounts {
                rule: rule.name.clone(),
                state: rule.state,
            });
        }
        if !holds {
            way.push(Remedy::ConditionHolds {
                rule: rule.name.clone(),
                when: rule.text.clone(),
            });
        }
        way.extend(protected(rules, group, None));
        way
    });
    ways.collect()
}

/// A connector that alone says which groups a person is in.
fn by_others(hypothesis: &Hypothesis<'_>, group: &str) -> Vec<Remedy> {
    let outcome = hypothesis.outcome();
    let entries = outcome.trace.entries().iter();
    let given = entries.filter_map(|entry| match entry {
        Entry::DecidedBy {
            target, connector, ..
        } if target == "groups" => Some(Remedy::GivenBy {
            connector: connector.clone(),
            group: group.to_owned(),
        }),
        _ => None,
    });
    given.collect()
}

/// What the lists say against a group that the provider or a row names.
fn lists(rules: &CompiledRules, group: &str, source: Option<&str>) -> Vec<Remedy> {
    let mut remedies = protected(rules, group, source);
    if !rules.is_listed_only(group, source) {
        remedies.push(Remedy::OnlyAssigned(group.to_owned()));
    }
    if rules.never_assign.has_everything() {
        remedies.push(Remedy::GroupsOn);
    }
    let never = rules.never_assign.all(group, source).into_iter();
    remedies.extend(never.cloned().map(Remedy::NotNeverAssigned));
    remedies
}

/// What keeps every rule from giving a group.
fn protected(rules: &CompiledRules, group: &str, source: Option<&str>) -> Vec<Remedy> {
    let entries = rules.protected.all(group, source).into_iter();
    entries.cloned().map(Remedy::NotProtected).collect()
}

/// What all ways ask for, and then the ways themselves.
fn join(mut ways: Vec<Vec<Remedy>>) -> Vec<Remedy> {
    let Some(first) = ways.first() else {
        return Vec::new();
    };
    let in_all = |it: &&Remedy| ways.iter().all(|way| way.contains(it));
    let common: Vec<Remedy> = first.iter().filter(in_all).cloned().collect();
    for way in &mut ways {
        way.retain(|it| !common.contains(it));
    }
    let mut rest: Vec<Vec<Remedy>> = Vec::new();
    for way in ways {
        if !rest.contains(&way) {
            rest.push(way);
        }
    }
    let mut remedies = common;
    // With a way that asks for nothing else, the others are only longer.
    if rest.iter().all(|way| !way.is_empty()) {
        match rest.len() {
            1 => remedies.extend(rest.into_iter().flatten()),
            _ => remedies.push(Remedy::OneOf(rest)),
        }
    }
    remedies
}
