//! Users and groups found by whichever name they have or had.

use directory::{Change, DirectoryId, Group, GroupPk, User};
use jiff::Timestamp;
use scim::fold;

use crate::directory_users::{COLUMNS, read_user};
use crate::journal::{ENTRY_COLUMNS, read_entry};
use crate::{JournalEntry, ReadTx, StoreError, args};

/// A group that is there, or was.
#[derive(Debug, Clone)]
pub struct GroupEver {
    /// The row; of one that is gone it was that.
    pub pk: GroupPk,
    /// The name it has, or had last.
    pub name: String,
    /// The group; none if it is gone.
    pub present: Option<Group>,
    /// When it went; none if it is there.
    pub gone: Option<Timestamp>,
}

impl From<Group> for GroupEver {
    fn from(group: Group) -> Self {
        Self {
            pk: group.pk,
            name: group.name.clone(),
            present: Some(group),
            gone: None,
        }
    }
}

impl ReadTx<'_> {
    /// The user of this name or key; if nobody has the name, whoever had it last, also one that is gone.
    pub fn directory_user_ever(
        &self,
        directory: DirectoryId,
        text: &str,
    ) -> Result<Option<User>, StoreError> {
        if let Some(found) = self.directory_user(directory, text)? {
            return Ok(Some(found));
        }
        let select = format!("SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1");
        let by_key = format!("{select} AND d.key = $2");
        if let Some(found) = self.query_one(&by_key, args![directory.0, text], read_user)? {
            return Ok(Some(found));
        }
        let entry = self.user_name_given_up(directory, text)?;
        if let Some(user) = entry.and_then(|entry| entry.subject.user()) {
            return Ok(self.directory_users_by_pk(directory, &[user])?.pop());
        }
        // The journal may have been pruned since.
        let by_name = format!(
            "{select} AND d.name_fold = $2 AND d.status = 'removed' ORDER BY d.pk DESC LIMIT 1"
        );
        self.query_one(&by_name, args![directory.0, fold(text)], read_user)
    }

    /// The group of this name; if there is none, the one that had it last, also one that is gone; if there was none either, the
    /// one that a source group of this name feeds.
    pub fn directory_group_ever(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Option<GroupEver>, StoreError> {
        if let Some(found) = self.directory_group(directory, name)? {
            return Ok(Some(found.into()));
        }
        let entry = self.group_name_given_up(directory, name)?;
        let Some(pk) = entry.and_then(|entry| entry.subject.group()) else {
            return Ok(self.group_fed_as(directory, name)?.map(GroupEver::from));
        };
        if let Some(found) = self.directory_groups_by_pk(directory, &[pk])?.pop() {
            return Ok(Some(found.into()));
        }
        let deleted = format!(
            "SELECT {ENTRY_COLUMNS} FROM journal WHERE group_pk = $1 \
             AND change LIKE '{{\"change\":\"delete_group\"%' ORDER BY pk DESC LIMIT 1"
        );
        let deleted = self.query_one(&deleted, args![pk.0], read_entry)?;
        Ok(deleted.and_then(|entry| match entry.change {
            Change::DeleteGroup { name } => Some(GroupEver {
                pk,
                name,
                present: None,
                gone: Some(entry.at),
            }),
            _ => None,
        }))
    }

    /// The entry by which a user gave this name up last.
    pub fn user_name_given_up(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Option<JournalEntry>, StoreError> {
        self.name_given_up(directory, name, "user")
    }

    /// The entry by which a group gave this name up last.
    pub fn group_name_given_up(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Option<JournalEntry>, StoreError> {
        self.name_given_up(directory, name, "group")
    }

    /// The group that a source group feeds which has this name at the identity provider, or had it before it was renamed
    /// there (CP-02).
    fn group_fed_as(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Option<Group>, StoreError> {
        let named = "SELECT b.group_pk FROM connector c CROSS JOIN source_group s CROSS JOIN group_binding b \
             WHERE c.directory_pk = $1 AND s.connector_pk = c.pk AND s.display_name_fold = $2 \
             AND b.source_group_pk = s.pk ORDER BY s.pk LIMIT 1";
        let name = fold(name);
        let found = self.query_one(named, args![directory.0, name.as_str()], |row| row.int(0))?;
        let found = match found {
            Some(found) => Some(found),
            None => {
                let renamed = "SELECT s.former_name, b.group_pk FROM connector c CROSS JOIN group_standing s \
                     CROSS JOIN group_binding b WHERE c.directory_pk = $1 AND s.connector_pk = c.pk \
                     AND s.former_name IS NOT NULL AND b.source_group_pk = s.source_group_pk ORDER BY b.source_group_pk";
                let all = self.query(renamed, args![directory.0], |row| {
                    Ok((row.text(0)?, row.int(1)?))
                })?;
                let mut all = all.into_iter();
                all.find_map(|(former, group)| (fold(&former) == name).then_some(group))
            }
        };
        match found {
            Some(group) => self.directory_group_by_pk(directory, GroupPk(group)),
            None => Ok(None),
        }
    }

    fn name_given_up(
        &self,
        directory: DirectoryId,
        name: &str,
        subject: &str,
    ) -> Result<Option<JournalEntry>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM journal WHERE directory_pk = $1 AND given_up_fold = $2 AND subject = $3 \
             ORDER BY pk DESC LIMIT 1"
        );
        self.query_one(&sql, args![directory.0, fold(name), subject], read_entry)
    }
}
