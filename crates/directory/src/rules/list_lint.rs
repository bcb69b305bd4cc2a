//! Warnings about single entries of lists of groups that hardly mean what was meant.

use super::lint::{lists, warn};
use super::list::SHADOW;
use super::{RuleError, Rules, group_lint};

/// What stands before a name in an entry, and says how it is meant.
const MARKS: [&str; 3] = ["re:", "source:", SHADOW];
/// What expressions have in them, and names of groups have not.
const OF_EXPRESSIONS: [&str; 9] = ["*", ".+", "\\d", "\\w", "\\.", "[a-z", "[0-9", "(?", "|"];

/// Entries that match nothing, or not what their writer had in mind.
pub(super) fn warnings(rules: &Rules, found: &mut Vec<RuleError>) {
    for (path, list) in lists(rules) {
        for (index, entry) in list.iter().enumerate() {
            if let Some((message, remedy)) = doubt(entry, group_lint::is_plain(path)) {
                warn(found, format!("{path}[{index}]"), message, remedy);
            }
        }
    }
    for (path, name) in group_lint::named_one_by_one(rules) {
        if let Some((message, remedy)) = doubt(name, true) {
            warn(found, path, message, remedy);
        }
    }
}

/// What is to be said of an entry; of a plain one all is the name.
fn doubt(entry: &str, is_plain: bool) -> Option<(String, &'static str)> {
    let rest = match is_plain {
        true => entry,
        false => {
            let rest = entry.strip_prefix(SHADOW).unwrap_or(entry);
            rest.strip_prefix("source:").unwrap_or(rest)
        }
    };
    if let Some(pattern) = rest.strip_prefix("re:").filter(|_| !is_plain) {
        return has_space(pattern).then(|| {
            let message =
                format!("`{entry}` asks for white space at an end of the name, which no group has");
            (message, "remove the space")
        });
    }
    let small = rest.trim_start().to_lowercase();
    if MARKS.iter().any(|mark| small.starts_with(mark)) {
        let remedy = match is_plain {
            true => "name the group itself; expressions have no place here",
            false => {
                "write `re:`, `source:` and `shadow:` in small letters, `shadow:` first and `re:` last, without spaces"
            }
        };
        return Some((
            format!("`{entry}` is taken for a name, letter by letter"),
            remedy,
        ));
    }
    if has_space(rest) {
        let message = format!("`{entry}` has white space at an end, which no group has");
        return Some((message, "remove the space"));
    }
    let is_expression = OF_EXPRESSIONS.iter().any(|it| rest.contains(it))
        || rest.starts_with('^')
        || rest.ends_with('$');
    is_expression.then(|| {
        let message = format!(
            "`{entry}` is taken for a name, letter by letter, and looks like an expression"
        );
        let remedy = match is_plain {
            true => "name each group; expressions have no place here",
            false => "write `re:` in front of an expression",
        };
        (message, remedy)
    })
}

fn has_space(text: &str) -> bool {
    text.trim() != text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_can_hardly_be_meant_are_told_apart() {
        for entry in [
            "jira-.*",
            "jira-*",
            "Re:x",
            "RE:jira-.*",
            " staff",
            "staff\t",
            "re: x",
            " re:x",
            "source: x",
            "Source:x",
            "source:shadow:x",
            "^staff",
            "staff$",
            "a|b",
            "shadow:Re:x",
            "source:re:x ",
        ] {
            assert!(doubt(entry, false).is_some(), "{entry}");
        }
        for entry in [
            "staff",
            "jira users",
            "re:jira-.*",
            "re:^a|b$",
            "source:re:x",
            "shadow:source:re:x",
            "R&D (Berlin)",
            "C++",
            "team: re",
            "a.b",
            "red:x",
            "50% [all]",
        ] {
            assert_eq!(doubt(entry, false), None, "{entry}");
        }
        for entry in ["re:x", "source:x", "jira-.*", " x"] {
            assert!(doubt(entry, true).is_some(), "{entry}");
        }
        assert_eq!(doubt("staff", true), None);
    }
}
