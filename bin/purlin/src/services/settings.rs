//! What a configuration says to the services: their sections, read together where they meet.

use crate::cluster::scaling::Wishes;
use crate::ports::Port;
#[cfg(not(all(feature = "dhcp", feature = "tftp", feature = "ovn", feature = "chain")))]
use crate::services::absent;
#[cfg(feature = "chain")]
use crate::services::chain;
#[cfg(feature = "dhcp")]
use crate::services::dhcp;
#[cfg(feature = "ovn")]
use crate::services::ovn;
#[cfg(feature = "tftp")]
use crate::services::tftp;
use purlin_config::{Document, Faults, Input, Section};
use purlin_telemetry::Reason;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Checked settings of every service in this binary.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    #[cfg(feature = "dhcp")]
    pub(crate) dhcp: dhcp::Settings,
    #[cfg(feature = "tftp")]
    pub(crate) tftp: tftp::Settings,
    #[cfg(feature = "ovn")]
    pub(crate) ovn: ovn::Settings,
    #[cfg(feature = "chain")]
    pub(crate) chain: chain::Settings,
}

impl Settings {
    /// Reads every section; `None` when anything is an error.
    pub(crate) fn read(document: &Document, faults: &mut Faults) -> Option<Self> {
        #[cfg(not(all(feature = "dhcp", feature = "tftp", feature = "ovn", feature = "chain")))]
        absent::refuse_sections(absent::ALL, document, faults);
        #[cfg(feature = "dhcp")]
        let dhcp = dhcp::Settings::read(document, faults);
        #[cfg(feature = "tftp")]
        let tftp = purlin_tftp_core::reader::read(document, faults);
        #[cfg(feature = "ovn")]
        let ovn = purlin_ovn_server::settings::read(document, faults);
        #[cfg(feature = "chain")]
        let chain = purlin_chain_server::section::read(document, faults);
        #[cfg_attr(not(all(feature = "dhcp", feature = "tftp")), expect(unused_mut))]
        let mut read = Self {
            #[cfg(feature = "dhcp")]
            dhcp: dhcp?,
            #[cfg(feature = "tftp")]
            tftp: tftp?,
            #[cfg(feature = "ovn")]
            ovn: ovn?,
            #[cfg(feature = "chain")]
            chain: chain?,
        };
        #[cfg(all(feature = "dhcp", feature = "tftp"))]
        super::boot_profiles::add(&mut read.dhcp.service, &read.tftp, document, faults);
        Some(read)
    }

    /// Whether nodes that serve alike would answer as different servers.
    #[cfg_attr(not(feature = "dhcp"), expect(clippy::unused_self))]
    pub(crate) fn lacks_shared_identity(&self) -> bool {
        #[cfg(feature = "dhcp")]
        return self.dhcp.service.enabled && self.dhcp.service.server_id.is_none();
        #[cfg(not(feature = "dhcp"))]
        false
    }

    /// Whether this node starts databases of OVN for itself.
    #[cfg_attr(not(feature = "ovn"), expect(clippy::unused_self))]
    pub(crate) fn owns_ovn(&self) -> bool {
        #[cfg(feature = "ovn")]
        return self.ovn.enabled && matches!(self.ovn.source, purlin_ovn_server::settings::Source::Own(_));
        #[cfg(not(feature = "ovn"))]
        false
    }

    /// The most that a client may be promised ahead of its record: what a successor must wait out.
    #[cfg_attr(not(feature = "dhcp"), expect(clippy::unused_self))]
    pub(crate) fn lead_time(&self) -> Option<Duration> {
        #[cfg(feature = "dhcp")]
        return Some(self.dhcp.service.mclt);
        #[cfg(not(feature = "dhcp"))]
        None
    }

    /// What is said about the number of nodes and their shares.
    #[cfg_attr(not(feature = "dhcp"), expect(clippy::unused_self))]
    pub(crate) fn wishes(&self) -> Wishes {
        #[cfg(feature = "dhcp")]
        return dhcp::wishes(&self.dhcp);
        #[cfg(not(feature = "dhcp"))]
        Wishes::default()
    }

    /// Whether any service is served.
    pub(crate) fn serve(&self) -> bool {
        [
            #[cfg(feature = "dhcp")]
            self.dhcp.service.enabled,
            #[cfg(feature = "tftp")]
            self.tftp.enabled,
            #[cfg(feature = "ovn")]
            self.ovn.enabled,
            #[cfg(feature = "chain")]
            self.chain.enabled,
        ]
        .contains(&true)
    }

    /// Whether any service but OVN is served.
    #[cfg(feature = "ovn")]
    #[cfg_attr(
        not(any(feature = "dhcp", feature = "tftp", feature = "chain")),
        expect(clippy::unused_self)
    )]
    pub(crate) fn serve_else(&self) -> bool {
        let others: &[bool] = &[
            #[cfg(feature = "dhcp")]
            self.dhcp.service.enabled,
            #[cfg(feature = "tftp")]
            self.tftp.enabled,
            #[cfg(feature = "chain")]
            self.chain.enabled,
        ];
        others.contains(&true)
    }

    /// Ports of all services, 0 among them.
    pub(crate) fn ports(&self) -> Vec<Port> {
        [
            #[cfg(feature = "dhcp")]
            dhcp::ports(&self.dhcp),
            #[cfg(feature = "tftp")]
            tftp::ports(&self.tftp),
            #[cfg(feature = "chain")]
            chain::ports(&self.chain),
            // For a binary with none of them.
            Vec::new(),
        ]
        .concat()
    }

    /// Listeners that need a certificate.
    pub(crate) fn https(&self) -> &[SocketAddr] {
        #[cfg(feature = "tftp")]
        if self.tftp.enabled {
            return &self.tftp.http.https;
        }
        &[]
    }

    /// Subnets that are served, in words.
    pub(crate) fn subnets(&self) -> Vec<String> {
        let subnets: &[Vec<String>] = &[
            #[cfg(feature = "dhcp")]
            dhcp::subnets(&self.dhcp),
        ];
        subnets.concat()
    }
}

/// The sections of all services; those of services that were left out are known by name.
pub(crate) fn sections() -> Vec<&'static Section> {
    [
        #[cfg(feature = "dhcp")]
        vec![purlin_dhcp_core::reader::section()],
        #[cfg(feature = "tftp")]
        purlin_tftp_core::reader::sections(),
        #[cfg(feature = "ovn")]
        vec![purlin_ovn_server::settings::section()],
        #[cfg(feature = "chain")]
        vec![purlin_chain_server::section::section()],
        #[cfg(not(all(feature = "dhcp", feature = "tftp", feature = "ovn", feature = "chain")))]
        absent::sections(),
    ]
    .concat()
}

/// What runs without a file: each service's own demo. `tree` is where its boot files lie.
#[cfg_attr(not(feature = "tftp"), expect(unused_variables))]
pub(crate) fn demo(tree: &Path) -> Vec<Input> {
    vec![
        #[cfg(feature = "dhcp")]
        Input::builtin("demo.toml", purlin_dhcp_core::reader::demo()),
        #[cfg(feature = "tftp")]
        Input::builtin(
            "demo-boot.toml",
            purlin_tftp_core::reader::demo(&tree.display().to_string()),
        ),
        #[cfg(feature = "ovn")]
        Input::builtin("demo-ovn.toml", purlin_ovn_server::settings::demo()),
        #[cfg(feature = "chain")]
        Input::builtin("demo-chain.toml", purlin_chain_server::section::demo()),
    ]
}

/// The documented codes of all services.
pub(crate) fn reasons() -> Vec<&'static [Reason]> {
    vec![
        #[cfg(feature = "dhcp")]
        purlin_dhcp_core::REASONS,
        #[cfg(feature = "dhcp")]
        purlin_dhcp_core::reader::REASONS,
        #[cfg(feature = "tftp")]
        purlin_tftp_core::reasons::REASONS,
        #[cfg(feature = "tftp")]
        purlin_tftp_core::plan::REASONS,
        #[cfg(feature = "tftp")]
        purlin_tftp_core::reader::REASONS,
        #[cfg(feature = "ovn")]
        purlin_ovn_server::REASONS,
        #[cfg(feature = "chain")]
        purlin_chain_server::REASONS,
    ]
}
