//! Moving to Vestibule: people of a file and of a Crowd server, copied by commands.

use serde_json::Value;

use crate::program::{Program, Serving};

const PEOPLE: &str = r#"{
  "users": [
    {"name": "mira", "email": "mira@x.test", "display_name": "Mira Solberg", "groups": ["jira-users"],
     "attributes": {"lastAuthenticated": "1717236000000", "passwordLastChanged": "1"}},
    {"name": "jon & \"co\"", "active": false}
  ],
  "groups": [{"name": "jira-users", "description": "d"}, {"name": "all / one", "users": ["mira"], "groups": ["jira-users"]}]
}"#;

#[test]
fn a_crowd_server_is_copied_as_a_whole() {
    let there = Program::new();
    there.run(&["connector", "create", "--name", "x"]);
    let server = there.serve(&[]);
    there.file("people.json", PEOPLE);
    let words = [
        "import",
        "--directory",
        "default",
        "--file",
        "people.json",
        "--json",
    ];
    let copied = there.json(&words);
    assert_eq!(copied["counts"]["users_created"], 2);
    let words = [
        "application",
        "create",
        "--name",
        "mover",
        "--directory",
        "default",
        "--json",
    ];
    let password = there.json(&words)["password"].as_str().unwrap().to_owned();

    let here = Program::new().with("VESTIBULE_OUTBOUND_ALLOW", "127.0.0.0/8");
    let other = here.serve(&[]);
    here.file("password", &password);
    let url = format!("{}/crowd", server.url());
    let words = |more: &[&'static str]| {
        let mut words = vec![
            "import",
            "--crowd",
            &url,
            "--application",
            "mover",
            "--password",
            "file:password",
            "--json",
        ];
        words.extend(more);
        here.json(&words)
    };
    let tried = words(&["--dry-run"]);
    assert_eq!(tried["counts"]["users_created"], 2, "{tried}");
    let copied = words(&[]);
    assert_eq!(copied["counts"], tried["counts"]);
    assert_eq!(
        (
            &copied["counts"]["groups_created"],
            &copied["counts"]["memberships_added"]
        ),
        (&2.into(), &2.into())
    );
    assert_eq!(copied["counts"]["child_groups_added"], 1);
    assert_eq!(words(&[])["counts"]["users_unchanged"], 2);
    // The same, read by the server itself.
    let by_server = |more: &[&'static str], (program, serving): (&Program, &Serving)| {
        let made = program.json(&[
            "token", "create", "--label", "mover", "--role", "owner", "--json",
        ]);
        let token = made["token"].as_str().unwrap();
        let mut words = vec![
            "import",
            "--by-server",
            "--crowd",
            &url,
            "--application",
            "mover",
            "--password",
            &password,
            "--directory",
            "default",
            "--json",
        ];
        words.extend(more);
        Program::new()
            .with("VESTIBULE_SERVER", serving.url())
            .with("VESTIBULE_TOKEN", token)
            .run(&words)
    };
    let tried = by_server(&["--dry-run"], (&here, &other));
    assert_eq!(tried.code, 0, "{tried:?}");
    let tried: Value = serde_json::from_str(&tried.out).unwrap();
    assert_eq!(
        (&tried["state"], &tried["counts"]["users_unchanged"]),
        (&"tried".into(), &2.into())
    );
    let copied = by_server(&[], (&here, &other));
    assert_eq!(copied.code, 0, "{copied:?}");
    let copied: Value = serde_json::from_str(&copied.out).unwrap();
    assert_eq!(copied["counts"]["users_unchanged"], 2);

    let wrong = here.run(&[
        "import",
        "--crowd",
        &url,
        "--application",
        "mover",
        "--password",
        "s3cret",
    ]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(
        wrong.err.contains("does not know the application"),
        "{}",
        wrong.err
    );
    assert!(!wrong.err.contains("s3cret"), "{}", wrong.err);
    // A server goes nowhere that only it can see, unless its settings say so.
    let itself = by_server(&[], (&there, &server));
    assert_eq!(itself.code, 2, "{itself:?}");
    assert!(itself.err.contains("outbound_allow"), "{}", itself.err);
    let nowhere = format!("{}/nowhere", server.url());
    let wrong = here.run(&[
        "import",
        "--crowd",
        &nowhere,
        "--application",
        "mover",
        "--password",
        &password,
    ]);
    assert!(
        wrong.err.contains("there is no Crowd REST API"),
        "{}",
        wrong.err
    );
    drop((server, other));
}

#[test]
fn mistakes_in_a_file_are_told_with_their_lines() {
    let program = Program::new();
    program.run(&["connector", "create", "--name", "x"]);
    let server = program.serve(&[]);
    program.file("people.csv", "username,active\nmira,maybe\n");
    let ran = program.run(&["import", "--file", "people.csv", "--directory", "default"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("line 2: active is 'maybe'; write true or false"),
        "{}",
        ran.err
    );
    assert_eq!(program.run(&["import"]).code, 2);
    drop(server);
}
