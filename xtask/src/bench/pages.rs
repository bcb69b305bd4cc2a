//! What the pages of the console cost: each that a link leads to, with everybody stored.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, Result, ensure};

use super::scene::Scene;
use super::table::Table;
use super::wire::{Answer, Request, Wire};

const NAME: &str = "bench";
const PASSWORD: &str = "seventeen quiet lanterns measure";
/// Times that a page is asked for.
const TIMES: u32 = 20;
/// Pages of one kind that are measured, such as those of different people.
const OF_A_KIND: usize = 3;
/// Processor time that a page may take, in milliseconds.
const LIMIT_MS: f64 = 50.0;
/// What nobody links to, since it is typed.
const SEARCHES: [&str; 9] = [
    "/console/people?search=person.777",
    "/console/people?search=family4",
    "/console/people?search=amily4",
    "/console/people?search=given1+family1",
    "/console/people?search=person.4242%40example.com",
    "/console/people?search=nobody-is-called-so",
    "/console/people?search=n%C3%B6body",
    "/console/groups?search=team+77",
    "/console/groups?search=verybody",
];

/// Follows the links of the console and measures the pages behind them.
pub fn browsing(scene: &mut Scene, table: &mut Table) -> Result<()> {
    let mut browser = Browser::sign_in(scene)?;
    let mut waiting: VecDeque<String> = SEARCHES.map(str::to_owned).into();
    waiting.push_front("/console".to_owned());
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut slowest = (0.0, String::new());
    while let Some(path) = waiting.pop_front() {
        let seen = kinds.entry(kind(&path)).or_default();
        if seen.contains(&path) || (seen.len() >= OF_A_KIND && !SEARCHES.contains(&path.as_str())) {
            continue;
        }
        seen.push(path.clone());
        let answer = browser.ask(&path)?;
        ensure!(
            answer.status < 400,
            "{path} is answered with {}",
            answer.status
        );
        waiting.extend(links(&String::from_utf8_lossy(&answer.body)));
        let cost = browser.cost(scene, &path)?;
        if cost > LIMIT_MS {
            println!("       {cost:.1} ms CPU for {path}");
        }
        if cost > slowest.0 {
            slowest = (cost, path);
        }
    }
    let pages: usize = kinds.values().map(Vec::len).sum();
    let (cost, path) = slowest;
    let detail = format!("{pages} pages of {} kinds; {path}", kinds.len());
    table.at_most(
        "the slowest page of the console",
        cost,
        LIMIT_MS,
        "ms CPU",
        &detail,
    );
    Ok(())
}

/// Somebody who is signed in.
struct Browser {
    wire: Wire,
    cookie: String,
}

impl Browser {
    /// Makes the first account, unless an earlier run did, and signs in.
    fn sign_in(scene: &Scene) -> Result<Self> {
        let mut wire = Wire::connect(scene.server.url()?)?;
        let account = format!("name={NAME}&password={}", PASSWORD.replace(' ', "+"));
        if let Some(link) = scene.server.announced["welcome"].as_str() {
            let path = path_of(link).context("no path in the link of the first start")?;
            let again = format!("{account}&again={}", PASSWORD.replace(' ', "+"));
            let made = wire.ask(&Request::form(path, &again))?;
            ensure!(made.status == 303, "no account: answer {}", made.status);
        }
        let entered = wire.ask(&Request::form("/console/sign-in", &account))?;
        let cookie = entered.cookie.context("signing in gave no cookie")?;
        Ok(Self { wire, cookie })
    }

    fn ask(&mut self, path: &str) -> Result<Answer> {
        self.wire.ask(&Request::page(path, &self.cookie))
    }

    /// Processor time of a page, in milliseconds.
    fn cost(&mut self, scene: &Scene, path: &str) -> Result<f64> {
        let before = scene.server.cpu()?;
        for _ in 0..TIMES {
            self.ask(path)?;
        }
        let cost = scene.server.cpu()? - before;
        Ok(cost.as_secs_f64() * 1_000.0 / f64::from(TIMES))
    }
}

fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.find('/').and_then(|at| rest.get(at..))
}

/// The pages that a page leads to: no files, and nothing that stays open.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("href=\"").skip(1);
    let targets = targets.filter_map(|rest| rest.split('"').next());
    targets
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| target.starts_with("/console"))
        .filter(|target| !kind(target).contains('.') && !target.contains("/sign-"))
        .map(|target| target.replace("&amp;", "&").replace("&#38;", "&"))
        .collect()
}

/// A path without what differs between pages of one kind: ids, numbers and names, and the values of its query.
fn kind(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments = path.split('/').map(|segment| {
        let is_word = segment
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte == b'.');
        if is_word { segment } else { "*" }
    });
    let path = segments.collect::<Vec<_>>().join("/");
    let names = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter(|name| !name.is_empty());
    format!("{path}?{}", names.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_one_kind_are_told_by_their_form() {
        for (path, expected) in [
            ("/console", "/console?"),
            (
                "/console/people?search=x&page=2",
                "/console/people?search&page",
            ),
            (
                "/console/connectors/01a2-77/rules",
                "/console/connectors/*/rules?",
            ),
            ("/console/audit.csv", "/console/audit.csv?"),
        ] {
            assert_eq!(kind(path), expected);
        }
    }

    #[test]
    fn links_lead_to_pages() {
        let page = r#"<a href="/console/jobs#x">a</a><a href="/console/audit.csv">b</a><a href="https://example.com">c</a>"#;
        assert_eq!(links(page), ["/console/jobs"]);
    }
}
