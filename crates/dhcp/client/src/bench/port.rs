//! A relay's socket with its outgoing batch.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use purlin_netio::{BATCH, Outgoing, SendBatch, SendReport, UdpOptions, UdpPort};

/// Bytes of receive buffer asked for: a stall of this side must not lose the server's answers.
const RECEIVE_BUFFER: u32 = 8 << 20;

/// A bound socket and up to one batch of messages, all of one length, waiting to leave by it.
///
/// A batch leaves as one payload that the kernel cuts into datagrams: measured, the load then costs half the CPU,
/// which on a small machine is the server's. Kernels and devices that cannot do it get the datagrams one by one.
#[derive(Debug)]
pub(crate) struct Port {
    socket: UdpPort,
    server: SocketAddrV4,
    arena: Box<[u8]>,
    /// Octets of one message.
    length: usize,
    queued: usize,
    cut_by_kernel: bool,
    report: SendReport,
}

impl Port {
    /// `length` octets is every message that will be queued.
    pub(crate) fn bind(bind: SocketAddrV4, server: SocketAddrV4, length: usize) -> io::Result<Self> {
        let whole = UdpOptions {
            receive_buffer: Some(RECEIVE_BUFFER),
            ..UdpOptions::default()
        };
        let cut = UdpOptions {
            segment: Some(length as u16),
            ..whole
        };
        let (socket, cut_by_kernel) = match UdpPort::bind(bind, &cut) {
            Ok(socket) => (socket, true),
            Err(_) => (UdpPort::bind(bind, &whole)?, false),
        };
        Ok(Self {
            socket,
            server,
            arena: vec![0; BATCH * length].into_boxed_slice(),
            length,
            queued: 0,
            cut_by_kernel,
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
        let queued = std::mem::take(&mut self.queued);
        if queued == 0 {
            return;
        }
        if self.cut_by_kernel {
            let report = self.send(batch, queued * self.length, queued * self.length);
            if report.failed == 0 {
                self.report.calls += report.calls;
                self.report.sent += report.sent * queued as u64;
                self.report.blocked += report.blocked * queued as u64;
                return;
            }
            self.cut_by_kernel = false;
        }
        let report = self.send(batch, queued * self.length, self.length);
        self.report += report;
    }

    fn send(&self, batch: &mut SendBatch, octets: usize, payload: usize) -> SendReport {
        let messages = self.arena[..octets].chunks(payload).map(|payload| Outgoing {
            payload,
            to: self.server,
            from: Ipv4Addr::UNSPECIFIED,
        });
        batch.send(&self.socket, messages)
    }

    /// What was sent since the last call.
    pub(crate) fn take_report(&mut self) -> SendReport {
        std::mem::take(&mut self.report)
    }
}
