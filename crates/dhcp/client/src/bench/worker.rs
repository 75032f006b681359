//! One thread of the load: its clients, its sockets, its clock.
//!
//! ```text
//!   wait ──► receive ──► judge, next message ──┐
//!     ▲                  expired timers ───────┼──► queue ──► flush (sendmmsg)
//!     └───────────────── operations due ───────┘
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use purlin_load::{Due, Recent, Schedule};
use purlin_netio::{RecvBatch, SendBatch};

use super::clients::Clients;
use super::judge::Judge;
use super::meters::{Meters, Stretch};
use super::mix::{Mix, Sequence};
use super::options::{BenchOptions, Fleet, Operation, Phase};
use super::ownership::Ownership;
use super::ports::Ports;
use super::slots::{Await, Slot, Slots, Timers};
use super::template::{Fill, Shape, mac_of};
use crate::message::{Answer, Kind};

/// Operations started before looking at the sockets again.
const STARTS_MAX: u32 = 64;
/// How often a worker looks up from its work, nanoseconds.
const LOOK_UP_NS: u64 = 100_000_000;

/// What a worker tells the thread that shows progress.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    pub(crate) done: AtomicU64,
    pub(crate) p99_ns: AtomicU64,
}

/// What all workers share during a phase.
#[derive(Debug)]
pub(crate) struct PhaseClock<'a> {
    pub(crate) began: Instant,
    /// `began` in seconds of the Unix epoch.
    pub(crate) began_unix: u32,
    pub(crate) stop: &'a AtomicBool,
}

/// A worker lives through all phases.
#[derive(Debug)]
pub(crate) struct Worker {
    index: u32,
    threads: u32,
    attempts: u8,
    fleet: Arc<Fleet>,
    ownership: Arc<Ownership>,
    ports: Ports,
    pub(crate) clients: Clients,
    slots: Slots,
    timers: Timers,
    meters: Meters,
    recent: Recent,
    sends: SendBatch,
    now_ns: u64,
    now_unix: u32,
    began_unix: u32,
}

impl Worker {
    pub(crate) fn open(
        options: &BenchOptions,
        fleet: &Arc<Fleet>,
        ownership: &Arc<Ownership>,
        index: u32,
        generation: u16,
    ) -> Result<Self, super::BenchError> {
        let threads = options.threads;
        let own = fleet.clients / threads + u32::from(fleet.clients % threads > index);
        Ok(Self {
            index,
            threads,
            attempts: options.attempts,
            fleet: Arc::clone(fleet),
            ownership: Arc::clone(ownership),
            ports: Ports::open(fleet, options.server, index, threads)?,
            clients: Clients::new(own),
            slots: Slots::new(generation),
            timers: Timers::new(options.timeout.as_nanos() as u64, options.attempts),
            meters: Meters::new(),
            recent: Recent::new(),
            sends: SendBatch::new(),
            now_ns: 0,
            now_unix: 0,
            began_unix: 0,
        })
    }

    /// Runs one phase to its end and returns what was counted.
    pub(crate) fn run(&mut self, phase: &Phase, clock: &PhaseClock<'_>, gauge: &Gauge) -> Meters {
        let mut schedule = Schedule::new(&phase.plan(self.threads), self.index, self.threads);
        let mut sequence = phase.mix.sequence();
        let mut batch = RecvBatch::for_trains();
        let mut looked_up = 0;
        self.began_unix = clock.began_unix;
        loop {
            self.tell_time(clock);
            if clock.stop.load(Ordering::Relaxed) {
                schedule.stop();
            }
            let received = self.receive(&mut batch, clock);
            self.retransmit();
            let wake_ns = self.start_due(&mut schedule, &mut sequence, phase.mix);
            self.ports.flush(&mut self.sends);
            gauge.done.store(self.meters.done(), Ordering::Relaxed);
            if self.now_ns >= looked_up + LOOK_UP_NS {
                looked_up = self.now_ns;
                gauge.p99_ns.store(self.recent.take_p99(), Ordering::Relaxed);
            }
            match wake_ns {
                None if self.slots.in_flight() == 0 => break,
                _ if received > 0 => {}
                wake_ns => self.wait(wake_ns.unwrap_or(u64::MAX)),
            }
        }
        self.timers.clear();
        let report = self.ports.take_report();
        let mut meters = std::mem::replace(&mut self.meters, Meters::new());
        meters.sent = report.sent;
        meters.send_failures = report.failed + report.blocked;
        meters
    }

    fn tell_time(&mut self, clock: &PhaseClock<'_>) {
        self.now_ns = clock.began.elapsed().as_nanos() as u64;
        self.now_unix = clock.began_unix + (self.now_ns / 1_000_000_000) as u32;
    }

    /// Sleeps until a datagram comes, a timer runs out or an operation is due.
    fn wait(&mut self, wake_ns: u64) {
        let next = wake_ns.min(self.timers.next_ns().unwrap_or(u64::MAX));
        self.ports.wait(next.saturating_sub(self.now_ns).min(LOOK_UP_NS));
    }

    fn receive(&mut self, batch: &mut RecvBatch, clock: &PhaseClock<'_>) -> usize {
        let mut total = 0;
        for port in 0..self.ports.count() {
            let received = self.ports.receive(port, batch);
            if received == 0 {
                continue;
            }
            self.tell_time(clock);
            for at in 0..received {
                match Answer::read(batch.get(at).payload) {
                    Some(answer) => self.handle(&answer),
                    None => self.meters.malformed += 1,
                }
            }
            total += received;
        }
        self.meters.received += total as u64;
        total
    }

    fn handle(&mut self, answer: &Answer) {
        let Some(index) = self.slots.find(answer.xid) else {
            self.meters.late += 1;
            return;
        };
        let slot = *self.slots.get(index);
        if answer.mac != mac_of(self.fleet.seed, self.number(slot.client)) {
            return self.judge(slot.client).wrong_client(answer);
        }
        match (slot.awaits, answer.kind) {
            (Await::Offer, Kind::Offer) => self.handle_offer(index, &slot, answer),
            (Await::Ack, Kind::Ack) => self.handle_ack(index, &slot, answer),
            (Await::Ack, Kind::Nak) => self.handle_nak(index, &slot),
            _ => self.meters.late += 1,
        }
    }

    fn handle_offer(&mut self, index: u32, slot: &Slot, answer: &Answer) {
        self.judge(slot.client).offer(answer);
        self.meters
            .took(Stretch::DiscoverOffer, self.now_ns - slot.intended_ns);
        let now_ns = self.now_ns;
        let slot = self.slots.get(index);
        slot.awaits = Await::Ack;
        slot.attempts = 1;
        slot.address = answer.yiaddr;
        slot.server_id = answer.server_id;
        slot.step_ns = now_ns;
        self.send(index);
    }

    fn handle_ack(&mut self, index: u32, slot: &Slot, answer: &Answer) {
        let client = slot.client;
        let held = self.clients.address(client);
        let expected = if slot.operation == Operation::Dora {
            slot.address
        } else {
            held
        };
        if slot.operation != Operation::Inform {
            let since = self.began_unix + (slot.step_ns / 1_000_000_000) as u32;
            let until = self.judge(client).ack(slot, answer, expected, since);
            if held != 0 && held != answer.yiaddr {
                self.ownership.give_up(held, self.number(client));
            }
            self.clients.bind(client, answer.yiaddr, until, answer.server_id);
        }
        self.record_times(slot);
        self.meters.count(slot.operation).done += 1;
        self.meters.last_done_ns = self.now_ns;
        self.end(index, client);
    }

    fn record_times(&mut self, slot: &Slot) {
        let whole = self.now_ns - slot.intended_ns;
        self.recent.record(whole);
        let stretch = match slot.operation {
            Operation::Dora => {
                self.meters.took(Stretch::RequestAck, self.now_ns - slot.step_ns);
                Stretch::Dora
            }
            Operation::Rebind => Stretch::Rebind,
            Operation::Reboot => Stretch::Reboot,
            Operation::Inform => Stretch::Inform,
            Operation::Renew | Operation::Release => Stretch::Renew,
        };
        self.meters.took(stretch, whole);
    }

    fn handle_nak(&mut self, index: u32, slot: &Slot) {
        let client = slot.client;
        let (held, until) = (self.clients.address(client), self.clients.until(client));
        // A client in SELECTING may be refused what it was offered; its old lease, if any, is over by its own choice.
        if slot.operation != Operation::Dora {
            self.judge(client).refusal_of_owner(held, until);
        }
        self.ownership.give_up(held, self.number(client));
        self.clients.unbind(client);
        self.meters.count(slot.operation).refused += 1;
        self.end(index, client);
    }

    fn retransmit(&mut self) {
        while let Some(timer) = self.timers.expired(self.now_ns) {
            let Some(index) = self.slots.overdue(timer) else {
                continue;
            };
            let slot = *self.slots.get(index);
            if slot.attempts >= self.attempts {
                self.meters.count(slot.operation).timed_out += 1;
                self.end(index, slot.client);
                continue;
            }
            self.slots.get(index).attempts += 1;
            self.meters.retransmitted += 1;
            self.send(index);
        }
    }

    /// Starts what is due; returns when to look again, `None` when the phase starts nothing more.
    fn start_due(&mut self, schedule: &mut Schedule, sequence: &mut Sequence, mix: Mix) -> Option<u64> {
        for _ in 0..STARTS_MAX {
            match schedule.due(self.now_ns, self.slots.in_flight()) {
                Due::Over => return None,
                Due::At(at_ns) => return Some(at_ns),
                Due::WhenOneEnds => return Some(u64::MAX),
                Due::Now { intended_ns } => {
                    if self.start(sequence.next(), mix, intended_ns) {
                        schedule.started();
                    } else if schedule.is_open() {
                        schedule.started();
                        self.meters.shed += 1;
                    } else if self.slots.in_flight() == 0 {
                        // No client can do what the mix asks for, and none is about to become able to.
                        return None;
                    } else {
                        return Some(u64::MAX);
                    }
                }
            }
        }
        Some(self.now_ns)
    }

    fn start(&mut self, wanted: Operation, mix: Mix, intended_ns: u64) -> bool {
        let mut operation = wanted;
        let mut client = self.clients.take(operation);
        if client.is_none() && mix.weight(Operation::Dora) > 0 {
            operation = Operation::Dora;
            client = self.clients.take(operation);
        }
        let Some(client) = client else { return false };
        let Some(index) = self.slots.begin(client, operation, intended_ns, self.now_ns) else {
            self.clients.put_back(client);
            return false;
        };
        self.meters.count(operation).started += 1;
        if operation == Operation::Release {
            self.release(index, client);
        } else {
            self.send(index);
        }
        true
    }

    /// The lease ends for us when the RELEASE is sent: from then on the address may be anybody's.
    fn release(&mut self, index: u32, client: u32) {
        self.compose(index);
        self.ownership
            .give_up(self.clients.address(client), self.number(client));
        self.clients.unbind(client);
        self.meters.count(Operation::Release).done += 1;
        self.meters.last_done_ns = self.now_ns;
        self.end(index, client);
    }

    fn end(&mut self, index: u32, client: u32) {
        self.slots.end(index);
        self.clients.put_back(client);
    }

    /// Sends (again) what the operation's step calls for and arms its timer.
    fn send(&mut self, index: u32) {
        self.compose(index);
        let slot = self.slots.get(index);
        slot.deadline_ns = self.timers.arm(slot.attempts, self.now_ns, index);
    }

    fn compose(&mut self, index: u32) {
        let xid = self.slots.xid(index);
        let slot = *self.slots.get(index);
        let shape = match (slot.operation, slot.awaits) {
            (Operation::Dora, Await::Offer) => Shape::Discover,
            (Operation::Dora, Await::Ack) => Shape::Select,
            (Operation::Renew, _) => Shape::Renew,
            (Operation::Rebind, _) => Shape::Rebind,
            (Operation::Reboot, _) => Shape::Reboot,
            (Operation::Release, _) => Shape::Release,
            (Operation::Inform, _) => Shape::Inform,
        };
        let selecting = shape == Shape::Select;
        let client = self.number(slot.client);
        let fill = Fill {
            xid,
            client,
            address: if selecting {
                slot.address
            } else {
                self.clients.address(slot.client)
            },
            server_id: if selecting {
                slot.server_id
            } else {
                self.clients.server_id(slot.client)
            },
        };
        self.ports.queue(&mut self.sends, client, shape, fill);
    }

    /// A client's number in the fleet.
    pub(crate) fn number(&self, local: u32) -> u32 {
        local * self.threads + self.index
    }

    fn judge(&mut self, local: u32) -> Judge<'_> {
        let client = self.number(local);
        Judge {
            fleet: &self.fleet,
            ownership: &self.ownership,
            meters: &mut self.meters,
            client,
            now: self.now_unix,
        }
    }
}
