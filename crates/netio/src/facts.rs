//! What this process may do and what the kernel allows, for reports to operators.

use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs;
use std::io;

const CAP_NET_BIND_SERVICE: u32 = 10;
const CAP_NET_ADMIN: u32 = 12;
const CAP_NET_RAW: u32 = 13;

/// Capabilities and limits that decide whether sockets can be opened as wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Raw frames, ARP and ICMP.
    pub net_raw: bool,
    /// Ports below [`Self::first_free_port`].
    pub net_bind_service: bool,
    /// Receive buffers beyond [`Self::receive_buffer_max`].
    pub net_admin: bool,
    /// `net.core.rmem_max` in bytes.
    pub receive_buffer_max: Option<u64>,
    /// `net.ipv4.ip_unprivileged_port_start`.
    pub first_free_port: Option<u16>,
    /// `RLIMIT_NOFILE`, soft.
    pub open_files_max: Option<u64>,
}

impl Facts {
    /// Reads them from `/proc`; what cannot be read is absent or denied.
    #[must_use]
    pub fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self {
            receive_buffer_max: number("/proc/sys/net/core/rmem_max"),
            first_free_port: number("/proc/sys/net/ipv4/ip_unprivileged_port_start")
                .and_then(|port| u16::try_from(port).ok()),
            open_files_max: open_files(&limits),
            ..Self::from_capabilities(effective(&status))
        }
    }

    fn from_capabilities(bits: u64) -> Self {
        let has = |capability: u32| bits >> capability & 1 == 1;
        Self {
            net_raw: has(CAP_NET_RAW),
            net_bind_service: has(CAP_NET_BIND_SERVICE),
            net_admin: has(CAP_NET_ADMIN),
            ..Self::default()
        }
    }
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn effective(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0)
}

fn open_files(limits: &str) -> Option<u64> {
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// A random name of this boot of the machine: as long as it stays, nothing written has been lost to a power cut.
#[must_use]
pub fn boot_id() -> Option<[u8; 16]> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let hex: String = text.trim().chars().filter(|c| *c != '-').collect();
    Some(u128::from_str_radix(&hex, 16).ok()?.to_be_bytes())
}

/// Keeps the calling thread on one core.
///
/// # Errors
/// When the core does not exist or is not allowed to this process.
pub fn pin_to_core(core: usize) -> io::Result<()> {
    if core >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_effective_mask() {
        let facts = Facts::from_capabilities(effective("Name:\tx\nCapEff:\t0000000000002400\n"));
        assert!(facts.net_raw && facts.net_bind_service && !facts.net_admin);
    }

    #[test]
    fn limits_of_this_machine_are_there() {
        let facts = Facts::read();
        assert!(facts.receive_buffer_max.is_some_and(|bytes| bytes > 4096));
        assert!(facts.open_files_max.is_some_and(|files| files > 16));
    }

    #[test]
    fn the_boot_has_a_name_that_stays() {
        assert!(boot_id().is_some());
        assert_eq!(boot_id(), boot_id());
    }

    #[test]
    fn a_core_that_is_not_there_is_an_error() {
        assert!(pin_to_core(usize::MAX).is_err());
    }
}
