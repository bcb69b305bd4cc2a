//! `cargo xtask tidy`: the house rules that neither the compiler nor clippy knows.
//!
//! Each rule is a module with one function from the tree of files to the problems it finds, so that
//! a rule can be tested on a few lines of text.

mod arrows;
mod leaks;
mod links;
mod migrations;
mod rooms;
mod schemas;
mod shape;
mod source;
mod tree;
mod words;

use std::fmt;

use anyhow::{Result, bail};

use tree::Tree;

/// Something that breaks a house rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    path: String,
    /// From 1; 0 when the whole file is meant.
    line: usize,
    message: String,
    weight: Weight,
}

/// Whether a problem stops the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Error,
    Warning,
}

impl Problem {
    fn error(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
            weight: Weight::Error,
        }
    }

    fn warning(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            weight: Weight::Warning,
            ..Self::error(path, line, message)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        write!(f, "{weight}: {}", self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Checks the whole project; an error if any rule is broken.
pub fn run() -> Result<()> {
    let tree = Tree::load(&crate::steps::root())?;
    let mut problems = check(&tree);
    problems.extend(arrows::check(&arrows::declared()?));
    problems.sort();
    problems.dedup();
    for problem in &problems {
        eprintln!("{problem}");
    }
    let errors = count(&problems, Weight::Error);
    let warnings = count(&problems, Weight::Warning);
    println!(
        "tidy: {} files, {errors} errors, {warnings} warnings",
        tree.files().len()
    );
    if errors > 0 {
        bail!("{errors} house rules are broken");
    }
    Ok(())
}

fn check(tree: &Tree) -> Vec<Problem> {
    [
        words::check,
        shape::check,
        leaks::check,
        links::check,
        migrations::check,
        schemas::check,
    ]
    .iter()
    .flat_map(|rule| rule(tree))
    .collect()
}

fn count(problems: &[Problem], weight: Weight) -> usize {
    problems.iter().filter(|p| p.weight == weight).count()
}
