//! Commands, their answers and their exit codes.

use crate::program::Program;

#[test]
fn help_and_version_succeed() {
    let program = Program::new();
    let help = program.run(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("Exit codes:"), "{}", help.out);
    for command in [
        "serve",
        "demo",
        "connector",
        "application",
        "token",
        "simulate",
        "config",
        "openapi",
    ] {
        assert!(help.out.contains(&format!("\n  {command}")), "{command}");
    }
    let version = program.run(&["--version"]);
    assert_eq!(
        (version.code, version.out.starts_with("vestibule ")),
        (0, true)
    );
}

#[test]
fn an_unknown_command_or_flag_is_a_usage_error() {
    let program = Program::new();
    assert_eq!(program.run(&["conector", "list"]).code, 2);
    assert_eq!(program.run(&["connector", "list", "--colour"]).code, 2);
    assert_eq!(program.run(&["connector"]).code, 2);
}

#[test]
fn mistakes_in_the_file_are_told_with_line_key_and_remedy() {
    let program = Program::new();
    program.file(
        "vestibule.toml",
        "# ours\nlisen = \"127.0.0.1:80\"\nlog = \"loud\"\n",
    );
    let ran = program.run(&["config", "show"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.is_empty());
    let expected = "vestibule.toml:2: lisen: there is no such setting; did you mean `listen`?";
    assert!(ran.err.contains(expected), "{}", ran.err);
}

#[test]
fn a_named_file_has_to_be_there() {
    let program = Program::new();
    let ran = program.run(&["config", "show", "--config", "nowhere.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("nowhere.toml"), "{}", ran.err);
}

#[test]
fn the_origin_of_every_setting_is_shown() {
    let program = Program::new().with("VESTIBULE_LOG", "debug");
    program.file("vestibule.toml", "listen = \"127.0.0.1:81\"\n");
    let rows = program.json(&["config", "show", "--json", "--data", "kept"]);
    let from = |key: &str| {
        let row = rows
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["key"] == key)
            .unwrap();
        (
            row["value"].as_str().unwrap().to_owned(),
            row["from"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(from("data"), ("kept".to_owned(), "--data".to_owned()));
    assert_eq!(
        from("log"),
        ("debug".to_owned(), "VESTIBULE_LOG".to_owned())
    );
    let line = "vestibule.toml:1: listen".to_owned();
    assert_eq!(from("listen"), ("127.0.0.1:81".to_owned(), line));
    assert_eq!(
        from("log_format"),
        ("auto".to_owned(), "default".to_owned())
    );
    assert_eq!(from("database").0, "sqlite:kept/vestibule.db");
}

#[test]
fn flags_of_the_server_are_refused_elsewhere() {
    let ran = Program::new().run(&["--listen", "127.0.0.1:1", "config", "show"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("--listen is for `serve` only"),
        "{}",
        ran.err
    );
}

#[test]
fn the_template_is_a_file_that_can_be_used() {
    let program = Program::new();
    let template = program.run(&["config", "template"]);
    assert_eq!(template.code, 0);
    program.file("vestibule.toml", &template.out);
    assert_eq!(program.run(&["config", "show"]).code, 0);
}

#[test]
fn a_folder_without_a_database_is_not_made_by_a_slip() {
    let program = Program::new();
    let ran = program.run(&["connector", "list", "--data", "nowhere"]);
    assert_eq!(ran.code, 5);
    assert!(
        ran.err.contains("there is no database at nowhere"),
        "{}",
        ran.err
    );
    assert!(!program.folder().join("nowhere").exists());
}
