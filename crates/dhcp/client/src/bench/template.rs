//! Requests built once per relay and patched per client: composing one costs a copy and a few stores.

use std::net::Ipv4Addr;

use purlin_types::Mac;

use super::options::Fleet;
use crate::message::{CHADDR, CIADDR, Draft, FLAGS, GIADDR, Kind, XID, code};

/// What the clients ask for: mask, router, DNS, domain, broadcast, lease, T1, T2 (RFC 2132, section 9.8).
const PARAMETERS: [u8; 8] = [1, 3, 6, 15, 28, 51, 58, 59];
const BROADCAST: [u8; 2] = [0x80, 0];

/// The shapes of request a client sends; each has its own template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Discover,
    Select,
    Renew,
    Rebind,
    Reboot,
    Release,
    Inform,
}

impl Shape {
    const ALL: [Self; 7] = [
        Self::Discover,
        Self::Select,
        Self::Renew,
        Self::Rebind,
        Self::Reboot,
        Self::Release,
        Self::Inform,
    ];

    fn kind(self) -> Kind {
        match self {
            Self::Discover => Kind::Discover,
            Self::Select | Self::Renew | Self::Rebind | Self::Reboot => Kind::Request,
            Self::Release => Kind::Release,
            Self::Inform => Kind::Inform,
        }
    }

    /// Whether the client already uses the address (RFC 2131, table 5: `ciaddr`, else option 50).
    fn uses_address(self) -> bool {
        matches!(self, Self::Renew | Self::Rebind | Self::Release | Self::Inform)
    }

    fn names_address(self) -> bool {
        matches!(self, Self::Select | Self::Reboot)
    }

    fn names_server(self) -> bool {
        matches!(self, Self::Select | Self::Release)
    }
}

/// The values that change from one request to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fill {
    pub(crate) xid: u32,
    /// Number of the client in the fleet.
    pub(crate) client: u32,
    pub(crate) address: u32,
    pub(crate) server_id: u32,
}

/// The templates of one relay.
#[derive(Debug)]
pub(crate) struct Templates {
    seed: u8,
    length: usize,
    shapes: Vec<Template>,
}

#[derive(Debug)]
struct Template {
    octets: Vec<u8>,
    uses_address: bool,
    // Where values begin; 0 for options this template does not have.
    address: usize,
    server_id: usize,
    client_id: usize,
    host_name: usize,
    circuit_id: usize,
}

impl Templates {
    pub(crate) fn new(fleet: &Fleet, giaddr: Ipv4Addr) -> Self {
        let mut shapes: Vec<Template> = Shape::ALL
            .into_iter()
            .map(|shape| Template::new(shape, fleet, giaddr))
            .collect();
        let length = shapes
            .iter()
            .map(|template| template.octets.len())
            .max()
            .unwrap_or(0);
        // Behind the END option nothing is read, so all can have one length.
        shapes
            .iter_mut()
            .for_each(|template| template.octets.resize(length, 0));
        Self {
            seed: fleet.seed,
            length,
            shapes,
        }
    }

    /// Octets of every request.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Writes a request of `length` octets to the front of `out`.
    pub(crate) fn compose(&self, shape: Shape, fill: Fill, out: &mut [u8]) {
        let template = &self.shapes[shape as usize];
        let out = &mut out[..self.length];
        out.copy_from_slice(&template.octets);
        let mac = mac_of(self.seed, fill.client);
        let mut patch = |at: usize, value: &[u8]| out[at..at + value.len()].copy_from_slice(value);
        patch(XID, &fill.xid.to_be_bytes());
        patch(CHADDR, &mac.0);
        if template.uses_address {
            patch(CIADDR, &fill.address.to_be_bytes());
        }
        if template.address != 0 {
            patch(template.address, &fill.address.to_be_bytes());
        }
        if template.server_id != 0 {
            patch(template.server_id, &fill.server_id.to_be_bytes());
        }
        if template.client_id != 0 {
            patch(template.client_id + 1, &mac.0);
        }
        let digits = hex_digits(fill.client);
        if template.host_name != 0 {
            patch(template.host_name + 2, &digits);
        }
        if template.circuit_id != 0 {
            patch(template.circuit_id + 2 + 2, &digits);
        }
    }
}

impl Template {
    fn new(shape: Shape, fleet: &Fleet, giaddr: Ipv4Addr) -> Self {
        let mut draft = Draft::new(shape.kind(), Mac::default());
        draft.address(GIADDR, giaddr).hops(1);
        let address = if shape.names_address() {
            draft.option(code::REQUESTED_ADDRESS, &[0; 4])
        } else {
            0
        };
        let server_id = if shape.names_server() {
            draft.option(code::SERVER_ID, &[0; 4])
        } else {
            0
        };
        let client_id = if fleet.client_id {
            draft.option(code::CLIENT_ID, &[1, 0, 0, 0, 0, 0, 0])
        } else {
            0
        };
        let host_name = if fleet.host_name {
            draft.option(code::HOST_NAME, b"h-00000000")
        } else {
            0
        };
        if shape != Shape::Release {
            draft.option(code::PARAMETERS, &PARAMETERS);
        }
        let circuit_id = if fleet.relay_agent {
            draft.option(code::RELAY_AGENT, &relay_agent(giaddr))
        } else {
            0
        };
        let mut octets = draft.finish();
        if shape == Shape::Rebind {
            octets[FLAGS..FLAGS + 2].copy_from_slice(&BROADCAST);
        }
        Self {
            octets,
            uses_address: shape.uses_address(),
            address,
            server_id,
            client_id,
            host_name,
            circuit_id,
        }
    }
}

/// Option 82: circuit id `p-00000000` (patched per client) and the relay's address as remote id.
fn relay_agent(giaddr: Ipv4Addr) -> Vec<u8> {
    let remote = giaddr.to_string();
    let mut value = vec![1, 10];
    value.extend_from_slice(b"p-00000000");
    value.extend_from_slice(&[2, remote.len() as u8]);
    value.extend_from_slice(remote.as_bytes());
    value
}

/// Hardware address of a client: locally administered, seed, number.
pub(crate) fn mac_of(seed: u8, client: u32) -> Mac {
    let [a, b, c, d] = client.to_be_bytes();
    Mac([0x02, seed, a, b, c, d])
}

fn hex_digits(number: u32) -> [u8; 8] {
    let mut digits = [0; 8];
    for (at, digit) in digits.iter_mut().enumerate() {
        let nibble = (number >> (28 - 4 * at)) as u8 & 0xf;
        *digit = if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        };
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::super::options::Relay;
    use super::*;
    use crate::message::all_options;

    #[test]
    fn a_patched_request_says_what_the_client_says() {
        let mut fleet = Fleet::new(10, Relay::classic(Ipv4Addr::new(10, 0, 0, 2)));
        (fleet.client_id, fleet.host_name, fleet.relay_agent) = (true, true, true);
        let templates = Templates::new(&fleet, fleet.relays[0].giaddr);
        let fill = Fill {
            xid: 0x0102_0304,
            client: 0xabc,
            address: 0x0a01_0001,
            server_id: 0x0a00_0001,
        };
        let mut out = [0; 1472];
        templates.compose(Shape::Select, fill, &mut out);
        assert_eq!(&out[GIADDR..GIADDR + 4], &[10, 0, 0, 2]);
        assert_eq!(&out[CHADDR..CHADDR + 6], &[2, 1, 0, 0, 0x0a, 0xbc]);
        let options = all_options(&out[..templates.length()]);
        let value = |code: u8| options.iter().find(|(c, _)| *c == code).map(|(_, v)| v.clone());
        assert_eq!(value(code::MESSAGE_TYPE), Some(vec![3]));
        assert_eq!(value(code::REQUESTED_ADDRESS), Some(vec![10, 1, 0, 1]));
        assert_eq!(value(code::SERVER_ID), Some(vec![10, 0, 0, 1]));
        assert_eq!(value(code::CLIENT_ID), Some(vec![1, 2, 1, 0, 0, 0x0a, 0xbc]));
        assert_eq!(value(code::HOST_NAME), Some(b"h-00000abc".to_vec()));
        assert_eq!(
            value(code::RELAY_AGENT).map(|v| v[..12].to_vec()),
            Some(b"\x01\x0ap-00000abc".to_vec())
        );
    }

    #[test]
    fn a_renewal_names_its_address_only_in_ciaddr() {
        let fleet = Fleet::new(1, Relay::classic(Ipv4Addr::new(10, 0, 0, 2)));
        let templates = Templates::new(&fleet, fleet.relays[0].giaddr);
        let fill = Fill {
            xid: 1,
            client: 0,
            address: 0x0a01_0001,
            server_id: 9,
        };
        let mut out = [0; 1472];
        templates.compose(Shape::Renew, fill, &mut out);
        assert_eq!(&out[CIADDR..CIADDR + 4], &[10, 1, 0, 1]);
        assert!(
            all_options(&out[..templates.length()])
                .iter()
                .all(|(c, _)| ![50, 54].contains(c))
        );
        assert!(templates.length() >= 300);
    }
}
