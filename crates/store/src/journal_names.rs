//! Names of those whom entries of a journal are about, read together: as they are called now, or were when they went.

use std::collections::HashMap;

use directory::{DirectoryId, GroupPk, User, UserPk};

use crate::{JournalEntry, ReadTx, StoreError};

/// The users and groups that some entries of one directory are about.
pub struct EntryNames {
    users: HashMap<UserPk, User>,
    groups: HashMap<GroupPk, String>,
}

impl EntryNames {
    /// Looks them up.
    pub fn of(
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        entries: &[JournalEntry],
    ) -> Result<Self, StoreError> {
        let subjects = || entries.iter().map(|entry| entry.subject);
        let mut users: Vec<UserPk> = subjects().filter_map(|it| it.user()).collect();
        let mut groups: Vec<GroupPk> = subjects()
            .flat_map(|it| it.group().into_iter().chain(it.child_group()))
            .collect();
        users.sort_unstable();
        users.dedup();
        groups.sort_unstable();
        groups.dedup();
        let users = tx.directory_users_by_pk(directory, &users)?.into_iter();
        let groups = tx.directory_groups_by_pk(directory, &groups)?.into_iter();
        Ok(Self {
            users: users.map(|user| (user.pk, user)).collect(),
            groups: groups.map(|group| (group.pk, group.name)).collect(),
        })
    }

    /// The user that an entry is about; none if there is none, or not any more.
    pub fn user(&self, entry: &JournalEntry) -> Option<&User> {
        self.users.get(&entry.subject.user()?)
    }

    /// The name of the group that an entry is about. Of one that is gone, the entry itself may tell.
    pub fn group<'n>(&'n self, entry: &'n JournalEntry) -> Option<&'n str> {
        let present = self.groups.get(&entry.subject.group()?);
        present
            .map(String::as_str)
            .or_else(|| entry.change.group_name())
    }

    /// The same of the group in that group.
    pub fn child_group<'n>(&'n self, entry: &'n JournalEntry) -> Option<&'n str> {
        let present = self.groups.get(&entry.subject.child_group()?);
        present
            .map(String::as_str)
            .or_else(|| entry.change.child_group_name())
    }
}
