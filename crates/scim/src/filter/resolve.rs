//! Gives a filter its meaning: finds the attributes in the schema and types the values.

use jiff::Timestamp;

use super::{Filter, Literal, Node, Op, Operand};
use crate::name::{echo, fold};
use crate::path::{Place, Spot};
use crate::schema::{Kind, ResourceType};
use crate::{AttrPath, ScimError};

impl Filter {
    /// Finds the attributes of a resource type and types the values. Attributes that are never returned
    /// can't be compared, or a filter would tell what no answer tells.
    pub fn resolve(&self, ty: &ResourceType) -> Result<Node, ScimError> {
        resolve(self, Scope { ty, list: None })
    }

    /// The same for a filter in brackets after a list.
    pub(crate) fn resolve_in(&self, ty: &ResourceType, list: Spot<'_>) -> Result<Node, ScimError> {
        if !list.attribute.multi_valued || list.attribute.kind != Kind::Complex {
            return Err(ScimError::invalid_filter(format!(
                "'{}' is not a list of objects.",
                list.name()
            )));
        }
        resolve(
            self,
            Scope {
                ty,
                list: Some(list),
            },
        )
    }
}

/// Where names are looked up: in the resource, or among the parts of a list's elements.
#[derive(Clone, Copy)]
struct Scope<'t> {
    ty: &'t ResourceType,
    list: Option<Spot<'t>>,
}

impl<'t> Scope<'t> {
    fn spot(&self, path: &AttrPath) -> Result<Spot<'t>, ScimError> {
        let found = match self.list {
            Some(list) if path.urn.is_none() && path.sub.is_none() => {
                list.attribute.sub(&path.attr).map(|sub| list.with_sub(sub))
            }
            Some(_) => None,
            None => match self.ty.place(path) {
                Some(Place::Spot(spot)) => Some(spot),
                _ => None,
            },
        };
        match found {
            Some(spot) if spot.is_secret() || spot.name() == "meta.location" => Err(
                ScimError::invalid_filter(format!("'{}' can't be used in a filter.", spot.name())),
            ),
            Some(spot) => Ok(spot),
            None => Err(ScimError::invalid_filter(self.unknown(path))),
        }
    }

    fn unknown(&self, path: &AttrPath) -> String {
        match self.list {
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
        Filter::And(terms) => Node::And(flat(terms, scope, true)?),
        Filter::Or(terms) => Node::Or(flat(terms, scope, false)?),
        Filter::Not(inner) => Node::Not(Box::new(resolve(inner, scope)?)),
        Filter::Present(path) => Node::Present(scope.spot(path)?.attr_ref()),
        Filter::Test { path, op, value } => test(scope.spot(path)?, *op, value)?,
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

/// Resolves the terms of an `and` (or an `or`) and takes in those of terms of the same kind.
fn flat(terms: &[Filter], scope: Scope<'_>, is_and: bool) -> Result<Vec<Node>, ScimError> {
    let mut nodes = Vec::with_capacity(terms.len());
    for term in terms {
        match resolve(term, scope)? {
            Node::And(inner) if is_and => nodes.extend(inner),
            Node::Or(inner) if !is_and => nodes.extend(inner),
            node => nodes.push(node),
        }
    }
    Ok(nodes)
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
fn comparable(spot: Spot<'_>) -> Result<Spot<'_>, ScimError> {
    if spot.target().kind != Kind::Complex {
        return Ok(spot);
    }
    match spot.attribute.sub("value") {
        Some(value) => Ok(spot.with_sub(value)),
        None => Err(ScimError::invalid_filter(format!(
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
        _ => Err(ScimError::invalid_filter(
            "null can be compared with eq and ne only.",
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
        "'{}' is of type {} and can't be compared with {}.",
        spot.name(),
        kind.as_str(),
        op.as_str()
    );
    Err(ScimError::invalid_filter(detail))
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
        ScimError::invalid_filter(format!(
            "'{}' is of type {} and can't be compared with '{}'.",
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
}
