//! New rules on a server with people: refusals told beforehand, limits agreed to, rows tried, rules in configuration files.

use serde_json::{Value, json};

use crate::program::peopled;

const NOBODY: &str = r#"{"scope": {"required_groups": ["nobody is in it"], "grace_minutes": 0}}"#;

#[test]
fn a_check_refuses_what_saving_refuses_and_names_whom_it_concerns() {
    let (program, _server) = peopled();
    program.file(
        "same.json",
        r#"{"mapping": [{"target": "username", "source": {"constant": "same"}}]}"#,
    );
    let check = ["rules", "check", "default", "--file", "same.json"];
    let (checked, applied) = (
        program.run(&check),
        program.run(&["rules", "apply", "default", "--file", "same.json", "--yes"]),
    );
    assert_eq!(
        (checked.code, applied.code),
        (2, 2),
        "{checked:?} {applied:?}"
    );
    assert!(!checked.out.contains("valid"), "{checked:?}");
    assert!(checked.err.contains("--anyway"), "{checked:?}");
    assert!(applied.err.contains("--anyway"), "{applied:?}");
    let line = checked.out.lines().next().unwrap();
    assert!(line.starts_with("mapping[0]: '"), "{checked:?}");
    assert!(applied.err.contains(line), "{applied:?}");
    let told = program.run(&[&check[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["valid"], true);
    assert!(told["refusals"].as_array().unwrap().len() > 10, "{told}");
    let whole = r#"{"version": 1, "connectors": [{"name": "default", "rules": {"mapping":
        [{"target": "username", "source": {"constant": "same"}}]}}]}"#;
    program.file("same.yaml", whole);
    let planned = program.run(&["plan", "-f", "same.yaml"]);
    assert_eq!(planned.code, 2, "{planned:?}");
    assert!(planned.err.contains("--anyway"), "{planned:?}");
    // What is in force is not refused for what it does already.
    assert_eq!(program.run(&["rules", "check", "default"]).code, 0);
}

#[test]
fn what_limits_would_hold_has_to_be_agreed_to() {
    let (program, _server) = peopled();
    program.file("none.json", NOBODY);
    let apply = ["rules", "apply", "default", "--file", "none.json"];
    let refused = program.run(&apply);
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(refused.err.contains("HELD by safety limits"), "{refused:?}");
    assert!(refused.err.contains("--yes"), "{refused:?}");
    let of_connector = program.run(&["connector", "rules", "default", "--file", "none.json"]);
    assert_eq!(of_connector.code, 9, "{of_connector:?}");
    assert_eq!(
        program
            .json(&["rules", "versions", "default", "--json"])
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let applied = program.run(&[&apply[..], &["--yes", "--wait"]].concat());
    assert_eq!(applied.code, 7, "{applied:?}");
    assert!(
        applied.out.contains("Version 2 of the rules is in force."),
        "{applied:?}"
    );
    assert!(applied.out.contains("state       done"), "{applied:?}");
    assert!(
        applied
            .err
            .contains("vestibule holds list --connector default"),
        "{applied:?}"
    );

    // Back to everybody, and then to nobody once more: that way is as long.
    let back = program.run(&["rules", "rollback", "default", "1", "--wait", "--json"]);
    assert_eq!(back.code, 0, "{back:?}");
    let back: Value = serde_json::from_str(&back.out).unwrap();
    assert_eq!(back["evaluation"]["id"], back["job"]);
    let again = ["rules", "rollback", "default", "2"];
    assert_eq!(program.run(&again).code, 9);
    let again = program.run(&[&again[..], &["--yes"]].concat());
    assert_eq!(again.code, 7, "{again:?}");
    assert!(again.out.contains("vestibule job show "), "{again:?}");

    // A job of a connector that is paused is not waited for.
    assert_eq!(program.run(&["connector", "pause", "default"]).code, 0);
    let waits = program.run(&["reconcile", "default", "--wait"]);
    assert_eq!(waits.code, 8, "{waits:?}");
    assert!(
        waits.err.contains("vestibule connector resume default"),
        "{waits:?}"
    );
}

#[test]
fn rules_of_a_configuration_file_are_checked_previewed_and_applied() {
    let (program, _server) = peopled();
    let rules: Value = serde_json::from_str(NOBODY).unwrap();
    let whole = json!({"version": 1, "connectors": [{"name": "default", "rules": rules}]});
    program.file("my config.yaml", &whole.to_string());
    let plan = program.run(&["plan", "-f", "my config.yaml"]);
    assert_eq!(plan.code, 8, "{plan:?}");
    let command = "vestibule rules preview default --file 'my config.yaml'";
    assert!(plan.out.contains(command), "{plan:?}");
    let preview = program.run(&["rules", "preview", "default", "--file", "my config.yaml"]);
    assert_eq!(preview.code, 8, "{preview:?}");
    assert!(preview.out.contains("HELD by safety limits"), "{preview:?}");
    let other = program.run(&["rules", "check", "other", "--file", "my config.yaml"]);
    assert_eq!(other.code, 2, "{other:?}");

    let applied = program.run(&["apply", "-f", "my config.yaml", "--yes"]);
    assert_eq!(applied.code, 7, "{applied:?}");
    assert!(applied.err.contains("HELD by safety limits"), "{applied:?}");
    assert!(
        applied.out.contains("A job goes on: vestibule job show "),
        "{applied:?}"
    );
    program.file(
        "back.yaml",
        "version: 1\nconnectors: [{name: default, rules: {}}]\n",
    );
    let back = program.run(&["apply", "-f", "back.yaml", "--yes", "--wait"]);
    assert_eq!(back.code, 0, "{back:?}");
    assert!(back.out.contains(" is done: "), "{back:?}");
}

#[test]
fn a_row_is_tried_on_a_value_on_somebody_and_on_everybody() {
    let (program, _server) = peopled();
    let tried = |more: &[&str]| {
        let words = [&["rules", "try", "default"][..], more].concat();
        program.run(&words)
    };
    let steps = r#"["trim", "lower", {"left": 3}]"#;
    let typed = tried(&["--steps", steps, "--value", "  ANNA "]);
    assert_eq!(typed.code, 0, "{typed:?}");
    assert!(!typed.out.contains("`email`"), "{typed:?}");
    assert!(typed.out.ends_with("\nvalue: ann\n"), "{typed:?}");
    assert!(!typed.out.contains("attr:tried"), "{typed:?}");
    let targeted = tried(&["--steps", steps, "--target", "email", "--value", "ANNA"]);
    assert!(targeted.out.ends_with("\nemail: ann\n"), "{targeted:?}");
    let gone = tried(&["--steps", r#"[{"left": 0}]"#, "--value", "x"]);
    assert!(!gone.out.contains(": \n"), "{gone:?}");
    program.file(
        "row.yaml",
        "target: email\nsource: {attribute: userName}\nsteps: [upper]\n",
    );
    let users = tried(&["--row", "row.yaml", "--everybody", "--json"]);
    let users: Value = serde_json::from_str(&users.out).unwrap();
    let somebody = users["users"][0]["user_name"].as_str().unwrap();
    let one = tried(&["--row", "row.yaml", "--user", somebody]);
    assert_eq!(one.code, 0, "{one:?}");
    let value = format!("email: {}\n", somebody.to_uppercase());
    assert!(one.out.ends_with(&value), "{one:?}");
    program.file("none.yaml", "{}");
    let rules = tried(&["--file", "none.yaml", "--user", somebody]);
    assert!(rules.out.contains("\ndecision: "), "{rules:?}");
    assert!(!rules.out.contains("groups: \n"), "{rules:?}");
    let all = tried(&["--row", "row.yaml", "--everybody"]);
    assert_eq!(all.code, 8, "{all:?}");
    assert!(all.out.starts_with("USER"), "{all:?}");
    assert!(all.out.contains(&somebody.to_uppercase()), "{all:?}");
    let same = r#"{"target": "username", "source": {"constant": "same"}}"#;
    let all = tried(&["--row", same, "--everybody"]);
    assert!(all.out.contains("COLLISION: same belongs to `"), "{all:?}");
    let none = tried(&["--row", r#"{"target": "username"}"#, "--everybody"]);
    assert_eq!(none.code, 0, "{none:?}");
    let drops = r#"{"target": "attr:x", "source": {"attribute": "userName"}, "steps": [{"drop_user_if": {"when": "userName pr"}}]}"#;
    let one = tried(&["--row", drops, "--user", somebody]);
    assert!(
        one.out.ends_with("decision: disabled (DROPPED_BY_RULE)\n"),
        "{one:?}"
    );
    let all = tried(&["--row", drops, "--everybody"]);
    assert!(all.out.starts_with("USER"), "{all:?}");
    assert!(all.out.contains("active -> disabled"), "{all:?}");
    for (wrong, code) in [
        (&["--value", "x"][..], 2),
        (&["--row", steps, "--value", "x"], 2),
        (&["--row", "row.yaml"], 2),
        (&["--row", "row.yaml", "--user", "nobody at all"], 3),
    ] {
        assert_eq!(tried(wrong).code, code, "{wrong:?}");
    }
    // Nothing was changed by any of it.
    assert_eq!(
        program
            .json(&["rules", "versions", "default", "--json"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
