//! Load on a TFTP server, with every octet verified.
//!
//! ```text
//!   options   phases: which boot clients, how many, how fast, for how long
//!   profile ─ the requests one kind of boot client makes, in order
//!   worker ── one thread: thousands of clients, their ports, one clock
//!     slots     a transfer's state and timers
//!     hear      what a datagram means; octets compared with the file's
//!     send      what goes out, harmed on request
//!   report    percentiles, counts, CPU of both sides
//! ```
//!
//! A *boot* is one client going through its profile; most profiles are one transfer long, some make ten requests. A
//! transfer is known by its port, so each has a port of its own, as real clients do.

mod content;
mod cost;
mod meters;
mod options;
mod ports;
mod profile;
mod report;
mod session;
mod slots;
mod worker;

pub use content::{FileSpec, make_files};
pub use cost::Cost;
pub use options::{BenchOptions, OptionsError, Phase, PortUse};
pub use profile::{Profile, ProfileMix};
pub use purlin_load::{CpuTime, Latency, Load};
pub use report::{
    BenchReport, ErrorCount, FaultCount, PhaseReport, Progress, TransferCount, Violation, ViolationKind,
};
pub use session::{BenchError, run};
