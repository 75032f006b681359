//! Ommers: siblings of ancestors, named by blocks before the merge.

use super::{HeaderFault, check_header, fault::OmmerFault};
use crate::{B256, Block, ChainSpec, Header};

/// How many ancestors of a block [`check`] needs.
pub const ANCESTORS: usize = 7;

/// The ommers of a block against its ancestors, the parent first, each with its hash and the ommers that it named.
///
/// # Errors
///
/// The first ommer that breaks a rule, and which.
pub fn check(
    spec: &ChainSpec,
    block: &Block,
    ancestors: &[(B256, &Header, &[Header])],
    now: u64,
) -> Result<(), HeaderFault> {
    let ancestors = &ancestors[..ancestors.len().min(ANCESTORS)];
    let mut named: Vec<B256> = ancestors
        .iter()
        .flat_map(|(_, _, ommers)| ommers.iter().map(Header::hash_slow))
        .collect();
    for (index, ommer) in block.body.ommers.iter().enumerate() {
        let hash = ommer.hash_slow();
        one(spec, block, ancestors, &named, (hash, ommer), now)
            .map_err(|why| HeaderFault::Ommer { index, why })?;
        named.push(hash);
    }
    Ok(())
}

fn one(
    spec: &ChainSpec,
    block: &Block,
    ancestors: &[(B256, &Header, &[Header])],
    named: &[B256],
    (hash, ommer): (B256, &Header),
    now: u64,
) -> Result<(), OmmerFault> {
    if named.contains(&hash) {
        return Err(OmmerFault::Twice);
    }
    if ancestors.iter().any(|(ancestor, ..)| *ancestor == hash) {
        return Err(OmmerFault::Ancestor);
    }
    let parent = ancestors
        .iter()
        .find(|(ancestor, ..)| *ancestor == ommer.parent_hash);
    let Some((parent_hash, parent, _)) = parent.filter(|_| ommer.parent_hash != block.header.parent_hash)
    else {
        return Err(OmmerFault::Dangling);
    };
    check_header(spec, parent, *parent_hash, ommer, None, now)
        .map_err(|fault| OmmerFault::Header(Box::new(fault)))
}
