//! Groups of the identity provider: what the rules make of each, and what an administrator decides about one.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::confirm::Confirm;
use super::super::desk::{Desk, Listed, segment};
use super::super::page::{Shell, Shown, Trouble, show};
use super::super::when::When;
use super::super::words::count;
use super::{Detail, Frame};

/// Groups on one page.
const PAGE: &str = "50";
/// What may become of a group, with the words for it and the colour of its badge.
const FATES: [(&str, &str, &str); 5] = [
    ("assigned", "assigned", "good"),
    ("waiting", "waits for a decision", "warn"),
    ("ignored", "left out by a decision", ""),
    ("protected", "protected", "bad"),
    ("left_out", "left out by the rules", ""),
];

#[derive(Template)]
#[template(path = "connector/source_groups.html")]
struct ListPage {
    shell: Shell,
    frame: Frame,
    state: String,
    states: Vec<(&'static str, &'static str)>,
    rows: Vec<Row>,
    more: Option<String>,
}

/// A group as the admin API tells it.
#[derive(Deserialize)]
pub(in crate::ui) struct Group {
    pub(in crate::ui) id: String,
    pub(in crate::ui) name: String,
    pub(in crate::ui) members: i64,
    pub(in crate::ui) state: String,
    groups: Vec<String>,
    protected_by: Option<String>,
    name_fault: Option<String>,
    pub(in crate::ui) pinned_name: Option<String>,
    pub(in crate::ui) alias: Option<Alias>,
    pub(in crate::ui) own_name: Option<String>,
    since: Option<Timestamp>,
    pub(in crate::ui) existing: Option<Existing>,
}

#[derive(Deserialize)]
pub(in crate::ui) struct Alias {
    pub(in crate::ui) name: String,
    until: Timestamp,
}

#[derive(Deserialize)]
pub(in crate::ui) struct Existing {
    name: String,
    local: bool,
    members: i64,
    pub(in crate::ui) would_add: i64,
    pub(in crate::ui) would_remove: i64,
}

impl Group {
    /// What has become of it in words, and the colour of the badge.
    pub(in crate::ui) fn fate(&self) -> (&'static str, &'static str) {
        let known = FATES.iter().find(|(word, ..)| *word == self.state);
        known.map_or(("other", ""), |(_, words, colour)| (*words, *colour))
    }

    /// Whether somebody decided about it, which can be taken back.
    pub(in crate::ui) fn is_decided(&self) -> bool {
        self.state == "ignored" || self.own_name.is_some() || self.pinned_name.is_some()
    }

    /// Whether nothing is special about it but a former name beside its own.
    pub(in crate::ui) fn goes_by_both_names(&self) -> bool {
        self.alias.is_some() && !self.is_decided()
    }
}

struct Row {
    /// The SCIM id as a segment of an address.
    address: String,
    words: &'static str,
    colour: &'static str,
    group: Group,
}

/// Which groups to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Asked {
    state: String,
    after: String,
}

/// `GET /console/connectors/{connector}/source-groups`
pub(in crate::ui) async fn list(
    desk: Desk,
    Path(connector): Path<String>,
    Query(asked): Query<Asked>,
) -> Shown {
    let query = [
        ("state", asked.state.as_str()),
        ("after", asked.after.as_str()),
        ("limit", PAGE),
    ];
    let path = ["connectors", connector.as_str(), "groups"];
    let found: Listed<Group> = desk.get(&path, &query).await?;
    let more = found.more("", &query);
    let rows = found.items.into_iter().map(|group| {
        let (words, colour) = group.fate();
        Row {
            address: segment(&group.id),
            words,
            colour,
            group,
        }
    });
    let states = FATES.iter().map(|(word, words, _)| (*word, *words));
    let renamed = [("renamed", "with a former name")];
    show(&ListPage {
        shell: desk.shell("connectors"),
        frame: Frame::of(&desk, &connector, "conflicts").await?,
        rows: rows.collect(),
        states: states.chain(renamed).collect(),
        state: asked.state,
        more,
    })
}

#[derive(Template)]
#[template(path = "connector/source_group.html")]
struct GroupPage {
    shell: Shell,
    frame: Frame,
    /// The SCIM id as a segment of an address.
    address: String,
    words: &'static str,
    colour: &'static str,
    since: Option<When>,
    /// Until when it has a former name beside its own.
    alias_until: Option<When>,
    /// The groups that its members get, and where they are looked at.
    feeds: Vec<(String, String)>,
    group: Group,
}

/// `GET /console/connectors/{connector}/source-groups/{group}`
pub(in crate::ui) async fn page(
    desk: Desk,
    Path((connector, group)): Path<(String, String)>,
) -> Shown {
    let mut fed: Detail = desk.get(&["connectors", &connector], &[]).await?;
    let found = find(&desk, &connector, &group).await?;
    let (words, colour) = found.fate();
    let directory = segment(&fed.directory);
    let feeds = found.groups.iter().map(|name| {
        let address = format!("/console/directories/{directory}/groups/{}", segment(name));
        (name.clone(), address)
    });
    show(&GroupPage {
        shell: desk.shell("connectors"),
        address: segment(&found.id),
        words,
        colour,
        since: found.since.map(|at| desk.when(at)),
        alias_until: found.alias.as_ref().map(|alias| desk.when(alias.until)),
        feeds: feeds.collect(),
        frame: fed.frame(&desk, "conflicts"),
        group: found,
    })
}

async fn find(desk: &Desk, connector: &str, group: &str) -> Result<Group, Trouble> {
    desk.get(&["connectors", connector, "groups", group], &[])
        .await
}

/// What a new name is to be.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Named {
    name: String,
}

/// `GET /console/connectors/{connector}/source-groups/{group}/{decision}`
pub(in crate::ui) async fn ask(
    desk: Desk,
    Path((connector, group, decision)): Path<(String, String, String)>,
    Query(wanted): Query<Named>,
) -> Shown {
    let found = find(&desk, &connector, &group).await?;
    let (there, add, remove) = match &found.existing {
        Some(it) => (it.name.clone(), it.would_add, it.would_remove),
        None => (found.name.clone(), 0, 0),
    };
    let come = count(add, "person comes", "people come");
    let leave = count(
        remove,
        "person whom others put there leaves",
        "people whom others put there leave",
    );
    let place = place(&connector, &found.id);
    let name = &found.name;
    let members = match found.members {
        1 => "Its one member".to_owned(),
        count => format!("Its {count} members"),
    };
    let feeds = found.groups.join(", ");
    let feeds = match &found.alias {
        Some(alias) => format!("{feeds} and the group of its former name {}", alias.name),
        None => feeds,
    };
    let asked = match decision.as_str() {
        "adopt" => Confirm::new("connectors", format!("Let the identity provider own {there}?"))
            .effect(format!("{come} into {there}."))
            .effect(format!("{leave} it."))
            .verb("Adopt the group"),
        "merge" => Confirm::new("connectors", format!("Merge {name} into {there}?"))
            .effect(format!("{come} into {there}. Nobody leaves it."))
            .verb("Merge")
            .harmless(),
        "ignore" => Confirm::new("connectors", format!("Leave {name} out?"))
            .effect(match found.state.as_str() {
                "assigned" => format!("{members} leave {feeds}, unless something else puts them there."),
                _ => format!("{there} stays as it is."),
            })
            .effect("The group of the identity provider feeds no group from then on. You can take that back.")
            .verb("Leave it out"),
        "rename" => {
            let wanted = wanted.name.trim();
            if wanted.is_empty() {
                return desk.go_told(&place, "Nothing was done: it needs a name.");
            }
            let asked = Confirm::new("connectors", format!("Let {name} feed the group {wanted}?"));
            let asked = match found.state.as_str() {
                "assigned" => asked.effect(format!("{members} get {wanted} in place of {feeds}.")),
                _ => asked.effect(format!("{members} get {wanted}, as far as the rules let the group through.")),
            };
            asked
                .effect("Whatever the identity provider calls its group, it feeds this one, until you take that back.")
                .hidden("name", wanted)
                .verb("Give it this name")
        }
        "follow" if found.goes_by_both_names() => {
            let former = found.alias.as_ref().map_or("", |alias| alias.name.as_str());
            Confirm::new("connectors", format!("End the former name of {name}?"))
                .effect(format!("{members} leave the group of the name {former} now, and not only when its days are over, unless something else puts them there."))
                .effect(format!("Give permissions in products that still go by {former} to the new group first."))
                .verb("End the former name")
        }
        "follow" => Confirm::new("connectors", format!("Let {name} follow the rules again?"))
            .effect("What was decided about it is taken back: it goes by its present name, and the rules say which group it feeds.")
            .effect(match feeds.as_str() {
                "" => format!("{members} may get a group by that."),
                feeds => format!("{members} may get another group than {feeds} by that."),
            })
            .verb("Follow the rules"),
        _ => return Err(unknown()),
    };
    let action = format!("{place}/{}", segment(&decision));
    asked.action(action).back(place).show(&desk)
}

/// `POST /console/connectors/{connector}/source-groups/{group}/{decision}`
pub(in crate::ui) async fn decide(
    desk: Desk,
    Path((connector, group, decision)): Path<(String, String, String)>,
    body: Body,
) -> Shown {
    let form = desk.form(body).await?;
    let mut wish = json!({ "choice": decision });
    if decision == "rename" {
        wish["name"] = form.text("name").into();
    }
    let path = ["connectors", &connector, "groups", &group, "decision"];
    let _decided: Value = desk.send(Method::POST, &path, Some(wish)).await?;
    let told = match decision.as_str() {
        "adopt" | "merge" => "It feeds the group from now on.",
        "rename" => "It feeds a group of that name from now on.",
        "ignore" => "It is left out from now on.",
        _ => "It follows the rules again.",
    };
    desk.go_told(&place(&connector, &group), told)
}

fn place(connector: &str, group: &str) -> String {
    let (connector, group) = (segment(connector), segment(group));
    format!("/console/connectors/{connector}/source-groups/{group}")
}

fn unknown() -> Trouble {
    let told = "There is no such decision. The page of the group has those that there are.";
    Trouble::new(StatusCode::NOT_FOUND, told)
}
