//! What to tell a product about everyone who was touched.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use ::crowd::event::{Events, Operation, expired};
use directory::{DirectoryId, Group, GroupPk, Status, User, UserPk};
use scim::fold;
use store::{ReadTx, Touched};

use crate::crowd::Refusal;
use crate::crowd::call::by_name;
use crate::crowd::listing::attributes_of;
use crate::crowd::stream::Sink;
use crate::crowd::{group, user};

/// Users whose attributes or groups are fetched together.
const BATCH: usize = 500;
/// Users of renamed groups whose memberships one answer tells anew.
const REGROUPED_MAX: i64 = 10_000;

/// Everything that one answer tells, in the order in which it is told.
pub(super) struct News {
    /// Names of groups that are no more, as the product knows them.
    gone_groups: Vec<String>,
    /// Names of users that are no more, as the product knows them.
    gone_users: Vec<String>,
    groups: Vec<Group>,
    users: Vec<User>,
    /// Users whose groups are told as a whole list.
    members: Vec<User>,
}

impl News {
    /// Finds out what became of everyone who was touched. What events cannot express counts as an expired
    /// token, so that the product reads everything anew.
    pub(super) fn gather(
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        touched: Touched,
    ) -> Result<News, Refusal> {
        let groups = fate_of_groups(tx, directory, &touched.groups)?;
        let users = fate_of_users(tx, directory, &touched.users)?;
        let mut members = touched.members;
        members.extend(users.renamed.iter().map(|(pk, _)| *pk));
        members.extend(users_of(tx, groups.renamed.iter().map(|(pk, _)| *pk))?);
        // A group has no key: a renamed one is another one to a product.
        let mut gone_groups = groups.gone;
        gone_groups.extend(groups.renamed.into_iter().map(|(_, known)| known));
        Ok(News {
            gone_groups,
            gone_users: users.gone,
            groups: groups.living,
            users: users.living,
            members: living_users(tx, directory, members)?,
        })
    }

    /// Tells it.
    pub(super) fn write(&self, tx: &ReadTx<'_>, events: &mut Events<Sink>) -> Result<(), Refusal> {
        for name in &self.gone_groups {
            events.group_deleted(name)?;
        }
        for name in &self.gone_users {
            events.user_deleted(name)?;
        }
        for group in &self.groups {
            let attributes = by_name(tx.group_attributes(group.pk)?);
            events.group(Operation::Updated, &group::shown(group, &attributes), &[])?;
        }
        for batch in self.users.chunks(BATCH) {
            let mut found = attributes_of(tx, batch)?;
            for user in batch {
                let attributes = found.remove(&user.pk).unwrap_or_default();
                events.user(Operation::Updated, &user::shown(user, &attributes), &[])?;
            }
        }
        for batch in self.members.chunks(BATCH) {
            let pks: Vec<UserPk> = batch.iter().map(|user| user.pk).collect();
            let groups = tx.group_names_of_many(&pks)?;
            for user in batch {
                let parents = groups
                    .get(&user.pk)
                    .into_iter()
                    .flatten()
                    .map(String::as_str);
                events.user_membership(Operation::Updated, &user.name, parents)?;
            }
        }
        Ok(())
    }
}

/// What became of those who were touched.
struct Fate<P, T> {
    /// As they are now.
    living: Vec<T>,
    /// Names, as the product knows them, of those who are no more.
    gone: Vec<String>,
    /// Those who have another name now, with the name the product knows.
    renamed: Vec<(P, String)>,
}

impl<P: Copy + Ord + std::hash::Hash, T> Fate<P, T> {
    /// `touched` tells what each was called when the product last asked; `holder` who has a name now.
    fn new(
        touched: &BTreeMap<P, Option<String>>,
        living: Vec<T>,
        name_of: impl Fn(&T) -> (P, &str),
        holder: impl Fn(&str) -> Result<Option<P>, Refusal>,
    ) -> Result<Fate<P, T>, Refusal> {
        let names: HashMap<P, &str> = living.iter().map(name_of).collect();
        let (mut gone, mut renamed) = (Vec::new(), Vec::new());
        for (pk, known) in touched {
            // Whoever is newer than the product's last question is unknown to it.
            let Some(known) = known else { continue };
            match names.get(pk) {
                Some(name) if fold(name) == fold(known) => {}
                Some(_) => renamed.push((*pk, known.clone())),
                // A name that someone else holds by now must not be told as gone, unless that one is told too,
                // which comes later and brings the name back.
                None => match holder(known)? {
                    Some(other) if !touched.contains_key(&other) => {}
                    _ => gone.push(known.clone()),
                },
            }
        }
        drop(names);
        Ok(Fate {
            living,
            gone,
            renamed,
        })
    }
}

fn fate_of_groups(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    touched: &BTreeMap<GroupPk, Option<String>>,
) -> Result<Fate<GroupPk, Group>, Refusal> {
    let pks: Vec<GroupPk> = touched.keys().copied().collect();
    let mut living = tx.directory_groups_by_pk(directory, &pks)?;
    living.sort_by_key(|group| group.pk);
    let holder = |name: &str| Ok(tx.directory_group(directory, name)?.map(|group| group.pk));
    Fate::new(
        touched,
        living,
        |group: &Group| (group.pk, group.name.as_str()),
        holder,
    )
}

fn fate_of_users(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    touched: &BTreeMap<UserPk, Option<String>>,
) -> Result<Fate<UserPk, User>, Refusal> {
    let living = living_users(tx, directory, touched.keys().copied().collect())?;
    let holder = |name: &str| Ok(tx.directory_user(directory, name)?.map(|user| user.pk));
    let fate = Fate::new(
        touched,
        living,
        |user: &User| (user.pk, user.name.as_str()),
        holder,
    )?;
    refuse_handed_on_names(&fate)?;
    Ok(fate)
}

/// A name that went from one living user to another would, told one after the other, meet the other's old
/// entry in the product.
fn refuse_handed_on_names(fate: &Fate<UserPk, User>) -> Result<(), Refusal> {
    let left: HashSet<String> = fate.renamed.iter().map(|(_, known)| fold(known)).collect();
    match fate
        .living
        .iter()
        .any(|user| left.contains(&fold(&user.name)))
    {
        true => Err(expired().into()),
        false => Ok(()),
    }
}

/// Those of these users that products see, in a steady order.
fn living_users(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    users: BTreeSet<UserPk>,
) -> Result<Vec<User>, Refusal> {
    let pks: Vec<UserPk> = users.into_iter().collect();
    let mut found = tx.directory_users_by_pk(directory, &pks)?;
    found.retain(|user| user.status != Status::Removed);
    found.sort_by_key(|user| user.pk);
    Ok(found)
}

/// The users of groups that a product has to learn anew; with too many of them it learns everything anew.
fn users_of(
    tx: &ReadTx<'_>,
    groups: impl Iterator<Item = GroupPk>,
) -> Result<BTreeSet<UserPk>, Refusal> {
    let mut users = BTreeSet::new();
    for group in groups {
        users.extend(tx.user_pks_of_group(group, REGROUPED_MAX + 1)?);
        if i64::try_from(users.len()).unwrap_or(i64::MAX) > REGROUPED_MAX {
            return Err(expired().into());
        }
    }
    Ok(users)
}
