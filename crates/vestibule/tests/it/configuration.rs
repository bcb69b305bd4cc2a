//! `vestibule export`, `plan` and `apply` with files, as somebody at a terminal or a build server uses them.

use serde_json::{Value, json};

use crate::program::{Program, Serving};

const PAGE: &str = include_str!("../../../../docs/src/as-code.md");

fn served(program: Program) -> (Program, Serving) {
    let server = program.serve(&[]);
    (program, server)
}

/// The example of the documentation.
fn example() -> &'static str {
    let rest = PAGE.split_once("```yaml\n").unwrap().1;
    rest.split_once("```").unwrap().0
}

fn with_secrets() -> Program {
    let (donor, _server) = served(Program::new());
    let made = donor.json(&["connector", "create", "--name", "x", "--json"]);
    let program = Program::new()
        .with("OKTA_TOKEN", made["token"].as_str().unwrap())
        .with("JIRA_PASSWORD", "correct horse battery staple")
        .with("MAIL_PASSWORD", "mail-secret");
    std::fs::create_dir(program.folder().join("secrets")).unwrap();
    program.file("secrets/jira-webhook", "hook-secret\n");
    program.file("staging.yaml", example());
    program
}

#[test]
fn the_example_of_the_documentation_is_planned_applied_and_exported() {
    let (program, server) = served(with_secrets());
    let plan = ["plan", "-f", "staging.yaml"];
    let planned = program.run(&plan);
    assert_eq!(planned.code, 8, "{planned:?}");
    for line in [
        "create directory 'staff'",
        "create connector 'okta'",
        "  ~ settings.limits.leavers: 0 -> 5",
        "create token 'Entra' of connector 'partners'",
        "  its text is generated and shown once",
        "create webhook 'https://jira.example.org/vestibule' of application 'jira'",
        "create channel 'alerts'",
        "create subscription 'licences'",
        "  the key of its signatures is generated and shown once",
        "  ~ keep_days: 400 -> 800",
        "keep connector 'default': it is not in the file",
    ] {
        assert!(planned.out.contains(line), "{line}: {}", planned.out);
    }
    let as_json = program.run(&["plan", "-f", "staging.yaml", "--json"]);
    let plan_json: Value = serde_json::from_str(&as_json.out).unwrap();
    let ground = plan_json["ground"].as_str().unwrap();
    assert!(planned.out.contains(ground));

    let nobody = program.run(&["apply", "-f", "staging.yaml"]);
    assert_eq!(nobody.code, 2, "there is nobody to ask: {nobody:?}");
    let apply = ["apply", "-f", "staging.yaml", "--yes", "--ground", ground];
    let applied = program.run(&apply);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(
        applied.out.contains("created application 'jira'"),
        "{applied:?}"
    );
    assert!(
        applied
            .out
            .contains("token 'Entra' of connector 'partners': vst_scim_"),
        "{applied:?}"
    );
    assert_eq!(applied.out.matches("vst_").count(), 1, "{applied:?}");
    assert_eq!(applied.out.matches("whsec_").count(), 2, "{applied:?}");
    let again = program.run(&apply);
    assert_eq!(again.code, 4, "{again:?}");
    assert_eq!(program.run(&plan).code, 0);

    // The export is the same each time, holds no secret, and makes another server the same.
    let exported = program.run(&["export"]).out;
    assert_eq!(program.run(&["export"]).out, exported);
    for secret in ["vst_", "correct horse", "hook-secret", "mail-secret"] {
        assert!(!exported.contains(secret), "{secret}");
    }
    program.file("whole.yaml", &exported);
    assert_eq!(
        program.run(&["plan", "-f", "whole.yaml", "--prune"]).code,
        0
    );
    let whole = program.json(&["export", "--json"]);
    program.file("whole.json", &whole.to_string());
    assert_eq!(
        program.run(&["plan", "-f", "whole.json", "--prune"]).code,
        0
    );
    drop(server);

    let (other, _server) = served(Program::new());
    other.file("whole.yaml", &exported);
    let applied = other.run(&["apply", "-f", "whole.yaml", "--prune", "--yes"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(other.run(&["export"]).out, exported);
    let one = other.run(&["export", "--connector", "OKTA", "--json"]);
    let one: Value = serde_json::from_str(&one.out).unwrap();
    assert_eq!(
        (&one["directories"], &one["connectors"][0]["name"]),
        (
            &json!([{"name": "staff", "local_users": false}]),
            &json!("okta")
        )
    );
    assert_eq!(other.run(&["export", "--connector", "nobody"]).code, 3);
}

#[test]
fn secrets_are_taken_along_sealed() {
    let passphrase = "fourteen horses and a battery";
    let (program, server) = served(with_secrets().with("PASSPHRASE", passphrase));
    let applied = program.run(&["apply", "-f", "staging.yaml", "--yes"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let seal = ["export", "--seal", "--passphrase", "env:PASSPHRASE"];
    let sealed = program.run(&seal);
    assert_eq!(sealed.code, 0, "{sealed:?}");
    assert!(sealed.out.contains("sealed: \"v1$"), "{sealed:?}");
    for secret in ["vst_", "hook-secret", "mail-secret", passphrase] {
        assert!(!sealed.out.contains(secret), "{secret}");
    }
    program.file("sealed.yaml", &sealed.out);
    let plan = [
        "plan",
        "-f",
        "sealed.yaml",
        "--passphrase",
        "env:PASSPHRASE",
    ];
    let planned = program.run(&plan);
    assert_eq!(planned.code, 0, "{planned:?}");
    let plain = program.run(&["export"]).out;
    drop(server);

    // A passphrase is never an argument, and nobody is there to ask.
    for (arguments, told) in [
        (
            vec!["export", "--seal", "--passphrase", passphrase],
            "env:NAME",
        ),
        (
            vec!["export", "--seal", "--passphrase", "env:NOT_SET"],
            "NOT_SET",
        ),
        (
            vec!["export", "--seal", "--passphrase", "file:nowhere"],
            "nowhere",
        ),
        (vec!["export", "--seal"], "nobody to ask"),
        (vec!["export", "--passphrase", "env:PASSPHRASE"], "--seal"),
    ] {
        let refused = program.run(&arguments);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(told), "{told}: {refused:?}");
    }

    let (other, _server) = served(Program::new().with("WRONG", "another passphrase, as long"));
    other.file("sealed.yaml", &sealed.out);
    other.file("passphrase", &format!("{passphrase}\n"));
    let lines: Vec<&str> = sealed.out.lines().collect();
    let first = lines.iter().position(|line| line.contains("sealed: \"v1$"));
    let first = format!("sealed.yaml:{}: ", first.unwrap());
    for (source, told) in [
        (vec![], "no passphrase was given"),
        (
            vec!["--passphrase", "env:WRONG"],
            "the passphrase is not the one",
        ),
    ] {
        let arguments = [
            vec!["apply", "-f", "sealed.yaml", "--prune", "--yes"],
            source,
        ]
        .concat();
        let refused = other.run(&arguments);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(
            refused.err.contains(told) && refused.err.contains(&first),
            "{first}: {refused:?}"
        );
    }
    let apply = [
        "apply",
        "-f",
        "sealed.yaml",
        "--prune",
        "--yes",
        "--passphrase",
        "file:passphrase",
    ];
    let applied = other.run(&apply);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(!applied.out.contains("shown this once"), "{applied:?}");
    assert_eq!(other.run(&["export"]).out, plain);
    other.file(
        "damaged.yaml",
        &sealed.out.replacen("v1$m=65536", "v1$m=65537", 1),
    );
    let told = other.run(&[
        "plan",
        "-f",
        "damaged.yaml",
        "--passphrase",
        "file:passphrase",
    ]);
    assert_eq!(told.code, 2, "{told:?}");
    assert!(
        told.err.contains("cannot be opened: the text was changed"),
        "{told:?}"
    );
}

#[test]
fn mistakes_are_told_with_their_lines_all_at_once() {
    let (program, _server) = served(Program::new().with("SECRET", "none of a connector"));
    let text = "\
directories:
  - name: staff
connectors:
  - name: okta
    directory: stuff
    settings:
      credentials: {rate: 3}
    rules:
      mapping:
        - target: username
          steps:
            - lower
            - regex_replace: {pattern: '(', with: ''}
    tokens:
      - {label: a, secret: {value: vst_scim_x}}
applications:
  - name: jira
    password:
      env: NOBODY_SET_THIS
";
    program.file("wrong.yaml", text);
    let told = program.run(&["plan", "-f", "wrong.yaml"]);
    assert_eq!(told.code, 2, "{told:?}");
    // Secrets come first: without them nothing is sent.
    let places: Vec<&str> = told
        .err
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(places, ["vestibule", "wrong.yaml:18"], "{}", told.err);
    assert!(
        told.err
            .contains("wrong.yaml:15: connectors[0].tokens[0].secret: a secret must not stand"),
        "{}",
        told.err
    );

    let text = text
        .replace("{value: vst_scim_x}", "{env: SECRET}")
        .replace("NOBODY_SET_THIS", "SECRET");
    program.file("wrong.yaml", &text);
    let told = program.run(&["apply", "-f", "wrong.yaml", "--yes"]);
    assert_eq!(told.code, 2, "{told:?}");
    for line in [
        "wrong.yaml:5: connectors[0].directory: there is no directory 'stuff'",
        "wrong.yaml:7: connectors[0].settings.credentials.rate: is 25 at least",
        "wrong.yaml:13: connectors[0].rules.mapping[0].steps[1].regex_replace.pattern: ",
        "wrong.yaml:15: connectors[0].tokens[0].secret: is no token of a connector",
        "wrong.yaml:17: applications[0].directories: the application 'jira' sees no directory",
    ] {
        assert!(told.err.contains(line), "{line}: {}", told.err);
    }
    for (text, told_line) in [
        ("a: [1\nb: 2", "wrong.yaml:2: "),
        (
            "connectors:\n  - name: a\n    presett: okta\n    state: asleep\n",
            "wrong.yaml:3: connectors[0].presett: nothing is called `presett` here",
        ),
        (
            "connectors:\n  - name: a\n    presett: okta\n    state: asleep\n",
            "wrong.yaml:4: connectors[0].state: `asleep` is not known here",
        ),
        ("", "wrong.yaml:1: it is empty"),
    ] {
        program.file("wrong.yaml", text);
        let told = program.run(&["plan", "-f", "wrong.yaml"]);
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.err.contains(told_line), "{told_line}: {}", told.err);
    }
    assert_eq!(program.run(&["plan", "-f", "nowhere.yaml"]).code, 2);
}
