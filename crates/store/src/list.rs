//! Lists of the source: a page of the users or groups of a connector that match a filter, in an order.
//!
//! Pages are found by their place or from a position, and both are exact. Without a sort the order is that of
//! creation, which never changes. What the indexes decide is asked of the database; the rest is evaluated on
//! the rows that are left.

use scim::{Meta, Node, ResourceType, Sort, SortKey};

use crate::filter_plan::Listed;
use crate::source_groups::{self, GROUP_COLUMNS, SourceGroup};
use crate::{Row, SourceUser, StoreError, source};

/// Most resources that are sorted by an attribute without an index.
pub const SORTED_MAX: usize = 100_000;

/// What is asked of the source of a connector.
#[derive(Debug, Clone)]
pub struct ListRequest<'q> {
    /// The kinds of resources to search. Without a sort they follow each other in this order.
    pub parts: &'q [ListPart<'q>],
    /// Which of them to give.
    pub window: Window<'q>,
    /// Whether to tell the total even if everything has to be read for it.
    pub with_total: bool,
}

/// What is asked of one kind of resource.
#[derive(Debug, Clone, Copy)]
pub struct ListPart<'q> {
    /// Users or groups.
    pub listed: Listed,
    /// Their type.
    pub ty: &'q ResourceType,
    /// Which of them.
    pub filter: Option<&'q Node>,
    /// In which order; that of creation if there is none.
    pub sort: Option<&'q Sort>,
}

/// Which of the matching resources a page has.
#[derive(Debug, Clone, Copy)]
pub enum Window<'q> {
    /// Those from a place on.
    Index {
        /// How many to pass over.
        skip: i64,
        /// How many to give at most.
        count: i64,
        /// Where an earlier page ended.
        hint: Option<Hint>,
    },
    /// Those next to a position.
    Cursor {
        /// The position, which is not on the page itself; the beginning (or the end) if there is none.
        from: Option<&'q Position>,
        /// Whether to go backwards. The page is in the order of the list all the same.
        backwards: bool,
        /// How many to give at most.
        count: i64,
    },
}

/// The place of a resource in the order of a list. It stays when the resource is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// What it is sorted by.
    pub key: SortKey,
    /// What it is.
    pub listed: Listed,
    /// Its number.
    pub pk: i64,
}

/// How far a list without filter and sort reaches up to a row. It holds for as long as nobody is deleted:
/// new resources come after all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// How many resources there are up to the row.
    pub place: i64,
    /// The number of the row.
    pub pk: i64,
    /// How many resources of the kind had been deleted.
    pub deleted: i64,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// How many match altogether, if it is known.
    pub total: Option<i64>,
    /// The ones of this page.
    pub items: Vec<SourceItem>,
    /// Whether there are others beyond it; told of pages next to a position.
    pub more: bool,
    /// Where it ends, for the page after it.
    pub hint: Option<Hint>,
}

/// One of a list.
#[derive(Debug, Clone)]
pub enum SourceItem {
    /// A user.
    User(SourceUser),
    /// A group, without its members.
    Group(SourceGroup),
}

/// Why there is no page.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ListError {
    /// More match than can be sorted without an index.
    #[error("more than {SORTED_MAX} resources match, which is too many to sort")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SourceItem {
    /// The store's number.
    pub fn pk(&self) -> i64 {
        match self {
            Self::User(user) => user.pk.0,
            Self::Group(group) => group.pk.0,
        }
    }

    pub(crate) fn read(listed: Listed, row: &Row<'_>) -> Result<Self, StoreError> {
        match listed {
            Listed::Users => source::read_user(row).map(Self::User),
            Listed::Groups => source_groups::read_group(row).map(Self::Group),
        }
    }

    pub(crate) fn parts(&self) -> (&str, &Meta, &str) {
        match self {
            Self::User(user) => (&user.id, &user.meta, &user.document),
            Self::Group(group) => (&group.id, &group.meta, &group.document),
        }
    }
}

impl Listed {
    /// The rows of a connector, up to its number.
    pub(crate) fn from(self) -> &'static str {
        match self {
            Self::Users => " FROM source_user u WHERE u.connector_pk = ",
            Self::Groups => " FROM source_group g WHERE g.connector_pk = ",
        }
    }

    pub(crate) fn pk(self) -> &'static str {
        match self {
            Self::Users => "u.pk",
            Self::Groups => "g.pk",
        }
    }

    pub(crate) fn columns(self) -> &'static str {
        match self {
            Self::Users => source::USER_COLUMNS,
            Self::Groups => GROUP_COLUMNS,
        }
    }

    /// The list that is kept beside the document.
    pub(crate) fn beside(self) -> &'static str {
        match self {
            Self::Users => "groups",
            Self::Groups => "members",
        }
    }
}

impl Page {
    pub(crate) fn of(total: Option<i64>, items: Vec<SourceItem>) -> Self {
        Self {
            total,
            items,
            more: false,
            hint: None,
        }
    }

    /// A page of what was found on the way from a position: one more than wanted, if there is one more.
    pub(crate) fn beyond(
        total: Option<i64>,
        mut items: Vec<SourceItem>,
        window: &Window<'_>,
    ) -> Self {
        let (count, backwards) = match *window {
            Window::Cursor {
                count, backwards, ..
            } => (usize::try_from(count).unwrap_or(usize::MAX), backwards),
            Window::Index { .. } => (usize::MAX, false),
        };
        let more = items.len() > count;
        items.truncate(count);
        if backwards {
            items.reverse();
        }
        Self {
            more,
            ..Self::of(total, items)
        }
    }
}
