//! Groups in groups across directories: groups of one name are one group, so a child in one directory may have its
//! own children in another. What is nested may be circular; every walk takes each name once.

use std::collections::{BTreeSet, HashMap};

use directory::{Group, GroupPk, User};
use scim::fold;
use store::{ReadTx, StoreError};

use super::View;
use crate::walk::Each;

/// Which way a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

/// Names of the groups next to groups, in the order of the groups.
#[derive(Debug, Default)]
pub(in crate::crowd) struct Nearby {
    pub(in crate::crowd) parents: Vec<String>,
    pub(in crate::crowd) children: Vec<String>,
}

impl View {
    /// The groups directly in a group, by name.
    pub(in crate::crowd) fn child_groups(
        &self,
        tx: &ReadTx<'_>,
        group: &Group,
    ) -> Result<Vec<Group>, StoreError> {
        if let Some(directory) = self.only() {
            let found = tx.child_groups(directory, group.pk)?;
            return Ok(found.into_iter().map(|nested| nested.group).collect());
        }
        let names = self.step(tx, Way::Down, &BTreeSet::from([fold(&group.name)]))?;
        self.groups_of(tx, &names)
    }

    /// The groups that a group is directly in, by name.
    pub(in crate::crowd) fn parent_groups(
        &self,
        tx: &ReadTx<'_>,
        group: &Group,
    ) -> Result<Vec<Group>, StoreError> {
        if let Some(directory) = self.only() {
            let found = tx.parent_groups(directory, group.pk)?;
            return Ok(found.into_iter().map(|nested| nested.group).collect());
        }
        let names = self.step(tx, Way::Up, &BTreeSet::from([fold(&group.name)]))?;
        self.groups_of(tx, &names)
    }

    /// The groups below a group at any depth, without itself, by name.
    pub(in crate::crowd) fn groups_below(
        &self,
        tx: &ReadTx<'_>,
        group: &Group,
    ) -> Result<Vec<Group>, StoreError> {
        if let Some(directory) = self.only() {
            return tx.groups_below(directory, group.pk);
        }
        let name = fold(&group.name);
        let mut names = self.closure(tx, Way::Down, BTreeSet::from([name.clone()]))?;
        names.remove(&name);
        self.groups_of(tx, &names)
    }

    /// The groups above a group at any height, without itself, by name.
    pub(in crate::crowd) fn groups_above(
        &self,
        tx: &ReadTx<'_>,
        group: &Group,
    ) -> Result<Vec<Group>, StoreError> {
        if let Some(directory) = self.only() {
            return tx.groups_above(directory, group.pk);
        }
        let name = fold(&group.name);
        let mut names = self.closure(tx, Way::Up, BTreeSet::from([name.clone()]))?;
        names.remove(&name);
        self.groups_of(tx, &names)
    }

    /// The groups that a user is in, itself or by way of groups in them, by name.
    pub(in crate::crowd) fn groups_of_user_nested(
        &self,
        tx: &ReadTx<'_>,
        user: &User,
    ) -> Result<Vec<Group>, StoreError> {
        if let Some(directory) = self.only() {
            return tx.groups_of_user_nested(directory, user.pk);
        }
        let direct = self.groups_of_user(tx, user)?;
        let direct = direct.iter().map(|group| fold(&group.name)).collect();
        let names = self.closure(tx, Way::Up, direct)?;
        self.groups_of(tx, &names)
    }

    /// The users in a group or in any group below it, each once, in the order of the folded name.
    pub(in crate::crowd) fn each_user_below_group(
        &self,
        tx: &ReadTx<'_>,
        group: &Group,
        each: Each<'_, User>,
    ) -> Result<(), StoreError> {
        if let Some(directory) = self.only() {
            return tx.each_user_below_group(directory, group.pk, each);
        }
        let names = self.closure(tx, Way::Down, BTreeSet::from([fold(&group.name)]))?;
        self.each_user_of_groups(tx, &names, each)
    }

    /// Whether a user is in a group or in any group below it.
    pub(in crate::crowd) fn is_member_below(
        &self,
        tx: &ReadTx<'_>,
        user: &User,
        group: &Group,
    ) -> Result<bool, StoreError> {
        if self.only().is_some() {
            return tx.user_lies_below_group(user.pk, group.pk);
        }
        let name = fold(&group.name);
        let groups = self.groups_of_user_nested(tx, user)?;
        Ok(groups.iter().any(|group| fold(&group.name) == name))
    }

    /// Whether `inner` lies in `outer`, directly or at any depth.
    pub(in crate::crowd) fn is_in_group(
        &self,
        tx: &ReadTx<'_>,
        inner: &Group,
        outer: &Group,
        at_any_depth: bool,
    ) -> Result<bool, StoreError> {
        if self.only().is_some() {
            return match at_any_depth {
                true => tx.group_lies_below(inner.pk, outer.pk),
                false => Ok(tx.nesting_origins(outer.pk, inner.pk)?.is_some()),
            };
        }
        let from = BTreeSet::from([fold(&inner.name)]);
        let above = self.step(tx, Way::Up, &from)?;
        let above = match at_any_depth {
            true => self.closure(tx, Way::Up, above)?,
            false => above,
        };
        Ok(above.contains(&fold(&outer.name)))
    }

    /// Names of the parents and the children of several groups, in the order of the groups.
    pub(in crate::crowd) fn nearby_of_many(
        &self,
        tx: &ReadTx<'_>,
        groups: &[Group],
    ) -> Result<Vec<Nearby>, StoreError> {
        let index: HashMap<String, usize> = groups
            .iter()
            .enumerate()
            .map(|(index, group)| (fold(&group.name), index))
            .collect();
        let mut found: Vec<Nearby> = Vec::new();
        found.resize_with(groups.len(), Nearby::default);
        for directory in self.directories() {
            let parts = tx.directory_groups_named(directory, index.keys().map(String::as_str))?;
            let pks: Vec<GroupPk> = parts.iter().map(|group| group.pk).collect();
            let mut neighbours = tx.neighbours_of_many(&pks)?;
            for part in &parts {
                let place = index.get(&fold(&part.name));
                let Some(nearby) = place.and_then(|index| found.get_mut(*index)) else {
                    continue;
                };
                let merge = |all: &mut Vec<String>, more: Option<Vec<String>>| {
                    for name in more.into_iter().flatten() {
                        if !all.iter().any(|known| fold(known) == fold(&name)) {
                            all.push(name);
                        }
                    }
                };
                merge(&mut nearby.parents, neighbours.parents.remove(&part.pk));
                merge(&mut nearby.children, neighbours.children.remove(&part.pk));
            }
        }
        Ok(found)
    }

    /// These names, and all that can be reached from them. Names are folded.
    pub(super) fn closure(
        &self,
        tx: &ReadTx<'_>,
        way: Way,
        from: BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut all = from.clone();
        let mut newest = from;
        while !newest.is_empty() {
            let next = self.step(tx, way, &newest)?;
            newest = next
                .into_iter()
                .filter(|name| !all.contains(name))
                .collect();
            all.extend(newest.iter().cloned());
        }
        Ok(all)
    }

    /// The names one step away.
    fn step(
        &self,
        tx: &ReadTx<'_>,
        way: Way,
        from: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut next = BTreeSet::new();
        for directory in self.directories() {
            let parts = tx.directory_groups_named(directory, from.iter().map(String::as_str))?;
            let pks: Vec<GroupPk> = parts.iter().map(|group| group.pk).collect();
            let neighbours = tx.neighbours_of_many(&pks)?;
            let names = match way {
                Way::Up => neighbours.parents,
                Way::Down => neighbours.children,
            };
            next.extend(names.into_values().flatten().map(|name| fold(&name)));
        }
        Ok(next)
    }

    fn groups_of(
        &self,
        tx: &ReadTx<'_>,
        names: &BTreeSet<String>,
    ) -> Result<Vec<Group>, StoreError> {
        let found = self.groups_named(tx, names.iter().map(String::as_str))?;
        Ok(found.into_values().collect())
    }
}
