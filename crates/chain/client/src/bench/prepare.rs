//! Before the clock runs: contracts deployed, tokens granted, senders paid; all by one account.

use super::accounts;
use super::contracts;
use super::facts::ReceiptFacts;
use super::mix::Kind;
use super::plan::{Contracts, GRANTED, Plan};
use super::session::BenchError;
use crate::Key;
use crate::rpc::{Rpc, RpcError};
use alloy_consensus::TxLegacy;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// Accounts of one payment or grant: 10 million gas, below what one transaction may use (EIP-7825) and far below a block.
const ACCOUNTS_AT_ONCE: usize = 250;
/// Gas of a transaction without its accounts, and for each of them.
const GAS_BASE: u64 = 150_000;
const GAS_EACH: u64 = 45_000;
/// Gas that deploys one of the contracts.
const GAS_DEPLOY: u64 = 300_000;
/// Transactions of the payer that wait for a block at the same time.
const WAVE: usize = 64;
const POLL: Duration = Duration::from_millis(50);

/// What was made.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) contracts: Contracts,
    pub(crate) transactions: u64,
    pub(crate) gas: u64,
}

/// One of the payer's transactions.
struct Step {
    to: TxKind,
    value: U256,
    gas_limit: u64,
    input: Vec<u8>,
}

/// Makes whatever the plan needs and the chain does not have yet, and waits until it is in blocks.
pub(crate) async fn prepare(
    rpc: &mut Rpc,
    plan: &Plan,
    funder: &Key,
    senders: &[Address],
    told: &mut dyn FnMut(u64, u64) -> Result<(), BenchError>,
) -> Result<Prepared, BenchError> {
    let asked = |cause| BenchError::server("asking for the senders' accounts", cause);
    let balances = accounts::balances(rpc, senders).await.map_err(asked)?;
    let nonce = accounts::nonces(rpc, &[funder.address()], "pending")
        .await
        .map_err(asked)?[0];
    let (contracts, steps) = steps(plan, funder.address(), nonce, senders, &balances);
    let owns = accounts::balances(rpc, &[funder.address()])
        .await
        .map_err(asked)?[0];
    let costs = steps
        .iter()
        .fold(U256::ZERO, |sum, step| sum + step.costs(plan.fee_max));
    if owns < costs {
        let funder = funder.address();
        return Err(BenchError::Poor { funder, owns, costs });
    }
    let mut prepared = Prepared {
        contracts,
        ..Prepared::default()
    };
    let all = steps.len() as u64;
    let mut nonce = nonce;
    for wave in steps.chunks(WAVE) {
        let mut hashes = Vec::with_capacity(wave.len());
        for step in wave {
            hashes.push(send(rpc, plan, funder, nonce, step).await?);
            nonce += 1;
        }
        for hash in hashes {
            told(prepared.transactions, all)?;
            prepared.gas += settled(rpc, hash, &mut || told(prepared.transactions, all)).await?;
            prepared.transactions += 1;
        }
    }
    Ok(prepared)
}

/// In the order of their nonces: contracts first, so that their addresses are known.
fn steps(
    plan: &Plan,
    funder: Address,
    nonce: u64,
    senders: &[Address],
    balances: &[U256],
) -> (Contracts, Vec<Step>) {
    let mut contracts = Contracts::default();
    let mut steps = Vec::new();
    if plan.mix.has(Kind::Erc20) {
        contracts.token = funder.create(nonce + steps.len() as u64);
        steps.push(Step::deploy(contracts::token()));
    }
    if plan.mix.has(Kind::Storage) {
        contracts.store = funder.create(nonce + steps.len() as u64);
        steps.push(Step::deploy(contracts::storage()));
    }
    if plan.mix.has(Kind::Erc20) {
        let granted = senders
            .chunks(ACCOUNTS_AT_ONCE)
            .map(|some| Step::grant(contracts.token, some));
        steps.extend(granted);
    }
    let short: Vec<(Address, u128)> = (plan.needs().iter().zip(balances).zip(senders))
        .filter_map(|((needs, owns), sender)| Some((*sender, missing(*needs, *owns)?)))
        .collect();
    steps.extend(short.chunks(ACCOUNTS_AT_ONCE).map(Step::payments));
    (contracts, steps)
}

/// Wei that an account needs on top of what it owns.
fn missing(needs: u128, owns: U256) -> Option<u128> {
    let missing = U256::from(needs).checked_sub(owns)?.saturating_to::<u128>();
    (missing > 0).then_some(missing)
}

impl Step {
    fn deploy(input: Vec<u8>) -> Self {
        Self {
            to: TxKind::Create,
            value: U256::ZERO,
            gas_limit: GAS_DEPLOY,
            input,
        }
    }

    fn grant(token: Address, senders: &[Address]) -> Self {
        Self {
            to: TxKind::Call(token),
            value: U256::ZERO,
            gas_limit: GAS_BASE + GAS_EACH * senders.len() as u64,
            input: contracts::grant(GRANTED, senders),
        }
    }

    fn payments(to: &[(Address, u128)]) -> Self {
        Self {
            to: TxKind::Create,
            value: to.iter().map(|(_, value)| U256::from(*value)).sum(),
            gas_limit: GAS_BASE + GAS_EACH * to.len() as u64,
            input: contracts::payments(to),
        }
    }

    /// Wei that the payer needs for it at most.
    fn costs(&self, fee_max: u128) -> U256 {
        self.value + U256::from(self.gas_limit) * U256::from(fee_max)
    }
}

async fn send(rpc: &mut Rpc, plan: &Plan, funder: &Key, nonce: u64, step: &Step) -> Result<B256, BenchError> {
    let transaction = TxLegacy {
        chain_id: Some(plan.chain_id),
        nonce,
        gas_price: plan.fee_max,
        gas_limit: step.gas_limit,
        to: step.to,
        value: step.value,
        input: Bytes::copy_from_slice(&step.input),
    };
    let mut raw = Vec::new();
    let hash = funder.sign_legacy(&transaction, &mut raw);
    let sent: Result<B256, RpcError> = rpc
        .call("eth_sendRawTransaction", &json!([hex::encode_prefixed(raw)]))
        .await;
    sent.map_err(|cause| BenchError::server("preparing the senders", cause))?;
    Ok(hash)
}

/// Waits until a transaction is in a block; returns the gas it used. `told` ends the wait when the time is up.
async fn settled(
    rpc: &mut Rpc,
    hash: B256,
    told: &mut dyn FnMut() -> Result<(), BenchError>,
) -> Result<u64, BenchError> {
    loop {
        let receipt: Option<ReceiptFacts> = rpc
            .call("eth_getTransactionReceipt", &json!([hash]))
            .await
            .map_err(|cause| BenchError::server("waiting for the senders' ether", cause))?;
        match receipt {
            Some(receipt) if receipt.status.to::<u64>() == 1 => return Ok(receipt.gas_used.to()),
            Some(_) => return Err(BenchError::Preparation(hash)),
            None => told()?,
        }
        sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::plan;
    use super::*;

    fn addresses(count: u32) -> Vec<Address> {
        (0..count)
            .map(|n| Address::from_word(U256::from(n + 1).into()))
            .collect()
    }

    #[test]
    fn only_what_is_missing_is_paid() {
        let plan = plan("transfers", 2, 2);
        let needs = plan.needs();
        let senders = addresses(2);
        let owned = [U256::from(needs[0]), U256::from(needs[1] - 5)];
        let (_, steps) = steps(&plan, Address::ZERO, 0, &senders, &owned);
        assert_eq!(steps.len(), 1);
        assert_eq!(steps[0].value, U256::from(5));
        assert_eq!(missing(7, U256::MAX), None);
    }

    #[test]
    fn contracts_come_first_and_payments_stay_small() {
        let plan = plan("mixed", 600, 600);
        let senders = addresses(600);
        let owned = vec![U256::ZERO; 600];
        let funder = Address::repeat_byte(9);
        let (contracts, steps) = steps(&plan, funder, 4, &senders, &owned);
        assert_eq!(contracts.token, funder.create(4));
        assert_eq!(contracts.store, funder.create(5));
        // Two contracts, three grants, three payments.
        assert_eq!(steps.len(), 8);
        // EIP-7825 and EIP-3860.
        assert!(
            steps
                .iter()
                .all(|step| step.gas_limit < 1 << 24 && step.input.len() < 49_152)
        );
        let paid: U256 = steps.iter().map(|step| step.value).sum();
        assert_eq!(paid, U256::from(plan.needs().iter().sum::<u128>()));
    }
}
