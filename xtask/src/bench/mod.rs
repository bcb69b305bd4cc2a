//! `cargo xtask bench`: the program's performance beside what its parts do alone, in one run.
//!
//! The figure that counts is the processor time of the server for a request: it moves little when the machine has other
//! work. Limits are ratios to a bare HTTP handler and a bare database measured in the same run.

mod load;
mod people;
mod scene;
mod stories;
mod table;
mod wire;

use anyhow::{Result, bail};

use scene::Scene;
use table::Table;

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Users of the connector.
    pub users: usize,
    /// Whether the programs are built for speed; without it only the bench itself is tried.
    pub release: bool,
}

impl Size {
    /// Requests of a figure about reading.
    fn reads(self) -> usize {
        if self.release { 30_000 } else { 3_000 }
    }

    /// Reads `--users N` and `--dev`.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut size = Self {
            users: 100_000,
            release: true,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--dev" => size.release = false,
                "--users" => match words.next().map(|number| number.parse()) {
                    Some(Ok(users)) if users >= 1_000 => size.users = users,
                    _ => bail!("--users takes a number from 1000"),
                },
                other => bail!("unknown: {other}"),
            }
        }
        Ok(size)
    }
}

/// Runs everything and prints the table; an error if a figure is short of its limit.
pub fn run(size: Size) -> Result<()> {
    let mut table = Table::default();
    let mut scene = Scene::build(size)?;
    stories::filling(&mut scene, &mut table)?;
    stories::reading(&scene, &mut table)?;
    stories::walking(&scene, &mut table)?;
    stories::groups(&mut scene, &mut table)?;
    stories::products(&scene, &mut table)?;
    stories::keeping(scene, &mut table)?;
    println!("\n{}", table.text());
    match table.short() {
        0 => Ok(()),
        short if size.release => bail!("{short} figures are short of their limits"),
        short => {
            println!(
                "{short} figures are short of their limits, as is no wonder without --release"
            );
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(Size::parse(&[]).unwrap().users, 100_000);
        let small = Size::parse(&["--dev", "--users", "5000"]).unwrap();
        assert!(!small.release && small.users == 5_000);
        for wrong in [
            &["--users"][..],
            &["--users", "ten"],
            &["--users", "10"],
            &["fast"],
        ] {
            assert!(Size::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
