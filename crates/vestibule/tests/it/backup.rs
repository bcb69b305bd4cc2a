//! `vestibule backup` and `vestibule restore`: from a server to another folder, by hand as people do it.

use crate::program::Program;

#[test]
fn a_backup_of_a_server_becomes_another_server() {
    let old = Program::new();
    let serving = old.serve(&[]);
    let token = serving.announced["first_start"]["admin_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let made = old.run(&["application", "create", "--name", "jira"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = place("everything.backup");
    let remote = ["--server", serving.url(), "--token", &token];
    let taken = old.json(&[&["backup", &file, "--json"][..], &remote].concat());
    assert!(taken["rows"].as_u64().unwrap() > 5, "{taken}");
    // It never overwrites a file, and takes one of the data folder as well.
    assert_eq!(old.run(&["backup", &file]).code, 4);
    let beside = place("beside.backup");
    assert_eq!(old.run(&["backup", &beside]).code, 0);
    assert!(!std::path::Path::new(&place("beside.backup.part")).exists());
    // A server that runs is not replaced.
    let refused = old.run(&["restore", &file, "--replace"]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    serving.signal("TERM");
    serving.wait();

    let new = Program::new();
    let restored = new.json(&["restore", &file, "--json"]);
    assert_eq!(restored["rows"], taken["rows"]);
    assert!(restored["right_key"].is_null());
    let listed = new.run(&["application", "list"]);
    assert!(listed.out.contains("jira"), "{}", listed.out);
    let again = new.run(&["restore", &beside]);
    assert_eq!(again.code, 4);
    assert!(again.err.contains("--replace"), "{}", again.err);
    let again = new.json(&["restore", &beside, "--replace", "--json"]);
    assert_eq!(again["replaced"], true);
    // By now a command has made a key here, which is another one.
    assert_eq!(again["right_key"], false);

    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 9]).unwrap();
    let cut = new.run(&["restore", &file, "--check"]);
    assert_eq!(cut.code, 1);
    assert!(cut.err.contains("not whole"), "{}", cut.err);
}
