//! Names that change hands while a simulation goes on: round a ring, or to whoever waits for one.

use directory::{SourceUserPk, UserPk};
use store::{StoredSubject, SubjectReader};

use super::super::user::PreviewedUser;
use super::{CHUNK_MAX, Simulation};
use crate::ProvisionError;
use crate::decide::Decision;
use crate::facts::{Facts, Person};
use crate::places::{Place, ring};

impl<'t, 'c> Simulation<'t, 'c, '_> {
    /// Looks at a user, and at those with whom it changes names in one step.
    pub(super) fn look_in_turn(&mut self, subject: StoredSubject) -> Result<(), ProvisionError> {
        if self.along.contains(&subject.user.pk) {
            return Ok(());
        }
        let looked = self.look_at(subject)?;
        let ring = std::mem::take(&mut self.ring);
        if ring.is_empty() {
            return self.tell_unless_waiting(looked);
        }
        self.forget_last();
        for place in &ring {
            self.world.set_aside(&place.name);
        }
        let mut reader = SubjectReader::new(self.tx, self.tried.connector.id);
        for place in ring {
            for subject in reader.these(&[place.source])? {
                let looked = self.look_at(subject)?;
                self.tell_unless_waiting(looked)?;
            }
            self.world.forget_former(&place.name);
            self.along.insert(place.source);
        }
        Ok(())
    }

    /// Whoever waits for a name may get it when somebody else is looked at, and is told of then.
    fn tell_unless_waiting(&mut self, looked: PreviewedUser) -> Result<(), ProvisionError> {
        if looked.taken_name.is_none() {
            return self.tell(looked);
        }
        self.forget_last();
        Ok(())
    }

    /// What was looked at last does not stand.
    fn forget_last(&mut self) {
        if let Some(foresight) = &mut self.foresight {
            foresight.forget();
        }
        if let Some(graces) = &mut self.graces {
            graces.forget();
        }
    }

    /// Those who waited for a name that became free, until nobody gets one any more; then those who wait still.
    pub(super) fn look_again(
        &mut self,
        reader: &mut SubjectReader<'t, 'c>,
    ) -> Result<(), ProvisionError> {
        loop {
            let users = self.world.to_repeat();
            if users.is_empty() {
                break;
            }
            for subject in users.chunks(CHUNK_MAX).map(|chunk| reader.these(chunk)) {
                for subject in subject? {
                    self.look_in_turn(subject)?;
                }
            }
        }
        for chunk in self.world.waiting().chunks(CHUNK_MAX) {
            for subject in reader.these(chunk)? {
                let looked = self.look_at(subject)?;
                self.tell(looked)?;
            }
        }
        Ok(())
    }

    /// Those with whom a user changes names in one step; nobody if the limits do not let it.
    pub(super) fn ring_around(
        &mut self,
        source: SourceUserPk,
        decision: &Decision,
    ) -> Result<Vec<Place>, ProvisionError> {
        let (tx, occasion) = (self.tx, self.occasion());
        let facts = |person: &Person<'_>| {
            let mut facts = Facts::of(tx, person)?;
            self.reviews.foresee(&mut facts.groups)?;
            Ok(facts)
        };
        let about = (source, decision);
        let ring = ring(tx, &self.world, self.tried, about, occasion, facts)?;
        let users: Vec<UserPk> = ring.iter().map(|place| place.user).collect();
        let goes = match &mut self.foresight {
            Some(foresight) if !ring.is_empty() => foresight.lets_rename(self.tried, &users)?,
            _ => true,
        };
        Ok(if goes { ring } else { Vec::new() })
    }
}
