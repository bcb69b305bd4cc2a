//! Lists of users and of groups: filtered, paged, short or in full, written as they are read.

use std::collections::HashMap;
use std::ops::ControlFlow;

use ::crowd::list::{GroupList, UserList};
use ::crowd::query::{EntityType, Expand, Paging};
use ::crowd::{Attributes, Style, attributes};
use directory::{Group, Search, User, UserPk};
use store::ReadTx;

use super::Refusal;
use super::call::{Call, by_name};
use super::question::mentions_attributes;
use super::stream::Sink;

/// Users whose attributes are fetched together.
const ATTRIBUTES_BATCH: usize = 500;
/// Entries up to which an answer is put together in memory.
const BOUNDED_ENTRIES_MAX: u64 = 1_000;

/// What is to be listed, and how.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) search: Search,
    pub(super) paging: Paging,
    /// In full rather than by name.
    full: bool,
    /// With attributes, if in full.
    attributes: bool,
    style: Style,
}

impl Wanted {
    /// Reads paging and expansion of a request for a list.
    pub(super) fn new(call: &Call, kind: EntityType, search: Search) -> Result<Wanted, Refusal> {
        let Expand {
            user,
            group,
            attributes,
        } = call.query.expand();
        let full = match kind {
            EntityType::User => user,
            EntityType::Group => group,
        };
        let paging = call.query.paging()?;
        // Whoever asks for everything in XML is a product synchronising: the links would double the answer.
        let style = match paging.is_everything() {
            true => call.style.clone().lean(),
            false => call.style.clone(),
        };
        Ok(Wanted {
            search,
            paging,
            full,
            attributes: full && attributes,
            style,
        })
    }

    /// True if the answer is short for certain.
    pub(super) fn is_bounded(&self) -> bool {
        self.paging
            .max_results
            .is_some_and(|most| most <= BOUNDED_ENTRIES_MAX)
    }

    /// Skip and limit, if the store can cut the page out of the whole list by itself.
    pub(super) fn window(&self) -> Option<(i64, i64)> {
        let Paging {
            start_index,
            max_results,
        } = self.paging;
        let most = max_results.filter(|_| self.search == Search::All && self.is_bounded())?;
        Some((
            i64::try_from(start_index).unwrap_or(i64::MAX),
            i64::try_from(most).unwrap_or(i64::MAX),
        ))
    }

    /// The same list for entries of which the first ones have been skipped already.
    pub(super) fn skipped(&self) -> Wanted {
        let paging = Paging {
            start_index: 0,
            ..self.paging
        };
        Wanted {
            paging,
            ..self.clone()
        }
    }

    /// Begins a list of users.
    pub(super) fn users<'t>(
        &'t self,
        tx: &'t ReadTx<'t>,
        sink: Sink,
    ) -> Result<Users<'t>, Refusal> {
        Ok(Users {
            tx,
            wanted: self,
            list: UserList::new(sink, self.style.clone())?,
            page: Page::new(self.paging),
            batch: Vec::new(),
            batched: self.attributes || mentions_attributes(&self.search),
        })
    }

    /// Begins a list of groups.
    pub(super) fn groups<'t>(
        &'t self,
        tx: &'t ReadTx<'t>,
        sink: Sink,
    ) -> Result<Groups<'t>, Refusal> {
        Ok(Groups {
            tx,
            wanted: self,
            list: GroupList::new(sink, self.style.clone())?,
            page: Page::new(self.paging),
            with_attributes: self.attributes || mentions_attributes(&self.search),
        })
    }
}

/// A list of users being written. Give it users until it says to stop, then finish it.
pub(super) struct Users<'t> {
    tx: &'t ReadTx<'t>,
    wanted: &'t Wanted,
    list: UserList<Sink>,
    page: Page,
    /// Users who wait for their attributes.
    batch: Vec<User>,
    batched: bool,
}

impl Users<'_> {
    /// True if no further user can become part of the list.
    pub(super) fn is_full(&self) -> bool {
        self.page.is_full()
    }

    /// Takes the next user in order.
    pub(super) fn take(&mut self, user: User) -> Result<ControlFlow<()>, Refusal> {
        if self.batched {
            self.batch.push(user);
            if self.batch.len() >= ATTRIBUTES_BATCH {
                self.write_batch()?;
            }
        } else {
            self.write(&user, attributes::NONE)?;
        }
        Ok(self.page.flow())
    }

    /// Writes the end.
    pub(super) fn finish(mut self) -> Result<Sink, Refusal> {
        self.write_batch()?;
        Ok(self.list.finish()?)
    }

    fn write_batch(&mut self) -> Result<(), Refusal> {
        let batch = std::mem::take(&mut self.batch);
        let mut found = attributes_of(self.tx, &batch)?;
        for user in &batch {
            let attributes = found.remove(&user.pk).unwrap_or_default();
            self.write(user, &attributes)?;
        }
        Ok(())
    }

    fn write(&mut self, user: &User, all: &Attributes) -> Result<(), Refusal> {
        if !self.wanted.search.matches_user(user, all) || !self.page.admits() {
            return Ok(());
        }
        if self.wanted.full {
            let shown = if self.wanted.attributes {
                all
            } else {
                attributes::NONE
            };
            self.list.push(&super::user::shown(user, shown))?;
        } else {
            self.list.push_name(&user.name)?;
        }
        Ok(())
    }
}

/// The attributes of several users.
pub(super) fn attributes_of(
    tx: &ReadTx<'_>,
    users: &[User],
) -> Result<HashMap<UserPk, Attributes>, Refusal> {
    let pks: Vec<UserPk> = users.iter().map(|user| user.pk).collect();
    let mut found: HashMap<UserPk, Attributes> = HashMap::new();
    for (user, attribute) in tx.user_attributes_of_many(&pks)? {
        found
            .entry(user)
            .or_default()
            .insert(attribute.name, attribute.values);
    }
    Ok(found)
}

/// A list of groups being written. Give it groups until it says to stop, then finish it.
pub(super) struct Groups<'t> {
    tx: &'t ReadTx<'t>,
    wanted: &'t Wanted,
    list: GroupList<Sink>,
    page: Page,
    with_attributes: bool,
}

impl Groups<'_> {
    /// True if no further group can become part of the list.
    pub(super) fn is_full(&self) -> bool {
        self.page.is_full()
    }

    /// Takes the next group in order.
    pub(super) fn take(&mut self, group: &Group) -> Result<ControlFlow<()>, Refusal> {
        let all = match self.with_attributes {
            true => by_name(self.tx.group_attributes(group.pk)?),
            false => Attributes::new(),
        };
        if self.wanted.search.matches_group(group, &all) && self.page.admits() {
            if self.wanted.full {
                let shown = if self.wanted.attributes {
                    &all
                } else {
                    attributes::NONE
                };
                self.list.push(&super::group::shown(group, shown))?;
            } else {
                self.list.push_name(&group.name)?;
            }
        }
        Ok(self.page.flow())
    }

    /// Writes the end.
    pub(super) fn finish(self) -> Result<Sink, Refusal> {
        Ok(self.list.finish()?)
    }
}

/// Counts what is skipped and what is given.
struct Page {
    skip: u64,
    left: Option<u64>,
}

impl Page {
    fn new(paging: Paging) -> Page {
        Page {
            skip: paging.start_index,
            left: paging.max_results,
        }
    }

    fn is_full(&self) -> bool {
        self.left == Some(0)
    }

    fn flow(&self) -> ControlFlow<()> {
        match self.is_full() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Whether the next match is part of the page.
    fn admits(&mut self) -> bool {
        if self.is_full() {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        true
    }
}
