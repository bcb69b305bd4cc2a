//! What an administrator gets wrong, and what the program says about it.

use super::*;

fn sources<'a>(file: Option<&'a str>) -> Sources<'a> {
    Sources {
        flags: Vec::new(),
        variables: Vec::new(),
        file: file.map(|text| (Path::new("/etc/vestibule/vestibule.toml"), text)),
    }
}

fn settings(text: &str) -> Settings {
    Settings::read(&sources(Some(text))).unwrap()
}

fn mistakes(text: &str) -> String {
    Settings::read(&sources(Some(text)))
        .unwrap_err()
        .to_string()
}

#[test]
fn defaults_need_nothing() {
    let settings = Settings::read(&sources(None)).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.data, Path::new("./vestibule-data"));
    assert_eq!(
        settings.database,
        Database::Sqlite("./vestibule-data/vestibule.db".into())
    );
    assert_eq!(settings.public_url, None);
    assert_eq!(settings.trusted_proxies, []);
    assert!(
        settings
            .given
            .values()
            .all(|given| given.origin == Origin::Default)
    );
}

#[test]
fn a_flag_outweighs_a_variable_and_that_the_file() {
    let file = "listen = \"10.0.0.1:1\"\nlog = \"warn\"\nlog_format = \"json\"\n";
    let mut sources = sources(Some(file));
    sources.variables = vec![
        ("VESTIBULE_LISTEN".to_owned(), "10.0.0.2:2".to_owned()),
        ("VESTIBULE_LOG".to_owned(), "debug".to_owned()),
    ];
    sources.flags = vec![("listen", "10.0.0.3:3".to_owned())];
    let settings = Settings::read(&sources).unwrap();
    assert_eq!(settings.listen.to_string(), "10.0.0.3:3");
    assert_eq!(settings.log, "debug");
    assert_eq!(settings.log_format, LogFormat::Json);
    assert_eq!(
        settings.given["listen"].origin,
        Origin::Flag("--listen".to_owned())
    );
    assert_eq!(settings.given["log"].origin.to_string(), "VESTIBULE_LOG");
    assert_eq!(
        settings.given["log_format"].origin.to_string(),
        "/etc/vestibule/vestibule.toml:3: log_format"
    );
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_one_that_was_meant() {
    assert_eq!(
        mistakes("\n# ours\nlisen = \"127.0.0.1:80\""),
        "/etc/vestibule/vestibule.toml:3: lisen: there is no such setting; did you mean `listen`?"
    );
    assert!(mistakes("colour = 1").contains("the keys are: data, listen"));
}

#[test]
fn every_mistake_is_told_at_once() {
    let told = mistakes("listen = \"here\"\ntrusted_proxies = -1\nlog_format = \"xml\"\nwho = 1");
    assert_eq!(told.lines().count(), 4, "{told}");
    assert!(told.contains("vestibule.toml:1: listen: `here` is not an address with a port"));
    assert!(told.contains("vestibule.toml:2: trusted_proxies: `-1`"));
    assert!(told.contains("vestibule.toml:3: log_format: `xml`"));
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let told = mistakes("listen = \"127.0.0.1:80\"\ndata = ");
    assert!(
        told.starts_with("/etc/vestibule/vestibule.toml:2: "),
        "{told}"
    );
}

#[test]
fn a_table_is_no_value() {
    assert!(mistakes("listen = [1]").contains("expected a text, found a list of other things"));
    assert!(mistakes("[listen]\na = 1").contains("expected a text, found a table"));
}

#[test]
fn lists_are_written_as_lists_in_the_file_and_with_commas_elsewhere() {
    let list = settings("trusted_proxies = [\"10.0.0.0/8\", \"192.0.2.1\"]").trusted_proxies;
    let text = settings("trusted_proxies = \"10.0.0.0/8, 192.0.2.1\"").trusted_proxies;
    assert_eq!(list, text);
    assert_eq!(list.len(), 2);
    assert!(mistakes("trusted_proxies = [\"proxy\"]").contains("neither an address nor a range"));
}

#[test]
fn paths_in_the_file_start_at_the_file() {
    assert_eq!(
        settings("data = \"kept\"").data,
        Path::new("/etc/vestibule/kept")
    );
    assert_eq!(
        settings("data = \"/srv/kept\"").data,
        Path::new("/srv/kept")
    );
}

#[test]
fn a_database_needs_its_scheme() {
    let told = mistakes("database = \"vestibule.db\"");
    assert!(told.contains("sqlite:PATH or postgres://"), "{told}");
    let is_postgres = matches!(
        settings("database = \"postgres://me@db/v\"").database,
        Database::Postgres(_)
    );
    assert!(is_postgres);
}

#[test]
fn a_database_address_can_lie_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("database");
    std::fs::write(&path, "postgres://me:s3cret@db/v\n").unwrap();
    let database = settings(&format!("database = \"file:{}\"", path.display())).database;
    assert_eq!(
        database,
        Database::Postgres("postgres://me:s3cret@db/v".to_owned())
    );
    assert!(mistakes("database = \"file:/nowhere/at/all\"").contains("cannot be read"));
}

#[test]
fn a_password_is_not_repeated_in_a_mistake() {
    let told = mistakes("database = \"mysql://me:s3cret@db/v\"");
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn a_public_url_is_a_beginning() {
    let url = |text: &str| settings(&format!("public_url = \"{text}\"")).public_url;
    assert_eq!(
        url("https://v.example.org/"),
        Some("https://v.example.org".to_owned())
    );
    assert_eq!(url(""), None);
    assert!(mistakes("public_url = \"v.example.org\"").contains("https://"));
    assert!(mistakes("public_url = \"https://v.example.org?x\"").contains("beginning"));
}

#[test]
fn a_variable_with_a_slip_is_doubted_and_foreign_ones_are_left_alone() {
    let mut sources = sources(None);
    sources.variables = vec![
        ("VESTIBULE_LISTN".to_owned(), "x".to_owned()),
        ("VESTIBULE_SERVICE_HOST".to_owned(), "10.0.0.1".to_owned()),
    ];
    let settings = Settings::read(&sources).unwrap();
    assert_eq!(settings.doubts.len(), 1);
    assert!(settings.doubts[0].contains("VESTIBULE_LISTEN"));
}

#[test]
fn a_log_filter_is_checked_at_the_start() {
    assert!(mistakes("log = \"server=shout\"").contains("is not a log filter"));
    assert_eq!(
        settings("log = \"info,server=debug\"").log,
        "info,server=debug"
    );
}

#[test]
fn names_of_flags_and_variables_follow_from_the_key() {
    let key = KEYS.iter().find(|key| key.name == "public_url").unwrap();
    assert_eq!(key.flag(), "--public-url");
    assert_eq!(key.variable(), "VESTIBULE_PUBLIC_URL");
}
