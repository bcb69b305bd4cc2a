//! Overrides, history and undo from the command line, on what an identity provider wrote, seen by a product.

use emulate::databases::on_each_database;
use emulate::okta::{AppKind, Okta};
use emulate::report::quietly;
use serde_json::json;

use crate::house::{House, clean, organization, tell};

#[test]
fn what_a_connector_did_is_undone_and_given_back_and_products_see_both() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("okta");
        let program = &house.program;
        let at = ["--directory", &connector.name];
        tell(async {
            let mut jira = house.jira("jira", &connector, "read-only");
            let mut okta = Okta::new(&connector.url, &connector.token, AppKind::Template).unwrap();
            let organization = organization(4, 2, 33);
            clean(&okta.synchronize(&organization, &quietly).await);
            house.sees(&mut jira, &connector, &okta.picture()).await;

            let undo = [&["undo", "--connector", &connector.name], &at[..]].concat();
            let shown = program.run(&undo);
            assert_eq!(shown.code, 8, "{shown:?}");
            assert!(shown.out.contains("remove user"), "{}", shown.out);
            assert!(shown.err.contains("--yes"), "{}", shown.err);
            house.sees(&mut jira, &connector, &okta.picture()).await;

            let done = program.json(&[&undo[..], &["--yes", "--json"]].concat());
            let people = organization.people().len();
            assert_eq!(
                (&done["users"], &done["kept_as_is"]),
                (&json!(people), &json!(people))
            );
            let directories = program.json(&["directory", "list", "--json"]);
            let ours = directories
                .as_array()
                .unwrap()
                .iter()
                .find(|it| it["name"] == "okta");
            assert_eq!(ours.unwrap()["active_users"], 0);
            let list = [&["override", "list", "--json"], &at[..]].concat();
            assert_eq!(program.json(&list).as_array().unwrap().len(), people);

            let request = done["request"].as_str().unwrap();
            let back = [&["undo", "--request", request, "--yes"], &at[..]].concat();
            let back = program.run(&back);
            assert_eq!(back.code, 0, "{back:?}");
            house.sees(&mut jira, &connector, &okta.picture()).await;
            let again = program.run(&[&["undo", "--request", "nothing"], &at[..]].concat());
            assert_eq!(
                (again.code, again.out.trim()),
                (0, "There is nothing to undo.")
            );
        });
    });
}

#[test]
fn an_override_is_added_listed_and_removed_and_history_tells_what_was() {
    on_each_database(|database| {
        let house = House::on(database);
        let connector = house.connector("okta");
        let program = &house.program;
        let at = ["--directory", &connector.name];
        tell(async {
            let mut okta = Okta::new(&connector.url, &connector.token, AppKind::Template).unwrap();
            let organization = organization(2, 1, 34);
            clean(&okta.synchronize(&organization, &quietly).await);
            let login = organization.people()[0].login.clone();
            let journal = |more: &[&str]| {
                let words = [&["journal", "--json"], more, &at[..]].concat();
                program.json(&words)["items"].as_array().unwrap().len()
            };
            assert!(journal(&["--user", &login]) > 0);
            assert_eq!(journal(&["--limit", "1"]), 1);
            assert_eq!(journal(&["--until", "1999-01-01T00:00:00Z"]), 0);
            assert_eq!(journal(&["--since", "2999-01-01T00:00:00Z"]), 0);
            let told = program.run(&[&["journal", "--user", &login], &at[..]].concat());
            assert!(told.out.contains("create user"), "{told:?}");
            let endless = [&["override", "add", &login, "exclude"], &at[..]].concat();
            assert_eq!(program.run(&endless).code, 2);
            let add = [&endless[..], &["--for", "3d", "--comment", "t 7", "--json"]].concat();
            let said = program.json(&add);
            assert_eq!(
                (&said["kind"], &said["comment"]),
                (&json!("exclude"), &json!("t 7"))
            );
            let user = program.run(&[&["user", "show", &login], &at[..]].concat());
            assert!(
                user.out.contains("\n  override: exclude until 20"),
                "{user:?}"
            );
            assert!(user.out.contains("(idp: "), "{user:?}");
            let history = [&["history", &login], &at[..]].concat();
            let shown = program.run(&history);
            assert!(shown.out.contains("(disabled, OVERRIDE)"), "{shown:?}");
            let before = [&history[..], &["--at", said["created"].as_str().unwrap()]].concat();
            let shown = program.run(&before);
            assert!(shown.out.contains("(active, IDP_ACTIVE)"), "{shown:?}");
            let since = [&history[..], &["--since", "2001-01-01T00:00:00Z"]].concat();
            assert!(program.run(&since).out.contains("create user"));
            let id = said["id"].to_string();
            let removed = program.run(&[&["override", "remove", &id], &at[..]].concat());
            assert_eq!(removed.code, 0, "{removed:?}");
            assert_eq!(
                program
                    .run(&[&["override", "remove", &id], &at[..]].concat())
                    .code,
                3
            );
            let shown = program.run(&history);
            assert!(shown.out.contains("(active, IDP_ACTIVE)"), "{shown:?}");
        });
    });
}
