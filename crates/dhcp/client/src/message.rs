//! DHCPv4 messages as this crate composes and reads them.
//!
//! ```text
//!   0 op  1 htype  2 hlen  3 hops   4 xid
//!   8 secs        10 flags         12 ciaddr
//!  16 yiaddr      20 siaddr        24 giaddr
//!  28 chaddr (16) 44 sname (64)   108 file (128)
//! 236 cookie     240 options ... 255
//! ```
//!
//! Source: RFC 2131, section 2; options from RFC 2132.

use std::net::Ipv4Addr;

use purlin_types::Mac;

pub(crate) const XID: usize = 4;
pub(crate) const FLAGS: usize = 10;
pub(crate) const CIADDR: usize = 12;
pub(crate) const YIADDR: usize = 16;
pub(crate) const SIADDR: usize = 20;
pub(crate) const GIADDR: usize = 24;
pub(crate) const CHADDR: usize = 28;
pub(crate) const FILE: usize = 108;
pub(crate) const OPTIONS: usize = 240;

/// Smallest message a BOOTP relay must pass on (RFC 1542, section 2.1): shorter ones are padded.
const LENGTH_MIN: usize = 300;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const BROADCAST: u16 = 0x8000;

/// Option codes used by this crate.
pub(crate) mod code {
    pub(crate) const HOST_NAME: u8 = 12;
    pub(crate) const REQUESTED_ADDRESS: u8 = 50;
    pub(crate) const LEASE_TIME: u8 = 51;
    pub(crate) const OVERLOAD: u8 = 52;
    pub(crate) const MESSAGE_TYPE: u8 = 53;
    pub(crate) const SERVER_ID: u8 = 54;
    pub(crate) const PARAMETERS: u8 = 55;
    pub(crate) const TEXT: u8 = 56;
    pub(crate) const RENEWAL_TIME: u8 = 58;
    pub(crate) const REBINDING_TIME: u8 = 59;
    pub(crate) const VENDOR_CLASS: u8 = 60;
    pub(crate) const CLIENT_ID: u8 = 61;
    pub(crate) const BOOT_FILE: u8 = 67;
    pub(crate) const USER_CLASS: u8 = 77;
    pub(crate) const RAPID_COMMIT: u8 = 80;
    pub(crate) const RELAY_AGENT: u8 = 82;
    pub(crate) const ARCHITECTURE: u8 = 93;
    pub(crate) const END: u8 = 255;
}

/// Option 53 (RFC 2132, section 9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
}

impl Kind {
    fn from_octet(octet: u8) -> Option<Self> {
        Some(match octet {
            1 => Self::Discover,
            2 => Self::Offer,
            3 => Self::Request,
            5 => Self::Ack,
            6 => Self::Nak,
            7 => Self::Release,
            8 => Self::Inform,
            _ => return None,
        })
    }
}

/// A request under construction: fixed header first, options as they are pushed.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    octets: Vec<u8>,
}

impl Draft {
    pub(crate) fn new(kind: Kind, mac: Mac) -> Self {
        let mut octets = vec![0; OPTIONS];
        octets[0] = 1;
        octets[1] = 1;
        octets[2] = 6;
        octets[CHADDR..CHADDR + 6].copy_from_slice(&mac.0);
        octets[236..240].copy_from_slice(&COOKIE);
        let mut draft = Self { octets };
        draft.option(code::MESSAGE_TYPE, &[kind as u8]);
        draft
    }

    pub(crate) fn xid(&mut self, xid: u32) -> &mut Self {
        self.octets[XID..XID + 4].copy_from_slice(&xid.to_be_bytes());
        self
    }

    /// Puts an address into one of the header's address fields (`CIADDR`, `GIADDR`).
    pub(crate) fn address(&mut self, field: usize, address: Ipv4Addr) -> &mut Self {
        self.octets[field..field + 4].copy_from_slice(&address.octets());
        self
    }

    /// Sets `hops`, which a relay raises by one (RFC 1542, section 4.1.1).
    pub(crate) fn hops(&mut self, hops: u8) -> &mut Self {
        self.octets[3] = hops;
        self
    }

    pub(crate) fn broadcast(&mut self) -> &mut Self {
        self.octets[FLAGS..FLAGS + 2].copy_from_slice(&BROADCAST.to_be_bytes());
        self
    }

    /// Appends an option and returns where its value begins, for patching. Values over 255 octets are split
    /// (RFC 3396).
    pub(crate) fn option(&mut self, option: u8, value: &[u8]) -> usize {
        let at = self.octets.len() + 2;
        if value.is_empty() {
            self.octets.extend_from_slice(&[option, 0]);
        }
        for part in value.chunks(255) {
            self.octets.extend_from_slice(&[option, part.len() as u8]);
            self.octets.extend_from_slice(part);
        }
        at
    }

    /// Ends the options and pads to the smallest length relays pass on.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.octets.push(code::END);
        if self.octets.len() < LENGTH_MIN {
            self.octets.resize(LENGTH_MIN, 0);
        }
        self.octets
    }
}

/// What a client needs from an answer, read in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) kind: Kind,
    pub(crate) xid: u32,
    pub(crate) yiaddr: u32,
    pub(crate) mac: Mac,
    /// 0 when the option is absent.
    pub(crate) server_id: u32,
    /// Seconds; `None` when the option is absent.
    pub(crate) lease_secs: Option<u32>,
}

impl Answer {
    /// Reads a datagram; `None` is anything that is not a well-formed DHCP reply.
    pub(crate) fn read(datagram: &[u8]) -> Option<Self> {
        if datagram.len() < OPTIONS || datagram[0] != 2 || datagram[236..240] != COOKIE {
            return None;
        }
        let mut answer = Self {
            kind: Kind::Discover,
            xid: word(datagram, XID),
            yiaddr: word(datagram, YIADDR),
            mac: Mac(datagram[CHADDR..CHADDR + 6].try_into().ok()?),
            server_id: 0,
            lease_secs: None,
        };
        let mut kind = None;
        for (option, value) in Options::new(&datagram[OPTIONS..]) {
            match (option, value.len()) {
                (code::MESSAGE_TYPE, 1) => kind = Kind::from_octet(value[0]),
                (code::SERVER_ID, 4) => answer.server_id = word(value, 0),
                (code::LEASE_TIME, 4) => answer.lease_secs = Some(word(value, 0)),
                _ => {}
            }
        }
        answer.kind = kind?;
        Some(answer)
    }
}

fn word(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}

/// An address field of the header; the datagram must have passed `Answer::read`.
pub(crate) fn address_at(datagram: &[u8], field: usize) -> Ipv4Addr {
    Ipv4Addr::from(word(datagram, field))
}

/// The options of one field in the order they came; stops at END or where a length runs past the field.
#[derive(Debug, Clone)]
pub(crate) struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    pub(crate) fn new(field: &'a [u8]) -> Self {
        Self { rest: field }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let [option, length, rest @ ..] = self.rest else {
            return None;
        };
        let length = usize::from(*length);
        if *option == code::END || rest.len() < length {
            return None;
        }
        let (value, rest) = rest.split_at(length);
        self.rest = rest;
        Some((*option, value))
    }
}

/// All options of a reply, split ones joined (RFC 3396), overloaded fields included (RFC 2132, section 9.3), in order
/// of first appearance.
pub(crate) fn all_options(datagram: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut joined: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut gather = |field: &[u8]| {
        for (option, value) in Options::new(field) {
            match joined.iter_mut().find(|(known, _)| *known == option) {
                Some((_, whole)) => whole.extend_from_slice(value),
                None => joined.push((option, value.to_vec())),
            }
        }
    };
    gather(&datagram[OPTIONS..]);
    let overload = Options::new(&datagram[OPTIONS..])
        .find(|(option, value)| *option == code::OVERLOAD && value.len() == 1)
        .map_or(0, |(_, value)| value[0]);
    if overload & 1 != 0 {
        gather(&datagram[FILE..236]);
    }
    if overload & 2 != 0 {
        gather(&datagram[44..FILE]);
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(kind: u8) -> Vec<u8> {
        let mut draft = Draft::new(Kind::Ack, Mac([2, 0, 0, 0, 0, 9]));
        draft.xid(0xfeed_beef).address(YIADDR, Ipv4Addr::new(10, 1, 2, 3));
        draft.option(code::SERVER_ID, &[10, 0, 0, 1]);
        draft.option(code::LEASE_TIME, &3600_u32.to_be_bytes());
        let mut octets = draft.finish();
        octets[0] = 2;
        octets[242] = kind;
        octets
    }

    #[test]
    fn an_ack_is_read_with_its_lease() {
        let answer = Answer::read(&reply(5)).expect("well formed");
        assert_eq!(answer.kind, Kind::Ack);
        assert_eq!(answer.xid, 0xfeed_beef);
        assert_eq!(Ipv4Addr::from(answer.yiaddr), Ipv4Addr::new(10, 1, 2, 3));
        assert_eq!(answer.mac, Mac([2, 0, 0, 0, 0, 9]));
        assert_eq!(answer.lease_secs, Some(3600));
    }

    #[test]
    fn a_request_or_an_unknown_type_is_no_answer() {
        let mut request = reply(5);
        request[0] = 1;
        assert_eq!(Answer::read(&request), None);
        assert_eq!(Answer::read(&reply(77)), None);
    }

    #[test]
    fn options_split_or_overloaded_are_joined() {
        let mut draft = Draft::new(Kind::Ack, Mac::default());
        draft.option(code::OVERLOAD, &[1]);
        draft.option(121, &[7; 300]);
        let mut octets = draft.finish();
        octets[FILE..FILE + 4].copy_from_slice(&[66, 1, b'x', 255]);
        let options = all_options(&octets);
        assert!(options.contains(&(121, vec![7; 300])));
        assert!(options.contains(&(66, vec![b'x'])));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn no_bytes_make_the_reader_panic(mut octets in proptest::collection::vec(any::<u8>(), 0..400)) {
            if octets.len() > OPTIONS {
                octets[0] = 2;
                octets[236..240].copy_from_slice(&COOKIE);
                all_options(&octets);
            }
            Answer::read(&octets);
        }
    }
}
