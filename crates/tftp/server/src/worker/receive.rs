//! Reading: batch after batch, with a window or two of old transfers in between.

use super::{BACKLOG_MILLIS_MAX, BATCH, READS_PER_TURN, WINDOWS_PER_READ, Worker};
use purlin_netio::{BulkPort, BulkRecv, now};
use purlin_tftp_core::Peer;
use purlin_types::{BootTime, Now};

impl Worker {
    /// What waits in a socket may be the very answer that a timer misses: while there is more to read, timers rest, but
    /// not for ever.
    pub(super) fn note_backlog(&mut self, drained: bool) {
        self.behind = match self.behind {
            _ if drained => None,
            None => Some(now().boot),
            since => since,
        };
    }

    pub(super) fn may_lose_patience(&self, now: &Now) -> bool {
        let rested = |since: BootTime| now.boot.millis_since(since) >= BACKLOG_MILLIS_MAX;
        self.behind.is_none_or(rested)
    }

    /// Takes what is waiting at a socket, but not for ever: timers and notes want their turn. `listening` is the index of
    /// the socket that the transfer's request came to: by it and the client's address the core knows a transfer. Whether
    /// nothing was left.
    pub(super) fn read(&mut self, port: &BulkPort, listening: u16) -> bool {
        for _ in 0..READS_PER_TURN {
            let count = self.receive(port, listening);
            self.send_later(WINDOWS_PER_READ);
            self.flush();
            if count < BATCH && self.later.is_empty() {
                return true;
            }
        }
        false
    }

    /// One batch; how many datagrams it had.
    fn receive(&mut self, port: &BulkPort, listening: u16) -> usize {
        self.counters.receive_calls += 1;
        let mut received = self.received.take().expect("put back below");
        let count = received.receive(port);
        if let Ok(1..) = count {
            self.step_all(&received, port, listening);
        }
        self.received = Some(received);
        self.counters.receive_errors += u64::from(count.is_err());
        count.unwrap_or(0)
    }

    /// Decides about every datagram of the batch.
    fn step_all(&mut self, received: &BulkRecv, port: &BulkPort, listening: u16) {
        let now = now();
        let bound = Some(port.local_address().ip()).filter(|address| !address.is_unspecified());
        self.counters.datagrams += received.len() as u64;
        for at in 0..received.len() {
            let datagram = received.get(at);
            self.counters.octets_received += datagram.payload.len() as u64;
            let peer = Peer {
                address: datagram.source,
                local: datagram.local.or(bound),
                many: datagram.to_many(),
                interface: datagram.interface,
                port: listening,
            };
            self.engine
                .receive(&now, &peer, datagram.payload, &mut self.effects);
            self.perform(&now, datagram.payload);
        }
    }
}
