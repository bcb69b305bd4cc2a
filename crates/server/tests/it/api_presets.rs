//! What a connector can be made for, and its departures from the RFCs, through the admin API.

use emulate::databases::on_each_database;
use serde_json::json;

use crate::api_console::{Console, each, ok, problem};
use crate::scim_idp::{CORE_GROUP, Idp, id_of};
use crate::world::World;

#[test]
fn presets_and_departures_are_listed_for_whoever_sets_up() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let presets = console.show("/presets");
        let words = each(&presets, "preset");
        for word in [
            "generic",
            "okta",
            "okta_wizard",
            "entra",
            "entra_optscim",
            "rfc",
        ] {
            assert!(words.contains(&word.to_owned()), "{word}");
        }
        for word in &words {
            let made = console.post(
                "/connectors",
                json!({"name": format!("for {word}"), "preset": word}),
            );
            assert_eq!(ok(&made)["preset"], word.as_str());
        }
        assert!(each(&presets, "about").iter().all(|about| about.len() > 20));
        let departures = each(&console.show("/departures"), "departure");
        for preset in presets["items"].as_array().unwrap() {
            for departure in preset["departures"].as_array().unwrap() {
                assert!(departures.iter().any(|known| departure == known));
                assert_ne!(departure, "known_external_id_is_adopted");
            }
        }
        let former = console.post("/connectors", json!({"name": "former", "preset": "ping"}));
        assert_eq!(ok(&former)["preset"], "pingone");
    });
}

#[test]
fn a_departure_is_switched_for_one_connector_and_given_back() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let group = id_of(&idp.post(
            "/Groups",
            &json!({"schemas": [CORE_GROUP], "displayName": "staff"}),
        ));
        let rename = |name: &str| {
            let operations = json!([{"op": "replace", "path": "displayName", "value": name}]);
            idp.patch(&format!("/Groups/{group}"), &operations).status
        };
        assert_eq!(rename("one"), 200);
        let switch = |choice: serde_json::Value| {
            let change = json!({"settings": {"departures": {"group_patch_has_no_body": choice}}});
            ok(&console.patch("/connectors/idp", change))["settings"]["departures"].clone()
        };
        assert_eq!(
            switch(json!(true)),
            json!({"group_patch_has_no_body": true})
        );
        assert_eq!(rename("two"), 204);
        assert_eq!(switch(json!(null)), json!({}));
        assert_eq!(rename("three"), 200);
        let unknown = json!({"settings": {"departures": {"colour": true}}});
        let (status, detail) = problem(&console.patch("/connectors/idp", unknown));
        assert_eq!(status, 422);
        assert!(
            detail.contains("colour") && detail.contains("empty_text_clears"),
            "{detail}"
        );
    });
}
