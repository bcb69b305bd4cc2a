//! The pilot: a connector has effect for a part of its users, and what it would mean for the others is looked at.

use directory::{Change, ConnectorId, Pilot, SourceUserPk, Trigger};
use store::{ReadTx, SubjectReader};

use crate::decide::{Occasion, decide};
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::world::Stored;
use crate::{Provision, ProvisionError};

/// Most groups of a pilot.
const GROUPS_MAX: usize = 100;

/// A part of the users of a connector, seen under its pilot.
#[derive(Debug, Default)]
pub struct PilotLook {
    /// How many of the part the connector has effect for.
    pub inside: usize,
    /// How many it has none for.
    pub outside: usize,
    /// Those outside for whom an evaluation would change something.
    pub waiting: Vec<WaitingUser>,
    /// Where the next part begins, if there is one.
    pub next: Option<SourceUserPk>,
}

/// Somebody outside a pilot for whom an evaluation would change something.
#[derive(Debug)]
pub struct WaitingUser {
    /// The SCIM `id`.
    pub id: String,
    /// The `userName` at the identity provider.
    pub user_name: String,
    /// What would change.
    pub changes: Vec<Change>,
}

impl LoadedConnector {
    /// Whether the connector has effect for a user, apart from its state.
    pub(crate) fn concerns(&self, person: &Person<'_>, facts: &Facts) -> bool {
        let pilot = self.connector.settings.pilot.as_ref();
        pilot.is_none_or(|pilot| pilot.has(person.source, &facts.groups))
    }
}

impl Provision {
    /// Says for whom a connector has effect; `None` is everybody. Who is concerned now is evaluated anew.
    pub async fn set_pilot(
        &self,
        connector: ConnectorId,
        pilot: Option<Pilot>,
        actor: &str,
    ) -> Result<(), ProvisionError> {
        self.change_connector(connector, actor, move |connector| {
            connector.settings.pilot.clone_from(&pilot);
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Looks at some users of a connector in the order of their numbers.
    pub fn look_at_pilot(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        after: SourceUserPk,
        limit: usize,
    ) -> Result<PilotLook, ProvisionError> {
        let connector = self.require_connector(tx, connector)?;
        let world = Stored::new(tx, &connector.connector);
        let occasion = Occasion {
            now: tx.now(),
            trigger: Trigger::Simulate,
            moment: directory::Moment::Later,
        };
        let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut subjects = SubjectReader::new(tx, connector.connector.id).after(after, more)?;
        let mut look = PilotLook::default();
        if subjects.len() > limit {
            subjects.truncate(limit);
            look.next = subjects.last().map(|last| last.user.pk);
        }
        for subject in subjects {
            let (source, id) = (subject.user.pk, subject.user.id.clone());
            let user = subject.user.resource()?;
            let person = Person {
                source,
                user: &user,
                is_new: false,
            };
            let facts = Facts::from(subject);
            if connector.concerns(&person, &facts) {
                look.inside += 1;
                continue;
            }
            look.outside += 1;
            let decision = decide(&world, &connector, &person, facts, occasion)?;
            let account = decision.existing.as_ref().map(|found| &found.account);
            let changes = directory::plan(account, &decision.outcome).changes;
            if !changes.is_empty() {
                let user_name = user.user_name().unwrap_or_default().to_owned();
                look.waiting.push(WaitingUser {
                    id,
                    user_name,
                    changes,
                });
            }
        }
        Ok(look)
    }
}

/// Refuses a pilot that means nothing.
pub(crate) fn checked_pilot(pilot: &Pilot) -> Result<(), ProvisionError> {
    let message = match pilot {
        Pilot::Percent(percent) if *percent > 100 => {
            format!("is {percent} of a hundred users; name 0 to 100")
        }
        Pilot::Groups(names) if names.is_empty() || names.len() > GROUPS_MAX => {
            format!("names {} groups; name 1 to {GROUPS_MAX}", names.len())
        }
        Pilot::Groups(names) if names.iter().any(|name| name.trim().is_empty()) => {
            "names a group without a name; leave it out".to_owned()
        }
        _ => return Ok(()),
    };
    Err(ProvisionError::invalid("pilot", message))
}
