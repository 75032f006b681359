//! The difficulty of proof-of-work blocks.
//!
//! Sources: yellow paper, section 4.4.4; EIP-2 (Homestead), EIP-100 (Byzantium), and the delays of the ice age in
//! EIP-649, 1234, 2384, 3554, 4345, 5133.

use crate::{Fork, Header, U256, roots};

const MINIMUM: u64 = 131_072;
const BOUND_DIVISOR: u64 = 2_048;
/// Blocks after which the ice age doubles its addend.
const ICE_PERIOD: u64 = 100_000;

/// What the block after `parent` must have when it carries this timestamp, under a fork before the merge.
pub fn next(fork: Fork, parent: &Header, timestamp: u64) -> U256 {
    let passed = timestamp.saturating_sub(parent.timestamp);
    let step = parent.difficulty / U256::from(BOUND_DIVISOR);
    let steps = steps(fork, parent, passed);
    let moved = step.saturating_mul(U256::from(steps.unsigned_abs()));
    let difficulty = if steps < 0 {
        parent.difficulty.saturating_sub(moved)
    } else {
        parent.difficulty.saturating_add(moved)
    };
    difficulty
        .max(U256::from(MINIMUM))
        .saturating_add(ice(fork, parent.number))
}

/// How many steps up, or down when negative, for a block after so many seconds.
fn steps(fork: Fork, parent: &Header, passed: u64) -> i64 {
    const LOWEST: i64 = -99;
    let passed = i64::try_from(passed).unwrap_or(i64::MAX);
    if fork >= Fork::Byzantium {
        let top = if parent.ommers_hash == roots::EMPTY_OMMERS {
            1
        } else {
            2
        };
        return (top - passed / 9).max(LOWEST);
    }
    match fork {
        Fork::Frontier if passed < 13 => 1,
        Fork::Frontier => -1,
        _ => (1 - passed / 10).max(LOWEST),
    }
}

fn ice(fork: Fork, parent_number: u64) -> U256 {
    let block = match delay(fork) {
        0 => parent_number + 1,
        delay => parent_number.saturating_sub(delay - 1),
    };
    match block / ICE_PERIOD {
        0 | 1 => U256::ZERO,
        period => U256::ONE.saturating_shl(usize::try_from(period - 2).unwrap_or(usize::MAX)),
    }
}

/// By how many blocks the ice age is behind.
fn delay(fork: Fork) -> u64 {
    match fork {
        Fork::Frontier | Fork::Homestead | Fork::Dao | Fork::Tangerine | Fork::SpuriousDragon => 0,
        Fork::Byzantium => 3_000_000,
        Fork::Constantinople | Fork::Petersburg | Fork::Istanbul => 5_000_000,
        Fork::MuirGlacier | Fork::Berlin => 9_000_000,
        Fork::London => 9_700_000,
        Fork::ArrowGlacier => 10_700_000,
        _ => 11_400_000,
    }
}
