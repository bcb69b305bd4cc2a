//! The documents that clients send, read from either format.

use crate::codec::Codec;
use crate::error::CrowdError;
use crate::format::Format;
use crate::{json, xml};

/// A document that occurs in requests.
///
/// Reading is lenient as real clients need it (unknown members, odd orders, other spellings of names) and
/// strict about what could do harm (see [`crate::limits`]). Writing is for programs that act as a client.
pub trait Body: Codec {
    /// Reads a request body; the format is told by `Content-Type`, or by the body itself.
    fn read(body: &[u8], content_type: Option<&str>) -> Result<Self, CrowdError> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Self::from_nothing();
        }
        match Format::of_body(content_type, body) {
            Format::Xml => xml::read::document(body, Self::from_xml),
            Format::Json => Self::from_json(&json::read::document(body)?),
        }
    }

    /// Writes the document.
    fn to_bytes(&self, format: Format) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        match format {
            Format::Xml => {
                xml::declaration(&mut out);
                self.write_xml(&mut out);
            }
            Format::Json => self.write_json(&mut out),
        }
        out
    }
}

impl<T: Codec> Body for T {}
