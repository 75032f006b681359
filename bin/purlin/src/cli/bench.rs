//! `purlin bench`: load on any server, with every answer verified.

#[cfg(feature = "chain")]
mod chain;
#[cfg(feature = "dhcp")]
pub(super) mod dhcp;
#[cfg(feature = "ovn")]
mod ovn;
#[cfg(feature = "tftp")]
mod tftp;

use super::Context;
use crate::exit::Outcome;
#[cfg(not(feature = "chain"))]
use crate::services::absent::chain;
#[cfg(not(feature = "dhcp"))]
use crate::services::absent::dhcp;
#[cfg(not(feature = "ovn"))]
use crate::services::absent::ovn;
#[cfg(not(feature = "tftp"))]
use crate::services::absent::tftp;
use clap::Subcommand;
use serde::Serialize;
use serde_json::{Value, to_value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Many DHCP clients behind relays; counts, times and verifies every answer.
    #[command(after_help = dhcp::EXAMPLES, hide = cfg!(not(feature = "dhcp")))]
    Dhcp(dhcp::BenchArgs),
    /// Many boot clients on a TFTP server; counts, times and verifies every octet.
    #[command(after_help = tftp::EXAMPLES, hide = cfg!(not(feature = "tftp")))]
    Tftp(Box<tftp::BenchArgs>),
    /// Writers, readers and followers on the OVN platform of a node; counts and times every answer, and cleans up.
    #[command(after_help = ovn::EXAMPLES, hide = cfg!(not(feature = "ovn")))]
    Ovn(ovn::BenchArgs),
    /// Transactions on the chain of any node; signs, sends, follows the blocks, and verifies every receipt and balance.
    #[command(after_help = chain::EXAMPLES, hide = cfg!(not(feature = "chain")))]
    Chain(Box<chain::BenchArgs>),
}

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Dhcp(args) => dhcp::bench(args, context),
        Command::Tftp(args) => tftp::bench(args, context),
        Command::Ovn(args) => ovn::bench(args, context),
        Command::Chain(args) => chain::bench(args, context),
    }
}

/// A flag that Ctrl-C raises: the run then ends early with a whole report.
fn stop_on_ctrl_c() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                // The second one is meant.
                if raised.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            }
        });
    });
    stop
}

/// The share of a phase that is over, by whichever of its ends is nearer.
#[cfg(any(feature = "chain", feature = "dhcp", feature = "tftp"))]
fn share_over(done: u64, total: Option<u64>, time_share: Option<f64>) -> f64 {
    let by_count = total
        .filter(|total| *total > 0)
        .map(|total| done as f64 / total as f64);
    by_count.into_iter().chain(time_share).fold(0.0, f64::max)
}

/// What the load or the server cost, in one line.
fn show_cost(who: &str, cost: Option<&impl Serialize>) {
    let Some(Ok(Value::Object(cost))) = cost.map(to_value) else {
        return;
    };
    let parts = cost.iter().map(|(key, value)| format!("{key} {}", short(value)));
    say!("  {who}: {}", parts.collect::<Vec<_>>().join(", "));
}

fn short(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number.fract() != 0.0 => format!("{number:.3}"),
        _ => value.to_string(),
    }
}
