//! Every transaction of a run, computed from the seed: nothing is kept that a number can make again.

use super::contracts;
use super::mix::{Kind, Mix};
use super::options::{BenchOptions, Envelope};
use crate::Key;
use alloy_consensus::{TxEip1559, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};

/// Units of the token that each sender begins with; no run is long enough to use them up.
pub(crate) const GRANTED: u64 = 1_000_000_000_000;

/// Most wei, or units of the token, that one transaction moves.
const AMOUNT_MAX: u64 = 1000;

/// What all transactions have in common.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) mix: Mix,
    pub(crate) seed: u64,
    pub(crate) senders: u32,
    pub(crate) transactions: u32,
    pub(crate) envelope: Envelope,
    pub(crate) chain_id: u64,
    /// Wei per gas.
    pub(crate) fee_max: u128,
    pub(crate) tip: u128,
}

/// One transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    /// Numbers of senders.
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// How many of the sender's come before it.
    pub(crate) turn: u32,
    /// Wei, or units of the token; the value of a slot.
    pub(crate) amount: u64,
}

/// Where the contracts are, once they are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Contracts {
    pub(crate) token: Address,
    pub(crate) store: Address,
}

impl Plan {
    pub(crate) fn new(options: &BenchOptions, chain_id: u64, base_fee: u128) -> Self {
        Self {
            mix: options.mix.clone(),
            seed: options.seed,
            senders: options.senders,
            transactions: options.transactions,
            envelope: options.envelope,
            chain_id,
            fee_max: options.fee_over(base_fee),
            tip: options.tip,
        }
    }

    /// Senders take turns; kind, recipient and amount fall by the seed.
    pub(crate) fn get(&self, number: u32) -> Planned {
        let random = mixed(self.seed, number);
        let from = number % self.senders;
        // Anybody but the sender himself.
        let ahead = 1 + ((random >> 32) % u64::from(self.senders - 1)) as u32;
        Planned {
            kind: self.mix.pick(random & 0xffff),
            from,
            to: ((u64::from(from) + u64::from(ahead)) % u64::from(self.senders)) as u32,
            turn: number / self.senders,
            amount: 1 + ((random >> 16) & 0xffff) % AMOUNT_MAX,
        }
    }

    /// Wei that each sender has to own before the first transaction: what he sends, and the highest fees.
    pub(crate) fn needs(&self) -> Vec<u128> {
        let mut needs = vec![0_u128; self.senders as usize];
        for number in 0..self.transactions {
            let one = self.get(number);
            needs[one.from as usize] +=
                u128::from(one.kind.gas_limit()) * self.fee_max + u128::from(one.value());
        }
        needs
    }

    /// Appends the signed transaction as it goes over the wire; returns its hash.
    pub(crate) fn sign(
        &self,
        one: &Planned,
        nonce: u64,
        keys: &[Key],
        contracts: &Contracts,
        number: u32,
        out: &mut Vec<u8>,
    ) -> B256 {
        let recipient = keys[one.to as usize].address();
        let (to, input) = match one.kind {
            Kind::Transfers => (recipient, Vec::new()),
            Kind::Erc20 => (contracts.token, contracts::transfer(recipient, one.amount)),
            Kind::Storage => {
                let call = contracts::write(U256::from(number), U256::from(one.amount));
                (contracts.store, call)
            }
        };
        let (to, input) = (TxKind::Call(to), Bytes::from(input));
        let (gas_limit, value) = (one.kind.gas_limit(), U256::from(one.value()));
        let key = &keys[one.from as usize];
        match self.envelope {
            Envelope::Legacy => {
                let transaction = TxLegacy {
                    chain_id: Some(self.chain_id),
                    nonce,
                    gas_price: self.fee_max,
                    gas_limit,
                    to,
                    value,
                    input,
                };
                key.sign_legacy(&transaction, out)
            }
            Envelope::Dynamic => {
                let transaction = TxEip1559 {
                    chain_id: self.chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: self.fee_max,
                    max_priority_fee_per_gas: self.tip.min(self.fee_max),
                    to,
                    value,
                    access_list: Default::default(),
                    input,
                };
                key.sign_dynamic(&transaction, out)
            }
        }
    }
}

impl Planned {
    /// Wei that it moves.
    pub(crate) fn value(&self) -> u64 {
        match self.kind {
            Kind::Transfers => self.amount,
            Kind::Erc20 | Kind::Storage => 0,
        }
    }
}

/// A random number for each number of each seed.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014 (SplitMix64).
fn mixed(seed: u64, number: u32) -> u64 {
    let step = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut z = seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(step);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn plan(mix: &str, senders: u32, transactions: u32) -> Plan {
        Plan {
            mix: mix.parse().unwrap(),
            seed: 7,
            senders,
            transactions,
            envelope: Envelope::Dynamic,
            chain_id: 1337,
            fee_max: 10,
            tip: 1,
        }
    }

    #[test]
    fn senders_take_turns_and_pay_others() {
        let plan = plan("mixed", 3, 8);
        let all: Vec<Planned> = (0..8).map(|number| plan.get(number)).collect();
        let turns: Vec<(u32, u32)> = all.iter().map(|one| (one.from, one.turn)).collect();
        let expected = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2), (1, 2)];
        assert_eq!(turns, expected);
        assert!(all.iter().all(|one| one.from != one.to && one.to < 3));
        assert!(all.iter().all(|one| (1..=AMOUNT_MAX).contains(&one.amount)));
    }

    #[test]
    fn the_same_seed_is_the_same_run() {
        let run = |seed| {
            let plan = Plan {
                seed,
                ..plan("mixed", 5, 50)
            };
            (0..50).map(|number| plan.get(number)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn senders_need_what_they_send_and_the_highest_fees() {
        let plan = plan("transfers", 2, 3);
        let sent = |number| u128::from(plan.get(number).amount);
        let gas = 21_000 * 10;
        assert_eq!(plan.needs(), [2 * gas + sent(0) + sent(2), gas + sent(1)]);
        let storage = Plan {
            mix: Mix::only(Kind::Storage),
            ..plan
        };
        assert_eq!(storage.needs()[1], 500_000);
    }

    #[test]
    fn kinds_come_in_their_shares() {
        let plan = plan("mixed", 10, 10_000);
        let kinds = (0..10_000).map(|number| plan.get(number).kind);
        let count = kinds.filter(|kind| *kind == Kind::Transfers).count();
        assert!((4_700..5_300).contains(&count), "{count}");
    }
}
