//! The page about other people's programs, from the table that is run.

use std::fmt::Write;

use anyhow::{Context, Result};

use crate::conformance::programs::{PROGRAMS, Runtime};
use crate::steps::{Program, root};

const HEAD: &str = "\
<!-- Written by `cargo xtask gen` from the program. Do not edit. -->

# Conformance

Whoever wrote a server also wrote its tests, and may have read a protocol wrongly twice. So programs that other people wrote are
run against Vestibule, too: testers of SCIM servers, and clients of both protocols. `cargo xtask conformance` runs them, and it is a
part of `cargo xtask test`. Each has a server process of its own, once on SQLite and once on PostgreSQL.

| program | version | from | protocol | what it covers |
|---|---|---|---|---|
";

const EXCEPTIONS: &str = "
A check that does not pass fails the run, and so does one that is skipped, unless it is listed here. What is listed and passes
fails the run as well, until it is taken off the list.

## What is listed

| program | check | outcome | why |
|---|---|---|---|
";

const TAIL: &str = "
## Our own

`vestibule check-scim` tests any SCIM server ([how](../guides/check-scim.md)), and knows more of what identity providers
do than these programs. It passes on Vestibule without a warning; this is a test as well.

What is needed to run the programs is told in the folder [conformance](../../../conformance/README.md).
";

/// The page.
pub fn reference(_: &Program) -> Result<String> {
    let mut page = String::from(HEAD);
    for program in PROGRAMS {
        let (from, version) = match program.runtime {
            Runtime::Python => ("PyPI", python_version(program.package)),
            Runtime::Node => ("npm", node_version(program.package)),
        };
        let version = version.with_context(|| format!("the version of {}", program.package))?;
        writeln!(
            page,
            "| `{}` | {version} | {from} | {} | {} |",
            program.package,
            program.protocol.name(),
            program.covers
        )?;
    }
    page.push_str(EXCEPTIONS);
    for program in PROGRAMS {
        for listed in program.exceptions {
            let (check, outcome) = (listed.check, listed.outcome.name());
            let package = program.package;
            writeln!(
                page,
                "| `{package}` | `{check}` | {outcome} | {} |",
                listed.reason
            )?;
        }
    }
    page.push_str(TAIL);
    Ok(page)
}

fn python_version(package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(root().join("conformance/requirements.txt"))?;
    lock.lines()
        .find_map(|line| line.strip_prefix(package)?.strip_prefix("=="))
        .and_then(|rest| rest.split_whitespace().next())
        .map(str::to_owned)
        .context("not in requirements.txt")
}

fn node_version(package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(root().join("conformance/package-lock.json"))?;
    let lock: serde_json::Value = serde_json::from_str(&lock)?;
    lock["packages"][format!("node_modules/{package}")]["version"]
        .as_str()
        .map(str::to_owned)
        .context("not in package-lock.json")
}
