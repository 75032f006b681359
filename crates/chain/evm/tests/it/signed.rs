//! Accounts that can sign, and the code that tests run.

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy, crypto::secp256k1};
use alloy_primitives::{Signature, bytes};
use purlin_chain_evm::{Attributes, Chain, Mode, StateSettings};
use purlin_chain_proto::{
    Address, B256, Bytes, ChainSpec, Recovered, SignerRecoverable, Transaction, TxKind, U256,
};

pub(crate) const CHAIN_ID: u64 = 1337;
pub(crate) const START: u64 = 1_700_000_000;
pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;

/// `sstore(calldata[0..32], calldata[32..64])`; with more than 65 octets of calldata it destroys itself instead.
const KEEPER: [u8; 18] = [
    0x36, 0x60, 0x41, 0x10, 0x60, 0x0f, 0x57, 0x60, 0x20, 0x35, 0x60, 0x00, 0x35, 0x55, 0x00, 0x5b, 0x33,
    0xff,
];

/// Puts calldata through CREATE2 with salt 0.
pub(crate) const FACTORY_CODE: Bytes = bytes!("366000600037600036600034f500");

/// Code that ends in a contract with the keeper's code, which differs by `salt`.
pub(crate) fn keeper_init(salt: u8) -> Bytes {
    // PUSH1 salt, POP, PUSH18 code, PUSH1 0, MSTORE, PUSH1 18, PUSH1 14, RETURN
    let mut init = vec![0x60, salt, 0x50, 0x71];
    init.extend_from_slice(&KEEPER);
    init.extend_from_slice(&[0x60, 0x00, 0x52, 0x60, 0x12, 0x60, 0x0e, 0xf3]);
    init.into()
}

/// Code that destroys the contract while it is being made.
pub(crate) const STILLBORN: Bytes = bytes!("33ff");

pub(crate) fn words(slot: u8, value: u8) -> Bytes {
    let mut input = [0; 64];
    (input[31], input[63]) = (slot, value);
    input.into()
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Signer {
    secret: B256,
    pub(crate) address: Address,
}

impl Signer {
    pub(crate) fn new(number: u64) -> Self {
        let secret = B256::from(U256::from(number + 1));
        let any = TxLegacy::default();
        let signature = secp256k1::sign_message(secret, any.signature_hash()).expect("a secret");
        let address = Transaction::from(any.into_signed(signature))
            .recover_signer()
            .expect("signed above");
        Self { secret, address }
    }

    fn signature(&self, hash: B256) -> Signature {
        secp256k1::sign_message(self.secret, hash).expect("a secret")
    }

    pub(crate) fn sign(&self, transaction: TxEip1559) -> Recovered {
        let signature = self.signature(transaction.signature_hash());
        Recovered::new_unchecked(transaction.into_signed(signature).into(), self.address)
    }

    pub(crate) fn call(&self, nonce: u64, to: TxKind, value: u128, input: Bytes) -> Recovered {
        self.sign(TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: 400_000,
            max_fee_per_gas: 10_000_000_000,
            max_priority_fee_per_gas: 1,
            to,
            value: U256::from(value),
            input,
            ..TxEip1559::default()
        })
    }

    pub(crate) fn transfer(&self, nonce: u64, to: Address, value: u128) -> Recovered {
        self.call(nonce, TxKind::Call(to), value, Bytes::new())
    }
}

pub(crate) fn signers(count: u64) -> Vec<Signer> {
    (0..count).map(Signer::new).collect()
}

pub(crate) fn funded(signers: &[Signer]) -> Vec<(Address, U256)> {
    signers
        .iter()
        .map(|signer| (signer.address, U256::from(1_000 * ETHER)))
        .collect()
}

pub(crate) fn development(signers: &[Signer]) -> ChainSpec {
    ChainSpec::development(CHAIN_ID, &funded(signers), START)
}

pub(crate) fn settings() -> StateSettings {
    StateSettings {
        mode: Mode::Archive,
        cache_bytes: 8 << 20,
    }
}

pub(crate) fn chain(spec: ChainSpec) -> Chain {
    Chain::create(None, spec, settings()).expect("a chain in memory")
}

/// The attributes of the block after the head.
pub(crate) fn next(chain: &Chain) -> Attributes {
    let head = chain.head();
    Attributes {
        timestamp: head.header.timestamp + 1,
        beneficiary: Address::repeat_byte(0xcc),
        prev_randao: B256::repeat_byte(7),
        gas_limit: head.header.gas_limit,
        ..Attributes::default()
    }
}
