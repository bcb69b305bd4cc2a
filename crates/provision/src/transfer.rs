//! Giving accounts of one connector to another that feeds the same directory (BY-15): key and memberships stay, and what
//! the former identity provider does with its users has no effect on them any more.

use directory::name::same;
use directory::{
    Cause, Change, ConnectorId, ConnectorState, Contribution, Given, JobKind, JobState, MatchedBy,
    Membership, Origin, Outcome, SourceUserPk, Status, Trigger, UserPk, Verdict,
};
use scim::{Filter, Node, Resource, ResourceType};
use serde::{Deserialize, Serialize};
use store::{Job, JobWork, ReadTx, Scope, SourceUser, StoredAccount, StoredContribution, WriteTx};

use crate::decide::{Occasion, decide};
use crate::facts::{Facts, Person};
use crate::jobs::present;
use crate::loaded::LoadedConnector;
use crate::release::{begin_on_connector, require_idle, wish_of};
use crate::sharing::{given_by_owner, joined, said};
use crate::world::Stored;
use crate::{BegunJob, Provision, ProvisionError};

/// Accounts in one transaction.
const PIECE: i64 = 50;
/// Accounts that a preview names of each kind.
const NAMED_MAX: usize = 1_000;

/// By what a user of the other connector is found to be the same person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchBy {
    /// The same `userName`.
    #[default]
    UserName,
    /// An e-mail address of one is one of the other.
    Email,
    /// The same `externalId`.
    ExternalId,
}

/// Which accounts are to be given to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferWish {
    /// The connector that gets them.
    pub to: i64,
    /// How the same person is found there.
    pub match_by: MatchBy,
    /// A SCIM filter on the users of the connector that gives; none for all of them.
    pub filter: Option<String>,
    /// Whether memberships stay that the connector that gets them does not give.
    pub keep_memberships: bool,
    /// The account that was looked at last.
    #[serde(default)]
    pub behind: i64,
}

/// What would become of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// It is given.
    Transfer,
    /// Nobody there is the same person.
    NoMatch,
    /// Several there could be.
    Ambiguous,
    /// The same person has an account there already.
    HasAccount,
    /// The filter leaves it out.
    LeftOut,
}

/// What a transfer would do.
#[derive(Debug, Clone, Default)]
pub struct TransferPreview {
    /// Accounts with what would become of them, the first thousand that the filter does not leave out.
    pub accounts: Vec<TransferItem>,
    /// How many there are of each kind.
    pub counts: std::collections::BTreeMap<Fit, i64>,
}

/// One account in a preview.
#[derive(Debug, Clone)]
pub struct TransferItem {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What would become of it.
    pub fit: Fit,
    /// Whether it would be active afterwards.
    pub active: bool,
    /// The name it would have afterwards.
    pub name_after: String,
    /// Groups that it would be in only because it was before.
    pub kept_groups: Vec<String>,
    /// Groups that it would leave.
    pub lost_groups: Vec<String>,
    /// Groups that it would come into.
    pub new_groups: Vec<String>,
}

impl Provision {
    /// What a transfer would do.
    pub async fn preview_transfer(
        &self,
        from: ConnectorId,
        wish: TransferWish,
    ) -> Result<TransferPreview, ProvisionError> {
        let this = self.clone();
        self.store()
            .read(move |tx| {
                let transfer = Transfer::new(&this, tx, from, &wish)?;
                let mut preview = TransferPreview::default();
                let mut behind = UserPk(0);
                loop {
                    let users = tx.accounts_of(from, behind, PIECE)?;
                    let Some(last) = users.last() else {
                        return Ok(preview);
                    };
                    behind = *last;
                    for user in users {
                        transfer.preview(tx, user, &mut preview)?;
                    }
                }
            })
            .await
    }

    /// Gives accounts of one connector to another, as a job.
    pub async fn transfer(
        &self,
        from: ConnectorId,
        wish: TransferWish,
        actor: &str,
    ) -> Result<BegunJob, ProvisionError> {
        let actor = actor.to_owned();
        let directory = self.directory_of(from).await?;
        let this = self.clone();
        self.begin_release(directory, move |tx| {
            require_idle(tx, Some(from), directory)?;
            let transfer = Transfer::new(&this, tx, from, &wish)?;
            let accounts = tx.count_accounts(from)?;
            let total = accounts.active + accounts.disabled;
            let connector = &transfer.from.connector;
            begin_on_connector(tx, JobKind::Transfer, connector, &wish, total, &actor)
        })
        .await
    }

    /// Does one piece of a transfer. Gives false if there was nothing to do.
    pub(crate) async fn work_on_transfer(&self, job: &Job) -> Result<bool, ProvisionError> {
        let (id, this) = (job.id, self.clone());
        self.store()
            .write(Scope::Directory(job.directory), move |tx| {
                let job = present(tx, id)?;
                let (false, Some(from)) = (job.state.is_over(), job.connector) else {
                    return Ok(false);
                };
                let mut wish = wish_of::<TransferWish>(&job)?;
                let transfer = Transfer::new(&this, tx, from, &wish)?;
                let users = tx.accounts_of(from, UserPk(wish.behind), PIECE)?;
                let Some(last) = users.last() else {
                    tx.finish_job(id, JobState::Done, None)?;
                    return Ok(true);
                };
                wish.behind = last.0;
                let before = tx.journal_position(job.directory)?;
                let mut work = JobWork::default();
                for user in &users {
                    let Some(account) = live(tx, *user)? else {
                        continue;
                    };
                    work.worked += 1;
                    let (fit, source) = transfer.fit(tx, &account)?;
                    match source.filter(|_| fit == Fit::Transfer) {
                        Some(source) => {
                            transfer.give(&this, tx, &account, &source, &job.cause)?;
                            work.counts.add(directory::Operation::Transfer, 1);
                        }
                        None => work.counts.add(directory::Operation::Unchanged, 1),
                    }
                }
                tx.note_job_work(id, before, &work)?;
                let wish = serde_json::to_value(&wish)
                    .map_err(|error| ProvisionError::invalid("job", error.to_string()))?;
                tx.set_job_wish(id, &wish)?;
                Ok(true)
            })
            .await
    }
}

/// A transfer with all that it needs to know.
struct Transfer {
    from: std::sync::Arc<LoadedConnector>,
    to: std::sync::Arc<LoadedConnector>,
    match_by: MatchBy,
    filter: Option<Node>,
    keep_memberships: bool,
}

impl Transfer {
    fn new(
        provision: &Provision,
        tx: &ReadTx<'_>,
        from: ConnectorId,
        wish: &TransferWish,
    ) -> Result<Self, ProvisionError> {
        let from = provision.require_connector(tx, from)?;
        let to = provision.require_connector(tx, ConnectorId(wish.to))?;
        if from.connector.id == to.connector.id {
            let message = "is the connector that has the accounts; name another one";
            return Err(ProvisionError::invalid("to", message));
        }
        if from.connector.directory != to.connector.directory {
            let message = "feeds another directory; move it to this one first";
            return Err(ProvisionError::invalid("to", message));
        }
        if to.connector.state != ConnectorState::Active {
            let message = "is not active; resume it first";
            return Err(ProvisionError::invalid("to", message));
        }
        let filter = match wish.filter.as_deref() {
            Some(text) => Some(Filter::parse(text)?.resolve(ResourceType::user())?),
            None => None,
        };
        Ok(Self {
            from,
            to,
            match_by: wish.match_by,
            filter,
            keep_memberships: wish.keep_memberships,
        })
    }

    /// What becomes of an account, and the user of the other connector that is the same person.
    fn fit(
        &self,
        tx: &ReadTx<'_>,
        account: &StoredAccount,
    ) -> Result<(Fit, Option<SourceUser>), ProvisionError> {
        let own = match account.source {
            Some(source) => tx.source_user_by_pk(self.from.connector.id, source)?,
            None => None,
        };
        let own = own.map(|found| found.resource()).transpose()?;
        if let Some(filter) = &self.filter
            && own.as_ref().is_none_or(|user| !filter.matches(user))
        {
            return Ok((Fit::LeftOut, None));
        }
        let mut speaking = tx.contributions_to(account.user.pk)?;
        speaking.retain(|one| one.connector == self.to.connector.id);
        let found = match speaking.as_slice() {
            [] => self.candidates(tx, account, own.as_ref())?,
            some => some.iter().map(|one| one.source).collect(),
        };
        let source = match found.as_slice() {
            [] => return Ok((Fit::NoMatch, None)),
            [only] => tx.source_user_by_pk(self.to.connector.id, *only)?,
            _ => return Ok((Fit::Ambiguous, None)),
        };
        let Some(source) = source else {
            return Ok((Fit::NoMatch, None));
        };
        let theirs = tx.account_of_source(source.pk)?;
        match theirs.is_some_and(|found| found.user.status != Status::Removed) {
            true => Ok((Fit::HasAccount, Some(source))),
            false => Ok((Fit::Transfer, Some(source))),
        }
    }

    /// Users of the other connector that are the same person, two at most.
    fn candidates(
        &self,
        tx: &ReadTx<'_>,
        account: &StoredAccount,
        own: Option<&Resource>,
    ) -> Result<Vec<SourceUserPk>, ProvisionError> {
        let to = self.to.connector.id;
        let ids: Vec<String> = match self.match_by {
            MatchBy::Email if account.user.email.is_empty() => Vec::new(),
            MatchBy::Email => return Ok(tx.source_users_by_email(to, &account.user.email)?),
            MatchBy::UserName => {
                let name = own.and_then(Resource::user_name);
                let name = name.unwrap_or(&account.user.name);
                tx.source_user_id_by_user_name(to, name)?
                    .into_iter()
                    .collect()
            }
            MatchBy::ExternalId => match account.user.external_id.as_deref() {
                Some(external_id) => tx.source_user_ids_by_external_id(to, external_id)?,
                None => Vec::new(),
            },
        };
        let mut found = Vec::new();
        for id in ids {
            found.extend(tx.source_user(to, &id)?.map(|user| user.pk));
        }
        Ok(found)
    }

    /// The account as the other connector finds it: whose memberships it keeps.
    fn handed_on(
        &self,
        tx: &ReadTx<'_>,
        account: &StoredAccount,
        person: &Person<'_>,
        trigger: Trigger,
    ) -> Result<Vec<Membership>, ProvisionError> {
        let world = Stored::new(tx, &self.to.connector);
        let groups = tx.effective_source_groups(person.source)?;
        let about = (person, groups.as_slice());
        let said = said(
            &world,
            &self.to,
            about,
            (account, None),
            (tx.now(), trigger),
        )?;
        let given = Given::of(&said).unwrap_or_default();
        let held = &account.account.memberships;
        Ok(match self.keep_memberships {
            true => directory::handed_on(held, |group| given.has_group(group)),
            false => held.clone(),
        })
    }

    /// What the other connector decides about the account.
    fn decided(
        &self,
        tx: &ReadTx<'_>,
        account: &StoredAccount,
        source: &SourceUser,
    ) -> Result<Outcome, ProvisionError> {
        if self.to.precedence.is_some()
            && let Some(goes_on) = given_by_owner(tx, &self.from, account)?
        {
            return joined(tx, &self.to, (source, account), vec![goes_on], tx.now());
        }
        let user = source.resource()?;
        let person = Person {
            source: source.pk,
            user: &user,
            is_new: false,
        };
        let mut facts = Facts::of(tx, &person)?;
        let mut handed = account.clone();
        handed.account.memberships = self.handed_on(tx, account, &person, Trigger::Simulate)?;
        facts.account = Some(handed);
        let world = Stored::new(tx, &self.to.connector);
        let occasion = Occasion {
            now: tx.now(),
            trigger: Trigger::Simulate,
            moment: directory::Moment::Later,
        };
        Ok(decide(&world, &self.to, &person, facts, occasion)?.outcome)
    }

    fn preview(
        &self,
        tx: &ReadTx<'_>,
        user: UserPk,
        preview: &mut TransferPreview,
    ) -> Result<(), ProvisionError> {
        let Some(account) = live(tx, user)? else {
            return Ok(());
        };
        let (fit, source) = self.fit(tx, &account)?;
        *preview.counts.entry(fit).or_default() += 1;
        if fit == Fit::LeftOut || preview.accounts.len() == NAMED_MAX {
            return Ok(());
        }
        let mut item = TransferItem {
            key: account.user.key.clone(),
            name: account.user.name.clone(),
            fit,
            active: account.user.active(),
            name_after: account.user.name.clone(),
            kept_groups: Vec::new(),
            lost_groups: Vec::new(),
            new_groups: Vec::new(),
        };
        if let Some(source) = source.filter(|_| fit == Fit::Transfer) {
            let outcome = self.decided(tx, &account, &source)?;
            item.fill(&account.account.memberships, outcome);
        }
        preview.accounts.push(item);
        Ok(())
    }

    /// Gives one account away.
    fn give(
        &self,
        provision: &Provision,
        tx: &WriteTx<'_>,
        account: &StoredAccount,
        source: &SourceUser,
        cause: &Cause,
    ) -> Result<(), ProvisionError> {
        let user = account.user.pk;
        let resource = source.resource()?;
        let person = Person {
            source: source.pk,
            user: &resource,
            is_new: false,
        };
        // In a directory that connectors share, the former one goes on speaking of the person.
        let goes_on = match self.to.precedence {
            Some(_) => given_by_owner(tx, &self.from, account)?,
            None => None,
        };
        let handed = match goes_on {
            Some(_) => account.account.memberships.clone(),
            None => self.handed_on(tx, account, &person, cause.trigger)?,
        };
        let directory = self.to.connector.directory;
        for (before, after) in account.account.memberships.iter().zip(handed) {
            let Some(group) = tx.directory_group(directory, &after.group)? else {
                continue;
            };
            if before.origins == after.origins {
                continue;
            }
            tx.put_membership(group.pk, user, &after.origins)?;
            let change = Change::SetOrigins {
                group: after.group,
                before: before.origins.clone(),
                after: after.origins,
            };
            let subject = store::Subject::Membership(group.pk, user);
            tx.append_journal(directory, subject, None, &change, cause)?;
        }
        tx.give_account(
            user,
            self.to.connector.id,
            source.pk,
            resource.external_id(),
        )?;
        let cause = Cause {
            connector: Some(self.to.connector.id),
            ..cause.clone()
        };
        if let Some(Contribution { source, given, .. }) = goes_on {
            let contribution = StoredContribution {
                user,
                matched: MatchedBy::Username,
                given,
                out_of_scope_since: account.account.memory.out_of_scope_since,
            };
            tx.put_contribution(self.from.connector.id, source, &contribution)?;
        }
        provision.settle(tx, &self.to, source.pk, &cause)
    }
}

impl TransferItem {
    /// What becomes of the account by the other connector's decision.
    fn fill(&mut self, before: &[Membership], outcome: Outcome) {
        let after = match outcome.verdict {
            Verdict::Account { status, .. } => {
                self.active = status == Status::Active;
                self.name_after = outcome.attributes.username;
                outcome.memberships
            }
            Verdict::NoAccount { .. } | Verdict::Remove { .. } => {
                self.active = false;
                Vec::new()
            }
        };
        let find = |all: &[Membership], group: &str| {
            let mut all = all.iter();
            all.find(|it| same(&it.group, group)).cloned()
        };
        for membership in before {
            if find(&after, &membership.group).is_none() {
                self.lost_groups.push(membership.group.clone());
            }
        }
        for membership in &after {
            let copied = membership.origins.contains(&Origin::Copied);
            match find(before, &membership.group) {
                None => self.new_groups.push(membership.group.clone()),
                Some(held) if copied && !held.origins.contains(&Origin::Copied) => {
                    self.kept_groups.push(membership.group.clone());
                }
                Some(_) => {}
            }
        }
    }
}

/// The account, unless it is a tombstone.
fn live(tx: &ReadTx<'_>, user: UserPk) -> Result<Option<StoredAccount>, ProvisionError> {
    let found = tx.account(user)?;
    Ok(found.filter(|account| account.user.status != Status::Removed))
}
