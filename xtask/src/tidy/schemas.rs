//! Schemas of the admin API have names of their own: of two with one name, the description keeps only one.

use std::collections::HashMap;

use super::Problem;
use super::tree::Tree;

const API: &str = "crates/server/src/";

/// Checks every type that the description of the admin API names.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut known: HashMap<&str, &str> = HashMap::new();
    let mut problems = Vec::new();
    let files = tree.files().iter();
    for file in files.filter(|file| file.path.starts_with(API) && file.rust.is_some()) {
        for (line, name) in names(&file.text) {
            if let Some(other) = known.insert(name, &file.path) {
                let message = format!(
                    "the schema {name} is in {other} as well, and the description of the admin API keeps only one; give it another name"
                );
                problems.push(Problem::error(&file.path, line, message));
            }
        }
    }
    problems
}

/// The names of the types that derive a schema, with their lines from 1.
fn names(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut derives = false;
    for (number, line) in text.lines().enumerate() {
        let words = line.trim_start();
        if words.starts_with("#[derive(") {
            derives = words.contains("ToSchema");
        }
        let mut words = words.split_whitespace();
        let named = words.find(|word| ["struct", "enum"].contains(word));
        if let Some(name) = named.and(words.next()).filter(|_| derives) {
            let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
            let end = name.find(|letter| !is_letter(letter));
            found.push((number + 1, &name[..end.unwrap_or(name.len())]));
            derives = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_one_schema() {
        let one = "#[derive(Debug, ToSchema)]\n#[serde(default)]\nstruct OneView<T> {\n}\n";
        let other = "/// Another.\n#[derive(ToSchema)]\npub(super) enum OneView {\n}\n#[derive(Debug)]\nstruct Plain;\n";
        let a = ("crates/server/src/api/a.rs", one);
        let b = ("crates/server/src/api/b.rs", other);
        assert!(check(&Tree::of(&[a, ("crates/store/src/b.rs", other)])).is_empty());
        let problems = check(&Tree::of(&[a, b]));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].message.contains("OneView"), "{problems:?}");
    }
}
