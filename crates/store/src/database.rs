//! Where a store lives, as an administrator writes it.

use std::fmt;
use std::path::PathBuf;

use crate::StoreError;

/// The address of a store. The scheme is always written out, so that a slip of the pen in a
/// PostgreSQL address never creates an empty file by that name.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file of the embedded engine.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URL; may name several hosts and carry a password.
    Postgres(String),
}

impl Database {
    /// Reads `sqlite:PATH` or `postgres://...`.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"))
            .ok_or_else(|| {
                StoreError::open(
                    "its address has to start with sqlite: or postgres://, \
                     for example sqlite:/var/lib/vestibule/vestibule.db",
                )
            })?;
        if path.is_empty() || path == ":memory:" {
            return Err(StoreError::open(
                "sqlite: has to be followed by the path of a file",
            ));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for Database {
    /// Prints the address without a password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "sqlite:{}", path.display()),
            Self::Postgres(url) => out.write_str(&without_secrets(url)),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The scheme, the user, the hosts and the database's name; neither a password nor parameters.
fn without_secrets(url: &str) -> String {
    let address = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else {
        return "postgres://".to_owned();
    };
    match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_needed() {
        assert!(Database::parse("vestibule.db").is_err());
        assert!(Database::parse("sqlite:").is_err());
        assert!(Database::parse("mysql://x").is_err());
        assert_eq!(
            Database::parse("sqlite:/a/b.db").unwrap(),
            Database::Sqlite("/a/b.db".into())
        );
        assert_eq!(
            Database::parse("sqlite:///a/b.db").unwrap(),
            Database::Sqlite("/a/b.db".into())
        );
    }

    #[test]
    fn a_password_is_never_printed() {
        for url in [
            "postgres://me:s3cret@h1,h2:5433/vestibule?sslmode=require",
            "postgresql://me:s3c@ret@h1/vestibule",
            "postgres://me@h1/vestibule?password=s3cret",
        ] {
            let database = Database::parse(url).unwrap();
            for printed in [format!("{database}"), format!("{database:?}")] {
                assert!(!printed.contains("s3c"), "{printed}");
                assert!(printed.contains("me@h1"), "{printed}");
            }
        }
    }
}
