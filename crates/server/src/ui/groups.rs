//! Groups: found by name, and everything that is known about one.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use super::connector::source_groups::Group as SourceGroup;
use super::desk::{Desk, Listed, segment};
use super::journal::{Entry, EntryRow};
use super::page::{Shell, Shown, show};
use super::past::past_of;
use super::people::{Choice, Origin, Wanted, because};
use super::stopped;
use super::undo::moment;
use super::when::When;

/// Members of a group on one page.
const PAGE: &str = "50";

#[derive(Template)]
#[template(path = "groups.html")]
struct SearchPage {
    shell: Shell,
    choice: Choice,
    groups: Vec<Row>,
    more: Option<String>,
}

struct Row {
    address: String,
    updated: When,
    group: Group,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    description: String,
    local: bool,
    updated: Timestamp,
}

/// `GET /console/groups`
pub(super) async fn search(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    let choice = Choice::of(&desk, &wanted).await?;
    let found: Listed<Group> = choice.page(&desk, "groups", &wanted.after).await?;
    let more = choice.more("/console/groups", &found);
    let stopped = stopped::notes(&desk, Some(&choice.directory)).await?;
    let directory = segment(&choice.directory);
    let groups = found.items.into_iter().map(|group| Row {
        address: format!(
            "/console/directories/{directory}/groups/{}",
            segment(&group.name)
        ),
        updated: desk.when(group.updated),
        group,
    });
    show(&SearchPage {
        shell: desk.shell("groups").stopped(stopped),
        groups: groups.collect(),
        more,
        choice,
    })
}

#[derive(Template)]
#[template(path = "group.html")]
struct GroupPage {
    shell: Shell,
    directory: String,
    directory_address: String,
    group: Detail,
    created: When,
    /// The groups of identity providers that feed it, or wait to.
    sources: Vec<SourceRow>,
    /// The connectors of these.
    connectors: Vec<(String, String)>,
    members: Vec<MemberRow>,
    more: Option<String>,
    /// Whether this is the first page of members.
    is_first: bool,
    /// Since when it is compared, and with what.
    since: String,
    compared: Option<Past>,
    history: Vec<EntryRow>,
}

/// Who came and who left since a moment.
#[derive(Deserialize)]
struct Past {
    #[serde(default)]
    joined: Vec<String>,
    #[serde(default)]
    left: Vec<String>,
}

#[derive(Deserialize)]
struct Detail {
    name: String,
    description: String,
    local: bool,
    created: Timestamp,
    members: i64,
    members_below: i64,
    source_groups: i64,
    attributes: BTreeMap<String, Vec<String>>,
    children: Vec<Nested>,
    parents: Vec<Nested>,
}

#[derive(Deserialize)]
struct Nested {
    name: String,
    origins: Vec<Origin>,
}

/// A group of an identity provider, with its connector.
#[derive(Deserialize)]
struct Source {
    connector: String,
    #[serde(flatten)]
    group: SourceGroup,
}

struct SourceRow {
    /// Where it is looked at and decided about.
    place: String,
    words: &'static str,
    colour: &'static str,
    source: Source,
}

impl Nested {
    /// The name as a segment of an address.
    fn address(&self) -> String {
        segment(&self.name)
    }

    /// Why the one is in the other.
    fn because(&self) -> String {
        because(&self.origins)
    }
}

#[derive(Deserialize)]
struct Member {
    key: String,
    name: String,
    display_name: String,
    status: String,
    origins: Vec<Origin>,
}

struct MemberRow {
    address: String,
    because: String,
    member: Member,
}

/// Where a page of members begins, and since when the group is compared.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    after: String,
    since: String,
}

/// `GET /console/directories/{directory}/groups/{group}`
pub(super) async fn page(
    desk: Desk,
    Path((directory, group)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Shown {
    let path = ["directories", directory.as_str(), "groups", group.as_str()];
    let found: Detail = match desk.get(&path, &[]).await {
        Ok(found) => found,
        // A group that is gone has no page any more, but a past.
        Err(trouble) if trouble.status == StatusCode::NOT_FOUND => {
            return past_of(&desk, &directory, ("group", &group), trouble).await;
        }
        Err(trouble) => return Err(trouble),
    };
    let query = [("after", asked.after.as_str()), ("limit", PAGE)];
    let members: Listed<Member> = desk
        .get(&[path[0], path[1], path[2], path[3], "members"], &query)
        .await?;
    let query = [
        ("group", found.name.as_str()),
        ("order", "newest"),
        ("limit", "30"),
    ];
    let history: Listed<Entry> = desk
        .get(&["directories", &directory, "journal"], &query)
        .await?;
    let compared = match asked.since.trim() {
        "" => None,
        since => {
            let since = moment(since);
            let below = [path[0], path[1], path[2], path[3], "history"];
            Some(desk.get(&below, &[("since", since.as_str())]).await?)
        }
    };
    let sources: Listed<Source> = desk
        .get(&[path[0], path[1], path[2], path[3], "sources"], &[])
        .await?;
    let mut connectors: Vec<String> = sources
        .items
        .iter()
        .map(|one| one.connector.clone())
        .collect();
    connectors.sort();
    connectors.dedup();
    let sources = sources.items.into_iter().map(|source| {
        let (words, colour) = source.group.fate();
        let (connector, group) = (segment(&source.connector), segment(&source.group.id));
        SourceRow {
            place: format!("/console/connectors/{connector}/source-groups/{group}"),
            words,
            colour,
            source,
        }
    });
    let stopped = stopped::notes(&desk, Some(&directory)).await?;
    let directory_address = segment(&directory);
    let more = members.more("", &[]);
    let members = members.items.into_iter().map(|member| MemberRow {
        address: segment(&member.key),
        because: because(&member.origins),
        member,
    });
    show(&GroupPage {
        shell: desk.shell("groups").stopped(stopped),
        created: desk.when(found.created),
        sources: sources.collect(),
        connectors: connectors
            .into_iter()
            .map(|name| (segment(&name), name))
            .collect(),
        members: members.collect(),
        more,
        is_first: asked.after.is_empty(),
        since: asked.since,
        compared,
        history: history
            .items
            .into_iter()
            .map(|entry| entry.row(&desk, &directory).without_group(&found.name))
            .collect(),
        group: found,
        directory_address,
        directory,
    })
}
