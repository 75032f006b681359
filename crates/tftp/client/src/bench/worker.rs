//! One thread of the load: its clients, their ports, its clock.
//!
//! ```text
//!   wait ──► datagrams ──► hear ──► send ──┐
//!     ▲      late ones, timers ────────────┼──► flush
//!     └────── boots due ───────────────────┘
//! ```

mod boots;
mod hear;
mod send;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use purlin_load::{Recent, Schedule};
use purlin_netio::BulkRecv;
use purlin_tftp_proto::ErrorCode;

use super::meters::Meters;
use super::options::{BenchOptions, Phase};
use super::ports::{Place, Ports, Token};
use super::profile::{Aim, Profile, ProfileMix, Step};
use super::report::{Violation, ViolationKind};
use super::slots::Slots;
use crate::faults::{Dice, Faults, mix};
use boots::Outcome;
use send::Parcels;

/// How often a worker looks up from its work, nanoseconds.
const LOOK_UP_NS: u64 = 50_000_000;
/// Silences double up to this.
const WAIT_MAX_NS: u64 = 8_000_000_000;
/// Trains of blocks arrive as one message of at most 64 KiB.
const SLOT: usize = 1 << 16;
const MESSAGES: usize = 32;

/// What a worker tells the thread that shows progress.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    pub(crate) done: AtomicU64,
    pub(crate) octets: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) p99_ns: AtomicU64,
}

/// A file as all threads hold it.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content: Arc<[u8]>,
}

/// What all workers share during a phase.
#[derive(Debug)]
pub(crate) struct PhaseClock<'a> {
    pub(crate) began: Instant,
    pub(crate) stop: &'a AtomicBool,
    /// When everything is broken off, nanoseconds since `began`.
    pub(crate) cut_ns: u64,
}

/// A worker lives for one phase.
#[derive(Debug)]
pub(crate) struct Worker<'a> {
    index: u32,
    server: SocketAddr,
    files: &'a [File],
    profiles: Vec<(Profile, Vec<Step>)>,
    mix: ProfileMix,
    to_server: Faults,
    to_client: Faults,
    late_ns: u64,
    wait_ns: u64,
    attempts: u8,
    limit_ns: u64,
    /// Distinguishes the names of this run's uploads.
    run: u64,
    boots_max: u32,
    ports: Ports,
    slots: Slots,
    parcels: Parcels,
    meters: Meters,
    recent: Recent,
    dice: Dice,
    boots: u64,
    now_ns: u64,
    name: String,
    block: Vec<u8>,
}

impl<'a> Worker<'a> {
    /// `boots_max` is how many boots this thread can have under way.
    pub(crate) fn open(
        options: &BenchOptions,
        phase: &Phase,
        files: &'a [File],
        index: u32,
        run: u64,
        boots_max: u32,
    ) -> std::io::Result<Self> {
        let profiles: Vec<_> = (phase.profiles.0.iter())
            .map(|&(profile, _)| (profile, profile.steps()))
            .collect();
        let window = profiles.iter().map(|(profile, _)| profile.window_octets()).max();
        let mut ports = Ports::open(options, index, window.unwrap_or(0), mix(run) as u32)?;
        let schedule = Schedule::new(&phase.plan(), index, options.threads);
        ports.prepare(schedule.in_flight_max().unwrap_or(0).min(boots_max))?;
        Ok(Self {
            index,
            server: options.server,
            files,
            profiles,
            mix: phase.profiles.clone(),
            to_server: options.to_server,
            to_client: options.to_client,
            late_ns: options.late.as_nanos() as u64,
            wait_ns: options.wait.as_nanos() as u64,
            attempts: options.attempts,
            limit_ns: options.transfer_limit.as_nanos() as u64,
            run,
            boots_max,
            ports,
            slots: Slots::new(options.server),
            parcels: Parcels::default(),
            meters: Meters::new(),
            recent: Recent::new(),
            dice: Dice::new(options.seed.wrapping_mul(1 << 16).wrapping_add(index.into())),
            boots: 0,
            now_ns: 0,
            name: String::new(),
            block: Vec::new(),
        })
    }

    /// Runs the phase to its end and returns what was counted.
    pub(crate) fn run(
        mut self,
        phase: &Phase,
        threads: u32,
        clock: &PhaseClock<'_>,
        gauge: &Gauge,
    ) -> Meters {
        let mut schedule = Schedule::new(&phase.plan(), self.index, threads);
        let mut batch = BulkRecv::new(MESSAGES, SLOT);
        let drain_ns = phase.drain.as_nanos() as u64;
        let cut_ns = schedule.end_ns().saturating_add(drain_ns).min(clock.cut_ns);
        let mut looked_up = 0;
        let mut ready = 0;
        loop {
            for at in 0..ready {
                self.receive(self.ports.token(at), &mut batch, clock);
            }
            self.tell_time(clock);
            if self.now_ns >= schedule.end_ns() {
                self.meters.time_is_over();
            }
            if self.now_ns >= cut_ns || clock.stop.load(Ordering::Relaxed) {
                break self.break_off();
            }
            self.deliver_late();
            self.timers();
            let wake_ns = self.start_due(&mut schedule);
            self.ports.flush();
            if self.now_ns >= looked_up + LOOK_UP_NS {
                looked_up = self.now_ns;
                gauge.p99_ns.store(self.recent.take_p99(), Ordering::Relaxed);
            }
            self.show(gauge);
            if wake_ns.is_none() && self.slots.in_flight() == 0 {
                break;
            }
            ready = self.wait(wake_ns.unwrap_or(u64::MAX).min(cut_ns));
        }
        self.meters.sent = self.ports.sent;
        self.meters.send_failures = self.ports.failures;
        self.show(gauge);
        self.meters
    }

    fn show(&self, gauge: &Gauge) {
        gauge.done.store(self.meters.boots_done, Ordering::Relaxed);
        gauge.octets.store(self.meters.octets, Ordering::Relaxed);
        gauge
            .in_flight
            .store(self.slots.in_flight().into(), Ordering::Relaxed);
    }

    fn tell_time(&mut self, clock: &PhaseClock<'_>) {
        self.now_ns = clock.began.elapsed().as_nanos() as u64;
    }

    /// Sleeps until a datagram comes, a timer runs out or a boot is due.
    fn wait(&mut self, wake_ns: u64) -> usize {
        let next = wake_ns
            .min(self.slots.next_ns().unwrap_or(u64::MAX))
            .min(self.parcels.next_ns().unwrap_or(u64::MAX));
        self.ports.wait(next.saturating_sub(self.now_ns).min(LOOK_UP_NS))
    }

    fn receive(&mut self, token: Token, batch: &mut BulkRecv, clock: &PhaseClock<'_>) {
        // An error here is an ICMP answer to something sent earlier; the timers deal with it.
        let received = match token {
            Token::Own { index, turn } => match self.slots.find(index, turn).map(|slot| &slot.place) {
                Some(Place::Own(port)) => batch.receive(port).unwrap_or(0),
                _ => return,
            },
            Token::Shared { socket } => match self.ports.shared(socket) {
                Some(port) => batch.receive(port).unwrap_or(0),
                None => return,
            },
        };
        self.tell_time(clock);
        for at in 0..received {
            let message = batch.get(at);
            let owner = match token {
                Token::Own { index, turn } => Some((index, turn)),
                Token::Shared { socket } => self.ports.owner(socket, message.local),
            };
            for datagram in message.datagrams() {
                self.meters.received += 1;
                match owner {
                    Some((index, turn)) => self.arrive(index, turn, message.source, datagram),
                    None => self.meters.late += 1,
                }
            }
        }
        if matches!(token, Token::Shared { .. }) {
            self.ports.flush();
        }
    }

    fn timers(&mut self) {
        while let Some(index) = self.slots.expired(self.now_ns) {
            let slot = self.slots.look(index);
            if self.now_ns >= slot.limit_ns {
                self.tell_server(index, ErrorCode::Undefined, "took too long");
                self.finish(index, Outcome::TooSlow);
            } else if slot.attempts >= self.attempts {
                self.finish(index, Outcome::TimedOut);
            } else {
                self.again(index);
            }
        }
    }

    fn step(&self, index: u32) -> &Step {
        let slot = self.slots.look(index);
        &self.profiles[usize::from(slot.profile)].1[usize::from(slot.step)]
    }

    fn aim(&self, index: u32) -> Aim {
        self.step(index).aim
    }

    fn content(&self, index: u32) -> &'a Arc<[u8]> {
        let files: &'a [File] = self.files;
        &files[self.slots.look(index).file as usize].content
    }

    /// The server did something wrong: the transfer ends.
    fn wrong(&mut self, index: u32, kind: ViolationKind, offset: u64, detail: String) {
        self.write_name(index);
        let slot = self.slots.look(index);
        let violation = Violation {
            kind,
            file: self.name.clone(),
            profile: self.profiles[usize::from(slot.profile)].0.to_string(),
            offset,
            detail,
        };
        self.meters.violation(violation);
        self.tell_server(index, ErrorCode::Undefined, "not what was asked for");
        self.finish(index, Outcome::Wrong);
    }
}
