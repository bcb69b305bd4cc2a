//! A decision: what the rules say of one person, seen together with who else has the name.

use directory::identity::Met;
use directory::{
    Attributes, Case, MatchedBy, Meeting, Moment, Outcome, Override, OverrideId, Reason, Shared,
    SourceGroup, Status, Subject, Trigger, UserPk, Verdict,
};
use jiff::Timestamp;
use scim::{Resource, fold};
use store::{FormerHolder, NameStanding, StoredAccount};

use crate::ProvisionError;
use crate::encounter::Encounter;
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::world::{Around, World};

/// What the rules say, seen together with who else holds the name.
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    /// The account it is about, if there is one.
    pub(crate) existing: Option<StoredAccount>,
    /// The account that stands in the way.
    pub(crate) taken: Option<Taken>,
    /// The account that a user without one has met, and what happens.
    pub(crate) met: Option<Met>,
    /// The account of another connector of which the user is to speak too.
    pub(crate) joins: Option<StoredAccount>,
    /// What an administrator said and what counts no more.
    pub(crate) ended: Vec<OverrideId>,
}

/// An account in the way of a user: of its name, or of having an account at all.
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) by: MatchedBy,
    /// Nobody has the name, but it is kept until then for whoever had it (CR-08).
    pub(crate) until: Option<Timestamp>,
}

impl Taken {
    /// What stands in the way of somebody else who is to have a name.
    fn of_name(name: &str, standing: NameStanding, reserved: Option<Timestamp>) -> Option<Self> {
        let until = match standing.holder {
            Some(_) => None,
            None => Some(reserved?),
        };
        Some(Self {
            name: name.to_owned(),
            by: MatchedBy::Username,
            until,
        })
    }
}

/// When something is decided, and what set it off.
#[derive(Clone, Copy)]
pub(crate) struct Occasion {
    pub(crate) now: Timestamp,
    pub(crate) trigger: Trigger,
    /// How far the decision may go in giving accounts to users.
    pub(crate) moment: Moment,
}

/// Evaluates one user, with the account that is or becomes its own (US-08).
pub(crate) fn decide(
    world: &dyn World,
    connector: &LoadedConnector,
    person: &Person<'_>,
    facts: Facts,
    occasion: Occasion,
) -> Result<Decision, ProvisionError> {
    let user = person.user;
    let Facts { groups, account } = facts;
    let evaluate = |existing: Option<&StoredAccount>| {
        with_case(
            world,
            connector,
            (user, &groups),
            existing,
            occasion,
            |case| {
                let overrides = case.subject.overrides.iter();
                let over = overrides.filter(|one| !one.stands(Some(user), &groups, occasion.now));
                let ended: Vec<OverrideId> = over.map(|one| one.id).collect();
                (case.outcome(), ended)
            },
        )
    };
    let mut existing = account;
    if existing.is_none()
        && let Some(external_id) = user.external_id()
    {
        existing = world.orphan_by_external_id(external_id)?;
    }
    let (mut outcome, mut ended) = evaluate(existing.as_ref())?;
    let wants_name = wants_name(&outcome, existing.as_ref());
    let sought = match existing {
        None if !wants_name && may_have_one(connector, &outcome) => {
            let case = ((user, &groups[..]), occasion);
            Some(sought(world, connector, case)?).filter(|it| !it.username.is_empty())
        }
        _ => None,
    };
    if !wants_name && sought.is_none() {
        return Ok(Decision::plain(outcome, ended, existing));
    }
    // Only with an account there is one for the user.
    let only_met = sought.is_some();
    let sought = sought.as_ref().unwrap_or(&outcome.attributes);
    let name = sought.username.clone();
    let own = existing.as_ref().map(|found| found.user.pk);
    let standing = world.standing_of(&name)?.besides(own);
    let reserved = |former: FormerHolder| connector.rules.reserved_until(former.at, occasion.now);
    let reserved = standing.former.and_then(reserved);
    let in_the_way = Taken::of_name(&name, standing, reserved);
    if existing.is_some() {
        return Ok(Decision::plain(outcome, ended, existing).without_name(in_the_way));
    }
    let encounter = Encounter {
        world,
        connector: &connector.connector,
        person,
        moment: occasion.moment,
        shares: connector.precedence.is_some(),
    };
    let Some((met, account)) = encounter.find(sought, standing, reserved.is_some())? else {
        // In a preview an account still to be made holds its name already, though nothing of it is stored.
        let in_the_way = in_the_way.filter(|_| !only_met);
        return Ok(Decision::plain(outcome, ended, None).without_name(in_the_way));
    };
    if only_met && evaluate(Some(&account))?.0.leaves_out() {
        return Ok(Decision::plain(outcome, ended, None));
    }
    let mut decision = match met.effect {
        Meeting::Link => {
            (outcome, ended) = evaluate(Some(&account))?;
            Decision::plain(outcome, ended, Some(account))
        }
        Meeting::Return => {
            (outcome, ended) = evaluate(Some(&without_groups(&account)))?;
            Decision::plain(outcome, ended, Some(account))
        }
        Meeting::Join => Decision {
            joins: Some(account),
            ..Decision::plain(outcome, ended, None)
        },
        Meeting::Conflict | Meeting::Reject => {
            let taken = Taken {
                name: match met.by {
                    MatchedBy::Username => name,
                    _ => met.name.clone(),
                },
                by: met.by,
                until: in_the_way.and_then(|it| it.until),
            };
            Decision::plain(outcome, ended, None).without_name(Some(taken))
        }
    };
    decision.outcome.trace.note_met(met.clone());
    decision.met = Some(met);
    Ok(decision)
}

/// Puts together what one user's decision is made from, with the account that is the user's own, and asks something
/// of it.
pub(crate) fn with_case<T>(
    world: &dyn World,
    connector: &LoadedConnector,
    (user, groups): (&Resource, &[SourceGroup]),
    existing: Option<&StoredAccount>,
    occasion: Occasion,
    ask: impl FnOnce(&Case<'_>) -> T,
) -> Result<T, ProvisionError> {
    let own = existing.map(|found| found.user.pk);
    let overrides = match own {
        Some(own) => said_about(world, connector, own)?,
        None => Vec::new(),
    };
    let contributions = match (&connector.precedence, own) {
        (Some(_), Some(own)) => world.contributions(own)?,
        _ => Vec::new(),
    };
    let around = Around::new(world, &connector.rules, occasion.now, own);
    let case = Case {
        subject: Subject {
            user: Some(user),
            groups,
            existing: existing.map(|found| &found.account),
            now: occasion.now,
            trigger: occasion.trigger,
            overrides: &overrides,
        },
        rules: &connector.rules,
        around: &around,
        shared: connector.precedence.as_ref().map(|precedence| Shared {
            owner: connector.connector.id,
            precedence,
            contributions: &contributions,
        }),
    };
    let answer = ask(&case);
    around.checked()?;
    Ok(answer)
}

impl Decision {
    fn plain(outcome: Outcome, ended: Vec<OverrideId>, existing: Option<StoredAccount>) -> Self {
        Self {
            outcome,
            existing,
            taken: None,
            joins: None,
            met: None,
            ended,
        }
    }

    /// The same, but for a name that something keeps from the user. What time alone ends is looked at again then.
    fn without_name(mut self, taken: Option<Taken>) -> Self {
        if let Some(taken) = &taken {
            keep_old_name(&mut self.outcome, self.existing.as_ref());
            if let Some(until) = taken.until {
                self.outcome.wait_for_name(&taken.name, until);
            }
        }
        self.taken = taken;
        self
    }
}

/// What administrators say about a user beside the rules; it is looked up only where they say anything at all.
pub(crate) fn said_about(
    world: &dyn World,
    connector: &LoadedConnector,
    user: UserPk,
) -> Result<Vec<Override>, ProvisionError> {
    match connector.has_overrides {
        true => world.overrides(user),
        false => Ok(Vec::new()),
    }
}

/// Whether somebody for whom the rules have no account may be somebody who has one already: rules may make none and
/// drop those who have none, so that only accounts which exist follow (US-13, MO-05).
fn may_have_one(connector: &LoadedConnector, outcome: &Outcome) -> bool {
    let dropped = Verdict::NoAccount {
        reason: Reason::DroppedByRule,
    };
    let filtered = Verdict::NoAccount {
        reason: Reason::FilteredNoMatch,
    };
    connector.rules.ask_for_account() && [dropped, filtered].contains(&outcome.verdict)
}

/// By what an account is looked for of somebody who gets none without.
fn sought(
    world: &dyn World,
    connector: &LoadedConnector,
    (person, occasion): ((&Resource, &[SourceGroup]), Occasion),
) -> Result<Attributes, ProvisionError> {
    with_case(world, connector, person, None, occasion, |case| {
        case.sought()
    })
}

/// Whether there is to be an account by a name that it does not have.
fn wants_name(outcome: &Outcome, existing: Option<&StoredAccount>) -> bool {
    let wanted = &outcome.attributes.username;
    let has_it = existing.is_some_and(|found| {
        found.user.status != Status::Removed && fold(&found.user.name) == fold(wanted)
    });
    matches!(outcome.verdict, Verdict::Account { .. }) && !has_it
}

/// An account that comes back by its name alone: who it was is likely, but nobody says so, and what somebody else was in
/// must not be given away by that.
fn without_groups(account: &StoredAccount) -> StoredAccount {
    let mut account = account.clone();
    account.account.memberships.clear();
    account.account.memory.restore.clear();
    account
}

/// Without its name a new account cannot be; one that exists keeps the name it has.
fn keep_old_name(outcome: &mut Outcome, existing: Option<&StoredAccount>) {
    match existing {
        Some(found) if found.user.status != Status::Removed => {
            outcome.attributes.username.clone_from(&found.user.name);
        }
        _ => {
            outcome.verdict = Verdict::NoAccount {
                reason: Reason::Conflict,
            };
        }
    }
}
