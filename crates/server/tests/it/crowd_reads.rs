//! Reading users, groups and memberships, with the names that occur in life.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::http::Answer;
use crate::world::{Product, World, ok, refusal};

/// Names of a JSON list.
#[track_caller]
fn names(answer: &Answer, list: &str) -> Vec<String> {
    ok(answer);
    let document = answer.json();
    let entries = document[list].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn names_are_found_in_any_case_and_answered_as_they_are_kept() {
    on_each_database(|database| {
        let world = World::new(database);
        let id = world.user(json!({"userName": "Øyvind.Å"}));
        world.group("Ärzte & Co", &[&id]);
        let product = Product::reader(&world).json();
        let user = product.get(&format!("/user?username={}", encoded("øYVIND.å")));
        ok(&user);
        assert_eq!(user.json()["name"], "Øyvind.Å");
        let group = product.get(&format!("/group?groupname={}", encoded("äRZTE & cO")));
        ok(&group);
        assert_eq!(group.json()["name"], "Ärzte & Co");
        assert_eq!(group.json()["type"], "GROUP");
        let both = format!(
            "username={}&groupname={}",
            encoded("ØYVIND.Å"),
            encoded("ärzte & co")
        );
        let group = product.get(&format!("/user/group/direct?{both}"));
        ok(&group);
        assert_eq!(group.json()["name"], "Ärzte & Co");
        let user = product.get(&format!("/group/user/nested?{both}"));
        ok(&user);
        assert_eq!(user.json()["name"], "Øyvind.Å");
    });
}

#[test]
fn odd_names_travel_in_query_xml_and_json() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        for name in [
            "a+b",
            "a&b",
            "o'neil",
            "<i>",
            "50%",
            "a;b=c",
            "a/b\\c",
            "say \"x\"",
            "müller@example.test",
            "李雷",
        ] {
            let id = world.user(json!({"userName": name, "displayName": format!("{name} é")}));
            world.group(&format!("g {name}"), &[&id]);
            let path = format!("/user?username={}", encoded(name));
            let xml = crowd::answer::user(ok(&product.get(&path)).as_bytes()).unwrap();
            assert_eq!(
                (xml.name.as_str(), xml.display_name.as_str()),
                (name, format!("{name} é").as_str())
            );
            let json = product.json().get(&path);
            assert_eq!(json.json()["name"], name);
            // The link of an answer leads back to it.
            let href = json.json()["link"]["href"].as_str().unwrap().to_owned();
            let again = product
                .json()
                .get(href.strip_prefix(&product.url()).unwrap());
            assert_eq!(again.json()["key"], json.json()["key"]);
            let groups = product
                .json()
                .get(&format!("/user/group/direct?username={}", encoded(name)));
            assert_eq!(names(&groups, "groups"), [format!("g {name}")]);
            let found = product.json().get(&format!(
                "/search?entity-type=user&restriction={}",
                encoded(
                    &crowd::cql::print(&crowd::Restriction::test(
                        "name",
                        crowd::MatchMode::ExactlyMatches,
                        name
                    ))
                    .unwrap()
                )
            ));
            assert_eq!(names(&found, "users"), [name]);
        }
        let mut read = 0;
        let everybody = product.get("/search?entity-type=user&max-results=-1&expand=user");
        crowd::answer::users(ok(&everybody).as_bytes(), |_| read += 1).unwrap();
        assert_eq!(read, 10);
    });
}

#[test]
fn a_user_is_found_by_key_exactly_also_under_a_new_name() {
    on_each_database(|database| {
        let world = World::new(database);
        let id = world.mira();
        let product = Product::reader(&world).json();
        let key = product.get("/user?username=mira").json()["key"]
            .as_str()
            .unwrap()
            .to_owned();
        world.patch_user(&id, "userName", "mira.solberg");
        assert_eq!(
            product.get(&format!("/user?key={}", encoded(&key))).json()["name"],
            "mira.solberg"
        );
        assert_eq!(refusal(&product.get("/user?username=mira")).0, 404);
        assert_eq!(
            product.get("/user?username=mira.solberg").json()["key"],
            *key
        );
        let (_, reason) = refusal(&product.get(&format!(
            "/user?key={}",
            encoded(&key.to_uppercase()).replace("%31", "%32")
        )));
        assert_eq!(reason, "USER_NOT_FOUND");
    });
}

#[test]
fn inactive_users_are_shown_and_stay_in_their_groups() {
    on_each_database(|database| {
        let world = World::new(database);
        let id = world.mira();
        world.group("eng", &[&id]);
        world.patch_user(&id, "active", false);
        let product = Product::reader(&world);
        assert!(ok(&product.get("/user?username=mira")).contains("<active>false</active>"));
        let users = product.get("/search?entity-type=user&expand=user");
        assert!(ok(&users).contains("<active>false</active>"));
        let groups = names(
            &product.json().get("/user/group/direct?username=mira"),
            "groups",
        );
        let mut listed = Vec::new();
        crowd::answer::memberships(ok(&product.get("/group/membership")).as_bytes(), |group| {
            listed.push(group)
        })
        .unwrap();
        let in_listing = listed
            .iter()
            .filter(|group| group.users == ["mira"])
            .count();
        assert_eq!(in_listing, groups.len(), "single and bulk reading agree");
    });
}

#[test]
fn attributes_are_shown_where_they_are_asked_for() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        world.group("eng", &[]);
        let writer = Product::writer(&world).json();
        let body = json!({"attributes": [{"name": "department", "values": ["Platform"]}, {"name": "office", "values": ["Oslo", "Bergen"]}]});
        assert_eq!(
            writer
                .post("/user/attribute?username=mira", &body.to_string())
                .status,
            204
        );
        assert_eq!(
            writer
                .post("/group/attribute?groupname=eng", &body.to_string())
                .status,
            204
        );
        let in_user = |path: &str| {
            let answer = writer.get(path);
            ok(&answer);
            answer.json()
        };
        for (entity, parameter) in [("user", "username=mira"), ("group", "groupname=eng")] {
            let alone = in_user(&format!("/{entity}/attribute?{parameter}"));
            assert_eq!(alone["attributes"][0]["name"], "department");
            assert_eq!(alone["attributes"][1]["values"], json!(["Oslo", "Bergen"]));
            let with = in_user(&format!("/{entity}?{parameter}&expand=attributes"));
            assert_eq!(with["attributes"], alone);
            let without = in_user(&format!("/{entity}?{parameter}"));
            assert_eq!(without["attributes"]["attributes"], json!([]));
            let listed = in_user(&format!(
                "/search?entity-type={entity}&expand={entity},attributes"
            ));
            assert_eq!(listed[format!("{entity}s")][0]["attributes"], alone);
            let found = in_user(&format!(
                "/search?entity-type={entity}&restriction=office%3Dbergen"
            ));
            assert_eq!(found[format!("{entity}s")].as_array().unwrap().len(), 1);
            let found = in_user(&format!(
                "/search?entity-type={entity}&restriction=office%3Dparis"
            ));
            assert_eq!(found[format!("{entity}s")], json!([]));
        }
    });
}

#[test]
fn lists_are_ordered_paged_and_expanded_as_asked() {
    on_each_database(|database| {
        let world = World::new(database);
        let ids: Vec<String> = ["delta", "Alpha", "charlie", "Bravo", "echo"]
            .iter()
            .map(|name| world.user(json!({"userName": name})))
            .collect();
        world.group("all", &ids.iter().map(String::as_str).collect::<Vec<_>>());
        world.group("some", &[&ids[0], &ids[1]]);
        let product = Product::reader(&world).json();
        let all = ["Alpha", "Bravo", "charlie", "delta", "echo"];
        for list in [
            "/search?entity-type=user",
            "/group/user/direct?groupname=all",
            "/group/user/nested?groupname=all",
        ] {
            let page =
                |parameters: &str| names(&product.get(&format!("{list}&{parameters}")), "users");
            assert_eq!(page(""), all);
            assert_eq!(page("max-results=-1"), all);
            assert_eq!(page("max-results=2"), all[..2]);
            assert_eq!(page("start-index=2&max-results=2"), all[2..4]);
            assert_eq!(page("start-index=4&max-results=99999"), all[4..]);
            assert_eq!(page("start-index=3&max-results=-1"), all[3..]);
            assert!(page("start-index=5").is_empty());
            assert!(page("max-results=0").is_empty());
            let short = product.get(&format!("{list}&max-results=1")).json();
            assert_eq!(
                short["users"][0].as_object().unwrap().len(),
                2,
                "link and name"
            );
            let full = product
                .get(&format!("{list}&max-results=1&expand=user"))
                .json();
            assert_eq!(full["users"][0]["active"], Value::Bool(true));
        }
        let groups = |path: &str| names(&product.get(path), "groups");
        assert_eq!(groups("/user/group/direct?username=delta"), ["all", "some"]);
        assert_eq!(
            groups("/user/group/nested?username=delta&start-index=1"),
            ["some"]
        );
        assert_eq!(
            groups("/user/group/direct?username=delta&max-results=1"),
            ["all"]
        );
        assert_eq!(
            groups("/search?entity-type=group&start-index=1&max-results=1"),
            ["some"]
        );
        let full = product
            .get("/user/group/direct?username=delta&expand=group")
            .json();
        assert_eq!(full["groups"][0]["type"], "GROUP");
        assert!(groups("/group/child-group/direct?groupname=all").is_empty());
        assert!(groups("/group/parent-group/nested?groupname=all&max-results=-1").is_empty());
    });
}

#[test]
fn searches_by_every_way_of_asking() {
    on_each_database(|database| {
        let world = World::new(database);
        world.mira();
        let jon = world.user(json!({"userName": "jon", "displayName": "Jon Berg", "name": {"givenName": "Jon", "familyName": "Berg"},
            "emails": [{"value": "Jon@Example.test", "primary": true}]}));
        world.user(json!({"userName": "mike", "displayName": "Mike"}));
        world.patch_user(&jon, "active", false);
        let product = Product::reader(&world).json();
        let cql = |text: &str| {
            names(
                &product.get(&format!(
                    "/search?entity-type=user&restriction={}",
                    encoded(text)
                )),
                "users",
            )
        };
        assert_eq!(cql("name = mi*"), ["mike", "mira"]);
        assert_eq!(cql("name = MIRA"), ["mira"]);
        assert_eq!(cql("email = jon@example.test"), ["jon"]);
        assert_eq!(cql("email = \"*@example.test\""), ["jon", "mira"]);
        assert_eq!(cql("firstName = jon and active = false"), ["jon"]);
        assert_eq!(
            cql("firstName = jon and active = true"),
            Vec::<String>::new()
        );
        assert_eq!(
            cql("(lastName = Solberg or lastName = Berg) and name > k"),
            ["mira"]
        );
        assert_eq!(
            cql("createdDate > 2026-05 and createdDate < 2030"),
            ["jon", "mike", "mira"]
        );
        assert_eq!(cql("createdDate = 2025"), Vec::<String>::new());
        assert_eq!(cql("nosuchattribute = x"), Vec::<String>::new());
        assert_eq!(cql("name = mi* and name = *ke"), ["mike"]);
        let post = |body: Value| {
            names(
                &product.post("/search?entity-type=user", &body.to_string()),
                "users",
            )
        };
        let test = |property: &str, mode: &str, value: &str| {
            json!({"restriction-type": "property-search-restriction",
            "property": {"name": property, "type": "STRING"}, "match-mode": mode, "value": value})
        };
        assert_eq!(post(json!({})), ["jon", "mike", "mira"]);
        assert_eq!(
            post(test("displayName", "CONTAINS", "ERG")),
            ["jon", "mira"]
        );
        assert_eq!(post(test("email", "NULL", "")), ["mike"]);
        assert_eq!(post(test("name", "NULL", "")), Vec::<String>::new());
        let either = json!({"restriction-type": "boolean-search-restriction", "boolean-logic": "or",
            "restrictions": [test("name", "ENDS_WITH", "on"), test("name", "STARTS_WITH", "mik")]});
        assert_eq!(post(either), ["jon", "mike"]);
        let groups = product.post("/search?entity-type=GROUP", "<null-search-restriction/>");
        assert!(names(&groups, "groups").is_empty());
    });
}

#[test]
fn a_product_sees_its_own_directory_only() {
    on_each_database(|database| {
        let world = World::new(database);
        let mira = world.mira();
        world.group("eng", &[&mira]);
        let here = Product::reader(&world);
        let key = here.json().get("/user?username=mira").json()["key"]
            .as_str()
            .unwrap()
            .to_owned();
        world
            .run(world.provision.create_connector(
                provision::ConnectorDraft {
                    name: "other".into(),
                    preset: directory::Preset::Generic,
                    directory: None,
                    rules: directory::Rules::default(),
                    settings: directory::ConnectorSettings::default(),
                },
                "admin",
            ))
            .unwrap();
        let mut elsewhere = Product::reader_of(&world, "other");
        let token = here.json().get("/event").json()["newEventToken"]
            .as_str()
            .unwrap()
            .to_owned();
        for product in [&elsewhere, &elsewhere.json()] {
            assert_eq!(refusal(&product.get("/user?username=mira")).0, 404);
            assert_eq!(refusal(&product.get(&format!("/user?key={key}"))).0, 404);
            assert_eq!(refusal(&product.get("/group?groupname=eng")).0, 404);
            assert_eq!(
                refusal(&product.get("/group/user/direct?groupname=eng&username=mira")).0,
                404
            );
            assert_eq!(refusal(&product.get(&format!("/event/{token}"))).0, 410);
        }
        elsewhere = elsewhere.json();
        assert!(
            names(
                &elsewhere.get("/search?entity-type=user&max-results=-1"),
                "users"
            )
            .is_empty()
        );
        assert!(ok(&elsewhere.get("/group/membership")).contains("<memberships>"));
        assert!(!elsewhere.get("/group/membership").text().contains("eng"));
    });
}
