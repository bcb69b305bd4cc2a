//! The past of who is gone or was called otherwise, through the admin API and on the console's page of the journal.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::Role;

use crate::api_console::{Console, problem};
use crate::ui_browser::Browser;
use crate::world::World;

const JOURNAL: &str = "/directories/default/journal";

fn kinds(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    let kinds = items.map(|item| item["change"]["change"].as_str().unwrap());
    kinds.collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A moment just before this one.
fn before(moment: &Value) -> String {
    let moment: jiff::Timestamp = text(moment).parse().unwrap();
    let short = jiff::SignedDuration::from_micros(1);
    moment.checked_sub(short).unwrap().to_string()
}

#[test]
fn whoever_had_a_name_last_is_found_by_it() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mira = world.user(json!({"userName": "MIRA"}));
        world.patch_user(&mira, "userName", "mira.s");
        let by_former = console.show(&format!("{JOURNAL}?user=mira"));
        assert!(kinds(&by_former).starts_with(&["create_user", "rename_user"]));
        assert_eq!(by_former["user"]["name"], "mira.s");
        let became = text(&by_former["user"]["became"]);
        assert!(became.contains("gave this name up"), "{became}");
        assert!(became.contains("and is `mira.s` now."), "{became}");
        let key = text(&by_former["user"]["key"]).to_owned();

        let past = console.show("/directories/default/users/mira/history");
        assert_eq!(past["user"]["name"], "mira.s");
        assert_eq!(past["who"]["key"], json!(key));
        let why = console.show("/directories/default/users/mira/why");
        assert_eq!(why["account"], json!(key));
        assert!(text(&why["became"]).contains("mira.s"), "{why}");
        let by_present = console.show(&format!("{JOURNAL}?user=mira.s"));
        assert!(by_present["user"]["became"].is_null(), "{by_present}");

        // Whoever has the name now is meant by it, and after that whoever had it last.
        let other = world.user(json!({"userName": "mira"}));
        let by_name = console.show(&format!("{JOURNAL}?user=mira"));
        assert_eq!(by_name["user"]["became"], Value::Null);
        assert_ne!(by_name["user"]["key"], json!(key));
        world.patch_user(&other, "userName", "other");
        let by_name = console.show(&format!("{JOURNAL}?user=mira"));
        assert_eq!(by_name["user"]["name"], "other");
    });
}

#[test]
fn the_past_of_a_removed_user_is_told() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let rules = json!({"rules": {"cleanup": {"idp_deleted": "delete"}}});
        let answer = console.put("/connectors/idp/rules", rules);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let noor = world.user(json!({"userName": "noor"}));
        world.group("dev", &[&noor]);
        world.patch_user(&noor, "userName", "noor.k");
        world.wait(SignedDuration::from_secs(60));
        world.delete_user(&noor);
        for asked in ["noor.k", "NOOR"] {
            let page = console.show(&format!("{JOURNAL}?user={asked}"));
            assert!(kinds(&page).contains(&"remove_user"), "{page}");
            assert_eq!(page["user"]["name"], "noor.k");
            let became = text(&page["user"]["became"]);
            assert!(became.contains("was removed"), "{became}");
            assert!(became.contains("(IDP_DELETED)"), "{became}");
            let path = format!("/directories/default/users/{asked}/history");
            let now = console.show(&path);
            assert!(now["user"].is_null(), "{now}");
            let last = before(&now["who"]["gone"]);
            let then = console.show(&format!("{path}?at={last}"));
            assert_eq!(then["user"]["name"], "noor.k");
            assert_eq!(then["user"]["memberships"][0]["group"], "dev");
        }
        let key = console.show(&format!("{JOURNAL}?user=noor"))["user"]["key"].clone();
        let by_key = console.show(&format!("{JOURNAL}?user={}", text(&key)));
        assert_eq!(by_key["user"]["name"], "noor.k");
        let browser = Browser::signed_in(&world, "eve", Role::Owner);
        let left = browser.get(&format!(
            "/console/directories/default/users/{}",
            text(&key)
        ));
        let shown = browser.get(left.header("location").unwrap());
        assert_eq!(shown.status, 200);
        for told in ["was removed", "What it was", "dev", "noor.k"] {
            assert!(shown.text().contains(told), "{told}: {}", shown.text());
        }
        let nobody = console.get(&format!("{JOURNAL}?user=nobody"));
        assert_eq!(problem(&nobody).0, 404);
    });
}

#[test]
fn the_past_of_a_deleted_group_is_told() {
    on_each_database(|database| {
        let rules = json!({"groups": {"on_source_deleted": "delete_if_empty_and_ours"}});
        let world = World::with_rules(database, serde_json::from_value(rules).unwrap());
        let console = Console::new(&world);
        let (ann, ben) = (
            world.user(json!({"userName": "ann"})),
            world.user(json!({"userName": "ben"})),
        );
        let dev = world.group("dev", &[&ann, &ben]);
        world.wait(SignedDuration::from_secs(60));
        world.remove(&dev, &ben);
        world.wait(SignedDuration::from_secs(60));
        world.delete_group(&dev);
        let page = console.show(&format!("{JOURNAL}?group=DEV"));
        assert!(kinds(&page).contains(&"delete_group"), "{page}");
        let became = text(&page["group"]["became"]);
        assert!(became.contains("`dev` was deleted"), "{became}");
        let path = "/directories/default/groups/dev/history";
        let now = console.show(path);
        assert!(now["name"].is_null(), "{now}");
        let last = before(&now["who"]["gone"]);
        let then = console.show(&format!("{path}?at={last}"));
        assert_eq!(then["name"], "dev");
        let joined = page["items"].as_array().unwrap().iter();
        let mut joined = joined.filter(|it| it["change"]["change"] == "add_membership");
        let at = text(&joined.next_back().unwrap()["at"]);
        let then = console.show(&format!("{path}?at={at}"));
        assert_eq!(then["member_names"], json!(["ann", "ben"]), "{then}");
        let browser = Browser::signed_in(&world, "eve", Role::Owner);
        let left = browser.get("/console/directories/default/groups/dev");
        let shown = browser.get(left.header("location").unwrap());
        assert!(shown.text().contains("What it was"), "{}", shown.text());
        assert_eq!(
            browser
                .get("/console/directories/default/groups/none")
                .status,
            404
        );
        assert_eq!(
            problem(&console.get("/directories/default/groups/none/history")).0,
            404
        );
    });
}
