//! The accounts of a development chain: those that every tool for developers has, so that scripts work unchanged.
//!
//! Anybody knows their keys. They own ether of a chain that somebody made on a desk, and nothing else.

use purlin_chain_client::Key;
use purlin_chain_proto::{Address, U256};

/// What each account begins with, in ether.
pub(crate) const ETHER: u64 = 10_000;
const WEI_PER_ETHER: u64 = 1_000_000_000_000_000_000;

/// Addresses and what they begin with, in wei.
pub(super) fn funded() -> Vec<(Address, U256)> {
    let balance = U256::from(ETHER) * U256::from(WEI_PER_ETHER);
    Key::of_development()
        .map(|key| (key.address(), balance))
        .collect()
}
