//! People found by the beginning of something: each way of it by an index, so that it takes as long among many as among few.

use std::collections::HashSet;

use directory::{DirectoryId, Status, User};
use scim::fold;

use crate::directory_users::{COLUMNS, read_user};
use crate::{ReadTx, StoreError, args, sql};

/// Letters of a text that are looked for in full names; the indexes have no more.
const LETTERS_MAX: usize = 100;

/// By what people are found, the best first: the expression of an index.
const WAYS: [Way; 5] = [
    Way::Folded("d.name_fold"),
    Way::Folded("d.email_fold"),
    Way::Written("lower(substr(d.display_name, 1, 100))"),
    Way::Written("lower(substr(d.last_name, 1, 100))"),
    Way::Written("lower(substr(d.first_name, 1, 100))"),
];

enum Way {
    /// What is stored is folded.
    Folded(&'static str),
    /// What is stored is as it was written, but for the letters of ASCII.
    Written(&'static str),
}

impl Way {
    /// The expression, and the beginnings that are looked for.
    fn beginnings(&self, text: &str) -> (&'static str, Vec<String>) {
        match self {
            Self::Folded(column) => (column, vec![fold(text)]),
            Self::Written(column) => (column, spellings(text)),
        }
    }
}

/// How a text may be written that somebody typed: as it is, and with a capital in front.
fn spellings(text: &str) -> Vec<String> {
    let small: String = text.to_lowercase().chars().take(LETTERS_MAX).collect();
    let mut letters = small.chars();
    let first = letters.next().map(char::to_uppercase);
    let large: String = first.into_iter().flatten().chain(letters).collect();
    let mut spelt = vec![small, large.to_ascii_lowercase()];
    spelt.dedup();
    spelt
}

impl ReadTx<'_> {
    /// Users that products see who are meant by a text: it is their key or an id at the identity provider, or their
    /// user name, address, full, last or first name begins with it. So many at most; who is meant most likely comes first.
    /// Only those who may log in, or only those who may not, if `active` says so.
    pub fn directory_users_beginning(
        &self,
        directory: DirectoryId,
        text: &str,
        active: Option<bool>,
        most: usize,
    ) -> Result<Vec<User>, StoreError> {
        let mut known = HashSet::new();
        let mut found = self.directory_users_with_id(directory, text)?;
        let is_meant =
            |user: &User| active.is_none_or(|active| active == (user.status == Status::Active));
        found.retain(|user| known.insert(user.pk) && is_meant(user));
        for way in &WAYS {
            let (column, beginnings) = way.beginnings(text);
            for from in beginnings {
                if found.len() >= most {
                    break;
                }
                let begins = self.users_between(directory, column, &from, active, most)?;
                let new = begins.into_iter().filter(|user| known.insert(user.pk));
                found.extend(new);
            }
        }
        found.truncate(most);
        Ok(found)
    }

    /// Users with this key or id, some of them more than once.
    fn directory_users_with_id(
        &self,
        directory: DirectoryId,
        text: &str,
    ) -> Result<Vec<User>, StoreError> {
        let by_key = self.directory_user_by_key(directory, text)?;
        let sql = format!(
            "WITH meant (pk) AS ( \
               SELECT s.pk FROM connector c CROSS JOIN source_user s \
               WHERE c.directory_pk = $1 AND s.connector_pk = c.pk AND s.id = $2 \
               UNION SELECT s.pk FROM connector c CROSS JOIN source_user s \
               WHERE c.directory_pk = $1 AND s.connector_pk = c.pk AND s.external_id = $2) \
             SELECT {COLUMNS} FROM meant m CROSS JOIN directory_user d \
             WHERE d.source_user_pk = m.pk AND +d.directory_pk = $1 AND d.status <> 'removed'"
        );
        let by_source = self.query(&sql, args![directory.0, text], read_user)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM connector c CROSS JOIN directory_user d WHERE c.directory_pk = $1 \
             AND d.connector_pk = c.pk AND d.external_id = $2 AND +d.directory_pk = $1 AND d.status <> 'removed'"
        );
        // The identity provider may have it no more.
        let by_account = self.query(&sql, args![directory.0, text], read_user)?;
        Ok([Vec::from_iter(by_key), by_source, by_account].concat())
    }

    fn users_between(
        &self,
        directory: DirectoryId,
        column: &str,
        from: &str,
        active: Option<bool>,
        most: usize,
    ) -> Result<Vec<User>, StoreError> {
        let status = match active {
            None => "",
            Some(true) => "AND d.status = 'active' ",
            Some(false) => "AND d.status <> 'active' ",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.status <> 'removed' \
             {status}AND {column} >= $2 AND {column} < $3 ORDER BY {column} LIMIT $4"
        );
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let to = sql::after_prefix(from).unwrap_or(char::MAX.into());
        self.query(&sql, args![directory.0, from, to, most], read_user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_begin_with_a_capital() {
        assert_eq!(spellings("SOL"), ["sol"]);
        assert_eq!(spellings("åse"), ["åse", "Åse"]);
        assert_eq!(spellings("Ärger"), ["ärger", "Ärger"]);
        assert_eq!(spellings(""), [""]);
        assert_eq!(spellings(&"x".repeat(500))[0].len(), LETTERS_MAX);
    }
}
