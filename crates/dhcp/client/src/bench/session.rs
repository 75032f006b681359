//! A run from the first socket to the report.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use purlin_load::{Load, Usage};

use super::cost::Cost;
use super::ledger::{Belief, Ledger};
use super::meters::Meters;
use super::mix::Mix;
use super::options::{BenchOptions, Fleet, Operation, OptionsError, Phase};
use super::ownership::{Ownership, ViolationKind};
use super::report::{BenchReport, PhaseReport, Progress, Verification, ViolationCount};
use super::worker::{Gauge, PhaseClock, Worker};

/// In flight while clients are given the first leases a phase needs.
const FILL_IN_FLIGHT: u32 = 64;
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error(
        "cannot bind a relay socket to {bind}; is the address on this machine, the port free and allowed?"
    )]
    Bind { bind: SocketAddrV4, source: io::Error },
    #[error("cannot wait for sockets")]
    Kernel(#[source] io::Error),
    #[error("cannot save the lease ledger {path}")]
    Ledger { path: PathBuf, source: io::Error },
}

/// Runs all phases. `stop` ends the run early (its report is still whole); `progress` is told about five times a second.
///
/// # Errors
/// When the options are out of range, a relay cannot be bound or the ledger cannot be saved. A server that does not
/// answer or breaks promises is no error: it is in the report.
pub fn run(
    options: &BenchOptions,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<BenchReport, BenchError> {
    Session::open(options)?.run(stop, progress)
}

/// Workers with their clients, ready for phases.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    options: &'a BenchOptions,
    fleet: Arc<Fleet>,
    ownership: Arc<Ownership>,
    workers: Vec<Worker>,
    restored: bool,
    started: u64,
}

impl<'a> Session<'a> {
    pub(crate) fn open(options: &'a BenchOptions) -> Result<Self, BenchError> {
        options.check()?;
        let fleet = Arc::new(options.fleet.clone());
        let ownership = Arc::new(Ownership::new());
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let generation = (since.as_millis() & 0xfff) as u16;
        let workers = (0..options.threads)
            .map(|index| Worker::open(options, &fleet, &ownership, index, generation))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            options,
            fleet,
            ownership,
            workers,
            restored: false,
            started: since.as_secs(),
        })
    }

    /// Gives the clients the leases of an earlier run; clients from `owners` on are the new ones.
    pub(crate) fn restore(&mut self, ledger: &Ledger, owners: u32) {
        let threads = self.workers.len() as u32;
        for belief in &ledger.leases {
            let worker = &mut self.workers[(belief.client % threads) as usize];
            worker
                .clients
                .restore(belief.client / threads, belief.address, belief.until);
            self.ownership
                .claim(belief.address, belief.client, self.started as u32, belief.until);
        }
        for (index, worker) in (0..).zip(&mut self.workers) {
            worker
                .clients
                .fresh_from((owners + threads - 1 - index) / threads);
        }
        self.restored = true;
    }

    pub(crate) fn run(
        mut self,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<BenchReport, BenchError> {
        let mut total = Meters::new();
        let mut reports = Vec::new();
        for (index, phase) in self.phases().iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let before = (Usage::read(None), self.server_usage());
            let meters = self.run_phase(index, phase, stop, progress);
            let after = (Usage::read(None), self.server_usage());
            let mut report = phase_report(phase, &meters);
            let cost = |from: Option<Usage>, to: Option<Usage>| {
                Some(Cost::between(from?, to?, report.seconds, report.done))
            };
            (report.generator, report.server) = (cost(before.0, after.0), cost(before.1, after.1));
            reports.push(report);
            total.absorb(meters);
        }
        self.save_ledger()?;
        Ok(BenchReport {
            server: self.options.server,
            clients: self.fleet.clients,
            relays: self.fleet.relays.len() as u32,
            threads: self.options.threads,
            started: self.started,
            phases: reports,
            verification: self.verification(&total),
            interrupted: stop.load(Ordering::Relaxed),
        })
    }

    /// The phases asked for, with a fill in front when the first needs leases that nobody has.
    fn phases(&self) -> Vec<Phase> {
        let mut phases = self.options.phases.clone();
        let lacks = |mix: Mix| mix.needs_leases() && mix.weight(Operation::Dora) == 0;
        if !self.restored && phases.first().is_some_and(|phase| lacks(phase.mix)) {
            let fill = Phase {
                name: "fill".to_owned(),
                mix: Mix::only(Operation::Dora),
                load: Load::Closed {
                    in_flight: FILL_IN_FLIGHT * self.options.threads,
                },
                operations: Some(u64::from(self.fleet.clients)),
                duration: None,
            };
            phases.insert(0, fill);
        }
        phases
    }

    fn server_usage(&self) -> Option<Usage> {
        self.options.server_pid.and_then(|pid| Usage::read(Some(pid)))
    }

    fn run_phase(
        &mut self,
        index: usize,
        phase: &Phase,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Meters {
        let began = Instant::now();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let clock = PhaseClock {
            began,
            began_unix: since.as_secs() as u32,
            stop,
        };
        let gauges: Vec<Gauge> = self.workers.iter().map(|_| Gauge::default()).collect();
        thread::scope(|scope| {
            let threads: Vec<_> = (self.workers.iter_mut().zip(&gauges))
                .map(|(worker, gauge)| scope.spawn(|| worker.run(phase, &clock, gauge)))
                .collect();
            let mut watch = Watch {
                phase,
                index,
                began,
                done: 0,
                at: began,
            };
            while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
                // Workers need no help; this thread only paints. Unparking is not used, so the wait is the interval.
                thread::park_timeout(PROGRESS_EVERY.min(Duration::from_millis(20)));
                watch.tell(&gauges, progress);
            }
            let mut total = Meters::new();
            for thread in threads {
                match thread.join() {
                    Ok(meters) => total.absorb(meters),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            total
        })
    }

    fn verification(&self, total: &Meters) -> Verification {
        let mut servers: Vec<Ipv4Addr> = self
            .workers
            .iter()
            .flat_map(|worker| worker.clients.servers())
            .map(|&id| id.into())
            .collect();
        servers.sort_unstable();
        servers.dedup();
        let counts = ViolationKind::ALL.into_iter().zip(total.violations);
        Verification {
            checked: total.checked,
            violations: counts
                .filter(|(_, count)| *count > 0)
                .map(|(kind, count)| ViolationCount { kind, count })
                .collect(),
            evidence: total.evidence.clone(),
            leases: self
                .workers
                .iter()
                .map(|worker| worker.clients.leases().count() as u64)
                .sum(),
            servers,
        }
    }

    fn save_ledger(&self) -> Result<(), BenchError> {
        let Some(path) = &self.options.ledger else {
            return Ok(());
        };
        let beliefs = self.workers.iter().flat_map(|worker| {
            worker.clients.leases().map(|(local, address, until)| Belief {
                client: worker.number(local),
                address,
                until,
            })
        });
        let ledger = Ledger {
            fleet: self.options.fleet.clone(),
            leases: beliefs.collect(),
        };
        ledger.save(path).map_err(|source| BenchError::Ledger {
            path: path.clone(),
            source,
        })
    }
}

/// Turns gauges into progress.
struct Watch<'a> {
    phase: &'a Phase,
    index: usize,
    began: Instant,
    done: u64,
    at: Instant,
}

impl Watch<'_> {
    fn tell(&mut self, gauges: &[Gauge], progress: &mut dyn FnMut(&Progress<'_>)) {
        let now = Instant::now();
        let passed = now - self.at;
        if passed < PROGRESS_EVERY {
            return;
        }
        let done: u64 = gauges
            .iter()
            .map(|gauge| gauge.done.load(Ordering::Relaxed))
            .sum();
        let p99_ns = gauges
            .iter()
            .map(|gauge| gauge.p99_ns.load(Ordering::Relaxed))
            .max()
            .unwrap_or(0);
        let elapsed_seconds = (now - self.began).as_secs_f64();
        progress(&Progress {
            phase: &self.phase.name,
            index: self.index,
            done,
            total: self.phase.operations,
            elapsed_seconds,
            time_share: self
                .phase
                .duration
                .map(|whole| (elapsed_seconds / whole.as_secs_f64()).min(1.0)),
            per_second: (done - self.done) as f64 / passed.as_secs_f64(),
            p99_us: p99_ns as f64 / 1e3,
        });
        (self.done, self.at) = (done, now);
    }
}

fn phase_report(phase: &Phase, meters: &Meters) -> PhaseReport {
    let seconds = meters.last_done_ns as f64 / 1e9;
    let done = meters.done();
    PhaseReport {
        name: phase.name.clone(),
        mix: phase.mix.to_string(),
        load: phase.load_words(),
        seconds,
        operations: meters
            .operations
            .iter()
            .filter(|count| count.started > 0)
            .cloned()
            .collect(),
        done,
        per_second: if seconds > 0.0 { done as f64 / seconds } else { 0.0 },
        latency: meters.latencies(),
        sent: meters.sent,
        send_failures: meters.send_failures,
        received: meters.received,
        retransmitted: meters.retransmitted,
        late: meters.late,
        malformed: meters.malformed,
        shed: meters.shed,
        generator: None,
        server: None,
    }
}
