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
/// Octets of a payload: a body or receipts, which a block's gas bounds, are the largest.
pub(super) const PAYLOAD_MAX: usize = 128 << 20;
const CHECK: usize = 8;

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
        if payload.len() > PAYLOAD_MAX {
            return Err(SnapshotError::TooLarge {
                what: kind.name(),
                octets: payload.len(),
                most: PAYLOAD_MAX,
            });
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
        let cut = || "the stream ends here, before its end".to_owned();
        let head = self.octets(5)?;
        let (Some(kind), Some(length)) = (head.first(), head.last_chunk::<4>()) else {
            return Err(self.wrong(cut()));
        };
        if head.len() < 5 {
            return Err(self.wrong(cut()));
        }
        let (kind, length) = (*kind, u32::from_be_bytes(*length));
        if length as usize > PAYLOAD_MAX {
            return Err(self.wrong(format!(
                "a frame of {length} octets, at most {PAYLOAD_MAX} are allowed"
            )));
        }
        let payload = self.octets(length as usize)?;
        let check = self.octets(CHECK)?;
        if payload.len() < length as usize || check.len() < CHECK {
            return Err(self.wrong(cut()));
        }
        let hash = hash(self.before, &start(kind, length), &payload);
        if check != hash[..CHECK] {
            return Err(self.wrong("the check does not fit: not what was written, or not in its order"));
        }
        let Some(kind) = Kind::of(kind) else {
            return Err(self.wrong(format!("a frame of kind {kind}, which is not known")));
        };
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
