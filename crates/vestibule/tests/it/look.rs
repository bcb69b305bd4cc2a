//! What commands tell about directories and connectors, and what they advise.

use serde_json::Value;

use crate::program::{Program, peopled};

#[test]
fn users_groups_and_members_are_listed_a_page_at_a_time() {
    let (program, _server) = peopled();
    let page = |more: &[&str]| {
        program.json(
            &[
                &["directory", "users", "default", "--limit", "30", "--json"][..],
                more,
            ]
            .concat(),
        )
    };
    let first = page(&[]);
    let next = first["next"].as_str().unwrap();
    let second = page(&["--after", next]);
    let count = |page: &Value| page["items"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second)), (30, 10));
    assert!(second["next"].is_null());
    let told = program.run(&["directory", "users", "default", "--limit", "1"]);
    assert!(
        told.out.contains("There are more: the same with --after "),
        "{told:?}"
    );
    let active =
        count(&page(&["--active", "true"])) + count(&page(&["--active", "true", "--after", next]));
    assert!((1..=40).contains(&active));
    let nobody = program.run(&[
        "directory",
        "users",
        "default",
        "--search",
        "no such person",
    ]);
    assert_eq!(nobody.out, "There is no such user.\n");

    let groups = program.json(&["directory", "groups", "default", "--json"]);
    assert!(groups["items"].as_array().unwrap().len() > 1, "{groups}");
    let members = program.run(&["directory", "members", "default", "jira-users"]);
    assert!(members.out.contains("idp: jira-users"), "{members:?}");
    let name = first["items"][0]["name"].as_str().unwrap();
    let shown = program.run(&["user", "show", name]);
    assert!(shown.out.contains("\n  groups: "), "{shown:?}");
}

#[test]
fn what_is_not_there_is_told_with_the_command_that_lists_it() {
    let (program, _server) = peopled();
    for (words, command) in [
        (
            &["connector", "show", "nothing"][..],
            "vestibule connector list",
        ),
        (
            &["directory", "users", "nothing"],
            "vestibule directory list",
        ),
        (
            &["application", "show", "nothing"],
            "vestibule application list",
        ),
        (
            &["rules", "show", "default", "--rules-version", "9"],
            "vestibule rules versions",
        ),
        (&["job", "show", "nothing"], "vestibule job list"),
    ] {
        let told = program.run(words);
        assert_eq!(told.code, 3, "{told:?}");
        assert!(told.err.contains(command), "{told:?}");
        assert!(!told.err.contains("The list of them"), "{told:?}");
    }
}

#[test]
fn a_directory_that_is_fed_says_at_once_what_is_in_the_way_of_its_end() {
    let program = Program::new();
    let _server = program.serve(&[]);
    assert_eq!(
        program
            .run(&["connector", "create", "--name", "Okta of Ann"])
            .code,
        0
    );
    let fed = program.run(&["directory", "delete", "Okta of Ann"]);
    assert_eq!(fed.code, 4, "{fed:?}");
    assert!(
        fed.err
            .contains("vestibule connector move 'Okta of Ann' DIRECTORY"),
        "{fed:?}"
    );
    assert!(!fed.err.contains("--yes"), "{fed:?}");
    assert_eq!(program.run(&["directory", "create", "empty"]).code, 0);
    let free = program.run(&["directory", "delete", "empty"]);
    assert_eq!(free.code, 8, "{free:?}");
    assert!(free.err.contains("--yes"), "{free:?}");
}

#[test]
fn pilots_pauses_and_authors_are_told_in_words() {
    let (program, _server) = peopled();
    let set = ["pilot", "set", "default", "--group", "jira users"];
    assert_eq!(program.run(&set).code, 0);
    for words in [
        ["connector", "show", "default"],
        ["pilot", "show", "default"],
    ] {
        let told = program.run(&words);
        assert!(told.out.contains("for the group jira users"), "{told:?}");
        assert!(!told.out.contains('{'), "{told:?}");
    }
    assert_eq!(program.run(&["pilot", "end", "default"]).code, 0);
    program.run(&["connector", "pause", "default"]);
    let begun = program.run(&["reconcile", "default"]);
    assert_eq!(begun.code, 0, "{begun:?}");
    let resumed = program.run(&["connector", "resume", "default"]);
    assert!(resumed.out.contains("default is active; "), "{resumed:?}");

    program.file("rules.json", r#"{"groups": {"always_assign": ["all"]}}"#);
    let apply = [
        "rules",
        "apply",
        "default",
        "--file",
        "rules.json",
        "--author",
        "Ann Other",
    ];
    assert_eq!(program.run(&apply).code, 0);
    let versions = program.json(&["rules", "versions", "default", "--json"]);
    assert_eq!(versions[0]["author"], "Ann Other (command line)");
    assert_eq!(
        program
            .run(&["rules", "versions", "default", "--author", " "])
            .code,
        2
    );
}

#[test]
fn an_export_says_what_becomes_of_those_who_come_back() {
    let (program, _server) = peopled();
    let exported = program.json(&["export", "--json"]);
    assert_eq!(
        exported["connectors"][0]["rules"]["identity"]["on_deleted"],
        "conflict"
    );
}
