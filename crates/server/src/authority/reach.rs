//! How far those reach who are confined to some connectors: these, and what is theirs alone.

use std::collections::HashMap;

use axum::http::{Method, StatusCode};
use provision::ProvisionError;
use store::{ReadTx, Rights};

use crate::App;
use crate::api::Problem;

const BEYOND: &str =
    "Your rights are confined to some connectors, and this reaches beyond them. Ask an owner.";

/// What a request asks for, in the words of its route.
pub(super) struct Asked<'r> {
    pub(super) method: &'r Method,
    /// The route below the base of the admin API.
    pub(super) route: &'r str,
    /// The variable parts of its path.
    pub(super) segments: HashMap<String, String>,
    pub(super) query: &'r str,
}

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
enum About {
    /// Nothing that belongs to anybody, or a list that tells only what is within reach.
    Nothing,
    Connector(String),
    Directory(String),
    Request(String),
    Hold(String),
    Job(String),
    /// Something that concerns others as well.
    Beyond,
}

/// Refuses what is out of reach. What belongs to other connectors is answered as if it were not there.
pub(super) async fn check(app: &App, rights: &Rights, asked: &Asked<'_>) -> Result<(), Problem> {
    if rights.connectors.is_none() {
        return Ok(());
    }
    let rights = rights.clone();
    let (missing, name, find): (&'static str, String, Find) = match about(asked) {
        About::Nothing => return Ok(()),
        About::Beyond => return Err(Problem::new(StatusCode::FORBIDDEN, BEYOND)),
        About::Connector(name) => ("connector", name, connector),
        About::Directory(name) => ("directory", name, directory),
        About::Request(name) => ("request", name, request),
        About::Hold(name) => ("hold", name, hold),
        About::Job(name) => ("job", name, job),
    };
    let wanted = name.clone();
    let store = app.provision().store();
    let within = store.look_up(move |tx| find(tx, &rights, &wanted)).await?;
    match within {
        true => Ok(()),
        false => Err(ProvisionError::not_found(missing, &name).into()),
    }
}

type Find = fn(&ReadTx<'_>, &Rights, &str) -> Result<bool, ProvisionError>;

fn connector(tx: &ReadTx<'_>, rights: &Rights, name: &str) -> Result<bool, ProvisionError> {
    let found = tx.find_connector(name)?;
    Ok(found.is_some_and(|found| rights.reach(found.connector.id)))
}

fn directory(tx: &ReadTx<'_>, rights: &Rights, name: &str) -> Result<bool, ProvisionError> {
    let Some(found) = tx.find_directory(name)? else {
        return Ok(false);
    };
    Ok(rights.reach_directory(found.id, &tx.connectors()?))
}

fn request(tx: &ReadTx<'_>, rights: &Rights, id: &str) -> Result<bool, ProvisionError> {
    let Ok(id) = id.parse() else {
        return Ok(false);
    };
    let found = tx.request(id)?;
    Ok(found.is_some_and(|found| rights.reach(found.connector)))
}

fn hold(tx: &ReadTx<'_>, rights: &Rights, id: &str) -> Result<bool, ProvisionError> {
    let Ok(id) = id.parse() else {
        return Ok(false);
    };
    let found = tx.hold(id)?;
    Ok(found.is_some_and(|found| rights.reach(found.connector)))
}

fn job(tx: &ReadTx<'_>, rights: &Rights, id: &str) -> Result<bool, ProvisionError> {
    let found = tx.find_job(id)?;
    let connector = found.and_then(|found| found.connector);
    Ok(connector.is_some_and(|connector| rights.reach(connector)))
}

fn about(asked: &Asked<'_>) -> About {
    let named = |segment: &str| asked.segments.get(segment).cloned().unwrap_or_default();
    let (kind, rest) = match asked.route[1.min(asked.route.len())..].split_once('/') {
        Some((kind, rest)) => (kind, rest),
        None => (asked.route.trim_start_matches('/'), ""),
    };
    let reads = asked.method.is_safe();
    // What is below the connector or directory that is named.
    let below = rest.split_once('/').map_or("", |(_, below)| below);
    match kind {
        "account" | "presets" | "departures" | "overview" => About::Nothing,
        "rules" if rest == "check" => About::Nothing,
        "connectors" | "directories" if rest.is_empty() && reads => About::Nothing,
        "connectors" if !rest.is_empty() => {
            let to_others = below.starts_with("move") || below.starts_with("transfer");
            let removes = below.is_empty() && *asked.method == Method::DELETE;
            match to_others || removes {
                true => About::Beyond,
                false => About::Connector(named("connector")),
            }
        }
        "directories" if !rest.is_empty() => {
            let whole = ["", "deletion", "detach"].contains(&below) || below.starts_with("imports");
            match reads || !whole {
                true => About::Directory(named("directory")),
                false => About::Beyond,
            }
        }
        "requests" | "holds" | "jobs" if rest.is_empty() => {
            let mut query = form_urlencoded::parse(asked.query.as_bytes());
            let connector = query.find(|(name, _)| name == "connector");
            connector.map_or(About::Nothing, |(_, name)| {
                About::Connector(name.into_owned())
            })
        }
        "requests" => About::Request(named("id")),
        "holds" => About::Hold(named("id")),
        "jobs" => About::Job(named("job")),
        _ => About::Beyond,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, route: &str, query: &str) -> About {
        let names = ["connector", "directory", "id", "job"];
        about(&Asked {
            method,
            route,
            segments: names
                .map(|name| (name.to_owned(), format!("a {name}")))
                .into(),
            query,
        })
    }

    #[test]
    fn what_a_request_is_about_decides_whether_it_is_within_reach() {
        let connector = || About::Connector("a connector".to_owned());
        for (method, route, query, found) in [
            (Method::GET, "/connectors", "", About::Nothing),
            (Method::POST, "/connectors", "", About::Beyond),
            (Method::PATCH, "/connectors/{connector}", "", connector()),
            (Method::DELETE, "/connectors/{connector}", "", About::Beyond),
            (
                Method::DELETE,
                "/connectors/{connector}/tokens/{token}",
                "",
                connector(),
            ),
            (
                Method::POST,
                "/connectors/{connector}/transfer/preview",
                "",
                About::Beyond,
            ),
            (
                Method::GET,
                "/directories/{directory}",
                "",
                About::Directory("a directory".into()),
            ),
            (
                Method::DELETE,
                "/directories/{directory}",
                "",
                About::Beyond,
            ),
            (
                Method::POST,
                "/directories/{directory}/imports",
                "",
                About::Beyond,
            ),
            (
                Method::POST,
                "/directories/{directory}/undo",
                "",
                About::Directory("a directory".into()),
            ),
            (Method::GET, "/jobs", "", About::Nothing),
            (Method::GET, "/overview", "", About::Nothing),
            (
                Method::GET,
                "/jobs",
                "limit=1&connector=okta+eu",
                About::Connector("okta eu".into()),
            ),
            (
                Method::GET,
                "/jobs/{job}/results",
                "connector=x",
                About::Job("a job".into()),
            ),
            (
                Method::POST,
                "/holds/{id}/approve",
                "",
                About::Hold("a id".into()),
            ),
            (Method::GET, "/applications", "", About::Beyond),
            (Method::GET, "/whatever/comes/next", "", About::Beyond),
            (Method::GET, "", "", About::Beyond),
        ] {
            assert_eq!(asked(&method, route, query), found, "{method} {route}");
        }
    }
}
