//! Capabilities: ports below 1024 and raw frames need them.

use super::Finding;

const CHECK: &str = "privileges";
/// Bits of `CapEff` in /proc/self/status, see capabilities(7).
const NET_BIND_SERVICE: u32 = 10;
const NET_RAW: u32 = 13;

pub(super) fn check() -> Vec<Finding> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    findings(effective(&status).unwrap_or_default(), first_free_port())
}

/// The effective capability set.
fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// Ports from here on need no capability (`net.ipv4.ip_unprivileged_port_start`).
fn first_free_port() -> u16 {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    text.trim().parse().unwrap_or(1024)
}

fn findings(capabilities: u64, first_free_port: u16) -> Vec<Finding> {
    let has = |bit: u32| capabilities & (1 << bit) != 0;
    let bind = if has(NET_BIND_SERVICE) || first_free_port <= 67 {
        Finding::pass(CHECK, "may listen on port 67")
    } else {
        Finding::warn(
            CHECK,
            "may not listen on port 67 (CAP_NET_BIND_SERVICE is missing); ports from 1024 on work",
            "setcap cap_net_bind_service,cap_net_raw+ep $(command -v purlin), or AmbientCapabilities= in the unit",
        )
    };
    let raw = if has(NET_RAW) {
        Finding::pass(CHECK, "may send raw frames on local segments")
    } else {
        Finding::warn(
            CHECK,
            "may not send raw frames (CAP_NET_RAW is missing): relayed networks work, dhcp.interfaces does not",
            "setcap cap_net_bind_service,cap_net_raw+ep $(command -v purlin)",
        )
    };
    vec![bind, raw]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn capabilities_are_read_from_the_kernels_hex_mask() {
        assert_eq!(effective("Name:\tx\nCapEff:\t0000000000002400\n"), Some(0x2400));
        assert!(
            findings(0x2400, 1024)
                .iter()
                .all(|finding| finding.grade == Grade::Pass)
        );
    }

    #[test]
    fn a_lowered_port_limit_is_as_good_as_the_capability() {
        let grades: Vec<Grade> = findings(0, 0).iter().map(|finding| finding.grade).collect();
        assert_eq!(grades, [Grade::Pass, Grade::Warn]);
    }
}
