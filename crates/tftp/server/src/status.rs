//! How the service stands.

use purlin_tftp_files::CacheStats;
use std::net::SocketAddr;

/// What runs where.
#[derive(Debug, Clone)]
pub struct ServerStatus {
    pub threads: u16,
    /// Listen addresses as bound.
    pub listen: Vec<SocketAddr>,
    /// Open transfers, as of the last second.
    pub transfers: usize,
    /// Smallest buffers the kernel granted, in octets; 0 without sockets.
    pub receive_buffer: u32,
    pub send_buffer: u32,
    pub backend: &'static str,
    /// What was asked for and is done in another way.
    pub notes: Vec<&'static str>,
    /// What failed, if a packet thread did.
    pub failed: Option<&'static str>,
    pub cache: CacheStats,
}
