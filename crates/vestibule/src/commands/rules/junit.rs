//! Results of rule tests as build servers read them.

use serde_json::Value;

use super::text;
use super::told::mismatches;

/// A JUnit report.
pub(super) fn report(connector: &str, run: &Value) -> String {
    let all = run["results"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(
            r#"<testsuite name="rules of {}" tests="{}" failures="{}">"#,
            escaped(connector),
            all.len(),
            run["failed"]
        ),
    ];
    for one in all {
        let name = escaped(&text(one, "name"));
        let failures = mismatches(one);
        if failures.is_empty() {
            lines.push(format!(r#"  <testcase classname="rules" name="{name}"/>"#));
            continue;
        }
        lines.push(format!(r#"  <testcase classname="rules" name="{name}">"#));
        let told = escaped(&failures.join("\n"));
        lines.push(format!(
            r#"    <failure message="unexpected outcome">{told}</failure>"#
        ));
        lines.push("  </testcase>".to_owned());
    }
    lines.push("</testsuite>".to_owned());
    lines.join("\n")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(char),
            // XML has no way to write other control characters.
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn failures_are_told_and_markup_is_none() {
        let run = json!({"passed": 1, "failed": 1, "results": [
            {"name": "fine", "passed": true, "mismatches": []},
            {"name": "a <b>", "passed": false, "mismatches": [{"what": "status", "expected": "none", "found": "active"}]},
        ]});
        assert_eq!(
            report("okta", &run),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="rules of okta" tests="2" failures="1">
  <testcase classname="rules" name="fine"/>
  <testcase classname="rules" name="a &lt;b&gt;">
    <failure message="unexpected outcome">status should be &quot;none&quot; and is &quot;active&quot;</failure>
  </testcase>
</testsuite>"#
        );
    }
}
