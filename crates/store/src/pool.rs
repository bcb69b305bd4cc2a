//! A bounded set of connections that are lent out one by one.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Idle connections, and the right to one more while fewer than the bound are lent.
pub(crate) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    idle_max: usize,
    turns: Turns,
}

/// A bounded number of rights to use a connection.
pub(crate) struct Turns(Arc<Semaphore>);

/// The right to use one connection.
pub(crate) type Permit = OwnedSemaphorePermit;

impl Turns {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// Waits for the right to a connection. None once the pool is closed, which it never is.
    pub(crate) async fn permit(&self) -> Option<Permit> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

impl<T> Pool<T> {
    /// A pool that lends at most `size` and keeps at most `idle_max`.
    pub(crate) fn new(size: usize, idle_max: usize) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            idle_max,
            turns: Turns::new(size),
        }
    }

    /// Waits for the right to a connection. None once the pool is closed, which it never is.
    pub(crate) async fn permit(&self) -> Option<Permit> {
        self.turns.permit().await
    }

    /// The connection used last, which has the warmest caches.
    pub(crate) fn take(&self) -> Option<T> {
        self.idle().pop()
    }

    pub(crate) fn give_back(&self, connection: T) {
        self.give_back_after(connection, |_connection| {});
    }

    /// [`Pool::give_back`] after a last step that [`Pool::each_idle`] cannot come between.
    pub(crate) fn give_back_after(&self, mut connection: T, last: impl FnOnce(&mut T)) {
        let mut idle = self.idle();
        last(&mut connection);
        if idle.len() < self.idle_max {
            idle.push(connection);
        }
    }

    /// Does something with every connection that nobody uses.
    pub(crate) fn each_idle(&self, each: impl FnMut(&mut T)) {
        self.idle().iter_mut().for_each(each);
    }

    /// Forgets all idle connections.
    pub(crate) fn clear(&self) {
        let dropped = std::mem::take(&mut *self.idle());
        drop(dropped);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<T>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a future on a plain thread.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// [`wait`], but no longer than `limit`.
pub(crate) fn wait_at_most<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let end = Instant::now() + limit;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
