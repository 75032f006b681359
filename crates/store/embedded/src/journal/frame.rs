//! One frame: a 24-byte header, the payload, zeros up to the next multiple of eight.

use crc32fast::Hasher;

/// `len u32 | crc u32 | position u64 | synced u64`, little endian.
pub(crate) const HEADER: usize = 24;

/// The longest payload of a frame.
pub(crate) const MAX_PAYLOAD: usize = 16 << 20;

const ALIGN: usize = 8;

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Bytes of payload; 0 means that nothing was written here.
    pub(crate) length: u32,
    crc: u32,
    pub(crate) position: u64,
    /// Up to which position the log was durable when this frame was written. It is what tells a torn tail
    /// (never durable, may be dropped) from damage (durable, must not be).
    pub(crate) synced: u64,
}

/// Bytes a payload takes in the file.
pub(crate) fn space(payload: usize) -> usize {
    (HEADER + payload).next_multiple_of(ALIGN)
}

/// Appends a whole frame to `out`. The `salt` of the file keeps a payload that imitates a frame, or a frame of
/// another file, from ever passing for one of this file.
pub(crate) fn encode(out: &mut Vec<u8>, salt: u32, position: u64, synced: u64, payload: &[u8]) {
    let start = out.len();
    let length = payload.len() as u32;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(salt, length, position, synced, payload).to_le_bytes());
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(&synced.to_le_bytes());
    out.extend_from_slice(payload);
    out.resize(start + space(payload.len()), 0);
}

impl FrameHeader {
    pub(crate) fn decode(bytes: &[u8; HEADER]) -> Self {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        Self {
            length: word(0),
            crc: word(4),
            position: long(8),
            synced: long(16),
        }
    }

    pub(crate) fn matches(&self, salt: u32, payload: &[u8]) -> bool {
        self.crc == checksum(salt, self.length, self.position, self.synced, payload)
    }
}

fn checksum(salt: u32, length: u32, position: u64, synced: u64, payload: &[u8]) -> u32 {
    let mut head = [0; 20];
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..12].copy_from_slice(&position.to_le_bytes());
    head[12..].copy_from_slice(&synced.to_le_bytes());
    let mut hasher = Hasher::new_with_initial(salt);
    hasher.update(&head);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_and_any_flipped_bit_is_noticed() {
        let mut bytes = Vec::new();
        encode(&mut bytes, 7, 3, 2, b"lease");
        assert_eq!(bytes.len(), 32);
        for bit in 0..(HEADER + 5) * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let header = FrameHeader::decode(damaged[..HEADER].try_into().expect("a header"));
            assert!(!header.matches(7, &damaged[HEADER..HEADER + 5]), "bit {bit}");
        }
        let header = FrameHeader::decode(bytes[..HEADER].try_into().expect("a header"));
        assert_eq!((header.length, header.position, header.synced), (5, 3, 2));
        assert!(header.matches(7, b"lease"));
        assert!(!header.matches(8, b"lease"), "a frame of another file");
    }
}
