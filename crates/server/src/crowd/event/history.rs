//! Who had a name when a product last asked, and who has it now, in each directory of a view.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use scim::fold;

use crate::crowd::Refusal;

/// What a name stood for, and stands for.
pub(super) struct History<P, T> {
    /// By directory who had the name, and its spelling.
    pub(super) was: Vec<Option<(P, String)>>,
    /// By directory who has the name.
    pub(super) is: Vec<Option<T>>,
}

/// What is known by number and name.
pub(super) trait Entity {
    type Pk: Copy + Ord + std::hash::Hash;

    fn pk(&self) -> Self::Pk;
    fn name(&self) -> &str;
}

/// Those who were touched in one directory, with the name that they had; none if they are newer.
pub(super) type Known<P> = BTreeMap<P, Option<String>>;

impl<P: Copy + PartialEq, T: Entity<Pk = P>> History<P, T> {
    /// Whose name it was to the product, and its spelling.
    pub(super) fn before(&self) -> Option<&(P, String)> {
        self.was.iter().flatten().next()
    }

    /// Whose name it is, and where that one is from.
    pub(super) fn after(&self) -> Option<(usize, &T)> {
        let mut places = self.is.iter().enumerate();
        places.find_map(|(place, holder)| Some((place, holder.as_ref()?)))
    }

    /// Whether somebody who had the name in some directory has it no longer.
    pub(super) fn is_lost(&self) -> bool {
        let mut places = self.was.iter().zip(&self.is);
        places.any(|(was, is)| {
            let was = was.as_ref().map(|(pk, _)| *pk);
            was.is_some() && was != is.as_ref().map(Entity::pk)
        })
    }

    /// Whether somebody has the name in some directory who had it not.
    pub(super) fn is_won(&self) -> bool {
        let mut places = self.was.iter().zip(&self.is);
        places.any(|(was, is)| {
            let is = is.as_ref().map(Entity::pk);
            is.is_some() && is != was.as_ref().map(|(pk, _)| *pk)
        })
    }
}

/// The histories of all names that those who were touched had or have, and of the names of everyone at hand.
///
/// `at_hand` are living ones by directory; `holders` looks for those who have certain names in a directory.
pub(super) fn histories<T: Entity>(
    touched: &[&Known<T::Pk>],
    at_hand: Vec<Vec<T>>,
    holders: impl Fn(usize, &[&str]) -> Result<Vec<T>, Refusal>,
) -> Result<BTreeMap<String, History<T::Pk, T>>, Refusal> {
    let known = touched.iter().flat_map(|known| known.values()).flatten();
    let living = at_hand.iter().flatten().map(|one| fold(one.name()));
    let names: BTreeSet<String> = known.map(|name| fold(name)).chain(living).collect();
    let mut histories: BTreeMap<String, History<T::Pk, T>> = names
        .iter()
        .map(|name| {
            let empty = History {
                was: Vec::with_capacity(touched.len()),
                is: Vec::with_capacity(touched.len()),
            };
            (name.clone(), empty)
        })
        .collect();
    for (place, (touched, at_hand)) in touched.iter().zip(at_hand).enumerate() {
        let named = |one: T| (fold(one.name()), one);
        let mut now: HashMap<String, T> = at_hand.into_iter().map(named).collect();
        let missing = names.iter().filter(|name| !now.contains_key(*name));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        now.extend(holders(place, &missing)?.into_iter().map(named));
        let mut then: HashMap<String, (T::Pk, String)> = touched
            .iter()
            .filter_map(|(pk, known)| Some((*pk, known.clone()?)))
            .map(|(pk, known)| (fold(&known), (pk, known)))
            .collect();
        for (name, history) in &mut histories {
            let is = now.remove(name);
            // Whoever was not touched has the name that it had.
            let kept = is.as_ref().filter(|one| !touched.contains_key(&one.pk()));
            let kept = kept.map(|one| (one.pk(), one.name().to_owned()));
            history.was.push(then.remove(name).or(kept));
            history.is.push(is);
        }
    }
    Ok(histories)
}
