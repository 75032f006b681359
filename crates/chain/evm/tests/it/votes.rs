//! Random votes: what the contract makes of them is what a plain model of it says.

use crate::governed::Governed;
use proptest::prelude::*;
use purlin_chain_core::{
    constitution::{Constitution, Constitutions, DELAY, GAS_LIMIT, PERIOD_MS, Vote},
    quorum::Policy,
};
use purlin_chain_proto::{Address, Bytes};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const ACCOUNTS: u64 = 6;

/// The obvious way: votes by their octets, in maps.
struct Model {
    versions: Constitutions,
    open: BTreeMap<Bytes, BTreeSet<Address>>,
    /// All of them are up: what only a moment knows is not the contract's.
    everybody: BTreeSet<Address>,
}

impl Model {
    /// Whether the vote counts in block `number`.
    fn vote(&mut self, number: u64, by: Address, vote: &Vote) -> bool {
        let newest = self.versions.newest().clone();
        if newest.from > number || newest.validators.power(&by).is_none() {
            return false;
        }
        let Some(next) = self.wanted(number, &newest, vote) else {
            return false;
        };
        let votes = self.open.entry(vote.call_data()).or_default();
        if !votes.insert(by) {
            return false;
        }
        if newest.validators.power_of(votes) >= newest.validators.quorum() {
            self.versions.push(next).expect("later than the one before");
            self.open.clear();
        }
        true
    }

    fn wanted(&self, number: u64, newest: &Constitution, vote: &Vote) -> Option<Constitution> {
        let mut next = Constitution {
            from: number + DELAY,
            ..newest.clone()
        };
        match *vote {
            Vote::Set(change) => {
                let (faults, delay) = (0, DELAY);
                let policy = Policy { faults, delay };
                let accepted = newest.judge(&change, number, &self.everybody, &policy);
                next.validators = accepted.ok()?.set;
            }
            Vote::Period(period) => next.period = period,
            Vote::GasLimit(gas) => next.gas_limit = gas,
        }
        let period = PERIOD_MS.contains(&u64::try_from(next.period.as_millis()).expect("small"));
        let changes = (&next.validators, next.period, next.gas_limit)
            != (&newest.validators, newest.period, newest.gas_limit);
        (period && changes && GAS_LIMIT.contains(&next.gas_limit)).then_some(next)
    }
}

/// Who votes, for which kind of change, of whom, with which number.
type Cast = (u8, u8, u8, u64);

fn vote(chain: &Governed, (_, kind, whom, number): Cast) -> Vote {
    let whom = usize::from(whom);
    match kind {
        0 | 1 => chain.add(whom, number),
        2 | 3 => chain.remove(whom),
        4 | 5 => chain.weigh(whom, number),
        6 => Vote::Period(Duration::from_millis(number * 30)),
        _ => Vote::GasLimit(number * 3_000_000),
    }
}

fn cast() -> impl Strategy<Value = Cast> {
    let number = prop_oneof![4 => 0..4_u64, 1 => 0..40_u64];
    (0..ACCOUNTS as u8, 0..8_u8, 0..ACCOUNTS as u8, number)
}

/// A block: somebody has an idea, and some of the others vote for it too.
fn block() -> impl Strategy<Value = Vec<Cast>> {
    let others = prop::collection::vec(0..ACCOUNTS as u8, 0..6);
    let idea = (cast(), others).prop_map(|(cast, others)| {
        let more = others.into_iter().map(move |who| (who, cast.1, cast.2, cast.3));
        std::iter::once(cast).chain(more).collect::<Vec<Cast>>()
    });
    prop::collection::vec(idea, 0..3).prop_map(|ideas| ideas.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_contract_counts_as_the_model_does(
        powers in prop::collection::vec(1..4_u64, 1..6),
        blocks in prop::collection::vec(block(), 1..16),
    ) {
        let chain = Governed::new(ACCOUNTS, &powers);
        let first = Constitution::clone(&chain.at(0));
        let mut model = Model {
            versions: Constitutions::new([first]).expect("a chain"),
            open: BTreeMap::new(),
            everybody: chain.all.iter().map(|signer| signer.address).collect(),
        };
        for casts in blocks {
            let number = chain.head() + 1;
            let votes: Vec<(usize, Vote)> =
                casts.iter().map(|cast| (usize::from(cast.0), vote(&chain, *cast))).collect();
            let counted = chain.block(&votes);
            let wanted: Vec<bool> = votes
                .iter()
                .map(|(who, vote)| model.vote(number, chain.address(*who), vote))
                .collect();
            prop_assert_eq!(counted, wanted, "block {}: {:?}", number, votes);
            let found = chain.one.constitutions().expect("validators decide");
            prop_assert_eq!(&*found, &model.versions);
        }
        for (call, who) in &model.open {
            let vote = Vote::parse(call).expect("a vote");
            let newest = &model.versions.newest().validators;
            let by = newest.members().map(|(by, _)| by).filter(|by| who.contains(by)).collect();
            prop_assert_eq!(chain.votes(&vote), (newest.power_of(who), newest.quorum(), by));
        }
    }
}
