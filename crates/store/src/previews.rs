//! Previews: what a change of rules would do, kept for as long as somebody may want to look at it.

use directory::{ConnectorId, Rules};
use jiff::Timestamp;
use scim::fold;

use crate::{ReadTx, Row, StoreError, WriteTx, args, connectors::json, sql};

/// How far a preview is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewState {
    /// It is being made.
    Running,
    /// It is complete.
    Done,
    /// It could not be made.
    Failed,
}

impl PreviewState {
    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            PreviewState::Running => "running",
            PreviewState::Done => "done",
            PreviewState::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Running, Self::Done, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| StoreError::corrupt("preview.state"))
    }
}

/// A preview to be made.
#[derive(Debug, Clone)]
pub struct NewPreview {
    /// Of which connector.
    pub connector: ConnectorId,
    /// Who wants it.
    pub author: String,
    /// By which rules.
    pub rules: Rules,
    /// JSON: the user or the group that it is confined to.
    pub confined: String,
    /// Users to look at.
    pub total: i64,
}

/// A preview.
#[derive(Debug, Clone)]
pub struct StoredPreview {
    /// The store's number.
    pub pk: i64,
    /// The id in URLs.
    pub public_id: String,
    /// How far it is.
    pub state: PreviewState,
    /// Who wanted it.
    pub author: String,
    /// By which rules.
    pub rules: Rules,
    /// JSON: the user or the group that it is confined to.
    pub confined: String,
    /// Users to look at.
    pub total: i64,
    /// Users looked at so far.
    pub looked_at: i64,
    /// The state of the data that it looked at; empty until it is done.
    pub fingerprint: String,
    /// JSON: how many users have which operation, and more.
    pub summary: String,
    /// Why it failed; empty if it did not.
    pub error: String,
    /// When it was asked for.
    pub created: Timestamp,
    /// When something of it was last written.
    pub updated: Timestamp,
}

/// One user of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewItem {
    /// Its place in the list.
    pub number: i64,
    /// Folded names to search in.
    pub names_fold: String,
    /// One bit for each operation.
    pub operations: i64,
    /// JSON: all that there is to tell.
    pub document: String,
}

/// Which users of a preview to list.
#[derive(Debug, Clone, Default)]
pub struct ItemQuery {
    /// Only those behind this place.
    pub after: i64,
    /// Only those with this text in a name.
    pub name: Option<String>,
    /// Only those with one of these operations, by their bits.
    pub operations: Option<i64>,
}

const COLUMNS: &str = "pk, public_id, state, author, rules, confined, total, looked_at, fingerprint, summary, error, \
     created, updated";

fn read_preview(row: &Row<'_>) -> Result<StoredPreview, StoreError> {
    Ok(StoredPreview {
        pk: row.int(0)?,
        public_id: row.text(1)?,
        state: PreviewState::parse(row.str(2)?)?,
        author: row.text(3)?,
        rules: serde_json::from_str(row.str(4)?)
            .map_err(|error| StoreError::corrupt(format!("preview.rules: {error}")))?,
        confined: row.text(5)?,
        total: row.int(6)?,
        looked_at: row.int(7)?,
        fingerprint: row.text(8)?,
        summary: row.text(9)?,
        error: row.text(10)?,
        created: row.time(11)?,
        updated: row.time(12)?,
    })
}

impl ReadTx<'_> {
    /// A connector's preview of this id.
    pub fn preview(
        &self,
        connector: ConnectorId,
        public_id: &str,
    ) -> Result<Option<StoredPreview>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM preview WHERE public_id = $1 AND connector_pk = $2");
        self.query_one(&sql, args![public_id, connector.0], read_preview)
    }

    /// A connector's previews, newest first.
    pub fn previews(&self, connector: ConnectorId) -> Result<Vec<StoredPreview>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM preview WHERE connector_pk = $1 ORDER BY pk DESC");
        self.query(&sql, args![connector.0], read_preview)
    }

    /// Previews that nobody needs any more: all but the newest `keep` of this connector, and those of every
    /// connector that nothing was written to since `before`.
    pub fn old_previews(
        &self,
        connector: ConnectorId,
        keep: i64,
        before: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        let mut old = self.query(
            "SELECT pk FROM preview WHERE connector_pk = $1 ORDER BY pk DESC LIMIT 1000 OFFSET $2",
            args![connector.0, keep],
            |row| row.int(0),
        )?;
        let stale = "SELECT pk FROM preview WHERE updated < $1";
        old.extend(self.query(stale, args![before], |row| row.int(0))?);
        Ok(old)
    }

    /// Users of a preview in their order, `limit` of them at most.
    pub fn preview_items(
        &self,
        preview: i64,
        query: &ItemQuery,
        limit: i64,
    ) -> Result<Vec<PreviewItem>, StoreError> {
        let mut sql = "SELECT number, names_fold, operations, document FROM preview_item \
                       WHERE preview_pk = $1 AND number > $2"
            .to_owned();
        let mut arguments = args![preview, query.after];
        if let Some(operations) = query.operations {
            arguments.push(operations.into());
            sql.push_str(&format!(" AND (operations & ${}) <> 0", arguments.len()));
        }
        if let Some(name) = &query.name {
            arguments.push(sql::containing(&fold(name)).into());
            sql.push_str(&format!(
                " AND names_fold LIKE ${} ESCAPE '!'",
                arguments.len()
            ));
        }
        arguments.push(limit.into());
        sql.push_str(&format!(" ORDER BY number LIMIT ${}", arguments.len()));
        self.query(&sql, arguments, |row| {
            Ok(PreviewItem {
                number: row.int(0)?,
                names_fold: row.text(1)?,
                operations: row.int(2)?,
                document: row.text(3)?,
            })
        })
    }
}

impl WriteTx<'_> {
    /// Notes a preview that is to be made; gives its number and its id.
    pub fn insert_preview(&self, preview: &NewPreview) -> Result<(i64, String), StoreError> {
        let public_id = self.new_id().to_string();
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO preview (public_id, connector_pk, state, author, rules, confined, total, looked_at, \
             fingerprint, summary, error, created, updated) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', '{}', '', $8, $9) RETURNING pk",
            args![
                public_id.as_str(),
                preview.connector.0,
                PreviewState::Running.as_str(),
                preview.author.as_str(),
                json(&preview.rules)?,
                preview.confined.as_str(),
                preview.total,
                now,
                now
            ],
        )?;
        Ok((pk, public_id))
    }

    /// Keeps users of a preview, and how far it is.
    pub fn add_preview_items(
        &self,
        preview: i64,
        items: &[PreviewItem],
        looked_at: i64,
    ) -> Result<(), StoreError> {
        for item in items {
            self.execute(
                "INSERT INTO preview_item (preview_pk, number, names_fold, operations, document) \
                 VALUES ($1, $2, $3, $4, $5)",
                args![
                    preview,
                    item.number,
                    item.names_fold.as_str(),
                    item.operations,
                    item.document.as_str()
                ],
            )?;
        }
        let now = self.now();
        self.execute(
            "UPDATE preview SET looked_at = $1, updated = $2 WHERE pk = $3",
            args![looked_at, now, preview],
        )?;
        Ok(())
    }

    /// Notes that a preview is complete.
    pub fn finish_preview(
        &self,
        preview: i64,
        fingerprint: &str,
        summary: &str,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE preview SET state = $1, fingerprint = $2, summary = $3, updated = $4 WHERE pk = $5",
            args![
                PreviewState::Done.as_str(),
                fingerprint,
                summary,
                now,
                preview
            ],
        )?;
        Ok(())
    }

    /// Notes that a preview could not be made.
    pub fn fail_preview(&self, preview: i64, error: &str) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE preview SET state = $1, error = $2, updated = $3 WHERE pk = $4",
            args![PreviewState::Failed.as_str(), error, now, preview],
        )?;
        Ok(())
    }

    /// Forgets users of a preview, `limit` of them at most. Returns how many that were.
    pub fn delete_preview_items(&self, preview: i64, limit: i64) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM preview_item WHERE preview_pk = $1 AND number IN \
             (SELECT number FROM preview_item WHERE preview_pk = $1 ORDER BY number LIMIT $2)",
            args![preview, limit],
        )
    }

    /// Forgets a preview that has no users any more.
    pub fn delete_preview(&self, preview: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM preview WHERE pk = $1", args![preview])?;
        Ok(())
    }
}
