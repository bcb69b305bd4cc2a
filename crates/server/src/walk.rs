//! Walking the store's lists, and stopping when there is enough.

use std::ops::ControlFlow;

use store::StoreError;

/// Lets a walk of the store end early.
pub(crate) fn walk<T>(
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
