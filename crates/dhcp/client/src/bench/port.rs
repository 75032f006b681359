//! A relay's socket with its outgoing batch.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use purlin_netio::{BATCH, Outgoing, SendBatch, SendReport, UdpOptions, UdpPort};

/// Room per outgoing message; the longest request a fleet composes is far below it.
const MESSAGE_MAX: usize = 640;
/// Bytes of receive buffer asked for: a stall of this side must not lose the server's answers.
const RECEIVE_BUFFER: u32 = 8 << 20;

/// A bound socket and up to one batch of messages waiting to leave by it.
#[derive(Debug)]
pub(crate) struct Port {
    socket: UdpPort,
    server: SocketAddrV4,
    arena: Box<[u8]>,
    lengths: [u16; BATCH],
    queued: usize,
    report: SendReport,
}

impl Port {
    pub(crate) fn bind(bind: SocketAddrV4, server: SocketAddrV4) -> io::Result<Self> {
        let options = UdpOptions {
            receive_buffer: Some(RECEIVE_BUFFER),
            ..UdpOptions::default()
        };
        Ok(Self {
            socket: UdpPort::bind(bind, &options)?,
            server,
            arena: vec![0; BATCH * MESSAGE_MAX].into_boxed_slice(),
            lengths: [0; BATCH],
            queued: 0,
            report: SendReport::default(),
        })
    }

    pub(crate) fn socket(&self) -> &UdpPort {
        &self.socket
    }

    /// Queues what `compose` writes; a full batch leaves first.
    pub(crate) fn queue(&mut self, batch: &mut SendBatch, compose: impl FnOnce(&mut [u8]) -> usize) {
        if self.queued == BATCH {
            self.flush(batch);
        }
        let start = self.queued * MESSAGE_MAX;
        let length = compose(&mut self.arena[start..start + MESSAGE_MAX]);
        self.lengths[self.queued] = length as u16;
        self.queued += 1;
    }

    /// Sends what is queued.
    pub(crate) fn flush(&mut self, batch: &mut SendBatch) {
        if self.queued == 0 {
            return;
        }
        let (arena, to) = (&self.arena, self.server);
        let messages = self.lengths[..self.queued]
            .iter()
            .enumerate()
            .map(|(at, &length)| Outgoing {
                payload: &arena[at * MESSAGE_MAX..at * MESSAGE_MAX + usize::from(length)],
                to,
                from: Ipv4Addr::UNSPECIFIED,
            });
        self.report += batch.send(&self.socket, messages);
        self.queued = 0;
    }

    /// What was sent since the last call.
    pub(crate) fn take_report(&mut self) -> SendReport {
        std::mem::take(&mut self.report)
    }
}
