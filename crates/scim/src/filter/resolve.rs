//! Gives a filter its meaning: finds the attributes in the schema and types the values.

use jiff::Timestamp;
use serde_json::Value;

use super::{Facts, Filter, Literal, Node, Op, Operand};
use crate::catalogue;
use crate::name::{echo, fold};
use crate::path::{Place, Spot};
use crate::schema::{Kind, ResourceType};
use crate::{AttrPath, AttrRef, ScimError};

impl Filter {
    /// Finds the attributes of a resource type and types the values. Attributes that are never returned
    /// can't be compared, or a filter would tell what no answer tells.
    pub fn resolve(&self, ty: &ResourceType) -> Result<Node, ScimError> {
        self.resolve_among(ty, &[ty])
    }

    /// The same for one of several types that are searched together (RFC 7644, 3.4.2.1): an attribute that
    /// only another of them has counts as one without a value.
    pub fn resolve_among(
        &self,
        ty: &ResourceType,
        types: &[&ResourceType],
    ) -> Result<Node, ScimError> {
        resolve(
            self,
            Scope {
                ty,
                types,
                list: None,
            },
        )
    }

    /// The same for a filter in brackets after a list.
    pub(crate) fn resolve_in(&self, ty: &ResourceType, list: Spot<'_>) -> Result<Node, ScimError> {
        if !list.attribute.multi_valued {
            return Err(catalogue::FILTER_COMPARISON_WRONG.error(format!(
                "'{}' is not a list, so nothing in it can be compared. Leave the brackets out.",
                list.name()
            )));
        }
        resolve(
            self,
            Scope {
                ty,
                types: &[],
                list: Some(list),
            },
        )
    }
}

/// Whether it is an address of a resource of ours.
fn is_address(spot: &Spot<'_>) -> bool {
    let name = spot.name();
    let mut addresses = ["meta.location", "members.$ref", "groups.$ref"].iter();
    addresses.any(|address| name.eq_ignore_ascii_case(address))
}

/// Where names are looked up: in the resource, or among the parts of a list's elements.
#[derive(Clone, Copy)]
struct Scope<'t> {
    ty: &'t ResourceType,
    /// The types that are searched together.
    types: &'t [&'t ResourceType],
    list: Option<Spot<'t>>,
}

impl<'t> Scope<'t> {
    fn spot(&self, path: &AttrPath) -> Result<Spot<'t>, ScimError> {
        let found = match self.list {
            Some(list) if path.urn.is_none() && path.sub.is_none() => list.part(&path.attr),
            Some(_) => None,
            None => match self.ty.place(path) {
                Some(Place::Spot(spot)) => Some(spot),
                _ => None,
            },
        };
        match found {
            // Addresses are made for each answer and stored nowhere.
            Some(spot) if spot.is_secret() || is_address(&spot) => {
                let entry = match spot.is_secret() {
                    true => &catalogue::FILTER_ON_SECRET,
                    false => &catalogue::FILTER_ATTRIBUTE_NOT_OFFERED,
                };
                let name = spot.name();
                let other = if name.ends_with(".$ref") {
                    "the id in 'value'"
                } else {
                    "another attribute, such as userName"
                };
                Err(entry.error(format!(
                    "'{name}' can't be used in a filter. Look for {other}."
                )))
            }
            Some(spot) => Ok(spot),
            None => Err(catalogue::FILTER_ATTRIBUTE_UNKNOWN.error(self.unknown(path))),
        }
    }

    /// Whether only another type has the attribute.
    fn is_elsewhere(&self, path: &AttrPath) -> bool {
        let has = |ty: &ResourceType| matches!(ty.place(path), Some(Place::Spot(_)));
        self.list.is_none() && !has(self.ty) && self.types.iter().any(|ty| has(ty))
    }

    fn unknown(&self, path: &AttrPath) -> String {
        match self.list {
            Some(list) if list.attribute.is_plain_list() => format!(
                "The values of '{}' have no part '{}': compare them by 'value'.",
                list.name(),
                echo(&path.to_string())
            ),
            Some(list) => format!(
                "The values of '{}' have no part '{}'.",
                list.name(),
                echo(&path.to_string())
            ),
            None => path.unknown_to(self.ty),
        }
    }
}

fn resolve(filter: &Filter, scope: Scope<'_>) -> Result<Node, ScimError> {
    Ok(match filter {
        Filter::And(terms) => all(terms, scope)?,
        Filter::Or(terms) => any(terms, scope)?,
        Filter::Not(inner) => match resolve(inner, scope)? {
            inner if inner.is_always() => Node::never(),
            inner if inner.is_never() => Node::always(),
            inner => Node::Not(Box::new(inner)),
        },
        Filter::Present(path) if scope.is_elsewhere(path) => Node::never(),
        Filter::Present(path) => of_type(Node::Present(scope.spot(path)?.attr_ref()), scope),
        Filter::Test { path, op, value } if scope.is_elsewhere(path) => {
            // What has no value differs from every value, and is null.
            match (*op == Op::Ne) != value.is_null() {
                true => Node::always(),
                false => Node::never(),
            }
        }
        Filter::Test { path, op, value } => of_type(test(scope.spot(path)?, *op, value)?, scope),
        Filter::Element { path, .. } if scope.is_elsewhere(path) => Node::never(),
        Filter::Element { path, filter } => {
            let list = scope.spot(path)?;
            let inner = filter.resolve_in(scope.ty, list)?;
            Node::Element {
                attr: list.attr_ref(),
                filter: Box::new(inner),
            }
        }
    })
}

/// All resources of a type have the same `meta.resourceType`, so that what is asked of it is decided here.
fn of_type(node: Node, scope: Scope<'_>) -> Node {
    struct TypeName<'t>(&'t str);
    impl Facts for TypeName<'_> {
        fn any(&self, _attr: &AttrRef, test: &mut dyn FnMut(&Value) -> bool) -> bool {
            test(&self.0.into())
        }
    }
    let attr = match &node {
        Node::Present(attr) | Node::Test { attr, .. } if scope.list.is_none() => attr,
        _ => return node,
    };
    match attr.name() == "meta.resourceType" {
        true if node.matches(&TypeName(&scope.ty.name)) => Node::always(),
        true => Node::never(),
        false => node,
    }
}

/// The terms of an `and`, with those of terms of the same kind.
fn all(terms: &[Filter], scope: Scope<'_>) -> Result<Node, ScimError> {
    let mut nodes = Vec::with_capacity(terms.len());
    let mut never = false;
    for term in terms {
        match resolve(term, scope)? {
            Node::And(inner) => nodes.extend(inner),
            node if node.is_never() => never = true,
            node => nodes.push(node),
        }
    }
    Ok(match (never, nodes.len()) {
        (true, _) => Node::never(),
        (false, 1) => nodes.pop().unwrap_or(Node::always()),
        (false, _) => Node::And(nodes),
    })
}

/// The terms of an `or`, with those of terms of the same kind.
fn any(terms: &[Filter], scope: Scope<'_>) -> Result<Node, ScimError> {
    let mut nodes = Vec::with_capacity(terms.len());
    let mut always = false;
    for term in terms {
        match resolve(term, scope)? {
            Node::Or(inner) => nodes.extend(inner),
            node if node.is_always() => always = true,
            node => nodes.push(node),
        }
    }
    Ok(match (always, nodes.len()) {
        (true, _) => Node::always(),
        (false, 1) => nodes.pop().unwrap_or(Node::never()),
        (false, _) => Node::Or(nodes),
    })
}

fn test(spot: Spot<'_>, op: Op, value: &Operand) -> Result<Node, ScimError> {
    let spot = comparable(spot)?;
    if value.is_null() {
        return null_test(spot, op);
    }
    check_op(spot, op)?;
    let value = literal(spot, value)?;
    Ok(Node::Test {
        attr: spot.attr_ref(),
        op,
        value,
    })
}

/// A complex attribute is compared by its `value`: `manager eq "x"`, `members eq "x"`, `emails co "x"`.
pub(crate) fn comparable(spot: Spot<'_>) -> Result<Spot<'_>, ScimError> {
    if spot.target().kind != Kind::Complex {
        return Ok(spot);
    }
    match spot.attribute.sub("value") {
        Some(value) => Ok(spot.with_sub(value)),
        None => Err(catalogue::FILTER_COMPARISON_WRONG.error(format!(
            "'{}' is an object and can't be compared; name one of its parts, such as {}.",
            spot.name(),
            spot.attribute
                .sub_attributes
                .first()
                .map_or(String::new(), |part| spot.with_sub(part).name()),
        ))),
    }
}

/// `eq null` asks for absence (RFC 7643, 2.5: null is the same as no value).
fn null_test(spot: Spot<'_>, op: Op) -> Result<Node, ScimError> {
    let present = Node::Present(spot.attr_ref());
    match op {
        Op::Eq => Ok(Node::Not(Box::new(present))),
        Op::Ne => Ok(present),
        _ => Err(catalogue::FILTER_COMPARISON_WRONG.error(
            "null can be compared with eq and ne only. Use pr to ask whether there is a value.",
        )),
    }
}

fn check_op(spot: Spot<'_>, op: Op) -> Result<(), ScimError> {
    let kind = spot.target().kind;
    let allowed = match kind {
        Kind::Boolean | Kind::Binary => !op.is_ordering() && !op.is_partial(),
        Kind::Integer | Kind::Decimal | Kind::DateTime => !op.is_partial(),
        Kind::Text | Kind::Reference | Kind::Complex => true,
    };
    if allowed {
        return Ok(());
    }
    let detail = format!(
        "'{}' is of type {} and can't be compared with {}. Use eq.",
        spot.name(),
        kind.as_str(),
        op.as_str()
    );
    Err(catalogue::FILTER_COMPARISON_WRONG.error(detail))
}

fn literal(spot: Spot<'_>, value: &Operand) -> Result<Literal, ScimError> {
    let text = value.as_str();
    let target = spot.target();
    let typed = match target.kind {
        Kind::Boolean => as_bool(text).map(Literal::Bool),
        Kind::Integer | Kind::Decimal => text
            .parse()
            .ok()
            .filter(|n: &f64| n.is_finite())
            .map(Literal::Number),
        Kind::DateTime => as_time(text).map(Literal::Time),
        _ if target.case_exact => Some(Literal::Text(text.to_owned())),
        _ => Some(Literal::Text(fold(text))),
    };
    typed.ok_or_else(|| {
        catalogue::FILTER_COMPARISON_WRONG.error(format!(
            "'{}' is of type {} and can't be compared with '{}'. Write a value of that type.",
            spot.name(),
            target.kind.as_str(),
            echo(text)
        ))
    })
}

/// Truth values are sent as text in any case by more than one client.
pub(crate) fn as_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}

/// Reads a date. A plus sign of its zone that wasn't encoded in the query arrives as a blank.
pub(crate) fn as_time(text: &str) -> Option<Timestamp> {
    text.parse()
        .ok()
        .or_else(|| text.trim().replace(' ', "+").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectives_become_flat() {
        let filter = Filter::parse(
            r#"(title pr and (id eq "1" and (locale pr and timezone pr))) and active eq true"#,
        );
        let Ok(Node::And(terms)) = filter.unwrap().resolve(ResourceType::user()) else {
            panic!("and")
        };
        assert_eq!(terms.len(), 5);
    }

    fn among(text: &str, ty: &ResourceType) -> Result<Node, ScimError> {
        let both = [ResourceType::user(), ResourceType::group()];
        Filter::parse(text).unwrap().resolve_among(ty, &both)
    }

    #[test]
    fn what_only_another_type_has_is_without_value() {
        let (user, group) = (ResourceType::user(), ResourceType::group());
        for (text, of_users, of_groups) in [
            ("members pr", Some(false), None),
            ("members eq \"x\"", Some(false), None),
            ("members[value eq \"x\"]", Some(false), None),
            ("userName ne \"x\"", None, Some(true)),
            ("userName eq null", None, Some(true)),
            ("userName ne null", None, Some(false)),
            ("not (userName pr)", None, Some(true)),
            ("userName gt \"x\" and displayName pr", None, Some(false)),
            ("meta.resourceType eq \"User\"", Some(true), Some(false)),
            ("meta.resourceType ne \"User\"", Some(false), Some(true)),
            ("meta.resourceType pr", Some(true), Some(true)),
            (
                "meta.resourceType sw \"G\" or members pr",
                Some(false),
                Some(true),
            ),
        ] {
            for (ty, expected) in [(user, of_users), (group, of_groups)] {
                let node = among(text, ty).unwrap();
                let decided = match (node.is_always(), node.is_never()) {
                    (true, _) => Some(true),
                    (_, true) => Some(false),
                    _ => None,
                };
                assert_eq!(decided, expected, "{text} of {}", ty.name);
            }
        }
        assert!(among("nonsense pr", user).is_err());
        assert!(among("members[nonsense pr]", group).is_err());
        let rest = among("meta.resourceType eq \"User\" and userName eq \"x\"", user).unwrap();
        assert!(matches!(rest, Node::Test { .. }), "{rest:?}");
    }
}
