//! The short form: a user or group by name, as it stands in lists and memberships.

use crate::format::Format;
use crate::link::{self, Links};
use crate::style::Style;
use crate::{json, xml};

/// What a short form refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    User,
    Group,
}

impl Kind {
    /// The element's name, and what `expand` calls it.
    pub const fn tag(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Group => "group",
        }
    }

    /// The name of a list of them.
    pub const fn plural(self) -> &'static str {
        match self {
            Kind::User => "users",
            Kind::Group => "groups",
        }
    }

    fn href(self, links: &Links, name: &str) -> String {
        match self {
            Kind::User => links.user(name),
            Kind::Group => links.group(name),
        }
    }
}

/// Appends the short form with its link.
pub fn write(out: &mut Vec<u8>, kind: Kind, name: &str, style: &Style) {
    let href = kind.href(&style.links, name);
    match style.format {
        Format::Xml => {
            xml::start_tag(out, kind.tag());
            xml::attribute(out, "name", name);
            xml::end_tag(out);
            link::write_xml(out, &href, "self");
            xml::close(out, kind.tag());
        }
        Format::Json => {
            let mut object = json::Object::open(out);
            link::write_json(&mut object, &href, "self");
            object.text("name", name);
            object.close();
        }
    }
}

/// Writes the short form as a document of its own.
pub fn document(kind: Kind, name: &str, style: &Style) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    if style.format == Format::Xml {
        xml::declaration(&mut out);
    }
    write(&mut out, kind, name, style);
    out
}

/// Appends `<tag name="..."/>`, the form inside memberships and events.
pub fn write_bare_xml(out: &mut Vec<u8>, tag: &str, name: &str) {
    xml::start_tag(out, tag);
    xml::attribute(out, "name", name);
    xml::end_empty(out);
}

/// Appends `{"name":"..."}`.
pub fn write_bare_json(out: &mut Vec<u8>, name: &str) {
    let mut object = json::Object::open(out);
    object.text("name", name);
    object.close();
}
