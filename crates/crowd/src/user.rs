//! Users: the full and the short form of answers, and what counts of a user in a request.

use jiff::Timestamp;
use serde_json::Value;

use crate::attributes::{self, Attributes, Owner};
use crate::codec::Codec;
use crate::error::{CrowdError, echo};
use crate::format::Format;
use crate::reference::{self, Kind};
use crate::style::{Detail, Style};
use crate::xml::read::Element;
use crate::{json, link, time, xml};

/// A user as answers show it. Every field is written always: a client takes a missing `active` for *inactive*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User<'a> {
    /// The name people log in with, in its stored spelling.
    pub name: &'a str,
    /// Given name, may be empty.
    pub first_name: &'a str,
    /// Family name, may be empty.
    pub last_name: &'a str,
    /// The name shown to others.
    pub display_name: &'a str,
    /// Mail address, may be empty.
    pub email: &'a str,
    /// The identity of the user for life, by which a product recognises someone renamed; never given twice.
    pub key: &'a str,
    /// When the user appeared.
    pub created: Timestamp,
    /// When something about the user last changed.
    pub updated: Timestamp,
    /// Whether the user may log in.
    pub active: bool,
    /// The attributes, or [`attributes::NONE`] where the caller did not ask for them.
    pub attributes: &'a Attributes,
}

impl User<'_> {
    /// Writes the full form as a document.
    pub fn to_bytes(&self, style: &Style) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
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
        xml::start_tag(out, "user");
        xml::attribute(out, "name", self.name);
        xml::attribute(out, "expand", "attributes");
        xml::end_tag(out);
        if detail == Detail::Linked {
            link::write_xml(out, &style.links.user(self.name), "self");
        }
        xml::element(out, "first-name", self.first_name);
        xml::element(out, "last-name", self.last_name);
        xml::element(out, "display-name", self.display_name);
        xml::element(out, "email", self.email);
        if detail == Detail::Linked {
            xml::open(out, "password");
            link::write_xml(out, &style.links.user_password(self.name), "edit");
            xml::close(out, "password");
        }
        xml::element(out, "key", self.key);
        time::write_xml(out, "created-date", self.created);
        time::write_xml(out, "updated-date", self.updated);
        xml::flag(out, "active", self.active);
        let owner = (detail == Detail::Linked).then_some(Owner::User(self.name));
        attributes::write(out, self.attributes, owner, style);
        xml::close(out, "user");
    }

    fn write_json(&self, out: &mut Vec<u8>, style: &Style) {
        let mut object = json::Object::open(out);
        object.text("expand", "attributes");
        link::write_json(&mut object, &style.links.user(self.name), "self");
        object.text("name", self.name);
        object.text("first-name", self.first_name);
        object.text("last-name", self.last_name);
        object.text("display-name", self.display_name);
        object.text("email", self.email);
        let mut password = json::Object::open(object.member("password"));
        link::write_json(&mut password, &style.links.user_password(self.name), "edit");
        password.close();
        object.text("key", self.key);
        time::write_json(&mut object, "created-date", self.created);
        time::write_json(&mut object, "updated-date", self.updated);
        object.flag("active", self.active);
        let owner = Some(Owner::User(self.name));
        attributes::write(object.member("attributes"), self.attributes, owner, style);
        object.close();
    }
}

/// Writes the short form of a user as a document.
pub fn short(name: &str, style: &Style) -> Vec<u8> {
    reference::document(Kind::User, name, style)
}

/// What counts of a user in a request. Whatever else a client sends back from an earlier answer (links, key,
/// dates, a password without value) means nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserRequest {
    /// The user's name.
    pub name: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Whether the user may log in; none where the request does not say.
    pub active: Option<bool>,
    /// A password in clear.
    pub password: Option<String>,
    /// True if the request carries a password that is encrypted already.
    pub encrypted_password: bool,
    /// Attributes, none where the request does not speak of them.
    pub attributes: Option<Attributes>,
}

impl Codec for UserRequest {
    fn from_xml(root: Element<'_, '_>) -> Result<UserRequest, CrowdError> {
        let value_of = |tag: &str| {
            root.child(tag)
                .and_then(|password| password.text_of("value"))
        };
        Ok(UserRequest {
            name: required_name(
                root.attribute("name")
                    .map(str::to_owned)
                    .or_else(|| root.text_of("name")),
                "user",
            )?,
            first_name: root.text_of("first-name"),
            last_name: root.text_of("last-name"),
            display_name: root.text_of("display-name"),
            email: root.text_of("email"),
            active: root
                .text_of("active")
                .map_or(Ok(None), |text| truth(&text, "active"))?,
            password: value_of("password"),
            encrypted_password: value_of("encrypted-password").is_some(),
            attributes: root
                .child("attributes")
                .map(Attributes::from_xml)
                .transpose()?,
        })
    }

    fn from_json(root: &Value) -> Result<UserRequest, CrowdError> {
        let text = |names: &[&str]| json::read::text(root, names);
        Ok(UserRequest {
            name: required_name(text(&["name"])?, "user")?,
            first_name: text(&["first-name", "firstName"])?,
            last_name: text(&["last-name", "lastName"])?,
            display_name: text(&["display-name", "displayName"])?,
            email: text(&["email"])?,
            active: text(&["active"])?.map_or(Ok(None), |text| truth(&text, "active"))?,
            password: password_value(root, &["password"])?,
            encrypted_password: password_value(root, &["encrypted-password", "encryptedPassword"])?
                .is_some(),
            attributes: json::read::member(root, &["attributes"])
                .map(Attributes::from_json)
                .transpose()?,
        })
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        xml::start_tag(out, "user");
        xml::attribute(out, "name", &self.name);
        xml::end_tag(out);
        for (tag, text) in self.texts() {
            if let Some(text) = text {
                xml::element(out, tag, text);
            }
        }
        if let Some(password) = &self.password {
            xml::open(out, "password");
            xml::element(out, "value", password);
            xml::close(out, "password");
        }
        if let Some(active) = self.active {
            xml::flag(out, "active", active);
        }
        if let Some(attributes) = &self.attributes {
            attributes.write_xml(out);
        }
        xml::close(out, "user");
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = json::Object::open(out);
        object.text("name", &self.name);
        for (tag, text) in self.texts() {
            if let Some(text) = text {
                object.text(tag, text);
            }
        }
        if let Some(password) = &self.password {
            let mut inner = json::Object::open(object.member("password"));
            inner.text("value", password);
            inner.close();
        }
        if let Some(active) = self.active {
            object.flag("active", active);
        }
        if let Some(attributes) = &self.attributes {
            attributes.write_json(object.member("attributes"));
        }
        object.close();
    }
}

impl UserRequest {
    /// The "just a name" user of membership calls.
    pub fn named(name: impl Into<String>) -> UserRequest {
        UserRequest {
            name: name.into(),
            ..UserRequest::default()
        }
    }

    fn texts(&self) -> [(&'static str, &Option<String>); 4] {
        [
            ("first-name", &self.first_name),
            ("last-name", &self.last_name),
            ("display-name", &self.display_name),
            ("email", &self.email),
        ]
    }
}

/// The body of a rename.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The name the user is to have.
    pub new_name: String,
}

impl Codec for Rename {
    fn from_xml(root: Element<'_, '_>) -> Result<Rename, CrowdError> {
        let new_name = required_name(root.text_of_any(&["new-name", "newName"]), "rename")?;
        Ok(Rename { new_name })
    }

    fn from_json(root: &Value) -> Result<Rename, CrowdError> {
        let new_name = required_name(json::read::text(root, &["new-name", "newName"])?, "rename")?;
        Ok(Rename { new_name })
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        xml::open(out, "rename");
        xml::element(out, "new-name", &self.new_name);
        xml::close(out, "rename");
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = json::Object::open(out);
        object.text("new-name", &self.new_name);
        object.close();
    }
}

/// A name that has to be there.
pub(crate) fn required_name(name: Option<String>, what: &str) -> Result<String, CrowdError> {
    name.filter(|name| !name.is_empty()).ok_or_else(|| {
        CrowdError::illegal_argument(format!("The {what} in the request has no name."))
    })
}

/// A truth value as clients write it; an empty text says nothing.
pub(crate) fn truth(text: &str, what: &str) -> Result<Option<bool>, CrowdError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
        other => Err(CrowdError::illegal_argument(format!(
            "\"{what}\" has to be true or false, not <{}>.",
            echo(other)
        ))),
    }
}

/// The clear text in a password member: in an object's `value`, or on its own.
fn password_value(root: &Value, names: &[&str]) -> Result<Option<String>, CrowdError> {
    match json::read::member(root, names) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(inner) => json::read::text(inner, &["value"]),
        None => Ok(None),
    }
}
