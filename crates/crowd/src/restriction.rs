//! Search restrictions: which users or groups a caller wants.

mod json;
mod xml;

use crate::error::{CrowdError, echo};
use crate::limits::{CQL_BYTES_MAX, RESTRICTION_DEPTH_MAX, RESTRICTION_NODES_MAX};

/// A predicate over the properties of users or groups; XML, JSON and CQL all become one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restriction {
    /// Matches everything: the null restriction, an empty body, a connective without parts.
    Everything,
    /// Compares one property; see [`crate::property::Property`] for what its name means.
    Test {
        /// The name of the property or of a custom attribute.
        property: String,
        /// How to compare.
        mode: MatchMode,
        /// What to compare with; empty with [`MatchMode::Null`].
        value: String,
    },
    /// Matches what all parts match; everything, if there are none.
    And(Vec<Restriction>),
    /// Matches what any part matches; everything, if there are none.
    Or(Vec<Restriction>),
}

/// How a property is compared. Texts compare without case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchMode {
    /// Equal.
    ExactlyMatches,
    /// Begins with the value.
    StartsWith,
    /// Ends with the value.
    EndsWith,
    /// Has the value somewhere.
    Contains,
    /// Comes before the value.
    LessThan,
    /// Comes after the value.
    GreaterThan,
    /// Is absent or empty.
    Null,
}

impl MatchMode {
    const ALL: [MatchMode; 7] = [
        MatchMode::ExactlyMatches,
        MatchMode::StartsWith,
        MatchMode::EndsWith,
        MatchMode::Contains,
        MatchMode::LessThan,
        MatchMode::GreaterThan,
        MatchMode::Null,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            MatchMode::ExactlyMatches => "EXACTLY_MATCHES",
            MatchMode::StartsWith => "STARTS_WITH",
            MatchMode::EndsWith => "ENDS_WITH",
            MatchMode::Contains => "CONTAINS",
            MatchMode::LessThan => "LESS_THAN",
            MatchMode::GreaterThan => "GREATER_THAN",
            MatchMode::Null => "NULL",
        }
    }

    /// The mode a word on the wire names, in any case.
    pub fn parse(text: &str) -> Option<MatchMode> {
        let text = text.trim();
        MatchMode::ALL
            .into_iter()
            .find(|mode| mode.as_str().eq_ignore_ascii_case(text))
    }
}

impl Restriction {
    /// A test of one property.
    pub fn test(
        property: impl Into<String>,
        mode: MatchMode,
        value: impl Into<String>,
    ) -> Restriction {
        Restriction::Test {
            property: property.into(),
            mode,
            value: value.into(),
        }
    }

    /// Refuses a restriction with too many nodes, too deep a nesting, or too much text.
    pub(crate) fn check(self) -> Result<Restriction, CrowdError> {
        let mut size = Size::default();
        size.add(&self, 0);
        if size.depth > RESTRICTION_DEPTH_MAX {
            return Err(broken(format!(
                "it is nested deeper than {RESTRICTION_DEPTH_MAX}"
            )));
        }
        if size.nodes > RESTRICTION_NODES_MAX {
            return Err(broken(format!(
                "it has more than {RESTRICTION_NODES_MAX} parts"
            )));
        }
        if size.bytes > CQL_BYTES_MAX {
            return Err(broken(format!("it is longer than {CQL_BYTES_MAX} bytes")));
        }
        Ok(self)
    }
}

/// How large a restriction is.
#[derive(Default)]
struct Size {
    nodes: usize,
    depth: usize,
    bytes: usize,
}

impl Size {
    /// Recursion is safe: whoever builds a restriction from a request bounds its depth while reading.
    fn add(&mut self, restriction: &Restriction, depth: usize) {
        self.nodes += 1;
        self.depth = self.depth.max(depth);
        match restriction {
            Restriction::Everything => {}
            Restriction::Test {
                property, value, ..
            } => self.bytes += property.len() + value.len(),
            Restriction::And(parts) | Restriction::Or(parts) => {
                for part in parts {
                    self.add(part, depth + 1);
                }
            }
        }
    }
}

/// Puts a test together from what a document says.
fn build_test(
    property: Option<String>,
    mode: Option<String>,
    value: Option<String>,
) -> Result<Restriction, CrowdError> {
    let property = property
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    let property = property.ok_or_else(|| broken("a property has no name"))?;
    let mode = mode.ok_or_else(|| broken("there is no match-mode"))?;
    let mode = MatchMode::parse(&mode)
        .ok_or_else(|| broken(format!("match-mode <{}> is unknown", echo(&mode))))?;
    let value = match mode {
        MatchMode::Null => String::new(),
        _ => value.ok_or_else(|| {
            broken(format!(
                "<{}> has no value to compare with",
                echo(&property)
            ))
        })?,
    };
    Ok(Restriction::Test {
        property,
        mode,
        value,
    })
}

/// Puts a connective together from what a document says.
fn build_connective(
    logic: Option<&str>,
    parts: Vec<Restriction>,
) -> Result<Restriction, CrowdError> {
    match logic
        .map(|word| word.trim().to_ascii_lowercase())
        .as_deref()
    {
        _ if parts.is_empty() => Ok(Restriction::Everything),
        Some("and") => Ok(Restriction::And(parts)),
        Some("or") => Ok(Restriction::Or(parts)),
        _ => Err(broken("boolean-logic has to be \"and\" or \"or\"")),
    }
}

fn broken(why: impl std::fmt::Display) -> CrowdError {
    CrowdError::illegal_argument(format!("The search restriction cannot be read: {why}."))
}
