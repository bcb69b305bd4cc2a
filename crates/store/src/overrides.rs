//! What administrators say about single users beside the rules.

use directory::{DirectoryId, Override, OverrideId, OverrideKind, UserPk};
use jiff::Timestamp;

use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// An override and whom it is about.
#[derive(Debug, Clone)]
pub struct StoredOverride {
    /// The user.
    pub user: UserPk,
    /// What was said.
    pub said: Override,
}

const COLUMNS: &str = "pk, user_pk, kind, about, ends, created, actor, comment";

fn read_override(row: &Row<'_>) -> Result<StoredOverride, StoreError> {
    let about = || {
        row.opt_text(3)?
            .ok_or_else(|| StoreError::corrupt("user_override.about"))
    };
    let kind = match row.str(2)? {
        "keep_active" => OverrideKind::KeepActive,
        "exclude" => OverrideKind::Exclude,
        "add_to_group" => OverrideKind::AddToGroup { group: about()? },
        "keep_out_of_group" => OverrideKind::KeepOutOfGroup { group: about()? },
        "keep_as_is" => OverrideKind::KeepAsIs { mark: about()? },
        _ => return Err(StoreError::corrupt("user_override.kind")),
    };
    Ok(StoredOverride {
        user: UserPk(row.int(1)?),
        said: Override {
            id: OverrideId(row.int(0)?),
            kind,
            until: row.opt_time(4)?,
            created: row.time(5)?,
            actor: row.text(6)?,
            comment: row.text(7)?,
        },
    })
}

impl ReadTx<'_> {
    /// Whether anything is said about anybody in a directory; one index look-up.
    pub fn has_overrides(&self, directory: DirectoryId) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT pk FROM user_override WHERE directory_pk = $1 LIMIT 1",
            args![directory.0],
            |row| row.int(0),
        )?;
        Ok(found.is_some())
    }

    /// What is said about a user, oldest first.
    pub fn overrides_of(&self, user: UserPk) -> Result<Vec<Override>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM user_override WHERE user_pk = $1 ORDER BY pk");
        let found = self.query(&sql, args![user.0], read_override)?;
        Ok(found.into_iter().map(|one| one.said).collect())
    }

    /// What is said about users of a directory behind a number, oldest first.
    pub fn overrides(
        &self,
        directory: DirectoryId,
        after: OverrideId,
        limit: i64,
    ) -> Result<Vec<StoredOverride>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM user_override WHERE directory_pk = $1 AND pk > $2 ORDER BY pk LIMIT $3"
        );
        self.query(&sql, args![directory.0, after.0, limit], read_override)
    }

    /// One of a directory.
    pub fn find_override(
        &self,
        directory: DirectoryId,
        id: OverrideId,
    ) -> Result<Option<StoredOverride>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM user_override WHERE pk = $1 AND directory_pk = $2");
        self.query_one(&sql, args![id.0, directory.0], read_override)
    }

    /// The directory of an override whose time is over, if there is one.
    pub fn directory_with_ended_override(&self) -> Result<Option<DirectoryId>, StoreError> {
        let now = self.now();
        self.query_one(
            "SELECT directory_pk FROM user_override WHERE ends IS NOT NULL AND ends <= $1 ORDER BY ends LIMIT 1",
            args![now],
            |row| Ok(DirectoryId(row.int(0)?)),
        )
    }

    /// When the next override ends by itself.
    pub fn next_override_end(&self) -> Result<Option<Timestamp>, StoreError> {
        self.query_one(
            "SELECT ends FROM user_override WHERE ends IS NOT NULL ORDER BY ends LIMIT 1",
            args![],
            |row| row.time(0),
        )
    }
}

impl WriteTx<'_> {
    /// Overrides of a directory whose time is over.
    pub fn ended_overrides(
        &self,
        directory: DirectoryId,
        limit: i64,
    ) -> Result<Vec<StoredOverride>, StoreError> {
        let now = self.now();
        let sql = format!(
            "SELECT {COLUMNS} FROM user_override WHERE directory_pk = $1 AND ends IS NOT NULL AND ends <= $2 \
             ORDER BY ends LIMIT $3"
        );
        self.query(&sql, args![directory.0, now, limit], read_override)
    }

    /// Says something about a user.
    pub fn insert_override(
        &self,
        directory: DirectoryId,
        user: UserPk,
        kind: &OverrideKind,
        until: Option<Timestamp>,
        said_by: (&str, &str),
    ) -> Result<OverrideId, StoreError> {
        let is_first = !self.has_overrides(directory)?;
        let about = match kind {
            OverrideKind::KeepAsIs { mark } => Some(mark.as_str()),
            kind => kind.group(),
        };
        let now = self.now();
        let (actor, comment) = said_by;
        let pk = self.insert(
            "INSERT INTO user_override (directory_pk, user_pk, kind, about, ends, created, actor, comment) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING pk",
            args![
                directory.0,
                user.0,
                kind.as_str(),
                about,
                until,
                now,
                actor,
                comment
            ],
        )?;
        if is_first {
            self.renew_connectors_of(directory)?;
        }
        Ok(OverrideId(pk))
    }

    /// Takes back what was said about a user.
    pub fn delete_override(
        &self,
        directory: DirectoryId,
        id: OverrideId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM user_override WHERE pk = $1 AND directory_pk = $2",
            args![id.0, directory.0],
        )?;
        if !self.has_overrides(directory)? {
            self.renew_connectors_of(directory)?;
        }
        Ok(())
    }

    /// Whoever keeps connectors in memory keeps with them whether anything is said beside their rules.
    pub(crate) fn renew_connectors_of(&self, directory: DirectoryId) -> Result<(), StoreError> {
        self.execute(
            "UPDATE connector SET version = $1 WHERE directory_pk = $2",
            args![self.new_version(), directory.0],
        )?;
        Ok(())
    }
}
