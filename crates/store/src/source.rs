//! The source: users exactly as the IdP wrote them, per connector.

use std::collections::{BTreeMap, HashMap};

use directory::{ConnectorId, SourceGroupPk, SourceUserPk};
use jiff::Timestamp;
use scim::{Meta, Resource, ResourceType, ScimError, fold};

use crate::group_standing::GroupStanding;
use crate::{ReadTx, Row, StoreError, WriteTx, args, sql};

/// A user of the source.
#[derive(Debug, Clone)]
pub struct SourceUser {
    /// The store's number of this user.
    pub pk: SourceUserPk,
    /// The SCIM `id`.
    pub id: String,
    /// Version and times.
    pub meta: Meta,
    /// The resource as [`Resource::to_stored`] gave it.
    pub document: String,
}

impl SourceUser {
    /// The resource, known by its `id` and its times.
    pub fn resource(&self) -> Result<Resource, ScimError> {
        let resource = Resource::parse_stored(&self.document)?;
        Ok(resource.known_as(ResourceType::user(), &self.id, &self.meta))
    }
}

/// A reference to a group that contains a user, for the SCIM attribute `groups`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupReference {
    /// The SCIM `id` of the group.
    pub id: String,
    /// Its `displayName`.
    pub display: String,
}

impl GroupReference {
    fn read(row: &Row<'_>, column: usize) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text(column)?,
            display: row.text(column + 1)?,
        })
    }

    /// Few are sorted sooner here than by an engine that has to set up for it.
    fn by_name(groups: &mut [Self]) {
        if groups.len() > 1 {
            groups.sort_by_cached_key(|group| fold(&group.display));
        }
    }
}

/// The columns that are searched, taken from a resource.
struct Searched {
    user_name: String,
    external_id: Option<String>,
    display_name: Option<String>,
    active: bool,
    emails: Vec<String>,
}

impl Searched {
    fn of(user: &Resource) -> Self {
        let mut emails: Vec<String> = user
            .emails()
            .iter()
            .map(|email| fold(&email.value))
            .collect();
        emails.sort();
        emails.dedup();
        Self {
            user_name: fold(user.user_name().unwrap_or_default()),
            external_id: user.external_id().map(str::to_owned),
            display_name: user.display_name().map(fold),
            active: user.active().unwrap_or(true),
            emails,
        }
    }
}

/// The columns of [`read_user`], in its order.
pub(crate) const USER_COLUMNS: &str = "u.pk, u.id, u.version, u.created, u.modified, u.document";

/// Reads a row of [`USER_COLUMNS`].
pub(crate) fn read_user(row: &Row<'_>) -> Result<SourceUser, StoreError> {
    Ok(SourceUser {
        pk: SourceUserPk(row.int(0)?),
        id: row.text(1)?,
        meta: Meta {
            version: row.int(2)?,
            created: row.time(3)?,
            last_modified: row.time(4)?,
            beside: None,
        },
        document: row.text(5)?,
    })
}

impl ReadTx<'_> {
    /// The user with this SCIM `id`.
    pub fn source_user(
        &self,
        connector: ConnectorId,
        id: &str,
    ) -> Result<Option<SourceUser>, StoreError> {
        self.query_one(
            "SELECT u.pk, u.id, u.version, u.created, u.modified, u.document FROM source_user u \
             WHERE u.connector_pk = $1 AND u.id = $2",
            args![connector.0, id],
            read_user,
        )
    }

    /// The user with this store number.
    pub fn source_user_by_pk(
        &self,
        connector: ConnectorId,
        pk: SourceUserPk,
    ) -> Result<Option<SourceUser>, StoreError> {
        self.query_one(
            "SELECT u.pk, u.id, u.version, u.created, u.modified, u.document FROM source_user u \
             WHERE u.connector_pk = $1 AND u.pk = $2",
            args![connector.0, pk.0],
            read_user,
        )
    }

    /// Those of these users that the connector has.
    pub fn source_users_by_pk(
        &self,
        connector: ConnectorId,
        users: &[SourceUserPk],
    ) -> Result<HashMap<SourceUserPk, SourceUser>, StoreError> {
        let wanted: Vec<i64> = users.iter().map(|user| user.0).collect();
        let mut found = HashMap::with_capacity(wanted.len());
        let begin = format!("SELECT {USER_COLUMNS} FROM source_user u WHERE u.connector_pk = $1");
        for chunk in crate::sql::padded(&wanted) {
            let places = crate::sql::placeholders(2, chunk.len());
            let statement = format!("{begin} AND u.pk IN ({places})");
            let mut arguments = args![connector.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.for_each(&statement, arguments, |row| {
                let user = read_user(row)?;
                found.insert(user.pk, user);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// SCIM id of the user with this `userName`, compared by [`fold`].
    pub fn source_user_id_by_user_name(
        &self,
        connector: ConnectorId,
        user_name: &str,
    ) -> Result<Option<String>, StoreError> {
        self.query_one(
            "SELECT id FROM source_user WHERE connector_pk = $1 AND user_name_fold = $2",
            args![connector.0, fold(user_name)],
            |row| row.text(0),
        )
    }

    /// The first user, in the order of names, whose `userName` begins with the text, compared by [`fold`].
    pub fn source_user_beginning(
        &self,
        connector: ConnectorId,
        text: &str,
    ) -> Result<Option<SourceUserPk>, StoreError> {
        let from = fold(text);
        let to = sql::after_prefix(&from).unwrap_or(char::MAX.into());
        self.query_one(
            "SELECT pk FROM source_user WHERE connector_pk = $1 AND user_name_fold >= $2 AND user_name_fold < $3 \
             ORDER BY user_name_fold LIMIT 1",
            args![connector.0, from, to],
            |row| Ok(SourceUserPk(row.int(0)?)),
        )
    }

    /// SCIM ids of users with this `externalId`, compared exactly; two at most, since more say no more.
    pub fn source_user_ids_by_external_id(
        &self,
        connector: ConnectorId,
        external_id: &str,
    ) -> Result<Vec<String>, StoreError> {
        self.query(
            "SELECT id FROM source_user WHERE connector_pk = $1 AND external_id = $2 LIMIT 2",
            args![connector.0, external_id],
            |row| row.text(0),
        )
    }

    /// The groups of the source that contain the user directly, by name.
    pub fn source_groups_of(
        &self,
        connector: ConnectorId,
        user: SourceUserPk,
    ) -> Result<Vec<GroupReference>, StoreError> {
        let mut groups = self.query(
            "SELECT g.id, g.display_name FROM source_member m CROSS JOIN source_group g \
             WHERE m.user_pk = $1 AND g.pk = m.group_pk AND g.connector_pk = $2",
            args![user.0, connector.0],
            |row| GroupReference::read(row, 0),
        )?;
        GroupReference::by_name(&mut groups);
        Ok(groups)
    }

    /// The same for several users, so that a page costs one statement for each hundred of them.
    pub fn source_groups_of_many(
        &self,
        connector: ConnectorId,
        users: &[SourceUserPk],
    ) -> Result<HashMap<SourceUserPk, Vec<GroupReference>>, StoreError> {
        let mut found: HashMap<SourceUserPk, Vec<GroupReference>> =
            HashMap::with_capacity(users.len());
        let users: Vec<i64> = users.iter().map(|user| user.0).collect();
        for chunk in crate::sql::padded(&users) {
            let sql = format!(
                "SELECT m.user_pk, g.id, g.display_name FROM source_member m CROSS JOIN source_group g \
                 WHERE g.connector_pk = $1 AND g.pk = m.group_pk AND m.user_pk IN ({})",
                crate::sql::placeholders(2, chunk.len())
            );
            let mut arguments = args![connector.0];
            arguments.extend(chunk.into_iter().map(Into::into));
            self.for_each(&sql, arguments, |row| {
                let groups = found.entry(SourceUserPk(row.int(0)?)).or_default();
                groups.push(GroupReference::read(row, 1)?);
                Ok(())
            })?;
        }
        for groups in found.values_mut() {
            GroupReference::by_name(groups);
        }
        Ok(found)
    }

    /// Groups that contain the user, directly or through groups in groups, as rules see them.
    pub fn effective_source_groups(
        &self,
        user: SourceUserPk,
    ) -> Result<Vec<directory::SourceGroup>, StoreError> {
        let steps = self.query(
            "WITH RECURSIVE containing (pk, via) AS ( \
               SELECT group_pk, CAST(0 AS BIGINT) FROM source_member WHERE user_pk = $1 \
               UNION SELECT n.group_pk, n.child_pk FROM source_group_member n JOIN containing c ON n.child_pk = c.pk) \
             SELECT g.pk, g.display_name, c.via, s.former_name, s.former_until, s.own_name, s.review \
             FROM containing c CROSS JOIN source_group g \
             LEFT JOIN group_standing s ON s.source_group_pk = g.pk WHERE g.pk = c.pk ORDER BY g.pk, c.via",
            args![user.0],
            |row| {
                let via = row.int(2)?;
                let via = (via != 0).then_some(SourceGroupPk(via));
                let standing = GroupStanding::read(row, 3)?;
                Ok((standing.seen(SourceGroupPk(row.int(0)?), row.text(1)?), via))
            },
        )?;
        Ok(with_paths(steps))
    }

    /// The argon2id hash of a password that the IdP pushed, if the connector keeps them.
    pub fn source_password(&self, user: SourceUserPk) -> Result<Option<String>, StoreError> {
        self.query_one(
            "SELECT hash FROM source_password WHERE user_pk = $1",
            args![user.0],
            |row| row.text(0),
        )
    }
}

/// Makes one group of all steps that lead into it, with the shortest way.
fn with_paths(
    steps: Vec<(directory::SourceGroup, Option<SourceGroupPk>)>,
) -> Vec<directory::SourceGroup> {
    if steps.iter().all(|(_, via)| via.is_none()) {
        return steps.into_iter().map(|(group, _)| group).collect();
    }
    let edges: Vec<_> = steps.iter().map(|(group, via)| (group.id, *via)).collect();
    let mut groups: BTreeMap<SourceGroupPk, directory::SourceGroup> = steps
        .into_iter()
        .map(|(group, _)| (group.id, group))
        .collect();
    for (group, way) in directory::nesting::ways(&edges) {
        let names = way.iter().filter_map(|by| groups.get(by));
        let path = names.map(|by| by.name.clone()).collect();
        if let Some(group) = groups.get_mut(&group) {
            group.path = path;
        }
    }
    groups.into_values().collect()
}

impl WriteTx<'_> {
    /// Stores a new user. A taken `userName` is [`StoreError::Conflict`] on `source_user_user_name`.
    pub fn insert_source_user(
        &self,
        connector: ConnectorId,
        user: &Resource,
    ) -> Result<SourceUser, StoreError> {
        let searched = Searched::of(user);
        let id = self.new_id_in_order().to_string();
        let now = self.now();
        let document = user.to_stored();
        let pk = self.insert(
            "INSERT INTO source_user (connector_pk, id, user_name_fold, external_id, display_name_fold, active, \
             version, created, modified, document) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9) RETURNING pk",
            args![
                connector.0,
                id.as_str(),
                searched.user_name,
                searched.external_id,
                searched.display_name,
                searched.active,
                now,
                now,
                document.as_str()
            ],
        )?;
        let pk = SourceUserPk(pk);
        self.insert_emails(connector, pk, &searched.emails)?;
        self.execute(
            "UPDATE connector SET user_count = user_count + 1 WHERE pk = $1",
            args![connector.0],
        )?;
        Ok(SourceUser {
            pk,
            id,
            meta: Meta {
                version: 1,
                created: now,
                last_modified: now,
                beside: None,
            },
            document,
        })
    }

    /// Replaces the document of a user and gives it a new version.
    pub fn update_source_user(
        &self,
        connector: ConnectorId,
        before: &SourceUser,
        user: &Resource,
    ) -> Result<SourceUser, StoreError> {
        let searched = Searched::of(user);
        let now = self.later_than(before.meta.last_modified);
        let version = before.meta.version + 1;
        let document = user.to_stored();
        self.execute(
            "UPDATE source_user SET user_name_fold = $1, external_id = $2, display_name_fold = $3, active = $4, \
             version = $5, modified = $6, document = $7 WHERE pk = $8 AND connector_pk = $9",
            args![
                searched.user_name,
                searched.external_id,
                searched.display_name,
                searched.active,
                version,
                now,
                document.as_str(),
                before.pk.0,
                connector.0
            ],
        )?;
        self.replace_emails(connector, before.pk, &searched.emails)?;
        Ok(SourceUser {
            pk: before.pk,
            id: before.id.clone(),
            meta: Meta {
                version,
                created: before.meta.created,
                last_modified: now,
                beside: None,
            },
            document,
        })
    }

    /// Forgets a user and its memberships. The groups lose one member each, which is a new version of them.
    pub fn delete_source_user(
        &self,
        connector: ConnectorId,
        user: SourceUserPk,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE source_group SET member_count = member_count - 1, version = version + 1, \
             modified = CASE WHEN modified < $2 THEN $2 ELSE modified + 1 END \
             WHERE pk IN (SELECT group_pk FROM source_member WHERE user_pk = $1)",
            args![user.0, self.now()],
        )?;
        for sql in [
            "DELETE FROM source_member WHERE user_pk = $1",
            "DELETE FROM source_email WHERE user_pk = $1",
            "DELETE FROM source_password WHERE user_pk = $1",
            "DELETE FROM due WHERE user_pk = $1",
            "DELETE FROM name_conflict WHERE source_user_pk = $1",
            "DELETE FROM value_error WHERE source_user_pk = $1",
            "DELETE FROM look_up WHERE user_pk = $1",
            "UPDATE directory_user SET source_user_pk = NULL WHERE source_user_pk = $1",
            "DELETE FROM source_user WHERE pk = $1",
        ] {
            self.execute(sql, args![user.0])?;
        }
        self.execute(
            "UPDATE connector SET user_count = user_count - 1, users_deleted = users_deleted + 1 WHERE pk = $1",
            args![connector.0],
        )?;
        Ok(())
    }

    /// Keeps the hash of a pushed password, or forgets it. All sessions of the user end.
    pub fn set_source_password(
        &self,
        user: SourceUserPk,
        hash: Option<&str>,
    ) -> Result<(), StoreError> {
        match hash {
            Some(hash) => self.execute(
                "INSERT INTO source_password (user_pk, hash) VALUES ($1, $2) \
                 ON CONFLICT (user_pk) DO UPDATE SET hash = excluded.hash",
                args![user.0, hash],
            )?,
            None => self.execute(
                "DELETE FROM source_password WHERE user_pk = $1",
                args![user.0],
            )?,
        };
        self.delete_sessions_of_source(user.0)?;
        Ok(())
    }

    fn replace_emails(
        &self,
        connector: ConnectorId,
        user: SourceUserPk,
        emails: &[String],
    ) -> Result<(), StoreError> {
        let before = self.query(
            "SELECT value_fold FROM source_email WHERE user_pk = $1 ORDER BY value_fold",
            args![user.0],
            |row| row.text(0),
        )?;
        if before != emails {
            self.execute("DELETE FROM source_email WHERE user_pk = $1", args![user.0])?;
            self.insert_emails(connector, user, emails)?;
        }
        Ok(())
    }

    fn insert_emails(
        &self,
        connector: ConnectorId,
        user: SourceUserPk,
        emails: &[String],
    ) -> Result<(), StoreError> {
        for email in emails {
            self.execute(
                "INSERT INTO source_email (connector_pk, value_fold, user_pk) VALUES ($1, $2, $3)",
                args![connector.0, email.as_str(), user.0],
            )?;
        }
        Ok(())
    }

    /// The present, but always after `before`: `lastModified` of a resource never stands still
    /// while its version grows.
    pub(crate) fn later_than(&self, before: Timestamp) -> Timestamp {
        let now = self.now();
        if now > before {
            now
        } else {
            before + jiff::SignedDuration::from_micros(1)
        }
    }
}
