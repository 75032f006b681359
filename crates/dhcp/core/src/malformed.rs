//! What was wrong with a datagram that is no message, as the two parameters of its decision, and in words.

use purlin_dhcp_proto::ParseError;
use purlin_dhcp_proto::message::{HEADER_LEN, OPTIONS_AT, OPTIONS_MAX};

/// Octets up to the end of `chaddr`: from here on a datagram says whose it is, however it goes on.
const NAMED: usize = 44;

/// The kinds of fault, in the lowest octet of the first parameter. 0 is none, as of a decision that was never filled.
const SIZE: u32 = 1;
const OP: u32 = 2;
const HARDWARE_LENGTH: u32 = 3;
const TRUNCATED: u32 = 4;
const TOO_MANY: u32 = 5;
const OVERLOAD: u32 = 6;
const TYPE_LENGTH: u32 = 7;

/// The parameters of a fault.
pub(crate) fn parameters(error: &ParseError) -> (u32, u32) {
    match *error {
        ParseError::TooShort { len } | ParseError::TooLong { len } => (SIZE, len as u32),
        ParseError::Op(op) => (OP, op.into()),
        ParseError::HardwareLength(len) => (HARDWARE_LENGTH, len.into()),
        ParseError::TruncatedOption { code, at, .. } => (TRUNCATED | u32::from(code) << 8, at.into()),
        ParseError::TooManyOptions { at } => (TOO_MANY, at.into()),
        ParseError::Overload { value } => (OVERLOAD, value.into()),
    }
}

/// Of a message type (option 53) with this many octets, where there is one.
pub(crate) fn type_length(len: usize) -> (u32, u32) {
    (TYPE_LENGTH, len as u32)
}

/// What the parameters say.
pub(crate) fn words(a: u32, b: u32) -> String {
    match a & 0xff {
        SIZE if b < HEADER_LEN as u32 => format!("{b} octets, where the header alone has {HEADER_LEN}"),
        SIZE => format!("{b} octets are more than a datagram can carry"),
        OP => format!("op {b} is neither 1 (request) nor 2 (reply)"),
        HARDWARE_LENGTH => format!("hlen {b} is over 16"),
        TRUNCATED => format!(
            "option {} at octet {b} runs over the end of {}",
            a >> 8,
            field_at(b)
        ),
        TOO_MANY => format!("more than {OPTIONS_MAX} options, the rest from octet {b}"),
        OVERLOAD => format!("option 52 (overload) says {b}, and 1, 2 and 3 are defined"),
        TYPE_LENGTH => format!("option 53 (message type) has {b} octets, not 1"),
        _ => format!("code {a} at octet {b}"),
    }
}

fn field_at(octet: u32) -> &'static str {
    match octet as usize {
        OPTIONS_AT.. => "the options",
        108.. => "the file field",
        _ => "the sname field",
    }
}

/// Whose a datagram is that is no message: transaction, relay and hardware address, which may all be as wrong as the
/// rest of it, and are for people only. `None` where it ends before that.
pub(crate) fn sender(payload: &[u8]) -> Option<(u32, [u8; 4], [u8; 6])> {
    let header = payload.first_chunk::<NAMED>()?;
    let field = |at: usize| [header[at], header[at + 1], header[at + 2], header[at + 3]];
    let (htype, hlen) = (header[1], usize::from(header[2]));
    // An Ethernet address has 6 octets, whatever its length says.
    let used = match htype {
        purlin_dhcp_proto::message::HTYPE_ETHERNET => 6,
        _ if hlen <= 16 => hlen.min(6),
        _ => 0,
    };
    let mut mac = [0; 6];
    mac[..used].copy_from_slice(&header[28..28 + used]);
    Some((u32::from_be_bytes(field(4)), field(24), mac))
}
