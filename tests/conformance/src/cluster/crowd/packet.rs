//! Packets as a relay hands them on, and answers as a client reads them: independent of the product's own code, because
//! a checker that shared its parser would share its mistakes.

use std::net::Ipv4Addr;

pub(super) const DISCOVER: u8 = 1;
pub(super) const OFFER: u8 = 2;
pub(super) const REQUEST: u8 = 3;
pub(super) const ACK: u8 = 5;
pub(super) const NAK: u8 = 6;
pub(super) const RELEASE: u8 = 7;

/// Options of RFC 2132.
const REQUESTED: u8 = 50;
const LEASE: u8 = 51;
const TYPE: u8 = 53;
const SERVER: u8 = 54;
const END: u8 = 255;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const FIELDS: usize = 240;
/// Shortest message that a relay passes on (RFC 1542, section 2.1).
const LENGTH_MIN: usize = 300;

/// What a client says, with the relay's address in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) xid: u32,
    pub(super) mac: [u8; 6],
    pub(super) giaddr: Ipv4Addr,
    /// 0.0.0.0 for none, as in the header.
    pub(super) ciaddr: Ipv4Addr,
    pub(super) requested: Option<Ipv4Addr>,
    pub(super) server: Option<Ipv4Addr>,
}

impl Message {
    pub(super) fn octets(&self) -> Vec<u8> {
        let mut octets = vec![1, 1, 6, 1];
        octets.extend(self.xid.to_be_bytes());
        octets.extend([0; 4]);
        octets.extend(self.ciaddr.octets());
        octets.extend([0; 8]);
        octets.extend(self.giaddr.octets());
        octets.extend(self.mac);
        octets.resize(FIELDS - 4, 0);
        octets.extend(COOKIE);
        octets.extend([TYPE, 1, self.kind]);
        for (code, address) in [(REQUESTED, self.requested), (SERVER, self.server)] {
            if let Some(address) = address {
                octets.extend([code, 4]);
                octets.extend(address.octets());
            }
        }
        octets.push(END);
        octets.resize(octets.len().max(LENGTH_MIN), 0);
        octets
    }
}

/// What a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) kind: u8,
    pub(super) xid: u32,
    pub(super) mac: [u8; 6],
    pub(super) yiaddr: Ipv4Addr,
    pub(super) server: Option<Ipv4Addr>,
    pub(super) lease_secs: u32,
}

impl Answer {
    /// `None` is whatever is no DHCP reply.
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        if datagram.len() < FIELDS || datagram[0] != 2 || datagram[FIELDS - 4..FIELDS] != COOKIE {
            return None;
        }
        let mut answer = Self {
            kind: 0,
            xid: word(&datagram[4..]),
            mac: datagram[28..34].try_into().ok()?,
            yiaddr: Ipv4Addr::from(word(&datagram[16..])),
            server: None,
            lease_secs: 0,
        };
        let mut rest = &datagram[FIELDS..];
        while let [code, length, after @ ..] = rest {
            match *code {
                0 => {
                    rest = &rest[1..];
                    continue;
                }
                END => break,
                _ => {}
            }
            let value = after.get(..usize::from(*length))?;
            match (*code, value) {
                (TYPE, [kind]) => answer.kind = *kind,
                (SERVER, [_, _, _, _]) => answer.server = Some(Ipv4Addr::from(word(value))),
                (LEASE, [_, _, _, _]) => answer.lease_secs = word(value),
                _ => {}
            }
            rest = &after[value.len()..];
        }
        Some(answer)
    }
}

fn word(octets: &[u8]) -> u32 {
    u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_a_torn_one_is_not() {
        let message = Message {
            kind: ACK,
            xid: 0x0102_0304,
            mac: [2, 0, 0, 0, 0, 7],
            giaddr: Ipv4Addr::new(10, 77, 0, 100),
            ciaddr: Ipv4Addr::UNSPECIFIED,
            requested: None,
            server: Some(Ipv4Addr::new(10, 77, 0, 1)),
        };
        let mut octets = message.octets();
        assert_eq!(Answer::read(&octets), None, "a request is no answer");
        octets[0] = 2;
        octets[16..20].copy_from_slice(&[10, 77, 16, 9]);
        let end = octets.iter().rposition(|octet| *octet == END).expect("pushed");
        octets[end..end + 7].copy_from_slice(&[LEASE, 4, 0, 0, 14, 16, END]);
        let answer = Answer::read(&octets).expect("well formed");
        assert_eq!(
            (answer.kind, answer.xid, answer.mac),
            (ACK, 0x0102_0304, message.mac)
        );
        assert_eq!(answer.yiaddr, Ipv4Addr::new(10, 77, 16, 9));
        assert_eq!((answer.server, answer.lease_secs), (message.server, 3600));
        assert_eq!(Answer::read(&octets[..end + 3]), None);
    }
}
