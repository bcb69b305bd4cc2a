//! Pages of a list: where they begin, and what is remembered of those that were read.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use directory::ConnectorId;
use scim::{ListQuery, Node, Op};
use store::{Hint, Listed};

/// Whether the filter can match few resources only and an index finds them.
pub(super) fn finds_one(query: &ListQuery) -> bool {
    query.filter.as_ref().is_some_and(node_finds_one)
}

fn node_finds_one(filter: &Node) -> bool {
    match filter {
        Node::Test {
            attr, op: Op::Eq, ..
        } => {
            attr.unique()
                || matches!(
                    attr.name(),
                    "id" | "userName" | "externalId" | "displayName" | "emails.value"
                )
        }
        Node::And(terms) => terms.iter().any(node_finds_one),
        node => node.is_never(),
    }
}

/// Places remembered of one list.
const PLACES_MAX: usize = 64;
/// Lists of which places are remembered.
const LISTS_MAX: usize = 1024;

/// Where pages of whole lists ended, so that the page after is found without counting up to it. The store
/// checks that a place still holds; at worst it is of no use.
#[derive(Debug, Default)]
pub(super) struct Hints {
    lists: Mutex<HashMap<(ConnectorId, Listed), Places>>,
}

#[derive(Debug, Default)]
struct Places {
    deleted: i64,
    pks: BTreeMap<i64, i64>,
}

impl Hints {
    /// The nearest place that is not beyond so many resources.
    pub(super) fn nearest(
        &self,
        connector: ConnectorId,
        listed: Listed,
        skip: i64,
    ) -> Option<Hint> {
        let lists = self.lock();
        let places = lists.get(&(connector, listed))?;
        let (place, pk) = places.pks.range(..=skip).next_back()?;
        Some(Hint {
            place: *place,
            pk: *pk,
            deleted: places.deleted,
        })
    }

    /// Remembers where a page ended.
    pub(super) fn keep(&self, connector: ConnectorId, listed: Listed, hint: Hint) {
        let mut lists = self.lock();
        if lists.len() >= LISTS_MAX && !lists.contains_key(&(connector, listed)) {
            lists.clear();
        }
        let places = lists.entry((connector, listed)).or_default();
        // Another reader may have seen a later state already: numbers of deletions only grow.
        if places.deleted > hint.deleted {
            return;
        }
        if places.deleted < hint.deleted {
            places.pks.clear();
            places.deleted = hint.deleted;
        }
        places.pks.insert(hint.place, hint.pk);
        if places.pks.len() > PLACES_MAX {
            let mut nth = 0;
            places.pks.retain(|place, _| {
                nth += 1;
                nth % 2 == 0 || *place == hint.place
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(ConnectorId, Listed), Places>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_remembered_until_somebody_is_deleted() {
        let hints = Hints::default();
        let (connector, users) = (ConnectorId(1), Listed::Users);
        let hint = |place, deleted| Hint {
            place,
            pk: place + 1_000,
            deleted,
        };
        assert_eq!(hints.nearest(connector, users, 100), None);
        hints.keep(connector, users, hint(100, 0));
        assert_eq!(hints.nearest(connector, users, 100), Some(hint(100, 0)));
        assert_eq!(hints.nearest(connector, users, 350), Some(hint(100, 0)));
        assert_eq!(hints.nearest(connector, users, 99), None);
        assert_eq!(hints.nearest(ConnectorId(2), users, 100), None);
        assert_eq!(hints.nearest(connector, Listed::Groups, 100), None);
        hints.keep(connector, users, hint(200, 1));
        assert_eq!(
            hints.nearest(connector, users, 150),
            None,
            "of an older state"
        );
        hints.keep(connector, users, hint(100, 0));
        assert_eq!(hints.nearest(connector, users, 150), None);
    }

    #[test]
    fn a_long_walk_leaves_few_places_and_always_the_last() {
        let hints = Hints::default();
        for page in 1..=10_000 {
            let hint = Hint {
                place: page * 100,
                pk: page * 100,
                deleted: 0,
            };
            hints.keep(ConnectorId(1), Listed::Users, hint);
            assert_eq!(
                hints.nearest(ConnectorId(1), Listed::Users, page * 100),
                Some(hint)
            );
        }
        let lists = hints.lock();
        assert!(lists.values().all(|places| places.pks.len() <= PLACES_MAX));
    }
}
