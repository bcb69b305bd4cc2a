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
