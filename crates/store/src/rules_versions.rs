//! Versions of a connector's rules, the tests that they have to pass, and the state of the data they work on.

use directory::rules::RuleTest;
use directory::{Connector, ConnectorId, Rules};
use jiff::Timestamp;

use crate::{ReadTx, Row, StoreError, WriteTx, args, connectors::json};

/// A version of rules, without the rules themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesVersion {
    /// Its number; the newest version are the rules in force.
    pub number: i64,
    /// Who made it; empty if nobody knows.
    pub author: String,
    /// What for; empty if nobody said.
    pub comment: String,
    /// When.
    pub created: Timestamp,
}

/// The state of all that a decision by rules is made from: two that are equal are of the same data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataState {
    /// Users whose evaluation is still to come.
    pub due: i64,
    /// Everything else, as one text.
    pub fingerprint: String,
}

const COLUMNS: &str = "number, author, comment, created";

fn read_version(row: &Row<'_>) -> Result<RulesVersion, StoreError> {
    Ok(RulesVersion {
        number: row.int(0)?,
        author: row.text(1)?,
        comment: row.text(2)?,
        created: row.time(3)?,
    })
}

impl ReadTx<'_> {
    /// Versions of a connector's rules, newest first, `limit` of them at most; only those before one, if it is named.
    pub fn rules_versions(
        &self,
        connector: ConnectorId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<RulesVersion>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM rules_version WHERE connector_pk = $1 AND number < $2 ORDER BY number DESC LIMIT $3"
        );
        let before = before.unwrap_or(i64::MAX);
        self.query(&sql, args![connector.0, before, limit], read_version)
    }

    /// One version with its rules.
    pub fn rules_version(
        &self,
        connector: ConnectorId,
        number: i64,
    ) -> Result<Option<(RulesVersion, Rules)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, rules FROM rules_version WHERE connector_pk = $1 AND number = $2"
        );
        self.query_one(&sql, args![connector.0, number], |row| {
            let rules = serde_json::from_str(row.str(4)?)
                .map_err(|error| StoreError::corrupt(format!("rules_version.rules: {error}")))?;
            Ok((read_version(row)?, rules))
        })
    }

    /// The tests that a connector's rules have to pass.
    pub fn rule_tests(&self, connector: ConnectorId) -> Result<Vec<RuleTest>, StoreError> {
        let found = self.query_one(
            "SELECT tests FROM rule_tests WHERE connector_pk = $1",
            args![connector.0],
            |row| {
                serde_json::from_str(row.str(0)?)
                    .map_err(|error| StoreError::corrupt(format!("rule_tests.tests: {error}")))
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    /// The state of a connector's data, by a handful of index look-ups.
    pub fn data_state(&self, connector: &Connector) -> Result<DataState, StoreError> {
        let id = connector.id;
        let counts = self.source_counts(id)?;
        let newest = |sql: &str| self.query_one(sql, args![id.0], |row| row.opt_int(0));
        let user = newest("SELECT max(modified) FROM source_user WHERE connector_pk = $1")?;
        let group = newest("SELECT max(modified) FROM source_group WHERE connector_pk = $1")?;
        let parts = [
            Some(counts.users),
            Some(counts.groups),
            Some(counts.users_deleted),
            Some(counts.groups_deleted),
            user.flatten(),
            group.flatten(),
            self.connector_version(id)?,
            Some(self.journal_position(connector.directory)?),
        ];
        let parts: Vec<String> = parts
            .iter()
            .map(|part| part.unwrap_or_default().to_string())
            .collect();
        Ok(DataState {
            due: self.due_count(id)?,
            fingerprint: parts.join(" "),
        })
    }
}

impl WriteTx<'_> {
    /// Keeps rules as the newest version; gives its number.
    pub fn insert_rules_version(
        &self,
        connector: ConnectorId,
        rules: &Rules,
        author: &str,
        comment: &str,
    ) -> Result<i64, StoreError> {
        let newest = self.rules_versions(connector, None, 1)?;
        let number = newest.first().map_or(0, |version| version.number) + 1;
        let now = self.now();
        self.execute(
            "INSERT INTO rules_version (connector_pk, number, rules, author, comment, created) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            args![connector.0, number, json(rules)?, author, comment, now],
        )?;
        Ok(number)
    }

    /// Sets the tests that a connector's rules have to pass, all of them.
    pub fn set_rule_tests(
        &self,
        connector: ConnectorId,
        tests: &[RuleTest],
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO rule_tests (connector_pk, tests) VALUES ($1, $2) \
             ON CONFLICT (connector_pk) DO UPDATE SET tests = excluded.tests",
            args![connector.0, json(&tests)?],
        )?;
        Ok(())
    }
}
