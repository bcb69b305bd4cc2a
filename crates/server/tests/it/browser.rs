//! Somebody at the console with a real browser.
//!
//! A test is three lines: `let world = World::new(&database); let console = Console::signed_in(&world);` and then what the
//! person does: `console.go("/console/people"); console.click("main a"); console.sees("Ann");`.

use std::path::PathBuf;

use emulate::browser::{Browser, Wishes};
use serde_json::Value;
use store::{Rights, Role};

use crate::ui_browser::{PASSWORD, TESTER};
use crate::world::World;

/// A browser at the console of a world.
pub struct Console<'w> {
    pub world: &'w World,
    pub browser: Browser,
}

impl<'w> Console<'w> {
    /// Somebody who has just opened a link to make an account, and made it.
    pub fn signed_in(world: &'w World) -> Console<'w> {
        Console::with(world, Wishes { scripts: true })
    }

    /// The same in a browser that runs no scripts.
    pub fn without_scripts(world: &'w World) -> Console<'w> {
        Console::with(world, Wishes { scripts: false })
    }

    fn with(world: &'w World, wishes: Wishes) -> Console<'w> {
        let browser = Browser::with(wishes).unwrap_or_else(|error| panic!("{error}"));
        let console = Console { world, browser };
        let made = world
            .run(world.provision.invite(Rights::of(Role::Owner), TESTER))
            .unwrap();
        console.go(&format!("/console/welcome/{}", made.secret.reveal()));
        console.enter("name", "Ann");
        console.enter("password", PASSWORD);
        console.enter("again", PASSWORD);
        console.click("form button");
        console.sees("Sign out");
        console
    }

    /// Opens a page.
    #[track_caller]
    pub fn go(&self, path: &str) {
        let url = format!("http://{}{path}", self.world.address);
        self.browser.open(&url).unwrap();
    }

    /// Clicks on what a selector matches first.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let clicked = self.browser.click(selector);
        clicked.unwrap_or_else(|error| panic!("{selector}: {error}\n{}", self.shown()));
    }

    /// Follows the link with this text.
    #[track_caller]
    pub fn follow(&self, text: &str) {
        let followed = self.browser.follow(text);
        followed.unwrap_or_else(|error| panic!("{text}: {error}\n{}", self.shown()));
    }

    /// Fills in the field of this name.
    #[track_caller]
    pub fn enter(&self, name: &str, text: &str) {
        self.browser.enter(&format!("[name={name}]"), text).unwrap();
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        self.browser
            .wait_for(text)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// All the text that the page shows.
    pub fn shown(&self) -> String {
        self.browser.shown().unwrap()
    }

    /// The text of what a selector matches first.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        self.browser.text(selector).unwrap()
    }

    /// What axe-core finds wrong with the page: rule, help, and where.
    pub fn barriers(&self) -> Vec<String> {
        self.browser.run(&axe(), &[]).unwrap();
        let found = self.browser.run(
            "return axe.run({ resultTypes: ['violations'] }).then(found => found.violations.map(one => \
             `${one.id}: ${one.help}: ${one.nodes.map(node => node.target.join(' ') + ' ' + node.failureSummary).join(' | ')}`))",
            &[],
        );
        let found = found.unwrap();
        let found = found.as_array().into_iter().flatten();
        found.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// axe-core, which `cargo xtask test` fetches.
fn axe() -> String {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let place = top.join("target/conformance/node/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&place).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. `cargo xtask tools` fetches it",
            place.display()
        )
    })
}
