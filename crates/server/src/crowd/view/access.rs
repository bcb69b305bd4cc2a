//! Who may log in: everybody of a directory, or only members of certain groups.

use std::collections::BTreeSet;

use directory::Group;
use scim::fold;
use sha2::{Digest, Sha256};
use store::{AttachedDirectory, ReadTx, StoreError};

use super::nesting::Way;
use super::{Account, View};

/// For each directory in the order the folded names of the groups that let its users in; none lets everybody in.
pub(in crate::crowd) struct Gates(Vec<Option<BTreeSet<String>>>);

impl Gates {
    /// Groups below the named ones let in too.
    pub(super) fn new(view: &View, tx: &ReadTx<'_>) -> Result<Gates, StoreError> {
        let gates = view.0.directories.iter().map(|attached| {
            let Some(groups) = &attached.login_groups else {
                return Ok(None);
            };
            let named = groups.iter().map(|name| fold(name)).collect();
            Ok(Some(view.closure(tx, Way::Down, named)?))
        });
        Ok(Gates(gates.collect::<Result<_, StoreError>>()?))
    }

    /// Those of these users who may log in.
    pub(super) fn admitted(
        &self,
        view: &View,
        tx: &ReadTx<'_>,
        accounts: Vec<Account>,
    ) -> Result<Vec<Account>, StoreError> {
        let gate_of = |account: &Account| self.0.get(account.place).and_then(Option::as_ref);
        if accounts.iter().all(|account| gate_of(account).is_none()) {
            return Ok(accounts);
        }
        let groups = view.groups_of_many(tx, &accounts)?;
        let admitted = accounts
            .into_iter()
            .zip(groups)
            .filter(|(account, groups)| {
                gate_of(account)
                    .is_none_or(|gate| groups.iter().any(|name| gate.contains(&fold(name))))
            });
        Ok(admitted.map(|(account, _)| account).collect())
    }
}

/// How the login groups of a directory stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GateStanding {
    /// Those that no directory of the application has.
    pub(crate) missing: Vec<String>,
    /// Whether nobody is in any of them, or in a group below: nobody may log in.
    pub(crate) lets_nobody_in: bool,
}

impl View {
    /// How the login groups of each directory stand, in their order; none where everybody may log in.
    pub(crate) fn gate_standings(
        &self,
        tx: &ReadTx<'_>,
    ) -> Result<Vec<Option<GateStanding>>, StoreError> {
        let attached = self.0.directories.iter();
        attached
            .map(|one| match &one.login_groups {
                Some(groups) => self.gate_standing(tx, one, groups).map(Some),
                None => Ok(None),
            })
            .collect()
    }

    fn gate_standing(
        &self,
        tx: &ReadTx<'_>,
        attached: &AttachedDirectory,
        groups: &[String],
    ) -> Result<GateStanding, StoreError> {
        let known = self.known_groups(tx, groups)?;
        let missing = groups.iter().filter(|name| !known.contains(&fold(name)));
        Ok(GateStanding {
            missing: missing.cloned().collect(),
            lets_nobody_in: !self.has_members(tx, attached, known)?,
        })
    }

    /// Those of these groups, by the folds of their names, that a directory of the application has.
    fn known_groups(
        &self,
        tx: &ReadTx<'_>,
        groups: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let named: BTreeSet<String> = groups.iter().map(|name| fold(name)).collect();
        let mut known = BTreeSet::new();
        for directory in self.directories() {
            let found = tx.directory_groups_named(directory, named.iter().map(String::as_str))?;
            known.extend(found.iter().map(|group| fold(&group.name)));
        }
        Ok(known)
    }

    /// Whether somebody is in one of these groups or below, in a directory whose memberships count.
    fn has_members(
        &self,
        tx: &ReadTx<'_>,
        attached: &AttachedDirectory,
        groups: BTreeSet<String>,
    ) -> Result<bool, StoreError> {
        let groups = self.closure(tx, Way::Down, groups)?;
        let counting = self
            .directories()
            .filter(|one| self.0.aggregate_memberships || *one == attached.directory);
        for directory in counting {
            for group in tx.directory_groups_named(directory, groups.iter().map(String::as_str))? {
                if !tx.user_pks_of_group(group.pk, 1)?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Why a list of those who may log in would be short, or empty, by mistake: the groups of a directory are all gone.
    /// A product forgets whoever is missing from such a list. That the last one leaves a group is no mistake: limits
    /// see to that.
    pub(in crate::crowd) fn shut_gate(
        &self,
        tx: &ReadTx<'_>,
    ) -> Result<Option<Vec<String>>, StoreError> {
        if !self.is_filtered() {
            return Ok(None);
        }
        let mut shut = Vec::new();
        for attached in &self.0.directories {
            let groups = attached.login_groups.as_deref().unwrap_or_default();
            if !groups.is_empty() && self.known_groups(tx, groups)?.is_empty() {
                shut.extend_from_slice(groups);
            }
        }
        Ok((!shut.is_empty()).then_some(shut))
    }
}

/// Which groups are seen. One that several directories have is one group: it is seen if one of them shows it.
pub(in crate::crowd) enum Sight {
    /// Every one.
    All,
    /// In each directory those that let its users in, and those in them.
    Only(Gates),
}

impl Sight {
    /// Whether the directory at this place shows a group of its own.
    pub(in crate::crowd) fn shows(&self, place: usize, group: &Group) -> bool {
        self.shows_name(place, &fold(&group.name))
    }

    /// The same by the fold of its name.
    pub(super) fn shows_name(&self, place: usize, name: &str) -> bool {
        match self {
            Sight::All => true,
            Sight::Only(Gates(gates)) => match gates.get(place) {
                Some(Some(gate)) => gate.contains(name),
                _ => true,
            },
        }
    }
}

/// Tells the login groups of views apart.
pub(super) fn mark(directories: &[AttachedDirectory]) -> String {
    let mut hash = Sha256::new();
    for attached in directories {
        let groups: Option<BTreeSet<String>> = attached
            .login_groups
            .as_ref()
            .map(|groups| groups.iter().map(|name| fold(name)).collect());
        hash.update(format!("{groups:?};"));
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
