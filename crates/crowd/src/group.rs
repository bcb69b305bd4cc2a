//! Groups: the full and the short form of answers, and what counts of a group in a request.

use serde_json::Value;

use crate::attributes::{self, Attributes, Owner};
use crate::codec::Codec;
use crate::error::CrowdError;
use crate::format::Format;
use crate::reference::{self, Kind};
use crate::style::{Detail, Style};
use crate::user::{required_name, truth};
use crate::xml::read::Element;
use crate::{json, link, xml};

/// The only type a group can have; the other one is dead.
const TYPE: &str = "GROUP";

/// A group as answers show it. It has no key on the wire: a renamed group looks like another group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'a> {
    /// The group's name, in its stored spelling.
    pub name: &'a str,
    /// What the group is for, may be empty.
    pub description: &'a str,
    /// Whether the group counts.
    pub active: bool,
    /// The attributes, or [`attributes::NONE`] where the caller did not ask for them.
    pub attributes: &'a Attributes,
}

impl Group<'_> {
    /// Writes the full form as a document.
    pub fn to_bytes(&self, style: &Style) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        if style.format == Format::Xml {
            xml::declaration(&mut out);
        }
        self.write(&mut out, style, Detail::Linked);
        out
    }

    /// Appends the full form.
    pub(crate) fn write(&self, out: &mut Vec<u8>, style: &Style, detail: Detail) {
        match style.format {
            Format::Xml => self.write_xml(out, style, detail),
            Format::Json => self.write_json(out, style),
        }
    }

    fn write_xml(&self, out: &mut Vec<u8>, style: &Style, detail: Detail) {
        xml::start_tag(out, "group");
        xml::attribute(out, "name", self.name);
        xml::attribute(out, "expand", "attributes");
        xml::end_tag(out);
        if detail == Detail::Linked {
            link::write_xml(out, &style.links.group(self.name), "self");
        }
        xml::element(out, "description", self.description);
        xml::element(out, "type", TYPE);
        xml::flag(out, "active", self.active);
        let owner = (detail == Detail::Linked).then_some(Owner::Group(self.name));
        attributes::write(out, self.attributes, owner, style);
        xml::close(out, "group");
    }

    fn write_json(&self, out: &mut Vec<u8>, style: &Style) {
        let mut object = json::Object::open(out);
        object.text("expand", "attributes");
        link::write_json(&mut object, &style.links.group(self.name), "self");
        object.text("name", self.name);
        object.text("description", self.description);
        object.text("type", TYPE);
        object.flag("active", self.active);
        let owner = Some(Owner::Group(self.name));
        attributes::write(object.member("attributes"), self.attributes, owner, style);
        object.close();
    }
}

/// Writes the short form of a group as a document.
pub fn short(name: &str, style: &Style) -> Vec<u8> {
    reference::document(Kind::Group, name, style)
}

/// What counts of a group in a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupRequest {
    /// The group's name.
    pub name: String,
    /// What the group is for.
    pub description: Option<String>,
    /// Whether the group counts; none where the request does not say.
    pub active: Option<bool>,
    /// Attributes, none where the request does not speak of them.
    pub attributes: Option<Attributes>,
}

impl GroupRequest {
    /// The "just a name" group of membership calls.
    pub fn named(name: impl Into<String>) -> GroupRequest {
        GroupRequest {
            name: name.into(),
            ..GroupRequest::default()
        }
    }
}

impl Codec for GroupRequest {
    fn from_xml(root: Element<'_, '_>) -> Result<GroupRequest, CrowdError> {
        let name = root
            .attribute("name")
            .map(str::to_owned)
            .or_else(|| root.text_of("name"));
        Ok(GroupRequest {
            name: required_name(name, "group")?,
            description: root.text_of("description"),
            active: root
                .text_of("active")
                .map_or(Ok(None), |text| truth(&text, "active"))?,
            attributes: root
                .child("attributes")
                .map(Attributes::from_xml)
                .transpose()?,
        })
    }

    fn from_json(root: &Value) -> Result<GroupRequest, CrowdError> {
        Ok(GroupRequest {
            name: required_name(json::read::text(root, &["name"])?, "group")?,
            description: json::read::text(root, &["description"])?,
            active: json::read::text(root, &["active"])?
                .map_or(Ok(None), |text| truth(&text, "active"))?,
            attributes: json::read::member(root, &["attributes"])
                .map(Attributes::from_json)
                .transpose()?,
        })
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        xml::start_tag(out, "group");
        xml::attribute(out, "name", &self.name);
        xml::end_tag(out);
        if let Some(description) = &self.description {
            xml::element(out, "description", description);
        }
        xml::element(out, "type", TYPE);
        if let Some(active) = self.active {
            xml::flag(out, "active", active);
        }
        if let Some(attributes) = &self.attributes {
            attributes.write_xml(out);
        }
        xml::close(out, "group");
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = json::Object::open(out);
        object.text("name", &self.name);
        if let Some(description) = &self.description {
            object.text("description", description);
        }
        object.text("type", TYPE);
        if let Some(active) = self.active {
            object.flag("active", active);
        }
        if let Some(attributes) = &self.attributes {
            attributes.write_json(object.member("attributes"));
        }
        object.close();
    }
}
