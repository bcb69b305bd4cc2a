//! Walking the store's lists from a name on, and stopping when there is enough.

use std::ops::ControlFlow;

use directory::name::folded;
use store::StoreError;

/// The place in a list behind which a page begins. Lists go by folded names.
pub(super) struct Behind(Option<String>);

/// Behind this name, or at the beginning.
pub(super) fn after(name: Option<&str>) -> Behind {
    Behind(name.map(|name| folded(name).into_owned()))
}

impl Behind {
    /// Whether a name comes behind the place.
    pub(super) fn is_passed_by(&self, name: &str) -> bool {
        self.0
            .as_deref()
            .is_none_or(|place| folded(name).as_ref() > place)
    }
}

/// Lets a walk of the store end early.
pub(super) fn walk<T>(
    run: impl FnOnce(&mut dyn FnMut(T) -> Result<(), StoreError>) -> Result<(), StoreError>,
    mut each: impl FnMut(T) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut ended = false;
    let walked = run(&mut |item| match each(item) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => {
            ended = true;
            // Only ends the walk; what it means is in `ended`.
            Err(StoreError::Busy)
        }
    });
    if ended { Ok(()) } else { walked }
}
