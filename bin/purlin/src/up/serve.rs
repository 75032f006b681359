//! The life of a node between READY and STOPPING: signals, the condition of its parts, the watchdog.

use super::boot::Boot;
use super::node::Node;
use super::notify::Notifier;
use super::reload::Reloader;
use super::signals::{Asked, Signals};
use crate::cluster::Handover;
use crate::exit::{Exit, Failure, Outcome};
use futures_util::future::select_all;
use std::time::Duration;

/// Past the grace period, for what is synced and joined after it.
const BEYOND_GRACE: Duration = Duration::from_secs(5);
/// Never, as far as a watchdog is concerned.
const NO_WATCHDOG: Duration = Duration::from_secs(86_400);

/// How serving ended.
pub(super) enum End {
    /// It was told to, or cannot go on.
    Stop(Outcome),
    /// The node is to be one of several.
    Grown(Box<Handover>),
}

/// Until it is told to stop, or cannot go on.
pub(super) async fn serve(node: &Node, boot: &Boot, signals: &mut Signals, notifier: &Notifier) -> End {
    let tell = |topic, kind, text: &str| node.tell_event(topic, kind, text);
    let mut services = select_all(node.services.iter().map(|service| service.watch(&tell)));
    let mut reloader = Reloader::new(boot);
    let mut watchdog = tokio::time::interval(notifier.watchdog().unwrap_or(NO_WATCHDOG));
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => break End::Stop(Ok(Exit::Ok)),
                Asked::Reload => {
                    notifier.reloading();
                    reloader.reload(node).await;
                    notifier.ready(&serving(node));
                }
            },
            _ = watchdog.tick() => notifier.alive(),
            handover = node.grown() => break End::Grown(Box::new(handover)),
            (failure, _, _) = &mut services => break End::Stop(Err(failure)),
        }
    }
}

/// For the service manager's status line.
pub(super) fn serving(node: &Node) -> String {
    format!("serving revision {}", node.revisions.current().number)
}

/// Drains within the grace period. A second request to stop, or a part that hangs, ends the wait.
pub(super) async fn drain(node: Node, grace: Duration, signals: &mut Signals) -> Result<(), Failure> {
    // On a task of its own: a thread that does not end must not keep signals from being heard.
    let draining = tokio::spawn(node.stop(grace));
    tokio::select! {
        done = draining => done.map_err(|_| Failure::failed("stopping panicked", "see the log")),
        () = signals.stop() => Err(Failure::failed("told to stop a second time: work under way was given up", "")),
        () = tokio::time::sleep(grace + BEYOND_GRACE) => {
            Err(Failure::failed(format!("not everything ended within {grace:?}"), "a longer --grace"))
        }
    }
}
