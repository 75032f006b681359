//! What a stream begins with: the head and what proves the parts.

use std::io::Read;

use alloy_primitives::{B256, Bytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use purlin_chain_proto::Header;

use super::SnapshotError;
use super::frame::{FrameReader, Kind};
use super::record::{self, Fault};
use crate::trie::{crown, known, root_hash};

/// The head, and the 256 before it: calls in the head's own name ask `BLOCKHASH` for all of those.
pub(super) const HEADERS_MAX: u64 = 257;
/// 65,536 subtrees: sections of a thousand accounts at 67 million of them.
pub(super) const DEPTH_MAX: usize = 4;

/// What the stream begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The hash of block 0.
    pub genesis: B256,
    /// The newest 257 headers, or all from block 0 on, the oldest first; the last is the head, whose state this is.
    pub headers: Vec<Header>,
    /// The octets that the head was committed with, as its store has them; `None` where nobody decides. Not checked here.
    pub certificate: Option<Bytes>,
    /// Whatever convinces the reader that the head was decided; may be empty. Not checked here.
    pub proof: Bytes,
    /// 1, 16, 256, 4096 or 65536 hashes: the nodes at that depth of the trie of accounts in the order of their paths, 1 being
    /// the root itself.
    pub subtrees: Vec<B256>,
    /// How many accounts follow. A claim, for progress, until all of them were read; so are the slots.
    pub accounts: u64,
    pub slots: u64,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Row {
    genesis: B256,
    headers: Vec<Header>,
    /// None or one.
    certificates: Vec<Bytes>,
    proof: Bytes,
    subtrees: Vec<B256>,
    accounts: u64,
    slots: u64,
}

impl Manifest {
    /// The block whose state this is, and its hash.
    ///
    /// # Panics
    /// When somebody has emptied `headers`.
    #[must_use]
    pub fn head(&self) -> (&Header, B256) {
        let head = self
            .headers
            .last()
            .expect("at least one, checked when it was read");
        (head, head.hash_slow())
    }

    /// How deep in the trie the sections begin.
    pub(super) fn depth(&self) -> usize {
        self.subtrees.len().ilog2() as usize / 4
    }

    /// Accounts and slots.
    pub(super) fn rows(&self) -> u64 {
        self.accounts.saturating_add(self.slots)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        alloy_rlp::encode(Row {
            genesis: self.genesis,
            headers: self.headers.clone(),
            certificates: self.certificate.iter().cloned().collect(),
            proof: self.proof.clone(),
            subtrees: self.subtrees.clone(),
            accounts: self.accounts,
            slots: self.slots,
        })
    }

    /// Reads and checks all that can be checked without the state.
    pub(super) fn decode(octets: &[u8]) -> Result<Self, Fault> {
        let row: Row = record::decode(octets)?;
        let mut certificates = row.certificates.into_iter();
        let manifest = Self {
            genesis: row.genesis,
            headers: row.headers,
            certificate: certificates.next(),
            proof: row.proof,
            subtrees: row.subtrees,
            accounts: row.accounts,
            slots: row.slots,
        };
        if certificates.next().is_some() {
            return Err("more than one certificate".into());
        }
        linked(&manifest)?;
        proven(&manifest)?;
        Ok(manifest)
    }

    pub(super) fn read(frames: &mut FrameReader<'_>) -> Result<Self, SnapshotError> {
        let octets = frames.expect(Kind::Manifest)?;
        Self::decode(&octets).map_err(|fault| frames.wrong(format!("the manifest: {fault}")))
    }
}

/// Reads the beginning of a stream and checks it alone: headers linked by hash, subtrees that give the head's state root. It
/// does not say that the head was decided, or that what follows is whole. Nothing behind the beginning is taken from `input`.
///
/// # Errors
/// What is no stream, or begins with what cannot be true.
pub fn read_manifest(input: &mut dyn Read) -> Result<Manifest, SnapshotError> {
    Manifest::read(&mut FrameReader::begin(input)?)
}

/// Each header follows the one before, and they reach back as far as they must.
fn linked(manifest: &Manifest) -> Result<(), Fault> {
    let headers = &manifest.headers;
    let (Some(first), Some(head)) = (headers.first(), headers.last()) else {
        return Err("no header".into());
    };
    let wanted = head.number.saturating_add(1).min(HEADERS_MAX);
    if headers.len() as u64 != wanted {
        return Err(format!(
            "{} headers up to block {}, there must be {wanted}",
            headers.len(),
            head.number
        ));
    }
    if first.number == 0 && first.hash_slow() != manifest.genesis {
        return Err("block 0 is not the genesis that it names".into());
    }
    for (parent, child) in headers.iter().zip(&headers[1..]) {
        if Some(child.number) != parent.number.checked_add(1) || child.parent_hash != parent.hash_slow() {
            return Err(format!(
                "the header of block {} is not followed by that of its child",
                parent.number
            ));
        }
    }
    Ok(())
}

/// The subtrees are those of the head's state.
fn proven(manifest: &Manifest) -> Result<(), Fault> {
    let subtrees = &manifest.subtrees;
    let counts = (0..=DEPTH_MAX).map(|depth| 1_usize << (4 * depth));
    if !counts.into_iter().any(|count| count == subtrees.len()) {
        return Err(format!(
            "{} subtrees, there must be a power of 16",
            subtrees.len()
        ));
    }
    let root = match subtrees.as_slice() {
        [root] => *root,
        many => root_hash(Some(&crown(many.iter().map(known).collect()).0)),
    };
    let (head, _) = manifest.head();
    if root != head.state_root {
        return Err(format!(
            "the subtrees give state root {root}, the header of block {} says {}",
            head.number, head.state_root
        ));
    }
    Ok(())
}
