//! The shape of a file: a sentence of purpose first, not too long, a name that says something.

use super::tree::{File, Tree};
use super::{Problem, rooms};

/// Rust files longer than this should be looked at.
const LINES_WANTED: usize = 500;
/// Rust files longer than this tell two stories.
const LINES_MAX: usize = 800;
/// Names of files that gather what has no home.
const NAMELESS: &[&str] = &["helper", "helpers", "misc", "util", "utils"];
/// What tools leave behind and nobody meant to keep.
const LEFTOVERS: &[&str] = &[".pending-snap", ".snap.new", ".orig", ".rej", "~"];
/// Lints that may be switched off only with a reason in the attribute.
const NEEDS_REASON: &[&str] = &[
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::panic",
];

/// Scripts, by how their names end, and how the sentence of purpose begins in each.
const SCRIPTS: &[(&str, &str)] = &[(".py", "\"\"\""), (".js", "// ")];

/// Checks every file's name, every script's beginning, and every Rust file.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files() {
        if LEFTOVERS.iter().any(|ending| file.path.ends_with(ending)) {
            let message = "a tool left this behind: remove it";
            problems.push(Problem::error(&file.path, 0, message));
        }
        script(file, &mut problems);
    }
    for (file, source) in tree.rust() {
        purpose(file, &mut problems);
        length(file, &mut problems);
        name(file, &mut problems);
        let is_test_file = rooms::place(&file.path).is_some_and(|place| place.is_test);
        for (line, code) in source.code.iter().enumerate() {
            if !is_test_file && !source.is_test[line] {
                reasons(file, line, code, &source.code, &mut problems);
            }
        }
    }
    problems
}

fn purpose(file: &File, problems: &mut Vec<Problem>) {
    let first = file.text.lines().find(|line| !line.trim().is_empty());
    let sentence = first.and_then(|line| line.strip_prefix("//!"));
    if sentence.is_none_or(|text| text.trim().is_empty()) {
        let message = "begins without a `//!` sentence that says what the module is for";
        problems.push(Problem::error(&file.path, 1, message));
    }
}

fn script(file: &File, problems: &mut Vec<Problem>) {
    for (ending, sentence) in SCRIPTS {
        if file.path.ends_with(ending) && !file.text.starts_with(sentence) {
            let message = format!("begins without `{sentence}` and what the script is for");
            problems.push(Problem::error(&file.path, 1, message));
        }
    }
}

fn length(file: &File, problems: &mut Vec<Problem>) {
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        let message = format!("{lines} lines; a file of more than {LINES_MAX} tells two stories");
        problems.push(Problem::error(&file.path, 0, message));
    } else if lines > LINES_WANTED {
        let message = format!("{lines} lines; look whether it tells two stories");
        problems.push(Problem::warning(&file.path, 0, message));
    }
}

fn name(file: &File, problems: &mut Vec<Problem>) {
    let nameless = file
        .path
        .split('/')
        .map(|part| part.trim_end_matches(".rs"))
        .find(|part| NAMELESS.contains(part));
    if let Some(part) = nameless {
        let message = format!("`{part}` says nothing about what is inside");
        problems.push(Problem::error(&file.path, 0, message));
    }
}

/// An `allow` or `expect` of a lint that guards against panics states the invariant.
fn reasons(file: &File, line: usize, code: &str, all: &[String], problems: &mut Vec<Problem>) {
    let Some(lint) = NEEDS_REASON.iter().find(|lint| code.contains(*lint)) else {
        return;
    };
    let attribute: String = all[line..all.len().min(line + 4)].join(" ");
    let attribute = attribute.split(']').next().unwrap_or_default();
    if !attribute.contains("reason") {
        let message =
            format!("`{lint}` is switched off without a reason that states the invariant");
        problems.push(Problem::error(&file.path, line + 1, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Weight;

    fn found(path: &str, text: &str) -> Vec<Problem> {
        check(&Tree::of(&[(path, text)]))
    }

    #[test]
    fn a_module_says_what_it_is_for() {
        assert!(found("crates/a/src/b.rs", "//! Says it.\nfn a() {}").is_empty());
        assert!(found("crates/a/src/b.rs", "\n//! Says it.").is_empty());
        assert_eq!(found("crates/a/src/b.rs", "fn a() {}").len(), 1);
        assert_eq!(found("crates/a/src/b.rs", "//!\nfn a() {}").len(), 1);
        assert_eq!(found("crates/a/src/b.rs", "").len(), 1);
    }

    #[test]
    fn a_script_says_what_it_is_for() {
        assert_eq!(found("conformance/a.py", "\"\"\"Says it.\"\"\"\n"), []);
        assert_eq!(found("conformance/a.py", "import os\n").len(), 1);
        assert_eq!(found("conformance/a.js", "// Says it.\n"), []);
        assert_eq!(found("conformance/a.js", "run();\n").len(), 1);
    }

    #[test]
    fn long_files_warn_and_then_fail() {
        let weights = |lines: usize| {
            let text = format!("//! Long.\n{}", "// x\n".repeat(lines - 1));
            found("crates/a/src/b.rs", &text)
                .iter()
                .map(|p| p.weight)
                .collect::<Vec<_>>()
        };
        assert_eq!(weights(500), []);
        assert_eq!(weights(501), [Weight::Warning]);
        assert_eq!(weights(800), [Weight::Warning]);
        assert_eq!(weights(801), [Weight::Error]);
    }

    #[test]
    fn a_drawer_for_everything_is_refused() {
        assert_eq!(found("crates/a/src/utils.rs", "//! Things.").len(), 1);
        assert_eq!(found("crates/a/src/helpers/mod.rs", "//! Things.").len(), 1);
    }

    #[test]
    fn leftovers_are_refused() {
        assert_eq!(found("crates/a/tests/it/.b.rs.pending-snap", "{}").len(), 1);
        assert_eq!(found("crates/a/tests/it/b.snap", "x").len(), 0);
    }

    #[test]
    fn switching_off_a_guard_needs_a_reason() {
        let file = |attribute: &str| format!("//! A.\n{attribute}\nfn a() {{}}");
        let bare = file("#[expect(clippy::expect_used)]");
        let stated = file("#[expect(\n clippy::expect_used,\n reason = \"never empty\"\n)]");
        assert_eq!(found("crates/a/src/b.rs", &bare).len(), 1);
        assert!(found("crates/a/src/b.rs", &stated).is_empty());
        assert!(found("crates/a/tests/it/b.rs", &bare).is_empty());
    }
}
