//! Which room may build on which, and which libraries each may use.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Problem;
use crate::steps::{ask, cargo};

/// A dependency as a manifest declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub room: String,
    pub on: String,
    /// Whether only tests, benches and examples use it.
    pub is_dev: bool,
}

/// The complete list of arrows between rooms. Tests may use more: see `TEST_ARROWS`.
const ARROWS: &[(&str, &[&str])] = &[
    ("scim", &[]),
    ("crowd", &[]),
    ("directory", &["scim"]),
    ("store", &["directory", "scim"]),
    ("provision", &["store", "directory", "scim"]),
    ("deliver", &["provision", "store", "directory", "crowd"]),
    (
        "server",
        &["provision", "store", "directory", "scim", "crowd"],
    ),
    (
        "vestibule",
        &[
            "server",
            "deliver",
            "provision",
            "store",
            "directory",
            "scim",
            "crowd",
            "emulate",
            "check",
        ],
    ),
    ("emulate", &[]),
    ("check", &[]),
    ("fuzz", &["scim", "crowd", "directory"]),
    ("xtask", &[]),
];

/// Rooms that the tests of every room may use beside its own arrows.
const TEST_ARROWS: &[&str] = &["emulate", "check"];

/// Libraries that only some rooms may use: the beginning of their names, and the rooms.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("axum", &["server", "emulate"]),
    ("tower", &["server", "emulate"]),
    ("hyper", &["server", "emulate"]),
    ("utoipa", &["server"]),
    ("prometheus", &["server"]),
    ("rusqlite", &["store"]),
    ("postgres", &["store"]),
    ("tokio-postgres", &["store"]),
    ("reqwest", &["deliver", "emulate", "check", "vestibule"]),
    ("clap", &["vestibule"]),
    ("comfy-table", &["vestibule"]),
    ("indicatif", &["vestibule"]),
    ("mimalloc", &["vestibule"]),
    ("tracing-subscriber", &["vestibule"]),
    ("anyhow", &["vestibule", "xtask"]),
    (
        "tokio",
        &[
            "store",
            "provision",
            "deliver",
            "server",
            "vestibule",
            "emulate",
            "check",
        ],
    ),
];

/// Reads the dependencies of all rooms from their manifests.
pub fn declared() -> Result<Vec<Declared>> {
    let text = ask(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    Ok(read(&metadata))
}

fn read(metadata: &Value) -> Vec<Declared> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for package in list(&metadata["packages"]) {
        for dependency in list(&package["dependencies"]) {
            found.push(Declared {
                room: text(&package["name"]),
                on: text(&dependency["name"]),
                is_dev: dependency["kind"].as_str() == Some("dev"),
            });
        }
    }
    found
}

/// Finds the arrows that are not drawn.
pub fn check(declared: &[Declared]) -> Vec<Problem> {
    declared
        .iter()
        .filter_map(|dependency| {
            let message = refusal(dependency)?;
            let folder = match dependency.room.as_str() {
                workshop @ ("xtask" | "fuzz") => workshop.to_owned(),
                room => format!("crates/{room}"),
            };
            Some(Problem::error(&format!("{folder}/Cargo.toml"), 0, message))
        })
        .collect()
}

fn refusal(dependency: &Declared) -> Option<String> {
    let Declared { room, on, is_dev } = dependency;
    let Some((_, arrows)) = ARROWS.iter().find(|(name, _)| name == room) else {
        return Some(format!("the room `{room}` is not in the plan of the house"));
    };
    let is_ours = ARROWS.iter().any(|(name, _)| name == on);
    if is_ours {
        let is_drawn = arrows.contains(&on.as_str())
            || (*is_dev && (TEST_ARROWS.contains(&on.as_str()) || on == room));
        return (!is_drawn).then(|| format!("`{room}` may not build on `{on}`"));
    }
    if *is_dev {
        return None;
    }
    let (name, rooms) = LIBRARIES.iter().find(|(name, _)| begins(on, name))?;
    (!rooms.contains(&room.as_str())).then(|| {
        format!(
            "`{on}` may not be used in `{room}`; `{name}` is for: {}",
            rooms.join(", ")
        )
    })
}

/// `tower` covers `tower` and `tower-http`, but not `towers`.
fn begins(name: &str, family: &str) -> bool {
    name.strip_prefix(family)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(room: &str, on: &str, is_dev: bool) -> bool {
        let declared = Declared {
            room: room.to_owned(),
            on: on.to_owned(),
            is_dev,
        };
        !check(&[declared]).is_empty()
    }

    #[test]
    fn only_drawn_arrows_are_allowed() {
        assert!(!is_refused("server", "provision", false));
        assert!(is_refused("provision", "server", false));
        assert!(is_refused("scim", "directory", false));
        assert!(is_refused("scim", "store", true));
        assert!(is_refused("server", "emulate", false));
        assert!(!is_refused("server", "emulate", true));
    }

    #[test]
    fn libraries_stay_in_their_rooms() {
        assert!(is_refused("directory", "rusqlite", false));
        assert!(is_refused("provision", "tower-http", false));
        assert!(is_refused("scim", "tokio", false));
        assert!(!is_refused("server", "tower-http", false));
        assert!(!is_refused("server", "reqwest", true));
        assert!(!is_refused("scim", "regex", false));
    }

    #[test]
    fn a_new_room_needs_a_place_in_the_plan() {
        assert!(is_refused("attic", "scim", false));
    }

    #[test]
    fn manifests_are_read_from_metadata() {
        let metadata = serde_json::json!({"packages": [{"name": "store", "dependencies": [
            {"name": "scim", "kind": null}, {"name": "emulate", "kind": "dev"}]}]});
        let found = read(&metadata);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].on.as_str(), found[0].is_dev), ("scim", false));
        assert_eq!((found[1].on.as_str(), found[1].is_dev), ("emulate", true));
    }
}
