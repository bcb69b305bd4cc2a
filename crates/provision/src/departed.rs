//! Departed users: the identity provider deleted them before all that it had said of their groups took effect. It takes
//! effect with the deletion, as if it had come first.

use std::collections::BTreeSet;

use directory::name::same;
use directory::{
    Account, Membership, Origin, Override, Reason, SourceGroup, SourceGroupPk, Status, Subject,
    Trigger, Verdict,
};
use jiff::Timestamp;
use scim::Resource;
use store::{ReadTx, SourceUser, StoredAccount, WriteTx};

use crate::ProvisionError;
use crate::loaded::LoadedConnector;
use crate::world::{World, evaluate_in};

/// What somebody was when the user was deleted.
pub(crate) struct Departed {
    user: Resource,
    groups: Vec<SourceGroup>,
}

impl Departed {
    /// What is kept of the user of an account.
    pub(crate) fn of(
        tx: &ReadTx<'_>,
        account: &StoredAccount,
    ) -> Result<Option<Self>, ProvisionError> {
        let Some(kept) = tx.departed(account.user.pk)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            user: Resource::parse_stored(&kept.document)?,
            groups: kept.groups,
        }))
    }

    /// The account with those of its memberships that the user would have kept.
    pub(crate) fn left_with(
        &self,
        world: &dyn World,
        connector: &LoadedConnector,
        account: &StoredAccount,
        (now, trigger): (Timestamp, Trigger),
        overrides: &[Override],
    ) -> Result<Account, ProvisionError> {
        let mut left = account.account.clone();
        let alive = Account {
            status: Status::Active,
            reason: Reason::IdpActive,
            ..left.clone()
        };
        let subject = Subject {
            user: Some(&self.user),
            groups: &self.groups,
            existing: Some(&alive),
            now,
            trigger,
            overrides,
        };
        let outcome = evaluate_in(world, &connector.rules, &subject, account.user.pk)?;
        if matches!(outcome.verdict, Verdict::Account { .. }) {
            let kept = |held: Membership| {
                let mut wanted = outcome.memberships.iter();
                wanted.find(|it| same(&it.group, &held.group)).cloned()
            };
            left.memberships = left.memberships.into_iter().filter_map(kept).collect();
        }
        Ok(left)
    }
}

/// Keeps what a user is that is about to be deleted, if the account has memberships that the identity provider has taken
/// back already.
pub(crate) fn keep_if_unsettled(
    tx: &WriteTx<'_>,
    user: &SourceUser,
    account: &StoredAccount,
) -> Result<(), ProvisionError> {
    let given: BTreeSet<SourceGroupPk> = origins(&account.account).collect();
    if given.is_empty() {
        return Ok(());
    }
    let groups = tx.effective_source_groups(user.pk)?;
    let groups: Vec<SourceGroupPk> = groups.iter().map(|group| group.id).collect();
    if given.iter().any(|group| !groups.contains(group)) {
        tx.keep_departed(account.user.pk, &user.document, &groups)?;
    }
    Ok(())
}

/// The source groups by which an account is in groups.
fn origins(account: &Account) -> impl Iterator<Item = SourceGroupPk> {
    let all = account.memberships.iter().flat_map(|it| &it.origins);
    all.filter_map(|origin| match origin {
        Origin::Idp(group) => Some(*group),
        _ => None,
    })
}
