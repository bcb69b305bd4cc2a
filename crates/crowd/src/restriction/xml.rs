//! Restrictions in XML.

use crate::error::{CrowdError, echo};
use crate::xml;
use crate::xml::read::Element;

use super::{Restriction, broken, build_connective, build_test};

pub(super) const TEST: &str = "property-search-restriction";
pub(super) const CONNECTIVE: &str = "boolean-search-restriction";
pub(super) const NULL: &str = "null-search-restriction";

/// Reads a restriction by what it holds, and by its name where it holds nothing. Recursion is bounded by the
/// depth of the document.
pub(super) fn read(element: Element<'_, '_>) -> Result<Restriction, CrowdError> {
    if let Some(property) = element.child("property") {
        let mode = element.text_of_any(&["match-mode", "matchMode"]);
        return build_test(property.text_of("name"), mode, element.text_of("value"));
    }
    match element.name() {
        NULL => Ok(Restriction::Everything),
        CONNECTIVE => read_connective(element),
        TEST => Err(broken("it has no property")),
        other => Err(broken(format!("<{}> is not a restriction", echo(other)))),
    }
}

fn read_connective(element: Element<'_, '_>) -> Result<Restriction, CrowdError> {
    let list = element.child("restrictions").unwrap_or(element);
    let parts = list
        .children()
        .filter(|part| part.name().ends_with("restriction"));
    let parts = parts.map(read).collect::<Result<Vec<_>, _>>()?;
    let logic = element.attribute("boolean-logic").map(str::to_owned);
    let logic = logic.or_else(|| element.text_of("boolean-logic"));
    build_connective(logic.as_deref(), parts)
}

/// Appends a restriction.
pub(super) fn write(out: &mut Vec<u8>, restriction: &Restriction) {
    match restriction {
        Restriction::Everything => xml::empty(out, NULL),
        Restriction::Test {
            property,
            mode,
            value,
        } => {
            xml::open(out, TEST);
            xml::open(out, "property");
            xml::element(out, "name", property);
            xml::element(out, "type", "STRING");
            xml::close(out, "property");
            xml::element(out, "match-mode", mode.as_str());
            if *mode != super::MatchMode::Null {
                xml::element(out, "value", value);
            }
            xml::close(out, TEST);
        }
        Restriction::And(parts) => write_connective(out, "and", parts),
        Restriction::Or(parts) => write_connective(out, "or", parts),
    }
}

fn write_connective(out: &mut Vec<u8>, logic: &str, parts: &[Restriction]) {
    xml::start_tag(out, CONNECTIVE);
    xml::attribute(out, "boolean-logic", logic);
    xml::end_tag(out);
    xml::open(out, "restrictions");
    for part in parts {
        write(out, part);
    }
    xml::close(out, "restrictions");
    xml::close(out, CONNECTIVE);
}
