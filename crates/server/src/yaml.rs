//! Configuration files as text: YAML or JSON in, YAML out, and on which line what stands.

use std::collections::HashMap;
use std::fmt::Write as _;

use directory::configuration::{item, member};
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser};
use scim::json::Limits;
use serde_json::{Map, Number, Value};

use crate::limits::CONFIGURATION_DEPTH_MAX;

/// How deep lists and mappings may lie in each other.
const DEPTH_MAX: usize = CONFIGURATION_DEPTH_MAX;

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it says.
    pub value: Value,
    lines: HashMap<String, usize>,
}

/// Why a text is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Document {
    /// The line on which a path stands, or what is nearest above it that is there.
    pub fn line(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return Some(*line);
            }
            let end = path.rfind(['.', '['])?;
            path = &path[..end];
        }
    }
}

/// Reads a text of YAML 1.2, which JSON is too.
pub fn parse(text: &str) -> Result<Document, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_depth(text)?;
    let wrong = |error: saphyr::ScanError| Unreadable {
        line: error.marker().line(),
        message: error.info().to_owned(),
    };
    let documents = MarkedYaml::load_from_str(text).map_err(wrong)?;
    let [document] = documents.as_slice() else {
        let message = match documents.len() {
            0 => "it is empty; `vestibule export` writes one to begin with",
            _ => "it holds several documents; leave one",
        };
        return Err(unreadable(1, message));
    };
    let mut lines = HashMap::new();
    let value = value_of(document, String::new(), &mut lines)?;
    Ok(Document { value, lines })
}

/// Reads a text of JSON; what is wrong, else. A member that is there twice is refused, as in YAML: one of the two would be
/// lost.
pub fn parse_json(text: &str) -> Result<Value, String> {
    let _lenient: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let limits = Limits {
        depth: DEPTH_MAX,
        names: usize::MAX,
        case_counts: true,
    };
    scim::json::read_within(text.as_bytes(), limits).map_err(|error| error.detail)
}

fn unreadable(line: usize, message: impl Into<String>) -> Unreadable {
    Unreadable {
        line,
        message: message.into(),
    }
}

/// Reading nests as the text does, so this comes first.
fn check_depth(text: &str) -> Result<(), Unreadable> {
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        // The error is told when the document is read.
        let Ok((event, span)) = event else {
            return Ok(());
        };
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            let message =
                format!("lists and mappings lie more than {DEPTH_MAX} deep in each other");
            return Err(unreadable(span.start.line(), message));
        }
    }
    Ok(())
}

fn value_of(
    node: &MarkedYaml<'_>,
    path: String,
    lines: &mut HashMap<String, usize>,
) -> Result<Value, Unreadable> {
    let line = node.span.start.line();
    lines.entry(path.clone()).or_insert(line);
    Ok(match &node.data {
        YamlData::Value(scalar) => scalar_of(scalar, line)?,
        YamlData::Sequence(items) => {
            let values = items
                .iter()
                .enumerate()
                .map(|(index, node)| value_of(node, item(&path, index), lines));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        YamlData::Mapping(members) => {
            let mut map = Map::new();
            for (key, node) in members {
                let line = key.span.start.line();
                let name = name_of(key)?;
                let path = member(&path, &name);
                lines.insert(path.clone(), line);
                map.insert(name, value_of(node, path, lines)?);
            }
            Value::Object(map)
        }
        YamlData::Tagged(_, node) => value_of(node, path, lines)?,
        YamlData::Representation(text, ..) => Value::from(text.as_ref()),
        YamlData::Alias(_) | YamlData::BadValue => {
            return Err(unreadable(line, "there is no value that can be read"));
        }
    })
}

fn scalar_of(scalar: &Scalar<'_>, line: usize) -> Result<Value, Unreadable> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(is) => Value::Bool(*is),
        Scalar::Integer(number) => Value::from(*number),
        Scalar::FloatingPoint(number) => {
            Number::from_f64(number.into_inner())
                .map(Value::Number)
                .ok_or_else(|| unreadable(line, "that is no number which can be kept"))?
        }
        Scalar::String(text) => Value::from(text.as_ref()),
    })
}

/// Names are texts; a number or a word that YAML reads otherwise is meant as it is written.
fn name_of(key: &MarkedYaml<'_>) -> Result<String, Unreadable> {
    let line = key.span.start.line();
    match &key.data {
        YamlData::Value(Scalar::String(text)) => Ok(text.clone().into_owned()),
        YamlData::Value(Scalar::Null) => Ok("null".to_owned()),
        YamlData::Value(scalar) => Ok(scalar_of(scalar, line)?.to_string()),
        _ => Err(unreadable(line, "a name has to be a text")),
    }
}

/// Writes a value as YAML. The same value is always the same text, in all versions of this program.
pub fn print(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                start_line(indent, out);
                let _written = write!(out, "{}:", text_of(name));
                after_name(value, indent, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for value in items {
                start_line(indent, out);
                out.push_str("- ");
                block(value, indent + 1, out);
            }
        }
        plain => {
            out.push_str(&inline(plain));
            out.push('\n');
        }
    }
}

/// The first line of what stands behind a dash goes on on its line.
fn start_line(indent: usize, out: &mut String) {
    if out.is_empty() || out.ends_with('\n') {
        out.push_str(&"  ".repeat(indent));
    }
}

fn after_name(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            block(value, indent + 1, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            block(value, indent + 1, out);
        }
        plain => {
            out.push(' ');
            block(plain, indent, out);
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => text_of(text),
        // Empty collections, numbers and words are the same in JSON.
        other => other.to_string(),
    }
}

/// Words that readers of YAML take for something else than text.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A text as it stands in YAML: plain where nobody can read it otherwise, else in the quotes of JSON.
fn text_of(text: &str) -> String {
    let mut bytes = text.bytes();
    let starts = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" _-./@+".contains(&byte);
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    match starts && bytes.all(plain) && !text.ends_with(' ') && !is_word {
        true => text.to_owned(),
        // Line ends that YAML knows and JSON does not would end the line.
        false => Value::from(text)
            .to_string()
            .replace('\u{85}', "\\u0085")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029")
            .replace('\u{feff}', "\\ufeff")
            .replace('\u{7f}', "\\u007f"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        parse(text).unwrap().value
    }

    #[test]
    fn text_is_plain_where_nobody_can_read_it_otherwise() {
        let value = json!({
            "version": 1,
            "name": "a b",
            "on": true,
            "list": ["yes", "No", "1", "0x1f", "", "a: b", "a #b", "- a", "~", "2024-01-01", "é", "x\ny", "a "],
            "none": null,
            "empty": [],
            "nothing": {},
            "nested": [{"a": 1, "b": [{"c": {"d": 2}}]}, [["x"]]],
        });
        let text = print(&value);
        assert!(
            text.starts_with("version: 1\nname: a b\n\"on\": true\nlist:\n  - \"yes\"\n"),
            "{text}"
        );
        assert!(
            text.contains(
                "empty: []\nnothing: {}\nnested:\n  - a: 1\n    b:\n      - c:\n          d: 2\n"
            ),
            "{text}"
        );
        assert_eq!(read(&text), value, "{text}");
    }

    #[test]
    fn lines_are_those_of_the_names() {
        let text = "a: 1\nb:\n  - x: 1\n    y:\n      - 2\n  # comment\n  - {x: 3}\n";
        let document = parse(text).unwrap();
        for (path, line) in [
            ("a", 1),
            ("b", 2),
            ("b[0]", 3),
            ("b[0].y[0]", 5),
            ("b[1].x", 7),
            ("b[0].y.z", 4),
            ("c", 1),
        ] {
            assert_eq!(document.line(path).unwrap_or(1), line, "{path}");
        }
        assert_eq!(
            read("{\"a\": [1, 2.5, \"x\"]}"),
            json!({"a": [1, 2.5, "x"]})
        );
        assert_eq!(
            read("a: &x {b: 1}\nc: *x"),
            json!({"a": {"b": 1}, "c": {"b": 1}})
        );
        assert_eq!(read("yes: no\n1: 2"), json!({"yes": "no", "1": 2}));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        for (text, line) in [
            ("a: 1\na: 2\n", 2),
            ("a: [1\nb: 2\n", 2),
            ("a: 1\n---\nb: 2\n", 1),
            ("", 1),
            ("a: *nobody\n", 1),
            ("a: .inf\n", 1),
            ("? [a]\n: 1\n", 1),
            (&"[".repeat(100_000), 1),
            (&format!("a: {}1{}", "[".repeat(60), "]".repeat(60)), 1),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(!wrong.message.is_empty());
            let shown: String = text.chars().take(20).collect();
            assert_eq!(wrong.line, line, "{shown}: {wrong:?}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ -~]{0,8}",
            "(yes|no|null|0|1e3|~|-|\\.inf|=|<<)"
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_map(|text| Value::from(text.replace('\0', ""))),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[ -~é]{0,6}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read_back(value in any_value()) {
            let text = print(&value);
            prop_assert_eq!(parse(&text).map(|document| document.value), Ok(value), "{}", text);
        }
    }
}
