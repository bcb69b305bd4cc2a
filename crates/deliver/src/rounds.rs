//! Rounds: looking for work again and again, and doing what was found side by side.

use std::time::Duration;

use provision::ProvisionError;
use tokio::task::JoinSet;

/// Goes on for ever: at once while a round finds so much, else after a pause. `failed` is what the log says of
/// a round that could not look.
pub(crate) async fn for_ever<F: Future<Output = Result<usize, ProvisionError>>>(
    pause: Duration,
    enough: usize,
    failed: &'static str,
    round: impl Fn() -> F,
) {
    loop {
        match round().await {
            Ok(found) if found >= enough => {}
            Ok(_) => tokio::time::sleep(pause).await,
            Err(error) => {
                tracing::warn!(%error, "{failed}; trying again");
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Does all of it side by side, and gives how much that was.
pub(crate) async fn side_by_side<F: Future<Output = ()> + Send + 'static>(
    work: impl Iterator<Item = F>,
) -> usize {
    let mut doing: JoinSet<()> = work.collect();
    let mut done = 0;
    while doing.join_next().await.is_some() {
        done += 1;
    }
    done
}
