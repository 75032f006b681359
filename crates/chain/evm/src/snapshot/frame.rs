//! The stream as frames, each with a check over itself and all before it.
//!
//! ```text
//!   "purlin-state" 12 │ format 4 │ frame │ frame │ ...
//!   frame:  kind 1 │ length 4 │ payload │ check 8
//! ```
//!
//! A check is the beginning of Keccak-256 over the whole such hash of the frame before, the kind, the length and the payload.
//! It finds accidents, and says where; what is true is proven by hashes inside.

use std::io::{self, Read, Write};

use alloy_primitives::{B256, Keccak256};

use super::SnapshotError;

const MAGIC: &[u8; 12] = b"purlin-state";
/// Grows when a program of before could not read the stream.
const FORMAT: u32 = 1;
const CHECK: usize = 8;
const CUT: &str = "the stream ends here, before its end";

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Manifest = 1,
    Body = 2,
    Receipts = 3,
    Code = 4,
    Accounts = 5,
    Slots = 6,
    Section = 7,
    End = 8,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Manifest,
        Self::Body,
        Self::Receipts,
        Self::Code,
        Self::Accounts,
        Self::Slots,
        Self::Section,
        Self::End,
    ];

    fn of(octet: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == octet)
    }

    /// Octets of a payload. Bodies and receipts are as large as gas allows; accounts and slots come in frames of some 64 KiB.
    fn octets_max(self) -> usize {
        match self {
            Self::Manifest | Self::Body | Self::Receipts | Self::Code => 128 << 20,
            Self::Accounts | Self::Slots => 1 << 20,
            Self::Section | Self::End => 32,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Manifest => "the manifest",
            Self::Body => "the head's body",
            Self::Receipts => "the head's receipts",
            Self::Code => "a code",
            Self::Accounts => "accounts",
            Self::Slots => "slots",
            Self::Section => "the end of a section",
            Self::End => "the end",
        }
    }
}

pub(super) struct FrameWriter<'a> {
    out: &'a mut dyn Write,
    before: B256,
}

impl<'a> FrameWriter<'a> {
    pub(super) fn begin(out: &'a mut dyn Write) -> Result<Self, SnapshotError> {
        let start = [MAGIC.as_slice(), &FORMAT.to_be_bytes()].concat();
        out.write_all(&start).map_err(SnapshotError::Write)?;
        let before = B256::ZERO;
        Ok(Self { out, before })
    }

    pub(super) fn put(&mut self, kind: Kind, payload: &[u8]) -> Result<(), SnapshotError> {
        let (octets, most) = (payload.len(), kind.octets_max());
        if octets > most {
            let what = kind.name();
            return Err(SnapshotError::TooLarge { what, octets, most });
        }
        let start = start(kind as u8, payload.len() as u32);
        self.before = hash(self.before, &start, payload);
        let frame = [&start, payload, &self.before[..CHECK]].concat();
        self.out.write_all(&frame).map_err(SnapshotError::Write)
    }

    pub(super) fn flush(&mut self) -> Result<(), SnapshotError> {
        self.out.flush().map_err(SnapshotError::Write)
    }
}

pub(super) struct FrameReader<'a> {
    input: &'a mut dyn Read,
    before: B256,
    /// Where the frame begins that was read last.
    octet: u64,
    /// Where the next one begins.
    next: u64,
}

impl<'a> FrameReader<'a> {
    pub(super) fn begin(input: &'a mut dyn Read) -> Result<Self, SnapshotError> {
        let mut frames = Self {
            input,
            before: B256::ZERO,
            octet: 0,
            next: 0,
        };
        let start = frames.octets(MAGIC.len() + 4)?;
        let Some((magic, format)) = start.split_last_chunk::<4>() else {
            return Err(SnapshotError::NoSnapshot);
        };
        if magic != MAGIC {
            return Err(SnapshotError::NoSnapshot);
        }
        let found = u32::from_be_bytes(*format);
        if found != FORMAT {
            return Err(SnapshotError::Format { found, known: FORMAT });
        }
        frames.next = start.len() as u64;
        Ok(frames)
    }

    /// The next frame. Its octets come before the memory for them: a length alone takes none.
    pub(super) fn next(&mut self) -> Result<(Kind, Vec<u8>), SnapshotError> {
        self.octet = self.next;
        let head = self.octets(5)?;
        let &[octet, a, b, c, d] = head.as_slice() else {
            return Err(self.wrong(CUT));
        };
        let Some(kind) = Kind::of(octet) else {
            return Err(self.wrong(format!("a frame of kind {octet}, which is not known")));
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let most = kind.octets_max();
        if length > most {
            let what = kind.name();
            return Err(self.wrong(format!("{what} of {length} octets, at most {most} are allowed")));
        }
        let payload = self.octets(length)?;
        let check = self.octets(CHECK)?;
        if payload.len() < length || check.len() < CHECK {
            return Err(self.wrong(CUT));
        }
        let hash = hash(self.before, &[octet, a, b, c, d], &payload);
        if check != hash[..CHECK] {
            return Err(self.wrong("the check does not fit: not what was written, or not in its order"));
        }
        self.before = hash;
        self.next += (5 + payload.len() + CHECK) as u64;
        Ok((kind, payload))
    }

    /// The next frame, which must be of this kind.
    pub(super) fn expect(&mut self, wanted: Kind) -> Result<Vec<u8>, SnapshotError> {
        match self.next()? {
            (kind, payload) if kind == wanted => Ok(payload),
            (kind, _) => Err(self.wrong(format!(
                "here is {}, where {} must be",
                kind.name(),
                wanted.name()
            ))),
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<(), SnapshotError> {
        self.octet = self.next;
        match self.octets(1)?.as_slice() {
            [] => Ok(()),
            _ => Err(self.wrong("more octets follow after the end")),
        }
    }

    /// What is wrong with the frame that was read last.
    pub(super) fn wrong(&self, what: impl Into<String>) -> SnapshotError {
        SnapshotError::Damaged {
            octet: self.octet,
            what: what.into(),
        }
    }

    /// That many octets, or as many as there are.
    fn octets(&mut self, count: usize) -> Result<Vec<u8>, SnapshotError> {
        let mut octets = Vec::new();
        let read = self.input.take(count as u64).read_to_end(&mut octets);
        match read {
            Ok(_) => Ok(octets),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(octets),
            Err(error) => Err(SnapshotError::Read(error)),
        }
    }
}

fn start(kind: u8, length: u32) -> [u8; 5] {
    let [a, b, c, d] = length.to_be_bytes();
    [kind, a, b, c, d]
}

fn hash(before: B256, start: &[u8; 5], payload: &[u8]) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(before);
    hasher.update(start);
    hasher.update(payload);
    hasher.finalize()
}
