//! The pool against a model that is a plain list, over any order of arrivals, replacements, blocks and changes.
//!
//! The model knows the rules and nothing of indexes: it looks through its whole list for every question.

use super::forge::{Draft, GWEI, draft, head, who};
use crate::Recovered;
use crate::pool::{AccountState, Head, NewBlock, Origin, Pool, Refusal, Settings};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, U256};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const SLOTS: usize = 12;
const SENDER_SLOTS: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    Insert {
        sender: u8,
        ahead: u64,
        fee_cap: u128,
        tip: u128,
    },
    /// The next block takes so many of the best, and has this base fee in gwei.
    Block {
        takes: usize,
        base_fee: u64,
    },
    /// An account gets a balance of so many transfers of 10 gwei.
    Balance {
        sender: u8,
        transfers: u128,
    },
    /// An account's code is delegated, or its own again.
    Delegate {
        sender: u8,
        delegated: bool,
    },
    /// Another transaction uses so many nonces.
    Elsewhere {
        sender: u8,
        nonces: u64,
    },
    Refused {
        nth: prop::sample::Index,
    },
    Wait {
        minutes: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let sender = 1..5_u8;
    prop_oneof![
        12 => (sender.clone(), 0..7_u64, 1..12_u128, 0..4_u128).prop_map(|(sender, ahead, fee_cap, tip)| {
            Step::Insert { sender, ahead, fee_cap, tip: tip.min(fee_cap) }
        }),
        2 => (0..5_usize, 0..8_u64).prop_map(|(takes, base_fee)| Step::Block { takes, base_fee }),
        2 => (sender.clone(), 0..9_u128).prop_map(|(sender, transfers)| Step::Balance { sender, transfers }),
        1 => (sender.clone(), any::<bool>())
            .prop_map(|(sender, delegated)| Step::Delegate { sender, delegated }),
        1 => (sender, 1..3_u64).prop_map(|(sender, nonces)| Step::Elsewhere { sender, nonces }),
        1 => any::<prop::sample::Index>().prop_map(|nth| Step::Refused { nth }),
        1 => (1..90_u64).prop_map(|minutes| Step::Wait { minutes }),
    ]
}

/// Whether there is room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Free,
    Of(B256),
    None,
}

/// The list, and the accounts of the chain.
struct Model {
    list: Vec<(Recovered, Duration)>,
    accounts: BTreeMap<Address, AccountState>,
}

fn cost(one: &Recovered) -> U256 {
    U256::from(one.gas_limit()) * U256::from(one.max_fee_per_gas()) + one.value()
}

impl Model {
    fn account(&self, address: &Address) -> AccountState {
        self.accounts[address]
    }

    fn find(&self, address: &Address, nonce: u64) -> Option<&Recovered> {
        self.list
            .iter()
            .map(|(one, _)| one)
            .find(|one| one.signer() == *address && one.nonce() == nonce)
    }

    fn next(&self, address: &Address) -> u64 {
        let AccountState {
            mut nonce,
            mut balance,
            delegated,
        } = self.account(address);
        if delegated {
            let first = self.find(address, nonce).filter(|one| cost(one) <= balance);
            return nonce + u64::from(first.is_some());
        }
        while let Some(one) = self.find(address, nonce).filter(|one| cost(one) <= balance) {
            balance -= cost(one);
            nonce += 1;
        }
        nonce
    }

    fn is_pending(&self, one: &Recovered) -> bool {
        one.nonce() < self.next(&one.signer())
    }

    /// What an insertion must answer, as far as it does not depend on who is evicted.
    fn verdict(&self, new: &Recovered) -> Result<(), Option<Refusal>> {
        let (address, nonce) = (new.signer(), new.nonce());
        let account = self.account(&address);
        let mine = self
            .list
            .iter()
            .filter(|(one, _)| one.signer() == address)
            .count();
        let next = self.next(&address);
        let spent: U256 = (account.nonce..next)
            .filter_map(|n| self.find(&address, n))
            .map(cost)
            .sum();
        let old = self.find(&address, nonce);
        let known = self.list.iter().any(|(one, _)| one.tx_hash() == new.tx_hash());
        let freed = old.filter(|_| nonce < next).map_or(U256::ZERO, cost);
        if known {
            return Err(Some(Refusal::AlreadyKnown));
        }
        if nonce < account.nonce {
            return Err(Some(Refusal::NonceTooLow {
                next: account.nonce,
                nonce,
            }));
        }
        if spent - freed + cost(new) > account.balance {
            return Err(None);
        }
        if account.delegated && old.is_none_or(|_| nonce >= next) {
            if next > account.nonce {
                return Err(Some(Refusal::DelegatedLimit));
            }
            if nonce != next {
                return Err(Some(Refusal::DelegatedGap { next, nonce }));
            }
        }
        let bumped = |new: u128, old: u128| new * 100 >= old * 110 && new > old;
        if let Some(old) = old
            && !(bumped(new.max_fee_per_gas(), old.max_fee_per_gas())
                && bumped(new.priority_fee_or_price(), old.priority_fee_or_price()))
        {
            return Err(None);
        }
        if old.is_none() && mine >= SENDER_SLOTS {
            return Err(Some(Refusal::AccountLimit { pooled: mine }));
        }
        Ok(())
    }

    /// Who must go for `new`: the least worth among those that may be displaced, the latest among equals.
    fn room(&self, new: &Recovered, base_fee: u64) -> Room {
        if self.list.len() < SLOTS || self.find(&new.signer(), new.nonce()).is_some() {
            return Room::Free;
        }
        let executable = new.nonce() <= self.next(&new.signer());
        let price = |one: &Recovered| {
            let (tip, fee_cap) = (one.effective_tip_per_gas(base_fee), one.max_fee_per_gas());
            (
                tip.is_some(),
                tip.unwrap_or(fee_cap),
                fee_cap,
                one.priority_fee_or_price(),
            )
        };
        let others = self.list.iter().map(|(one, _)| one).enumerate();
        let others = others.filter(|(_, one)| one.signer() != new.signer() || one.nonce() > new.nonce());
        let order =
            |(at, one): &(usize, &Recovered)| (self.is_pending(one), price(one), std::cmp::Reverse(*at));
        let Some((_, least)) = others.min_by_key(order) else {
            return Room::None;
        };
        let displaced = match (executable, self.is_pending(least)) {
            (true, false) => true,
            (false, true) => false,
            _ => price(least) < price(new),
        };
        if displaced {
            Room::Of(*least.tx_hash())
        } else {
            Room::None
        }
    }

    fn remove(&mut self, hash: &B256) {
        self.list.retain(|(one, _)| one.tx_hash() != hash);
    }

    fn settle(&mut self, address: Address, state: AccountState) {
        self.accounts.insert(address, state);
        self.list.retain(|(one, _)| {
            one.signer() != address || (one.nonce() >= state.nonce && cost(one) <= state.balance)
        });
    }

    fn expire(&mut self, now: Duration, lifetime: Duration) {
        let old = |one: &Recovered, added: Duration| !self.is_pending(one) && added + lifetime <= now;
        let gone: Vec<B256> = self
            .list
            .iter()
            .filter(|(one, added)| old(one, *added))
            .map(|(one, _)| *one.tx_hash())
            .collect();
        gone.iter().for_each(|hash| self.remove(hash));
    }
}

struct Run {
    pool: Pool,
    model: Model,
    head: Head,
    now: Duration,
}

impl Run {
    fn new() -> Self {
        let settings = Settings {
            slots_max: SLOTS,
            sender_slots_max: SENDER_SLOTS,
            sender_queued_slots_max: SENDER_SLOTS,
            ..Settings::default()
        };
        let account = AccountState {
            nonce: 0,
            balance: transfers(5),
            delegated: false,
        };
        Self {
            pool: Pool::new(settings, head()),
            model: Model {
                list: Vec::new(),
                accounts: (1..5).map(|n| (who(n), account)).collect(),
            },
            head: head(),
            now: Duration::ZERO,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Insert {
                sender,
                ahead,
                fee_cap,
                tip,
            } => {
                let nonce = (self.model.account(&who(*sender)).nonce + ahead).saturating_sub(1);
                let draft = Draft {
                    fee_cap: fee_cap * GWEI,
                    tip: tip * GWEI,
                    ..draft(*sender, nonce)
                };
                self.insert(draft.sign());
            }
            Step::Block { takes, base_fee } => self.block(*takes, base_fee * 1_000_000_000),
            Step::Balance {
                sender,
                transfers: count,
            } => {
                let state = AccountState {
                    balance: transfers(*count),
                    ..self.model.account(&who(*sender))
                };
                self.account(who(*sender), state);
            }
            Step::Delegate { sender, delegated } => {
                let state = AccountState {
                    delegated: *delegated,
                    ..self.model.account(&who(*sender))
                };
                self.account(who(*sender), state);
            }
            Step::Elsewhere { sender, nonces } => {
                let before = self.model.account(&who(*sender));
                let state = AccountState {
                    nonce: before.nonce + nonces,
                    ..before
                };
                self.account(who(*sender), state);
            }
            Step::Refused { nth } if !self.model.list.is_empty() => {
                let hash = *self.model.list[nth.index(self.model.list.len())].0.tx_hash();
                self.pool.refused(&hash, "said");
                self.model.remove(&hash);
            }
            Step::Refused { .. } => {}
            Step::Wait { minutes } => {
                self.now += Duration::from_secs(minutes * 60);
                self.pool.expire(self.now);
                self.model.expire(self.now, self.pool.settings().queued_lifetime);
            }
        }
    }

    fn insert(&mut self, new: Recovered) {
        let verdict = self.model.verdict(&new);
        let state = self.model.account(&new.signer());
        let room = self.model.room(&new, self.head.base_fee);
        match self.pool.insert(self.now, new.clone(), state, Origin::External) {
            Ok(inserted) => {
                assert_eq!(verdict, Ok(()), "accepted against the rules: {new:?}");
                let mut left: Vec<B256> = inserted
                    .events
                    .iter()
                    .map(|event| event.transaction().hash())
                    .collect();
                left.retain(|hash| self.pool.get(hash).is_none());
                let expected = match room {
                    Room::Free => self
                        .model
                        .find(&new.signer(), new.nonce())
                        .map(|old| *old.tx_hash()),
                    Room::Of(victim) => Some(victim),
                    Room::None => panic!("there was no room for {new:?}"),
                };
                assert!(
                    left.iter().eq(&expected),
                    "{left:?} left, and {expected:?} should"
                );
                left.iter().for_each(|hash| self.model.remove(hash));
                self.model.list.push((new, self.now));
            }
            Err(Refusal::Underpriced | Refusal::Full) => {
                assert_eq!(
                    (verdict, room),
                    (Ok(()), Room::None),
                    "there was room for {new:?}"
                );
            }
            Err(refusal) => match verdict {
                Err(Some(expected)) => assert_eq!(refusal, expected),
                Err(None) => {}
                Ok(()) => panic!("refused for nothing: {refusal}, {new:?}"),
            },
        }
    }

    fn account(&mut self, address: Address, state: AccountState) {
        self.model.settle(address, state);
        self.pool.on_account(&address, state);
    }

    fn block(&mut self, takes: usize, base_fee: u64) {
        let taken: Vec<Recovered> = self
            .pool
            .best(self.head.base_fee, 0)
            .take(takes)
            .map(|one| one.transaction().clone())
            .collect();
        let mut accounts = BTreeMap::new();
        for one in &taken {
            let before = self.model.account(&one.signer());
            assert_eq!(before.nonce, one.nonce(), "taken before its predecessor");
            let state = AccountState {
                nonce: before.nonce + 1,
                balance: before.balance - cost(one),
                ..before
            };
            self.model.settle(one.signer(), state);
            accounts.insert(one.signer(), state);
        }
        let mined: Vec<B256> = taken.iter().map(|one| *one.tx_hash()).collect();
        let accounts: Vec<_> = accounts.into_iter().collect();
        self.head.base_fee = base_fee;
        let block = NewBlock {
            head: self.head,
            mined: &mined,
            accounts: &accounts,
        };
        let events = self.pool.on_block(self.now, &block);
        let mined_events = events
            .iter()
            .filter(|event| matches!(event, crate::pool::Event::Mined { .. }));
        assert_eq!(mined_events.count(), mined.len());
        self.model.expire(self.now, self.pool.settings().queued_lifetime);
    }

    /// The pool and the list hold the same, in the same halves, and `best` keeps to price and nonces.
    fn compare(&self) {
        self.pool.audit();
        let content = self.pool.content();
        let flat =
            |half: &BTreeMap<Address, BTreeMap<u64, std::sync::Arc<crate::pool::Pooled>>>| -> Vec<B256> {
                let mut hashes: Vec<_> = half
                    .values()
                    .flat_map(|by| by.values().map(|one| one.hash()))
                    .collect();
                hashes.sort_unstable();
                hashes
            };
        let model = |pending: bool| -> Vec<B256> {
            let half = self
                .model
                .list
                .iter()
                .filter(|(one, _)| self.model.is_pending(one) == pending);
            let mut hashes: Vec<_> = half.map(|(one, _)| *one.tx_hash()).collect();
            hashes.sort_unstable();
            hashes
        };
        assert_eq!(flat(&content.pending), model(true));
        assert_eq!(flat(&content.queued), model(false));
        self.compare_best();
    }

    fn compare_best(&self) {
        let base_fee = self.head.base_fee;
        let mut nonces: BTreeMap<Address, u64> = self
            .model
            .accounts
            .iter()
            .map(|(who, state)| (*who, state.nonce))
            .collect();
        for one in self.pool.best(base_fee, 0) {
            let tip = one.effective_tip(base_fee).expect("covers the base fee");
            let heads = nonces
                .iter()
                .filter_map(|(who, nonce)| self.model.find(who, *nonce));
            let heads = heads.filter(|head| self.model.is_pending(head));
            let most = heads
                .filter_map(|head| head.effective_tip_per_gas(base_fee))
                .max();
            assert_eq!(Some(tip), most, "somebody paid more");
            let nonce = nonces.get_mut(&one.sender()).expect("an account");
            assert_eq!(*nonce, one.nonce(), "given before its predecessor");
            *nonce += 1;
        }
        let mut heads = nonces
            .iter()
            .filter_map(|(who, nonce)| self.model.find(who, *nonce));
        assert!(
            heads.all(|head| !self.model.is_pending(head) || head.max_fee_per_gas() < u128::from(base_fee))
        );
    }
}

fn transfers(count: u128) -> U256 {
    U256::from(super::forge::COST * count)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_pool_does_what_a_plain_list_does(steps in proptest::collection::vec(step(), 0..80)) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
            run.compare();
        }
    }

    #[test]
    fn locals_first_keeps_every_promise_too(
        arrivals in proptest::collection::vec((1..5_u8, 0..6_u64, 3..12_u128, any::<bool>()), 0..60),
    ) {
        let settings = Settings { slots_max: 5, locals_first: true, ..Settings::default() };
        let mut pool = Pool::new(settings, head());
        for (sender, nonce, fee, local) in arrivals {
            let origin = if local { Origin::Local } else { Origin::External };
            let one = Draft { fee_cap: fee * GWEI, tip: fee * GWEI, ..draft(sender, nonce) };
            let locals = |pool: &Pool| pool.content().pending.values().chain(pool.content().queued.values())
                .flat_map(|by| by.values()).filter(|one| one.origin() == Origin::Local).count();
            let before = locals(&pool);
            let result = pool.insert(Duration::ZERO, one.sign(), super::forge::rich(0), origin);
            pool.audit();
            let replaced = result.is_ok_and(|inserted| inserted.replaced.is_some());
            prop_assert!(local || replaced || locals(&pool) >= before, "a stranger pushed a local one out");
        }
    }
}
