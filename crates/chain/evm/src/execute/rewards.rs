//! What miners got before the merge.

use purlin_chain_proto::{Address, Fork, Header, U256};

const ETHER: u64 = 1_000_000_000_000_000_000;

/// Who gets how much wei at the end of a block: the ommers' beneficiaries, then the block's own.
///
/// Source: yellow paper, section 11.3; EIP-649 (Byzantium), EIP-1234 (Constantinople), EIP-3675 (the merge).
pub(super) fn of(fork: Fork, header: &Header, ommers: &[Header]) -> Vec<(Address, U256)> {
    let ether = match fork {
        fork if fork >= Fork::Paris => return Vec::new(),
        fork if fork >= Fork::Constantinople => 2,
        fork if fork >= Fork::Byzantium => 3,
        _ => 5,
    };
    let reward = U256::from(ETHER) * U256::from(ether);
    let ommer = |ommer: &Header| {
        let distance = header.number.saturating_sub(ommer.number).min(8);
        (
            ommer.beneficiary,
            reward * U256::from(8 - distance) / U256::from(8),
        )
    };
    let own = reward + reward / U256::from(32) * U256::from(ommers.len());
    ommers
        .iter()
        .map(ommer)
        .chain([(header.beneficiary, own)])
        .collect()
}
