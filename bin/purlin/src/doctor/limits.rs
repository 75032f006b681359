//! Kernel limits: file descriptors and socket buffers.

use super::Finding;
use rustix::process::{Resource, getrlimit};

/// Sockets, segment files and API connections together stay below this.
const FILES_WANTED: u64 = 1024;
/// What a packet thread asks for: at 100,000 requests/s of 300 octets about 140 ms of traffic.
const BUFFER_WANTED: u64 = 4 << 20;

pub(super) fn check() -> Vec<Finding> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    vec![
        files(limit),
        buffer(
            "receive",
            "net.core.rmem_max",
            sysctl("/proc/sys/net/core/rmem_max"),
        ),
        buffer("send", "net.core.wmem_max", sysctl("/proc/sys/net/core/wmem_max")),
    ]
}

fn sysctl(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn files(limit: u64) -> Finding {
    if limit >= FILES_WANTED {
        return Finding::pass("files", format!("{limit} files may be open"));
    }
    Finding::warn(
        "files",
        format!("only {limit} files may be open; {FILES_WANTED} are wanted"),
        "ulimit -n 65536, or LimitNOFILE=65536 in the unit",
    )
}

fn buffer(which: &str, key: &'static str, limit: Option<u64>) -> Finding {
    match limit {
        None => Finding::warn(
            "buffers",
            format!("{key} cannot be read"),
            "check that /proc is mounted",
        ),
        Some(limit) if limit >= BUFFER_WANTED => Finding::pass(
            "buffers",
            format!("{which} buffers may have {} KiB", limit / 1024),
        ),
        Some(limit) => Finding::warn(
            "buffers",
            format!(
                "{which} buffers are limited to {} KiB: bursts of packets may be lost",
                limit / 1024
            ),
            format!("sysctl -w {key}={BUFFER_WANTED}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn small_limits_are_warned_of_with_the_command_that_raises_them() {
        let finding = buffer("receive", "net.core.rmem_max", Some(212_992));
        assert_eq!(finding.grade, Grade::Warn);
        assert_eq!(finding.fix, "sysctl -w net.core.rmem_max=4194304");
        assert_eq!(files(65_536).grade, Grade::Pass);
        assert_eq!(files(256).grade, Grade::Warn);
    }
}
