//! Many requests over some connections, and what they cost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use super::wire::{Request, Wire};
use crate::process::Process;

/// What a load cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub requests: usize,
    pub seconds: f64,
    /// Processor time of the server.
    pub cpu_seconds: f64,
    /// Of the bodies of the answers.
    pub bytes: u64,
}

impl Cost {
    /// Requests in a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Processor time of the server for one request, in milliseconds.
    pub fn cpu_ms(&self) -> f64 {
        self.cpu_seconds * 1_000.0 / self.requests as f64
    }
}

/// Sends the requests `0..count` over so many connections, each waiting for its answer before the next.
pub fn run(
    server: &Process,
    connections: usize,
    count: usize,
    make: impl Fn(usize) -> Request + Sync,
) -> Result<Cost> {
    let next = AtomicUsize::new(0);
    let url = server.url()?;
    let cpu = server.cpu()?;
    let begun = Instant::now();
    let work = || -> Result<u64> {
        let mut wire = Wire::connect(url)?;
        let mut bytes = 0;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(bytes);
            }
            bytes += wire.count(&make(number))?;
        }
    };
    let bytes = thread::scope(|scope| -> Result<u64> {
        let workers: Vec<_> = (0..connections).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .map_err(|_panic| anyhow!("a connection failed"))?
            })
            .sum()
    })?;
    Ok(Cost {
        requests: count,
        seconds: begun.elapsed().as_secs_f64(),
        cpu_seconds: (server.cpu()? - cpu).as_secs_f64(),
        bytes,
    })
}
