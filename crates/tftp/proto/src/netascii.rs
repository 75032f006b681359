//! The text mode: lines end in CR LF, and a CR that ends no line is CR NUL (RFC 764, as RFC 1350 section 1 uses it).
//!
//! Here, lines end in LF. Both directions work in pieces of any size: what a block border cuts in two waits inside.

/// Local text to netascii: LF becomes CR LF, CR becomes CR NUL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Encoder {
    /// The second octet of a pair whose first was written into the piece before.
    second: Option<u8>,
}

impl Encoder {
    /// Encodes as much of `input` as fits into `output`; returns how many octets were read and written.
    ///
    /// When all input is read but a second octet did not fit, [`Self::is_done`] is false: call again with no input.
    pub fn encode(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize) {
        let (mut read, mut written) = (0, 0);
        while written < output.len() {
            if let Some(second) = self.second.take() {
                output[written] = second;
            } else if let Some(&octet) = input.get(read) {
                read += 1;
                (output[written], self.second) = match octet {
                    b'\n' => (b'\r', Some(b'\n')),
                    b'\r' => (b'\r', Some(0)),
                    other => (other, None),
                };
            } else {
                break;
            }
            written += 1;
        }
        (read, written)
    }

    /// Whether nothing waits for the next piece.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.second.is_none()
    }

    /// How many octets `text` has in netascii.
    #[must_use]
    pub fn encoded_len(text: &[u8]) -> usize {
        text.len() + text.iter().filter(|octet| matches!(octet, b'\n' | b'\r')).count()
    }
}

/// Netascii to local text: CR LF becomes LF, CR NUL becomes CR.
///
/// A CR before anything else is against the RFC; it is kept as it is, so that a binary file sent in the wrong mode
/// loses as little as possible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decoder {
    /// The last octet was a CR.
    held: bool,
}

impl Decoder {
    /// Appends the text of `input`, at most one octet longer than `input`, by calls of `put`.
    pub fn decode(&mut self, input: &[u8], mut put: impl FnMut(u8)) {
        for &octet in input {
            match (std::mem::take(&mut self.held), octet) {
                (true, b'\n') => put(b'\n'),
                (true, 0) => put(b'\r'),
                (held, octet) => {
                    if held {
                        put(b'\r');
                    }
                    if octet == b'\r' {
                        self.held = true;
                    } else {
                        put(octet);
                    }
                }
            }
        }
    }

    /// The CR that was the very last octet, if there was one.
    pub fn finish(&mut self) -> Option<u8> {
        std::mem::take(&mut self.held).then_some(b'\r')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &[u8], piece: usize) -> Vec<u8> {
        let (mut encoder, mut at, mut out) = (Encoder::default(), 0, Vec::new());
        let mut block = vec![0; piece];
        while at < text.len() || !encoder.is_done() {
            let (read, written) = encoder.encode(&text[at..], &mut block);
            at += read;
            out.extend_from_slice(&block[..written]);
        }
        out
    }

    fn decode(wire: &[u8], piece: usize) -> Vec<u8> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for part in wire.chunks(piece) {
            decoder.decode(part, |octet| out.push(octet));
        }
        out.extend(decoder.finish());
        out
    }

    #[test]
    fn line_ends_and_lone_returns_have_two_octets() {
        for piece in 1..9 {
            assert_eq!(encode(b"a\nb\rc\r\n", piece), b"a\r\nb\r\0c\r\0\r\n");
        }
        assert_eq!(Encoder::encoded_len(b"a\nb\rc\r\n"), 11);
    }

    #[test]
    fn pairs_are_joined_across_block_borders() {
        for piece in 1..9 {
            assert_eq!(decode(b"a\r\nb\r\0c\r\0\r\n", piece), b"a\nb\rc\r\n");
        }
    }

    #[test]
    fn what_is_no_netascii_is_kept() {
        assert_eq!(decode(b"a\nb", 2), b"a\nb");
        assert_eq!(decode(b"\r\r\nx\ry\r", 1), b"\r\nx\ry\r");
    }
}
