//! The command line reference, from what each command says about itself with `--help`.

use std::fmt::Write;

use anyhow::Result;

use crate::steps::Program;

/// The page, with one section for each command in the order of the help.
pub fn reference(program: &Program) -> Result<String> {
    let mut page = String::from(
        "<!-- Written by `cargo xtask gen` from the program. Do not edit. -->\n\n# Command line\n",
    );
    section(program, &[], &mut page)?;
    Ok(page)
}

fn section(program: &Program, path: &[String], page: &mut String) -> Result<()> {
    let words: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = program.say(&words)?;
    let title = std::iter::once(program.name())
        .chain(path.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ");
    write!(page, "\n## {title}\n\n```text\n{}\n```\n", tidied(&help))?;
    for name in subcommands(&help) {
        let deeper: Vec<String> = path.iter().cloned().chain([name]).collect();
        section(program, &deeper, page)?;
    }
    Ok(())
}

fn tidied(help: &str) -> String {
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// The names under `Commands:`; `help` describes itself elsewhere.
fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_help() {
        let help = "About\n\nUsage: x\n\nCommands:\n  serve  Runs\n         on\n  list   Lists\n  help   Helps\n\nOptions:\n  -h\n";
        assert_eq!(subcommands(help), ["serve", "list"]);
        assert!(subcommands("Usage: x\n\nOptions:\n  -h\n").is_empty());
    }
}
