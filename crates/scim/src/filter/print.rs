//! Prints filters so that they read back as the same.

use std::fmt::{self, Display, Formatter};

use super::{Filter, Operand};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(terms) => joined(f, terms, " and "),
            Filter::Or(terms) => joined(f, terms, " or "),
            Filter::Not(inner) => write!(f, "not ({inner})"),
            Filter::Test { path, op, value } => write!(f, "{path} {} {value}", op.as_str()),
            Filter::Present(path) => write!(f, "{path} pr"),
            Filter::Element { path, filter } => write!(f, "{path}[{filter}]"),
        }
    }
}

/// Every connective inside another gets its parentheses, needed or not: the shape stays the same.
fn joined(f: &mut Formatter<'_>, terms: &[Filter], connective: &str) -> fmt::Result {
    for (nth, term) in terms.iter().enumerate() {
        if nth > 0 {
            f.write_str(connective)?;
        }
        match term {
            Filter::And(_) | Filter::Or(_) => write!(f, "({term})")?,
            _ => write!(f, "{term}")?,
        }
    }
    Ok(())
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Quoted(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Operand::Bare(text) => f.write_str(text),
        }
    }
}
