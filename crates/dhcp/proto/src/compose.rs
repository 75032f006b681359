//! Writing a message into the caller's buffer.
//!
//! ```text
//!    0        236 240                                            limit
//!    ┌─────────┬──┬──────────────────────────┬────┬──────────┬─────┐
//!    │ header  │mc│ options, in call order ► │ 52 │ 82 (echo)│ 255 │ 0 … up to 300
//!    └─────────┴──┴──────────────────────────┴────┴──────────┴─────┘
//!      │  └ file (128)  ◄─ options that did not fit,
//!      └─── sname (64)  ◄─ when the fields are free (RFC 2132, 9.3)
//! ```
//!
//! Call order is priority: what comes first is placed first, and [`Composed::missed`] names what found no room.
//! Room for the relay's echo, the overload option and the end option is kept free from the beginning.
//! Nothing is allocated.

mod place;

use crate::MessageType;
use crate::code::{self, CodeSet};
use crate::message::{BOOTREPLY, COOKIE, FLAG_BROADCAST, HEADER_LEN, Message, OPTIONS_AT};
use place::{Field, encoded_len, write_split};
use std::net::Ipv4Addr;

/// Shortest message sent: BOOTP relays and clients drop less (RFC 1542, section 2.1).
pub const LEN_MIN: usize = 300;
/// What IP (20) and UDP (8) headers take from a maximum DHCP message size.
pub const IP_UDP_LEN: usize = 28;
/// Longest payload every client must accept: 576 less the headers (RFC 2131, section 2).
pub const PAYLOAD_MIN: usize = 576 - IP_UDP_LEN;

/// The longest payload to send to the sender of `request`: option 57 less IP and UDP headers, 548 without it, never
/// above `cap` (what the interface or the buffer carries).
///
/// Option 57 counts the whole IP datagram, as RFC 2131 section 2 does for its default of 576.
#[must_use]
pub fn payload_limit(request: &Message<'_>, cap: usize) -> usize {
    let wanted = request
        .max_message_size()
        .map_or(PAYLOAD_MIN, |size| usize::from(size) - IP_UDP_LEN);
    wanted.min(cap)
}

/// What came out of [`Composer::finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Composed {
    /// Octets of the message in the buffer.
    pub len: usize,
    /// Codes of the options for which there was no room.
    pub missed: CodeSet,
}

/// Writes one message. Fixed fields may be set at any time before [`Composer::finish`].
///
/// ```
/// use purlin_dhcp_proto::{Composer, Message, MessageType, code};
/// let mut buffer = [0; 1472];
/// let mut composer = Composer::new(&mut buffer, 548);
/// composer.op(1).hardware(1, &[2, 0, 0, 0, 0, 1]).xid(0x1234);
/// composer.message_type(MessageType::Discover);
/// composer.option(code::PARAMETER_REQUESTS, &[1, 3, 6]);
/// let len = composer.finish().len;
/// assert_eq!(len, 300);
/// assert!(Message::parse(&buffer[..len])?.requests(6));
/// # Ok::<(), purlin_dhcp_proto::ParseError>(())
/// ```
#[derive(Debug)]
pub struct Composer<'a> {
    out: &'a mut [u8],
    /// Where the next option goes.
    at: usize,
    /// First octet behind the room for ordinary options.
    room_end: usize,
    /// Octets of the relay's echo, which waits from `room_end` on until its place is known.
    relay_len: usize,
    file: Field,
    sname: Field,
    missed: CodeSet,
}

impl<'a> Composer<'a> {
    /// A message of zeros with the cookie, at most `limit` octets long (raised to 300, lowered to the buffer).
    ///
    /// # Panics
    /// When `out` is shorter than [`LEN_MIN`]: a reply buffer is a constant of the program.
    #[must_use]
    #[inline]
    pub fn new(out: &'a mut [u8], limit: usize) -> Self {
        assert!(out.len() >= LEN_MIN, "a reply buffer has at least 300 octets");
        let limit = limit.clamp(LEN_MIN, out.len());
        out[..HEADER_LEN].fill(0);
        out[HEADER_LEN..OPTIONS_AT].copy_from_slice(&COOKIE);
        let room_end = limit - place::TAIL_LEN;
        Self {
            out,
            at: OPTIONS_AT,
            room_end,
            relay_len: 0,
            file: Field::file(),
            sname: Field::sname(),
            missed: CodeSet::new(),
        }
    }

    /// A reply: `op`, `htype`, `hlen`, `xid`, `flags`, `giaddr` and `chaddr` are the request's (RFC 2131, table 3);
    /// hops, secs and all else are 0.
    #[must_use]
    #[inline]
    pub fn reply(out: &'a mut [u8], limit: usize, request: &Message<'_>) -> Self {
        let composer = Self::new(out, limit);
        let from = request.payload();
        composer.out[..3].copy_from_slice(&[BOOTREPLY, from[1], from[2]]);
        composer.out[4..8].copy_from_slice(&from[4..8]);
        composer.out[10..12].copy_from_slice(&from[10..12]);
        composer.out[24..44].copy_from_slice(&from[24..44]);
        composer
    }

    fn put(&mut self, at: usize, octets: &[u8]) -> &mut Self {
        self.out[at..at + octets.len()].copy_from_slice(octets);
        self
    }

    /// 1 for requests, 2 for replies.
    pub fn op(&mut self, op: u8) -> &mut Self {
        self.put(0, &[op])
    }

    /// Hardware type and address; at most 16 octets are taken.
    pub fn hardware(&mut self, htype: u8, address: &[u8]) -> &mut Self {
        let address = &address[..address.len().min(16)];
        self.put(1, &[htype, address.len() as u8])
            .put(28, &[0; 16])
            .put(28, address)
    }

    pub fn hops(&mut self, hops: u8) -> &mut Self {
        self.put(3, &[hops])
    }

    pub fn xid(&mut self, xid: u32) -> &mut Self {
        self.put(4, &xid.to_be_bytes())
    }

    pub fn secs(&mut self, secs: u16) -> &mut Self {
        self.put(8, &secs.to_be_bytes())
    }

    pub fn flags(&mut self, flags: u16) -> &mut Self {
        self.put(10, &flags.to_be_bytes())
    }

    /// Sets the broadcast bit, as a NAK through a relay must have it (RFC 2131, 4.3.2).
    pub fn set_broadcast(&mut self) -> &mut Self {
        self.out[10] |= (FLAG_BROADCAST >> 8) as u8;
        self
    }

    pub fn ciaddr(&mut self, address: Ipv4Addr) -> &mut Self {
        self.put(12, &address.octets())
    }

    pub fn yiaddr(&mut self, address: Ipv4Addr) -> &mut Self {
        self.put(16, &address.octets())
    }

    pub fn siaddr(&mut self, address: Ipv4Addr) -> &mut Self {
        self.put(20, &address.octets())
    }

    pub fn giaddr(&mut self, address: Ipv4Addr) -> &mut Self {
        self.put(24, &address.octets())
    }

    /// Writes the server host name field. `false`, and nothing is written, when it is longer than 63 octets or the
    /// field already holds options.
    #[must_use = "a name that does not fit is not sent"]
    pub fn sname(&mut self, name: &[u8]) -> bool {
        self.sname.set_text(self.out, name)
    }

    /// Writes the boot file field. `false`, and nothing is written, when it is longer than 127 octets or the field
    /// already holds options; option 67 takes longer names.
    #[must_use = "a name that does not fit is not sent"]
    pub fn file(&mut self, name: &[u8]) -> bool {
        self.file.set_text(self.out, name)
    }

    /// Keeps `file` and `sname` free of options, for BOOTP clients and for boot ROMs that cannot read them there.
    pub fn without_overload(&mut self) -> &mut Self {
        self.file.close();
        self.sname.close();
        self
    }

    /// Keeps room for the relay's option 82 and writes it last of all options (RFC 3046, section 2.2). Call it
    /// before the first option. `false` when it does not fit; it is then missed. An empty value is no option.
    pub fn echo_relay_agent(&mut self, value: &[u8]) -> bool {
        if value.is_empty() {
            return true;
        }
        match self.claim_echo(encoded_len(value.len())) {
            Some(slot) => {
                write_split(slot, code::RELAY_AGENT, value);
                true
            }
            None => false,
        }
    }

    /// As [`Composer::echo_relay_agent`] with the option 82 of `request` octet for octet, however it is split, broken
    /// or empty: what a relay put in is what it gets back. `true` also when there is none.
    pub fn echo_relay_agent_of(&mut self, request: &Message<'_>) -> bool {
        let Some(option) = request.option(code::RELAY_AGENT) else {
            return true;
        };
        let len = option.parts().map(|part| part.len() + 2).sum();
        let Some(slot) = self.claim_echo(len) else {
            return false;
        };
        let mut at = 0;
        for part in option.parts() {
            let end = at + 2 + part.len();
            write_split(&mut slot[at..end], code::RELAY_AGENT, part);
            at = end;
        }
        true
    }

    /// Room for the echo in front of the tail; it moves behind the last option at the end.
    fn claim_echo(&mut self, len: usize) -> Option<&mut [u8]> {
        if self.relay_len > 0 || self.at + len > self.room_end {
            self.missed.insert(code::RELAY_AGENT);
            return None;
        }
        self.relay_len = len;
        self.room_end -= len;
        Some(&mut self.out[self.room_end..self.room_end + len])
    }

    /// Octets still free in the options field.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room_end - self.at
    }

    /// Appends an option; a value above 255 octets is split (RFC 3396, section 6). `false` when there is no room,
    /// and the code is then missed.
    #[inline]
    pub fn option(&mut self, code: u8, value: &[u8]) -> bool {
        let end = self.at + 2 + value.len();
        if value.len() <= 255 && end <= self.room_end {
            let slot = &mut self.out[self.at..end];
            slot[0] = code;
            slot[1] = value.len() as u8;
            slot[2..].copy_from_slice(value);
            self.at = end;
            return true;
        }
        self.option_elsewhere(code, value)
    }

    #[cold]
    fn option_elsewhere(&mut self, code: u8, value: &[u8]) -> bool {
        match self.claim(encoded_len(value.len())) {
            Some(slot) => {
                write_split(slot, code, value);
                true
            }
            None => {
                self.missed.insert(code);
                false
            }
        }
    }

    /// `len` octets in the first field that has them.
    fn claim(&mut self, len: usize) -> Option<&mut [u8]> {
        if self.at + len <= self.room_end {
            let from = self.at;
            self.at += len;
            return Some(&mut self.out[from..self.at]);
        }
        let from = self.file.claim(len).or_else(|| self.sname.claim(len))?;
        Some(&mut self.out[from..from + len])
    }

    pub fn message_type(&mut self, kind: MessageType) -> bool {
        self.option(code::MESSAGE_TYPE, &[kind.octet()])
    }

    #[inline]
    pub fn option_u8(&mut self, code: u8, value: u8) -> bool {
        self.option(code, &[value])
    }

    #[inline]
    pub fn option_u16(&mut self, code: u8, value: u16) -> bool {
        self.option(code, &value.to_be_bytes())
    }

    #[inline]
    pub fn option_u32(&mut self, code: u8, value: u32) -> bool {
        self.option(code, &value.to_be_bytes())
    }

    #[inline]
    pub fn option_ip(&mut self, code: u8, address: Ipv4Addr) -> bool {
        self.option(code, &address.octets())
    }

    /// Appends options that are already encoded (code, length, value, …, without end) with one copy, and returns
    /// where in the message they start, for [`Composer::patch`].
    ///
    /// When they do not fit together they are placed one by one, as [`Composer::option`] would, and `None` is
    /// returned. `block` must be well formed: what is behind a broken option is left out.
    #[inline]
    pub fn block(&mut self, block: &[u8]) -> Option<usize> {
        let from = self.at;
        let end = from + block.len();
        if end > self.room_end {
            self.block_piecewise(block);
            return None;
        }
        self.out[from..end].copy_from_slice(block);
        self.at = end;
        Some(from)
    }

    /// Pieces of one split option stand side by side and are placed together or not at all.
    #[cold]
    fn block_piecewise(&mut self, block: &[u8]) {
        for (code, octets) in place::groups(block) {
            match self.claim(octets.len()) {
                Some(slot) => slot.copy_from_slice(octets),
                None => {
                    self.missed.insert(code);
                }
            }
        }
    }

    /// Overwrites octets of what has been written, at an offset counted from the start of the message.
    ///
    /// # Panics
    /// When the octets are not inside what has been written.
    #[inline]
    pub fn patch(&mut self, at: usize, octets: &[u8]) {
        self.out[..self.at][at..at + octets.len()].copy_from_slice(octets);
    }

    /// Writes overload, relay echo, end and padding.
    #[must_use = "the length is what has to be sent"]
    #[inline]
    pub fn finish(self) -> Composed {
        let overload = self.file.end(self.out) | self.sname.end(self.out) << 1;
        let echo_at = self.at + if overload != 0 { 3 } else { 0 };
        self.out
            .copy_within(self.room_end..self.room_end + self.relay_len, echo_at);
        if overload != 0 {
            self.out[self.at..echo_at].copy_from_slice(&[code::OVERLOAD, 1, overload]);
        }
        let mut at = echo_at + self.relay_len;
        self.out[at] = code::END;
        at += 1;
        if at < LEN_MIN {
            self.out[at..LEN_MIN].fill(code::PAD);
            at = LEN_MIN;
        }
        Composed {
            len: at,
            missed: self.missed,
        }
    }
}

#[cfg(test)]
mod tests;
