//! What to tell a product about everyone who was touched.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ::crowd::Attributes;
use ::crowd::event::{Events, Operation, expired};
use directory::{Group, GroupPk, Status, User, UserPk};
use scim::fold;
use store::{ReadTx, Touched};

use super::history::{Entity, History, Known, histories};
use crate::crowd::Refusal;
use crate::crowd::call::by_name;
use crate::crowd::listing::attributes_of;
use crate::crowd::stream::Sink;
use crate::crowd::view::{Account, View};
use crate::crowd::{group, user};

/// Users whose attributes or groups are fetched together.
const BATCH: usize = 500;
/// Users of groups that became others whose memberships one answer tells anew.
const REGROUPED_MAX: i64 = 10_000;

impl Entity for User {
    type Pk = UserPk;

    fn pk(&self) -> UserPk {
        self.pk
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Entity for Group {
    type Pk = GroupPk;

    fn pk(&self) -> GroupPk {
        self.pk
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Everything that one answer tells, in the order in which it is told.
#[derive(Default)]
pub(super) struct News {
    /// Names of groups that are no more, as the product knows them.
    gone_groups: Vec<String>,
    /// Names of users that are no more, as the product knows them.
    gone_users: Vec<String>,
    groups: Vec<Group>,
    users: Vec<User>,
    /// Attributes that may have gone with what is told of these.
    lost_by_groups: HashMap<GroupPk, BTreeSet<String>>,
    lost_by_users: HashMap<UserPk, BTreeSet<String>>,
    /// Users whose groups are told as a whole list.
    members: Vec<Account>,
    /// Groups whose places among groups are told as whole lists.
    nested: Vec<Group>,
}

impl News {
    /// Finds out what became of everyone who was touched. What events cannot express counts as an expired
    /// token, so that the product reads everything anew.
    pub(super) fn gather(
        tx: &ReadTx<'_>,
        view: &View,
        mut touched: Vec<Touched>,
    ) -> Result<News, Refusal> {
        let mut news = News::default();
        news.gather_groups(tx, view, &mut touched)?;
        news.gather_users(tx, view, &touched)?;
        news.groups.sort_by_key(|group| group.pk);
        news.users.sort_by_key(|user| user.pk);
        news.members.sort_by_key(|account| account.user.pk);
        news.nested.sort_by_key(|group| group.pk);
        Ok(news)
    }

    /// What became of groups; whoever has to be told anew because of it joins those whose memberships were touched.
    fn gather_groups(
        &mut self,
        tx: &ReadTx<'_>,
        view: &View,
        touched: &mut [Touched],
    ) -> Result<(), Refusal> {
        let mut living = Vec::with_capacity(touched.len());
        for (directory, touched) in view.directories().zip(touched.iter()) {
            let pks: BTreeSet<GroupPk> = touched
                .groups
                .keys()
                .chain(&touched.nested)
                .copied()
                .collect();
            let pks: Vec<GroupPk> = pks.into_iter().collect();
            living.push(tx.directory_groups_by_pk(directory, &pks)?);
        }
        let holders = |place: usize, names: &[&str]| match view.directories().nth(place) {
            Some(directory) => Ok(tx.directory_groups_named(directory, names.iter().copied())?),
            None => Ok(Vec::new()),
        };
        let known: Vec<&Known<GroupPk>> = touched.iter().map(|touched| &touched.groups).collect();
        let histories = histories(&known, living, holders)?;
        let sight = view.sight(tx)?;
        let mut regrouped: Vec<(usize, GroupPk)> = Vec::new();
        for history in histories.into_values() {
            if history.is_lost() {
                if view.is_filtered() {
                    // Whom it let in, or a group around it, is not known any more.
                    return Err(expired().into());
                }
                // A group has no key: a renamed one is another one to a product, and what is left of a merged one
                // is told as a new one.
                self.gone_groups
                    .extend(history.before().map(|(_, known)| known.clone()));
            }
            let (mut is_touched, mut is_nested) = (false, false);
            for (place, group) in history.is.iter().enumerate() {
                let Some(group) = group else { continue };
                let known = touched.get(place).and_then(|it| it.groups.get(&group.pk));
                let is_new = matches!(known, Some(None));
                let is_renamed =
                    matches!(known, Some(Some(before)) if fold(before) != fold(&group.name));
                // The users of a new group were touched when they came in.
                if is_renamed || (history.is_lost() && !is_new) {
                    regrouped.push((place, group.pk));
                }
                is_touched |= known.is_some();
                is_nested |= is_renamed || (history.is_lost() && !is_new);
                is_nested |= touched
                    .get(place)
                    .is_some_and(|touched| touched.nested.contains(&group.pk));
            }
            // A lost part may have been the last that was touched here.
            is_touched |= history.is_lost();
            if is_nested && view.is_filtered() {
                // Who may be seen can hang on any step between groups.
                return Err(expired().into());
            }
            let is_seen = |(place, group): (usize, &Option<Group>)| {
                group
                    .as_ref()
                    .is_some_and(|group| sight.shows(place, group))
            };
            if !history.is.iter().enumerate().any(is_seen) {
                continue;
            }
            let Some(group) = history.is.into_iter().flatten().next() else {
                continue;
            };
            if is_nested {
                self.nested.push(group.clone());
            }
            if is_touched {
                let mut lost = BTreeSet::new();
                for (touched, was) in touched.iter().zip(&history.was) {
                    let before = was
                        .as_ref()
                        .and_then(|(pk, _)| touched.lost_by_groups.get(pk));
                    lost.extend(before.into_iter().flatten().cloned());
                }
                if !lost.is_empty() {
                    self.lost_by_groups.insert(group.pk, lost);
                }
                self.groups.push(group);
            }
        }
        let mut count = 0;
        for (place, group) in regrouped {
            let users = tx.user_pks_of_group(group, REGROUPED_MAX + 1 - count)?;
            count += i64::try_from(users.len()).unwrap_or(i64::MAX);
            if count > REGROUPED_MAX {
                return Err(expired().into());
            }
            if let Some(touched) = touched.get_mut(place) {
                touched.members.extend(users);
            }
        }
        Ok(())
    }

    fn gather_users(
        &mut self,
        tx: &ReadTx<'_>,
        view: &View,
        touched: &[Touched],
    ) -> Result<(), Refusal> {
        let mut living = Vec::with_capacity(touched.len());
        for (directory, touched) in view.directories().zip(touched) {
            let pks: BTreeSet<UserPk> = touched
                .users
                .keys()
                .chain(&touched.members)
                .copied()
                .collect();
            let pks: Vec<UserPk> = pks.into_iter().collect();
            let mut found = tx.directory_users_by_pk(directory, &pks)?;
            found.retain(|user| user.status != Status::Removed);
            living.push(found);
        }
        let regrouped: BTreeSet<String> = living
            .iter()
            .zip(touched)
            .flat_map(|(living, touched)| {
                let members = living.iter();
                members.filter(|user| touched.members.contains(&user.pk))
            })
            .map(|user| fold(&user.name))
            .collect();
        let holders = |place: usize, names: &[&str]| match view.directories().nth(place) {
            Some(directory) => Ok(tx.directory_users_named(directory, names.iter().copied())?),
            None => Ok(Vec::new()),
        };
        let known: Vec<&Known<UserPk>> = touched.iter().map(|touched| &touched.users).collect();
        let histories = histories(&known, living, holders)?;
        let seen = seen_now(tx, view, &histories)?;
        let places: HashMap<UserPk, &str> = seen
            .iter()
            .map(|(name, account)| (account.user.pk, name.as_str()))
            .collect();
        for (name, history) in &histories {
            let before = history.before();
            let after = seen.get(name);
            let is_same = before.map(|(pk, _)| *pk) == after.map(|account| account.user.pk);
            if let Some((pk, spelling)) = before
                && !is_same
            {
                match (places.contains_key(pk), after) {
                    (false, _) => self.gone_users.push(spelling.clone()),
                    // The product finds it by its key, and gives it the new name.
                    (true, None) => {}
                    // A name that went from one living user to another would, told one after the other, meet the
                    // other's old entry in the product.
                    (true, Some(_)) => return Err(expired().into()),
                }
            }
            let Some(account) = after else { continue };
            // Whether it was seen before is not known where some are not seen.
            let tell_all = view.is_filtered();
            let is_touched = touched
                .get(account.place)
                .is_some_and(|touched| touched.users.contains_key(&account.user.pk));
            if tell_all || !is_same || is_touched {
                let known = before.map_or(account.user.pk, |(pk, _)| *pk);
                let mut lost: BTreeSet<String> = [account.user.pk, known]
                    .iter()
                    .flat_map(|pk| touched.iter().filter_map(|it| it.lost_by_users.get(pk)))
                    .flatten()
                    .cloned()
                    .collect();
                if known != account.user.pk {
                    // What the product knows of the one who had the name before.
                    let of_known = tx.user_attributes(known)?.into_iter();
                    lost.extend(of_known.map(|attribute| attribute.name));
                }
                if !lost.is_empty() {
                    self.lost_by_users.insert(account.user.pk, lost);
                }
                self.users.push(account.user.clone());
            }
            let is_new = before.is_none() && is_touched && is_new(touched, account);
            let is_other = history.is_lost() || (history.is_won() && !is_new);
            if tell_all || is_other || regrouped.contains(name) {
                self.members.push(account.clone());
            }
        }
        Ok(())
    }

    /// Tells it.
    pub(super) fn write(
        &self,
        tx: &ReadTx<'_>,
        view: &View,
        events: &mut Events<Sink>,
    ) -> Result<(), Refusal> {
        for name in &self.gone_groups {
            events.group_deleted(name)?;
        }
        for name in &self.gone_users {
            events.user_deleted(name)?;
        }
        for group in &self.groups {
            let attributes = by_name(tx.group_attributes(group.pk)?);
            let lost = gone(self.lost_by_groups.get(&group.pk), &attributes);
            events.group(Operation::Updated, &group::shown(group, &attributes), &lost)?;
        }
        for batch in self.users.chunks(BATCH) {
            let mut found = attributes_of(tx, batch)?;
            for user in batch {
                let attributes = found.remove(&user.pk).unwrap_or_default();
                let lost = gone(self.lost_by_users.get(&user.pk), &attributes);
                events.user(Operation::Updated, &user::shown(user, &attributes), &lost)?;
            }
        }
        for batch in self.nested.chunks(BATCH) {
            let nearby = view.nearby_of_many(tx, batch)?;
            for (group, nearby) in batch.iter().zip(nearby) {
                let parents = nearby.parents.iter().map(String::as_str);
                let children = nearby.children.iter().map(String::as_str);
                events.group_membership(Operation::Updated, &group.name, parents, children)?;
            }
        }
        for batch in self.members.chunks(BATCH) {
            let groups = view.groups_seen_of_many(tx, batch)?;
            for (account, parents) in batch.iter().zip(groups) {
                let parents = parents.iter().map(String::as_str);
                events.user_membership(Operation::Updated, &account.user.name, parents)?;
            }
        }
        Ok(())
    }
}

/// Those attributes that are not there again.
fn gone<'l>(lost: Option<&'l BTreeSet<String>>, stored: &Attributes) -> Vec<&'l str> {
    let stored: BTreeSet<String> = stored.keys().map(|name| fold(name)).collect();
    let lost = lost.into_iter().flatten();
    lost.map(String::as_str)
        .filter(|name| !stored.contains(&fold(name)))
        .collect()
}

/// Whom the view shows under each name.
fn seen_now(
    tx: &ReadTx<'_>,
    view: &View,
    histories: &BTreeMap<String, History<UserPk, User>>,
) -> Result<BTreeMap<String, Account>, Refusal> {
    let accounts: Vec<Account> = histories
        .values()
        .filter_map(|history| {
            let (place, user) = history.after()?;
            let user = user.clone();
            Some(Account { place, user })
        })
        .collect();
    let mut seen = BTreeMap::new();
    let mut accounts = accounts.into_iter();
    loop {
        let batch: Vec<Account> = accounts.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(seen);
        }
        for account in view.visible(tx, batch)? {
            seen.insert(fold(&account.user.name), account);
        }
    }
}

/// Whether nobody had the name, and the one who has it now is newer than the product's last question: then its
/// memberships were touched one by one.
fn is_new(touched: &[Touched], account: &Account) -> bool {
    let touched = touched.get(account.place);
    matches!(
        touched.and_then(|touched| touched.users.get(&account.user.pk)),
        Some(None)
    )
}
