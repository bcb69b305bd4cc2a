//! What clients ask beside the user management API; the version that they are told.

use emulate::databases::{TestDatabase, on_each_database};
use serde_json::json;
use server::Settings;

use crate::http::{Answer, Ask};
use crate::world::{Product, World, ok, refusal};

#[track_caller]
fn refused(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(
        refusal(answer),
        (status, reason.to_owned()),
        "{}",
        answer.text()
    );
}

#[test]
fn information_about_the_server_is_given() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::reader(&world);
        for base in [
            "/rest/admin/1.0",
            "/crowd/rest/admin/1.0",
            "/crowd/rest/admin/latest",
        ] {
            let answer = product.below(base).get("/server-info");
            ok(&answer);
            assert_eq!(
                answer.header("content-type"),
                Some("application/json;charset=UTF-8")
            );
            let info = answer.json();
            assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
            assert_eq!(info["deploymentTitle"], "Vestibule");
            assert_eq!(info["baseUrl"], format!("http://{}/crowd", world.address));
            assert_eq!(info["versions"].as_array().unwrap().len(), 3);
            assert!(info["buildNumber"].is_u64());
            let time = info["serverTime"].as_str().unwrap();
            assert!(
                time.starts_with("2026-05-28T20:26:") && time.ends_with("+0000"),
                "{time}"
            );
        }
        let nobody = Ask::new("GET", "/rest/admin/1.0/server-info");
        assert_eq!(world.send(nobody).status, 401);
    });
}

#[test]
fn administration_is_answered_with_the_place_where_it_is() {
    on_each_database(|database| {
        let world = World::new(database);
        let product = Product::writer(&world);
        for (method, path, part) in [
            ("GET", "/rest/admin/1.0/application", "/api/v1/applications"),
            (
                "PUT",
                "/crowd/rest/admin/1.0/application/7",
                "/api/v1/applications",
            ),
            (
                "GET",
                "/rest/appmanagement/1/application",
                "/api/v1/applications",
            ),
            (
                "POST",
                "/crowd/rest/appmanagement/1/application",
                "vestibule application",
            ),
            (
                "GET",
                "/rest/admin/1.0/directory/managed?start=0",
                "/api/v1/directories",
            ),
            (
                "POST",
                "/rest/directorymanagement/1/directory/testcrowd",
                "/api/v1/directories",
            ),
            ("POST", "/rest/admin/1.0/users/search", "identity provider"),
            (
                "GET",
                "/rest/admin/1.0/groups/1-x/users",
                "identity provider",
            ),
            ("POST", "/rest/admin/1.0/auditlog/query", "journal"),
            ("GET", "/rest/admin/1.0/licensing", "licences"),
            ("DELETE", "/rest/admin/1.0/server-info", "/api/v1"),
            ("GET", "/rest/admin", "/api/v1"),
        ] {
            for product in [product.below(""), product.json().below("")] {
                let answer = product.send(method, path, "");
                refused(&answer, 403, "APPLICATION_PERMISSION_DENIED");
                assert!(answer.text().contains(part), "{path}: {}", answer.text());
            }
        }
        let nobody = Ask::new("GET", "/rest/admin/1.0/application");
        assert_eq!(world.send(nobody).status, 401);
    });
}

#[test]
fn what_is_nowhere_is_said_in_the_protocols_form() {
    on_each_database(|database| {
        let world = World::new(database);
        for path in [
            "/crowd/",
            "/crowd/console",
            "/rest/api/2/user",
            "/crowd/rest/account/1/forgotten-password",
            "/rest/plugins/1.0/",
            "/rest/troubleshooting/1.0/check/",
            "/crowd/rest/supportHealthCheck/1.0/check/",
            "/rest/atlassian-cluster-monitoring/cluster/nodes",
            "/rest/usermanagementx/1",
        ] {
            for accept in ["application/xml", "application/json"] {
                let answer = world.send(Ask::new("GET", path).header("Accept", accept));
                refused(&answer, 404, "UNSUPPORTED_OPERATION");
                assert!(answer.header("content-type").unwrap().starts_with(accept));
            }
        }
    });
}

#[test]
fn the_version_is_the_one_that_is_set() {
    let database = TestDatabase::sqlite().unwrap();
    let settings = Settings {
        crowd_version: Some("JIRA/9.12.2".into()),
        ..Settings::default()
    };
    let world = World::with_settings(&database, settings);
    let product = Product::reader(&world);
    for base in [
        "/rest/usermanagement/1",
        "/crowd/rest/usermanagement/latest",
    ] {
        for path in ["/config/cookie", "/user?username=nobody", "/nonsense"] {
            let answer = product.below(base).get(path);
            assert_eq!(
                answer.header("x-embedded-crowd-version"),
                Some("JIRA/9.12.2")
            );
        }
    }
    let refused = world.send(Ask::new("GET", "/rest/usermanagement/1/user"));
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.header("x-embedded-crowd-version"),
        Some("JIRA/9.12.2")
    );
    let info = product.below("/rest/admin/1.0").get("/server-info").json();
    assert_eq!(
        (&info["version"], &info["versions"]),
        (&json!("9.12.2"), &json!(["9", "12", "2"]))
    );
}
