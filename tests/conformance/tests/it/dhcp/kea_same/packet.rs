//! Packets as a relay sends them and as answers read, independent of the server's own code.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::Ipv4Addr;

pub(super) const DISCOVER: u8 = 1;
pub(super) const OFFER: u8 = 2;
pub(super) const REQUEST: u8 = 3;
pub(super) const DECLINE: u8 = 4;
pub(super) const ACK: u8 = 5;
pub(super) const NAK: u8 = 6;
pub(super) const RELEASE: u8 = 7;
pub(super) const INFORM: u8 = 8;

/// A client's packet as a relay passes it on. The client's number is its hardware address.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub(super) client: u8,
    pub(super) relay: Ipv4Addr,
    pub(super) ciaddr: Ipv4Addr,
    pub(super) broadcast: bool,
    /// `None` is BOOTP.
    pub(super) kind: Option<u8>,
    pub(super) options: Vec<(u8, Vec<u8>)>,
}

impl Packet {
    pub(super) fn new(kind: u8, client: u8, relay: Ipv4Addr) -> Self {
        Self {
            client,
            relay,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            broadcast: false,
            kind: Some(kind),
            options: Vec::new(),
        }
    }

    pub(super) fn with(mut self, code: u8, value: &[u8]) -> Self {
        self.options.push((code, value.to_vec()));
        self
    }

    /// With a parameter request list.
    pub(super) fn wants(self, codes: &[u8]) -> Self {
        self.with(55, codes)
    }

    /// The parameter request list; `None` without one.
    pub(super) fn wanted(&self) -> Option<&[u8]> {
        let list = self.options.iter().find(|(code, _)| *code == 55);
        list.map(|(_, codes)| codes.as_slice())
    }

    pub(super) fn ciaddr(mut self, address: Ipv4Addr) -> Self {
        self.ciaddr = address;
        self
    }

    /// In hexadecimal.
    pub(super) fn hex(&self) -> String {
        let mut octets = vec![1, 1, 6, 1, 0x12, 0x34, 0x56, self.client, 0, 0];
        octets.extend([if self.broadcast { 0x80 } else { 0 }, 0]);
        octets.extend(self.ciaddr.octets());
        octets.extend([0; 8]);
        octets.extend(self.relay.octets());
        octets.extend([2, 0, 0, 0, 0, self.client]);
        octets.resize(236, 0);
        octets.extend([99, 130, 83, 99]);
        octets.extend(self.kind.map(|kind| [53, 1, kind]).into_iter().flatten());
        for (code, value) in &self.options {
            octets.extend([*code, value.len() as u8]);
            octets.extend(value);
        }
        octets.push(255);
        octets.resize(octets.len().max(300), 0);
        octets.iter().fold(String::new(), |mut text, octet| {
            write!(text, "{octet:02x}").expect("a string can be written");
            text
        })
    }
}

/// What of an answer two servers should agree in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// op, htype, hlen and flags.
    pub(super) header: [u8; 5],
    pub(super) xid: [u8; 4],
    pub(super) ciaddr: Ipv4Addr,
    pub(super) yiaddr: Ipv4Addr,
    pub(super) siaddr: Ipv4Addr,
    pub(super) giaddr: Ipv4Addr,
    pub(super) chaddr: [u8; 16],
    /// Server name and boot file.
    pub(super) names: Vec<u8>,
    pub(super) options: BTreeMap<u8, Vec<u8>>,
}

impl Answer {
    /// `None` when nothing came back.
    pub(super) fn read(hex: &str) -> Option<Self> {
        let pairs = hex.trim().as_bytes().chunks(2);
        let pair = |pair: &[u8]| {
            let text = std::str::from_utf8(pair).expect("hexadecimal digits");
            u8::from_str_radix(text, 16).expect("hexadecimal digits")
        };
        let octets: Vec<u8> = pairs.map(pair).collect();
        if octets.is_empty() {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
        let mut options: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        let mut rest = &octets[240..];
        while let [code, tail @ ..] = rest {
            match (*code, tail) {
                (0, _) => rest = tail,
                (255, _) | (_, []) => break,
                (code, [len, value @ ..]) => {
                    // RFC 3396: parts of one option follow each other.
                    let (value, after) = value.split_at(usize::from(*len));
                    options.entry(code).or_default().extend(value);
                    rest = after;
                }
            }
        }
        Some(Self {
            header: [octets[0], octets[1], octets[2], octets[10], octets[11]],
            xid: octets[4..8].try_into().expect("four octets"),
            ciaddr: address(12),
            yiaddr: address(16),
            siaddr: address(20),
            giaddr: address(24),
            chaddr: octets[28..44].try_into().expect("sixteen octets"),
            names: octets[44..236].to_vec(),
            options,
        })
    }

    pub(super) fn kind(&self) -> Option<u8> {
        self.options.get(&53).map(|kind| kind[0])
    }

    pub(super) fn u32(&self, code: u8) -> Option<u32> {
        let value = self.options.get(&code)?;
        Some(u32::from_be_bytes(
            value.as_slice().try_into().expect("four octets"),
        ))
    }
}
