//! `purlin up`: puts a node together, says that it is up, waits to be told otherwise, takes it apart.
//!
//! ```text
//!   file, environment ─► settings ─► store ─► which revision? ─► ports free? ─► dhcp ─► api ─► READY
//!                        all faults                                                      │
//!                        before anything is bound             signals, health, watchdog ◄┘ ... drain ─► exit
//! ```

mod abandoned;
mod admin_token;
mod args;
mod attend;
mod backup;
mod banner;
pub(crate) mod boot;
mod data_dir;
mod faults;
mod ground;
pub(crate) mod grown;
mod health;
mod host;
mod node;
mod node_file;
mod notify;
pub(crate) mod own;
mod ports;
pub(crate) mod process;
mod reload;
mod serve;
mod signals;
mod status;
pub(crate) mod tls;
pub(crate) mod web;

pub(crate) use args::{Args, Renew};
pub(crate) use data_dir::prepare as prepare_data_dir;
pub(crate) use ports::wanted as wanted_ports;

use crate::cli::Context;
use crate::cluster::Waits;
use crate::exit::{Exit, Failure, Outcome};
use crate::log;
use crate::output::Paint;
#[cfg(feature = "chain")]
use crate::settings::Settings;
use banner::Banner;
use boot::Boot;
use node::Node;
use notify::Notifier;
use signals::Signals;
use std::io::{IsTerminal, Write};
use std::os::unix::process::CommandExt;
#[cfg(feature = "chain")]
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The control plane needs little: packet threads are threads of their own.
const WORKERS: usize = 2;

/// The settings of a configuration file, with the environment over it.
///
/// # Errors
/// When it cannot be read, or with every fault of it.
#[cfg(feature = "chain")]
pub(crate) fn configuration(file: &Path) -> Result<Settings, Failure> {
    boot::checked(file).map(|(_, settings)| settings)
}

pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let started = Instant::now();
    let boot = Boot::read(args, context)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("purlin-control")
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(live(&boot, args, started));
    // Blocking work that is still under way must not hold up the exit.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match outcome? {
        Last::Exit(exit) => Ok(exit),
        Last::Anew => Err(anew()),
    }
}

/// What comes after a node's life.
enum Last {
    Exit(Exit),
    /// The same program in the same process, from the beginning.
    Anew,
}

/// Becomes this very program again, with the arguments that it was called with, when the node could not be built anew
/// within the process: nothing of the former life is left but what is on the disk. Comes back only when that failed.
fn anew() -> Failure {
    let mut arguments = std::env::args_os();
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let cause = command.args(arguments).exec();
    Failure::failed(
        format!("starting anew as a node of a cluster failed: {cause}"),
        "start the node again",
    )
}

/// From the first signal handler to the last.
async fn live(boot: &Boot, args: &Args, started: Instant) -> Result<Last, Failure> {
    let mut signals = Signals::listen()?;
    let notifier = Notifier::from_environment();
    let waits = Waits::default();
    let mut node = tokio::select! {
        built = Node::build(boot, started, &waits) => built?,
        () = tell_manager(&notifier, &waits) => unreachable!("this node holds the other end"),
        () = signals.stop() => return Ok(Last::Exit(Exit::Ok)),
    };
    if !args.quiet {
        announce(&node, boot, started)?;
    }
    let mut boot = boot.clone();
    let end = loop {
        notifier.ready(&serve::serving(&node));
        match serve::serve(&node, &boot, &mut signals, &notifier).await {
            serve::End::Stop(end) => break end,
            serve::End::Grown(handover) => {
                notifier.reloading();
                match node.grow(*handover, &boot, started).await {
                    Ok(grown) => (node, boot) = grown,
                    Err(failure) => {
                        log::error(&failure.to_string());
                        return Ok(Last::Anew);
                    }
                }
            }
        }
    };
    notifier.stopping();
    let grace = args.grace.unwrap_or(node.settings.api.shutdown_grace);
    let drained = serve::drain(node, grace, &mut signals).await;
    // Why it had to stop matters more than how that went.
    end.and_then(|exit| drained.map(|()| Last::Exit(exit)))
}

/// Tells the service manager what the node waits for, for as long as it does.
async fn tell_manager(notifier: &Notifier, waits: &Waits) {
    let mut watch = waits.watch();
    while watch.changed().await.is_ok() {
        if let Some(wait) = &*watch.borrow_and_update() {
            notifier.waiting(&wait.says);
        }
    }
}

/// Says where the node is. The token is shown when a person looks, or when it was made just now.
fn announce(node: &Node, boot: &Boot, started: Instant) -> Result<(), Failure> {
    let shown = node.token.made || std::io::stdout().is_terminal();
    let banner = Banner {
        node: &node.file,
        program: banner::program(std::env::args().next()),
        data_dir: &node.data_dir,
        token_file: node.token.file.clone(),
        token: node.token.text.as_deref().filter(|_| shown),
        interfaces: node.segments(),
        subnets: node.settings.services.subnets(),
        fronts: crate::balancer::words(&node.fronts),
        revision: node.revisions.current().number,
        origin: boot.origin(),
        took: started.elapsed(),
        demo: boot.file.is_none(),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(banner.text(Paint::stdout()).as_bytes())?;
    out.flush()?;
    Ok(())
}
