//! Okta's import: it reads all users and groups from the app, page by page.

use std::collections::BTreeSet;

use super::Okta;
use crate::answer::{self, Remote};
use crate::http::Trouble;
use crate::report::{Failure, Progress, Report, Run};

/// So many resources are asked for at once.
const PAGE: u64 = 100;

/// A user as Okta imported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedUser {
    /// The server's id.
    pub id: String,
    /// The login name.
    pub user_name: String,
}

/// A group as Okta imported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedGroup {
    /// The server's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The ids of its members.
    pub members: BTreeSet<String>,
}

/// Everything an import brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The active users.
    pub users: Vec<ImportedUser>,
    /// The inactive ones, whom Okta reads and then leaves out.
    pub inactive: Vec<ImportedUser>,
    /// The groups.
    pub groups: Vec<ImportedGroup>,
}

impl Okta {
    /// Imports users and groups. What could not be read is in the report, and missing in the import.
    pub async fn import(&self, progress: &Progress<'_>) -> (Import, Report) {
        let run = Run::begin(progress);
        let mut import = Import::default();
        if let Some(users) = run.noted(
            || "import users".to_owned(),
            self.read_all("/Users", &run).await,
        ) {
            let (active, inactive): (Vec<Remote>, Vec<Remote>) =
                users.into_iter().partition(Remote::active);
            import.users = active.into_iter().map(imported_user).collect();
            import.inactive = inactive.into_iter().map(imported_user).collect();
            run.count_many("users imported", import.users.len());
        }
        if let Some(groups) = run.noted(
            || "import groups".to_owned(),
            self.read_all("/Groups", &run).await,
        ) {
            import.groups = groups.into_iter().map(imported_group).collect();
            run.count_many("groups imported", import.groups.len());
        }
        (import, run.end())
    }

    /// Imports, and compares with what was acknowledged: everybody and every group has to be there, and to be as it was
    /// sent. Where the last request got no answer, either state will do.
    pub async fn import_and_compare(&self, progress: &Progress<'_>) -> Report {
        let (import, mut report) = self.import(progress).await;
        for (task, why) in self.wrong_users(&import).chain(self.wrong_groups(&import)) {
            let exchange = None;
            report.add_failure(Failure {
                task,
                why,
                exchange,
            });
        }
        report
    }

    fn wrong_users(&self, import: &Import) -> impl Iterator<Item = (String, String)> {
        let active: BTreeSet<&str> = import.users.iter().map(|user| user.id.as_str()).collect();
        let inactive: BTreeSet<&str> = import
            .inactive
            .iter()
            .map(|user| user.id.as_str())
            .collect();
        self.users.iter().filter_map(move |(person, user)| {
            let seen = match (
                active.contains(user.id.as_str()),
                inactive.contains(user.id.as_str()),
            ) {
                (false, false) => {
                    return Some((format!("import {}", user.login), "missing".to_owned()));
                }
                (is_active, _) => is_active,
            };
            let right = seen == user.active || self.doubtful_users.contains(person);
            (!right).then(|| {
                (
                    format!("import {}", user.login),
                    format!("active is {seen}"),
                )
            })
        })
    }

    fn wrong_groups(&self, import: &Import) -> impl Iterator<Item = (String, String)> {
        let certain = self
            .groups
            .iter()
            .filter(|(id, _)| !self.doubtful_groups.contains(id));
        certain.filter_map(|(_, pushed)| {
            let task = format!("import group {}", pushed.name);
            let Some(group) = import.groups.iter().find(|group| group.id == pushed.id) else {
                return Some((task, "missing".to_owned()));
            };
            let sent = pushed
                .members
                .iter()
                .filter_map(|person| self.remote_user(*person));
            let sent: BTreeSet<String> = sent.map(str::to_owned).collect();
            let why = format!("has {} members, not {}", group.members.len(), sent.len());
            (sent != group.members).then_some((task, why))
        })
    }

    /// Reads pages until the total is reached; a page that is short or repeats something tears the import.
    async fn read_all(&self, endpoint: &str, run: &Run<'_>) -> Result<Vec<Remote>, Trouble> {
        let mut all: Vec<Remote> = Vec::new();
        let mut ids = BTreeSet::new();
        loop {
            let start = all.len() as u64 + 1;
            let answer = self
                .get(&format!("{endpoint}?startIndex={start}&count={PAGE}"))
                .await?;
            let page = answer::page(&answer)?;
            run.expect(1);
            run.step(endpoint);
            if let Some(twice) = page
                .resources
                .iter()
                .find(|resource| !ids.insert(resource.id.clone()))
            {
                return Err(answer.trouble(format!("the pages hold {} twice", twice.id)));
            }
            if page.resources.is_empty() && (all.len() as u64) < page.total {
                return Err(answer.trouble(format!(
                    "the pages end after {} of {}",
                    all.len(),
                    page.total
                )));
            }
            all.extend(page.resources);
            if all.len() as u64 >= page.total {
                return Ok(all);
            }
        }
    }
}

fn imported_user(user: Remote) -> ImportedUser {
    ImportedUser {
        user_name: user.text("userName").unwrap_or_default().to_owned(),
        id: user.id,
    }
}

fn imported_group(group: Remote) -> ImportedGroup {
    ImportedGroup {
        name: group.text("displayName").unwrap_or_default().to_owned(),
        members: group.members().map(str::to_owned).collect(),
        id: group.id,
    }
}
