//! The running threads, as their owner holds them.

use crate::handle::Handle;
use std::thread::JoinHandle;
use std::time::Duration;

/// Owns the packet threads. Dropping it stops nothing; [`Running::stop`] does.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn new(handle: Handle, threads: Vec<JoinHandle<()>>) -> Self {
        Self { handle, threads }
    }

    /// Refuses new requests, lets open transfers finish within `grace`, and ends the threads.
    pub async fn stop(self, grace: Duration) {
        self.handle.stop_threads(grace).await;
        for thread in self.threads {
            // Its panic was told through the health watch.
            let _ = thread.join();
        }
    }
}
