//! Commands through the admin API of a running server: the same answers as through the data folder.

use serde_json::Value;

use crate::program::{Program, Ran, Serving};

/// A server, and an elsewhere from which it is commanded.
struct Elsewhere {
    here: Program,
    server: Serving,
    there: Program,
}

impl Elsewhere {
    fn new() -> Self {
        let here = Program::new();
        let server = here.serve(&[]);
        let token = server.announced["first_start"]["admin_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let there = Program::new()
            .with("VESTIBULE_SERVER", server.url())
            .with("VESTIBULE_TOKEN", &token);
        Self {
            here,
            server,
            there,
        }
    }

    fn run(&self, words: &[&str]) -> Ran {
        self.there.run(words)
    }

    fn json(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        self.there.json(&words)
    }
}

/// The names in a JSON object, in order.
fn names(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

#[test]
fn both_doors_give_the_same_answers() {
    let elsewhere = Elsewhere::new();
    let pairs: [&[&str]; 6] = [
        &["connector", "create", "--preset", "okta", "--name"],
        &["connector", "show"],
        &["connector", "rotate-token", "--overlap", "5"],
        &["connector", "pause"],
        &["application", "create", "--directory", "default", "--name"],
        &["token", "create", "--label"],
    ];
    for words in pairs {
        let through = |program: &Program, name: &str| {
            let words: Vec<&str> = words.iter().copied().chain([name, "--json"]).collect();
            program.json(&words)
        };
        let near = through(&elsewhere.here, "near one");
        let far = through(&elsewhere.there, "far/one%20?");
        assert_eq!(names(&near), names(&far), "{words:?}");
    }
    for words in [
        ["connector", "list"],
        ["application", "list"],
        ["token", "list"],
    ] {
        let near = elsewhere.here.json(&[words[0], words[1], "--json"]);
        let far = elsewhere.json(&words);
        assert_eq!(
            near.as_array().unwrap().len(),
            far.as_array().unwrap().len()
        );
        for (near, far) in near.as_array().unwrap().iter().zip(far.as_array().unwrap()) {
            assert_eq!((&near["id"], names(near)), (&far["id"], names(far)));
        }
    }
}

#[test]
fn base_urls_are_those_of_the_server() {
    let elsewhere = Elsewhere::new();
    let made = elsewhere.json(&["connector", "create", "--name", "one"]);
    let expected = format!(
        "{}/scim/v2/{}",
        elsewhere.server.url(),
        made["id"].as_str().unwrap()
    );
    assert_eq!(made["base_url"], expected);
}

#[test]
fn refusals_have_the_same_exit_codes() {
    let elsewhere = Elsewhere::new();
    assert_eq!(elsewhere.run(&["connector", "show", "nobody"]).code, 3);
    let taken = elsewhere.run(&["connector", "create", "--name", "Default"]);
    assert_eq!(taken.code, 4, "{taken:?}");
    let nameless = elsewhere.run(&["connector", "create", "--name", " "]);
    assert_eq!(nameless.code, 2, "{nameless:?}");
    let wrong = elsewhere
        .there
        .file("rules.json", r#"{"groups": {"only_assign": ["re:("]}}"#);
    let wrong = [
        "connector",
        "rules",
        "default",
        "--file",
        wrong.to_str().unwrap(),
    ];
    let wrong = elsewhere.run(&wrong);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("groups.only_assign[0]"), "{}", wrong.err);
}

#[test]
fn a_token_that_is_revoked_is_refused() {
    let elsewhere = Elsewhere::new();
    let made = elsewhere.json(&["token", "create", "--label", "nightly script"]);
    let script = Program::new()
        .with("VESTIBULE_SERVER", elsewhere.server.url())
        .with("VESTIBULE_TOKEN", made["token"].as_str().unwrap());
    assert_eq!(script.run(&["connector", "list"]).code, 0);
    assert_eq!(
        elsewhere
            .run(&["token", "revoke", made["id"].as_str().unwrap()])
            .code,
        0
    );
    assert_eq!(
        elsewhere
            .run(&["token", "revoke", made["id"].as_str().unwrap()])
            .code,
        3
    );
    let refused = script.run(&["connector", "list"]);
    assert_eq!(refused.code, 6, "{refused:?}");
}

#[test]
fn a_server_that_is_away_or_none_at_all_is_told_apart() {
    let away = [
        "connector",
        "list",
        "--server",
        "http://127.0.0.1:1",
        "--token",
        "t",
    ];
    let away = Program::new().run(&away);
    assert_eq!(away.code, 5, "{away:?}");
    let none = ["connector", "list", "--server", "127.0.0.1", "--token", "t"];
    assert_eq!(Program::new().run(&none).code, 2);
    let tokenless = ["connector", "list", "--server", "http://127.0.0.1:1"];
    assert_eq!(Program::new().run(&tokenless).code, 2);
}
