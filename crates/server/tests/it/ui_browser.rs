//! Somebody at the console: a browser without scripts, with a cookie.

use std::cell::RefCell;

use provision::Passwords;
use store::{Rights, Role};

use crate::http::{Answer, Ask};
use crate::world::World;

/// A password that the console takes.
pub const PASSWORD: &str = "copper river lantern mosaic";

/// A browser, and the cookie that it keeps.
pub struct Browser<'w> {
    pub world: &'w World,
    cookie: RefCell<Option<String>>,
}

impl<'w> Browser<'w> {
    pub fn new(world: &'w World) -> Browser<'w> {
        Browser {
            world,
            cookie: RefCell::default(),
        }
    }

    /// Somebody who has an account of this role, and is signed in.
    pub fn signed_in(world: &'w World, name: &str, role: Role) -> Browser<'w> {
        Browser::with_rights(world, name, Rights::of(role))
    }

    /// The same with these rights.
    pub fn with_rights(world: &'w World, name: &str, rights: Rights) -> Browser<'w> {
        world.run(async {
            let made = world.provision.invite(rights, "test").await.unwrap();
            let passwords = Passwords::default();
            let accepted = world.provision.accept_invitation(
                made.secret.reveal(),
                name,
                PASSWORD.to_owned(),
                &passwords,
            );
            accepted.await.unwrap();
        });
        let browser = Browser::new(world);
        let answer = browser.sign_in(name, PASSWORD);
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    pub fn sign_in(&self, name: &str, password: &str) -> Answer {
        let fields = [("name", name), ("password", password), ("next", "")];
        self.submit("/console/sign-in", &fields)
    }

    /// The cookie that it keeps.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.borrow().clone()
    }

    /// Looks at a page.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(Ask::new("GET", path))
    }

    /// Fills in a form of a page and sends it.
    pub fn fill_in(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = form_token(&self.get(page));
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        self.submit(action, &fields)
    }

    /// Sends a form with just these fields.
    pub fn submit(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let ask = Ask::new("POST", action)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Sec-Fetch-Site", "same-origin");
        self.ask(ask.body(body))
    }

    pub fn ask(&self, ask: Ask) -> Answer {
        let cookie = self.cookie.borrow().clone();
        let ask = match cookie {
            Some(cookie) => ask.header("Cookie", &cookie),
            None => ask,
        };
        let answer = self.world.send(ask);
        if let Some(set) = answer.header("set-cookie") {
            assert!(set.contains("HttpOnly; SameSite=Strict"), "{set}");
            let pair = set.split(';').next().unwrap().to_owned();
            let is_over = set.contains("Max-Age=0");
            *self.cookie.borrow_mut() = (!is_over).then_some(pair);
        }
        answer
    }
}

/// The token of the forms on a page.
pub fn form_token(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text
        .split_once("name=\"form_token\" value=\"")
        .unwrap_or_else(|| panic!("no form on {text}"));
    rest.split('"').next().unwrap().to_owned()
}

/// A page without the scripts that are the console's own.
pub fn without_own_scripts(page: &str) -> String {
    let own = |name: &str| format!("<script src=\"/console/{name}.js\" defer></script>");
    page.replace(&own("console"), "")
        .replace(&own("preview"), "")
}
