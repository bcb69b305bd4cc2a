//! A page of a list: how it is read from the store.

use std::collections::HashMap;

use provision::ProvisionError;
use scim::{ListQuery, Node, Op, ScimError};
use store::{ReadTx, Window};

use super::request::Call;
use super::scim_error;

/// The part of the list that is asked for.
pub(super) fn window(query: &ListQuery) -> Window {
    Window {
        skip: i64::try_from(query.start_index.saturating_sub(1)).unwrap_or(i64::MAX),
        count: query.count.into(),
    }
}

/// Reads a page; at once if it is a look-up by a name or id, which is what clients ask most.
pub(super) async fn read<T: Send + 'static>(
    call: &Call,
    query: &ListQuery,
    read: impl Fn(&mut ReadTx<'_>) -> Result<T, ProvisionError> + Send + Sync + 'static,
) -> Result<T, ScimError> {
    let store = call.face.app.provision().store();
    let outcome = match finds_one(query) {
        true => store.look_up(read).await,
        false => store.read(read).await,
    };
    outcome.map_err(scim_error)
}

/// Whether the filter can match few resources only and an index finds them.
pub(super) fn finds_one(query: &ListQuery) -> bool {
    query.filter.as_ref().is_some_and(node_finds_one)
}

fn node_finds_one(filter: &Node) -> bool {
    match filter {
        Node::Test {
            attr, op: Op::Eq, ..
        } => {
            matches!(
                attr.name(),
                "id" | "userName" | "externalId" | "displayName" | "emails.value"
            )
        }
        Node::And(terms) => terms.iter().any(node_finds_one),
        _ => false,
    }
}

/// Things by the row that they belong to.
pub(super) struct Groupings<T> {
    by_row: HashMap<i64, Vec<T>>,
}

impl<T> Default for Groupings<T> {
    fn default() -> Self {
        Groupings {
            by_row: HashMap::new(),
        }
    }
}

impl<T> Groupings<T> {
    /// Those of one row.
    pub(super) fn take(&mut self, row: i64) -> Vec<T> {
        self.by_row.remove(&row).unwrap_or_default()
    }
}

impl<T> FromIterator<(i64, T)> for Groupings<T> {
    fn from_iter<I: IntoIterator<Item = (i64, T)>>(pairs: I) -> Self {
        let mut groupings = Groupings::default();
        for (row, thing) in pairs {
            groupings.by_row.entry(row).or_default().push(thing);
        }
        groupings
    }
}
