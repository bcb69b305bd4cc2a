//! `vestibule rules` on the data folder, as somebody at a terminal or a build server uses it.

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
    assert_eq!(
        diff.out,
        "~ groups.always_assign[0]: \"all\" -> \"everybody\"\n"
    );
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

    program.run(&["directory", "create", "--name", "other"]);
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
