//! The room from outside: wire shapes, lenient reading, searches, long answers.

#![allow(clippy::unwrap_used)] // This is all test code; a panic is a failed test.

mod golden;
mod requests;
mod restrictions;
mod shapes;
mod streams;

use crowd::{Attributes, Format, Links, Style};
use jiff::Timestamp;

const BASE: &str = "https://id.example.test/crowd/rest/usermanagement/1";

fn style(format: Format) -> Style {
    Style::new(format, Links::new(BASE))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn attributes(list: &[(&str, &[&str])]) -> Attributes {
    let owned = |(name, values): &(&str, &[&str])| {
        (
            name.to_string(),
            values.iter().map(|value| value.to_string()).collect(),
        )
    };
    list.iter().map(owned).collect()
}

/// A user with nothing left to the imagination.
fn mira(attributes: &Attributes) -> crowd::user::User<'_> {
    crowd::user::User {
        name: "mira",
        first_name: "Mira",
        last_name: "Solberg",
        display_name: "Mira Solberg",
        email: "mira@example.test",
        key: "1:5b0f0f1e-6f3c-4d3b-9d2a-0f3f2b7a9c11",
        created: time("2024-05-06T07:08:09.123Z"),
        updated: time("2024-06-01T10:00:00Z"),
        active: true,
        attributes,
    }
}

fn platform(attributes: &Attributes) -> crowd::group::Group<'_> {
    crowd::group::Group {
        name: "eng-platform",
        description: "Platform engineering",
        active: true,
        attributes,
    }
}

/// Compares a document with one that is written here in lines.
#[track_caller]
fn assert_xml(written: &[u8], expected: &str) {
    let expected: String = expected
        .replace("BASE", BASE)
        .lines()
        .map(str::trim)
        .collect();
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    assert_eq!(
        std::str::from_utf8(written).unwrap(),
        format!("{head}{expected}")
    );
}

/// Compares a document, order of members included.
#[track_caller]
fn assert_json(written: &[u8], expected: &str) {
    let expected: serde_json::Value =
        serde_json::from_str(&expected.replace("BASE", BASE)).unwrap();
    assert_eq!(std::str::from_utf8(written).unwrap(), expected.to_string());
}
