//! The packet thread: one thing at a time, in the order of `dhcp/server/src/worker`.
//!
//! ```text
//!   packet ─► Engine::step ─ work ─► records to the log ─► R0? ─► send, or park until durable
//!   log moved ─► durable? ─► setbacks ─► R0? ─► send what is durable
//! ```

use super::Start;
mod own;

use super::copies::Copies;
use super::ledger::Ledger;
use super::loader::{Continued, Gained};
use super::port::RowsPort;
use crate::clock::Clock;
use crate::mutation::Mutation;
use crate::scene::{SERVER, client_of};
use purlin_dhcp_core::rows::rows_of;
use purlin_dhcp_core::step::{Arrival, Destination, Log, Reply, Verdict};
use purlin_dhcp_core::view::DecisionQuery;
use purlin_dhcp_core::{Engine, Plan, SteadyClock};
use purlin_dhcp_proto::{Message, MessageType};
use purlin_fabric_runtime::{LoggedRow, RowLog, RowLogHandle, RowReader, Terms};
use purlin_store::{FencedRow, Journal, Position};
use purlin_types::{BootTime, Epoch, Now, Slot, Tenure};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something to do on the thread.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    Packet {
        payload: Vec<u8>,
        source: SocketAddrV4,
        attempt: u8,
    },
    /// And by how much the wall clock was ahead of the boot clock when the fabric found it right last.
    Adopt(Vec<Gained>, Option<i64>),
    /// Answered by [`Out::GoneOn`].
    GoOn(Vec<Continued>),
    Resign(Vec<Slot>),
    /// With the terms under which the fabric gives them up.
    GiveUp(Vec<(Slot, Option<Epoch>)>),
    /// What happens once a second.
    Sweep,
    /// Another node asks for a lease to be ended.
    MakeWay(Wish),
    /// The log has moved.
    Release,
}

/// That a lease makes way for what its client has chosen elsewhere at `since` (`dhcp/server/src/share/vacate.rs`).
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) address: Ipv4Addr,
    pub(crate) unique: Vec<u8>,
    pub(crate) since: u32,
}

/// What comes of it outside of the thread.
#[derive(Debug)]
pub(crate) enum Out {
    Forward {
        slot: Slot,
        attempt: u8,
        payload: Vec<u8>,
        source: SocketAddrV4,
    },
    Leave(Leaving),
    /// A write was refused: the fabric must know.
    Lost(Vec<Slot>),
    /// These slots, held under that, are resigned; they may be released when the log has come this far.
    Flush(u64, Vec<(Slot, Option<Epoch>)>),
    /// This was declined at that real instant, and it is recorded.
    Declined(u64, Ipv4Addr),
    /// To be asked of who holds the address.
    Ask(Wish),
    /// Of what was to be gone on with, what was.
    GoneOn(Vec<Continued>),
    /// The packet at hand needs some time; then [`Thread::settle`].
    Work,
}

/// A reply that may leave.
#[derive(Debug, Clone)]
pub(crate) struct Leaving {
    pub(crate) payload: Vec<u8>,
    pub(crate) to: Destination,
    /// When it was decided, in real time.
    pub(crate) decided: u64,
}

/// A decision whose records are not handed over yet.
#[derive(Debug)]
struct Open {
    now: Now,
    verdict: Verdict,
    leaving: Leaving,
    records: Vec<u8>,
    /// The address that the packet at hand declines.
    declines: Option<Ipv4Addr>,
}

#[derive(Debug)]
struct Parked {
    position: Position,
    leaving: Leaving,
}

pub(crate) struct Thread {
    pub(crate) engine: Engine,
    mutation: Option<Mutation>,
    log: RowLog,
    handle: RowLogHandle,
    terms: Terms,
    steady: SteadyClock,
    ledger: Ledger,
    copies: Copies,
    position: Position,
    parked: VecDeque<Parked>,
    /// Wait for the store's second copy.
    copying: VecDeque<Parked>,
    /// Declined when, and recorded up to there.
    declined: Vec<(Position, u64, Ipv4Addr)>,
    jobs: VecDeque<Job>,
    open: Option<Open>,
    reply: Box<Reply>,
    woken: Arc<AtomicBool>,
}

impl Thread {
    pub(super) fn new(start: &Start, node: usize, entropy: u64) -> Self {
        let mut engine = Engine::new(Arc::clone(&start.plan), 0, 1, entropy);
        engine.share();
        let (terms, woken) = (Terms::default(), Arc::new(AtomicBool::new(false)));
        let port = RowsPort {
            node,
            outbox: start.outbox.clone(),
        };
        let wake = Arc::clone(&woken);
        let (log, handle) = RowLog::open(
            &start.runtime,
            Arc::new(port),
            reader(&start.plan, start.mutation),
            terms.clone(),
            Arc::new(move || wake.store(true, Ordering::Relaxed)),
        );
        Self {
            engine,
            mutation: start.mutation,
            log,
            handle,
            terms,
            steady: SteadyClock::default(),
            ledger: Ledger::default(),
            copies: Copies::default(),
            position: Position(0),
            parked: VecDeque::new(),
            copying: VecDeque::new(),
            declined: Vec::new(),
            jobs: VecDeque::new(),
            open: None,
            reply: Box::default(),
            woken,
        }
    }

    /// Whether the log has moved since this was last asked.
    pub(crate) fn take_woken(&self) -> bool {
        self.woken.swap(false, Ordering::Relaxed)
    }

    /// What was decided last, in words.
    pub(crate) fn last_decision(&self) -> String {
        let query = DecisionQuery {
            limit: 1,
            ..DecisionQuery::default()
        };
        let told = self.engine.find_decisions(&query);
        told.last().map_or_else(String::new, |told| {
            let client = client_of(told.decision.mac);
            let address = Ipv4Addr::from(told.decision.with.address);
            let at = Now {
                boot: BootTime(0),
                wall: told.decision.at,
            };
            let lease = self.engine.lease(&at, address);
            let lease = lease.map_or_else(String::new, |lease| {
                format!(
                    ", {} to {}",
                    lease.state.as_str(),
                    i64::from(lease.expires) - 1_800_000_000
                )
            });
            format!(
                "client {client} {} {address} {} ({}){lease}",
                told.event, told.answer, told.slug
            )
        })
    }

    pub(crate) fn durable(&self) -> u64 {
        self.log.durable().0
    }

    /// Those of which a record was refused.
    pub(crate) fn refused(&self, terms: &[(Slot, Option<Epoch>)]) -> Vec<Slot> {
        match self.mutation {
            Some(Mutation::ReleaseRefused) => Vec::new(),
            _ => self.handle.refused(terms),
        }
    }

    pub(crate) fn give(&mut self, job: Job) {
        self.jobs.push_back(job);
    }

    /// Does what there is to do until a packet needs its time.
    pub(crate) fn run(&mut self, real: u64, clock: &Clock, tenure: &Tenure, out: &mut Vec<Out>) {
        while self.open.is_none()
            && let Some(job) = self.jobs.pop_front()
        {
            match job {
                Job::Packet {
                    payload,
                    source,
                    attempt,
                } => self.decide((real, &clock.now(real)), tenure, (payload, source, attempt), out),
                Job::Adopt(gained, distance) => self.adopt(&clock.now(real), &gained, distance),
                Job::GoOn(continued) => out.push(Out::GoneOn(self.go_on(&clock.now(real), continued))),
                Job::Resign(slots) => self.resign(&slots),
                Job::GiveUp(slots) => {
                    self.take_setbacks(&clock.now(real), out);
                    let term =
                        |&(slot, told): &(Slot, Option<Epoch>)| (slot, self.engine.epoch(slot).max(told));
                    let terms: Vec<_> = slots.iter().map(term).collect();
                    let slots: Vec<Slot> = slots.iter().map(|&(slot, _)| slot).collect();
                    self.resign(&slots);
                    out.push(Out::Flush(self.position.0, terms));
                }
                Job::Sweep => {
                    let now = self.time(&clock.now(real));
                    while self.engine.tick(&now) {}
                }
                Job::Release => self.release(&clock.now(real), tenure, out),
                Job::MakeWay(wish) => {
                    let (now, mut records) = (self.time(&clock.now(real)), Vec::new());
                    let Wish {
                        address,
                        unique,
                        since,
                    } = &wish;
                    self.engine.vacate(&now, *address, unique, *since, &mut records);
                    self.record(&now, &records);
                }
            }
        }
    }

    /// The time of what is decided.
    pub(super) fn time(&self, raw: &Now) -> Now {
        match self.mutation {
            Some(Mutation::WallLeases) => *raw,
            _ => self.steady.read(raw),
        }
    }

    fn heeded(&self, tenure: &Tenure) -> Tenure {
        match self.mutation {
            Some(Mutation::NoTenure) => Tenure {
                valid_until: BootTime::MAX,
                ..*tenure
            },
            _ => Tenure {
                epoch: Epoch::default(),
                ..*tenure
            },
        }
    }

    fn decide(
        &mut self,
        (real, raw): (u64, &Now),
        tenure: &Tenure,
        (payload, source, attempt): (Vec<u8>, SocketAddrV4, u8),
        out: &mut Vec<Out>,
    ) {
        let now = self.time(raw);
        let tenure = self.heeded(tenure);
        let log = self.log_state(&now);
        // A refused row counts as dealt with there.
        self.take_setbacks(raw, out);
        let arrival = Arrival {
            payload: &payload,
            source,
            local: SERVER,
            port: 67,
            interface: None,
            broadcast: false,
            attempt,
        };
        let mut records = Vec::new();
        let verdict = self
            .engine
            .step(&now, &tenure, log, &arrival, &mut self.reply, &mut records);
        let declines = declined(&payload).filter(|_| verdict == Verdict::Commit);
        if let Verdict::Forward { slot, attempt } = verdict {
            out.push(Out::Forward {
                slot,
                attempt,
                payload,
                source,
            });
        }
        let leaving = Leaving {
            payload: self.reply.as_bytes().to_vec(),
            to: self.reply.to,
            decided: real,
        };
        self.open = Some(Open {
            now,
            verdict,
            leaving,
            records,
            declines,
        });
        out.push(Out::Work);
    }

    fn log_state(&mut self, now: &Now) -> Log {
        let position = self.log.durable();
        let durable = self.ledger.durable(now.wall, position);
        let copy = self.copies.state(now.wall, &self.handle.copied(), position);
        Log {
            writable: true,
            durable,
            copy: copy.filter(|_| self.mutation != Some(Mutation::NoSecondCopy)),
        }
    }

    /// The work is done: records to the log, then R0, then the reply.
    pub(crate) fn settle(&mut self, real: u64, clock: &Clock, tenure: &Tenure, out: &mut Vec<Out>) {
        let Some(open) = self.open.take() else { return };
        if open.declines.is_none() || self.mutation != Some(Mutation::LostDecline) {
            self.record(&open.now, &open.records);
        }
        if let Some(address) = open.declines {
            self.declined.push((self.position, open.leaving.decided, address));
        }
        let holds = self.heeded(tenure).holds(clock.boot(real));
        let waits = self.mutation != Some(Mutation::NoCommit);
        match open.verdict {
            _ if !holds => {}
            Verdict::CommitThenReply | Verdict::CopyThenReply if waits => {
                let ring = match open.verdict {
                    Verdict::CopyThenReply => &mut self.copying,
                    _ => &mut self.parked,
                };
                ring.push_back(Parked {
                    position: self.position,
                    leaving: open.leaving,
                });
                self.copies.parked(self.position);
            }
            Verdict::Reply | Verdict::WriteThenReply | Verdict::CommitThenReply | Verdict::CopyThenReply => {
                out.push(Out::Leave(open.leaving));
            }
            Verdict::Commit | Verdict::Probe(_) | Verdict::Forward { .. } | Verdict::Silent => {}
        }
        self.run(real, clock, tenure, out);
    }

    fn record(&mut self, now: &Now, records: &[u8]) {
        if !records.is_empty() {
            self.hand_over(now, records);
        }
    }

    fn hand_over(&mut self, now: &Now, records: &[u8]) {
        if let Ok(position) = self.log.defer(records) {
            self.position = position;
            self.ledger.note(now.wall, position);
            self.copies.note(now.wall, position);
        }
    }

    /// Sends what has become durable.
    fn release(&mut self, raw: &Now, tenure: &Tenure, out: &mut Vec<Out>) {
        let durable = self.log.durable();
        self.take_setbacks(raw, out);
        let recorded = self
            .declined
            .extract_if(.., |(position, ..)| *position <= durable);
        out.extend(recorded.map(|(_, at, address)| Out::Declined(at, address)));
        if !self.heeded(tenure).holds(raw.boot) {
            self.parked.clear();
            self.copying.clear();
        }
        let (due, overtaken) = self.copies.alone(&self.handle.copied(), durable);
        if let Some((after, upto)) = overtaken {
            self.parked
                .retain(|parked| parked.position <= after || parked.position > upto);
        }
        leave(&mut self.parked, due, out);
        match self.copies.due(&self.handle.copied(), self.log.durable()) {
            Some(copied) => leave(&mut self.copying, copied, out),
            None => self.copying.clear(),
        }
        if self.copying.is_empty() {
            self.count_histories();
        }
    }
}

fn leave(ring: &mut VecDeque<Parked>, upto: Position, out: &mut Vec<Out>) {
    while ring.front().is_some_and(|parked| parked.position <= upto) {
        let parked = ring.pop_front().expect("it was looked at");
        out.push(Out::Leave(parked.leaving));
    }
}

/// The address that a packet declines.
fn declined(payload: &[u8]) -> Option<Ipv4Addr> {
    let message = Message::parse(payload).ok()?;
    (message.message_type() == Some(MessageType::Decline)).then(|| message.requested_address())?
}

/// Frames as rows (`dhcp/server/src/share.rs`).
fn reader(plan: &Arc<Plan>, mutation: Option<Mutation>) -> RowReader {
    let plan = Arc::clone(plan);
    let windows = mutation != Some(Mutation::NoWindow);
    Arc::new(move |frame, out| {
        let rows =
            rows_of(&plan, frame).filter(|row| windows || row.table != purlin_dhcp_core::rows::WINDOWS);
        out.extend(rows.map(|row| LoggedRow {
            table: row.table,
            row: FencedRow {
                key: row.key,
                slot: row.slot,
                version: row.version,
                unique: row.unique,
                body: row.body.into_owned(),
            },
        }));
    })
}
