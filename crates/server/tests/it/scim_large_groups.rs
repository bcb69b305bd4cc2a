//! Groups that are large, or name who is not there: what is sent back, and what is not.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::Console;
use crate::scim_idp::*;
use crate::world::World;

#[test]
fn a_large_group_is_streamed_and_not_sent_back_after_writes() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let ids: Vec<String> = (0..3_000)
            .map(|n| format!("pending-member-with-a-rather-long-identifier-{n:060}"))
            .collect();
        let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
        let group = id_of(&idp.post(
            "/Groups",
            &json!({ "displayName": "big", "members": members }),
        ));
        let answer = idp.get(&format!("/Groups/{group}"));
        assert!(
            answer.chunked && answer.complete,
            "{} bytes",
            answer.body.len()
        );
        assert_eq!(answer.header("etag"), Some("W/\"1\""));
        assert_eq!(member_ids(&answer.json()), ids);
        let list = idp.get("/Groups");
        assert!(list.chunked && list.complete);
        assert_eq!(member_ids(&list.json()["Resources"][0]), ids);
        let projected = shown(&idp.get(&format!("/Groups/{group}?attributes=members.value")));
        assert_eq!(member_ids(&projected), ids);
        assert!(!idp.get("/Groups?excludedAttributes=members").chunked);
    });
}

#[test]
fn a_patch_of_a_group_above_a_thousand_members_is_answered_without_them() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let users: Vec<String> = (0..1_001)
            .map(|n| world.user(json!({ "userName": format!("user{n}") })))
            .collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let group = idp.group("big", &users[..1_000]);
        let path = format!("/Groups/{group}");
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": users[1_000] }] }]);
        let remove =
            json!([{ "op": "remove", "path": "members", "value": [{ "value": users[1_000] }] }]);
        let answer = idp.patch(&path, &add);
        assert_eq!(
            (answer.status, answer.body.len(), answer.header("etag")),
            (204, 0, Some("W/\"2\""))
        );
        let answer = shown(&idp.patch(&path, &remove));
        assert_eq!(answer["members"].as_array().unwrap().len(), 1_000);
        let answer = shown(&idp.patch(&format!("{path}?excludedAttributes=members"), &add));
        assert_eq!(
            (&answer["displayName"], answer.get("members")),
            (&json!("big"), None)
        );
        let body = json!({ "displayName": "bigger", "members": users.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>() });
        let answer = shown(&idp.put(&path, &body));
        assert_eq!(
            (&answer["displayName"], answer.get("members")),
            (&json!("bigger"), None)
        );
        assert_eq!(idp.members(&group).len(), 1_001);
    });
}

/// Those who are waited for count too: nobody reads a list of thousands after each write.
#[test]
fn members_who_are_waited_for_are_not_sent_back_by_the_thousand() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let members = |count: usize| -> Vec<Value> {
            (0..count)
                .map(|n| json!({ "value": format!("unknown-{n}") }))
                .collect()
        };
        let body = |count: usize| json!({ "displayName": "big", "members": members(count) });
        let made = created(&idp.post("/Groups", &body(1_001)));
        assert_eq!(made.get("members"), None);
        let path = format!("/Groups/{}", made["id"].as_str().unwrap());
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "one more" }] }]);
        assert_eq!(shown(&idp.patch(&path, &add)).get("members"), None);
        assert_eq!(shown(&idp.put(&path, &body(1_001))).get("members"), None);
        let short = shown(&idp.put(&path, &body(1_000)));
        assert_eq!(member_ids(&short).len(), 1_000);
        assert_eq!(shown(&idp.patch(&path, &add)).get("members"), None);
        let wished = shown(&idp.put(&format!("{path}?attributes=members"), &body(1_001)));
        assert_eq!(member_ids(&wished).len(), 1_001);
    });
}

/// Okta takes a 400 for final and gives the push up.
#[test]
fn a_group_that_names_itself_is_written_without_that() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let mira = idp.user("mira");
        let group = idp.group("staff", &[]);
        let path = format!("/Groups/{group}");
        let both = json!([{ "value": group }, { "value": mira }]);
        let add = json!([{ "op": "add", "path": "members", "value": both }]);
        assert_eq!(member_ids(&shown(&idp.patch(&path, &add))), [mira.as_str()]);
        let put = json!({ "displayName": "staff", "members": both });
        assert_eq!(member_ids(&shown(&idp.put(&path, &put))), [mira.as_str()]);
        let page = Console::new(&world).show("/requests");
        let warned = &page["items"][0]["warnings"];
        assert!(warned.to_string().contains("no member of itself"), "{page}");
    });
}
