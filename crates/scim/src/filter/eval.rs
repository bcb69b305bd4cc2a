//! Decides whether a filter holds: the one evaluator of searches, PATCH paths and rules.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::resolve::as_time;
use super::{Literal, Node, Op};
use crate::name::fold;
use crate::path::VALUE;
use crate::version::time;
use crate::{AttrRef, Kind, Meta, Resource, ResourceType};

/// What a filter is asked about.
pub trait Facts {
    /// Whether a value of the attribute passes the test. The values of a list are tried one by one; for a
    /// list without a sub-attribute each is a whole element.
    fn any(&self, attr: &AttrRef, test: &mut dyn FnMut(&Value) -> bool) -> bool;
}

impl Facts for Resource {
    fn any(&self, attr: &AttrRef, test: &mut dyn FnMut(&Value) -> bool) -> bool {
        self.at(attr).into_iter().any(test)
    }
}

/// A stored resource with what is kept beside its document.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    /// Its type.
    pub ty: &'r ResourceType,
    /// Its identifier.
    pub id: &'r str,
    /// Its document.
    pub resource: &'r Resource,
    /// Its times and version.
    pub meta: &'r Meta,
}

impl Facts for Record<'_> {
    fn any(&self, attr: &AttrRef, test: &mut dyn FnMut(&Value) -> bool) -> bool {
        let value = match attr.name() {
            "id" => self.id.into(),
            "meta.resourceType" => self.ty.name.as_str().into(),
            "meta.created" => time(self.meta.created).into(),
            "meta.lastModified" => time(self.meta.last_modified).into(),
            "meta.version" => self.meta.etag().into(),
            "meta" => Value::Bool(true),
            _ => return self.resource.any(attr, test),
        };
        test(&value)
    }
}

/// One element of a list, for the filter in its brackets.
struct Element<'v>(&'v Value);

impl Facts for Element<'_> {
    fn any(&self, attr: &AttrRef, test: &mut dyn FnMut(&Value) -> bool) -> bool {
        match attr.sub() {
            // Of a schema that nobody registered it is not known whether its lists have objects.
            Some(sub) if sub.eq_ignore_ascii_case(VALUE) && !self.0.is_object() => test(self.0),
            Some(sub) => self.0.get(sub).is_some_and(test),
            None => test(self.0),
        }
    }
}

impl Node {
    /// Whether it holds.
    pub fn matches(&self, facts: &dyn Facts) -> bool {
        match self {
            Node::And(terms) => terms.iter().all(|term| term.matches(facts)),
            Node::Or(terms) => terms.iter().any(|term| term.matches(facts)),
            Node::Not(inner) => !inner.matches(facts),
            Node::Present(attr) => facts.any(attr, &mut is_present),
            Node::Element { attr, filter } => {
                facts.any(attr, &mut |element| filter.matches_element(element))
            }
            Node::Test {
                attr,
                op: Op::Ne,
                value,
            } => {
                let mut has_value = false;
                let differs = facts.any(attr, &mut |found| {
                    has_value = true;
                    !holds(attr, Op::Eq, value, found)
                });
                differs || !has_value
            }
            Node::Test { attr, op, value } => {
                facts.any(attr, &mut |found| holds(attr, *op, value, found))
            }
        }
    }

    /// Whether a filter in brackets holds of one element of its list.
    pub fn matches_element(&self, element: &Value) -> bool {
        self.matches(&Element(element))
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(parts) => !parts.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn holds(attr: &AttrRef, op: Op, literal: &Literal, found: &Value) -> bool {
    match (literal, found) {
        (Literal::Bool(wanted), Value::Bool(found)) => wanted == found,
        (Literal::Number(wanted), Value::Number(found)) => found
            .as_f64()
            .and_then(|found| found.partial_cmp(wanted))
            .is_some_and(|order| in_order(op, order)),
        (Literal::Time(wanted), Value::String(found)) => {
            as_time(found).is_some_and(|found| in_order(op, found.cmp(wanted)))
        }
        (Literal::Text(wanted), Value::String(found)) => text_holds(attr, op, wanted, found),
        _ => false,
    }
}

fn in_order(op: Op, order: Ordering) -> bool {
    match op {
        Op::Eq => order.is_eq(),
        Op::Ne => order.is_ne(),
        Op::Gt => order.is_gt(),
        Op::Ge => order.is_ge(),
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Co | Op::Sw | Op::Ew => false,
    }
}

fn text_holds(attr: &AttrRef, op: Op, wanted: &str, found: &str) -> bool {
    debug_assert!(attr.kind() != Kind::Complex);
    if op == Op::Eq && !attr.case_exact() && found.is_ascii() {
        return found.eq_ignore_ascii_case(wanted);
    }
    let found = if attr.case_exact() {
        Cow::Borrowed(found)
    } else {
        Cow::Owned(fold(found))
    };
    match op {
        Op::Co => found.contains(wanted),
        Op::Sw => found.starts_with(wanted),
        Op::Ew => found.ends_with(wanted),
        _ => in_order(op, found.as_ref().cmp(wanted)),
    }
}
