//! After a restart of the server: strangers ask for addresses, then every owner asks for its own again.

use std::net::SocketAddrV4;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use purlin_load::Load;

use super::ledger::Ledger;
use super::mix::Mix;
use super::options::{BenchOptions, Operation, Phase, Relay};
use super::report::{BenchReport, Progress};
use super::session::{BenchError, Session};

/// How to ask.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyOptions {
    pub server: SocketAddrV4,
    /// Clients the server has never seen, asking before the owners do.
    pub strangers: u32,
    /// How owners ask: `Operation::Reboot` or `Operation::Renew`.
    pub operation: Operation,
    /// At most as many requests at once.
    pub in_flight: u32,
    pub timeout: Duration,
    pub attempts: u8,
    /// Speak through these relays instead of the ledger's.
    pub relays: Option<Vec<Relay>>,
    pub server_pid: Option<u32>,
}

impl VerifyOptions {
    /// 1000 strangers, then INIT-REBOOT by every owner, 64 in flight, patient enough for a server still starting.
    pub fn new(server: SocketAddrV4) -> Self {
        Self {
            server,
            strangers: 1000,
            operation: Operation::Reboot,
            in_flight: 64,
            timeout: Duration::from_millis(500),
            attempts: 6,
            relays: None,
            server_pid: None,
        }
    }
}

/// Checks a ledger against a server: no stranger may be given a live address, no owner refused or moved.
///
/// # Errors
/// When sockets cannot be bound or the options are out of range; broken promises are in the report, not an error.
pub fn verify(
    ledger: &Ledger,
    options: &VerifyOptions,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<BenchReport, BenchError> {
    let mut fleet = ledger.fleet.clone();
    let owners = fleet.clients;
    fleet.clients += options.strangers;
    if let Some(relays) = &options.relays {
        fleet.relays.clone_from(relays);
    }
    let load = Load::Closed {
        in_flight: options.in_flight,
    };
    let phase = |name: &str, operation, operations: u64| Phase {
        name: name.to_owned(),
        mix: Mix::only(operation),
        load,
        operations: Some(operations),
        duration: None,
    };
    let mut bench = BenchOptions::new(
        options.server,
        fleet,
        phase("strangers", Operation::Dora, u64::from(options.strangers)),
    );
    bench
        .phases
        .push(phase("owners", options.operation, ledger.leases.len() as u64));
    bench.timeout = options.timeout;
    bench.attempts = options.attempts;
    bench.server_pid = options.server_pid;
    let mut session = Session::open(&bench)?;
    session.restore(ledger, owners);
    session.run(stop, progress)
}
