//! Packets as octets.

use crate::option::OptionName;
use crate::packet::opcode;
use crate::{ErrorCode, HEADER, Mode};

/// The octets before a block's payload.
#[must_use]
pub const fn data_header(block: u16) -> [u8; HEADER] {
    numbered(opcode::DATA, block)
}

/// A whole ACK.
#[must_use]
pub const fn ack(block: u16) -> [u8; HEADER] {
    numbered(opcode::ACK, block)
}

const fn numbered(opcode: u16, number: u16) -> [u8; HEADER] {
    let [a, b] = opcode.to_be_bytes();
    let [c, d] = number.to_be_bytes();
    [a, b, c, d]
}

/// Writes one packet into the caller's buffer: `Composer::read(&mut buffer, name, mode).option(..).finish()`.
///
/// Nothing is written behind the end of the buffer; [`Self::finish`] says when something did not fit.
#[derive(Debug)]
pub struct Composer<'b> {
    buffer: &'b mut [u8],
    len: usize,
    whole: bool,
}

impl<'b> Composer<'b> {
    /// An RRQ. The name must not contain zero octets.
    pub fn read(buffer: &'b mut [u8], name: &[u8], mode: Mode) -> Self {
        Self::request(buffer, opcode::RRQ, name, mode)
    }

    /// A WRQ. The name must not contain zero octets.
    pub fn write(buffer: &'b mut [u8], name: &[u8], mode: Mode) -> Self {
        Self::request(buffer, opcode::WRQ, name, mode)
    }

    /// An OACK without options yet.
    pub fn option_ack(buffer: &'b mut [u8]) -> Self {
        Self::begin(buffer, opcode::OACK)
    }

    /// An ERROR; its text ends at the first zero octet.
    pub fn error(buffer: &'b mut [u8], code: ErrorCode, text: &str) -> Self {
        let mut composer = Self::begin(buffer, opcode::ERROR);
        composer.put(&code.number().to_be_bytes());
        composer.put_text(text.as_bytes());
        composer
    }

    fn begin(buffer: &'b mut [u8], opcode: u16) -> Self {
        let mut composer = Self {
            buffer,
            len: 0,
            whole: true,
        };
        composer.put(&opcode.to_be_bytes());
        composer
    }

    fn request(buffer: &'b mut [u8], opcode: u16, name: &[u8], mode: Mode) -> Self {
        let mut composer = Self::begin(buffer, opcode);
        composer.put_text(name);
        composer.put_text(mode.as_str().as_bytes());
        composer
    }

    /// Adds an option with a decimal value.
    #[must_use]
    pub fn option(mut self, name: OptionName, value: u64) -> Self {
        self.put_text(name.as_str().as_bytes());
        let mut digits = [0; 20];
        self.put_text(decimal(value, &mut digits));
        self
    }

    /// Adds any option, for what this crate does not know.
    #[must_use]
    pub fn raw(mut self, name: &str, value: &str) -> Self {
        self.put_text(name.as_bytes());
        self.put_text(value.as_bytes());
        self
    }

    /// How many octets the packet has; `None` when the buffer was too short.
    #[must_use]
    pub fn finish(self) -> Option<usize> {
        self.whole.then_some(self.len)
    }

    fn put_text(&mut self, text: &[u8]) {
        self.put(text.split(|&octet| octet == 0).next().unwrap_or_default());
        self.put(&[0]);
    }

    fn put(&mut self, octets: &[u8]) {
        let place = self
            .whole
            .then(|| self.buffer.get_mut(self.len..self.len + octets.len()))
            .flatten();
        match place {
            Some(place) => {
                place.copy_from_slice(octets);
                self.len += octets.len();
            }
            None => self.whole = false,
        }
    }
}

/// Writes `value` at the end of `digits`.
fn decimal(mut value: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &digits[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_have_the_octets_of_the_rfc() {
        assert_eq!(data_header(0x1234), [0, 3, 0x12, 0x34]);
        assert_eq!(ack(7), [0, 4, 0, 7]);
        let mut buffer = [0; 64];
        let len = Composer::error(&mut buffer, ErrorCode::NotFound, "no such file").finish();
        assert_eq!(&buffer[..len.unwrap()], b"\0\x05\0\x01no such file\0");
        let len = Composer::read(&mut buffer, b"pxelinux.0", Mode::Octet)
            .option(OptionName::Tsize, 0)
            .option(OptionName::Blksize, 1408)
            .finish();
        assert_eq!(
            &buffer[..len.unwrap()],
            b"\0\x01pxelinux.0\0octet\0tsize\x000\0blksize\x001408\0"
        );
    }

    #[test]
    fn a_packet_that_does_not_fit_is_not_half_there() {
        let mut buffer = [0xaa; 12];
        let oack = Composer::option_ack(&mut buffer).option(OptionName::Tsize, u64::MAX);
        assert_eq!(oack.finish(), None);
        let fits = Composer::option_ack(&mut buffer).option(OptionName::Tsize, 123);
        assert_eq!(fits.finish(), Some(12));
    }
}
