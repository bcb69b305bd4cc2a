//! People of a source, whether or not they have an account: page by page, or found by the beginning of something.

use std::collections::HashSet;

use directory::{ConnectorId, SourceUserPk};
use scim::fold;

use crate::{Arg, ReadTx, StoreError, args, sql};

/// Rows that one question looks at, at most, by each way: so it takes as long among many as among few.
const LOOKED_AT: i64 = 2_000;

/// By the beginning of what people of a source are found, the best first.
const WAYS: [&str; 3] = [
    "SELECT pk FROM source_user WHERE connector_pk = $1 AND user_name_fold >= $2 AND user_name_fold < $3 \
     ORDER BY user_name_fold LIMIT $4",
    "SELECT pk FROM source_user WHERE connector_pk = $1 AND display_name_fold >= $2 AND display_name_fold < $3 \
     ORDER BY display_name_fold LIMIT $4",
    "SELECT user_pk AS pk FROM source_email WHERE connector_pk = $1 AND value_fold >= $2 AND value_fold < $3 \
     ORDER BY value_fold LIMIT $4",
];

/// Somebody of a source, and the account there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePerson {
    /// The store's number of the user.
    pub user: SourceUserPk,
    /// Key and name of the account that the user feeds, or speaks of beside another connector.
    pub account: Option<(String, String)>,
}

/// A part of the people of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourcePeople {
    /// The people.
    pub people: Vec<SourcePerson>,
    /// Behind whom the next part begins; none if this is the last.
    pub next: Option<SourceUserPk>,
}

impl ReadTx<'_> {
    /// People of a source in the order in which they came, behind a number; only those without an account, if so wished.
    /// A part may then have fewer than wanted, even if another follows.
    pub fn source_people(
        &self,
        connector: ConnectorId,
        unaccounted: bool,
        behind: SourceUserPk,
        most: usize,
    ) -> Result<SourcePeople, StoreError> {
        let wanted = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let rows = if unaccounted { LOOKED_AT } else { wanted };
        let mut people = self.with_accounts(
            "SELECT pk FROM source_user WHERE connector_pk = $1 AND pk > $2 ORDER BY pk LIMIT $3",
            args![connector.0, behind.0, rows],
        )?;
        let full = i64::try_from(people.len()).unwrap_or(i64::MAX) >= rows;
        let last = people.last().map(|one| one.user);
        if unaccounted {
            people.retain(|one| one.account.is_none());
        }
        let next = match people.len() > most {
            true => people.get(most.saturating_sub(1)).map(|one| one.user),
            false => last.filter(|_| full),
        };
        people.truncate(most);
        Ok(SourcePeople { people, next })
    }

    /// People of a source who are meant by a text: it is their SCIM id or an id at the identity provider, or their user
    /// name, full name or an address begins with it. So many at most; who is meant most likely comes first.
    pub fn source_people_beginning(
        &self,
        connector: ConnectorId,
        unaccounted: bool,
        text: &str,
        most: usize,
    ) -> Result<Vec<SourcePerson>, StoreError> {
        let mut known = HashSet::new();
        let mut found = self.with_accounts(
            "SELECT pk FROM source_user WHERE connector_pk = $1 AND id = $2 \
             UNION SELECT pk FROM source_user WHERE connector_pk = $1 AND external_id = $2",
            args![connector.0, text],
        )?;
        let is_wanted = |one: &SourcePerson| !unaccounted || one.account.is_none();
        found.retain(|one| is_wanted(one) && known.insert(one.user));
        let from = fold(text);
        let to = sql::after_prefix(&from).unwrap_or(char::MAX.into());
        for way in WAYS {
            if found.len() >= most {
                break;
            }
            let arguments = args![connector.0, from.as_str(), to.as_str(), LOOKED_AT];
            let begins = self.with_accounts(way, arguments)?.into_iter();
            found.extend(begins.filter(|one| is_wanted(one) && known.insert(one.user)));
        }
        found.truncate(most);
        Ok(found)
    }

    /// One of them.
    pub fn source_person(
        &self,
        connector: ConnectorId,
        user: SourceUserPk,
    ) -> Result<SourcePerson, StoreError> {
        let found = self.with_accounts(
            "SELECT pk FROM source_user WHERE connector_pk = $1 AND pk = $2",
            args![connector.0, user.0],
        )?;
        let nobody = SourcePerson {
            user,
            account: None,
        };
        Ok(found.into_iter().next().unwrap_or(nobody))
    }

    /// Those whom a statement names, by their numbers, with their accounts.
    fn with_accounts(
        &self,
        whom: &str,
        arguments: Vec<Arg>,
    ) -> Result<Vec<SourcePerson>, StoreError> {
        let sql = format!(
            "SELECT m.pk, coalesce(d.key, s.key), coalesce(d.name, s.name) FROM ({whom}) m \
             LEFT JOIN directory_user d ON d.source_user_pk = m.pk AND d.status <> 'removed' \
             LEFT JOIN contribution o ON o.source_user_pk = m.pk \
             LEFT JOIN directory_user s ON s.pk = o.user_pk AND s.status <> 'removed'"
        );
        let mut found = self.query(&sql, arguments, |row| {
            let (key, name) = (row.opt_text(1)?, row.opt_text(2)?);
            Ok(SourcePerson {
                user: SourceUserPk(row.int(0)?),
                account: key.zip(name),
            })
        })?;
        found.sort_by_key(|one| one.user);
        found.dedup_by_key(|one| one.user);
        Ok(found)
    }
}
