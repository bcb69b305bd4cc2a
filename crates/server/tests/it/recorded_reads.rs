//! What an identity provider reads is recorded while somebody wants to see it, and not otherwise.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, ok};
use crate::http::Answer;
use crate::scim_idp::Idp;
use crate::ui_browser::Browser;
use crate::world::World;

fn operations(console: &Console<'_>) -> Vec<String> {
    let all = console.show("/requests?connector=idp");
    let all = all["items"].as_array().unwrap().iter();
    let mut found: Vec<String> = all
        .map(|one| one["operation"].as_str().unwrap().to_owned())
        .collect();
    found.reverse();
    found
}

#[track_caller]
fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(why), "{}", answer.text());
}

#[test]
fn reads_are_recorded_for_as_long_as_somebody_said() {
    on_each_database(|database| {
        let world = &World::new(database);
        let (console, idp) = (Console::new(world), Idp::new(world));
        let ann = idp.user("ann");
        let read = || {
            assert_eq!(idp.get(&format!("/Users/{ann}")).status, 200);
            assert_eq!(
                idp.get("/Users?filter=userName%20eq%20%22ann%22").status,
                200
            );
            assert_eq!(idp.get("/ServiceProviderConfig").status, 200);
        };
        read();
        assert_eq!(operations(&console), ["create_user"], "off, as it begins");
        refused(
            &console.put("/connectors/idp/recording", json!({"hours": 169})),
            422,
            "168",
        );
        let set =
            |hours: u32| ok(&console.put("/connectors/idp/recording", json!({"hours": hours})));
        let until = set(2)["reads_recorded_until"].clone();
        assert!(until.is_string());
        assert_eq!(
            console.show("/connectors/idp")["reads_recorded_until"],
            until
        );
        read();
        let all = ["create_user", "get_user", "list_users", "discovery"];
        assert_eq!(operations(&console), all);
        // It ends by itself, though nothing else has changed.
        world.wait(SignedDuration::from_mins(121));
        read();
        assert_eq!(operations(&console), all);
        assert_eq!(
            console.show("/connectors/idp")["reads_recorded_until"],
            Value::Null
        );
        // And before that, if somebody says so.
        set(24);
        set(0);
        read();
        assert_eq!(operations(&console), all);

        let browser = Browser::signed_in(world, "ann", Role::Operator);
        let page = "/console/connectors/idp/activity";
        let action = "/console/connectors/idp/recording";
        assert!(browser.text(page).contains("Only what it writes"));
        let told = browser.fill_in(page, action, &[("hours", "8")]);
        assert!(
            told.text().contains("that ends by itself"),
            "{}",
            told.text()
        );
        read();
        assert_eq!(operations(&console).len(), 7);
        browser.fill_in(page, action, &[("hours", "0")]);
        assert!(browser.text(page).contains("Only what it writes"));
        let auditor = Browser::signed_in(world, "ben", Role::Auditor);
        assert!(!auditor.text(page).contains("/recording"));
    });
}

#[test]
fn people_are_found_by_the_beginning_of_their_first_name_and_listed_by_status() {
    on_each_database(|database| {
        let world = &World::new(database);
        let console = Console::new(world);
        for (nth, given) in ["Zoë", "Zacharias", "Otto"].into_iter().enumerate() {
            let id = world.user(json!({
                "userName": format!("u{nth}"), "displayName": format!("Person {nth}"),
                "name": {"givenName": given, "familyName": "Berg"},
            }));
            world.patch_user(&id, "active", nth != 1);
        }
        let names = |query: &str| {
            let found = console.show(&format!("/directories/default/users?{query}"));
            let items = found["items"].as_array().unwrap().iter();
            items
                .map(|one| one["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("begins=true&search=zo"), ["u0"]);
        assert_eq!(names("begins=true&search=Z"), ["u1", "u0"]);
        assert_eq!(names("begins=true&search=z&active=true"), ["u0"]);
        assert_eq!(names("active=true"), ["u0", "u2"]);
        assert_eq!(names("active=false"), ["u1"]);
        assert_eq!(names("active=true&after=u0"), ["u2"]);
    });
}
