//! `cargo xtask conformance`: testers and clients that others wrote, against the program on both engines.
//!
//! Whoever wrote the server also wrote its tests, and may have read a protocol wrongly twice. These programs share no
//! author with it.

pub mod programs;
mod provide;
pub mod report;
mod scene;

use anyhow::{Context, Result, bail};

use crate::steps::{self, Done, ask};
use programs::{PROGRAMS, Program, Protocol, Runtime};
use provide::Provided;
use report::{Summary, judge, read};
use scene::{Engine, Scene};

/// Makes the people that Crowd clients look at.
const PEOPLE: &str = "people.py";

/// Provides the packages of npm, for tests that look at pages with one of them.
pub fn packages() -> Result<()> {
    provide::provide(Runtime::Node).map(drop)
}

/// Runs every program on both engines; an error if one finds something that is not listed.
pub fn run() -> Result<Done> {
    let python = match provide::provide(Runtime::Python) {
        Ok(python) => python,
        Err(why) => return Ok(Done::Skipped(format!("no Python: {why:#}"))),
    };
    let node = provide::provide(Runtime::Node);
    let vestibule = scene::build()?;
    let mut wrong = 0;
    let mut total = Summary::default();
    println!();
    for program in PROGRAMS {
        let runner = match (program.runtime, &node) {
            (Runtime::Python, _) => &python,
            (Runtime::Node, Ok(node)) => node,
            (Runtime::Node, Err(_)) => continue,
        };
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let summary = look(&vestibule, program, runner, &python, engine)
                .with_context(|| format!("{} on {engine:?}", program.package))?;
            println!(
                "{:<24}  {:<6}  {:<9}  {:>4} as wanted  {:>2} as listed  {:>2} wrong",
                program.package,
                program.protocol.name(),
                format!("{engine:?}"),
                summary.good,
                summary.listed,
                summary.wrong.len()
            );
            for text in &summary.wrong {
                println!("    {text}");
            }
            wrong += summary.wrong.len();
            total.good += summary.good;
            total.listed += summary.listed;
        }
    }
    println!(
        "conformance: {} checks as wanted, {} as listed, {wrong} wrong",
        total.good, total.listed
    );
    if wrong > 0 {
        bail!("{wrong} checks of other people's programs are not as expected");
    }
    Ok(match node {
        Ok(_) => Done::Fully,
        Err(why) => Done::Skipped(format!("the programs of npm; no Node.js: {why:#}")),
    })
}

/// Runs one program against a server of its own.
fn look(
    vestibule: &steps::Program,
    program: &Program,
    runner: &Provided,
    python: &Provided,
    engine: Engine,
) -> Result<Summary> {
    let scene = Scene::start(vestibule, engine)?;
    if program.protocol == Protocol::Crowd {
        ask(python.run(PEOPLE).env("SCENE", &scene.text))?;
    }
    let told = ask(runner.run(program.script).env("SCENE", &scene.text))?;
    Ok(judge(program, &read(&told)?))
}
