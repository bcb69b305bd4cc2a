//! What an application sees: its directories laid one over the other.
//!
//! A user name that several directories have is the user of the first of them; groups of one name are one group,
//! with the details of the first. Every read of this face goes through here. An application with one directory, as
//! most have, is answered by the statements of that directory; several are merged piece by piece, so that a list
//! of any length takes little memory.

mod access;
mod members;
mod merge;
mod nesting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use directory::{DirectoryId, Group, User};
use scim::fold;
use store::{AttachedDirectory, Mapping, ReadTx, StoreError};

pub(crate) use self::access::GateStanding;
use self::access::{Gates, Sight};
use self::merge::Merge;
use crate::walk::{Each, first};

/// Users who are looked at together.
const BATCH: usize = 500;

/// The directories of an application, in their order.
#[derive(Debug, Clone)]
pub(crate) struct View(Arc<Mapping>);

/// A user, and by its place in the order the directory that it is from.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) place: usize,
    pub(super) user: User,
}

impl View {
    pub(crate) fn new(mapping: Mapping) -> View {
        View(Arc::new(mapping))
    }

    /// The directories in their order.
    pub(super) fn directories(&self) -> impl ExactSizeIterator<Item = DirectoryId> + '_ {
        self.0.directories.iter().map(|attached| attached.directory)
    }

    /// The directory in which what is new is made.
    pub(super) fn first(&self) -> Option<DirectoryId> {
        self.directories().next()
    }

    /// The one directory, if it is seen as it is.
    fn only(&self) -> Option<DirectoryId> {
        match self.0.directories.as_slice() {
            [one] if !self.is_filtered() => Some(one.directory),
            _ => None,
        }
    }

    /// Whether there are users who are not seen although no other has their name.
    pub(super) fn is_filtered(&self) -> bool {
        self.0.only_with_access && self.has_gates()
    }

    /// The directories in which a user who is in no group yet is seen.
    pub(super) fn showing_newcomers(&self) -> impl Iterator<Item = DirectoryId> + '_ {
        let shows = |it: &&AttachedDirectory| !self.0.only_with_access || it.login_groups.is_none();
        let attached = self.0.directories.iter().filter(shows);
        attached.map(|attached| attached.directory)
    }

    /// Whether there are groups that are not seen, either.
    pub(super) fn hides_groups(&self) -> bool {
        self.0.only_groups_with_access && self.is_filtered()
    }

    fn has_gates(&self) -> bool {
        let mut attached = self.0.directories.iter();
        attached.any(|attached| attached.login_groups.is_some())
    }

    /// Tells views apart: with the same mark and the same content, two views show the same. Letters, digits, `-`
    /// and `.` only.
    pub(super) fn mark(&self) -> String {
        let directories: Vec<String> = self.directories().map(|id| id.to_string()).collect();
        let mut mark = directories.join("-");
        if self.directories().len() > 1 {
            mark.push(if self.0.aggregate_memberships {
                'a'
            } else {
                'f'
            });
        }
        if self.is_filtered() {
            mark.push_str(if self.hides_groups() { ".g" } else { "." });
            mark.push_str(&access::mark(&self.0.directories));
        }
        mark
    }

    /// The user of this name.
    pub(super) fn user(&self, tx: &ReadTx<'_>, name: &str) -> Result<Option<User>, StoreError> {
        match self.only() {
            Some(directory) => tx.directory_user(directory, name),
            None => Ok(self.account(tx, name)?.map(|account| account.user)),
        }
    }

    /// The user with this key, unless another one hides it.
    pub(super) fn user_by_key(
        &self,
        tx: &ReadTx<'_>,
        key: &str,
    ) -> Result<Option<User>, StoreError> {
        if let Some(directory) = self.only() {
            return tx.directory_user_by_key(directory, key);
        }
        for directory in self.directories() {
            if let Some(user) = tx.directory_user_by_key(directory, key)? {
                let seen = self.user(tx, &user.name)?;
                return Ok(seen.filter(|seen| seen.pk == user.pk));
            }
        }
        Ok(None)
    }

    /// The users with this mail address, in the order of the folded name.
    pub(super) fn users_by_email(
        &self,
        tx: &ReadTx<'_>,
        email: &str,
    ) -> Result<Vec<User>, StoreError> {
        if let Some(directory) = self.only() {
            return tx.directory_users_by_email(directory, email);
        }
        let mut found = BTreeMap::new();
        for directory in self.directories() {
            for user in tx.directory_users_by_email(directory, email)? {
                found.insert(user.pk, user);
            }
        }
        let seen = self.accounts_named(tx, found.values().map(|user| user.name.as_str()))?;
        Ok(seen
            .into_values()
            .map(|account| account.user)
            .filter(|user| found.contains_key(&user.pk))
            .collect())
    }

    /// Every user, or those whose name begins with a prefix, in the order of the folded name.
    pub(super) fn each_user(
        &self,
        tx: &ReadTx<'_>,
        prefix: &str,
        each: Each<'_, User>,
    ) -> Result<(), StoreError> {
        if let Some(directory) = self.only() {
            return match prefix {
                "" => tx.each_directory_user(directory, "", each),
                _ => tx.directory_users_by_prefix(directory, prefix, each),
            };
        }
        let gates = self.gates(tx)?;
        let mut merge: Merge<User> = Merge::new(self.directories(), prefix);
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            while batch.len() < BATCH
                && let Some((place, user)) = merge.next(tx)?
            {
                batch.push(Account { place, user });
            }
            let ended = batch.len() < BATCH;
            for account in self.seen(tx, &gates, batch)? {
                each(account.user)?;
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// A page of the users in the order of the folded name.
    pub(super) fn users_page(
        &self,
        tx: &ReadTx<'_>,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<User>, StoreError> {
        match self.only() {
            Some(directory) => tx.directory_users(directory, skip, limit),
            None => page(skip, limit, |each| self.each_user(tx, "", each)),
        }
    }

    /// The group of this name.
    pub(super) fn group(&self, tx: &ReadTx<'_>, name: &str) -> Result<Option<Group>, StoreError> {
        let sight = self.sight(tx)?;
        let mut first = None;
        for (place, directory) in self.directories().enumerate() {
            let Some(group) = tx.directory_group(directory, name)? else {
                continue;
            };
            let seen = sight.shows(place, &group);
            first = first.or(Some(group));
            if seen {
                return Ok(first);
            }
        }
        Ok(None)
    }

    /// Every group in the order of the folded name.
    pub(super) fn each_group(
        &self,
        tx: &ReadTx<'_>,
        each: Each<'_, Group>,
    ) -> Result<(), StoreError> {
        if let Some(directory) = self.only() {
            return tx.each_directory_group(directory, "", each);
        }
        let sight = self.sight(tx)?;
        let mut merge: Merge<Group> = Merge::new(self.directories(), "");
        let shows = |place: usize, group: &Group| sight.shows(place, group);
        while let Some((_, group)) = merge.next_of(tx, shows)? {
            each(group)?;
        }
        Ok(())
    }

    /// A page of the groups in the order of the folded name.
    pub(super) fn groups_page(
        &self,
        tx: &ReadTx<'_>,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<Group>, StoreError> {
        match self.only() {
            Some(directory) => tx.directory_groups(directory, skip, limit),
            None => page(skip, limit, |each| self.each_group(tx, each)),
        }
    }

    /// The user of this name, and where it is from.
    fn account(&self, tx: &ReadTx<'_>, name: &str) -> Result<Option<Account>, StoreError> {
        for (place, directory) in self.directories().enumerate() {
            if let Some(user) = tx.directory_user(directory, name)? {
                let gates = self.gates(tx)?;
                return Ok(self.seen(tx, &gates, vec![Account { place, user }])?.pop());
            }
        }
        Ok(None)
    }

    /// The users of these names, by the fold of their name.
    pub(super) fn accounts_named<'n>(
        &self,
        tx: &ReadTx<'_>,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<BTreeMap<String, Account>, StoreError> {
        let mut sought: BTreeSet<String> = names.map(fold).collect();
        let mut found = Vec::with_capacity(sought.len());
        for (place, directory) in self.directories().enumerate() {
            for user in tx.directory_users_named(directory, sought.iter().map(String::as_str))? {
                found.push(Account { place, user });
            }
            for account in &found {
                sought.remove(&fold(&account.user.name));
            }
        }
        let gates = self.gates(tx)?;
        let seen = self.seen(tx, &gates, found)?.into_iter();
        Ok(seen
            .map(|account| (fold(&account.user.name), account))
            .collect())
    }

    /// The groups of these names, by the fold of their name.
    pub(super) fn groups_named<'n>(
        &self,
        tx: &ReadTx<'_>,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<BTreeMap<String, Group>, StoreError> {
        let mut sought: BTreeSet<String> = names.map(fold).collect();
        let mut found: BTreeMap<String, (Group, bool)> = BTreeMap::new();
        let sight = self.sight(tx)?;
        for (place, directory) in self.directories().enumerate() {
            for group in tx.directory_groups_named(directory, sought.iter().map(String::as_str))? {
                let seen = sight.shows(place, &group);
                let first = found.entry(fold(&group.name));
                first.or_insert((group, false)).1 |= seen;
            }
            sought.retain(|name| !found.get(name).is_some_and(|(_, seen)| *seen));
        }
        let seen = found.into_iter().filter(|(_, (_, seen))| *seen);
        Ok(seen.map(|(name, (group, _))| (name, group)).collect())
    }

    /// Whether a user may log in to the application. Whom it may not even see is no user of it at all.
    pub(super) fn admits(&self, tx: &ReadTx<'_>, user: &User) -> Result<bool, StoreError> {
        if !self.has_gates() {
            return Ok(true);
        }
        let Some(account) = self.account(tx, &user.name)? else {
            return Ok(false);
        };
        let gates = Gates::new(self, tx)?;
        Ok(!gates.admitted(self, tx, vec![account])?.is_empty())
    }

    /// Which groups are seen.
    pub(super) fn sight(&self, tx: &ReadTx<'_>) -> Result<Sight, StoreError> {
        match self.hides_groups() {
            true => Ok(Sight::Only(Gates::new(self, tx)?)),
            false => Ok(Sight::All),
        }
    }

    fn gates(&self, tx: &ReadTx<'_>) -> Result<Option<Gates>, StoreError> {
        match self.is_filtered() {
            true => Ok(Some(Gates::new(self, tx)?)),
            false => Ok(None),
        }
    }

    /// Those of these users who are seen, if no other hides them.
    pub(super) fn visible(
        &self,
        tx: &ReadTx<'_>,
        accounts: Vec<Account>,
    ) -> Result<Vec<Account>, StoreError> {
        self.seen(tx, &self.gates(tx)?, accounts)
    }

    /// Those of these users who are seen, if no other hides them.
    fn seen(
        &self,
        tx: &ReadTx<'_>,
        gates: &Option<Gates>,
        accounts: Vec<Account>,
    ) -> Result<Vec<Account>, StoreError> {
        match gates {
            Some(gates) => gates.admitted(self, tx, accounts),
            None => Ok(accounts),
        }
    }

    /// The directory from which a user is.
    pub(super) fn directory_of_user(
        &self,
        tx: &ReadTx<'_>,
        name: &str,
    ) -> Result<Option<DirectoryId>, StoreError> {
        let account = self.account(tx, name)?;
        Ok(account.and_then(|account| self.directories().nth(account.place)))
    }

    /// The directories that have a group of this name, in their order.
    pub(super) fn directories_of_group(
        &self,
        tx: &ReadTx<'_>,
        name: &str,
    ) -> Result<Vec<DirectoryId>, StoreError> {
        let sight = self.sight(tx)?;
        let (mut found, mut seen) = (Vec::new(), false);
        for (place, directory) in self.directories().enumerate() {
            if let Some(group) = tx.directory_group(directory, name)? {
                seen |= sight.shows(place, &group);
                found.push(directory);
            }
        }
        Ok(if seen { found } else { Vec::new() })
    }
}

/// Cuts a page out of a walk.
fn page<T>(
    skip: i64,
    limit: i64,
    walk: impl FnOnce(Each<'_, T>) -> Result<(), StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut left = skip;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    first(most, walk, |_| {
        let is_reached = left == 0;
        left -= i64::from(!is_reached);
        is_reached
    })
}
