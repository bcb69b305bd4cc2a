//! The groups that one user could be in, and under which names: what the identity provider and the rows say.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::outcome::{Review, SourceGroup};
use crate::rules::{CompiledRules, Naming, NestedGroups, OnNoMatch, PlainGroup, is_possible_name};
use crate::trace::{Entry, GroupEffect, GroupSource, Trace};

/// A group that the identity provider or a row wants the user to be in, before the lists.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub name: Cow<'a, str>,
    /// The identity provider's name for it, if it comes from there.
    pub source: Option<&'a str>,
    /// The groups by which the user comes into it; empty for a direct membership.
    pub path: &'a [String],
    pub from: GroupSource,
    /// Whether the source group may feed a group.
    pub review: Review,
}

/// What names groups for one user.
pub(crate) struct Named<'a> {
    /// The source groups that contain the user.
    pub source: &'a [SourceGroup],
    /// Groups that mapping rows name, each with the row's source.
    pub by_rows: Vec<(Cow<'a, str>, Arc<str>)>,
    /// Groups that conditional rules add, each with the rule's name.
    pub by_conditions: Vec<(&'a Arc<str>, &'a PlainGroup)>,
}

/// All candidates of one user.
#[derive(Debug, Default)]
pub(crate) struct Candidates<'a> {
    pub list: Vec<Candidate<'a>>,
    /// No rule for names matched, or one failed, and memberships are to be left alone.
    pub untouched: bool,
    /// When a former name of a group ends.
    pub recheck_at: Option<Timestamp>,
    /// Groups that conditional rules add whatever the lists say.
    pub added: Vec<(&'a Arc<str>, &'a PlainGroup)>,
}

/// The user is to be dropped, as no rule for group names matched.
#[derive(Debug)]
pub(crate) struct NoNameMatched;

/// Turns source groups and groups named by rows into candidates (US-15).
pub(crate) fn candidates<'a>(
    named: Named<'a>,
    now: Timestamp,
    rules: &'a CompiledRules,
    trace: &mut Trace,
) -> Result<Candidates<'a>, NoNameMatched> {
    // The order in which the groups come must not matter, and the first seen spelling wins.
    let mut sorted: Vec<&SourceGroup> = named.source.iter().collect();
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
        list: Vec::with_capacity(named.source.len() + named.by_rows.len()),
        added: named.by_conditions,
        ..Candidates::default()
    };
    let plain = rules.names.changes_nothing() && rules.group_map.is_none();
    if plain && sorted.iter().all(|group| group.standing.is_none()) {
        for group in sorted {
            candidates.add_unchanged(group, trace);
        }
    } else {
        candidates.add_renamed(sorted, now, rules, trace)?;
    }
    candidates.add_named(named.by_rows);
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
        self.add(name, Some(&group.name), from, group, trace);
    }

    /// Adds source groups whose names change on the way.
    fn add_renamed(
        &mut self,
        groups: Vec<&'a SourceGroup>,
        now: Timestamp,
        rules: &'a CompiledRules,
        trace: &mut Trace,
    ) -> Result<(), NoNameMatched> {
        let names = &rules.names;
        let namings: Vec<Naming<'a>> = groups.iter().map(|group| rules.naming(group)).collect();
        if names.conditional() && !namings.iter().any(Naming::matched) {
            match names.on_no_match {
                OnNoMatch::DropUser => return Err(NoNameMatched),
                // Someone who is in no group at all has left them all; that is no lack of rules.
                OnNoMatch::Keep => self.untouched = !groups.is_empty(),
                OnNoMatch::Pass | OnNoMatch::Clear => {}
            }
        }
        for (group, naming) in groups.into_iter().zip(namings) {
            let standing = group.standing.as_deref();
            if let Some(present) = standing.and_then(|it| it.renamed.as_ref()) {
                trace.push(Entry::Renamed {
                    name: group.name.clone(),
                    now: present.clone(),
                });
            }
            let by_rules = matches!(naming, Naming::Rules(_) | Naming::Failed(_));
            self.add_source(group, naming, names.on_no_match.passes(), trace);
            let alias = standing.and_then(|it| it.alias.as_ref());
            if let Some((former, until)) = alias.filter(|(_, until)| by_rules && now < *until) {
                self.recheck_at = Some(self.recheck_at.map_or(*until, |at| at.min(*until)));
                trace.push(Entry::FormerName {
                    name: group.name.clone(),
                    former: former.clone(),
                    until: *until,
                });
                let naming = rules.naming_by_rules(former);
                self.add_source(group, naming, names.on_no_match.passes(), trace);
            }
        }
        if self.untouched {
            trace.push(Entry::GroupsUntouched);
        }
        Ok(())
    }

    fn add_named(&mut self, named_by_rows: Vec<(Cow<'a, str>, Arc<str>)>) {
        for (name, row) in named_by_rows {
            let from = GroupSource::Row(row);
            self.list.push(Candidate {
                name,
                source: None,
                path: &[],
                from,
                review: Review::Settled,
            });
        }
    }

    fn add_source(
        &mut self,
        group: &'a SourceGroup,
        naming: Naming<'a>,
        unmatched_pass: bool,
        trace: &mut Trace,
    ) {
        let from = GroupSource::Idp(group.id);
        let source = Some(group.name.as_str());
        let left_out = |effect, trace: &mut Trace| {
            trace.group(from.clone(), &group.name, &group.path, effect);
        };
        match naming {
            Naming::Own(name) => self.add(Cow::Borrowed(name), source, from, group, trace),
            Naming::Mapped(targets) => {
                for target in targets {
                    let name = Cow::Borrowed(&*target.name);
                    self.add(name, source, from.clone(), group, trace);
                }
            }
            Naming::Unmapped => left_out(GroupEffect::Unmapped, trace),
            Naming::Failed(fault) => {
                // Which membership was by this name cannot be told.
                self.untouched = true;
                left_out(GroupEffect::Failed(fault), trace);
            }
            Naming::Rules(items) if items.is_empty() => {
                left_out(GroupEffect::TransformedAway, trace);
            }
            Naming::Rules(items) => {
                for item in items {
                    if item.matched || unmatched_pass {
                        self.add(item.text, source, from.clone(), group, trace);
                    } else {
                        left_out(GroupEffect::NoRuleMatched, trace);
                    }
                }
            }
        }
    }

    fn add(
        &mut self,
        name: Cow<'a, str>,
        source: Option<&'a str>,
        from: GroupSource,
        group: &'a SourceGroup,
        trace: &mut Trace,
    ) {
        let review = group.review();
        if review == Review::Ignored {
            trace.group(from, &group.name, &group.path, GroupEffect::Ignored);
        } else if is_possible_name(&name) {
            self.list.push(Candidate {
                name,
                source,
                path: &group.path,
                from,
                review,
            });
        } else {
            let effect = GroupEffect::NotAName(name.to_string());
            trace.group(from, &group.name, &group.path, effect);
        }
    }
}

impl Trace {
    pub(crate) fn group(
        &mut self,
        from: GroupSource,
        name: &str,
        path: &[String],
        effect: GroupEffect,
    ) {
        self.push(Entry::Group {
            from,
            name: name.to_owned(),
            path: path.to_vec(),
            effect,
        });
    }
}
