//! Whose word counts where several connectors know the same person: shown, tried, and put in force.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::compare::{Account, Compared, compared};
use super::super::confirm::Confirm;
use super::super::desk::{Desk, segment};
use super::super::form::Fields;
use super::super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::{Directory, Frame};

/// Accounts that a look first shows.
const SHOWN: &str = "100";
/// Rows of the form for targets that have no order of their own yet.
const EMPTY_ROWS: usize = 2;
/// What rows of a mapping write, and groups.
const TARGETS: [(&str, &str); 6] = [
    ("username", "user name"),
    ("email", "e-mail"),
    ("display_name", "full name"),
    ("first_name", "given name"),
    ("last_name", "family name"),
    ("groups", "groups"),
];

/// As the admin API has it.
#[derive(Clone, Default, Deserialize, Serialize)]
struct Precedence {
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    targets: BTreeMap<String, Vec<String>>,
}

impl Precedence {
    /// What a form says: for each place a connector, and for each row a target with an order of its own.
    fn of(form: &Fields) -> Self {
        let named = |prefix: &str| -> Vec<String> {
            let places = (0..).map(|place| form.exact(&format!("{prefix}{place}")));
            let places = places.take_while(|text| !text.is_empty());
            let mut order: Vec<String> = Vec::new();
            for text in places {
                let name = text.trim();
                if name != "-" && !order.iter().any(|other| other == name) {
                    order.push(name.to_owned());
                }
            }
            order
        };
        let rows = (0..).map(|row| (form.exact(&format!("target{row}")), row));
        let rows = rows.take_while(|(target, _)| !target.is_empty());
        let mut targets = BTreeMap::new();
        for (target, row) in rows {
            let order: Vec<String> = form
                .text(&format!("targets{row}"))
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect();
            let target = match target.as_str() {
                "attr:" => format!("attr:{}", form.text(&format!("attribute{row}"))),
                other => other.to_owned(),
            };
            if target != "-" && !order.is_empty() {
                targets.insert(target, order);
            }
        }
        Self {
            order: named("order"),
            targets,
        }
    }
}

#[derive(Deserialize)]
struct Sharing {
    #[serde(default)]
    precedence: Option<Precedence>,
    shared_accounts: i64,
}

#[derive(Deserialize)]
struct Found {
    shared_accounts: i64,
    items: Vec<Item>,
    next: Option<i64>,
}

#[derive(Deserialize)]
struct Item {
    user: String,
    key: String,
    before: Account,
    after: Option<Account>,
}

/// A place in the order, with the connector that has it.
struct Place {
    words: String,
    chosen: String,
}

/// A target with an order of its own.
struct TargetRow {
    target: String,
    /// The name behind `attr:`.
    attribute: String,
    order: String,
}

impl TargetRow {
    fn of(target: &str, order: &[String]) -> Self {
        let (target, attribute) = match target.strip_prefix("attr:") {
            Some(name) => ("attr:", name),
            None => (target, ""),
        };
        Self {
            target: target.to_owned(),
            attribute: attribute.to_owned(),
            order: order.join(", "),
        }
    }
}

/// What another precedence would change.
struct Preview {
    shared: i64,
    people: Vec<Compared>,
    more: bool,
    /// What was tried, to be put in force.
    tried: String,
}

#[derive(Template)]
#[template(path = "directory/precedence.html")]
struct PrecedencePage {
    shell: Shell,
    frame: Frame,
    /// The connectors that feed the directory: their name, and that as a segment of an address.
    connectors: Vec<(String, String)>,
    is_shared: bool,
    shared_accounts: i64,
    places: Vec<Place>,
    rows: Vec<TargetRow>,
    targets: &'static [(&'static str, &'static str)],
    preview: Option<Preview>,
    wrong: Option<Trouble>,
}

/// `GET /console/directories/{directory}/precedence`
pub(in crate::ui) async fn page(desk: Desk, Path(directory): Path<String>) -> Shown {
    show(&shown(&desk, &directory, None).await?)
}

/// The page with what is in force, or with what was typed.
async fn shown(
    desk: &Desk,
    directory: &str,
    typed: Option<&Precedence>,
) -> Result<PrecedencePage, Trouble> {
    let about = Directory::of(desk, directory).await?;
    let path = ["directories", directory, "precedence"];
    let sharing: Sharing = desk.get(&path, &[]).await?;
    let is_shared = sharing.precedence.is_some();
    let present = sharing.precedence.unwrap_or_default();
    let precedence = typed.unwrap_or(&present);
    let places = (0..about.connectors.len()).map(|place| Place {
        words: match place {
            0 => "Counts most".to_owned(),
            1 => "Then".to_owned(),
            _ => format!("Then, as number {}", place + 1),
        },
        chosen: precedence.order.get(place).cloned().unwrap_or_default(),
    });
    let rows = precedence.targets.iter();
    let rows = rows.map(|(target, order)| TargetRow::of(target, order));
    let empty = (0..EMPTY_ROWS).map(|_row| TargetRow::of("", &[]));
    let connectors = about.connectors.iter();
    let connectors = connectors.map(|name| (name.clone(), segment(name)));
    Ok(PrecedencePage {
        shell: desk.shell("settings"),
        frame: Frame::of(&about.name, "precedence"),
        is_shared,
        shared_accounts: sharing.shared_accounts,
        places: places.collect(),
        rows: rows.chain(empty).collect(),
        connectors: connectors.collect(),
        targets: &TARGETS,
        preview: None,
        wrong: None,
    })
}

/// `POST /console/directories/{directory}/precedence`: shows what it would change, or puts in force what was shown.
pub(in crate::ui) async fn submit(desk: Desk, Path(directory): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let tried = form.exact("tried");
    let wish: Precedence =
        serde_json::from_str(&tried).unwrap_or_else(|_not_shown_yet| Precedence::of(&form));
    if !tried.is_empty() {
        return put_in_force(&desk, &directory, &wish).await;
    }
    // The answer changes nothing and has what was typed: loaded again, it shows the same on the people of then.
    let previewed = previewed(&desk, &directory, &wish).await;
    let mut page = shown(&desk, &directory, Some(&wish)).await?;
    match previewed {
        Ok(preview) => {
            page.preview = Some(preview);
            show(&page)
        }
        Err(wrong) => {
            let status = wrong.status;
            page.wrong = Some(wrong);
            show_wrong(status, &page)
        }
    }
}

async fn previewed(desk: &Desk, directory: &str, wish: &Precedence) -> Result<Preview, Trouble> {
    let path = ["directories", directory, "precedence", "preview"];
    let found: Found = desk.ask(&path, &[("limit", SHOWN)], json!(wish)).await?;
    let people = found.items.into_iter().map(|one| {
        let (directory, key) = (segment(directory), segment(&one.key));
        Compared {
            address: Some(format!("/console/directories/{directory}/users/{key}")),
            ..compared(one.user, Some(one.before), one.after, false)
        }
    });
    Ok(Preview {
        shared: found.shared_accounts,
        people: people.collect(),
        more: found.next.is_some(),
        tried: json!(wish).to_string(),
    })
}

async fn put_in_force(desk: &Desk, directory: &str, wish: &Precedence) -> Shown {
    let path = ["directories", directory, "precedence"];
    let done = desk.send::<Value>(Method::PUT, &path, Some(json!(wish)));
    let done = done.await;
    match done {
        Ok(_) => desk.go_told(
            &place(directory),
            "It is in force. Everybody in the directory is being evaluated; Jobs tells how far it is.",
        ),
        Err(wrong) => {
            let mut page = shown(desk, directory, Some(wish)).await?;
            let status = wrong.status;
            page.wrong = Some(wrong);
            show_wrong(status, &page)
        }
    }
}

/// `GET /console/directories/{directory}/precedence/end`
pub(in crate::ui) async fn ask_end(desk: Desk, Path(directory): Path<String>) -> Shown {
    let path = ["directories", directory.as_str(), "precedence"];
    let sharing: Sharing = desk.get(&path, &[]).await?;
    let back = place(&directory);
    let touched = match sharing.shared_accounts {
        0 => "No account is spoken of by several connectors now, so nobody changes.".to_owned(),
        1 => "One account is spoken of by several connectors; what the others said of it goes, its groups included.".to_owned(),
        count => format!(
            "{count} accounts are spoken of by several connectors; what the others said of them goes, their groups included."
        ),
    };
    Confirm::new("overview", "Let each account be spoken of by one connector alone?")
        .effect(touched)
        .effect("Everybody in the directory is evaluated. A user of another connector who meets an account waits for a decision again.")
        .verb("End the sharing")
        .action(format!("{back}/end"))
        .back(back)
        .show(&desk)
}

/// `POST /console/directories/{directory}/precedence/end`
pub(in crate::ui) async fn end(desk: Desk, Path(directory): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["directories", directory.as_str(), "precedence"];
    let _begun: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(
        &place(&directory),
        "Each account is spoken of by one connector alone. Everybody is being evaluated.",
    )
}

fn place(directory: &str) -> String {
    format!("/console/directories/{}/precedence", segment(directory))
}
