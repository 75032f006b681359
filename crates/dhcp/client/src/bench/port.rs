//! A relay's socket with its outgoing batch.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use purlin_netio::{BATCH, Outgoing, SendBatch, SendReport, UdpOptions, UdpPort};

/// Bytes of receive buffer asked for: a stall of this side must not lose the server's answers.
const RECEIVE_BUFFER: u32 = 8 << 20;

/// A bound socket and up to one batch of messages waiting to leave by it.
///
/// All have one length: equal neighbours leave as one payload that the kernel cuts into datagrams, which costs the load
/// about half the CPU, and on a small machine that CPU is the server's.
#[derive(Debug)]
pub(crate) struct Port {
    socket: UdpPort,
    server: SocketAddrV4,
    arena: Box<[u8]>,
    /// Octets of one message.
    length: usize,
    queued: usize,
    report: SendReport,
}

impl Port {
    /// `length` octets is every message that will be queued.
    pub(crate) fn bind(bind: SocketAddrV4, server: SocketAddrV4, length: usize) -> io::Result<Self> {
        let options = UdpOptions {
            receive_buffer: Some(RECEIVE_BUFFER),
            ..UdpOptions::default()
        };
        let socket = UdpPort::bind(bind, &options)?;
        // Cutting answers that left as one message would be done at the server's cost, on the same machine.
        socket.take_trains(true);
        Ok(Self {
            socket,
            server,
            arena: vec![0; BATCH * length].into_boxed_slice(),
            length,
            queued: 0,
            report: SendReport::default(),
        })
    }

    pub(crate) fn socket(&self) -> &UdpPort {
        &self.socket
    }

    /// Queues what `compose` writes into a message's place; a full batch leaves first.
    pub(crate) fn queue(&mut self, batch: &mut SendBatch, compose: impl FnOnce(&mut [u8])) {
        if self.queued == BATCH {
            self.flush(batch);
        }
        let start = self.queued * self.length;
        compose(&mut self.arena[start..start + self.length]);
        self.queued += 1;
    }

    /// Sends what is queued.
    pub(crate) fn flush(&mut self, batch: &mut SendBatch) {
        if self.queued == 0 {
            return;
        }
        let octets = std::mem::take(&mut self.queued) * self.length;
        let messages = self.arena[..octets].chunks(self.length).map(|payload| Outgoing {
            payload,
            to: self.server,
            from: Ipv4Addr::UNSPECIFIED,
        });
        self.report += batch.send(&self.socket, messages);
    }

    /// What was sent since the last call.
    pub(crate) fn take_report(&mut self) -> SendReport {
        std::mem::take(&mut self.report)
    }
}
