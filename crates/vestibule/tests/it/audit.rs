//! `vestibule audit`: what commands on the data folder enter, and how it is shown.

use crate::program::Program;

#[test]
fn what_commands_on_the_data_folder_change_is_entered_with_before_and_after() {
    let program = Program::new();
    let _server = program.serve(&[]);
    for command in [
        ["connector", "pause", "default"].as_slice(),
        &["connector", "resume", "default"],
        &["application", "create", "--name", "jira"],
        &["application", "delete", "jira"],
    ] {
        let ran = program.run(command);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let all = program.json(&["audit", "list", "--target", "connectors/default", "--json"]);
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 2);
    for (entry, before, after) in [(&all[0], "active", "paused"), (&all[1], "paused", "active")] {
        assert_eq!(entry["actor_kind"], "command_line");
        assert_eq!(entry["changes"].as_array().unwrap().len(), 1, "{entry}");
        let change = &entry["changes"][0];
        assert_eq!(change["path"], "state");
        assert_eq!(
            (&change["before"], &change["after"]),
            (&before.into(), &after.into())
        );
    }
    let told = program.run(&["audit", "list", "--changes"]);
    assert!(
        told.out.contains("\n    ~ state: active -> paused\n"),
        "{told:?}"
    );
    assert!(told.out.contains("    + name: jira\n"), "{told:?}");
    assert!(told.out.contains("    - name: jira"), "{told:?}");
    let none = program.run(&["audit", "list", "--changes", "--target", "/connectors/def"]);
    assert_eq!(none.out, "There is no such entry.\n");
}
