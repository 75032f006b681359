//! RLP of blocks, and a file of blocks one after another (`chain.rlp`, as geth exports it).

use crate::Block;
use alloy_rlp::{Decodable, Encodable};

/// A file of blocks that cannot be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("block {index} of the file, at octet {octet}: {what}")]
pub struct DecodeError {
    /// How many blocks stand before it.
    pub index: usize,
    /// Where the block begins.
    pub octet: usize,
    pub what: alloy_rlp::Error,
}

/// The block as RLP.
pub fn encode(block: &Block) -> Vec<u8> {
    let mut octets = Vec::with_capacity(block.length());
    block.encode(&mut octets);
    octets
}

/// One block and nothing behind it.
///
/// # Errors
///
/// What the RLP lacks; octets behind the block are an error too.
pub fn decode(octets: &[u8]) -> Result<Block, alloy_rlp::Error> {
    let mut rest = octets;
    let block = Block::decode(&mut rest)?;
    if rest.is_empty() {
        Ok(block)
    } else {
        Err(alloy_rlp::Error::UnexpectedLength)
    }
}

/// Blocks one after another; the iterator ends after the first error.
pub fn blocks(octets: &[u8]) -> Blocks<'_> {
    Blocks {
        octets,
        at: 0,
        index: 0,
    }
}

/// See [`blocks`].
#[derive(Debug, Clone)]
pub struct Blocks<'a> {
    octets: &'a [u8],
    at: usize,
    index: usize,
}

impl Blocks<'_> {
    /// Where the next block begins.
    pub fn octet(&self) -> usize {
        self.at
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<Block, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.octets.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (index, octet) = (self.index, self.at);
        self.index += 1;
        match Block::decode(&mut rest) {
            Ok(block) => {
                self.at = self.octets.len() - rest.len();
                Some(Ok(block))
            }
            Err(what) => {
                self.at = self.octets.len();
                Some(Err(DecodeError { index, octet, what }))
            }
        }
    }
}
