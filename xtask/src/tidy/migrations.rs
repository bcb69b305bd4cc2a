//! A released migration never changes: somebody's database has run it.

use sha2::{Digest, Sha256};

use super::Problem;
use super::tree::Tree;

const FOLDER: &str = "crates/store/migrations/";
/// One line for each migration that has been in a release: SHA-256 in hexadecimal, a space, the name.
const RELEASED: &str = "crates/store/migrations/released.txt";

/// Checks that released migrations are unchanged, and that names are in one order.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = numbering(tree);
    let Some(released) = tree.get(RELEASED) else {
        return problems;
    };
    for (index, line) in released.text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let message = match line.split_once(' ') {
            None => Some("expected a checksum, a space and a file name".to_owned()),
            Some((checksum, name)) => changed(tree, checksum, name.trim()),
        };
        if let Some(message) = message {
            problems.push(Problem::error(RELEASED, index + 1, message));
        }
    }
    problems
}

fn changed(tree: &Tree, checksum: &str, name: &str) -> Option<String> {
    let Some(file) = tree.get(&format!("{FOLDER}{name}")) else {
        return Some(format!("{name} was released and is gone"));
    };
    (digest(&file.text) != checksum)
        .then(|| format!("{name} was released and has changed: write a new migration instead"))
}

/// Migrations begin with four digits, and no two with the same ones for the same engine.
fn numbering(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for file in tree.files() {
        let Some(name) = file
            .path
            .strip_prefix(FOLDER)
            .filter(|n| n.ends_with(".sql"))
        else {
            continue;
        };
        let number: String = name.chars().take_while(char::is_ascii_digit).collect();
        if number.len() != 4 {
            let message = "a migration's name begins with four digits";
            problems.push(Problem::error(&file.path, 0, message));
        }
        let engine = name
            .split('.')
            .rev()
            .nth(1)
            .filter(|_| name.matches('.').count() > 1);
        let place = format!("{number}.{}", engine.unwrap_or_default());
        if seen.contains(&place) {
            let message = format!("another migration has the number {number}");
            problems.push(Problem::error(&file.path, 0, message));
        }
        seen.push(place);
    }
    problems
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "crates/store/migrations/0001_start.sql";

    #[test]
    fn a_released_migration_must_stay() {
        let listed = format!("# released\n{} 0001_start.sql\n", digest("create table a"));
        let same = Tree::of(&[(FIRST, "create table a"), (RELEASED, &listed)]);
        let other = Tree::of(&[(FIRST, "create table b"), (RELEASED, &listed)]);
        let gone = Tree::of(&[(RELEASED, &listed)]);
        assert!(check(&same).is_empty());
        assert_eq!(check(&other).len(), 1);
        assert_eq!(check(&gone).len(), 1);
    }

    #[test]
    fn nothing_is_fixed_before_a_release() {
        assert!(check(&Tree::of(&[(FIRST, "create table a")])).is_empty());
    }

    #[test]
    fn numbers_are_unique_for_an_engine() {
        let path = |name: &str| format!("{FOLDER}{name}");
        let both = Tree::of(&[(FIRST, "a"), (&path("0001_other.sql"), "b")]);
        assert_eq!(check(&both).len(), 1);
        let engines = Tree::of(&[
            (&path("0002_x.sqlite.sql"), "a"),
            (&path("0002_x.postgres.sql"), "b"),
        ]);
        assert!(check(&engines).is_empty());
        assert_eq!(check(&Tree::of(&[(&path("start.sql"), "a")])).len(), 1);
    }
}
