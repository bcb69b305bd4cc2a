//! `cargo xtask test`: everything that must pass before a change is kept.

use anyhow::Result;

use crate::steps::{Steps, ask, call, cargo};
use crate::{conformance, generate, tidy, tools};

/// Runs all checks; an error if any failed.
pub fn run() -> Result<()> {
    let mut steps = Steps::default();
    steps.run("tools", tools::provide);
    steps.run("tidy", tidy::run);
    steps.run("doc tests", || {
        call(cargo().args(["test", "--quiet", "--workspace", "--doc"]))
    });
    steps.run("tests", tests);
    steps.run("generated documents", || {
        generate::run(generate::Mode::Check)
    });
    steps.run_or_skip("conformance", conformance::run);
    steps.finish()
}

/// Runs testers and clients that others wrote, alone.
pub fn conformance() -> Result<()> {
    let mut steps = Steps::default();
    steps.run("tools", tools::provide);
    steps.run_or_skip("conformance", conformance::run);
    steps.finish()
}

fn tests() -> Result<()> {
    let has_nextest = ask(cargo().args(["nextest", "--version"])).is_ok();
    if has_nextest {
        call(cargo().args(["nextest", "run", "--workspace", "--no-fail-fast"]))
    } else {
        println!("cargo-nextest is not installed: using cargo test");
        // Doc tests are a step of their own.
        call(cargo().args(["test", "--workspace", "--all-targets", "--no-fail-fast"]))
    }
}
