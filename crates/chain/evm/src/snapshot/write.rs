//! A state becomes a stream.

use std::io::Write;

use alloy_primitives::{Address, B256, Bytes};
use std::collections::BTreeSet;

use super::frame::{FrameWriter, Kind};
use super::manifest::{DEPTH_MAX, HEADERS_MAX};
use super::record::{AccountRecord, Slot, Totals};
use super::section::place;
use super::{Manifest, Progress, SnapshotError};
use crate::store::{State, Whole};

/// Accounts that a section should have at least; it has about 16 times as many at most.
const SECTION_MIN: u64 = 1_024;
/// Accounts whose hashes are in memory at once: 52 octets for each.
const SORTED_MAX: u64 = 1 << 20;
/// Octets of accounts in a frame, and slots in one.
const ACCOUNTS_OCTETS: usize = 64 << 10;
const SLOTS: usize = 1_024;

/// Writes the state after the head, in which `state` was taken ([`Store::latest`](crate::Store::latest)), with the head's own
/// block. Later blocks and pruning do not disturb it; pages that it still needs stay in the file meanwhile. `proof` is for
/// who reads it: see [`Manifest`].
///
/// Takes some 64 MiB of memory at most, beside a code and a block. With more than a million accounts all addresses are walked
/// once for each million. Writes whole frames: `out` should be buffered where a write is dear.
///
/// # Errors
/// [`SnapshotError::NotHead`] for a state that is not that of the newest block when it was taken; when the store cannot read,
/// or `out` does not take it.
pub fn write(
    state: &State,
    proof: Bytes,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Manifest, SnapshotError> {
    in_sections(state, proof, out, progress, SECTION_MIN)
}

/// With sections of `least` accounts and more.
pub(crate) fn in_sections(
    state: &State,
    proof: Bytes,
    out: &mut dyn Write,
    progress: Progress<'_>,
    least: u64,
) -> Result<Manifest, SnapshotError> {
    let whole = state.whole().ok_or_else(|| SnapshotError::NotHead {
        number: state.number(),
        head: state.head().header.number,
    })?;
    let (accounts, slots) = whole.counts()?;
    let manifest = Manifest {
        genesis: whole.genesis(),
        headers: whole.headers(HEADERS_MAX)?,
        certificate: whole.certificate()?,
        proof,
        subtrees: subtrees(whole, accounts, least)?,
        accounts,
        slots,
    };
    let mut frames = FrameWriter::begin(out)?;
    frames.put(Kind::Manifest, &manifest.encode())?;
    frames.put(Kind::Body, &alloy_rlp::encode(whole.block()?.block.body))?;
    frames.put(Kind::Receipts, &whole.receipts()?)?;
    let mut sections = Sections {
        whole,
        frames,
        progress,
        total: manifest.rows(),
        written: Totals {
            accounts: 0,
            slots: 0,
        },
        codes: BTreeSet::new(),
        waiting: Vec::new(),
        octets: 0,
    };
    sections.all(manifest.depth(), accounts)?;
    let Sections {
        mut frames, written, ..
    } = sections;
    frames.put(Kind::End, &alloy_rlp::encode(written))?;
    frames.flush()?;
    Ok(manifest)
}

/// At the greatest depth at which all are there and have enough accounts.
fn subtrees(whole: Whole<'_>, accounts: u64, least: u64) -> Result<Vec<B256>, SnapshotError> {
    let enough = |depth: usize| accounts >> (4 * depth) >= least;
    for depth in (1..=DEPTH_MAX).rev().filter(|depth| enough(*depth)) {
        if let Some(subtrees) = whole.subtrees(depth)? {
            return Ok(subtrees);
        }
    }
    let root = whole.subtrees(0)?;
    Ok(root.expect("the root is always there"))
}

/// The sections as they are written.
struct Sections<'a> {
    whole: Whole<'a>,
    frames: FrameWriter<'a>,
    progress: Progress<'a>,
    /// Rows in all.
    total: u64,
    written: Totals,
    /// Codes that this section has.
    codes: BTreeSet<B256>,
    /// Accounts of the next frame, and about how many octets they take.
    waiting: Vec<AccountRecord>,
    octets: usize,
}

impl Sections<'_> {
    fn all(&mut self, depth: usize, accounts: u64) -> Result<(), SnapshotError> {
        let count = 1_usize << (4 * depth);
        let at_once = (count as u64 * SORTED_MAX / accounts.max(1)).clamp(1, count as u64) as usize;
        for first in (0..count).step_by(at_once) {
            let group = first..count.min(first + at_once);
            let sorted = self.whole.addresses(|hash| group.contains(&place(hash, depth)))?;
            let mut rest = sorted.as_slice();
            for section in group {
                let end = rest.partition_point(|(hash, _)| place(hash, depth) <= section);
                let (these, others) = rest.split_at(end);
                rest = others;
                self.section(section, these)?;
            }
        }
        Ok(())
    }

    fn section(&mut self, section: usize, accounts: &[(B256, Address)]) -> Result<(), SnapshotError> {
        self.codes.clear();
        for (_, address) in accounts {
            self.account(*address)?;
        }
        self.flush()?;
        self.frames.put(Kind::Section, &alloy_rlp::encode(section as u64))
    }

    fn account(&mut self, address: Address) -> Result<(), SnapshotError> {
        let account = self.whole.account(address)?;
        if account.has_code() && self.codes.insert(account.code_hash) {
            let code = self.whole.code(account.code_hash)?;
            self.frames.put(Kind::Code, &code)?;
        }
        let (mut slots, mut first) = (Vec::new(), true);
        for slot in self.whole.slots(address)? {
            let (slot, value) = slot?;
            if slots.len() == SLOTS {
                let full = std::mem::take(&mut slots);
                if std::mem::take(&mut first) {
                    self.wait(AccountRecord::new(address, &account, full));
                    self.flush()?;
                } else {
                    self.slots(&full)?;
                }
            }
            slots.push(Slot { slot, value });
        }
        self.written.accounts += 1;
        if !first {
            return self.slots(&slots);
        }
        self.wait(AccountRecord::new(address, &account, slots));
        if self.octets >= ACCOUNTS_OCTETS {
            self.flush()?;
        }
        Ok(())
    }

    fn wait(&mut self, record: AccountRecord) {
        self.written.slots += record.slots.len() as u64;
        self.octets += alloy_rlp::Encodable::length(&record);
        self.waiting.push(record);
    }

    fn slots(&mut self, slots: &[Slot]) -> Result<(), SnapshotError> {
        self.written.slots += slots.len() as u64;
        self.frames.put(Kind::Slots, &rlp_list(slots))?;
        self.tell();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SnapshotError> {
        if !self.waiting.is_empty() {
            self.frames.put(Kind::Accounts, &rlp_list(&self.waiting))?;
            self.waiting.clear();
            self.octets = 0;
            self.tell();
        }
        Ok(())
    }

    fn tell(&mut self) {
        (self.progress)(self.written.accounts + self.written.slots, self.total);
    }
}

fn rlp_list<T: alloy_rlp::Encodable>(items: &[T]) -> Vec<u8> {
    let mut out = Vec::new();
    alloy_rlp::encode_list(items, &mut out);
    out
}
