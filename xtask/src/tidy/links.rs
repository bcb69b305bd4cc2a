//! Links between Markdown files lead somewhere, and the book's table of contents names every page.

use super::Problem;
use super::tree::{File, Tree};

const BOOK: &str = "docs/src/";
const SUMMARY: &str = "docs/src/SUMMARY.md";

/// Checks every Markdown file.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut in_summary = Vec::new();
    for file in tree.files().iter().filter(|f| f.path.ends_with(".md")) {
        for (line, target) in targets(&file.text) {
            let Some((path, anchor)) = resolve(&file.path, &target) else {
                continue;
            };
            if file.path == SUMMARY {
                in_summary.push(path.clone());
            }
            if let Some(message) = broken(tree, &path, anchor, &target) {
                problems.push(Problem::error(&file.path, line, message));
            }
        }
    }
    for file in tree.files() {
        let is_page = file.path.starts_with(BOOK) && file.path.ends_with(".md");
        if is_page && file.path != SUMMARY && !in_summary.contains(&file.path) {
            let message = "the page is not in the book's SUMMARY.md";
            problems.push(Problem::error(&file.path, 0, message));
        }
    }
    problems
}

fn broken(tree: &Tree, path: &str, anchor: &str, target: &str) -> Option<String> {
    if !tree.has(path) {
        return Some(format!("`{target}` leads nowhere: there is no {path}"));
    }
    let page = tree.get(path).filter(|file| file.path.ends_with(".md"))?;
    if anchor.is_empty() || anchors(page).any(|found| found == anchor) {
        return None;
    }
    Some(format!(
        "`{target}` leads nowhere: {path} has no heading `#{anchor}`"
    ))
}

/// The targets of the links in a Markdown text, with their lines from 1, without those in code.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            if let Some(end) = rest.find(')') {
                // A title may follow the target.
                let target = rest[..end].split_whitespace().next().unwrap_or_default();
                found.push((number, target.to_owned()));
            }
        }
        let is_definition = line.starts_with('[');
        if let Some((_, target)) = line.split_once("]: ").filter(|_| is_definition) {
            found.push((number, target.trim().to_owned()));
        }
    }
    found
}

/// The lines outside code blocks, with code spans blanked, and their numbers from 1.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            let spans = line.split('`').enumerate();
            let kept: String = spans
                .map(|(n, part)| {
                    if n % 2 == 0 {
                        part.to_owned()
                    } else {
                        "``".to_owned()
                    }
                })
                .collect();
            lines.push((index + 1, kept));
        }
    }
    lines
}

/// Where a link leads: a path from the top of the project, and an anchor. `None` for the outside.
fn resolve<'a>(from: &str, target: &'a str) -> Option<(String, &'a str)> {
    let is_outside = target.contains("://") || target.starts_with("mailto:") || target.is_empty();
    if is_outside {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if path.is_empty() {
        return Some((from.to_owned(), anchor));
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    Some((parts.join("/"), anchor))
}

fn anchors(page: &File) -> impl Iterator<Item = String> {
    headings(&page.text)
        .into_iter()
        .map(|heading| slug(&heading))
}

fn headings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code && line.starts_with('#') {
            found.push(line.trim_start_matches('#').trim().to_owned());
        }
    }
    found
}

/// The anchor that Markdown readers give a heading.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c if c.is_alphanumeric() => Some(c),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_link_to_a_file_or_folder_or_the_outside_is_good() {
        let page = "[a](b/c.md) [d](b) [e](https://example.org/x.md) [f](mailto:a@example.org)";
        assert!(found(&[("README.md", page), ("b/c.md", "")]).is_empty());
        assert!(found(&[("b/c.md", "[up](../README.md)"), ("README.md", "")]).is_empty());
    }

    #[test]
    fn a_link_to_nothing_is_reported_with_its_line() {
        let found = found(&[("README.md", "one\n[a](b.md)")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("README.md:2"), "{found:?}");
    }

    #[test]
    fn anchors_are_checked() {
        let target = "# Top\n## Get a token: how?\n```\n# not a heading\n```\n";
        assert!(found(&[("a.md", "[x](b.md#get-a-token-how)"), ("b.md", target)]).is_empty());
        assert_eq!(
            found(&[("a.md", "[x](b.md#not-a-heading)"), ("b.md", target)]).len(),
            1
        );
        assert_eq!(found(&[("a.md", "# One\n[x](#two)")]).len(), 1);
    }

    #[test]
    fn code_is_not_read_for_links() {
        assert!(found(&[("a.md", "```\n[a](b.md)\n```\nand `[a](b.md)`")]).is_empty());
    }

    #[test]
    fn definitions_count_as_links() {
        assert_eq!(found(&[("a.md", "[a]: b.md")]).len(), 1);
    }

    #[test]
    fn every_page_is_in_the_book() {
        let summary = ("docs/src/SUMMARY.md", "- [A](a.md)");
        let pages = [summary, ("docs/src/a.md", ""), ("docs/src/b.md", "")];
        let found = found(&pages);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("docs/src/b.md"), "{found:?}");
    }
}
