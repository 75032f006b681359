//! How far a TFTP transfer is: it is over with the acknowledgement of its last block, or with an error of either side (RFC
//! 1350, section 6). Until then it is open work of its node.

/// What either side has said so far that matters to the end.
#[derive(Debug)]
pub(super) struct Transfer {
    /// Octets of a whole block: 512, or what the server agreed to (RFC 2348).
    block: usize,
    /// The number of the last block, once that was sent: it is shorter than the others.
    last: Option<u16>,
    over: bool,
}

impl Transfer {
    pub(super) const fn new() -> Self {
        Self {
            block: 512,
            last: None,
            over: false,
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// A datagram of either side, which is an end of the same talk. What is no TFTP changes nothing.
    pub(super) fn heard(&mut self, octets: &[u8]) {
        match octets {
            [0, 3, high, low, content @ ..] if content.len() < self.block => {
                self.last = Some(u16::from_be_bytes([*high, *low]));
            }
            [0, 4, high, low, ..] if self.last == Some(u16::from_be_bytes([*high, *low])) => self.over = true,
            [0, 5, ..] => self.over = true,
            [0, 6, options @ ..] => self.block = agreed(options).unwrap_or(self.block),
            _ => {}
        }
    }
}

/// The block size in an OACK: names and values, each with a zero behind it (RFC 2347).
fn agreed(options: &[u8]) -> Option<usize> {
    let mut words = options.split(|&octet| octet == 0);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        if name.eq_ignore_ascii_case(b"blksize") {
            return std::str::from_utf8(value).ok()?.parse().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(number: u16, length: usize) -> Vec<u8> {
        let mut octets = vec![0, 3];
        octets.extend(number.to_be_bytes());
        octets.resize(4 + length, b'x');
        octets
    }

    fn ack(number: u16) -> Vec<u8> {
        [&[0, 4][..], &number.to_be_bytes()].concat()
    }

    /// Whether it is over after each of these.
    fn after(said: &[Vec<u8>]) -> Vec<bool> {
        let mut transfer = Transfer::new();
        said.iter()
            .map(|octets| {
                transfer.heard(octets);
                transfer.is_over()
            })
            .collect()
    }

    #[test]
    fn it_is_over_with_the_acknowledgement_of_the_short_block() {
        let said = [data(1, 512), ack(1), data(2, 0), ack(1), ack(2)];
        assert_eq!(after(&said), [false, false, false, false, true]);
    }

    #[test]
    fn a_block_of_the_agreed_size_is_not_the_last() {
        let oack = b"\0\x06tsize\x009\0BLKSIZE\x001024\0".to_vec();
        let said = [oack, ack(0), data(1, 1024), ack(1), data(2, 1023), ack(2)];
        assert_eq!(after(&said), [false, false, false, false, false, true]);
    }

    #[test]
    fn an_error_of_either_side_ends_it() {
        assert_eq!(after(&[b"\0\x05\0\x01no such file\0".to_vec()]), [true]);
        assert_eq!(after(&[data(1, 512), b"\0\x05\0\0\0".to_vec()]), [false, true]);
    }

    #[test]
    fn what_is_no_tftp_changes_nothing() {
        let said = [
            vec![],
            vec![0],
            vec![0, 4],
            vec![0, 3, 1],
            b"\0\x06blksize".to_vec(),
            b"\0\x06blksize\0x\0".to_vec(),
        ];
        assert_eq!(after(&said), [false; 6]);
    }
}
