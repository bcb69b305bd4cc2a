//! A second factor: set up, shown, lost, required, and guessed at.

use emulate::databases::on_each_database;
use jiff::SignedDuration;
use ring::hmac;
use store::Role;

use crate::api_console::Console;
use crate::http::Answer;
use crate::ui_browser::{Browser, PASSWORD};
use crate::world::World;

const ACCOUNT: &str = "/console/account";

/// The app on somebody's telephone.
pub struct App {
    secret: Vec<u8>,
}

impl App {
    /// One that was given the secret on a page.
    pub fn of(page: &Answer) -> App {
        let text = page.text().split("class=\"copy\">").nth(1).unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut secret, mut held, mut bits) = (Vec::new(), 0_u32, 0);
        for letter in text.split('<').next().unwrap().chars() {
            held = held << 5 | u32::try_from(alphabet.find(letter).unwrap()).unwrap();
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                secret.push(u8::try_from(held >> bits & 255).unwrap());
            }
        }
        App { secret }
    }

    /// The code that it shows now.
    pub fn code(&self, world: &World) -> String {
        let step = world.provision.store().now().as_second() / 30;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let offset = usize::from(tag.as_ref()[19] & 15);
        let cut: [u8; 4] = tag.as_ref()[offset..offset + 4].try_into().unwrap();
        format!("{:06}", (u32::from_be_bytes(cut) & 0x7fff_ffff) % 1_000_000)
    }

    /// A code that is none of the near ones.
    fn wrong(&self, world: &World) -> String {
        let right: u32 = self.code(world).parse().unwrap();
        format!("{:06}", (right + 1) % 1_000_000)
    }
}

fn begin(browser: &Browser<'_>) -> App {
    let page = browser.fill_in(ACCOUNT, "/console/account/second-factor", &[]);
    assert!(page.text().contains("<svg xmlns"), "{}", page.text());
    App::of(&page)
}

fn confirm(browser: &Browser<'_>, code: &str) -> Answer {
    let place = "/console/account/second-factor/confirm";
    browser.fill_in(ACCOUNT, place, &[("code", code)])
}

/// Sets a second factor up, and gives the app and the recovery codes.
fn set_up(browser: &Browser<'_>) -> (App, Vec<String>) {
    let app = begin(browser);
    let page = confirm(browser, &app.code(browser.world));
    assert_eq!(page.status, 200, "{}", page.text());
    let codes = page.text().split("class=\"copy secret\">").skip(1);
    let codes = codes.map(|rest| rest.split('<').next().unwrap().to_owned());
    (app, codes.collect())
}

fn show(browser: &Browser<'_>, code: &str) -> Answer {
    let place = "/console/sign-in/code";
    browser.fill_in(place, place, &[("code", code)])
}

#[test]
fn a_code_is_asked_for_taken_once_and_a_recovery_code_stands_in() {
    on_each_database(|database| {
        let world = &World::new(database);
        let ann = Browser::signed_in(world, "ann", Role::Operator);
        let elsewhere = Browser::new(world);
        elsewhere.sign_in("ann", PASSWORD);
        let app = begin(&ann);
        let refused = confirm(&ann, &app.wrong(world));
        assert_eq!(refused.status, 422);
        assert!(!refused.text().contains("<svg xmlns"));
        // Until it is confirmed, nobody asks for it.
        assert_eq!(
            Browser::new(world)
                .sign_in("ann", PASSWORD)
                .header("location"),
            Some("/console")
        );
        let (app, codes) = set_up(&ann);
        assert_eq!(codes.len(), 10);
        assert_eq!(ann.get("/console").status, 200, "who sets it up stays");
        assert_eq!(elsewhere.get("/console").status, 303, "others go");

        let browser = Browser::new(world);
        let asked = browser.sign_in("ann", PASSWORD);
        assert_eq!(
            asked.header("location"),
            Some("/console/sign-in/code?next=%2Fconsole")
        );
        for page in [
            "/console",
            ACCOUNT,
            "/console/people",
            "/console/administrators",
        ] {
            let sent = browser.get(page);
            assert_eq!(
                sent.header("location"),
                Some("/console/sign-in/code"),
                "{page}"
            );
        }
        // The code with which it was confirmed was taken.
        assert_eq!(show(&browser, &app.code(world)).status, 401);
        assert_eq!(show(&browser, &app.wrong(world)).status, 401);
        world.wait(SignedDuration::from_secs(30));
        let code = app.code(world);
        assert_eq!(show(&browser, &code).header("location"), Some("/console"));
        assert_eq!(browser.get("/console").status, 200);
        let second = Browser::new(world);
        second.sign_in("ann", PASSWORD);
        assert_eq!(show(&second, &code).status, 401, "the same code again");
        let typed = codes[3].to_lowercase().replace('-', " ");
        assert_eq!(show(&second, &typed).status, 303);
        assert!(
            second
                .get(ACCOUNT)
                .text()
                .contains("9 recovery codes are left")
        );
        second.sign_in("ann", PASSWORD);
        assert_eq!(
            show(&second, &codes[3]).status,
            401,
            "a recovery code again"
        );

        // The time to show one is limited.
        world.wait(SignedDuration::from_mins(16));
        let late = second.submit("/console/sign-in/code", &[("code", &codes[4])]);
        assert_eq!(late.header("location"), Some("/console/sign-in"));
        // What is stored tells nobody the secret.
        let stored = world.provision.store().read_blocking(|tx| {
            let ann = tx.find_administrator("ann")?.unwrap();
            tx.second_factor(ann.pk)
        });
        assert!(stored.unwrap().unwrap().sealed.len() > 80);
    });
}

#[test]
fn guessing_costs_time_whoever_has_the_password() {
    on_each_database(|database| {
        let world = &World::new(database);
        let ann = Browser::signed_in(world, "ann", Role::Owner);
        let (app, _) = set_up(&ann);
        let thief = Browser::new(world);
        let mut wrong = 0;
        while wrong < 5 {
            // Showing the password again forgives nothing.
            assert_eq!(thief.sign_in("ann", PASSWORD).status, 303);
            assert_eq!(show(&thief, &app.wrong(world)).status, 401);
            wrong += 1;
        }
        world.wait(SignedDuration::from_millis(500));
        assert_eq!(show(&thief, &app.code(world)).status, 429);
        assert_eq!(thief.sign_in("ann", PASSWORD).status, 429);
        world.wait(SignedDuration::from_secs(31));
        assert_eq!(thief.sign_in("ann", PASSWORD).status, 303);
        assert_eq!(show(&thief, &app.code(world)).status, 303);
    });
}

#[test]
fn it_is_renewed_removed_reset_and_required() {
    on_each_database(|database| {
        let world = &World::new(database);
        let ann = Browser::signed_in(world, "ann", Role::Owner);
        let bob = Browser::signed_in(world, "bob", Role::Auditor);
        let console = Console::new(world);
        assert_eq!(console.get("/account").status, 403);

        // An auditor changes nothing but the own account.
        let (app, old) = set_up(&bob);
        world.wait(SignedDuration::from_secs(30));
        let place = "/console/account/recovery-codes";
        let renewed = bob.fill_in(ACCOUNT, place, &[("code", &app.code(world))]);
        assert_eq!(renewed.text().matches("class=\"copy secret\"").count(), 10);
        let again = bob.fill_in(ACCOUNT, place, &[("code", &old[0])]);
        assert_eq!(again.status, 422, "the old ones are gone");
        let place = "/console/account/second-factor/remove";
        assert_eq!(
            bob.fill_in(ACCOUNT, place, &[("code", "000000")]).status,
            422
        );
        world.wait(SignedDuration::from_secs(30));
        let removed = bob.fill_in(ACCOUNT, place, &[("code", &app.code(world))]);
        assert!(removed.text().contains("The second factor is removed"));

        // Required, everybody without one is out, and gets no further than setting one up.
        let people = "/console/administrators";
        let wish = [("require_second_factor", "true")];
        let rules = "/console/administrators/sign-in";
        assert_eq!(bob.fill_in(people, rules, &wish).status, 403);
        assert_eq!(ann.fill_in(people, rules, &wish).status, 303);
        assert_eq!(ann.get("/console").status, 303);
        assert_eq!(
            ann.sign_in("ann", PASSWORD).header("location"),
            Some(ACCOUNT)
        );
        assert_eq!(ann.get(people).header("location"), Some(ACCOUNT));
        let (app, _) = set_up(&ann);
        assert_eq!(ann.get(people).status, 200);
        world.wait(SignedDuration::from_secs(30));
        let kept = ann.fill_in(ACCOUNT, place, &[("code", &app.code(world))]);
        assert_eq!(kept.status, 409, "it is required");

        assert_eq!(
            bob.sign_in("bob", PASSWORD).header("location"),
            Some(ACCOUNT)
        );
        set_up(&bob);
        let found = console.show("/administrators");
        let id = found["items"][1]["id"].as_str().unwrap();
        assert!(found["items"][1]["second_factor"].is_string());
        let reset = format!("{people}/{id}/second-factor");
        assert!(
            ann.get(&reset)
                .text()
                .contains("Be sure that it is this person")
        );
        let done = ann.fill_in(&reset, &reset, &[]);
        assert!(done.text().contains("The second factor of bob is removed."));
        assert_eq!(bob.get("/console").status, 303);
        assert_eq!(
            bob.sign_in("bob", PASSWORD).header("location"),
            Some(ACCOUNT)
        );

        let off = console.patch(
            "/sign-in",
            serde_json::json!({"require_second_factor": false}),
        );
        assert_eq!(off.json()["require_second_factor"], false);
        assert_eq!(
            bob.sign_in("bob", PASSWORD).header("location"),
            Some("/console")
        );
    });
}

#[test]
fn a_password_is_changed_by_who_knows_it() {
    on_each_database(|database| {
        let world = &World::new(database);
        let ann = Browser::signed_in(world, "ann", Role::Auditor);
        let elsewhere = Browser::new(world);
        elsewhere.sign_in("ann", PASSWORD);
        let fresh = "violet anchor window thunder";
        let change = |present: &str, new: &str, again: &str| {
            let fields = [("present", present), ("new", new), ("again", again)];
            ann.fill_in(ACCOUNT, "/console/account/password", &fields)
        };
        assert_eq!(change("wrong", fresh, fresh).status, 422);
        assert_eq!(change(PASSWORD, fresh, "something else").status, 422);
        assert_eq!(change(PASSWORD, "short", "short").status, 422);
        assert_eq!(change(PASSWORD, fresh, fresh).status, 200);
        assert_eq!(ann.get("/console").status, 200);
        assert_eq!(elsewhere.get("/console").status, 303);
        assert_eq!(elsewhere.sign_in("ann", PASSWORD).status, 401);
        assert_eq!(elsewhere.sign_in("ann", fresh).status, 303);
    });
}
