//! The order of a list as the database walks it: by number, or by a column that has an index.
//!
//! Equal values follow each other by number, and what has no value comes last: the same order as that of
//! [`Position`]. Descending is the exact reverse. The engines do not agree where rows without a value
//! belong, so they are a segment of their own.

use scim::{Sort, SortKey, SortValue};

use crate::filter_plan::Listed;
use crate::list::{ListPart, Position, SORTED_MAX, SourceItem, Window};
use crate::list_read::Planned;
use crate::{ReadTx, Row, Sql, StoreError};

/// What the order is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The number, which grows with creation.
    Number,
    /// A column with an index.
    Column(Column),
    /// Something that only the evaluator knows.
    Computed,
}

/// A column with an index that says the same as an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    name: &'static str,
    is_time: bool,
    nullable: bool,
}

impl By {
    fn of(listed: Listed, sort: Option<&Sort>) -> Self {
        let Some(attr) = sort.map(Sort::attr) else {
            return Self::Number;
        };
        let column = |name, is_time, nullable| {
            Self::Column(Column {
                name,
                is_time,
                nullable,
            })
        };
        match (listed, attr.map_or("", scim::AttrRef::name)) {
            (Listed::Users, "id") => column("u.id", false, false),
            (Listed::Users, "userName") => column("u.user_name_fold", false, false),
            (Listed::Users, "externalId") => column("u.external_id", false, true),
            (Listed::Users, "displayName") => column("u.display_name_fold", false, true),
            (Listed::Users, "meta.created") => column("u.created", true, false),
            (Listed::Users, "meta.lastModified") => column("u.modified", true, false),
            (Listed::Groups, "id") => column("g.id", false, false),
            (Listed::Groups, "externalId") => column("g.external_id", false, true),
            (Listed::Groups, "displayName") => column("g.display_name_fold", false, false),
            (Listed::Groups, "meta.created") => column("g.created", true, false),
            (Listed::Groups, "meta.lastModified") => column("g.modified", true, false),
            _ => Self::Computed,
        }
    }
}

/// A way through a list.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    pub(crate) by: By,
    /// From the end to the beginning of the ascending order.
    pub(crate) reversed: bool,
    /// What lies before this is passed over, and itself as well.
    pub(crate) from: Option<Position>,
}

impl Walk {
    pub(crate) fn new(listed: Listed, sort: Option<&Sort>, window: &Window<'_>) -> Self {
        let descending = sort.is_some_and(Sort::descending);
        let (from, backwards) = match *window {
            Window::Index { .. } => (None, false),
            Window::Cursor {
                from, backwards, ..
            } => (from.cloned(), backwards),
        };
        Self {
            by: By::of(listed, sort),
            reversed: descending != backwards,
            from,
        }
    }

    pub(crate) fn by_number() -> Self {
        Self {
            by: By::Number,
            reversed: false,
            from: None,
        }
    }

    /// The pieces of the way in their order, each a condition and an order of rows.
    fn segments(&self, listed: Listed) -> Vec<Segment> {
        let By::Column(column) = self.by else {
            return vec![self.by_pk(listed, "", self.from.as_ref())];
        };
        let values = || self.by_column(listed, column);
        let nulls = |from| self.by_pk(listed, column.name, from);
        let from_absent = self
            .from
            .as_ref()
            .filter(|from| from.key == SortKey::ABSENT);
        match (column.nullable, from_absent, self.reversed) {
            (false, _, _) => vec![values()],
            (true, Some(from), false) => vec![nulls(Some(from))],
            (true, Some(from), true) => vec![
                nulls(Some(from)),
                Walk {
                    from: None,
                    ..self.clone()
                }
                .by_column(listed, column),
            ],
            (true, None, false) => vec![values(), nulls(None)],
            // A position with a value comes after those without one.
            (true, None, true) if self.from.is_some() => vec![values()],
            (true, None, true) => vec![nulls(None), values()],
        }
    }

    /// Rows by number, of those without a value in a column if one is named.
    fn by_pk(&self, listed: Listed, null: &'static str, from: Option<&Position>) -> Segment {
        let mut condition = Sql::default();
        if !null.is_empty() {
            condition = condition.then(" AND ").then(null).then(" IS NULL");
        }
        if let Some(from) = from {
            condition = condition
                .then(" AND ")
                .then(listed.pk())
                .then(self.beyond())
                .bind(from.pk);
        }
        Segment {
            condition,
            order: Sql::new(" ORDER BY ")
                .then(listed.pk())
                .then(self.direction()),
        }
    }

    /// Rows with a value, by it.
    fn by_column(&self, listed: Listed, column: Column) -> Segment {
        let mut condition = Sql::default();
        if column.nullable {
            condition = condition
                .then(" AND ")
                .then(column.name)
                .then(" IS NOT NULL");
        }
        if let Some((from, value)) = self.from.as_ref().zip(self.bound(column)) {
            // The first comparison is the one that an index answers.
            let at_least = if self.reversed { " <= " } else { " >= " };
            condition = condition
                .then(" AND ")
                .then(column.name)
                .then(at_least)
                .and_then(value.clone())
                .then(" AND (")
                .then(column.name)
                .then(self.beyond())
                .and_then(value)
                .then(" OR ")
                .then(listed.pk())
                .then(self.beyond())
                .bind(from.pk)
                .then(")");
        }
        let order = Sql::new(" ORDER BY ")
            .then(column.name)
            .then(self.direction())
            .then(", ")
            .then(listed.pk())
            .then(self.direction());
        Segment { condition, order }
    }

    fn bound(&self, column: Column) -> Option<Sql> {
        match (self.from.as_ref()?.key.value()?, column.is_time) {
            (SortValue::Time(time), true) => Some(Sql::default().bind(*time)),
            (SortValue::Text(text), false) => Some(Sql::default().bind(text.as_str())),
            _ => None,
        }
    }

    fn beyond(&self) -> &'static str {
        if self.reversed { " < " } else { " > " }
    }

    fn direction(&self) -> &'static str {
        if self.reversed { " DESC" } else { "" }
    }
}

/// A piece of the way: rows with a value, or rows without.
struct Segment {
    condition: Sql,
    order: Sql,
}

impl Segment {
    /// The rows of a part on this piece, after what is selected of them.
    fn within(&self, start: Sql, part: &Planned<'_>) -> Sql {
        let start = match &part.condition {
            Some(condition) => start.then(" AND (").and_then(condition.clone()).then(")"),
            None => start,
        };
        start.and_then(self.condition.clone())
    }
}

/// Why the reading of rows ended.
enum Stop {
    Enough,
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl ReadTx<'_> {
    /// Rows in an order that the database makes, from an offset on. The filter must be decided by the database.
    pub(crate) fn ordered(
        &self,
        part: &Planned<'_>,
        walk: &Walk,
        offset: i64,
        limit: i64,
    ) -> Result<Vec<SourceItem>, StoreError> {
        let listed = part.part.listed;
        let (mut found, mut offset): (Vec<SourceItem>, i64) = (Vec::new(), offset);
        for segment in walk.segments(listed) {
            let left = limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
            if left <= 0 {
                break;
            }
            let mut sql = segment
                .within(self.select(part), part)
                .and_then(segment.order.clone())
                .then(" LIMIT ")
                .bind(left);
            if offset > 0 {
                sql = sql.then(" OFFSET ").bind(offset);
            }
            let before = found.len();
            self.for_each(&sql.text(), sql.args(), |row| {
                found.push(self.read_item(listed, row)?);
                Ok(())
            })?;
            if offset > 0 {
                offset = match found.len() > before {
                    true => 0,
                    false => offset - self.size(part, &segment)?,
                };
            }
        }
        Ok(found)
    }

    fn size(&self, part: &Planned<'_>, segment: &Segment) -> Result<i64, StoreError> {
        let start = Sql::new("SELECT count(*)")
            .then(part.part.listed.from())
            .bind(part.connector.0);
        let sql = segment.within(start, part);
        Ok(self
            .query_one(&sql.text(), sql.args(), |row| row.int(0))?
            .unwrap_or(0))
    }

    /// Rows in an order that the database makes, one by one, until `each` says that it has enough.
    pub(crate) fn each_ordered(
        &self,
        part: &Planned<'_>,
        walk: &Walk,
        each: &mut dyn FnMut(SourceItem) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let listed = part.part.listed;
        for segment in walk.segments(listed) {
            let sql = segment
                .within(self.select(part), part)
                .and_then(segment.order.clone());
            let outcome = self.stream(&sql.text(), sql.args(), |row| {
                match each(self.read_item(listed, row)?)? {
                    true => Ok(()),
                    false => Err(Stop::Enough),
                }
            });
            match outcome {
                Ok(()) => {}
                Err(Stop::Enough) => return Ok(()),
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Positions read from an indexed column alone, without the documents. `false` if there is no such column.
    pub(crate) fn indexed_keys(
        &self,
        part: &Planned<'_>,
        each: &mut dyn FnMut(Position) -> bool,
    ) -> Result<bool, StoreError> {
        let ListPart { listed, sort, .. } = part.part;
        let column = match By::of(listed, sort) {
            By::Number => None,
            By::Column(column) => Some(column),
            // No resource of the type has the attribute.
            By::Computed if sort.is_some_and(|sort| sort.attr().is_none()) => None,
            By::Computed => return Ok(false),
        };
        let mut start = Sql::new("SELECT ").then(listed.pk());
        if let Some(column) = column {
            start = start.then(", ").then(column.name);
        }
        let start = start.then(listed.from()).bind(part.connector.0);
        let sql = match &part.condition {
            Some(condition) => start.then(" AND (").and_then(condition.clone()).then(")"),
            None => start,
        };
        let most = i64::try_from(SORTED_MAX).unwrap_or(i64::MAX);
        let sql = sql.then(" LIMIT ").bind(most.saturating_add(1));
        let outcome = self.stream(&sql.text(), sql.args(), |row| {
            let key = match column {
                None => SortKey::ABSENT,
                Some(column) => key_of(row, column)?,
            };
            let pk = row.int(0)?;
            match each(Position { key, listed, pk }) {
                true => Ok(()),
                false => Err(Stop::Enough),
            }
        });
        match outcome {
            Ok(()) | Err(Stop::Enough) => Ok(true),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

fn key_of(row: &Row<'_>, column: Column) -> Result<SortKey, StoreError> {
    let value = match column.is_time {
        true => row.opt_time(1)?.map(SortValue::Time),
        false => row.opt_text(1)?.map(SortValue::Text),
    };
    Ok(value.map_or(SortKey::ABSENT, SortKey::of))
}
