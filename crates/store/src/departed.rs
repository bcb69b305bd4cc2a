//! Departed users: what somebody was when the identity provider deleted the user, as long as not all of that has taken
//! effect.

use directory::{ConnectorId, GroupPk, SourceGroupPk, UserPk};

use crate::{ReadTx, StoreError, WriteTx, args, connectors::json};

/// What a user was at the moment of its deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departed {
    /// The resource as [`scim::Resource::to_stored`] gave it.
    pub document: String,
    /// The source groups that it was in, those that are still there.
    pub groups: Vec<directory::SourceGroup>,
}

impl ReadTx<'_> {
    /// What the user of an account was, if something of that is still to take effect.
    pub fn departed(&self, user: UserPk) -> Result<Option<Departed>, StoreError> {
        let found = self.query_one(
            "SELECT document, source_groups FROM departed_user WHERE user_pk = $1",
            args![user.0],
            |row| Ok((row.text(0)?, row.text(1)?)),
        )?;
        let Some((document, groups)) = found else {
            return Ok(None);
        };
        let numbers: Vec<i64> = serde_json::from_str(&groups).map_err(|error| {
            StoreError::corrupt(format!("departed_user.source_groups: {error}"))
        })?;
        let mut groups = Vec::with_capacity(numbers.len());
        for pk in numbers.into_iter().map(SourceGroupPk) {
            let name = self.query_one(
                "SELECT display_name FROM source_group WHERE pk = $1",
                args![pk.0],
                |row| row.text(0),
            )?;
            if let Some(name) = name {
                groups.push(self.group_standing(pk)?.seen(pk, name));
            }
        }
        Ok(Some(Departed { document, groups }))
    }
}

impl WriteTx<'_> {
    /// Keeps what the user of an account is that is about to go.
    pub fn keep_departed(
        &self,
        user: UserPk,
        document: &str,
        groups: &[SourceGroupPk],
    ) -> Result<(), StoreError> {
        let groups: Vec<i64> = groups.iter().map(|group| group.0).collect();
        self.execute(
            "INSERT INTO departed_user (user_pk, document, source_groups) VALUES ($1, $2, $3) \
             ON CONFLICT (user_pk) DO UPDATE SET document = excluded.document, source_groups = excluded.source_groups",
            args![user.0, document, json(&groups)?],
        )?;
        Ok(())
    }

    /// Owes those accounts in a group another look now of whose users something is kept.
    pub fn mark_departed_of_directory_group_due(
        &self,
        connector: ConnectorId,
        group: GroupPk,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET due_at = $1 WHERE +connector_pk = $2 AND +source_user_pk IS NULL AND pk IN \
             (SELECT d.user_pk FROM departed_user d JOIN membership m ON m.user_pk = d.user_pk AND m.group_pk = $3)",
            args![self.now(), connector.0, group.0],
        )?;
        Ok(())
    }

    /// Forgets it: all of it has taken effect, or the user is there again, or nobody is to know any more.
    pub fn forget_departed(&self, user: UserPk) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM departed_user WHERE user_pk = $1",
            args![user.0],
        )?;
        Ok(())
    }
}
