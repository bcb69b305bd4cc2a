//! The journal: the ordered record of every change of a directory.

use std::collections::{BTreeMap, BTreeSet};

use directory::{Cause, Change, ConnectorId, DirectoryId, GroupPk, Trigger, UserPk};
use jiff::Timestamp;
use scim::fold;

use crate::{ReadTx, Row, StoreError, WriteTx, args, connectors::json};

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A user.
    User(UserPk),
    /// A group.
    Group(GroupPk),
    /// A user in a group.
    Membership(GroupPk, UserPk),
    /// A group in a group: the parent, the child.
    Nesting(GroupPk, GroupPk),
}

impl Subject {
    /// The user, if it is about one.
    pub fn user(self) -> Option<UserPk> {
        match self {
            Subject::User(user) | Subject::Membership(_, user) => Some(user),
            Subject::Group(_) | Subject::Nesting(..) => None,
        }
    }

    /// The group, if it is about one; of two groups the parent.
    pub fn group(self) -> Option<GroupPk> {
        match self {
            Subject::Group(group) | Subject::Membership(group, _) | Subject::Nesting(group, _) => {
                Some(group)
            }
            Subject::User(_) => None,
        }
    }

    /// The group in a group, if it is about one.
    pub fn child_group(self) -> Option<GroupPk> {
        match self {
            Subject::Nesting(_, child) => Some(child),
            Subject::User(_) | Subject::Group(_) | Subject::Membership(..) => None,
        }
    }
}

/// One entry.
#[derive(Debug, Clone)]
pub struct JournalEntry {
    /// Its position; grows in commit order within one directory.
    pub position: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// What changed.
    pub change: Change,
    /// What made it change.
    pub cause: Cause,
}

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct JournalQuery {
    /// Only entries behind this position.
    pub after: i64,
    /// Only entries before this position.
    pub before: Option<i64>,
    /// Only entries about this user, memberships included.
    pub user: Option<UserPk>,
    /// Only entries about this group, its members and its places in other groups included.
    pub group: Option<GroupPk>,
    /// Only entries that this connector caused.
    pub connector: Option<ConnectorId>,
    /// Newest first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: i64,
}

/// Who was touched since a position, for a reader that takes today's state of each.
#[derive(Debug, Default)]
pub struct Touched {
    /// The position that this answer reaches.
    pub position: i64,
    /// Users, with the name they had at the old position; none if they are newer.
    pub users: BTreeMap<UserPk, Option<String>>,
    /// Groups, likewise.
    pub groups: BTreeMap<GroupPk, Option<String>>,
    /// Users whose memberships were touched.
    pub members: BTreeSet<UserPk>,
    /// Groups whose places in other groups were touched.
    pub nested: BTreeSet<GroupPk>,
    /// Attributes that users lost; they may have them again.
    pub lost_by_users: BTreeMap<UserPk, BTreeSet<String>>,
    /// Attributes that groups lost, likewise.
    pub lost_by_groups: BTreeMap<GroupPk, BTreeSet<String>>,
}

/// The columns of [`read_entry`], in its order.
pub(crate) const ENTRY_COLUMNS: &str = "pk, at, subject, user_pk, group_pk, change, trigger_name, connector_pk, actor, \
     request, child_pk";

pub(crate) fn read_entry(row: &Row<'_>) -> Result<JournalEntry, StoreError> {
    let (user, group) = (row.opt_int(3)?.map(UserPk), row.opt_int(4)?.map(GroupPk));
    let subject = match (row.text(2)?.as_str(), user, group) {
        ("user", Some(user), _) => Subject::User(user),
        ("group", _, Some(group)) => Subject::Group(group),
        ("membership", Some(user), Some(group)) => Subject::Membership(group, user),
        ("nesting", _, Some(group)) => match row.opt_int(10)? {
            Some(child) => Subject::Nesting(group, GroupPk(child)),
            None => return Err(StoreError::corrupt("journal.child_pk")),
        },
        _ => return Err(StoreError::corrupt("journal.subject")),
    };
    Ok(JournalEntry {
        position: row.int(0)?,
        at: row.time(1)?,
        subject,
        change: serde_json::from_str(&row.text(5)?)
            .map_err(|error| StoreError::corrupt(format!("journal.change: {error}")))?,
        cause: Cause {
            trigger: Trigger::parse(&row.text(6)?)
                .ok_or_else(|| StoreError::corrupt("journal.trigger_name"))?,
            connector: row.opt_int(7)?.map(ConnectorId),
            actor: row.text(8)?,
            request: row.text(9)?,
        },
    })
}

/// The attributes that a change took away, if there is a change in this column.
fn lost_attributes(row: &Row<'_>, column: usize) -> Result<Vec<String>, StoreError> {
    let Some(text) = row.opt_text(column)? else {
        return Ok(Vec::new());
    };
    let change: Change = serde_json::from_str(&text)
        .map_err(|error| StoreError::corrupt(format!("journal.change: {error}")))?;
    Ok(change.lost_attributes())
}

impl ReadTx<'_> {
    /// The newest position of a directory's journal; one index look-up.
    pub fn journal_position(&self, directory: DirectoryId) -> Result<i64, StoreError> {
        let newest = self.query_one(
            "SELECT pk FROM journal WHERE directory_pk = $1 ORDER BY pk DESC LIMIT 1",
            args![directory.0],
            |row| row.int(0),
        )?;
        match newest {
            Some(position) => Ok(position),
            None => self.journal_floor(directory),
        }
    }

    /// Event tokens below this position are expired.
    pub fn journal_floor(&self, directory: DirectoryId) -> Result<i64, StoreError> {
        Ok(self
            .query_one(
                "SELECT journal_floor FROM directory WHERE pk = $1",
                args![directory.0],
                |row| row.int(0),
            )?
            .unwrap_or(0))
    }

    /// Lists entries of a directory.
    pub fn journal(
        &self,
        directory: DirectoryId,
        query: &JournalQuery,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let mut arguments = args![directory.0, query.after, query.limit];
        let mut narrowed = String::new();
        let narrow = [
            ("user_pk", query.user.map(|user| user.0)),
            ("connector_pk", query.connector.map(|connector| connector.0)),
        ];
        for (column, value) in narrow {
            if let Some(value) = value {
                arguments.push(value.into());
                narrowed.push_str(&format!(" AND {column} = ${}", arguments.len()));
            }
        }
        if let Some(before) = query.before {
            arguments.push(before.into());
            narrowed.push_str(&format!(" AND pk < ${}", arguments.len()));
        }
        let order = if query.newest_first { "DESC" } else { "ASC" };
        let piece = |more: &str| {
            format!(
                "SELECT {ENTRY_COLUMNS} \
                 FROM journal WHERE directory_pk = $1 AND pk > $2{narrowed}{more} ORDER BY pk {order} LIMIT $3"
            )
        };
        let sql = match query.group {
            None => piece(""),
            // A group is found as itself or parent by one index, as a child by another: a short piece of each.
            Some(group) => {
                arguments.push(group.0.into());
                let place = arguments.len();
                let own = piece(&format!(" AND group_pk = ${place}"));
                let nested = piece(&format!(" AND child_pk = ${place}"));
                format!(
                    "SELECT * FROM (SELECT * FROM ({own}) o UNION ALL SELECT * FROM ({nested}) n) e \
                     ORDER BY pk {order} LIMIT $3"
                )
            }
        };
        self.query(&sql, arguments, read_entry)
    }

    /// Entries of a directory behind the first position, up to and with the last, those about one user if one is given.
    pub fn journal_between(
        &self,
        directory: DirectoryId,
        (first, last): (i64, i64),
        user: Option<UserPk>,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut arguments = args![directory.0, first, last, limit];
        let mut narrowed = "";
        if let Some(user) = user {
            arguments.push(user.into());
            narrowed = " AND user_pk = $5";
        }
        let sql = format!(
            "SELECT pk, at, subject, user_pk, group_pk, change, trigger_name, connector_pk, actor, request, child_pk \
             FROM journal WHERE directory_pk = $1 AND pk > $2 AND pk <= $3{narrowed} ORDER BY pk LIMIT $4"
        );
        self.query(&sql, arguments, read_entry)
    }

    /// Who was touched behind `position`. `None` when the position is not known here any more
    /// (pruned, or never given out), or when more than `most` entries lie behind it: then the
    /// reader has to read everything anew.
    pub fn touched_since(
        &self,
        directory: DirectoryId,
        position: i64,
        most: i64,
    ) -> Result<Option<Touched>, StoreError> {
        let newest = self.journal_position(directory)?;
        if position > newest || position < self.journal_floor(directory)? {
            return Ok(None);
        }
        let mut touched = Touched {
            position: newest,
            ..Touched::default()
        };
        if position == newest {
            return Ok(Some(touched));
        }
        let mut entries = 0;
        self.for_each(
            "SELECT subject, user_pk, group_pk, known_as, child_pk, \
             CASE WHEN subject IN ('user', 'group') THEN change END FROM journal \
             WHERE directory_pk = $1 AND pk > $2 AND pk <= $3 AND visible = 1 ORDER BY pk LIMIT $4",
            args![directory.0, position, newest, most + 1],
            |row| {
                entries += 1;
                let (user, group) = (row.opt_int(1)?.map(UserPk), row.opt_int(2)?.map(GroupPk));
                match (row.text(0)?.as_str(), user, group) {
                    ("user", Some(user), _) => {
                        let known_as = row.opt_text(3)?;
                        touched.users.entry(user).or_insert(known_as);
                        let lost = lost_attributes(row, 5)?;
                        if !lost.is_empty() {
                            touched.lost_by_users.entry(user).or_default().extend(lost);
                        }
                    }
                    ("group", _, Some(group)) => {
                        let known_as = row.opt_text(3)?;
                        touched.groups.entry(group).or_insert(known_as);
                        let lost = lost_attributes(row, 5)?;
                        if !lost.is_empty() {
                            touched
                                .lost_by_groups
                                .entry(group)
                                .or_default()
                                .extend(lost);
                        }
                    }
                    ("nesting", _, _) => {
                        let child = row.opt_int(4)?.map(GroupPk);
                        touched
                            .nested
                            .insert(child.ok_or_else(|| StoreError::corrupt("journal.child_pk"))?);
                    }
                    (_, Some(user), _) => {
                        touched.members.insert(user);
                    }
                    _ => return Err(StoreError::corrupt("journal.subject")),
                }
                Ok(())
            },
        )?;
        Ok((entries <= most).then_some(touched))
    }
}

impl WriteTx<'_> {
    /// Writes one change. `known_as` is what the subject was called before it; none if it is new.
    pub fn append_journal(
        &self,
        directory: DirectoryId,
        subject: Subject,
        known_as: Option<&str>,
        change: &Change,
        cause: &Cause,
    ) -> Result<(), StoreError> {
        let (name, user, group, child) = match subject {
            Subject::User(user) => ("user", Some(user.0), None, None),
            Subject::Group(group) => ("group", None, Some(group.0), None),
            Subject::Membership(group, user) => ("membership", Some(user.0), Some(group.0), None),
            Subject::Nesting(group, child) => ("nesting", None, Some(group.0), Some(child.0)),
        };
        let now = self.now();
        self.execute(
            "INSERT INTO journal (directory_pk, at, subject, user_pk, group_pk, known_as, change, visible, \
             trigger_name, connector_pk, actor, request, child_pk, given_up_fold) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            args![
                directory.0,
                now,
                name,
                user,
                group,
                known_as,
                json(change)?,
                change.is_visible(),
                cause.trigger.as_str(),
                cause.connector.map(|connector| connector.0),
                cause.actor.as_str(),
                cause.request.as_str(),
                child,
                change.name_given_up().map(fold)
            ],
        )?;
        Ok(())
    }
}
