//! Times on the wire: `xs:dateTime` in XML, milliseconds since 1970 in JSON.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use crate::{json, xml};

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// Appends an element such as `<created-date>2024-05-06T07:08:09.123Z</created-date>`.
pub fn write_xml(out: &mut Vec<u8>, name: &str, time: Timestamp) {
    xml::open(out, name);
    let start = out.len();
    if PRINTER.print_timestamp(&time, &mut *out).is_err() {
        // Writing into a vector cannot fail; should it ever, an empty element is better than half a date.
        out.truncate(start);
    }
    xml::close(out, name);
}

/// Appends a member with milliseconds since 1970.
pub fn write_json(object: &mut json::Object<'_>, name: &str, time: Timestamp) {
    object.number(name, time.as_millisecond());
}
