//! Fresh databases for tests, one of each engine, so that each story is told on both.

use crate::postgres::TestPostgres;

/// An empty database, gone when this value is.
pub struct TestDatabase {
    /// The engine, for messages.
    pub engine: &'static str,
    /// Its address as the program under test takes it.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// A file of the embedded engine.
    pub fn sqlite() -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("vestibule.db").display());
        Ok(Self {
            engine: "SQLite",
            url,
            _folder: Some(folder),
        })
    }

    /// A database of the shared PostgreSQL server.
    pub fn postgres() -> Result<Self, crate::postgres::PostgresError> {
        let url = TestPostgres::shared()?.create_database()?;
        Ok(Self {
            engine: "PostgreSQL",
            url,
            _folder: None,
        })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self._folder.is_none()
            && let Ok(server) = TestPostgres::shared()
            && let Err(error) = server.drop_database(&self.url)
        {
            eprintln!("{}: {error}", self.url);
        }
    }
}

/// Tells a story once on a fresh database of each engine. The story panics when it goes wrong.
///
/// # Panics
/// When an engine cannot be had: a test that silently left one out would prove nothing.
pub fn on_each_database(story: impl Fn(&TestDatabase)) {
    let sqlite = TestDatabase::sqlite().map_err(|error| error.to_string());
    let postgres = TestDatabase::postgres().map_err(|error| error.to_string());
    for database in [sqlite, postgres] {
        match database {
            Ok(database) => {
                eprintln!("on {}:", database.engine);
                story(&database);
            }
            Err(error) => panic!("{error}"),
        }
    }
}
