//! People: found by name, and everything that is known about one.

use askama::Template;
use axum::extract::Query;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connector::source_users::{Row as LeftOut, left_out};
use super::desk::{Desk, Listed, segment};
use super::page::{Shell, Shown, Trouble, show};
use super::stopped;
use super::when::When;

/// People or groups on one page of a list.
const PAGE: &str = "50";

#[derive(Template)]
#[template(path = "people.html")]
struct SearchPage {
    shell: Shell,
    choice: Choice,
    people: Vec<Row>,
    more: Option<String>,
    /// Whether there are more in all directories than are shown.
    is_cut: bool,
    /// Where those are as well who have the text elsewhere than at the beginning; none if they are here.
    inside: Option<String>,
    /// Whom identity providers wrote, and who has no account.
    left_out: Vec<LeftOut>,
    /// Whether what is shown begins with the text.
    begins: bool,
}

/// Which directory is looked at, and for what.
pub(super) struct Choice {
    pub(super) search: String,
    /// The directory; empty if all are meant, or there is none.
    pub(super) directory: String,
    /// `active` or `disabled`, if only such people are wanted.
    pub(super) status: String,
    pub(super) directories: Vec<Directory>,
    /// Whether all of them can be looked at together.
    pub(super) together: bool,
}

/// A directory, and how much happened in it.
#[derive(Deserialize)]
pub(super) struct Directory {
    pub(super) name: String,
    position: i64,
}

/// What a list is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    pub(super) search: String,
    pub(super) directory: String,
    pub(super) status: String,
    pub(super) after: String,
    /// Whether the text may be anywhere in a name.
    pub(super) inside: String,
}

struct Row {
    address: String,
    directory: String,
    updated: When,
    user: User,
}

#[derive(Deserialize)]
struct User {
    key: String,
    name: String,
    display_name: String,
    email: String,
    status: String,
    reason: String,
    updated: Timestamp,
}

impl Choice {
    /// Whether there may be something, but not for whoever looks.
    pub(super) fn is_beyond(&self, shell: &Shell) -> bool {
        shell.confined && self.directories.is_empty()
    }

    /// The directory that was named, else all of them if there are several.
    async fn of_all(desk: &Desk, wanted: &Wanted) -> Result<Self, Trouble> {
        let mut choice = Self::of(desk, wanted).await?;
        choice.together = choice.directories.len() > 1;
        if choice.together && choice.directory != wanted.directory {
            choice.directory.clear();
        }
        Ok(choice)
    }

    /// Whether all directories are looked at together.
    fn is_everywhere(&self) -> bool {
        self.together && self.directory.is_empty()
    }

    /// The directory that was named, else the first in which anything happened, else the first.
    pub(super) async fn of(desk: &Desk, wanted: &Wanted) -> Result<Self, Trouble> {
        let directories: Listed<Directory> = desk.get(&["directories"], &[]).await?;
        let named = directories
            .items
            .iter()
            .find(|one| one.name == wanted.directory);
        let lively = directories.items.iter().find(|one| one.position > 0);
        let chosen = named.or(lively).or(directories.items.first());
        Ok(Self {
            search: wanted.search.clone(),
            directory: chosen.map(|one| one.name.clone()).unwrap_or_default(),
            status: wanted.status.clone(),
            directories: directories.items,
            together: false,
        })
    }

    /// Whether only those are wanted who may log in, or only those who may not, as the admin API has it.
    fn active(&self) -> &'static str {
        match self.status.as_str() {
            "active" => "true",
            "disabled" => "false",
            _ => "",
        }
    }

    /// Whether not everybody is wanted.
    pub(super) fn is_narrowed(&self) -> bool {
        !self.search.trim().is_empty() || !self.active().is_empty()
    }

    /// A page of the directory's users or groups, as `what` says; empty as long as there is no directory.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        desk: &Desk,
        what: &str,
        after: &str,
    ) -> Result<Listed<T>, Trouble> {
        let mut query = vec![
            ("search", self.search.as_str()),
            ("after", after),
            ("limit", PAGE),
        ];
        if what == "users" {
            query.push(("active", self.active()));
        }
        match self.directory.as_str() {
            "" => Ok(Listed {
                items: Vec::new(),
                next: None,
            }),
            directory => desk.get(&["directories", directory, what], &query).await,
        }
    }

    /// Those of whom a name begins with the text, which are found at once however many there are. None if there is nobody.
    async fn beginning(&self, desk: &Desk) -> Result<Option<Listed<User>>, Trouble> {
        if self.search.trim().is_empty() || self.directory.is_empty() {
            return Ok(None);
        }
        let query = [
            ("search", self.search.as_str()),
            ("begins", "true"),
            ("active", self.active()),
            ("limit", PAGE),
        ];
        let found: Listed<User> = desk
            .get(&["directories", &self.directory, "users"], &query)
            .await?;
        Ok(Some(found).filter(|found| !found.items.is_empty()))
    }

    /// People of all directories: whom the text means, the best first, else those after a name; and whether a directory
    /// has more. Each is asked for one page.
    async fn everywhere(
        &self,
        desk: &Desk,
        begins: bool,
        after: &str,
    ) -> Result<(Vec<(String, User)>, bool), Trouble> {
        let search = self.search.trim();
        let (begins, after) = match (search, begins) {
            ("", _) => ("", after),
            (_, true) => ("true", ""),
            (_, false) => ("", ""),
        };
        let query = [
            ("search", search),
            ("begins", begins),
            ("active", self.active()),
            ("after", after),
            ("limit", PAGE),
        ];
        let (mut found, mut goes_on) = (Vec::new(), false);
        for directory in &self.directories {
            let path = ["directories", directory.name.as_str(), "users"];
            let page: Listed<User> = desk.get(&path, &query).await?;
            goes_on |= page.next.is_some();
            let users = page.items.into_iter().enumerate();
            found.extend(users.map(|(place, user)| (place, directory.name.clone(), user)));
        }
        match search {
            "" => found.sort_by_cached_key(|(_, _, user)| scim::fold(&user.name)),
            _ => found.sort_by_key(|(place, ..)| *place),
        }
        let found = found.into_iter();
        let found = found.map(|(_, directory, user)| (directory, user));
        Ok((found.collect(), goes_on))
    }

    /// Where those of a directory are who have the text anywhere in a name.
    fn inside(&self, directory: &str) -> String {
        let (directory, search) = (segment(directory), segment(&self.search));
        let status = self.same_status();
        format!("/console/people?directory={directory}&search={search}{status}&inside=yes")
    }

    /// What other pages with the same status have in their addresses.
    fn same_status(&self) -> String {
        match self.status.as_str() {
            "" => String::new(),
            status => format!("&status={}", segment(status)),
        }
    }

    /// The address of the next page of a list.
    pub(super) fn more<T>(&self, place: &str, found: &Listed<T>) -> Option<String> {
        let same = [
            ("directory", self.directory.as_str()),
            ("search", self.search.as_str()),
            ("status", self.status.as_str()),
        ];
        found.more(place, &same)
    }
}

/// What one page of people has.
struct Found {
    people: Vec<(String, User)>,
    more: Option<String>,
    inside: Option<String>,
    is_cut: bool,
    begins: bool,
}

impl Found {
    async fn everywhere(desk: &Desk, choice: &Choice, after: &str) -> Result<Self, Trouble> {
        let is_search = !choice.search.trim().is_empty();
        let (mut people, mut goes_on) = choice.everywhere(desk, is_search, after).await?;
        let begins = is_search && !people.is_empty();
        if is_search && !begins {
            (people, goes_on) = choice.everywhere(desk, false, "").await?;
        }
        let most = PAGE.parse().unwrap_or(usize::MAX);
        let found = people.len();
        let last = people.get(most - 1).map(|(_, user)| user.name.clone());
        match &last {
            // Namesakes of several directories stay together: the next page begins behind their name.
            Some(last) if !is_search => {
                let last = scim::fold(last);
                let is_shown = |user: &User| scim::fold(&user.name) <= last;
                people.truncate(people.partition_point(|(_, user)| is_shown(user)));
            }
            _ => people.truncate(most),
        }
        let is_cut = goes_on || people.len() < found || (is_search && found == most);
        let next = last.filter(|_| is_cut && !is_search);
        Ok(Self {
            people,
            more: next.map(|name| {
                let (status, after) = (choice.same_status(), segment(&name));
                format!("/console/people?after={after}{status}")
            }),
            inside: None,
            is_cut: is_cut && is_search,
            begins,
        })
    }

    async fn of_one(desk: &Desk, choice: &Choice, wanted: &Wanted) -> Result<Self, Trouble> {
        let beginning = match wanted.inside.is_empty() && wanted.after.is_empty() {
            true => choice.beginning(desk).await?,
            false => None,
        };
        let begins = beginning.is_some();
        let inside = beginning.as_ref().map(|_| choice.inside(&choice.directory));
        let (found, more) = match beginning {
            Some(found) => (found, None),
            None => {
                let found: Listed<User> = choice.page(desk, "users", &wanted.after).await?;
                let more = choice.more("/console/people", &found);
                (found, more)
            }
        };
        let people = found.items.into_iter();
        Ok(Self {
            people: people
                .map(|user| (choice.directory.clone(), user))
                .collect(),
            more,
            inside,
            is_cut: false,
            begins,
        })
    }
}

/// `GET /console/people`
pub(super) async fn search(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    let choice = Choice::of_all(&desk, &wanted).await?;
    let found = match choice.is_everywhere() {
        true => Found::everywhere(&desk, &choice, &wanted.after).await?,
        false => Found::of_one(&desk, &choice, &wanted).await?,
    };
    let people = found.people.into_iter().map(|(directory, user)| Row {
        address: format!(
            "/console/directories/{}/users/{}",
            segment(&directory),
            segment(&user.key)
        ),
        directory,
        updated: desk.when(user.updated),
        user,
    });
    let left_out = match wanted.after.as_str() {
        "" => left_out(&desk, &choice.directory, &choice.search).await?,
        _ => Vec::new(),
    };
    let directory = Some(choice.directory.as_str()).filter(|name| !name.is_empty());
    let stopped = stopped::notes(&desk, directory).await?;

    show(&SearchPage {
        shell: desk.shell("people").stopped(stopped),
        begins: found.begins,
        left_out,
        people: people.collect(),
        more: found.more,
        is_cut: found.is_cut,
        inside: found.inside,
        choice,
    })
}

/// Why somebody is in a group.
#[derive(Deserialize)]
pub(super) struct Origin {
    kind: String,
    #[serde(default)]
    rule: Option<String>,
    #[serde(default)]
    source_group: Option<String>,
}

impl Origin {
    /// As a change of the journal tells it.
    pub(super) fn of_change(origin: &Value) -> Self {
        let text = |name: &str| origin[name].as_str().unwrap_or_default().to_owned();
        let kind = text("kind");
        Self {
            rule: (kind == "rule").then(|| text("reference")),
            source_group: None,
            kind,
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match (self.kind.as_str(), &self.rule, &self.source_group) {
            ("idp", _, Some(group)) => format!("the identity provider’s group “{group}”"),
            ("idp", _, None) => "the identity provider".to_owned(),
            ("always", ..) => "every active user is in it".to_owned(),
            ("rule", Some(rule), _) => format!("the rule “{rule}”"),
            ("rule", None, _) => "a rule".to_owned(),
            ("local", ..) => "an administrator".to_owned(),
            ("copied", ..) => "taken over from before".to_owned(),
            ("product", ..) => "a product".to_owned(),
            (other, ..) => other.to_owned(),
        }
    }
}

/// Several origins in words.
pub(super) fn because(origins: &[Origin]) -> String {
    let mut words: Vec<String> = origins.iter().map(Origin::words).collect();
    words.dedup();
    words.join(", ")
}
