//! `vestibule directory users`, `groups` and `members`: what products see, a page at a time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::PageArgs;
use crate::door::Door;
use crate::exit::Failure;
use crate::output::{Output, quoted, table};

/// A page of a list.
#[derive(Serialize, Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Why somebody is in a group.
#[derive(Serialize, Deserialize)]
pub struct Origin {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    by_override: Option<i64>,
}

impl Origin {
    fn told(&self) -> String {
        let number = self.by_override.map(|id| format!("override {id}"));
        let names = [&self.source_group, &self.rule, &number];
        let about: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        match about.is_empty() {
            true => self.kind.clone(),
            false => format!("{}: {}", self.kind, about.join(", ")),
        }
    }
}

/// All of them in a line.
pub fn origins(all: &[Origin]) -> String {
    let all: Vec<String> = all.iter().map(Origin::told).collect();
    all.join("; ")
}

#[derive(Serialize, Deserialize)]
struct Person {
    name: String,
    display_name: String,
    email: String,
    status: String,
    reason: String,
    connector: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    origins: Vec<Origin>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Group {
    name: String,
    description: String,
    local: bool,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

/// `vestibule directory users`
pub fn users(
    door: &Door,
    directory: &str,
    (active, search): (Option<bool>, Option<&str>),
    of: &PageArgs,
    out: Output,
) -> Result<(), Failure> {
    let mut query = query(of, search);
    query.extend(active.map(|active| ("active", active.to_string())));
    let page: Page<Person> = door.get_with(&["directories", directory, "users"], &query)?;
    out.show(&page, |page| {
        let rows = page.items.iter().map(|one| {
            [
                one.name.clone(),
                one.display_name.clone(),
                one.email.clone(),
                format!("{} ({})", one.status, one.reason),
                fed_by(one),
            ]
        });
        let header = ["name", "full name", "e-mail", "status", "connector"];
        told(page, table(header, rows), "There is no such user.")
    })
}

/// `vestibule directory groups`
pub fn groups(
    door: &Door,
    (directory, search): (&str, Option<&str>),
    of: &PageArgs,
    out: Output,
) -> Result<(), Failure> {
    let path = ["directories", directory, "groups"];
    let page: Page<Group> = door.get_with(&path, &query(of, search))?;
    out.show(&page, |page| {
        let rows = page.items.iter().map(|one| {
            let made = if one.local {
                "here or by a product"
            } else {
                "by a connector"
            };
            [one.name.clone(), made.to_owned(), one.description.clone()]
        });
        let header = ["name", "made", "description"];
        told(page, table(header, rows), "There is no such group.")
    })
}

/// `vestibule directory members`
pub fn members(
    door: &Door,
    (directory, group): (&str, &str),
    of: &PageArgs,
    out: Output,
) -> Result<(), Failure> {
    let path = ["directories", directory, "groups", group, "members"];
    let page: Page<Person> = door.get_with(&path, &query(of, None))?;
    out.show(&page, |page| {
        let rows = page.items.iter().map(|one| {
            [
                one.name.clone(),
                one.display_name.clone(),
                one.status.clone(),
                fed_by(one),
                origins(&one.origins),
            ]
        });
        let header = ["name", "full name", "status", "connector", "member by"];
        told(page, table(header, rows), "Nobody is in the group itself.")
    })
}

fn query(of: &PageArgs, search: Option<&str>) -> Vec<(&'static str, String)> {
    let mut query = vec![("limit", of.limit.to_string())];
    query.extend(search.map(|text| ("search", text.to_owned())));
    query.extend(of.after.clone().map(|name| ("after", name)));
    query
}

fn fed_by(one: &Person) -> String {
    one.connector.clone().unwrap_or_else(|| "none".to_owned())
}

/// A table, and how to see what comes behind it.
fn told<T>(page: &Page<T>, table: String, nothing: &str) -> String {
    match (page.items.is_empty(), &page.next) {
        (true, _) => nothing.to_owned(),
        (false, None) => table,
        (false, Some(next)) => format!(
            "{table}\n\nThere are more: the same with --after {}",
            quoted(next)
        ),
    }
}
