//! Letting go: accounts that no connector feeds any more, and connectors and directories that are deleted.

use directory::{
    ApplicationId, ConnectorId, DirectoryId, GroupPk, SourceGroupPk, SourceUserPk, UserPk,
};
use scim::fold;

use crate::directory_users::read_status;
use crate::{ReadTx, StoreError, WriteTx, args};

/// What a directory's groups and journal lose in one piece of its deletion.
const ENTRIES_AT_ONCE: i64 = 2_000;

/// How many accounts of one connector there are in a directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountCounts {
    /// Those that may log in.
    pub active: i64,
    /// Those that may not.
    pub disabled: i64,
}

/// An application that sees a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onlooker {
    /// The application.
    pub application: ApplicationId,
    /// Its name.
    pub name: String,
    /// How many directories it sees.
    pub directories: i64,
}

impl ReadTx<'_> {
    /// How many accounts a connector feeds.
    pub fn count_accounts(&self, connector: ConnectorId) -> Result<AccountCounts, StoreError> {
        let mut counts = AccountCounts::default();
        self.for_each(
            "SELECT status, count(*) FROM directory_user WHERE connector_pk = $1 AND status <> 'removed' \
             GROUP BY status",
            args![connector],
            |row| {
                match row.str(0)? {
                    "active" => counts.active = row.int(1)?,
                    // Disabled or anonymised: an account that nobody can log in to.
                    _ => counts.disabled += row.int(1)?,
                }
                Ok(())
            },
        )?;
        Ok(counts)
    }

    /// How many accounts of a connector have a name that somebody has in another directory.
    pub fn count_taken_names(
        &self,
        connector: ConnectorId,
        directory: DirectoryId,
    ) -> Result<i64, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM directory_user a CROSS JOIN directory_user b \
             WHERE a.connector_pk = $1 AND a.status <> 'removed' \
             AND b.directory_pk = $2 AND b.name_fold = a.name_fold AND b.status <> 'removed'",
            args![connector, directory],
            |row| row.int(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Users of a connector's source with an e-mail address, two at most.
    pub fn source_users_by_email(
        &self,
        connector: ConnectorId,
        email: &str,
    ) -> Result<Vec<SourceUserPk>, StoreError> {
        self.query(
            "SELECT user_pk FROM source_email WHERE connector_pk = $1 AND value_fold = $2 ORDER BY user_pk LIMIT 2",
            args![connector, fold(email)],
            |row| Ok(SourceUserPk(row.int(0)?)),
        )
    }

    /// Accounts of a connector, tombstones included, behind a number.
    pub fn accounts_of(
        &self,
        connector: ConnectorId,
        behind: UserPk,
        limit: i64,
    ) -> Result<Vec<UserPk>, StoreError> {
        self.query(
            "SELECT pk FROM directory_user WHERE +connector_pk = $1 AND pk > $2 ORDER BY pk LIMIT $3",
            args![connector, behind, limit],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }

    /// Groups of a directory that no product made.
    pub fn groups_not_local(
        &self,
        directory: DirectoryId,
        limit: i64,
    ) -> Result<Vec<GroupPk>, StoreError> {
        self.query(
            "SELECT pk FROM directory_group WHERE directory_pk = $1 AND is_local = 0 LIMIT $2",
            args![directory, limit],
            |row| Ok(GroupPk(row.int(0)?)),
        )
    }

    /// How many groups of a directory were not made here.
    pub fn count_groups_not_local(&self, directory: DirectoryId) -> Result<i64, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM directory_group WHERE directory_pk = $1 AND is_local = 0",
            args![directory],
            |row| row.int(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// How many effects on accounts of a directory wait for an administrator.
    pub fn count_waiting_effects(&self, directory: DirectoryId) -> Result<i64, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM hold WHERE state = 'open' AND directory_pk = $1 AND user_pk IS NOT NULL",
            args![directory],
            |row| row.int(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// How many memberships a directory has.
    pub fn count_memberships(&self, directory: DirectoryId) -> Result<i64, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM directory_group g JOIN membership m ON m.group_pk = g.pk WHERE g.directory_pk = $1",
            args![directory],
            |row| row.int(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Connectors that feed a directory, in the order they were made.
    pub fn connectors_into(&self, directory: DirectoryId) -> Result<Vec<ConnectorId>, StoreError> {
        self.query(
            "SELECT pk FROM connector WHERE directory_pk = $1 ORDER BY pk",
            args![directory],
            |row| Ok(ConnectorId(row.int(0)?)),
        )
    }

    /// Applications that see a directory, by name.
    pub fn onlookers(&self, directory: DirectoryId) -> Result<Vec<Onlooker>, StoreError> {
        self.query(
            "SELECT a.pk, a.name, (SELECT count(*) FROM application_directory o WHERE o.application_pk = a.pk) \
             FROM application_directory d JOIN application a ON a.pk = d.application_pk \
             WHERE d.directory_pk = $1 ORDER BY a.name_fold",
            args![directory],
            |row| {
                Ok(Onlooker {
                    application: ApplicationId(row.int(0)?),
                    name: row.text(1)?,
                    directories: row.int(2)?,
                })
            },
        )
    }
}

impl WriteTx<'_> {
    /// Gives a directory another name. A taken name is [`StoreError::Conflict`] on `directory_name`.
    pub fn rename_directory(&self, directory: DirectoryId, name: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory SET name = $1, name_fold = $2 WHERE pk = $3",
            args![name, fold(name), directory],
        )?;
        Ok(())
    }

    /// Lets an account be fed by nobody: it is kept here from now on, with all it has.
    pub fn release_account(&self, user: UserPk) -> Result<(), StoreError> {
        self.execute("DELETE FROM contribution WHERE user_pk = $1", args![user])?;
        self.execute(
            "UPDATE directory_user SET connector_pk = NULL, source_user_pk = NULL, external_id = NULL, \
             out_of_scope_since = NULL, holds = 0 WHERE pk = $1",
            args![user],
        )?;
        self.cancel_holds_of(user)?;
        self.execute(
            "UPDATE user_attribute SET origin = 'local' WHERE user_pk = $1 AND origin = 'rule'",
            args![user],
        )?;
        Ok(())
    }

    /// Gives an account to another connector and its user of the source. Whatever account that user fed before, which
    /// can only be a tombstone, is fed by nobody.
    pub fn give_account(
        &self,
        user: UserPk,
        connector: ConnectorId,
        source: SourceUserPk,
        external_id: Option<&str>,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_user SET source_user_pk = NULL WHERE source_user_pk = $1",
            args![source],
        )?;
        self.delete_contribution(source)?;
        self.execute(
            "UPDATE directory_user SET connector_pk = $1, source_user_pk = $2, external_id = $3, \
             out_of_scope_since = NULL, holds = 0 WHERE pk = $4",
            args![connector, source, external_id, user],
        )?;
        self.forget_departed(user)?;
        self.cancel_holds_of(user)
    }

    /// What was kept back for a connector that lets the account go is nobody's business any more.
    fn cancel_holds_of(&self, user: UserPk) -> Result<(), StoreError> {
        self.execute(
            "UPDATE hold SET state = 'cancelled', ended = $1 WHERE user_pk = $2 AND ended IS NULL",
            args![self.now(), user],
        )?;
        Ok(())
    }

    /// Lets a group count as made here.
    pub fn release_group(&self, group: GroupPk) -> Result<(), StoreError> {
        self.execute(
            "UPDATE directory_group SET is_local = 1 WHERE pk = $1",
            args![group],
        )?;
        Ok(())
    }

    /// Forgets which groups a connector feeds, and what is owed or in conflict because of it.
    pub fn unbind_connector(&self, connector: ConnectorId) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM group_binding WHERE source_group_pk IN (SELECT pk FROM source_group WHERE connector_pk = $1)",
            "DELETE FROM former_feed WHERE source_group_pk IN (SELECT pk FROM source_group WHERE connector_pk = $1)",
            "DELETE FROM due_nesting WHERE connector_pk = $1",
            "DELETE FROM due_group WHERE connector_pk = $1",
            "DELETE FROM name_conflict WHERE connector_pk = $1",
            "DELETE FROM value_error WHERE connector_pk = $1",
            "DELETE FROM suppressed_account WHERE connector_pk = $1",
        ] {
            self.execute(sql, args![connector])?;
        }
        Ok(())
    }

    /// Lets a connector feed another directory.
    pub fn set_connector_directory(
        &self,
        connector: ConnectorId,
        directory: DirectoryId,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE connector SET directory_pk = $1, version = $2 WHERE pk = $3",
            args![directory, self.new_version(), connector],
        )?;
        Ok(())
    }

    /// Deletes some of what a connector's source holds; gives how much that was. The accounts are let go before.
    pub fn delete_source_piece(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<i64, StoreError> {
        let groups = self.query(
            "SELECT pk FROM source_group WHERE connector_pk = $1 ORDER BY pk LIMIT $2",
            args![connector, limit],
            |row| Ok(SourceGroupPk(row.int(0)?)),
        )?;
        for group in &groups {
            self.delete_source_group(connector, *group)?;
        }
        let users = self.query(
            "SELECT pk FROM source_user WHERE connector_pk = $1 ORDER BY pk LIMIT $2",
            args![connector, limit],
            |row| Ok(SourceUserPk(row.int(0)?)),
        )?;
        for user in &users {
            self.delete_source_user(connector, *user)?;
        }
        Ok(i64::try_from(groups.len() + users.len()).unwrap_or(i64::MAX))
    }

    /// Deletes a connector whose source is empty, with everything that is kept for it alone. What it was asked for and
    /// what it changed stays told.
    pub fn delete_connector(&self, connector: ConnectorId) -> Result<(), StoreError> {
        self.delete_credentials(connector)?;
        self.unbind_connector(connector)?;
        for sql in [
            "DELETE FROM due WHERE connector_pk = $1",
            "DELETE FROM pending_reference WHERE connector_pk = $1",
            "DELETE FROM unique_value WHERE connector_pk = $1",
            "DELETE FROM connector_schema WHERE connector_pk = $1",
            "DELETE FROM rules_version WHERE connector_pk = $1",
            "DELETE FROM rule_tests WHERE connector_pk = $1",
            "DELETE FROM preview_item WHERE preview_pk IN (SELECT pk FROM preview WHERE connector_pk = $1)",
            "DELETE FROM preview WHERE connector_pk = $1",
            "DELETE FROM group_standing WHERE connector_pk = $1",
            "DELETE FROM hold WHERE connector_pk = $1",
            "DELETE FROM passed_subject WHERE connector_pk = $1",
            "DELETE FROM passed_count WHERE connector_pk = $1",
            "DELETE FROM limit_base WHERE connector_pk = $1",
            "DELETE FROM connector WHERE pk = $1",
        ] {
            self.execute(sql, args![connector])?;
        }
        Ok(())
    }

    /// Lets an application no longer see a directory.
    pub fn detach_application(
        &self,
        application: ApplicationId,
        directory: DirectoryId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM application_directory WHERE application_pk = $1 AND directory_pk = $2",
            args![application, directory],
        )?;
        Ok(())
    }

    /// Deletes some of what is in a directory; gives how many users, groups and entries of its journal that were.
    pub fn delete_directory_piece(
        &self,
        directory: DirectoryId,
        limit: i64,
    ) -> Result<(i64, i64, i64), StoreError> {
        let users = self.query(
            "SELECT pk, status FROM directory_user WHERE directory_pk = $1 LIMIT $2",
            args![directory, limit],
            |row| Ok((row.int(0)?, read_status(row, 1)?)),
        )?;
        for (user, status) in &users {
            self.count_users(directory, *status, -1)?;
            for sql in [
                "DELETE FROM contribution WHERE user_pk = $1",
                "DELETE FROM membership WHERE user_pk = $1",
                "DELETE FROM user_attribute WHERE user_pk = $1",
                "DELETE FROM user_password WHERE user_pk = $1",
                "DELETE FROM sso_session WHERE user_pk = $1",
                "DELETE FROM user_override WHERE user_pk = $1",
                "DELETE FROM departed_user WHERE user_pk = $1",
                "DELETE FROM suppressed_account WHERE user_pk = $1",
                "DELETE FROM directory_user WHERE pk = $1",
            ] {
                self.execute(sql, args![*user])?;
            }
        }
        let groups = self.query(
            "SELECT pk FROM directory_group WHERE directory_pk = $1 LIMIT $2",
            args![directory, limit],
            |row| Ok(GroupPk(row.int(0)?)),
        )?;
        for group in &groups {
            self.delete_directory_group(*group)?;
        }
        let entries = self.execute(
            "DELETE FROM journal WHERE pk IN \
             (SELECT pk FROM journal WHERE directory_pk = $1 ORDER BY pk LIMIT $2)",
            args![directory, ENTRIES_AT_ONCE],
        )?;
        let count = |many: usize| i64::try_from(many).unwrap_or(i64::MAX);
        Ok((
            count(users.len()),
            count(groups.len()),
            i64::try_from(entries).unwrap_or(i64::MAX),
        ))
    }

    /// Deletes a directory that is empty.
    pub fn delete_directory(&self, directory: DirectoryId) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM name_conflict WHERE directory_pk = $1",
            "DELETE FROM former_name WHERE directory_pk = $1",
            "DELETE FROM hold WHERE directory_pk = $1",
            "DELETE FROM directory_import_piece WHERE import_pk IN \
             (SELECT pk FROM directory_import WHERE directory_pk = $1)",
            "DELETE FROM directory_import WHERE directory_pk = $1",
            "DELETE FROM directory WHERE pk = $1",
        ] {
            self.execute(sql, args![directory])?;
        }
        Ok(())
    }
}
