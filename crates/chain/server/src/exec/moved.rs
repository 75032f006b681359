//! Precompiled contracts under state overrides: one may be moved to another address, or covered by code.

use purlin_chain_proto::Address;
use revm::context::Cfg;
use revm::context::ContextTr;
use revm::handler::{EthPrecompiles, PrecompileProvider};
use revm::interpreter::{CallInputs, InterpreterResult};
use revm::primitives::AddressSet;
use revm::primitives::hardfork::SpecId;
use std::collections::{BTreeMap, BTreeSet};

/// Which precompiled contracts are not where they belong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moved {
    /// Addresses whose precompiled contract is gone.
    pub covered: BTreeSet<Address>,
    /// New address to the old one.
    pub to: BTreeMap<Address, Address>,
}

impl Moved {
    pub(super) fn precompiles(&self, spec: SpecId) -> MovedPrecompiles {
        MovedPrecompiles {
            original: EthPrecompiles::new(spec),
            moved: self.clone(),
        }
    }

    /// Whether an address holds a precompiled contract under these rules.
    pub(crate) fn is_precompile(spec: SpecId, address: &Address) -> bool {
        EthPrecompiles::new(spec).contains(address)
    }
}

/// The rules' precompiled contracts, seen through the moves.
#[derive(Debug, Clone)]
pub(crate) struct MovedPrecompiles {
    original: EthPrecompiles,
    moved: Moved,
}

impl<C: ContextTr> PrecompileProvider<C> for MovedPrecompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, _: <C::Cfg as Cfg>::Spec) -> bool {
        // Made for the rules of one block; the addresses still have to be told to the journal once.
        true
    }

    fn run(&mut self, context: &mut C, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        if let Some(original) = self.moved.to.get(&inputs.bytecode_address) {
            let mut inputs = inputs.clone();
            inputs.bytecode_address = *original;
            return self.original.run(context, &inputs);
        }
        if self.moved.covered.contains(&inputs.bytecode_address) {
            return Ok(None);
        }
        self.original.run(context, inputs)
    }

    /// Those of the rules, wherever the contracts are now: a move changes no price (as in geth).
    fn warm_addresses(&self) -> &AddressSet {
        self.original.warm_addresses()
    }
}
