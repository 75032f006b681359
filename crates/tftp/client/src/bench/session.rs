//! A run from the first socket to the report.

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use purlin_load::Usage;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::cost::{Cost, Work};
use super::meters::{EVIDENCE_MAX, Meters};
use super::options::{BenchOptions, OptionsError, Phase, PortUse};
use super::report::{BenchReport, PhaseReport, Progress, Violation};
use super::worker::{File, Gauge, PhaseClock, Worker};

/// Leaves some ports of an address to others.
const CLIENTS_PER_SOURCE: u32 = 20_000;
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Descriptors left for everything but clients.
const SPARE_DESCRIPTORS: u64 = 64;
/// Most boots under way per thread.
const BOOTS_MAX: u64 = 1 << 20;

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error(
        "cannot open the clients' ports; are the source addresses on this machine, and are there enough ports?"
    )]
    Ports(#[source] io::Error),
    #[error(
        "{clients} clients with a port each need as many descriptors, but this process may have {limit}: raise the \
         limit (ulimit -n), or use shared ports"
    )]
    Descriptors { clients: u32, limit: u64 },
}

/// Runs all phases. `stop` ends the run early (its report is still whole); `progress` is told about five times a second.
///
/// # Errors
/// When the options are out of range or ports cannot be opened. A server that does not answer or sends wrong octets is
/// no error: it is in the report.
pub fn run(
    options: &BenchOptions,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<BenchReport, BenchError> {
    options.check()?;
    let options = &with_sources(options);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut run = Run {
        options,
        files: load(options),
        boots_max: descriptors(options)?,
        began: Instant::now(),
        number: since.as_millis() as u64 & 0xffff_ffff,
        evidence: Vec::new(),
        cut: false,
    };
    let mut phases = Vec::new();
    for (index, phase) in options.phases.iter().enumerate() {
        if stop.load(Ordering::Relaxed) || run.cut {
            break;
        }
        phases.push(run.phase(index, phase, stop, progress)?);
    }
    Ok(BenchReport {
        server: options.server,
        threads: options.threads,
        started: since.as_secs(),
        phases,
        evidence: run.evidence,
        interrupted: run.cut || stop.load(Ordering::Relaxed),
    })
}

/// One address has too few ports for a great storm. On loopback there are enough addresses.
fn with_sources(options: &BenchOptions) -> BenchOptions {
    let mut options = options.clone();
    let clients = options
        .phases
        .iter()
        .filter_map(Phase::clients)
        .max()
        .unwrap_or(0);
    let loopback = options.server.is_ipv4() && options.server.ip().is_loopback();
    match &mut options.ports {
        PortUse::Own { sources } if sources.is_empty() && loopback && clients > CLIENTS_PER_SOURCE => {
            let addresses = 1..=clients.div_ceil(CLIENTS_PER_SOURCE).min(250) as u8;
            *sources = addresses
                .map(|last| Ipv4Addr::new(127, 0, 0, last).into())
                .collect();
        }
        _ => {}
    }
    options
}

fn load(options: &BenchOptions) -> Vec<File> {
    let file = |spec: &super::FileSpec| File {
        name: spec.name().to_owned(),
        content: spec.load(),
    };
    options.files.iter().map(file).collect()
}

/// Raises the limit of descriptors as far as needed and allowed; returns how many boots a thread can have under way.
fn descriptors(options: &BenchOptions) -> Result<u32, BenchError> {
    let threads = u64::from(options.threads);
    if matches!(options.ports, PortUse::Shared { .. }) {
        return Ok(BOOTS_MAX as u32);
    }
    let clients = options
        .phases
        .iter()
        .filter_map(Phase::clients)
        .max()
        .unwrap_or(0);
    let open = options.phases.iter().any(|phase| phase.clients().is_none());
    let needed = u64::from(clients) + SPARE_DESCRIPTORS;
    let limits = getrlimit(Resource::Nofile);
    let hard = limits.maximum.unwrap_or(u64::MAX);
    let wanted = if open { hard.max(needed) } else { needed };
    if limits.current.is_some_and(|current| current < wanted) {
        // Above the hard limit only the privileged may go; if that fails, up to it anyone may.
        for (current, maximum) in [(wanted, wanted.max(hard)), (wanted.min(hard), hard)] {
            let limit = Rlimit {
                current: Some(current),
                maximum: (maximum != u64::MAX).then_some(maximum),
            };
            if setrlimit(Resource::Nofile, limit).is_ok() {
                break;
            }
        }
    }
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if limit < needed {
        return Err(BenchError::Descriptors { clients, limit });
    }
    Ok(((limit - SPARE_DESCRIPTORS) / threads).min(BOOTS_MAX) as u32)
}

/// What phases share.
struct Run<'a> {
    options: &'a BenchOptions,
    files: Vec<File>,
    boots_max: u32,
    began: Instant,
    number: u64,
    evidence: Vec<Violation>,
    /// The time limit of the run was reached.
    cut: bool,
}

impl Run<'_> {
    fn phase(
        &mut self,
        index: usize,
        phase: &Phase,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<PhaseReport, BenchError> {
        let workers = (0..self.options.threads)
            .map(|at| {
                // Uploads of different phases have different names.
                let run = self.number.wrapping_add(index as u64);
                Worker::open(self.options, phase, &self.files, at, run, self.boots_max)
            })
            .collect::<io::Result<Vec<_>>>()
            .map_err(BenchError::Ports)?;
        let before = (Usage::read(None), self.server_usage());
        let mut watch = Watch::new(phase, index, self.options.server_pid);
        let meters = self.work(phase, workers, &mut watch, stop, progress);
        let after = (Usage::read(None), self.server_usage());
        self.cut |= self.began.elapsed() >= self.options.time_limit;
        let mut report = self.report(phase, &meters);
        let work = Work {
            seconds: watch.began.elapsed().as_secs_f64(),
            octets: meters.octets,
            transfers: meters.transfers.done + meters.transfers.probed + meters.transfers.missed,
        };
        let cost = |from: Option<Usage>, to: Option<Usage>, max| Some(Cost::between(from?, to?, max, &work));
        report.generator = cost(before.0, after.0, watch.resident_max.0);
        report.server = cost(before.1, after.1, watch.resident_max.1);
        let room = EVIDENCE_MAX.saturating_sub(self.evidence.len());
        self.evidence.extend(meters.evidence.into_iter().take(room));
        Ok(report)
    }

    fn work(
        &self,
        phase: &Phase,
        workers: Vec<Worker<'_>>,
        watch: &mut Watch<'_>,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Meters {
        let threads = self.options.threads;
        watch.began = Instant::now();
        let left = self.options.time_limit.saturating_sub(self.began.elapsed());
        let clock = PhaseClock {
            began: watch.began,
            stop,
            cut_ns: left.as_nanos() as u64,
        };
        let gauges: Vec<Gauge> = workers.iter().map(|_| Gauge::default()).collect();
        thread::scope(|scope| {
            let clock = &clock;
            let threads: Vec<_> = (workers.into_iter().zip(&gauges))
                .map(|(worker, gauge)| scope.spawn(move || worker.run(phase, threads, clock, gauge)))
                .collect();
            while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
                // Workers need no help; this thread only paints.
                thread::park_timeout(Duration::from_millis(20));
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

    fn server_usage(&self) -> Option<Usage> {
        self.options.server_pid.and_then(|pid| Usage::read(Some(pid)))
    }

    fn report(&self, phase: &Phase, meters: &Meters) -> PhaseReport {
        let last = meters.last_ns as f64 / 1e9;
        // A phase cut short, or one that had nothing more to do, is as long as its work.
        let seconds = phase
            .duration
            .map_or(last, |duration| duration.as_secs_f64().min(last));
        let per_second = |count: u64| {
            if seconds > 0.0 {
                count as f64 / seconds
            } else {
                0.0
            }
        };
        let amplification = if meters.blocks == 0 {
            1.0
        } else {
            meters.data_received as f64 / meters.blocks as f64
        };
        PhaseReport {
            name: phase.name.clone(),
            profiles: phase.profiles.to_string(),
            load: phase.load_words(),
            faults_to_server: self.options.to_server.to_string(),
            faults_to_client: self.options.to_client.to_string(),
            seconds,
            boots_started: meters.boots_started,
            boots_done: meters.boots_done,
            boots_failed: meters.boots_failed,
            shed: meters.shed,
            transfers: meters.transfers,
            octets: meters.octets,
            octets_per_second: per_second(meters.in_time().octets),
            boots_per_second: per_second(meters.in_time().boots),
            latency: meters.latencies(),
            sent: meters.sent,
            send_failures: meters.send_failures,
            received: meters.received,
            duplicates: meters.duplicates,
            amplification,
            gaps: meters.gaps,
            requests_repeated: meters.requests_repeated,
            timeouts: meters.timeouts,
            late: meters.late,
            strangers: meters.strangers,
            malformed: meters.malformed,
            injected_to_server: meters.injected_to_server,
            injected_to_client: meters.injected_to_client,
            errors: meters.error_counts(),
            violations: meters.violations,
            generator: None,
            server: None,
        }
    }
}

/// Turns gauges into progress, and watches the server's memory.
struct Watch<'a> {
    phase: &'a Phase,
    index: usize,
    server_pid: Option<u32>,
    began: Instant,
    done: u64,
    octets: u64,
    at: Instant,
    /// Of this process and of the server's.
    resident_max: (u64, u64),
}

impl<'a> Watch<'a> {
    fn new(phase: &'a Phase, index: usize, server_pid: Option<u32>) -> Self {
        let now = Instant::now();
        Self {
            phase,
            index,
            server_pid,
            began: now,
            done: 0,
            octets: 0,
            at: now,
            resident_max: (0, 0),
        }
    }

    fn tell(&mut self, gauges: &[Gauge], progress: &mut dyn FnMut(&Progress<'_>)) {
        let now = Instant::now();
        let passed = now - self.at;
        if passed < PROGRESS_EVERY {
            return;
        }
        let resident = |usage: Option<Usage>| usage.map_or(0, |usage| usage.resident_bytes());
        let server = self.server_pid.and_then(|pid| Usage::read(Some(pid)));
        self.resident_max.0 = self.resident_max.0.max(resident(Usage::read(None)));
        self.resident_max.1 = self.resident_max.1.max(resident(server));
        let sum = |read: fn(&Gauge) -> u64| gauges.iter().map(read).sum::<u64>();
        let done = sum(|gauge| gauge.done.load(Ordering::Relaxed));
        let octets = sum(|gauge| gauge.octets.load(Ordering::Relaxed));
        let p99_ns = gauges
            .iter()
            .map(|gauge| gauge.p99_ns.load(Ordering::Relaxed))
            .max();
        let elapsed_seconds = (now - self.began).as_secs_f64();
        let per_second = |now: u64, before: u64| (now - before) as f64 / passed.as_secs_f64();
        progress(&Progress {
            phase: &self.phase.name,
            index: self.index,
            done,
            total: self.phase.boots,
            in_flight: sum(|gauge| gauge.in_flight.load(Ordering::Relaxed)),
            octets,
            elapsed_seconds,
            time_share: (self.phase.duration).map(|whole| (elapsed_seconds / whole.as_secs_f64()).min(1.0)),
            boots_per_second: per_second(done, self.done),
            octets_per_second: per_second(octets, self.octets),
            first_block_p99_us: p99_ns.unwrap_or(0) as f64 / 1e3,
        });
        (self.done, self.octets, self.at) = (done, octets, now);
    }
}
