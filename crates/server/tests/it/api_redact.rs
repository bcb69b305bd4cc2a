//! What rules hide is hidden in the journal, in histories, in previews of undo and in recorded requests (XF-31).

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, ok};
use crate::scim_idp::*;
use crate::world::World;

const SECRET: &str = "S3cret";

#[track_caller]
fn hides(shown: &Value) {
    assert!(!shown.to_string().contains(SECRET), "{shown}");
}

#[test]
fn a_hidden_value_is_in_no_record() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let row =
            json!({"target": "attr:pin", "source": {"attribute": "title"}, "steps": ["redact"]});
        ok(&console.put(
            "/connectors/idp/rules",
            json!({"rules": {"mapping": [row]}}),
        ));
        let ann = id_of(&idp.post("/Users", &json!({"userName": "ann", "title": SECRET})));
        let operations =
            json!([{"op": "replace", "path": "title", "value": format!("{SECRET} anew")}]);
        assert_eq!(idp.patch(&format!("/Users/{ann}"), &operations).status, 200);
        let filter = "/Users?filter=title%20eq%20%22S3cret%22%20and";
        assert_eq!(idp.get(filter).status, 400);

        let journal = console.show("/directories/default/journal?user=ann");
        hides(&journal);
        assert_eq!(
            journal["items"][1]["change"]["after"]["extra"]["pin"],
            json!(["[redacted, another value]"])
        );
        hides(&console.show("/directories/default/users/ann/history?since=2001-01-01T00:00:00Z"));
        let undo = json!({"connector": "idp"});
        hides(&ok(&console.post("/directories/default/undo/preview", undo)));
        let requests = console.show("/requests");
        hides(&requests);
        for record in requests["items"].as_array().unwrap() {
            let id = record["id"].to_string();
            let whole = console.show(&format!("/requests/{}", id.trim_matches('"')));
            hides(&whole);
            if record["method"] != "GET" {
                assert!(whole["body"].to_string().contains("***"), "{whole}");
            }
        }
        // The identity provider reads what it wrote.
        assert_eq!(
            shown(&idp.get(&format!("/Users/{ann}")))["title"],
            "S3cret anew"
        );
    });
}
