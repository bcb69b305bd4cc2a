//! What the rules cost: deciding on people, previewing other rules, and a reconcile that has nothing to do.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::scene::{Scene, text_of};
use super::table::Table;

/// No preview or reconcile takes longer, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often is asked whether work is over.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How many people one core decides on in a second, without a database.
pub fn deciding(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let figures = scene.example("evaluate", &[])?;
    for (work, name, limit) in [
        (
            "decide on a user in 20 groups by the default rules",
            "default_rules",
            200_000.0,
        ),
        (
            "decide on a user in 20 groups by ten regular expressions",
            "ten_expressions",
            50_000.0,
        ),
    ] {
        let figure = figures[name]
            .as_f64()
            .with_context(|| format!("no figure {name}"))?;
        table.at_least(work, figure, limit, "users/s", "");
    }
    Ok(())
}

/// Previews rules that change something of everybody, and a reconcile that changes nothing.
pub fn previewing(scene: &mut Scene, table: &mut Table) -> Result<()> {
    scene.settle_directory()?;
    let (before, _) = scene.server.memory()?;
    scene.server.forget_peak();
    let rules = json!({ "rules": { "mapping": [
        { "target": "display_name", "steps": [{ "suffix": { "text": " (previewed)" } }] }
    ] } });
    let cpu = scene.server.cpu()?;
    let begun = Instant::now();
    let preview = preview(scene, &rules)?;
    let took = begun.elapsed();
    let cpu = scene.server.cpu()? - cpu;
    let (_, peak) = scene.server.memory()?;
    let changed = preview["summary"]["changed"].as_u64().unwrap_or_default();
    ensure!(
        changed >= scene.size.users as u64,
        "the preview shows {changed} changes: {preview}"
    );
    let detail = format!("{:.1} s CPU, {changed} users change", cpu.as_secs_f64());
    let work = "preview of rules that change everybody";
    table.at_most(work, took.as_secs_f64(), 5.0, "s", &detail);
    table.at_most("memory that it takes", peak - before, 32.0, "MB more", "");
    find_one(scene, &text_of(&preview, "id")?)?;
    reconcile(scene, table)
}

/// Makes a preview and waits for it.
fn preview(scene: &Scene, body: &Value) -> Result<Value> {
    let path = format!("connectors/{}/rules/preview", scene.connector);
    let begun = Instant::now();
    let mut preview = scene.ask(&scene.api("POST", &path, body.to_string().as_bytes()))?;
    let path = format!(
        "connectors/{}/rules/previews/{}",
        scene.connector,
        text_of(&preview, "id")?
    );
    while preview["state"] == "running" && begun.elapsed() < PATIENCE {
        std::thread::sleep(ASK_EVERY);
        preview = scene.ask(&scene.api("GET", &path, b""))?;
    }
    ensure!(preview["state"] == "done", "a preview ended so: {preview}");
    Ok(preview)
}

/// What was previewed can be searched.
fn find_one(scene: &Scene, preview: &str) -> Result<()> {
    let path = format!(
        "connectors/{}/rules/previews/{preview}/users?q=person.77%40example.com",
        scene.connector
    );
    let found = scene.ask(&scene.api("GET", &path, b""))?;
    let after = &found["items"][0]["after"]["display_name"];
    ensure!(
        after == "Given77 Family77 (previewed)",
        "the preview shows {found}"
    );
    Ok(())
}

/// Everybody is evaluated again, and nothing comes of it.
fn reconcile(scene: &Scene, table: &mut Table) -> Result<()> {
    let written = journal_end(scene)?;
    let path = format!("connectors/{}/reconcile", scene.connector);
    let cpu = scene.server.cpu()?;
    let begun = Instant::now();
    let made = scene.ask(&scene.api("POST", &path, b""))?;
    let path = format!("jobs/{}", text_of(&made["job"], "id")?);
    loop {
        std::thread::sleep(ASK_EVERY);
        let job = scene.ask(&scene.api("GET", &path, b""))?;
        match job["state"].as_str() {
            Some("done") => break,
            Some("failed" | "cancelled") => bail!("the reconcile ended so: {job}"),
            _ if begun.elapsed() > PATIENCE => bail!("the reconcile does not end: {job}"),
            _ => {}
        }
    }
    let rate = scene.size.users as f64 / begun.elapsed().as_secs_f64();
    let cpu = (scene.server.cpu()? - cpu).as_secs_f64();
    let detail = format!("{rate:.0} users/s, {cpu:.1} s CPU");
    let more = journal_end(scene)? - written;
    let work = "entries of the journal by a reconcile without changes";
    table.at_most(work, more as f64, 0.0, "entries", &detail);
    Ok(())
}

/// The newest position of the directory's journal.
fn journal_end(scene: &Scene) -> Result<i64> {
    let path = format!("connectors/{}", scene.connector);
    let connector = scene.ask(&scene.api("GET", &path, b""))?;
    let path = format!("directories/{}", text_of(&connector, "directory")?);
    let directory = scene.ask(&scene.api("GET", &path, b""))?;
    directory["position"]
        .as_i64()
        .with_context(|| format!("no position in {directory}"))
}
