//! Rings: people each of whom is to get the name of the next, and the last one that of the first. Each would wait for
//! ever for somebody who waits as well, so all of them get their names in one step.

use directory::{Cause, MatchedBy, SourceUserPk, UserPk};
use scim::fold;
use store::{ReadTx, StoredAccount, WriteTx};

use crate::decide::{Decision, Occasion, Taken, decide};
use crate::facts::{Facts, Person};
use crate::loaded::LoadedConnector;
use crate::settle::Settled;
use crate::world::World;
use crate::{Provision, ProvisionError};

/// People in a ring; who is in a longer one waits.
const RING_MAX: usize = 8;

/// One of a ring.
pub(crate) struct Place {
    pub(crate) user: UserPk,
    pub(crate) source: SourceUserPk,
    /// The name of the account, which goes to another of the ring.
    pub(crate) name: String,
    /// The name that it is to have.
    wanted: String,
}

impl Place {
    /// The place of somebody who waits for a name that another account has, and from whom no hold and no administrator
    /// keeps it.
    fn of(
        world: &dyn World,
        source: SourceUserPk,
        existing: Option<&StoredAccount>,
        taken: Option<&Taken>,
    ) -> Result<Option<Self>, ProvisionError> {
        let (Some(existing), Some(taken)) = (existing, taken) else {
            return Ok(None);
        };
        let is_in_the_way = taken.by == MatchedBy::Username && taken.until.is_none();
        if !is_in_the_way || existing.holds > 0 || world.are_two(source, &taken.name)? {
            return Ok(None);
        }
        Ok(Some(Self {
            user: existing.user.pk,
            source,
            name: existing.user.name.clone(),
            wanted: taken.name.clone(),
        }))
    }
}

/// The ring in which somebody waits for whom a decision was made; nobody if there is none, or if a new name of one of
/// them waits for an administrator whatever the limits say: then each keeps the name it has.
pub(crate) fn ring(
    tx: &ReadTx<'_>,
    world: &dyn World,
    connector: &LoadedConnector,
    (source, decision): (SourceUserPk, &Decision),
    occasion: Occasion,
    mut facts: impl FnMut(&Person<'_>) -> Result<Facts, ProvisionError>,
) -> Result<Vec<Place>, ProvisionError> {
    let (existing, taken) = (decision.existing.as_ref(), decision.taken.as_ref());
    if taken.is_none() || existing.is_none() || connector.rules.holds_renames() {
        return Ok(Vec::new());
    }
    let (directory, mut ring) = (connector.connector.directory, Vec::<Place>::new());
    let mut next = Place::of(world, source, existing, taken)?;
    while let Some(place) = next {
        if tx.name_further_down(directory, &place.wanted)?.is_some() {
            break;
        }
        let holder = world.standing_of(&place.wanted)?.holder;
        ring.push(place);
        match holder {
            Some(holder) if holder == ring[0].user => return Ok(ring),
            Some(holder) if ring.len() < RING_MAX => {
                next = behind(tx, world, connector, holder, occasion, &mut facts)?;
            }
            _ => break,
        }
    }
    Ok(Vec::new())
}

/// What an account waits for that is in somebody's way.
fn behind(
    tx: &ReadTx<'_>,
    world: &dyn World,
    connector: &LoadedConnector,
    holder: UserPk,
    occasion: Occasion,
    facts: &mut impl FnMut(&Person<'_>) -> Result<Facts, ProvisionError>,
) -> Result<Option<Place>, ProvisionError> {
    let id = connector.connector.id;
    let account = world.account(holder)?;
    let account = account.filter(|it| it.user.connector == Some(id));
    let Some(source) = account.and_then(|it| it.source) else {
        return Ok(None);
    };
    let Some(stored) = tx.source_user_by_pk(id, source)? else {
        return Ok(None);
    };
    let user = stored.resource()?;
    let person = Person {
        source,
        user: &user,
        is_new: false,
    };
    let facts = facts(&person)?;
    if !connector.concerns(&person, &facts) {
        return Ok(None);
    }
    let found = decide(world, connector, &person, facts, occasion)?;
    Place::of(world, source, found.existing.as_ref(), found.taken.as_ref())
}

impl Provision {
    /// Gives everybody in a ring the name that waits. Returns what there is to tell of the first; nothing if one of
    /// them cannot have it after all, by a limit say: then nothing changes.
    pub(crate) fn change_places(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        ring: &[Place],
        cause: &Cause,
    ) -> Result<Option<Settled>, ProvisionError> {
        let directory = connector.connector.directory;
        let changed = tx.attempt(|tx| {
            for place in ring {
                tx.set_name_aside(place.user)?;
                tx.forget_former_name(directory, &place.name)?;
            }
            let mut first = None;
            for place in ring {
                let settled = self.settle_one(tx, connector, place.source, cause)?;
                first.get_or_insert(settled);
                // The name goes to the one for whom it is, and is not kept for who had it.
                tx.forget_former_name(directory, &place.name)?;
            }
            for place in ring {
                let account = tx.account(place.user)?;
                if account.is_none_or(|it| fold(&it.user.name) != fold(&place.wanted)) {
                    return Err(ProvisionError::invalid("userName", "is not free"));
                }
            }
            Ok(first)
        })?;
        let first = changed.ok().flatten();
        Ok(first.map(|settled| settled.along_with(&ring[1..])))
    }
}
