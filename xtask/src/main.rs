//! The workshop: what a person or a build machine runs on the project itself.

mod bench;
mod conformance;
mod generate;
mod process;
mod screenshots;
mod steps;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  test           install what the tests need, then run tidy, all tests, doc tests, gen --check
                 and conformance
  tools          install what the tests need, and nothing else
  conformance    run testers and clients that others wrote against the program
  tidy           check the house rules on source, documents and dependencies
  gen [--check]  write the generated documents, or only check that they are current
  screenshots [folder]
                 a picture of each kind of page of the console, at three widths, light and dark
  screenshots --docs
                 the pictures that the book shows, taken anew
  bench          measure the program beside what its parts do alone; --users N for another size (100000),
                 --data FOLDER to fill a database once and keep it for the next run, --only STORY for one part,
                 --dev to try the bench itself without waiting for a build for speed
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(),
        ["tools"] => test::tools(),
        ["conformance"] => test::conformance(),
        ["tidy"] => tidy::run(),
        ["gen"] => generate::run(generate::Mode::Write),
        ["gen", "--check"] => generate::run(generate::Mode::Check),
        ["screenshots"] => screenshots::run(None),
        ["screenshots", "--docs"] => screenshots::for_book(),
        ["screenshots", folder] => screenshots::run(Some(folder)),
        ["bench", options @ ..] => bench::Size::parse(options).and_then(bench::run),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
