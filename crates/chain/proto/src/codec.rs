//! RLP of blocks, and a file of blocks one after another (`chain.rlp`, as geth exports it).

use crate::Block;
use alloy_rlp::{Decodable, Encodable};
use std::io::{self, Read};

/// The most octets of one block: many times what any chain's gas limit lets in.
const BLOCK_MAX: u64 = 256 << 20;

/// A file of blocks that cannot be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("block {index} of the file, at octet {octet}: {what}")]
pub struct DecodeError {
    /// How many blocks stand before it.
    pub index: usize,
    /// Where the block begins.
    pub octet: u64,
    pub what: Unreadable,
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("{0}")]
    Form(#[from] alloy_rlp::Error),
    #[error("it says that it has {0} octets, and {BLOCK_MAX} are the most")]
    Long(u64),
    #[error("the file ends within it")]
    Cut,
    #[error("{0}")]
    Read(#[from] io::Error),
}

/// The block as RLP.
pub fn encode(block: &Block) -> Vec<u8> {
    let mut octets = Vec::with_capacity(block.length());
    block.encode(&mut octets);
    octets
}

/// One block and nothing behind it, in the one form that RLP has for it.
///
/// # Errors
///
/// What the RLP lacks; octets behind the block, and any other form of the same block, are an error too.
pub fn decode(octets: &[u8]) -> Result<Block, alloy_rlp::Error> {
    let mut rest = octets;
    let block = Block::decode(&mut rest)?;
    // The decoder reads a transaction's envelope to its own end, whatever length the string around it has.
    if rest.is_empty() && encode(&block) == octets {
        Ok(block)
    } else {
        Err(alloy_rlp::Error::UnexpectedLength)
    }
}

/// Blocks one after another, one at a time in memory; the iterator ends after the first error. What is read from is asked for
/// few octets at a time: a file wants a buffer.
pub fn blocks<R: Read>(file: R) -> Blocks<R> {
    Blocks {
        file,
        at: 0,
        index: 0,
        octets: Vec::new(),
        ended: false,
    }
}

/// See [`blocks`].
#[derive(Debug)]
pub struct Blocks<R> {
    file: R,
    at: u64,
    index: usize,
    /// Of the block that was read last.
    octets: Vec<u8>,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    /// Where the next block begins.
    pub fn octet(&self) -> u64 {
        self.at
    }

    /// The next block, `None` where the file ends before it begins.
    fn read(&mut self) -> Result<Option<Block>, Unreadable> {
        self.octets.clear();
        if self.more(1)? == 0 {
            return Ok(None);
        }
        let left = match self.octets[0] {
            short @ 0xc0..=0xf7 => u64::from(short - 0xc0),
            long @ 0xf8.. => {
                let digits = u64::from(long - 0xf7);
                self.whole(digits)?;
                let number = self.octets[1..].iter();
                number.fold(0, |number, digit| (number << 8) | u64::from(*digit))
            }
            _ => return Err(alloy_rlp::Error::UnexpectedString.into()),
        };
        if left > BLOCK_MAX {
            return Err(Unreadable::Long(left));
        }
        self.whole(left)?;
        let block = decode(&self.octets)?;
        self.at += self.octets.len() as u64;
        Ok(Some(block))
    }

    /// Reads so many octets more, or as many as there are: memory grows with what comes, not with what was said.
    fn more(&mut self, octets: u64) -> io::Result<u64> {
        let read = self.file.by_ref().take(octets).read_to_end(&mut self.octets)?;
        Ok(read as u64)
    }

    fn whole(&mut self, octets: u64) -> Result<(), Unreadable> {
        if self.more(octets)? == octets {
            Ok(())
        } else {
            Err(Unreadable::Cut)
        }
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Result<Block, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let (index, octet) = (self.index, self.at);
        self.index += 1;
        let next = self.read().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        Some(next?.map_err(|what| DecodeError { index, octet, what }))
    }
}
