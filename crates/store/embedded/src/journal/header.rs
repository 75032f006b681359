//! The first 128 bytes of every file.

use std::io;

use crate::medium::FileHandle;

/// Bytes before the first frame.
pub(crate) const FILE_HEADER: usize = 128;

const VERSION: u32 = 1;
const NAME_AT: usize = 48;
const NAME_MAX: usize = 64;
const CRC_AT: usize = FILE_HEADER - 4;

/// What kind of file it is; the value is its magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Segment,
    Checkpoint,
    /// A backup of the whole store, see [`crate::backup`].
    Archive,
}

impl FileKind {
    fn magic(self) -> [u8; 8] {
        match self {
            Self::Segment => *b"PURLINJS",
            Self::Checkpoint => *b"PURLINJC",
            Self::Archive => *b"PURLINBA",
        }
    }
}

/// Whose file it is and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) kind: FileKind,
    /// Segment number or checkpoint generation; both only grow.
    pub(crate) number: u64,
    /// Checkpoints: all frames up to this position are contained in it.
    pub(crate) covers: u64,
    /// Starts every checksum of the file.
    pub(crate) salt: u32,
    pub(crate) journal: String,
}

impl FileHeader {
    /// A header with a new salt.
    pub(crate) fn new(kind: FileKind, number: u64, covers: u64, journal: &str) -> io::Result<Self> {
        let salt = getrandom::u32().map_err(io::Error::other)?;
        Ok(Self {
            kind,
            number,
            covers,
            salt,
            journal: journal.to_owned(),
        })
    }

    pub(crate) fn encode(&self) -> [u8; FILE_HEADER] {
        let mut bytes = [0; FILE_HEADER];
        bytes[..8].copy_from_slice(&self.kind.magic());
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.salt.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.covers.to_le_bytes());
        bytes[32] = self.journal.len() as u8;
        bytes[NAME_AT..NAME_AT + self.journal.len()].copy_from_slice(self.journal.as_bytes());
        let crc = crc32fast::hash(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header of `file`; `Err` is what is wrong with it.
    pub(crate) fn read(file: &dyn FileHandle) -> io::Result<Result<Self, &'static str>> {
        let mut bytes = [0; FILE_HEADER];
        let read = file.read_at(0, &mut bytes)?;
        Ok(if read < FILE_HEADER {
            Err("the file is too short")
        } else {
            Self::decode(&bytes)
        })
    }

    fn decode(bytes: &[u8; FILE_HEADER]) -> Result<Self, &'static str> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let kind = [FileKind::Segment, FileKind::Checkpoint, FileKind::Archive]
            .into_iter()
            .find(|kind| bytes[..8] == kind.magic());
        let kind = kind.ok_or("the file is of another kind")?;
        if word(CRC_AT) != crc32fast::hash(&bytes[..CRC_AT]) {
            return Err("the checksum of the file header is wrong");
        }
        if word(8) != VERSION {
            return Err("the file is of another format version");
        }
        let name_end = NAME_AT + usize::from(bytes[32]).min(NAME_MAX);
        let journal =
            str::from_utf8(&bytes[NAME_AT..name_end]).map_err(|_| "the journal's name is not text")?;
        Ok(Self {
            kind,
            number: long(16),
            covers: long(24),
            salt: word(12),
            journal: journal.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_damage_is_named() {
        let header = FileHeader::new(FileKind::Checkpoint, 9, 77, "packet-0").expect("random numbers");
        let bytes = header.encode();
        assert_eq!(FileHeader::decode(&bytes), Ok(header));
        let mut damaged = bytes;
        damaged[20] ^= 1;
        assert_eq!(
            FileHeader::decode(&damaged),
            Err("the checksum of the file header is wrong")
        );
        assert_eq!(
            FileHeader::decode(&[0; FILE_HEADER]),
            Err("the file is of another kind")
        );
    }
}
