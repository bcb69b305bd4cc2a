//! Matches: which accounts the users of a connector would find, and which rule would find the most (US-27).

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use directory::matching::{Candidates, MatchKind, Matcher, Names, Suggestion};
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
    /// Rows for the user name that could be used instead, those that find the most first.
    pub rows: Vec<MatchSuggestion>,
    /// How many users the present rules give no name of their own.
    pub nameless: u64,
}

/// A row for the user name, and what it would do.
#[derive(Debug, Clone)]
pub struct MatchSuggestion {
    /// The row.
    pub row: MappingRow,
    /// How many users would find an account by it.
    pub found: u64,
    /// How many users it would give no name, or the name that another gets.
    pub nameless: u64,
}

impl MatchSummary {
    /// The row that would find more than the present rules do, of those that can be saved: that give everybody a name
    /// of their own whom the present rules give one.
    pub fn best(&self) -> Option<&MatchSuggestion> {
        let mut rows = self.rows.iter();
        let best = rows.find(|one| one.nameless <= self.nameless);
        best.filter(|one| one.found > self.by_name)
    }
}

/// The names that a row gives, as far as users were looked at.
#[derive(Default)]
struct Given {
    /// Hashes of the names: the names themselves would take much memory.
    names: HashSet<u64>,
    found: u64,
    nameless: u64,
}

impl Given {
    fn add(&mut self, name: &str, candidates: &Candidates) {
        let mut hash = DefaultHasher::new();
        fold(name).hash(&mut hash);
        let is_new = self.names.insert(hash.finish());
        match is_new && !name.is_empty() {
            true => self.found += u64::from(candidates.named(name).is_some()),
            false => self.nameless += 1,
        }
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
        let suggested = comparison.matcher.suggestions.iter();
        let mut suggested: Vec<Given> = suggested.map(|_one| Given::default()).collect();
        let (mut present, mut by_name) = (Given::default(), 0);
        let mut behind = SourceUserPk(0);
        loop {
            let (compared, candidates) = comparison.chunk(behind, CHUNK)?;
            let Some(last) = compared.last() else { break };
            behind = last.subject.user.pk;
            for one in compared {
                for (given, name) in suggested.iter_mut().zip(&one.names.suggested) {
                    given.add(name, &candidates);
                }
                present.add(&one.names.username, &candidates);
                let row = comparison.row(one, &candidates);
                *counts.entry(row.kind).or_default() += 1;
                let is_by_name = matches!(row.kind, MatchKind::Exact | MatchKind::CaseOnly);
                by_name += u64::from(is_by_name);
            }
        }
        let suggestions = comparison.matcher.suggestions.into_iter().zip(suggested);
        let row = |(suggestion, given): (Suggestion, Given)| MatchSuggestion {
            row: suggestion.row,
            found: given.found,
            nameless: given.nameless,
        };
        let mut rows: Vec<MatchSuggestion> = suggestions.map(row).collect();
        rows.sort_by_key(|one| std::cmp::Reverse(one.found));
        Ok(MatchSummary {
            counts,
            by_name,
            rows,
            nameless: present.nameless,
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
