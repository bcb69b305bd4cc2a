//! What is measured, in the order in which a database fills. The limits are those of the design.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};

use super::load::{self, Cost};
use super::people;
use super::scene::Scene;
use super::table::Table;
use super::wire::{Request, Wire};

/// Connections of a busy time.
const MANY: usize = 16;
/// Writers at once.
const WRITERS: usize = 64;
/// Requests of a figure about a single change.
const CHANGES: usize = 400;
/// Groups that everybody is in.
const WIDE_GROUPS: usize = 10;
/// Members that one request adds while groups are filled.
const MEMBERS_AT_ONCE: usize = 10_000;
/// Users of a page.
const PAGE: usize = 100;

/// Users come in, each durable before its answer.
pub fn filling(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let users = scene.size.users;
    let share = (users / 10).min(10_000);
    let post = |from: usize, to: usize| {
        let request = |number: usize| scene.scim("POST", "Users", &people::user(from + number));
        load::run(&scene.server, WRITERS, to - from, request)
    };
    let first = post(0, share)?;
    post(share, users - share)?;
    let last = post(users - share, users)?;
    let bare = scene.bare_writes(WRITERS, "user")?;
    let one_row = scene.bare_writes(WRITERS, "row")?;
    let detail = format!(
        "{:.0} of {bare:.0} users/s, {:.3} ms CPU; one row for each: {one_row:.0}/s",
        last.rate(),
        last.cpu_ms()
    );
    table.at_least(
        "POST a user, durable, beside the same rows in the bare database",
        last.rate() / bare,
        0.5,
        "of it",
        &detail,
    );
    let detail = format!(
        "{:.3} ms CPU at first, {:.3} ms with {users} stored",
        first.cpu_ms(),
        last.cpu_ms()
    );
    table.at_most(
        "POST a user, many stored beside few",
        last.cpu_ms() / first.cpu_ms(),
        1.3,
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

/// Single users are looked up.
pub fn reading(scene: &Scene, table: &mut Table) -> Result<()> {
    let users = scene.size.users;
    let by_id = |number: usize| {
        let id = &scene.ids[people::spread(number, users)];
        scene.scim("GET", &format!("Users/{id}"), b"")
    };
    beside_bare(scene, table, "GET a user by id", 0.5, by_id)?;
    let by_name = |number: usize| {
        let name = people::user_name(people::spread(number, users)).replace('@', "%40");
        scene.scim(
            "GET",
            &format!("Users?filter=userName%20eq%20%22{name}%22"),
            b"",
        )
    };
    beside_bare(scene, table, "filter userName eq", 0.4, by_name)
}

/// Compares requests with a bare handler that gives back the bytes of the first answer.
fn beside_bare(
    scene: &Scene,
    table: &mut Table,
    work: &'static str,
    limit: f64,
    request: impl Fn(usize) -> Request + Sync,
) -> Result<()> {
    let bare = scene.bare(&scene.ask_bytes(&request(0))?)?;
    let plain = Request::new(
        "GET",
        "/answer",
        "Bearer none",
        "application/scim+json",
        b"",
    );
    // Alternating, so that other work on the machine meets both.
    let (mut ours, mut theirs) = (0.0, 0.0);
    for _ in 0..3 {
        ours += load::run(&scene.server, MANY, scene.size.reads() / 3, &request)?.cpu_ms();
        theirs += load::run(&bare, MANY, scene.size.reads() / 3, |_| plain.clone())?.cpu_ms();
    }
    let detail = format!("{:.4} ms CPU beside {:.4} ms", ours / 3.0, theirs / 3.0);
    table.at_least(work, theirs / ours, limit, "of bare", &detail);
    Ok(())
}

/// Everybody is read, page by page.
pub fn walking(scene: &Scene, table: &mut Table) -> Result<()> {
    let users = scene.size.users;
    let page = |number: usize| {
        scene.scim(
            "GET",
            &format!("Users?count={PAGE}&startIndex={}", number * PAGE + 1),
            b"",
        )
    };
    let walk = load::run(&scene.server, 1, users / PAGE, page)?;
    let rate = users as f64 / walk.seconds;
    let detail = format!("{:.2} ms CPU a page", walk.cpu_ms());
    table.at_least(
        "walk of all users by pages of 100",
        rate,
        50_000.0,
        "users/s",
        &detail,
    );
    Ok(())
}

/// Groups grow large, and then change a little.
pub fn groups(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let small = new_group(scene, "small", 100)?;
    let large = new_group(scene, "large", scene.ids.len())?;
    for number in 1..WIDE_GROUPS {
        new_group(scene, &format!("wide {number}"), scene.ids.len())?;
    }
    scene.server.settle()?;
    member_changes(scene, &small, 100, CHANGES / 10)?;
    scene.server.forget_peak();
    let (before, _) = scene.server.memory()?;
    let of_small = member_changes(scene, &small, 100, CHANGES)?;
    let of_large = member_changes(scene, &large, scene.ids.len(), CHANGES)?;
    let (_, peak) = scene.server.memory()?;
    let detail = format!(
        "{:.3} ms CPU beside {:.3} ms",
        of_large.cpu_ms(),
        of_small.cpu_ms()
    );
    let ratio = of_large.cpu_ms() / of_small.cpu_ms();
    table.at_most(
        "PATCH one member, a large group beside one of 100",
        ratio,
        1.3,
        "times",
        &detail,
    );
    table.at_most(
        "memory that these changes take",
        peak - before,
        16.0,
        "MB more",
        "",
    );
    whole_group(scene, table, of_small)
}

/// Makes a group of the first users.
fn new_group(scene: &Scene, name: &str, members: usize) -> Result<String> {
    let made = scene.ask(&scene.scim("POST", "Groups", &people::group(name, &[])))?;
    let id = made["id"]
        .as_str()
        .context("no id of the group")?
        .to_owned();
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

/// Takes members out of a group and puts them back, one in each request.
fn member_changes(scene: &Scene, group: &str, members: usize, count: usize) -> Result<Cost> {
    let path = format!("Groups/{group}");
    load::run(&scene.server, 1, count, |number| {
        let op = if number.is_multiple_of(2) {
            "remove"
        } else {
            "add"
        };
        let member = &scene.ids[people::spread(number / 2, members)];
        scene.scim("PATCH", &path, &people::patch(op, &[member]))
    })
}

/// Replaces a whole group by one that differs in one member.
fn whole_group(scene: &Scene, table: &mut Table, one_change: Cost) -> Result<()> {
    let size = 20_000.min(scene.ids.len() - 1);
    let made = scene.ask(&scene.scim("POST", "Groups", &people::group("replaced", &[])))?;
    let path = format!(
        "Groups/{}",
        made["id"].as_str().context("no id of the group")?
    );
    let ids: Vec<&str> = scene.ids.iter().map(String::as_str).collect();
    let bodies = [&ids[..size], &ids[..=size]].map(|members| people::group("replaced", members));
    let put = |number: usize| scene.scim("PUT", &path, &bodies[number % 2]);
    scene.ask_bytes(&put(0))?;
    scene.server.settle()?;
    let ours = load::run(&scene.server, 1, 21, put)?;
    let bare = scene.bare(b"{}")?;
    let read = |number: usize| {
        Request::new(
            "PUT",
            "/",
            "Bearer none",
            "application/json",
            &bodies[number % 2],
        )
    };
    let reading = load::run(&bare, 1, 21, read)?;
    let detail = format!(
        "{:.1} ms CPU; reading the body as JSON {:.1} ms, the change {:.3} ms",
        ours.cpu_ms(),
        reading.cpu_ms(),
        one_change.cpu_ms()
    );
    let ratio = ours.cpu_ms() / (reading.cpu_ms() + one_change.cpu_ms());
    table.at_most(
        "PUT a group of 20,000 with one change, beside reading it",
        ratio,
        3.0,
        "times",
        &detail,
    );
    Ok(())
}

/// A product reads everything, and then asks what is new.
pub fn products(scene: &Scene, table: &mut Table) -> Result<()> {
    scene.server.settle()?;
    scene.server.forget_peak();
    let (before, _) = scene.server.memory()?;
    let lists = [
        "search?entity-type=user&start-index=0&max-results=-1&expand=user",
        "search?entity-type=group&start-index=0&max-results=-1&expand=group",
        "group/membership",
    ];
    let read = load::run(&scene.server, 1, lists.len(), |number| {
        scene.crowd(lists[number])
    })?;
    let (_, peak) = scene.server.memory()?;
    let megabytes = read.bytes as f64 / 1_000_000.0;
    let detail = format!("{megabytes:.0} MB in {:.1} s", read.seconds);
    let rate = megabytes / read.cpu_seconds;
    table.at_least(
        "full Crowd synchronisation",
        rate,
        50.0,
        "MB/s of CPU",
        &detail,
    );
    table.at_most("memory that it takes", peak - before, 32.0, "MB more", "");

    let poll = scene.crowd(&format!("event/{}", newest_token(scene)?));
    let user = scene.crowd(&format!(
        "user?username={}",
        people::user_name(7).replace('@', "%40")
    ));
    let polls = load::run(&scene.server, MANY, scene.size.reads() / 3, |_| {
        poll.clone()
    })?;
    let users = load::run(&scene.server, MANY, scene.size.reads() / 3, |_| {
        user.clone()
    })?;
    let detail = format!(
        "{:.4} ms CPU beside {:.4} ms",
        polls.cpu_ms(),
        users.cpu_ms()
    );
    let ratio = polls.cpu_ms() / users.cpu_ms();
    table.at_most(
        "Crowd poll with nothing new, beside reading one user",
        ratio,
        1.2,
        "times",
        &detail,
    );
    Ok(())
}

/// Follows the events to their end, as a product does.
fn newest_token(scene: &Scene) -> Result<String> {
    let mut token = event_token(&scene.ask_bytes(&scene.crowd("event"))?)?;
    loop {
        let next = event_token(&scene.ask_bytes(&scene.crowd(&format!("event/{token}")))?)?;
        if next == token {
            return Ok(token);
        }
        token = next;
    }
}

/// The token in an answer of `event`.
fn event_token(answer: &[u8]) -> Result<String> {
    let text = String::from_utf8_lossy(answer);
    let (_, rest) = text
        .split_once("newEventToken=\"")
        .with_context(|| format!("no token in {text}"))?;
    let token = rest.split('"').next().unwrap_or_default();
    Ok(token.replace(':', "%3A"))
}

/// What the program needs to be there, and how soon it is.
pub fn keeping(scene: Scene, table: &mut Table) -> Result<()> {
    let scene = scene.restart()?;
    let begun = std::time::Instant::now();
    scene.ask_bytes(&scene.scim("GET", &format!("Users/{}", scene.ids[0]), b""))?;
    let start = (scene.server.start + begun.elapsed()).as_secs_f64() * 1_000.0;
    table.at_most(
        "start on existing data, up to the first answer",
        start,
        200.0,
        "ms",
        "",
    );
    let (idle, _) = scene.server.memory()?;
    table.at_most("memory when idle", idle, 60.0, "MB", "");
    let users = scene.size.users;
    let mixed = |number: usize| {
        let id = &scene.ids[people::spread(number, users)];
        match number % 4 {
            0 => scene.scim("POST", "Users", &people::user(users + number)),
            1 => scene.scim(
                "GET",
                &format!(
                    "Users?count={PAGE}&startIndex={}",
                    people::spread(number, users)
                ),
                b"",
            ),
            _ => scene.scim("GET", &format!("Users/{id}"), b""),
        }
    };
    load::run(&scene.server, WRITERS, scene.size.reads() / 2, mixed)?;
    let (_, peak) = scene.server.memory()?;
    table.at_most("memory under load", peak, 150.0, "MB", "");
    Ok(())
}
