//! Lists in pages: what comes back, and how to ask for the rest.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;

/// Items of one page when the client names no number.
pub(super) const LIMIT_DEFAULT: u32 = 100;
/// Items of the largest page.
pub(super) const LIMIT_MAX: u32 = 1_000;

/// A list that comes as a whole.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// The items.
    pub(super) items: Vec<T>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// What is wrong with an `after` that cannot be read as a place.
///
/// It is made from whatever tells that it cannot, so that it stands where errors are mapped.
pub(super) fn not_a_place<E>(_unread: E) -> Problem {
    Problem::invalid("after", "'after' has to be `next` of the page before.")
}

/// Which part of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    pub(super) limit: Option<u32>,
}

/// How many to ask the store for: one more than a page has tells whether there is a next one.
pub(super) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}

/// Leaves of what was found, of which one more was asked for, what a page has. Gives the place of its last item if there is
/// a next page.
pub(super) fn cut<T, P>(
    found: &mut Vec<T>,
    limit: usize,
    place: impl FnOnce(&T) -> P,
) -> Option<P> {
    let more = found.len() > limit;
    found.truncate(limit);
    found.last().filter(|_| more).map(place)
}

/// The number of items that a client may have.
pub(super) fn limit(asked: Option<u32>) -> Result<usize, Problem> {
    match asked.unwrap_or(LIMIT_DEFAULT) {
        0 => Err(Problem::invalid("limit", "'limit' has to be at least 1.")),
        asked => Ok(asked.min(LIMIT_MAX) as usize),
    }
}
