//! Who is in which group: in the directory that the user is from, or in all that have the name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use directory::{DirectoryId, Group, GroupPk, User, UserPk};
use scim::fold;
use store::{MembershipItem, ReadTx, StoreError};

use super::{Account, BATCH, View};
use crate::walk::Each;

/// Whose memberships count, and under which name.
#[derive(Default)]
struct MemberNames {
    names: Vec<Box<str>>,
    /// For each user the place of its name among the names.
    holders: HashMap<UserPk, usize>,
}

impl View {
    /// The groups that a user is in, by name.
    pub(in crate::crowd) fn groups_of_user(
        &self,
        tx: &ReadTx<'_>,
        user: &User,
    ) -> Result<Vec<Group>, StoreError> {
        if let Some(directory) = self.only() {
            return tx.groups_of_user(directory, user.pk);
        }
        let Some(account) = self.account(tx, &user.name)? else {
            return Ok(Vec::new());
        };
        let names = self.groups_of_many(tx, &[account])?;
        let names = names.into_iter().flatten();
        let found = self.groups_named(tx, names.collect::<Vec<_>>().iter().map(String::as_str))?;
        Ok(found.into_values().collect())
    }

    /// Whether a user is in a group.
    pub(in crate::crowd) fn is_member(
        &self,
        tx: &ReadTx<'_>,
        user: &User,
        group: &Group,
    ) -> Result<bool, StoreError> {
        if self.only().is_some() {
            return Ok(tx.membership_origins(group.pk, user.pk)?.is_some());
        }
        let Some(account) = self.account(tx, &user.name)? else {
            return Ok(false);
        };
        for (place, directory) in self.directories().enumerate() {
            if place != account.place && !self.0.aggregate_memberships {
                continue;
            }
            let there = match place == account.place {
                true => Some(account.user.clone()),
                false => tx.directory_user(directory, &user.name)?,
            };
            let Some((user, group)) = there.zip(tx.directory_group(directory, &group.name)?) else {
                continue;
            };
            if tx.membership_origins(group.pk, user.pk)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The users in a group, in the order of the folded name.
    pub(in crate::crowd) fn each_user_of_group(
        &self,
        tx: &ReadTx<'_>,
        group: &Group,
        each: Each<'_, User>,
    ) -> Result<(), StoreError> {
        if let Some(directory) = self.only() {
            return tx.each_user_of_group(directory, group.pk, "", each);
        }
        self.each_user_of_groups(tx, &BTreeSet::from([fold(&group.name)]), each)
    }

    /// The users in any of these groups, each once, in the order of the folded name.
    pub(super) fn each_user_of_groups(
        &self,
        tx: &ReadTx<'_>,
        groups: &BTreeSet<String>,
        each: Each<'_, User>,
    ) -> Result<(), StoreError> {
        let mut names: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (place, directory) in self.directories().enumerate() {
            let parts = tx.directory_groups_named(directory, groups.iter().map(String::as_str))?;
            for part in parts {
                tx.each_user_of_group(directory, part.pk, "", &mut |user| {
                    names.entry(fold(&user.name)).or_default().insert(place);
                    Ok(())
                })?;
            }
        }
        let all: Vec<(String, BTreeSet<usize>)> = names.into_iter().collect();
        for batch in all.chunks(BATCH) {
            let found = self.accounts_named(tx, batch.iter().map(|(name, _)| name.as_str()))?;
            for (name, places) in batch {
                let Some(account) = found.get(name) else {
                    continue;
                };
                if self.0.aggregate_memberships || places.contains(&account.place) {
                    each(account.user.clone())?;
                }
            }
        }
        Ok(())
    }

    /// Every group with the names of its users.
    pub(in crate::crowd) fn each_membership(
        &self,
        tx: &ReadTx<'_>,
        each: &mut dyn FnMut(MembershipItem<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if let Some(directory) = self.only() {
            return tx.each_membership(directory, each);
        }
        let MemberNames { names, holders } = self.member_names(tx)?;
        let mut groups: BTreeMap<String, (String, Vec<GroupPk>)> = BTreeMap::new();
        let (sight, mut seen) = (self.sight(tx)?, BTreeSet::new());
        for (place, directory) in self.directories().enumerate() {
            for (pk, name) in tx.group_names(directory)? {
                if self.hides_groups() && sight.shows_name(place, &fold(&name)) {
                    seen.insert(fold(&name));
                }
                let merged = groups.entry(fold(&name)).or_insert((name, Vec::new()));
                merged.1.push(pk);
            }
        }
        if self.hides_groups() {
            groups.retain(|name, _| seen.contains(name));
        }
        let mut nestings: HashMap<GroupPk, Vec<GroupPk>> = HashMap::new();
        for directory in self.directories() {
            nestings.extend(tx.nestings(directory)?);
        }
        let mut spellings: HashMap<GroupPk, &str> = HashMap::new();
        if !nestings.is_empty() {
            for (name, parts) in groups.values() {
                spellings.extend(parts.iter().map(|part| (*part, name.as_str())));
            }
        }
        for (name, parts) in groups.values() {
            each(MembershipItem::Group(name))?;
            let mut told = BTreeSet::new();
            let several = parts.len() > 1;
            for &part in parts {
                tx.each_user_pk_of_group(part, &mut |user| {
                    let Some(&holder) = holders.get(&user) else {
                        return Ok(());
                    };
                    if several && !told.insert(holder) {
                        return Ok(());
                    }
                    names
                        .get(holder)
                        .map_or(Ok(()), |name| each(MembershipItem::User(name)))
                })?;
            }
            let children = parts.iter().filter_map(|part| nestings.get(part)).flatten();
            let children: BTreeSet<&str> = children
                .filter_map(|child| spellings.get(child).copied())
                .collect();
            for child in children {
                each(MembershipItem::Child(child))?;
            }
        }
        Ok(())
    }

    /// All users that are seen, and where memberships are aggregated those that they hide.
    fn member_names(&self, tx: &ReadTx<'_>) -> Result<MemberNames, StoreError> {
        let MemberNames {
            mut names,
            mut holders,
        } = MemberNames::default();
        let mut known: HashMap<String, usize> = HashMap::new();
        let filtered = self.is_filtered();
        if filtered {
            self.each_user(tx, "", &mut |user| {
                known.insert(fold(&user.name), names.len());
                holders.insert(user.pk, names.len());
                names.push(user.name.into());
                Ok(())
            })?;
        }
        let aggregate = self.0.aggregate_memberships;
        for directory in self.directories() {
            tx.each_user_name(directory, &mut |user, name| {
                match known.get(&fold(name)) {
                    Some(&holder) if aggregate => drop(holders.insert(user, holder)),
                    None if !filtered => {
                        known.insert(fold(name), names.len());
                        holders.insert(user, names.len());
                        names.push(name.into());
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(MemberNames { names, holders })
    }

    /// The names of the groups of several users, in the order of the users. A group that several directories have
    /// goes by the spelling of any of them; [`View::groups_named`] knows the one that is seen.
    pub(in crate::crowd) fn groups_of_many(
        &self,
        tx: &ReadTx<'_>,
        accounts: &[Account],
    ) -> Result<Vec<Vec<String>>, StoreError> {
        let index: HashMap<String, usize> = accounts
            .iter()
            .enumerate()
            .map(|(index, account)| (fold(&account.user.name), index))
            .collect();
        let mut groups: Vec<BTreeMap<String, String>> = vec![BTreeMap::new(); accounts.len()];
        for (place, directory) in self.directories().enumerate() {
            let of_here = accounts.iter().enumerate();
            let mut here: HashMap<UserPk, usize> = of_here
                .filter(|(_, account)| account.place == place)
                .map(|(index, account)| (account.user.pk, index))
                .collect();
            if self.0.aggregate_memberships {
                let others = accounts.iter().filter(|account| account.place < place);
                let others = others.map(|account| account.user.name.as_str());
                for user in tx.directory_users_named(directory, others)? {
                    if let Some(index) = index.get(&fold(&user.name)) {
                        here.insert(user.pk, *index);
                    }
                }
            }
            let pks: Vec<UserPk> = here.keys().copied().collect();
            for (pk, names) in tx.group_names_of_many(&pks)? {
                let Some(all) = here.get(&pk).and_then(|index| groups.get_mut(*index)) else {
                    continue;
                };
                for name in names {
                    all.entry(fold(&name)).or_insert(name);
                }
            }
        }
        let in_order = groups.into_iter().map(|all| all.into_values().collect());
        Ok(in_order.collect())
    }

    /// The same, as far as these groups are seen.
    pub(in crate::crowd) fn groups_seen_of_many(
        &self,
        tx: &ReadTx<'_>,
        accounts: &[Account],
    ) -> Result<Vec<Vec<String>>, StoreError> {
        let mut groups = self.groups_of_many(tx, accounts)?;
        if self.hides_groups() {
            let names = groups.iter().flatten().map(String::as_str);
            let seen = self.groups_named(tx, names)?;
            for names in &mut groups {
                names.retain(|name| seen.contains_key(&fold(name)));
            }
        }
        Ok(groups)
    }

    /// The directories whose memberships of a user count, in their order.
    pub(in crate::crowd) fn directories_of_memberships(
        &self,
        tx: &ReadTx<'_>,
        user: &str,
    ) -> Result<Vec<DirectoryId>, StoreError> {
        if !self.0.aggregate_memberships {
            return Ok(self.directory_of_user(tx, user)?.into_iter().collect());
        }
        let mut found = Vec::new();
        for directory in self.directories() {
            if tx.directory_user(directory, user)?.is_some() {
                found.push(directory);
            }
        }
        Ok(found)
    }
}
