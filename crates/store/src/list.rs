//! Lists of the source: a page of the users or groups of a connector that match a filter.

use directory::ConnectorId;
use scim::{AttrRef, Facts, Node, Record, Resource, ResourceType};
use serde_json::{Value, json};

use crate::filter_plan::{FilterPlan, Listed};
use crate::source_groups::{GROUP_COLUMNS, SourceGroup};
use crate::source_members::MemberKind;
use crate::{ReadTx, Row, SourceUser, Sql, StoreError, source, source_groups};

/// A page of a list, in the order in which the resources were created.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// How many match altogether.
    pub total: i64,
    /// The ones of this page.
    pub items: Vec<T>,
}

/// Which part of the matching resources a page is.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// How many to pass over.
    pub skip: i64,
    /// How many to give at most.
    pub count: i64,
}

/// What is different between a list of users and one of groups.
struct Kind<T> {
    listed: Listed,
    from: &'static str,
    columns: &'static str,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
}

impl ReadTx<'_> {
    /// Users of a connector.
    pub fn list_source_users(
        &self,
        connector: ConnectorId,
        filter: Option<&Node>,
        window: Window,
    ) -> Result<Page<SourceUser>, StoreError> {
        let kind = Kind {
            listed: Listed::Users,
            from: "source_user u WHERE u.connector_pk = ",
            columns: source::USER_COLUMNS,
            read: source::read_user,
        };
        let Some(filter) = filter else {
            let total = self.source_counts(connector)?.users;
            return self.list_all(&kind, connector, total, window);
        };
        let plan = FilterPlan::of(Listed::Users, connector, filter);
        let with_groups = plan.needs("groups");
        self.list_planned(&kind, connector, &plan, window, |user, residual| {
            let groups = if with_groups {
                self.source_groups_of(connector, user.pk)?
            } else {
                Vec::new()
            };
            let groups = groups
                .into_iter()
                .map(|group| json!({"value": group.id, "display": group.display, "type": "direct"}))
                .collect();
            let resource = stored(&user.document)?;
            let record = Record {
                ty: ResourceType::user(),
                id: &user.id,
                resource: &resource,
                meta: &user.meta,
            };
            Ok(residual.matches(&WithList {
                record,
                name: "groups",
                elements: groups,
            }))
        })
    }

    /// Groups of a connector, without members.
    pub fn list_source_groups(
        &self,
        connector: ConnectorId,
        filter: Option<&Node>,
        window: Window,
    ) -> Result<Page<SourceGroup>, StoreError> {
        let kind = Kind {
            listed: Listed::Groups,
            from: "source_group g WHERE g.connector_pk = ",
            columns: GROUP_COLUMNS,
            read: source_groups::read_group,
        };
        let Some(filter) = filter else {
            let total = self.source_counts(connector)?.groups;
            return self.list_all(&kind, connector, total, window);
        };
        let plan = FilterPlan::of(Listed::Groups, connector, filter);
        let with_members = plan.needs("members");
        self.list_planned(&kind, connector, &plan, window, |group, residual| {
            let mut members = Vec::new();
            if with_members {
                self.source_members(group.pk, &mut |member| {
                    let kind = match member.kind {
                        MemberKind::User(_) => Some("User"),
                        MemberKind::Group(_) => Some("Group"),
                        MemberKind::Pending => None,
                    };
                    members.push(
                        json!({"value": member.value, "display": member.display, "type": kind}),
                    );
                    Ok(())
                })?;
            }
            let resource = stored(&group.document)?;
            let record = Record {
                ty: ResourceType::group(),
                id: &group.id,
                resource: &resource,
                meta: &group.meta,
            };
            Ok(residual.matches(&WithList {
                record,
                name: "members",
                elements: members,
            }))
        })
    }

    fn list_all<T>(
        &self,
        kind: &Kind<T>,
        connector: ConnectorId,
        total: i64,
        window: Window,
    ) -> Result<Page<T>, StoreError> {
        let sql = kind.start(connector);
        Ok(Page {
            total,
            items: self.page(kind, sql, window)?,
        })
    }

    fn list_planned<T>(
        &self,
        kind: &Kind<T>,
        connector: ConnectorId,
        plan: &FilterPlan,
        window: Window,
        matches: impl Fn(&T, &Node) -> Result<bool, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let condition = Sql::new(" AND (").and_then(plan.sql.clone()).then(")");
        let sql = kind.start(connector).and_then(condition.clone());
        let Some(residual) = &plan.residual else {
            let items = self.page(kind, sql, window)?;
            let seen = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let ended = seen < window.count && (seen > 0 || window.skip == 0);
            let total = if ended {
                window.skip + seen
            } else {
                self.count(kind, connector, condition)?
            };
            return Ok(Page { total, items });
        };
        let mut page = Page {
            total: 0,
            items: Vec::new(),
        };
        let sql = sql.then(kind.order());
        self.for_each(&sql.text(), sql.args(), |row| {
            let item = (kind.read)(row)?;
            if matches(&item, residual)? {
                if page.total >= window.skip
                    && page.total < window.skip.saturating_add(window.count)
                {
                    page.items.push(item);
                }
                page.total += 1;
            }
            Ok(())
        })?;
        Ok(page)
    }

    fn page<T>(&self, kind: &Kind<T>, sql: Sql, window: Window) -> Result<Vec<T>, StoreError> {
        if window.count == 0 {
            return Ok(Vec::new());
        }
        let sql = sql
            .then(kind.order())
            .then(" LIMIT ")
            .bind(window.count)
            .then(" OFFSET ")
            .bind(window.skip);
        self.query(&sql.text(), sql.args(), kind.read)
    }

    fn count<T>(
        &self,
        kind: &Kind<T>,
        connector: ConnectorId,
        condition: Sql,
    ) -> Result<i64, StoreError> {
        let sql = Sql::new("SELECT count(*) FROM ")
            .then(kind.from)
            .bind(connector.0)
            .and_then(condition);
        Ok(self
            .query_one(&sql.text(), sql.args(), |row| row.int(0))?
            .unwrap_or(0))
    }
}

impl<T> Kind<T> {
    fn start(&self, connector: ConnectorId) -> Sql {
        Sql::new("SELECT ")
            .then(self.columns)
            .then(" FROM ")
            .then(self.from)
            .bind(connector.0)
    }

    /// Numbers grow with creation and never change: a stable order between pages.
    fn order(&self) -> &'static str {
        match self.listed {
            Listed::Users => " ORDER BY u.pk",
            Listed::Groups => " ORDER BY g.pk",
        }
    }
}

fn stored(document: &str) -> Result<Resource, StoreError> {
    Resource::parse_stored(document)
        .map_err(|error| StoreError::corrupt(format!("document: {}", error.detail)))
}

/// A resource together with a list that is kept beside its document.
struct WithList<'a> {
    record: Record<'a>,
    name: &'static str,
    elements: Vec<Value>,
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
