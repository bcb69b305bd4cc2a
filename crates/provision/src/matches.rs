//! Matches: which accounts the users of a connector would find, and which rule would find the most (US-27).

use std::collections::BTreeMap;

use directory::matching::{Candidates, MatchKind, Matcher, Names};
use directory::rules::MappingRow;
use directory::{ConnectorId, DirectoryId, Holder, SourceUserPk};
use scim::fold;
use store::{ReadTx, StoredSubject, SubjectReader};

use crate::{Provision, ProvisionError};

/// Users compared at once.
const CHUNK: i64 = 500;

/// A user of a connector, and the accounts that it would find.
#[derive(Debug, Clone)]
pub struct MatchRow {
    /// The store's number of the user, for the next page.
    pub source: SourceUserPk,
    /// The SCIM `id`.
    pub id: String,
    /// The `userName`.
    pub user_name: String,
    /// The user name that the rules give.
    pub username: String,
    /// The e-mail address that the rules give.
    pub email: String,
    /// How they find each other.
    pub kind: MatchKind,
    /// The accounts, by name, with whose they are.
    pub accounts: Vec<(String, Holder)>,
}

/// How many users find an account, and by which rule more would.
#[derive(Debug, Clone)]
pub struct MatchSummary {
    /// How many there are of each kind.
    pub counts: BTreeMap<MatchKind, u64>,
    /// How many find an account by their name under the present rules.
    pub by_name: u64,
    /// How many would under each of these rows, the most first.
    pub rows: Vec<(MappingRow, u64)>,
}

impl MatchSummary {
    /// The row that would find more than the present rules do.
    pub fn best(&self) -> Option<&(MappingRow, u64)> {
        let best = self.rows.first();
        best.filter(|(_, count)| *count > self.by_name)
    }
}

/// What is compared: the users of a connector with the accounts of a directory.
struct Comparison<'t, 'c> {
    tx: &'t ReadTx<'c>,
    connector: ConnectorId,
    directory: DirectoryId,
    /// Whether that is the one that the connector feeds.
    is_fed: bool,
    matcher: Matcher,
}

/// A user of a chunk with its names.
struct Compared {
    subject: StoredSubject,
    user_name: String,
    names: Names,
}

impl Provision {
    /// The users of a connector behind a place, with the accounts of a directory that they would find.
    pub fn matches(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        directory: DirectoryId,
        behind: SourceUserPk,
        limit: i64,
    ) -> Result<Vec<MatchRow>, ProvisionError> {
        let comparison = self.comparison(tx, connector, directory)?;
        let (compared, candidates) = comparison.chunk(behind, limit)?;
        Ok(compared
            .into_iter()
            .map(|one| comparison.row(one, &candidates))
            .collect())
    }

    /// The same over all users of a connector, counted.
    pub fn match_summary(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        directory: DirectoryId,
    ) -> Result<MatchSummary, ProvisionError> {
        let comparison = self.comparison(tx, connector, directory)?;
        let mut counts: BTreeMap<MatchKind, u64> =
            MatchKind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        let mut found = vec![0; comparison.matcher.suggestions.len()];
        let (mut by_name, mut behind) = (0, SourceUserPk(0));
        loop {
            let (compared, candidates) = comparison.chunk(behind, CHUNK)?;
            let Some(last) = compared.last() else { break };
            behind = last.subject.user.pk;
            for one in compared {
                for (count, name) in found.iter_mut().zip(&one.names.suggested) {
                    *count += u64::from(candidates.named(name).is_some());
                }
                let row = comparison.row(one, &candidates);
                *counts.entry(row.kind).or_default() += 1;
                let is_by_name = matches!(row.kind, MatchKind::Exact | MatchKind::CaseOnly);
                by_name += u64::from(is_by_name);
            }
        }
        let suggestions = comparison.matcher.suggestions.into_iter();
        let mut rows: Vec<_> = suggestions.map(|one| one.row).zip(found).collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(MatchSummary {
            counts,
            by_name,
            rows,
        })
    }

    fn comparison<'t, 'c>(
        &self,
        tx: &'t ReadTx<'c>,
        connector: ConnectorId,
        directory: DirectoryId,
    ) -> Result<Comparison<'t, 'c>, ProvisionError> {
        let loaded = self.require_connector(tx, connector)?;
        let matcher = Matcher::new(&loaded.connector.rules).map_err(ProvisionError::Rules)?;
        Ok(Comparison {
            tx,
            connector,
            directory,
            is_fed: loaded.connector.directory == directory,
            matcher,
        })
    }
}

impl Comparison<'_, '_> {
    /// Users behind a place with their names, and the accounts by all these names and addresses, read together.
    fn chunk(
        &self,
        behind: SourceUserPk,
        limit: i64,
    ) -> Result<(Vec<Compared>, Candidates), ProvisionError> {
        let mut reader = SubjectReader::new(self.tx, self.connector);
        let mut compared = Vec::new();
        let (mut names, mut emails) = (Vec::new(), Vec::new());
        for subject in reader.after(behind, limit)? {
            let user = subject.user.resource()?;
            let one = Compared {
                user_name: user.user_name().unwrap_or_default().to_owned(),
                names: self.matcher.names(&user),
                subject,
            };
            let stripped = one.names.username.rsplit_once('@').map(|(local, _)| local);
            names.push(fold(&one.names.username));
            names.extend(stripped.map(fold));
            names.extend(one.names.suggested.iter().map(|name| fold(name)));
            emails.push(fold(&one.names.email));
            compared.push(one);
        }
        for list in [&mut names, &mut emails] {
            list.retain(|text| !text.is_empty());
            list.sort_unstable();
            list.dedup();
        }
        let others = |mut users: Vec<directory::User>| {
            users.retain(|user| user.connector != Some(self.connector));
            users
        };
        let mut candidates = Candidates::default();
        let directory = self.directory;
        candidates.add_named(others(
            self.tx
                .directory_users_named(directory, names.iter().map(String::as_str))?,
        ));
        candidates.add_addressed(others(
            self.tx.directory_users_addressed(directory, &emails)?,
        ));
        Ok((compared, candidates))
    }

    fn row(&self, one: Compared, candidates: &Candidates) -> MatchRow {
        let own = one
            .subject
            .account
            .filter(|account| self.is_fed && account.user.status != directory::Status::Removed);
        let (kind, accounts) = match &own {
            Some(account) => (MatchKind::Linked, vec![&account.user]),
            None => candidates.find(&one.names),
        };
        let accounts = accounts.into_iter();
        let accounts = accounts.map(|user| (user.name.clone(), Holder::of(user, self.connector)));
        MatchRow {
            accounts: accounts.collect(),
            source: one.subject.user.pk,
            id: one.subject.user.id,
            user_name: one.user_name,
            username: one.names.username,
            email: one.names.email,
            kind,
        }
    }
}
