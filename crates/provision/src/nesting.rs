//! Groups in groups (PL-10): what the IdP nests, brought to the groups that products see.
//!
//! A group of the directory is in another one when a source group that feeds the one is in a source group that feeds
//! the other. Who changes the source says which pairs of groups that can concern; what becomes of a pair is always
//! computed from what is stored. More pairs than are carried out at once are left to the worker, one parent at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use directory::hold::held_mark;
use directory::name::folded;
use directory::nesting::{Place, change, child_origins};
use directory::{Cause, Change, ConnectorState, GroupPk, HoldState, Origin, SourceGroupPk};
use store::{SourceGroup, Subject, WriteTx};

use crate::carry_out::ensure_group;
use crate::loaded::LoadedConnector;
use crate::safety::guard_child_group;
use crate::settle::AT_ONCE_MAX;
use crate::{Provision, ProvisionError};

/// A group of the directory and one that is or was in it: parent, child.
pub(crate) type Pair = (GroupPk, GroupPk);

/// The groups of the directory next to a source group: those that the groups above and below it feed.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    pub(crate) parents: Vec<GroupPk>,
    pub(crate) children: Vec<GroupPk>,
}

impl Neighbours {
    pub(crate) fn of(tx: &WriteTx<'_>, source: SourceGroupPk) -> Result<Self, ProvisionError> {
        Ok(Self {
            parents: tx.bound_groups_above(source)?,
            children: tx.bound_groups_below(source)?,
        })
    }

    /// Every pair of a neighbour with this group.
    pub(crate) fn pairs_with(&self, group: GroupPk) -> impl Iterator<Item = Pair> {
        let parents = self.parents.iter().map(move |parent| (*parent, group));
        parents.chain(self.children.iter().map(move |child| (group, *child)))
    }
}

impl Provision {
    /// Brings pairs of groups in line with the source: at once when they are few, else by the worker.
    pub(crate) fn settle_pairs(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        pairs: impl IntoIterator<Item = Pair>,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        if !connector.rules.preserves_nesting() {
            // What was nested under other rules became due when they changed.
            return Ok(());
        }
        let mut by_parent: BTreeMap<GroupPk, BTreeSet<GroupPk>> = BTreeMap::new();
        for (parent, child) in pairs {
            if parent != child {
                by_parent.entry(parent).or_default().insert(child);
            }
        }
        let count: usize = by_parent.values().map(BTreeSet::len).sum();
        if count > AT_ONCE_MAX || connector.connector.state != ConnectorState::Active {
            let parents: Vec<GroupPk> = by_parent.into_keys().collect();
            tx.mark_nestings_due(connector.connector.id, &parents, cause)?;
            self.wake_worker();
            return Ok(());
        }
        for (parent, children) in by_parent {
            let children: Vec<GroupPk> = children.into_iter().collect();
            settle_children(tx, connector, parent, Some(&children), cause)?;
        }
        Ok(())
    }

    /// Brings what is next to a source group in line, after it came to feed another group than before or none.
    pub(crate) fn settle_around(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        neighbours: &Neighbours,
        fed: [Option<GroupPk>; 2],
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let fed = fed.into_iter().flatten();
        let pairs = fed.flat_map(|group| neighbours.pairs_with(group));
        self.settle_pairs(tx, connector, pairs, cause)
    }

    /// Where groups come into being with their first member (US-25): notes which source groups feed the groups that
    /// somebody came into. A group above such a one has a member too, and comes into being with it.
    pub(crate) fn appear(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        used: Vec<(SourceGroupPk, GroupPk)>,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let directory = connector.connector.directory;
        let (mut left, mut seen) = (used, HashSet::new());
        let mut pairs = Vec::new();
        while let Some((source, group)) = left.pop() {
            if !seen.insert(source) || tx.bound_group(source)?.is_some() {
                continue;
            }
            // A membership may be kept for a source group that is gone, or has another name by now.
            let names = tx.source_group_names(&[source])?;
            let name = match names.get(&source) {
                Some(name) => {
                    let seen = tx.group_standing(source)?.seen(source, name.clone());
                    connector.rules.effective_group(&seen)
                }
                None => None,
            };
            let meant = match name {
                Some(name) => tx.directory_group(directory, &name)?,
                None => None,
            };
            if meant.is_none_or(|meant| meant.pk != group) {
                continue;
            }
            tx.bind_group(source, Some(group))?;
            if !connector.rules.preserves_nesting() {
                continue;
            }
            for parent in tx.unbound_groups_above(source)? {
                let seen = tx.seen_by_rules(&parent)?;
                if seen.may_feed()
                    && let Some(name) = connector.rules.effective_group(&seen)
                {
                    left.push((parent.pk, ensure_group(tx, directory, &name, cause)?));
                }
            }
            pairs.extend(Neighbours::of(tx, source)?.pairs_with(group));
        }
        self.settle_pairs(tx, connector, pairs, cause)
    }

    /// The group that a source group feeds; where groups come into being with their first member, groups in it count.
    pub(crate) fn fed_by(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        source: &SourceGroup,
        cause: &Cause,
    ) -> Result<Option<GroupPk>, ProvisionError> {
        let pk = source.pk;
        if let Some(bound) = tx.bound_group(pk)? {
            return Ok(Some(bound.pk));
        }
        let rules = &connector.rules;
        if rules.creates_empty_groups()
            || !rules.preserves_nesting()
            || tx.bound_groups_below(pk)?.is_empty()
        {
            return Ok(None);
        }
        let seen = tx.seen_by_rules(source)?;
        let Some(name) = rules.effective_group(&seen).filter(|_| seen.may_feed()) else {
            return Ok(None);
        };
        let group = ensure_group(tx, connector.connector.directory, &name, cause)?;
        self.appear(tx, connector, vec![(pk, group)], cause)?;
        Ok(Some(group))
    }
}

/// Brings the child groups of one group in line with a connector's source: these, or all if none are named.
pub(crate) fn settle_children(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    parent: GroupPk,
    children: Option<&[GroupPk]>,
    cause: &Cause,
) -> Result<(), ProvisionError> {
    let (id, directory) = (connector.connector.id, connector.connector.directory);
    let wanted = match connector.rules.preserves_nesting() {
        true => tx.wanted_nestings(id, parent, children)?,
        false => HashMap::new(),
    };
    let present: BTreeMap<GroupPk, BTreeSet<Origin>> =
        tx.nestings_in(parent, children)?.into_iter().collect();
    let mut concerned: BTreeSet<GroupPk> = wanted.keys().copied().collect();
    concerned.extend(present.keys());
    if concerned.is_empty() {
        return Ok(());
    }
    let mut asked: Vec<GroupPk> = concerned.iter().copied().collect();
    asked.push(parent);
    let names: HashMap<GroupPk, String> = tx
        .directory_groups_by_pk(directory, &asked)?
        .into_iter()
        .map(|group| (group.pk, group.name))
        .collect();
    let Some(parent_name) = names.get(&parent) else {
        return Ok(());
    };
    let sources: BTreeSet<SourceGroupPk> =
        present.values().flatten().filter_map(source_of).collect();
    let sources: Vec<SourceGroupPk> = sources.into_iter().collect();
    let owners = tx.connectors_of_source_groups(&sources)?;
    let is_of_others =
        |source: &SourceGroupPk| owners.get(source).is_some_and(|owner| *owner != id);
    let held = match present.is_empty() {
        true => HashMap::new(),
        false => tx.standing_holds_on_children(directory, folded(parent_name).as_ref())?,
    };
    let nothing = (BTreeSet::new(), BTreeSet::new());
    for child in concerned {
        let before = present.get(&child).unwrap_or(&nothing.0);
        let of_others = before.iter().filter_map(source_of).filter(is_of_others);
        let place = Place {
            parent: parent_name,
            before,
            granted: wanted.get(&child).unwrap_or(&nothing.1),
            of_others: &of_others.collect(),
        };
        let after = child_origins(&place, &connector.rules);
        let Some(child_name) = names.get(&child) else {
            continue;
        };
        let standing = held.get(&held_mark(child_name)).copied();
        let change = change(parent_name, child_name, before, &after);
        if let Some(change @ Change::RemoveChildGroup { .. }) = &change {
            let about = (parent_name.as_str(), child);
            if !guard_child_group(tx, connector, about, standing, change, cause)? {
                continue;
            }
        } else if let Some((hold, _)) = standing {
            // It is wanted there again.
            tx.end_hold(hold, None, HoldState::Cancelled)?;
        }
        if let Some(change) = change {
            write(tx, connector, (parent, child), &after, &change, cause)?;
        }
    }
    Ok(())
}

fn source_of(origin: &Origin) -> Option<SourceGroupPk> {
    match origin {
        Origin::Idp(source) => Some(*source),
        _ => None,
    }
}

fn write(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    (parent, child): Pair,
    after: &BTreeSet<Origin>,
    change: &Change,
    cause: &Cause,
) -> Result<(), ProvisionError> {
    match after.is_empty() {
        true => tx.delete_nesting(parent, child)?,
        false => tx.put_nesting(parent, child, after)?,
    }
    let subject = Subject::Nesting(parent, child);
    tx.append_journal(connector.connector.directory, subject, None, change, cause)?;
    Ok(())
}
