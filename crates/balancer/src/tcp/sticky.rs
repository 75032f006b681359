//! Which backend a client had last.

use purlin_fabric::balance::BackendId;
use purlin_types::BootTime;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Sticky {
    length: Duration,
    most: usize,
    clients: Mutex<HashMap<u64, Last>>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    id: BackendId,
    address: SocketAddr,
    heard: BootTime,
}

impl Sticky {
    /// Remembers `most` clients for `length` after their last connection; nobody when that is zero.
    pub(super) fn new(length: Duration, most: usize) -> Self {
        Self {
            length,
            most,
            clients: Mutex::default(),
        }
    }

    pub(super) fn get(&self, key: u64, now: BootTime) -> Option<(BackendId, SocketAddr)> {
        let last = self.clients().get(&key).copied()?;
        self.is_fresh(&last, now).then_some((last.id, last.address))
    }

    pub(super) fn put(&self, key: u64, id: BackendId, address: SocketAddr, now: BootTime) {
        if self.length.is_zero() {
            return;
        }
        let mut clients = self.clients();
        if clients.len() >= self.most {
            clients.retain(|_, last| self.is_fresh(last, now));
        }
        if clients.len() < self.most || clients.contains_key(&key) {
            let heard = now;
            clients.insert(key, Last { id, address, heard });
        }
    }

    /// A connection of the client has ended.
    pub(super) fn heard(&self, key: u64, now: BootTime) {
        if let Some(last) = self.clients().get_mut(&key) {
            last.heard = now;
        }
    }

    fn is_fresh(&self, last: &Last, now: BootTime) -> bool {
        now.millis_since(last.heard) < self.length.as_millis() as u64
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<u64, Last>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
