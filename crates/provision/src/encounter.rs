//! An encounter: which account that exists already a user without one is taken for (US-08, US-09).

use directory::identity::Met;
use directory::{
    Attributes, Connector, GivenUp, Holder, MatchedBy, Meeting, Moment, Status, UserPk, meet,
};
use store::{NameStanding, StoredAccount};

use crate::ProvisionError;
use crate::facts::Person;
use crate::world::{World, as_deleted};

/// What is looked at to find an account for a user without one.
pub(crate) struct Encounter<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) connector: &'a Connector,
    pub(crate) person: &'a Person<'a>,
    pub(crate) moment: Moment,
    /// Whether its directory is one that connectors share.
    pub(crate) shares: bool,
}

impl Encounter<'_> {
    /// The account that is met, with what happens. Whoever has the name comes first, since that name cannot be had
    /// twice, or had it until the identity provider deleted its user; then, where the rules say so, the one account
    /// with the address or the attribute. `reserved` means that the name is kept for whoever had it.
    pub(crate) fn find(
        &self,
        attributes: &Attributes,
        standing: NameStanding,
        reserved: bool,
    ) -> Result<Option<(Met, StoredAccount)>, ProvisionError> {
        if let Some(holder) = standing.holder {
            return self.meet(holder, MatchedBy::Username);
        }
        let lost = standing.former.filter(|it| it.manner != GivenUp::Renamed);
        if let Some(former) = lost
            && let Some(account) = self.world.account(former.user)?
            && matches!(
                self.holder_of(&account),
                Holder::Deleted | Holder::Returning
            )
        {
            let found = self.met(account, MatchedBy::Username);
            if reserved || matches!(found.0.effect, Meeting::Link | Meeting::Reject) {
                return Ok(Some(found));
            }
        }
        let identity = &self.connector.rules.identity;
        if let Some(email) = identity.email(attributes)
            && let Some(only) = only(self.world.holders_of_email(email)?)
            && let Some(met) = self.meet_other(only, MatchedBy::Email)?
        {
            return Ok(Some(met));
        }
        if let Some((name, value)) = identity.attribute(attributes)
            && let Some(only) = only(self.world.holders_of_attribute(name, value)?)
        {
            return self.meet_other(only, MatchedBy::Attribute);
        }
        Ok(None)
    }

    /// An account with another name is somebody else if it belongs to a user of the same connector, or if
    /// somebody said so.
    fn meet_other(
        &self,
        account: UserPk,
        by: MatchedBy,
    ) -> Result<Option<(Met, StoredAccount)>, ProvisionError> {
        let Some((met, account)) = self.meet(account, by)? else {
            return Ok(None);
        };
        let is_another = matches!(
            met.holder,
            Holder::SameConnector | Holder::Deleted | Holder::Returning
        );
        if is_another || self.world.are_two(self.person.source, &met.name)? {
            return Ok(None);
        }
        Ok(Some((met, account)))
    }

    fn meet(
        &self,
        account: UserPk,
        by: MatchedBy,
    ) -> Result<Option<(Met, StoredAccount)>, ProvisionError> {
        let found = self.world.account(account)?;
        let Some(account) = found.filter(|found| found.user.status != Status::Removed) else {
            return Ok(None);
        };
        Ok(Some(self.met(account, by)))
    }

    fn met(&self, account: StoredAccount, by: MatchedBy) -> (Met, StoredAccount) {
        let holder = self.holder_of(&account);
        let met = Met {
            name: account.user.name.clone(),
            by,
            holder,
            effect: meet(
                &self.connector.rules.identity,
                holder,
                by,
                self.moment,
                self.shares,
            ),
        };
        let account = match holder {
            Holder::Deleted | Holder::Returning => as_deleted(account),
            _ => account,
        };
        (met, account)
    }

    fn holder_of(&self, account: &StoredAccount) -> Holder {
        let ids = (
            account.user.external_id.as_deref(),
            self.person.user.external_id(),
        );
        match Holder::of(&account.user, self.connector.id) {
            Holder::SameConnector if account.source.is_none() => match ids {
                (Some(before), Some(now)) if before != now => Holder::Deleted,
                _ => Holder::Returning,
            },
            holder => holder,
        }
    }
}

/// Several with one address or number: nobody can say who is meant.
fn only(mut found: Vec<UserPk>) -> Option<UserPk> {
    found.pop().filter(|_| found.is_empty())
}
