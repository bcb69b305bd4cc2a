//! The data that everything is measured on: users, and groups that each of them is in.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::load;
use super::people;
use super::scene::{Scene, text_of};
use super::stories::WRITERS;
use super::table::Table;
use super::wire::Wire;

/// Members that one request adds while a group is filled.
const MEMBERS_AT_ONCE: usize = 10_000;
/// How much more a user may cost at the end of the filling than at its beginning.
const FLAT: f64 = 1.3;

/// Fills the database, unless it is full from an earlier run.
pub fn found(scene: &mut Scene, table: &mut Table) -> Result<()> {
    if !scene.ids.is_empty() {
        return Ok(());
    }
    users(scene, table)?;
    // Nobody is evaluated until the last group is there, and then everybody once.
    scene.set_state("paused")?;
    groups(scene)?;
    scene.set_state("active")?;
    scene.settle_directory()?;
    scene.remember()
}

/// Users come in, each durable before its answer.
fn users(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let users = scene.size.users;
    let share = (users / 10).min(10_000);
    let post = |from: usize, to: usize| {
        let request = |number: usize| scene.scim("POST", "Users", &people::user(from + number));
        load::run(&scene.server, WRITERS, to - from, request)
    };
    let first = post(0, share)?;
    post(share, users - share)?;
    let last = post(users - share, users)?;
    let detail = format!(
        "{:.3} ms CPU at first, {:.3} ms with {users} stored",
        first.cpu_ms(),
        last.cpu_ms()
    );
    table.at_most(
        "POST a user, many stored beside few",
        last.cpu_ms() / first.cpu_ms(),
        FLAT,
        "times",
        &detail,
    );
    scene.ids = all_ids(scene)?;
    Ok(())
}

/// The ids of all users, read page by page; each has to come exactly once.
fn all_ids(scene: &Scene) -> Result<Vec<String>> {
    let mut wire = Wire::connect(scene.server.url()?)?;
    let mut ids = Vec::with_capacity(scene.size.users);
    for start in (1..=scene.size.users).step_by(1_000) {
        let path = format!("Users?attributes=id&count=1000&startIndex={start}");
        let answer = wire.ask(&scene.scim("GET", &path, b""))?;
        let page: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let resources = page["Resources"].as_array().context("no Resources")?;
        ids.extend(
            resources
                .iter()
                .filter_map(|one| one["id"].as_str().map(str::to_owned)),
        );
    }
    let distinct: HashSet<&String> = ids.iter().collect();
    ensure!(
        ids.len() == scene.size.users && distinct.len() == ids.len(),
        "{} users were posted, {} listed, {} of them distinct",
        scene.size.users,
        ids.len(),
        distinct.len()
    );
    Ok(ids)
}

/// Groups of a hundred, and one of everybody.
fn groups(scene: &mut Scene) -> Result<()> {
    let users = scene.size.users;
    let post = |number: usize| {
        let members: Vec<&str> = people::members(number, users)
            .into_iter()
            .map(|member| scene.ids[member].as_str())
            .collect();
        let body = people::group(&format!("team {number}"), &members);
        scene.scim("POST", "Groups", &body)
    };
    load::run(&scene.server, WRITERS, scene.size.groups(), post)?;
    scene.small = new_group(scene, "small", 100)?;
    scene.large = new_group(scene, "everybody", users)?;
    scene.replaced = new_group(scene, "replaced", 0)?;
    Ok(())
}

/// Makes a group of the first users.
fn new_group(scene: &Scene, name: &str, members: usize) -> Result<String> {
    let made = scene.ask(&scene.scim("POST", "Groups", &people::group(name, &[])))?;
    let id = text_of(&made, "id")?;
    for part in scene.ids[..members].chunks(MEMBERS_AT_ONCE) {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        scene.ask_bytes(&scene.scim(
            "PATCH",
            &format!("Groups/{id}"),
            &people::patch("add", &part),
        ))?;
    }
    Ok(id)
}

impl Scene {
    /// Pauses the connector or makes it active.
    fn set_state(&self, state: &str) -> Result<()> {
        let path = format!("connectors/{}", self.connector);
        let body = json!({ "state": state }).to_string();
        self.ask_bytes(&self.api("PATCH", &path, body.as_bytes()))?;
        Ok(())
    }

    /// Waits until nobody is due any more.
    pub fn settle_directory(&self) -> Result<()> {
        loop {
            self.server.settle()?;
            let path = format!("connectors/{}", self.connector);
            let shown = self.ask(&self.api("GET", &path, b""))?;
            if shown["due"].as_i64().context("no number of users due")? == 0 {
                return Ok(());
            }
        }
    }
}
