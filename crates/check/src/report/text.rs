//! The report for people: counts for each section, then what is wrong and what to do.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::catalogue::section_title;

use super::{Counts, Evidence, Outcome, Report, Verdict};

/// More skipped checks of one reason are counted and not named.
const SKIPPED_NAMED: usize = 15;

/// How the text looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Colours for a terminal.
    pub is_coloured: bool,
    /// Every check by name, not only those that are wrong.
    pub is_full: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        match self.is_coloured {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    fn verdict(self, verdict: Verdict) -> String {
        let code = match verdict {
            Verdict::Pass => "32",
            Verdict::Fail => "1;31",
            Verdict::Warn => "33",
            Verdict::Skip => "2",
        };
        self.paint(code, verdict.as_str())
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }
}

/// Writing to a string cannot fail.
macro_rules! line {
    ($text:expr) => { $text.push('\n') };
    ($text:expr, $($format:tt)*) => { let _infallible = writeln!($text, $($format)*); };
}

pub(super) fn text(report: &Report, style: Style) -> String {
    let mut text = String::new();
    line!(
        text,
        "{}",
        style.bold(&format!("SCIM check of {}", report.url))
    );
    let offers = report.offers.join(", ");
    line!(
        text,
        "offers: {}",
        if offers.is_empty() {
            "nothing"
        } else {
            &offers
        }
    );
    if report.is_read_only {
        line!(text, "read-only run: nothing was written");
    }
    line!(text);
    line!(
        text,
        "{:42} {:>5} {:>5} {:>5} {:>5}",
        "SECTION",
        "PASS",
        "FAIL",
        "WARN",
        "SKIP"
    );
    for (section, outcomes) in report.sections() {
        let counts = Counts::of(outcomes.iter().copied());
        let name = format!("{section}  {}", section_title(section));
        row(&mut text, &name, counts);
        if style.is_full {
            for outcome in outcomes {
                let verdict = style.verdict(outcome.verdict);
                line!(text, "  {verdict}  {}  {}", outcome.id, outcome.title);
            }
        }
    }
    row(&mut text, "all", report.counts());
    for (verdict, title) in [(Verdict::Fail, "FAILURES"), (Verdict::Warn, "WARNINGS")] {
        let wrong: Vec<&Outcome> = report.with(verdict).collect();
        if !wrong.is_empty() {
            line!(text);
            line!(
                text,
                "{}",
                style.bold(&format!("{title} ({})", wrong.len()))
            );
            wrong
                .into_iter()
                .for_each(|outcome| story(&mut text, outcome, style));
        }
    }
    skipped(&mut text, report, style);
    ending(&mut text, report, style);
    text
}

fn row(text: &mut String, name: &str, counts: Counts) {
    let Counts {
        pass,
        fail,
        warn,
        skip,
    } = counts;
    let blank = |count: usize| match count {
        0 => "-".to_owned(),
        count => count.to_string(),
    };
    let (pass, fail, warn, skip) = (blank(pass), blank(fail), blank(warn), blank(skip));
    line!(text, "{name:42} {pass:>5} {fail:>5} {warn:>5} {skip:>5}");
}

fn story(text: &mut String, outcome: &Outcome, style: Style) {
    let Some(evidence) = &outcome.evidence else {
        return;
    };
    let Evidence {
        expected,
        came,
        sent,
        answer,
        why,
        fix,
        ..
    } = evidence;
    let level = match outcome.client {
        Some(client) => format!("habit of {client}"),
        None => format!("{}, {}", outcome.level, outcome.source),
    };
    line!(text);
    line!(
        text,
        "{}  {}  {}",
        style.verdict(outcome.verdict),
        style.bold(outcome.id),
        outcome.title
    );
    line!(text, "  level     {level}");
    line!(text, "  expected  {expected}");
    line!(text, "  got       {came}");
    line!(text, "  sent      {}", indented(sent));
    line!(text, "  answer    {}", indented(answer));
    line!(text, "  matters   {why}");
    line!(text, "  do        {fix}");
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n            ")
}

/// The skipped checks by their reasons; many of one reason are counted by section.
fn skipped(text: &mut String, report: &Report, style: Style) {
    let mut by_reason: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in report.with(Verdict::Skip) {
        let reason = outcome.reason.as_deref().unwrap_or("not run");
        by_reason.entry(reason).or_default().push(outcome);
    }
    if by_reason.is_empty() {
        return;
    }
    line!(text);
    line!(text, "{}", style.bold("SKIPPED"));
    for (reason, outcomes) in by_reason {
        let names: Vec<String> = match outcomes.len() {
            0..=SKIPPED_NAMED => outcomes.iter().map(|one| one.id.to_owned()).collect(),
            _ => {
                let mut sections: BTreeMap<&str, usize> = BTreeMap::new();
                for outcome in outcomes {
                    *sections.entry(outcome.section).or_default() += 1;
                }
                let counted = sections.iter();
                counted
                    .map(|(section, count)| format!("{count} of {section}"))
                    .collect()
            }
        };
        line!(text, "  {reason}: {}", names.join(", "));
    }
}

fn ending(text: &mut String, report: &Report, style: Style) {
    line!(text);
    if !report.left_behind.is_empty() {
        let all = report.left_behind.join("\n  ");
        line!(
            text,
            "{}\n  {all}",
            style.bold("Could not be deleted, delete them by hand:")
        );
    }
    if report.deleted > 0 {
        line!(
            text,
            "{} users and groups were created and deleted again. A server that keeps who was deleted, as an account that is \
             disabled or until somebody approves it, has them still: their names begin with {prefix}. On a Vestibule, \
             `vestibule holds list --connector NAME --search {prefix}` shows what waits for somebody, and \
             `vestibule holds approve --connector NAME` lets all of it go.",
            report.deleted,
            prefix = report.prefix
        );
    }
    if report.is_cancelled {
        line!(text, "The run was stopped before its end.");
    }
    let Counts {
        pass,
        fail,
        warn,
        skip,
    } = report.counts();
    let verdict = if fail > 0 {
        Verdict::Fail
    } else {
        Verdict::Pass
    };
    line!(
        text,
        "{}: {pass} passed, {fail} failed, {warn} warnings, {skip} skipped, in {:.1} s",
        style.verdict(verdict),
        report.seconds
    );
}
