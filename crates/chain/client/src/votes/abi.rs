//! As much of Solidity's encoding of arguments as the contract's calls and events have.

use alloy_primitives::{U256, keccak256};

const WORD: usize = 32;

/// The first four octets of a call.
pub(super) fn selector(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature);
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A call whose only argument is a run of octets.
pub(super) fn with_octets(signature: &str, octets: &[u8]) -> Vec<u8> {
    let mut call = selector(signature).to_vec();
    call.extend(U256::from(WORD).to_be_bytes::<WORD>());
    call.extend(U256::from(octets.len()).to_be_bytes::<WORD>());
    call.extend(octets);
    let whole = octets.len().next_multiple_of(WORD);
    call.resize(call.len() + whole - octets.len(), 0);
    call
}

/// A call whose only argument is a number.
pub(super) fn with_number(signature: &str, number: u64) -> Vec<u8> {
    let mut call = selector(signature).to_vec();
    call.extend(U256::from(number).to_be_bytes::<WORD>());
    call
}

/// What a call answered, or an event carries: words of 32 octets. Whatever it is, reading it never fails otherwise than with
/// `None`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a>(pub(super) &'a [u8]);

impl<'a> Words<'a> {
    fn at(self, octet: usize) -> Option<U256> {
        let word = self.0.get(octet..octet.checked_add(WORD)?)?;
        Some(U256::from_be_slice(word))
    }

    /// A word that is a number of 64 bits.
    pub(super) fn number(self, index: usize) -> Option<u64> {
        self.at(index * WORD)?.try_into().ok()
    }

    /// Where the list or the octets begin that a word points to, and how many there are.
    fn pointed(self, index: usize) -> Option<(usize, usize)> {
        let start: usize = self.at(index * WORD)?.try_into().ok()?;
        let count = self.at(start)?.try_into().ok()?;
        Some((start.checked_add(WORD)?, count))
    }

    /// The words of a list.
    pub(super) fn list(self, index: usize) -> Option<impl Iterator<Item = U256> + 'a> {
        let (start, count) = self.pointed(index)?;
        let end = count.checked_mul(WORD)?.checked_add(start)?;
        let octets = self.0.get(start..end)?;
        Some(octets.chunks_exact(WORD).map(U256::from_be_slice))
    }

    /// A run of octets.
    pub(super) fn octets(self, index: usize) -> Option<&'a [u8]> {
        let (start, count) = self.pointed(index)?;
        self.0.get(start..start.checked_add(count)?)
    }
}
