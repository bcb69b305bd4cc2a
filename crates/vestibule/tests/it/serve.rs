//! The server as a process: first start, later starts, stopping, and commands beside it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::program::Program;

#[test]
fn the_first_start_makes_all_that_is_needed_and_tells_it_once() {
    let program = Program::new();
    let first = program.serve(&[]);
    let made = &first.announced["first_start"];
    assert!(
        made["base_url"].as_str().unwrap().starts_with(first.url()),
        "{made}"
    );
    assert!(
        made["token"].as_str().unwrap().starts_with("vst_scim_"),
        "{made}"
    );
    assert!(
        made["admin_token"]
            .as_str()
            .unwrap()
            .starts_with("vst_api_"),
        "{made}"
    );
    first.signal("TERM");
    assert_eq!(first.wait().0, 0);

    let second = program.serve(&[]);
    assert_eq!(second.announced["first_start"], json!(null));
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let program = Program::new();
    let _first = program.serve(&[]);
    let second = program.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 5, "{second:?}");
    assert!(second.err.contains("in use"), "{}", second.err);
}

#[test]
fn a_taken_address_is_told_with_what_to_do() {
    let program = Program::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = program.run(&["serve", "--listen", &address]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains(&address) && ran.err.contains("--listen"),
        "{}",
        ran.err
    );
}

#[test]
fn commands_work_beside_a_running_server_and_without_one() {
    let program = Program::new();
    let server = program.serve(&[]);
    let made = program.json(&[
        "connector",
        "create",
        "--name",
        "one",
        "--preset",
        "okta",
        "--json",
    ]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["base_url"], format!("{}/scim/v2/{id}", server.url()));
    assert!(made["token"].as_str().unwrap().starts_with("vst_scim_"));
    server.signal("INT");
    assert_eq!(server.wait().0, 0);

    let made = program.json(&["connector", "create", "--name", "two", "--json"]);
    assert_eq!(made["preset"], "generic");
    let all = program.json(&["connector", "list", "--json"]);
    let names: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(names, ["default", "one", "two"]);
}

#[test]
fn a_taken_name_is_a_conflict_and_a_missing_one_is_not_found() {
    let program = Program::new();
    let _server = program.serve(&[]);
    let create = ["connector", "create", "--name", "Okta"];
    assert_eq!(program.run(&create).code, 0);
    let again = program.run(&["connector", "create", "--name", "okta"]);
    assert_eq!(again.code, 4, "{again:?}");
    let missing = program.run(&["connector", "show", "nobody"]);
    assert_eq!(missing.code, 3, "{missing:?}");
    let empty = program.run(&["connector", "create", "--name", " "]);
    assert_eq!(empty.code, 2, "{empty:?}");
}

#[test]
fn a_connector_is_paused_and_resumed() {
    let program = Program::new();
    let _server = program.serve(&[]);
    let state =
        |command: &str| program.json(&["connector", command, "default", "--json"])["state"].clone();
    assert_eq!(state("show"), "active");
    assert_eq!(state("pause"), "paused");
    assert_eq!(state("show"), "paused");
    assert_eq!(state("resume"), "active");
}

#[test]
fn a_new_token_replaces_the_old_one_at_once_if_wanted() {
    let program = Program::new();
    let server = program.serve(&[]);
    let old = server.announced["first_start"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let rotate = [
        "connector",
        "rotate-token",
        "default",
        "--overlap",
        "0",
        "--json",
    ];
    let made = program.json(&rotate);
    let new = made["token"].as_str().unwrap();
    assert_ne!(old, new);
    let shown = program.json(&["connector", "show", "default", "--json"]);
    let tokens = shown["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 2);
    assert!(
        tokens[0]["expires"].is_null() && !tokens[1]["expires"].is_null(),
        "{shown}"
    );
    assert!(!shown.to_string().contains(new), "a token is shown once");
}

#[test]
fn rules_are_checked_before_they_are_applied() {
    let program = Program::new();
    let _server = program.serve(&[]);
    let wrong = program.file("wrong.json", r#"{"groups": {"only_assign": ["re:("]}}"#);
    let right = program.file(
        "right.json",
        r#"{"groups": {"only_assign": ["re:jira-.*"]}}"#,
    );
    let set = |path: &std::path::Path| {
        program.run(&[
            "connector",
            "rules",
            "default",
            "--file",
            path.to_str().unwrap(),
        ])
    };
    let refused = set(&wrong);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.err.contains("groups.only_assign[0]"),
        "{}",
        refused.err
    );
    assert_eq!(set(&right).code, 0);
    let rules = program.json(&["connector", "rules", "default"]);
    assert_eq!(rules["groups"]["only_assign"], json!(["re:jira-.*"]));
}

#[test]
fn an_application_gets_a_name_a_password_and_a_url() {
    let program = Program::new();
    let server = program.serve(&[]);
    let create = [
        "application",
        "create",
        "--name",
        "jira",
        "--access",
        "read-write",
        "--json",
    ];
    let made = program.json(&create);
    assert_eq!(made["name"], "jira");
    assert_eq!(made["url"], format!("{}/crowd", server.url()));
    assert!(!made["password"].as_str().unwrap().is_empty());
    let all = program.json(&["application", "list", "--json"]);
    assert_eq!(all[0]["access"], "read-write");
    assert!(all[0]["password"].is_null());
}

#[test]
fn an_idle_connection_does_not_hold_up_the_stop() {
    let program = Program::new();
    let server = program.serve(&[]);
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).unwrap();
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = [0; 15];
    idle.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let start = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait().0, 0);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "it waited for the whole drain"
    );
}

#[test]
fn a_data_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let program = Program::new();
    let _server = program.serve(&[]);
    let folder = program.folder().join("vestibule-data");
    let mode = std::fs::metadata(folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn what_is_sent_in_the_clear_on_a_network_is_warned_of() {
    let warned = |program: &Program, listen: &str, arguments: &[&str]| {
        let _server = program.serve_at(listen, arguments);
        let log = std::fs::read_to_string(program.folder().join("serve.log")).unwrap();
        log.contains("serving without encryption on a network")
    };
    let program = Program::new();
    let everywhere = "0.0.0.0:0";
    assert!(warned(&program, everywhere, &[]));
    assert!(!warned(&program, "127.0.0.1:0", &[]));
    let public = ["--public-url", "https://vestibule.example.org"];
    assert!(!warned(&program, everywhere, &public));
}

#[test]
fn nobody_gets_an_owners_token_by_saying_nothing() {
    let program = Program::new();
    let refused = program.run(&["token", "create", "--label", "x"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("--role auditor"), "{}", refused.err);
    drop(program.serve(&[]));
    let reader = program.json(&["token", "create", "--label", "x", "--read-only", "--json"]);
    assert_eq!(reader["role"], "auditor");
}

#[test]
fn every_engine_serves_and_takes_commands() {
    on_each_database(|database| {
        let program = Program::new().with("VESTIBULE_DATABASE", &database.url);
        let server = program.serve(&[]);
        assert!(!server.announced["first_start"].is_null());
        let made = program.json(&["connector", "create", "--name", "one", "--json"]);
        assert!(made["token"].as_str().unwrap().starts_with("vst_scim_"));
        server.signal("TERM");
        assert_eq!(server.wait().0, 0);
        let all = program.json(&["connector", "list", "--json"]);
        assert_eq!(all.as_array().unwrap().len(), 2);
        let again = program.serve(&[]);
        assert_eq!(again.announced["first_start"], json!(null));
    });
}

#[test]
fn a_database_that_is_away_is_told_as_such() {
    let program = Program::new().with("VESTIBULE_DATABASE", "postgres://me:s3cret@127.0.0.1:1/v");
    let ran = program.run(&["connector", "list"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
}

#[test]
fn with_several_directories_an_application_has_to_name_one() {
    let program = Program::new();
    let _server = program.serve(&[]);
    program.json(&["connector", "create", "--name", "okta", "--json"]);
    let ran = program.run(&["application", "create", "--name", "jira"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.err.contains("--directory") && ran.err.contains("default, okta"),
        "{}",
        ran.err
    );
    let create = [
        "application",
        "create",
        "--name",
        "jira",
        "--directory",
        "okta",
        "--json",
    ];
    assert_eq!(program.json(&create)["directory"], "okta");
}

#[test]
fn an_application_sees_directories_in_an_order() {
    let program = Program::new();
    let server = program.serve(&[]);
    program.json(&["connector", "create", "--name", "okta", "--json"]);
    let create = "application create --name jira --directory okta --directory default --login-group jira-users --json";
    let words: Vec<&str> = create.split(' ').collect();
    let made = program.json(&words);
    let directories = |view: &Value| {
        let attached = view["directories"].as_array().unwrap().iter();
        attached
            .map(|one| format!("{} {}", one["directory"], one["login_groups"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        directories(&made),
        ["\"okta\" [\"jira-users\"]", "\"default\" [\"jira-users\"]"]
    );
    let unclear = program.run(&["application", "update", "jira", "--directory", "default"]);
    assert_eq!(unclear.code, 2, "{unclear:?}");
    assert!(unclear.err.contains("--everybody"), "{}", unclear.err);
    // Through the data folder and through the server alike.
    let token = program.json(&[
        "token", "create", "--label", "test", "--role", "owner", "--json",
    ]);
    let token = token["token"].as_str().unwrap().to_owned();
    let url = server.url().to_owned();
    let doors: [&[&str]; 2] = [&[], &["--server", &url, "--token", &token]];
    for (door, aggregate) in doors.into_iter().zip([true, false]) {
        let words = format!(
            "application update jira --directory default --directory okta --everybody --aggregate-memberships {aggregate} \
             --only-with-access {aggregate} --json"
        );
        let mut words: Vec<&str> = words.split_whitespace().collect();
        words.extend(door);
        let changed = program.json(&words);
        assert_eq!(directories(&changed), ["\"default\" null", "\"okta\" null"]);
        assert_eq!(changed["aggregate_memberships"], aggregate);
        assert_eq!(changed["only_with_access"], aggregate);
    }
    let list = program.run(&["application", "list"]);
    assert!(list.out.contains("default, okta"), "{}", list.out);
    let gate = "application update jira --login-group admins --only-with-access true";
    let words: Vec<&str> = gate.split(' ').collect();
    let told = program.run(&words);
    assert!(
        told.out.contains("members of admins may log in") && told.out.contains("only users"),
        "{told:?}"
    );
}
