//! The clients of one thread: who holds which address, and whose turn it is. Flat arrays, 17 octets a client.

use std::collections::VecDeque;
use std::ops::Range;

use super::options::Operation;

/// Clients are numbered within their thread; the fleet's number is `local * threads + thread`.
#[derive(Debug)]
pub(crate) struct Clients {
    /// 0 when the client holds nothing.
    address: Vec<u32>,
    /// When the lease ends, seconds of the Unix epoch.
    until: Vec<u32>,
    /// Server that gave the lease: position in `servers` plus one.
    server: Vec<u8>,
    servers: Vec<u32>,
    /// Never used yet.
    fresh: Range<u32>,
    /// Idle, without a lease, in the order they lost theirs.
    unbound: VecDeque<u32>,
    /// Idle, with a lease, least recently used first.
    bound: VecDeque<u32>,
}

impl Clients {
    pub(crate) fn new(count: u32) -> Self {
        let size = count as usize;
        Self {
            address: vec![0; size],
            until: vec![0; size],
            server: vec![0; size],
            servers: Vec::new(),
            fresh: 0..count,
            unbound: VecDeque::new(),
            bound: VecDeque::with_capacity(size),
        }
    }

    /// Picks the client for an operation and takes it out of the idle ones. A DORA prefers a client that never had a
    /// lease, then one without, then one with; everything else needs a lease and yields `None` without one.
    pub(crate) fn take(&mut self, operation: Operation) -> Option<u32> {
        if operation != Operation::Dora {
            return self.bound.pop_front();
        }
        self.fresh
            .next()
            .or_else(|| self.unbound.pop_front())
            .or_else(|| self.bound.pop_front())
    }

    /// Gives an idle client back.
    pub(crate) fn put_back(&mut self, client: u32) {
        if self.address[client as usize] == 0 {
            self.unbound.push_back(client);
        } else {
            self.bound.push_back(client);
        }
    }

    /// The held address, 0 for none.
    pub(crate) fn address(&self, client: u32) -> u32 {
        self.address[client as usize]
    }

    pub(crate) fn until(&self, client: u32) -> u32 {
        self.until[client as usize]
    }

    /// The server identifier of the lease, 0 when unknown.
    pub(crate) fn server_id(&self, client: u32) -> u32 {
        match self.server[client as usize] {
            0 => 0,
            position => self.servers[usize::from(position) - 1],
        }
    }

    /// Server identifiers seen, at most 255.
    pub(crate) fn servers(&self) -> &[u32] {
        &self.servers
    }

    pub(crate) fn bind(&mut self, client: u32, address: u32, until: u32, server_id: u32) {
        self.address[client as usize] = address;
        self.until[client as usize] = until;
        self.server[client as usize] = self.server_position(server_id);
    }

    pub(crate) fn unbind(&mut self, client: u32) {
        self.address[client as usize] = 0;
    }

    /// Makes a client hold an address before the run begins (from a ledger).
    pub(crate) fn restore(&mut self, client: u32, address: u32, until: u32) {
        self.bind(client, address, until, 0);
        self.bound.push_back(client);
    }

    /// Ends the restoring: clients below `first` that were not restored stay out of the run.
    pub(crate) fn fresh_from(&mut self, first: u32) {
        self.fresh = first.min(self.fresh.end)..self.fresh.end;
    }

    /// Every client with its lease.
    pub(crate) fn leases(&self) -> impl Iterator<Item = (u32, u32, u32)> {
        (0_u32..)
            .zip(&self.address)
            .zip(&self.until)
            .filter(|((_, address), _)| **address != 0)
            .map(|((client, address), until)| (client, *address, *until))
    }

    fn server_position(&mut self, server_id: u32) -> u8 {
        if server_id == 0 {
            return 0;
        }
        if let Some(at) = self.servers.iter().position(|&known| known == server_id) {
            return at as u8 + 1;
        }
        if self.servers.len() == usize::from(u8::MAX) {
            return 0;
        }
        self.servers.push(server_id);
        self.servers.len() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_in_use_is_not_picked_twice() {
        let mut clients = Clients::new(2);
        assert_eq!(clients.take(Operation::Dora), Some(0));
        assert_eq!(clients.take(Operation::Dora), Some(1));
        assert_eq!(clients.take(Operation::Dora), None);
        clients.bind(1, 7, 100, 9);
        clients.put_back(1);
        clients.put_back(0);
        assert_eq!(clients.take(Operation::Renew), Some(1));
        assert_eq!(clients.take(Operation::Renew), None);
        assert_eq!(clients.take(Operation::Dora), Some(0));
        assert_eq!(clients.server_id(1), 9);
    }

    #[test]
    fn leases_lists_those_who_hold_one() {
        let mut clients = Clients::new(3);
        clients.restore(1, 70, 100);
        clients.fresh_from(2);
        assert_eq!(clients.leases().collect::<Vec<_>>(), [(1, 70, 100)]);
        assert_eq!(clients.take(Operation::Dora), Some(2));
    }
}
