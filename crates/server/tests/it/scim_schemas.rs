//! Schemas that an administrator registers, from registration to the answers of the SCIM face.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::api_console::{Console, each, ok, problem};
use crate::http::Answer;
use crate::scim_idp::{CORE_USER, Idp};
use crate::world::World;

const STAFF: &str = "urn:example:params:scim:staff:1.0:User";
const TEAM: &str = "urn:example:params:scim:team:1.0:Group";
const OTHER: &str = "urn:ietf:params:scim:schemas:extension:Other:2.0:User";

fn staff() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": STAFF, "name": "Staff", "description": "What the staff office knows",
        "attributes": [
            { "name": "badge", "type": "string", "uniqueness": "server" },
            { "name": "floor", "type": "integer" },
            { "name": "hired", "type": "dateTime", "mutability": "immutable" },
            { "name": "pin", "type": "string", "mutability": "writeOnly" },
            { "name": "notes", "type": "string", "returned": "request" },
            { "name": "cars", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "plate", "type": "string" }, { "name": "type", "type": "string" } ] },
            { "name": "tags", "type": "string", "multiValued": true },
        ],
    })
}

fn put(console: &Console<'_>, document: &Value, kinds: &[&str], query: &str) -> Answer {
    let urn = document["id"].as_str().unwrap();
    let body = json!({ "resource_types": kinds, "document": document });
    let path = format!("/connectors/idp/schemas/{urn}{query}");
    console.send("PUT", &path, &body.to_string())
}

#[track_caller]
fn refused(answer: &Answer, status: u16, keyword: Option<&str>) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    let error = answer.json();
    assert_eq!(error["scimType"].as_str(), keyword);
    error["detail"].as_str().unwrap().to_owned()
}

#[track_caller]
fn done(answer: &Answer) -> Value {
    assert!((200..300).contains(&answer.status), "{}", answer.text());
    answer.json()
}

fn user(name: &str, staff: Value) -> Value {
    json!({ "schemas": [CORE_USER], "userName": name, STAFF: staff })
}

fn found(idp: &Idp<'_>, filter: &str) -> Vec<String> {
    let filter = percent_encoding(filter);
    let list = done(&idp.get(&format!("/Users?filter={filter}")));
    let items = list["Resources"].as_array().unwrap().iter();
    items
        .map(|item| item["userName"].as_str().unwrap().to_owned())
        .collect()
}

fn percent_encoding(text: &str) -> String {
    text.replace('%', "%25")
        .replace(' ', "%20")
        .replace('"', "%22")
}

#[test]
fn a_schema_is_registered_discovered_changed_and_forgotten() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        assert_eq!(idp.get(&format!("/Schemas/{STAFF}")).status, 404);
        let made = put(&console, &staff(), &["User"], "");
        let made = ok(&made);
        assert_eq!(made["is_new"], true);
        assert_eq!(
            (
                &made["urn"],
                &made["resource_types"],
                &made["stored"]["users"]
            ),
            (&json!(STAFF), &json!(["User"]), &json!(0))
        );
        let listed = console.show("/connectors/idp/schemas");
        assert_eq!(each(&listed, "urn"), [STAFF]);
        let one = console.show(&format!("/connectors/idp/schemas/{}", STAFF.to_uppercase()));
        assert_eq!(one["document"]["attributes"][3]["returned"], "never");

        let schema = done(&idp.get(&format!("/Schemas/{STAFF}")));
        assert_eq!(schema["attributes"].as_array().unwrap().len(), 7);
        let all = done(&idp.get("/Schemas"));
        assert!(all.to_string().contains(STAFF));
        let types = done(&idp.get("/ResourceTypes/User"));
        assert_eq!(
            types["schemaExtensions"][1],
            json!({ "schema": STAFF, "required": false })
        );
        assert_eq!(
            done(&idp.get("/ResourceTypes/Group"))["schemaExtensions"],
            json!([])
        );

        let again = put(&console, &staff(), &["User", "Group"], "");
        assert_eq!(ok(&again)["is_new"], false);
        let types = done(&idp.get("/ResourceTypes/Group"));
        assert_eq!(types["schemaExtensions"][0]["schema"], STAFF);
        let path = format!("/connectors/idp/schemas/{STAFF}");
        ok(&console.delete(&path));
        assert_eq!(problem(&console.delete(&path)).0, 404);
        assert_eq!(problem(&console.get(&path)).0, 404);
        assert_eq!(idp.get(&format!("/Schemas/{STAFF}")).status, 404);
    });
}

#[test]
fn a_document_that_cannot_be_used_is_refused_with_every_place() {
    on_each_database(|database| {
        let world = World::new(database);
        let console = Console::new(&world);
        let mut wrong = staff();
        wrong["attributes"][0]["type"] = "text".into();
        wrong["attributes"][1]["name"] = "BADGE".into();
        wrong["attributes"][5]["subAttributes"][0]["type"] = "complex".into();
        let answer = put(&console, &wrong, &["User"], "");
        assert_eq!(problem(&answer).0, 422);
        let problem_document = answer.json();
        let paths: Vec<&str> = problem_document["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["path"].as_str().unwrap())
            .collect();
        assert_eq!(
            paths,
            ["attributes[0].type", "attributes[5].subAttributes[0].type"]
        );
        let other = json!({ "document": staff() });
        let answer = console.send("PUT", "/connectors/idp/schemas/urn:x:y", &other.to_string());
        assert_eq!(problem(&answer).0, 422);
        let nothing = put(&console, &staff(), &[], "");
        assert_eq!(problem(&nothing).0, 422);
        let nowhere = console.send(
            "PUT",
            &format!("/connectors/nowhere/schemas/{STAFF}"),
            &other.to_string(),
        );
        assert_eq!(problem(&nowhere).0, 404);
        assert_eq!(console.show("/connectors/idp/schemas")["items"], json!([]));
    });
}

#[test]
fn users_are_written_read_and_found_by_the_schema() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        put(&console, &staff(), &["User"], "");
        let joy = json!({ "badge": "B-1", "floor": 12, "hired": "2026-01-02T00:00:00Z", "pin": "S3CRET",
            "notes": "quiet", "cars": [{ "plate": "AB 1", "type": "van" }] });
        let made = idp.post("/Users", &user("joy", joy));
        assert!(!made.text().contains("S3CRET") && !made.text().contains("quiet"));
        let made = done(&made);
        assert_eq!(made["schemas"], json!([CORE_USER, STAFF]));
        let shown = json!({ "badge": "B-1", "floor": 12, "hired": "2026-01-02T00:00:00Z",
            "cars": [{ "plate": "AB 1", "type": "van" }] });
        assert_eq!(made[STAFF], shown);
        let path = format!("/Users/{}", made["id"].as_str().unwrap());
        assert_eq!(done(&idp.get(&path))[STAFF], shown);
        let asked = done(&idp.get(&format!("{path}?attributes={STAFF}:notes,{STAFF}:pin")));
        assert_eq!(asked[STAFF], json!({ "notes": "quiet" }));
        let listed = done(&idp.get(&format!("/Users?attributes={STAFF}:floor")));
        assert_eq!(listed["Resources"][0][STAFF], json!({ "floor": 12 }));

        done(&idp.post(
            "/Users",
            &user("kim", json!({ "badge": "B-2", "floor": 3 })),
        ));
        for (filter, names) in [
            (format!("{STAFF}:badge eq \"b-1\""), vec!["joy"]),
            (format!("{STAFF}:floor gt 5"), vec!["joy"]),
            ("floor lt 5".to_owned(), vec!["kim"]),
            (format!("{STAFF}:cars[plate sw \"ab\"]"), vec!["joy"]),
            (
                format!("{STAFF}:badge pr and userName eq \"kim\""),
                vec!["kim"],
            ),
        ] {
            assert_eq!(found(&idp, &filter), names, "{filter}");
        }
        let filter = percent_encoding(&format!("{STAFF}:pin eq \"S3CRET\""));
        refused(
            &idp.get(&format!("/Users?filter={filter}")),
            403,
            Some("sensitive"),
        );

        let wrong = user("lea", json!({ "floor": "twelve" }));
        let told = refused(&idp.post("/Users", &wrong), 400, Some("invalidValue"));
        assert!(told.contains("floor"), "{told}");
        let late = json!([{ "op": "replace", "path": format!("{STAFF}:hired"), "value": "2027-01-01T00:00:00Z" }]);
        refused(&idp.patch(&path, &late), 400, Some("mutability"));
        let car = json!([{ "op": "replace", "path": format!("{STAFF}:cars[type eq \"van\"].plate"), "value": "CD 2" },
            { "op": "add", "value": { STAFF: { "floor": 13 }, format!("{STAFF}:notes"): "loud" } }]);
        let patched = done(&idp.patch(&path, &car));
        assert_eq!(patched[STAFF]["cars"][0]["plate"], "CD 2");
        assert_eq!(patched[STAFF]["floor"], 13);
        let put = done(&idp.put(&path, &user("joy", json!({ "floor": 1 }))));
        assert_eq!(
            put[STAFF],
            json!({ "hired": "2026-01-02T00:00:00Z", "floor": 1 })
        );
    });
}

#[test]
fn values_of_a_plain_list_are_found_and_removed_by_value() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        put(&console, &staff(), &["User"], "");
        let tags = json!({ "tags": ["a", { "value": "b" }] });
        let ann = done(&idp.post("/Users", &user("ann", tags)));
        done(&idp.post("/Users", &user("bob", json!({ "tags": ["c"] }))));
        let path = format!("/Users/{}", ann["id"].as_str().unwrap());
        for filter in [
            "tags[value eq \"B\"]",
            "tags.value eq \"b\"",
            "tags sw \"b\"",
        ] {
            assert_eq!(
                found(&idp, &format!("{STAFF}:{filter}")),
                ["ann"],
                "{filter}"
            );
        }
        let remove = json!([{ "op": "remove", "path": format!("{STAFF}:tags"), "value": [{ "value": "b" }] }]);
        assert!(idp.patch(&path, &remove).status < 300);
        assert_eq!(done(&idp.get(&path))[STAFF]["tags"], json!(["a"]));
        assert!(found(&idp, "tags[value eq \"b\"]").is_empty());
    });
}

#[test]
fn a_unique_value_belongs_to_one() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        put(&console, &staff(), &["User"], "");
        let badge = |badge: &str| json!({ "badge": badge });
        let joy = done(&idp.post("/Users", &user("joy", badge("B-1"))));
        let told = refused(
            &idp.post("/Users", &user("kim", badge("b-1"))),
            409,
            Some("uniqueness"),
        );
        assert!(
            told.contains("badge") && told.contains(joy["id"].as_str().unwrap()),
            "{told}"
        );
        let kim = done(&idp.post("/Users", &user("kim", badge("B-2"))));
        let nobody: [&str; 0] = [];
        let by = |filter: &str| found(&idp, &filter.replace("badge", &format!("{STAFF}:badge")));
        assert_eq!(by("badge eq \"B-1\""), ["joy"]);
        assert_eq!(by("badge eq \"b-2\" and userName eq \"kim\""), ["kim"]);
        assert_eq!(by("badge eq \"b-2\" and userName eq \"joy\""), nobody);
        assert_eq!(by("badge eq \"B-1\" or badge eq \"B-2\""), ["joy", "kim"]);
        assert_eq!(by("badge ne \"B-1\""), ["kim"]);
        assert_eq!(by("badge eq \"B-3\""), nobody);
        let (joy, kim) = (
            format!("/Users/{}", joy["id"].as_str().unwrap()),
            format!("/Users/{}", kim["id"].as_str().unwrap()),
        );
        let set = |badge: &str| json!([{ "op": "replace", "path": format!("{STAFF}:badge"), "value": badge }]);
        refused(&idp.patch(&kim, &set("B-1")), 409, Some("uniqueness"));
        done(&idp.patch(&kim, &set("B-3")));
        done(&idp.patch(&joy, &set("B-2")));
        done(&idp.patch(&joy, &set("b-2")));
        assert_eq!(idp.delete(&joy).status, 204);
        done(&idp.patch(&kim, &set("B-2")));
        assert_eq!(by("badge eq \"B-2\""), ["kim"]);
        assert_eq!(by("badge eq \"B-1\""), nobody);

        // An attribute becomes unique when its values are.
        let mut plain = staff();
        plain["attributes"][0]["uniqueness"] = "none".into();
        put(&console, &plain, &["User"], "");
        let lea = done(&idp.post("/Users", &user("lea", badge("B-2"))));
        let (status, told) = problem(&put(&console, &staff(), &["User"], ""));
        assert_eq!(status, 409);
        assert!(told.contains("B-2"), "{told}");
        let lea = format!("/Users/{}", lea["id"].as_str().unwrap());
        done(&idp.patch(&lea, &set("B-9")));
        assert_eq!(put(&console, &staff(), &["User"], "").status, 200);
        refused(
            &idp.post("/Users", &user("max", badge("B-9"))),
            409,
            Some("uniqueness"),
        );
    });
}

#[test]
fn what_is_stored_survives_every_change_of_schemas() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        // Before anything is registered.
        let made = done(&idp.post(
            "/Users",
            &user("joy", json!({ "Badge": "B-1", "colour": "red" })),
        ));
        assert_eq!(made["schemas"], json!([CORE_USER, STAFF]));
        assert_eq!(made[STAFF], json!({ "Badge": "B-1", "colour": "red" }));
        let path = format!("/Users/{}", made["id"].as_str().unwrap());
        let answer = ok(&put(&console, &staff(), &["User"], ""));
        assert_eq!(answer["stored"]["users"], 1);
        assert!(answer["stored"]["note"].as_str().unwrap().contains("stay"));
        // With the schema: found by its attributes, kept where it does not know them.
        assert_eq!(found(&idp, &format!("{STAFF}:badge eq \"B-1\"")), ["joy"]);
        refused(
            &idp.post("/Users", &user("kim", json!({ "badge": "B-1" }))),
            409,
            Some("uniqueness"),
        );
        let floor = json!([{ "op": "add", "path": format!("{STAFF}:floor"), "value": 4 },
            { "op": "add", "path": format!("{STAFF}:pin"), "value": "S3CRET" }]);
        let patched = done(&idp.patch(&path, &floor));
        assert_eq!(
            patched[STAFF],
            json!({ "badge": "B-1", "floor": 4, "colour": "red" })
        );
        // Secrets do not become readable by accident.
        let schema = format!("/connectors/idp/schemas/{STAFF}");
        let (status, told) = problem(&console.delete(&schema));
        assert_eq!(status, 409);
        assert!(told.contains("pin"), "{told}");
        let mut open = staff();
        open["attributes"][3] = json!({ "name": "pin", "type": "string" });
        assert_eq!(problem(&put(&console, &open, &["User"], "")).0, 409);
        let (status, told) = problem(&put(&console, &staff(), &["Group"], ""));
        assert_eq!(status, 409, "users would be read without it: {told}");
        let gone = ok(&console.delete(&format!("{schema}?reveal=true")));
        assert_eq!(gone["stored"]["users"], 1);
        assert_eq!(
            done(&idp.get(&path))[STAFF],
            json!({ "badge": "B-1", "floor": 4, "colour": "red", "pin": "S3CRET" })
        );
    });
}

#[test]
fn a_required_schema_binds_new_users_and_lets_the_others_go() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let early = done(&idp.post("/Users", &json!({ "userName": "early" })));
        let body = json!({ "required": true, "document": staff() });
        let path = format!("/connectors/idp/schemas/{STAFF}");
        ok(&console.send("PUT", &path, &body.to_string()));
        let types = done(&idp.get("/ResourceTypes/User"));
        assert_eq!(types["schemaExtensions"][1]["required"], true);
        let bare = json!({ "userName": "late" });
        refused(&idp.post("/Users", &bare), 400, Some("invalidValue"));
        done(&idp.post("/Users", &user("late", json!({ "floor": 1 }))));
        let path = format!("/Users/{}", early["id"].as_str().unwrap());
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        assert_eq!(done(&idp.patch(&path, &off))["active"], false);
    });
}

#[test]
fn groups_and_other_connectors_have_their_own() {
    on_each_database(|database| {
        let world = World::new(database);
        let (console, idp) = (Console::new(&world), Idp::new(&world));
        let team = json!({ "id": TEAM, "attributes": [
            { "name": "code", "type": "string", "uniqueness": "server", "caseExact": true },
            { "name": "size", "type": "integer" } ] });
        put(&console, &team, &["Group"], "");
        let group = |name: &str, code: &str| json!({ "displayName": name, TEAM: { "code": code, "size": 3 } });
        let made = done(&idp.post("/Groups", &group("dev", "A")));
        assert_eq!(made[TEAM], json!({ "code": "A", "size": 3 }));
        refused(
            &idp.post("/Groups", &group("ops", "A")),
            409,
            Some("uniqueness"),
        );
        done(&idp.post("/Groups", &group("ops", "a")));
        let path = format!("/Groups/{}", made["id"].as_str().unwrap());
        let size = json!([{ "op": "replace", "path": format!("{TEAM}:size"), "value": "many" }]);
        refused(&idp.patch(&path, &size), 400, Some("invalidValue"));
        let filter = percent_encoding(&format!("{TEAM}:code eq \"A\""));
        let list = done(&idp.get(&format!(
            "/Groups?filter={filter}&excludedAttributes=members"
        )));
        assert_eq!(list["totalResults"], 1);

        let made = ok(&console.post("/connectors", json!({ "name": "second" })));
        assert_eq!(
            console.show("/connectors/second/schemas")["items"],
            json!([])
        );
        let other = Idp {
            world: &world,
            base: format!("/scim/v2/{}", made["id"].as_str().unwrap()),
            token: made["token"].as_str().unwrap().to_owned(),
        };
        assert_eq!(other.get(&format!("/Schemas/{TEAM}")).status, 404);
        let anything = done(&other.post(
            "/Groups",
            &json!({ "displayName": "x", TEAM: { "size": "many" } }),
        ));
        assert_eq!(anything[TEAM], json!({ "size": "many" }));
    });
}

#[test]
fn an_extension_without_a_schema_is_kept_and_changed_by_its_urn() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let body = json!({ "userName": "joy", OTHER: { "tag": "x", "deep": { "a": [1, { "b": null }] } } });
        let made = done(&idp.post("/Users", &body));
        assert_eq!(
            (&made["schemas"], &made[OTHER]),
            (&json!([CORE_USER, OTHER]), &body[OTHER])
        );
        let path = format!("/Users/{}", made["id"].as_str().unwrap());
        let tag = json!([{ "op": "Replace", "path": format!("{OTHER}:tag"), "value": "y" }]);
        assert_eq!(done(&idp.patch(&path, &tag))[OTHER]["tag"], "y");
        let list = done(&idp.get(&format!("/Users?attributes={OTHER}:tag")));
        assert_eq!(list["Resources"][0][OTHER], json!({ "tag": "y" }));
        let none = json!([{ "op": "remove", "path": OTHER }]);
        let after = done(&idp.patch(&path, &none));
        assert_eq!(
            (&after["schemas"], after.get(OTHER)),
            (&json!([CORE_USER]), None)
        );
    });
}
