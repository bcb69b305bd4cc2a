//! What becomes of an application's users if it sees other directories, or other groups may log in: looked at before it is done.

use std::collections::BTreeSet;

use directory::{DirectoryId, UserPk};
use store::{AttachedDirectory, ReadTx};

use crate::applications::{DirectoryChoice, checked_groups};
use crate::{Provision, ProvisionError};

/// What becomes of the users of one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPreview {
    /// The directory.
    pub directory: String,
    /// How many may log in now; none if the application does not see it.
    pub before: Option<u64>,
    /// How many may then, likewise.
    pub after: Option<u64>,
    /// How many who may now may not then.
    pub loses: u64,
    /// Groups that may log in and that are not there.
    pub unknown_groups: Vec<String>,
}

/// Who of a directory may log in.
enum Admitted {
    /// So many: everybody who is active.
    Everybody(u64),
    These(BTreeSet<UserPk>),
}

impl Admitted {
    fn of(
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        groups: Option<&[String]>,
    ) -> Result<Self, ProvisionError> {
        let Some(groups) = groups else {
            let counts = tx.directory_counts(&[directory])?;
            let active = counts.get(&directory).map(|counts| counts.active_users);
            let active = u64::try_from(active.unwrap_or_default()).unwrap_or_default();
            return Ok(Self::Everybody(active));
        };
        let mut users = BTreeSet::new();
        for name in groups {
            if let Some(group) = tx.directory_group(directory, name)? {
                users.extend(tx.active_users_below_group(group.pk)?);
            }
        }
        Ok(Self::These(users))
    }

    fn count(&self) -> u64 {
        match self {
            Self::Everybody(count) => *count,
            Self::These(users) => users.len() as u64,
        }
    }

    /// How many of these are not among others.
    fn without(&self, others: Option<&Self>) -> u64 {
        match (self, others) {
            (all, None) => all.count(),
            (_, Some(Self::Everybody(_))) => 0,
            (Self::Everybody(count), Some(others)) => count.saturating_sub(others.count()),
            (Self::These(users), Some(Self::These(others))) => {
                users.difference(others).count() as u64
            }
        }
    }
}

impl Provision {
    /// What becomes of the users of each directory that an application sees, or would see with these choices.
    pub async fn preview_application(
        &self,
        application: &str,
        choices: Vec<DirectoryChoice>,
    ) -> Result<Vec<AccessPreview>, ProvisionError> {
        let application = application.to_owned();
        let preview = self.store().read(move |tx| {
            let found = tx.application_by_public_id(&application)?;
            let found =
                found.ok_or_else(|| ProvisionError::not_found("application", &application))?;
            let mut wanted = Vec::with_capacity(choices.len());
            for choice in &choices {
                let directory = tx.find_directory(&choice.directory)?;
                let directory = directory
                    .ok_or_else(|| ProvisionError::not_found("directory", &choice.directory))?;
                wanted.push(AttachedDirectory {
                    login_groups: checked_groups(choice.login_groups.as_deref())?,
                    ..AttachedDirectory::new(directory.id)
                });
            }
            let seen = &found.mapping.directories;
            let new = wanted
                .iter()
                .filter(|one| of(seen, one.directory).is_none());
            let all = seen.iter().chain(new).map(|one| one.directory);
            all.map(|directory| preview(tx, directory, (seen, &wanted)))
                .collect::<Result<Vec<_>, _>>()
        });
        preview.await
    }
}

fn of(attached: &[AttachedDirectory], directory: DirectoryId) -> Option<&AttachedDirectory> {
    attached.iter().find(|one| one.directory == directory)
}

fn preview(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    (seen, wanted): (&[AttachedDirectory], &[AttachedDirectory]),
) -> Result<AccessPreview, ProvisionError> {
    let admitted = |attached: &[AttachedDirectory]| {
        let attached = of(attached, directory);
        let groups = attached.map(|one| one.login_groups.as_deref());
        groups
            .map(|groups| Admitted::of(tx, directory, groups))
            .transpose()
    };
    let (before, after) = (admitted(seen)?, admitted(wanted)?);
    let named = of(wanted, directory).and_then(|one| one.login_groups.as_deref());
    let mut unknown_groups = Vec::new();
    for name in named.unwrap_or_default() {
        if tx.directory_group(directory, name)?.is_none() {
            unknown_groups.push(name.clone());
        }
    }
    let name = tx.directory(directory)?.map(|found| found.name);
    Ok(AccessPreview {
        directory: name.unwrap_or_default(),
        loses: before.as_ref().map_or(0, |now| now.without(after.as_ref())),
        before: before.as_ref().map(Admitted::count),
        after: after.as_ref().map(Admitted::count),
        unknown_groups,
    })
}
