//! Walking the store's lists, and stopping when there is enough.

use std::ops::ControlFlow;

use store::StoreError;

/// What is done with each item of a walk.
pub(crate) type Each<'e, T> = &'e mut dyn FnMut(T) -> Result<(), StoreError>;

/// Lets a walk of the store end early, and lets what is done on the way fail in its own words.
pub(crate) fn walk<T, E: From<StoreError>>(
    run: impl FnOnce(Each<'_, T>) -> Result<(), StoreError>,
    mut each: impl FnMut(T) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let mut ended: Option<Result<(), E>> = None;
    let walked = run(&mut |item| {
        match each(item) {
            Ok(ControlFlow::Continue(())) => return Ok(()),
            Ok(ControlFlow::Break(())) => ended = Some(Ok(())),
            Err(error) => ended = Some(Err(error)),
        }
        // Only ends the walk: what it means is in `ended`.
        Err(StoreError::Busy)
    });
    match ended {
        Some(outcome) => outcome,
        None => Ok(walked?),
    }
}

/// The first so many of a walk that are wanted.
pub(crate) fn first<T>(
    most: usize,
    run: impl FnOnce(Each<'_, T>) -> Result<(), StoreError>,
    mut is_wanted: impl FnMut(&T) -> bool,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    walk(run, |item| {
        if found.len() < most && is_wanted(&item) {
            found.push(item);
        }
        Ok::<_, StoreError>(match found.len() >= most {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    })?;
    Ok(found)
}
