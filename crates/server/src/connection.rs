//! Connections: accepted, kept within limits of time and number, drained at the end.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::App;
use crate::forwarded::{Peer, is_trusted};
use crate::limits::{DRAIN_TIMEOUT, HEAD_BYTES_MAX, HEAD_TIMEOUT, HEADERS_MAX};
use crate::metrics::Refused;
use crate::request_line::{Lenient, Lines};
use crate::router::router;

/// Serves until `stop` ends, then lets requests in progress finish for a while.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()>) {
    let router = router(app.clone());
    let settings = &app.inner().settings;
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(settings.limits.connections));
    let peers = Arc::new(Peers::default());
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or a peer that is gone already: others may still come.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        // All of a proxy's clients come from its address.
        let most = match is_trusted(settings, peer.ip()) {
            true => usize::MAX,
            false => settings.limits.connections_per_address,
        };
        let Some(place) = peers.enter(peer.ip(), most) else {
            app.inner().metrics.refused(Refused::Connections);
            continue;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "nodelay could not be set");
        }
        let (router, lines) = (router.clone(), Lines::default());
        let stream = Lenient::new(stream, lines.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            lines.restore(&mut request);
            request.extensions_mut().insert(Peer(peer.ip()));
            let (answering, lines) = (router.clone().oneshot(request), lines.clone());
            async move { Ok::<_, Infallible>(lines.until_answered(answering.await?)) }
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .keep_alive(true);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((permit, place));
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(DRAIN_TIMEOUT) => {
            tracing::warn!("some requests were still running and have been cut off");
        }
    }
}

/// How many connections each address has.
#[derive(Default)]
struct Peers(Mutex<HashMap<IpAddr, usize>>);

/// One of the connections of an address; it counts until it is dropped.
struct Place {
    peers: Arc<Peers>,
    address: IpAddr,
}

impl Peers {
    fn enter(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Place> {
        let address = address.to_canonical();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place {
            peers: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_leaves_nothing_behind() {
        let peers = Arc::new(Peers::default());
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let places: Vec<_> = (0..3).map(|_| peers.enter(one, 3).unwrap()).collect();
        assert!(peers.enter(one, 3).is_none());
        assert!(
            peers
                .enter("::ffff:192.0.2.1".parse().unwrap(), 3)
                .is_none()
        );
        assert!(peers.enter(other, 3).is_some());
        drop(places);
        assert!(peers.0.lock().unwrap().is_empty());
    }
}
