//! What must not be kept: paths of one machine, hosts of package registries, talk about how the
//! text came to be, numbers of issues.

use super::Problem;
use super::tree::{File, Tree};

/// Folders in which only one person's or one machine's files are.
const FOLDERS: &[&str] = &["/home/", "/root/"];
/// Folders that every machine has; a copy of the project may lie in one, and a text may speak of it.
const COMMON: &[&str] = &["/mnt", "/opt", "/srv", "/tmp", "/usr/src", "/var/tmp"];
/// Hosts from which packages come; which mirror a machine uses is its own business.
const HOSTS: &[&str] = &[
    "deb.debian.org",
    "files.pythonhosted.org",
    "index.crates.io",
    "proxy.golang.org",
    "pypi.org",
    "registry.npmjs.org",
    "static.crates.io",
];
/// Words about the writing of the project instead of the project.
const TALK: &[&str] = &[
    "as discussed",
    "as requested",
    "co-founder",
    "founder",
    "previous session",
    "the brief",
    "this session",
];
/// Files that are written by tools, or that hold these very lists.
const EXEMPT: &[&str] = &["Cargo.lock", "xtask/src/tidy/leaks.rs"];

/// Checks every text file.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let own = own_folders(tree.root());
    let files = tree.files().iter();
    for file in files.filter(|file| !EXEMPT.contains(&file.path.as_str())) {
        for (number, line) in file.text.lines().enumerate() {
            for message in leaks(file, line, &own) {
                problems.push(Problem::error(&file.path, number + 1, message));
            }
        }
    }
    problems
}

/// Where this copy of the project is, and the folder around it.
fn own_folders(root: &str) -> Vec<String> {
    let parent = root.rsplit_once('/').map_or("", |(parent, _)| parent);
    [parent, root]
        .iter()
        .filter(|folder| folder.len() > 1 && !COMMON.contains(folder))
        .map(|folder| format!("{folder}/"))
        .collect()
}

fn leaks(file: &File, line: &str, own: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let own = own.iter().map(String::as_str);
    let folders = FOLDERS.iter().copied().chain(own);
    if let Some(folder) = folders.into_iter().find(|folder| has_path(line, folder)) {
        found.push(format!("`{folder}` is a path of one machine"));
    }
    if let Some(host) = HOSTS.iter().find(|host| line.contains(*host)) {
        found.push(format!("`{host}` is a package registry"));
    }
    let lower = line.to_lowercase();
    if let Some(words) = TALK.iter().find(|words| has_words(&lower, words)) {
        found.push(format!(
            "`{words}` is about the writing, not about the project"
        ));
    }
    if has_prose(&file.path) && names_issue(line) {
        found.push(
            "a number of an issue means nothing to a reader: say what it is about".to_owned(),
        );
    }
    found
}

/// Whether an absolute path begins with the folder; `/api/home/x` and `example.org/it/` do not.
fn has_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "-_.}]~*)".contains(c))
    })
}

fn has_words(line: &str, words: &str) -> bool {
    line.match_indices(words).any(|(at, _)| {
        !line[..at].ends_with(char::is_alphanumeric)
            && !line[at + words.len()..].starts_with(char::is_alphanumeric)
    })
}

fn has_prose(path: &str) -> bool {
    [".rs", ".md", ".toml", ".sh", ".sql", ".py", ".js"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// `#123` as a word of its own.
fn names_issue(line: &str) -> bool {
    line.match_indices('#').any(|(at, _)| {
        let starts = line[..at]
            .chars()
            .next_back()
            .is_none_or(|c| c.is_whitespace() || c == '(');
        let rest = &line[at + 1..];
        let digits = rest.chars().take_while(char::is_ascii_digit).count();
        let after = rest.chars().nth(digits);
        starts && digits > 0 && after.is_none_or(|c| c.is_whitespace() || ").,:;".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn machine_paths_are_found() {
        assert_eq!(count("a.md", "see /home/mira/x"), 1);
        assert_eq!(count("a.rs", "\"/root/.cargo\""), 1);
        assert_eq!(count("a.md", "GET https://example.org/home/x"), 0);
        assert_eq!(count("a.md", "~/home/ and ./home/x"), 0);
        assert_eq!(count("a.md", "PATCH {base}/home/x"), 0);
    }

    #[test]
    fn the_place_of_this_copy_is_found() {
        assert_eq!(
            own_folders("/srv/build/it"),
            ["/srv/build/", "/srv/build/it/"]
        );
        assert_eq!(own_folders("/it"), ["/it/"]);
        assert_eq!(count("a.md", "cp /checkout/place/x"), 1);
    }

    #[test]
    fn registries_are_found_outside_the_lock_file() {
        assert_eq!(count("a.toml", "index = \"https://index.crates.io/\""), 1);
        assert_eq!(count("Cargo.lock", "index.crates.io"), 0);
    }

    #[test]
    fn talk_is_found_as_words() {
        assert_eq!(count("a.md", "As discussed, this"), 1);
        assert_eq!(
            count("a.md", "a session of the product, the briefing, profounder"),
            0
        );
    }

    #[test]
    fn issue_numbers_are_found_in_prose() {
        assert_eq!(count("a.rs", "// see #12."), 1);
        assert_eq!(count("a.md", "(#7)"), 1);
        assert_eq!(count("a.md", "[x](#1-first) and # 1 and a#1 and #EXT#"), 0);
        assert_eq!(count("a.css", "color: #112233;"), 0);
    }
}
