//! Kernel limits: file descriptors and socket buffers.

use super::Finding;
use purlin_netio::Facts;
use rustix::process::{Resource, getrlimit};

/// Sockets, segment files and API connections together stay below this.
const FILES_WANTED: u64 = 1024;
/// What a packet thread asks for: at 200,000 requests/s about 80 ms of traffic.
const BUFFER_WANTED: u64 = 16 << 20;

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    vec![
        files(facts.open_files_max.unwrap_or(u64::MAX)),
        memory(getrlimit(Resource::As).current, getrlimit(Resource::Rss).current),
        buffer(facts),
    ]
}

/// Limits on memory (`ulimit -v`, `ulimit -m`); `None` is unlimited. Linux heeds only the first.
fn memory(space: Option<u64>, resident: Option<u64>) -> Finding {
    match (space, resident) {
        (None, None) => Finding::pass("memory", "memory is not limited"),
        (None, Some(limit)) => Finding::pass(
            "memory",
            format!(
                "resident memory is limited to {} MiB, which Linux ignores",
                limit >> 20
            ),
        ),
        (Some(limit), _) => Finding::warn(
            "memory",
            format!(
                "the address space is limited to {} MiB: threads or the cache may not fit",
                limit >> 20
            ),
            "ulimit -v unlimited; ulimit -m unlimited; no MemoryMax= in the unit",
        ),
    }
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

fn buffer(facts: &Facts) -> Finding {
    if facts.net_admin {
        return Finding::pass(
            "buffers",
            "receive buffers may be as large as wanted (CAP_NET_ADMIN)",
        );
    }
    match facts.receive_buffer_max {
        None => Finding::warn(
            "buffers",
            "net.core.rmem_max cannot be read",
            "check that /proc is mounted",
        ),
        Some(limit) if limit >= BUFFER_WANTED => Finding::pass(
            "buffers",
            format!("receive buffers may have {} KiB", limit / 1024),
        ),
        Some(limit) => Finding::warn(
            "buffers",
            format!(
                "receive buffers are limited to {} KiB: bursts of packets may be lost",
                limit / 1024
            ),
            format!("sysctl -w net.core.rmem_max={BUFFER_WANTED}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn s2_62_the_limit_of_open_files_is_told_with_the_command_that_raises_it() {
        assert!(files(65_536).said.starts_with("65536 files"));
        assert!(files(256).fix.contains("ulimit -n 65536") && files(256).fix.contains("LimitNOFILE=65536"));
    }

    #[test]
    fn s2_63_a_memory_limit_is_told_with_the_command_that_lifts_it() {
        assert_eq!(memory(None, None).grade, Grade::Pass);
        assert_eq!(memory(None, Some(1 << 30)).grade, Grade::Pass);
        let limited = memory(Some(1 << 30), None);
        assert_eq!(limited.grade, Grade::Warn);
        assert!(limited.fix.contains("ulimit -m unlimited"), "{}", limited.fix);
    }

    #[test]
    fn small_limits_are_warned_of_with_the_command_that_raises_them() {
        let facts = Facts {
            receive_buffer_max: Some(212_992),
            ..Facts::default()
        };
        assert_eq!(buffer(&facts).fix, "sysctl -w net.core.rmem_max=16777216");
        assert_eq!(
            buffer(&Facts {
                net_admin: true,
                ..facts
            })
            .grade,
            Grade::Pass
        );
        assert_eq!(files(65_536).grade, Grade::Pass);
        assert_eq!(files(256).grade, Grade::Warn);
    }
}
