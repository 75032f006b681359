//! The pool's memory over a restart, as octets: one entry for each transaction that came in.
//!
//! ```text
//!   ┌────────────┬──────────────┬────────┬────────────┬──────────────────────────┐
//!   │ length u32 │ check, 4     │ origin │ sender, 20 │ transaction, EIP-2718    │   integers big-endian
//!   └────────────┴──────────────┴────────┴────────────┴──────────────────────────┘
//!                 first octets of keccak-256 over ───────────────────────────────┘
//!                 all that follows; `length` counts from here to the end
//! ```
//!
//! The shell appends an entry for each accepted transaction and writes the file anew from [`Pool::journal`] now and then.
//! Losing its tail loses transactions that nobody was promised, so a torn end is cut off and said, not refused. The
//! sender is kept so that a start need not recover thousands of signatures; the check guards it against decay, not
//! against somebody who can write the node's files.

use super::Pool;
use super::pooled::{Origin, Pooled};
use crate::{Recovered, Transaction};
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, keccak256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

const LENGTH: usize = 4;
const CHECK: usize = 4;
const SENDER: usize = 20;
const LOCAL: u8 = 0;
const EXTERNAL: u8 = 1;
/// Longer than any entry that is written: the largest transaction setting is far below it.
const ENTRY_MAX: usize = 16 * 1024 * 1024;

/// One transaction of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub origin: Origin,
    pub transaction: Recovered,
}

/// What a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The entries before the fault, in the order in which they were written.
    pub entries: Vec<Entry>,
    /// Where and why reading ended early; everything from there on is lost.
    pub fault: Option<Fault>,
}

/// Where a journal stops making sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Octets from the beginning; cutting the file here makes it whole.
    pub at: usize,
    pub kind: FaultKind,
}

/// What is wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The last entry is not all there.
    Torn,
    /// The entry's octets are not those that were written.
    Check,
    /// The entry is whole, but holds no transaction that this version reads.
    Content,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::Torn => "the last entry is incomplete",
            FaultKind::Check => "an entry does not match its check",
            FaultKind::Content => "an entry holds no transaction that this version reads",
        };
        write!(
            f,
            "journal of the pool, octet {}: {what}; entries before it are kept",
            self.at
        )
    }
}

impl Pool {
    /// A whole journal of what is in the pool now, in the order of arrival.
    #[must_use]
    pub fn journal(&self) -> Vec<u8> {
        let by_arrival: BTreeMap<u64, &Arc<Pooled>> =
            self.by_hash.values().map(|one| (one.arrival(), one)).collect();
        let mut out = Vec::new();
        for one in by_arrival.values() {
            encode(one, &mut out);
        }
        out
    }
}

/// Appends the entry of one transaction.
pub fn encode(one: &Pooled, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH + CHECK]);
    out.push(match one.origin() {
        Origin::Local => LOCAL,
        Origin::External => EXTERNAL,
    });
    out.extend_from_slice(one.sender().as_slice());
    one.transaction().inner().encode_2718(out);
    let checked = start + LENGTH + CHECK;
    let check = keccak256(&out[checked..]);
    out[start + LENGTH..checked].copy_from_slice(&check[..CHECK]);
    let length = u32::try_from(out.len() - start - LENGTH).expect("a transaction is far below 4 GiB");
    out[start..start + LENGTH].copy_from_slice(&length.to_be_bytes());
}

/// Reads a journal as far as it makes sense. Never panics, whatever the octets are.
#[must_use]
pub fn decode(octets: &[u8]) -> Decoded {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < octets.len() {
        match entry(&octets[at..]) {
            Ok((entry, length)) => {
                entries.push(entry);
                at += length;
            }
            Err(kind) => {
                let fault = Some(Fault { at, kind });
                return Decoded { entries, fault };
            }
        }
    }
    Decoded { entries, fault: None }
}

fn entry(octets: &[u8]) -> Result<(Entry, usize), FaultKind> {
    let (length, rest) = octets.split_first_chunk::<LENGTH>().ok_or(FaultKind::Torn)?;
    let length = u32::from_be_bytes(*length) as usize;
    if !(CHECK + 1 + SENDER..=ENTRY_MAX).contains(&length) {
        return Err(FaultKind::Check);
    }
    let body = rest.get(..length).ok_or(FaultKind::Torn)?;
    let (check, body) = body.split_at(CHECK);
    if keccak256(body)[..CHECK] != *check {
        return Err(FaultKind::Check);
    }
    let origin = match body[0] {
        LOCAL => Origin::Local,
        EXTERNAL => Origin::External,
        _ => return Err(FaultKind::Content),
    };
    let sender = Address::from_slice(&body[1..=SENDER]);
    let mut encoded = &body[1 + SENDER..];
    let transaction = Transaction::decode_2718(&mut encoded).map_err(|_| FaultKind::Content)?;
    if !encoded.is_empty() {
        return Err(FaultKind::Content);
    }
    let transaction = Recovered::new_unchecked(transaction, sender);
    Ok((Entry { origin, transaction }, LENGTH + length))
}
