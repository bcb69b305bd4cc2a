//! The overlay: the world as it becomes while users are decided on one after the other, and nothing is written.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use directory::rules::LookupBy;
use directory::{Change, Connector, Contribution, GivenUp, Override, Plan, SourceUserPk, UserPk};
use jiff::Timestamp;
use scim::{Resource, fold};
use store::{FormerHolder, NameStanding, ReadTx, StoredAccount};

use crate::ProvisionError;
use crate::world::{Stored, World};

/// The stored world with the names that changed hands laid over it.
pub(super) struct Overlay<'t, 'c> {
    stored: Stored<'t, 'c>,
    /// Who is decided on.
    about: Cell<SourceUserPk>,
    now: Timestamp,
    changed: RefCell<Changed>,
}

/// Who has a name.
pub(super) enum Holder {
    /// An account.
    Account(UserPk),
    /// The user of an account that is still to be made.
    New(SourceUserPk),
}

#[derive(Default)]
struct Changed {
    /// By folded name: who has it now; none if it became free.
    holders: HashMap<String, Option<UserPk>>,
    /// By folded name: who gave it up; none if it is kept for nobody any more.
    former: HashMap<String, Option<FormerHolder>>,
    /// Accounts of deleted users, and who took them over.
    taken_over: HashMap<UserPk, SourceUserPk>,
    /// Who waits for a name that somebody else has.
    waiting: BTreeMap<SourceUserPk, String>,
    waiting_for: HashMap<String, BTreeSet<SourceUserPk>>,
    /// Who waited for a name that became free.
    to_repeat: BTreeSet<SourceUserPk>,
}

impl<'t, 'c> Overlay<'t, 'c> {
    pub(super) fn new(tx: &'t ReadTx<'c>, connector: &'t Connector) -> Self {
        Self {
            stored: Stored::new(tx, connector),
            about: Cell::new(SourceUserPk(0)),
            now: tx.now(),
            changed: RefCell::default(),
        }
    }

    /// Says who is decided on next.
    pub(super) fn about(&self, source: SourceUserPk) {
        self.about.set(source);
    }

    /// Who has a name.
    pub(super) fn holder_of(&self, name: &str) -> Result<Option<Holder>, ProvisionError> {
        let holder = self.standing_of(name)?.holder;
        Ok(holder.map(|user| match user.0 {
            ..0 => Holder::New(SourceUserPk(-user.0)),
            _ => Holder::Account(user),
        }))
    }

    /// Takes in what was decided for a user.
    pub(super) fn take(
        &self,
        source: SourceUserPk,
        existing: Option<&StoredAccount>,
        plan: &Plan,
        waits_for: Option<&str>,
    ) {
        let mut changed = self.changed.borrow_mut();
        changed.stop_waiting(source);
        if let Some(name) = waits_for {
            changed.wait(source, fold(name));
        }
        if let Some(account) = existing.filter(|it| it.source.is_none()) {
            changed.taken_over.insert(account.user.pk, source);
        }
        // An account that is still to be made has no number; no stored one is negative.
        let pk = existing.map_or(UserPk(-source.0), |it| it.user.pk);
        changed.take(pk, plan, self.now);
    }

    /// Takes in what was decided for an account whose user is deleted.
    pub(super) fn take_deleted(&self, account: &StoredAccount, plan: &Plan) {
        let mut changed = self.changed.borrow_mut();
        changed.take(account.user.pk, plan, self.now);
    }

    /// Frees a name for somebody who is decided on next, as nobody waits for it any more.
    pub(super) fn set_aside(&self, name: &str) {
        let mut changed = self.changed.borrow_mut();
        changed.holders.insert(fold(name), None);
        changed.former.insert(fold(name), None);
    }

    /// Keeps a name for nobody.
    pub(super) fn forget_former(&self, name: &str) {
        self.changed.borrow_mut().former.insert(fold(name), None);
    }

    /// Users who waited for a name that became free since this was last asked, in the order of their numbers.
    pub(super) fn to_repeat(&self) -> Vec<SourceUserPk> {
        let users = std::mem::take(&mut self.changed.borrow_mut().to_repeat);
        users.into_iter().collect()
    }

    /// Users who wait for a name, in the order of their numbers.
    pub(super) fn waiting(&self) -> Vec<SourceUserPk> {
        self.changed.borrow().waiting.keys().copied().collect()
    }

    fn is_left(&self, account: &StoredAccount) -> bool {
        let changed = self.changed.borrow();
        let owner = changed.taken_over.get(&account.user.pk);
        owner.is_none_or(|owner| *owner == self.about.get())
    }
}

impl Changed {
    fn take(&mut self, pk: UserPk, plan: &Plan, now: Timestamp) {
        let given_up = GivenUp::by(plan);
        for change in &plan.changes {
            match change {
                Change::CreateUser { attributes, .. } => {
                    self.holders.insert(fold(&attributes.username), Some(pk));
                }
                Change::RenameUser { from, to } => {
                    self.free(fold(from), pk);
                    self.holders.insert(fold(to), Some(pk));
                }
                Change::RemoveUser { name, .. } => self.free(fold(name), pk),
                _ => {}
            }
        }
        if let Some((name, manner)) = given_up {
            let at = now;
            let former = FormerHolder {
                user: pk,
                manner,
                at,
            };
            self.former.insert(fold(name), Some(former));
        }
    }

    fn free(&mut self, name: String, pk: UserPk) {
        let waiting = self.waiting_for.get(&name).into_iter().flatten();
        self.to_repeat.extend(waiting);
        // In a ring the next one has it already.
        let holder = self.holders.get(&name).copied().flatten();
        if holder.is_none_or(|holder| holder == pk) {
            self.holders.insert(name, None);
        }
    }

    fn wait(&mut self, source: SourceUserPk, name: String) {
        let waiting = self.waiting_for.entry(name.clone()).or_default();
        waiting.insert(source);
        self.waiting.insert(source, name);
    }

    fn stop_waiting(&mut self, source: SourceUserPk) {
        if let Some(name) = self.waiting.remove(&source)
            && let Some(waiting) = self.waiting_for.get_mut(&name)
        {
            waiting.remove(&source);
        }
    }
}

impl World for Overlay<'_, '_> {
    fn standing_of(&self, name: &str) -> Result<NameStanding, ProvisionError> {
        let stored = self.stored.standing_of(name)?;
        let (changed, name) = (self.changed.borrow(), fold(name));
        let holder = changed.holders.get(&name).copied();
        let former = changed.former.get(&name).copied();
        Ok(NameStanding {
            holder: holder.unwrap_or(stored.holder),
            former: former.unwrap_or(stored.former),
        })
    }

    fn orphan_by_external_id(
        &self,
        external_id: &str,
    ) -> Result<Option<StoredAccount>, ProvisionError> {
        let found = self.stored.orphan_by_external_id(external_id)?;
        Ok(found.filter(|account| self.is_left(account)))
    }

    fn find_user(&self, by: LookupBy, value: &str) -> Result<Option<Resource>, ProvisionError> {
        self.stored.find_user(by, value)
    }

    fn account(&self, user: UserPk) -> Result<Option<StoredAccount>, ProvisionError> {
        let found = self.stored.account(user)?;
        Ok(found.filter(|account| self.is_left(account)))
    }

    fn holders_of_email(&self, email: &str) -> Result<Vec<UserPk>, ProvisionError> {
        self.stored.holders_of_email(email)
    }

    fn holders_of_attribute(&self, name: &str, value: &str) -> Result<Vec<UserPk>, ProvisionError> {
        self.stored.holders_of_attribute(name, value)
    }

    fn are_two(&self, source: SourceUserPk, name: &str) -> Result<bool, ProvisionError> {
        self.stored.are_two(source, name)
    }

    fn overrides(&self, user: UserPk) -> Result<Vec<Override>, ProvisionError> {
        self.stored.overrides(user)
    }

    fn contributions(&self, user: UserPk) -> Result<Vec<Contribution>, ProvisionError> {
        self.stored.contributions(user)
    }
}
