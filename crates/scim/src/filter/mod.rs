//! Filters (RFC 7644, 3.4.2.2): what a client writes ([`Filter`]), what it means ([`Node`]), and the one
//! evaluator that searches, PATCH paths and rules share.

mod eval;
mod lexer;
pub(crate) mod parser;
mod print;
mod resolve;

use jiff::Timestamp;

use crate::catalogue;
use crate::limits::{FILTER_BYTES_MAX, FILTER_NODES_MAX};
use crate::{AttrPath, AttrRef, ScimError};

pub use eval::{Facts, Record};
pub(crate) use resolve::{as_bool, as_time, comparable};

/// A filter as it was written. `Display` prints it in a form that reads back as the same filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All hold.
    And(Vec<Filter>),
    /// One holds.
    Or(Vec<Filter>),
    /// It doesn't hold.
    Not(Box<Filter>),
    /// A comparison.
    Test {
        /// What is compared.
        path: AttrPath,
        /// How.
        op: Op,
        /// With what.
        value: Operand,
    },
    /// There is a value (`pr`).
    Present(AttrPath),
    /// One element of a list fits (`attr[filter]`).
    Element {
        /// The list.
        path: AttrPath,
        /// What holds of the element.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// Reads a filter. Operators may have any case, and a value may lack its quotes, since clients do both.
    pub fn parse(text: &str) -> Result<Filter, ScimError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(catalogue::FILTER_TOO_LARGE.error(format!(
                "A filter may have {FILTER_BYTES_MAX} bytes at most. Ask in several requests."
            )));
        }
        parser::Parser::new(text, FILTER_NODES_MAX)
            .filter()
            .map_err(|error| {
                catalogue::FILTER_UNREADABLE.error(format!("The filter can't be read: {error}. Write it like userName eq \"joy@example.org\"."))
            })
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal; holds as well when there is no value.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

impl Op {
    const ALL: [Op; 9] = [
        Op::Eq,
        Op::Ne,
        Op::Co,
        Op::Sw,
        Op::Ew,
        Op::Gt,
        Op::Ge,
        Op::Lt,
        Op::Le,
    ];

    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Eq => "eq",
            Op::Ne => "ne",
            Op::Co => "co",
            Op::Sw => "sw",
            Op::Ew => "ew",
            Op::Gt => "gt",
            Op::Ge => "ge",
            Op::Lt => "lt",
            Op::Le => "le",
        }
    }

    fn parse(word: &str) -> Option<Op> {
        Op::ALL
            .into_iter()
            .find(|op| op.as_str().eq_ignore_ascii_case(word))
    }

    /// Whether it asks for an order.
    pub fn is_ordering(self) -> bool {
        matches!(self, Op::Gt | Op::Ge | Op::Lt | Op::Le)
    }

    /// Whether it looks inside a text.
    pub fn is_partial(self) -> bool {
        matches!(self, Op::Co | Op::Sw | Op::Ew)
    }
}

/// A value as it was written; what it means depends on the attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    /// In quotes.
    Quoted(String),
    /// Without: `true`, `null`, a number, a date, or a text whose quotes were forgotten.
    Bare(String),
}

impl Operand {
    /// Whether it is the word `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Operand::Bare(word) if word.eq_ignore_ascii_case("null"))
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        match self {
            Operand::Quoted(text) | Operand::Bare(text) => text,
        }
    }
}

/// What a filter means for a resource type: attributes found, values typed.
///
/// `And` and `Or` are flat: none is directly inside one of its own kind, and neither has a single term.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// All hold.
    And(Vec<Node>),
    /// One holds.
    Or(Vec<Node>),
    /// It doesn't hold.
    Not(Box<Node>),
    /// A comparison; of a list, one value must fit.
    Test {
        /// What is compared. Inside [`Node::Element`] it is a part of the list's elements.
        attr: AttrRef,
        /// How.
        op: Op,
        /// With what.
        value: Literal,
    },
    /// There is a value.
    Present(AttrRef),
    /// One element of the list fits.
    Element {
        /// The list.
        attr: AttrRef,
        /// What holds of the element.
        filter: Box<Node>,
    },
}

impl Node {
    /// What holds of everything: all of no terms.
    pub fn always() -> Node {
        Node::And(Vec::new())
    }

    /// What holds of nothing: one of no terms.
    pub fn never() -> Node {
        Node::Or(Vec::new())
    }

    /// Whether it is [`Node::always`].
    pub fn is_always(&self) -> bool {
        matches!(self, Node::And(terms) if terms.is_empty())
    }

    /// Whether it is [`Node::never`].
    pub fn is_never(&self) -> bool {
        matches!(self, Node::Or(terms) if terms.is_empty())
    }
}

/// A value of the type of the attribute that it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A text; for an attribute that is compared without regard to case it is already folded.
    Text(String),
    /// A number.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// An instant.
    Time(Timestamp),
}

impl Literal {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Literal::Text(text) => Some(text),
            _ => None,
        }
    }
}
