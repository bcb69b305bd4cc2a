//! The past: what a user or a group was at a moment, read back from the journal.

use std::collections::{BTreeMap, BTreeSet};

use directory::{
    Account, Change, DirectoryId, GroupPk, Origin, Pass, Past, Status, User, UserPk, name,
};
use jiff::Timestamp;
use store::{GroupEver, JournalEntry, JournalQuery, ReadTx, Subject};

use crate::{Provision, ProvisionError};

/// Entries about one group that are read at most to go back.
const GROUP_ENTRIES_MAX: i64 = 1_000_000;

/// A user at a moment.
#[derive(Debug, Clone)]
pub struct PastUser {
    /// What was known; none if there was no such user then.
    pub account: Option<Account>,
    /// The position of the journal at that moment.
    pub position: i64,
}

/// A group at a moment.
#[derive(Debug, Clone, Default)]
pub struct PastGroup {
    /// Its name and description; none if there was no such group then.
    pub named: Option<(String, String)>,
    /// Its members.
    pub members: BTreeSet<UserPk>,
    /// The position of the journal at that moment.
    pub position: i64,
}

impl Provision {
    /// What a user of a directory was at a moment.
    pub fn user_at(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        user: &User,
        moment: Timestamp,
    ) -> Result<PastUser, ProvisionError> {
        let position = position_at(tx, directory, moment)?;
        let Some(present) = tx.account(user.pk)? else {
            return Err(ProvisionError::not_found("user", &user.name));
        };
        let entries = tx.journal_of_users(directory, &[user.pk], position)?;
        let groups = tx.journal_of_groups(directory, position)?;
        let mut past = Past::from(present.account);
        for entry in newest_first(&entries, &groups) {
            past.pass(&entry.change, Pass::Back);
        }
        let mut account = past.account();
        if account.status != Status::Removed {
            add_lost(tx, directory, user.pk, position, &groups, &mut account)?;
        }
        let before_all = user.created > moment;
        Ok(PastUser {
            account: Some(account).filter(|it| it.status != Status::Removed && !before_all),
            position,
        })
    }

    /// What a group of a directory was at a moment.
    pub fn group_at(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        group: &GroupEver,
        moment: Timestamp,
    ) -> Result<PastGroup, ProvisionError> {
        let position = position_at(tx, directory, moment)?;
        let Some(present) = &group.present else {
            return gone_group_at(tx, directory, group, position);
        };
        let mut past = PastGroup {
            named: Some((present.name.clone(), present.description.clone())),
            members: tx.member_pks(group.pk)?.into_iter().collect(),
            position,
        };
        let query = JournalQuery {
            after: position,
            group: Some(group.pk),
            newest_first: true,
            limit: GROUP_ENTRIES_MAX,
            ..JournalQuery::default()
        };
        let entries = tx.journal(directory, &query)?;
        let removals = tx.journal_of_removals(directory, position)?;
        for entry in newest_first(&entries, &removals) {
            past.pass(group.pk, entry);
        }
        if past.named.is_none() {
            past.members.clear();
        }
        Ok(past)
    }
}

impl PastGroup {
    /// Goes one entry forward.
    fn follow(&mut self, group: GroupPk, entry: &JournalEntry) {
        match (&entry.change, entry.subject) {
            (Change::CreateGroup { name, description }, _) => {
                self.named = Some((name.clone(), description.clone()));
            }
            (Change::RenameGroup { to, .. }, _) => {
                if let Some((name, _)) = &mut self.named {
                    name.clone_from(to);
                }
            }
            (Change::UpdateGroup { after, .. }, _) => {
                if let Some((_, description)) = &mut self.named {
                    description.clone_from(after);
                }
            }
            (Change::DeleteGroup { .. }, _) => {
                self.named = None;
                self.members.clear();
            }
            (Change::AddMembership { .. }, Subject::Membership(of, user)) if of == group => {
                self.members.insert(user);
            }
            (
                Change::RemoveMembership { .. } | Change::RemoveUser { .. },
                Subject::Membership(_, user) | Subject::User(user),
            ) => {
                self.members.remove(&user);
            }
            _ => {}
        }
    }

    /// Goes one entry back.
    fn pass(&mut self, group: GroupPk, entry: &JournalEntry) {
        match (&entry.change, entry.subject) {
            (Change::CreateGroup { .. }, Subject::Group(_)) => self.named = None,
            (Change::RenameGroup { from, .. }, _) => {
                if let Some((name, _)) = &mut self.named {
                    name.clone_from(from);
                }
            }
            (Change::UpdateGroup { before, .. }, _) => {
                if let Some((_, description)) = &mut self.named {
                    description.clone_from(before);
                }
            }
            (Change::AddMembership { .. }, Subject::Membership(_, user)) => {
                self.members.remove(&user);
            }
            (Change::RemoveMembership { .. }, Subject::Membership(of, user)) if of == group => {
                self.members.insert(user);
            }
            (Change::RemoveUser { before, .. }, Subject::User(user)) => {
                let held = before.iter().flat_map(|it| &it.memberships);
                let (name, _) = self.named.clone().unwrap_or_default();
                if held.into_iter().any(|it| name::same(&it.group, &name)) {
                    self.members.insert(user);
                }
            }
            _ => {}
        }
    }
}

/// What a group was that is gone: nothing is left to go back from, so its entries are followed from the first.
fn gone_group_at(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    group: &GroupEver,
    position: i64,
) -> Result<PastGroup, ProvisionError> {
    let query = JournalQuery {
        group: Some(group.pk),
        limit: GROUP_ENTRIES_MAX,
        ..JournalQuery::default()
    };
    let entries = tx.journal(directory, &query)?;
    let users: BTreeSet<UserPk> = entries.iter().filter_map(|it| it.subject.user()).collect();
    let removals = tx.removals_of(directory, &Vec::from_iter(users))?;
    let made_here = entries
        .iter()
        .any(|entry| matches!(entry.change, Change::CreateGroup { .. }));
    let mut past = PastGroup {
        // A pruned journal does not tell of its beginning, but whoever was pruned away was there.
        named: (!made_here).then(|| (group.name.clone(), String::new())),
        position,
        ..PastGroup::default()
    };
    for entry in newest_first(&entries, &removals).into_iter().rev() {
        if entry.position > position {
            break;
        }
        past.follow(group.pk, entry);
    }
    Ok(past)
}

/// The position of the journal at a moment; refuses moments before its beginning.
fn position_at(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    moment: Timestamp,
) -> Result<i64, ProvisionError> {
    if tx.journal_floor(directory)? > 0
        && let Some(begins) = tx.journal_begins(directory)?
        && moment < begins
    {
        let message = format!(
            "is {moment}, and the journal was pruned: it goes back to {begins} only; name a later time"
        );
        return Err(ProvisionError::invalid("at", message));
    }
    // What was written at the moment itself has happened by then.
    let after = moment
        .checked_add(jiff::SignedDuration::from_micros(1))
        .unwrap_or(moment);
    Ok(tx.journal_before(directory, after)?)
}

/// Two parts of a journal as one, the newest entry first.
pub(crate) fn newest_first<'e>(
    one: &'e [JournalEntry],
    other: &'e [JournalEntry],
) -> Vec<&'e JournalEntry> {
    let mut all: Vec<&JournalEntry> = one.iter().chain(other).collect();
    all.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.position));
    all.dedup_by_key(|entry| entry.position);
    all
}

/// Memberships in groups that were deleted since: with a group they go without entries of their own.
fn add_lost(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    user: UserPk,
    position: i64,
    groups: &[JournalEntry],
    account: &mut Account,
) -> Result<(), ProvisionError> {
    let deleted: BTreeSet<GroupPk> = groups
        .iter()
        .filter(|entry| matches!(entry.change, Change::DeleteGroup { .. }))
        .filter_map(|entry| match entry.subject {
            Subject::Group(group) => Some(group),
            _ => None,
        })
        .collect();
    if deleted.is_empty() {
        return Ok(());
    }
    let mut last: BTreeMap<GroupPk, Option<(String, BTreeSet<Origin>)>> = BTreeMap::new();
    for entry in tx.journal_of_users(directory, &[user], 0)?.iter().rev() {
        if entry.position > position {
            break;
        }
        match (&entry.change, entry.subject) {
            (Change::RemoveUser { .. }, _) => last.clear(),
            (
                Change::AddMembership { group, origins }
                | Change::SetOrigins {
                    group,
                    after: origins,
                    ..
                },
                Subject::Membership(pk, _),
            ) => {
                last.insert(pk, Some((group.clone(), origins.clone())));
            }
            (Change::RemoveMembership { .. }, Subject::Membership(pk, _)) => {
                last.insert(pk, None);
            }
            _ => {}
        }
    }
    for (group, held) in last {
        if let Some((name, origins)) = held
            && deleted.contains(&group)
            && !account
                .memberships
                .iter()
                .any(|it| name::same(&it.group, &name))
        {
            let group = name;
            account
                .memberships
                .push(directory::Membership { group, origins });
        }
    }
    Ok(())
}
