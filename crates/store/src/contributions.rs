//! What several connectors of one directory say of the same person, and whose word counts.

use std::sync::Arc;

use directory::{
    ConnectorId, Contribution, DirectoryId, Given, MatchedBy, Precedence, SourceUserPk, UserPk,
};

use jiff::Timestamp;
use scim::fold;

use crate::connectors::json;
use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// What a user of the source gives to an account of another connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContribution {
    /// The account.
    pub user: UserPk,
    /// By what both were taken for one person.
    pub matched: MatchedBy,
    /// What it gives.
    pub given: Option<Given>,
    /// Since when its connector's rules have the person out of their scope.
    pub out_of_scope_since: Option<Timestamp>,
}

fn read_given(row: &Row<'_>, column: usize) -> Result<Option<Given>, StoreError> {
    match row.str(column)? {
        "" => Ok(None),
        text => serde_json::from_str(text)
            .map(Some)
            .map_err(|error| StoreError::corrupt(format!("contribution.given: {error}"))),
    }
}

/// Accounts that keep a user of another connector from having one, where nobody decided that they are two people.
const IN_THE_WAY: &str = "FROM name_conflict n JOIN directory_user d ON d.directory_pk = n.directory_pk \
    AND d.name_fold = n.name_fold AND d.status <> 'removed' \
    WHERE n.directory_pk = $1 AND n.kept = 0 AND d.connector_pk <> n.connector_pk";

impl ReadTx<'_> {
    /// Whose word counts in a directory; none where its connectors do not share accounts.
    pub fn precedence(&self, directory: DirectoryId) -> Result<Option<Precedence>, StoreError> {
        let found = self.query_one(
            "SELECT precedence FROM directory WHERE pk = $1",
            args![directory],
            |row| row.opt_text(0),
        )?;
        let read = |text: String| {
            serde_json::from_str(&text)
                .map_err(|error| StoreError::corrupt(format!("directory.precedence: {error}")))
        };
        found.flatten().map(read).transpose()
    }

    /// What a user of the source gives to an account that is not its own.
    pub fn contribution_of(
        &self,
        source: SourceUserPk,
    ) -> Result<Option<StoredContribution>, StoreError> {
        self.query_one(
            "SELECT user_pk, matched, given, out_of_scope_since FROM contribution WHERE source_user_pk = $1",
            args![source],
            |row| {
                let matched = MatchedBy::parse(row.str(1)?);
                Ok(StoredContribution {
                    user: UserPk(row.int(0)?),
                    matched: matched.ok_or_else(|| StoreError::corrupt("contribution.matched"))?,
                    given: read_given(row, 2)?,
                    out_of_scope_since: row.opt_time(3)?,
                })
            },
        )
    }

    /// What others give to an account, in the order in which the connectors were made.
    pub fn contributions_to(&self, user: UserPk) -> Result<Vec<Contribution>, StoreError> {
        self.query(
            "SELECT c.pk, c.name, o.source_user_pk, o.given FROM contribution o JOIN connector c \
             ON c.pk = o.connector_pk WHERE o.user_pk = $1 ORDER BY c.pk, o.source_user_pk",
            args![user],
            |row| {
                Ok(Contribution {
                    connector: ConnectorId(row.int(0)?),
                    name: Arc::from(row.str(1)?),
                    source: SourceUserPk(row.int(2)?),
                    given: read_given(row, 3)?,
                })
            },
        )
    }

    /// Users of a connector who speak of accounts of others, the first of them.
    pub fn contributors_of(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<(SourceUserPk, UserPk)>, StoreError> {
        self.query(
            "SELECT source_user_pk, user_pk FROM contribution WHERE connector_pk = $1 ORDER BY source_user_pk LIMIT $2",
            args![connector, limit],
            |row| Ok((SourceUserPk(row.int(0)?), UserPk(row.int(1)?))),
        )
    }

    /// Accounts of a directory that several connectors speak of, behind a number.
    pub fn shared_accounts(
        &self,
        directory: DirectoryId,
        behind: UserPk,
        limit: i64,
    ) -> Result<Vec<UserPk>, StoreError> {
        self.query(
            "SELECT DISTINCT o.user_pk FROM contribution o JOIN connector c ON c.pk = o.connector_pk \
             WHERE c.directory_pk = $1 AND o.user_pk > $2 ORDER BY o.user_pk LIMIT $3",
            args![directory, behind, limit],
            |row| Ok(UserPk(row.int(0)?)),
        )
    }

    /// Accounts of a directory that are in the way of users of other connectors, behind a number: those of which these
    /// could speak too.
    pub fn accounts_in_the_way(
        &self,
        directory: DirectoryId,
        behind: UserPk,
        limit: i64,
    ) -> Result<Vec<UserPk>, StoreError> {
        let sql = format!("SELECT DISTINCT d.pk {IN_THE_WAY} AND d.pk > $2 ORDER BY d.pk LIMIT $3");
        self.query(&sql, args![directory, behind, limit], |row| {
            Ok(UserPk(row.int(0)?))
        })
    }

    /// How many accounts of a directory are in the way of users of other connectors.
    pub fn count_accounts_in_the_way(&self, directory: DirectoryId) -> Result<i64, StoreError> {
        let sql = format!("SELECT count(DISTINCT d.pk) {IN_THE_WAY}");
        let count = self.query_one(&sql, args![directory], |row| row.int(0))?;
        Ok(count.unwrap_or(0))
    }

    /// In whose way an account of this name is: users of the source, with their connectors.
    pub fn in_whose_way(
        &self,
        directory: DirectoryId,
        name: &str,
    ) -> Result<Vec<(ConnectorId, SourceUserPk)>, StoreError> {
        self.query(
            "SELECT connector_pk, source_user_pk FROM name_conflict \
             WHERE directory_pk = $1 AND name_fold = $2 AND kept = 0 ORDER BY source_user_pk",
            args![directory, fold(name)],
            |row| Ok((ConnectorId(row.int(0)?), SourceUserPk(row.int(1)?))),
        )
    }

    /// How many accounts of a directory several connectors speak of.
    pub fn count_shared_accounts(&self, directory: DirectoryId) -> Result<i64, StoreError> {
        let count = self.query_one(
            "SELECT count(DISTINCT o.user_pk) FROM contribution o JOIN connector c ON c.pk = o.connector_pk \
             WHERE c.directory_pk = $1",
            args![directory],
            |row| row.int(0),
        )?;
        Ok(count.unwrap_or(0))
    }
}

impl WriteTx<'_> {
    /// Says whose word counts in a directory, or that its connectors do not share accounts; then nobody speaks of an
    /// account of another any more.
    pub fn set_precedence(
        &self,
        directory: DirectoryId,
        precedence: Option<&Precedence>,
    ) -> Result<(), StoreError> {
        let text = precedence.map(json).transpose()?;
        self.execute(
            "UPDATE directory SET precedence = $1 WHERE pk = $2",
            args![text, directory],
        )?;
        if precedence.is_none() {
            self.execute(
                "DELETE FROM contribution WHERE connector_pk IN (SELECT pk FROM connector WHERE directory_pk = $1)",
                args![directory],
            )?;
        }
        self.renew_connectors_of(directory)
    }

    /// Keeps what a user of the source gives to an account of another connector.
    pub fn put_contribution(
        &self,
        connector: ConnectorId,
        source: SourceUserPk,
        contribution: &StoredContribution,
    ) -> Result<(), StoreError> {
        let given = contribution.given.as_ref().map(json).transpose()?;
        self.execute(
            "INSERT INTO contribution (source_user_pk, connector_pk, user_pk, matched, given, out_of_scope_since) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (source_user_pk) DO UPDATE SET user_pk = excluded.user_pk, matched = excluded.matched, \
             given = excluded.given, out_of_scope_since = excluded.out_of_scope_since",
            args![
                source,
                connector,
                contribution.user,
                contribution.matched.as_str(),
                given.unwrap_or_default(),
                contribution.out_of_scope_since
            ],
        )?;
        Ok(())
    }

    /// Forgets what a user of the source gave.
    pub fn delete_contribution(&self, source: SourceUserPk) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM contribution WHERE source_user_pk = $1",
            args![source],
        )?;
        Ok(())
    }
}
