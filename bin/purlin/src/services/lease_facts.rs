//! What DHCP on this node knows of a machine, for its boot files. The two services know nothing of each other; this is
//! where they meet while running.

use purlin_tftp_core::Facts;
use purlin_tftp_files::ClientFacts;
use std::net::IpAddr;

/// Asked from threads that may wait.
pub(super) struct LeaseFacts {
    dhcp: purlin_dhcp_server::Handle,
    runtime: tokio::runtime::Handle,
}

impl LeaseFacts {
    pub(super) fn new(dhcp: purlin_dhcp_server::Handle) -> Self {
        Self {
            dhcp,
            runtime: tokio::runtime::Handle::current(),
        }
    }
}

impl ClientFacts for LeaseFacts {
    fn facts(&self, client: IpAddr) -> Option<Facts> {
        let IpAddr::V4(address) = client else { return None };
        let known = self.runtime.block_on(self.dhcp.facts(address))?;
        Some(Facts {
            mac: Some(known.mac),
            hostname: known.hostname,
            architecture: known.architecture,
            user_class: known.user_class,
            subnet: known.subnet,
            uuid: known.uuid,
        })
    }
}
