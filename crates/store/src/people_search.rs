//! People found by a text: by the beginning of something, each way of it by an index, so that it takes as long among many
//! as among few; or by what is anywhere in their names, by one narrow index that has the names of all.

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

/// Users of a directory (`$1`) whose key or id at the identity provider a text (`$2`) is. The identity provider may have
/// the last kind no more.
const WITH_ID: &str = "SELECT i.pk FROM directory_user i WHERE i.key = $2 \
     UNION ALL SELECT i.pk FROM connector c CROSS JOIN source_user s CROSS JOIN directory_user i \
     WHERE c.directory_pk = $1 AND s.connector_pk = c.pk AND s.id = $2 AND i.source_user_pk = s.pk \
     UNION ALL SELECT i.pk FROM connector c CROSS JOIN source_user s CROSS JOIN directory_user i \
     WHERE c.directory_pk = $1 AND s.connector_pk = c.pk AND s.external_id = $2 AND i.source_user_pk = s.pk \
     UNION ALL SELECT i.pk FROM connector c CROSS JOIN directory_user i \
     WHERE c.directory_pk = $1 AND i.connector_pk = c.pk AND i.external_id = $2";

/// What a text is looked for in, of one table's row: the expression of an index, which has the beginning of each name.
fn text_of(row: &str) -> String {
    let columns = [
        "name_fold",
        "email_fold",
        "display_name",
        "first_name",
        "last_name",
    ];
    let beginnings = columns.map(|column| format!("substr({row}.{column}, 1, {LETTERS_MAX})"));
    format!("lower({})", beginnings.join(" || ' ' || "))
}

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

/// The longest part of a text that has letters of ASCII alone.
fn longest_ascii(text: &str) -> &str {
    let parts = text.split(|letter: char| !letter.is_ascii());
    parts.max_by_key(|part| part.len()).unwrap_or_default()
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

    /// The users behind `after` in whose name, address, full, first or last name a text may be, or whose key or id at the
    /// identity provider it is. Letters other than those of ASCII are for the caller to compare: only the longest part
    /// without them is looked for here.
    pub fn each_directory_user_like(
        &self,
        directory: DirectoryId,
        after: &str,
        text: &str,
        each: &mut dyn FnMut(User) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (of_user, of_last) = (text_of("d"), text_of("a"));
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.directory_pk = $1 AND d.status <> 'removed' \
             AND ({of_user} LIKE $3 ESCAPE '!' OR d.pk IN ({WITH_ID})) \
             AND ({of_user}, d.name_fold) > (coalesce((SELECT {of_last} FROM directory_user a \
             WHERE a.directory_pk = $1 AND a.name_fold = $4 AND a.status <> 'removed'), $4), $4) \
             ORDER BY {of_user}, d.name_fold"
        );
        let pattern = sql::containing(&longest_ascii(text).to_ascii_lowercase());
        let args = args![directory.0, text, pattern, fold(after)];
        self.for_each(&sql, args, |row| each(read_user(row)?))
    }

    /// Users with this key or id.
    fn directory_users_with_id(
        &self,
        directory: DirectoryId,
        text: &str,
    ) -> Result<Vec<User>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_user d WHERE d.pk IN ({WITH_ID}) \
             AND +d.directory_pk = $1 AND d.status <> 'removed'"
        );
        self.query(&sql, args![directory.0, text], read_user)
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
    fn what_letters_of_ascii_say_is_looked_for() {
        assert_eq!(longest_ascii("smith"), "smith");
        assert_eq!(longest_ascii("Müller-Lüdenscheidt"), "denscheidt");
        assert_eq!(longest_ascii("øåß"), "");
    }

    #[test]
    fn names_may_begin_with_a_capital() {
        assert_eq!(spellings("SOL"), ["sol"]);
        assert_eq!(spellings("åse"), ["åse", "Åse"]);
        assert_eq!(spellings("Ärger"), ["ärger", "Ärger"]);
        assert_eq!(spellings(""), [""]);
        assert_eq!(spellings(&"x".repeat(500))[0].len(), LETTERS_MAX);
    }
}
