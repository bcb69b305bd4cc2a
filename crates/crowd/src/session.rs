//! Sessions (single sign-on tokens) and the cookie they travel in.

use jiff::Timestamp;

use crate::format::Format;
use crate::reference::{self, Kind};
use crate::style::{Detail, Style};
use crate::user::User;
use crate::{json, link, time, xml};

/// The user inside a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionUser<'a> {
    /// By name, as it goes without `expand`.
    Short(&'a str),
    /// In full, as `expand=user` asks.
    Full(User<'a>),
}

/// A session as answers show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session<'a> {
    /// Letters and digits only: clients put it into paths as it is.
    pub token: &'a str,
    /// Whose session it is.
    pub user: SessionUser<'a>,
    /// When it began.
    pub created: Timestamp,
    /// When it ends unless it is prolonged.
    pub expires: Timestamp,
}

impl Session<'_> {
    /// Writes the session as a document.
    pub fn to_bytes(&self, style: &Style) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        let href = style.links.session(self.token);
        match style.format {
            Format::Xml => {
                xml::declaration(&mut out);
                xml::start_tag(&mut out, "session");
                xml::attribute(&mut out, "expand", "user");
                xml::end_tag(&mut out);
                xml::element(&mut out, "token", self.token);
                self.write_user(&mut out, style);
                link::write_xml(&mut out, &href, "self");
                time::write_xml(&mut out, "created-date", self.created);
                time::write_xml(&mut out, "expiry-date", self.expires);
                xml::close(&mut out, "session");
            }
            Format::Json => {
                let mut object = json::Object::open(&mut out);
                object.text("expand", "user");
                object.text("token", self.token);
                self.write_user(object.member("user"), style);
                link::write_json(&mut object, &href, "self");
                time::write_json(&mut object, "created-date", self.created);
                time::write_json(&mut object, "expiry-date", self.expires);
                object.close();
            }
        }
        out
    }

    fn write_user(&self, out: &mut Vec<u8>, style: &Style) {
        match self.user {
            SessionUser::Short(name) => reference::write(out, Kind::User, name, style),
            SessionUser::Full(user) => user.write(out, style, Detail::Linked),
        }
    }
}

/// Where an application is to keep a session's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieConfig<'a> {
    /// The cookie's domain; empty where none is set.
    pub domain: &'a str,
    /// Whether the cookie goes over TLS only.
    pub secure: bool,
    /// The cookie's name.
    pub name: &'a str,
}

/// The name of the cookie unless someone chose another.
pub const COOKIE_NAME: &str = "crowd.token_key";

impl CookieConfig<'_> {
    /// Writes the configuration as a document.
    pub fn to_bytes(&self, format: Format) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        match format {
            Format::Xml => {
                xml::declaration(&mut out);
                xml::open(&mut out, "cookie-config");
                xml::element(&mut out, "domain", self.domain);
                xml::flag(&mut out, "secure", self.secure);
                xml::element(&mut out, "name", self.name);
                xml::close(&mut out, "cookie-config");
            }
            Format::Json => {
                let mut object = json::Object::open(&mut out);
                object.text("domain", self.domain);
                object.flag("secure", self.secure);
                object.text("name", self.name);
                object.close();
            }
        }
        out
    }
}
