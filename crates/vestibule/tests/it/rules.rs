//! `vestibule rules` on the data folder, as somebody at a terminal or a build server uses it.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::program::{Program, Serving};

fn program() -> (Program, Serving) {
    let program = Program::new().with("EDITOR", "sh edit.sh");
    let server = program.serve(&[]);
    (program, server)
}

#[test]
fn rules_are_edited_previewed_applied_and_rolled_back() {
    let (program, _server) = program();
    let rules = program.json(&["rules", "show", "default"]);
    assert_eq!(rules["groups"]["authority"], "owned_only");
    program.file("rules.json", r#"{"groups": {"always_assign": ["all"]}}"#);
    let preview = program.json(&[
        "rules",
        "preview",
        "default",
        "--file",
        "rules.json",
        "--json",
    ]);
    let id = preview["preview"]["id"].as_str().unwrap();
    let shown = program.run(&["rules", "preview", "default", "--file", "rules.json"]);
    assert!(
        shown
            .out
            .contains("vestibule rules apply default --preview "),
        "{shown:?}"
    );
    assert_eq!(preview["preview"]["can_be_applied"], true);
    let apply = [
        "rules",
        "apply",
        "default",
        "--preview",
        id,
        "--comment",
        "everybody",
    ];
    let applied = program.run(&apply);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(applied.out.contains("Version 2"), "{applied:?}");
    assert_eq!(program.run(&apply).code, 4, "the data moved");

    program.file("edit.sh", "sed -i s/all/everybody/ \"$1\"\n");
    let edited = program.run(&["rules", "edit", "default", "--yes"]);
    assert_eq!(edited.code, 0, "{edited:?}");
    let diff = program.run(&["rules", "diff", "default"]);
    assert_eq!(diff.out, "~ groups.always_assign[0]: all -> everybody\n");
    program.file("edit.sh", "true\n");
    let edited = program.run(&["rules", "edit", "default"]);
    assert!(edited.out.contains("Nothing was changed"), "{edited:?}");

    let back = program.run(&["rules", "rollback", "default", "1"]);
    assert_eq!(back.code, 0, "{back:?}");
    let versions = program.json(&["rules", "versions", "default", "--json"]);
    let comments: Vec<&Value> = versions
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["comment"])
        .collect();
    assert_eq!(
        comments,
        [
            &json!("back to version 1"),
            &json!(""),
            &json!("everybody"),
            &json!("made with the connector")
        ]
    );
    assert_eq!(
        program.json(&["rules", "show", "default", "--rules-version", "1"]),
        rules
    );
    assert_eq!(program.run(&["rules", "rollback", "default", "9"]).code, 3);
}

#[test]
fn rules_are_checked_and_tested_for_a_build_server() {
    let (program, _server) = program();
    let tests = r#"{"tests": [{"name": "guests", "user": {"userName": "gil"}, "expect": {"status": "none"}}]}"#;
    program.file("tests.json", tests);
    let failed = program.run(&[
        "rules",
        "test",
        "default",
        "--tests",
        "tests.json",
        "--save",
    ]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(
        failed
            .out
            .contains("status should be \"none\" and is \"active\""),
        "{failed:?}"
    );
    program.file(
        "strict.json",
        r#"{"scope": {"required_groups": ["staff"]}}"#,
    );
    let passed = program.run(&[
        "rules",
        "test",
        "default",
        "--file",
        "strict.json",
        "--junit",
    ]);
    assert_eq!(passed.code, 0, "{passed:?}");
    assert!(
        passed.out.contains("tests=\"1\" failures=\"0\""),
        "{passed:?}"
    );
    assert_eq!(
        program
            .run(&["rules", "check", "default", "--file", "strict.json"])
            .code,
        0
    );
    program.file("lax.json", r#"{"groups": {"always_assign": ["x"]}}"#);
    let refused = program.run(&["rules", "apply", "default", "--file", "lax.json"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("tests[guests]"), "{refused:?}");
    let vain = r#"{"groups": {"only_assign": ["a"], "never_assign": ["a"]}, "scope": {"required_groups": ["staf"]}}"#;
    program.file("vain.json", vain);
    for command in ["check", "apply"] {
        let told = program.run(
            &[
                "rules",
                command,
                "default",
                "--file",
                "vain.json",
                "--anyway",
            ][..if command == "check" { 5 } else { 6 }],
        );
        for line in [
            "warning: groups.only_assign[0]: ",
            "warning: scope.required_groups[0]: ",
        ] {
            assert!(told.out.contains(line), "{told:?}");
        }
    }
    let structure = r#"{"mapping": [{"target": "usrname"}, {"target": "email", "steps": ["lowr", {"left": "x"}]}]}"#;
    program.file("wrong.json", structure);
    for words in [
        ["rules", "check", "default"],
        ["connector", "rules", "default"],
    ] {
        let wrong = program.run(&[&words[..], &["--file", "wrong.json"]].concat());
        assert_eq!(wrong.code, 2, "{wrong:?}");
        for place in [
            "mapping[0].target: ",
            "mapping[1].steps[0]: ",
            "mapping[1].steps[1].left: ",
        ] {
            assert!(
                format!("{}{}", wrong.out, wrong.err).contains(place),
                "{wrong:?}"
            );
        }
    }
    program.file("wrong.json", r#"{"groups": {"only_assign": ["re:["]}}"#);
    let wrong = program.run(&["rules", "check", "default", "--file", "wrong.json"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.out.contains("groups.only_assign[0]"), "{wrong:?}");
}

#[test]
fn what_rules_would_do_is_told_with_attributes_and_what_is_held_ends_with_seven() {
    let (program, server) = program();
    let announced = &server.announced["first_start"];
    let text = |name: &str| announced[name].as_str().unwrap();
    let (url, token) = (text("base_url"), text("token"));
    let simulate = [
        "simulate", "okta", "--url", url, "--token", token, "--users", "40", "--groups", "2",
    ];
    assert_eq!(program.run(&simulate).code, 0);
    program.file(
        "dept.json",
        r#"{"mapping": [{"target": "attr:dept", "source": {"constant": "Sales"}}]}"#,
    );
    let preview =
        |file: &str| program.run(&["rules", "preview", "default", "--file", file, "--json"]);
    let told = program.run(&["rules", "preview", "default", "--file", "dept.json"]);
    assert_eq!(told.code, 8);
    assert!(told.out.contains("dept:  -> Sales"), "{told:?}");

    program.file(
        "none.json",
        r#"{"scope": {"required_groups": ["nobody is in it"], "grace_minutes": 0}}"#,
    );
    let preview: Value = serde_json::from_str(&preview("none.json").out).unwrap();
    let id = preview["preview"]["id"].as_str().unwrap();
    let held = &preview["preview"]["summary"]["limits"]["deactivation"]["held"];
    assert!(held.as_u64().unwrap() > 20, "{preview}");
    let applied = program.run(&["rules", "apply", "default", "--preview", id]);
    assert_eq!(applied.code, 7, "{applied:?}");
    assert!(
        applied.err.contains(&format!("hold {held} of the changes")),
        "{applied:?}"
    );

    assert_eq!(program.run(&["directory", "create", "other"]).code, 0);
    let made = [
        "connector",
        "create",
        "--name",
        "second",
        "--directory",
        "other",
    ];
    assert_eq!(program.run(&made).code, 0);
    let moved = program.run(&["connector", "move", "second", "default"]);
    assert_eq!(moved.code, 8, "it says what it would touch: {moved:?}");
}

#[test]
fn a_person_behind_an_account_of_the_same_name_is_found_and_what_waits_is_told() {
    let (program, _server) = program();
    program.run(&["connector", "create", "--name", "one"]);
    program.run(&["connector", "create", "--name", "two"]);
    let moved = program.run(&["connector", "move", "two", "one", "--yes", "--wait"]);
    assert_eq!(moved.code, 0, "{moved:?}");
    let write = |connector: &str| {
        let made = program.json(&["connector", "rotate-token", connector, "--json"]);
        let url = made["base_url"]
            .as_str()
            .unwrap()
            .trim_start_matches("http://");
        let (address, path) = url.split_once('/').unwrap();
        let user =
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann"});
        let (user, token) = (user.to_string(), made["token"].as_str().unwrap());
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST /{path}/Users HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{user}",
            user.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    };
    write("two");
    write("one");
    let told = program.run(&["why", "ann"]);
    assert!(told.out.contains("ann in the directory one:"), "{told:?}");
    let waiting = "ann at the identity provider of the connector one:";
    assert!(told.out.contains(waiting), "{told:?}");
    assert!(!told.out.contains("of the connector two:"), "{told:?}");
    let told = program.run(&["why", "ann", "--connector", "one"]);
    assert!(told.out.starts_with(waiting), "{told:?}");
    assert_eq!(program.run(&["why", "bob", "--connector", "one"]).code, 3);

    let shown = program.run(&["connector", "show", "one"]);
    let words: Vec<&str> = shown.out.split_whitespace().collect();
    let words = words.join(" ");
    assert!(words.contains("open conflicts 1"), "{shown:?}");
    assert!(words.contains("open holds 0"), "{shown:?}");
    let listed = program.run(&["connector", "list"]);
    assert!(
        listed.out.contains("TO DECIDE") && listed.out.contains("1 conflict "),
        "{listed:?}"
    );
    let summary = program.run(&["match", "two", "--directory", "default", "--summary"]);
    assert!(
        summary
            .out
            .contains("By the present rules 0 users find an account by name."),
        "{summary:?}"
    );
    assert!(
        summary.out.contains("userName, then strip_domain"),
        "{summary:?}"
    );
}
