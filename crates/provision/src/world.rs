//! The world: what a decision about one person asks about others.

use std::cell::RefCell;

use directory::rules::{CompiledRules, LookupBy};
use directory::{
    Connector, Contribution, Outcome, Override, Reason, SourceUserPk, Subject, Surroundings, UserPk,
};
use jiff::Timestamp;
use scim::{Resource, fold};
use store::{FormerHolder, NameStanding, ReadTx, SourceUser, StoreError, StoredAccount};

use crate::ProvisionError;

/// Answers about others, from the store or from what a preview makes of it.
pub(crate) trait World {
    /// Who has this user name in the directory, and who had it.
    fn standing_of(&self, name: &str) -> Result<NameStanding, ProvisionError>;

    /// The account with this number.
    fn account(&self, user: UserPk) -> Result<Option<StoredAccount>, ProvisionError>;

    /// Who has this e-mail address in the directory.
    fn holders_of_email(&self, email: &str) -> Result<Vec<UserPk>, ProvisionError>;

    /// Who has this value of an attribute that no rule wrote.
    fn holders_of_attribute(&self, name: &str, value: &str) -> Result<Vec<UserPk>, ProvisionError>;

    /// Whether somebody decided that a user of the source and the account of this name are two people.
    fn are_two(&self, source: SourceUserPk, name: &str) -> Result<bool, ProvisionError>;

    /// An account that the IdP deleted and that had this `externalId`: the same person coming back.
    fn orphan_by_external_id(
        &self,
        external_id: &str,
    ) -> Result<Option<StoredAccount>, ProvisionError>;

    /// Another user of the connector, as the IdP wrote it.
    fn find_user(&self, by: LookupBy, value: &str) -> Result<Option<Resource>, ProvisionError>;

    /// What administrators say about a user beside the rules.
    fn overrides(&self, user: UserPk) -> Result<Vec<Override>, ProvisionError>;

    /// What other connectors give to an account.
    fn contributions(&self, user: UserPk) -> Result<Vec<Contribution>, ProvisionError>;
}

/// The world as it is stored, seen from one connector.
pub(crate) struct Stored<'t, 'c> {
    tx: &'t ReadTx<'c>,
    connector: &'t Connector,
}

impl<'t, 'c> Stored<'t, 'c> {
    pub(crate) fn new(tx: &'t ReadTx<'c>, connector: &'t Connector) -> Self {
        Self { tx, connector }
    }

    fn stored_user(&self, by: LookupBy, value: &str) -> Result<Option<SourceUser>, StoreError> {
        let id = match by {
            LookupBy::Id => Some(value.to_owned()),
            LookupBy::UserName => self
                .tx
                .source_user_id_by_user_name(self.connector.id, value)?,
            // Several with one externalId: nobody can say who is meant.
            LookupBy::ExternalId => self
                .tx
                .source_user_ids_by_external_id(self.connector.id, value)
                .map(|mut ids| ids.pop().filter(|_| ids.is_empty()))?,
        };
        match id {
            Some(id) => self.tx.source_user(self.connector.id, &id),
            None => Ok(None),
        }
    }
}

impl World for Stored<'_, '_> {
    fn standing_of(&self, name: &str) -> Result<NameStanding, ProvisionError> {
        Ok(self.tx.name_standing(self.connector.directory, name)?)
    }

    fn account(&self, user: UserPk) -> Result<Option<StoredAccount>, ProvisionError> {
        Ok(self.tx.account(user)?)
    }

    fn holders_of_email(&self, email: &str) -> Result<Vec<UserPk>, ProvisionError> {
        let directory = self.connector.directory;
        let found = self.tx.directory_users_by_email(directory, email)?;
        Ok(found.into_iter().map(|user| user.pk).collect())
    }

    fn holders_of_attribute(&self, name: &str, value: &str) -> Result<Vec<UserPk>, ProvisionError> {
        let directory = self.connector.directory;
        let found = self
            .tx
            .directory_users_by_attribute(directory, name, value)?;
        Ok(found.into_iter().map(|user| user.pk).collect())
    }

    fn are_two(&self, source: SourceUserPk, name: &str) -> Result<bool, ProvisionError> {
        let found = self.tx.standoff(source)?;
        Ok(found.is_some_and(|it| it.kept && it.name == fold(name)))
    }

    fn orphan_by_external_id(
        &self,
        external_id: &str,
    ) -> Result<Option<StoredAccount>, ProvisionError> {
        let found = self
            .tx
            .orphan_by_external_id(self.connector.id, external_id)?;
        Ok(found.map(as_deleted))
    }

    fn find_user(&self, by: LookupBy, value: &str) -> Result<Option<Resource>, ProvisionError> {
        match self.stored_user(by, value)? {
            Some(stored) => Ok(Some(stored.resource()?)),
            None => Ok(None),
        }
    }

    fn overrides(&self, user: UserPk) -> Result<Vec<Override>, ProvisionError> {
        Ok(self.tx.overrides_of(user)?)
    }

    fn contributions(&self, user: UserPk) -> Result<Vec<Contribution>, ProvisionError> {
        Ok(self.tx.contributions_to(user)?)
    }
}

/// An account whose user the IdP deleted, whether or not that took effect already: a hold may keep it back.
pub(crate) fn as_deleted(mut found: StoredAccount) -> StoredAccount {
    if found.account.reason == Reason::Held {
        found.account.reason = Reason::IdpDeleted;
    }
    found
}

/// The world as the rules see it: around one person, and without errors, which are told afterwards.
pub(crate) struct Around<'w> {
    world: &'w dyn World,
    rules: &'w CompiledRules,
    now: Timestamp,
    /// The person's own account, whose name is not taken by somebody else.
    own: Option<UserPk>,
    failed: RefCell<Option<ProvisionError>>,
}

impl<'w> Around<'w> {
    pub(crate) fn new(
        world: &'w dyn World,
        rules: &'w CompiledRules,
        now: Timestamp,
        own: Option<UserPk>,
    ) -> Self {
        Self {
            world,
            rules,
            now,
            own,
            failed: RefCell::new(None),
        }
    }

    /// The first error that an answer met.
    pub(crate) fn checked(self) -> Result<(), ProvisionError> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }

    fn answer<T: Default>(&self, found: Result<T, ProvisionError>) -> T {
        found.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            T::default()
        })
    }
}

/// Decides about an account by some rules, in a world that is asked on the way.
pub(crate) fn evaluate_in(
    world: &dyn World,
    rules: &CompiledRules,
    subject: &Subject<'_>,
    account: UserPk,
) -> Result<Outcome, ProvisionError> {
    let around = Around::new(world, rules, subject.now, Some(account));
    let outcome = directory::evaluate_among(subject, rules, &around);
    around.checked().map(|()| outcome)
}

impl Surroundings for Around<'_> {
    fn is_taken(&self, username: &str) -> bool {
        let standing = self.answer(self.world.standing_of(username));
        let standing = standing.besides(self.own);
        let reserved = |former: FormerHolder| self.rules.reserved_until(former.at, self.now);
        standing.holder.is_some() || standing.former.and_then(reserved).is_some()
    }

    fn find_user(&self, by: LookupBy, value: &str) -> Option<Resource> {
        self.answer(self.world.find_user(by, value))
    }
}
