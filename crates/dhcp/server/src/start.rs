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
use crate::status::Health;
use crate::worker::{Log, Parts, Worker};
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_core::{Engine, Plan, Recovery};
use purlin_netio::{Waker, boot_id, now, pin_to_core, prefer_this_thread};
use purlin_store::{Journal, JournalEngine, Wake};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Receive buffer asked for per socket: about 16,000 packets of patience. The kernel counts some 1,000 octets for a
/// packet of 300; a file system that makes an append wait for its own journal does so for 20 ms and more, and at
/// 200,000 packets/s 4 MiB are full by then and clients wait a second to ask again.
pub const RECEIVE_BUFFER: u32 = 16 << 20;
/// Leases per frame when the whole state is written at once.
const REWRITE_PIECE: usize = 16_384;

/// What the service is started from.
#[derive(Debug)]
pub struct ServerConfig {
    pub settings: Settings,
    pub journals: Arc<dyn JournalEngine>,
    /// Bytes of receive buffer per socket; [`RECEIVE_BUFFER`] is a good value.
    pub receive_buffer: u32,
    /// Whether each packet thread stays on a core of its own.
    pub pin_threads: bool,
    /// What the journals were restored from, when they were; the same at every start from then on.
    pub recovery: Option<Recovery>,
}

/// Opens everything, restores the leases and starts the packet threads.
///
/// # Errors
/// See [`StartError`]. Nothing keeps running then.
pub fn start(config: ServerConfig) -> Result<(Handle, Running), StartError> {
    let ServerConfig {
        settings,
        journals,
        receive_buffer,
        pin_threads,
        recovery,
    } = config;
    let shards = threads(&settings);
    let plan = Plan::compile(&settings, None);
    let mut ports = Ports::new(shards, receive_buffer);
    let prepared = ports.prepare(&settings).map_err(StartError::Sockets)?;
    ports.adopt(prepared, &plan).map_err(StartError::Sockets)?;

    let wakers = wakers(shards)?;
    let logs = restore(&*journals, &plan, &wakers, recovery.as_ref())?;
    let inboxes: Arc<[Inbox]> = wakers.iter().map(|waker| Inbox::new(Arc::clone(waker))).collect();
    let reports: Arc<[Mutex<ThreadReport>]> = wakers.iter().map(|_| Mutex::default()).collect();
    let health = Arc::new(watch::Sender::new(Health::of(shards)));

    let (mut doors, mut threads) = (Vec::new(), Vec::new());
    for (shard, ((engine, log), waker)) in logs.into_iter().zip(&wakers).enumerate() {
        let shard = shard as u16;
        let (sender, tasks) = channel();
        let parts = Parts {
            shard,
            shards,
            engine,
            log,
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
fn threads(settings: &Settings) -> u16 {
    let cores =
        std::thread::available_parallelism().map_or(1, |n| u16::try_from(n.get()).unwrap_or(u16::MAX));
    let networks = u16::try_from(settings.networks.len()).unwrap_or(u16::MAX);
    settings.threads.unwrap_or_else(|| cores.min(networks)).max(1)
}

fn wakers(shards: u16) -> Result<Vec<Arc<Waker>>, StartError> {
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

/// Opens every journal there is and gives each engine all frames; it takes those of its networks.
fn restore(
    journals: &dyn JournalEngine,
    plan: &Arc<Plan>,
    wakers: &[Arc<Waker>],
    recovery: Option<&Recovery>,
) -> Result<Vec<(Engine, Log)>, StartError> {
    let shards = wakers.len() as u16;
    let entropy = getrandom::u64().map_err(|e| StartError::System {
        what: "asking for random numbers",
        source: std::io::Error::other(e.to_string()),
    })?;
    let mut engines: Vec<Engine> = (0..shards)
        .map(|shard| Engine::new(Arc::clone(plan), shard, shards, entropy))
        .collect();
    let fault = |name: &str| {
        let name = name.to_owned();
        move |source| StartError::Journal { name, source }
    };

    let mut exact = true;
    let mut open = |name: &str, wake: Wake, engines: &mut [Engine]| {
        let mut markers = Markers::default();
        let opened = journals.open(name, wake, &mut |frame| {
            if !markers.note(frame) {
                engines.iter_mut().for_each(|engine| engine.restore(frame));
            }
        });
        exact &= markers.exact(boot_id());
        opened.map_err(fault(name))
    };
    let mut opened = Vec::new();
    for (shard, waker) in wakers.iter().enumerate() {
        let waker = Arc::clone(waker);
        opened.push(open(
            &journal_name(shard),
            Arc::new(move || waker.wake()),
            &mut engines,
        )?);
    }
    let mut extra = journals.names().map_err(fault("dhcp-*"))?;
    extra.retain(|name| is_extra(name, shards));
    for name in &extra {
        // Closed again at once: it is only read.
        drop(open(name, Arc::new(|| ()), &mut engines)?);
    }
    let at = now();
    let mut records = vec![Vec::new(); engines.len()];
    engines
        .iter_mut()
        .zip(&mut records)
        .for_each(|(engine, records)| {
            // The archive holds the markers of the run that it was taken from: they say nothing about this one.
            let news = recovery.is_some_and(|recovery| engine.recover(&at, recovery, records));
            engine.restored(&at, exact && !news, records);
        });
    if !extra.is_empty() {
        for (shard, (engine, journal)) in engines.iter_mut().zip(&mut opened).enumerate() {
            rewrite(engine, &mut **journal).map_err(|source| StartError::Rewrite {
                name: journal_name(shard),
                source,
            })?;
        }
        for name in &extra {
            journals.remove(name).map_err(fault(name))?;
        }
    }
    let boot = boot_id();
    let logs = opened.into_iter().zip(records).map(|(journal, records)| {
        // In this order: the new boot's name must not be there without what the former one left in doubt.
        let mut log = Log::new(journal, boot, [records]);
        if shards > 1 || !extra.is_empty() {
            // Networks may have changed threads: what other journals say of them shall not come back.
            log.want_checkpoint();
        }
        log
    });
    Ok(engines.into_iter().zip(logs).collect())
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
        cursor = engine.checkpoint_chunk(from, REWRITE_PIECE, &mut frame);
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
