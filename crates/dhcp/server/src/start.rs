//! From settings and journals to running packet threads.
//!
//! ```text
//!   plan ─► sockets ─► engines ─► replay every journal into every engine ─► journals of threads that are no
//!   more are taken over and removed ─► threads
//! ```

use crate::error::{ApplyError, StartError};
use crate::handle::{Door, Handle};
use crate::handover::Inbox;
use crate::marker::Markers;
use crate::metrics::ThreadReport;
use crate::ports::Ports;
use crate::running::Running;
use crate::share::{self, ShareConfig};
use crate::status::Health;
use crate::switches::Switches;
use crate::worker::{Log, Parts, Rewrite, STATE_PIECE, Worker};
use purlin_dhcp_core::pin::Pin;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_core::{Engine, Plan, Recovery};
use purlin_netio::{Waker, boot_id, now, pin_to_core, prefer_this_thread};
use purlin_store::{Journal, JournalEngine, OpenError, Wake};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Receive buffer asked for per socket: about 16,000 packets of patience. The kernel counts some 1,000 octets for a
/// packet of 300; a file system that makes an append wait for its own journal does so for 20 ms and more, and at
/// 200,000 packets/s 4 MiB are full by then and clients wait a second to ask again.
pub const RECEIVE_BUFFER: u32 = 16 << 20;

/// What the service is started from.
#[derive(Debug)]
pub struct ServerConfig {
    pub settings: Settings,
    /// What is pinned to machines from the first packet on.
    pub pins: Arc<[Pin]>,
    pub switches: Switches,
    pub journals: Arc<dyn JournalEngine>,
    /// Bytes of receive buffer per socket; [`RECEIVE_BUFFER`] is a good value.
    pub receive_buffer: u32,
    /// Whether each packet thread stays on a core of its own.
    pub pin_threads: bool,
    /// What the journals were restored from, when they were; the same at every start from then on.
    pub recovery: Option<Recovery>,
    /// For one node of many. The journals are not used then: leases are where `share` says.
    pub share: Option<ShareConfig>,
}

/// Opens everything, restores the leases and starts the packet threads.
///
/// # Errors
/// See [`StartError`]. Nothing keeps running then.
pub fn start(config: ServerConfig) -> Result<(Handle, Running), StartError> {
    let ServerConfig {
        settings,
        pins,
        switches,
        journals,
        receive_buffer,
        pin_threads,
        recovery,
        share,
    } = config;
    // What the fabric gives goes to one thread.
    let shards = if share.is_some() { 1 } else { threads(&settings) };
    let plan = Plan::compile(&settings, None).pinned(pins);
    let mut ports = Ports::new(shards, receive_buffer);
    let prepared = ports.prepare(&settings).map_err(StartError::Sockets)?;
    ports.adopt(prepared, &plan).map_err(StartError::Sockets)?;

    let wakers = wakers(shards)?;
    let inboxes: Arc<[Inbox]> = wakers.iter().map(|waker| Inbox::new(Arc::clone(waker))).collect();
    let reports: Arc<[Mutex<ThreadReport>]> = wakers.iter().map(|_| Mutex::default()).collect();
    let health = Arc::new(watch::Sender::new(Health::of(shards)));
    let logs = match &share {
        Some(share) => vec![share::open(share, &plan, &wakers[0])?],
        None => restore(&*journals, &plan, &wakers, recovery.as_ref())?
            .into_iter()
            .map(|(engine, log)| (engine, log, None))
            .collect(),
    };

    let (mut doors, mut threads) = (Vec::new(), Vec::new());
    for (shard, ((engine, log, own), waker)) in logs.into_iter().zip(&wakers).enumerate() {
        let shard = shard as u16;
        let (sender, tasks) = channel();
        let parts = Parts {
            shard,
            shards,
            engine,
            log,
            switches,
            own,
            tasks,
            waker: Arc::clone(waker),
            inboxes: Arc::clone(&inboxes),
            health: Arc::clone(&health),
            reports: Arc::clone(&reports),
        };
        let system = |what| move |source| StartError::System { what, source };
        let mut worker = Worker::new(parts).map_err(system("making a packet thread"))?;
        let assigned = worker.adopt(Arc::clone(&plan), ports.assignments(shard, &plan));
        assigned.map_err(|e| StartError::Sockets(ApplyError::Watching(e)))?;
        doors.push(Door::new(sender, Arc::clone(waker)));
        threads.push((shard, worker));
    }
    let spawned = threads
        .into_iter()
        .map(|(shard, worker)| spawn(shard, worker, pin_threads));
    let threads = spawned.collect::<Result<Vec<_>, _>>()?;
    let handle = Handle::new(doors, ports, plan, health, reports);
    Ok((handle.clone(), Running::new(handle, threads)))
}

/// One per core, but never more than there are networks: a network is one thread's.
pub(crate) fn threads(settings: &Settings) -> u16 {
    let cores =
        std::thread::available_parallelism().map_or(1, |n| u16::try_from(n.get()).unwrap_or(u16::MAX));
    let networks = u16::try_from(settings.networks.len()).unwrap_or(u16::MAX);
    settings.threads.unwrap_or_else(|| cores.min(networks)).max(1)
}

pub(crate) fn wakers(shards: u16) -> Result<Vec<Arc<Waker>>, StartError> {
    let made = (0..shards)
        .map(|_| Waker::new().map(Arc::new))
        .collect::<Result<Vec<_>, _>>();
    made.map_err(|source| StartError::System {
        what: "making an event descriptor",
        source,
    })
}

fn spawn(shard: u16, worker: Worker, pin: bool) -> Result<std::thread::JoinHandle<()>, StartError> {
    let thread = std::thread::Builder::new()
        .name(format!("dhcp-{shard}"))
        .spawn(move || {
            if pin {
                // A wish: in a container with fewer cores the thread runs where it may.
                let _ = pin_to_core(usize::from(shard));
            }
            // Offers wait for nothing but this thread; beside a busy sync thread or load on the same cores it must
            // not wait for its turn.
            prefer_this_thread();
            worker.run();
        });
    thread.map_err(|source| StartError::System {
        what: "starting a packet thread",
        source,
    })
}

fn journal_name(shard: usize) -> String {
    format!("dhcp-{shard}")
}

/// Whether there are journals of this service at all.
pub(crate) fn holds_journals(journals: &dyn JournalEngine) -> Result<bool, StartError> {
    let names = journals.names().map_err(fault("dhcp-*"))?;
    Ok(names.iter().any(|name| is_extra(name, 0)))
}

/// What the journals held.
pub(crate) struct Replayed {
    pub(crate) engines: Vec<Engine>,
    /// One for each engine.
    journals: Vec<Box<dyn Journal>>,
    /// Names of journals whose thread is no more.
    extra: Vec<String>,
    /// Nothing that was written can have been lost.
    pub(crate) exact: bool,
    /// Some lease was found in another journal than its thread's.
    moved: bool,
}

fn fault(name: &str) -> impl FnOnce(OpenError) -> StartError {
    let name = name.to_owned();
    move |source| StartError::Journal { name, source }
}

/// Opens every journal there is and gives each engine all frames; it takes those of its networks.
pub(crate) fn replay(
    journals: &dyn JournalEngine,
    mut engines: Vec<Engine>,
    wakers: &[Arc<Waker>],
) -> Result<Replayed, StartError> {
    let shards = wakers.len() as u16;
    let (mut exact, mut moved) = (true, false);
    let mut open = |name: &str, own: Option<usize>, wake: Wake| {
        let mut markers = Markers::default();
        let opened = journals.open(name, wake, &mut |frame| {
            if !markers.note(frame) {
                for (shard, engine) in engines.iter_mut().enumerate() {
                    moved |= engine.restore(frame) && own != Some(shard);
                }
            }
        });
        exact &= markers.exact(boot_id());
        opened.map_err(fault(name))
    };
    let mut opened = Vec::new();
    for (shard, waker) in wakers.iter().enumerate() {
        let waker = Arc::clone(waker);
        let wake = Arc::new(move || waker.wake());
        opened.push(open(&journal_name(shard), Some(shard), wake)?);
    }
    let mut extra = journals.names().map_err(fault("dhcp-*"))?;
    extra.retain(|name| is_extra(name, shards));
    for name in &extra {
        // Closed again at once: it is only read.
        drop(open(name, None, Arc::new(|| ()))?);
    }
    Ok(Replayed {
        engines,
        journals: opened,
        extra,
        exact,
        moved,
    })
}

/// Engines with their leases, and their journals.
fn restore(
    journals: &dyn JournalEngine,
    plan: &Arc<Plan>,
    wakers: &[Arc<Waker>],
    recovery: Option<&Recovery>,
) -> Result<Vec<(Engine, Log)>, StartError> {
    let shards = wakers.len() as u16;
    let entropy = entropy()?;
    let engines = (0..shards)
        .map(|shard| Engine::new(Arc::clone(plan), shard, shards, entropy))
        .collect();
    let mut replayed = replay(journals, engines, wakers)?;
    let at = now();
    let mut records = vec![Vec::new(); wakers.len()];
    for (engine, records) in replayed.engines.iter_mut().zip(&mut records) {
        // The archive holds the markers of the run that it was taken from: they say nothing about this one.
        let news = recovery.is_some_and(|recovery| engine.recover(&at, recovery, records));
        engine.restored(&at, replayed.exact && !news, records);
    }
    if !replayed.extra.is_empty() {
        take_over(journals, &mut replayed)?;
    }
    let (boot, moving) = (boot_id(), Rewrite::of(shards));
    let threads = replayed.engines.into_iter().zip(replayed.journals).zip(records);
    let logs = threads.map(|((mut engine, journal), records)| {
        // In this order: the new boot's name must not be there without what the former one left in doubt.
        let mut log = Log::new(journal, boot, [records]);
        // What other journals say of a lease that has moved shall go, but not before it is said in the right one.
        match replayed.moved {
            true if replayed.extra.is_empty() => {
                log.begin_rewrite(Arc::clone(&moving));
                log.rewrite(at.wall, &mut engine);
            }
            true => log.want_checkpoint(),
            false => {}
        }
        (engine, log)
    });
    Ok(logs.collect())
}

/// What engines choose by where the choice must not be foreseen.
pub(crate) fn entropy() -> Result<u64, StartError> {
    getrandom::u64().map_err(|e| StartError::System {
        what: "asking for random numbers",
        source: std::io::Error::other(e.to_string()),
    })
}

/// Makes all states durable in their own journals, then removes the others.
fn take_over(journals: &dyn JournalEngine, replayed: &mut Replayed) -> Result<(), StartError> {
    let threads = replayed.engines.iter_mut().zip(&mut replayed.journals);
    for (shard, (engine, journal)) in threads.enumerate() {
        rewrite(engine, &mut **journal).map_err(|source| StartError::Rewrite {
            name: journal_name(shard),
            source,
        })?;
    }
    for name in &replayed.extra {
        journals.remove(name).map_err(fault(name))?;
    }
    Ok(())
}

/// Whether a journal is one of ours whose thread is no more.
fn is_extra(name: &str, shards: u16) -> bool {
    let number = name
        .strip_prefix("dhcp-")
        .and_then(|digits| digits.parse::<u16>().ok());
    number.is_some_and(|number| number >= shards)
}

/// Makes an engine's whole state durable in its own journal.
fn rewrite(engine: &mut Engine, journal: &mut dyn Journal) -> Result<(), purlin_store::AppendError> {
    let mut cursor = Some(0);
    let mut frame = Vec::new();
    while let Some(from) = cursor {
        frame.clear();
        cursor = engine.checkpoint_chunk(from, STATE_PIECE, &mut frame);
        if !frame.is_empty() {
            journal.append(&frame)?;
        }
    }
    journal.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbered_journals_beyond_the_threads_are_extra() {
        let extra: Vec<&str> = ["dhcp-0", "dhcp-1", "dhcp-2", "dhcp-10", "dhcp-x", "tftp-9"]
            .into_iter()
            .filter(|name| is_extra(name, 2))
            .collect();
        assert_eq!(extra, ["dhcp-2", "dhcp-10"]);
    }
}
