//! Why a user is as it is: the trace of an evaluation of what is stored now.

use std::collections::BTreeSet;
use std::sync::Arc;

use directory::rules::Target;
use directory::{
    Case, ConnectorId, ConnectorState, DirectoryId, Line, Moment, Outcome, Remedy, Status, Trigger,
    UserPk, Verdict,
};
use jiff::Timestamp;
use store::{JournalEntry, JournalQuery, ReadTx, RequestQuery, SourceUser, StoredAccount};

use crate::decide::{Decision, Occasion, decide, said_about, with_case};
use crate::departed::Departed;
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::name_holder::NameHolder;
use crate::safety::guard_silently;
use crate::settle::with_deleted;
use crate::world::Stored;
use crate::{Provision, ProvisionError};

/// Entries of the journal about somebody that are looked at to find a request.
const ENTRIES_MAX: i64 = 20;

/// What the rules say about one user, and the way they came to it.
#[derive(Debug)]
pub struct Why {
    /// The outcome, with its trace.
    pub outcome: Outcome,
    /// The name that the user should have and that somebody else has.
    pub taken_name: Option<String>,
    /// Who has it; none if it is only kept for somebody.
    pub taken_by: Option<NameHolder>,
    /// Of the connector: unless it is active, nothing of this takes effect.
    pub state: ConnectorState,
    /// Whether the connector's pilot leaves the user out, so that nothing of this takes effect.
    pub outside_pilot: bool,
    /// The request of the identity provider that wrote the user last, if the record still has it.
    pub written: Option<Written>,
    /// What would have to be different for the user to be in the group that was asked about, or to have an active
    /// account; nothing if it is so, but for switches that keep it from following the identity provider.
    pub conditions: Vec<String>,
    /// The key of the account that the user has.
    pub account: Option<String>,
    /// The outcome as it would be if rules in the shadow counted; none if there are none.
    pub with_shadows: Option<Outcome>,
    connector: Arc<LoadedConnector>,
}

/// What wrote something, and when.
#[derive(Debug, Clone)]
pub struct Written {
    /// The id of the request; empty if there was none.
    pub request: String,
    /// When.
    pub at: Timestamp,
    /// What it was: method and path of a request, or what set an evaluation off.
    pub what: String,
    /// Who acted.
    pub actor: String,
}

impl From<JournalEntry> for Written {
    fn from(entry: JournalEntry) -> Self {
        Self {
            request: entry.cause.request,
            at: entry.at,
            what: entry.cause.trigger.as_str().to_owned(),
            actor: entry.cause.actor,
        }
    }
}

impl Why {
    /// What rules in the shadow would do; about a group only, if one is named.
    pub fn in_the_shadow(&self, group: Option<&str>) -> Vec<Line> {
        let with = self.with_shadows.as_ref();
        with.map_or_else(Vec::new, |with| {
            directory::in_the_shadow(&self.outcome, with, group)
        })
    }

    /// The values of a target, as far as the rules let them be seen: those of the account, or without one those that
    /// the rules give all the same.
    pub fn values_of(&self, target: &str) -> Vec<String> {
        let mut attributes = self.outcome.worked_out().clone();
        attributes.redact(&self.connector.rules.hidden(), None);
        attributes.values_of(target)
    }
}

impl Provision {
    /// Evaluates a user of the directory without changing anything, also one that is gone or that the IdP deleted. None
    /// for a user of whom no IdP ever spoke.
    pub fn why(
        &self,
        tx: &ReadTx<'_>,
        user: UserPk,
        group: Option<&str>,
    ) -> Result<Option<Why>, ProvisionError> {
        let Some(found) = tx.account(user)? else {
            return Ok(None);
        };
        let Some(connector) = found.user.connector else {
            return Ok(None);
        };
        let stored = match found.source {
            Some(source) => tx.source_user_by_pk(connector, source)?,
            None => None,
        };
        match stored {
            Some(stored) => self.explain(tx, connector, &stored, group).map(Some),
            None => self.explain_deleted(tx, &found, connector, group).map(Some),
        }
    }

    /// Evaluates a user of the source without changing anything, whether or not it has an account.
    /// None if the connector has no user of this SCIM `id`.
    pub fn why_of_source(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        id: &str,
        group: Option<&str>,
    ) -> Result<Option<Why>, ProvisionError> {
        match tx.source_user(connector, id)? {
            Some(stored) => self.explain(tx, connector, &stored, group).map(Some),
            None => Ok(None),
        }
    }

    /// The targets whose values the rules of any connector into a directory hide.
    pub fn hidden_in(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
    ) -> Result<BTreeSet<Target>, ProvisionError> {
        let mut hidden = BTreeSet::new();
        for connector in tx.connectors_into(directory)? {
            if let Some(loaded) = self.load_connector(tx, connector)? {
                hidden.extend(loaded.rules.hidden());
            }
        }
        Ok(hidden)
    }

    /// The last request of another connector of the directory about the same person, by that connector's name.
    pub fn written_at(
        &self,
        tx: &ReadTx<'_>,
        account: &str,
        connector: &str,
    ) -> Result<Option<Written>, ProvisionError> {
        let Some(user) = tx.user_of_key(account)? else {
            return Ok(None);
        };
        let others = tx.contributions_to(user)?;
        let Some(other) = others.into_iter().find(|it| *it.name == *connector) else {
            return Ok(None);
        };
        match tx.source_user_by_pk(other.connector, other.source)? {
            Some(stored) => written(tx, other.connector, &stored.id),
            None => Ok(None),
        }
    }

    fn explain(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        stored: &SourceUser,
        group: Option<&str>,
    ) -> Result<Why, ProvisionError> {
        let connector = self.require_connector(tx, connector)?;
        let (mut decision, outside_pilot) = self.decided(tx, &connector, stored)?;
        let existing = decision.existing.as_ref();
        guard_silently(tx, &connector, existing, &mut decision.outcome)?;
        let rules = &connector.connector.rules;
        let with_shadows = match rules.has_shadows() {
            true => {
                let tried = connector.with_rules(tx, rules.with_shadows())?;
                let (mut with, _outside_pilot) = self.decided(tx, &tried, stored)?;
                guard_silently(tx, &tried, with.existing.as_ref(), &mut with.outcome)?;
                Some(with.outcome)
            }
            false => None,
        };
        let taken_by = NameHolder::of_taken(tx, connector.connector.directory, &decision)?;
        let about = (&decision, taken_by.as_ref());
        let conditions = conditions(tx, &connector, stored, about, group)?;
        Ok(Why {
            account: decision.existing.map(|found| found.user.key),
            outcome: decision.outcome,
            taken_name: decision.taken.map(|taken| taken.name),
            taken_by,
            state: connector.connector.state,
            outside_pilot,
            written: written(tx, connector.connector.id, &stored.id)?,
            conditions,
            with_shadows,
            connector,
        })
    }

    /// The same of somebody whom the IdP deleted.
    fn explain_deleted(
        &self,
        tx: &ReadTx<'_>,
        found: &StoredAccount,
        connector: ConnectorId,
        group: Option<&str>,
    ) -> Result<Why, ProvisionError> {
        let connector = self.require_connector(tx, connector)?;
        let decided = |by: &LoadedConnector| {
            let mut outcome = of_deleted(tx, by, found, |case| case.outcome())?;
            guard_silently(tx, by, Some(found), &mut outcome)?;
            Ok::<_, ProvisionError>(outcome)
        };
        let outcome = decided(&connector)?;
        let rules = &connector.connector.rules;
        let with_shadows = match rules.has_shadows() {
            true => Some(decided(&connector.with_rules(tx, rules.with_shadows())?)?),
            false => None,
        };
        let remedies = match is_so(&outcome, group) {
            true => switched_off(&outcome, group),
            false => of_deleted(tx, &connector, found, |case| remedies(case, group))?,
        };
        Ok(Why {
            account: Some(found.user.key.clone()),
            outcome,
            taken_name: None,
            taken_by: None,
            state: connector.connector.state,
            outside_pilot: false,
            written: written_last(tx, &connector, found)?,
            conditions: remedies.iter().map(Remedy::to_string).collect(),
            with_shadows,
            connector,
        })
    }

    /// The decision, and whether the connector's pilot leaves the user out.
    pub(crate) fn decided(
        &self,
        tx: &ReadTx<'_>,
        connector: &LoadedConnector,
        stored: &SourceUser,
    ) -> Result<(Decision, bool), ProvisionError> {
        let resource = stored.resource()?;
        let person = Person {
            source: stored.pk,
            user: &resource,
            is_new: false,
        };
        let world = Stored::new(tx, &connector.connector);
        let facts = Facts::of(tx, &person)?;
        let outside_pilot = !connector.concerns(&person, &facts);
        Ok((
            decide(&world, connector, &person, facts, asking(tx))?,
            outside_pilot,
        ))
    }
}

/// Somebody asks, and nothing happens.
fn asking(tx: &ReadTx<'_>) -> Occasion {
    Occasion {
        now: tx.now(),
        trigger: Trigger::Simulate,
        moment: Moment::Later,
    }
}

/// Asks something of what is decided from about somebody whom the IdP deleted.
pub(crate) fn of_deleted<T>(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    found: &StoredAccount,
    ask: impl FnOnce(&Case<'_>) -> T,
) -> Result<T, ProvisionError> {
    let world = Stored::new(tx, &connector.connector);
    let overrides = said_about(&world, connector, found.user.pk)?;
    let departed = Departed::of(tx, found)?;
    let about = (found, departed.as_ref());
    let occasion = (tx.now(), Trigger::Simulate);
    with_deleted(&world, about, connector, occasion, &overrides, ask)
}

/// Whether the user is in the group that was asked about, or has an active account.
fn is_so(outcome: &Outcome, group: Option<&str>) -> bool {
    match group {
        Some(group) => outcome.why_group(group).member,
        None => matches!(
            outcome.verdict,
            Verdict::Account {
                status: Status::Active,
                ..
            }
        ),
    }
}

/// What would have to be on for an active account to be as the identity provider has the user.
fn switched_off(outcome: &Outcome, group: Option<&str>) -> Vec<Remedy> {
    let all = outcome.suppressed().filter(|_| group.is_none());
    all.map(Remedy::SwitchedOn).collect()
}

fn remedies(case: &Case<'_>, group: Option<&str>) -> Vec<Remedy> {
    match group {
        Some(group) => case.why_not_group(group),
        None => case.why_no_account(),
    }
}

/// What would have to be different for the user to be in a group, or to have an active account.
fn conditions(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    stored: &SourceUser,
    (decision, taken_by): (&Decision, Option<&NameHolder>),
    group: Option<&str>,
) -> Result<Vec<String>, ProvisionError> {
    if is_so(&decision.outcome, group) {
        let switched_off = switched_off(&decision.outcome, group);
        return Ok(switched_off.iter().map(Remedy::to_string).collect());
    }
    let resource = stored.resource()?;
    let groups = tx.effective_source_groups(stored.pk)?;
    let world = Stored::new(tx, &connector.connector);
    let about = (&resource, &groups[..]);
    let existing = decision.existing.as_ref();
    let ask = |case: &Case<'_>| remedies(case, group);
    let remedies = with_case(&world, connector, about, existing, asking(tx), ask)?;
    let taken = decision.taken.as_ref().filter(|_| existing.is_none());
    let free = taken.map(|taken| match (&taken.name, taken.until) {
        (name, None) => match taken_by {
            Some(holder) => format!("the name `{name}` must be free: {holder} has it"),
            None => format!("the name `{name}` must be free: somebody else has it"),
        },
        (name, Some(until)) => format!(
            "the name `{name}` must be free: it is kept for whoever had it until {until}, unless somebody \
             releases it or says that both are one person"
        ),
    });
    Ok(free
        .into_iter()
        .chain(remedies.iter().map(Remedy::to_string))
        .collect())
}

/// The last request that wrote a user.
fn written(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    id: &str,
) -> Result<Option<Written>, ProvisionError> {
    let query = RequestQuery {
        connector: Some(connector),
        resource_id: Some(id.to_owned()),
        status: Some((200, 299)),
        limit: 1,
        ..RequestQuery::default()
    };
    let found = tx.requests(&query)?.into_iter().next();
    Ok(found.map(|record| Written {
        what: format!("{} {}", record.method, record.path),
        request: record.request,
        at: record.at,
        actor: record.actor,
    }))
}

/// The last request that wrote the user of an account, whom the IdP has deleted since. The user's SCIM `id` is gone with
/// it, and found again by what its requests did to the account.
fn written_last(
    tx: &ReadTx<'_>,
    connector: &LoadedConnector,
    found: &StoredAccount,
) -> Result<Option<Written>, ProvisionError> {
    let id = connector.connector.id;
    let query = JournalQuery {
        user: Some(found.user.pk),
        connector: Some(id),
        newest_first: true,
        limit: ENTRIES_MAX,
        ..JournalQuery::default()
    };
    let entries = tx.journal(connector.connector.directory, &query)?;
    let mut requests: Vec<String> = entries.into_iter().map(|it| it.cause.request).collect();
    requests.dedup();
    for request in requests.into_iter().filter(|it| !it.is_empty()) {
        let query = RequestQuery {
            connector: Some(id),
            request: Some(request),
            limit: 1,
            ..RequestQuery::default()
        };
        let record = tx.requests(&query)?.into_iter().next();
        let user = record.filter(|it| it.resource_type.as_deref() == Some("User"));
        if let Some(user) = user.and_then(|it| it.resource_id) {
            return written(tx, id, &user);
        }
    }
    Ok(None)
}
