//! The thread of a front for datagrams.

use super::dhcp::Table;
use super::flows::{Flows, GONE, Kind, Step};
use super::{Seen, Stop, Turn, UdpService, UdpSettings};
use crate::Counters;
use crate::pool::Pool;
use purlin_fabric::balance::Outcome;
use purlin_netio::{BulkDatagram, BulkPort, BulkRecv, BulkSend, Poller, Ready, Trigger, Way};
use purlin_types::BootTime;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Datagrams per receive call.
const BATCH: usize = 64;
/// Octets per datagram: the longest of UDP over IPv4, and odd cache lines so that slots do not share sets.
const SLOT: usize = 65_536 + 192;
/// A DHCP message is at most what a link carries, with room to spare.
const DHCP_SLOT: usize = 4096 + 192;
/// Receive calls before other sockets have their turn.
const READS_PER_TURN: usize = 8;
const LISTEN: u64 = u64::MAX;
const WAKE: u64 = u64::MAX - 1;
/// Silent clients are looked for as often as they are forgotten, within reason.
const SWEEP_MIN: Duration = Duration::from_millis(10);
const SWEEP_MAX: Duration = Duration::from_secs(1);

enum Books {
    Dhcp(Table),
    Flows(Flows),
}

pub(super) struct Worker {
    port: BulkPort,
    pool: Arc<Pool>,
    counters: Arc<Counters>,
    stop: Arc<Stop>,
    books: Books,
    poller: Poller,
    received: BulkRecv,
    outgoing: BulkSend,
    sweep: Duration,
    next_sweep: BootTime,
}

impl Worker {
    pub(super) fn new(
        settings: &UdpSettings,
        port: BulkPort,
        pool: &Arc<Pool>,
        counters: &Arc<Counters>,
        stop: &Arc<Stop>,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&port, LISTEN, Trigger::Level)?;
        poller.add(&stop.waker, WAKE, Trigger::Edge)?;
        let (affinity, patience, most) = (settings.affinity, settings.patience, settings.flows_max);
        let (books, slot) = match settings.service {
            UdpService::Dhcp { key } => (Books::Dhcp(Table::new(key, affinity, patience, most)), DHCP_SLOT),
            UdpService::Tftp { key } => {
                let kind = Kind::Tftp(key);
                (Books::Flows(Flows::new(kind, affinity, patience, most)), SLOT)
            }
            UdpService::Other => (
                Books::Flows(Flows::new(Kind::Other, affinity, patience, most)),
                SLOT,
            ),
        };
        Ok(Self {
            port,
            pool: Arc::clone(pool),
            counters: Arc::clone(counters),
            stop: Arc::clone(stop),
            books,
            poller,
            received: BulkRecv::new(BATCH, slot),
            outgoing: BulkSend::new(),
            sweep: affinity.clamp(SWEEP_MIN, SWEEP_MAX),
            next_sweep: pool.now(),
        })
    }

    pub(super) fn run(mut self) {
        let mut ready = Ready::default();
        while !self.stop.asked.load(Ordering::Relaxed) {
            // An error can only be a mistake of ours; the sweep and the look at `stop` go on.
            let _ = self.poller.wait(&mut ready, Some(self.until_sweep()));
            for &token in ready.tokens() {
                match token {
                    LISTEN => self.read_clients(),
                    WAKE => {}
                    slot => self.read_backend(slot as usize),
                }
            }
            self.sweep();
        }
    }

    fn until_sweep(&self) -> Duration {
        Duration::from_millis(self.next_sweep.millis_since(self.pool.now()))
    }

    fn sweep(&mut self) {
        let turn = Turn {
            pool: &self.pool,
            counters: &self.counters,
            now: self.pool.now(),
        };
        if turn.now < self.next_sweep {
            return;
        }
        self.next_sweep = turn.now.plus_millis(self.sweep.as_millis() as u64);
        match &mut self.books {
            Books::Dhcp(table) => table.sweep(&turn),
            Books::Flows(flows) => flows.sweep(&turn),
        }
    }

    fn read_clients(&mut self) {
        for _ in 0..READS_PER_TURN {
            // An error here is an ICMP message about an earlier send: the next receive is about something else.
            let count = self.received.receive(&self.port).unwrap_or_default();
            let turn = Turn {
                pool: &self.pool,
                counters: &self.counters,
                now: self.pool.now(),
            };
            for index in 0..count {
                let datagram = self.received.get(index);
                if datagram.truncated {
                    turn.counters.unreadable.add();
                    continue;
                }
                let line = Line {
                    port: &self.port,
                    poller: &self.poller,
                };
                match &mut self.books {
                    Books::Dhcp(table) => dhcp(table, &turn, &line, &mut self.outgoing, &datagram),
                    Books::Flows(flows) => client(flows, &turn, &line, &mut self.outgoing, &datagram),
                }
            }
            self.outgoing.flush(&self.port);
            let lost = self.outgoing.take_report();
            self.counters.lost.add_many(lost.failed + lost.blocked);
            if count < BATCH {
                return;
            }
        }
    }

    /// Passes a backend's answers on to the flow's client.
    fn read_backend(&mut self, slot: usize) {
        let Books::Flows(flows) = &mut self.books else {
            return;
        };
        // It may have ended while its token waited.
        let Some(flow) = flows.get(slot) else { return };
        let Ok(count) = self.received.receive(&flow.port) else {
            flow.refused = true;
            self.pool.report(flow.backend, Outcome::Failed);
            return;
        };
        for index in 0..count {
            let datagram = self.received.get(index);
            let first = !flow.answered;
            if !flow.answer(datagram.source) {
                continue;
            }
            if flow.ends_with(datagram.payload) {
                self.pool.finish(flow.backend, Outcome::Succeeded);
            } else if first {
                self.pool.report(flow.backend, Outcome::Succeeded);
            }
            self.counters.answers.add();
            self.outgoing
                .datagram(&self.port, &back(&flow.asked), datagram.payload);
        }
        // A client that cannot be reached any more asks no more: the flow lapses.
        self.outgoing.flush(&self.port);
        let lost = self.outgoing.take_report();
        self.counters.lost.add_many(lost.failed + lost.blocked);
    }
}

/// What datagrams leave through.
struct Line<'a> {
    port: &'a BulkPort,
    poller: &'a Poller,
}

fn seen(datagram: &BulkDatagram<'_>) -> Seen {
    Seen {
        from: datagram.source,
        local: datagram.local,
        interface: datagram.interface,
    }
}

fn back(asked: &Seen) -> Way {
    Way {
        to: asked.from,
        from: asked.local,
        interface: 0,
    }
}

fn onward(to: SocketAddr) -> Way {
    Way {
        to,
        from: None,
        interface: 0,
    }
}

fn dhcp(
    table: &mut Table,
    turn: &Turn<'_>,
    line: &Line<'_>,
    out: &mut BulkSend,
    datagram: &BulkDatagram<'_>,
) {
    if turn.pool.is_backend(datagram.source) {
        // Without a question that it belongs to, it has no reader.
        if let Some(asked) = table.answer(turn, datagram.payload) {
            turn.counters.answers.add();
            out.datagram(line.port, &back(&asked), datagram.payload);
        }
        return;
    }
    turn.counters.taken.add();
    if let Some(to) = table.ask(turn, seen(datagram), datagram.payload) {
        out.datagram(line.port, &onward(to), datagram.payload);
    }
}

fn client(
    flows: &mut Flows,
    turn: &Turn<'_>,
    line: &Line<'_>,
    out: &mut BulkSend,
    datagram: &BulkDatagram<'_>,
) {
    // What a backend sends to the listening port is no client's: forwarding it would go round in circles.
    if turn.pool.is_backend(datagram.source) {
        return;
    }
    turn.counters.taken.add();
    let (seen, mut tried) = (seen(datagram), Vec::new());
    loop {
        match flows.ask(turn, seen, datagram.payload, &mut tried) {
            Step::Drop => return,
            Step::Gone => return out.datagram(line.port, &back(&seen), GONE),
            Step::Send { flow: slot, new } => {
                let Some(flow) = flows.get(slot) else { return };
                // Unwatched answers would be lost; the client asks again then, and the flow is not kept.
                let watched = !new || line.poller.add(&flow.port, slot as u64, Trigger::Level).is_ok();
                // What waits for clients leaves by another socket.
                out.flush(line.port);
                let _ = out.take_report();
                out.datagram(&flow.port, &onward(flow.peer), datagram.payload);
                out.flush(&flow.port);
                if watched && out.take_report().failed == 0 {
                    return;
                }
                // The kernel knows that nobody is there: another one, now, before the client has to ask again.
                flows.fail(turn, slot, &mut tried);
            }
        }
    }
}
