//! The report as JUnit XML, which build servers show.

use std::fmt::Write;

use quick_xml::escape::escape;

use crate::catalogue::section_title;

use super::{Counts, Evidence, Outcome, Report, Verdict};

pub(super) fn junit(report: &Report) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = report.counts();
    let all = report.outcomes.len();
    put(
        &mut xml,
        &format!(
            "<testsuites name=\"{}\" tests=\"{all}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3}\">\n",
            attribute(&format!("SCIM check of {}", report.url)),
            counts.fail,
            counts.skip,
            report.seconds
        ),
    );
    for (section, outcomes) in report.sections() {
        suite(&mut xml, section, &outcomes);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, section: &str, outcomes: &[&Outcome]) {
    let counts = Counts::of(outcomes.iter().copied());
    let seconds: f64 = outcomes.iter().map(|one| seconds(one)).sum();
    put(
        xml,
        &format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{seconds:.3}\">\n",
            attribute(&format!("{section} {}", section_title(section))),
            outcomes.len(),
            counts.fail,
            counts.skip,
        ),
    );
    for outcome in outcomes {
        case(xml, outcome);
    }
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, outcome: &Outcome) {
    let name = attribute(&format!("{} {}", outcome.id, outcome.title));
    put(
        xml,
        &format!(
            "    <testcase classname=\"scim.{}\" name=\"{name}\" time=\"{:.3}\"",
            outcome.section,
            seconds(outcome)
        ),
    );
    match (outcome.verdict, &outcome.evidence) {
        (Verdict::Skip, _) => {
            let reason = attribute(outcome.reason.as_deref().unwrap_or("not run"));
            put(
                xml,
                &format!("><skipped message=\"{reason}\"/></testcase>\n"),
            );
        }
        (Verdict::Fail, Some(evidence)) => put(
            xml,
            &format!(
                ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
                outcome.level,
                attribute(&message(evidence)),
                content(&story(outcome, evidence))
            ),
        ),
        (Verdict::Warn, Some(evidence)) => put(
            xml,
            &format!(
                ">\n      <system-out>warning: {}</system-out>\n    </testcase>\n",
                content(&story(outcome, evidence))
            ),
        ),
        _ => xml.push_str("/>\n"),
    }
}

fn message(evidence: &Evidence) -> String {
    format!("expected {}; got {}", evidence.expected, evidence.came)
}

fn story(outcome: &Outcome, evidence: &Evidence) -> String {
    format!(
        "{}\nsource: {}\n\nsent:\n{}\n\nanswer:\n{}\n\nwhy it matters: {}\nwhat to do: {}\n",
        message(evidence),
        outcome.source,
        evidence.sent,
        evidence.answer,
        evidence.why,
        evidence.fix
    )
}

fn seconds(outcome: &Outcome) -> f64 {
    std::time::Duration::from_millis(outcome.milliseconds).as_secs_f64()
}

fn put(xml: &mut String, text: &str) {
    let _infallible = xml.write_str(text);
}

/// Escaped for the text of an element.
fn content(text: &str) -> String {
    escape(printable(text)).into_owned()
}

/// Escaped for an attribute, where line ends would become blanks.
fn attribute(text: &str) -> String {
    content(&text.replace(['\n', '\r', '\t'], " "))
}

/// XML 1.0 has no way to write most control characters, and servers answer with anything.
fn printable(text: &str) -> String {
    let is_allowed = |c: char| {
        matches!(c, '\n' | '\t') || (c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}' | '\u{7F}'))
    };
    text.chars()
        .map(|c| if is_allowed(c) { c } else { '\u{FFFD}' })
        .collect()
}
