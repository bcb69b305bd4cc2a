//! Takes pictures of a console: `screenshots LINK FOLDER` of each kind of page, `screenshots --book LINK FOLDER` those that
//! the book shows. The link makes an account.

use std::path::Path;

use emulate::browser::{Browser, BrowserError, Seen, crawl};

/// A telephone, a tablet, a desk.
const WIDTHS: [u32; 3] = [360, 768, 1440];
/// How often holds are looked for that work in the background makes.
const LOOKS_MAX: usize = 100;
const PASSWORD: &str = "copper river lantern mosaic";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (for_book, link, folder) = match words.as_slice() {
        [link, folder] => (false, *link, *folder),
        ["--book", link, folder] => (true, *link, *folder),
        _ => return Err("usage: screenshots [--book] LINK FOLDER".into()),
    };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    let browser = Browser::start()?;
    browser.open(link)?;
    if !for_book {
        take(&browser, folder, "welcome")?;
    }
    browser.enter("[name=name]", "Ann Smith")?;
    browser.enter("[name=password]", PASSWORD)?;
    browser.enter("[name=again]", PASSWORD)?;
    browser.click("form button")?;
    browser.wait_for("Sign out")?;
    let site = link.split("/console/").next().unwrap_or_default();
    match for_book {
        true => book(&browser, folder, site)?,
        false => each(&browser, folder, site)?,
    }
    Ok(())
}

/// Each kind of page.
fn each(browser: &Browser, folder: &Path, site: &str) -> Result<(), BrowserError> {
    for Seen { kind, url } in crawl(browser, &format!("{site}/console"))? {
        browser.open(&url)?;
        take(browser, folder, &kind)?;
    }
    // What a form answers with is reached by no link.
    browser.open(&format!("{site}/console/setup"))?;
    browser.click("form.choose > button")?;
    browser.wait_for("shown this once")?;
    take(browser, folder, "setup-made")?;
    browser.click(".once a.button")?;
    browser.wait_for("A link for the other team")?;
    browser.click("form[action$=setup-links] button")?;
    browser.wait_for("/connect/vst_setup_")?;
    take(browser, folder, "secret")?;
    let guest = browser.text(".once code")?;
    browser.open(&guest)?;
    take(browser, folder, "connect")?;
    browser.open(&format!("{site}/console/nothing-here"))?;
    take(browser, folder, "nothing-here")?;
    plan(browser, site)?;
    take(browser, folder, "plan")?;
    limit(browser, site)?;
    plan(browser, site)?;
    apply(browser, site)?;
    take(browser, folder, "holds-open")?;
    browser.click("tbody th a")?;
    browser.wait_for("What an approval changes now")?;
    take(browser, folder, "hold")
}

/// What the book shows.
fn book(browser: &Browser, folder: &Path, site: &str) -> Result<(), BrowserError> {
    browser.open(&format!("{site}/console"))?;
    view(browser, folder, "overview", (1120, 860))?;
    browser.size(1120, 860)?;
    browser.open(&format!("{site}/console/people?directory=okta"))?;
    browser.click("tbody th a")?;
    browser.wait_for("Because of")?;
    browser.run(
        "document.getElementById('groups').scrollIntoView(); return 0",
        &[],
    )?;
    view(browser, folder, "why", (1120, 1120))?;
    plan(browser, site)?;
    view(browser, folder, "plan", (1120, 860))?;
    browser.open(&format!("{site}/console/setup"))?;
    view(browser, folder, "set-up", (1120, 860))
}

/// Limits of Okta's connector that hold back most of what the plan takes away.
fn limit(browser: &Browser, site: &str) -> Result<(), BrowserError> {
    browser.open(&format!("{site}/console/connectors/okta/limits"))?;
    browser.enter("[name='deactivations.at_least']", "1")?;
    browser.enter("[name='deactivations.percent']", "0")?;
    browser.click("form[action$='/limits'] button")?;
    browser.wait_for("Used up since")
}

/// A change of the rules of Okta's connector, up to the plan of what it does.
fn plan(browser: &Browser, site: &str) -> Result<(), BrowserError> {
    let connector = format!("{site}/console/connectors/okta");
    browser.open(&format!("{connector}/edit/provisioning"))?;
    browser.enter("[name='scope.filter']", "not (userName sw \"s\")")?;
    browser.enter("[name='scope.grace_minutes']", "0")?;
    browser.click(".bar-end button")?;
    browser.wait_for("Apply exactly this")
}

/// Carries out a plan, and looks for what is held of it.
fn apply(browser: &Browser, site: &str) -> Result<(), BrowserError> {
    browser.click("form[action$='/apply'] button")?;
    browser.wait_for("The rules are in force")?;
    for _look in 0..LOOKS_MAX {
        browser.open(&format!("{site}/console/holds"))?;
        if browser.shown()?.contains("Approve all") {
            return Ok(());
        }
    }
    browser.wait_for("Approve all")
}

/// The page at each width, in light and dark.
fn take(browser: &Browser, folder: &Path, kind: &str) -> Result<(), BrowserError> {
    for dark in [false, true] {
        browser.dark(dark)?;
        for width in WIDTHS {
            browser.size(width, 900)?;
            let scheme = if dark { "dark" } else { "light" };
            let place = folder.join(format!("{kind}-{width}-{scheme}.png"));
            std::fs::write(place, browser.picture()?)?;
        }
    }
    browser.dark(false)?;
    browser.size(1440, 900)
}

/// What a window of this size shows.
fn view(
    browser: &Browser,
    folder: &Path,
    name: &str,
    (width, height): (u32, u32),
) -> Result<(), BrowserError> {
    browser.size(width, height)?;
    std::fs::write(folder.join(format!("{name}.png")), browser.view()?)?;
    Ok(())
}
