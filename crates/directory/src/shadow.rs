//! The shadow: what rules that have no effect would do, told beside what those in force do (BY-04).

use crate::outcome::Outcome;
use crate::trace::{Line, Stage};

/// What a decision with the rules in the shadow says that the decision without them does not; about a group only, if one is
/// named.
pub fn in_the_shadow(without: &Outcome, with: &Outcome, group: Option<&str>) -> Vec<Line> {
    let lines = |outcome: &Outcome| match group {
        Some(group) => outcome.why_group(group).lines,
        None => outcome.lines(),
    };
    let known = lines(without);
    let fresh = lines(with).into_iter().filter(|line| !known.contains(line));
    fresh
        .map(|line| Line {
            stage: Stage::Shadow,
            text: format!("would be: {}", line.text),
        })
        .collect()
}
