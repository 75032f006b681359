//! The messages a probe sends.

use std::net::Ipv4Addr;

use super::{Probe, ProbeVia};
use crate::message::{CIADDR, Draft, GIADDR, Kind, code};

/// What every client asks for: mask, router, DNS, host name, domain, broadcast, NTP, lease, T1, T2, TFTP server, boot
/// file, search list, classless routes.
const PARAMETERS: [u8; 14] = [1, 3, 6, 12, 15, 28, 42, 51, 58, 59, 66, 67, 119, 121];
/// Largest message this side takes (option 57).
const SIZE_MAX: u16 = 1472;
const SIZE_OPTION: u8 = 57;

/// A message by its purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Discover,
    Request { address: Ipv4Addr, server_id: Ipv4Addr },
    Release { address: Ipv4Addr, server_id: Ipv4Addr },
}

impl Message {
    pub(crate) fn compose(self, probe: &Probe, xid: u32, broadcast: bool) -> Vec<u8> {
        let kind = match self {
            Self::Discover => Kind::Discover,
            Self::Request { .. } => Kind::Request,
            Self::Release { .. } => Kind::Release,
        };
        let mut draft = Draft::new(kind, probe.mac);
        draft.xid(xid);
        if let ProbeVia::Relay { giaddr, .. } = probe.via {
            draft.address(GIADDR, giaddr).hops(1);
        }
        if broadcast {
            draft.broadcast();
        }
        self.addresses(probe, &mut draft);
        if let Some(id) = &probe.client_id {
            draft.option(code::CLIENT_ID, &id.0);
        }
        if !matches!(self, Self::Release { .. }) {
            describe(probe, &mut draft);
        }
        relay_agent(probe, &mut draft);
        draft.finish()
    }

    fn addresses(self, probe: &Probe, draft: &mut Draft) {
        match self {
            Self::Discover => {
                if let Some(address) = probe.requested {
                    draft.option(code::REQUESTED_ADDRESS, &address.octets());
                }
                if probe.rapid_commit {
                    draft.option(code::RAPID_COMMIT, &[]);
                }
            }
            Self::Request { address, server_id } => {
                draft.option(code::REQUESTED_ADDRESS, &address.octets());
                draft.option(code::SERVER_ID, &server_id.octets());
            }
            Self::Release { address, server_id } => {
                draft.address(CIADDR, address);
                draft.option(code::SERVER_ID, &server_id.octets());
            }
        }
    }
}

/// Who the client says it is and what it wants, the same in DISCOVER and REQUEST (RFC 2131, section 4.3.1).
fn describe(probe: &Probe, draft: &mut Draft) {
    if let Some(name) = &probe.host_name {
        draft.option(code::HOST_NAME, name.as_bytes());
    }
    if let Some(class) = &probe.vendor_class {
        draft.option(code::VENDOR_CLASS, class.as_bytes());
    }
    if let Some(class) = &probe.user_class {
        draft.option(code::USER_CLASS, class.as_bytes());
    }
    if let Some(architecture) = probe.architecture {
        draft.option(code::ARCHITECTURE, &architecture.to_be_bytes());
    }
    draft.option(SIZE_OPTION, &SIZE_MAX.to_be_bytes());
    let mut parameters = PARAMETERS.to_vec();
    parameters.extend(
        probe
            .parameters
            .iter()
            .filter(|wanted| !PARAMETERS.contains(wanted)),
    );
    draft.option(code::PARAMETERS, &parameters);
    for (option, value) in &probe.options {
        draft.option(*option, value);
    }
}

fn relay_agent(probe: &Probe, draft: &mut Draft) {
    let mut value = Vec::new();
    for (sub, octets) in [(1, &probe.circuit_id), (2, &probe.remote_id)] {
        if let Some(octets) = octets {
            let octets = &octets[..octets.len().min(255)];
            value.extend_from_slice(&[sub, octets.len() as u8]);
            value.extend_from_slice(octets);
        }
    }
    if !value.is_empty() {
        draft.option(code::RELAY_AGENT, &value);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV4;

    use super::*;
    use crate::message::{FLAGS, all_options};

    fn relayed() -> Probe {
        Probe::new(ProbeVia::Relay {
            server: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 6767),
            giaddr: Ipv4Addr::new(10, 67, 0, 1),
            bind: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0),
        })
    }

    #[test]
    fn a_request_repeats_what_the_discover_said_and_adds_the_choice() {
        let mut probe = relayed();
        probe.vendor_class = Some("PXEClient".into());
        probe.circuit_id = Some(b"ge-0/0/1".to_vec());
        probe.options = vec![(224, vec![1, 2])];
        let (address, server_id) = (Ipv4Addr::new(10, 67, 1, 2), Ipv4Addr::LOCALHOST);
        let discover = all_options(&Message::Discover.compose(&probe, 1, false));
        let request = all_options(&Message::Request { address, server_id }.compose(&probe, 1, false));
        for same in [60, 55, 82, 224] {
            let find = |options: &[(u8, Vec<u8>)]| options.iter().find(|(c, _)| *c == same).cloned();
            assert!(
                find(&discover).is_some() && find(&discover) == find(&request),
                "option {same}"
            );
        }
        assert!(request.contains(&(50, address.octets().to_vec())));
        assert!(request.contains(&(54, server_id.octets().to_vec())));
    }

    #[test]
    fn on_a_segment_the_broadcast_flag_is_set_and_giaddr_is_not() {
        let probe = Probe {
            via: ProbeVia::Interface("eth0".into()),
            ..relayed()
        };
        let discover = Message::Discover.compose(&probe, 1, true);
        assert_eq!(discover[FLAGS], 0x80);
        assert_eq!(discover[GIADDR..GIADDR + 4], [0; 4]);
    }
}
