//! Load on a DHCPv4 server, with every answer verified.
//!
//! A run is a fleet of clients behind relays that goes through phases. Each phase has a mix of operations and a load
//! (closed or open loop). What the clients were promised is remembered across phases and threads; an answer that breaks
//! a promise made to anybody is a violation in the report. `Ledger` carries the promises over a restart of the server.

mod clients;
mod cost;
mod judge;
mod ledger;
mod meters;
mod mix;
mod options;
mod ownership;
mod port;
mod ports;
mod report;
mod session;
mod slots;
mod template;
mod verify;
mod worker;

pub use cost::Cost;
pub use ledger::{Belief, Ledger};
pub use mix::Mix;
pub use options::{BenchOptions, Fleet, Operation, OptionsError, Phase, Relay};
pub use ownership::{Violation, ViolationKind};
pub use purlin_load::{CpuTime, Latency, Load};
pub use report::{BenchReport, OperationCount, PhaseReport, Progress, Verification, ViolationCount};
pub use session::{BenchError, run};
pub use verify::{VerifyOptions, verify};
