//! Okta's import: it reads all users and groups from the app, page by page.

use std::collections::BTreeSet;

use super::Okta;
use crate::answer::{self, Remote};
use crate::http::Trouble;
use crate::report::{Failure, Progress, Report, Run};

/// So many resources are asked for at once.
const PAGE: u64 = 100;

/// A user as Okta imported it; inactive ones are left out.
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
            let active = users.into_iter().filter(Remote::active);
            import.users = active
                .map(|user| ImportedUser {
                    user_name: user.text("userName").unwrap_or_default().to_owned(),
                    id: user.id,
                })
                .collect();
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

    /// Imports, and compares with what was sent: it is a failure if somebody active, or a group, is missing, or if a
    /// group has other members.
    pub async fn import_and_compare(&self, progress: &Progress<'_>) -> Report {
        let (import, mut report) = self.import(progress).await;
        let people: BTreeSet<&str> = import.users.iter().map(|user| user.id.as_str()).collect();
        let missing = self
            .users
            .values()
            .filter(|user| user.active && !people.contains(user.id.as_str()));
        let mut wrong: Vec<(String, String)> = missing
            .map(|user| (format!("import {}", user.login), "missing".to_owned()))
            .collect();
        for pushed in self.groups.values() {
            let task = format!("import group {}", pushed.name);
            match import.groups.iter().find(|group| group.id == pushed.id) {
                None => wrong.push((task, "missing".to_owned())),
                Some(group) => {
                    let sent = pushed
                        .members
                        .iter()
                        .filter_map(|person| self.remote_user(*person));
                    let sent: BTreeSet<String> = sent.map(str::to_owned).collect();
                    if sent != group.members {
                        wrong.push((
                            task,
                            format!("has {} members, not {}", group.members.len(), sent.len()),
                        ));
                    }
                }
            }
        }
        for (task, why) in wrong {
            report.add_failure(Failure {
                task,
                why,
                exchange: None,
            });
        }
        report
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

fn imported_group(group: Remote) -> ImportedGroup {
    ImportedGroup {
        name: group.text("displayName").unwrap_or_default().to_owned(),
        members: group.members().map(str::to_owned).collect(),
        id: group.id,
    }
}
