//! From settings to running packet threads.

use crate::cluster::{self, Neighbours};
use crate::error::StartError;
use crate::handle::{Door, Handle};
use crate::inbox::Inbox;
use crate::machines::{self, Machines};
use crate::metrics::ThreadReport;
use crate::ports::Ports;
use crate::running::Running;
use crate::worker::{OwnPorts, Parts, Worker};
use purlin_netio::{Waker, pin_to_core, yield_when_woken};
use purlin_tftp_core::settings::{Affinity, Settings};
use purlin_tftp_core::{Admission, Engine, Plan};
use purlin_tftp_files::Library;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// What the service is started from.
#[derive(Debug)]
pub struct ServerConfig {
    pub plan: Arc<Plan>,
    pub tree: Library,
    /// The other nodes, in a cluster: limits per address and machine count what is open with them.
    pub neighbours: Option<Neighbours>,
}

/// Binds everything and starts the packet threads.
///
/// # Errors
/// See [`StartError`]. Nothing keeps running then.
pub fn start(config: ServerConfig) -> Result<(Handle, Running), StartError> {
    let ServerConfig {
        plan,
        tree,
        neighbours,
    } = config;
    let settings = plan.settings();
    let threads = threads(settings);
    let ports = Ports::bind(settings, threads)?;
    let admission = Arc::new(Admission::new(settings.limits));
    if let Some(neighbours) = &neighbours {
        cluster::follow(neighbours, &admission);
    }
    let questions = machines::start(tree.clone(), Arc::clone(&admission));
    let questions = system("starting the thread that knows machines", questions)?;
    let reports: Arc<[Mutex<ThreadReport>]> = (0..threads).map(|_| Mutex::default()).collect();
    let failed = Arc::new(watch::Sender::new(None));
    let (mut doors, mut workers) = (Vec::new(), Vec::new());
    for thread in 0..threads {
        let waker = system("making an event descriptor", Waker::new()).map(Arc::new)?;
        let seed = getrandom::u64().map_err(|e| StartError::System {
            what: "asking for random numbers",
            source: std::io::Error::other(e.to_string()),
        })?;
        let (sender, tasks) = channel();
        let mut engine = Engine::new(Arc::clone(&plan), Arc::clone(&admission), seed);
        engine.prepare((settings.limits.prepared as usize).div_ceil(threads.into()));
        let parts = Parts {
            thread,
            engine,
            tree: tree.clone(),
            ports: ports.of_thread(thread),
            own_ports: OwnPorts::new(settings.ports, thread, threads),
            machines: Machines::new(questions.clone()),
            tasks,
            waker: Arc::clone(&waker),
            inbox: Arc::new(Inbox::new(Arc::clone(&waker))),
            reports: Arc::clone(&reports),
            failed: Arc::clone(&failed),
        };
        workers.push(system("making a packet thread", Worker::new(parts))?);
        doors.push(Door::new(sender, waker));
    }
    let spawned = workers.into_iter().zip(0..).map(|(worker, thread)| {
        let core = core_of(&settings.affinity, thread);
        system("starting a packet thread", spawn(thread, worker, core))
    });
    let running = spawned.collect::<Result<Vec<_>, _>>()?;
    let handle = Handle::new(doors, ports, plan, tree, reports, failed);
    Ok((handle.clone(), Running::new(handle, running)))
}

fn system<T>(what: &'static str, result: std::io::Result<T>) -> Result<T, StartError> {
    result.map_err(|source| StartError::System { what, source })
}

/// As many as the settings say; none without an address to listen on.
fn threads(settings: &Settings) -> u16 {
    if settings.listen.is_empty() {
        return 0;
    }
    let cores =
        std::thread::available_parallelism().map_or(1, |n| u16::try_from(n.get()).unwrap_or(u16::MAX));
    settings.threads.on(cores)
}

fn core_of(affinity: &Affinity, thread: u16) -> Option<usize> {
    match affinity {
        Affinity::Auto => Some(usize::from(thread)),
        Affinity::Off => None,
        Affinity::Cores(cores) => {
            let at = usize::from(thread) % cores.len().max(1);
            cores.get(at).map(|core| usize::from(*core))
        }
    }
}

fn spawn(thread: u16, worker: Worker, core: Option<usize>) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("tftp-{thread}"))
        .spawn(move || {
            // No priority over others, rather the contrary: waking for every ACK at once makes small batches, and a
            // client on the same machine waits for its turn. Boots need throughput more than the last tenth of a
            // millisecond. A wish: without it the thread only does more work for each block.
            let _ = yield_when_woken();
            if let Some(core) = core {
                // A wish: in a container with fewer cores the thread runs where it may.
                let _ = pin_to_core(core);
            }
            worker.run();
        })
}
