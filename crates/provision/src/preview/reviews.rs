//! Reviews: which source groups would have to wait for a decision by the rules that are tried, or not any more (AG-06).

use std::collections::HashMap;

use directory::{Review, SourceGroup, SourceGroupPk};
use store::ReadTx;

use super::summary::NAMES_MAX;
use crate::ProvisionError;
use crate::loaded::LoadedConnector;
use crate::rebind::has_to_wait;

/// What comes of the source groups of a connector by other rules.
pub(super) struct Reviews<'t, 'c> {
    tx: &'t ReadTx<'c>,
    tried: &'t LoadedConnector,
    present: &'t LoadedConnector,
    /// Of those that were met already; none where nothing changes.
    known: HashMap<SourceGroupPk, Option<Review>>,
    begin_to_wait: Vec<String>,
}

impl<'t, 'c> Reviews<'t, 'c> {
    pub(super) fn new(
        tx: &'t ReadTx<'c>,
        tried: &'t LoadedConnector,
        present: &'t LoadedConnector,
    ) -> Self {
        Self {
            tx,
            tried,
            present,
            known: HashMap::new(),
            begin_to_wait: Vec::new(),
        }
    }

    /// Lets somebody's groups stand as they would.
    pub(super) fn foresee(&mut self, groups: &mut [SourceGroup]) -> Result<(), ProvisionError> {
        for group in groups {
            let review = self.of(group)?;
            if let Some(review) = review.filter(|review| *review != group.review()) {
                group.standing.get_or_insert_default().review = review;
            }
        }
        Ok(())
    }

    /// Groups that would wait and do not by now; some of them, if they are very many.
    pub(super) fn begin_to_wait(self) -> Vec<String> {
        self.begin_to_wait
    }

    fn of(&mut self, group: &SourceGroup) -> Result<Option<Review>, ProvisionError> {
        if let Some(known) = self.known.get(&group.id) {
            return Ok(*known);
        }
        let review = self.decide(group)?;
        let is_new = review == Some(Review::Waiting) && group.review() != Review::Waiting;
        if is_new && self.begin_to_wait.len() < NAMES_MAX {
            self.begin_to_wait.push(group.name.to_string());
        }
        self.known.insert(group.id, review);
        Ok(review)
    }

    /// As a group is tied when the rules change. Where they say the same of it, it is not tied anew.
    fn decide(&self, group: &SourceGroup) -> Result<Option<Review>, ProvisionError> {
        if group.review() == Review::Ignored {
            return Ok(None);
        }
        let names = self.tried.rules.effective_groups(group);
        if names == self.present.rules.effective_groups(group) {
            return Ok(None);
        }
        let directory = self.tried.connector.directory;
        let there = match names.first() {
            Some(name) => self.tx.directory_group(directory, name)?,
            None => None,
        };
        let Some(there) = there else {
            return Ok(Some(Review::Settled));
        };
        let bound = self.tx.bound_group(group.id)?;
        let is_bound = bound.is_some_and(|bound| bound.pk == there.pk);
        let waits = !is_bound && has_to_wait(self.tx, self.tried, group, &there)?;
        Ok(Some(match waits {
            true => Review::Waiting,
            false => Review::Settled,
        }))
    }
}
