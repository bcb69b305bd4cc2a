//! User names that somebody gave up, so that nobody else gets them at once (CR-08).

use directory::{DirectoryId, GivenUp, UserPk};
use jiff::Timestamp;
use scim::fold;

use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// Who has a user name in a directory, and who had it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NameStanding {
    /// Who has it.
    pub holder: Option<UserPk>,
    /// Who gave it up last.
    pub former: Option<FormerHolder>,
}

/// Who gave a name up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormerHolder {
    /// The account.
    pub user: UserPk,
    /// How.
    pub manner: GivenUp,
    /// When.
    pub at: Timestamp,
}

impl NameStanding {
    /// As it is for an account of its own: nobody is in one's own way.
    #[must_use]
    pub fn besides(self, own: Option<UserPk>) -> Self {
        Self {
            holder: self.holder.filter(|it| Some(*it) != own),
            former: self.former.filter(|it| Some(it.user) != own),
        }
    }
}

/// A name that somebody gave up and that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerName {
    /// The name.
    pub name: String,
    /// Who had it.
    pub former: FormerHolder,
    /// The key of that account.
    pub key: String,
    /// The name that the account has now, or had last.
    pub now: String,
}

impl FormerHolder {
    /// Reads account, manner and time from a column on.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> Result<Option<Self>, StoreError> {
        let Some(at) = row.opt_time(first + 2)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            user: UserPk(row.int(first)?),
            manner: GivenUp::parse(row.str(first + 1)?)
                .ok_or_else(|| StoreError::corrupt("former_name.manner"))?,
            at,
        }))
    }
}

impl ReadTx<'_> {
    /// Who has a user name, and who had it; one statement of two index look-ups.
    pub fn name_standing(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<NameStanding, StoreError> {
        let mut standing = NameStanding::default();
        let name = fold(name);
        self.for_each(
            "SELECT u.pk, '', CAST(NULL AS BIGINT) FROM directory_user u \
             WHERE u.directory_pk = $1 AND u.name_fold = $2 AND u.status <> 'removed' \
             UNION ALL SELECT f.user_pk, f.manner, f.given_up FROM former_name f \
             WHERE f.directory_pk = $1 AND f.name_fold = $2",
            args![directory.0, name.as_str()],
            |row| {
                match FormerHolder::read(row, 0)? {
                    Some(former) => standing.former = Some(former),
                    None => standing.holder = Some(UserPk(row.int(0)?)),
                }
                Ok(())
            },
        )?;
        Ok(standing)
    }

    /// Names that were given up after a moment and that nobody has, by their folds, from one on.
    pub fn former_names(
        &self,
        directory: DirectoryId,
        since: Timestamp,
        behind: &str,
        limit: i64,
    ) -> Result<Vec<FormerName>, StoreError> {
        self.query(
            "SELECT f.name, f.user_pk, f.manner, f.given_up, u.key, u.name FROM former_name f \
             JOIN directory_user u ON u.pk = f.user_pk \
             WHERE f.directory_pk = $1 AND f.name_fold > $2 AND f.given_up > $3 AND NOT EXISTS \
             (SELECT 1 FROM directory_user h WHERE h.directory_pk = f.directory_pk AND h.name_fold = f.name_fold \
             AND h.status <> 'removed') ORDER BY f.name_fold LIMIT $4",
            args![directory, behind, since, limit],
            |row| {
                Ok(FormerName {
                    name: row.text(0)?,
                    former: FormerHolder::read(row, 1)?
                        .ok_or_else(|| StoreError::corrupt("former_name.given_up"))?,
                    key: row.text(4)?,
                    now: row.text(5)?,
                })
            },
        )
    }
}

impl WriteTx<'_> {
    /// Notes that somebody gave a user name up just now.
    pub fn note_former_name(
        &self,
        directory: DirectoryId,
        name: &str,
        user: UserPk,
        manner: GivenUp,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO former_name (directory_pk, name_fold, name, user_pk, manner, given_up) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (directory_pk, name_fold) DO UPDATE SET \
             name = excluded.name, user_pk = excluded.user_pk, manner = excluded.manner, \
             given_up = excluded.given_up",
            args![
                directory,
                fold(name),
                name,
                user.0,
                manner.as_str(),
                self.now()
            ],
        )?;
        Ok(())
    }

    /// Forgets who had a name, so that anybody may get it. Returns whether somebody had.
    pub fn forget_former_name(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<bool, StoreError> {
        let deleted = self.execute(
            "DELETE FROM former_name WHERE directory_pk = $1 AND name_fold = $2",
            args![directory, fold(name)],
        )?;
        Ok(deleted > 0)
    }
}
