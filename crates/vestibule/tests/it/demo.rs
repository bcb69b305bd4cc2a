//! The demo and the simulation, as a user runs them.

use serde_json::Value;

use crate::program::Program;

#[test]
fn the_demo_plays_to_a_good_end() {
    let program = Program::new();
    let ran = program.run(&["demo", "--once", "--listen", "127.0.0.1:0", "--users", "24"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    for told in [
        "Okta",
        "Entra ID",
        "Jira",
        "is now",
        "inactive",
        "active again",
    ] {
        assert!(ran.out.contains(told), "{told} is not told:\n{}", ran.out);
    }
    assert!(
        !program.folder().join("vestibule-data").exists(),
        "nothing is left behind"
    );
}

#[test]
fn the_demo_can_be_read_by_a_machine() {
    let program = Program::new();
    let words = [
        "demo",
        "--once",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--users",
        "6",
        "--groups",
        "3",
    ];
    let ran = program.run(&words);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines[0]["sides"][0]["token"].is_string());
    assert_eq!(lines.last().unwrap()["failures"], 0);
}

#[test]
fn a_second_demo_in_one_folder_says_what_to_do() {
    let program = Program::new();
    let words = [
        "demo",
        "--once",
        "--data",
        "kept",
        "--listen",
        "127.0.0.1:0",
        "--users",
        "2",
        "--groups",
        "1",
    ];
    assert_eq!(program.run(&words).code, 0);
    assert!(program.folder().join("kept").exists());
    let second = program.run(&words);
    assert_eq!(second.code, 4, "{second:?}");
    assert!(second.err.contains("leave --data"), "{}", second.err);
}

#[test]
fn the_simulation_counts_what_it_did() {
    for provider in ["okta", "entra"] {
        let program = Program::new();
        let server = program.serve(&[]);
        let first = &server.announced["first_start"];
        let (url, token) = (
            first["base_url"].as_str().unwrap(),
            first["token"].as_str().unwrap(),
        );
        let words = [
            "simulate", provider, "--url", url, "--token", token, "--users", "20", "--groups", "6",
            "--json",
        ];
        let told = program.json(&words);
        assert_eq!(told["phases"][1]["counts"]["users created"], 20, "{told}");
        assert!(
            told["phases"]
                .as_array()
                .unwrap()
                .iter()
                .all(|phase| phase["failed"] == 0)
        );
        assert!(told["traffic"]["requests"].as_u64().unwrap() > 40);
    }
}

#[test]
fn a_simulation_that_fails_says_so_and_ends_with_a_failure() {
    let program = Program::new();
    let server = program.serve(&[]);
    let url = server.announced["first_start"]["base_url"]
        .as_str()
        .unwrap();
    let ran = program.run(&[
        "simulate", "okta", "--url", url, "--token", "wrong", "--users", "3",
    ]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("401"), "{}", ran.out);
    let ran = program.run(&[
        "simulate",
        "entra",
        "--url",
        "not an address",
        "--token",
        "t",
    ]);
    assert_eq!(ran.code, 2, "{ran:?}");
}
