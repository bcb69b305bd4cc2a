//! How pages are read: which of the ways there are is the cheapest for a request.

use std::collections::HashMap;

use directory::{ConnectorId, SourceGroupPk, SourceUserPk};
use scim::{AttrRef, Facts, Node, Record, Resource, Sort, SortKey};
use serde_json::{Value, json};

use crate::filter_plan::{FilterPlan, Listed};
use crate::list::{Hint, ListError, ListPart, ListRequest, Page, Position, SourceItem, Window};
use crate::list_order::{By, Walk};
use crate::source_members::{MemberKind, SourceMember};
use crate::{GroupReference, ReadTx, Row, SourceGroup, SourceUser, Sql, StoreError};

/// Resources of which the lists beside their documents are read together.
const BESIDE_AT_ONCE: usize = 100;
/// Members that are read together; groups with more are looked at one by one.
const MEMBERS_AT_ONCE: usize = 20_000;

/// A part of a request with its filter planned.
pub(crate) struct Planned<'q> {
    pub(crate) part: ListPart<'q>,
    pub(crate) connector: ConnectorId,
    /// What the database decides.
    pub(crate) condition: Option<Sql>,
    /// What is left to be evaluated.
    pub(crate) residual: Option<Node>,
    /// Whether the list beside the document has to be read for it.
    with_beside: bool,
}

impl<'q> Planned<'q> {
    fn new(connector: ConnectorId, part: ListPart<'q>) -> Self {
        let plan = part
            .filter
            .map(|filter| FilterPlan::of(part.listed, connector, filter));
        let sorted_by = part.sort.and_then(Sort::attr);
        let beside = part.listed.beside();
        let with_beside = plan.as_ref().is_some_and(|plan| plan.needs(beside))
            || sorted_by.is_some_and(|attr| attr.extension().is_none() && attr.attr() == beside);
        let (condition, residual) = match plan {
            None => (None, None),
            Some(plan) => (Some(plan.sql), plan.residual),
        };
        Self {
            part,
            connector,
            condition,
            residual,
            with_beside,
        }
    }
}

impl ReadTx<'_> {
    /// A page of the source of a connector.
    pub fn list_source(
        &self,
        connector: ConnectorId,
        request: &ListRequest<'_>,
    ) -> Result<Page, ListError> {
        let parts: Vec<Planned<'_>> = request
            .parts
            .iter()
            .map(|part| Planned::new(connector, *part))
            .collect();
        let is_sorted = request.parts.iter().any(|part| part.sort.is_some());
        match (parts.as_slice(), request.window) {
            ([only], window) => self.list_part(only, window, request.with_total),
            (parts, window) if is_sorted => self.list_sorted(parts, window),
            (parts, Window::Index { skip, count, .. }) => self.list_in_turn(parts, skip, count),
            (parts, window) => self.list_from(parts, window, request.with_total),
        }
    }

    /// The place of one of a list in its order.
    pub fn position(
        &self,
        connector: ConnectorId,
        part: &ListPart<'_>,
        item: &SourceItem,
    ) -> Result<Position, StoreError> {
        let key = match part.sort {
            None => SortKey::ABSENT,
            Some(sort) => {
                let planned = Planned::new(
                    connector,
                    ListPart {
                        filter: None,
                        ..*part
                    },
                );
                self.examine(&planned, item, |facts| sort.key(facts))?
            }
        };
        Ok(Position {
            key,
            listed: part.listed,
            pk: item.pk(),
        })
    }

    /// A page of one kind of resource.
    fn list_part(
        &self,
        part: &Planned<'_>,
        window: Window<'_>,
        with_total: bool,
    ) -> Result<Page, ListError> {
        if part.part.filter.is_some_and(Node::is_never) {
            return Ok(Page::of(Some(0), Vec::new()));
        }
        let walk = Walk::new(part.part.listed, part.part.sort, &window);
        match (&walk.by, &part.residual, window) {
            (By::Computed, _, window) => self.list_sorted(std::slice::from_ref(part), window),
            (_, None, Window::Index { skip, count, hint }) => {
                Ok(self.list_index(part, walk, skip, count, hint)?)
            }
            (_, None, Window::Cursor { count, .. }) => {
                let items = self.ordered(part, &walk, 0, count.saturating_add(1))?;
                let total = self.total(part)?;
                Ok(Page::beyond(Some(total), items, &window))
            }
            (_, Some(residual), window) => {
                Ok(self.list_residual(part, &walk, residual, &window, with_total)?)
            }
        }
    }

    /// Rows that the database finds and orders, from a place on.
    fn list_index(
        &self,
        part: &Planned<'_>,
        mut walk: Walk,
        skip: i64,
        count: i64,
        hint: Option<Hint>,
    ) -> Result<Page, StoreError> {
        let (mut offset, mut known, mut deleted) = (skip, None, None);
        if part.condition.is_none() {
            let counts = self.source_counts(part.connector)?;
            let (total, gone) = match part.part.listed {
                Listed::Users => (counts.users, counts.users_deleted),
                Listed::Groups => (counts.groups, counts.groups_deleted),
            };
            (known, deleted) = (Some(total), Some(gone));
        }
        let by_number = matches!(walk.by, By::Number) && !walk.reversed;
        if let Some(hint) = hint
            && by_number
            && deleted == Some(hint.deleted)
            && hint.place <= skip
        {
            offset = skip - hint.place;
            walk.from = Some(Position {
                key: SortKey::ABSENT,
                listed: part.part.listed,
                pk: hint.pk,
            });
        }
        let items = self.ordered(part, &walk, offset, count)?;
        let seen = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let ended = seen < count && (seen > 0 || skip == 0);
        let total = match known {
            Some(total) => total,
            None if ended => skip.saturating_add(seen),
            None => self.total(part)?,
        };
        let hint = match (deleted, items.last()) {
            (Some(deleted), Some(last)) if by_number => Some(Hint {
                place: skip.saturating_add(seen),
                pk: last.pk(),
                deleted,
            }),
            _ => None,
        };
        Ok(Page {
            hint,
            ..Page::of(Some(total), items)
        })
    }

    /// Rows that the database orders and the evaluator chooses from.
    fn list_residual(
        &self,
        part: &Planned<'_>,
        walk: &Walk,
        residual: &Node,
        window: &Window<'_>,
        with_total: bool,
    ) -> Result<Page, StoreError> {
        let (skip, count, to_the_end) = match *window {
            Window::Index { skip, count, .. } => (skip, count, true),
            Window::Cursor { count, .. } => (0, count.saturating_add(1), with_total),
        };
        // Counted from a position on, it would not be the total.
        let counts_all = to_the_end && walk.from.is_none();
        let (mut seen, mut items) = (0, Vec::new());
        let mut choose = |candidates: Vec<SourceItem>| {
            let beside = self.beside(part, &candidates)?;
            for item in candidates {
                let elements = beside.get(&item.pk()).map_or(&[][..], Vec::as_slice);
                let matches = |facts: &dyn Facts| residual.matches(facts);
                if self.examine_with(part, &item, elements, matches)? {
                    if seen >= skip && seen < skip.saturating_add(count) {
                        items.push(item);
                    }
                    seen += 1;
                }
            }
            Ok::<_, StoreError>(counts_all || seen < skip.saturating_add(count))
        };
        // What is beside the documents is read for many of them together.
        let at_once = if part.with_beside { BESIDE_AT_ONCE } else { 1 };
        let mut waiting = Vec::with_capacity(at_once);
        self.each_ordered(part, walk, &mut |item| {
            waiting.push(item);
            match waiting.len() < at_once {
                true => Ok(true),
                false => choose(std::mem::take(&mut waiting)),
            }
        })?;
        choose(waiting)?;
        Ok(match window {
            Window::Index { .. } => Page::of(Some(seen), items),
            Window::Cursor { .. } => Page::beyond(counts_all.then_some(seen), items, window),
        })
    }

    /// How many the database finds.
    fn total(&self, part: &Planned<'_>) -> Result<i64, StoreError> {
        let Some(condition) = &part.condition else {
            let counts = self.source_counts(part.connector)?;
            return Ok(match part.part.listed {
                Listed::Users => counts.users,
                Listed::Groups => counts.groups,
            });
        };
        let sql = Sql::new("SELECT count(*)")
            .then(part.part.listed.from())
            .bind(part.connector.0)
            .then(" AND (")
            .and_then(condition.clone())
            .then(")");
        Ok(self
            .query_one(&sql.text(), sql.args(), |row| row.int(0))?
            .unwrap_or(0))
    }

    /// Several kinds one after the other, from a place on.
    fn list_in_turn(
        &self,
        parts: &[Planned<'_>],
        skip: i64,
        count: i64,
    ) -> Result<Page, ListError> {
        let (mut skip, mut count, mut whole) = (skip, count, Page::of(Some(0), Vec::new()));
        for part in parts {
            let window = Window::Index {
                skip,
                count,
                hint: None,
            };
            let page = self.list_part(part, window, true)?;
            let total = page.total.unwrap_or(0);
            skip = skip.saturating_sub(total).max(0);
            count -= i64::try_from(page.items.len()).unwrap_or(i64::MAX);
            whole.total = whole.total.map(|sum| sum.saturating_add(total));
            whole.items.extend(page.items);
        }
        Ok(whole)
    }

    /// Several kinds one after the other, next to a position.
    fn list_from(
        &self,
        parts: &[Planned<'_>],
        window: Window<'_>,
        with_total: bool,
    ) -> Result<Page, ListError> {
        let Window::Cursor {
            from,
            backwards,
            count,
        } = window
        else {
            return Ok(Page::of(Some(0), Vec::new()));
        };
        let mut order: Vec<&Planned<'_>> = parts.iter().collect();
        if backwards {
            order.reverse();
        }
        let mut total = Some(0_i64);
        let mut items: Vec<SourceItem> = Vec::new();
        let mut reached = from.is_none();
        for part in order {
            let begins = from.filter(|from| from.listed == part.part.listed);
            reached |= begins.is_some();
            let left = count.saturating_add(1) - i64::try_from(items.len()).unwrap_or(i64::MAX);
            let window = Window::Cursor {
                from: begins,
                backwards,
                count: if reached { left } else { 0 },
            };
            let page = self.list_part(part, window, with_total)?;
            total = total
                .zip(page.total)
                .map(|(sum, more)| sum.saturating_add(more));
            match backwards {
                true => drop(items.splice(0..0, page.items)),
                false => items.extend(page.items),
            }
        }
        if backwards {
            // Page::beyond expects what was found in the order in which it was found.
            items.reverse();
        }
        Ok(Page::beyond(total, items, &window))
    }

    /// The rows of a part, up to its own conditions.
    pub(crate) fn select(&self, part: &Planned<'_>) -> Sql {
        Sql::new("SELECT ")
            .then(part.part.listed.columns())
            .then(part.part.listed.from())
            .bind(part.connector.0)
    }

    pub(crate) fn read_item(
        &self,
        listed: Listed,
        row: &Row<'_>,
    ) -> Result<SourceItem, StoreError> {
        SourceItem::read(listed, row)
    }

    /// Asks something of a resource as filters and sorts see it.
    pub(crate) fn examine<T>(
        &self,
        part: &Planned<'_>,
        item: &SourceItem,
        ask: impl FnOnce(&dyn Facts) -> T,
    ) -> Result<T, StoreError> {
        let elements = match (item, part.with_beside) {
            (_, false) => Vec::new(),
            (SourceItem::User(user), true) => self.groups_of(part.connector, user)?,
            (SourceItem::Group(group), true) => self.members_of(group)?,
        };
        self.examine_with(part, item, &elements, ask)
    }

    /// The lists beside the documents of several resources, by their numbers; read together unless they are very
    /// long.
    fn beside(
        &self,
        part: &Planned<'_>,
        items: &[SourceItem],
    ) -> Result<HashMap<i64, Vec<Value>>, StoreError> {
        let mut beside: HashMap<i64, Vec<Value>> = HashMap::with_capacity(items.len());
        if !part.with_beside {
            return Ok(beside);
        }
        match part.part.listed {
            Listed::Users => {
                let users: Vec<SourceUserPk> =
                    items.iter().map(|item| SourceUserPk(item.pk())).collect();
                for (user, groups) in self.source_groups_of_many(part.connector, &users)? {
                    beside.insert(user.0, groups.iter().map(group_shown).collect());
                }
            }
            Listed::Groups => {
                let groups: Vec<SourceGroupPk> =
                    items.iter().map(|item| SourceGroupPk(item.pk())).collect();
                match self.source_members_of_many(&groups, MEMBERS_AT_ONCE)? {
                    Some(members) => {
                        for (group, member) in &members {
                            beside
                                .entry(group.0)
                                .or_default()
                                .push(member_shown(member));
                        }
                    }
                    None => {
                        for item in items {
                            if let SourceItem::Group(group) = item {
                                beside.insert(item.pk(), self.members_of(group)?);
                            }
                        }
                    }
                }
            }
        }
        Ok(beside)
    }

    fn examine_with<T>(
        &self,
        part: &Planned<'_>,
        item: &SourceItem,
        elements: &[Value],
        ask: impl FnOnce(&dyn Facts) -> T,
    ) -> Result<T, StoreError> {
        let (id, meta, document) = item.parts();
        let resource = Resource::parse_stored(document)
            .map_err(|error| StoreError::corrupt(format!("document: {}", error.detail)))?;
        let record = Record {
            ty: part.part.ty,
            id,
            resource: &resource,
            meta,
        };
        let name = part.part.listed.beside();
        Ok(ask(&WithList {
            record,
            name,
            elements,
        }))
    }

    fn groups_of(
        &self,
        connector: ConnectorId,
        user: &SourceUser,
    ) -> Result<Vec<Value>, StoreError> {
        let groups = self.source_groups_of(connector, user.pk)?;
        Ok(groups.iter().map(group_shown).collect())
    }

    fn members_of(&self, group: &SourceGroup) -> Result<Vec<Value>, StoreError> {
        let mut members = Vec::new();
        self.source_members(group.pk, &mut |member| {
            members.push(member_shown(&member));
            Ok(())
        })?;
        Ok(members)
    }
}

fn group_shown(group: &GroupReference) -> Value {
    json!({"value": group.id, "display": group.display, "type": "direct"})
}

fn member_shown(member: &SourceMember) -> Value {
    let kind = match member.kind {
        MemberKind::User(_) => Some("User"),
        MemberKind::Group(_) => Some("Group"),
        MemberKind::Pending => None,
    };
    json!({"value": member.value, "display": member.display, "type": kind})
}

/// A resource together with a list that is kept beside its document.
struct WithList<'a> {
    record: Record<'a>,
    name: &'static str,
    elements: &'a [Value],
}

impl Facts for WithList<'_> {
    fn any(&self, attr: &AttrRef, test: &mut dyn FnMut(&Value) -> bool) -> bool {
        if attr.extension().is_some() || attr.attr() != self.name {
            return self.record.any(attr, test);
        }
        let mut elements = self.elements.iter();
        match attr.sub() {
            Some(sub) => elements.any(|element| element.get(sub).is_some_and(&mut *test)),
            None => elements.any(test),
        }
    }
}
