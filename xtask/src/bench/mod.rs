//! `cargo xtask bench`: the program's performance beside what its parts do alone, in one run.
//!
//! The figure that counts is the processor time of the server for a request: it moves little when the machine has other
//! work. Limits are ratios to a bare HTTP handler and a bare database measured in the same run.

mod company;
mod load;
mod pages;
mod people;
mod rules;
mod scene;
mod stories;
mod table;
mod wire;

use std::path::PathBuf;

use anyhow::{Result, bail};

use scene::Scene;
use table::Table;

/// How large a run is.
#[derive(Debug, Clone)]
pub struct Size {
    /// Users of the connector.
    pub users: usize,
    /// Whether the programs are built for speed; without it only the bench itself is tried.
    pub release: bool,
    /// A folder whose data are used again, and kept for the next run; else they are made anew.
    pub data: Option<PathBuf>,
    /// What is measured; everything if there is none.
    pub only: Vec<String>,
}

impl Size {
    /// Requests of a figure about reading.
    fn reads(&self) -> usize {
        if self.release { 30_000 } else { 3_000 }
    }

    /// Groups of the company, each of a hundred users: everybody is in ten.
    fn groups(&self) -> usize {
        self.users / 100 * 10
    }

    /// Reads `--users N`, `--data FOLDER`, `--only STORY` and `--dev`.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut size = Self {
            users: 100_000,
            release: true,
            data: None,
            only: Vec::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--dev" => size.release = false,
                "--users" => match words.next().map(|number| number.parse()) {
                    Some(Ok(users)) if users >= 1_000 => size.users = users,
                    _ => bail!("--users takes a number from 1000"),
                },
                "--data" => match words.next() {
                    Some(folder) => size.data = Some(PathBuf::from(folder)),
                    None => bail!("--data takes a folder"),
                },
                "--only" => match words.next() {
                    Some(name) if STORIES.iter().any(|(known, _)| known == name) => {
                        size.only.push((*name).to_owned());
                    }
                    _ => {
                        let names: Vec<&str> = STORIES.iter().map(|(name, _)| *name).collect();
                        bail!("--only takes one of {}", names.join(", "))
                    }
                },
                other => bail!("unknown: {other}"),
            }
        }
        Ok(size)
    }
}

/// Measures something and adds it to the table.
type Story = fn(&mut Scene, &mut Table) -> Result<()>;

/// What is measured, in this order, when the data are there.
const STORIES: [(&str, Story); 10] = [
    ("read", stories::reading),
    ("walk", stories::walking),
    ("member", stories::member),
    ("put", stories::whole_group),
    ("crowd", stories::products),
    ("pages", pages::browsing),
    ("rules", rules::deciding),
    ("preview", rules::previewing),
    ("post", stories::posting),
    ("keep", stories::keeping),
];

/// Runs everything and prints the table; an error if a figure is short of its limit.
pub fn run(size: Size) -> Result<()> {
    let mut table = Table::default();
    let is_release = size.release;
    let mut scene = Scene::build(size)?;
    company::found(&mut scene, &mut table)?;
    for (name, story) in STORIES {
        let only = &scene.size.only;
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            story(&mut scene, &mut table)?;
        }
    }
    drop(scene);
    println!("\n{}", table.text());
    match table.short() {
        0 => Ok(()),
        short if is_release => bail!("{short} figures are short of their limits"),
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
        let again = Size::parse(&["--data", "/tmp/x", "--only", "read"]).unwrap();
        assert!(again.data.is_some() && again.only == ["read"]);
        for wrong in [
            &["--users"][..],
            &["--users", "ten"],
            &["--users", "10"],
            &["fast"],
            &["--data"],
            &["--only", "everything"],
        ] {
            assert!(Size::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
