//! The chain as the methods read it: the one file that knows the names of the crates below, and their errors.

use crate::exec::{Moved, Scene};
use crate::fault::Fault;
use alloy_consensus::{Eip658Value, TxReceipt as _};
use purlin_chain_evm::{
    AccountProof, Attributes, Chain, Head, ProduceError, State, StateError, StoreError, View, ViewError,
};
use purlin_chain_proto::{Activation, Address, B256, Bloom, ChainSpec, Header, Log, Receipt, Recovered};
use std::sync::Arc;
use std::time::Instant;

pub(crate) use purlin_chain_evm::execute::{block_env, cfg_env, tx_env};
pub(crate) use purlin_chain_evm::{Account, Changes, Draft, NewHead, StateRead, Stored};

/// State under changes that are thrown away.
pub(crate) use purlin_chain_evm::chain::ViewDatabase as SceneDb;

/// Reads of the chain, with errors as JSON-RPC tells them.
#[derive(Debug, Clone)]
pub(crate) struct Source(pub(crate) Chain);

impl Source {
    pub(crate) fn spec(&self) -> &ChainSpec {
        self.0.spec()
    }

    pub(crate) fn head(&self) -> Arc<Head> {
        self.0.store().head()
    }

    /// The oldest block whose state, body and receipts are kept.
    pub(crate) fn oldest(&self) -> u64 {
        self.0.store().oldest()
    }

    pub(crate) fn header(&self, number: u64) -> Result<Option<Head>, Fault> {
        self.0.store().header(number).map_err(store)
    }

    pub(crate) fn number_of(&self, hash: B256) -> Result<Option<u64>, Fault> {
        self.0.store().number_of(hash).map_err(store)
    }

    pub(crate) fn block(&self, number: u64) -> Result<Option<Arc<Stored>>, Fault> {
        self.0.store().block(number).map_err(store)
    }

    pub(crate) fn receipts(&self, number: u64) -> Result<Arc<Vec<Receipt>>, Fault> {
        Ok(self
            .0
            .store()
            .receipts(number)
            .map_err(store)?
            .unwrap_or_default())
    }

    /// The block and the place in it.
    pub(crate) fn transaction(&self, hash: B256) -> Result<Option<(u64, usize)>, Fault> {
        self.0.store().transaction(hash).map_err(store)
    }

    pub(crate) fn state(&self, number: u64) -> Result<State, Fault> {
        self.0.store().state_at(number).map_err(store)
    }

    pub(crate) fn latest(&self) -> Result<State, Fault> {
        self.0.store().latest().map_err(store)
    }

    pub(crate) fn proof(&self, number: u64, address: Address, slots: &[B256]) -> Result<AccountProof, Fault> {
        self.0.store().proof(number, address, slots).map_err(store)
    }

    /// The surroundings of a block and the state after it: where calls run.
    pub(crate) fn scene(&self, number: u64, until: Instant) -> Result<Scene, Fault> {
        Ok(scene(self.0.view(number).map_err(view)?, until))
    }

    /// The block that these transactions would make after block `parent`; `None` where none can be made here, before the
    /// merge.
    pub(crate) fn draft(
        &self,
        parent: u64,
        attributes: Attributes,
        transactions: impl Iterator<Item = Recovered>,
    ) -> Result<Option<Draft>, Fault> {
        match self.0.draft(parent, attributes, transactions) {
            Ok(draft) => Ok(Some(draft)),
            Err(ProduceError::BeforeMerge { .. }) => Ok(None),
            Err(ProduceError::Store(error)) => Err(store(error)),
            Err(ProduceError::Execute(error)) => Err(Fault::internal(error)),
            Err(error) => Err(Fault::server(error.to_string())),
        }
    }

    /// The surroundings of a block that is not there yet, and the state after it.
    pub(crate) fn scene_after(&self, draft: &Draft, until: Instant) -> Scene {
        let header = draft.stored.block.header.clone();
        scene(self.0.in_environment(header, Arc::clone(&draft.state)), until)
    }

    /// The surroundings of a block and the state before transaction `up_to` of it: where traces run.
    pub(crate) fn replay(&self, stored: &Stored, up_to: usize, until: Instant) -> Result<Scene, Fault> {
        let number = stored.block.header.number;
        if number == 0 {
            return Err(Fault::server("genesis is not traceable"));
        }
        Ok(scene(self.0.replay(number, up_to).map_err(view)?, until))
    }

    /// The root of a block's state after these changes.
    pub(crate) fn root_at(&self, number: u64, changes: &Changes) -> Result<B256, Fault> {
        self.0.store().root_at(number, changes).map_err(store)
    }

    /// What a unit of blob gas costs in a block.
    pub(crate) fn blob_price(&self, header: &Header) -> Option<u128> {
        let params = self.spec().blob_params_at(header.timestamp)?;
        Some(params.calc_blob_fee(header.excess_blob_gas?))
    }

    /// EIP-6122: the checksum of the genesis hash and of every fork up to a time.
    pub(crate) fn fork_id(&self, time: u64) -> String {
        let genesis = self.header(0).ok().flatten();
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(
            genesis
                .as_ref()
                .map(|head| head.hash)
                .unwrap_or_default()
                .as_slice(),
        );
        let begun = genesis.map_or(0, |head| head.header.timestamp);
        let mut last = 0;
        for (_, activation) in self.spec().forks() {
            let at = match activation {
                Activation::Block(number) => number,
                Activation::Time(at) if at <= time && at > begun => at,
                Activation::Time(_) => continue,
            };
            // Forks of the genesis do not count, and those that come together count once.
            if at != 0 && at != last {
                checksum.update(&at.to_be_bytes());
                last = at;
            }
        }
        format!("{:#010x}", checksum.finalize())
    }
}

fn scene(view: View, until: Instant) -> Scene {
    Scene {
        block: view.block_env,
        cfg: view.cfg_env,
        db: view.db,
        moved: Moved::default(),
        until,
    }
}

fn view(error: ViewError) -> Fault {
    match error {
        ViewError::Store(error) => store(error),
        other => Fault::internal(other),
    }
}

/// What a store's error is to a client. What is outside the window is told in the words of geth.
pub(crate) fn store(error: StoreError) -> Fault {
    match error {
        StoreError::Pruned { .. } => Fault::server(error.to_string()),
        StoreError::Ahead { .. } => Fault::header_not_found(),
        other => Fault::internal(other),
    }
}

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::internal(error)
    }
}

/// A receipt's fields, whatever its type.
#[derive(Debug)]
pub(crate) struct ReceiptFacts<'a> {
    pub status: Option<bool>,
    pub root: Option<B256>,
    pub cumulative_gas_used: u64,
    pub logs: &'a [Log],
    pub bloom: Bloom,
}

pub(crate) fn receipt_facts(receipt: &Receipt) -> ReceiptFacts<'_> {
    let (status, root) = match receipt.status_or_post_state() {
        Eip658Value::Eip658(ok) => (Some(ok), None),
        Eip658Value::PostState(root) => (None, Some(root)),
    };
    ReceiptFacts {
        status,
        root,
        cumulative_gas_used: receipt.cumulative_gas_used(),
        logs: receipt.logs(),
        bloom: *receipt.logs_bloom(),
    }
}
