//! How much happened in each piece of a time: requests, errors, changes; and when a connector wrote last.

use directory::{ConnectorId, DirectoryId};
use jiff::Timestamp;

use crate::{ReadTx, Rights, StoreError, args};

/// Of each kind and piece so many are counted for one connector or directory: a chart needs no more, and a first
/// synchronisation shall not make the overview slow.
const COUNTED_MAX: i64 = 50_000;

/// How much happened in one piece of a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Requests that are on record.
    pub requests: i64,
    /// Those of them that failed.
    pub errors: i64,
    /// Changes of directories.
    pub changes: i64,
}

impl ReadTx<'_> {
    /// How much happened between each two of these moments, which are in order: of everything, or of what rights reach.
    pub fn pulse(&self, bounds: &[Timestamp], rights: &Rights) -> Result<Vec<Pulse>, StoreError> {
        let owned = |numbers: Vec<i64>| {
            let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
            match numbers.is_empty() {
                true => "FALSE".to_owned(),
                false => format!("o.pk IN ({})", numbers.join(", ")),
            }
        };
        let (connectors, directories) = match &rights.connectors {
            None => ("TRUE".to_owned(), "TRUE".to_owned()),
            Some(within) => {
                let all = self.connectors()?;
                let fed = all.iter().map(|stored| stored.connector.directory);
                let mut fed: Vec<i64> = fed
                    .filter(|directory| rights.reach_directory(*directory, &all))
                    .map(|directory| directory.0)
                    .collect();
                fed.sort_unstable();
                fed.dedup();
                let within = within.iter().map(|connector| connector.0);
                (owned(within.collect()), owned(fed))
            }
        };
        let mut pulse = vec![Pulse::default(); bounds.len().saturating_sub(1)];
        let requests = self.places("scim_request", bounds)?;
        let all = self.counts("scim_request", ("connector", &connectors), "", &requests)?;
        let failed = self.counts(
            "scim_request",
            ("connector", &connectors),
            "AND t.status >= 400",
            &requests,
        )?;
        let changes = self.places("journal", bounds)?;
        let changes = self.counts("journal", ("directory", &directories), "", &changes)?;
        for (piece, ((requests, errors), changes)) in
            pulse.iter_mut().zip(all.iter().zip(&failed).zip(&changes))
        {
            *piece = Pulse {
                requests: *requests,
                errors: *errors,
                changes: *changes,
            };
        }
        Ok(pulse)
    }

    /// For each moment the number of the first row from then on. Rows are numbered in the order of time, so they are
    /// found by halves, without an index of times that every write would have to keep.
    fn places(&self, table: &str, moments: &[Timestamp]) -> Result<Vec<i64>, StoreError> {
        let values: Vec<String> = moments
            .iter()
            .map(|at| format!("(CAST({} AS BIGINT))", at.as_microsecond()))
            .collect();
        let middle = "(s.lo + s.hi) / 2";
        let is_early = format!(
            "COALESCE((SELECT t.at FROM {table} t WHERE t.pk >= {middle} ORDER BY t.pk LIMIT 1) < s.at, FALSE)"
        );
        let sql = format!(
            "WITH RECURSIVE bound (at) AS (VALUES {values}), \
             edge (lo, hi) AS (SELECT COALESCE((SELECT min(pk) FROM {table}), 0), \
               COALESCE((SELECT max(pk) FROM {table}), 0) + 1), \
             search (at, lo, hi) AS (SELECT b.at, e.lo, e.hi FROM bound b CROSS JOIN edge e \
               UNION ALL \
               SELECT s.at, CASE WHEN {is_early} THEN {middle} + 1 ELSE s.lo END, \
                 CASE WHEN {is_early} THEN s.hi ELSE {middle} END FROM search s WHERE s.lo < s.hi) \
             SELECT lo FROM search WHERE lo >= hi ORDER BY at",
            values = values.join(", ")
        );
        self.query(&sql, args![], |row| row.int(0))
    }

    /// How many rows there are between each two of these numbers, of all owners together.
    fn counts(
        &self,
        table: &str,
        (owner, within): (&str, &str),
        condition: &str,
        places: &[i64],
    ) -> Result<Vec<i64>, StoreError> {
        let pieces: Vec<String> = places
            .windows(2)
            .enumerate()
            .filter_map(|(number, ends)| match ends {
                [from, to] => Some(format!(
                    "(CAST({number} AS BIGINT), CAST({from} AS BIGINT), CAST({to} AS BIGINT))"
                )),
                _ => None,
            })
            .collect();
        if pieces.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "WITH piece (number, lo, hi) AS (VALUES {pieces}), \
             counted (number, rows_found) AS (SELECT p.number, (SELECT count(*) FROM (SELECT 1 FROM {table} t \
               WHERE t.{owner}_pk = o.pk AND t.pk >= p.lo AND t.pk < p.hi {condition} LIMIT {COUNTED_MAX}) x) \
               FROM piece p LEFT JOIN {owner} o ON {within}) \
             SELECT CAST(sum(rows_found) AS BIGINT) FROM counted GROUP BY number ORDER BY number",
            pieces = pieces.join(", ")
        );
        self.query(&sql, args![], |row| row.int(0))
    }

    /// When the latest requests of a connector came that are on record, newest first.
    pub fn request_times(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<Vec<Timestamp>, StoreError> {
        self.query(
            "SELECT at FROM scim_request WHERE connector_pk = $1 ORDER BY pk DESC LIMIT $2",
            args![connector.0, limit],
            |row| row.time(0),
        )
    }

    /// How many requests of a connector failed since a moment, and at most so many.
    pub fn failed_requests(
        &self,
        connector: ConnectorId,
        since: Timestamp,
        most: i64,
    ) -> Result<i64, StoreError> {
        let count = self.query_one(
            "SELECT count(*) FROM (SELECT at FROM scim_request WHERE connector_pk = $1 AND status >= 400 \
             ORDER BY pk DESC LIMIT $2) x WHERE x.at >= $3",
            args![connector.0, most, since],
            |row| row.int(0),
        )?;
        Ok(count.unwrap_or_default())
    }

    /// How many changes there are behind a position, at most so many, and when the first of them was made.
    pub fn changes_behind(
        &self,
        directory: DirectoryId,
        position: i64,
        most: i64,
    ) -> Result<(i64, Option<Timestamp>), StoreError> {
        let found = self.query_one(
            "SELECT count(*), min(x.at) FROM (SELECT at FROM journal WHERE directory_pk = $1 AND pk > $2 \
             ORDER BY pk LIMIT $3) x",
            args![directory.0, position, most],
            |row| Ok((row.int(0)?, row.opt_time(1)?)),
        )?;
        Ok(found.unwrap_or_default())
    }
}
