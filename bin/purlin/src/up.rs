//! `purlin up`: puts a node together, says that it is up, waits to be told otherwise, takes it apart.
//!
//! ```text
//!   file, environment ─► settings ─► store ─► which revision? ─► ports free? ─► dhcp ─► api ─► READY
//!                        all faults                                                      │
//!                        before anything is bound             signals, health, watchdog ◄┘ ... drain ─► exit
//! ```

mod admin_token;
mod args;
mod banner;
mod boot;
mod data_dir;
mod health;
mod host;
mod node;
mod node_file;
mod notify;
mod ports;
mod process;
mod reload;
mod signals;
mod status;
mod tls;

pub(crate) use args::Args;
pub(crate) use ports::wanted as wanted_ports;

use crate::cli::Context;
use crate::exit::{Exit, Failure, Outcome};
use crate::log;
use crate::output::Paint;
use banner::Banner;
use boot::Boot;
use node::Node;
use notify::Notifier;
use reload::Reloader;
use signals::{Asked, Signals};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// The control plane needs little: packet threads are threads of their own.
const WORKERS: usize = 2;
/// How often subnets are asked how full they are, for telling what a change would do.
const USAGE_EVERY: Duration = Duration::from_secs(5);

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
    outcome
}

/// From the first signal handler to the last.
async fn live(boot: &Boot, args: &Args, started: Instant) -> Outcome {
    let mut signals = Signals::listen()?;
    let notifier = Notifier::from_environment();
    let node = Node::build(boot, started).await?;
    announce(&node, boot, args, started)?;
    notifier.ready(&format!("serving revision {}", node.revisions.current().number));
    let end = serve(&node, boot, &mut signals, &notifier).await;
    notifier.stopping();
    let grace = args.grace.unwrap_or(node.settings.api.shutdown_grace);
    tokio::select! {
        () = node.stop(grace) => end,
        () = signals.stop() => Err(Failure::failed("told to stop a second time: what was under way is given up", "")),
    }
}

/// Until it is told to stop, or cannot go on.
async fn serve(node: &Node, boot: &Boot, signals: &mut Signals, notifier: &Notifier) -> Outcome {
    let mut condition = node.condition();
    let mut reloader = Reloader::new(boot);
    let mut usage = tokio::time::interval(USAGE_EVERY);
    let mut watchdog = tokio::time::interval(notifier.watchdog().unwrap_or(Duration::from_secs(3600)));
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => return Ok(Exit::Ok),
                Asked::Reload => {
                    notifier.reloading();
                    reloader.reload(node).await;
                    notifier.ready(&format!("serving revision {}", node.revisions.current().number));
                }
            },
            _ = usage.tick() => node.host.note_usage(node.dhcp.usage().await),
            _ = watchdog.tick() => notifier.alive(),
            changed = condition.changed() => {
                let now = condition.borrow_and_update().clone();
                if changed.is_err() || node::is_dead(&now) {
                    let cause = now.cause.unwrap_or("the packet threads have ended");
                    return Err(Failure::failed(cause, "look for disk errors (dmesg), then start again"));
                }
                log::warn(&format!("leases: {}", now.condition().as_str()));
            }
        }
    }
}

/// Says where the node is. The token is shown when a person looks, or when it was made just now.
fn announce(node: &Node, boot: &Boot, args: &Args, started: Instant) -> Result<(), Failure> {
    if args.quiet {
        return Ok(());
    }
    let shown = node.token.made || std::io::stdout().is_terminal();
    let networks = &node.settings.dhcp.networks;
    let subnets = networks.iter().flat_map(|network| &network.subnets);
    let banner = Banner {
        node: &node.file,
        data_dir: &node.data_dir,
        token_file: node.token.file.clone(),
        token: node.token.text.as_deref().filter(|_| shown),
        interfaces: node.interfaces.clone(),
        subnets: subnets
            .map(|subnet| format!("{} {}", subnet.name, subnet.network))
            .collect(),
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
