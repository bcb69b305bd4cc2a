//! Lists and searches: `GET /Users`, `GET /Groups`, `GET` of the base URL for both together, and `POST` of the
//! same to `.search` (RFC 7644, 3.4.2 and 3.4.3).

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use directory::{ConnectorId, SourceUserPk};
use provision::ProvisionError;
use scim::{ListQuery, Paging, ResourceTypes, ScimError, SearchRequest, catalogue, render};
use store::{
    GroupReference, ListError, ListPart, ListRequest, Listed, Position, ReadTx, SORTED_MAX,
    SourceItem, SourceUser, Window,
};

use super::cursor::{Cursor, Seal};
use super::page::{self, Hints};
use super::reply::{self, Reply};
use super::request::Call;
use super::stream::Out;
use super::{members, scim_error, stream, users};
use crate::limits::SEARCH_BODY_BYTES_MAX;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Searched {
    Users,
    Groups,
    /// Users, then groups.
    All,
}

impl Searched {
    fn kinds(self) -> &'static [Listed] {
        match self {
            Searched::Users => &[Listed::Users],
            Searched::Groups => &[Listed::Groups],
            Searched::All => &[Listed::Users, Listed::Groups],
        }
    }
}

/// Answers a GET.
pub(super) async fn list(call: &Call, searched: Searched) -> Reply {
    answer(call, searched, call.search_request()?).await
}

/// Answers a POST to `.search`.
pub(super) async fn search(call: &Call, searched: Searched, body: Body) -> Reply {
    let body = call.object(body, SEARCH_BODY_BYTES_MAX).await?;
    answer(call, searched, SearchRequest::from_body(body)?).await
}

async fn answer(call: &Call, searched: Searched, request: SearchRequest) -> Reply {
    let asked = Arc::new(Asked::new(call, searched, &request)?);
    if asked
        .groups
        .as_ref()
        .is_some_and(members::Showing::with_members)
    {
        return stream::answer(call, false, move |tx, out| asked.write(tx, out)).await;
    }
    let at_once = asked.finds_few();
    let store = call.face.app.provision().store();
    // Written where it is read: what was read is in memory for as many pages as there are readers, no more.
    let write = move |tx: &mut ReadTx<'_>| Ok::<_, ProvisionError>(asked.show(&asked.read(tx)?)?);
    let shown = match at_once {
        true => store.look_up(write).await,
        false => store.read(write).await,
    };
    Ok(reply::shown(shown.map_err(scim_error)?))
}

/// A list that is asked for.
struct Asked {
    connector: ConnectorId,
    types: Arc<ResourceTypes>,
    queries: Vec<(Listed, ListQuery)>,
    /// What a cursor of this list belongs to.
    binding: String,
    hints: Arc<Hints>,
    users: Option<users::Showing>,
    groups: Option<members::Showing>,
}

/// The groups of the users of a page.
type GroupsOfUsers = HashMap<SourceUserPk, Vec<GroupReference>>;

/// A page as it was read.
struct Found {
    head: String,
    items: Vec<SourceItem>,
    groups: GroupsOfUsers,
}

impl Found {
    fn groups_of(&self, user: &SourceUser) -> &[GroupReference] {
        self.groups.get(&user.pk).map_or(&[], Vec::as_slice)
    }
}

impl Asked {
    fn new(call: &Call, searched: Searched, request: &SearchRequest) -> Result<Asked, ScimError> {
        let types = Arc::clone(&call.caller.connector.types);
        let of = |listed: &Listed| match listed {
            Listed::Users => &types.user,
            Listed::Groups => &types.group,
        };
        let together: Vec<_> = searched.kinds().iter().map(of).collect();
        let queries: Vec<(Listed, ListQuery)> = searched
            .kinds()
            .iter()
            .map(|listed| Ok((*listed, request.resolve_among(of(listed), &together)?)))
            .collect::<Result<_, ScimError>>()?;
        let projection = |wanted: Listed| {
            let mut queries = queries.iter();
            let found = queries.find(|(listed, _)| *listed == wanted);
            found.map(|(_, query)| query.projection.clone())
        };
        Ok(Asked {
            connector: call.connector(),
            users: projection(Listed::Users)
                .map(|projection| users::Showing::new(call, projection)),
            groups: projection(Listed::Groups)
                .map(|projection| members::Showing::new(call, projection)),
            binding: format!("{}\n{searched:?}\n{}", call.connector(), request.identity()),
            hints: Arc::clone(&call.face.hints),
            types,
            queries,
        })
    }

    fn finds_few(&self) -> bool {
        self.queries.iter().all(|(_, query)| page::finds_one(query))
    }

    fn parts(&self) -> Vec<ListPart<'_>> {
        self.queries
            .iter()
            .map(|(listed, query)| ListPart {
                listed: *listed,
                ty: match listed {
                    Listed::Users => &self.types.user,
                    Listed::Groups => &self.types.group,
                },
                filter: query.filter.as_ref(),
                sort: query.sort.as_ref(),
            })
            .collect()
    }

    /// Reads the page, up to its resources.
    fn page(&self, tx: &ReadTx<'_>) -> Result<(String, Vec<SourceItem>), ProvisionError> {
        let parts = self.parts();
        let Some((_, query)) = self.queries.first() else {
            return Ok((render::list_head(0, 1, 0), Vec::new()));
        };
        match &query.paging {
            Paging::Index { start } => self.page_by_index(tx, &parts, *start, query.count.into()),
            Paging::Cursor(cursor) => self.page_by_cursor(tx, &parts, cursor, query.count.into()),
        }
    }

    fn page_by_index(
        &self,
        tx: &ReadTx<'_>,
        parts: &[ListPart<'_>],
        start: u64,
        count: i64,
    ) -> Result<(String, Vec<SourceItem>), ProvisionError> {
        let skip = i64::try_from(start.saturating_sub(1)).unwrap_or(i64::MAX);
        let whole = match parts {
            [only] if only.filter.is_none() && only.sort.is_none() => Some(only.listed),
            _ => None,
        };
        let hint = whole.and_then(|listed| self.hints.nearest(self.connector, listed, skip));
        let request = ListRequest {
            parts,
            window: Window::Index { skip, count, hint },
            with_total: true,
        };
        let page = tx.list_source(self.connector, &request).map_err(refused)?;
        if let Some((listed, hint)) = whole.zip(page.hint) {
            self.hints.keep(self.connector, listed, hint);
        }
        let total = page.total.unwrap_or(0).unsigned_abs();
        let head = render::list_head(total, start, page.items.len());
        Ok((head, page.items))
    }

    fn page_by_cursor(
        &self,
        tx: &ReadTx<'_>,
        parts: &[ListPart<'_>],
        cursor: &str,
        count: i64,
    ) -> Result<(String, Vec<SourceItem>), ProvisionError> {
        let seal = Seal::new(tx, &self.binding)?;
        let cursor = match cursor {
            "" => None,
            text => Some(seal.open(text)?),
        };
        // Nothing but the total is asked for.
        let cursor = cursor.filter(|_| count > 0);
        let backwards = cursor.as_ref().is_some_and(|cursor| cursor.backwards);
        let from = cursor.as_ref().map(|cursor| &cursor.position);
        let request = ListRequest {
            parts,
            window: Window::Cursor {
                from,
                backwards,
                count,
            },
            with_total: from.is_none(),
        };
        let page = tx.list_source(self.connector, &request).map_err(refused)?;
        let end = |item: Option<&SourceItem>, backwards: bool| {
            let position = match (item, from) {
                (Some(item), _) => self.position(tx, parts, item)?,
                (None, Some(from)) => self.around(from, backwards),
                (None, None) => return Ok(None),
            };
            let cursor = Cursor {
                position,
                backwards,
            };
            let sealed = seal.close(&cursor, *tx.new_id().as_bytes());
            Ok::<_, ProvisionError>(sealed)
        };
        let (begins, ends) = (page.items.first(), page.items.last());
        let (previous, next) = match backwards {
            false => (
                from.map(|_| end(begins, true)).transpose()?.flatten(),
                (page.more && count > 0)
                    .then(|| end(ends, false))
                    .transpose()?
                    .flatten(),
            ),
            true => (
                page.more.then(|| end(begins, true)).transpose()?.flatten(),
                end(ends, false)?,
            ),
        };
        let total = page.total.map(i64::unsigned_abs);
        let head = render::cursor_head(
            total,
            page.items.len(),
            previous.as_deref(),
            next.as_deref(),
        );
        Ok((head, page.items))
    }

    fn position(
        &self,
        tx: &ReadTx<'_>,
        parts: &[ListPart<'_>],
        item: &SourceItem,
    ) -> Result<Position, ProvisionError> {
        let listed = match item {
            SourceItem::User(_) => Listed::Users,
            SourceItem::Group(_) => Listed::Groups,
        };
        let part = parts.iter().find(|part| part.listed == listed);
        let part = part
            .ok_or_else(|| catalogue::INTERNAL_ERROR.error("A list has what was not searched."))?;
        Ok(tx.position(self.connector, part, item)?)
    }

    /// A position from which the resource at `from` itself is reached as well: all that followed it is gone.
    fn around(&self, from: &Position, backwards: bool) -> Position {
        let mut queries = self.queries.iter();
        let descending =
            queries.any(|(_, query)| query.sort.as_ref().is_some_and(scim::Sort::descending));
        let step = if descending == backwards { -1 } else { 1 };
        Position {
            pk: from.pk + step,
            ..from.clone()
        }
    }

    fn read(&self, tx: &ReadTx<'_>) -> Result<Found, ProvisionError> {
        let (head, items) = self.page(tx)?;
        let groups = self.groups_of(tx, &items)?;
        Ok(Found {
            head,
            items,
            groups,
        })
    }

    /// The groups of all users of a page, if they are shown.
    fn groups_of(
        &self,
        tx: &ReadTx<'_>,
        items: &[SourceItem],
    ) -> Result<GroupsOfUsers, ProvisionError> {
        if !self.users.as_ref().is_some_and(users::Showing::with_groups) {
            return Ok(GroupsOfUsers::new());
        }
        let pks: Vec<_> = items
            .iter()
            .filter_map(|item| match item {
                SourceItem::User(user) => Some(user.pk),
                SourceItem::Group(_) => None,
            })
            .collect();
        Ok(tx.source_groups_of_many(self.connector, &pks)?)
    }

    /// The answer, in memory.
    fn show(&self, found: &Found) -> Result<String, ScimError> {
        let mut text = found.head.clone();
        for (nth, item) in found.items.iter().enumerate() {
            if nth > 0 {
                text.push(',');
            }
            match (item, &self.users, &self.groups) {
                (SourceItem::User(user), Some(users), _) => {
                    text.push_str(&users.shown(user, found.groups_of(user))?);
                }
                (SourceItem::Group(group), _, Some(groups)) => {
                    text.push_str(&groups.shown_without_members(group)?);
                }
                _ => {}
            }
        }
        text.push_str(render::LIST_END);
        Ok(text)
    }

    /// The answer, piece by piece.
    fn write(&self, tx: &ReadTx<'_>, out: &mut Out) -> Result<(), stream::Halt> {
        let found = self.read(tx)?;
        let items = &found.items;
        out.push(|text| text.push_str(&found.head))?;
        let mut ahead = members::Ahead::default();
        for (nth, item) in items.iter().enumerate() {
            if nth > 0 {
                out.push(|text| text.push(','))?;
            }
            match (item, &self.users, &self.groups) {
                (SourceItem::User(user), Some(users), _) => {
                    let shown = users
                        .shown(user, found.groups_of(user))
                        .map_err(ProvisionError::from)?;
                    out.push(|text| text.push_str(&shown))?;
                }
                (SourceItem::Group(group), _, Some(groups)) => {
                    let rest = items.iter().skip(nth).filter_map(|item| match item {
                        SourceItem::Group(group) => Some(group),
                        SourceItem::User(_) => None,
                    });
                    match ahead.members(tx, rest)? {
                        Some(members) => groups.write_with(group, out, |each| {
                            members.into_iter().try_for_each(each)
                        })?,
                        None => groups.write(tx, group, out)?,
                    }
                }
                _ => {}
            }
        }
        out.push(|text| text.push_str(render::LIST_END))
    }
}

fn refused(error: ListError) -> ProvisionError {
    match error {
        ListError::Store(error) => error.into(),
        ListError::TooMany => catalogue::TOO_MANY_TO_SORT.error(format!(
            "More than {SORTED_MAX} resources match, which is too many to sort by this attribute. Narrow the filter, or sort by id, userName, externalId, displayName, meta.created or meta.lastModified."
        ))
        .into(),
    }
}
