//! What a packet thread counts beside its core.

use purlin_netio::SendReport;

/// Counts of one packet thread since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellCounters {
    pub poll_calls: u64,
    pub receive_calls: u64,
    pub receive_errors: u64,
    pub datagrams: u64,
    pub octets_received: u64,
    /// Answers of the library that came from other threads.
    pub notes: u64,
    /// Requests answered from what the library remembers, without its threads.
    pub recalled: u64,
    /// Windows that waited for content.
    pub stalls: u64,
    /// Transfers whose own port could not be opened.
    pub own_port_failures: u64,
    pub sent: SendReport,
    pub octets_sent: u64,
}
