//! The source: who is in a group, in the words of the IdP.

use std::borrow::Cow;
use std::collections::HashMap;

use directory::{ConnectorId, SourceGroupPk, SourceUserPk};

use crate::{ReadTx, Row, StoreError, WriteTx, args, sql};

/// Who is in a group: a user, a group, or nobody yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemberKind {
    /// A user of the same connector.
    User(SourceUserPk),
    /// A group of the same connector.
    Group(SourceGroupPk),
    /// An id that nothing has yet.
    Pending,
}

/// One member as SCIM answers show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMember {
    /// The SCIM `id` of the member, or the id that is waited for.
    pub value: String,
    /// The member's `userName` or `displayName`; none for a pending reference.
    pub display: Option<String>,
    /// What it is.
    pub kind: MemberKind,
}

/// What a change of members really changed.
#[derive(Debug, Default)]
pub struct MemberChange {
    /// Users that came in.
    pub users_added: Vec<SourceUserPk>,
    /// Users that went.
    pub users_removed: Vec<SourceUserPk>,
    /// Groups that came in or went.
    pub groups_changed: Vec<SourceGroupPk>,
    /// How many groups came in, less those that went.
    pub group_difference: i64,
    /// Ids that nothing has yet and that are now waited for.
    pub newly_pending: Vec<String>,
    /// Ids that are no longer waited for.
    pub no_longer_pending: u64,
    /// The group was named as a member of itself, which it does not become.
    pub named_itself: bool,
}

impl MemberChange {
    /// Whether anything changed at all.
    pub fn is_empty(&self) -> bool {
        self.users_added.is_empty()
            && self.users_removed.is_empty()
            && self.groups_changed.is_empty()
            && self.newly_pending.is_empty()
            && self.no_longer_pending == 0
    }
}

impl ReadTx<'_> {
    /// The users below a group at any depth, `limit` of them at most.
    pub fn source_users_below(
        &self,
        group: SourceGroupPk,
        limit: usize,
    ) -> Result<Vec<SourceUserPk>, StoreError> {
        self.query(
            "WITH RECURSIVE below (pk) AS (SELECT pk FROM source_group WHERE pk = $1 \
               UNION SELECT n.child_pk FROM source_group_member n JOIN below b ON n.group_pk = b.pk) \
             SELECT DISTINCT m.user_pk FROM below b CROSS JOIN source_member m WHERE m.group_pk = b.pk LIMIT $2",
            args![group.0, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok(SourceUserPk(row.int(0)?)),
        )
    }

    /// Whether any group of a connector has a member.
    pub fn has_source_members(&self, connector: ConnectorId) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT 1 FROM source_group WHERE connector_pk = $1 AND member_count > 0 LIMIT 1",
            args![connector.0],
            |row| row.int(0),
        )?;
        Ok(found.is_some())
    }

    /// All members of a group, users first, then groups, then pending references.
    pub fn source_members(
        &self,
        group: SourceGroupPk,
        each: &mut dyn FnMut(SourceMember) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.for_each(
            "SELECT u.pk, u.id, u.document FROM source_member m JOIN source_user u ON u.pk = m.user_pk \
             WHERE m.group_pk = $1 ORDER BY m.user_pk",
            args![group.0],
            |row| {
                each(SourceMember {
                    value: row.text(1)?,
                    display: display_of(&row.text(2)?),
                    kind: MemberKind::User(SourceUserPk(row.int(0)?)),
                })
            },
        )?;
        self.for_each(
            "SELECT g.pk, g.id, g.display_name FROM source_group_member m JOIN source_group g ON g.pk = m.child_pk \
             WHERE m.group_pk = $1 ORDER BY m.child_pk",
            args![group.0],
            |row| {
                each(SourceMember {
                    value: row.text(1)?,
                    display: Some(row.text(2)?),
                    kind: MemberKind::Group(SourceGroupPk(row.int(0)?)),
                })
            },
        )?;
        self.for_each(
            "SELECT value FROM pending_reference WHERE group_pk = $1 ORDER BY value",
            args![group.0],
            |row| {
                each(SourceMember {
                    value: row.text(0)?,
                    display: None,
                    kind: MemberKind::Pending,
                })
            },
        )
    }

    /// The members of several groups in the order of [`ReadTx::source_members`], all of a group one after the other;
    /// none if they are more than `most`.
    pub fn source_members_of_many(
        &self,
        groups: &[SourceGroupPk],
        most: usize,
    ) -> Result<Option<Vec<(SourceGroupPk, SourceMember)>>, StoreError> {
        let numbers: Vec<i64> = groups.iter().map(|group| group.0).collect();
        let mut found = Vec::new();
        for chunk in sql::padded(&numbers) {
            let left = (most + 1).saturating_sub(found.len());
            let list = sql::placeholders(2, chunk.len());
            let statement = format!(
                "SELECT m.group_pk, 0, u.pk, u.id, u.document FROM source_member m \
                 JOIN source_user u ON u.pk = m.user_pk WHERE m.group_pk IN ({list}) \
                 UNION ALL SELECT m.group_pk, 1, g.pk, g.id, g.display_name FROM source_group_member m \
                 JOIN source_group g ON g.pk = m.child_pk WHERE m.group_pk IN ({list}) \
                 UNION ALL SELECT p.group_pk, 2, CAST(0 AS BIGINT), p.value, NULL FROM pending_reference p \
                 WHERE p.group_pk IN ({list}) LIMIT $1"
            );
            let mut arguments = args![i64::try_from(left).unwrap_or(i64::MAX)];
            arguments.extend(chunk.into_iter().map(Into::into));
            found.extend(self.query(&statement, arguments, |row| {
                Ok((SourceGroupPk(row.int(0)?), read_member(row)?))
            })?);
            if found.len() > most {
                return Ok(None);
            }
        }
        found.sort_by(|(group, member), (other_group, other)| {
            (group, member.kind, &member.value).cmp(&(other_group, other.kind, &other.value))
        });
        Ok(Some(found))
    }

    /// The ids of all members, with what they are; for a comparison with a whole new list.
    pub fn source_member_ids(
        &self,
        group: SourceGroupPk,
    ) -> Result<HashMap<String, MemberKind>, StoreError> {
        let mut ids = HashMap::new();
        self.for_each(
            "SELECT u.id, u.pk FROM source_member m JOIN source_user u ON u.pk = m.user_pk WHERE m.group_pk = $1",
            args![group.0],
            |row| {
                ids.insert(row.text(0)?, MemberKind::User(SourceUserPk(row.int(1)?)));
                Ok(())
            },
        )?;
        self.for_each(
            "SELECT g.id, g.pk FROM source_group_member m JOIN source_group g ON g.pk = m.child_pk \
             WHERE m.group_pk = $1",
            args![group.0],
            |row| {
                ids.insert(row.text(0)?, MemberKind::Group(SourceGroupPk(row.int(1)?)));
                Ok(())
            },
        )?;
        self.for_each(
            "SELECT value FROM pending_reference WHERE group_pk = $1",
            args![group.0],
            |row| {
                ids.insert(row.text(0)?, MemberKind::Pending);
                Ok(())
            },
        )?;
        Ok(ids)
    }

    /// What these ids are in this connector; one that nothing has is [`MemberKind::Pending`].
    /// A value that is no id, but the `externalId` of exactly one user, means that user: clients
    /// that push a group before they have learnt our ids send theirs.
    pub fn resolve_members(
        &self,
        connector: ConnectorId,
        values: &[&str],
    ) -> Result<Vec<MemberKind>, StoreError> {
        let mut known: HashMap<String, MemberKind> = HashMap::with_capacity(values.len());
        for chunk in sql::chunks(values.iter().copied()) {
            let list = sql::placeholders(2, chunk.len());
            let mut arguments = args![connector.0];
            arguments.extend(chunk.iter().map(|&value| value.into()));
            let users = format!(
                "SELECT id, pk FROM source_user WHERE connector_pk = $1 AND id IN ({list})"
            );
            for (id, pk) in self.query(&users, arguments.clone(), |row| {
                Ok((row.text(0)?, row.int(1)?))
            })? {
                known.insert(id, MemberKind::User(SourceUserPk(pk)));
            }
            if chunk.iter().all(|&value| known.contains_key(value)) {
                continue;
            }
            let groups = format!(
                "SELECT id, pk FROM source_group WHERE connector_pk = $1 AND id IN ({list})"
            );
            for (id, pk) in self.query(&groups, arguments.clone(), |row| {
                Ok((row.text(0)?, row.int(1)?))
            })? {
                known.insert(id, MemberKind::Group(SourceGroupPk(pk)));
            }
            if chunk.iter().all(|&value| known.contains_key(value)) {
                continue;
            }
            let external = format!(
                "SELECT external_id, min(pk) FROM source_user WHERE connector_pk = $1 \
                 AND external_id IN ({list}) GROUP BY external_id HAVING count(*) = 1"
            );
            for (id, pk) in
                self.query(&external, arguments, |row| Ok((row.text(0)?, row.int(1)?)))?
            {
                known
                    .entry(id)
                    .or_insert(MemberKind::User(SourceUserPk(pk)));
            }
        }
        Ok(values
            .iter()
            .map(|&value| known.get(value).copied().unwrap_or(MemberKind::Pending))
            .collect())
    }
}

impl WriteTx<'_> {
    /// Counts members that came with a new group.
    pub fn add_to_member_count(
        &self,
        group: SourceGroupPk,
        difference: i64,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE source_group SET member_count = member_count + $1 WHERE pk = $2",
            args![difference, group.0],
        )?;
        Ok(())
    }

    /// Puts members into a group; those already in it, and the group itself, change nothing.
    pub fn add_source_members(
        &self,
        connector: ConnectorId,
        group: SourceGroupPk,
        values: &[&str],
        change: &mut MemberChange,
    ) -> Result<(), StoreError> {
        let kinds = self.resolve_members(connector, values)?;
        let mut users = Vec::new();
        for (&value, kind) in values.iter().zip(&kinds) {
            match *kind {
                MemberKind::User(user) => users.push(user.0),
                MemberKind::Group(child) if child == group => change.named_itself = true,
                MemberKind::Group(child) => {
                    if !self.insert_pair("source_group_member", "child_pk", group, &[child.0])?.is_empty() {
                        change.groups_changed.push(child);
                        change.group_difference += 1;
                    }
                }
                MemberKind::Pending => {
                    if self.execute(
                        "INSERT INTO pending_reference (connector_pk, value, group_pk) VALUES ($1, $2, $3) \
                         ON CONFLICT (connector_pk, value, group_pk) DO NOTHING",
                        args![connector.0, value, group.0],
                    )? > 0
                    {
                        change.newly_pending.push(value.to_owned());
                    }
                }
            }
        }
        let added = self.insert_pair("source_member", "user_pk", group, &users)?;
        change
            .users_added
            .extend(added.into_iter().map(SourceUserPk));
        Ok(())
    }

    /// Takes members out of a group; those not in it change nothing.
    pub fn remove_source_members(
        &self,
        connector: ConnectorId,
        group: SourceGroupPk,
        values: &[&str],
        change: &mut MemberChange,
    ) -> Result<(), StoreError> {
        let kinds = self.resolve_members(connector, values)?;
        let mut users = Vec::new();
        for (&value, kind) in values.iter().zip(&kinds) {
            match *kind {
                MemberKind::User(user) => users.push(user.0),
                MemberKind::Group(child) => {
                    if self.execute(
                        "DELETE FROM source_group_member WHERE group_pk = $1 AND child_pk = $2",
                        args![group.0, child.0],
                    )? > 0
                    {
                        change.groups_changed.push(child);
                        change.group_difference -= 1;
                    }
                }
                MemberKind::Pending => {
                    change.no_longer_pending += self.execute(
                        "DELETE FROM pending_reference WHERE connector_pk = $1 AND value = $2 AND group_pk = $3",
                        args![connector.0, value, group.0],
                    )?;
                }
            }
        }
        for chunk in sql::chunks(users.into_iter()) {
            let statement = format!(
                "DELETE FROM source_member WHERE group_pk = $1 AND user_pk IN ({}) RETURNING user_pk",
                sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![group.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            let gone = self.query(&statement, arguments, |row| Ok(SourceUserPk(row.int(0)?)))?;
            change.users_removed.extend(gone);
        }
        Ok(())
    }

    /// Lets a new user or group into every group that waited for one of its names. Returns those
    /// groups.
    pub fn claim_pending_references(
        &self,
        connector: ConnectorId,
        names: [&str; 2],
        member: MemberKind,
    ) -> Result<Vec<SourceGroupPk>, StoreError> {
        // Hardly anybody is waited for: look first, and in a way for which the engine sets nothing up.
        let mut groups = self.query(
            "SELECT group_pk FROM pending_reference WHERE connector_pk = $1 AND value = $2 \
             UNION ALL SELECT group_pk FROM pending_reference WHERE connector_pk = $1 AND value = $3",
            args![connector.0, names[0], names[1]],
            |row| Ok(SourceGroupPk(row.int(0)?)),
        )?;
        if groups.is_empty() {
            return Ok(groups);
        }
        groups.sort_unstable();
        groups.dedup();
        self.execute(
            "DELETE FROM pending_reference WHERE connector_pk = $1 AND value IN ($2, $3)",
            args![connector.0, names[0], names[1]],
        )?;
        for group in &groups {
            let added = match member {
                MemberKind::User(user) => {
                    self.insert_pair("source_member", "user_pk", *group, &[user.0])?
                }
                MemberKind::Group(child) => {
                    self.insert_pair("source_group_member", "child_pk", *group, &[child.0])?
                }
                MemberKind::Pending => Vec::new(),
            };
            self.execute(
                "UPDATE source_group SET member_count = member_count + $1, version = version + 1, \
                 modified = CASE WHEN modified < $2 THEN $2 ELSE modified + 1 END WHERE pk = $3",
                args![added.len() as i64, self.now(), group.0],
            )?;
        }
        Ok(groups)
    }

    /// Inserts (group, other) rows and returns the others that were new.
    fn insert_pair(
        &self,
        table: &str,
        column: &str,
        group: SourceGroupPk,
        others: &[i64],
    ) -> Result<Vec<i64>, StoreError> {
        let mut added = Vec::new();
        for chunk in sql::chunks(others.iter().copied()) {
            let rows: Vec<String> = (0..chunk.len())
                .map(|i| format!("($1, ${})", i + 2))
                .collect();
            let statement = format!(
                "INSERT INTO {table} (group_pk, {column}) VALUES {} \
                 ON CONFLICT (group_pk, {column}) DO NOTHING RETURNING {column}",
                rows.join(", ")
            );
            let mut arguments = args![group.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            added.extend(self.query(&statement, arguments, |row| row.int(0))?);
        }
        Ok(added)
    }
}

/// A member from a row of [`ReadTx::source_members_of_many`].
fn read_member(row: &Row<'_>) -> Result<SourceMember, StoreError> {
    let value = row.text(3)?;
    let (display, kind) = match row.int(1)? {
        0 => (
            display_of(row.str(4)?),
            MemberKind::User(SourceUserPk(row.int(2)?)),
        ),
        1 => (
            Some(row.text(4)?),
            MemberKind::Group(SourceGroupPk(row.int(2)?)),
        ),
        _ => (None, MemberKind::Pending),
    };
    Ok(SourceMember {
        value,
        display,
        kind,
    })
}

/// What to show for a member: `displayName`, else `userName`. Reads nothing else of the document,
/// since a group has many members.
fn display_of(document: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Names<'a> {
        #[serde(borrow)]
        display_name: Option<Cow<'a, str>>,
        #[serde(borrow)]
        user_name: Option<Cow<'a, str>>,
    }
    let names: Names<'_> = serde_json::from_str(document).ok()?;
    names.display_name.or(names.user_name).map(Cow::into_owned)
}
