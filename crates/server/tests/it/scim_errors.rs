//! Every error has a code of the catalogue: the record of requests and the figures name it, the body doesn't.

use std::collections::BTreeSet;

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, each, problem};
use crate::http::Ask;
use crate::scim_idp::Idp;
use crate::world::World;

#[test]
fn errors_are_found_by_their_code_and_explained() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, mut idp) = (Console::new(&world), Idp::new(&world));
        idp.post("/Users", &json!({ "userName": "joy" }));
        let answers = [
            (
                idp.post("/Users", &json!({ "userName": "JOY" })),
                "user-name-taken",
            ),
            (idp.post("/Users", &json!({})), "attribute-missing"),
            (idp.get("/Users/nobody"), "user-not-found"),
            (idp.get("/Groups/nobody"), "group-not-found"),
            (idp.get("/Persons"), "endpoint-unknown"),
            (idp.get("/Me"), "me-not-offered"),
            (
                idp.post("/ServiceProviderConfig", &json!({})),
                "method-not-offered",
            ),
            (
                idp.get("/Users?filter=userName%20is%201"),
                "filter-unreadable",
            ),
            (
                idp.get("/Users?filter=shoe%20eq%201"),
                "filter-attribute-unknown",
            ),
            (idp.get("/Users?cursor=x"), "cursor-wrong"),
        ];
        idp.token = "vst_scim_wrong".to_owned();
        let refused = (idp.get("/Users"), "token-malformed");
        for (answer, code) in answers.into_iter().chain([refused]) {
            let body = answer.json();
            let names: BTreeSet<&str> = body
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let known = BTreeSet::from(["schemas", "scimType", "status", "detail"]);
            assert!(names.is_subset(&known), "{code}: {body}");
            let entry = scim::catalogue::find(code).unwrap();
            assert_eq!(answer.status, entry.status, "{code}: {body}");
            let keyword = entry.scim_type.map(scim::ScimType::as_str);
            assert_eq!(body["scimType"].as_str(), keyword, "{code}");

            let page = console.show(&format!("/requests?code={code}"));
            assert_eq!(each(&page, "code"), [code]);
            let one = &page["items"][0];
            assert_eq!(
                (&one["scim_type"], &one["detail"]),
                (&json!(keyword), &body["detail"])
            );
            let shown = console.show(&format!("/requests/{}", one["id"]));
            assert_eq!(shown["error"]["remedy"], entry.remedy);
        }
        let fine = console.show("/requests?operation=create_user&status=2xx");
        assert_eq!(fine["items"][0]["code"], Value::Null);
        assert_eq!(problem(&console.get("/requests?code=nonsense")).0, 422);
        let scraped = world.send(Ask::new("GET", "/metrics"));
        let figures = scraped.text();
        let counted = "vestibule_scim_errors_total{code=\"user-name-taken\"} 1";
        assert!(figures.contains(counted), "{figures}");
    });
}
