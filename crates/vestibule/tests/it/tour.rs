//! The tour and the README, followed to the letter: each command works, and prints what is shown.

use std::collections::BTreeSet;

use regex::Regex;

use crate::program::{Program, Serving};

const TOUR: &str = include_str!("../../../../docs/src/tour.md");
const README: &str = include_str!("../../../../README.md");

/// A command and what is shown of its output.
struct Shown {
    command: String,
    output: Vec<String>,
}

/// The commands in the blocks of a page, in order.
fn commands(page: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        let mut is_command = false;
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                is_command = true;
                all.push(Shown {
                    command: command.to_owned(),
                    output: Vec::new(),
                });
            } else if let Some(last) = all.last_mut().filter(|_| is_command) {
                last.output.push(line.to_owned());
            }
        }
    }
    all
}

/// A line without what differs from one run to the next: addresses, ids, secrets, numbers with a fraction, times, widths.
fn plain(line: &str) -> String {
    let mut plain = line.to_owned();
    for (pattern, with) in [
        (r"http://127\.0\.0\.1:\d+", "HOST"),
        (r"vst_[a-z]+_\w+", "SECRET"),
        (r"\d{4}-\d\d-\d\d[T ][\d:.]+( UTC|Z)", "TIME"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
        (r"\d+\.\d+", "N"),
        (r"\d+ MiB", "N MiB"),
        (r"<link [^>]*/>", "..."),
        (r"\s+", " "),
    ] {
        let pattern = Regex::new(pattern).unwrap();
        plain = pattern.replace_all(&plain, with).into_owned();
    }
    plain.trim().to_owned()
}

fn lines<'a>(text: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let all = text.into_iter().map(plain);
    all.filter(|line| !line.is_empty()).collect()
}

/// Somebody who reads the page beside a terminal.
struct Reader {
    program: Program,
    server: Option<Serving>,
    /// The password that the page calls `vst_app_...`.
    password: String,
}

impl Reader {
    /// What stands in the place of what the page abbreviates.
    fn word(&self, word: &str) -> String {
        let server = self.server.as_ref().unwrap();
        let first = |name: &str| server.announced["first_start"][name].as_str().unwrap();
        let host = "http://127.0.0.1:8080";
        match word {
            "http://127.0.0.1:8080/scim/v2/6593..." => first("base_url").to_owned(),
            word if word.starts_with("vst_scim_") => first("token").to_owned(),
            word if word.starts_with("jira:vst_app_") => format!("jira:{}", self.password),
            word => word.replace(host, server.url()),
        }
    }

    /// What a command prints, on both outputs.
    fn prints(&mut self, shown: &Shown) -> String {
        let words: Vec<String> = shown.command.split(' ').map(str::to_owned).collect();
        match words[0].as_str() {
            "cat" => {
                self.program.file(&words[1], &shown.output.join("\n"));
                shown.output.join("\n")
            }
            "curl" => {
                let url = self.word(words[3].trim_matches('\''));
                fetched(&url, &self.word(&words[2]))
            }
            "vestibule" => {
                let words: Vec<String> = words[1..].iter().map(|word| self.word(word)).collect();
                let ran = self.program.run(&words);
                let password = Regex::new(r"vst_app_\w+").unwrap();
                if let Some(found) = password.find(&ran.out) {
                    self.password = found.as_str().to_owned();
                }
                assert!([0, 7, 9].contains(&ran.code), "{}: {ran:?}", shown.command);
                format!("{}\n{}", ran.out, ran.err)
            }
            other => panic!("nobody knows how to run {other}"),
        }
    }

    fn follow(&mut self, page: &str) -> usize {
        let mut followed = 0;
        for shown in commands(page) {
            if shown.command == "cargo run --release" {
                let (server, told) = self.program.serve_in_words();
                self.server = Some(server);
                self.compare(&shown, &told);
                continue;
            }
            if shown.command.contains("example.com") {
                continue;
            }
            let printed = self.prints(&shown);
            self.compare(&shown, &printed);
            followed += 1;
        }
        followed
    }

    /// Every line that is shown is printed, and the other way round unless the page says `...`.
    fn compare(&self, shown: &Shown, printed: &str) {
        let mut expected = lines(shown.output.iter().map(String::as_str));
        let is_all = !expected.remove("...");
        let printed = lines(printed.lines());
        let missing: Vec<&String> = expected.difference(&printed).collect();
        assert!(
            missing.is_empty(),
            "{}: {missing:#?} of {printed:#?}",
            shown.command
        );
        let more: Vec<&String> = printed.difference(&expected).collect();
        assert!(
            !is_all || more.is_empty(),
            "{}: {more:#?} is not shown",
            shown.command
        );
    }
}

fn fetched(url: &str, account: &str) -> String {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let (name, password) = account.split_once(':').unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let request = reqwest::Client::new()
            .get(url)
            .basic_auth(name, Some(password));
        request.send().await.unwrap().text().await.unwrap()
    })
}

fn reader() -> Reader {
    Reader {
        program: Program::new(),
        server: None,
        password: String::new(),
    }
}

#[test]
fn the_tour_works_as_it_is_written() {
    assert_eq!(reader().follow(TOUR), 11);
}

#[test]
fn the_readme_works_as_it_is_written() {
    assert_eq!(reader().follow(README), 4);
}
