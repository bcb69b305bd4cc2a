//! What an administrator can do about one person: each asked about first, with what it will do.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::confirm::Confirm;
use super::desk::{Desk, segment};
use super::page::{Shell, Shown, Trouble, number, show, show_wrong};
use super::undo::moment;

type Place = Path<(String, String)>;

#[derive(Deserialize)]
struct Person {
    name: String,
    connector: Option<String>,
}

/// `GET /console/directories/{directory}/users/{user}/do/{act}`
pub(super) async fn ask(
    desk: Desk,
    Path((directory, user, act)): Path<(String, String, String)>,
) -> Shown {
    let found: Person = desk
        .get(&["directories", &directory, "users", &user], &[])
        .await?;
    let name = &found.name;
    let place = place(&directory, &user);
    let asked = match act.as_str() {
        "disable" => Confirm::new("people", format!("Take the log-in from {name}?"))
            .effect("Products refuse the log-in as soon as they synchronise. Groups and everything else stay.")
            .effect("It stays so whatever the identity provider says, until an administrator enables the account again.")
            .verb("Disable the account"),
        "enable" => Confirm::new("people", format!("Give {name} the log-in back?"))
            .effect(
                "The rules decide again. Somebody whom the identity provider says is inactive, or who is out of scope, \
                 stays disabled for that reason.",
            )
            .verb("Enable the account")
            .harmless(),
        "unlink" => Confirm::new("people", format!("Unlink {name} from the identity provider?"))
            .effect(match &found.connector {
                Some(connector) => format!("{connector} feeds the account no more. Name, groups and state stay as they are."),
                None => "No identity provider feeds the account; nothing will change.".to_owned(),
            })
            .effect("When the identity provider writes the person next, both meet again as the rules on existing accounts say.")
            .verb("Unlink the account"),
        _ => return Err(unknown()),
    };
    asked
        .action(format!("{place}/do/{act}"))
        .back(place)
        .show(&desk)
}

/// `POST /console/directories/{directory}/users/{user}/do/{act}`
pub(super) async fn carry_out(
    desk: Desk,
    Path((directory, user, act)): Path<(String, String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let place = place(&directory, &user);
    let path = ["directories", &directory, "users", &user, &act];
    let words = match act.as_str() {
        "disable" => "The account is disabled.",
        "enable" => "The rules decide about the account again.",
        "unlink" => "The account is kept here from now on.",
        "evaluate" => {
            let done: Evaluated = desk.send(Method::POST, &path, None).await?;
            return desk.go_told(&place, done.told());
        }
        _ => return Err(unknown()),
    };
    let _done: Value = desk.send(Method::POST, &path, None).await?;
    desk.go_told(&place, words)
}

/// What evaluating somebody anew did.
#[derive(Deserialize)]
pub(super) struct Evaluated {
    changes: usize,
    waits: bool,
}

impl Evaluated {
    /// In words.
    pub(super) fn told(&self) -> String {
        match (self.waits, self.changes) {
            (true, _) => {
                "The connector is not active: the evaluation waits until it is.".to_owned()
            }
            (false, 0) => "Evaluated: everything is as it should be.".to_owned(),
            (false, 1) => "Evaluated: one thing changed.".to_owned(),
            (false, count) => format!("Evaluated: {count} things changed."),
        }
    }
}

#[derive(Template)]
#[template(path = "override.html")]
struct OverridePage {
    shell: Shell,
    name: String,
    place: String,
    kind: String,
    group: String,
    until: String,
    comment: String,
    wrong: Option<Trouble>,
}

/// `GET /console/directories/{directory}/users/{user}/overrides`
pub(super) async fn override_form(desk: Desk, Path((directory, user)): Place) -> Shown {
    let found: Person = desk
        .get(&["directories", &directory, "users", &user], &[])
        .await?;
    show(&OverridePage {
        shell: desk.shell("people"),
        name: found.name,
        place: place(&directory, &user),
        kind: "keep_active".to_owned(),
        group: String::new(),
        until: String::new(),
        comment: String::new(),
        wrong: None,
    })
}

/// `POST /console/directories/{directory}/users/{user}/overrides`
pub(super) async fn add_override(desk: Desk, Path((directory, user)): Place, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let (kind, group) = (form.text("kind"), form.text("group"));
    let mut wish = Map::new();
    wish.insert("kind".to_owned(), kind.into());
    wish.insert("comment".to_owned(), form.text("comment").into());
    if !group.is_empty() {
        wish.insert("group".to_owned(), group.into());
    }
    if !form.text("until").is_empty() {
        wish.insert("until".to_owned(), moment(form.text("until")).into());
    }
    let path = [
        "directories",
        directory.as_str(),
        "users",
        user.as_str(),
        "overrides",
    ];
    let place = place(&directory, &user);
    desk.once(&form, &place, async {
        let said = desk
            .send::<Value>(Method::POST, &path, Some(Value::Object(wish)))
            .await;
        let Err(wrong) = said else {
            return desk.go_told(&place, "The override is in force.");
        };
        let found: Person = desk.get(&path[..4], &[]).await?;
        let text = |name: &str| form.text(name).to_owned();
        show_wrong(
            wrong.status,
            &OverridePage {
                shell: desk.shell("people"),
                name: found.name,
                place: place.clone(),
                kind: text("kind"),
                group: text("group"),
                until: text("until"),
                comment: text("comment"),
                wrong: Some(wrong),
            },
        )
    })
    .await
}

/// `GET /console/directories/{directory}/users/{user}/overrides/{override}/remove`
pub(super) async fn ask_remove(
    desk: Desk,
    Path((directory, user, said)): Path<(String, String, String)>,
) -> Shown {
    let place = place(&directory, &user);
    let said = number(&said)?;
    Confirm::new("people", "Take the override back?")
        .effect("What the identity provider and the rules say counts again at once.")
        .verb("Take it back")
        .action(format!("{place}/overrides/{said}/remove"))
        .back(place)
        .show(&desk)
}

/// `POST /console/directories/{directory}/users/{user}/overrides/{override}/remove`
pub(super) async fn remove_override(
    desk: Desk,
    Path((directory, user, said)): Path<(String, String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    number(&said)?;
    let path = ["directories", directory.as_str(), "overrides", &said];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(&place(&directory, &user), "The override is taken back.")
}

fn place(directory: &str, user: &str) -> String {
    format!(
        "/console/directories/{}/users/{}",
        segment(directory),
        segment(user)
    )
}

fn unknown() -> Trouble {
    let told = "There is nothing of the kind to do. The person’s page has what there is.";
    Trouble::new(StatusCode::NOT_FOUND, told)
}
