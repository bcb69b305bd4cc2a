//! Custom attributes: for each name a set of texts.
//!
//! Mind the two shapes: in XML the list holds `attribute` children, in JSON the object holds a member
//! `attributes`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::codec::Codec;
use crate::error::{CrowdError, echo};
use crate::format::Format;
use crate::limits::ATTRIBUTE_CHARS_MAX;
use crate::link;
use crate::style::Style;
use crate::xml::read::Element;
use crate::{json, xml};

/// Attributes by name. In a request, a name without values asks for the attribute's removal.
pub type Attributes = BTreeMap<String, Vec<String>>;

/// No attributes, for users and groups that have none or whose attributes were not asked for.
pub const NONE: &Attributes = &BTreeMap::new();

/// Whose attributes an answer holds; decides where its links point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// The user of this name.
    User(&'a str),
    /// The group of this name.
    Group(&'a str),
}

impl Owner<'_> {
    fn href(self, style: &Style) -> String {
        match self {
            Owner::User(name) => style.links.user_attributes(name),
            Owner::Group(name) => style.links.group_attributes(name),
        }
    }
}

/// Writes all attributes of a user or group as a document.
pub fn to_bytes(attributes: &Attributes, owner: Owner<'_>, style: &Style) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    if style.format == Format::Xml {
        xml::declaration(&mut out);
    }
    write(&mut out, attributes, Some(owner), style);
    out
}

/// Refuses names and values that are longer than Crowd can keep.
pub fn check_lengths(attributes: &Attributes) -> Result<(), CrowdError> {
    let too_long = |text: &str| text.chars().nth(ATTRIBUTE_CHARS_MAX).is_some();
    for (name, values) in attributes {
        if too_long(name) || values.iter().any(|value| too_long(value)) {
            return Err(CrowdError::illegal_argument(format!(
                "Attribute <{}>: names and values have at most {ATTRIBUTE_CHARS_MAX} characters.",
                echo(name)
            )));
        }
    }
    Ok(())
}

/// Appends the attributes of `owner`, with links if an owner is given.
pub(crate) fn write(
    out: &mut Vec<u8>,
    attributes: &Attributes,
    owner: Option<Owner<'_>>,
    style: &Style,
) {
    let base = owner.map(|owner| owner.href(style));
    match style.format {
        Format::Xml => write_list_xml(out, "attributes", attributes, base.as_deref()),
        Format::Json => write_list_json(out, attributes, base.as_deref()),
    }
}

/// Appends an element of the given name with the attributes in it.
pub(crate) fn write_list_xml(
    out: &mut Vec<u8>,
    tag: &str,
    attributes: &Attributes,
    base: Option<&str>,
) {
    if attributes.is_empty() && base.is_none() {
        return xml::empty(out, tag);
    }
    xml::open(out, tag);
    if let Some(base) = base {
        link::write_xml(out, base, "self");
    }
    for (name, values) in attributes {
        xml::start_tag(out, "attribute");
        xml::attribute(out, "name", name);
        xml::end_tag(out);
        if let Some(base) = base {
            link::write_xml(out, &link::of_attribute(base, name), "self");
        }
        write_values_xml(out, values);
        xml::close(out, "attribute");
    }
    xml::close(out, tag);
}

fn write_values_xml(out: &mut Vec<u8>, values: &[String]) {
    if values.is_empty() {
        return xml::empty(out, "values");
    }
    xml::open(out, "values");
    for value in values {
        xml::element(out, "value", value);
    }
    xml::close(out, "values");
}

/// Appends an object with the member `attributes`.
pub(crate) fn write_list_json(out: &mut Vec<u8>, attributes: &Attributes, base: Option<&str>) {
    let mut object = json::Object::open(out);
    object.array("attributes", attributes, |out, (name, values)| {
        let mut attribute = json::Object::open(out);
        attribute.text("name", name);
        attribute.array("values", values, |out, value| json::string(out, value));
        if let Some(base) = base {
            link::write_json(&mut attribute, &link::of_attribute(base, name), "self");
        }
        attribute.close();
    });
    if let Some(base) = base {
        link::write_json(&mut object, base, "self");
    }
    object.close();
}

impl Codec for Attributes {
    fn from_xml(root: Element<'_, '_>) -> Result<Attributes, CrowdError> {
        let mut attributes = Attributes::new();
        for attribute in root.all("attribute") {
            let name = attribute.attribute("name").unwrap_or_default();
            let values = attribute.all("values").flat_map(|values| {
                values
                    .children()
                    .filter(|child| child.name() == "value")
                    .map(|value| value.text())
            });
            collect(&mut attributes, name, values)?;
        }
        Ok(attributes)
    }

    fn from_json(root: &Value) -> Result<Attributes, CrowdError> {
        let mut attributes = Attributes::new();
        let list = match (
            json::read::member(root, &["attributes", "attribute"]).unwrap_or(root),
            root,
        ) {
            (Value::Array(list), _) => list.as_slice(),
            (Value::Object(_), Value::Object(_)) => &[],
            _ => {
                return Err(CrowdError::illegal_argument(
                    "\"attributes\" has to be a list.",
                ));
            }
        };
        for attribute in list {
            let name = json::read::text(attribute, &["name"])?.unwrap_or_default();
            collect(&mut attributes, &name, values_of_json(attribute)?)?;
        }
        Ok(attributes)
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        write_list_xml(out, "attributes", self, None);
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        write_list_json(out, self, None);
    }
}

/// The values of one attribute: a list, a lone text, or nothing.
fn values_of_json(attribute: &Value) -> Result<Vec<String>, CrowdError> {
    match json::read::member(attribute, &["values"]) {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => values
            .iter()
            .filter(|value| !value.is_null())
            .map(|value| json::read::scalar(value, "values"))
            .collect(),
        Some(value) => Ok(vec![json::read::scalar(value, "values")?]),
    }
}

/// Adds values to a name; each value counts once.
fn collect(
    attributes: &mut Attributes,
    name: &str,
    values: impl IntoIterator<Item = String>,
) -> Result<(), CrowdError> {
    if name.is_empty() {
        return Err(CrowdError::illegal_argument(
            "An attribute in the request has no name.",
        ));
    }
    let kept = attributes.entry(name.to_owned()).or_default();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    Ok(())
}
