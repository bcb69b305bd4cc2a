//! Samples: what rules would do to a few users and groups, at once and without keeping anything (US-13).
//!
//! They are compared with what the rules in force give and holds leave, not with the accounts as they are: what is still to
//! be evaluated is not a matter of the new rules. What is held stays as it is, before and after; limits are not looked at.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use directory::{ConnectorId, Operation, Rules, SourceGroupPk, Status};
use serde::{Deserialize, Serialize};
use store::{ReadTx, StandingFilter};

use super::find_user_beginning;
use super::simulation::{Audience, Range, Simulation};
use super::user::{PreviewedAccount, PreviewedUser};
use crate::loaded::LoadedConnector;
use crate::{Provision, ProvisionError};

/// Users a sample looks at to find some for whom something would change.
const LOOKED_AT: usize = 200;
/// Source groups a sample looks at.
const GROUPS_LOOKED_AT: usize = 500;

/// What to show of whom.
#[derive(Debug, Clone, Default)]
pub struct SampleWish {
    /// The rules to try.
    pub rules: Rules,
    /// Somebody who is shown in any case, by `userName`, its beginning, or SCIM `id`.
    pub user: Option<String>,
    /// How many users to show.
    pub users: usize,
    /// How many groups to show.
    pub groups: usize,
}

/// A few users and groups, as the rules in force have them and as they would be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Users, those for whom something would change first.
    pub users: Vec<PreviewedUser>,
    /// Groups, likewise.
    pub groups: Vec<SampledGroup>,
    /// How many users were looked at.
    pub looked_at: u64,
    /// For how many of them products would see a difference.
    pub changed: u64,
    /// How many of them would have a trouble that they do not have now.
    pub problems: u64,
}

/// A group of the identity provider, and the groups that its members get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledGroup {
    /// Its name at the identity provider.
    pub name: String,
    /// What becomes of it by the rules in force.
    pub before: Vec<String>,
    /// What would become of it.
    pub after: Vec<String>,
}

impl SampledGroup {
    fn changes(&self) -> bool {
        self.before != self.after
    }
}

impl Provision {
    /// What rules would do to a few of a connector's users and groups. Its cost does not grow with the connector.
    pub fn sample_rules(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        wish: &SampleWish,
    ) -> Result<Sample, ProvisionError> {
        let present = self.require_connector(tx, connector)?;
        let tried = Arc::new(present.with_rules(tx, wish.rules.clone())?);
        let look = |range| {
            let by = |rules: &Arc<LoadedConnector>| {
                let mut few = Few::default();
                let simulation = Simulation::new(self, tx, &present, rules, &mut few);
                simulation.with_holds().run(range)?;
                Ok::<_, ProvisionError>(few.users)
            };
            Ok::<_, ProvisionError>(compared(by(&present)?, by(&tried)?))
        };
        let mut shown = match wish.user.as_deref() {
            Some(name) => look(Range::User(find_user_beginning(tx, connector, name)?))?,
            None => Vec::new(),
        };
        let users = look(Range::First(LOOKED_AT))?;
        let count =
            |is: fn(&PreviewedUser) -> bool| users.iter().filter(|it| is(it)).count() as u64;
        let changes = |user: &PreviewedUser| user.operations.iter().any(|it| it.is_seen());
        let (looked_at, changed) = (users.len() as u64, count(changes));
        let problems = count(|user| user.is_new_problem);
        let (noteworthy, same): (Vec<_>, Vec<_>) =
            users.into_iter().partition(PreviewedUser::is_noteworthy);
        for user in noteworthy.into_iter().chain(same) {
            if shown.len() < wish.users && shown.iter().all(|one| one.id != user.id) {
                shown.push(user);
            }
        }
        Ok(Sample {
            users: shown,
            groups: groups(tx, (&present, &tried), wish.groups)?,
            looked_at,
            changed,
            problems,
        })
    }
}

/// Users by the rules that are tried, compared with the same by those in force.
fn compared(present: Vec<PreviewedUser>, tried: Vec<PreviewedUser>) -> Vec<PreviewedUser> {
    let present: HashMap<Option<String>, PreviewedUser> =
        present.into_iter().map(|it| (it.id.clone(), it)).collect();
    let compare = |mut user: PreviewedUser| {
        if let Some(now) = present.get(&user.id) {
            user.before.clone_from(&now.after);
            user.changes.retain(|it| !now.changes.contains(it));
            if user.held == now.held {
                user.operations.remove(&Operation::Held);
            }
            user.operations
                .retain(|it| !it.is_seen() && *it != Operation::Unchanged);
            user.operations
                .extend(differences(now.after.as_ref(), user.after.as_ref()));
            if user.operations.is_empty() {
                user.operations.insert(Operation::Unchanged);
            }
        }
        user
    };
    tried.into_iter().map(compare).collect()
}

/// What leads from one account to another.
fn differences(
    before: Option<&PreviewedAccount>,
    after: Option<&PreviewedAccount>,
) -> BTreeSet<Operation> {
    let (before, after) = match (before, after) {
        (None, None) => return BTreeSet::new(),
        (None, Some(_)) => return BTreeSet::from([Operation::Create]),
        (Some(_), None) => return BTreeSet::from([Operation::Delete]),
        (Some(before), Some(after)) => (before, after),
    };
    let unnamed = |account: &PreviewedAccount| directory::Attributes {
        username: String::new(),
        ..account.attributes.clone()
    };
    let lacks = |one: &PreviewedAccount, other: &PreviewedAccount| {
        one.groups.iter().any(|group| !other.groups.contains(group))
    };
    let active = |account: &PreviewedAccount| account.status == Status::Active;
    let is_named_anew = before.attributes.username != after.attributes.username;
    [
        (is_named_anew, Operation::Rename),
        (unnamed(before) != unnamed(after), Operation::Update),
        (!active(before) && active(after), Operation::Enable),
        (
            before.status != after.status && !active(after),
            Operation::Disable,
        ),
        (lacks(after, before), Operation::GroupAdd),
        (lacks(before, after), Operation::GroupRemove),
    ]
    .into_iter()
    .filter_map(|(is_so, operation)| is_so.then_some(operation))
    .collect()
}

/// Keeps everybody it hears of.
#[derive(Default)]
struct Few {
    users: Vec<PreviewedUser>,
}

impl Audience for Few {
    fn user(&mut self, user: PreviewedUser) -> Result<(), ProvisionError> {
        self.users.push(user);
        Ok(())
    }

    fn progress(&mut self, _looked_at: u64) -> Result<(), ProvisionError> {
        Ok(())
    }

    fn wants_everybody(&self) -> bool {
        true
    }
}

fn groups(
    tx: &ReadTx<'_>,
    (present, tried): (&LoadedConnector, &LoadedConnector),
    most: usize,
) -> Result<Vec<SampledGroup>, ProvisionError> {
    let limit = i64::try_from(GROUPS_LOOKED_AT).unwrap_or(i64::MAX);
    let connector = present.connector.id;
    let found = tx.connector_groups(connector, StandingFilter::Any, SourceGroupPk(0), limit)?;
    let sampled = found.into_iter().map(|listed| {
        let seen = listed
            .standing
            .clone()
            .seen(listed.group.pk, listed.group.display_name.clone());
        SampledGroup {
            before: present.rules.effective_groups(&seen),
            after: tried.rules.effective_groups(&seen),
            name: listed.group.display_name,
        }
    });
    let (changed, same): (Vec<_>, Vec<_>) = sampled.partition(SampledGroup::changes);
    Ok(changed.into_iter().chain(same).take(most).collect())
}
