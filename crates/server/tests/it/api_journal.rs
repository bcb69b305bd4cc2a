//! The journal through the admin API.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::{Value, json};

use crate::api_console::{Console, problem};
use crate::world::World;

/// The kinds of the changes of a page.
fn kinds(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["change"]["change"].as_str().unwrap())
        .collect()
}

fn positions(page: &Value) -> Vec<i64> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["position"].as_i64().unwrap())
        .collect()
}

#[test]
fn what_happened_is_told_in_order_with_its_causes() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        let noor = world.user(json!({"userName": "noor"}));
        let dev = world.group("dev", &[&mira, &noor]);
        world.patch_user(&mira, "userName", "mira.s");
        world.remove(&dev, &noor);
        let console = Console::new(&world);
        let path = "/directories/default/journal";
        let whole = console.show(path);
        assert_eq!(
            kinds(&whole),
            [
                "create_user",
                "create_user",
                "create_group",
                "add_membership",
                "add_membership",
                "rename_user",
                "remove_membership",
            ]
        );
        let first = &whole["items"][0];
        assert_eq!(first["user"]["name"], "mira.s", "the present name");
        assert_eq!(
            first["change"]["attributes"]["username"], "mira",
            "the name at the time"
        );
        assert_eq!(
            first["cause"],
            json!({"trigger": "scim", "connector": "idp", "actor": "identity provider", "request": "test"})
        );
        let removal = &whole["items"][6];
        assert_eq!(
            (&removal["user"]["name"], &removal["group"]),
            (&json!("noor"), &json!("dev"))
        );
        assert_eq!(removal["change"]["origins"][0]["kind"], "idp");
        let all = positions(&whole);
        assert!(all.is_sorted());
        assert_eq!(whole["position"], *all.last().unwrap());

        let of = |query: &str| positions(&console.show(&format!("{path}?{query}")));
        assert_eq!(of("user=NOOR"), [all[1], all[4], all[6]]);
        let key = first["user"]["key"].as_str().unwrap();
        assert_eq!(of(&format!("user={key}")), [all[0], all[3], all[5]]);
        assert_eq!(of("group=dev"), [all[2], all[3], all[4], all[6]]);
        assert_eq!(of("group=dev&user=noor"), [all[4], all[6]]);
        assert_eq!(of("connector=idp"), all);
        assert_eq!(of("connector=default"), Vec::<i64>::new());
        assert_eq!(of(&format!("after={}", all[4])), all[5..]);
        assert_eq!(of("order=newest&limit=2"), [all[6], all[5]]);
        let page = console.show(&format!("{path}?order=newest&limit=2"));
        assert_eq!(page["next"], all[5]);
        let before = format!("order=newest&limit=2&before={}", all[5]);
        assert_eq!(of(&before), [all[4], all[3]]);
        let before = format!("order=newest&group=dev&before={}", all[4]);
        assert_eq!(of(&before), [all[3], all[2]]);
        let page = console.show(&format!("{path}?order=newest&limit=2&before={}", all[2]));
        assert!(page["next"].is_null(), "{page}");
    });
}

#[test]
fn the_journal_comes_in_pages() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    for number in 0..7 {
        world.user(json!({"userName": format!("user{number}")}));
    }
    let console = Console::new(&world);
    let path = "/directories/default/journal";
    let all = positions(&console.show(path));
    assert_eq!(all.len(), 7);
    for limit in 1..=8 {
        let mut walked = Vec::new();
        let mut after = 0;
        loop {
            let page = console.show(&format!("{path}?limit={limit}&after={after}"));
            walked.extend(positions(&page));
            let Some(next) = page["next"].as_i64() else {
                break;
            };
            after = next;
        }
        assert_eq!(walked, all, "by {limit}");
    }
}

#[test]
fn a_group_that_is_gone_keeps_its_name_in_the_journal() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let product = crate::world::Product::writer(&world).json();
    assert_eq!(
        product
            .post("/group", r#"{"name": "short", "type": "GROUP"}"#)
            .status,
        201
    );
    assert_eq!(product.delete("/group?groupname=short").status, 204);
    let console = Console::new(&world);
    let whole = console.show("/directories/default/journal");
    assert_eq!(kinds(&whole), ["create_group", "delete_group"]);
    for item in whole["items"].as_array().unwrap() {
        assert_eq!(item["group"], "short");
    }
}

#[test]
fn questions_that_cannot_be_answered_are_refused() {
    let database = TestDatabase::sqlite().unwrap();
    let world = World::new(&database);
    let console = Console::new(&world);
    for (query, status) in [
        ("user=nobody", 404),
        ("group=nothing", 404),
        ("connector=none", 404),
        ("order=random", 400),
        ("after=soon", 400),
        ("limit=0", 422),
        ("since=1", 400),
    ] {
        let answer = console.get(&format!("/directories/default/journal?{query}"));
        assert_eq!(problem(&answer).0, status, "{query}");
    }
    let ahead = console.show("/directories/default/journal?after=9223372036854775807");
    assert_eq!(ahead["items"], json!([]));
    let before = console.show("/directories/default/journal?after=-5");
    assert_eq!(before["items"], json!([]));
}
