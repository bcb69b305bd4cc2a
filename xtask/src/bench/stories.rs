//! What is measured over HTTP. The limits are those of the design.

use anyhow::{Context, Result};

use super::load::{self, Cost};
use super::people;
use super::scene::Scene;
use super::table::Table;
use super::wire::Request;

/// Connections of a busy time.
const MANY: usize = 16;
/// Writers at once.
pub const WRITERS: usize = 64;
/// Requests of a figure about a single change.
const CHANGES: usize = 400;
/// Users of a page.
const PAGE: usize = 100;
/// Times that two things are measured in turn, so that other work on the machine meets both.
const TURNS: usize = 5;

/// Users come in, each durable before its answer, beside the same rows in a bare database.
pub fn posting(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let count = (scene.size.users / 50).max(200);
    // Other names than those of earlier runs on the same data.
    let from = scene.size.users * (2 + std::process::id() as usize % 10_000);
    let (mut ours, mut rate, mut bare, mut bare_rate) = (0.0, 0.0, 0.0, 0.0);
    for turn in 0..TURNS {
        let first = from + turn * count;
        let request = |number: usize| scene.scim("POST", "Users", &people::user(first + number));
        let posted = load::run(&scene.server, WRITERS, count, request)?;
        let written = scene.bare_writes(WRITERS, 2, "user")?;
        ours += posted.cpu_ms();
        rate += posted.rate();
        bare += written.cpu_ms;
        bare_rate += written.rate;
    }
    let turns = TURNS as f64;
    let detail = format!(
        "{:.0} users/s beside {:.0}; {:.3} ms CPU beside {:.3} ms, {:.3} of it",
        rate / turns,
        bare_rate / turns,
        ours / turns,
        bare / turns,
        bare / ours,
    );
    table.at_least(
        "POST a user, durable, beside the same rows in the bare database",
        rate / bare_rate,
        0.5,
        "of its users/s",
        &detail,
    );
    Ok(())
}

/// Single users are looked up, without their groups and with them.
pub fn reading(scene: &mut Scene, table: &mut Table) -> Result<()> {
    for (work, without) in [
        (
            "GET a user by id, without groups",
            "?excludedAttributes=groups",
        ),
        ("GET a user by id, with its eleven groups", ""),
    ] {
        let by_id = |number: usize| {
            let id = &scene.ids[people::spread(number, scene.size.users)];
            scene.scim("GET", &format!("Users/{id}{without}"), b"")
        };
        beside_bare(scene, table, work, 0.5, by_id)?;
    }
    for (work, without) in [
        (
            "filter userName eq, without groups",
            "&excludedAttributes=groups",
        ),
        ("filter userName eq, with eleven groups", ""),
    ] {
        let by_name = |number: usize| {
            let number = people::spread(number, scene.size.users);
            let name = people::user_name(number).replace('@', "%40");
            let path = format!("Users?filter=userName%20eq%20%22{name}%22{without}");
            scene.scim("GET", &path, b"")
        };
        beside_bare(scene, table, work, 0.4, by_name)?;
    }
    Ok(())
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
    let (mut ours, mut rate, mut theirs, mut their_rate) = (0.0, 0.0, 0.0, 0.0);
    let count = scene.size.reads() / TURNS;
    for _ in 0..TURNS {
        let (answered, plain) = (
            load::run(&scene.server, MANY, count, &request)?,
            load::run(&bare, MANY, count, |_| plain.clone())?,
        );
        ours += answered.cpu_ms();
        rate += answered.rate();
        theirs += plain.cpu_ms();
        their_rate += plain.rate();
    }
    let turns = TURNS as f64;
    let detail = format!(
        "{:.0} requests/s beside {:.0}; {:.4} ms CPU beside {:.4} ms, {:.3} of it",
        rate / turns,
        their_rate / turns,
        ours / turns,
        theirs / turns,
        theirs / ours
    );
    table.at_least(work, rate / their_rate, limit, "of its requests/s", &detail);
    Ok(())
}

/// Everybody is read, page by page.
pub fn walking(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let users = scene.size.users;
    let page = |number: usize| {
        scene.scim(
            "GET",
            &format!("Users?count={PAGE}&startIndex={}", number * PAGE + 1),
            b"",
        )
    };
    let walk = load::run(&scene.server, 1, users / PAGE, page)?;
    let rate = users as f64 / walk.cpu_seconds;
    let detail = format!(
        "{:.2} ms CPU a page, {:.0} users/s by the clock",
        walk.cpu_ms(),
        users as f64 / walk.seconds
    );
    table.at_least(
        "walk of all users by pages of 100, each with its groups",
        rate,
        50_000.0,
        "users/s of CPU",
        &detail,
    );
    Ok(())
}

/// One member comes or goes, in a small group and in one of everybody.
pub fn member(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let (small, large) = (&scene.small, &scene.large);
    scene.server.settle()?;
    member_changes(scene, small, 100, CHANGES / 10)?;
    scene.server.forget_peak();
    let (before, _) = scene.server.memory()?;
    let (mut of_small, mut of_large) = (0.0, 0.0);
    for _ in 0..TURNS {
        of_small += member_changes(scene, small, 100, CHANGES / TURNS)?.cpu_ms();
        of_large += member_changes(scene, large, scene.size.users, CHANGES / TURNS)?.cpu_ms();
    }
    let (_, peak) = scene.server.memory()?;
    let turns = TURNS as f64;
    let detail = format!(
        "{:.3} ms CPU beside {:.3} ms",
        of_large / turns,
        of_small / turns
    );
    table.at_most(
        "PATCH one member, a group of everybody beside one of 100",
        of_large / of_small,
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
    Ok(())
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
pub fn whole_group(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let one_change = member_changes(scene, &scene.small, 100, CHANGES / 10)?;
    let size = 20_000.min(scene.ids.len() - 1);
    let path = format!("Groups/{}", scene.replaced);
    let ids: Vec<&str> = scene.ids.iter().map(String::as_str).collect();
    let bodies = [&ids[..size], &ids[..=size]].map(|members| people::group("replaced", members));
    let put = |number: usize| scene.scim("PUT", &path, &bodies[number % 2]);
    scene.ask_bytes(&put(0))?;
    scene.settle_directory()?;
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
pub fn products(scene: &mut Scene, table: &mut Table) -> Result<()> {
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
pub fn keeping(scene: &mut Scene, table: &mut Table) -> Result<()> {
    scene.restart()?;
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
    let new = users * (20_000 + std::process::id() as usize % 10_000);
    let mixed = |number: usize| {
        let id = &scene.ids[people::spread(number, users)];
        match number % 4 {
            0 => scene.scim("POST", "Users", &people::user(new + number)),
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
