//! What a chain is: its genesis, and which rules hold at which block.

mod blobs;
mod consensus;
mod development;
mod schedule;

pub use consensus::ConsensusSpec;
pub use development::GAS_LIMIT as DEVELOPMENT_GAS_LIMIT;
pub(crate) use schedule::FORK_KEYS;

use crate::{Address, B64, B256, Fork, GenesisError, Header, U256, genesis, roots};
use alloy_eips::{
    eip1559::{BaseFeeParams, DEFAULT_ELASTICITY_MULTIPLIER, INITIAL_BASE_FEE},
    eip7685::EMPTY_REQUESTS_HASH,
    eip7840::BlobParams,
};
use alloy_genesis::Genesis;
use blobs::BlobSchedule;
use schedule::Schedule;

/// Nothing below this may be a block's gas limit (yellow paper, section 4.4.4).
pub(crate) const GAS_LIMIT_MIN: u64 = 5_000;

/// A genesis document, read and checked. Share it in an `Arc`.
#[derive(Debug, Clone)]
pub struct ChainSpec {
    genesis: Genesis,
    schedule: Schedule,
    blobs: BlobSchedule,
    consensus: Option<ConsensusSpec>,
}

impl ChainSpec {
    /// Reads a geth-style genesis document.
    ///
    /// # Errors
    ///
    /// The first field that is wrong, what stands there, and what would be right.
    pub fn from_json(text: &str) -> Result<Self, GenesisError> {
        Self::from_genesis(genesis::read(text)?)
    }

    /// A chain for development: every fork up to Osaka from block 0, the system contracts in place, the named accounts
    /// funded. `timestamp` is the genesis block's, in seconds since 1970.
    pub fn development(chain_id: u64, accounts: &[(Address, U256)], timestamp: u64) -> Self {
        Self::from_genesis(development::genesis(chain_id, accounts, timestamp))
            .expect("the forks are in order")
    }

    /// Checks a genesis that was made in the program.
    ///
    /// # Errors
    ///
    /// As [`ChainSpec::from_json`], where the value is readable but no chain can begin with it.
    pub fn from_genesis(genesis: Genesis) -> Result<Self, GenesisError> {
        let schedule = Schedule::new(&genesis.config)?;
        let blobs = BlobSchedule::new(&genesis.config)?;
        check_header(&genesis, &schedule)?;
        let consensus = ConsensusSpec::read(&genesis, &schedule)?;
        Ok(Self {
            genesis,
            schedule,
            blobs,
            consensus,
        })
    }

    pub fn chain_id(&self) -> u64 {
        self.genesis.config.chain_id
    }

    /// The accounts and header fields that the document gave.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Who decides about blocks, as the genesis document says it (`config.purlin`): at the beginning, and for ever in a chain
    /// whose constitution cannot be changed. `None` in a chain without validators.
    pub fn consensus(&self) -> Option<&ConsensusSpec> {
        self.consensus.as_ref()
    }

    /// The least timestamp that a child of `parent` may have, in seconds since 1970: above the parent's (yellow paper,
    /// section 4.4.4), or equal to it in a chain with validators, whose blocks may come faster than seconds.
    pub fn earliest_timestamp(&self, parent: &Header) -> u64 {
        match self.consensus {
            Some(_) => parent.timestamp,
            None => parent.timestamp.saturating_add(1),
        }
    }

    /// The rules of block `number` with this timestamp.
    ///
    /// The merge is at `mergeNetsplitBlock`, or at block 0 when `terminalTotalDifficulty` is 0, or with Shanghai at the
    /// latest, as geth decides it.
    pub fn fork_at(&self, number: u64, timestamp: u64) -> Fork {
        self.schedule.fork_at(number, timestamp)
    }

    /// The forks that this chain has, with the block or the timestamp where each begins, in order.
    pub fn forks(&self) -> impl Iterator<Item = (Fork, Activation)> + '_ {
        self.schedule.forks()
    }

    /// Target, maximum and update fraction of blobs (EIP-7840, EIP-7892); `None` before Cancun.
    pub fn blob_params_at(&self, timestamp: u64) -> Option<BlobParams> {
        self.blobs.at(timestamp)
    }

    /// Whose logs are deposits (EIP-6110). Without `depositContractAddress` there are none.
    pub fn deposit_contract(&self) -> Option<Address> {
        self.genesis
            .config
            .deposit_contract_address
            .filter(|address| !address.is_zero())
    }

    /// EIP-155: whether the rules at this block let a signature name the chain.
    pub fn signs_chain_id_at(&self, number: u64, timestamp: u64) -> bool {
        self.fork_at(number, timestamp) >= Fork::SpuriousDragon
    }

    /// The base fee of the block after `parent` with this timestamp, in wei per gas; `None` before London (EIP-1559).
    pub fn next_base_fee(&self, parent: &Header, timestamp: u64) -> Option<u64> {
        if self.fork_at(parent.number + 1, timestamp) < Fork::London {
            return None;
        }
        Some(match parent.base_fee_per_gas {
            None => INITIAL_BASE_FEE,
            Some(base_fee) => {
                BaseFeeParams::ethereum().next_block_base_fee(parent.gas_used, parent.gas_limit, base_fee)
            }
        })
    }

    /// The gas limit that the next block is measured against: London's first block has twice its parent's (EIP-1559).
    pub fn parent_gas_limit(&self, parent: &Header, timestamp: u64) -> u64 {
        let first = parent.base_fee_per_gas.is_none() && self.next_base_fee(parent, timestamp).is_some();
        if first {
            parent.gas_limit.saturating_mul(DEFAULT_ELASTICITY_MULTIPLIER)
        } else {
            parent.gas_limit
        }
    }

    /// `excessBlobGas` of the block after `parent` with this timestamp; `None` before Cancun.
    ///
    /// Source: EIP-4844, with the schedule of EIP-7691 and, from Osaka on, the reserve price of EIP-7918.
    pub fn next_excess_blob_gas(&self, parent: &Header, timestamp: u64) -> Option<u64> {
        let params = self.blob_params_at(timestamp)?;
        let excess = parent.excess_blob_gas.unwrap_or(0);
        let used = parent.blob_gas_used.unwrap_or(0);
        Some(params.next_block_excess_blob_gas_osaka(excess, used, parent.base_fee_per_gas.unwrap_or(0)))
    }

    /// The header of block 0 over a state with this root.
    ///
    /// Fields that a fork brought are there when that fork holds at block 0, as geth does it. With validators, `mixHash` is
    /// the digest of [`ConsensusSpec::digest`].
    pub fn genesis_header(&self, state_root: B256) -> Header {
        let genesis = &self.genesis;
        let fork = self.fork_at(0, genesis.timestamp);
        let since = |first: Fork| fork >= first;
        let base_fee = genesis
            .base_fee_per_gas
            .and_then(|fee| u64::try_from(fee).ok())
            .unwrap_or(INITIAL_BASE_FEE);
        Header {
            parent_hash: B256::ZERO,
            ommers_hash: roots::EMPTY_OMMERS,
            beneficiary: genesis.coinbase,
            state_root,
            transactions_root: roots::EMPTY,
            receipts_root: roots::EMPTY,
            difficulty: genesis.difficulty,
            number: 0,
            gas_limit: genesis.gas_limit,
            timestamp: genesis.timestamp,
            extra_data: genesis.extra_data.clone(),
            mix_hash: self
                .consensus
                .as_ref()
                .map_or(genesis.mix_hash, ConsensusSpec::digest),
            nonce: B64::from(genesis.nonce),
            base_fee_per_gas: since(Fork::London).then_some(base_fee),
            withdrawals_root: since(Fork::Shanghai).then_some(roots::EMPTY),
            blob_gas_used: since(Fork::Cancun).then(|| genesis.blob_gas_used.unwrap_or(0)),
            excess_blob_gas: since(Fork::Cancun).then(|| genesis.excess_blob_gas.unwrap_or(0)),
            parent_beacon_block_root: since(Fork::Cancun).then_some(B256::ZERO),
            requests_hash: since(Fork::Prague).then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }
}

/// Where a fork begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Block(u64),
    /// Seconds since 1970.
    Time(u64),
}

/// The field is as it must be, or the fault with its path, what stands there and what would be right.
fn ensure<P: Into<String>>(
    holds: bool,
    fault: impl FnOnce() -> (P, String, &'static str),
) -> Result<(), GenesisError> {
    if holds {
        return Ok(());
    }
    let (path, found, wanted) = fault();
    Err(GenesisError::Field {
        path: path.into(),
        found,
        wanted: wanted.to_owned(),
    })
}

fn check_header(genesis: &Genesis, schedule: &Schedule) -> Result<(), GenesisError> {
    let refuse = |path: &str, found: String, wanted: &str| {
        Err(GenesisError::Field {
            path: path.to_owned(),
            found,
            wanted: wanted.to_owned(),
        })
    };
    if genesis.config.chain_id == 0 {
        return refuse(
            "config.chainId",
            "0".to_owned(),
            "above 0, so that signatures can name the chain (EIP-155)",
        );
    }
    if genesis.gas_limit < GAS_LIMIT_MIN {
        return refuse("gasLimit", genesis.gas_limit.to_string(), "at least 5000");
    }
    if genesis.number.unwrap_or(0) != 0 {
        return refuse(
            "number",
            genesis.number.unwrap_or(0).to_string(),
            "0: a chain begins with block 0",
        );
    }
    if genesis.parent_hash.is_some_and(|hash| !hash.is_zero()) {
        return refuse(
            "parentHash",
            format!("{:?}", genesis.parent_hash.unwrap_or_default()),
            "zero: nothing is before it",
        );
    }
    if genesis
        .base_fee_per_gas
        .is_some_and(|fee| u64::try_from(fee).is_err())
    {
        return refuse(
            "baseFeePerGas",
            format!("{:?}", genesis.base_fee_per_gas.unwrap_or(0)),
            "below 2^64 wei",
        );
    }
    // e^60 wei is above all money there is; beyond that the blob fee would leave its 128 bits.
    const EXCESS_MAX: u64 = 60 * 3_338_477;
    if genesis.excess_blob_gas.is_some_and(|excess| excess > EXCESS_MAX) {
        return refuse(
            "excessBlobGas",
            format!("{:?}", genesis.excess_blob_gas.unwrap_or(0)),
            "at most 200308620",
        );
    }
    if genesis.difficulty.is_zero() && schedule.fork_at(0, genesis.timestamp) < Fork::Paris {
        return refuse(
            "difficulty",
            "0".to_owned(),
            "above 0 while block 0 is before the merge, or terminalTotalDifficulty 0",
        );
    }
    Ok(())
}
