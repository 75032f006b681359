//! The relays one thread speaks for.

use std::mem::MaybeUninit;
use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;

use purlin_netio::{RecvBatch, SendBatch, SendReport};
use rustix::event::Timespec;
use rustix::event::epoll;

use super::BenchError;
use super::options::Fleet;
use super::port::Port;
use super::template::{Fill, Shape, Templates};

/// Sockets told of per wait; the rest are told of by the next.
const EVENTS: usize = 64;

/// Sockets and templates by relay, and which of them may have something to read.
#[derive(Debug)]
pub(crate) struct Ports {
    relays: Vec<(Port, Templates)>,
    /// Relays of the whole fleet.
    fleet_relays: u32,
    /// Relay number to position in `relays`.
    divisor: u32,
    readable: Vec<bool>,
    poll: OwnedFd,
}

impl Ports {
    /// Binds the relays of thread `index`. Relay `r` belongs to thread `r % threads` when that comes out even; else
    /// every thread binds every relay (on ports of its own).
    pub(crate) fn open(
        fleet: &Fleet,
        server: SocketAddrV4,
        index: u32,
        threads: u32,
    ) -> Result<Self, BenchError> {
        let fleet_relays = fleet.relays.len() as u32;
        let divided = fleet_relays.is_multiple_of(threads);
        let (skip, step) = if divided {
            (index as usize, threads as usize)
        } else {
            (0, 1)
        };
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|e| BenchError::Kernel(e.into()))?;
        let mut relays = Vec::new();
        for relay in fleet.relays.iter().skip(skip).step_by(step) {
            let templates = Templates::new(fleet, relay.giaddr);
            let port =
                Port::bind(relay.bind, server, templates.length()).map_err(|source| BenchError::Bind {
                    bind: relay.bind,
                    source,
                })?;
            let data = epoll::EventData::new_u64(relays.len() as u64);
            epoll::add(&poll, port.socket(), data, epoll::EventFlags::IN)
                .map_err(|e| BenchError::Kernel(e.into()))?;
            relays.push((port, templates));
        }
        let readable = vec![true; relays.len()];
        let divisor = if divided { threads } else { 1 };
        Ok(Self {
            relays,
            fleet_relays,
            divisor,
            readable,
            poll,
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.relays.len()
    }

    /// Takes what waits at one relay's socket. One that was empty is asked again only after `wait` named it.
    pub(crate) fn receive(&mut self, at: usize, batch: &mut RecvBatch) -> usize {
        if !self.readable[at] {
            return 0;
        }
        // An error here is an ICMP answer to something sent earlier; the retransmission deals with it.
        let received = batch.receive(self.relays[at].0.socket()).unwrap_or(0);
        self.readable[at] = received > 0;
        received
    }

    /// Queues a request of a client (number in the fleet) at its relay.
    pub(crate) fn queue(&mut self, batch: &mut SendBatch, client: u32, shape: Shape, fill: Fill) {
        let at = (client % self.fleet_relays) / self.divisor;
        let (port, templates) = &mut self.relays[at as usize];
        port.queue(batch, |out| templates.compose(shape, fill, out));
    }

    pub(crate) fn flush(&mut self, batch: &mut SendBatch) {
        self.relays.iter_mut().for_each(|(port, _)| port.flush(batch));
    }

    /// Waits at most this long for something to read.
    pub(crate) fn wait(&mut self, at_most_ns: u64) {
        let timeout = Timespec {
            tv_sec: (at_most_ns / 1_000_000_000) as i64,
            tv_nsec: (at_most_ns % 1_000_000_000) as i64,
        };
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; EVENTS];
        // An interrupted wait is a short wait.
        let Ok((ready, _)) = epoll::wait(&self.poll, &mut events[..], Some(&timeout)) else {
            return;
        };
        for event in ready {
            self.readable[event.data.u64() as usize] = true;
        }
    }

    pub(crate) fn take_report(&mut self) -> SendReport {
        let mut total = SendReport::default();
        self.relays
            .iter_mut()
            .for_each(|(port, _)| total += port.take_report());
        total
    }
}
