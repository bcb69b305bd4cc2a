//! What clients ask beside the user management API: information about the server, which they get, and Crowd's own
//! administration, which is answered with the place where Vestibule has it.

use ::crowd::Format;
use ::crowd::transport::CONTEXT;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{any, get};
use serde::Serialize;

use super::reply::{Reply, document};
use super::{Face, Refusal};
use crate::authority::CrowdApplication;

/// The other REST interfaces of a Crowd, below the root and below the context path.
const INTERFACES: [&str; 3] = [
    "/rest/admin",
    "/rest/appmanagement",
    "/rest/directorymanagement",
];
const VERSIONS: [&str; 3] = ["1", "1.0", "latest"];

/// Routes of these interfaces.
pub(super) fn routes() -> Router<Face> {
    let mut router = Router::new();
    for context in ["", CONTEXT] {
        for version in VERSIONS {
            let path = format!("{context}/rest/admin/{version}/server-info");
            router = router.route(&path, get(server_info).fallback(elsewhere));
        }
        for interface in INTERFACES {
            router = router
                .route(&format!("{context}{interface}"), any(elsewhere))
                .route(&format!("{context}{interface}/{{*path}}"), any(elsewhere));
        }
    }
    router
}

/// What Crowd tells about itself; in JSON only, as there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServerInfo<'a> {
    version: &'a str,
    deployment_title: &'static str,
    build_number: u32,
    base_url: String,
    versions: Vec<&'a str>,
    deployment_type: &'static str,
    server_time: String,
}

/// `GET /rest/admin/1.0/server-info`
async fn server_info(State(face): State<Face>, application: CrowdApplication) -> Reply {
    let now = face
        .app
        .provision()
        .store()
        .look_up(|tx| Ok::<_, Refusal>(tx.now()))
        .await?;
    let named = face.app.crowd_version();
    let version = named.rsplit('/').next().unwrap_or_default();
    let info = ServerInfo {
        version,
        deployment_title: "Vestibule",
        build_number: build_number(env!("CARGO_PKG_VERSION")),
        base_url: format!("{}{CONTEXT}", application.base_url),
        versions: version.split('.').collect(),
        deployment_type: "Server",
        server_time: now.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
    };
    let body = serde_json::to_vec(&info).map_err(std::io::Error::from)?;
    Ok(document(Format::Json, body))
}

/// A number that grows with the version: 1.2.3 is 10203.
fn build_number(version: &str) -> u32 {
    let parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    parts.fold(0, |number: u32, part: u32| {
        number.saturating_mul(100).saturating_add(part.min(99))
    })
}

/// Crowd's administration is not here: where it is instead.
async fn elsewhere(_application: CrowdApplication, request: Request) -> Refusal {
    Refusal::forbidden(place_of(request.uri().path()))
}

/// Where in Vestibule to find what a path of Crowd's administration is about.
fn place_of(path: &str) -> &'static str {
    let mut segments = path.split('/').skip_while(|segment| *segment != "rest");
    let (interface, topic) = (segments.nth(1), segments.nth(1));
    match (interface, topic.unwrap_or_default()) {
        (Some("appmanagement"), _) | (Some("admin"), "application" | "applications") => {
            "Applications are administered in Vestibule: /api/v1/applications of its admin API, or vestibule application."
        }
        (Some("directorymanagement"), _) | (Some("admin"), "directory" | "directories") => {
            "Directories are fed by connectors of Vestibule: /api/v1/directories and /api/v1/connectors of its admin API. \
             Nothing needs to be synchronised from here."
        }
        (_, "user" | "users" | "group" | "groups") => {
            "People and groups come from the identity provider: change them there. /api/v1/directories of Vestibule's \
             admin API shows them."
        }
        (_, "auditlog") => {
            "Every change is in the journal: /api/v1/directories/{directory}/journal of Vestibule's admin API."
        }
        (_, "sessions") => {
            "Sessions are looked at and ended in Vestibule: /api/v1/directories/{directory}/users/{user}/sessions of its admin API."
        }
        (_, "backup") => {
            "Backups are made of Vestibule's database; the page Operations of its documentation tells how."
        }
        (_, "mail") => "No mail is sent from here, so there is no mail server to set.",
        (_, "licensing") => {
            "Vestibule counts no licences; the products count their users themselves."
        }
        (_, "samlconfig" | "remember-me") => {
            "Single sign-on with SAML is between the product and the identity provider; set it there."
        }
        _ => {
            "Vestibule is administered by its own admin API below /api/v1, or by the command vestibule."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_has_its_place() {
        for (path, word) in [
            ("/rest/admin/1.0/application/7", "/api/v1/applications"),
            (
                "/crowd/rest/appmanagement/1/application",
                "/api/v1/applications",
            ),
            ("/rest/admin/1.0/directory/managed", "/api/v1/directories"),
            (
                "/rest/directorymanagement/1/directory/testldap",
                "connectors",
            ),
            ("/crowd/rest/admin/1.0/users/search", "identity provider"),
            ("/rest/admin/1.0/groups/1-x/users", "identity provider"),
            ("/rest/admin/latest/auditlog/query", "journal"),
            ("/rest/admin/1.0/sessions/application", "sessions"),
            ("/rest/admin/1.0/backup", "Operations"),
            ("/rest/admin", "/api/v1"),
        ] {
            assert!(place_of(path).contains(word), "{path}: {}", place_of(path));
        }
    }

    #[test]
    fn build_numbers_grow() {
        assert_eq!(build_number("1.2.3"), 10_203);
        assert!(build_number("0.10.0") > build_number("0.9.9"));
    }
}
