//! Which part of a SCIM filter the indexes answer, and what is left to evaluate row by row.
//!
//! The planned condition holds for every resource that the filter matches, and perhaps for others; the rest of the filter,
//! if there is one, decides among those. Every rule here mirrors the evaluator of `scim`, so a filter means the
//! same wherever it is decided. There is no LIKE: a prefix is a range.

use directory::ConnectorId;
use scim::{AttrRef, Literal, Node, Op};

use crate::{Of, Sql, sql};

/// The groups that users are in, up to a condition on the users (`v`).
const USERS_IN_GROUPS: &str = "SELECT m.group_pk FROM source_user v JOIN source_member m ON m.user_pk = v.pk \
     WHERE v.connector_pk = ";
/// The groups that groups are in, up to a condition on the groups within (`h`).
const GROUPS_IN_GROUPS: &str = "SELECT n.group_pk FROM source_group h JOIN source_group_member n ON n.child_pk = h.pk \
     WHERE h.connector_pk = ";

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listed {
    /// Rows of `source_user`, called `u`.
    Users,
    /// Rows of `source_group`, called `g`.
    Groups,
}

/// A filter divided between the database and the evaluator.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterPlan {
    /// A condition on a row (`u` or `g`) of the connector.
    pub sql: Sql,
    /// What must hold besides; none if the condition says it all.
    pub residual: Option<Node>,
}

impl FilterPlan {
    /// Plans a filter of a list of one connector. The statement around the condition names the connector too.
    pub fn of(listed: Listed, connector: ConnectorId, filter: &Node) -> Self {
        let planner = Planner {
            listed,
            connector,
            in_element: false,
        };
        match planner.part(filter) {
            Some(Part { found, residual }) => Self {
                sql: planner.condition(found),
                residual,
            },
            None => Self {
                sql: Sql::new("1 = 1"),
                residual: Some(filter.clone()),
            },
        }
    }

    /// Whether the condition alone decides.
    pub fn exact(&self) -> bool {
        self.residual.is_none()
    }

    /// Whether the evaluation needs an attribute that is not part of the document, such as `members`.
    pub fn needs(&self, attribute: &str) -> bool {
        self.residual
            .as_ref()
            .is_some_and(|residual| mentions(residual, attribute))
    }
}

fn mentions(node: &Node, attribute: &str) -> bool {
    match node {
        Node::And(terms) | Node::Or(terms) => terms.iter().any(|term| mentions(term, attribute)),
        Node::Not(inner) => mentions(inner, attribute),
        Node::Test { attr, .. } | Node::Present(attr) | Node::Element { attr, .. } => {
            is_of(attr, attribute)
        }
    }
}

fn is_of(attr: &AttrRef, attribute: &str) -> bool {
    attr.extension().is_none() && attr.attr() == attribute
}

/// How the database finds resources.
enum Found {
    /// By a condition on a row.
    Where(Sql),
    /// By a query that gives row numbers.
    Keys(Sql),
}

/// The planned part of a node.
struct Part {
    found: Found,
    residual: Option<Node>,
}

impl Part {
    fn exact(found: Found) -> Self {
        Self {
            found,
            residual: None,
        }
    }
}

struct Planner {
    listed: Listed,
    connector: ConnectorId,
    /// Whether one element of a list is asked about. What another element has must not shut a resource out.
    in_element: bool,
}

impl Planner {
    /// What the indexes can say of a node; nothing if any resource may match it.
    fn part(&self, node: &Node) -> Option<Part> {
        match node {
            _ if node.is_always() => Some(Part::exact(Found::Where(Sql::new("1 = 1")))),
            _ if node.is_never() => Some(Part::exact(Found::Where(Sql::new("1 = 0")))),
            Node::And(terms) => self.all(terms),
            Node::Or(terms) => self.any(node, terms),
            // A user who was never called active counts as active in its column and as neither in a filter.
            Node::Test {
                attr,
                op: Op::Eq,
                value: Literal::Bool(true),
            } if self.is_active(attr) => Some(Part {
                found: Found::Where(Sql::new("u.active = 1")),
                residual: Some(node.clone()),
            }),
            Node::Test {
                attr,
                op: Op::Ne,
                value,
            } if !attr.multi_valued() => {
                Some(Part::exact(self.negated(self.test(attr, Op::Eq, value)?)))
            }
            Node::Test { attr, op, value } => self.test(attr, *op, value).map(Part::exact),
            Node::Element { attr, filter } => self.element(node, attr, filter),
            Node::Present(attr) => self.present(attr).map(Part::exact),
            Node::Not(_) if self.in_element => None,
            Node::Not(inner) => match self.part(inner)? {
                Part {
                    found,
                    residual: None,
                } => Some(Part::exact(self.negated(found))),
                _ => None,
            },
        }
    }

    /// What does not fit, with what has no value: a comparison with it is neither true nor false.
    fn negated(&self, found: Found) -> Found {
        Found::Where(
            Sql::new("CASE WHEN ")
                .and_then(self.condition(found))
                .then(" THEN 0 ELSE 1 END = 1"),
        )
    }

    fn present(&self, attr: &AttrRef) -> Option<Found> {
        let condition = match (self.listed, attr.name()) {
            (
                _,
                "id" | "meta" | "meta.created" | "meta.lastModified" | "meta.version" | "schemas",
            )
            | (Listed::Users, "userName")
            | (Listed::Groups, "displayName") => "1 = 1",
            (Listed::Users, "externalId") => "u.external_id <> ''",
            (Listed::Users, "displayName") => "u.display_name_fold <> ''",
            (Listed::Groups, "externalId") => "g.external_id <> ''",
            (Listed::Users, "emails.value") => {
                "EXISTS (SELECT 1 FROM source_email e WHERE e.user_pk = u.pk AND e.value_fold <> '')"
            }
            (Listed::Users, "groups" | "groups.value") => {
                "EXISTS (SELECT 1 FROM source_member m WHERE m.user_pk = u.pk)"
            }
            (Listed::Groups, "members" | "members.value") => {
                "(EXISTS (SELECT 1 FROM source_member m WHERE m.group_pk = g.pk) \
                 OR EXISTS (SELECT 1 FROM source_group_member n WHERE n.group_pk = g.pk) \
                 OR EXISTS (SELECT 1 FROM pending_reference p WHERE p.group_pk = g.pk))"
            }
            _ => return None,
        };
        Some(Found::Where(Sql::new(condition)))
    }

    /// Every term that can be planned narrows the candidates; the others are left.
    fn all(&self, terms: &[Node]) -> Option<Part> {
        let (mut conditions, mut left) = (Vec::new(), Vec::new());
        for term in terms {
            match self.part(term) {
                Some(Part { found, residual }) => {
                    conditions.push(self.condition(found));
                    left.extend(residual);
                }
                None => left.push(term.clone()),
            }
        }
        if conditions.is_empty() {
            return None;
        }
        let residual = match left.len() {
            0 => None,
            1 => left.pop(),
            _ => Some(Node::And(left)),
        };
        Some(Part {
            found: Found::Where(Sql::join(conditions, " AND ")),
            residual,
        })
    }

    /// A union, if every term can be planned.
    fn any(&self, node: &Node, terms: &[Node]) -> Option<Part> {
        let parts: Vec<Part> = terms
            .iter()
            .map(|term| self.part(term))
            .collect::<Option<_>>()?;
        let is_exact = parts.iter().all(|part| part.residual.is_none());
        let queries = parts.into_iter().map(|part| self.query(part.found));
        let found = Found::Keys(Sql::join(queries, " UNION "));
        Some(Part {
            found,
            residual: (!is_exact).then(|| node.clone()),
        })
    }

    /// `emails[type eq "work" and value eq "x"]`: a test of a part narrows the candidates, and decides only if
    /// it is all that is asked of the element.
    fn element(&self, node: &Node, attr: &AttrRef, filter: &Node) -> Option<Part> {
        if ["emails", "members", "groups"]
            .iter()
            .all(|list| !is_of(attr, list))
        {
            return None;
        }
        match filter {
            Node::Test { attr, op, value } => self.test(attr, *op, value).map(Part::exact),
            Node::And(_) | Node::Or(_) if !filter.is_always() && !filter.is_never() => {
                let inside = Self {
                    in_element: true,
                    ..*self
                };
                let part = inside.part(filter)?;
                // Two tests may have been met by two different elements.
                Some(Part {
                    residual: Some(node.clone()),
                    ..part
                })
            }
            _ => None,
        }
    }

    fn test(&self, attr: &AttrRef, op: Op, value: &Literal) -> Option<Found> {
        match value {
            // No stored text has this character, and no statement may.
            Literal::Text(text) if text.contains('\0') && (op == Op::Eq || op == Op::Sw) => {
                Some(Found::Where(Sql::new("1 = 0")))
            }
            Literal::Text(text) if !text.contains('\0') => self.text_test(attr, op, text),
            Literal::Time(time) => {
                let column = self.time_column(attr)?;
                time_test(column, op, time.as_nanosecond()).map(Found::Where)
            }
            // A user who was never called active or inactive counts as active in its column and as
            // neither in a filter.
            Literal::Bool(false) if op == Op::Eq && self.is_active(attr) => {
                Some(Found::Where(Sql::new("u.active = 0")))
            }
            _ => None,
        }
    }

    fn is_active(&self, attr: &AttrRef) -> bool {
        self.listed == Listed::Users && attr.name() == "active"
    }

    fn time_column(&self, attr: &AttrRef) -> Option<&'static str> {
        match (self.listed, attr.name()) {
            (Listed::Users, "meta.created") => Some("u.created"),
            (Listed::Users, "meta.lastModified") => Some("u.modified"),
            (Listed::Groups, "meta.created") => Some("g.created"),
            (Listed::Groups, "meta.lastModified") => Some("g.modified"),
            _ => None,
        }
    }

    fn text_test(&self, attr: &AttrRef, op: Op, text: &str) -> Option<Found> {
        let column = match (self.listed, attr.name()) {
            (Listed::Users, "id") => "u.id",
            (Listed::Users, "externalId") => "u.external_id",
            (Listed::Users, "userName") => "u.user_name_fold",
            (Listed::Users, "displayName") => "u.display_name_fold",
            (Listed::Groups, "id") => "g.id",
            (Listed::Groups, "externalId") => "g.external_id",
            (Listed::Groups, "displayName") => "g.display_name_fold",
            _ => return self.related_test(attr, op, text),
        };
        text_condition(column, op, text).map(Found::Where)
    }

    /// A test of a value that has rows of its own.
    fn related_test(&self, attr: &AttrRef, op: Op, text: &str) -> Option<Found> {
        let query = match (self.listed, attr.name()) {
            (Listed::Users, "emails.value") => self
                .start("SELECT e.user_pk FROM source_email e WHERE e.connector_pk = ")
                .and_then(text_condition("e.value_fold", op, text)?),
            (Listed::Users, "groups.value") => self
                .start(
                    "SELECT m.user_pk FROM source_group h JOIN source_member m ON m.group_pk = h.pk \
                     WHERE h.connector_pk = ",
                )
                .and_then(text_condition("h.id", op, text)?),
            (Listed::Users, "groups.display") => self
                .start(
                    "SELECT m.user_pk FROM source_group h JOIN source_member m ON m.group_pk = h.pk \
                     WHERE h.connector_pk = ",
                )
                .and_then(text_condition("h.display_name_fold", op, text)?),
            (Listed::Groups, "members.value") => return self.member_test(op, text),
            (Listed::Groups, "members.display") => return self.member_display_test(op, text),
            _ => return self.unique_test(attr, op, text),
        };
        Some(Found::Keys(query))
    }

    /// A value of a registered schema that one resource has at most. What is empty is not kept as such.
    fn unique_test(&self, attr: &AttrRef, op: Op, text: &str) -> Option<Found> {
        if !attr.unique() || attr.extension().is_none() || op != Op::Eq || text.is_empty() {
            return None;
        }
        let kind = match self.listed {
            Listed::Users => Of::User,
            Listed::Groups => Of::Group,
        };
        let query = self
            .start("SELECT q.resource_pk FROM unique_value q WHERE q.connector_pk = ")
            .then("q.kind = ")
            .bind(kind.as_str())
            .then(" AND q.attribute = ")
            .bind(attr.name().to_ascii_lowercase())
            .then(" AND q.value = ")
            .bind(text);
        Some(Found::Keys(query))
    }

    /// A member is a user, a group, or an id that is waited for.
    fn member_test(&self, op: Op, text: &str) -> Option<Found> {
        let user = self
            .start(USERS_IN_GROUPS)
            .and_then(text_condition("v.id", op, text)?);
        let group = self
            .start(GROUPS_IN_GROUPS)
            .and_then(text_condition("h.id", op, text)?);
        let pending = self
            .start("SELECT p.group_pk FROM pending_reference p WHERE p.connector_pk = ")
            .and_then(text_condition("p.value", op, text)?);
        Some(Found::Keys(Sql::join([user, group, pending], " UNION ")))
    }

    /// A member is shown by its `displayName`, or where it has none by its `userName`.
    fn member_display_test(&self, op: Op, text: &str) -> Option<Found> {
        let named =
            self.start(USERS_IN_GROUPS)
                .and_then(text_condition("v.display_name_fold", op, text)?);
        let nameless = self
            .start(USERS_IN_GROUPS)
            .then("v.display_name_fold IS NULL AND ")
            .and_then(text_condition("v.user_name_fold", op, text)?);
        let group =
            self.start(GROUPS_IN_GROUPS)
                .and_then(text_condition("h.display_name_fold", op, text)?);
        Some(Found::Keys(Sql::join([named, nameless, group], " UNION ")))
    }

    /// A query that has come to the connector, up to its next condition.
    fn start(&self, text: &'static str) -> Sql {
        Sql::new(text).bind(self.connector).then(" AND ")
    }

    /// As a condition on a row.
    fn condition(&self, found: Found) -> Sql {
        let member = match self.listed {
            Listed::Users => "u.pk IN (",
            Listed::Groups => "g.pk IN (",
        };
        match found {
            Found::Where(condition) => condition,
            Found::Keys(query) => Sql::new(member).and_then(query).then(")"),
        }
    }

    /// As a query for row numbers.
    fn query(&self, found: Found) -> Sql {
        let all = match self.listed {
            Listed::Users => "SELECT u.pk FROM source_user u WHERE u.connector_pk = ",
            Listed::Groups => "SELECT g.pk FROM source_group g WHERE g.connector_pk = ",
        };
        match found {
            Found::Where(condition) => self.start(all).and_then(condition),
            Found::Keys(query) => query,
        }
    }
}

/// A comparison of texts by their bytes, which is the order of their characters.
fn text_condition(column: &'static str, op: Op, text: &str) -> Option<Sql> {
    let compared = |operator: &'static str| Sql::new(column).then(operator).bind(text);
    match op {
        Op::Eq => Some(compared(" = ")),
        Op::Gt => Some(compared(" > ")),
        Op::Ge => Some(compared(" >= ")),
        Op::Lt => Some(compared(" < ")),
        Op::Le => Some(compared(" <= ")),
        Op::Sw => {
            let from = compared(" >= ");
            Some(match sql::after_prefix(text) {
                Some(end) => from.then(" AND ").then(column).then(" < ").bind(end),
                None => from,
            })
        }
        Op::Ne | Op::Co | Op::Ew => None,
    }
}

/// A comparison of a column of microseconds with an instant that may be finer.
fn time_test(column: &'static str, op: Op, nanoseconds: i128) -> Option<Sql> {
    let floor = i64::try_from(nanoseconds.div_euclid(1_000)).ok()?;
    let is_whole = nanoseconds.rem_euclid(1_000) == 0;
    let ceiling = if is_whole {
        floor
    } else {
        floor.checked_add(1)?
    };
    let compared = |operator: &'static str, bound: i64| Sql::new(column).then(operator).bind(bound);
    match op {
        Op::Eq if is_whole => Some(compared(" = ", floor)),
        Op::Eq => Some(Sql::new("1 = 0")),
        Op::Gt => Some(compared(" > ", floor)),
        Op::Ge => Some(compared(" >= ", ceiling)),
        Op::Lt => Some(compared(" < ", ceiling)),
        Op::Le => Some(compared(" <= ", floor)),
        Op::Ne | Op::Co | Op::Sw | Op::Ew => None,
    }
}

#[cfg(test)]
mod tests {
    use scim::{Filter, ResourceType};

    use super::*;

    fn plan(listed: Listed, filter: &str) -> FilterPlan {
        let ty = match listed {
            Listed::Users => ResourceType::user(),
            Listed::Groups => ResourceType::group(),
        };
        let node = Filter::parse(filter).unwrap().resolve(ty).unwrap();
        FilterPlan::of(listed, ConnectorId(3), &node)
    }

    fn users(filter: &str) -> (String, bool) {
        let plan = plan(Listed::Users, filter);
        (plan.sql.text(), plan.exact())
    }

    #[test]
    fn single_tests() {
        assert_eq!(
            users(r#"userName eq "JANE""#),
            ("u.user_name_fold = $1".to_owned(), true)
        );
        let sw = "u.user_name_fold >= $1 AND u.user_name_fold < $2".to_owned();
        assert_eq!(users(r#"userName sw "Ja""#), (sw, true));
        assert_eq!(
            users(r#"active eq false"#),
            ("u.active = 0".to_owned(), true)
        );
        for left in [
            r#"userName co "a""#,
            "title pr",
            "emails pr",
            "not (title pr)",
            r#"emails.value ne "x""#,
            r#"emails[not (value eq "x")]"#,
        ] {
            assert_eq!(users(left), ("1 = 1".to_owned(), false), "{left}");
        }
        assert_eq!(users("active eq true"), ("u.active = 1".to_owned(), false));
        assert_eq!(
            users("externalId pr"),
            ("u.external_id <> ''".to_owned(), true)
        );
    }

    #[test]
    fn what_does_not_fit_is_found_with_what_has_no_value() {
        let sql = "CASE WHEN u.external_id = $1 THEN 0 ELSE 1 END = 1".to_owned();
        assert_eq!(users(r#"not (externalId eq "1")"#), (sql.clone(), true));
        assert_eq!(users(r#"externalId ne "1""#), (sql, true));
        let (sql, exact) = users(r#"emails[type eq "work" and not (value eq "x")]"#);
        assert_eq!((sql.as_str(), exact), ("1 = 1", false));
        assert_eq!(
            users("not (id pr)").0,
            "CASE WHEN 1 = 1 THEN 0 ELSE 1 END = 1"
        );
    }

    #[test]
    fn the_indexed_terms_of_a_conjunction_narrow_it() {
        let plan = plan(
            Listed::Users,
            r#"title eq "x" and userName eq "a" and (id eq "1" and nickName pr)"#,
        );
        assert_eq!(plan.sql.text(), "u.user_name_fold = $1 AND u.id = $2");
        assert!(
            matches!(&plan.residual, Some(Node::And(left)) if left.len() == 2),
            "{:?}",
            plan.residual
        );
    }

    #[test]
    fn a_disjunction_needs_all_its_terms() {
        let (sql, exact) = users(r#"userName eq "a" or emails eq "b""#);
        assert_eq!(
            sql,
            "u.pk IN (SELECT u.pk FROM source_user u WHERE u.connector_pk = $1 AND u.user_name_fold = $2 \
             UNION SELECT e.user_pk FROM source_email e WHERE e.connector_pk = $3 AND e.value_fold = $4)"
        );
        assert!(exact);
        assert_eq!(
            users(r#"userName eq "a" or title eq "b""#),
            ("1 = 1".to_owned(), false)
        );
    }

    #[test]
    fn elements_decide_when_nothing_else_is_asked_of_them() {
        assert!(users(r#"emails[value eq "a@b.c"]"#).1);
        let (sql, exact) = users(r#"emails[type eq "work" and value eq "a@b.c"]"#);
        assert!(sql.contains("source_email") && !exact);
        assert_eq!(
            users(r#"phoneNumbers[value eq "1"]"#),
            ("1 = 1".to_owned(), false)
        );
    }

    #[test]
    fn values_that_one_resource_has_at_most_are_looked_up() {
        let document = serde_json::json!({
            "id": "urn:example:staff", "attributes": [
                { "name": "Badge", "type": "string", "uniqueness": "server" },
                { "name": "floor", "type": "string" },
            ],
        });
        let custom = scim::CustomSchema::parse(&document, false, true, false).unwrap();
        let types = scim::ResourceTypes::with(&[custom]).unwrap();
        let users = |filter: &str| {
            let node = Filter::parse(filter).unwrap().resolve(&types.user).unwrap();
            let plan = FilterPlan::of(Listed::Users, ConnectorId(3), &node);
            (plan.sql.text(), plan.sql.args().to_vec(), plan.exact())
        };
        let (sql, args, exact) = users(r#"urn:example:staff:badge eq "B-1""#);
        let looked_up = "u.pk IN (SELECT q.resource_pk FROM unique_value q WHERE q.connector_pk = $1 \
                         AND q.kind = $2 AND q.attribute = $3 AND q.value = $4)";
        assert_eq!((sql.as_str(), exact), (looked_up, true));
        assert_eq!(
            args[1..3],
            ["User".into(), "urn:example:staff:badge".into()]
        );
        assert_eq!(args[3], "b-1".into());
        for left in [
            r#"urn:example:staff:badge eq """#,
            r#"urn:example:staff:badge sw "B""#,
            r#"urn:example:staff:floor eq "1""#,
        ] {
            assert_eq!(users(left).0, "1 = 1", "{left}");
        }
    }

    #[test]
    fn what_is_not_in_the_document_is_told() {
        let decided = plan(Listed::Groups, r#"members eq "u1" and displayName sw "a""#);
        assert!(decided.exact() && !decided.needs("members"));
        let left = plan(
            Listed::Groups,
            r#"members[value eq "u1" and type eq "User"]"#,
        );
        assert!(!left.exact() && left.needs("members"));
        assert!(plan(Listed::Groups, r#"not (members[value eq "u1"])"#).exact());
    }

    #[test]
    fn members_are_found_by_what_they_are_shown_as() {
        let decided = plan(Listed::Groups, r#"members.display sw "An""#);
        assert!(decided.exact(), "{:?}", decided.sql.text());
        assert_eq!(decided.sql.text().matches("UNION").count(), 2);
        assert!(plan(Listed::Groups, r#"members[display eq "Ann"]"#).exact());
        for left in [r#"members.display co "n""#, "members.display pr"] {
            assert!(plan(Listed::Groups, left).needs("members"), "{left}");
        }
    }
}
