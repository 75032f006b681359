//! Capabilities: ports below 1024 and raw frames need them.

use super::Finding;
use purlin_netio::Facts;

const CHECK: &str = "privileges";
/// Where DHCP clients and relays look for a server.
const DHCP_PORT: u16 = 67;

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    vec![low_ports(facts), raw_frames(facts)]
}

fn low_ports(facts: &Facts) -> Finding {
    if facts.net_bind_service || facts.first_free_port.is_some_and(|first| first <= DHCP_PORT) {
        return Finding::pass(CHECK, "may listen on port 67");
    }
    Finding::warn(
        CHECK,
        "may not listen on port 67 (CAP_NET_BIND_SERVICE is missing); ports from 1024 on work",
        "setcap cap_net_bind_service,cap_net_raw+ep $(command -v purlin), or AmbientCapabilities= in the unit",
    )
}

fn raw_frames(facts: &Facts) -> Finding {
    if facts.net_raw {
        return Finding::pass(CHECK, "may send raw frames on local segments");
    }
    Finding::warn(
        CHECK,
        "may not send raw frames (CAP_NET_RAW is missing): relayed networks work, dhcp.interfaces does not",
        "setcap cap_net_bind_service,cap_net_raw+ep $(command -v purlin)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn a_lowered_port_limit_is_as_good_as_the_capability() {
        let facts = Facts {
            first_free_port: Some(0),
            ..Facts::default()
        };
        assert_eq!(low_ports(&facts).grade, Grade::Pass);
        assert_eq!(low_ports(&Facts::default()).grade, Grade::Warn);
        assert_eq!(raw_frames(&facts).grade, Grade::Warn);
    }
}
