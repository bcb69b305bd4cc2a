//! `vestibule subscriptions`: endpoints that are told of every change.

use crate::program::Program;

#[test]
fn subscriptions_are_made_tried_and_deleted_at_the_command_line() {
    let program = Program::new();
    drop(program.serve(&[]));
    let data = program.folder().join("vestibule-data");
    let wanted = [
        "subscriptions",
        "create",
        "warehouse",
        "--url",
        "http://127.0.0.1:9/hook",
        "--event",
        "user.created",
        "--event",
        "user.deleted",
        "--directory",
        "default",
        "--json",
        "--data",
        data.to_str().unwrap(),
    ];
    // What a running server may do is not known to this command.
    let refused = program.run(&wanted);
    assert!(
        refused.code == 2
            && refused.err.contains("outbound_allow")
            && refused.err.contains("--server"),
        "{refused:?}"
    );
    let allowing = Program::new().with("VESTIBULE_OUTBOUND_ALLOW", "127.0.0.1");
    let made = allowing.json(&wanted);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let listed = program.run(&["subscriptions", "list"]);
    assert!(
        listed.out.contains("user.created, user.deleted in default"),
        "{listed:?}"
    );
    let events = program.run(&["subscriptions", "events"]);
    assert!(events.out.contains("group.user_added"), "{events:?}");
    let refused = program.run(&["subscriptions", "test", "warehouse"]);
    assert!(
        refused.code != 0
            && refused.err.contains("outbound_allow")
            && refused.err.contains("--server"),
        "{refused:?}"
    );
    let wrong = program.run(&[
        "subscriptions",
        "set",
        "warehouse",
        "--url",
        "http://127.0.0.1:9/hook",
        "--event",
        "user.gone",
    ]);
    assert!(
        wrong.code != 0 && wrong.err.contains("user.gone"),
        "{wrong:?}"
    );
    let told = program.run(&["subscriptions", "deliveries", "warehouse"]);
    assert_eq!(told.code, 0, "{told:?}");
    let nothing = program.run(&["subscriptions", "skip", "warehouse", "none"]);
    assert_eq!(nothing.code, 3, "{nothing:?}");
    let deleted = program.run(&["subscriptions", "delete", "warehouse"]);
    assert_eq!(deleted.code, 0, "{deleted:?}");

    let connectors = program.json(&["connector", "list", "--json"]);
    let name = connectors[0]["name"].as_str().unwrap();
    let read = program.run(&["connector", "record-reads", name, "--hours", "2"]);
    assert!(read.out.contains("recorded until"), "{read:?}");
    let read = program.run(&["connector", "record-reads", name, "--hours", "0"]);
    assert!(read.out.contains("not recorded any more"), "{read:?}");
}
