//! Groups of a directory: search them, see one, list its members with their origins.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::Json;
use axum::extract::State;
use directory::{DirectoryId, Field, Group, Match, Origin, Search, SourceGroupPk, User, UserPk};
use jiff::Timestamp;
use provision::ProvisionError;
use serde::{Deserialize, Serialize};
use store::{NestedGroup, ReadTx, StoreError};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connector_groups::ConnectorGroupView;
use super::page::{List, Page, cut, limit};
use super::request::{Parameters, Segments};
use super::users::{OriginView, UserView, connector_names, origin_view, view};
use super::{Answer, directories};
use crate::App;
use crate::authority::Admin;
use crate::walk::first;

/// Groups of identity providers that are told of one group.
const SOURCES_MAX: i64 = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(members))
        .routes(routes!(sources))
}

/// A group in a list.
#[derive(Debug, Serialize, ToSchema)]
struct GroupView {
    /// Its name.
    name: String,
    /// A sentence about it; empty if none.
    description: String,
    /// Whether it was made here or by a product, rather than by a connector.
    local: bool,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
}

/// A group with everything that is known.
#[derive(Debug, Serialize, ToSchema)]
struct GroupDetail {
    #[serde(flatten)]
    group: GroupView,
    /// How many users are in it themselves.
    members: i64,
    /// How many users are in it or in a group below it, at any depth.
    members_below: i64,
    /// The groups directly in it, and why.
    children: Vec<NestedView>,
    /// The groups that it is directly in, and why.
    parents: Vec<NestedView>,
    /// How many source groups feed it.
    source_groups: i64,
    /// Attributes that products wrote.
    attributes: BTreeMap<String, Vec<String>>,
}

/// A group next to a group.
#[derive(Debug, Serialize, ToSchema)]
struct NestedView {
    /// Its name.
    name: String,
    /// Why the one is in the other.
    origins: Vec<OriginView>,
}

/// A user in a group.
#[derive(Debug, Serialize, ToSchema)]
struct MemberView {
    #[serde(flatten)]
    user: UserView,
    /// Why the user is in the group.
    origins: Vec<OriginView>,
}

/// Which groups to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GroupQuery {
    /// Text that the name or the description contains, in any case.
    search: Option<String>,
    /// Only groups whose name comes behind this one: `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Which members to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MemberQuery {
    /// Only users whose name comes behind this one: `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1000; 100 if left out.
    limit: Option<u32>,
}

/// Groups, in the order of their names.
#[utoipa::path(get, path = "/directories/{directory}/groups", operation_id = "list_groups", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), GroupQuery),
    responses((status = OK, body = Page<GroupView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(query): Parameters<GroupQuery>,
) -> Answer<Json<Page<GroupView>>> {
    let limit = limit(query.limit)?;
    directories::answer(&app, directory.0, move |tx, directory| {
        Ok(page(tx, directory, &query, limit)?)
    })
    .await
}

/// One group.
#[utoipa::path(get, path = "/directories/{directory}/groups/{group}", operation_id = "show_group", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("group" = String, Path, description = "The group's name"),
    ),
    responses((status = OK, body = GroupDetail)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<GroupDetail>> {
    let (directory, name) = path.0;
    directories::answer(&app, directory, move |tx, directory| {
        let group = find(tx, directory, &name)?;
        Ok(detail(tx, directory, group)?)
    })
    .await
}

/// The members of a group, in the order of their names, and why they are in it.
#[utoipa::path(get, path = "/directories/{directory}/groups/{group}/members", operation_id = "list_group_members", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("group" = String, Path, description = "The group's name"),
        MemberQuery,
    ),
    responses((status = OK, body = Page<MemberView>)))]
async fn members(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
    Parameters(query): Parameters<MemberQuery>,
) -> Answer<Json<Page<MemberView>>> {
    let limit = limit(query.limit)?;
    let (directory, name) = path.0;
    directories::answer(&app, directory, move |tx, directory| {
        let group = find(tx, directory, &name)?;
        Ok(page_of_members(tx, directory, &group, &query, limit)?)
    })
    .await
}

/// A group of an identity provider that feeds a group, or may.
#[derive(Debug, Serialize, ToSchema)]
struct GroupSourceView {
    /// The name of its connector.
    connector: String,
    #[serde(flatten)]
    group: ConnectorGroupView,
}

/// Groups of identity providers that feed a group, 100 at most, and those that wait until somebody decides whether they do.
#[utoipa::path(get, path = "/directories/{directory}/groups/{group}/sources", operation_id = "list_group_sources", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("group" = String, Path, description = "The group's name"),
    ),
    responses((status = OK, body = List<GroupSourceView>)))]
async fn sources(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<List<GroupSourceView>>> {
    let (directory, name) = path.0;
    let provision = app.provision().clone();
    directories::answer(&app, directory, move |tx, directory| {
        let group = find(tx, directory, &name)?;
        let found = provision.groups_behind(tx, directory, &group, SOURCES_MAX)?;
        let found = found.into_iter();
        let items = found.map(|(connector, listed)| GroupSourceView {
            connector,
            group: ConnectorGroupView::of(listed, tx.now()),
        });
        Ok(List {
            items: items.collect(),
        })
    })
    .await
}

/// The group of this name.
pub(super) fn find(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    name: &str,
) -> Result<Group, ProvisionError> {
    tx.directory_group(directory, name)?
        .ok_or_else(|| ProvisionError::not_found("group", name))
}

fn page(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    query: &GroupQuery,
    limit: usize,
) -> Result<Page<GroupView>, StoreError> {
    let search = query.search();
    let after = query.after.as_deref().unwrap_or_default();
    let mut found = first(
        limit + 1,
        |each| tx.each_directory_group(directory, after, each),
        |group: &Group| search.matches_group(group, &BTreeMap::new()),
    )?;
    Ok(Page {
        next: cut(&mut found, limit, |last| last.name.clone()),
        items: found.into_iter().map(GroupView::from).collect(),
    })
}

impl GroupQuery {
    fn search(&self) -> Search {
        let Some(text) = &self.search else {
            return Search::All;
        };
        let fields = [Field::Name, Field::Description];
        Search::Or(
            fields
                .map(|field| Search::Test {
                    field,
                    op: Match::Contains,
                    value: text.clone(),
                })
                .into(),
        )
    }
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            name: group.name,
            description: group.description,
            local: group.local,
            created: group.created,
            updated: group.updated,
        }
    }
}

fn detail(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    group: Group,
) -> Result<GroupDetail, StoreError> {
    let attributes = tx.group_attributes(group.pk)?.into_iter();
    let children = tx.child_groups(directory, group.pk)?;
    let parents = tx.parent_groups(directory, group.pk)?;
    Ok(GroupDetail {
        members: tx.count_group_users(group.pk)?,
        members_below: tx.count_users_below_group(group.pk)?,
        children: nested_views(tx, children)?,
        parents: nested_views(tx, parents)?,
        source_groups: tx.count_bindings(group.pk)?,
        attributes: attributes.map(|one| (one.name, one.values)).collect(),
        group: group.into(),
    })
}

/// The names of the source groups in these origins.
fn source_names<'o>(
    tx: &ReadTx<'_>,
    origins: impl Iterator<Item = &'o Origin>,
) -> Result<HashMap<SourceGroupPk, String>, StoreError> {
    let sources: BTreeSet<SourceGroupPk> = origins
        .filter_map(|origin| match origin {
            Origin::Idp(source) => Some(*source),
            _ => None,
        })
        .collect();
    let sources: Vec<SourceGroupPk> = sources.into_iter().collect();
    tx.source_group_names(&sources)
}

fn nested_views(tx: &ReadTx<'_>, nested: Vec<NestedGroup>) -> Result<Vec<NestedView>, StoreError> {
    let names = source_names(tx, nested.iter().flat_map(|one| &one.origins))?;
    let views = nested.into_iter().map(|one| NestedView {
        name: one.group.name,
        origins: one
            .origins
            .into_iter()
            .map(|origin| origin_view(origin, &names))
            .collect(),
    });
    Ok(views.collect())
}

fn page_of_members(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    group: &Group,
    query: &MemberQuery,
    limit: usize,
) -> Result<Page<MemberView>, StoreError> {
    let after = query.after.as_deref().unwrap_or_default();
    let mut found = first(
        limit + 1,
        |each| tx.each_user_of_group(directory, group.pk, after, each),
        |_: &User| true,
    )?;
    let next = cut(&mut found, limit, |last| last.name.clone());
    let connectors = connector_names(tx)?;
    let users: Vec<UserPk> = found.iter().map(|user| user.pk).collect();
    let mut origins = tx.membership_origins_of(group.pk, &users)?;
    let sources = source_names(tx, origins.values().flatten())?;
    let items = found.into_iter().map(|user| {
        let origins = origins.remove(&user.pk).unwrap_or_default().into_iter();
        MemberView {
            origins: origins
                .map(|origin| origin_view(origin, &sources))
                .collect(),
            user: view(user, &connectors),
        }
    });
    let items = items.collect();
    Ok(Page { items, next })
}
