//! Lists that are sorted in memory: by an attribute without an index, or over several kinds.

use std::collections::HashMap;

use scim::{Node, Sort, SortKey, SortValue};

use crate::list::{ListError, Page, Position, SORTED_MAX, SourceItem, Window};
use crate::list_order::Walk;
use crate::list_read::Planned;
use crate::{ReadTx, Sql, StoreError};

/// Most memory for what resources are sorted by, in bytes.
const SORTED_BYTES_MAX: usize = 32 * 1024 * 1024;

impl ReadTx<'_> {
    /// What is sorted in memory: by an attribute without an index, or over several kinds.
    pub(crate) fn list_sorted(
        &self,
        parts: &[Planned<'_>],
        window: Window<'_>,
    ) -> Result<Page, ListError> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        for part in parts {
            if part.part.filter.is_some_and(Node::is_never) {
                continue;
            }
            self.keys(part, &mut |position| {
                bytes += size_of::<Position>() + position.key.value().map_or(0, SortValue::bytes);
                found.push(position);
                found.len() <= SORTED_MAX && bytes <= SORTED_BYTES_MAX
            })?;
            if found.len() > SORTED_MAX || bytes > SORTED_BYTES_MAX {
                return Err(ListError::TooMany);
            }
        }
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let descending = parts
            .iter()
            .any(|part| part.part.sort.is_some_and(Sort::descending));
        let (skip, count, reversed) = match window {
            Window::Index { skip, count, .. } => (skip, count, descending),
            Window::Cursor {
                from,
                backwards,
                count,
            } => {
                let reversed = descending != backwards;
                if let Some(from) = from {
                    found.retain(|position| match reversed {
                        false => position > from,
                        true => position < from,
                    });
                }
                (0, count.saturating_add(1), reversed)
            }
        };
        found.sort_unstable();
        if reversed {
            found.reverse();
        }
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let chosen: Vec<Position> = found.into_iter().skip(skip).take(count).collect();
        let items = self.load(parts, &chosen)?;
        Ok(match window {
            Window::Index { .. } => Page::of(Some(total), items),
            Window::Cursor { .. } => Page::beyond(Some(total), items, &window),
        })
    }

    /// The positions of all that match, in no order, until `each` has enough.
    fn keys(
        &self,
        part: &Planned<'_>,
        each: &mut dyn FnMut(Position) -> bool,
    ) -> Result<(), StoreError> {
        let listed = part.part.listed;
        if part.residual.is_none() && self.indexed_keys(part, each)? {
            return Ok(());
        }
        let walk = Walk::by_number();
        self.each_ordered(part, &walk, &mut |item| {
            let key = self.examine(part, &item, |facts| {
                let matches = part
                    .residual
                    .as_ref()
                    .is_none_or(|residual| residual.matches(facts));
                matches.then(|| {
                    part.part
                        .sort
                        .map_or(SortKey::ABSENT, |sort| sort.key(facts))
                })
            })?;
            let pk = item.pk();
            Ok(key.is_none_or(|key| each(Position { key, listed, pk })))
        })
    }

    /// The resources at these positions.
    fn load(
        &self,
        parts: &[Planned<'_>],
        positions: &[Position],
    ) -> Result<Vec<SourceItem>, StoreError> {
        let mut found = HashMap::with_capacity(positions.len());
        for part in parts {
            let listed = part.part.listed;
            let wanted = positions
                .iter()
                .filter(|position| position.listed == listed);
            for chunk in crate::sql::chunks(wanted.map(|position| position.pk)) {
                let places = chunk.into_iter().map(|pk| Sql::default().bind(pk));
                let sql = self
                    .select(part)
                    .then(" AND ")
                    .then(listed.pk())
                    .then(" IN (")
                    .and_then(Sql::join(places, ", "))
                    .then(")");
                self.for_each(&sql.text(), sql.args(), |row| {
                    let item = SourceItem::read(listed, row)?;
                    found.insert((listed, item.pk()), item);
                    Ok(())
                })?;
            }
        }
        Ok(positions
            .iter()
            .filter_map(|position| found.remove(&(position.listed, position.pk)))
            .collect())
    }
}
