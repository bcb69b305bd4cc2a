//! The configuration in the console: shown, planned from a text, and applied as it was planned or not at all.

use emulate::databases::TestDatabase;
use serde_json::json;
use store::Role;

use crate::api_console::{Console, each, ok};
use crate::ui_browser::Browser;
use crate::world::World;

const PAGE: &str = "/console/configuration";
const APPLY: &str = "/console/configuration/apply";

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name} on {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn a_file_is_looked_at_before_it_is_applied() {
    let database = TestDatabase::sqlite().unwrap();
    let world = &World::new(&database);
    let api = Console::new(world);
    let ann = Browser::signed_in(world, "ann", Role::Owner);
    assert!(ann.get(PAGE).text().contains("name: idp"));
    let saved = ann.get("/console/configuration.yaml");
    assert!(saved.text().starts_with("version:"), "{}", saved.text());
    let same = ann.fill_in(PAGE, PAGE, &[("configuration", saved.text())]);
    assert!(
        same.text().contains("Everything is as the file says"),
        "{}",
        same.text()
    );

    // What is wrong is told with its line, and what was sent is still there.
    let wrong = "version: 1\nconnectors:\n  - name: new\n    preset: nobody\n";
    let refused = ann.fill_in(PAGE, PAGE, &[("configuration", wrong)]);
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("Line 4: connectors[0].preset"),
        "{}",
        refused.text()
    );
    assert!(refused.text().contains("preset: nobody"));
    let broken = ann.fill_in(PAGE, PAGE, &[("configuration", "a: [1,\nb: }")]);
    assert!(
        broken.status == 422 && broken.text().contains("Line "),
        "{}",
        broken.text()
    );
    assert_eq!(ann.fill_in(PAGE, PAGE, &[]).status, 422);

    let text = "version: 1\napplications:\n  - name: wiki <b>\n    directories:\n      - directory: default\n";
    let planned = ann.fill_in(PAGE, PAGE, &[("configuration", text)]);
    assert_eq!(planned.status, 200, "{}", planned.text());
    assert!(planned.text().contains("application"), "{}", planned.text());
    assert!(!planned.text().contains("wiki <b>"));
    assert!(each(&api.show("/applications"), "name").is_empty());
    let ground = hidden(planned.text(), "ground");
    let fields = [
        ("configuration", text),
        ("ground", ground.as_str()),
        ("comment", "a wiki"),
    ];

    // Somebody was quicker.
    ok(&api.post("/applications", json!({"name": "other"})));
    let stale = ann.send_form(&planned, APPLY, &fields);
    assert_eq!(stale.status, 409, "{}", stale.text());
    assert_eq!(each(&api.show("/applications"), "name"), ["other"]);
    let planned = ann.fill_in(PAGE, PAGE, &[("configuration", text)]);
    let ground = hidden(planned.text(), "ground");
    let fields = [("configuration", text), ("ground", ground.as_str())];
    let applied = ann.send_form(&planned, APPLY, &fields);
    assert_eq!(applied.status, 200, "{}", applied.text());
    assert!(
        applied.text().contains("These secrets are shown this once"),
        "{}",
        applied.text()
    );
    assert_eq!(
        each(&api.show("/applications"), "name"),
        ["other", "wiki <b>"]
    );

    // Whoever may not apply it may look at what it would do.
    let eve = Browser::signed_in(world, "eve", Role::Auditor);
    let planned = eve.fill_in(
        PAGE,
        PAGE,
        &[
            ("configuration", "version: 1\napplications: []\n"),
            ("prune", "on"),
        ],
    );
    assert_eq!(planned.status, 200, "{}", planned.text());
    assert!(!planned.text().contains("Apply exactly this"));
    let refused = eve.fill_in(
        "/console/account",
        APPLY,
        &[("configuration", "version: 1\n"), ("ground", "x")],
    );
    assert_eq!(refused.status, 403);
}

#[test]
fn secrets_are_saved_sealed_and_the_passphrase_is_repeated_nowhere() {
    const SEALED: &str = "/console/configuration/sealed";
    let passphrase = "fourteen horses and a battery";
    let database = TestDatabase::sqlite().unwrap();
    let world = &World::new(&database);
    let api = Console::new(world);
    ok(&api.post(
        "/applications",
        json!({"name": "wiki", "directory": "default"}),
    ));
    let ann = Browser::signed_in(world, "ann", Role::Owner);
    assert!(ann.get(PAGE).text().contains("Take the secrets along"));
    for (again, told) in [("another", "two passphrases"), ("short", "15 to 1000")] {
        let first = if again == "short" { again } else { passphrase };
        let refused = ann.fill_in(PAGE, SEALED, &[("passphrase", first), ("again", again)]);
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(refused.text().contains(told), "{}", refused.text());
        assert!(!refused.text().contains("horses"));
    }
    let both = [("passphrase", passphrase), ("again", passphrase)];
    let saved = ann.fill_in(PAGE, SEALED, &both);
    assert_eq!(saved.status, 200, "{}", saved.text());
    let name = saved.header("content-disposition").unwrap();
    assert!(name.contains("vestibule-sealed.yaml"), "{name}");
    assert!(saved.text().contains("sealed: "), "{}", saved.text());

    let with = |text: &str| {
        let fields = [("configuration", text), ("passphrase", passphrase)];
        ann.fill_in(PAGE, PAGE, &fields)
    };
    let same = with(saved.text());
    assert!(
        same.text().contains("Everything is as the file says"),
        "{}",
        same.text()
    );
    let without = ann.fill_in(PAGE, PAGE, &[("configuration", saved.text())]);
    assert_eq!(without.status, 422);
    assert!(
        without.text().contains("no passphrase was given"),
        "{}",
        without.text()
    );

    // What was planned with it is applied with it, and it is asked for once more.
    ok(&api.call("/applications/wiki/password"));
    let planned = with(saved.text());
    assert!(
        planned.text().contains("The passphrase again"),
        "{}",
        planned.text()
    );
    assert!(!planned.text().contains("horses"));
    let ground = hidden(planned.text(), "ground");
    let fields = [
        ("configuration", saved.text()),
        ("ground", ground.as_str()),
        ("passphrase", passphrase),
    ];
    let applied = ann.send_form(&planned, APPLY, &fields);
    assert_eq!(applied.status, 200, "{}", applied.text());
    assert!(
        with(saved.text())
            .text()
            .contains("Everything is as the file says")
    );

    let eve = Browser::signed_in(world, "eve", Role::Auditor);
    assert!(!eve.get(PAGE).text().contains("Take the secrets along"));
    assert_eq!(eve.fill_in(PAGE, SEALED, &both).status, 403);
}
