//! Is everything as it has to be? Pure: facts in, problems out.
//!
//! Every receipt is there, good, and in the block that it names, at the place that it names; no transaction is twice in
//! the chain; blocks follow each other and keep their limits; every account has sent what it has, and owns to the wei
//! what the receipts leave it.

use super::facts::{BlockFacts, Facts, ReceiptFacts};
use super::mix::Kind;
use super::plan::{GRANTED, Plan};
use super::sign::Requests;
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, U256};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Problems of a kind that are told in full.
const EXAMPLES_MAX: usize = 5;

/// Something that is wrong, with how often, and the first few cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub what: &'static str,
    pub count: u64,
    pub examples: Vec<String>,
}

/// What the run knows by itself.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) requests: &'a Requests,
    pub(crate) senders: &'a [Address],
    /// Transactions that a server has accepted.
    pub(crate) promised: Vec<bool>,
    /// Before the first transaction.
    pub(crate) nonces: &'a [u64],
    pub(crate) balances: &'a [U256],
}

#[derive(Debug, Default)]
struct Problems(BTreeMap<&'static str, (u64, Vec<String>)>);

impl Problems {
    fn add(&mut self, what: &'static str, example: impl Display) {
        let (count, examples) = self.0.entry(what).or_default();
        *count += 1;
        if examples.len() < EXAMPLES_MAX {
            examples.push(example.to_string());
        }
    }

    fn equal<T: PartialEq + Display>(
        &mut self,
        what: &'static str,
        who: &dyn Display,
        found: &T,
        expected: &T,
    ) {
        if found != expected {
            self.add(what, format_args!("{who}: {found} instead of {expected}"));
        }
    }
}

/// All problems; none when the chain is right.
pub(crate) fn verify(expected: &Expected<'_>, facts: &Facts) -> Vec<Problem> {
    let mut problems = Problems::default();
    check_blocks(&facts.blocks, expected, &mut problems);
    check_receipts(expected, facts, &mut problems);
    check_gas(facts, expected, &mut problems);
    check_accounts(expected, facts, &mut problems);
    check_slots(expected, facts, &mut problems);
    let problem = |(what, (count, examples))| Problem {
        what,
        count,
        examples,
    };
    problems.0.into_iter().map(problem).collect()
}

/// Blocks follow each other, stay below their limits, and hold each transaction of ours once.
fn check_blocks(blocks: &[BlockFacts], expected: &Expected<'_>, problems: &mut Problems) {
    for pair in blocks.windows(2) {
        if pair[1].parent_hash != pair[0].hash {
            let number = pair[1].number;
            problems.add(
                "a block does not follow the one before",
                format_args!("block {number}"),
            );
        }
    }
    let mut places: B256Map<u64> = B256Map::default();
    for block in blocks {
        if block.gas_used > block.gas_limit {
            let (number, used, limit) = (block.number, block.gas_used, block.gas_limit);
            let example = format_args!("block {number}: {used} of {limit}");
            problems.add("a block used more gas than its limit", example);
        }
        let number: u64 = block.number.to();
        for hash in &block.transactions {
            if let Some(first) = places.insert(*hash, number)
                && expected.requests.number(hash).is_some()
            {
                let example = format_args!("{hash} in blocks {first} and {number}");
                problems.add("a transaction is twice in the chain", example);
            }
        }
    }
}

/// Each promise is kept, and each receipt is true.
fn check_receipts(expected: &Expected<'_>, facts: &Facts, problems: &mut Problems) {
    for (number, receipt) in (0..).zip(&facts.receipts) {
        let hash = expected.requests.hash(number);
        let Some(receipt) = receipt else {
            if expected.promised[number as usize] {
                problems.add("an accepted transaction has no receipt", hash);
            }
            continue;
        };
        if receipt.transaction_hash != hash {
            problems.add("a receipt is that of another transaction", hash);
        }
        if receipt.status.to::<u64>() != 1 {
            problems.add("a transaction failed", hash);
        }
        if !is_where_it_says(receipt, &facts.blocks) {
            let example = format_args!(
                "{hash} is not at {} of block {}",
                receipt.transaction_index, receipt.block_number
            );
            problems.add("a receipt names a place where its transaction is not", example);
        }
        let plan = expected.plan;
        let gas_limit = plan.get(number).kind.gas_limit();
        if receipt.gas_used.to::<u64>() > gas_limit || receipt.effective_gas_price.to::<u128>() > plan.fee_max
        {
            problems.add("a transaction cost more than it offered", hash);
        }
    }
}

fn is_where_it_says(receipt: &ReceiptFacts, blocks: &[BlockFacts]) -> bool {
    let first: u64 = blocks.first().map_or(0, |block| block.number.to());
    let at = receipt.block_number.to::<u64>().checked_sub(first);
    let block = at.and_then(|at| blocks.get(at as usize));
    let index: usize = receipt.transaction_index.to();
    block.is_some_and(|block| {
        block.hash == receipt.block_hash && block.transactions.get(index) == Some(&receipt.transaction_hash)
    })
}

/// A block that holds nothing but ours used as much gas as our receipts say.
fn check_gas(facts: &Facts, expected: &Expected<'_>, problems: &mut Problems) {
    let mut used: BTreeMap<u64, u64> = BTreeMap::new();
    for receipt in facts.receipts.iter().flatten() {
        *used.entry(receipt.block_number.to()).or_default() += receipt.gas_used.to::<u64>();
    }
    let ours = |block: &&BlockFacts| {
        let mut hashes = block.transactions.iter();
        hashes.all(|hash| expected.requests.number(hash).is_some())
    };
    for block in facts.blocks.iter().filter(ours) {
        let number: u64 = block.number.to();
        let receipts = used.get(&number).copied().unwrap_or(0);
        let who = format_args!("block {number}").to_string();
        let what = "a block's gas is not that of its receipts";
        problems.equal(what, &who, &block.gas_used.to::<u64>(), &receipts);
    }
}

/// What each account should have, by the receipts.
struct Owned {
    nonces: Vec<u64>,
    balances: Vec<U256>,
    tokens: Vec<u64>,
}

impl Owned {
    fn after(expected: &Expected<'_>, receipts: &[Option<ReceiptFacts>]) -> Self {
        let mut owned = Self {
            nonces: expected.nonces.to_vec(),
            balances: expected.balances.to_vec(),
            tokens: vec![GRANTED; expected.senders.len()],
        };
        for (number, receipt) in (0..).zip(receipts) {
            let Some(receipt) = receipt else { continue };
            let one = expected.plan.get(number);
            let (from, to) = (one.from as usize, one.to as usize);
            owned.nonces[from] += 1;
            // Sums may be below zero in between; U256 wraps and comes back.
            let pay = |balance: U256, wei: u128| balance.wrapping_sub(U256::from(wei));
            owned.balances[from] = pay(owned.balances[from], receipt.fee());
            if receipt.status.to::<u64>() != 1 {
                continue;
            }
            let value = u128::from(one.value());
            owned.balances[from] = pay(owned.balances[from], value);
            owned.balances[to] = owned.balances[to].wrapping_add(U256::from(value));
            if one.kind == Kind::Erc20 {
                owned.tokens[from] -= one.amount;
                owned.tokens[to] += one.amount;
            }
        }
        owned
    }
}

fn check_accounts(expected: &Expected<'_>, facts: &Facts, problems: &mut Problems) {
    let owned = Owned::after(expected, &facts.receipts);
    for (at, who) in expected.senders.iter().enumerate() {
        problems.equal(
            "a sender's nonce is wrong",
            who,
            &facts.nonces[at],
            &owned.nonces[at],
        );
        problems.equal(
            "a balance is wrong",
            who,
            &facts.balances[at],
            &owned.balances[at],
        );
        if let Some(found) = facts.tokens.get(at) {
            let token = U256::from(owned.tokens[at]);
            problems.equal("a balance of the token is wrong", who, found, &token);
        }
    }
}

fn check_slots(expected: &Expected<'_>, facts: &Facts, problems: &mut Problems) {
    for (number, found) in &facts.slots {
        let receipt = facts.receipts[*number as usize].as_ref();
        let written = receipt.is_some_and(|receipt| receipt.status.to::<u64>() == 1);
        let value = if written {
            expected.plan.get(*number).amount
        } else {
            0
        };
        let who = format_args!("slot {number}").to_string();
        problems.equal("a slot is wrong", &who, found, &U256::from(value));
    }
}

#[cfg(test)]
mod tests;
