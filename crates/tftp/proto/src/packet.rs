//! One datagram as a value.

use crate::option::Options;
use crate::request::Request;
use crate::{ErrorCode, HEADER};
use std::fmt;

/// Opcodes (RFC 1350, section 5; OACK from RFC 2347).
pub(crate) mod opcode {
    pub(crate) const RRQ: u16 = 1;
    pub(crate) const WRQ: u16 = 2;
    pub(crate) const DATA: u16 = 3;
    pub(crate) const ACK: u16 = 4;
    pub(crate) const ERROR: u16 = 5;
    pub(crate) const OACK: u16 = 6;
}

/// A packet, seen in its datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// RRQ: the sender wants a file.
    Read(Request<'a>),
    /// WRQ: the sender wants to store a file.
    Write(Request<'a>),
    /// A block of the file: the payload starts at octet 4 of the datagram.
    Data { block: u16, payload: &'a [u8] },
    /// Everything up to this block has arrived.
    Ack { block: u16 },
    /// The transfer ends. The text is without its terminator, in no particular encoding.
    Error { code: ErrorCode, text: &'a [u8] },
    /// OACK: these of the options asked for hold.
    OptionAck(Options<'a>),
}

/// Why a datagram is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseError {
    /// Shorter than an opcode, or than the header its opcode asks for.
    Short,
    /// No RFC knows this opcode.
    Opcode(u16),
    /// The name or the mode of a request lacks its terminator, or the name is empty.
    Request,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("the packet is too short"),
            Self::Opcode(number) => write!(f, "unknown opcode {number}"),
            Self::Request => f.write_str("the request has no terminated name and mode"),
        }
    }
}

impl std::error::Error for ParseError {}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// Lenient where it does no harm: octets behind an ACK are ignored (Ethernet padding that firmware passes on), as
    /// is a missing terminator of an error text.
    ///
    /// # Errors
    /// [`ParseError`] when it is no packet of any RFC.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        let (&[a, b], body) = datagram.split_first_chunk::<2>().ok_or(ParseError::Short)?;
        match u16::from_be_bytes([a, b]) {
            opcode::ACK => number(body).map(|(block, _)| Self::Ack { block }),
            opcode::DATA => number(body).map(|(block, payload)| Self::Data { block, payload }),
            opcode::RRQ => Request::parse(body).map(Self::Read).ok_or(ParseError::Request),
            opcode::WRQ => Request::parse(body).map(Self::Write).ok_or(ParseError::Request),
            opcode::ERROR => number(body).map(|(code, text)| Self::Error {
                code: ErrorCode::of(code),
                text: text.split(|&octet| octet == 0).next().unwrap_or_default(),
            }),
            opcode::OACK => Ok(Self::OptionAck(Options::new(body))),
            other => Err(ParseError::Opcode(other)),
        }
    }
}

/// The block number or error code behind the opcode, and what follows.
fn number(body: &[u8]) -> Result<(u16, &[u8]), ParseError> {
    let (&octets, rest) = body
        .split_first_chunk::<{ HEADER - 2 }>()
        .ok_or(ParseError::Short)?;
    Ok((u16::from_be_bytes(octets), rest))
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(request) => write!(f, "RRQ {request:?}"),
            Self::Write(request) => write!(f, "WRQ {request:?}"),
            Self::Data { block, payload } => write!(f, "DATA {block}, {} octets", payload.len()),
            Self::Ack { block } => write!(f, "ACK {block}"),
            Self::Error { code, text } => write!(f, "ERROR {} \"{}\"", code.number(), text.escape_ascii()),
            Self::OptionAck(options) => write!(f, "OACK {options:?}"),
        }
    }
}
