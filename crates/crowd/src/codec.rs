//! What a document needs so that [`crate::body::Body`] can read and write it in both formats.

use serde_json::Value;

use crate::error::CrowdError;
use crate::xml::read::Element;

/// Two small codecs on one type. Sealed by living in a private module.
pub trait Codec: Sized {
    /// What an empty body means; most documents cannot be empty.
    fn from_nothing() -> Result<Self, CrowdError> {
        Err(CrowdError::illegal_argument("The request needs a body."))
    }

    /// Reads the root element, whatever its name.
    fn from_xml(root: Element<'_, '_>) -> Result<Self, CrowdError>;

    /// Reads the root value.
    fn from_json(root: &Value) -> Result<Self, CrowdError>;

    /// Appends the root element.
    fn write_xml(&self, out: &mut Vec<u8>);

    /// Appends the root value.
    fn write_json(&self, out: &mut Vec<u8>);
}
