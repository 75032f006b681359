//! A header against its parent, and a body against its header.
//!
//! What only execution can tell (state root, receipts, gas used, requests) is checked by who executes. Seals of
//! proof-of-work are not checked; the difficulty is.

mod difficulty;
mod fault;
mod ommers;

pub use difficulty::next as next_difficulty;
pub use fault::{HeaderFault, OmmerFault};
pub use ommers::{ANCESTORS, check as check_ommers};

use crate::{Block, ChainSpec, Fork, Header, Transaction, U256, roots, spec::GAS_LIMIT_MIN};
use alloy_consensus::Transaction as _;
use alloy_eips::{
    eip1559::GAS_LIMIT_BOUND_DIVISOR, eip4844::DATA_GAS_PER_BLOB, merge::ALLOWED_FUTURE_BLOCK_TIME_SECONDS,
};
use alloy_primitives::B256;
use alloy_rlp::Encodable;

/// Octets that `extraData` may have (yellow paper, section 4.4.4).
pub const EXTRA_DATA_MAX: usize = 32;

/// Octets of a block as RLP from Osaka on: 10 MiB less 2 MiB for what the consensus layer puts around it (EIP-7934).
pub const BLOCK_OCTETS_MAX: usize = 8_388_608;

/// Ommers that a block may name before the merge.
const OMMERS_MAX: usize = 2;

/// The header of a block against the header of its parent. `wanted` is the gas limit that validators bring their blocks to,
/// at this height; `None` where nobody holds others to one. `now` is in seconds since 1970.
///
/// # Errors
///
/// The first rule that the header breaks, with what would be right.
pub fn check_header(
    spec: &ChainSpec,
    parent: &Header,
    parent_hash: B256,
    header: &Header,
    wanted: Option<u64>,
    now: u64,
) -> Result<(), HeaderFault> {
    place(spec, parent, parent_hash, header, now)?;
    let fork = spec.fork_at(header.number, header.timestamp);
    gas(spec, parent, header, wanted)?;
    seal(fork, parent, header)?;
    blobs(spec, parent, header)?;
    presence(fork, header)
}

/// The lists of a block against its header.
///
/// # Errors
///
/// The first field of the header that the body does not bear out.
pub fn check_body(spec: &ChainSpec, block: &Block) -> Result<(), HeaderFault> {
    let (header, body) = (&block.header, &block.body);
    let fork = spec.fork_at(header.number, header.timestamp);
    if fork >= Fork::Osaka && block.length() > BLOCK_OCTETS_MAX {
        return Err(HeaderFault::Size {
            max: BLOCK_OCTETS_MAX,
            got: block.length(),
        });
    }
    let ommers_max = if fork >= Fork::Paris { 0 } else { OMMERS_MAX };
    if body.ommers.len() > ommers_max {
        return Err(HeaderFault::Ommers {
            max: ommers_max,
            got: body.ommers.len(),
        });
    }
    let wanted = roots::ommers(&body.ommers);
    if header.ommers_hash != wanted {
        return Err(HeaderFault::OmmersHash {
            wanted,
            got: header.ommers_hash,
        });
    }
    let wanted = roots::transactions(&body.transactions);
    if header.transactions_root != wanted {
        return Err(HeaderFault::TransactionsRoot {
            wanted,
            got: header.transactions_root,
        });
    }
    if body.withdrawals.is_some() != (fork >= Fork::Shanghai) {
        return Err(HeaderFault::Withdrawals {
            fork,
            got: body.withdrawals.is_some(),
        });
    }
    let wanted = body
        .withdrawals
        .as_ref()
        .map(|withdrawals| roots::withdrawals(withdrawals));
    if header.withdrawals_root != wanted {
        return Err(HeaderFault::WithdrawalsRoot {
            wanted,
            got: header.withdrawals_root,
        });
    }
    let wanted = (fork >= Fork::Cancun).then(|| blob_gas(&body.transactions));
    if header.blob_gas_used != wanted {
        return Err(HeaderFault::BlobGasUsed {
            wanted,
            got: header.blob_gas_used,
        });
    }
    Ok(())
}

/// Gas of all blobs that these transactions carry (EIP-4844).
pub fn blob_gas(transactions: &[Transaction]) -> u64 {
    let blobs: usize = transactions
        .iter()
        .map(|tx| tx.blob_versioned_hashes().map_or(0, <[B256]>::len))
        .sum();
    blobs as u64 * DATA_GAS_PER_BLOB
}

/// How far a block's gas limit may be from its parent's: it must stay below this.
pub const fn gas_limit_step(parent_limit: u64) -> u64 {
    parent_limit / GAS_LIMIT_BOUND_DIVISOR
}

/// The gas limit nearest to `wished` that a child of a block with `parent_limit` may have.
pub fn gas_limit_towards(parent_limit: u64, wished: u64) -> u64 {
    let step = gas_limit_step(parent_limit).saturating_sub(1);
    wished
        .clamp(parent_limit - step, parent_limit.saturating_add(step))
        .max(GAS_LIMIT_MIN)
}

fn place(
    spec: &ChainSpec,
    parent: &Header,
    parent_hash: B256,
    header: &Header,
    now: u64,
) -> Result<(), HeaderFault> {
    if header.parent_hash != parent_hash {
        return Err(HeaderFault::ParentHash {
            wanted: parent_hash,
            got: header.parent_hash,
        });
    }
    if parent.number.checked_add(1) != Some(header.number) {
        return Err(HeaderFault::Number {
            wanted: parent.number.saturating_add(1),
            got: header.number,
        });
    }
    let earliest = spec.earliest_timestamp(parent);
    if header.timestamp < earliest {
        return Err(HeaderFault::TimestampTooEarly {
            earliest,
            got: header.timestamp,
        });
    }
    if header.timestamp > now.saturating_add(ALLOWED_FUTURE_BLOCK_TIME_SECONDS) {
        return Err(HeaderFault::TimestampInFuture {
            now,
            got: header.timestamp,
        });
    }
    if header.extra_data.len() > EXTRA_DATA_MAX {
        return Err(HeaderFault::ExtraData {
            max: EXTRA_DATA_MAX,
            got: header.extra_data.len(),
        });
    }
    Ok(())
}

fn gas(spec: &ChainSpec, parent: &Header, header: &Header, wanted: Option<u64>) -> Result<(), HeaderFault> {
    let got = header.gas_limit;
    if got > i64::MAX as u64 || got < GAS_LIMIT_MIN {
        return Err(HeaderFault::GasLimitRange {
            min: GAS_LIMIT_MIN,
            max: i64::MAX as u64,
            got,
        });
    }
    let parent_limit = spec.parent_gas_limit(parent, header.timestamp);
    let step = gas_limit_step(parent_limit);
    if got.abs_diff(parent_limit) >= step {
        return Err(HeaderFault::GasLimitStep {
            parent: parent_limit,
            step,
            got,
        });
    }
    if let Some(wanted) = wanted {
        let wanted = gas_limit_towards(parent_limit, wanted);
        if got != wanted {
            return Err(HeaderFault::GasLimitDecided { wanted, got });
        }
    }
    if header.gas_used > got {
        return Err(HeaderFault::GasUsedAboveLimit {
            limit: got,
            got: header.gas_used,
        });
    }
    let wanted = spec.next_base_fee(parent, header.timestamp);
    if header.base_fee_per_gas != wanted {
        return Err(HeaderFault::BaseFee {
            wanted,
            got: header.base_fee_per_gas,
        });
    }
    Ok(())
}

/// Difficulty and nonce: computed before the merge, zero after it (EIP-3675).
fn seal(fork: Fork, parent: &Header, header: &Header) -> Result<(), HeaderFault> {
    let merged = fork >= Fork::Paris;
    let wanted = if merged {
        U256::ZERO
    } else {
        next_difficulty(fork, parent, header.timestamp)
    };
    if header.difficulty != wanted {
        return Err(HeaderFault::Difficulty {
            wanted,
            got: header.difficulty,
        });
    }
    if merged && !header.nonce.is_zero() {
        return Err(HeaderFault::Nonce { got: header.nonce });
    }
    if merged && header.ommers_hash != roots::EMPTY_OMMERS {
        return Err(HeaderFault::OmmersHash {
            wanted: roots::EMPTY_OMMERS,
            got: header.ommers_hash,
        });
    }
    Ok(())
}

fn blobs(spec: &ChainSpec, parent: &Header, header: &Header) -> Result<(), HeaderFault> {
    let wanted = spec.next_excess_blob_gas(parent, header.timestamp);
    if header.excess_blob_gas != wanted {
        return Err(HeaderFault::ExcessBlobGas {
            wanted,
            got: header.excess_blob_gas,
        });
    }
    let Some(params) = spec.blob_params_at(header.timestamp) else {
        return match header.blob_gas_used {
            None => Ok(()),
            got => Err(HeaderFault::BlobGasUsed { wanted: None, got }),
        };
    };
    let max = params.max_blob_gas_per_block();
    match header.blob_gas_used {
        Some(got) if got <= max => Ok(()),
        Some(got) => Err(HeaderFault::BlobGasAboveLimit { max, got }),
        None => Err(HeaderFault::BlobGasUsed {
            wanted: Some(0),
            got: None,
        }),
    }
}

/// Fields that came with a fork stand in a header exactly from that fork on.
fn presence(fork: Fork, header: &Header) -> Result<(), HeaderFault> {
    let fields = [
        (
            "withdrawalsRoot",
            Fork::Shanghai,
            header.withdrawals_root.is_some(),
        ),
        (
            "parentBeaconBlockRoot",
            Fork::Cancun,
            header.parent_beacon_block_root.is_some(),
        ),
        ("requestsHash", Fork::Prague, header.requests_hash.is_some()),
    ];
    for (field, since, got) in fields {
        if got != (fork >= since) {
            return Err(HeaderFault::Presence {
                field,
                fork,
                since,
                got,
            });
        }
    }
    let later = [
        ("blockAccessListHash", header.block_access_list_hash.is_some()),
        ("slotNumber", header.slot_number.is_some()),
    ];
    match later.into_iter().find(|(_, there)| *there) {
        Some((field, _)) => Err(HeaderFault::UnknownField { field }),
        None => Ok(()),
    }
}
