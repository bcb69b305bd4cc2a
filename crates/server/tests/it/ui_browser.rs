//! Somebody at the console: a browser without scripts, with a cookie.

use std::cell::RefCell;

use provision::{Inviter, Passwords};
use store::{Rights, Role};

use crate::http::{Answer, Ask};
use crate::world::World;

/// A password that the console takes.
pub const PASSWORD: &str = "copper river lantern mosaic";

/// Who invites in tests.
pub const TESTER: Inviter<'static> = Inviter {
    name: "test",
    id: None,
};

/// A browser, and the cookie that it keeps.
pub struct Browser<'w> {
    pub world: &'w World,
    cookie: RefCell<Option<String>>,
    /// The cookie of what the next page is to tell.
    told: RefCell<Option<String>>,
}

impl<'w> Browser<'w> {
    pub fn new(world: &'w World) -> Browser<'w> {
        Browser {
            world,
            cookie: RefCell::default(),
            told: RefCell::default(),
        }
    }

    /// Somebody who has an account of this role, and is signed in.
    pub fn signed_in(world: &'w World, name: &str, role: Role) -> Browser<'w> {
        Browser::with_rights(world, name, Rights::of(role))
    }

    /// The same with these rights.
    pub fn with_rights(world: &'w World, name: &str, rights: Rights) -> Browser<'w> {
        world.run(async {
            let made = world.provision.invite(rights, TESTER).await.unwrap();
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

    /// The same of somebody who is confined to one connector.
    pub fn confined_to(world: &'w World, name: &str, connector: &'static str) -> Browser<'w> {
        let found = world.run(async {
            let store = world.provision.store();
            store.read(|tx| tx.find_connector(connector)).await.unwrap()
        });
        let rights = Rights {
            role: Role::Operator,
            connectors: Some(vec![found.unwrap().connector.id]),
        };
        Browser::with_rights(world, name, rights)
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

    /// What a page says.
    pub fn text(&self, path: &str) -> String {
        self.get(path).text().to_owned()
    }

    /// Fills in a form of a page and sends it; gives the page that tells what was done, if there is one.
    pub fn fill_in(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let from = format!("http://{}{page}", self.world.address);
        let form = self.form_of(&self.get(page), action, fields);
        self.follow(self.ask(form.header("Referer", &from)))
    }

    /// Goes on to the page that tells what was done, if a form was answered with one.
    pub fn follow(&self, answer: Answer) -> Answer {
        match answer.header("location") {
            Some(place) if self.told.borrow().is_some() => self.get(place),
            _ => answer,
        }
    }

    /// The same browser at another node.
    pub fn at<'o>(&self, world: &'o World) -> Browser<'o> {
        Browser {
            world,
            cookie: self.cookie.clone(),
            told: self.told.clone(),
        }
    }

    /// Sends a form of a page that is open.
    pub fn send_form(&self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        self.follow(self.ask(self.form_of(page, action, fields)))
    }

    /// A form of a page that is open, as it is sent.
    pub fn form_of(&self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Ask {
        let (token, once) = (form_token(page), hidden(page, "once"));
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        if let Some(once) = &once {
            fields.push(("once", once));
        }
        filled(action, &fields)
    }

    /// Sends a form with just these fields.
    pub fn submit(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask(filled(action, fields))
    }

    /// Fills in a form of a page that has a file in it, and sends it.
    pub fn send_file(
        &self,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
        (name, file): (&str, &[u8]),
    ) -> Answer {
        let token = form_token(&self.get(page));
        let mut body = Vec::new();
        for (field, value) in [("form_token", token.as_str())].iter().chain(fields) {
            let head = format!(
                "--xxx\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            );
            body.extend(head.into_bytes());
        }
        let head = format!(
            "--xxx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.into_bytes());
        body.extend(file);
        body.extend(b"\r\n--xxx--\r\n");
        let ask = Ask::new("POST", action)
            .header("Content-Type", "multipart/form-data; boundary=xxx")
            .header("Sec-Fetch-Site", "same-origin");
        self.ask(ask.body(body))
    }

    pub fn ask(&self, ask: Ask) -> Answer {
        let pairs = [self.cookie.borrow().clone(), self.told.borrow().clone()];
        let pairs: Vec<String> = pairs.into_iter().flatten().collect();
        let ask = match pairs.is_empty() {
            false => ask.header("Cookie", &pairs.join("; ")),
            true => ask,
        };
        let answer = self.world.send(ask);
        for set in answer.headers("set-cookie") {
            assert!(set.contains("HttpOnly; SameSite=Strict"), "{set}");
            let pair = set.split(';').next().unwrap().to_owned();
            let is_over = set.contains("Max-Age=0");
            let kept = match pair.contains("vestibule-told=") {
                true => &self.told,
                false => &self.cookie,
            };
            *kept.borrow_mut() = (!is_over).then_some(pair);
        }
        answer
    }
}

/// A form with these fields, as a browser sends it.
fn filled(action: &str, fields: &[(&str, &str)]) -> Ask {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    Ask::new("POST", action)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Sec-Fetch-Site", "same-origin")
        .body(body)
}

/// The token of the forms on a page.
pub fn form_token(page: &Answer) -> String {
    hidden(page, "form_token").unwrap_or_else(|| panic!("no form on {}", page.text()))
}

/// What the first field of this name has on a page.
fn hidden(page: &Answer, name: &str) -> Option<String> {
    let (_, rest) = page
        .text()
        .split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split('"').next().map(str::to_owned)
}

/// A page without the scripts that are the console's own.
pub fn without_own_scripts(page: &str) -> String {
    let own = |name: &str| format!("<script src=\"/console/{name}.js\" defer></script>");
    page.replace(&own("console"), "")
        .replace(&own("preview"), "")
}
