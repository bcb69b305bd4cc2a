//! The conversations of the large clients, word by word.

use emulate::databases::on_each_database;
use serde_json::{Value, json};

use crate::scim_idp::*;
use crate::world::World;

#[test]
fn okta_assigns_changes_and_unassigns_a_user() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let test = shown(&idp.get("/Users?startIndex=1&count=2"));
        assert_eq!(
            test,
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [],
            })
        );
        shown(&idp.get("/Groups?startIndex=1&count=100"));
        let by_name =
            "/Users?filter=userName%20eq%20%22test.user%40example.org%22&startIndex=1&count=100";
        assert_eq!(shown(&idp.get(by_name))["totalResults"], 0);

        let sent = json!({
            "schemas": [CORE_USER], "userName": "test.user@example.org",
            "name": { "givenName": "Test", "familyName": "User" },
            "emails": [{ "primary": true, "value": "test.user@example.org", "type": "work" }],
            "displayName": "Test User", "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7",
            "groups": [], "password": "1mz050nq", "active": true,
        });
        let answer = idp.post("/Users", &sent);
        let user = created(&answer);
        assert!(!answer.text().contains("1mz050nq"));
        for name in [
            "schemas",
            "userName",
            "name",
            "emails",
            "displayName",
            "locale",
            "externalId",
            "active",
        ] {
            assert_eq!(user[name], sent[name], "{name}");
        }
        let id = user["id"].as_str().unwrap();
        assert_eq!(
            user["meta"]["location"],
            format!("{}/Users/{id}", idp.url())
        );
        assert_eq!(user["meta"]["resourceType"], "User");
        for filter in [
            "userName+eq+%22TEST.user%40example.org%22",
            "userName%20eq%20%22test.user%40example.org%22",
        ] {
            let found = shown(&idp.get(&format!("/Users?filter={filter}&startIndex=1&count=100")));
            assert_eq!(
                (&found["totalResults"], &found["itemsPerPage"]),
                (&json!(1), &json!(1))
            );
            assert_eq!(found["Resources"][0], user);
        }

        let path = format!("/Users/{id}");
        let mut change = shown(&idp.get(&path));
        assert_eq!(change, user);
        change["name"] =
            json!({ "givenName": "Another", "middleName": "Excited", "familyName": "User" });
        let changed = shown(&idp.put(&path, &change));
        assert_eq!(changed["name"], change["name"]);
        assert_eq!(changed["meta"]["version"], "W/\"2\"");
        assert_eq!(
            shown(&idp.put(&path, &change)),
            changed,
            "the same again changes nothing"
        );

        let off = shown(&idp.patch(
            &path,
            &json!([{ "op": "replace", "value": { "active": false } }]),
        ));
        assert_eq!(off["active"], false);
        assert_eq!(
            shown(&idp.get(by_name))["Resources"][0]["active"],
            false,
            "the disabled are found"
        );
        let on = shown(&idp.patch(
            &path,
            &json!([{ "op": "replace", "value": { "active": true } }]),
        ));
        assert_eq!((&on["active"], &on["id"]), (&json!(true), &json!(id)));
        assert_eq!(
            shown(&idp.patch(
                &path,
                &json!([{ "op": "replace", "value": { "password": "x1" } }])
            )),
            on
        );

        let again = idp.post("/Users", &json!({ "userName": "TEST.USER@example.org" }));
        assert_eq!(refused(&again), (409, "uniqueness".to_owned()));
    });
}

#[test]
fn okta_pushes_a_group() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let (ann, bob) = (idp.user("ann@example.org"), idp.user("bob@example.org"));
        let body = json!({ "schemas": [CORE_GROUP], "displayName": "Test SCIMv2", "members": [] });
        let group = id_of(&idp.post("/Groups", &body));
        let path = format!("/Groups/{group}");
        let rename =
            json!([{ "op": "replace", "value": { "id": group, "displayName": "Test SCIMv2" } }]);
        assert_eq!(
            shown(&idp.patch(&path, &rename))["meta"]["version"],
            "W/\"1\""
        );

        let add = json!([
            { "op": "remove", "path": "members[value eq \"89bb1940-0000\"]" },
            { "op": "add", "path": "members", "value": [{ "value": ann, "display": "whoever" }] },
        ]);
        let after = shown(&idp.patch(&path, &add));
        assert_eq!(
            after["members"],
            json!([{
                "value": ann, "$ref": format!("{}/Users/{ann}", idp.url()), "type": "User", "display": "ann@example.org",
            }])
        );
        assert_eq!(after["meta"]["version"], "W/\"2\"");
        assert_eq!(
            shown(&idp.patch(&path, &add)),
            after,
            "the same again changes nothing"
        );
        assert_eq!(
            shown(&idp.get(&format!("/Users/{ann}")))["groups"],
            json!([{
                "value": group, "$ref": format!("{}/Groups/{group}", idp.url()), "type": "direct", "display": "Test SCIMv2",
            }])
        );

        idp.patch(&path, &json!([{ "op": "replace", "path": "members", "value": [{ "value": ann }, { "value": bob }] }]));
        assert_eq!(idp.members(&group), [ann.clone(), bob.clone()]);
        idp.patch(
            &path,
            &json!([{ "op": "replace", "path": "members", "value": [] }]),
        );
        assert!(idp.members(&group).is_empty());

        let put = json!({
            "schemas": [CORE_GROUP], "id": group, "displayName": "Renamed",
            "members": [{ "value": bob, "display": "bob@example.org" }],
        });
        let replaced = shown(&idp.put(&path, &put));
        assert_eq!(
            (&replaced["displayName"], member_ids(&replaced)),
            (&json!("Renamed"), vec![bob])
        );
        let found = idp.find("Groups", "displayName eq \"RENAMED\"");
        assert_eq!(found["Resources"][0]["id"], json!(group));
        let without = shown(&idp.put(&path, &json!({ "displayName": "Renamed" })));
        assert_eq!(without["members"], json!([]));
        assert_eq!(idp.delete(&path).status, 204);
        assert_eq!(refused(&idp.delete(&path)).0, 404);
    });
}

#[test]
fn entra_tests_creates_and_patches_users_in_its_old_dialect() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        assert_eq!(
            idp.find("Users", "userName eq \"6f1c3f3e-9c3a-4d55\"")["Resources"],
            json!([])
        );
        let user = created(&idp.post("/Users", &json!({
            "schemas": [CORE_USER, ENT], "externalId": "0a21f0f2", "userName": "ab6490ee@example.org", "active": true,
            "displayName": "Joy Y", "title": null, "preferredLanguage": null, "addresses": null,
            "emails": [{ "primary": true, "type": "work", "value": "joy@example.org" }],
            "meta": { "resourceType": "User" }, "roles": [],
            "name": { "formatted": "Joy Y", "familyName": "Y", "givenName": "Joy" },
            ENT: { "department": "D", "employeeNumber": "701984" },
        })));
        let path = format!("/Users/{}", user["id"].as_str().unwrap());
        let changed = shown(&idp.patch(&path, &json!([
            { "op": "Replace", "path": "displayName", "value": "Pvlo" },
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@example.org" },
            { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+49 170" },
            { "op": "Add", "path": "addresses[type eq \"work\"].streetAddress", "value": "1 Main St" },
            { "op": "Add", "path": format!("{ENT}:manager"), "value": "271" },
            { "op": "Replace", "path": "active", "value": "False" },
        ])));
        assert_eq!(
            changed["emails"],
            json!([{ "primary": true, "type": "work", "value": "new@example.org" }])
        );
        assert_eq!(
            changed["addresses"],
            json!([{ "type": "work", "streetAddress": "1 Main St" }])
        );
        assert_eq!(
            changed[ENT],
            json!({ "employeeNumber": "701984", "department": "D", "manager": { "value": "271" } })
        );
        assert_eq!(changed["active"], false);
        for filter in [
            "externalId eq \"0a21f0f2\"",
            "emails[type eq \"work\"].value eq \"NEW@example.org\"",
            "userName eq ab6490ee@example.org",
            "username Eq \"AB6490EE@example.org\"",
            "manager eq \"271\" and active eq false",
            "meta.lastModified gt \"2024-01-01T00:00:00Z\" and title pr or department eq \"d\"",
        ] {
            assert_eq!(idp.find("Users", filter)["totalResults"], 1, "{filter}");
        }
        let reference = format!("id eq {} and manager eq \"271\"", user["id"]);
        let found = shown(&idp.get(&format!(
            "/Users?filter={}&attributes=id",
            encoded(&reference)
        )));
        assert_eq!(
            found["Resources"],
            json!([{ "schemas": [CORE_USER, ENT], "id": user["id"] }])
        );

        let grouped = shown(&idp.patch(&format!("{path}?aadOptscim062020"), &json!([
            { "op": "replace", "value": { "name.givenName": "K", format!("{ENT}:department"): "E", "active": true } },
        ])));
        assert_eq!(
            (&grouped["name"]["givenName"], &grouped["active"]),
            (&json!("K"), &json!(true))
        );
        assert_eq!(idp.delete(&path).status, 204);
        assert_eq!(refused(&idp.get(&path)).0, 404);
        assert_eq!(refused(&idp.delete(&path)).0, 404);
        idp.user("ab6490ee@example.org");
    });
}

#[test]
fn entra_fills_a_group_without_ever_reading_its_members() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let (ann, bob) = (idp.user("ann"), idp.user("bob"));
        let group = id_of(&idp.post("/Groups", &json!({
            "schemas": [CORE_GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0", "displayName": "Sales", "meta": { "resourceType": "Group" },
        })));
        let path = format!("/Groups/{group}");
        let op = |op: &str, id: &str| json!([{ "op": op, "path": "members", "value": [{ "$ref": null, "value": id }] }]);
        for user in [&ann, &bob, &ann] {
            assert!([200, 204].contains(&idp.patch(&path, &op("Add", user)).status));
        }
        assert_eq!(idp.members(&group), [ann.clone(), bob.clone()]);
        idp.patch(&path, &op("Remove", &ann));
        assert_eq!(idp.members(&group), vec![bob.clone()], "nobody else went");
        idp.patch(&path, &op("Remove", &ann));
        idp.patch(
            &path,
            &json!([{ "op": "remove", "path": format!("members[value eq \"{bob}\"]") }]),
        );
        assert!(idp.members(&group).is_empty());

        for path in [
            "/Groups?excludedAttributes=members&filter=displayName+eq+%22sales%22",
            "/Groups?excludedAttributes=members",
        ] {
            let found = shown(&idp.get(path));
            assert_eq!(found["Resources"][0]["id"], json!(group));
            assert_eq!(found["Resources"][0].get("members"), None);
        }
        assert_eq!(
            shown(&idp.get(&format!("{path}?excludedAttributes=members"))).get("members"),
            None
        );
        let without: Value = shown(&idp.patch(
            &format!("{path}?excludedAttributes=members"),
            &op("Add", &ann),
        ));
        assert_eq!(without.get("members"), None);
        let check = format!("id eq \"{group}\" and members eq \"{ann}\"");
        assert_eq!(idp.find("Groups", &check)["totalResults"], 1);
        assert_eq!(
            refused(&idp.post("/Groups", &json!({ "displayName": "SALES" }))),
            (409, "uniqueness".to_owned())
        );
        let renamed = json!([{ "op": "Replace", "path": "displayName", "value": "Sales EU" }]);
        assert_eq!(shown(&idp.patch(&path, &renamed))["externalId"], "8aa1a0c0");
    });
}

#[test]
fn members_may_come_before_they_exist() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let ann = idp.user("ann");
        let answer = idp.post("/Groups", &json!({
            "displayName": "G", "members": [{ "value": "later" }, { "value": ann }, { "value": "never" }],
        }));
        let group = id_of(&answer);
        assert_eq!(
            idp.members(&group),
            [ann.clone(), "later".into(), "never".into()]
        );
        let late = created(&idp.post(
            "/Users",
            &json!({ "userName": "late", "externalId": "later" }),
        ));
        let mut expected = vec![ann, late["id"].as_str().unwrap().to_owned(), "never".into()];
        expected.sort();
        assert_eq!(idp.members(&group), expected);
    });
}
