//! The other side of the wire: DHCPv4 as a client and a relay see it.
//!
//! ```text
//!   probe      one DORA against any server, every step timed and explained
//!   discover   which servers answer on a segment (the rogue-server check)
//!   bench      millions of DORAs, renewals and releases, every answer verified
//!     script ── which operation comes next, for which client   (pure)
//!     schedule ─ when it is due in an open loop                 (pure)
//!     exchange ─ what an answer means for the client's lease    (pure)
//!     worker ─── one thread: sockets, clock, retransmission
//! ```
//!
//! The crate composes and reads its packets itself (`message`): a checker that shared the server's parser would
//! share its mistakes too. It knows nothing of Purlin's server and works against any other just the same.

pub mod bench;
mod discover;
mod line;
mod message;
mod probe;

pub use discover::{DiscoverError, FoundServer, Patience, discover_servers};
pub use line::LineError;
pub use probe::{
    PROBE_MAC, Probe, ProbeError, ProbeLease, ProbeOption, ProbeProxy, ProbeReport, ProbeStep, ProbeVerdict,
    ProbeVia, StepKind, probe,
};
